"""Files that are no models, or that would cost more than a model does."""

import os
import signal
import socket
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, load, save
from sklearn_ser.cli import main
from sklearn_ser.exceptions import PersistenceError, PersistenceWarning
from sklearn_ser.persistence import model_card

X = np.random.default_rng(0).normal(size=(40, 6))
Y = np.where(X[:, 0] > 0, "anger", "sadness")
HEADER, MODEL = "sklearn_ser.json", "schema.json"
READERS = [load, model_card]

posix = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and signals of POSIX")


@pytest.fixture
def path(tmp_path):
    save(SVC().fit(X, Y), tmp_path / "model.skops", card={"trained on": "noise"})
    return tmp_path / "model.skops"


@pytest.fixture
def small(monkeypatch):
    """Lower what any file may unpack to, so that tests of it are quick."""
    monkeypatch.setattr("sklearn_ser.persistence._archive._FREE", 2 << 20)


def entries_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, entries, method=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that are there twice
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in entries:
                archive.writestr(name, content)


def array(shape, dtype="<f8", content=b"", version=1):
    """Return an entry with a header that says what it likes."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + content


def forged(path, change):
    """Replace the first array of a model by what a function makes of it."""
    entries = entries_of(path)
    name = next(name for name in entries if name.endswith(".npy"))
    entries[name] = change(entries[name])
    write(path, entries.items())


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("entry", [HEADER, MODEL, "other.bin"])
def test_an_entry_that_unpacks_to_much_is_refused(read, entry, path, small):
    entries = entries_of(path)
    entries[entry] = entries.get(entry, b"") + b" " * (9 << 20)
    write(path, entries.items())
    with pytest.raises(PersistenceError, match=r"model\.skops (takes more than 2 MiB|is damaged)"):
        read(path)


def test_many_entries_count_together(path, small):
    entries = entries_of(path)
    entries |= {f"{i}.bin": bytes(1 << 19) for i in range(7)}
    write(path, entries.items())
    for read in READERS:
        with pytest.raises(PersistenceError, match=r"more than 2 MiB.*pass max_size="):
            read(path)
        read(path, max_size=5 << 20)


def test_a_size_of_the_callers(path):
    with pytest.raises(PersistenceError, match=r"takes more than .* MiB of memory"):
        load(path, max_size=5000)
    with pytest.raises(TypeError, match="max_size is '1 GB', expected a number of bytes"):
        load(path, max_size="1 GB")


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_declared_sizes_that_are_too_small(share, path):
    """An entry that unpacks to more than its record says is cut there, and not unpacked."""
    entries = entries_of(path)
    content = entries[MODEL] + b" " * (60 << 20)
    declared = int(share * len(entries[MODEL]))
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = compressor.compress(content) + compressor.flush()
    write(path, [(HEADER, entries[HEADER]), (MODEL, b"{}")], zipfile.ZIP_STORED)
    data = path.read_bytes()
    start = data.rindex(b"PK\x03\x04")
    directory = data.index(b"PK\x01\x02")
    crc = zlib.crc32(content[:declared])
    local = bytearray(data[start : start + 30])
    local[8:10] = struct.pack("<H", 8)
    local[14:26] = struct.pack("<III", crc, len(packed), declared)
    records = bytearray(data[directory:])
    second = records.rindex(b"PK\x01\x02")
    records[second + 10 : second + 12] = struct.pack("<H", 8)
    records[second + 16 : second + 28] = struct.pack("<III", crc, len(packed), declared)
    end = records.rindex(b"PK\x05\x06")
    body = data[:start] + bytes(local) + MODEL.encode() + packed
    records[end + 16 : end + 20] = struct.pack("<I", len(body))
    path.write_bytes(body + bytes(records))
    tracemalloc.start()
    with pytest.raises(PersistenceError, match="cannot be loaded: JSONDecodeError"):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (array("(1000000000000,)"), "has 0 bytes, expected"),
        (array("(-1,)", content=bytes(8)), "cannot be loaded"),
        (array("(1000000000000000,)", "<U0"), "is empty and has the shape"),
        (array("(0, 1000000000000)"), "is empty and has the shape"),
        (array("(1,)", "|O", bytes(8)), "holds objects"),
        (array("(2,)", content=bytes(8)), "has 8 bytes, expected those of float64"),
        (array("(1,)", content=bytes(16)), "has 16 bytes, expected"),
        (array("(" * 150 + ")" * 150), "cannot be loaded"),
        (array("(2L,", content=bytes(8)), "cannot be loaded: TokenError"),
        (array("(1,)", content=bytes(8), version=9), "cannot be loaded"),
        (array("(1,)", "<f8\xff"), "cannot be loaded"),
        (b"", "cannot be loaded"),
        (b"PK\x05\x06" + bytes(18), "cannot be loaded"),
        (b"\x80\x04K\x01.", "cannot be loaded"),
    ],
)
def test_arrays_that_are_none(entry, message, path):
    forged(path, lambda _: entry)
    with pytest.raises(PersistenceError, match=message):
        load(path)


def test_arrays_with_names_beyond_latin(path):
    """The third version of the format of numpy has a header in UTF-8."""
    model = CorpusScaler().fit(X)
    model.note_ = np.zeros(2, dtype=[("äß中", "<f8")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        save(model, path)
        assert load(path).note_.dtype.names == ("äß中",)


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/b", "a\\b", "C:x", "..", "folder/"])
@pytest.mark.parametrize("read", READERS)
def test_names_that_are_no_plain_ones(name, read, path):
    write(path, [*entries_of(path).items(), (name, b"x")])
    with pytest.raises(PersistenceError, match=r"is damaged: its entry .* not plain"):
        read(path)


@pytest.mark.parametrize("name", [HEADER, MODEL])
@pytest.mark.parametrize("read", READERS)
def test_names_that_are_there_twice(name, read, path):
    write(path, [*entries_of(path).items(), (name, b"{}")])
    with pytest.raises(PersistenceError, match=f"its entry '{name}' is there twice"):
        read(path)


def test_links_in_an_archive(path):
    link = zipfile.ZipInfo("link.npy")
    link.external_attr = 0o120777 << 16
    write(path, [*entries_of(path).items(), (link, b"/etc/passwd")])
    with pytest.raises(PersistenceError, match=r"'link\.npy' is a link"):
        load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_bounded(method, path):
    write(path, entries_of(path).items(), method)
    with pytest.raises(PersistenceError, match=f"compressed by method {method}, expected 0 or 8"):
        load(path)


def test_very_many_entries(path):
    path.write_bytes(path.read_bytes() + b"PK\x01\x02" * 100_001)
    with pytest.raises(PersistenceError, match="more than 100000 entries"):
        load(path)


@pytest.mark.parametrize("text", ['{"a": ' * 2000, "[" * 100_000, "[" * 400 + "]" * 400])
@pytest.mark.parametrize("entry", [HEADER, MODEL])
def test_lists_within_lists(text, entry, path):
    entries = entries_of(path)
    write(path, {**entries, entry: text}.items())
    with pytest.raises(PersistenceError, match=r"model\.skops (is damaged|cannot be loaded)"):
        load(path)


def test_a_description_that_is_small_and_takes_much(path, small):
    entries = entries_of(path)
    write(path, {**entries, MODEL: b"[" + b"[]," * 50_000 + b"[]]"}.items())
    with pytest.raises(PersistenceError, match=r"more than 2 MiB of memory \(its description\)"):
        load(path)
    part = b'{"__module__":"","__class__":"","__loader__":"JsonNode","content":"1"},'
    write(path, {**entries, MODEL: b"[" + part * 3000 + b"[]]"}.items())
    with pytest.raises(PersistenceError, match="more than 2048 parts"):
        load(path)


@posix
@pytest.mark.parametrize("read", READERS)
def test_what_is_not_a_regular_file(read, tmp_path):
    path = tmp_path / "model.skops"
    os.mkfifo(path)
    with pytest.raises(PersistenceError, match=r"model\.skops is not a regular file"):
        read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(PersistenceError, match=r"model\.skops is not a regular file"):
        read(path)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))
        with pytest.raises(PersistenceError, match="is not a regular file"):
            read(path)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(PersistenceError, match="cannot be read"):
        read(path)
    with pytest.raises(PersistenceError, match="cannot be read"):
        read("model\0.skops")


def test_a_sparse_file_of_many_gigabytes(tmp_path):
    path = tmp_path / "model.skops"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PersistenceError, match=r"more than 1 MiB.*by its own size"):
        load(path, max_size=1 << 20)


@pytest.mark.parametrize("command", ["info", "predict"])
@pytest.mark.parametrize(
    "kind", ["empty", "cut", "bomb", pytest.param("fifo", marks=posix), "json", "value"]
)
def test_bad_files_are_one_line_of_the_command_line(command, kind, path, small, capsys):
    entries = entries_of(path)
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(path.read_bytes()[:-30])
        case "bomb":
            write(path, {**entries, "x.bin": bytes(9 << 20)}.items())
        case "fifo":
            path.unlink()
            os.mkfifo(path)
        case "json":
            write(path, {**entries, HEADER: b"[" * 10_000}.items())
        case "value":
            write(path, {**entries, HEADER: b'{"format": 1, "card": {}, "versions": {}}'}.items())
    assert main([command, str(path), *[str(path)] * (command == "predict")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("sklearn-ser: error: ")
    assert str(path) in line


def test_a_card_of_odd_shape_is_shown_in_bounds(tmp_path, capsys):
    card = {"x" * 100_000: 1, **{str(i): "\ud800" for i in range(2000)}}
    save(SVC(), tmp_path / "model.skops", card=card)
    assert main(["info", str(tmp_path / "model.skops")]) == 0
    assert len(capsys.readouterr().out) < 1_000_000


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"rows": "x" * (5 << 20)}, "takes .* bytes as JSON, expected at most"),
        ("deep", "nested more than 50 deep"),
    ],
)
def test_cards_that_load_would_refuse(card, message, tmp_path):
    if card == "deep":
        card = {}
        for _ in range(60):
            card = {"card": card}
    with pytest.raises(PersistenceError, match=message):
        save(SVC(), tmp_path / "model.skops", card=card)
    assert os.listdir(tmp_path) == []


def test_what_shrinks_a_lot_is_stored_as_it_is(tmp_path, small):
    path = tmp_path / "model.skops"
    model = CorpusScaler().fit(X)
    model.note_ = np.zeros((50_000, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(model, path)
        assert load(path).note_.shape == (50_000, 10)
        model_card(path)


def test_a_large_model_tells_how_it_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_ser.persistence._archive._MOST", 1000)
    monkeypatch.setattr("sklearn_ser.persistence._archive._FREE", 1000)
    path = tmp_path / "model.skops"
    with pytest.warns(
        PersistenceWarning, match=r"larger than load allows.*max_size=\d+\)"
    ) as caught:
        save(SVC().fit(X, Y), path)
    with pytest.raises(PersistenceError, match="pass max_size="):
        load(path)
    size = int(str(caught[0].message).rpartition("max_size=")[2].rstrip(").")) + 100_000
    load(path, max_size=size)


def test_saving_through_a_link_keeps_the_link(path, tmp_path):
    link = tmp_path / "link.skops"
    link.symlink_to(path)
    save(SVC(), link)
    assert link.is_symlink()
    assert not hasattr(load(path), "classes_")


@posix
def test_saving_to_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "model.skops")
    for name in ("model.skops", "."):
        with pytest.raises(PersistenceError, match="not a regular file"):
            save(SVC(), tmp_path / name)
    assert os.listdir(tmp_path) == ["model.skops"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(error, path, monkeypatch):
    before = path.read_bytes()

    def interrupt(*_):
        raise error

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, interrupt)
        with pytest.raises(error):
            save(SVC(), path)
        assert path.read_bytes() == before
        assert os.listdir(path.parent) == [path.name]


def test_without_memory_neither_model_nor_file_is_blamed(path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("skops.io.dumps", full)
        with pytest.raises(MemoryError):
            save(SVC(), path)
    monkeypatch.setattr(zipfile.ZipExtFile, "read", full)
    with pytest.raises(PersistenceError, match=r"of memory \(more than there is\)"):
        load(path)


@posix
def test_what_a_killed_save_left_is_removed_by_the_next(path, monkeypatch):
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(os, "replace", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        try:
            save(SVC(), path)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(os.listdir(path.parent)) == 2
    save(SVC(), path)
    assert os.listdir(path.parent) == [path.name]
