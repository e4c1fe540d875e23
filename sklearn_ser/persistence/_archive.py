"""Unpack a zip archive of unknown origin into memory, within limits."""

import io
import os
import pickle
import stat
import zipfile
from pathlib import Path

from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.utils._advice import advice

__all__ = ["open_archive", "size_limit", "too_large", "unpack"]

# What a file may unpack to unless the caller says otherwise. Arrays of one value and descriptions
# of many small parts shrink to a hundredth; nothing that `save` writes shrinks further.
_FREE = 64 << 20
_RATIO = 100
_MOST = 2 << 30
_MAX_ENTRIES = 100_000

_CHUNK = 1 << 20
_DIRECTORY_RECORD = b"PK\x01\x02"
# How compressed pickles begin: zlib (of any level), gzip, bzip2, xz.
_COMPRESSED = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")


def size_limit(file_size, max_size=None):
    """Return how many bytes a file of `file_size` bytes may unpack to."""
    if max_size is not None:
        return max_size
    return min(_MOST, max(_FREE, _RATIO * file_size))


def too_large(path, what, limit):
    """Return the error for a file that unpacks to more than `limit` bytes."""
    return PersistenceError(
        f"{path} takes more than {limit / 2**20:.0f} MiB of memory ({what}). A small file that "
        f"unpacks to gigabytes can stop a machine, so it was refused. If you know its origin and "
        f"expect a model of this size, {advice('pass', 'load it in Python with')} "
        f"max_size={4 * limit} (in bytes)."
    )


def _read_file(path, limit):
    """Return the content of a regular file; opening anything else could block."""
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no file {str(path)!r} (looked in {Path.cwd()})."
        ) from None
    except (OSError, ValueError) as error:  # such as a NUL in the name
        raise PersistenceError(f"{str(path)!r} cannot be read: {error}.") from error
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(
            f"{str(path)!r} is a folder, expected a file that sklearn_ser.save has written."
        )
    # Check the descriptor again: by now the name may lead to another file.
    try:
        data = None
        if stat.S_ISREG(mode):
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            with open(os.open(path, flags), "rb") as file:
                status = os.fstat(file.fileno())
                if stat.S_ISREG(status.st_mode):
                    data = file.read(min(limit, status.st_size) + 1)
    except (OSError, MemoryError) as error:
        raise PersistenceError(f"{path} cannot be read: {error or 'too large'}.") from error
    if data is None:
        raise PersistenceError(
            f"{path} is not a regular file but a device, pipe or socket, expected a file that "
            f"sklearn_ser.save has written."
        )
    if len(data) > limit:
        raise too_large(path, "by its own size", limit)
    return data


def _refuse(path, data, error):
    """Raise the error for a file that is not a zip archive."""
    if data.startswith(b"PK"):
        raise PersistenceError(
            f"{path} is damaged: it begins like a model, but its directory cannot be read after "
            f"{len(data)} bytes. Copy it again, or save the model again."
        ) from error
    if data.startswith((pickle.PROTO, *_COMPRESSED)):
        raise PersistenceError(
            f"{path} looks like a pickle, whatever its name. Loading a pickle can run any code of "
            f"its author, so it was not opened. Save the model with sklearn_ser.save."
        ) from error
    raise PersistenceError(
        f"{path} is not a model: it begins with {data[:8]!r}, expected a file that "
        f"sklearn_ser.save has written."
    ) from error


def open_archive(path, max_size=None):
    """Read a file once and check its directory, so that the bytes checked are those loaded.

    Parameters
    ----------
    path : path-like
        A file.
    max_size : int, default=None
        Bytes that the file and its unpacked content may each take in memory. If None, the
        bound depends on the size of the file.

    Returns
    -------
    archive : zipfile.ZipFile
        The caller closes it.
    limit : int
        Number of bytes it may unpack to.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If it is not a zip archive, or has entries that no model has.
    """
    data = _read_file(path, _MOST if max_size is None else max_size)
    # In the raw bytes, as zipfile makes an object for each entry before it can be asked.
    if data.count(_DIRECTORY_RECORD) > _MAX_ENTRIES:
        raise PersistenceError(
            f"{path} has more than {_MAX_ENTRIES} entries, which is too many to read."
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile lists no exceptions for directories that lie
        _refuse(path, data, error)
    seen = set()
    for entry in archive.infolist():
        if problem := _problem(entry, seen):
            raise PersistenceError(
                f"{path} is damaged: its entry {entry.filename[:80]!r} {problem}."
            )
        seen.add(entry.filename)
    return archive, size_limit(len(data), max_size)


def _problem(entry, seen):
    """Return what is wrong with a record of the directory, or None."""
    name = entry.filename
    if name in seen:
        return "is there twice"
    if not name or name in (".", "..") or set(name) & set("/\\:\0"):
        return "has a name that is not plain"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {entry.compress_type}, expected 0 or 8"
    return None


def unpack(path, archive, entry, left, limit):
    """Yield the content of an entry in pieces, at most its declared size.

    Parameters
    ----------
    path : path-like
        Name of the file in messages.
    archive : zipfile.ZipFile
        From :func:`open_archive`.
    entry : zipfile.ZipInfo
        One of its entries.
    left : int
        Number of bytes the entry may unpack to.
    limit : int
        Number of bytes the whole file may unpack to, for messages.

    Yields
    ------
    piece : bytes

    Raises
    ------
    PersistenceError
        If the entry is damaged or larger than allowed.
    """
    if entry.file_size > left:
        raise too_large(path, f"its entry {entry.filename[:80]!r}", limit)
    try:
        with archive.open(entry) as stream:
            while piece := stream.read(_CHUNK):
                yield piece
    except MemoryError:
        raise
    except Exception as error:  # zipfile, zlib and struct raise what they like
        raise PersistenceError(
            f"{path} is damaged: its entry {entry.filename[:80]!r} cannot be unpacked "
            f"({type(error).__name__}: {error}). Copy it again, or save the model again."
        ) from error
