"""Formants: frequencies and bandwidths of the roots of a linear predictor."""

import math
from functools import lru_cache

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._framing import round_half_up
from sklearn_ser.features._egemaps._roots import polynomial_roots

__all__ = [
    "N_FORMANTS",
    "PREDICTOR_ORDER",
    "ascending",
    "formants",
    "levinson",
    "predictors",
]

N_FORMANTS = 3
# 5.5 kHz hold about five resonances of a vocal tract: two poles each, and one for the slope.
_RATE = 11000
PREDICTOR_ORDER = 11
# Lags of the autocorrelation that are summed: 12 are needed, 16 are whole vectors.
_LAGS = 16
# Poles close to 0 Hz or to the Nyquist frequency describe the slope, not a resonance.
_LOWEST, _HIGHEST = 50.0, 5450.0


@lru_cache(maxsize=32)
def _resampling_tables(grid):
    """Return cosines and sines that turn bins 1..kmax-1 of a 20 ms frame into samples at 11 kHz."""
    n_out = round_half_up(grid.length * _RATE / grid.sampling_rate)
    # Length of the padded transform in samples of 11 kHz, not rounded: the angles are those
    # of an inverse transform of that length, evaluated at the first n_out points only.
    duration = grid.fft_size * n_out / grid.length
    k = np.arange(1, min(grid.fft_size, n_out) // 2)
    angle = 2 * np.pi * k[:, None] * np.arange(n_out) / duration
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


@inlined
def _resample(p, q, cosines, sines, scale, x, y):
    """Sum cosines and sines in float32, bin after bin, for the spectra of two frames."""
    n_bins, n = cosines.shape
    for i in range(n):
        x[i], y[i] = p[0], q[0]
    # Reading the tables takes most of the time: two frames share it, and two bins share a pass
    # over the signals. The order of the sums is that of bins.
    for k in range(0, n_bins - 1, 2):
        p_re, p_im, p_re2, p_im2 = p[2 * k + 2], p[2 * k + 3], p[2 * k + 4], p[2 * k + 5]
        q_re, q_im, q_re2, q_im2 = q[2 * k + 2], q[2 * k + 3], q[2 * k + 4], q[2 * k + 5]
        for i in range(n):
            c, s, c2, s2 = cosines[k, i], sines[k, i], cosines[k + 1, i], sines[k + 1, i]
            x[i] = (((x[i] + p_re * c) - p_im * s) + p_re2 * c2) - p_im2 * s2
            y[i] = (((y[i] + q_re * c) - q_im * s) + q_re2 * c2) - q_im2 * s2
    for k in range(n_bins - n_bins % 2, n_bins):
        for i in range(n):
            x[i] = (x[i] + p[2 * k + 2] * cosines[k, i]) - p[2 * k + 3] * sines[k, i]
            y[i] = (y[i] + q[2 * k + 2] * cosines[k, i]) - q[2 * k + 3] * sines[k, i]
    for i in range(n):
        x[i] /= scale
        y[i] /= scale


@inlined
def _autocorrelate(z, sums, r):
    """Write the lags 0, 1, … of a signal that `_LAGS` - 1 zeros precede."""
    # The zeros make all lags sums over the same indices: terms that reach before the frame add
    # nothing. Two samples share a pass over the lags.
    n = len(z) - _LAGS + 1
    for m in range(_LAGS):
        sums[m] = 0
    for i in range(0, n - 1, 2):
        first, second = z[i + _LAGS - 1], z[i + _LAGS]
        for m in range(_LAGS):
            sums[m] = (sums[m] + first * z[i + m]) + second * z[i + 1 + m]
    if n % 2:
        for m in range(_LAGS):
            sums[m] += z[len(z) - 1] * z[n - 1 + m]
    for lag in range(len(r)):
        r[lag] = sums[_LAGS - 1 - lag]


@compiled
def _predictors_kernel(spectrum, frames, cosines, sines, scale, z, sums, r, before, out):
    """LPC coefficients a_1..a_11 of some frames.

    The predictor equations of a band-limited signal are nearly singular, so the
    roots depend on how sums are rounded: they are in float32, in the order of
    bins and samples, as in openSMILE.
    """
    x, y = z[0, _LAGS - 1 :], z[1, _LAGS - 1 :]
    n = len(frames)
    for first in range(0, n, 2):
        # The last frame of an odd number is its own partner.
        second = min(first + 1, n - 1)
        p, q = spectrum[frames[first]], spectrum[frames[second]]
        _resample(p, q, cosines, sines, scale, x, y)
        for t in range(first, second + 1):
            _autocorrelate(z[t - first], sums, r)
            levinson(r, before, out[t])


@compiled
def levinson(r, before, a):
    """Solve the predictor equations by Levinson's recursion; a silent frame gives zeros.

    `a` receives the coefficients of the prediction error filter 1 + a_1 z^-1 + ….
    `before` is work space of the same size.
    """
    order = len(a)
    for i in range(order):
        a[i] = 0
    error = np.float64(r[0])
    if error == 0:
        return
    for i in range(order):
        reflection = np.float64(r[i + 1])
        for j in range(i):
            reflection += a[j] * r[i - j]
            before[j] = a[j]
        reflection = -reflection / error
        for j in range(i):
            a[j] = before[j] + reflection * before[i - 1 - j]
        a[i] = reflection
        # A reflection coefficient of 1 in absolute value: the signal is predicted exactly.
        error *= 1 - reflection * reflection
        if error == 0:
            return


@compiled
def ascending(values, count, order):
    """Write the ascending order of the first `count` values, which should be few."""
    for i in range(count):
        at = i
        while at > 0 and values[order[at - 1]] > values[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i


@compiled
def _resonances_kernel(roots, work, order, out):
    """Write frequency and bandwidth of the lowest resonances, (n_frames, 3, 2)."""
    frequencies, bandwidths = work[0], work[1]
    for t in range(len(roots)):
        count = 0
        for i in range(roots.shape[1]):
            x, y = roots[t, i, 0], roots[t, i, 1]
            radius = math.sqrt(x * x + y * y)
            if y < 0 or radius == 0:
                continue
            f = math.atan2(y, x) / (2 * math.pi) * _RATE
            if not _LOWEST <= f <= _HIGHEST:
                continue
            # A resonance of bandwidth b decays as exp(-pi b t), so r = exp(-pi b / rate). A root
            # outside the unit circle counts as its mirror image inside, hence the absolute value.
            frequencies[count] = f
            bandwidths[count] = abs(math.log(radius)) / math.pi * _RATE
            count += 1
        ascending(frequencies, count, order)
        for i in range(min(count, N_FORMANTS)):
            out[t, i, 0] = frequencies[order[i]]
            out[t, i, 1] = bandwidths[order[i]]


def predictors(spectrum, frames, grid, out):
    """Predict 20 ms frames linearly as openSMILE does.

    The bins up to 5.5 kHz are transformed back to a signal at 11 kHz, which is
    predicted with order 11.

    Parameters
    ----------
    spectrum : ndarray of shape (n_frames, n_bins), dtype complex64
        Spectra of 20 ms frames, each in the middle of its transform.
    frames : ndarray of shape (n,)
        The rows that are wanted.
    grid : FrameGrid
    out : ndarray of shape (n, 11)
        Receives the coefficients of the prediction error filters.
    """
    cosines, sines = _resampling_tables(grid)
    z = np.zeros((2, cosines.shape[1] + _LAGS - 1), np.float32)
    sums, r = np.empty(_LAGS, np.float32), np.empty(PREDICTOR_ORDER + 1, np.float32)
    before = np.empty(PREDICTOR_ORDER)
    scale = np.float32(grid.fft_size // 2)
    parts = spectrum.view(np.float32)
    _predictors_kernel(parts, frames, cosines, sines, scale, z, sums, r, before, out)


def formants(predicted):
    """Estimate the first three formants as openSMILE does.

    In the polynomial whose roots become formants, the signs of all predictor
    coefficients are flipped: an error of openSMILE that published values of
    eGeMAPSv02 contain.

    Parameters
    ----------
    predicted : ndarray of shape (n_frames, 11)
        Results of `predictors`.

    Returns
    -------
    ndarray of shape (n_frames, 3, 2), dtype float32
        Frequency and bandwidth in Hz of F1 to F3, 0 where there is none.
    """
    out = np.zeros((len(predicted), N_FORMANTS, 2), np.float32)
    if len(predicted):
        roots = polynomial_roots(-predicted)
        roots = roots.view(np.float64).reshape(*roots.shape, 2)
        work = np.empty((2, PREDICTOR_ORDER)), np.empty(PREDICTOR_ORDER, np.int64)
        _resonances_kernel(roots, *work, out)
    return out
