"""Storage of numba's machine code, checked for damage before the code is run."""

import contextlib
import hashlib
import io
import multiprocessing
import os
import sys
import threading
import warnings

from numba import config
from numba.core import caching

from sklearn_ser.exceptions import CacheWarning
from sklearn_ser.utils._progress import say, shows_bars
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["store_of", "warn_if_not_kept"]

_DIGEST_SIZE = 16


class _Announcement:
    """Say once per process why the first features take so long, where a person may be waiting."""

    def __init__(self):
        self._lock = threading.Lock()
        self._given = False

    def give(self, folder):
        if multiprocessing.parent_process() is not None or not shows_bars(sys.stderr):
            return
        with self._lock:
            given, self._given = self._given, True
        if not given:
            say(
                "Compiling the features, once on this machine: about 13 s. The machine code is "
                f"kept in {folder}."
            )


class _Reminder:
    """Warn once per process that machine code is not kept, but not in worker processes."""

    def __init__(self):
        self._lock = threading.Lock()
        self._given = False
        # Reason for which nothing can be kept, once known.
        self.reason = None

    def give(self):
        # The process that started a worker warns already.
        if multiprocessing.parent_process() is not None:
            return
        with self._lock:
            given, self._given = self._given, True
        if not given:
            warnings.warn(
                f"The machine code of the features cannot be kept: {self.reason}. It is compiled "
                "anew in every process that computes features, which takes about 13 s of CPU "
                "each time. Set the environment variable NUMBA_CACHE_DIR to a folder that can be "
                "written to.",
                CacheWarning,
                stacklevel=caller_stacklevel(),
            )


_announcement = _Announcement()
_reminder = _Reminder()


def warn_if_not_kept():
    """Warn if there is no place for machine code, before workers compile it silently."""
    if _reminder.reason is not None:
        _reminder.give()


def _digest(content):
    return hashlib.blake2b(content, digest_size=_DIGEST_SIZE).digest()


def _is_whole(path):
    with open(path, "rb") as file:
        content = file.read()
    return _digest(content[:-_DIGEST_SIZE]) == content[-_DIGEST_SIZE:]


class _Nowhere(caching.NullCache):
    """Keep nothing: numba found no folder that it can write to."""

    def load_overload(self, *args):
        _reminder.give()


class _CheckedFiles(caching.IndexDataCacheFile):
    """Numba's files with a digest at the end; a damaged file counts as missing.

    Numba trusts these files: an index that was cut off raises in every process
    until somebody deletes it, and machine code with changed bytes is run. Numba
    reads only up to the digest, so it can use these files without this class.
    """

    @contextlib.contextmanager
    def _open_for_write(self, path):
        with super()._open_for_write(path) as file:
            content = io.BytesIO()
            yield content
            file.write(content.getvalue() + _digest(content.getvalue()))

    def _load_index(self):
        with contextlib.suppress(Exception):
            if _is_whole(self._index_path):
                return super()._load_index()
        return {}

    def _load_data(self, name):
        path = self._data_path(name)
        if not _is_whole(path):
            raise FileNotFoundError(f"{path} is damaged")
        return super()._load_data(name)


class _Store(caching.FunctionCache):
    """Numba's store of machine code, whose errors never end an extraction."""

    def __init__(self, function):
        super().__init__(function)
        self._cache_file = _CheckedFiles(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, *args):
        # Code that cannot be loaded, for any reason, is compiled and its file replaced.
        found = None
        with contextlib.suppress(Exception):
            found = super().load_overload(*args)
        if found is None:
            _announcement.give(self._cache_path)
        return found

    def save_overload(self, *args):
        try:
            super().save_overload(*args)
        except OSError as error:
            _reminder.reason = f"{error.strerror or error} in {self._cache_path}"
            _reminder.give()


def store_of(function):
    """Return the store for the machine code of a function.

    If numba finds no folder that it can write to, the store keeps nothing and
    the first call of the function warns.
    """
    try:
        return _Store(function)
    except RuntimeError:
        tried = [config.CACHE_DIR] if config.CACHE_DIR else []
        tried.append(os.path.join(os.path.dirname(function.__code__.co_filename), "__pycache__"))
        _reminder.reason = (
            f"neither {' nor '.join(tried)} nor the cache folder of the user can be written to"
        )
        return _Nowhere()
