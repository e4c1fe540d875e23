"""The work on one recording: read it, identify it, compute its row."""

import contextlib
import functools
import hashlib
import sys
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from sklearn_ser.audio import examine_waveform, file_digest, open_recording, read_recording
from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._threads import SharedLimit

__all__ = ["Outcome", "compute", "digest", "name_of", "one_thread"]


class Outcome(NamedTuple):
    """The result for one recording: a row or an error."""

    position: int
    row: np.ndarray | None = None
    error: Exception | None = None
    digest: bytes | None = None
    duration: float = 0.0
    cached: bool = False
    remarks: tuple = ()


def name_of(item, position):
    """Return the name of a recording for messages."""
    return item if isinstance(item, str) else f"waveform {position}"


# Different keys, because a file whose bytes equal the samples of a waveform is not that waveform.
_file_hash = functools.partial(hashlib.blake2b, digest_size=32, person=b"file")
_waveform_hash = functools.partial(hashlib.blake2b, digest_size=32, person=b"waveform")


def digest(item):
    """Identify a recording by its content.

    Parameters
    ----------
    item : str or ndarray
        Path of a file, which is read once and never as a whole, or a waveform.

    Returns
    -------
    digest : bytes or None
        32 bytes; None if the item cannot be read or is not a waveform.
    """
    if isinstance(item, str):
        try:
            with open_recording(item) as file:
                return file_digest(file, item, _file_hash)
        except (AudioError, OSError):
            return None
    if item.dtype.kind != "f":
        return None
    hash_ = _waveform_hash(f"{item.dtype.str} {item.shape}".encode())
    hash_.update(np.ascontiguousarray(item))
    return hash_.digest()


_blas_limit = SharedLimit()


@functools.lru_cache(maxsize=1)
def _libraries(n_modules):
    """Find BLAS and OpenMP, which takes milliseconds, again only after new imports."""
    libraries = ThreadpoolController()
    return libraries.select(user_api="blas"), libraries.select(user_api="openmp")


@contextlib.contextmanager
def one_thread():
    """Limit BLAS and OpenMP to one thread, so that values do not depend on the workers.

    OpenBLAS obeys only the main thread, whereas OpenMP keeps a limit per thread.
    Code that starts threads therefore needs this context, and so do the threads.
    """
    blas, openmp = _libraries(len(sys.modules))
    limit = _blas_limit.enter(lambda: blas.limit(limits=1))
    try:
        with openmp.limit(limits=1):
            yield
    finally:
        _blas_limit.leave(lambda n_left: None if n_left else limit.restore_original_limits())


def _read(item, name, sampling_rate, max_duration, keyed):
    """Return waveform, rate, remarks and, if `keyed`, the digest of a recording."""
    if isinstance(item, str):
        hash_ = _file_hash if keyed else None
        return read_recording(item, sampling_rate, max_duration=max_duration, hash_=hash_)
    y, sr, remarks = examine_waveform(item, sampling_rate, name)
    return y, sr, remarks, digest(item) if keyed else None


@one_thread()
def compute(function, position, item, *, sampling_rate, max_duration, n_columns, keyed):
    """Compute the row of one recording, or return the reason why there is none.

    Parameters
    ----------
    function : callable
        From ``(y, sr)`` to a row.
    position : int
        Passed on to the outcome; names a waveform in errors.
    item : str or ndarray
        Absolute path or waveform.
    sampling_rate, max_duration : int or None, float
        As in `sklearn_ser.audio.load_audio`.
    n_columns : int
        Length that the row must have.
    keyed : bool
        Whether to compute the digest as well.

    Returns
    -------
    Outcome
        With a row of dtype float32, or an `AudioError` or `OSError`.

    Raises
    ------
    ValueError
        The row has another shape, which is an error of the function.
    """
    name = name_of(item, position)
    try:
        y, sr, remarks, key = _read(item, name, sampling_rate, max_duration, keyed)
    except (AudioError, OSError) as error:
        return Outcome(position, error=error)
    duration = len(y) / sr
    try:
        row = np.asarray(function(y, sr), np.float32)
    except (AudioError, OSError) as error:
        # The function knows the waveform, not where it came from.
        error = AudioError(f"{name}: {error}")
        return Outcome(position, error=error, digest=key, duration=duration)
    if row.shape != (n_columns,):
        raise ValueError(
            f"{name}: the features have shape {row.shape}, expected ({n_columns},), one value for "
            "each name. Correct the function or its names."
        )
    return Outcome(position, row, digest=key, duration=duration, remarks=tuple(remarks))
