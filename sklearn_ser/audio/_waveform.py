"""The checks that every waveform passes."""

import math
from numbers import Real

import numpy as np

from sklearn_ser.exceptions import AudioError

__all__ = ["MINIMUM_DURATION", "check_rate", "check_waveform"]

#: Seconds of signal below which there is not one 60 ms analysis frame.
MINIMUM_DURATION = 0.060

# The largest value that a 16-bit sample can take; +1.0 itself would wrap round to -1.
_FULL_SCALE = np.float32(32767 / 32768)


def check_rate(sr, name):
    if not isinstance(sr, Real) or not 4000 <= sr < math.inf:
        raise AudioError(
            f"{name}: the sampling rate is {sr!r}, expected a number of hertz of at least 4000. "
            "Give the rate the samples were taken at, 16000 for example."
        )


def check_waveform(y, sr, *, name="the waveform"):
    """Check that a waveform is one that features can be computed from.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    sr : int
        Sampling rate in Hz.
    name : str, default="the waveform"
        What error messages call the signal: usually the file.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        The samples, clipped to [-1, 32767/32768].

    Raises
    ------
    AudioError
        The samples are not floating-point numbers in one dimension, are
        infinite or NaN, or are fewer than one analysis frame of 60 ms.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import check_waveform
    >>> check_waveform(np.full(1600, 2.0), 16000)[0]
    np.float32(0.9999695)
    """
    check_rate(sr, name)
    y = np.asarray(y)
    if y.dtype.kind in "iu":
        raise AudioError(
            f"{name}: the samples are {y.dtype} integers, expected floating-point numbers "
            "between -1 and 1. Divide 16-bit samples by 32768."
        )
    if y.dtype.kind != "f":
        raise AudioError(
            f"{name}: the samples have dtype {y.dtype}, expected floating-point numbers between "
            "-1 and 1. Give paths as text or one array of samples for each recording."
        )
    if y.ndim != 1:
        raise AudioError(
            f"{name}: got an array of shape {y.shape}, expected one dimension (mono). "
            "Average the channels first."
        )
    if y.size == 0:
        raise AudioError(f"{name}: no samples, expected at least {MINIMUM_DURATION:g} s of signal.")
    if y.size < math.floor(MINIMUM_DURATION * sr + 0.5):
        raise AudioError(
            f"{name}: {y.size} samples at {sr:g} Hz last {y.size / sr:.3f} s, expected at least "
            f"{MINIMUM_DURATION:g} s, one analysis frame. Leave the recording out or pad it."
        )
    if not np.isfinite(y).all():
        raise AudioError(
            f"{name}: {np.count_nonzero(~np.isfinite(y))} of {y.size} samples are NaN or infinite, "
            "expected finite numbers. Repair or leave out the recording."
        )
    return np.clip(y, -1, _FULL_SCALE).astype(np.float32, copy=False)
