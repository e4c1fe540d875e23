"""Checks that every waveform must pass."""

import math
import warnings
from collections.abc import Iterable
from numbers import Real
from typing import NamedTuple, SupportsFloat, TypeVar

import numpy as np
import numpy.typing as npt

from sklearn_ser.audio._types import Rate, Samples
from sklearn_ser.exceptions import AudioError, AudioWarning
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = [
    "FULL_SCALE",
    "MINIMUM_DURATION",
    "Levels",
    "Remark",
    "check_length",
    "check_max_duration",
    "check_rate",
    "check_waveform",
    "clip",
    "examine_waveform",
    "warn_of",
]

#: Shortest duration in seconds: one analysis frame of 60 ms.
MINIMUM_DURATION = 0.060

_Float = TypeVar("_Float", bound=np.floating)

#: The largest value that a 16-bit sample can take; +1.0 itself would wrap round to -1.
FULL_SCALE = 32767 / 32768

_RATES = (4000, 1_000_000)

# With this peak or more, samples beyond full scale are in another unit: floating-point
# recordings do not exceed full scale by 12 dB for more than a few samples.
_OTHER_UNIT = 4.0

# Share of samples at or beyond full scale from which a waveform counts as distorted. Speech
# that was recorded too loud has a few per mille.
_CLIPPED = 0.01

# The smallest step of a 16-bit sample. No real recording stays below it.
_SMALLEST_STEP = 2.0**-15

# Averaging n channels loses 10 log10(n) dB if they are independent, or if only one of them has
# a signal. A loss of 20 dB or more means opposite phase.
_CANCELLED = 0.01


class Remark(NamedTuple):
    """A reason to doubt the features of a recording: a short name and a clause."""

    kind: str
    text: str


def warn_of(remarks: Iterable[Remark], name: str) -> None:
    """Issue one `AudioWarning` per remark on a recording."""
    for remark in remarks:
        message = f"{name}: {remark.kind}: {remark.text}"
        warnings.warn(message, AudioWarning, stacklevel=caller_stacklevel())


def check_rate(sr: SupportsFloat, name: str) -> Rate:
    """Return a sampling rate as a plain int, or a plain float where it is not integral.

    Compiled functions and caches distinguish types: for a rate of type float16, functions would
    be compiled again and rows stored separately.
    """
    low, high = _RATES
    number = isinstance(sr, Real) and not isinstance(sr, bool | np.bool_)
    if not number or not low <= float(sr) <= high:
        shown = repr(sr) if isinstance(sr, str) else sr
        raise AudioError(
            f"{name}: the sampling rate is {shown}, expected a number of hertz of at least {low} "
            f"and at most {high}. Give the rate the samples were taken at, 16000 for example."
        )
    rate = float(sr)
    return int(rate) if rate.is_integer() else rate


def check_max_duration(max_duration: SupportsFloat) -> None:
    """Raise for a limit on the duration that allows everything, such as NaN, or nothing."""
    number = isinstance(max_duration, Real) and not isinstance(max_duration, bool | np.bool_)
    if not number or not float(max_duration) > 0:
        raise ValueError(
            f"max_duration is {plain(max_duration)!r}, expected a positive number of seconds, "
            "14400 for example."
        )


def _range(samples: npt.NDArray[np.floating], name: str) -> tuple[float, float]:
    """Return the extremes of samples; raise if samples are not finite."""
    if not samples.size:
        return 0.0, 0.0
    # The extremes of an array with a NaN are NaN, so one pass serves both purposes.
    low, high = float(samples.min()), float(samples.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise AudioError(
            f"{name}: {np.count_nonzero(~np.isfinite(samples))} of {samples.size} samples are NaN "
            "or infinite, expected finite numbers. Repair or leave out the recording."
        )
    return low, high


class Levels:
    """Statistics of the level of a recording, collected block by block in one pass.

    Parameters
    ----------
    name : str
        Name of the recording in error messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._n = self._n_full = self._n_beyond = 0
        self._low = self._high = 0.0
        self._power = self._power_of_channels = 0.0

    def take(self, block: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
        """Average the channels of the next block.

        Parameters
        ----------
        block : ndarray of shape (n_samples,) or (n_samples, n_channels)

        Returns
        -------
        mono : ndarray of shape (n_samples,)

        Raises
        ------
        AudioError
            If a sample is NaN or infinite.
        """
        mono = block[:, 0] if block.ndim == 2 and block.shape[1] == 1 else block
        low, high = _range(mono, self._name)
        if mono.ndim == 2:
            self._power_of_channels += float(np.vdot(block, block)) / block.shape[1]
            with np.errstate(over="ignore"):
                mono = block.mean(axis=1)
            self._power += float(np.vdot(mono, mono))
            low, high = _range(mono, self._name)
        self._n += mono.size
        self._low, self._high = min(self._low, low), max(self._high, high)
        if low <= -1 or high >= FULL_SCALE:
            self._n_full += int(np.count_nonzero(np.abs(mono) >= FULL_SCALE))
            self._n_beyond += int(np.count_nonzero(np.abs(mono) > 1))
        return mono

    def remarks(self) -> list[Remark]:
        """Return remarks on the level.

        Returns
        -------
        remarks : list of Remark
            Their kinds are "clipped", "cancelling channels", "digital silence"
            and "too quiet".

        Raises
        ------
        AudioError
            If the samples are in another unit than full scale = 1.
        """
        peak = max(-self._low, self._high)
        if peak >= _OTHER_UNIT and self._n_beyond >= _CLIPPED * self._n:
            raise AudioError(
                f"{self._name}: {self._n_beyond / self._n:.0%} of the samples are beyond full "
                f"scale and the largest is {peak:.5g}, expected numbers between -1 and 1. Divide "
                "samples at the scale of 16-bit integers by 32768."
            )
        found = []
        if self._n_full >= max(_CLIPPED * self._n, 1) or peak >= _OTHER_UNIT:
            found.append(
                Remark(
                    "clipped",
                    f"{self._n_full / self._n:.2%} of the samples reach full scale (the largest "
                    f"is {peak:.5g}), where the waveform is cut",
                )
            )
        if self._power < _CANCELLED * self._power_of_channels:
            loss = 10 * math.log10(self._power_of_channels / max(self._power, 1e-30))
            found.append(
                Remark(
                    "cancelling channels",
                    f"averaging the channels loses {min(loss, 300):.0f} dB: one of them has the "
                    "opposite phase; invert it, or keep one channel",
                )
            )
        elif peak == 0:
            found.append(Remark("digital silence", "every sample is 0"))
        elif peak < _SMALLEST_STEP:
            found.append(
                Remark(
                    "too quiet",
                    f"the largest sample is {peak:.2g}, below the smallest step of 16 bits; the "
                    "samples may have been divided by 32768 twice",
                )
            )
        return found


def clip(y: Samples, name: str) -> Samples:
    """Limit float32 samples to [-1, 32767/32768], in place."""
    # Checked again: huge finite samples overflow when they are resampled or made float32.
    low, high = _range(y, name)
    if low < -1 or high > FULL_SCALE:
        np.clip(y, -1, FULL_SCALE, out=y)
    return y


def check_length(n_samples: int, sr: Rate, name: str) -> None:
    """Raise for a recording shorter than one analysis frame."""
    if n_samples == 0:
        raise AudioError(f"{name}: no samples, expected at least {MINIMUM_DURATION:g} s of signal.")
    least = math.floor(MINIMUM_DURATION * sr + 0.5)
    if n_samples < least:
        raise AudioError(
            f"{name}: {n_samples} samples at {sr:g} Hz ({n_samples / sr:.3f} s), expected at least "
            f"{least} ({MINIMUM_DURATION:g} s), one analysis frame. Leave the recording out or pad "
            "it."
        )


def examine_waveform(
    y: npt.ArrayLike, sr: SupportsFloat, name: str
) -> tuple[Samples, Rate, list[Remark]]:
    """Check a waveform like `check_waveform`, but return remarks instead of warning.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        The samples, clipped.
    sr : int or float
        The rate as a plain number.
    remarks : list of Remark
        Reasons to doubt the features.
    """
    sr = check_rate(sr, name)
    y = np.asarray(y)
    if y.dtype.kind in "iu":
        raise AudioError(
            f"{name}: the samples are {y.dtype} integers, expected floating-point numbers "
            "between -1 and 1. Divide 16-bit samples by 32768."
        )
    if y.dtype.kind != "f":
        raise AudioError(
            f"{name}: the samples have dtype {y.dtype}, expected floating-point numbers between "
            "-1 and 1. Pass paths as text, or one array of samples per recording."
        )
    if y.ndim != 1:
        raise AudioError(
            f"{name}: got an array of shape {y.shape}, expected one dimension (mono). "
            "Average the channels first."
        )
    check_length(y.size, sr, name)
    levels = Levels(name)
    levels.take(y)
    remarks = levels.remarks()
    with np.errstate(under="ignore", over="ignore"):
        # A copy, because functions of users may change it in place.
        y = y.astype(np.float32)
    return clip(y, name), sr, remarks


def check_waveform(y: npt.ArrayLike, sr: SupportsFloat, *, name: str = "the waveform") -> Samples:
    """Check that features can be computed from a waveform.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    sr : int
        Sampling rate in Hz, 4000 to 1,000,000.
    name : str, default="the waveform"
        Name of the signal in error messages, usually the file.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        The samples, clipped to [-1, 32767/32768].

    Raises
    ------
    AudioError
        The samples are not floating-point numbers in one dimension, are
        infinite or NaN, or are fewer than one analysis frame of 60 ms; or at
        least 1 % of them are beyond full scale and the largest is 4 or more,
        which means another unit, such as that of 16-bit integers.

    Warns
    -----
    AudioWarning
        At least 1 % of the samples reach full scale, every sample is 0, or none
        reaches the smallest step of 16 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import check_waveform
    >>> y = np.sin(np.arange(1600.0))
    >>> y[100] = 1.5
    >>> round(float(check_waveform(y, 16000)[100]), 7)
    0.9999695
    """
    y, _, remarks = examine_waveform(y, sr, name)
    warn_of(remarks, name)
    return y
