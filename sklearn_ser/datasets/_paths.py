"""Resolve the paths of recordings."""

import os
import stat

from sklearn_ser.audio import LFS_POINTER, Segment

__all__ = [
    "absolute_path",
    "content_digest",
    "copies_among",
    "each_once",
    "file_identity",
    "file_of",
    "pointers",
]

# A git-lfs pointer has about 130 bytes in three lines; recordings are larger.
_LARGEST_POINTER = 512


def absolute_path(path):
    """Return an absolute path without ``.`` and ``..``, in which links are not resolved.

    After a link to a folder, ``..`` means the parent of the link's target, which
    cannot be written without dots; such a path keeps them.
    """
    path = os.path.join(os.getcwd(), os.fspath(path))
    short = os.path.abspath(path)
    if ".." in path.replace(os.sep, "/").split("/"):
        try:
            if not os.path.samefile(short, path):
                return path
        except (OSError, ValueError):
            if os.path.exists(path):
                return path
    return short


def file_of(path):
    """Return the file that a path means, without times or a channel; see `Segment`."""
    return Segment.parse(path).path


def file_identity(path):
    """Return an identifier that is equal for all spellings of a path.

    Symbolic links and letter case do not change it; two hard links to one file
    have different identifiers. For a path that does not exist, it is the
    absolute path.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return os.path.abspath(path)
    if status.st_nlink > 1 or not status.st_ino:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def each_once(paths):
    """Return the paths in their order, each file only once."""
    first = {}
    for path in paths:
        first.setdefault(file_identity(path), path)
    return list(first.values())


def _size_of_file(path):
    """Return the size of a regular file, or None; other files must not be opened (pipes block)."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def content_digest(path):
    """Return the SHA-256 of a file; if it is unreadable, its path, which is unique as well."""
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return path


def copies_among(paths):
    """Return the paths whose content equals that of an earlier path.

    Only files of equal size are read.
    """
    by_size = {}
    for path in paths:
        size = _size_of_file(path)
        if size is not None:
            by_size.setdefault(size, []).append(path)
    copies = []
    for suspects in by_size.values():
        seen = set()
        for path in suspects if len(suspects) > 1 else ():
            digest = content_digest(path)
            if digest in seen:
                copies.append(path)
            seen.add(digest)
    return copies


def pointers(paths):
    """Return the paths of git-lfs pointers; only tiny files are opened."""
    found = []
    for path in paths:
        size = _size_of_file(path)
        if size is None or not len(LFS_POINTER) <= size <= _LARGEST_POINTER:
            continue
        try:
            with open(path, "rb") as file:
                if file.read(len(LFS_POINTER)) == LFS_POINTER:
                    found.append(path)
        except OSError:
            continue
    return found
