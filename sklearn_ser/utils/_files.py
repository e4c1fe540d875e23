"""Write files that are either complete or absent."""

import contextlib
import errno
import hashlib
import os
import platform
import re
import stat
import time
from pathlib import Path
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None

__all__ = ["NewFile", "remove_stale", "replacing"]

# .NAME.HOST-PROCESS-NUMBER.tmp, where NAME is the final name of the file.
_TEMPORARY = re.compile(r"\.(.+)\.([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}\.tmp", re.DOTALL)
_HOST = hashlib.sha256(os.fsencode(platform.node())).hexdigest()[:8]
# File names may have 255 bytes, some of which the temporary name needs for its affixes.
_LONGEST = 180
# Seconds after which a temporary file of another machine counts as abandoned.
_ABANDONED = 86400
# Attempts, as another process may remove a file before it is locked.
_ATTEMPTS = 20
# Errors of a full disk, and of a file system that cannot be synchronised.
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_UNABLE = (errno.EINVAL, getattr(errno, "ENOTSUP", errno.EINVAL))


def _stem(name):
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST else hashlib.sha256(encoded).hexdigest()[:32]


def _is_written_in_place(path):
    """Whether a path leads to a pipe, a device or a descriptor of this process."""
    for _ in range(40):  # as many links as the system itself follows
        folder = os.path.dirname(os.path.abspath(path))
        if folder == "/dev/fd" or folder.startswith("/proc/"):
            return True
        if not os.path.islink(path):
            break
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _lock(descriptor):
    """Lock a file until it is closed; return False if another has locked it, None without locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return None if error.errno not in (errno.EAGAIN, errno.EACCES) else False
    return True


def _is_alive(process):
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove_if_stale(path, host, process):
    if fcntl is None:
        os.unlink(path)
        return
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        locked = _lock(descriptor)
        if host == _HOST:
            # A lock ends with its process, whose number may be reused. Some drives lack locks.
            stale = not _is_alive(process) if locked is None else locked
        else:
            stale = locked is not False and time.time() - found.st_mtime > _ABANDONED
        if stale and stat.S_ISREG(found.st_mode):
            os.unlink(path)
    finally:
        os.close(descriptor)


def remove_stale(folder, name=None):
    """Remove temporary files that killed processes have left behind.

    A process that is still writing holds a lock. Locks of other machines are not always
    visible, so a file of another machine counts as left behind after a day without changes.

    Parameters
    ----------
    folder : path-like
        Folder to search.
    name : str, default=None
        Final name of the file; None removes the temporary files of all names.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match and (name is None or match[1] == _stem(name)):
                with contextlib.suppress(OSError):
                    _remove_if_stale(entry.path, match[2], int(match[3]))


class NewFile:
    """A file that takes its name when it is complete.

    Until then it has a hidden name in the same folder, and an existing file of the final name
    is not changed. At the end of a ``with`` block the file is removed unless `commit` was
    called: after errors, Ctrl-C and signals that end the process in order. The next process
    that writes a file of the same name removes what a killed process has left behind.

    The file gets the permissions that opening it for writing would have given. A link stays a
    link, and its target is replaced. Pipes and devices, such as ``/dev/stdout``, are written to
    directly.

    Parameters
    ----------
    path : path-like
        The final name.
    mode : {"w", "wb"}, default="w"
        Text, in UTF-8 and without translation of line ends, or bytes.
    tidy : bool, default=True
        Whether to remove temporary files of the same name that killed processes have left
        behind. This lists the folder: before writing thousands of files, call `remove_stale`
        once instead.

    Attributes
    ----------
    file : file object
        The open file.
    """

    def __init__(self, path, mode="w", *, tidy=True):
        options = {} if mode == "wb" else {"encoding": "utf-8", "newline": ""}
        self._path = path
        self._temporary = None
        if _is_written_in_place(path):
            self.file = open(path, mode, **options)  # noqa: SIM115
            return
        self._target = Path(os.path.realpath(path))
        self._earlier = self._look_at_target()
        if tidy:
            remove_stale(self._target.parent, self._target.name)
        descriptor = self._create()
        try:
            if self._earlier is not None:
                self._take_over(descriptor)
            self.file = open(descriptor, mode, **options)  # noqa: SIM115
        except BaseException:
            os.close(descriptor)
            self._temporary.unlink(missing_ok=True)
            raise

    def _look_at_target(self):
        try:
            found = os.stat(self._target)
        except FileNotFoundError:
            return None
        if not os.access(self._target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._target))
        return found

    def _create(self):
        """Make the temporary file and lock it; return its descriptor."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        stem = _stem(self._target.name)
        for _ in range(_ATTEMPTS):
            number = uuid4().hex[:8]
            name = f".{stem}.{_HOST}-{os.getpid()}-{number}.tmp"
            self._temporary = self._target.with_name(name)
            try:
                descriptor = os.open(self._temporary, flags, 0o666)
            except OSError as error:
                # The hidden name means nothing to the user.
                error.filename = str(self._target)
                raise
            if fcntl is None or _lock(descriptor) is not False:
                with contextlib.suppress(OSError):
                    if os.path.samestat(os.stat(self._temporary), os.fstat(descriptor)):
                        return descriptor
            # Another process removed it as stale before it was locked.
            os.close(descriptor)
            self._temporary.unlink(missing_ok=True)
        reason = "other processes lock or remove every temporary file beside it"
        raise OSError(errno.EIO, reason, str(self._target))

    def _take_over(self, descriptor):
        """Give the file the permissions, and where possible the owner, of the earlier one."""
        if hasattr(os, "fchown"):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, self._earlier.st_uid, self._earlier.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(self._earlier.st_mode))

    def finish(self, *, sync=True):
        """Write everything to the disk, so that a full disk is noticed now.

        Parameters
        ----------
        sync : bool, default=True
            Whether to wait until the data are on the disk, which takes milliseconds. A power
            cut then cannot leave an empty file under the name.
        """
        try:
            self.file.flush()
            if sync and self._temporary is not None:
                os.fsync(self.file.fileno())
        except OSError as error:
            if error.errno not in _UNABLE:
                self._name(error)
                raise

    def commit(self, *, sync=True):
        """Give the file its name; `sync` as in `finish`."""
        self.finish(sync=sync)
        if self._temporary is None or fcntl is None:
            self.file.close()
        if self._temporary is not None:
            # Still open and locked, so that no other process removes it as stale.
            os.replace(self._temporary, self._target)
            self._temporary = None
        self.file.close()

    def discard(self):
        """Remove the file; after `commit`, do nothing."""
        try:
            with contextlib.suppress(OSError, ValueError):
                self.file.close()
        finally:
            if self._temporary is not None:
                self._temporary.unlink(missing_ok=True)
                self._temporary = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self._name(error)
        self.discard()

    def _name(self, error):
        """Add the name of the file to the error of a full disk."""
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            error.filename = str(self._path)


@contextlib.contextmanager
def replacing(path, mode="w", *, sync=True):
    """Open a file for writing that takes its name when the block ends without an error.

    Parameters
    ----------
    path, mode
        As in `NewFile`.
    sync : bool, default=True
        As in `NewFile.finish`.

    Yields
    ------
    file : file object

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "report.html"
    >>> with replacing(path) as file:
    ...     _ = file.write("<h1>")
    ...     path.exists()
    False
    >>> path.read_text()
    '<h1>'
    >>> folder.cleanup()
    """
    with NewFile(path, mode) as new:
        yield new.file
        new.commit(sync=sync)
