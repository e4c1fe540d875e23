import contextlib
import os
import random
import shutil
import socket
import sqlite3
import tempfile
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sklearn_ser.audio import Remark
from sklearn_ser.exceptions import CacheError, CacheWarning
from sklearn_ser.features import _cache
from sklearn_ser.features._cache import FeatureCache

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and signals of POSIX")


def make_rows(n, n_columns=4, seed=0):
    rng = np.random.default_rng(seed)
    return {rng.bytes(32): rng.normal(size=n_columns).astype(np.float32) for _ in range(n)}


def put_all(cache, rows):
    for digest, row in rows.items():
        cache.put(digest, row)


def fill(path, rows, recipe="a"):
    with FeatureCache(path, recipe, 4) as cache:
        put_all(cache, rows)


def look_up(path, digests, recipe="a"):
    with FeatureCache(path, recipe, 4) as cache:
        return cache.get(list(digests))


def look_up_all(path, rows):
    digests = list(rows)
    found = {}
    for i in range(0, len(digests), 500):
        found |= look_up(path, digests[i : i + 500])
    return found


def assert_same(found, rows):
    assert found.keys() == rows.keys()
    for digest, row in rows.items():
        np.testing.assert_array_equal(found[digest][0], row)
        assert found[digest][1] == ()


@contextlib.contextmanager
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features.sqlite"


@pytest.fixture
def filled(path):
    """A cache of 500 rows: its path and the rows."""
    rows = make_rows(500)
    fill(path, rows)
    return path, rows


@pytest.fixture
def open_folder():
    """A folder that other users may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


@contextlib.contextmanager
def somebody():
    """Be a user whom permissions hold back."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_rows_come_back_as_they_were(path):
    rows = make_rows(300)
    rows[b"\0" * 32] = np.array([np.nan, np.inf, -0.0, 1e-45], np.float32)
    with no_warning():
        with FeatureCache(path, "a", 4) as cache:
            assert cache.empty
            for digest, row in rows.items():
                cache.put(digest, row.astype(float))
            assert_same(cache.get([*rows, None, b"\1" * 32]), rows)
        assert_same(look_up(path, rows), rows)
    assert os.listdir(path.parent) == [path.name]


def test_recipes_do_not_mix(path):
    first, second = make_rows(10), {digest: -row for digest, row in make_rows(10).items()}
    fill(path, first, "a")
    with FeatureCache(path, "b", 4) as cache:
        assert cache.empty
        assert cache.get(list(first)) == {}
    fill(path, second, "b")
    assert_same(look_up(path, first, "a"), first)
    assert_same(look_up(path, first, "b"), second)


def test_the_first_row_of_a_recording_stays(path):
    rows = make_rows(5)
    fill(path, rows)
    fill(path, {digest: row + 1 for digest, row in rows.items()})
    assert_same(look_up(path, rows), rows)


def test_the_file_holds_numbers_and_text_only(filled):
    path, rows = filled
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (recipe,) = connection.execute("SELECT recipe FROM recipes").fetchall()
        table = connection.execute("SELECT digest, features FROM rows").fetchall()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert recipe == ("a",)
    assert_same({key: (np.frombuffer(row, "<f4"), ()) for key, row in table}, rows)


def test_an_empty_file_is_a_new_cache(path):
    path.touch()
    fill(path, make_rows(1))
    assert_same(look_up(path, make_rows(1)), make_rows(1))


def test_a_name_that_means_something_to_sqlite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "a b?mode=memory#%20.sqlite", "file:x"):
        fill(name, make_rows(2))
        assert Path(name).is_file()
        assert_same(look_up(name, make_rows(2)), make_rows(2))


def foreign_database(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (digest BLOB)")
        connection.commit()


def other_format(path):
    fill(path, make_rows(3))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def without_tables(path):
    fill(path, make_rows(3))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE recipes")


def cut(size):
    def make(path):
        fill(path, make_rows(500))
        path.write_bytes(path.read_bytes()[:size])

    return make


def overwrite(start, stop=None):
    def make(path):
        fill(path, make_rows(500))
        content = bytearray(path.read_bytes())
        place = slice(start, stop)
        content[place] = random.Random(0).randbytes(len(content[place]))
        path.write_bytes(content)

    return make


def use(path):
    look_up(path, make_rows(500))
    fill(path, make_rows(500, seed=1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("path,emotion\n" * 50), "is not a database, expected a"),
        (lambda path: path.write_text("a"), "is not a database"),
        (lambda path: path.write_bytes(random.Random(0).randbytes(9000)), "is not a database"),
        (foreign_database, "is a database of another program, expected a cache of sklearn-ser"),
        (other_format, "is a cache of format 999.*expected format 1"),
        (without_tables, "is damaged .*does not hold exactly the tables"),
        (cut(60), "is not a database"),
        (cut(100), "is damaged"),
        (cut(5000), "is damaged"),
        (cut(-4096), "is damaged"),
        (overwrite(100, 4096), "is damaged"),
        (overwrite(4096), "is damaged"),
    ],
    ids=[
        "table", "letter", "noise", "foreign", "format", "tables", "cut header", "cut page",
        "cut pages", "last page", "first page", "other pages",
    ],
)  # fmt: skip
def test_what_is_no_cache_is_refused_and_left_alone(path, make, message):
    make(path)
    before = path.read_bytes()
    with pytest.raises(CacheError, match=message) as error:
        use(path)
    assert str(path) in str(error.value)
    assert "Name another file" in str(error.value)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
ROWS = _cache._TABLES["rows"]


@pytest.mark.parametrize(
    "statements",
    [
        (
            "DROP TABLE rows",
            f"CREATE VIEW rows AS {ENDLESS} SELECT 1 AS recipe, x'00' AS digest, x'00' AS "
            "features, n AS checksum FROM r",
        ),
        (
            "DROP TABLE recipes",
            f"CREATE VIEW recipes AS {ENDLESS} SELECT n AS id, 'b' AS recipe FROM r",
        ),
        ("CREATE VIEW more AS SELECT * FROM rows",),
        ("CREATE TABLE more (a)",),
        ("CREATE TRIGGER more AFTER INSERT ON rows BEGIN DELETE FROM rows; END",),
        ("CREATE INDEX more ON rows (hex(features))",),
        ("CREATE INDEX more ON rows (features)",),
        ("DROP TABLE rows", ROWS.replace("features BLOB NOT NULL", "features BLOB AS (digest)")),
        ("DROP TABLE rows", ROWS.replace("BLOB", "TEXT")),
        ("DROP TABLE rows", ROWS.replace("NOT NULL, ", "NOT NULL , ")),
        ("DROP TABLE rows", f"{ROWS} WITHOUT ROWID".replace("UNIQUE", "PRIMARY KEY")),
        ("DROP TABLE rows",),
        ("DROP TABLE rows", "DROP TABLE recipes", "CREATE TABLE a (b)"),
        *(
            ("PRAGMA writable_schema = ON", f"UPDATE sqlite_master SET {change}")
            for change in (
                "sql = NULL",
                "sql = CAST(x'ff' AS TEXT) WHERE name = 'rows'",
                "name = CAST(x'ff' AS TEXT) WHERE name = 'rows'",
                "type = x'ff'",
                "rootpage = 77",
            )
        ),
    ],
)
def test_what_holds_more_or_less_than_the_tables_is_refused(filled, statements):
    path, _ = filled
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(CacheError, match=r"is damaged .*Name another file"):
        use(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        "features = 'text'",
        "features = CAST(x'ff80' AS TEXT)",
        "features = CAST(features AS TEXT)",
        "features = zeroblob(5000000)",
        "features = 1.5",
        "features = 7",
        "features = x''",
        "checksum = 'text'",
        "checksum = 1.5",
        "checksum = x'00'",
        "checksum = -1",
        "checksum = 9223372036854775807",
    ],
)
def test_values_of_other_types_are_noticed(filled, change):
    path, rows = filled
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE rows SET {change} WHERE rowid = 3")
        connection.commit()
    with pytest.raises(CacheError, match=r"is damaged \((a row differs|string or blob too big)"):
        look_up(path, rows)


def test_a_statement_that_does_not_end_is_interrupted(path):
    with FeatureCache(path, "a", 4) as cache:
        with pytest.raises(sqlite3.OperationalError, match="interrupted") as caught:
            cache._execute(1, f"{ENDLESS} SELECT n FROM r WHERE n < 0")
        with pytest.raises(CacheError, match=r"is damaged \(interrupted\)"):
            cache._fail(caught.value, "is not used")
    with FeatureCache(path, "a", 4) as cache, pytest.raises(CacheError, match="more rows than"):
        cache._execute(1, f"{ENDLESS} SELECT n FROM r")


@pytest.mark.parametrize("name", ["_execute", "_write"])
def test_messages_that_are_no_text(name, path, monkeypatch):
    def fail(*args):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr(FeatureCache, name, fail)
    with pytest.raises(CacheError, match=r"is damaged .*can't decode byte"):
        fill(path, make_rows(1))


@posix
@pytest.mark.parametrize("companion", ["", "-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_special_files_are_refused_and_never_opened(tmp_path, kind, companion, monkeypatch):
    monkeypatch.chdir(tmp_path)  # The name of a socket is short.
    if companion:
        fill("x", make_rows(1))
    if kind == "pipe":
        os.mkfifo(f"x{companion}")
    else:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(f"x{companion}")
    with pytest.raises(CacheError, match=rf"x{companion} is a (named pipe|socket), expected a reg"):
        FeatureCache("x", "a", 4)


@posix
def test_a_name_that_is_not_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9")
    rows = make_rows(3)
    fill(path, rows)
    assert_same(look_up(path, rows), rows)


def test_changed_values_are_noticed(filled):
    path, rows = filled
    digest, row = next(iter(rows.items()))
    content = path.read_bytes()
    place = content.index(row.tobytes())
    for byte in range(place, place + row.nbytes):
        damaged = bytearray(content)
        damaged[byte] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CacheError, match=r"damaged \(a row differs from"):
            look_up(path, [digest])


def test_rows_of_another_length_are_noticed(filled):
    path, rows = filled
    with FeatureCache(path, "a", 5) as cache, pytest.raises(CacheError, match="a row differs"):
        cache.get(list(rows))


def test_folders_and_places_that_do_not_exist(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder, expected a file"):
        FeatureCache(tmp_path, "a", 4)
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*no for cache=.* Create it"):
        FeatureCache(tmp_path / "no" / "x", "a", 4)


@posix
def test_a_folder_that_cannot_be_written(open_folder):
    open_folder.chmod(0o555)
    with somebody(), pytest.raises(PermissionError, match=r"no permission to write to .*own"):
        FeatureCache(open_folder / "x", "a", 4)
    assert os.listdir(open_folder) == []


@posix
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o444)])
def test_a_read_only_cache_gives_rows_and_takes_none(open_folder, folder_mode, file_mode):
    path = open_folder / "x"
    rows, more = make_rows(20), make_rows(3, seed=1)
    fill(path, rows)
    path.chmod(file_mode)
    open_folder.chmod(folder_mode)
    before = path.read_bytes()
    with somebody():
        with no_warning():
            assert_same(look_up(path, rows), rows)
        with FeatureCache(path, "a", 4) as cache:
            with pytest.warns(CacheWarning, match="takes no more rows.*readonly") as caught:
                put_all(cache, more)
            assert len(caught) == 1
            assert_same(cache.get([*rows, *more]), rows)
    assert path.read_bytes() == before


@posix
def test_a_file_that_cannot_be_read(open_folder):
    path = open_folder / "x"
    fill(path, make_rows(1))
    path.chmod(0)
    with somebody(), pytest.raises(PermissionError, match="x"):
        FeatureCache(path, "a", 4)


@posix
def test_a_full_disk_ends_storing_not_extraction(path):
    import resource

    rows = make_rows(2000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Of whatever file; SQLite sees what it sees on a full disk: a write that fails.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        with pytest.warns(CacheWarning, match="takes no more rows.*Extraction continues") as caught:
            fill(path, rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with no_warning():
        found = look_up_all(path, rows)
    assert 100 < len(found) < 2000
    assert_same(found, {digest: rows[digest] for digest in found})
    fill(path, rows)
    assert_same(look_up_all(path, rows), rows)


def test_a_limit_of_the_database_ends_storing_too(path, monkeypatch):
    connect = FeatureCache._connect

    def limited(self, *args, **options):
        connect(self, *args, **options)
        self._execute(1, "PRAGMA max_page_count = 20")

    monkeypatch.setattr(FeatureCache, "_connect", limited)
    with pytest.warns(CacheWarning, match="database or disk is full") as caught:
        fill(path, make_rows(2000))
    assert len(caught) == 1
    assert look_up(path, list(make_rows(2000))[:10]).keys() == set(list(make_rows(2000))[:10])


def test_a_disk_that_is_full_from_the_beginning(path, monkeypatch):
    monkeypatch.setattr(_cache, "_SCHEMA", ("PRAGMA max_page_count = 1", *_cache._SCHEMA))
    with pytest.warns(CacheWarning, match="is not used .*full"):
        cache = FeatureCache(path, "a", 4)
    with no_warning(), cache:
        put_all(cache, make_rows(3))
        assert cache.get(list(make_rows(3))) == {}


def test_a_file_that_others_do_not_let_go_of(filled, monkeypatch):
    path, rows = filled
    monkeypatch.setattr(_cache, "_PATIENCE", 0.1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with FeatureCache(path, "a", 4) as cache:
            assert_same(cache.get(list(rows)), rows)
            with pytest.warns(CacheWarning, match="takes no more rows.*locked"):
                cache.put(b"\0" * 32, rows[next(iter(rows))])


def test_on_a_network_drive_without_wal(path, monkeypatch):
    monkeypatch.setattr(_cache, "lies_on_network", lambda path: True)
    rows = make_rows(200)
    with no_warning():
        with FeatureCache(path, "a", 4) as cache:
            for digest, row in rows.items():
                cache.put(digest, row)
            assert not Path(f"{path}-wal").exists()
            cache.flush()
            # Others see what was written.
            assert_same(look_up(path, rows), rows)
            cache.put(b"\0" * 32, rows[next(iter(rows))])
        assert b"\0" * 32 in look_up(path, [b"\0" * 32])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_cache_that_was_moved_to_a_network_drive(filled, monkeypatch):
    path, rows = filled
    monkeypatch.setattr(_cache, "lies_on_network", lambda path: True)
    assert_same(look_up(path, rows), rows)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_threads_that_open_and_close_while_others_write(path):
    # Closing a file that SQLite did not open would release the locks of all of them.
    rows = make_rows(400)
    with FeatureCache(path, "a", 4), ThreadPoolExecutor(4) as threads:
        parts = [dict(list(rows.items())[i::40]) for i in range(40)]
        list(threads.map(fill, [path] * 40, parts))
        assert_same(look_up(path, rows), rows)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_no_file_is_opened_around_sqlite(filled, monkeypatch):
    path, rows = filled
    monkeypatch.setattr("builtins.open", None)
    monkeypatch.setattr(_cache, "lies_on_network", lambda path: False)
    assert_same(look_up(path, rows), rows)


def begin_without_end(path, statements):
    """Copy a database in the middle of a transaction, as a killed process leaves it."""
    copy = path.with_name("killed")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        # Pages go to the file before the end of the transaction.
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(*statement)
        for digest, row in make_rows(500, seed=2).items():
            values = 1, digest, row.tobytes(), 0
            connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", values)
        shutil.copy(path, copy)
        shutil.copy(f"{path}-journal", f"{copy}-journal")
        connection.execute("ROLLBACK")
    assert Path(f"{copy}-journal").stat().st_size > 0
    return copy


def test_killed_in_the_middle_of_a_transaction(filled):
    path, rows = filled
    content = path.read_bytes()
    copy = begin_without_end(path, [])
    assert copy.read_bytes() != content
    with no_warning():
        assert_same(look_up(copy, [*rows, *list(make_rows(500, seed=2))[:100]]), rows)


def test_killed_while_the_file_was_made(filled):
    path, _ = filled
    new = path.with_name("new")
    copy = begin_without_end(new, [(statement,) for statement in _cache._SCHEMA])
    # The first page was written, which counts the others.
    copy.write_bytes(path.read_bytes()[:4096])
    with no_warning():
        with FeatureCache(copy, "a", 4) as cache:
            assert cache.empty
        fill(copy, make_rows(3))
        assert_same(look_up(copy, make_rows(3)), make_rows(3))


class TestRemarks:
    REMARKS = (Remark("cut off", "it declares 2 s"), Remark("gap", "page 7 “é”"))

    def test_they_come_back_with_the_row(self, path):
        rows = make_rows(2)
        first, second = rows
        with FeatureCache(path, "a", 4) as cache:
            cache.put(first, rows[first], self.REMARKS)
            cache.put(second, rows[second])
        with FeatureCache(path, "a", 4) as cache:
            found = cache.get(list(rows))
        np.testing.assert_array_equal(found[first][0], rows[first])
        assert found[first][1] == self.REMARKS
        assert found[second][1] == ()

    @pytest.mark.parametrize(
        "tail", [b"{", b"7", b"[7]", b"[[1, 2]]", b'[["a"]]', b"\xff", b"null"]
    )
    def test_what_is_no_remark_is_damage(self, path, tail):
        (digest, row), *_ = make_rows(1).items()
        with FeatureCache(path, "a", 4) as cache:
            cache.put(digest, row)
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            features = row.astype("<f4").tobytes() + tail
            connection.execute(
                "UPDATE rows SET features = ?, checksum = ?",
                [features, zlib.crc32(features, zlib.crc32(digest))],
            )
        with (
            FeatureCache(path, "a", 4) as cache,
            pytest.raises(CacheError, match=r"is damaged \(a row is followed by something other"),
        ):
            cache.get([digest])
