"""What the documentation of corpora shows works, and lists every corpus."""

import re
import runpy
import textwrap
from pathlib import Path

import pytest

from sklearn_ser.datasets import CORPORA, common_emotions, list_languages

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
        assert f".. _corpus-{corpus.name}:\n\n{corpus.name}: " in page


def rows_of(page, heading):
    """Return the cells of the table below a heading, by row."""
    table = page.split(f"\n{heading}\n---")[1].split("\n.. _corpus-")[0].split("\n---")[0]
    rows = re.findall(r"^   \* - (.*(?:\n     - .*)*)", table, re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"\n     -", row)] for row in rows]


def test_the_page_groups_by_language():
    page = runpy.run_path(str(DOCS / "conf.py"))["list_corpora"]()
    found, heading = {}, None
    for language, name, *facts in rows_of(page, "By language")[1:]:
        corpus = CORPORA[name.split("`")[1].split()[0]]
        heading = language or heading
        found.setdefault(heading, []).append(corpus.name)
        women = "?" if corpus.n_women is None else corpus.n_women
        numbers = corpus.n_recordings or "?", corpus.n_speakers or "?", women, corpus.sampling_rate
        assert facts == [corpus.language, *map(str, numbers), corpus.terms or "?"]
    assert found == list_languages()


def test_the_page_has_the_numbers_of_emotions():
    page = runpy.run_path(str(DOCS / "conf.py"))["list_corpora"]()
    header, *rows = rows_of(page, "Emotions")
    assert len(rows) == len(CORPORA)
    for corpus, (_, *cells) in zip(CORPORA.values(), rows, strict=True):
        had = {word: cell for word, cell in zip(header[1:], cells, strict=True) if cell}
        assert list(had) == [word[:3] for word in corpus.vocabulary]
        counts = {word[:3]: str(n) for word, n in corpus.counts.items()}
        assert had == (counts or dict.fromkeys(had, "?"))
    assert f"Common to all of them: {', '.join(common_emotions(CORPORA).index)}." in page


def test_columns_are_documented():
    from sklearn_ser.datasets._base import COLUMNS

    page = (DOCS / "corpora.rst").read_text(encoding="utf-8")
    assert re.findall(r"^``(\w+)``", page, re.MULTILINE) == list(COLUMNS)
