"""Contract of every registered corpus; a new one gets these tests by its registry line."""

import re
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from sklearn_ser.datasets import (
    CORPORA,
    EMOTIONS,
    _loaders,
    _registry,
    list_corpora,
    load_corpora,
    load_corpus,
)
from sklearn_ser.exceptions import CorpusError

LABELS = {"speaker", "sex", "emotion", "activation", "valence", "sentence", "intensity"}

each_corpus = pytest.mark.parametrize("name", CORPORA)


@pytest.fixture
def complete(monkeypatch):
    """Register a corpus as if its examples were all it holds."""

    def register(name):
        corpus = CORPORA[name]
        labels = corpus.examples.values()
        small = replace(
            corpus,
            counts=dict(Counter(label["emotion"] for label in labels)),
            n_speakers=len({label["speaker"] for label in labels}),
        )
        for module in (_registry, _loaders):
            monkeypatch.setattr(module, "CORPORA", {**CORPORA, name: small})
        return small

    return register


@each_corpus
def test_facts_are_complete(name):
    corpus = CORPORA[name]
    assert corpus.name == name == name.lower()
    assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", corpus.language)
    assert corpus.licence
    assert re.match(r"https?://", corpus.homepage)
    assert re.match(r"@\w+\{\w+,\n", corpus.citation)
    assert corpus.citation.count("{") == corpus.citation.count("}")
    assert 8000 <= corpus.sampling_rate <= 192000
    assert set(corpus.counts) <= set(EMOTIONS)
    assert min(corpus.counts.values()) > 0
    assert 1 <= corpus.n_speakers <= corpus.n_recordings
    assert corpus.pattern == corpus.pattern.lower()


@each_corpus
def test_examples_cover_the_corpus(name):
    labels = CORPORA[name].examples.values()
    assert {label["emotion"] for label in labels} == set(CORPORA[name].counts)
    assert {label["sex"] for label in labels} == {"f", "m"}


@each_corpus
def test_parser_reads_its_examples(name):
    for path, expected in CORPORA[name].examples.items():
        labels = CORPORA[name].parse(PurePosixPath(path))
        assert labels == expected
        assert set(labels) <= LABELS


@each_corpus
def test_parser_does_not_mind_the_folder_or_the_case_of_the_suffix(name):
    corpus = CORPORA[name]
    for path, expected in corpus.examples.items():
        path = PurePosixPath(path)
        assert corpus.parse(PurePosixPath("a", "b", path)) == expected
        assert corpus.parse(path.with_suffix(path.suffix.upper())) == expected


@each_corpus
def test_parser_refuses_names_off_the_scheme(name):
    corpus = CORPORA[name]
    assert corpus.parse(PurePosixPath("noise.wav")) is None
    for path in map(PurePosixPath, corpus.examples):
        assert corpus.parse(path.with_name("x" + path.name)) is None
        assert corpus.parse(path.with_stem(path.stem + "-")) is None


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for name in CORPORA for path in CORPORA[name].examples]
)
def test_no_two_corpora_read_the_same_name(path, name):
    readers = [other for other in CORPORA if CORPORA[other].parse(PurePosixPath(path))]
    assert readers == [name]


@each_corpus
def test_complete_corpus_loads_silently_and_sorted(name, complete, make_files, tmp_path):
    corpus = complete(name)
    make_files(tmp_path, reversed(corpus.examples))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = load_corpus(name, tmp_path)
    assert speech["path"].tolist() == [str(tmp_path / p) for p in sorted(corpus.examples)]
    assert set(speech["corpus"]) == {name}
    assert set(speech["language"]) == {corpus.language}
    for path, row in zip(sorted(corpus.examples), speech.to_dict("records"), strict=True):
        expected = dict(corpus.examples[path])
        assert row["speaker"] == f"{name}_{expected.pop('speaker')}"
        assert {label: row[label] for label in expected} == expected


@each_corpus
def test_files_that_do_not_belong_are_passed_over(name, complete, make_files, tmp_path):
    corpus = complete(name)
    make_files(tmp_path, corpus.examples)
    expected = load_corpus(name, tmp_path)
    for path in map(PurePosixPath, corpus.examples):
        make_files(
            tmp_path,
            [
                path.with_name("._" + path.name),
                PurePosixPath("__MACOSX") / path,
                PurePosixPath(".cache") / path,
                path.with_suffix(".txt"),
            ],
        )
    make_files(tmp_path, ["README.md", ".DS_Store"])
    assert load_corpus(name, tmp_path).equals(expected)


@each_corpus
def test_flat_folder_of_links_with_upper_case_suffixes(name, complete, make_files, tmp_path):
    corpus = complete(name)
    make_files(tmp_path / "original", corpus.examples)
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in map(PurePosixPath, corpus.examples):
        link = flat / path.with_suffix(path.suffix.upper()).name
        link.symlink_to(tmp_path / "original" / path)
    speech = load_corpus(name, flat)
    assert dict(Counter(speech["emotion"])) == corpus.counts


@each_corpus
def test_incomplete_corpus_warns_once_and_only_about_the_emotions_asked_for(
    name, complete, make_files, tmp_path
):
    corpus = complete(name)
    lost, *kept = corpus.examples
    make_files(tmp_path, kept)
    emotion = corpus.examples[lost]["emotion"]
    n = corpus.counts[emotion]
    with pytest.warns(UserWarning, match=rf"{emotion} {n - 1} of {n}") as caught:
        load_corpora({name: tmp_path})
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = load_corpora({name: tmp_path}, emotions=[e for e in EMOTIONS if e != emotion])
    assert emotion not in set(speech["emotion"])


@each_corpus
def test_a_second_copy_in_a_subfolder_is_pointed_out(name, complete, make_files, tmp_path):
    corpus = complete(name)
    make_files(tmp_path, corpus.examples)
    make_files(tmp_path / "copy", corpus.examples)
    n = len(corpus.examples)
    with pytest.warns(UserWarning, match=f"{n} file names occur more than once"):
        assert len(load_corpus(name, tmp_path)) == 2 * n


@each_corpus
def test_name_off_the_scheme_is_an_error_that_names_it(name, complete, make_files, tmp_path):
    corpus = complete(name)
    make_files(tmp_path, [*corpus.examples, "noise.wav"])
    with pytest.raises(CorpusError, match=r"noise\.wav\. Remove them, or .* strict=False"):
        load_corpus(name, tmp_path)
    with pytest.warns(UserWarning, match=r"1 of \d+ recordings .*noise\.wav; they are left out"):
        speech = load_corpus(name, tmp_path, strict=False)
    assert len(speech) == len(corpus.examples)


@each_corpus
@pytest.mark.parametrize("strict", [True, False])
def test_folder_of_another_corpus_is_an_error(name, strict, make_files, tmp_path):
    make_files(tmp_path, [f"{i}.wav" for i in range(7)])
    with pytest.raises(CorpusError, match=r"7 of 7 .* 4\.wav and others\. Is .* the right folder"):
        load_corpus(name, tmp_path, strict=strict)


@each_corpus
def test_missing_folder_file_and_empty_folder_say_where_to_get_the_corpus(name, tmp_path):
    corpus = CORPORA[name]
    how = f".*{re.escape(corpus.homepage)}.*{re.escape(corpus.licence)}"
    with pytest.raises(FileNotFoundError, match=f"No folder .*nowhere.*looked in.*{how}"):
        load_corpus(name, tmp_path / "nowhere")
    file = tmp_path / "file.wav"
    file.touch()
    with pytest.raises(NotADirectoryError, match=f"is a file; expected the folder{how}"):
        load_corpus(name, file)
    file.unlink()
    with pytest.raises(CorpusError, match=f"No recordings{how}"):
        load_corpus(name, tmp_path)


@each_corpus
def test_emotion_that_the_corpus_lacks(name, make_files, tmp_path):
    make_files(tmp_path, CORPORA[name].examples)
    with pytest.raises(CorpusError, match=r"No other in .*; the emotions of .* are: anger"):
        load_corpus(name, tmp_path, emotions=["other"])


def test_list_of_corpora():
    table = list_corpora()
    assert table.columns.tolist() == [
        "name",
        "title",
        "language",
        "recordings",
        "speakers",
        "licence",
        "homepage",
    ]
    assert table["name"].tolist() == list(CORPORA)
    by_name = table.set_index("name")
    assert by_name.loc[["emodb", "urdu", "ravdess"], "recordings"].tolist() == [535, 400, 1440]
    assert by_name.loc[["emodb", "urdu", "ravdess"], "speakers"].tolist() == [10, 29, 24]


@pytest.mark.parametrize("name", ["emo-db", "EMODB", "EmoDB"])
def test_misspelt_name_gets_a_suggestion(name, tmp_path):
    with pytest.raises(CorpusError, match=f"Unknown corpus '{name}'. Did you mean 'emodb'"):
        load_corpus(name, tmp_path)
    with pytest.raises(CorpusError, match=f"'{name}' is no registered .* Did you mean 'emodb'"):
        load_corpora({name: tmp_path})


def test_a_name_close_to_a_registered_one_may_be_a_folder_of_ones_own(tmp_path):
    for emotion in ("anger", "sadness"):
        (tmp_path / emotion).mkdir()
        (tmp_path / emotion / "1.wav").touch()
    assert load_corpora({"emodb2": tmp_path})["corpus"].unique().tolist() == ["emodb2"]


def test_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(CorpusError, match=r"Registered are: emodb, .*load_folder .* load_table"):
        load_corpus("swahili", tmp_path)
