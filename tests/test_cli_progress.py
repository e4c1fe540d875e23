"""What commands print about their progress where the standard error is not a terminal."""

import re
import warnings

import pytest

from sklearn_ser.cli import main
from sklearn_ser.datasets import make_corpora
from sklearn_ser.exceptions import NotAdaptedWarning, SmallBatchWarning

EXTRACTION = r"EGeMAPSExtractor: 32/32 files(, \d+ s of audio/s)?(, 32 cached)?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two small corpora, their features in a cache, and a model of them."""
    folder = tmp_path_factory.mktemp("progress")
    speech = make_corpora(folder / "speech", n_corpora=2, n_speakers=4, n_utterances=16)
    for name, rows in speech.groupby("corpus"):
        rows.to_csv(folder / f"{name}.csv", index=False)
    arguments = ["--method", "nnpm", "--no-scores", "--out", str(folder / "model.skops")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["train", *corpora(folder), *cache(folder), *arguments, "--quiet"]) == 0
    return folder


def corpora(folder):
    return [
        word
        for name in ("alphish", "betish")
        for word in ("--corpus", f"{name}={folder / name}.csv")
    ]


def cache(folder):
    return ["--cache", str(folder / "features.sqlite")]


COMMANDS = {
    "extract": (lambda f: [f / "speech", "--out", f / "table.csv"], [EXTRACTION]),
    "evaluate": (
        lambda f: [*corpora(f), "--method", "svm,logistic"],
        [
            EXTRACTION,
            *(rf"trainings: {i}/4, (svm|logistic): (alphish|betish)" for i in range(1, 5)),
        ],
    ),
    "train": (
        lambda f: [*corpora(f), "--out", f / "svm.skops"],
        [EXTRACTION, *(rf"held-out corpora: {i}/2, (alphish|betish)" for i in (1, 2))],
    ),
    "adapt": (lambda f: [f / "model.skops", f / "speech", "--out", f / "a.skops"], [EXTRACTION]),
    "predict": (lambda f: [f / "model.skops", f / "speech", "--adapt"], [EXTRACTION]),
}


def printed_by(command, folder, capfd, *options):
    arguments, _ = COMMANDS[command]
    words = [command, *arguments(folder), *cache(folder), *options]
    assert main([str(word) for word in words]) == 0
    return capfd.readouterr().err


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.SmallBatchWarning")
@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_line_for_each_part(command, folder, capfd):
    lines = printed_by(command, folder, capfd).splitlines()
    lines = [line for line in lines if not line.startswith("sklearn-ser: warning:")]
    expected = COMMANDS[command][1]
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line)


@pytest.mark.parametrize("command", COMMANDS)
def test_none_if_quiet(command, folder, capfd):
    with warnings.catch_warnings():
        for category in (SmallBatchWarning, NotAdaptedWarning):
            warnings.simplefilter("ignore", category)
        assert printed_by(command, folder, capfd, "--quiet") == ""


@pytest.mark.parametrize("words", [["-q", "predict"], ["predict", "-q"]])
def test_quiet_may_stand_before_and_after_the_command(words, folder, capfd):
    assert main([*words, str(folder / "model.skops"), str(folder / "nowhere.wav")]) == 1
    error = capfd.readouterr().err
    assert re.fullmatch(r"sklearn-ser: error: .*nowhere\.wav.*\n", error)
