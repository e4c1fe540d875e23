"""The code that guides show runs as it stands, and prints what they say it prints."""

import contextlib
import io
import json
import re
import runpy
import shlex
import textwrap
import warnings
from pathlib import Path

import pytest

from sklearn_ser.cli._parser import build_parser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)
GUIDES = ["choosing", "faq", "getting_started", "gpu", "index", "leaking"]


def blocks(page):
    """Return (language, code) of the blocks of a page, in order."""
    text = (DOCS / f"{page}.rst").read_text(encoding="utf-8")
    return [(language, textwrap.dedent(code)) for _, language, code in BLOCK.findall(text)]


def run(page, names, change=lambda code: code):
    """Run the blocks of Python; compare each block of text with what came before it."""
    printed = ""
    for language, code in blocks(page):
        if language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output), warnings.catch_warnings():
                # Few recordings, and speakers who are heard in few emotions.
                warnings.simplefilter("ignore", UserWarning)
                exec(compile(change(code), f"{page}.rst", "exec"), names)
            printed = output.getvalue()
            names["printed"] = names.get("printed", "") + printed
        elif language == "text":
            assert code.strip() == printed.strip()
    return names


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_start_page_shows_an_evaluation():
    assert re.search(r"\bmean\b.*0\.\d{3}", run("index", {})["printed"])


def test_five_minutes_from_nothing_to_a_prediction(tmp_path):
    names = run("getting_started", {})
    assert {"svm", "nnpm"} == set(names["results"])
    assert names["results"]["nnpm"].summary["uar"].iloc[-1] > 0.4
    assert "<h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert names["adapted"].predict(names["new"].path[-1:]).shape == (1,)
    assert re.search(rf"is {names['new'].emotion.iloc[-1]}$", names["printed"].strip())


def test_what_leaks_and_what_does_not():
    names = run("leaking", {})
    assert names["leaking"] > 0.5 > names["inside"] + 0.1
    assert set(names["result"].summary["corpus"]) == {"alphish", "betish", "gammish", "mean"}
    known, others = names["known"], names["test"] & ~names["known"]
    assert known.sum() == others.sum() == len(names["predicted"])
    assert not set(names["speaker"][known]) & set(names["speaker"][others])
    assert set(names["table"]["method"]) == {"by corpus", "search"}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_answers_run(tmp_path, whisper_folder):
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    from sklearn_ser import CorpusScaler, EGeMAPSExtractor, fit_cross_corpus
    from sklearn_ser.datasets import make_corpora

    speech = make_corpora(tmp_path / "corpora", n_corpora=2, n_speakers=3, n_utterances=24)
    pipeline = make_pipeline(EGeMAPSExtractor(cache="cache.sqlite"), CorpusScaler(), SVC())
    model = fit_cross_corpus(pipeline, speech.path, speech.emotion, speech.corpus)
    names = {"speech": speech, "pipeline": pipeline, "model": model}
    names["paths"] = speech.path[speech.corpus == "betish"].tolist()

    def keep_warnings_off(code):
        return code.replace('"always"', '"ignore"').replace(
            "openai/whisper-tiny.en", str(whisper_folder)
        )

    run("faq", names, keep_warnings_off)
    assert len((tmp_path / "features.csv").read_text("utf-8").splitlines()) == 1 + 24
    assert names["segments"]["file"].nunique() == 1


def test_devices_are_parameters(whisper_folder):
    names = run("gpu", {}, lambda code: code.replace("openai/whisper-base", str(whisper_folder)))
    assert names["extractor"].device == names["dae"].device == "auto"


@pytest.mark.parametrize("page", GUIDES)
def test_commands_are_understood(page):
    text = (DOCS / f"{page}.rst").read_text(encoding="utf-8")
    lines = [
        line for language, code in blocks(page) if language == "sh" for line in code.split("\n")
    ]
    lines += re.findall(r"``(sklearn-ser \w+ [^`]+)``", text.replace("\n   ", ""))
    for line in lines:
        if line.startswith("sklearn-ser ") and "NAME" not in line and not line.endswith("--out"):
            words = shlex.split(line, comments=True)[1:]
            assert build_parser().parse_args(words).command == words[0]


def test_choices_have_the_numbers_of_the_picture():
    conf = runpy.run_path(str(DOCS / "conf.py"))
    rows = json.loads((DOCS / "figures" / "representations.json").read_text(encoding="utf-8"))
    table = conf["list_representations"]()
    shown = re.findall(r"- (0\.\d{3}) \((0\.\d\d)-(0\.\d\d)\)", table)
    assert shown == [
        (f"{row['uar']:.3f}", f"{row['uar_low']:.2f}", f"{row['uar_high']:.2f}") for row in rows
    ]
    page = (DOCS / "choosing.rst").read_text(encoding="utf-8")
    assert ".. include:: api/generated/representations.inc" in page
    decisions = page.partition("Decide\n")[2].partition("\nWhat was measured\n")[0]
    measured = {f"{row['uar']:.3f}" for row in rows}
    # Of adaptation to other speakers, which another command prints.
    elsewhere = {"0.577", "0.521"}
    assert set(re.findall(r"\b0\.\d{3}\b", decisions)) - elsewhere <= measured


def test_every_leak_of_the_picture_is_on_the_page():
    printed = json.loads((ROOT / "benchmarks/printed/leaks.json").read_text("utf-8"))["printed"]
    page = (DOCS / "leaking.rst").read_text(encoding="utf-8")
    shown = {
        tuple(re.split(r"  +", line))
        for line in page.split("\n")
        if re.search(r"  0\.\d{3}$", line)
    }
    measured = {tuple(re.split(r"  +", line))[2:] for line in printed[1:]}
    assert shown == measured
