"""Contract of every registered corpus; a new one gets these tests by its registry line."""

import re
import warnings
from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sklearn_ser.datasets import (
    CORPORA,
    EMOTIONS,
    _loaders,
    common_emotions,
    list_corpora,
    list_languages,
    load_corpora,
    load_corpus,
)
from sklearn_ser.datasets._base import COLUMNS, NUMBERS
from sklearn_ser.datasets._corpora import _registry
from sklearn_ser.datasets._corpora._corpus import as_list
from sklearn_ser.exceptions import CorpusError, CorpusWarning

each_corpus = pytest.mark.parametrize("name", CORPORA)


@pytest.fixture
def complete(small, monkeypatch):
    """Register a corpus as if its examples were all it holds."""

    def register(name):
        corpus = small(name)
        monkeypatch.setattr(_loaders, "CORPORA", {**CORPORA, name: corpus})
        return corpus

    return register


def expected_table(corpus, folder):
    """Write down, without the loader, the table that the examples must give."""
    rows = []
    for path, labels in sorted(corpus.examples.items()):
        labels, times = dict(labels), ""
        if "start" in labels:
            times = f"#t={labels.pop('start'):g},{labels.pop('end'):g}"
        row = {
            "path": f"{folder / path}{times}",
            "corpus": corpus.name,
            "language": corpus.language,
            "emotion": corpus.emotions[labels["emotion_raw"]],
            **labels,
        }
        for column in ("speaker", "session"):
            if column in row:
                row[column] = f"{corpus.name}_{row[column]}"
        rows.append(row)
    return rows


@each_corpus
def test_facts_are_complete(name):
    corpus = CORPORA[name]
    assert corpus.name == name == name.lower()
    for tag in corpus.language.split(", "):
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag)
    assert corpus.licence
    assert re.match(r"https?://", corpus.homepage)
    assert re.match(r"@\w+\{\w+,\n", corpus.citation)
    assert corpus.citation.count("{") == corpus.citation.count("}")
    for field in ("author", "title", "year"):
        assert re.search(rf"^  {field} += \{{", corpus.citation, re.MULTILINE)
    assert 8000 <= corpus.sampling_rate <= 192000
    assert set(corpus.emotions.values()) == set(corpus.vocabulary) <= set(EMOTIONS)
    assert corpus.pattern == corpus.pattern.lower()
    assert corpus.note == corpus.note.strip()


@each_corpus
def test_sizes_add_up_where_they_are_on_record(name):
    corpus = CORPORA[name]
    if corpus.counts:
        assert sum(corpus.counts.values()) == corpus.n_recordings
        assert set(corpus.counts) == set(corpus.vocabulary)
        assert min(corpus.counts.values()) > 0
    if corpus.n_recordings is not None:
        assert len(corpus.examples) <= corpus.n_recordings
        assert corpus.n_speakers is None or 1 <= corpus.n_speakers <= corpus.n_recordings
    if corpus.n_women is not None:
        assert 0 <= corpus.n_women <= corpus.n_speakers


@each_corpus
def test_download_is_described(name):
    corpus = CORPORA[name]
    if corpus.download is None:
        return
    assert not corpus.access
    assert re.match(r"https?://\S+\.zip$", corpus.download.url)
    assert corpus.download.unpacked_bytes > (corpus.download.n_bytes or 0)
    if corpus.download.known_hash is not None:
        assert re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", corpus.download.known_hash)


@each_corpus
def test_examples_cover_the_corpus(name):
    corpus = CORPORA[name]
    labels = corpus.examples.values()
    assert {label["emotion_raw"] for label in labels} == set(corpus.emotions)
    speakers = {label.get("speaker") for label in labels}
    assert speakers == {None} or len(speakers) > 1 or corpus.n_speakers == 1
    sexes = {label["sex"] for label in labels if "sex" in label}
    if corpus.n_women is not None and sexes:
        women, men = corpus.n_women > 0, corpus.n_women < corpus.n_speakers
        assert sexes == {sex for sex, some in (("f", women), ("m", men)) if some}


@each_corpus
def test_full_table_silently_and_sorted(name, complete, make_corpus, tmp_path):
    corpus = complete(name)
    make_corpus(tmp_path, corpus, reversed(corpus.examples))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        speech = load_corpora({name: tmp_path})
    expected = expected_table(corpus, tmp_path)
    assert speech.columns.tolist() == list(COLUMNS)
    for row, wanted in zip(speech.to_dict("records"), expected, strict=True):
        assert {column: label for column, label in row.items() if pd.notna(label)} == wanted
    text = pd.Series(["text"]).dtype
    for column in COLUMNS:
        assert speech[column].dtype == (float if column in NUMBERS else text)


@each_corpus
def test_folder_around_and_case_of_the_suffix_do_not_matter(name, small, make_corpus, tmp_path):
    corpus = small(name)
    expected = load_corpus(corpus, make_corpus(tmp_path / "plain", corpus))
    inside = make_corpus(tmp_path / "deep" / "a" / "b", corpus)
    if name != "emodb2":  # whose tables tell the case of the suffix
        for path in map(PurePosixPath, corpus.examples):
            (inside / path).rename(inside / path.with_suffix(path.suffix.upper()))
    speech = load_corpus(corpus, tmp_path / "deep")
    pd.testing.assert_frame_equal(speech.drop(columns="path"), expected.drop(columns="path"))


@each_corpus
def test_names_in_the_other_case_are_the_same(name, small, make_corpus, tmp_path):
    corpus = small(name)
    read = corpus.reader(make_corpus(tmp_path, corpus))
    for path in map(PurePosixPath, corpus.examples):
        labels = read(path.with_name(path.name.swapcase()))
        if labels is not None:
            for label, same in zip(as_list(read(path)), as_list(labels), strict=True):
                # Words are left as they are written.
                assert str(same).lower() == str(label).lower()
        else:
            assert name == "emodb2"


@each_corpus
def test_flat_folder_gives_the_same_or_an_error(name, small, make_corpus, tmp_path):
    corpus = small(name)
    make_corpus(tmp_path, corpus)
    flat = make_corpus(tmp_path / "flat", corpus, names=[])
    flat.mkdir(exist_ok=True)
    names = {PurePosixPath(path).name: path for path in corpus.examples}
    for file, path in names.items():
        (flat / file).symlink_to(tmp_path / path)
    read = corpus.reader(flat)
    told = [read(PurePosixPath(file)) is not None for file in names]
    if not all(told):
        with pytest.raises(CorpusError, match="do not follow the naming scheme"):
            load_corpus(corpus, flat)
        return
    assert len(names) == len(corpus.examples)
    speech = load_corpus(corpus, flat)
    assert dict(speech["emotion"].value_counts()) == corpus.counts


@pytest.mark.filterwarnings("ignore:.* recordings of the .* expected:UserWarning")
@pytest.mark.parametrize("name", [name for name in CORPORA if not CORPORA[name].side_files])
def test_folder_within_the_corpus_gives_the_labels_that_the_whole_gives(
    name, small, make_corpus, tmp_path
):
    corpus = small(name)
    whole = load_corpus(corpus, make_corpus(tmp_path, corpus)).set_index("path")
    inside = {PurePosixPath(path).parts[0] for path in corpus.examples if "/" in path}
    for folder in sorted(inside):
        part = load_corpus(corpus, tmp_path / folder).set_index("path")
        pd.testing.assert_frame_equal(part, whole.loc[part.index])


@each_corpus
def test_names_off_the_scheme_are_refused(name, small, make_corpus, tmp_path):
    corpus = small(name)
    read = corpus.reader(make_corpus(tmp_path, corpus))
    assert read(PurePosixPath("noise.wav")) is None
    for path in map(PurePosixPath, corpus.examples):
        if read(path.with_name("noise.wav")) is not None:
            assert name == "eesc"  # has no names, only folders
            continue
        assert read(path.with_name("x-" + path.name)) is None
        assert read(path.with_stem(path.stem + "-")) is None


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for name in CORPORA for path in CORPORA[name].examples]
)
def test_no_two_corpora_read_the_same_name(path, name, tmp_path):
    # Without tables of labels, names and nothing else decide; nor may folders of emotions.
    path = PurePosixPath(PurePosixPath(path).name)
    # RAVDESS and BanglaSER are told apart by all names of a folder (test_likelier.py).
    twins = {"emodb": "emodb2", "emodb2": "emodb", "ravdess": "banglaser"}
    for other in set(CORPORA) - {name, twins.get(name)}:
        assert CORPORA[other].reader(tmp_path)(path) is None


names_of_files = st.one_of(
    st.text(max_size=40),
    st.builds(
        lambda path, start, end, middle: path[:start] + middle + path[end:],
        st.sampled_from([path for corpus in CORPORA.values() for path in corpus.examples]),
        st.integers(0, 40),
        st.integers(0, 40),
        st.text(st.sampled_from("0123456789٣abCFNSXſKıİ_-. ()/\\\n\0é\u0301"), max_size=3),
    ),
)


@each_corpus
@given(path=names_of_files)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_name_gives_labels_of_the_vocabulary_or_none(name, path, prepared):
    for labels in as_list(prepared(name)(PurePosixPath(path))):
        if labels is not None:
            check_labels(name, labels)


def check_labels(name, labels):
    if "start" in labels:
        assert 0 <= labels.pop("start") < labels.pop("end")
    assert set(labels) <= set(COLUMNS) - {"path", "corpus"}
    assert labels["emotion"] == CORPORA[name].emotions[labels["emotion_raw"]]
    assert labels.get("sex", "f") in ("f", "m")
    assert labels.get("speaker", "-").replace("_", "").replace("-", "x").isascii()
    for column in set(labels) - set(NUMBERS):
        assert isinstance(labels[column], str)
        assert labels[column]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return the reader of a corpus, with its files of labels, made once."""
    readers = {}

    def prepare(name):
        if name not in readers:
            if name == "emodb2":
                pytest.importorskip("audformat")
            folder = tmp_path_factory.mktemp(name)
            for path, text in CORPORA[name].side_files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
            readers[name] = CORPORA[name].reader(folder)
        return readers[name]

    return prepare


@each_corpus
def test_files_that_do_not_belong_are_passed_over(name, small, make_files, make_corpus, tmp_path):
    corpus = small(name)
    make_corpus(tmp_path, corpus)
    expected = load_corpus(corpus, tmp_path)
    for path in map(PurePosixPath, [*corpus.examples, *corpus.side_files]):
        make_files(
            tmp_path,
            [
                path.with_name("._" + path.name),
                PurePosixPath("__MACOSX") / path.with_name("._" + path.name),
                PurePosixPath(".cache") / path,
            ],
        )
    make_files(tmp_path, [PurePosixPath(path).with_suffix(".lab") for path in corpus.examples])
    make_files(tmp_path, ["README.md", ".DS_Store"])
    assert load_corpus(corpus, tmp_path).equals(expected)


@each_corpus
def test_incomplete_corpus_warns_once_and_only_about_the_emotions_asked_for(
    name, complete, make_corpus, tmp_path
):
    corpus = complete(name)
    lost, *kept = corpus.examples
    make_corpus(tmp_path, corpus, kept)
    emotion = corpus.emotions[corpus.examples[lost]["emotion_raw"]]
    n = corpus.counts[emotion]
    with pytest.warns(UserWarning, match=rf"{emotion} {n - 1} of {n}") as caught:
        load_corpora({name: tmp_path})
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        speech = load_corpora({name: tmp_path}, emotions=[e for e in EMOTIONS if e != emotion])
    assert emotion not in set(speech["emotion"])


@each_corpus
def test_a_second_copy_in_a_subfolder_is_left_out(name, small, make_corpus, tmp_path):
    corpus = small(name)
    make_corpus(tmp_path, corpus)
    expected = load_corpus(corpus, tmp_path)
    make_corpus(tmp_path / "copy", corpus)
    n = len(corpus.examples)
    with pytest.warns(CorpusWarning, match=f"{n} recordings .* are copies .*copy/") as caught:
        assert load_corpus(corpus, tmp_path).equals(expected)
    assert len(caught) == 1
    for path in corpus.examples:
        (tmp_path / "copy" / path).write_text("other")
    with pytest.warns(CorpusWarning, match=f"{n} file names occur more than once, with other"):
        assert len(load_corpus(corpus, tmp_path)) == 2 * n


@pytest.mark.parametrize("name", [name for name in CORPORA if CORPORA[name].side_files])
def test_missing_label_files_are_an_error_or_pointed_out(name, small, make_files, tmp_path):
    corpus = small(name)
    make_files(tmp_path, corpus.examples)
    given = set.intersection(*map(set, corpus.examples.values()))
    read = corpus.reader(tmp_path)
    labels = [read(PurePosixPath(path)) for path in corpus.examples]
    if None in labels:
        with pytest.raises(CorpusError, match=r"or have no label in files such as .*Is .* right"):
            load_corpus(corpus, tmp_path)
    elif all(given <= set(label) for label in labels):
        assert load_corpus(corpus, tmp_path)["emotion"].notna().all()
    else:
        with pytest.warns(UserWarning, match=r"is unknown, because .* is missing or incomplete"):
            assert len(load_corpus(corpus, tmp_path)) == len(corpus.examples)


@each_corpus
def test_name_off_the_scheme_is_left_out_and_named(name, small, make_corpus, tmp_path):
    corpus = small(name)
    make_corpus(tmp_path, corpus, [*corpus.examples, "noise.wav"])
    with pytest.raises(CorpusError, match=r"noise\.wav\. Remove them, or .* strict=False"):
        load_corpus(corpus, tmp_path, strict=True)
    for strict in (None, False):
        with pytest.warns(
            CorpusWarning, match=r"1 of \d+ .*noise\.wav; they are left out"
        ) as caught:
            speech = load_corpus(corpus, tmp_path, strict=strict)
        assert len(caught) == 1
        assert len(speech) == len(corpus.examples)


@each_corpus
def test_many_names_off_the_scheme_are_an_error(name, small, make_corpus, tmp_path):
    corpus = small(name)
    noise = [f"noise{i}.wav" for i in range(len(corpus.examples))]
    make_corpus(tmp_path, corpus, [*corpus.examples, *noise])
    with pytest.raises(CorpusError, match=r"Remove them, or .* strict=False"):
        load_corpus(corpus, tmp_path)
    with pytest.warns(CorpusWarning, match="they are left out"):
        assert len(load_corpus(corpus, tmp_path, strict=False)) == len(corpus.examples)


@each_corpus
@pytest.mark.parametrize("strict", [None, True, False])
def test_folder_of_another_corpus_is_an_error(name, strict, make_files, tmp_path):
    make_files(tmp_path, [f"{i}.wav" for i in range(7)])
    with pytest.raises(CorpusError, match=r"7 of 7 .* 4\.wav and others\. Is .* the right folder"):
        load_corpus(name, tmp_path, strict=strict)


@each_corpus
def test_missing_folder_file_and_empty_folder_say_where_to_get_the_corpus(name, tmp_path):
    corpus = CORPORA[name]
    how = f".*{re.escape(corpus.homepage)}.*{corpus.access}.*{re.escape(corpus.licence)}"
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
def test_emotion_that_the_corpus_lacks(name, make_corpus, tmp_path):
    corpus = CORPORA[name]
    make_corpus(tmp_path, corpus)
    lacking = next(word for word in EMOTIONS if word not in corpus.vocabulary)
    with pytest.raises(CorpusError, match=rf"No {lacking} in .*; the emotions of .* are: anger"):
        load_corpus(name, tmp_path, emotions=[lacking])


def test_list_of_corpora():
    table = list_corpora()
    assert table.columns.tolist() == [
        "name",
        "title",
        "language",
        "recordings",
        "speakers",
        "sampling_rate",
        "emotions",
        "licence",
        "terms",
        "homepage",
        "download",
    ]
    assert table["name"].tolist() == list(CORPORA) == sorted(CORPORA)
    by_name = table.set_index("name")
    assert by_name.loc[["emodb", "urdu", "ravdess"], "recordings"].tolist() == [535, 400, 1440]
    assert by_name.loc[["emodb", "urdu", "ravdess"], "speakers"].tolist() == [10, 29, 24]
    assert pd.isna(by_name.loc["emodb2", "recordings"])
    assert by_name.loc[["ravdess", "iemocap"], "download"].tolist() == [True, False]
    assert by_name.loc[["emodb", "iemocap", "urdu"], "terms"].tolist() == [
        "open",
        "form",
        "research",
    ]
    assert by_name.loc["urdu", ["sampling_rate", "emotions"]].tolist() == [
        44100,
        "anger, happiness, neutral, sadness",
    ]


# Whose terms are unclear, and whose names and tables do not tell the sex of the speakers. A new
# corpus either has the fact or is added here.
UNCLEAR_TERMS = {"aesdd", "ased", "castrolima", "eesc", "emotiontts", "jl", "kazemotts", "meld"}
SEX_UNKNOWN = {"aesdd", "casia", "eesc", "emotiontts", "enterface", "esd", "meld", "resd", "turev"}


def test_few_corpora_lack_facts():
    assert {name for name, corpus in CORPORA.items() if corpus.terms is None} == UNCLEAR_TERMS
    assert {name for name, corpus in CORPORA.items() if "sex" not in corpus.labels} == SEX_UNKNOWN


def test_labels_that_are_known():
    assert CORPORA["cremad"].labels == ("speaker", "sex", "sentence", "intensity", "age")
    assert CORPORA["eesc"].labels == ()
    for name in ("emodb", "emodb2", "nemo", "tess"):
        assert "age" in CORPORA[name].labels


def test_unknown_terms_are_refused():
    with pytest.raises(ValueError, match="terms='free'; expected None or one of: open, form, req"):
        replace(CORPORA["emodb"], terms="free")


def test_languages():
    languages = list_languages()
    assert list(languages) == sorted(languages)
    assert {"emodb", "emodb2"} <= set(languages["German"])
    # The two languages of a corpus, without regard to regions.
    assert "esd" in languages["English"]
    assert "esd" in languages["Mandarin"]
    assert {"iemocap", "jl", "savee", "tess"} <= set(languages["English"])
    assert set().union(*languages.values()) == set(CORPORA)
    # A tag that has no name yet is listed as such.
    assert all(language[0].isupper() or " " in language for language in languages)


def test_common_emotions():
    common = common_emotions(["emodb", "urdu", "emodb2", "emodb"])
    assert common.index.tolist() == ["anger", "happiness", "neutral", "sadness"]
    assert common["emodb"].tolist() == [127, 71, 79, 62]
    assert common["urdu"].tolist() == [100] * 4
    assert common["emodb2"].isna().all()
    assert common_emotions(["jl"]).index.tolist() == [
        word for word in CORPORA["jl"].vocabulary if word != "other"
    ]


def test_nothing_in_common(monkeypatch):
    only = replace(CORPORA["emodb2"], emotions={"boredom": "boredom"})
    monkeypatch.setattr(_registry, "CORPORA", {**CORPORA, "emodb2": only})
    assert common_emotions(["emodb2", "urdu"]).shape == (0, 2)


def test_common_emotions_needs_names():
    with pytest.raises(ValueError, match="corpora is empty; name at least one"):
        common_emotions([])
    with pytest.raises(ValueError, match=r"'emodb' is one string; pass a list such as \['emodb'\]"):
        common_emotions("emodb")
    with pytest.raises(CorpusError, match=r"Unknown corpus 'emo-db'\. Did you mean 'emodb'"):
        common_emotions(["emo-db"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("emo-db", "emodb"),
        ("EMODB", "emodb"),
        ("EmoDB", "emodb"),
        ("AESD", "aesdd"),
        ("CREMA-D", "cremad"),
        ("Ekorpus", "eesc"),
        ("turev-db", "turev"),
        ("JL-Corpus", "jl"),
    ],
)
def test_misspelt_name_gets_a_suggestion(written, meant, tmp_path):
    with pytest.raises(CorpusError, match=f"Unknown corpus '{written}'. Did you mean '{meant}'"):
        load_corpus(written, tmp_path)
    with pytest.raises(CorpusError, match=f"'{written}' is not a regist.* Did you mean '{meant}'"):
        load_corpora({written: tmp_path})


def test_a_name_close_to_a_registered_one_may_be_a_folder_of_ones_own(tmp_path):
    for emotion in ("anger", "sadness"):
        (tmp_path / emotion).mkdir()
        (tmp_path / emotion / "1.wav").touch()
    assert load_corpora({"emodb3": tmp_path})["corpus"].unique().tolist() == ["emodb3"]


def test_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(CorpusError, match=r"Registered are: aesdd, .*load_folder .* load_table"):
        load_corpus("swahili", tmp_path)


def test_recordings_of_two_corpora(tmp_path):
    (tmp_path / "anger").mkdir()
    (tmp_path / "anger" / "1.wav").touch()
    with pytest.raises(CorpusError, match=r"1 recordings are in more than one .*one and two"):
        load_corpora({"one": tmp_path, "two": tmp_path})
