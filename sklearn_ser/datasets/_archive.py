"""Unpack untrusted archives: only regular files, only below one folder."""

import contextlib
import errno
import stat
import tarfile
import zipfile
from pathlib import PureWindowsPath

from sklearn_ser.datasets._archive_streams import (
    TAR_BLOCK,
    Budget,
    TarSource,
    ZipSource,
    open_compressed,
)
from sklearn_ser.exceptions import DownloadError

__all__ = ["unpack"]

_CHUNK = 1 << 16
_ZIP = b"PK"
_ENCRYPTED = 0x1  # bit of a zip member's flags
# Compression methods whose memory does not depend on the archive.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_MAX_DEPTH = 32  # folders within each other
_MAX_GLOBAL = 100  # headers that apply to all later members, each of which gets a copy

# System errors that the archive causes, by names or by offsets.
_FAULTS = (None, errno.EILSEQ, errno.EINVAL, errno.ELOOP, errno.ENAMETOOLONG)


def _target(folder, name):
    """Return the path of a member; raise if it lies outside of the folder.

    The rules of all operating systems apply at once, so that the same archives
    are refused everywhere: a backslash is a separator, and ``C:x`` is absolute.
    """
    path = PureWindowsPath(name)
    if "\0" in name or path.drive or path.root or ".." in path.parts:
        raise DownloadError(
            f"the archive has a member {name!r}, which lies outside of the folder that it is "
            "unpacked to"
        )
    if len(path.parts) > _MAX_DEPTH:
        raise DownloadError(
            f"the archive has a member {name[:100]!r}..., which lies in more than {_MAX_DEPTH} "
            "folders within each other"
        )
    return folder.joinpath(*path.parts)


def _write(source, target, size, budget):
    target.parent.mkdir(parents=True, exist_ok=True)
    n = 0
    # "x" fails for a second member of the same name, which no honest archive has.
    with open(target, "xb") as file:
        while chunk := source.read(_CHUNK):
            n += len(chunk)
            budget.take_bytes(len(chunk))
            file.write(chunk)
    if n != size:
        raise ValueError(f"{target.name} has {n} bytes, the archive declares {size}")


def _kind_of_zipped(member):
    """Describe a member of a zip archive that must not be unpacked; otherwise return None."""
    if member.flag_bits & _ENCRYPTED:
        return "an encrypted file"
    if member.compress_type not in _METHODS:
        return f"compressed by method {member.compress_type}, neither stored nor deflated"
    # Systems without file modes write 0.
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a symbolic link"
    return None if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "a special file"


def _kind_of_tarred(member):
    if member.issym():
        return "a symbolic link"
    if member.islnk():
        return "a hard link"
    if member.issparse():
        return "a sparse file, whose content depends on a map of holes"
    return None if member.isreg() or member.isdir() else "a special file"


def _refuse_kind(kind, name):
    if kind is not None:
        raise DownloadError(
            f"the archive has a member {name!r}, which is {kind}; only regular files and folders "
            "are unpacked"
        )


def _unpack_zip(archive, folder, budget):
    with ZipSource(archive, budget) as source, zipfile.ZipFile(source) as opened:
        source.reads_directory = False
        for member in opened.infolist():
            budget.take_member()
            _refuse_kind(_kind_of_zipped(member), member.filename)
            target = _target(folder, member.filename)
            if member.is_dir() or member.filename.endswith("\\"):
                target.mkdir(parents=True, exist_ok=True)
                continue
            with opened.open(member) as content:
                _write(content, target, member.file_size, budget)


def _check_end(source):
    """Check that only zeros follow, as at the end of every complete tar archive.

    The reader stops without an error at a header that it does not understand.
    """
    rest, n = source.last, 0
    while rest:
        if rest.strip(b"\0"):
            raise tarfile.ReadError("there is more behind a header that cannot be read")
        rest = source.read(TAR_BLOCK)
        n += len(rest)
    if n < TAR_BLOCK:
        raise tarfile.ReadError("the end is missing")


def _members_of(opened, source):
    while True:
        source.begin_header()
        member = opened.next()
        # Otherwise all members stay in memory, each with its copy of the global headers.
        opened.members.clear()
        if member is None:
            return
        if len(opened.pax_headers) > _MAX_GLOBAL:
            raise tarfile.ReadError(f"more than {_MAX_GLOBAL} headers for all members")
        if member.size < 0:
            raise tarfile.ReadError(f"{member.name} has {member.size} bytes")
        source.begin_content()
        yield member


def _unpack_tar(archive, folder, budget):
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(archive, "rb"))
        source = TarSource(open_compressed(file), budget)
        opened = stack.enter_context(tarfile.TarFile(fileobj=source))
        for member in _members_of(opened, source):
            budget.take_member()
            _refuse_kind(_kind_of_tarred(member), member.name)
            target = _target(folder, member.name)
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                _write(opened.extractfile(member), target, member.size, budget)
        source.begin_header()
        _check_end(source)


def _is_zip(archive):
    with open(archive, "rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def unpack(archive, folder, *, max_bytes, max_members):
    """Unpack an untrusted zip or tar archive into an empty folder.

    Members must be regular files and folders below `folder`. Owners,
    permissions and times are not restored. Unpacked bytes are counted, and their
    number must equal the one that the archive declares. Memory is bounded: the
    headers of a member of a tar archive may take 64 KiB, and 4 KiB on average;
    an entry in the directory of a zip archive, 1 KiB on average; xz may use
    256 MiB.

    Parameters
    ----------
    archive : pathlib.Path
        A zip archive, or a tar archive, uncompressed or compressed by gzip,
        bzip2 or xz. The content determines the format, not the name.
    folder : pathlib.Path
        Where to unpack to. After an error, the caller removes unpacked files.
    max_bytes : int
        Largest total size of all files.
    max_members : int
        Largest number of files and folders.

    Raises
    ------
    DownloadError
        If the archive has another format, is damaged or exceeds a limit; or if
        a member is a link, a device, sparse, encrypted or compressed in a rare
        way, or has a name that is absolute, contains ``..``, occurs twice, or
        is nested in more than 32 folders.
    OSError
        If a file cannot be written.
    """
    budget = Budget(max_bytes, max_members)
    try:
        reader = _unpack_zip if _is_zip(archive) else _unpack_tar
        reader(archive, folder, budget)
    except DownloadError:
        raise
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise DownloadError(
            f"the archive has two members of the same name, {error.filename}"
        ) from error
    except Exception as error:
        # The readers of the standard library raise exceptions of many types.
        if isinstance(error, OSError) and error.errno not in _FAULTS:
            raise
        raise DownloadError(
            "the archive is damaged, or not in zip or tar format: "
            f"{str(error) or type(error).__name__}"
        ) from error
