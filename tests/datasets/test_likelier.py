"""A folder that holds another corpus than it is said to."""

import csv
import gzip
import itertools
import warnings
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from sklearn_ser.datasets import CORPORA, load_corpora, load_corpus
from sklearn_ser.datasets._likelier import likelier_corpus
from sklearn_ser.exceptions import CorpusError, CorpusWarning

incomplete = pytest.mark.filterwarnings("ignore:.* recordings of the .* expected:UserWarning")


def codes(emotions, n_statements, n_repetitions, actors):
    """Write down the names that RAVDESS and BanglaSER give their recordings."""
    numbers = itertools.product(emotions, range(n_statements), range(n_repetitions), actors)
    return [
        f"Actor_{actor:02d}/03-01-{emotion}-01-{s + 1:02d}-{r + 1:02d}-{actor:02d}.wav"
        for emotion, s, r, actor in numbers
    ]


ENGLISH = [f"{i:02d}" for i in range(1, 9)]
BANGLA = ENGLISH[:5]


def clause(name, folder):
    """Load a folder as a corpus; return what is said of another corpus, or None."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            load_corpus(name, folder)
        text = " ".join(str(warning.message) for warning in caught)
    except CorpusError as error:
        text = str(error)
    return text.partition("look like those of ")[2].partition(",")[0] or None


@pytest.mark.parametrize(
    ("names", "truth"),
    [
        (codes(ENGLISH, 2, 2, range(1, 25)), "RAVDESS"),
        (codes(BANGLA, 3, 3, range(1, 35)), "BanglaSER"),
        # Parts, of which the other scheme reads all, or all but few.
        (codes(["03", "04", "05"], 2, 1, range(1, 25)), "RAVDESS"),
        (codes(BANGLA, 3, 3, [7]), "BanglaSER"),
        (codes(BANGLA, 1, 1, range(1, 35)), "BanglaSER"),
    ],
)
@pytest.mark.parametrize("said", ["ravdess", "banglaser", "urdu"])
def test_ravdess_and_banglaser(names, truth, said, make_files, tmp_path):
    make_files(tmp_path, names)
    assert clause(said, tmp_path) == (None if said == truth.lower() else truth)


@incomplete
def test_sentence_beside_a_table_that_is_read(make_files, tmp_path):
    make_files(tmp_path, codes(["03", "04"], 2, 1, range(1, 25)))
    message = (
        "the names look like those of RAVDESS, whose scheme 96 of 96 follow: if the folder holds "
        "that corpus, load it as 'ravdess'"
    )
    with pytest.warns(CorpusWarning, match=message) as caught:
        load_corpora({"banglaser": tmp_path})
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_sentence_in_an_error(make_files, tmp_path):
    make_files(tmp_path, codes(ENGLISH, 2, 2, range(1, 25)))
    message = (
        r"288 of 768 recordings .* and others\. The names look like those of RAVDESS, whose scheme "
        r"768 of 768 follow: .* load it as 'ravdess'\. Remove them, or"
    )
    with pytest.raises(CorpusError, match=message):
        load_corpus("banglaser", tmp_path)
    message = r"768 of 768 .*\. The names look like those of RAVDESS, .*\. Is .* the right folder\?"
    with pytest.raises(CorpusError, match=message):
        load_corpus("emodb", tmp_path)


@pytest.mark.parametrize("truth", [name for name in CORPORA if name != "emodb2"])
def test_examples_of_each_corpus_look_like_it_to_every_other(truth, make_corpus, tmp_path):
    corpus = CORPORA[truth]
    make_corpus(tmp_path, corpus)
    files = [PurePosixPath(path) for path in corpus.examples]
    for said in set(CORPORA) - {truth, "emodb2"}:
        read = CORPORA[said].reader(tmp_path)
        known = [file for file in files if read(file)]
        unknown = [file for file in files if file not in known]
        assert f"as {truth!r}" in likelier_corpus(CORPORA[said], tmp_path, known, unknown)
    many = [PurePosixPath(f"copy{i}") / file for i in range(5) for file in files]
    assert likelier_corpus(corpus, tmp_path, many, []) is None


def test_a_copy_of_a_scheme_in_a_description_of_ones_own_is_not_suspected(make_files, tmp_path):
    make_files(tmp_path, codes(["03", "04"], 1, 1, range(1, 25)))
    own = replace(CORPORA["banglaser"], name="own", n_recordings=None, n_speakers=None, counts={})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_corpus(own, tmp_path)) == 48


def test_converted_copies_look_like_their_corpus(make_files, tmp_path):
    names = codes(ENGLISH, 1, 1, range(1, 25))
    make_files(tmp_path, [name.replace(".wav", ".flac") for name in names])
    assert clause("emodb", tmp_path) == "RAVDESS"


def test_oreau_without_its_folders_is_not_taken_for_emodb(make_files, tmp_path):
    make_files(tmp_path, [f"{n}a{i:02d}{e}a.wav" for n in (21, 36) for i in range(9) for e in "NT"])
    assert clause("emodb", tmp_path) is None
    assert clause("oreau", tmp_path) is None


@incomplete
@pytest.mark.parametrize("n", [9, 10])
def test_few_names_prove_nothing(n, make_files, tmp_path):
    make_files(tmp_path, codes(["03"], 1, 1, range(1, n + 1)))
    assert clause("banglaser", tmp_path) == (None if n == 9 else "RAVDESS")


def test_most_names_of_no_corpus_give_no_sentence(make_files, tmp_path):
    noise = [f"noise{i}.wav" for i in range(30)]
    make_files(tmp_path, [*noise, *codes(["08"], 1, 1, range(1, 25))])
    assert clause("emodb", tmp_path) is None


def test_tables_of_another_corpus_that_cannot_be_read(make_files, tmp_path):
    make_files(tmp_path, codes(ENGLISH, 1, 1, range(1, 25)))
    (tmp_path / "data.tsv").write_bytes(b"\xff\xfe\x00\xd8\x00")
    with pytest.raises(CorpusError, match="UTF-8"):
        load_corpus("nemo", tmp_path)
    assert clause("emodb", tmp_path) == "RAVDESS"


@pytest.mark.corpus
@pytest.mark.parametrize("truth", ["emodb", "ravdess", "urdu"])
def test_real_corpora_look_like_themselves(truth, shared):
    folder = shared / "corpora" / truth
    assert clause(truth, folder) is None
    for said in set(CORPORA) - {truth, "emodb2"}:
        assert clause(said, folder) == CORPORA[truth].title


# Whose names say nothing without a table, or are of no registered corpus.
UNTOLD = {"emns", "emozionalmente", "meld", "pavoque"}
NAMES = {"jlcorpus": "jl", "turevdb": "turev"}


@pytest.mark.corpus
def test_published_names_look_like_their_corpus_and_no_other(shared, tmp_path):
    for listed in sorted((shared / "names").glob("*.csv.gz")):
        truth = listed.name.removesuffix(".csv.gz")
        truth = NAMES.get(truth, truth)
        with gzip.open(listed, "rt", encoding="utf-8") as file:
            paths = sorted({row["path"] for row in csv.DictReader(file)})
        files = [PurePosixPath(path) for path in paths[:: len(paths) // 40 + 1]]
        for said in CORPORA.values():
            read = said.reader(tmp_path)
            known = [file for file in files if read(file)]
            unknown = [file for file in files if file not in known]
            found = likelier_corpus(said, tmp_path, known, unknown) or ""
            expected = f"as {truth!r}" if truth not in UNTOLD | {said.name} else ""
            assert found.endswith(expected)
            assert bool(found) == bool(expected), (said.name, truth)
