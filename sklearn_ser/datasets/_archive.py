"""Unpacking archives that come from elsewhere: regular files below one folder, or nothing."""

import bz2
import contextlib
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import PureWindowsPath

from sklearn_ser.exceptions import DownloadError

__all__ = ["unpack"]

_CHUNK = 1 << 20
_TAR_BLOCK = 512  # bytes that a tar archive counts in
_ENCRYPTED = 0x1  # bit of a zip member's flags

_ZIP = b"PK"
# How a compressed file begins, and what reads it. A tar archive may also come as it is.
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}

_DAMAGED = (
    EOFError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    NotImplementedError,
    tarfile.TarError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class _Budget:
    """What an archive may still unpack to; every member and every byte is taken from it."""

    def __init__(self, max_bytes, max_members, overhead=0):
        self.max_bytes, self.max_members, self.overhead = max_bytes, max_members, overhead
        self.n_bytes = self.n_members = 0

    def take_member(self):
        self.n_members += 1
        if self.n_members > self.max_members:
            raise DownloadError(
                f"the archive holds more than the {self.max_members} files and folders that it "
                "may hold"
            )

    def take_bytes(self, n):
        self.n_bytes += n
        if self.n_bytes > self.max_bytes + self.overhead:
            raise DownloadError(
                f"the archive unpacks to more than the {self.max_bytes} bytes that it may unpack to"
            )


class _CountedStream:
    """The uncompressed bytes of a tar archive; ends the reading where there are too many.

    The headers count as well: one that claims to be gigabytes long would be
    read into memory before any file is written.
    """

    def __init__(self, stream, budget):
        self._stream = stream
        # Each member and the mark at the end come in blocks, with up to three blocks for a
        # name that is too long for its own header.
        overhead = 8 * _TAR_BLOCK * (budget.max_members + 3)
        self._budget = _Budget(budget.max_bytes, 0, overhead)

    def read(self, n):
        data = self._stream.read(n)
        self._budget.take_bytes(len(data))
        return data


def _start(archive):
    with open(archive, "rb") as file:
        return file.read(max(map(len, _OPENERS)))


def _target(folder, name):
    """Return where a member goes; a name that leads anywhere else is refused.

    The rules are those of all systems at once, so that the same archives are
    refused everywhere: a backslash separates, and ``C:x`` is absolute.
    """
    path = PureWindowsPath(name)
    if "\0" in name or path.drive or path.root or ".." in path.parts:
        raise DownloadError(
            f"the archive has a member {name!r}, which lies outside of the folder that it is "
            "unpacked to"
        )
    return folder.joinpath(*path.parts)


def _write(source, target, budget):
    target.parent.mkdir(parents=True, exist_ok=True)
    # "x": a second member of the same name is no honest archive's.
    with open(target, "xb") as file:
        while chunk := source.read(_CHUNK):
            budget.take_bytes(len(chunk))
            file.write(chunk)


def _kind_of_zipped(member):
    """Return what a member of a zip archive is, in words; None if it may be unpacked."""
    if member.flag_bits & _ENCRYPTED:
        return "an encrypted file"
    # Systems without such modes leave them 0.
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a symbolic link"
    return None if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "a special file"


def _kind_of_tarred(member):
    if member.issym():
        return "a symbolic link"
    if member.islnk():
        return "a hard link"
    return None if member.isreg() or member.isdir() else "a special file"


def _refuse_kind(kind, name):
    if kind is not None:
        raise DownloadError(
            f"the archive has a member {name!r}, which is {kind}; only regular files and folders "
            "are unpacked"
        )


def _unpack_zip(archive, folder, budget):
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            budget.take_member()
            _refuse_kind(_kind_of_zipped(member), member.filename)
            target = _target(folder, member.filename)
            if member.is_dir() or member.filename.endswith("\\"):
                target.mkdir(parents=True, exist_ok=True)
                continue
            with opened.open(member) as source:
                _write(source, target, budget)


def _check_end(stream):
    """Check that nothing but zeros follows, as at the end of every complete tar archive.

    The reader stops without a word at a header that it does not understand.
    """
    n = 0
    while rest := stream.read(_CHUNK):
        n += len(rest)
        if rest.strip(b"\0"):
            raise tarfile.ReadError("there is more behind a header that cannot be read")
    if n < _TAR_BLOCK:
        raise tarfile.ReadError("the end is missing")


def _unpack_tar(archive, folder, budget):
    with contextlib.ExitStack() as stack:
        start = _start(archive)
        opener = next((o for magic, o in _OPENERS.items() if start.startswith(magic)), open)
        stream = _CountedStream(stack.enter_context(opener(archive, "rb")), budget)
        # "r|" reads from front to back and never seeks, so that every byte is counted.
        opened = stack.enter_context(tarfile.open(fileobj=stream, mode="r|"))
        for member in opened:
            budget.take_member()
            _refuse_kind(_kind_of_tarred(member), member.name)
            target = _target(folder, member.name)
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                _write(opened.extractfile(member), target, budget)
        _check_end(opened.fileobj)


def unpack(archive, folder, *, max_bytes, max_members):
    """Unpack a zip or tar archive into an empty folder, trusting nothing it says.

    Members are regular files and folders with names below `folder`. Owners,
    permissions and times stay behind. Bytes are counted as they come out, not
    as the archive declares them.

    Parameters
    ----------
    archive : pathlib.Path
        A zip archive, or a tar archive as it is or compressed by gzip, bzip2
        or xz; its content tells, not its name.
    folder : pathlib.Path
        Where to unpack to. The caller removes what was unpacked before an error.
    max_bytes : int
        Sum of the sizes of all files at which to stop.
    max_members : int
        Number of files and folders at which to stop.

    Raises
    ------
    DownloadError
        If the archive is of another kind, damaged, or larger than promised; if
        a member is a link, a device or encrypted, has a name that is absolute,
        contains ``..`` or occurs twice.
    OSError
        If a file cannot be written.
    """
    budget = _Budget(max_bytes, max_members)
    reader = _unpack_zip if _start(archive).startswith(_ZIP) else _unpack_tar
    try:
        reader(archive, folder, budget)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise DownloadError(
            f"the archive has two members of the same name, {error.filename}"
        ) from error
    except _DAMAGED as error:
        raise DownloadError(
            f"the archive is damaged, or none in zip or tar format: {error}"
        ) from error
