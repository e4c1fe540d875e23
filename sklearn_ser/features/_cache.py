"""The SQLite store of computed rows."""

import contextlib
import os
import sqlite3
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np

from sklearn_ser._validation import caller_stacklevel
from sklearn_ser.exceptions import CacheError, CacheWarning

__all__ = ["FeatureCache"]

# How a file tells that it is one of ours: SQLite keeps both numbers in its header.
_APPLICATION = int.from_bytes(b"sSER", "big")
_FORMAT = 1

_SCHEMA = (
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_FORMAT}",
    "CREATE TABLE recipes (id INTEGER PRIMARY KEY, recipe TEXT NOT NULL UNIQUE)",
    "CREATE TABLE rows (recipe INTEGER NOT NULL REFERENCES recipes, digest BLOB NOT NULL, "
    "features BLOB NOT NULL, checksum INTEGER NOT NULL, UNIQUE (recipe, digest))",
)

_HAS_TABLES = "SELECT 1 FROM sqlite_master WHERE name = 'rows'"

# What SQLite answers where the content is not what it should be, whatever the disk does.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}

# Bytes with which every database begins.
_HEADER_SIZE = 100

# Seconds to wait for another process that is writing.
_PATIENCE = 60

# Seconds between transactions where each waits for the disk.
_INTERVAL = 0.5

_NETWORK_FILE_SYSTEMS = {
    "9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4",
    "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs",
}  # fmt: skip


def _lies_on_network(path, mounts="/proc/self/mounts"):
    """Whether a path is on a file system of other machines, which Linux and Windows tell."""
    if os.path.splitdrive(path)[0].startswith(r"\\"):
        return True
    try:
        table = Path(mounts).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    path = os.path.realpath(path)
    best, kind = "", ""
    for line in table.splitlines():
        _, place, type_, *_ = line.split(" ")
        for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
            place = place.replace(code, character)
        inside = path == place or path.startswith(place.rstrip("/") + "/")
        # Of two mounts at one place the later hides the earlier.
        if inside and len(place) >= len(best):
            best, kind = place, type_
    return kind in _NETWORK_FILE_SYSTEMS or kind.startswith("fuse.")


def _may_write(folder):
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _check_file(path):
    """Refuse what is no cache before SQLite touches it: opening alone can change a file."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"cache={path!r} is a folder, expected a file (made if need be).")
    if not os.path.exists(path):
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"There is no folder {folder} for cache={path!r}. Make it.")
        if not _may_write(folder):
            raise PermissionError(
                f"cache={path!r} cannot be made: no permission to write to {folder}. Name a file "
                "in a folder of your own."
            )
        return
    size = os.path.getsize(path)
    if size == 0:
        return
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(f"cache={path!r} cannot be read: no permission. Name another file.")
    remedy = "It was left as it is. Name another file, or move this one away."
    no_database = f"{path} is no database, expected a cache of sklearn-ser. {remedy}"
    if size < _HEADER_SIZE:
        raise CacheError(no_database)
    try:
        application, version = _read_header(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise CacheError(no_database) from error
        raise CacheError(f"The cache {path} is damaged ({error}). {remedy}") from error
    if application != _APPLICATION:
        raise CacheError(
            f"{path} is a database of another program, expected a cache of sklearn-ser. {remedy}"
        )
    if version != _FORMAT:
        raise CacheError(
            f"{path} is a cache of format {version}, written by another version of sklearn-ser, "
            f"expected format {_FORMAT}. {remedy}"
        )


def _read_header(path):
    """Return the two numbers that tell whose database a file is, without locks or changes.

    Through SQLite: to close a file that was opened without it releases the locks
    that other threads of this process hold on it, and damages what they write.
    """
    database = f"{Path(path).as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
        # Else a file that is shorter than its header says is refused: one that another process
        # is making at this moment, or was making when it was killed. SQLite can mend that.
        connection.execute("PRAGMA writable_schema = ON")
        return tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )


def _checksum(digest, features):
    return zlib.crc32(features, zlib.crc32(digest))


class FeatureCache:
    """Rows of features on disk, by recipe and digest of the recording.

    Stored rows survive the process being killed. Any number of processes of one
    machine may use the file at once. Where storing fails, as on a full disk, one
    warning tells and nothing more is stored; where the file is damaged, an error
    tells, because wrong rows are worse than none.

    Parameters
    ----------
    path : path-like
        The file; made if it does not exist.
    recipe : str
        What the values depend on besides the recording.
    n_columns : int
        Length of a row.

    Attributes
    ----------
    empty : bool
        Whether there was no row of this recipe at the beginning.

    Raises
    ------
    CacheError
        The file is no cache of this package and format, or is damaged. It was
        not changed.
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
        self._pending = []
        self._due = self._interval = 0
        # Looking up and storing happen in different threads.
        self._lock = threading.Lock()
        _check_file(self.path)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
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
            At most some hundreds; None is never found.

        Returns
        -------
        dict from bytes to ndarray of shape (n_columns,), dtype float32
            The rows of those that were found.
        """
        keys = [digest for digest in digests if digest is not None]
        with self._lock:
            if not self._usable:
                return {}
            try:
                found = self._execute(
                    "SELECT digest, features, checksum FROM rows WHERE recipe = ? AND digest IN "
                    f"({', '.join('?' * len(keys))})",
                    [self._find_recipe(), *keys],
                )
            except sqlite3.DatabaseError as error:
                self._fail(error, "is not used any more")
                return {}
        for digest, features, checksum in found:
            if len(features) != 4 * self._n_columns or checksum != _checksum(digest, features):
                raise self._damage("a row differs from what was stored")
        return {digest: np.frombuffer(features, "<f4") for digest, features, _ in found}

    def put(self, digest, row):
        """Store the row of a recording, unless it is there.

        Parameters
        ----------
        digest : bytes
            Of the recording's content.
        row : ndarray of shape (n_columns,)
            Stored in single precision.
        """
        features = row.astype("<f4").tobytes()
        with self._lock:
            self._pending.append((digest, features, _checksum(digest, features)))
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self):
        """Write what was stored to the file."""
        with self._lock:
            if self._pending and self._usable and self._stores:
                try:
                    self._write()
                except sqlite3.DatabaseError as error:
                    self._stores = False
                    self._fail(error, "takes no more rows, those it has remain", usable=True)
            self._pending.clear()
            self._due = time.monotonic() + self._interval

    def close(self):
        """Write what is left and let go of the file."""
        self.flush()
        self._disconnect()

    def _open(self):
        self._connect(self.path)
        try:
            known = self._execute(_HAS_TABLES)
        except sqlite3.OperationalError:
            # To read in WAL mode is to make files beside the database. Where nobody may make
            # them and nobody has, nobody writes either.
            if _may_write(os.path.dirname(self.path)) or os.path.exists(f"{self.path}-wal"):
                raise
            self._disconnect()
            self._connect(f"{Path(self.path).as_uri()}?immutable=1", uri=True)
        else:
            if not known:
                self._create()
            self._choose_journal()
        self.empty = not self._execute(
            "SELECT 1 FROM rows WHERE recipe = ? LIMIT 1", [self._find_recipe()]
        )
        self._usable = True

    def _connect(self, database, **options):
        self._connection = sqlite3.connect(
            database, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, **options
        )

    def _disconnect(self):
        self._usable = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, *statement):
        return self._connection.execute(*statement).fetchall()

    @contextlib.contextmanager
    def _transaction(self):
        try:
            self._execute("BEGIN IMMEDIATE")
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            raise

    def _create(self):
        # In one transaction that begins without WAL: whoever sees a header sees all of it.
        with self._transaction():
            if not self._execute(_HAS_TABLES):
                for statement in _SCHEMA:
                    self._execute(statement)

    def _choose_journal(self):
        # WAL is quick and lets others read meanwhile, but needs memory that all processes
        # share, which those of different machines do not.
        wanted = "delete" if _lies_on_network(self.path) else "wal"
        mode = self._execute("PRAGMA journal_mode")[0][0]
        if mode != wanted:
            # Others are using the file, or it is read-only: then it stays as it is.
            with contextlib.suppress(sqlite3.OperationalError):
                mode = self._execute(f"PRAGMA journal_mode = {wanted}")[0][0]
        self._interval = 0 if mode == "wal" else _INTERVAL
        self._execute("PRAGMA synchronous = NORMAL")

    def _find_recipe(self):
        if self._recipe_id is None:
            found = self._execute("SELECT id FROM recipes WHERE recipe = ?", [self._recipe])
            self._recipe_id = found[0][0] if found else None
        return self._recipe_id

    def _write(self):
        with self._transaction():
            if self._recipe_id is None:
                self._execute("INSERT OR IGNORE INTO recipes (recipe) VALUES (?)", [self._recipe])
            # Not by its number, which is not ours before the transaction has succeeded.
            self._connection.executemany(
                "INSERT OR IGNORE INTO rows (recipe, digest, features, checksum) "
                "SELECT id, ?, ?, ? FROM recipes WHERE recipe = ?",
                [(*row, self._recipe) for row in self._pending],
            )
        self._find_recipe()

    def _fail(self, error, consequence, *, usable=False):
        """Raise if the file is damaged, else go on without it and warn."""
        self._usable = usable
        if error.sqlite_errorcode & 0xFF in _DAMAGE:
            self._disconnect()
            raise self._damage(error) from error
        warnings.warn(
            f"The cache {self.path} {consequence} ({error}). Extraction goes on, and computes "
            "again next time what is not stored.",
            CacheWarning,
            stacklevel=caller_stacklevel(),
        )

    def _damage(self, reason):
        return CacheError(
            f"The cache {self.path} is damaged ({reason}). It was left as it is. Name another "
            "file, or delete this one: what it holds can be computed again."
        )
