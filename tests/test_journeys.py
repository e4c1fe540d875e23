"""The first ten minutes of users, with the real command line on files made here."""

import io
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser.cli import main
from sklearn_ser.datasets import make_corpora
from sklearn_ser.persistence import model_card

GERMAN = {"anger": "Wut", "happiness": "Freude", "neutral": "neutral", "sadness": "Traurig"}


def run(*argv):
    return main([str(argument) for argument in argv])


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """The recordings of two synthesised corpora, of four emotions and four speakers each."""
    folder = tmp_path_factory.mktemp("speech")
    return make_corpora(folder, n_corpora=2, n_speakers=4, n_utterances=24)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of features: recordings under another name are the same recordings."""
    return tmp_path_factory.mktemp("cache") / "features.sqlite"


def corpus(speech, number):
    return speech[speech["corpus"] == speech["corpus"].unique()[number]]


@pytest.fixture(scope="module")
def own_folder(speech, tmp_path_factory):
    """A folder with odd names: blanks, accents, capitals, other formats, notes, hidden files."""
    folder = tmp_path_factory.mktemp("own") / "Meine Aufnahmen (2024)"
    for i, row in enumerate(corpus(speech, 0).itertuples()):
        place = folder / f" {GERMAN[row.emotion].upper()}" / "Tag 1"
        place.mkdir(parents=True, exist_ok=True)
        y, sr = soundfile.read(row.path)
        suffix = (".WAV", ".flac", ".ogg")[i % 3]
        soundfile.write(place / f"Stück Nr. {i:02d} äöü{suffix}", y, sr)
        (place / "Notizen.txt").write_text("ruhiger Raum")
        (place / f"._Stück Nr. {i:02d} äöü{suffix}").write_bytes(b"\0")
    return folder


@pytest.fixture(scope="module")
def own_table(speech, tmp_path_factory):
    """A table as a German spreadsheet writes it: semicolons, a byte order mark, capitals."""
    rows = corpus(speech, 1)
    folder = tmp_path_factory.mktemp("tabelle")
    table = pd.DataFrame(
        {
            "Path": rows["path"],
            "Emotion": rows["emotion"].map(GERMAN),
            "Speaker": rows["speaker"],
            "Notiz": "leise, mit Hall",
        }
    )
    table.to_csv(folder / "liste.csv", sep=";", index=False, encoding="utf-8-sig")
    return folder / "liste.csv"


@pytest.fixture(scope="module")
def model(own_folder, own_table, cache, tmp_path_factory):
    """A model that can adapt, of the own folder and the own table."""
    path = tmp_path_factory.mktemp("models") / "model.skops"
    options = ["--corpus", f"folder={own_folder}", "--corpus", f"table={own_table}"]
    options += ["--method", "nnpm", "--no-scores", "--cache", cache, "--out", path]
    assert run("train", *options) == 0
    return path


def test_own_folder_and_german_table(own_folder, own_table, cache, tmp_path, capsys):
    options = ["--corpus", f"folder={own_folder}", "--corpus", f"table={own_table}"]
    assert run("evaluate", *options, "--cache", cache, "--out", tmp_path) == 0
    printed = capsys.readouterr()
    assert "warning" not in printed.err
    assert re.search(r"^folder +\? +24 +\? +0\.\d{3} ", printed.out, re.MULTILINE)
    assert re.search(r"^table +\? +24 +4 +0\.\d{3} ", printed.out, re.MULTILINE)
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert set(predictions["y_true"]) == set(GERMAN)
    assert predictions["path"].str.contains("Stück Nr").sum() == 24


def test_a_single_corpus_leaves_speakers_out(own_table, cache, tmp_path, capsys):
    options = ["--method", "svm,logistic", "--cache", cache, "--out", tmp_path]
    assert run("evaluate", "--corpus", f"mine={own_table}", *options) == 0
    printed = capsys.readouterr()
    said = (
        "mine is the only corpus, so its speakers are left out in turn. The scores hold for other "
        "speakers in recordings like these; in another corpus, expect lower ones. To measure that, "
        "add a second corpus, for instance with `sklearn-ser fetch ravdess` and --corpus "
        "ravdess=FOLDER."
    )
    assert printed.err.startswith(said)
    assert said in " ".join(printed.out.split())
    assert "Speakers are held out in turn and the others train each method" in printed.out
    assert "Each corpus" not in printed.out
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert scores[["method", "corpus", "n_test", "n_speakers"]].to_numpy().tolist() == [
        ["svm", "mine", 24, 4],
        ["logistic", "mine", 24, 4],
    ]
    facts = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert facts["settings"]["held out"] == "speakers"
    assert facts["notice"] == said
    # Advice about folds of few recordings is for a shell.
    assert "fewer than 10; it was" in printed.err
    assert "min_batch" not in printed.err


def test_a_single_corpus_without_speakers(own_folder, capsys):
    assert run("evaluate", "--corpus", f"mine={own_folder}") == 1
    [error] = capsys.readouterr().err.splitlines()
    assert "mine is the only corpus, so that its speakers would be left out in turn, but" in error
    assert "they are unknown. List the recordings in a .csv file with the columns path, em" in error
    assert "--corpus mine=FILE.csv, or add a second corpus, for instance with `sklearn" in error


def test_all_unknown_labels_at_once_and_their_mapping(speech, own_table, cache, tmp_path, capsys):
    table = pd.read_csv(own_table, sep=";")
    words = {"Wut": "Groll!", "Freude": "froh gestimmt", "Traurig": "sad"}
    table["Emotion"] = table["Emotion"].replace(words)
    table.loc[0, "Emotion"] = "?"
    table.to_csv(tmp_path / "mine.csv", index=False)
    options = ["--corpus", f"mine={tmp_path / 'mine.csv'}", "--cache", cache]
    counts = table["Emotion"].value_counts()
    for command in (["evaluate"], ["train", "--out", tmp_path / "model.skops"], ["extract"]):
        assert run(*command, *options) == 1
        [error] = capsys.readouterr().err.splitlines()
        assert error.startswith("sklearn-ser: error: These labels are not known emotions: ")
        for label in ("Groll!", "froh gestimmt", "?"):
            n = counts[label]
            assert f"{label!r} ({n} recording{'s' * int(n > 1)})" in error
        for option in ("--mapping 'Groll!=EMOTION'", "--mapping 'froh gestimmt=EMOTION'"):
            assert option in error
        assert "mapping=" not in error
        assert "'anger'" not in error
    options += ["--mapping", "groll!=anger", "--mapping", "Froh gestimmt=happiness"]
    options += ["--mapping", "?=none"]
    assert run("evaluate", *options, "--out", tmp_path / "results") == 0
    found = pd.read_csv(tmp_path / "results" / "predictions.csv")["y_true"].value_counts()
    expected = corpus(speech, 1)["emotion"].iloc[1:].value_counts()
    assert found.to_dict() == expected.to_dict()
    assert run("train", *options, "--no-scores", "--out", tmp_path / "model.skops") == 0
    assert model_card(tmp_path / "model.skops")["card"]["emotions"] == expected.to_dict()
    capsys.readouterr()
    assert run("extract", *options, "--on-error", "raise") == 0
    assert len(pd.read_csv(io.StringIO(capsys.readouterr().out))) == 23
    assert run("evaluate", *options, "--mapping", "Grol=fear") == 1
    error = capsys.readouterr().err
    assert "--mapping Grol=... matches no sub-folder and no label of a table." in error
    assert "Did you mean 'Groll!'? There are: " in error
    assert "Remove the option or correct it." in error


def predicted(capsys, *arguments):
    """Return the table that `predict` prints, and its messages."""
    assert run("predict", *arguments, "--format", "csv") == 0
    printed = capsys.readouterr()
    return pd.read_csv(io.StringIO(printed.out)), printed.err


def python_words(text):
    """Return words of a text that only programmers know."""
    return re.findall(r"\b\w+=\w*|\w+\(\w*\)|X_target|CorpusScaler|set_params", text)


def test_one_file(model, speech, cache, capsys):
    one = speech["path"].iloc[0]
    table, messages = predicted(capsys, model, one, "--cache", cache)
    assert table["path"].tolist() == [one]
    assert messages.count("warning:") == 2
    assert "The batch has 1 row, fewer than 10; it was scaled by the pooled statistics" in messages
    assert "`sklearn-ser predict` takes them as --reference" in messages
    assert "predictions come from its training corpora alone. Pass --adapt, or write" in messages
    assert python_words(messages) == []


def test_a_reference_and_adaptation(model, speech, cache, tmp_path, capsys):
    one, *others = corpus(speech, 0)["path"]
    _, messages = predicted(capsys, model, one, "--cache", cache, "--reference", *others)
    assert "The batch" not in messages
    assert messages.count("Pass --adapt") == 1
    table, messages = predicted(capsys, model, one, *others, "--adapt", "--cache", cache)
    assert "Pass --adapt" not in messages
    assert len(table) == 24
    _, messages = predicted(capsys, model, one, "--adapt", "--cache", cache)
    assert "was not adapted, predictions come from the source alone: the target has 1 " in messages
    assert "Further warnings" not in messages
    assert python_words(messages) == []


def test_labels_of_some_recordings_as_a_spreadsheet_writes_them(
    model, speech, cache, tmp_path, capsys
):
    rows = corpus(speech, 0)
    labels = pd.DataFrame({"Path": rows["path"], "Emotion": rows["emotion"].map(GERMAN)})[:8]
    labels.loc[labels.index[0], "Emotion"] = "Groll"
    labels.to_csv(tmp_path / "labels.csv", sep=";", index=False)
    command = ["adapt", model, *rows["path"], "--labels", tmp_path / "labels.csv"]
    command += ["--cache", cache, "--out", tmp_path / "adapted.skops"]
    assert run(*command) == 1
    error = capsys.readouterr().err
    assert "emotions that the model does not know: 'Groll' (line 2). It knows: anger, " in error
    assert "Translate them with --mapping LABEL=EMOTION" in error
    assert run(*command, "--mapping", f"Groll={rows['emotion'].iloc[0]}") == 0
    assert "24 recordings, 8 of them labelled" in capsys.readouterr().out


def test_a_model_that_cannot_do_what_is_asked(own_folder, own_table, cache, tmp_path, capsys):
    path = tmp_path / "model.skops"
    options = ["--corpus", f"a={own_folder}", "--corpus", f"b={own_table}", "--cache", cache]
    options += ["--method", "svm-global", "--no-scores", "--out", path]
    assert run("train", *options) == 0
    recordings = [*own_folder.rglob("*.flac")]
    for asked in (["--adapt"], ["--reference", *recordings]):
        assert run("predict", path, recordings[0], "--cache", cache, *asked) == 1
        error = capsys.readouterr().err
        assert f"error: {asked[0]}: " in error
        assert "rain with a" in error
        assert python_words(error) == []


def test_a_broken_file(own_folder, own_table, cache, tmp_path, capsys):
    folder = tmp_path / "own"
    shutil.copytree(own_folder, folder)
    first = sorted(folder.rglob("Stück*"))[0]
    first.write_bytes(b"RIFF")
    options = ["--corpus", f"folder={folder}", "--corpus", f"table={own_table}", "--cache", cache]
    out = tmp_path / "results"
    assert run("evaluate", *options, "--out", out) == 0
    message = f"1 of 48 recordings cannot be used: {first}"
    assert f"sklearn-ser: warning: {message}" in capsys.readouterr().err
    assert len(pd.read_csv(out / "predictions.csv")) == 47
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert any(warning["detail"].startswith(message) for warning in facts["warnings"])
    model = tmp_path / "model.skops"
    assert run("train", *options, "--no-scores", "--out", model) == 0
    printed = capsys.readouterr()
    assert message in printed.err
    assert "trained on 47 recordings" in printed.out
    for command in (["evaluate"], ["train", "--out", model]):
        assert run(*command, *options, "--on-error", "raise") == 1
        assert first.name in capsys.readouterr().err
    for path in folder.rglob("Stück*"):
        path.write_bytes(b"RIFF")
    assert run("evaluate", *options) == 1
    assert (
        "None of the 24 recordings of folder can be used; leave it out." in capsys.readouterr().err
    )


def test_the_folder_is_not_a_corpus(own_folder, tmp_path, capsys):
    (tmp_path / "flat").mkdir()
    shutil.copy(next(own_folder.rglob("*.flac")), tmp_path / "flat")
    assert run("evaluate", "--corpus", f"mine={tmp_path / 'flat'}") == 1
    error = capsys.readouterr().err
    assert "Sort the recordings, or list them in a .csv file with the columns path and e" in error
    assert python_words(error) == []


def test_workers_advise_in_shell_words_too(own_table, cache, capsys):
    options = ["--corpus", f"mine={own_table}", "--cache", cache, "--jobs", 2]
    assert run("evaluate", *options) == 0
    messages = capsys.readouterr().err
    assert "`sklearn-ser predict` takes them as --reference" in messages
    assert python_words(messages.replace("ravdess=FOLDER", "")) == []


def test_a_recording_that_is_too_long_for_workers(own_folder, tmp_path, capsys):
    options = ["--on-error", "raise", "--max-duration", 0.1]
    assert run("extract", own_folder, *options, "--jobs", 2, "--out", tmp_path / "x.csv") == 1
    assert "or pass a longer --max-duration in training if this" in capsys.readouterr().err


def test_a_long_call_with_a_speaker_on_each_channel(model, speech, tmp_path, capsys):
    rows = corpus(speech, 0)["path"].tolist()
    parts = [soundfile.read(path) for path in rows[:4]]
    rate = parts[0][1]
    pause = np.random.default_rng(0).normal(0, 1e-4, rate)
    channels = []
    for own in (parts[:2], parts[2:]):
        channels.append(np.concatenate([pause, own[0][0], pause, pause, own[1][0], pause]))
    length = max(map(len, channels))
    call = np.stack([np.pad(one, (0, length - len(one))) for one in channels], axis=1)
    soundfile.write(tmp_path / "Anruf 1.wav", call, rate)
    options = ["--segments", "--channels", "separate"]
    table, _ = predicted(capsys, model, tmp_path / "Anruf 1.wav", *options)
    assert table.columns[:5].tolist() == ["file", "channel", "start", "end", "emotion"]
    # In the order of the call, so that the turns of both can be read one after the other.
    assert table["start"].is_monotonic_increasing
    table = table.sort_values(["channel", "start"])
    assert table["channel"].tolist() == [0, 0, 1, 1]
    assert table["emotion"].isin(GERMAN).all()
    # The second of each channel begins two pauses after the end of the first.
    first = np.array([len(parts[0][0]), len(parts[2][0])]) / rate
    starts = table["start"].to_numpy().reshape(2, 2)
    np.testing.assert_allclose(starts, np.stack([[1, 1], first + 3], axis=1), atol=0.3)


def test_the_table_of_a_paper(own_folder, own_table, cache, tmp_path):
    options = ["--corpus", f"folder={own_folder}", "--corpus", f"my_table={own_table}"]
    options += ["--method", "svm,logistic", "--cache", cache, "--latex", tmp_path / "scores.tex"]
    assert run("evaluate", *options) == 0
    text = (tmp_path / "scores.tex").read_text(encoding="utf-8")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\begin{tabular}")
    assert r"my\_table" in text
    assert re.search(r"logistic.*& +0\.\d{3} ", text)
