"""What the documentation of corpora shows works, and lists every corpus."""

import re
import runpy
import textwrap
from pathlib import Path

import pytest

from sklearn_ser.datasets import CORPORA

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.filterwarnings("ignore:EMO-DB in:UserWarning")
def test_a_corpus_of_ones_own_in_thirty_lines(make_corpus, make_files, tmp_path, monkeypatch):
    page = (DOCS / "corpora.rst").read_text(encoding="utf-8")
    section = page.split("Add your own corpus\n")[1]
    block = re.search(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", section)[1]
    code = textwrap.dedent(block).strip()
    assert len(code.splitlines()) <= 30
    monkeypatch.chdir(tmp_path)
    make_corpus(tmp_path / "corpora" / "emodb", CORPORA["emodb"])
    make_files(tmp_path / "corpora" / "tales", ["f2_s05_ilo.wav", "m1_s05_viha.wav"])
    names = {}
    exec(code, names)
    speech = names["speech"]
    assert speech["corpus"].value_counts().to_dict() == {"emodb": 7, "tales": 2}
    tales = speech[speech["corpus"] == "tales"]
    assert tales["emotion"].tolist() == ["happiness", "anger"]
    assert tales["speaker"].tolist() == ["tales_f2", "tales_m1"]
    assert tales["sex"].tolist() == ["f", "m"]


def test_every_corpus_is_listed():
    page = runpy.run_path(str(DOCS / "conf.py"))["list_corpora"]()
    for corpus in CORPORA.values():
        section = page.split(f"\n{corpus.name}: {corpus.title}\n---", 1)[1].split("\n---", 1)[0]
        for fact in (corpus.licence, corpus.homepage, corpus.note, *corpus.emotions):
            assert fact in section
        assert textwrap.indent(corpus.citation, "   ") in section
        assert f"   * - {corpus.name}\n" in page


def test_columns_are_documented():
    from sklearn_ser.datasets._base import COLUMNS

    page = (DOCS / "corpora.rst").read_text(encoding="utf-8")
    assert re.findall(r"^``(\w+)``", page, re.MULTILINE) == list(COLUMNS)
