"""Every naming scheme on the published list of a corpus's names, with the corpus's own labels."""

import csv
import gzip
import re
import warnings
from collections import Counter

import pytest

from sklearn_ser.datasets import CORPORA, load_corpus

pytestmark = pytest.mark.corpus

# What the lists call an emotion, where they do not use the label in the name.
WORDS = {
    "emodb": {
        "happy": "F",
        "neutral": "N",
        "anger": "W",
        "boredem": "L",
        "disgust": "E",
        "fear": "A",
        "sad": "T",
    },
    "emovdb": {"angry": "anger", "sleepy": "sleepiness"},
    "ravdess": {
        "neutral": "01",
        "calm": "02",
        "happy": "03",
        "sad": "04",
        "angry": "05",
        "fearful": "06",
        "disgust": "07",
        "surprised": "08",
    },
    "shemo": {
        "angry": "A",
        "fearful": "F",
        "happy": "H",
        "neutral": "N",
        "sad": "S",
        "surprised": "W",
    },
}
# Recordings of a list that are left out, and why.
EXCEPTIONS = {
    "asvpesd": {
        "Bonus/actor_200/03-01-17-01-02-200-05-02-01-12.wav": "the key has no emotion 17",
    },
}
# Where the name has its speaker, written down from the papers and not from the parsers.
SPEAKERS = {
    "aesdd": r"\(0?(\d)\)",
    "ased": r"(\d\d)\.wav$",
    "asvpesd": r"actor_0*(\d+)/|actor_/(?:\d\d-){5}(\d+)-",
    "cafe": r"(\d\d)-[A-Z]-\d-\d\.wav$",
    "casia": r"^(\w+)/",
    "cremad": r"(\d{4})_",
    "emodb": r"/(\d\d)",
    "emovdb": r"^([a-z]+)_",
    "emovo": r"^(\w\d)/",
    "enterface": r"^subject (\d+)/",
    "jl": r"((?:fe)?male\d)_",
    "mesd": r"/[A-Za-z]+_([FMC])_",
    "oreau": r"/(\d\d)[a-z]\d\d[A-Z]a\.wav$",
    "polish": r"^(m\d)\.",
    "ravdess": r"(\d\d)\.wav$",
    "savee": r"^([A-Z]{2})_",
    "shemo": r"/([FM]\d\d)",
    "subesco": r"^([FM]_\d\d)_",
    "tess": r"^([A-Z])",
    "turev": r"/(\d+)_",
    "urdu": r"/(S[MF]\d+)_",
}
LISTS = {"jlcorpus": "jl", "turevdb": "turev"} | {
    name: name for name in SPEAKERS if name not in ("jl", "turev")
}
# Their names hold no speaker, and are tested below.
WITHOUT_SPEAKERS = {"emozionalmente", "resd"}


@pytest.fixture
def published(shared):
    """Return the paths on a list, and the labels that it gives them."""

    def read(listed):
        with gzip.open(shared / "names" / f"{listed}.csv.gz", "rt", encoding="utf-8") as file:
            return {row["path"]: row["emotion"].lower() for row in csv.DictReader(file)}

    return read


def read_list(shared, listed):
    """Return the pairs of path and label of a list."""
    with gzip.open(shared / "names" / f"{listed}.csv.gz", "rt", encoding="utf-8") as file:
        return [(row["path"], row["emotion"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("listed", sorted(LISTS))
def test_published_names_have_the_published_labels(listed, published, tmp_path, make_files):
    corpus, labels = CORPORA[LISTS[listed]], published(listed)
    make_files(tmp_path, labels)
    for path in EXCEPTIONS.get(listed, ()):
        del labels[path]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        speech = load_corpus(corpus, tmp_path)
    assert len(speech) == len(labels)
    paths = [path.removeprefix(f"{tmp_path}/") for path in speech["path"]]
    words = {word: label.lower() for word, label in WORDS.get(corpus.name, {}).items()}
    expected = [words.get(labels[path], labels[path]) for path in paths]
    assert speech["emotion_raw"].str.lower().tolist() == expected
    # One speaker of the parser for each speaker of the name, and the other way round.
    own = ["".join(re.search(SPEAKERS[corpus.name], path).groups("")) for path in paths]
    pairs = set(zip(own, speech["speaker"], strict=True))
    assert len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs})
    assert len(pairs) == corpus.n_speakers
    if corpus.counts and len(labels) == corpus.n_recordings:
        assert Counter(speech["emotion"]) == corpus.counts
    # The names alone do not tell sexes of CREMA-D, and two lists lack recordings.
    assert len(caught) <= (corpus.name in ("cremad", "mesd", "shemo") or listed in EXCEPTIONS)
    off_scheme = any("naming scheme" in str(warning.message) for warning in caught)
    assert off_scheme == (listed in EXCEPTIONS)


def test_resd_published_names_have_the_published_labels(published, tmp_path, make_files):
    labels = published("resd")
    make_files(tmp_path, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = load_corpus("resd", tmp_path)
    paths = [path.removeprefix(f"{tmp_path}/") for path in speech["path"]]
    assert len(paths) == len(labels)
    assert speech["emotion_raw"].tolist() == [labels[path] for path in paths]
    numbers = [re.search(r"/(\d\d)_\w+[ _]\w_\d{3}\.wav$", path)[1] for path in paths]
    assert speech["session"].tolist() == [f"resd_{number}" for number in numbers]
    assert len(set(numbers)) == 50


@pytest.mark.filterwarnings("ignore:.* is unknown, because a file such as:UserWarning")
def test_emozionalmente_published_names_are_found_in_its_table(published, tmp_path, make_files):
    labels = published("emozionalmente")
    make_files(tmp_path, labels)
    rows = [
        f"{path.removeprefix('audio/')},{i % 431},{label}\n"
        for i, (path, label) in enumerate(labels.items())
    ]
    (tmp_path / "samples.csv").write_text("file_name,actor,emotion_expressed\n" + "".join(rows))
    speech = load_corpus("emozionalmente", tmp_path)
    assert len(speech) == len(labels)
    paths = [path.removeprefix(f"{tmp_path}/") for path in speech["path"]]
    assert speech["emotion_raw"].tolist() == [labels[path] for path in paths]
    assert Counter(speech["emotion"]) == CORPORA["emozionalmente"].counts


def test_pavoque_utterances_of_long_recordings(shared, tmp_path, make_files):
    """The list repeats a name for each utterance in the file, without its times."""
    listed = read_list(shared, "pavoque")
    files = make_files(tmp_path, {path for path, _ in listed})
    for path in {path for path, _ in listed}:
        styles = [style for other, style in listed if other == path]
        lines = [
            f"- prompt: p{i}\n  style: {style}\n  start: {i}\n  end: {i}.9"
            for i, style in enumerate(styles)
        ]
        (files / path).with_suffix(".yaml").write_text("\n".join(lines))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = load_corpus("pavoque", files)
    assert Counter(speech["emotion_raw"]) == Counter(style for _, style in listed)
    assert speech["path"].str.replace("#.*", "", regex=True).nunique() == 6
    assert speech["path"].is_unique


def test_meld_labels_in_tables(shared, tmp_path, make_files):
    """The list has what the tables have of each video, the speakers excepted."""
    listed = read_list(shared, "meld")
    make_files(tmp_path, dict(listed))
    for part in ("train", "dev", "test"):
        rows = ["Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID"]
        for path, emotion in listed:
            if part in path:
                numbers = re.search(r"dia(\d+)_utt(\d+)", path)
                rows.append(f"Hm,Ross,{emotion},{numbers[1]},{numbers[2]}")
        (tmp_path / f"{part}_sent_emo.csv").write_text("\n".join(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = load_corpus("meld", tmp_path)
    labels = {str(tmp_path / path): emotion for path, emotion in listed}
    assert dict(zip(speech["path"], speech["emotion_raw"], strict=True)) == labels


# EMNS names its recordings at random; its labels are in a table whose columns are not published
# with the names.
WITHOUT_LOADER = {"emns"}


def test_every_list_is_used(shared):
    listed = {path.name.removesuffix(".csv.gz") for path in (shared / "names").glob("*.csv.gz")}
    assert listed == {*LISTS, *WITHOUT_SPEAKERS, "meld", "pavoque"} | WITHOUT_LOADER
