import pytest

from sklearn_ser.cli import main
from sklearn_ser.datasets import describe, load_corpora, make_corpora


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    speech = make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=12)
    for corpus, part in speech.groupby("corpus"):
        part.to_csv(folder / f"{corpus}.csv", index=False)
    return folder


@pytest.fixture
def corpora(folder):
    paths = {name: folder / f"{name}.csv" for name in ("alphish", "betish")}
    return paths, [f"--corpus={name}={path}" for name, path in paths.items()]


def test_prints_the_description(corpora, capsys):
    paths, options = corpora
    assert main(["describe", *options]) == 0
    assert capsys.readouterr().out == f"{describe(load_corpora(paths))}\n"


def test_some_emotions_without_opening_recordings(corpora, capsys):
    paths, options = corpora
    assert main(["describe", *options, "--emotions", "anger,sadness", "--no-headers"]) == 0
    speech = load_corpora(paths, emotions=("anger", "sadness"))
    assert capsys.readouterr().out == f"{describe(speech, headers=False)}\n"


def test_plot(corpora, tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    assert main(["describe", *corpora[1], "--plot", str(tmp_path / "counts.svg")]) == 0
    assert (tmp_path / "counts.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_corpora_are_needed(capsys):
    with pytest.raises(SystemExit):
        main(["describe"])
    assert "argument --corpus: name at least one corpus" in capsys.readouterr().err


def test_a_corpus_that_is_not_there(tmp_path, capsys):
    assert main(["describe", f"--corpus=emodb={tmp_path / 'nowhere'}"]) == 1
    assert "error: No folder" in capsys.readouterr().err
