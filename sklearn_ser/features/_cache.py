"""The SQLite store of computed rows."""

import contextlib
import json
import os
import sqlite3
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np

from sklearn_ser.audio import Remark
from sklearn_ser.exceptions import CacheError, CacheWarning
from sklearn_ser.features._cache_file import (
    APPLICATION,
    FORMAT,
    check_file,
    lies_on_network,
    may_write,
)
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["FeatureCache"]

_TABLES = {
    "recipes": "CREATE TABLE recipes (id INTEGER PRIMARY KEY, recipe TEXT NOT NULL UNIQUE)",
    "rows": "CREATE TABLE rows (recipe INTEGER NOT NULL REFERENCES recipes, digest BLOB NOT NULL, "
    "features BLOB NOT NULL, checksum INTEGER NOT NULL, UNIQUE (recipe, digest))",
}

_SCHEMA = (
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
    *_TABLES.values(),
)

# SQLite's errors about the disk and other users of the file; all others concern its content.
_TROUBLES = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}  # fmt: skip

# SQLite's messages may quote bytes that are not text.
_ERRORS = (sqlite3.Error, UnicodeError)

# Size limit in bytes of a value that is read, unless a row is longer.
_MAX_LENGTH = 1 << 20

# An ordinary statement takes a few thousand steps of SQLite's machine. A file may be made to
# keep SQLite busy, so a statement is interrupted after _MAX_COUNT times _STEPS steps.
_STEPS = 100_000
_MAX_COUNT = 50

# Seconds to wait for another process that is writing.
_PATIENCE = 60

# Seconds between transactions where each waits for the disk.
_INTERVAL = 0.5


def _expected_schema():
    """Yield type, name, table and text of everything in a cache, as SQLite lists them."""
    for name, text in _TABLES.items():
        yield "table", name, name, text
        yield "index", f"sqlite_autoindex_{name}_1", name, None


def _decode(text):
    """Decode text of the file; bytes that are not UTF-8 must not raise within a query."""
    return text.decode(errors="surrogateescape")


def _decode_remarks(text):
    remarks = tuple(Remark(*entry) for entry in json.loads(text))
    if not all(isinstance(part, str) for remark in remarks for part in remark):
        raise TypeError("a remark is a kind and a clause")
    return remarks


def _checksum(digest, features):
    return zlib.crc32(features, zlib.crc32(digest))


class FeatureCache:
    """Store rows of features on disk, by recipe and digest of the recording.

    Stored rows survive if the process is killed. Any number of processes of one
    machine may use the file at once. If storing fails, for example on a full
    disk, one warning is issued and no more rows are stored. If the file is
    damaged, an error is raised, because wrong rows are worse than none. A file
    from an untrusted source cannot run code: views, triggers and unknown tables
    are refused, values are checked, and a statement that does not end is
    interrupted.

    Parameters
    ----------
    path : path-like
        The file; created if it does not exist.
    recipe : str
        Everything that the values depend on besides the recording.
    n_columns : int
        Length of a row.

    Attributes
    ----------
    empty : bool
        Whether the file had no row of this recipe when it was opened.

    Raises
    ------
    CacheError
        The file is not a cache of this package and format, or is damaged. It
        was left unchanged.
    FileNotFoundError, IsADirectoryError, PermissionError
        The file cannot be made or read.
    """

    def __init__(self, path, recipe, n_columns):
        self.path = os.path.abspath(path)
        self.empty = True
        self._recipe = recipe
        self._n_columns = n_columns
        self._recipe_id = None
        self._connection = None
        self._usable, self._stores = False, True
        self._count = 0
        self._pending = []
        self._due = self._interval = 0
        # Rows are looked up and stored in different threads.
        self._lock = threading.Lock()
        check_file(self.path)
        try:
            self._open()
        except _ERRORS as error:
            self._fail(error, "is not used")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def get(self, digests):
        """Look up recordings.

        Parameters
        ----------
        digests : list of bytes or None
            At most a few hundred; None is never found.

        Returns
        -------
        dict from bytes to (ndarray of shape (n_columns,), tuple of Remark)
            Rows, of dtype float32, and remarks of the recordings that were found.
        """
        keys = [digest for digest in digests if digest is not None]
        with self._lock:
            if not self._usable:
                return {}
            try:
                found = self._execute(
                    len(keys),
                    "SELECT digest, features, checksum FROM rows WHERE recipe = ? AND digest IN "
                    f"({', '.join('?' * len(keys))})",
                    [self._find_recipe(), *keys],
                )
            except _ERRORS as error:
                self._fail(error, "is no longer used")
                return {}
            return {row[0]: self._decode_row(*row) for row in found}

    def _decode_row(self, digest, features, checksum):
        # SQLite stores values of any type in any column, whatever the table declares.
        if (
            (type(digest), type(features), type(checksum)) != (bytes, bytes, int)
            or len(features) < 4 * self._n_columns
            or checksum != _checksum(digest, features)
        ):
            raise self._damage("a row differs from what was stored")
        row = np.frombuffer(features, "<f4", self._n_columns)
        if len(features) == 4 * self._n_columns:
            return row, ()
        try:
            return row, _decode_remarks(features[4 * self._n_columns :])
        except (ValueError, TypeError, RecursionError) as error:
            raise self._damage("a row is followed by something other than remarks") from error

    def put(self, digest, row, remarks=()):
        """Store the row of a recording, unless it is stored already.

        Parameters
        ----------
        digest : bytes
            Digest of the recording's content.
        row : ndarray of shape (n_columns,)
            Stored in single precision.
        remarks : sequence of Remark
            Reasons to doubt the features, for a warning each time they are used.
        """
        features = row.astype("<f4").tobytes()
        if remarks:
            features += json.dumps(remarks).encode()
        with self._lock:
            self._pending.append((digest, features, _checksum(digest, features)))
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self):
        """Write pending rows to the file."""
        with self._lock:
            if self._pending and self._usable and self._stores:
                try:
                    self._write()
                except _ERRORS as error:
                    self._stores = False
                    self._fail(error, "takes no more rows, but keeps those it has", usable=True)
            self._pending.clear()
            self._due = time.monotonic() + self._interval

    def close(self):
        """Write pending rows and close the file."""
        self.flush()
        self._disconnect()

    def _open(self):
        self._connect(self.path)
        try:
            known = self._check_schema()
        except sqlite3.OperationalError:
            # Reading in WAL mode creates files beside the database. If the folder is read-only
            # and these files do not exist, no process is writing, and the file is immutable.
            if may_write(os.path.dirname(self.path)) or os.path.exists(f"{self.path}-wal"):
                raise
            self._disconnect()
            self._connect(f"{Path(self.path).as_uri()}?immutable=1", uri=True)
            if not self._check_schema():
                raise
        else:
            if not known:
                self._create()
            self._choose_journal()
        self.empty = not self._execute(
            1, "SELECT 1 FROM rows WHERE recipe = ? LIMIT 1", [self._find_recipe()]
        )
        self._usable = True

    def _connect(self, database, **options):
        self._connection = sqlite3.connect(
            database, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, **options
        )
        self._connection.text_factory = _decode
        longest = max(_MAX_LENGTH, 8 * self._n_columns, 8 * len(self._recipe))
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self._connection.set_progress_handler(self._takes_too_long, _STEPS)
        self._execute(1, "PRAGMA trusted_schema = OFF")

    def _takes_too_long(self):
        self._count += 1
        return self._count > _MAX_COUNT

    def _check_schema(self):
        """Return whether the tables exist; raise if the file holds anything else."""
        expected = set(_expected_schema())
        found = self._execute(len(expected), "SELECT type, name, tbl_name, sql FROM sqlite_master")
        if found and set(found) != expected:
            raise self._damage("it does not hold exactly the tables of a cache")
        return bool(found)

    def _disconnect(self):
        self._usable = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, most, *statement):
        """Return the rows of a statement; more than `most` means that the file is damaged."""
        self._count = 0
        found = self._connection.execute(*statement).fetchmany(most + 1)
        if len(found) > most:
            raise self._damage("it holds more rows than a cache can have")
        return found

    @contextlib.contextmanager
    def _transaction(self):
        try:
            self._execute(0, "BEGIN IMMEDIATE")
            yield
            self._execute(0, "COMMIT")
        except BaseException:
            if self._connection is not None and self._connection.in_transaction:
                self._execute(0, "ROLLBACK")
            raise

    def _create(self):
        # In one transaction, and before WAL is chosen: a process that sees the header of the
        # file then sees its tables as well.
        with self._transaction():
            if not self._check_schema():
                for statement in _SCHEMA:
                    self._execute(1, statement)

    def _choose_journal(self):
        # WAL is fast and allows reading during writing, but needs memory shared by all
        # processes, which is impossible between machines.
        wanted = "delete" if lies_on_network(self.path) else "wal"
        mode = self._execute(1, "PRAGMA journal_mode")[0][0]
        if mode != wanted:
            # If others are using the file, or it is read-only, the mode stays as it is.
            with contextlib.suppress(sqlite3.OperationalError):
                mode = self._execute(1, f"PRAGMA journal_mode = {wanted}")[0][0]
        self._interval = 0 if mode == "wal" else _INTERVAL
        self._execute(0, "PRAGMA synchronous = NORMAL")

    def _find_recipe(self):
        if self._recipe_id is None:
            found = self._execute(1, "SELECT id FROM recipes WHERE recipe = ?", [self._recipe])
            self._recipe_id = found[0][0] if found else None
        return self._recipe_id

    def _write(self):
        with self._transaction():
            if self._recipe_id is None:
                self._execute(
                    0, "INSERT OR IGNORE INTO recipes (recipe) VALUES (?)", [self._recipe]
                )
            # By the text of the recipe: its number is certain only after the transaction.
            self._connection.executemany(
                "INSERT OR IGNORE INTO rows (recipe, digest, features, checksum) "
                "SELECT id, ?, ?, ? FROM recipes WHERE recipe = ?",
                [(*row, self._recipe) for row in self._pending],
            )
        self._find_recipe()

    def _fail(self, error, consequence, *, usable=False):
        """Raise if the file is damaged; otherwise warn and continue without it."""
        self._usable = usable
        # Errors raised by Python's sqlite3 module itself have no code.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _TROUBLES:
            raise self._damage(error) from error
        warnings.warn(
            f"The cache {self.path} {consequence} ({error}). Extraction continues; rows that "
            "are not stored will be computed again next time.",
            CacheWarning,
            stacklevel=caller_stacklevel(),
        )

    def _damage(self, reason):
        """Close the file, and return the error to raise."""
        self._disconnect()
        return CacheError(
            f"The cache {self.path} is damaged ({reason}). It was left unchanged. Name another "
            "file, or delete this one: its rows can be computed again."
        )
