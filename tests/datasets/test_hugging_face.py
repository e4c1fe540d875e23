"""Datasets of the Hugging Face library as tables of recordings."""

import os
import re
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.datasets import load_hugging_face
from sklearn_ser.exceptions import CorpusError

datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    paths = []
    for i in range(4):
        paths.append(str(folder / f"so {i}.wav"))
        soundfile.write(paths[-1], rng.normal(0, 0.1, 8000), 16000)
    return paths


@pytest.fixture
def named(files):
    """A dataset that names files, with codes of classes."""
    dataset = datasets.Dataset.from_dict(
        {
            "audio": files,
            "label": [0, 1, 1, 0],
            "gender": ["female", "male", None, "female"],
            "speaker": [3, 4, 4, 3],
            "arousal": [1.0, 2.0, None, 4.0],
        }
    )
    dataset = dataset.cast_column("label", datasets.ClassLabel(names=["angry", "sad"]))
    return dataset.cast_column("audio", datasets.Audio())


@pytest.fixture
def embedded(files):
    """A dataset that holds the recordings."""
    rows = []
    for path in files:
        with open(path, "rb") as file:
            rows.append({"bytes": file.read(), "path": f"../{path[-8:]}"})
    words = ["anger", "sadness", "fear", "anger"]
    dataset = datasets.Dataset.from_dict({"audio": rows, "emotion": words})
    return dataset.cast_column("audio", datasets.Audio())


def test_files_and_names_of_classes(named, files):
    table = load_hugging_face(named, corpus="mine", language="de")
    assert table["path"].tolist() == files
    assert table["emotion"].tolist() == ["anger", "sadness", "sadness", "anger"]
    assert table["emotion_raw"].tolist() == ["angry", "sad", "sad", "angry"]
    assert table["speaker"].tolist() == ["mine_3", "mine_4", "mine_4", "mine_3"]
    assert table["sex"].isna().tolist() == [False, False, True, False]
    assert set(table["language"]) == {"de"}
    pd.testing.assert_series_equal(
        table["activation"], pd.Series([1.0, 2.0, np.nan, 4.0]), check_names=False
    )


def test_bytes_reach_the_extractor(embedded, files, tmp_path):
    table = load_hugging_face(embedded, folder=tmp_path / "new" / "folder", corpus="mine")
    names = [re.sub("_[0-9a-f]{10}_", "_", os.path.basename(path)) for path in table["path"]]
    assert names == [f"{i:06}_so_{i}.wav" for i in range(4)]
    assert {*(tmp_path / "new" / "folder").iterdir()} == {*map(type(tmp_path), table["path"])}
    np.testing.assert_array_equal(
        EGeMAPSExtractor().transform(table["path"]), EGeMAPSExtractor().transform(files)
    )


@pytest.mark.parametrize(
    "name", ["../../out.wav", "/out.wav", "..", ".", "a/../../out.wav", "C:\\out.wav", "\n", None]
)
def test_no_name_leads_outside_the_folder(name, files, tmp_path):
    with open(files[0], "rb") as file:
        rows = [{"bytes": file.read(), "path": name}]
    dataset = datasets.Dataset.from_dict({"audio": rows, "emotion": ["anger"]})
    dataset = dataset.cast_column("audio", datasets.Audio())
    folder = tmp_path / "one" / "two"
    [path] = load_hugging_face(dataset, corpus="new", folder=folder).path
    assert [str(one) for one in tmp_path.rglob("*") if one.is_file()] == [path]
    assert os.path.dirname(path) == str(folder)


def test_files_that_are_there_are_not_written_again(embedded, tmp_path):
    first = load_hugging_face(embedded, folder=tmp_path, corpus="mine")
    files = [type(tmp_path)(path) for path in first["path"]]
    files[0].write_bytes(b"damaged")
    before = [file.stat().st_ino for file in files]
    again = load_hugging_face(embedded, folder=tmp_path, corpus="mine")
    pd.testing.assert_frame_equal(first, again)
    assert [file.stat().st_ino == one for file, one in zip(files, before, strict=True)] == [
        False, True, True, True
    ]  # fmt: skip
    soundfile.read(files[0])


def test_splits_share_a_folder(embedded, files, tmp_path):
    # Of the same position and name, as recordings without names are.
    rows = [
        {**row["audio"], "path": None}
        for row in embedded.cast_column("audio", datasets.Audio(decode=False))
    ]
    dataset = datasets.Dataset.from_dict({"audio": rows, "emotion": ["anger"] * 4})
    dataset = dataset.cast_column("audio", datasets.Audio())
    train = load_hugging_face(dataset.select([0, 1]), folder=tmp_path, corpus="mine")
    load_hugging_face(dataset.select([2, 3]), folder=tmp_path, corpus="mine")
    for path, source in zip(train["path"], files, strict=False):
        np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(source)[0])
    assert len(list(tmp_path.iterdir())) == 4


def test_segments_of_files(files):
    paths = [f"{files[0]}#t=0,0.2", f"{files[0]}#t=0.2,0.5"]
    dataset = datasets.Dataset.from_dict({"path": paths, "emotion": ["anger", "fear"]})
    table = load_hugging_face(dataset, columns={"path": "path"}, corpus="mine")
    assert table["path"].tolist() == paths


def test_columns_of_other_names(named, files):
    renamed = named.rename_columns({"audio": "wave", "label": "mood", "speaker": "who"})
    table = load_hugging_face(
        renamed.add_column("other", ["a", "b", "c", "d"]),
        columns={"emotion": "mood", "speaker": "who"},
        corpus="mine",
    )
    assert table["speaker"].tolist() == ["mine_3", "mine_4", "mine_4", "mine_3"]
    with_text = renamed.remove_columns("wave").add_column("file", files)
    table = load_hugging_face(
        with_text, columns={"path": "file", "emotion": "mood"}, corpus="mine", emotions=["anger"]
    )
    assert table["path"].tolist() == [files[0], files[3]]


def test_rows_without_a_label_are_left_out(named):
    gapped = named.remove_columns("label").add_column("label", [0, None, -1, 1])
    gapped = gapped.cast_column("label", named.features["label"])
    table = load_hugging_face(gapped, corpus="mine")
    assert table["emotion"].tolist() == ["anger", "sadness"]


def test_after_saving(named, tmp_path):
    named.info.dataset_name = "speech"
    named.save_to_disk(tmp_path / "saved")
    # The library puts the recordings into what it saves.
    saved = datasets.load_from_disk(tmp_path / "saved")
    table = load_hugging_face(saved, folder=tmp_path / "recordings")
    assert set(table["corpus"]) == {"speech"}


class TestErrors:
    def test_splits_and_streams(self, named):
        with pytest.raises(TypeError, match=r"several splits, 'train'.*dataset\['train'\]"):
            load_hugging_face(datasets.DatasetDict({"train": named}))
        with pytest.raises(TypeError, match=r"IterableDataset; expected a datasets\.Dataset"):
            load_hugging_face(named.to_iterable_dataset())
        with pytest.raises(TypeError, match="DataFrame; expected"):
            load_hugging_face(pd.DataFrame())

    def test_columns(self, named):
        with pytest.raises(CorpusError, match="has no column of audio; its columns are: label"):
            load_hugging_face(named.remove_columns("audio"))
        with pytest.raises(CorpusError, match="no column 'emotion' or 'label'"):
            load_hugging_face(named.remove_columns("label"))
        with pytest.raises(CorpusError, match="no column 'mood'"):
            load_hugging_face(named, columns={"emotion": "mood"})
        with pytest.raises(ValueError, match="columns has the key 'voice'"):
            load_hugging_face(named, columns={"voice": "speaker"})
        with pytest.raises(CorpusError, match="Column 'label' of the dataset holds int"):
            load_hugging_face(named, columns={"path": "label"}, corpus="mine")
        with pytest.raises(CorpusError, match="has no name; name the corpus"):
            load_hugging_face(named)

    def test_recordings(self, embedded):
        with pytest.raises(CorpusError, match="Name a folder to write them to, folder="):
            load_hugging_face(embedded, corpus="mine")
        absent = datasets.Dataset.from_dict({"audio": ["hf://away/0.wav"], "label": ["anger"]})
        with pytest.raises(CorpusError, match=r"'hf://away/0\.wav' does not exist here"):
            load_hugging_face(absent, columns={"path": "audio"}, corpus="mine")

    def test_labels(self, embedded, tmp_path):
        with pytest.raises(CorpusError, match="No row of the dataset has a label in 'emotion'"):
            load_hugging_face(
                embedded.map(lambda row: {"emotion": None}), folder=tmp_path, corpus="mine"
            )
        with pytest.raises(ValueError, match="Unknown emotion 'calmer'"):
            load_hugging_face(embedded, folder=tmp_path, corpus="mine", emotions=["calmer"])

    def test_without_the_package(self, named, monkeypatch):
        monkeypatch.setitem(sys.modules, "datasets", None)
        with pytest.raises(ImportError, match=r"sklearn-ser\[hugging-face\]"):
            load_hugging_face(named)
