"""Open recordings; no other module does."""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sklearn_ser.audio._types import Hasher, PathLike, Read
from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._file_kinds import special_kind

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["PatchedFile", "file_digest", "open_recording", "reader"]


def _check(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(f"{name} is a folder, expected an audio file.")
    kind = special_kind(status.st_mode)
    if kind is not None:
        raise AudioError(
            f"{name}: this is {kind}, expected a regular file. Copy its content into a file."
        )
    if status.st_size == 0:
        raise AudioError(f"{name}: the file is empty (0 bytes), expected audio. Fetch it again.")


@contextlib.contextmanager
def open_recording(path: PathLike) -> Iterator[io.FileIO]:
    """Open a recording after checking that reading it will end.

    Parameters
    ----------
    path : str or path-like
        The name may be in any encoding.

    Yields
    ------
    file : io.FileIO
        Positioned at its beginning, not buffered.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, AudioError
        The file does not exist; is a folder; or is empty, a pipe, a device or a
        socket.
    """
    name = str(path)
    try:
        # Checked before opening as well, because opening a device may start it.
        _check(os.stat(path), name)
        # The file may be replaced by a pipe in the meantime; opening must not wait for it.
        file = open(os.open(path, os.O_RDONLY | _FLAGS), "rb", buffering=0)  # noqa: SIM115
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"There is no file {name}. Relative paths start at {Path.cwd()}."
        ) from error
    except ValueError as error:
        if isinstance(error, AudioError):
            raise
        # The name holds a NUL, or letters that the file system cannot encode.
        raise AudioError(
            f"{name!r} cannot be the name of a file ({error}), expected the path of a recording."
        ) from error
    with file:
        _check(os.fstat(file.fileno()), name)
        yield file


_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


# First bytes of formats that are recognised by their content alone.
_KNOWN = (
    b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b".snd", b"dns.", b"caff", b"NIST", b"Creative",
    b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa",
)  # fmt: skip


def file_digest(file: io.FileIO, name: str, hash_: Hasher) -> bytes:
    """Return a digest of everything that determines the samples of an open recording.

    This is its content, and its suffix if the content does not identify the
    format, as in an MP3 file with bytes before its first frame.

    Parameters
    ----------
    file : io.FileIO
        Positioned at its beginning.
    name : str
        Path of the file.
    hash_ : callable
        Returns a new hash object of `hashlib`.
    """
    known = file.read(8).startswith(_KNOWN)
    file.seek(0)
    hashed = hashlib.file_digest(file, hash_)
    if not known:
        suffix = os.path.splitext(name)[1].lower()
        hashed.update(b"\0" + suffix.encode(errors="surrogateescape"))
    return hashed.digest()


def reader(file: io.FileIO) -> Read:
    """Return a function that reads a number of bytes at an offset of an open file."""

    def read(at: int, n: int) -> bytes:
        file.seek(at)
        parts = []
        while n > 0 and (part := file.read(n)):
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    return read


class PatchedFile(io.RawIOBase):
    """An open file in which some bytes are read differently.

    Parameters
    ----------
    file : io.FileIO
        Stays open when this object is closed.
    patches : sequence of (int, bytes)
        Offsets, and the bytes to read there.
    """

    def __init__(self, file: io.FileIO, patches: Sequence[tuple[int, bytes]]) -> None:
        self._file = file
        self._patches = patches

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        start = self._file.tell()
        n = self._file.readinto(buffer)
        for at, content in self._patches:
            first, last = max(at, start), min(at + len(content), start + n)
            if first < last:
                view[first - start : last - start] = content[first - at : last - at]
        return n
