"""Make recordings sound as if made elsewhere: noise, bandwidth and telephone."""

import math

import numpy as np
import numpy.typing as npt

from sklearn_ser.audio._types import Rate, Samples
from sklearn_ser.audio._waveform import FULL_SCALE, check_rate, examine_waveform
from sklearn_ser.exceptions import AudioError

__all__ = ["add_noise", "coloured_noise", "fit_scale", "limit_bandwidth", "simulate_telephone"]

# Of telephony: the band in Hz that it transmits, its sampling rate, and its companding.
_TELEPHONE_BAND = (300.0, 3400.0)
_TELEPHONE_RATE = 8000
_MU = 255
_STEPS = 127  # on each side of 0: 8 bits

# 24 dB per octave on either side.
_ORDER = 4

# Below this frequency in Hz, pink noise is white: nobody hears it, and it would take most of
# the power.
_LOWEST_PINK = 20.0


def fit_scale(y: npt.NDArray[np.floating]) -> Samples:
    """Make a waveform quieter if it exceeds full scale, and return it as float32."""
    peak = float(np.abs(y).max(initial=0))
    return np.asarray(y * (FULL_SCALE / peak) if peak > FULL_SCALE else y, np.float32)


def coloured_noise(
    colour: str, n_samples: int, sr: Rate, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw white noise, or pink noise whose power falls by 3 dB per octave.

    Parameters
    ----------
    colour : {"white", "pink"}
        Kind of noise.
    n_samples, sr : int
        Length and sampling rate.
    rng : numpy.random.Generator
        Source of the noise.
    """
    white = rng.standard_normal(n_samples)
    if colour == "white":
        return white
    frequencies = np.fft.rfftfreq(n_samples, 1 / sr)
    # Power is proportional to 1 / f, the amplitude to its root.
    shape = 1 / np.sqrt(np.maximum(frequencies, _LOWEST_PINK))
    return np.fft.irfft(np.fft.rfft(white) * shape, n_samples)


def add_noise(y: npt.ArrayLike, noise: npt.ArrayLike, snr: float) -> Samples:
    """Add noise at a signal-to-noise ratio.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    noise : array-like of shape (n_samples,)
        Noise at any level.
    snr : float
        Power of `y`, pauses included, relative to that of the noise, in dB.

    Returns
    -------
    noisy : ndarray of shape (n_samples,), dtype float32
        The sum; quieter as a whole if it would exceed full scale.

    Raises
    ------
    AudioError
        `y` or the noise is silent, or has samples that are not finite; they differ in length;
        or the samples of `y` are not floating-point numbers.
    ValueError
        `snr` is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import add_noise
    >>> y = 0.1 * np.sin(np.arange(16000.0))
    >>> noisy = add_noise(y, np.random.default_rng(0).normal(size=16000), snr=10)
    >>> round(float(10 * np.log10(np.mean(y**2) / np.mean((noisy - y) ** 2))), 3)
    10.0
    """
    kind = np.asarray(y).dtype
    if kind.kind != "f":
        raise AudioError(
            f"The waveform has samples of type {kind}, expected floating-point numbers between -1 "
            "and 1. Divide 16-bit samples by 32768."
        )
    signal = np.asarray(y, np.float64)
    other = np.asarray(noise, np.float64)
    if signal.shape != other.shape or signal.ndim != 1 or not signal.size:
        raise AudioError(
            f"The waveform has the shape {signal.shape}, the noise {other.shape}; expected one "
            "dimension and equal lengths of at least one sample."
        )
    power, power_of_noise = float(np.mean(signal**2)), float(np.mean(other**2))
    if not math.isfinite(power + power_of_noise):
        what = "noise" if math.isfinite(power) else "waveform"
        raise AudioError(f"The {what} has samples that are NaN or infinite.")
    if not math.isfinite(snr):
        raise ValueError(f"snr is {snr}, expected a finite number of dB.")
    if not (power and power_of_noise):
        what = "noise" if power else "waveform"
        raise AudioError(f"The {what} is silent, so no level of noise gives {snr:g} dB.")
    factor = math.sqrt(power / power_of_noise * 10 ** (-snr / 10))
    return fit_scale(signal + factor * other)


def _resampled(y: Samples, sr: Rate, sampling_rate: Rate) -> Samples:
    import soxr

    return np.asarray(soxr.resample(y, sr, sampling_rate, quality="HQ"), np.float32)


def _with_length(y: Samples, n_samples: int) -> Samples:
    """Undo the rounding of lengths in resampling there and back."""
    return np.pad(y[:n_samples], (0, max(n_samples - len(y), 0)))


def limit_bandwidth(y: npt.ArrayLike, sr: Rate, sampling_rate: Rate) -> Samples:
    """Resample a waveform to a lower rate and back, as if recorded at that rate.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    sr : int
        Sampling rate of `y` in Hz.
    sampling_rate : int
        The lower rate; nothing is left above half of it. One that is not lower changes nothing.

    Returns
    -------
    limited : ndarray of shape (n_samples,), dtype float32

    Raises
    ------
    AudioError
        As for `check_waveform`, or a rate is not one of audio.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import limit_bandwidth
    >>> time = np.arange(16000) / 16000
    >>> low, high = (0.1 * np.sin(2 * np.pi * f * time) for f in (1000, 5000))
    >>> limited = limit_bandwidth(low + high, 16000, 8000)
    >>> round(float(np.abs(limited - low)[1000:-1000].max()), 3)
    0.0
    """
    sampling_rate = check_rate(sampling_rate, "sampling_rate")
    y, sr, _ = examine_waveform(y, sr, "the waveform")
    if sampling_rate >= sr:
        return y
    return fit_scale(
        _with_length(_resampled(_resampled(y, sr, sampling_rate), sampling_rate, sr), len(y))
    )


def _coded(y: Samples) -> Samples:
    """Round samples between -1 and 1 as the μ-law does: finely near 0."""
    code = np.sign(y) * np.log1p(_MU * np.abs(y)) / math.log1p(_MU)
    code = np.round(code * _STEPS) / _STEPS
    decoded = np.sign(code) * np.expm1(np.abs(code) * math.log1p(_MU)) / _MU
    return np.asarray(decoded, np.float32)


def simulate_telephone(y: npt.ArrayLike, sr: Rate, *, mu_law: bool = False) -> Samples:
    """Make a waveform sound as over a telephone line.

    The band from 300 to 3400 Hz is left (Butterworth filters of order 4, 3 dB down at these
    frequencies), sampled at 8 kHz and, if requested, coded in 8 bits by the μ-law of ITU-T
    G.711.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    sr : int
        Sampling rate of `y` and of the result in Hz.
    mu_law : bool, default=False
        Whether to add the noise of the coding.

    Returns
    -------
    transmitted : ndarray of shape (n_samples,), dtype float32

    Raises
    ------
    AudioError
        As for `check_waveform`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import simulate_telephone
    >>> time = np.arange(16000) / 16000
    >>> for f in (50, 1000, 6000):
    ...     y = np.sin(2 * np.pi * f * time) / 2
    ...     print(f, round(float(np.std(simulate_telephone(y, 16000)) / np.std(y)), 2))
    50 0.0
    1000 1.0
    6000 0.0
    """
    from scipy.signal import butter, sosfilt

    y, sr, _ = examine_waveform(y, sr, "the waveform")
    low, high = _TELEPHONE_BAND
    if high < sr / 2:
        filters = butter(_ORDER, (low, high), "bandpass", fs=sr, output="sos")
    else:
        filters = butter(_ORDER, low, "highpass", fs=sr, output="sos")
    rate = min(sr, _TELEPHONE_RATE)
    line = np.asarray(sosfilt(filters, y.astype(np.float64)), np.float32)
    if rate < sr:
        line = _resampled(line, sr, rate)
    if mu_law:
        line = _coded(np.clip(line, -1, 1))
    return fit_scale(_with_length(_resampled(line, rate, sr) if rate < sr else line, len(y)))
