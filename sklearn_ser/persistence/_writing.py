"""Writing a file so that it is either complete or what it was before."""

import contextlib
import os
import stat
import time
from pathlib import Path
from uuid import uuid4

from sklearn_ser.exceptions import PersistenceError

try:
    import fcntl
except ImportError:  # as on Windows
    fcntl = None

__all__ = ["write_beside"]

# Where files cannot be locked, what is older than this many seconds has been left behind.
_ABANDONED = 3600


def _lock(file):
    """Mark a file as in use, as long as it is open; tell whether that is so."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_abandoned(path):
    if fcntl is None:
        return time.time() - path.stat().st_mtime > _ABANDONED
    with path.open("rb") as file:
        return _lock(file)


def _start(target):
    # Names of files may have 255 bytes; the rest is for what makes this one unique.
    return f".{target.name[:50]}."


def _remove_abandoned(target):
    """Remove what processes have left that were killed while they wrote the same file."""
    start = _start(target)
    for path in target.parent.iterdir():
        if path.name.startswith(start) and path.name.endswith(".part"):
            with contextlib.suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode) and _is_abandoned(path):
                    path.unlink()


def write_beside(path, data):
    """Write a file beside its place and rename it.

    Parameters
    ----------
    path : path-like
        A file that is there is replaced; where a link leads, if it is one.
    data : bytes-like
        The content.

    Raises
    ------
    PersistenceError
        If there is something at the place that is no file.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise PersistenceError(
            f"{path} is there and is no regular file, expected the name of a file to write."
        )
    with contextlib.suppress(OSError):  # the folder may be one to write to but not to list
        _remove_abandoned(target)
    temporary = target.with_name(f"{_start(target)}{uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            _lock(file)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
