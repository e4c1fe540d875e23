import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from sklearn_ser.datasets import (
    CORPORA,
    list_recordings,
    load_annotations,
    load_corpora,
    load_corpus,
    load_folder,
    load_table,
    save_audformat,
)
from sklearn_ser.datasets._paths import (
    LFS_POINTER,
    absolute_path,
    copies_among,
    each_once,
    file_identity,
    pointers,
)
from sklearn_ser.exceptions import CorpusError

bytes_in_names = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="names are Unicode on this system"
)
UNDECODABLE = os.fsdecode(b"caf\xe9.wav")


@pytest.mark.parametrize("spelling", ["x.wav", "./x.wav", "in/../x.wav", "in//../x.wav"])
def test_absolute_path_has_one_spelling(spelling, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "x.wav").touch()
    assert absolute_path(spelling) == str(tmp_path / "x.wav")
    assert absolute_path(Path(spelling)) == str(tmp_path / "x.wav")


def test_dots_behind_a_link_mean_the_folder_above_its_target(make_files, tmp_path, monkeypatch):
    make_files(tmp_path, ["far/angry/1.wav", "far/sad/2.wav", "here/calm/3.wav"])
    (tmp_path / "here" / "link").symlink_to(tmp_path / "far" / "angry")
    monkeypatch.chdir(tmp_path / "here")
    assert load_folder("link/..")["emotion"].tolist() == ["anger", "sadness"]
    assert all(map(os.path.isabs, load_folder("link/..")["path"]))
    # Links themselves stay as they are.
    assert list_recordings([Path("link")]) == [str(tmp_path / "here" / "link" / "1.wav")]


def test_spellings_and_links_are_one_file_and_hard_links_two(make_files, tmp_path, monkeypatch):
    monkeypatch.chdir(make_files(tmp_path, ["in/x.wav", "in/y.wav"]))
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "x.wav").symlink_to(tmp_path / "in" / "x.wav")
    same = ["in/x.wav", "./in/x.wav", "link/x.wav", "x.wav", str(tmp_path / "in" / "x.wav")]
    assert len({file_identity(path) for path in same}) == 1
    assert each_once([*same, "in/y.wav", "nowhere.wav", "./nowhere.wav"]) == [
        "in/x.wav",
        "in/y.wav",
        "nowhere.wav",
    ]
    os.link(tmp_path / "in" / "x.wav", tmp_path / "in" / "z.wav")
    assert file_identity("in/x.wav") != file_identity("in/z.wav")
    assert file_identity("in/x.wav") == file_identity("link/x.wav")


def test_every_loader_returns_absolute_paths(make_files, tmp_path, monkeypatch):
    make_files(tmp_path / "berlin", CORPORA["emodb"].examples)
    make_files(tmp_path, ["own/sad/1.wav", "a.wav"])
    (tmp_path / "table.csv").write_text("path,emotion\na.wav,sad\n")
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"path": ["own/sad/../sad/1.wav"], "emotion": ["sad"]})
    with pytest.warns(UserWarning, match="of the 535 expected"):
        tables = [load_corpus("emodb", "berlin"), load_corpora({"emodb": "berlin", "x": "own"})]
    tables += [load_folder("own"), load_table("table.csv"), load_table(frame, corpus="x")]
    for speech in tables:
        for path in speech["path"]:
            assert path == os.path.abspath(path)
            assert path.startswith(str(tmp_path))
            assert os.path.isfile(path)


@pytest.mark.parametrize(
    ("second", "also"),
    [
        ("a.wav", ""),
        ("./a.wav", ""),
        ("in/../a.wav", ""),
        ("{}/a.wav", ""),
        ("link/../in/../a.wav", ""),
        ("link.wav", "the first time as '.*/a.wav'"),
        ("linked/a.wav", "the first time as '.*/a.wav'"),
    ],
)
def test_table_that_lists_a_recording_twice(second, also, make_files, tmp_path):
    make_files(tmp_path, ["a.wav", "in/b.wav"])
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "linked").symlink_to(tmp_path)
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    frame = pd.DataFrame({"path": ["a.wav", second.format(tmp_path)], "emotion": ["sad", "sad"]})
    with pytest.raises(CorpusError, match=f"occurs more than once in the table.*{also}"):
        load_table(frame, root=tmp_path, corpus="x")


def test_command_line_counts_each_recording_once(make_files, tmp_path, monkeypatch):
    make_files(tmp_path, ["in/x.wav", "in/deep/y.wav"])
    (tmp_path / "link").symlink_to(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    spellings = ["in/x.wav", "./in/../in/x.wav", "in", "link", "nowhere.wav", str(tmp_path / "in")]
    assert list_recordings(map(Path, spellings)) == [
        str(tmp_path / name) for name in ("in/x.wav", "in/deep/y.wav", "nowhere.wav")
    ]


def test_corpora_that_share_a_recording_through_a_link(make_files, tmp_path):
    make_files(tmp_path, ["one/sad/1.wav"])
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(CorpusError, match=r"1 recordings are in more than one .*one and two"):
        load_corpora({"one": tmp_path / "one", "two": tmp_path / "two"})


@bytes_in_names
def test_names_that_are_not_utf8_pass_through(make_files, tmp_path):
    name = "03a01Fa.wav"
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    make_files(folder, [f"sad/{UNDECODABLE}", "sad/b.wav"])
    make_files(folder / "berlin", [name])
    with pytest.warns(UserWarning, match="of the 535 expected"):
        assert load_corpus("emodb", folder / "berlin")["path"].tolist() == [
            str(folder / "berlin" / name)
        ]
    (folder / "berlin" / name).unlink()
    expected = sorted(str(folder / "sad" / file) for file in ("b.wav", UNDECODABLE))
    speech = load_folder(folder)
    assert speech["path"].tolist() == expected
    assert speech["corpus"].unique().tolist() == ["caf\\udce9"]
    rows = pd.DataFrame({"path": pd.Series(expected, dtype=object), "emotion": "sad"})
    assert load_table(rows, corpus="x")["path"].tolist() == expected
    assert (
        load_corpora({"a": folder, "b": rows.assign(path=[__file__, sys.executable])}).shape[0]
        == len(expected) + 2
    )
    assert list_recordings([folder]) == expected


@bytes_in_names
def test_ratings_join_recordings_whose_names_are_not_utf8(tmp_path):
    (tmp_path / "URDU.csv").write_text("filename,activation,valence\nSF1_F6_H06.wav,4,3.5\n")
    paths = pd.Series([f"/x/{UNDECODABLE}", "/x/SF1_F6_H06.wav"], dtype=object)
    speech = pd.DataFrame({"corpus": "urdu", "path": paths})
    with pytest.warns(UserWarning, match="no rating .* 1 of 2 recordings of urdu"):
        speech = load_annotations("das2022", tmp_path, speech)
    assert speech["valence"].fillna(0).tolist() == [0, 3.5]


@bytes_in_names
def test_audformat_has_no_place_for_names_that_are_not_utf8(make_files, tmp_path):
    pytest.importorskip("audformat")
    make_files(tmp_path, [f"sad/{UNDECODABLE}"])
    with pytest.raises(CorpusError, match=r"caf.*wav' is not UTF-8, .* rename the recording"):
        save_audformat(load_folder(tmp_path), tmp_path / "database")


@bytes_in_names
@pytest.mark.parametrize("column", ["path", "speaker"])
def test_table_file_with_names_that_are_not_utf8(column, make_files, tmp_path):
    make_files(tmp_path, [UNDECODABLE])
    cells = {"path": b"caf\xe9.wav", "speaker": b"1", column: b"caf\xe9.wav"}
    content = b"path,emotion,speaker\n" + cells["path"] + b",sad," + cells["speaker"] + b"\n"
    (tmp_path / "t.csv").write_bytes(content)
    if column == "path":
        speech = load_table(tmp_path / "t.csv")
        assert speech["path"].tolist() == [str(tmp_path / UNDECODABLE)]
        assert speech["speaker"].tolist() == ["t_1"]
        speech.to_csv(tmp_path / "again.csv", index=False, errors="surrogateescape")
        assert load_table(tmp_path / "again.csv").equals(speech)
    else:
        with pytest.raises(CorpusError, match=r"is not a table of .* UTF-8"):
            load_table(tmp_path / "t.csv")


def test_blanks_that_pad_a_path(make_files, tmp_path):
    make_files(tmp_path, ["a.wav", " b.wav"])
    frame = pd.DataFrame({"path": [" a.wav  ", " b.wav"], "emotion": "sad"})
    speech = load_table(frame, root=tmp_path, corpus="x")
    assert speech["path"].tolist() == [str(tmp_path / "a.wav"), str(tmp_path / " b.wav")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_copies_are_files_of_equal_content(tmp_path):
    contents = {"a": b"1234", "b": b"4321", "c": b"1234", "d": b"12345", "e": b"1234"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe2")
    (tmp_path / "folder").mkdir()
    names = [*contents, "pipe", "pipe2", "folder", "nowhere"]
    copies = copies_among([str(tmp_path / name) for name in names])
    assert copies == [str(tmp_path / "c"), str(tmp_path / "e")]


POINTER = LFS_POINTER + b"v1\noid sha256:" + b"0" * 64 + b"\nsize 98765\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.filterwarnings("ignore:.* recordings of the .* expected:UserWarning")
def test_git_lfs_pointers_are_named(make_files, tmp_path):
    make_files(tmp_path / "sad", ["03a01Fa.wav", "03a01Nc.wav", "08a05Wa.wav"])
    for name in ("03a01Fa.wav", "03a01Nc.wav"):
        (tmp_path / "sad" / name).write_bytes(POINTER)
    os.mkfifo(tmp_path / "sad" / "16b10Td.wav")
    assert len(pointers([tmp_path / "sad" / "03a01Fa.wav", tmp_path / "nowhere"])) == 1
    message = "2 of 4 files in .* are git-lfs pointers without sound; run `git lfs pull` there"
    for load in (
        load_folder,
        lambda folder: load_corpus("emodb", folder),
        lambda folder: list_recordings([folder]),
    ):
        with pytest.warns(UserWarning, match=message) as caught:
            load(tmp_path)
        assert len(caught) == 1


def test_table_that_is_a_git_lfs_pointer(make_files, tmp_path):
    (tmp_path / "t.csv").write_bytes(POINTER)
    with pytest.raises(CorpusError, match=r"t\.csv is a git-lfs pointer, .*git lfs pull"):
        load_table(tmp_path / "t.csv")
    make_files(tmp_path, ["AB0_anger_1.wav"])
    (tmp_path / "data.tsv").write_bytes(POINTER)
    with pytest.raises(CorpusError, match=r"data\.tsv is a git-lfs pointer, .*git lfs pull"):
        load_corpus("nemo", tmp_path)
