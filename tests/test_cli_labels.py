import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.cli._labels import read_labels
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._spelling import to_cells

MODEL = SimpleNamespace(classes_=np.array(["anger", "Wut", "sadness"]))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with recordings in a folder and a table beside them."""
    (tmp_path / "calls").mkdir()
    for name in ("a.wav", "b.wav", "c.wav", "=d.wav", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.wav"):
        (tmp_path / "calls" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def paths(folder):
    return [str(path) for path in sorted((folder / "calls").iterdir())]


def write(text, name="labels.csv", encoding="utf-8"):
    Path(name).write_text(text, encoding=encoding)
    return Path(name)


def read(paths, *files, mapping=()):
    """Return the labels by the names of the files, without gaps."""
    labels = read_labels(SimpleNamespace(labels=files, mapping=mapping), paths, MODEL)
    assert labels.dtype == object
    assert len(labels) == len(paths)
    return {
        Path(path).name: label
        for path, label in zip(paths, labels, strict=True)
        if label is not None
    }


def test_no_tables():
    assert read_labels(SimpleNamespace(labels=[]), ["a.wav"], object()) is None


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("labels.csv", "calls/a.wav"),
        ("calls/labels.csv", "a.wav"),
        ("calls/labels.csv", "calls/a.wav"),
        ("calls/labels.csv", "{folder}/calls/a.wav"),
        ("calls/labels.csv", "./../calls/a.wav"),
    ],
    ids=["beside", "of the table", "as given", "absolute", "detour"],
)
def test_where_paths_start(name, path, folder, paths):
    file = write(f"path,emotion\n{path.format(folder=folder)},anger\n", name)
    assert read(paths, file) == {"a.wav": "anger"}


def test_gaps_spellings_and_other_columns(paths):
    text = (
        "emotion,note, path \n SADNESS ,x,calls/a.wav\n,y,calls/b.wav\n  ,,elsewhere.wav\nwut,,{}"
    )
    name = "calls/caf\N{LATIN SMALL LETTER E WITH ACUTE}.wav"
    expected = {"a.wav": "sadness", Path(name).name: "Wut"}
    assert read(paths, write(text.format(name))) == expected
    assert read(paths, write(text.format(name), encoding="utf-8-sig")) == expected
    assert read(paths, write(text.format(name).replace(",", "\t"), "labels.tsv")) == expected


def test_tables_as_the_commands_write_them(paths):
    table = to_cells(pd.DataFrame({"path": ["=d.wav"], "emotion": ["anger"]}))
    assert table["path"].tolist() == ["'=d.wav"]
    table.to_csv("calls/labels.csv", index=False)
    assert read(paths, Path("calls/labels.csv")) == {"=d.wav": "anger"}


def test_several_tables(paths):
    first = write("path,emotion\ncalls/a.wav,anger\ncalls/b.wav,wut\n", "first.csv")
    second = write("path,emotion\ncalls/a.wav,anger\ncalls/c.wav,sadness\n", "second.csv")
    expected = {"a.wav": "anger", "b.wav": "Wut", "c.wav": "sadness"}
    assert read(paths, first, second) == expected


def test_words_are_translated_where_the_model_has_no_such_class(paths):
    text = "Path;Emotion\ncalls/a.wav;Zorn\ncalls/b.wav;Groll\ncalls/c.wav;Wut\ncalls/=d.wav;Rest\n"
    found = read(paths, write(text), mapping=[("groll", "sadness"), ("Rest", None)])
    assert found == {"a.wav": "anger", "b.wav": "sadness", "c.wav": "Wut"}


def test_links_are_the_recordings_they_point_to(folder, paths):
    os.symlink(folder / "calls" / "a.wav", folder / "link.wav")
    assert read(paths, write("path,emotion\nlink.wav,anger\n")) == {"a.wav": "anger"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,emotion\ncalls/x.wav,anger\n", r"line 2 of .*'calls/x\.wav', which is none of"),
        ("path,emotion\n\n\ncalls/x.wav,anger\n", "line 4 of .*, which is none of"),
        (
            "path,emotion\ncalls/a.wav,\ncalls/b.wav,joy\ncalls/c.wav,Groll\ncalls/a.wav,joy\n",
            r"'joy' \(lines 3, 5\), 'Groll' \(line 4\)\. It knows: anger, .* --mapping LABEL=none",
        ),
        ("path,emotion\ncalls/a.wav,\n", r"labels\.csv has no emotion in any row\. Fill some in"),
        ("path,emotion\n", "has no emotion in any row"),
        ("path;label\na.wav;anger\n", "has no column path and no column emotion; .*: path;lab"),
        ("path,feeling\na.wav,anger\n", "has no column emotion; its columns are: path, feeling"),
        ("path,emotion,emotion\ncalls/a.wav,anger,joy\n", "has several columns named emotion"),
        ("", r"labels\.csv is not a table: No columns to parse"),
        ("path,emotion\na,b,c,d\na\ne,f,g,h,i\n", r"labels\.csv is not a table: Error tokenizing"),
        (
            "path,emotion\ncalls/a.wav,anger\ncalls/a.wav,wut\n",
            r"line 3 of .* 'Wut' for 'calls/a\.wav', and an earlier line has 'anger'\. Keep one",
        ),
    ],
)
def test_errors(text, message, paths):
    with pytest.raises(CorpusError, match=f"--labels: .*{message}"):
        read(paths, write(text))


def test_a_path_with_two_meanings(folder, paths):
    """The same relative path from the working directory and from the folder of the table."""
    (folder / "calls" / "calls").mkdir()
    other = folder / "calls" / "calls" / "a.wav"
    other.touch()
    file = write("path,emotion\ncalls/a.wav,anger\n", "calls/labels.csv")
    with pytest.raises(CorpusError, match=r"'calls/a\.wav', which is two of the recordings"):
        read([*paths, str(other)], file)


def test_a_table_that_does_not_exist(paths):
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        read(paths, Path("absent.csv"))
