import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import (
    CORPORA,
    load_audformat,
    load_corpora,
    load_corpus,
    load_table,
    save_audformat,
)
from sklearn_ser.exceptions import CorpusError

audformat = pytest.importorskip("audformat")

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* recordings of the .* expected:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* inplace keyword:DeprecationWarning"),
]


@pytest.fixture
def speech(make_corpus, make_files, tmp_path):
    """Return a table of four corpora in which every column has labels and gaps."""
    paths = {
        name: make_corpus(tmp_path / name, CORPORA[name]) for name in ("iemocap", "ravdess", "esd")
    }
    own = make_files(tmp_path / "own", ["a.wav", "b.wav"])
    rows = {"path": ["a.wav", "b.wav"], "emotion": ["joy", "other"], "language": ["nan", "x-own"]}
    frame = pd.DataFrame({**rows, "sentence": ["007", "NA"], "speaker": ["NA", None]})
    paths["own"] = load_table(frame, root=own, corpus="own")
    return load_corpora(paths)


@pytest.fixture
def make_database(make_files, tmp_path):
    """Write a database with the given columns of labels, each in a table of its own."""

    def make(*columns, index=None, languages=("deu",)):
        make_files(tmp_path, ["a.wav", "b.wav"])
        index = audformat.filewise_index(["a.wav", "b.wav"]) if index is None else index
        database = audformat.Database("mine", languages=list(languages))
        for i, (scheme, values) in enumerate(columns):
            if scheme not in database.schemes:
                dtype = "str" if isinstance(values[0], str) else "float"
                database.schemes[scheme] = audformat.Scheme(dtype)
            table = database[f"table{i}"] = audformat.Table(index)
            table[scheme] = audformat.Column(scheme_id=scheme)
            table[scheme].set(values)
        database.save(str(tmp_path))
        return tmp_path

    return make


EMOTION = ("emotion", ["anger", "joy"])


def test_a_table_comes_back_as_it_was(speech, tmp_path):
    save_audformat(speech, tmp_path)
    pd.testing.assert_frame_equal(load_audformat(tmp_path), speech)


def test_recordings_elsewhere_are_stored_by_absolute_paths(speech, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_audformat(speech, "labels/only")
    pd.testing.assert_frame_equal(load_audformat(tmp_path / "labels" / "only"), speech)
    database = audformat.Database.load(str(tmp_path / "labels" / "only"))
    assert set(database.files) == set(speech["path"])


def test_a_folder_with_its_recordings_can_be_moved(make_corpus, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    speech = load_corpus("urdu", make_corpus(here, CORPORA["urdu"]))
    save_audformat(speech, here)
    assert audformat.Database.load(str(here)).is_portable
    here.rename(there)
    moved = load_audformat(there)
    assert moved["path"].tolist() == [path.replace("here", "there") for path in speech["path"]]


def test_the_database_says_what_it_is(speech, tmp_path):
    save_audformat(speech, tmp_path, name="several")
    database = audformat.Database.load(str(tmp_path))
    assert database.name == "several"
    # ISO 639-3 calls Min Nan "nan"; it has no code for an invented language.
    assert database.languages == ["eng", "nan", "zho"]
    assert "RAVDESS: CC BY-NC-SA 4.0" in database.license
    assert CORPORA["ravdess"].homepage in database.source
    labels = database["recordings"].df
    assert labels["emotion"].tolist() == speech["emotion"].tolist()
    assert labels["gender"].dropna().unique().tolist() == ["female", "male"]


def test_selection_and_translation(make_database):
    folder = make_database(("emotion", ["Groll", "joy"]))
    with pytest.raises(CorpusError, match=r"'Groll' \(1 recording\).*mapping=\{'Groll': \.\.\.\}"):
        load_audformat(folder)
    speech = load_audformat(folder, mapping={"Groll": "anger"}, corpus="x")
    assert speech["emotion"].tolist() == ["anger", "happiness"]
    assert speech["emotion_raw"].tolist() == ["Groll", "joy"]
    assert set(speech["corpus"]) == {"x"}
    assert set(speech["language"]) == {"de"}
    happy = load_audformat(folder, mapping={"Groll": None}, emotions=["happiness"])
    assert happy["path"].tolist() == [str(folder / "b.wav")]
    assert happy["corpus"].tolist() == ["mine"]


def test_a_database_that_is_loaded_already(make_database, monkeypatch):
    folder = make_database(EMOTION, ("speaker", ["1", "2"]))
    expected = load_audformat(folder)
    loaded = audformat.Database.load(str(folder))
    pd.testing.assert_frame_equal(load_audformat(loaded), expected)
    # One that was never saved has no folder.
    made = audformat.Database("mine", languages=["deu"])
    made.schemes["emotion"] = audformat.Scheme("str")
    table = made["all"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    table["emotion"] = audformat.Column(scheme_id="emotion")
    table["emotion"].set(EMOTION[1])
    monkeypatch.chdir(folder)
    pd.testing.assert_frame_equal(
        load_audformat(made), load_audformat(loaded).assign(speaker=np.nan), check_dtype=False
    )


def test_language_of_a_database_in_several(make_database):
    folder = make_database(EMOTION, languages=("deu", "eng"))
    assert load_audformat(folder)["language"].isna().all()
    assert set(load_audformat(folder, language="de-AT")["language"]) == {"de-AT"}


def test_ratings_of_several_raters_are_averaged(make_database):
    folder = make_database(EMOTION, ("arousal", [1.0, np.nan]), ("arousal", [2.0, 4.0]))
    np.testing.assert_array_equal(load_audformat(folder)["activation"], [1.5, 4.0])


def test_tables_that_contradict_each_other(make_database):
    folder = make_database(EMOTION, ("emotion", ["anger", "fear"]))
    with pytest.raises(CorpusError, match=r"contradict each other in 'emotion'.*b\.wav"):
        load_audformat(folder)
    speech = load_audformat(folder, tables=["table1"])
    assert speech["emotion"].tolist() == ["anger", "fear"]
    with pytest.raises(CorpusError, match=r"No table 'gold' in .*; its tables are: table0, table1"):
        load_audformat(folder, tables=["gold"])


def test_database_without_emotions(make_database):
    with pytest.raises(CorpusError, match=r"No emotions in .* its schemes are: valence\."):
        load_audformat(make_database(("valence", [1.0, 2.0])))


def test_database_of_segments(make_database):
    times = pd.to_timedelta([0.25, 1], unit="s"), pd.to_timedelta([1.5, None], unit="s")
    index = audformat.segmented_index(["a.wav", "b.wav"], *times)
    folder = make_database(EMOTION, index=index)
    database = audformat.Database.load(str(folder))
    database.schemes["speaker"] = audformat.Scheme("str")
    # A table of files beside that of segments.
    table = database["files"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    table["speaker"] = audformat.Column(scheme_id="speaker")
    table["speaker"].set(["1", "2"])
    speech = load_audformat(database)
    assert speech["path"].tolist() == [
        str(folder / "a.wav#t=0.25,1.5"),
        str(folder / "b.wav#t=1"),
    ]
    assert speech["emotion"].tolist() == ["anger", "happiness"]
    assert speech["speaker"].tolist() == ["mine_1", "mine_2"]


def test_segments_come_back_as_they_were(make_files, tmp_path):
    make_files(tmp_path, ["a.wav", "b.wav"])
    paths = ["a.wav#t=0.1,1.234567", "a.wav#t=2", "b.wav"]
    rows = {"path": paths, "emotion": ["anger", "fear", "joy"], "speaker": ["1", "2", "3"]}
    speech = load_table(pd.DataFrame(rows), root=tmp_path, corpus="own")
    save_audformat(speech, tmp_path)
    pd.testing.assert_frame_equal(load_audformat(tmp_path), speech)
    with pytest.raises(CorpusError, match=r"a\.wav#channel=1 is one channel of a recording"):
        save_audformat(speech.assign(path="a.wav#channel=1"), tmp_path / "other")


def test_recording_that_is_not_there(make_database):
    folder = make_database(EMOTION)
    (folder / "b.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 2 recordings .*b\.wav"):
        load_audformat(folder)


def test_folder_without_a_database(tmp_path):
    with pytest.raises(CorpusError, match=r"No db\.yaml in .*; expected a database in audformat"):
        load_audformat(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No folder .*nowhere"):
        load_audformat(tmp_path / "nowhere")


def test_nothing_is_overwritten(speech, tmp_path):
    save_audformat(speech, tmp_path)
    with pytest.raises(FileExistsError, match=r"db\.yaml exists; name another folder, or remove"):
        save_audformat(speech, tmp_path)


def test_tables_that_cannot_be_saved(speech, tmp_path):
    with pytest.raises(
        CorpusError, match="lacks the column 'speaker'; expected a table from load_cor"
    ):
        save_audformat(speech.drop(columns="speaker"), tmp_path)
    with pytest.raises(CorpusError, match="The table has no rows"):
        save_audformat(speech[:0], tmp_path)


def test_without_the_package(speech, make_corpus, tmp_path, monkeypatch):
    folder = make_corpus(tmp_path / "emodb2", CORPORA["emodb2"])
    monkeypatch.setitem(sys.modules, "audformat", None)
    how = r"pip install 'sklearn-ser\[datasets\]'"
    with pytest.raises(ImportError, match=how):
        save_audformat(speech, tmp_path)
    with pytest.raises(ImportError, match=how):
        load_audformat(tmp_path)
    with pytest.raises(ImportError, match=how):
        load_corpus("emodb2", folder)
