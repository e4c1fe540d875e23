"""The work on one recording: read it, identify it, compute its row."""

import contextlib
import functools
import hashlib
import sys
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from sklearn_ser.audio import examine_waveform, read_recording, recording_digest
from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._threads import SharedLimit

__all__ = ["Outcome", "checked_row", "compute", "digest", "name_of", "one_thread", "read"]


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
        Path of a file or segment, which is read once and never as a whole, or a waveform.

    Returns
    -------
    digest : bytes or None
        32 bytes; None if the item cannot be read or is not a waveform.
    """
    if isinstance(item, str):
        try:
            return recording_digest(item, _file_hash)
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


class Reading(NamedTuple):
    """A recording that has been read, of which no row is known yet."""

    position: int
    name: str
    y: np.ndarray
    sr: int
    remarks: tuple
    digest: bytes | None

    def outcome(self, row=None, error=None):
        """Return what became of it: its row, checked by `checked_row`, or an `AudioError`."""
        if error is not None:
            # The function knows the waveform, not where it came from.
            error = AudioError(f"{self.name}: {error}")
        return Outcome(
            self.position,
            row,
            error,
            digest=self.digest,
            duration=len(self.y) / self.sr,
            remarks=self.remarks if error is None else (),
        )


def read(position, item, *, sampling_rate, max_duration, keyed, augment=None):
    """Read one recording, or say why that is not possible.

    Parameters
    ----------
    position : int
        Passed on to the outcome; names a waveform in errors.
    item : str or ndarray
        Absolute path or waveform.
    sampling_rate, max_duration : int or None, float
        As in `sklearn_ser.audio.load_audio`.
    keyed : bool
        Whether to compute the digest as well.
    augment : callable or None
        From ``(y, sr, digest)`` to the waveform to use in place of `y`.

    Returns
    -------
    Reading, or Outcome with an `AudioError` or `OSError`
    """
    name = name_of(item, position)
    identified = keyed or augment is not None
    try:
        if isinstance(item, str):
            hash_ = _file_hash if identified else None
            y, sr, remarks, key = read_recording(
                item, sampling_rate, max_duration=max_duration, hash_=hash_
            )
        else:
            y, sr, remarks = examine_waveform(item, sampling_rate, name)
            key = digest(item) if identified else None
        if augment is not None:
            y = augment(y, sr, key)
    except (AudioError, OSError) as error:
        return Outcome(position, error=error)
    return Reading(position, name, y, sr, tuple(remarks), key if keyed else None)


def checked_row(values, n_columns, name):
    """Return what a function gave for a recording as a row of dtype float32.

    Raises
    ------
    ValueError
        It has another shape, which is no fault of the recording.
    """
    row = np.asarray(values, np.float32)
    if row.shape != (n_columns,):
        raise ValueError(
            f"{name}: the features have shape {row.shape}, expected ({n_columns},), one value for "
            "each name. Correct the function or its names."
        )
    return row


@one_thread()
def compute(function, position, item, *, n_columns, **reading):
    """Compute the row of one recording, or say why there is none.

    Parameters
    ----------
    function : callable
        From ``(y, sr)`` to a row.
    n_columns : int
        Length that the row must have.
    position, item, **reading
        As in `read`.

    Returns
    -------
    Outcome
        With a row of dtype float32, or an `AudioError` or `OSError`.

    Raises
    ------
    ValueError
        The row has another shape, which is an error of the function.
    """
    found = read(position, item, **reading)
    if isinstance(found, Outcome):
        return found
    try:
        values = function(found.y, found.sr)
    except (AudioError, OSError) as error:
        return found.outcome(error=error)
    return found.outcome(checked_row(values, n_columns, found.name))
