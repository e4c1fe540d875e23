import logging
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import (
    CORPORA,
    EMOTIONS,
    Corpus,
    load_corpora,
    load_corpus,
    load_folder,
    load_table,
)
from sklearn_ser.exceptions import CorpusError, CorpusWarning

COLUMNS = [
    "path",
    "corpus",
    "language",
    "speaker",
    "sex",
    "emotion",
    "activation",
    "valence",
    "sentence",
    "intensity",
    "emotion_raw",
    "dominance",
    "session",
    "age",
]
FOUR = ("anger", "happiness", "neutral", "sadness")

incomplete = pytest.mark.filterwarnings("ignore:.* recordings of the .* expected:UserWarning")


@pytest.fixture
def folders(make_files, tmp_path):
    """Two registered corpora, of a few recordings each, and one of the user's own."""
    return {
        "emodb": make_files(tmp_path / "berlin", CORPORA["emodb"].examples),
        "urdu": make_files(tmp_path / "urdu", CORPORA["urdu"].examples),
        "mine": make_files(tmp_path / "own", ["Angry/03.wav", "calm/1/03.FLAC"]),
    }


@incomplete
def test_corpora_come_one_after_the_other_in_one_table(folders):
    speech = load_corpora(folders)
    assert speech.columns.tolist() == COLUMNS
    assert speech.index.equals(pd.RangeIndex(len(speech)))
    assert speech["corpus"].unique().tolist() == ["emodb", "urdu", "mine"]
    parts = [load_corpus(name, folders[name]) for name in ("emodb", "urdu")]
    parts.append(load_folder(folders["mine"], corpus="mine"))
    pd.testing.assert_frame_equal(speech, pd.concat(parts, ignore_index=True))


@incomplete
def test_columns_have_one_type_whatever_the_corpus(folders):
    text = pd.Series(["text"]).dtype
    for name, folder in folders.items():
        speech = load_corpora({name: folder})
        for column in COLUMNS:
            expected = (
                np.float64 if column in ("activation", "valence", "dominance", "age") else text
            )
            assert speech[column].dtype == expected


@incomplete
def test_unknown_labels_are_missing_not_the_word_nan(folders):
    speech = load_corpora(folders).set_index("corpus")
    for column in ("activation", "valence", "dominance", "intensity", "session"):
        assert speech[column].isna().all()
    assert speech["age"].groupby("corpus").count().to_dict() == {"emodb": 7, "mine": 0, "urdu": 0}
    for column in ("language", "speaker", "sex", "sentence"):
        assert speech.loc["mine", column].isna().all()
    assert not speech[["path", "emotion", "emotion_raw"]].isna().any(axis=None)


@incomplete
def test_emotions_filter_in_any_order_keeps_the_order_of_the_files(folders):
    speech = load_corpora(folders)
    expected = speech[speech["emotion"].isin(FOUR)].reset_index(drop=True)
    pd.testing.assert_frame_equal(load_corpora(folders, emotions=FOUR), expected)
    pd.testing.assert_frame_equal(load_corpora(folders, emotions=list(FOUR[::-1])), expected)


def test_one_warning_for_all_corpora(folders):
    with pytest.warns(UserWarning, match="EMO-DB in .*; URDU in .*") as caught:
        load_corpora(folders)
    assert len(caught) == 1


@incomplete
def test_summary_in_the_log(folders, caplog):
    with caplog.at_level(logging.INFO, logger="sklearn_ser.datasets"):
        load_corpora(folders)
    assert [record.getMessage() for record in caplog.records] == [
        "emodb (de): 7 recordings, 6 speakers; anger 1, boredom 1, disgust 1, fear 1, "
        "happiness 1, neutral 1, sadness 1",
        "urdu (ur): 5 recordings, 5 speakers; anger 2, happiness 1, neutral 1, sadness 1",
        "mine (language unknown): 2 recordings, 0 speakers; anger 1, calm 1",
    ]


def test_tables_take_the_name_they_are_given(folders, tmp_path):
    (tmp_path / "own.csv").write_text("path,emotion,speaker\nown/Angry/03.wav,sad,03\n")
    (tmp_path / "another.wav").touch()
    frame = pd.DataFrame({"path": [tmp_path / "another.wav"], "emotion": "joy", "speaker": 3})
    speech = load_corpora({"first": tmp_path / "own.csv", "second": frame})
    assert speech["corpus"].tolist() == ["first", "second"]
    assert speech["speaker"].tolist() == ["first_03", "second_3"]
    assert speech["emotion"].tolist() == ["sadness", "happiness"]


@incomplete
def test_paths_are_absolute(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for spelling in ("berlin", "./berlin", "urdu/../berlin", tmp_path / "." / "berlin"):
        speech = load_corpus("emodb", spelling)
        assert speech["path"].str.startswith(str(tmp_path / "berlin")).all()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    speech = load_corpus("emodb", "~/berlin")
    assert speech["path"].str.startswith(str(tmp_path)).all()


@incomplete
def test_links_to_folders_are_followed_and_rings_end(folders, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "berlin").symlink_to(folders["emodb"])
    (folders["emodb"] / "ring").symlink_to(linked)
    assert len(load_corpus("emodb", linked)) == len(CORPORA["emodb"].examples)


def test_folder_under_an_unregistered_name_says_how_it_was_read(folders):
    with pytest.raises(CorpusError, match=r"'wav' \(7 rec.* 'berlin' is not a registered corpus"):
        load_corpora({"berlin": folders["emodb"]})


@pytest.mark.parametrize("load", [load_corpora, lambda paths, **kw: load_corpus("urdu", "", **kw)])
@pytest.mark.parametrize(
    ("emotions", "message"),
    [
        ("anger", r"emotions='anger' is one string; pass a list such as \['anger'\]"),
        ([], "emotions is empty"),
        (["anger", "Happy"], "Unknown emotion 'Happy'. Did you mean 'happiness'"),
        (["rage"], f"Unknown emotion 'rage'. Known are: {', '.join(EMOTIONS)}"),
    ],
)
def test_bad_selection_of_emotions(load, emotions, message, folders):
    with pytest.raises(ValueError, match=message):
        load(folders, emotions=emotions)


def test_no_corpora():
    with pytest.raises(ValueError, match=r'expected for example {"emodb"'):
        load_corpora({})


def test_loaders_import_neither_torch_nor_librosa_nor_matplotlib():
    code = (
        "import sys, sklearn_ser.datasets as d; d.load_corpora;"
        "print({'torch', 'librosa', 'matplotlib', 'sklearn_ser.datasets._synthesis._synthetic'}"
        " & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.corpus
def test_real_corpora(shared):
    names = ("emodb", "urdu", "ravdess")
    paths = {name: shared / "corpora" / name for name in names}
    with pytest.warns(UserWarning, match="RAVDESS .* 336 recordings of the 672 expected") as caught:
        speech = load_corpora(paths, emotions=FOUR)
    assert len(caught) == 1
    assert "EMO-DB" not in str(caught[0].message)
    counts = speech.groupby(["corpus", "emotion"]).size().unstack()
    assert counts.loc["emodb", list(FOUR)].tolist() == [127, 71, 79, 62]
    assert counts.loc["urdu", list(FOUR)].tolist() == [100, 100, 100, 100]
    assert counts.loc["ravdess", list(FOUR)].tolist() == [96, 96, 48, 96]
    by_corpus = speech.groupby("corpus")
    assert by_corpus["speaker"].nunique()[list(names)].tolist() == [10, 29, 24]
    men = speech[speech["sex"] == "m"].groupby("corpus")["speaker"].nunique()
    assert men[list(names)].tolist() == [5, 18, 12]
    assert speech["path"].map(pd.io.common.file_exists).all()
    assert speech.groupby("corpus")["emotion_raw"].nunique()[list(names)].tolist() == [4, 4, 4]
    with pytest.warns(UserWarning, match=r"EMO-DB .* 339 .* 535 .*boredom 0 of 81"):
        whole = load_corpus("emodb", paths["emodb"])
    assert len(whole) == 339


@incomplete
def test_a_saved_table_comes_back_unchanged(folders, tmp_path):
    speech = load_corpora(folders)
    speech.loc[0, ["activation", "valence", "dominance"]] = [3.5, 2, 1]
    speech.loc[0, "session"] = "emodb_1"
    speech.to_csv(tmp_path / "speech.csv", index=False)
    pd.testing.assert_frame_equal(load_table(tmp_path / "speech.csv"), speech)


def test_corpus_that_is_not_registered(make_files, tmp_path):
    def parse(path):
        speaker, _, emotion = path.stem.partition("_")
        return {"speaker": speaker, "emotion_raw": emotion} if emotion else None

    corpus = Corpus(
        name="mine",
        title="Mine",
        language="fi",
        licence="mine",
        homepage="https://example.org",
        citation="",
        sampling_rate=16000,
        emotions={"viha": "anger", "ilo": "happiness"},
        parse=parse,
        examples={"1_viha.wav": {"speaker": "1", "emotion_raw": "viha"}},
    )
    make_files(tmp_path, ["1_viha.wav", "2_ilo.wav"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = load_corpus(corpus, tmp_path)
    assert speech["speaker"].tolist() == ["mine_1", "mine_2"]
    assert speech["emotion"].tolist() == ["anger", "happiness"]
    assert speech["emotion_raw"].tolist() == ["viha", "ilo"]
    assert load_corpora({"mine": speech}).equals(speech)
    make_files(tmp_path, ["3_suru.wav"])
    with pytest.raises(CorpusError, match=r"1 of 3 .* scheme of Mine .*: 3_suru\.wav\."):
        load_corpus(corpus, tmp_path)


def test_an_own_description_counts_folders_from_the_root(make_files, tmp_path):
    def parse(path):
        if len(path.parts) < 2:
            return None
        return {"speaker": path.parts[0], "emotion_raw": path.stem}

    corpus = replace(
        CORPORA["emovo"],
        name="mine",
        emotions={"viha": "anger"},
        parse=parse,
        examples={"a/viha.wav": {"speaker": "a", "emotion_raw": "viha"}},
        counts={},
        n_recordings=None,
        n_speakers=None,
    )
    make_files(tmp_path / "root", ["a/viha.wav", "b/viha.wav"])
    assert load_corpus(corpus, tmp_path / "root")["speaker"].tolist() == ["mine_a", "mine_b"]
    assert load_corpus(corpus, tmp_path / "root" / "b")["speaker"].tolist() == ["mine_b"]


@incomplete
def test_whole_corpus_of_the_wrong_size_where_emotions_are_not_counted(make_corpus, tmp_path):
    make_corpus(tmp_path, CORPORA["nemo"])
    with pytest.warns(UserWarning, match=r"has 6 recordings of the 4481 expected \(speakers 3 of"):
        load_corpus("nemo", tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_corpus("nemo", tmp_path, emotions=["anger"])) == 1


def test_unknown_labels_of_all_corpora_are_listed_at_once(make_files, tmp_path):
    make_files(tmp_path / "one", ["Freude/1.wav", "Groll/1.wav", "Groll/2.wav"])
    make_files(tmp_path / "two", ["1.wav", "2.wav", "3.wav"])
    two = pd.DataFrame({"path": ["1.wav", "2.wav", "3.wav"], "emotion": ["meh", "Groll", "sad"]})
    two.to_csv(tmp_path / "two" / "two.csv", index=False)
    paths = {"one": tmp_path / "one", "two": tmp_path / "two" / "two.csv"}
    message = (
        r"These labels are not known emotions: 'Groll' \(2 recordings\) in the names of "
        r"sub-folders of .*one; 'meh' \(1 recording\), 'Groll' \(1 recording\) in .*two\.csv\. The "
        r"emotions are: anger, .* Pass mapping=\{'Groll': \.\.\., 'meh': \.\.\.\} with one of them"
    )
    with pytest.raises(CorpusError, match=message):
        load_corpora(paths)
    mapping = {"groll": "anger", "meh": None}
    speech = load_corpora(paths, mapping=mapping)
    assert speech["emotion"].tolist() == ["happiness", "anger", "anger", "anger", "sadness"]
    with pytest.raises(CorpusError, match=r"mapping\['Grol'\] matches no .*Did you mean 'Groll'"):
        load_corpora(paths, mapping={**mapping, "Grol": "fear"})


def test_a_mapping_leaves_registered_corpora_as_they_are(make_files, tmp_path):
    make_files(tmp_path, ["emodb/03a01Wa.wav", "mine/W/1.wav"])
    paths = {"emodb": tmp_path / "emodb", "mine": tmp_path / "mine"}
    with pytest.warns(CorpusWarning, match="1 recordings of the 535 expected"):
        speech = load_corpora(paths, mapping={"W": "fear"})
    assert speech["emotion"].tolist() == ["anger", "fear"]


def test_note_on_missing_labels_names_the_file_that_is_missing(make_corpus, small, tmp_path):
    corpus = small("emozionalmente")
    make_corpus(tmp_path, corpus)
    (tmp_path / "metadata" / "users.csv").unlink()
    with pytest.warns(CorpusWarning, match=r"sex of 7 .* a file such as metadata/users\.csv is"):
        load_corpus(corpus, tmp_path)
    (tmp_path / "users.csv").write_text("username,age,gender\n")
    with pytest.warns(CorpusWarning, match="a file such as metadata/.* is missing or incomplete"):
        load_corpus(corpus, tmp_path)
