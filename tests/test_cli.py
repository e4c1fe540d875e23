import logging
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import is_classifier
from sklearn.metrics import balanced_accuracy_score

import sklearn_ser
from sklearn_ser import EGeMAPSExtractor, cli, cross_corpus_validate
from sklearn_ser.cli import METHODS, main
from sklearn_ser.datasets import CORPORA, load_corpora, make_corpora

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=16)


@pytest.fixture(scope="module")
def tables(speech, tmp_path_factory):
    """The two corpora as the arguments that name them."""
    folder = tmp_path_factory.mktemp("tables")
    arguments = []
    for name, rows in speech.groupby("corpus"):
        rows.to_csv(folder / f"{name}.csv", index=False)
        arguments += ["--corpus", f"{name}={folder / name}.csv"]
    return arguments


def run(*argv):
    return main([str(argument) for argument in argv])


def rows_of(text):
    """Read the printed table of scores: a dict from its first column to the rest."""
    lines = text.split("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if not line.startswith("---")}


def test_evaluate_embedded_corpora(tmp_path, capsys):
    out = tmp_path / "new" / "results"
    assert run("evaluate", "--utterances", 24, "--out", out) == 0
    printed = capsys.readouterr()
    assert printed.err == ""  # no progress bar: this is no terminal

    scores = pd.read_csv(out / "scores.csv").set_index("corpus")
    predictions = pd.read_csv(out / "predictions.csv")
    assert predictions.groupby("corpus").size().tolist() == [24, 24, 24]
    assert set(predictions["y_true"]) == set(EMOTIONS)
    assert predictions["path"].map(lambda path: path.startswith(str(out / "corpora"))).all()
    soundfile.info(predictions["path"].iloc[-1])
    assert scores["method"].tolist() == ["svm"] * 3
    assert scores["n_train"].tolist() == [48] * 3
    for name, rows in predictions.groupby("corpus"):
        assert scores.loc[name, "uar"] == balanced_accuracy_score(rows["y_true"], rows["y_pred"])
        assert scores.loc[name, "accuracy"] == (rows["y_true"] == rows["y_pred"]).mean()
        assert scores.loc[name, "speakers"] == rows["speaker"].nunique() == 6

    table = rows_of(printed.out)
    for name, row in scores.iterrows():
        figures = [f"{row[column]:.3f}" for column in ("uar", "accuracy")]
        assert table[name] == [row["language"], "24", "6", *figures, "0.250"]
    means = [f"{scores[column].mean():.3f}" for column in ("uar", "accuracy")]
    assert table["mean"] == [*means, "0.250"]
    assert "These corpora are synthesised" in printed.out


@pytest.mark.parametrize("method", METHODS)
def test_evaluate_given_corpora_with_every_method(method, speech, tables, capsys):
    assert run("evaluate", *tables, "--method", method, "--emotions", "anger,neutral,sadness") == 0
    printed = capsys.readouterr()
    assert "synthesised" not in printed.out
    assert f"train {method}: " in printed.out

    chosen = speech[speech["emotion"] != "happiness"]
    X = EGeMAPSExtractor().transform(chosen["path"])
    expected = cross_corpus_validate(METHODS[method][1](), X, chosen["emotion"], chosen["corpus"])
    table = rows_of(printed.out)
    for row in expected.scores.to_dict("records"):
        figures = [f"{row['uar']:.3f}", f"{row['accuracy']:.3f}", "0.333"]
        assert table[row["corpus"]] == [f"x-{row['corpus']}", "12", "3", *figures]


def test_methods_are_unfitted_classifiers_with_a_description():
    for description, factory in METHODS.values():
        assert is_classifier(factory())
        assert factory() is not factory()
        assert len(description) > 10


def test_chance_follows_the_emotions_of_the_corpus_and_unknown_speakers_are_no_zero():
    speech = pd.DataFrame(
        {
            "corpus": ["a"] * 4 + ["b"] * 2,
            "language": [np.nan] * 4 + ["de", "fr"],
            "speaker": [np.nan] * 4 + ["b_1", "b_2"],
            "emotion": [*EMOTIONS, "anger", "sadness"],
        }
    )
    scores = pd.DataFrame(
        {
            "corpus": ["a", "b"],
            "n_train": [2, 4],
            "n_test": [4, 2],
            "uar": [0.25, 0.5],
            "accuracy": [0.25, 1.0],
        }
    )
    text = cli._format_scores(cli._describe_scores(scores, speech))
    assert text.splitlines() == [
        "held out  language  recordings  speakers    UAR  accuracy  chance",
        "-----------------------------------------------------------------",
        "a         ?                  4         ?  0.250     0.250   0.250",
        "b         de+fr              2         2  0.500     1.000   0.500",
        "-----------------------------------------------------------------",
        "mean                                      0.375     0.625   0.375",
    ]


def test_emotions_all_keeps_what_the_corpora_have(tables, speech, tmp_path):
    assert run("evaluate", *tables, "--emotions", "all", "--out", tmp_path) == 0
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert predictions["path"].tolist() == speech["path"].tolist()
    assert predictions["y_true"].tolist() == speech["emotion"].tolist()


def test_list_of_corpora(capsys):
    assert run("corpora") == 0
    printed = capsys.readouterr().out
    for corpus in CORPORA.values():
        line = next(line for line in printed.splitlines() if line.split()[:1] == [corpus.name])
        size = str(corpus.n_recordings or "?")
        for fact in (corpus.language, size, corpus.licence, corpus.homepage):
            assert fact in line


@pytest.mark.parametrize("name", CORPORA)
def test_details_of_a_corpus(name, capsys):
    assert run("corpora", name) == 0
    printed = capsys.readouterr().out
    corpus = CORPORA[name]
    for emotion in corpus.vocabulary:
        assert f"{emotion} {corpus.counts.get(emotion, '')}".rstrip() in printed
    assert corpus.note in " ".join(printed.split())
    assert str(corpus.sampling_rate) in printed
    assert next(iter(corpus.examples)) in printed
    for line in corpus.citation.splitlines():
        assert line in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "required: COMMAND"),
        ("train", "invalid choice: 'train'"),
        ("evaluate --corpus emodb", "got 'emodb', expected NAME=PATH"),
        ("evaluate --corpus emodb=", "expected NAME=PATH"),
        ("evaluate --corpus a=b --corpus a=c", "a is given more than once"),
        ("evaluate --corpus a=b", "needs at least two"),
        ("evaluate --corpus a=b --corpus c=d --utterances 9", "corpora have the size they have"),
        ("evaluate --method nnmp", "invalid choice: 'nnmp'"),
        ("evaluate --emotions anger,rage", "unknown emotion 'rage'; expected all, or a list"),
        ("evaluate --emotions anger,anger", "expected at least two emotions"),
        ("evaluate --sampling-rate 16k", "got '16k', expected native or a number of Hz"),
        ("evaluate --sampling-rate 999", "at least 4000"),
        ("evaluate --jobs 0", "got '0', expected a number of processes"),
        ("evaluate --jobs two", "got 'two', expected a number of processes"),
        ("evaluate --utterances -1", "expected a positive number"),
        ("evaluate --out {file}", "is a file, expected a folder"),
        ("extract", "name recordings, folders of recordings, or corpora"),
        ("extract a.wav --out x.txt", r"got 'x.txt', expected a name in .csv or .parquet"),
        ("extract a.wav --out {folder}", "is a folder, expected a file"),
        ("extract a.wav --on-error ignore", "invalid choice: 'ignore'"),
        ("extract a.wav --variant praat", "invalid choice: 'praat'"),
        ("extract a.wav --cache {folder}", "is a folder, expected a file"),
        ("extract a.wav --jobs 2 --dask-scheduler tcp://a:1", "not allowed with argument --jobs"),
        ("corpora swahili", "unknown corpus 'swahili'; known: aesdd"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    places = {"file": tmp_path / "file", "folder": tmp_path / "folder.csv"}
    with pytest.raises(SystemExit, match="2") as stop:
        run(*arguments.format(**places).split())
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("usage: sklearn-ser")
    assert message in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("evaluate --corpus emodb={0}/no --corpus urdu={0}", r"No folder .*/no'.*emodb\.bilderbar"),
        ("evaluate --corpus a={0} --corpus b={0}", "'a' is no registered corpus .*No recordings"),
        ("extract {0}/no.wav", r"no file .*no\.wav"),
        ("extract {0}", "No recordings in .* or its sub-folders"),
        ("evaluate --utterances 5", "n_utterances=5"),
    ],
)
def test_errors_take_one_line_unless_debugging(arguments, message, tmp_path, capsys):
    arguments = arguments.format(tmp_path).split()
    assert run(*arguments) == 1
    printed = capsys.readouterr()
    assert re.fullmatch(f"sklearn-ser: error: .*{message}.*\n", printed.err)
    for debugging in (["--debug", *arguments], [*arguments, "--debug"]):
        assert run(*debugging) == 1
        printed = capsys.readouterr()
        assert printed.err.startswith("Traceback (most recent call last)")
        assert re.search(message, printed.err)


def test_interruption(monkeypatch, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli._COMMANDS, "corpora", interrupted)
    assert run("corpora") == 130
    assert capsys.readouterr().err == "sklearn-ser: interrupted\n"


def test_a_bug_is_not_disguised_as_a_message_to_the_user(monkeypatch):
    monkeypatch.setitem(cli._COMMANDS, "corpora", lambda args: [].missing)
    with pytest.raises(AttributeError, match="missing"):
        run("corpora")


def test_verbose_shows_the_log_and_leaves_logging_and_warnings_as_they_were(tmp_path, capsys):
    (tmp_path / "03a01Fa.wav").touch()
    logger = logging.getLogger("sklearn_ser")
    before = (logger.level, list(logger.handlers), warnings.showwarning, list(warnings.filters))
    for arguments in (["-v", "extract"], ["extract", "-v"]):
        assert run(*arguments, "--corpus", f"emodb={tmp_path}") == 1
        printed = capsys.readouterr().err.splitlines()
        assert printed[0].startswith("sklearn-ser: warning: EMO-DB in ")
        assert printed[1] == "emodb (de): 1 recordings, 1 speakers; happiness 1"
        assert printed[2].startswith("sklearn-ser: error: ")
        assert len(printed) == 3
    after = (logger.level, list(logger.handlers), warnings.showwarning, list(warnings.filters))
    assert after == before


@pytest.mark.parametrize("command", ["evaluate", "extract", "corpora"])
def test_help_gives_examples(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        run(command, "--help")
    assert f"examples:\n  sklearn-ser {command}" in capsys.readouterr().out


def test_module_runs():
    command = [sys.executable, "-m", "sklearn_ser", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"sklearn-ser {sklearn_ser.__version__}"


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from sklearn_ser.cli import main\n"
        "try:\n    main(['evaluate', '--help'])\n"
        "except SystemExit:\n"
        "    print({'numpy', 'pandas', 'sklearn', 'numba'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_reader_that_has_seen_enough(speech):
    command = [sys.executable, "-m", "sklearn_ser", "extract", speech["path"].iloc[0]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.corpus
def test_real_corpora_score_as_with_features_of_opensmile(shared, tmp_path, capsys):
    names = ("emodb", "urdu", "ravdess")
    paths = {name: shared / "corpora" / name for name in names}
    arguments = [word for name in names for word in ("--corpus", f"{name}={paths[name]}")]
    assert run("evaluate", *arguments, "--jobs", 2, "--out", tmp_path) == 0
    assert set(rows_of(capsys.readouterr().out)) == {"held", *names, "mean"}
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("corpus")

    with pytest.warns(UserWarning, match="RAVDESS"):
        speech = load_corpora(paths, emotions=EMOTIONS)
    reference = pd.read_parquet(shared / "reference" / "egemaps_functionals_16k.parquet")
    files = speech["path"].str.removeprefix(f"{shared / 'corpora'}/")
    X = reference.set_index("file").loc[files].to_numpy()
    expected = cross_corpus_validate(METHODS["svm"][1](), X, speech["emotion"], speech["corpus"])
    expected = expected.scores.set_index("corpus")
    assert list(scores.index) == list(expected.index)
    np.testing.assert_allclose(scores["uar"], expected["uar"], rtol=0, atol=0.03)
