"""Checks of a cache file before SQLite opens it."""

import contextlib
import os
import sqlite3
import stat
from pathlib import Path

from sklearn_ser.exceptions import CacheError
from sklearn_ser.utils._file_kinds import special_kind

__all__ = ["APPLICATION", "FORMAT", "check_file", "lies_on_network", "may_write"]

# Numbers that SQLite keeps in the header of a database: its owner and its format.
APPLICATION = int.from_bytes(b"sSER", "big")
FORMAT = 1

# Bytes with which every database begins.
_HEADER_SIZE = 100

# Files that SQLite creates beside the database, and opens if they exist.
_COMPANIONS = ("-journal", "-wal", "-shm")

_REMEDY = "It was left unchanged. Name another file, or move this one away."

_NETWORK_FILE_SYSTEMS = {
    "9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4",
    "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs",
}  # fmt: skip


def lies_on_network(path, mounts="/proc/self/mounts"):
    """Whether a path is on a network file system, which is known on Linux and Windows."""
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


def may_write(folder):
    """Return whether the user may create files in a folder."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _mode_of(path):
    """Return the mode of what a path leads to, or None where it leads to nothing."""
    try:
        return os.stat(path).st_mode
    except OSError:
        return None
    except ValueError as error:
        raise CacheError(f"cache={path!r} cannot be the name of a file: {error}.") from error


def _check_place(path):
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no folder {folder} for cache={path!r}. Create it.")
    if not may_write(folder):
        raise PermissionError(
            f"cache={path!r} cannot be created: no permission to write to {folder}. Name a file "
            "in a folder of your own."
        )


def _check_regular(path):
    """Refuse special files, which may never end or may block when opened."""
    mode = _mode_of(path)
    kind = None if mode is None else special_kind(mode)
    if kind is not None:
        raise CacheError(f"{path} is {kind}, expected a regular file. {_REMEDY}")


def check_file(path):
    """Refuse files that are not a cache before SQLite opens them, which may change a file.

    Raises
    ------
    CacheError
        The file is a special file, not a database, a database of another
        program or format, or damaged.
    FileNotFoundError, IsADirectoryError, PermissionError
        The file cannot be created or read.
    """
    mode = _mode_of(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(f"cache={path!r} is a folder, expected a file (created if needed).")
    for companion in _COMPANIONS:
        _check_regular(path + companion)
    if mode is None:
        _check_place(path)
        return
    _check_regular(path)
    size = os.path.getsize(path)
    if size == 0:
        return
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(f"cache={path!r} cannot be read: no permission. Name another file.")
    _check_header(path, size)


def _check_header(path, size):
    no_database = f"{path} is not a database, expected a cache of sklearn-ser. {_REMEDY}"
    if size < _HEADER_SIZE:
        raise CacheError(no_database)
    try:
        application, version = _read_header(path)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise CacheError(no_database) from error
        raise CacheError(f"The cache {path} is damaged ({error}). {_REMEDY}") from error
    except (TypeError, ValueError) as error:
        # SQLite returned nothing, or its message quotes bytes that are not text.
        raise CacheError(f"The cache {path} is damaged ({error}). {_REMEDY}") from error
    if application != APPLICATION:
        raise CacheError(
            f"{path} is a database of another program, expected a cache of sklearn-ser. {_REMEDY}"
        )
    if version != FORMAT:
        raise CacheError(
            f"{path} is a cache of format {version}, written by another version of sklearn-ser, "
            f"expected format {FORMAT}. {_REMEDY}"
        )


def _read_header(path):
    """Return the numbers that identify owner and format, without locks or changes.

    They are read through SQLite. Closing a file that was opened in another way
    releases the locks that other threads of this process hold on it, and what
    these threads write could then damage the file.
    """
    database = f"{Path(path).as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
        # Without this, SQLite refuses a file shorter than its header says: one that another
        # process is creating, or was creating when it was killed. SQLite can repair both.
        connection.execute("PRAGMA writable_schema = ON")
        return tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
