import base64
import dataclasses
import errno
import hashlib
import io
import itertools
import json
import re
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from sklearn_ser import cross_corpus_validate
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.plotting import (
    CorpusConfusionDisplay,
    ReliabilityDisplay,
    TransferMatrixDisplay,
    UARDisplay,
)
from sklearn_ser.report import EvaluationRecord, _exports, _page, _pictures, write_report
from sklearn_ser.report._page import render_report
from sklearn_ser.report._pictures import Picture
from sklearn_ser.report._tables import confusion_tables, missed_recordings
from sklearn_ser.report._text import interval, p_value, signed
from sklearn_ser.utils import _files
from sklearn_ser.utils._palette import COLOURS

VOID = {"meta", "img", "br"}
DATA = ("data:text/csv;", "data:application/x-tex;")
HOSTILE = "<script>alert(1)</script>"


class Page(HTMLParser):
    """A page as the elements and the text that are in it."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.scripts = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" in self.open:
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text.append(data)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    def says(self):
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def text(record):
    return render_report(record)


@pytest.fixture
def blank_pictures(monkeypatch):
    """Leaves out what takes most of the time: drawing pictures, which are still described."""
    for display in (ReliabilityDisplay, TransferMatrixDisplay, UARDisplay):
        monkeypatch.setattr(display, "plot", lambda self, **_: self)
    monkeypatch.setattr(
        _pictures,
        "_as_picture",
        lambda display: Picture("data:image/svg+xml;base64,", display.describe(), 96, 96),
    )


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_a_record_that_was_kept_gives_the_same_page(record, text, tmp_path):
    record.save(tmp_path)
    path = write_report(EvaluationRecord.load(tmp_path), tmp_path / "new" / "report.html")
    assert path == tmp_path / "new" / "report.html"
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("blank_pictures")
def test_it_is_named(record):
    titled = render_report(record, title="A <b> title")
    assert "<title>A &lt;b&gt; title</title>" in titled
    assert "<h1>A &lt;b&gt; title</h1>" in titled


OWN_SCRIPT = (Path(_page.__file__).parent / "templates" / "report.js").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere_and_only_one_script_runs(page, text):
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "object", "form"}
    assert page.scripts == [OWN_SCRIPT]
    assert page.all("script") == [{}]
    for image in page.all("img"):
        assert image["src"].startswith("data:image/svg+xml;base64,")
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    [policy] = [
        meta["content"] for meta in page.all("meta") if "Security" in meta.get("http-equiv", "")
    ]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    digest = base64.b64encode(hashlib.sha256(OWN_SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_headings_and_landmarks(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]
    for landmark in ("header", "nav", "main", "footer"):
        assert len(page.all(landmark)) == 1
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}


def test_links_within_the_page_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    targets = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    named = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    assert targets | named <= set(ids)


def test_tables_have_captions_and_scopes_and_scroll_by_keyboard(page):
    n_tables = len(page.all("table"))
    assert n_tables == len(page.all("caption")) == 7 + 3 * 3
    assert all(cell.get("scope") in ("col", "row", "rowgroup") for cell in page.all("th"))
    scrolling = [a for tag, a in page.elements if "scroll" in a.get("class", "").split()]
    assert len(scrolling) == n_tables + len(page.all("img"))
    for attributes in scrolling:
        assert attributes["role"] == "region"
        assert attributes["tabindex"] == "0"
        assert attributes.get("aria-label") or attributes.get("aria-labelledby")


def test_pictures_are_drawn_and_described(page):
    images = page.all("img")
    assert len(images) == 3
    for image in images:
        picture = ET.fromstring(base64.b64decode(image["src"].partition(",")[2]))
        width = float(picture.get("width").removesuffix("pt"))
        # A point is 1/72 inch, a pixel 1/96.
        assert float(image["width"]) == pytest.approx(width * 96 / 72, abs=1)
        assert len(image["alt"]) > 60
    assert images[0]["alt"].startswith("UAR of svm, bayes and guess on 3 corpora: ")
    assert images[-1]["alt"].startswith("UAR of training on each of 3 corpora")


def test_pictures_do_not_depend_on_the_settings_of_the_user(record, text):
    before = plt.get_fignums()
    with plt.style.context("dark_background"):
        assert render_report(record) == text
    assert plt.get_fignums() == before


def test_numbers(page, record):
    told = page.says()
    for row in [*record.scores.to_dict("records"), *record.means.to_dict("records")]:
        assert f"{row['uar']:.3f}{row['uar_low']:.2f} to {row['uar_high']:.2f}" in told
    for row in record.comparisons.to_dict("records"):
        assert signed(row["difference"]) in told
        assert p_value(row["p_adjusted"]) in told
    # Above the column of each corpus, not in its cells, and in the explanation.
    assert told.count("too few speakers to tell") == len(record.corpora) + 1
    for row in record.recalls.to_dict("records"):
        assert f"{row['recall']:.0%}" in told


def test_facts(page, record):
    told = page.says()
    for words in (
        "Please note: Nobody said any of this.",
        "288 recordings by 18 speakers in 3 corpora. The emotions are anger, happiness, neutral",
        "guessing achieves 25%",
        "Compared with svm: guess is clearly worse; the difference of bayes could be due to",
        f"{len(record.run['warnings'])} warning",
        "someone sneezes in 03a01Fa.wav",
        "free with citation",
        "not known to this package",
        "24 anger, 24 happiness, 24 neutral, 24 sadness",
        "sklearn-ser evaluate --corpus 'a b=c'",
        "A line between emotions.",
        "Seeds: random_state = 7",
        "circumplexno",
        "ratingsnone",
        "processes2",
        "features1.2 s",
        f"numpy{np.__version__}",
    ):
        assert words in told, words
    assert {"href": "http://emodb.bilderbar.info/", "rel": "noreferrer"} in page.all("a")


@pytest.mark.usefixtures("blank_pictures")
def test_one_method_without_speakers(make_speech, evaluate):
    speech, X = make_speech()
    page = Page(render_report(evaluate(speech.drop(columns="speaker"), X, methods=("svm",))))
    told = page.says()
    assert "Speech emotion recognition: svm on 3 corpora" in told
    assert "There is no comparison" in told
    assert "Without an interval, or with one of no width: emodb: speakers unknown" in told
    assert "From corpus to corpus" not in told
    assert "The speaker of 96 of 96 recordings is unknown" in told


@pytest.mark.usefixtures("blank_pictures")
def test_an_emotion_that_a_corpus_lacks(make_speech, evaluate):
    speech, X = make_speech()
    keep = ((speech["corpus"] != "urdu") | (speech["emotion"] != "sadness")).to_numpy()
    record = evaluate(speech[keep].reset_index(drop=True), X[keep], methods=("svm", "bayes"))
    told = Page(render_report(record)).says()
    assert "It has no recordings of sadness" in told
    assert "urdu held outn = 24n = 24n = 24 svm" in told
    assert re.search(r"chance0\.2500\.2500\.3330\.278", told)


@pytest.mark.usefixtures("blank_pictures")
def test_repeats_show_their_spread(make_speech):
    speech, X = make_speech()
    model = DummyClassifier(strategy="uniform")
    data = X, speech["emotion"], speech["corpus"]
    result = cross_corpus_validate(model, *data, speaker=speech["speaker"], seeds=range(3))
    record = EvaluationRecord.from_results({"guess": result}, speech)
    told = Page(render_report(record)).says()
    score = record.scores.iloc[0]
    assert f"{score['uar']:.3f} ± {score['uar_sd']:.3f}" in told
    mean = record.recalls.query("corpus == 'emodb' and label == 'anger'")["recall"].mean()
    assert f"n = 24 guess{mean:.0%}" in told


def test_confusions_are_those_of_the_picture(record):
    tables = confusion_tables(record)
    assert [method["name"] for method in tables["methods"]] == record.methods
    for method in tables["methods"]:
        rows = record.predictions[record.predictions["method"] == method["name"]]
        display = CorpusConfusionDisplay.from_predictions(
            rows["y_true"], rows["y_pred"], rows["corpus"], labels=tables["columns"]
        )
        plt.close(display.figure_)
        assert [corpus["name"] for corpus in method["corpora"]] == [*display.counts]
        for corpus, ax in zip(method["corpora"], display.axes_, strict=True):
            cells = [cell["value"] for row in corpus["rows"] for cell in row["cells"]]
            assert cells == [text.get_text() for text in ax.texts if "n=" not in text.get_text()]
            totals = display.counts[corpus["name"]].sum(axis=1)
            assert [row["n"] for row in corpus["rows"]] == totals.tolist()
            assert ax.get_title().endswith(f"UAR {float(corpus['uar']):.2f}")


def test_confusions_count_a_recording_once_for_all_repeats(make_speech):
    speech, X = make_speech()
    model = DummyClassifier(strategy="uniform")
    result = cross_corpus_validate(model, X, speech["emotion"], speech["corpus"], seeds=range(3))
    record = EvaluationRecord.from_results({"guess": result}, speech)
    [method] = confusion_tables(record)["methods"]
    sizes = {one["name"]: sum(row["n"] for row in one["rows"]) for one in method["corpora"]}
    assert sizes == pytest.approx(speech["corpus"].value_counts().to_dict())


def test_confusions_of_an_emotion_that_a_corpus_lacks(make_speech, evaluate):
    speech, X = make_speech()
    kept = ((speech["corpus"] != "urdu") | (speech["emotion"] != "sadness")).to_numpy()
    record = evaluate(speech[kept].reset_index(drop=True), X[kept], methods=("svm",))
    [method] = confusion_tables(record)["methods"]
    *_, last = method["corpora"][-1]["rows"]
    assert last == {"name": "sadness", "n": 0, "cells": [{"value": "", "step": ""}] * 4}
    text = render_report(record)
    assert text.count("<td>–</td>") >= 4
    assert '<th scope="row">sadness</th><td>–</td>' in text


def test_steps_of_colour_follow_the_percentage(text, record):
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    for method in confusion_tables(record)["methods"]:
        for cell in (c for one in method["corpora"] for row in one["rows"] for c in row["cells"]):
            assert abs(10 * int(cell["step"].removeprefix("step")) - int(cell["value"])) <= 5
            assert f".{cell['step']} {{" in style
            assert f'<td class="{cell["step"]}">{cell["value"]}</td>' in text


@pytest.fixture(scope="module")
def hostile(make_speech, evaluate):
    speech, X = make_speech((HOSTILE, "urdu", '"><img src=x onerror=alert(2)>'))
    speech["speaker"] = HOSTILE + speech["speaker"]
    speech["path"] = HOSTILE + speech["path"]
    speech["language"] = HOSTILE
    nasty = {"about": HOSTILE, "kind": HOSTILE, "detail": f"{HOSTILE} </style>{{{{ 7 * 7 }}}}"}
    return evaluate(
        speech,
        X,
        transfer=True,
        descriptions={"svm": HOSTILE},
        sources={
            HOSTILE: {"title": HOSTILE, "licence": HOSTILE, "homepage": "javascript:alert(3)"}
        },
        settings={HOSTILE: HOSTILE},
        findings=[nasty],
        command=f"sklearn-ser evaluate --corpus '{HOSTILE}=x'",
        notice=HOSTILE,
    )


@pytest.mark.usefixtures("blank_pictures")
def test_hostile_names_are_text(hostile, tmp_path):
    hostile.save(tmp_path)
    for record in (hostile, EvaluationRecord.load(tmp_path)):
        page = Page(render_report(record))
        assert "iframe" not in {tag for tag, _ in page.elements}
        assert page.scripts == [OWN_SCRIPT]
        assert all(image["src"].startswith("data:") for image in page.all("img"))
        assert len(page.all("img")) == 3
        assert all("onerror" not in attributes for _, attributes in page.elements)
        told = page.says()
        assert told.count(HOSTILE) > 20
        assert f"sklearn-ser evaluate --corpus '{HOSTILE}=x'" in told
        assert "</style>{{ 7 * 7 }}" in told
        assert "javascript:alert(3)" in told
        assert all(link["href"].startswith(("#", *DATA)) for link in page.all("a"))


# NUL, ESC, BEL, DEL, the C1 form of ESC [, a turn of the direction of writing.
CONTROLS = "\x00\x1b\x07\x7f\x9b\u202e\r"


@pytest.mark.usefixtures("blank_pictures")
def test_control_characters_are_visible(make_speech, evaluate):
    corpora = f"a{CONTROLS}z", f"b{CONTROLS}z"
    speech, X = make_speech(corpora)
    for column in ("speaker", "path", "language", "emotion"):
        speech[column] = speech[column] + CONTROLS + "z"
    nasty = f"x{CONTROLS}z"
    record = evaluate(
        speech,
        X,
        methods=("svm", "bayes"),
        transfer=True,
        descriptions={"svm": nasty},
        sources={corpora[0]: {"title": nasty, "licence": nasty, "homepage": f"https://{nasty}"}},
        settings={nasty: nasty},
        findings=[{"about": nasty, "kind": nasty, "detail": nasty}],
        seconds={nasty: 1},
        command=f"{nasty}\nsecond line",
        notice=nasty,
    )
    text = render_report(record, title=nasty)
    assert not [letter for letter in text if not letter.isprintable() and letter not in "\n\xa0"]
    assert text.count("\N{REPLACEMENT CHARACTER}" * len(CONTROLS) + "z") > 20
    assert "z\nsecond line" in text


def test_hostile_names_are_outlines_in_pictures(hostile):
    for image in Page(render_report(hostile)).all("img"):
        picture = ET.fromstring(base64.b64decode(image["src"].partition(",")[2]))
        tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
        assert not tags & {"script", "text", "foreignObject", "a"}


def test_a_corpus_whose_name_is_not_utf8(make_speech, evaluate, tmp_path):
    corpora = ("caf\udce9", "urdu")
    speech, X = make_speech(("cafe", "urdu"))
    names = ["caf\udce9" if name == "cafe" else name for name in speech["corpus"]]
    speech["corpus"] = pd.Series(names, dtype=object)
    record = evaluate(speech, X, methods=("svm",), transfer=True)
    assert record.corpora == list(corpora)
    record.save(tmp_path)
    loaded = EvaluationRecord.load(tmp_path)
    assert loaded.corpora == list(corpora)
    told = Page(write_report(loaded, tmp_path / "report.html").read_text(encoding="utf-8")).says()
    assert r"caf\udce9 held out" in told


@pytest.mark.usefixtures("blank_pictures")
def test_facts_of_a_strange_kind_do_no_harm(record, tmp_path):
    record.save(tmp_path)
    path = tmp_path / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    run["corpora"][0].update(homepage="http://[", recordings=None, licence=["a"], title={})
    run["corpora"][1].update(homepage="https://a.example/<b>")
    run["settings"].update(nested={"a": [1]}, confidence=0.9)
    run["methods"][0].update(description=3, pipeline=None)
    path.write_text(json.dumps(run), encoding="utf-8")
    page = Page(render_report(EvaluationRecord.load(tmp_path)))
    assert "90% interval" in page.says()
    links = [link["href"] for link in page.all("a") if not link["href"].startswith(("#", *DATA))]
    assert links == ["https://a.example/<b>"]


def test_recordings_that_no_method_recognises(record):
    table = record.predictions.assign(right=lambda rows: rows["y_true"] == rows["y_pred"])
    right = table.groupby("path")["right"].any()
    missed = missed_recordings(record)
    assert missed["n"] == (~right).sum() > 3
    assert missed["of"] == 288
    assert len(missed["shown"]) == min(10, missed["n"])
    for row in missed["shown"]:
        assert not right[row["path"]]
        answers = table.loc[table["path"] == row["path"], "y_pred"]
        assert row["taken_for"] in answers.mode().tolist()
        assert row["taken_for"] != row["y_true"]
    assert {row["corpus"] for row in missed["shown"][:3]} == set(record.corpora)


@pytest.mark.usefixtures("blank_pictures")
def test_a_score_that_is_no_better_than_chance(make_speech, evaluate):
    speech, X = make_speech()
    told = Page(render_report(evaluate(speech, np.zeros_like(X), methods=("svm",)))).says()
    assert "svm recognises 25% of the recordings" in told
    noise = np.random.default_rng(1).normal(size=X.shape)
    told = Page(render_report(evaluate(speech, noise, methods=("svm",)))).says()
    assert ". This range includes guessing." in told


@pytest.mark.usefixtures("blank_pictures")
def test_methods_that_are_alike(make_speech, evaluate):
    told = Page(render_report(evaluate(*make_speech(), methods=("svm", "bayes")))).says()
    assert "No method differs from svm by more than chance could explain." in told


@pytest.mark.parametrize("name", ["jinja2", "matplotlib"])
def test_what_it_needs_is_named(name, record, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ser\[report\]'"):
        write_report(record, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_words_for_numbers():
    assert interval(0.5, 0.625) == "0.50 to 0.62"
    assert interval(-0.25, -0.0001) == "−0.25 to 0.00"
    assert interval(np.nan, np.nan) == ""
    assert signed(-0.0204) == "−0.020"
    assert signed(0.0) == "+0.000"
    assert p_value(0.0004) == "p < 0.001"
    assert p_value(0.034) == "p = 0.034"
    assert p_value(np.nan) == ""


@pytest.mark.usefixtures("blank_pictures")
def test_no_letter_of_a_name_acts_on_its_reader(record, tmp_path):
    mark = "\N{REPLACEMENT CHARACTER}"
    shown = {
        "caf\udce9.wav": r"caf\udce9.wav",
        "a\0b": f"a{mark}b",
        "\x1b]0;title\x07": f"{mark}]0;title{mark}",
        "\x9b2J": f"{mark}2J",
        "\u202eb": f"{mark}b",
    }
    warned = [{"about": name, "kind": "note", "detail": f"it is {name}\nhere"} for name in shown]
    title = " ".join(shown)
    odd = dataclasses.replace(record, run={**record.run, "warnings": warned, "command": title})
    path = write_report(odd, tmp_path / "report.html", title=title)
    text = path.read_bytes().decode("utf-8")
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    for name in shown.values():
        # In the title, the headline, the command and a warning.
        assert text.count(name) >= 4


def test_a_page_stays_until_the_next_is_complete(record, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "report.html"
    path.write_text("before")
    monkeypatch.setattr(_page, "render_report", lambda *_, **__: "after")
    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*report\.html'"):
        write_report(record, path)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.usefixtures("blank_pictures")
def test_the_mean_over_one_corpus_is_not_shown_beside_it(make_speech):
    speech, X = make_speech(("emodb",))
    data = X, speech["emotion"], speech["corpus"]
    results = {
        name: within_corpus_validate(model, *data, speaker=speech["speaker"], n_draws=50)
        for name, model in (("guess", DummyClassifier()), ("bayes", GaussianNB()))
    }
    record = EvaluationRecord.from_results(results, speech)
    assert r"Method & emodb \\" in record.to_latex()
    page = Page(render_report(record))
    assert "Methodemodb" in page.says()
    assert "emodbmean" not in page.says()
    assert "mean" not in page.all("img")[0]["alt"]


def saved(page):
    """The files that a page offers, by name."""
    links = [link for link in page.all("a") if "download" in link]
    return {
        link["download"]: base64.b64decode(link["href"].partition(",")[2]).decode("utf-8")
        for link in links
    }


def test_each_table_can_be_saved(page, record):
    files = saved(page)
    names = ["scores", "comparisons", "details", "recalls", "confusions", "missed", "calibration"]
    names.append("corpora")
    assert list(files) == [f"{name}.{suffix}" for name in names for suffix in ("csv", "tex")]
    scores = pd.read_csv(io.StringIO(files["scores.csv"]))
    assert scores["corpus"].tolist() == [*record.scores["corpus"], *["mean"] * 3]
    np.testing.assert_allclose(scores["uar"][:9], record.scores["uar"], rtol=1e-5)
    recalls = pd.read_csv(io.StringIO(files["recalls.csv"]))
    assert len(recalls) == len(record.recalls)
    counts = pd.read_csv(io.StringIO(files["confusions.csv"]))
    assert counts["n"].sum() == len(record.predictions)
    for name, text in files.items():
        if name.endswith(".tex"):
            assert text.count(r"\begin{tabular}") == text.count(r"\bottomrule") == 1, name
    assert files["scores.tex"] == record.to_latex()
    assert r"\textit{svm, emodb held out}" in files["confusions.tex"]


@pytest.mark.usefixtures("blank_pictures")
def test_tables_of_hostile_names_stay_tables(hostile):
    files = saved(Page(render_report(hostile)))
    assert "$<$script$>$alert(1)$<$/script$>$" in files["scores.tex"]
    scores = pd.read_csv(io.StringIO(files["scores.csv"]))
    assert set(scores["corpus"]) == {*hostile.corpora, "mean"}


@pytest.mark.usefixtures("blank_pictures")
def test_a_large_table_is_not_carried(record, monkeypatch):
    monkeypatch.setattr(_exports, "_LARGEST", 2000)
    files = saved(Page(render_report(record)))
    assert "confusions.tex" not in files
    assert "corpora.tex" in files


@pytest.mark.usefixtures("blank_pictures")
def test_groups_of_speakers(make_speech, evaluate):
    speech, X = make_speech(n_speakers=12, each=1)
    number = speech["speaker"].str.rpartition("_")[2].astype(int)
    speech["age"] = np.where(number < 6, 25.0, 50.0)
    record = evaluate(speech, X, methods=("svm", "bayes"))
    page = Page(render_report(record))
    told = page.says()
    row = record.groups.query("by == 'sex' and method == 'svm' and corpus == 'emodb'").iloc[0]
    assert "emodb held out6 speakers6 speakers svm" in told
    assert f"{signed(row['gap'])}{interval(row['gap_low'], row['gap_high'])}" in told
    assert "under 3045 to 59under 30 minus 45 to 59" in told
    assert "Mean of the corpora" in told
    assert {"groups-sex.csv", "groups-age.tex"} <= saved(page).keys()
    assert {"href": "#groups"} in page.all("a")


def test_methods_have_one_order_and_one_marker(page):
    assert [symbol["id"] for symbol in page.all("symbol")] == ["mark-0", "mark-1", "mark-2"]
    assert [path["fill"] for path in page.all("path")] == list(COLOURS[:3])
    used = [int(mark["href"].removeprefix("#mark-")) for mark in page.all("use")]
    # Each table lists the methods in this order; comparisons lack the first.
    steps = itertools.pairwise(used)
    assert all(after in (before + 1, 0) or (before, after) == (2, 1) for before, after in steps)
    assert len(used) > 30


def test_rows_that_are_folded_are_counted(page):
    told = page.says()
    assert "Show all 9 rows" in told
    assert [part.get("class") for part in page.all("tbody")].count("more") == 2 + 2
    assert len(page.all("details")) == told.count("Show all")
