import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import load_annotations, load_corpora
from sklearn_ser.datasets._annotations import ANNOTATIONS
from sklearn_ser.datasets._corpora._registry import CORPORA
from sklearn_ser.exceptions import CorpusError, CorpusWarning

# With the headers, the empty columns and the gap of the published files.
FILES = {
    "AESD.csv": "filename,activation,valence \na01 (2).wav,4,2.5\na01 (5)b.wav,nan,nan\n",
    "CAFE.csv": "filname,activation ,valence\n01-C-1-1.wav,4,1\n",
    "EMO_DB.csv": "filename,activation,valence \n03a01Fa.wav,3,3.5\n03a01Wa.wav,4,2\n",
    "URDU.csv": ",,filename,activation,valence\n,,SF1_F6_H06.wav,4,3\n,,SM1_F1_A01.wav,5,1\n",
}


@pytest.fixture
def labels(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def recordings(*pairs):
    return pd.DataFrame(pairs, columns=["corpus", "path"])


ALL = recordings(
    ("emodb", "wav/03a01Fa.wav"),
    ("urdu", "Happy/SF1_F6_H06.wav"),
    ("ravdess", "Actor_01/03-01-06-01-02-01-12.wav"),
    ("cafe", "01-C-1-1.wav"),
    ("aesdd", "anger/a01 (2).wav"),
    ("urdu", "Angry/SM1_F1_A01.wav"),
)


def test_ratings_alone(labels):
    expected = pd.DataFrame(
        [
            ("aesdd", "a01 (2).wav", 4.0, 2.5),
            ("aesdd", "a01 (5)b.wav", np.nan, np.nan),
            ("cafe", "01-C-1-1.wav", 4.0, 1.0),
            ("emodb", "03a01Fa.wav", 3.0, 3.5),
            ("emodb", "03a01Wa.wav", 4.0, 2.0),
            ("urdu", "SF1_F6_H06.wav", 4.0, 3.0),
            ("urdu", "SM1_F1_A01.wav", 5.0, 1.0),
        ],
        columns=["corpus", "file", "activation", "valence"],
    )
    pd.testing.assert_frame_equal(load_annotations("das2022", labels), expected)


def test_join(labels, recwarn):
    table = load_annotations("das2022", labels, ALL)
    assert recwarn.list == []
    np.testing.assert_array_equal(table["activation"], [3, 4, np.nan, 4, 4, 5])
    np.testing.assert_array_equal(table["valence"], [3.5, 3, np.nan, 1, 2.5, 1])
    assert list(table) == ["corpus", "path", "activation", "valence"]
    assert list(ALL) == ["corpus", "path"]  # the caller's own stays as it is


def test_join_keeps_index_order_and_other_ratings(labels):
    table = ALL.assign(activation=2.0, valence=np.nan, more="kept")
    table.index = list("uvwxyz")
    joined = load_annotations("das2022", labels, table)
    assert joined.index.tolist() == list("uvwxyz")
    np.testing.assert_array_equal(joined["activation"], [3, 4, 2, 4, 4, 5])
    assert joined["more"].eq("kept").all()


@pytest.mark.parametrize("path", ["03a01fa.WAV", "deep/03 a01 Fa.flac", "03a01Fa"])
def test_names_are_compared_without_case_blanks_and_suffix(path, labels):
    table = load_annotations("das2022", labels, recordings(("emodb", path)))
    assert table["valence"].tolist() == [3.5]


def test_the_second_release_of_a_corpus(labels):
    pairs = [("emodb", "03a01Fa.wav"), ("emodb2", "wav/03a01Fa.wav")]
    table = load_annotations("das2022", labels, recordings(*pairs))
    assert table["valence"].tolist() == [3.5, 3.5]


def test_one_file(labels):
    assert set(load_annotations("das2022", labels / "URDU.csv")["corpus"]) == {"urdu"}


def test_commas_at_the_end_of_lines(tmp_path):
    (tmp_path / "CAFE.csv").write_text("filname,activation ,valence\n01-C-1-1.wav, 4,1,\n")
    with warnings.catch_warnings(record=True):
        ratings = load_annotations("das2022", tmp_path)
    assert ratings.to_numpy().tolist() == [["cafe", "01-C-1-1.wav", 4.0, 1.0]]


def test_files_in_sub_folders_in_any_case(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "emo_db.CSV").write_text(FILES["EMO_DB.csv"].replace("file", "\ufefffile"))
    assert len(load_annotations("das2022", tmp_path)) == 2


def test_one_warning_for_all_recordings_without_a_rating(labels):
    more = recordings(
        ("aesdd", "a01 (5)b.wav"),
        ("emodb", "wav/99z99Zz.wav"),
        *[("urdu", f"SM1_F{i}_A0{i}.wav") for i in range(2, 9)],
    )
    table = pd.concat([ALL, more], ignore_index=True)
    with pytest.warns(CorpusWarning) as caught:
        joined = load_annotations("das2022", labels, table)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert "1 of 2 recordings of emodb (99z99Zz.wav)" in message
    assert "7 of 9 recordings of urdu (SM1_F2_A02.wav, " in message
    assert "and others" in message
    assert "1 of 2 recordings of aesdd (a01 (5)b.wav)" in message
    assert "cafe" not in message
    assert joined["valence"].isna().sum() == 1 + 9


def test_a_missing_file_of_the_set_counts_as_no_rating(labels):
    (labels / "CAFE.csv").unlink()
    with pytest.warns(CorpusWarning, match=r"for 1 of 1 recordings of cafe \(01-C-1-1.wav\)\.$"):
        load_annotations("das2022", labels, ALL)


def test_two_copies_of_a_file(labels):
    (labels / "copy").mkdir()
    (labels / "copy" / "URDU.csv").write_text(FILES["URDU.csv"])
    assert len(load_annotations("das2022", labels)) == 7
    (labels / "copy" / "URDU.csv").write_text(FILES["URDU.csv"].replace("4,3", "4,4"))
    with pytest.raises(CorpusError, match=r"SF1_F6_H06.wav of urdu more than once, differently"):
        load_annotations("das2022", labels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "filename,activation\na.wav,4\n",
            "0 columns 'valence', expected one; its columns are: fi",
        ),
        ("filename,file,activation,valence\n", "2 columns 'filename', expected one"),
        ("filename,activation,valence\na.wav,4,3\nb.wav,6,3\n", r"line 3: activation is '6', exp"),
        ("filename,activation,valence\na.wav,4,high\n", r"line 2: valence is 'high', expected a n"),
        ("", "is not a table of comma-separated values"),
        ('filename,activation,valence\n"a.wav,4,3\n', "is not a table of comma-separated values"),
        ("a\na\na,b,c\n", "is not a table of comma-separated values"),
        ("filename,activation,valence\na.wav,4,3,2\n", "is not a table .*: Length of header"),
    ],
)
def test_bad_files(text, message, tmp_path):
    (tmp_path / "URDU.csv").write_text(text)
    with pytest.raises(CorpusError, match=message):
        load_annotations("das2022", tmp_path)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected AESD.csv, .*2203\.14867"):
        load_annotations("das2022", tmp_path / "none")


def test_nothing_of_the_set(tmp_path):
    (tmp_path / "other.csv").touch()
    with pytest.raises(CorpusError, match=r"sub-folders there is none of the files .*EMO_DB\.csv"):
        load_annotations("das2022", tmp_path)
    with pytest.raises(CorpusError, match=r"other.csv is none of the files of 'das2022'"):
        load_annotations("das2022", tmp_path / "other.csv")


def test_unknown_set(labels):
    with pytest.raises(
        CorpusError, match="Unknown set of annotations 'das'; expected one of: das2"
    ):
        load_annotations("das", labels)


def test_tables_that_cannot_be_joined(labels):
    with pytest.raises(CorpusError, match=r"the table has none of them, but ravdess"):
        load_annotations("das2022", labels, ALL.iloc[[2]])
    with pytest.raises(CorpusError, match="no column 'path'"):
        load_annotations("das2022", labels, ALL[["corpus"]])
    with pytest.raises(TypeError, match="table is a list; expected a DataFrame"):
        load_annotations("das2022", labels, ["a.wav"])


def test_a_set_of_ones_own(tmp_path):
    mine = dataclasses.replace(
        ANNOTATIONS["das2022"], name="mine", files={"r.csv": ("ravdess",)}, scale=(-1, 1)
    )
    (tmp_path / "r.csv").write_text("File,Arousal,Valence\n03-01-06-01-02-01-12.wav,-0.5,1\n")
    table = load_annotations(mine, tmp_path / "r.csv", ALL)
    np.testing.assert_array_equal(table["activation"], [np.nan] * 2 + [-0.5] + [np.nan] * 3)


@pytest.mark.parametrize("annotations", ANNOTATIONS.values(), ids=ANNOTATIONS)
def test_sets_name_registered_corpora_and_their_source(annotations):
    assert set(annotations.corpora) <= set(CORPORA)
    assert len(annotations.corpora) == len(set(annotations.corpora))
    assert annotations.scale[0] < annotations.scale[1]
    assert annotations.homepage.startswith("https://")
    assert annotations.citation.startswith("@")


@pytest.mark.corpus
@pytest.mark.filterwarnings("ignore:.*recordings of the .* expected")
def test_all_published_ratings_join(shared):
    paths = {name: shared / "corpora" / name for name in ("emodb", "urdu", "ravdess")}
    speech = load_corpora(paths)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CorpusWarning)
        rated = load_annotations("das2022", shared / "labels", speech)
    both = rated[["activation", "valence"]].notna().all(axis=1)
    assert both.groupby(rated["corpus"]).sum().to_dict() == {
        "emodb": 339,
        "ravdess": 0,
        "urdu": 400,
    }
    ratings = load_annotations("das2022", shared / "labels")
    counts = ratings.groupby("corpus").size().to_dict()
    assert counts == {"aesdd": 455, "cafe": 936, "emodb": 535, "urdu": 400}
    assert ratings["valence"].isna().sum() == 1
