"""Formants: frequencies and bandwidths of the roots of a linear predictor."""

import math
from functools import lru_cache

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled
from sklearn_ser.features._egemaps._framing import round_half_up
from sklearn_ser.features._egemaps._roots import polynomial_roots

__all__ = ["N_FORMANTS", "ascending", "formants", "levinson"]

N_FORMANTS = 3
# 5.5 kHz hold about five resonances of a vocal tract: two poles each, and one for the slope.
_RATE = 11000
_ORDER = 11
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


@compiled
def _predictors_kernel(spectrum, cosines, sines, scale):
    """LPC coefficients a_1..a_11 of every frame.

    The predictor equations of a band-limited signal are nearly singular, so the
    roots depend on how sums are rounded: they are in float32, in the order of
    bins and samples, as in openSMILE.
    """
    n_bins, n_out = cosines.shape
    out = np.zeros((len(spectrum), _ORDER))
    z = np.empty(n_out + _ORDER, np.float32)
    z[:_ORDER] = 0
    r = np.empty(_ORDER + 1, np.float32)
    for t in range(len(spectrum)):
        signal = z[_ORDER:]
        signal[:] = spectrum[t, 0].real
        for k in range(n_bins):
            re, im = spectrum[t, k + 1].real, spectrum[t, k + 1].imag
            for i in range(n_out):
                signal[i] = (signal[i] + re * cosines[k, i]) - im * sines[k, i]
        for i in range(n_out):
            signal[i] /= scale
        # The zeros before the signal make all lags sums over the same indices: terms that reach
        # before the frame add nothing.
        r[:] = 0
        for i in range(n_out):
            for lag in range(_ORDER + 1):
                r[lag] += z[_ORDER + i] * z[_ORDER + i - lag]
        levinson(r, out[t])
    return out


@compiled
def levinson(r, a):
    """Solve the predictor equations by Levinson's recursion; a silent frame gives zeros.

    `a` receives the coefficients of the prediction error filter 1 + a_1 z^-1 + ….
    """
    order = len(a)
    a[:] = 0
    error = np.float64(r[0])
    if error == 0:
        return
    before = np.empty(order)
    for i in range(order):
        reflection = np.float64(r[i + 1])
        for j in range(i):
            reflection += a[j] * r[i - j]
        reflection = -reflection / error
        before[:i] = a[:i]
        for j in range(i):
            a[j] = before[j] + reflection * before[i - 1 - j]
        a[i] = reflection
        # A reflection coefficient of 1 in absolute value: the signal is predicted exactly.
        error *= 1 - reflection * reflection
        if error == 0:
            return


@compiled
def ascending(values, count):
    """Return the ascending order of the first `count` values, which should be few."""
    order = np.empty(count, np.int64)
    for i in range(count):
        at = i
        while at > 0 and values[order[at - 1]] > values[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
    return order


@compiled
def _resonances(roots, out):
    """Write frequency and bandwidth of the lowest resonances, (n_frames, 3, 2)."""
    frequencies = np.empty(_ORDER)
    bandwidths = np.empty(_ORDER)
    for t in range(len(roots)):
        count = 0
        for root in roots[t]:
            radius = abs(root)
            if root.imag < 0 or radius == 0:
                continue
            angle = math.atan2(root.imag, root.real)
            f = angle / (2 * math.pi) * _RATE
            if not _LOWEST <= f <= _HIGHEST:
                continue
            # A resonance of bandwidth b decays as exp(-pi b t), so r = exp(-pi b / rate). A root
            # outside the unit circle counts as its mirror image inside, hence the absolute value.
            frequencies[count] = f
            bandwidths[count] = abs(math.log(radius)) / math.pi * _RATE
            count += 1
        order = ascending(frequencies, count)
        for i in range(min(count, N_FORMANTS)):
            out[t, i, 0] = frequencies[order[i]]
            out[t, i, 1] = bandwidths[order[i]]


def formants(spectrum, grid):
    """Estimate the first three formants as openSMILE does.

    The bins up to 5.5 kHz are transformed back to a signal at 11 kHz, which is
    predicted with order 11. In the polynomial whose roots become formants, the
    signs of all predictor coefficients are flipped: an error of openSMILE that
    published values of eGeMAPSv02 contain.

    Parameters
    ----------
    spectrum : ndarray of shape (n_frames, n_bins), dtype complex64
        Spectra of 20 ms frames, each in the middle of its transform.
    grid : FrameGrid

    Returns
    -------
    ndarray of shape (n_frames, 3, 2), dtype float32
        Frequency and bandwidth in Hz of F1 to F3, 0 where there is none.
    """
    cosines, sines = _resampling_tables(grid)
    predictors = _predictors_kernel(spectrum, cosines, sines, np.float32(grid.fft_size // 2))
    out = np.zeros((len(spectrum), N_FORMANTS, 2), np.float32)
    if len(spectrum):
        _resonances(polynomial_roots(-predictors), out)
    return out
