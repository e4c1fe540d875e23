"""``predict --segments``: from a long recording to a table with times."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import load
from sklearn_ser.audio import Segment, load_audio
from sklearn_ser.cli import main
from sklearn_ser.datasets import list_segments, make_corpora

RATE = 16000


def run(*argv):
    return main([str(argument) for argument in argv])


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_corpora(folder, n_corpora=1, n_speakers=3, n_utterances=12)


@pytest.fixture(scope="module")
def model(speech, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    speech.to_csv(folder / "mine.csv", index=False)
    options = ["--method", "logistic", "--no-scores", "--out", folder / "model.skops"]
    assert run("train", "--corpus", f"mine={folder / 'mine.csv'}", *options) == 0
    return folder / "model.skops"


@pytest.fixture(scope="module")
def call(speech, tmp_path_factory):
    """A stereo call whose speakers take turns; return its path and the times of the turns."""
    turns, parts, n = [], [], RATE
    parts.append(np.zeros((RATE, 2)))
    for i, path in enumerate(speech["path"]):
        y, _ = load_audio(path)
        turns.append((n / RATE, (n + len(y)) / RATE, i % 2))
        part = np.zeros((len(y) + RATE, 2))
        part[: len(y), i % 2] = y
        parts.append(part)
        n += len(part)
    samples = np.concatenate(parts)
    samples += np.random.default_rng(0).normal(0, 1e-4, samples.shape)
    path = tmp_path_factory.mktemp("call") / "call.wav"
    soundfile.write(path, samples, RATE)
    return path, turns


def predict(capsys, *arguments):
    assert run("predict", *arguments, "--format", "csv") == 0
    return pd.read_csv(io.StringIO(capsys.readouterr().out))


def test_a_row_for_each_turn_of_a_call(model, call, speech, capsys):
    path, turns = call
    table = predict(capsys, model, path, "--segments", "--channels", "separate")
    assert [*table][:5] == ["file", "channel", "start", "end", "emotion"]
    assert set(table["file"]) == {str(path)}
    assert table["channel"].tolist() == [channel for _, _, channel in turns]
    # Soft beginnings and ends of words may be a tenth of a second.
    times = [(start, end) for start, end, _ in turns]
    np.testing.assert_allclose(table[["start", "end"]], times, atol=0.2)
    # Learnt by heart: this is about the right samples reaching the model.
    assert (table["emotion"] == speech["emotion"]).mean() > 0.8
    probabilities = table.filter(like="p_")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_command_is_what_python_gives(model, call, capsys):
    path, _ = call
    table = predict(capsys, model, path, "--segments")
    segments = list_segments([path])
    whole = load(model)
    assert table["emotion"].tolist() == whole.predict(segments["path"]).tolist()
    assert table["channel"].isna().all()
    rows = table[["start", "end"]].itertuples(index=False)
    assert [str(Segment(path, *row)) for row in rows] == segments["path"].tolist()


def test_options_of_the_splitting(model, call, capsys):
    path, turns = call
    table = predict(capsys, model, path, "--segments", "--max-segment", 1.5)
    assert (table["end"] - table["start"]).max() <= 1.5 + 1e-9
    assert len(table) > len(turns)
    table = predict(capsys, model, path, "--segments", "--min-pause", 5, "--max-segment", 100)
    assert len(table) == 1
    table = predict(capsys, model, path, "--segments", "--min-segment", 2.5)
    assert len(table) < len(turns)


def test_formats_and_recordings_that_cannot_be_used(model, call, tmp_path, capsys):
    path, turns = call
    silent, broken = tmp_path / "silent.wav", tmp_path / "broken.wav"
    soundfile.write(silent, np.zeros(RATE), RATE)
    broken.write_bytes(b"no audio at all")
    paths = [path, silent, broken]
    assert run("predict", model, *paths, "--segments", "--out", tmp_path / "all.jsonl") == 0
    printed = capsys.readouterr().err
    assert "silent.wav: no speech" in printed
    assert "broken.wav: not readable as audio" in printed
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert len(rows) == len(turns)
    assert {row["channel"] for row in rows} == {None}

    assert run("predict", model, *paths, "--segments", "--on-error", "nan") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["file", "channel", "start", "end", "emotion"]
    assert lines[-1].strip() == str(broken)
    assert len(lines) == len(turns) + 2

    assert run("predict", model, *paths, "--segments", "--on-error", "raise") == 1
    assert "broken.wav: not readable as audio" in capsys.readouterr().err
    assert run("predict", model, silent, "--segments") == 1
    assert "Nobody seems to speak in" in capsys.readouterr().err


def test_a_reference_is_split_too(model, call, capsys):
    path, turns = call
    one = predict(capsys, model, path, "--segments", "--reference", path)
    assert len(one) == len(turns)
    # Scaled by itself either way.
    assert one["emotion"].tolist() == predict(capsys, model, path, "--segments")["emotion"].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--channels", "separate"], "argument --channels: only --segments splits recordings"),
        (["--min-pause", "1"], "argument --min-pause: only --segments splits recordings"),
        (["--segments", "--ask", "3"], "argument --ask: labels are of whole recordings"),
        (["--segments", "--adapt", "--labels", "x.csv"], "argument --labels: labels are of whole"),
    ],
)
def test_options_that_do_not_go_together(options, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("predict", "model.skops", "call.wav", *options)
    assert message in capsys.readouterr().err


def test_a_time_that_cannot_be(model, call, capsys):
    # In a thread, which has the words of the command too.
    command = ["predict", model, call[0], call[0], "--jobs", 2, "--segments"]
    assert run(*command, "--max-segment", "0.5") == 1
    assert "--max-segment is 0.5, expected at least twice --min-segment" in capsys.readouterr().err
