"""Formants and levels of harmonics as phonetics defines them, instead of as openSMILE does."""

import math
from functools import lru_cache

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._formants import N_FORMANTS, ascending, levinson
from sklearn_ser.features._egemaps._harmonics import (
    find_harmonics,
    formant_harmonic,
    harmonics_work,
)
from sklearn_ser.features._egemaps._roots import polynomial_roots

__all__ = ["harmonic_differences", "resonances"]

# Hz. The first three formants of all speakers lie below, and every recording sampled at
# 11 kHz or more has the whole band.
_BAND = 5500.0
# Hz. Glottal pulses fall by about 12 dB per octave and lips radiate with +6; the rest would
# draw poles to low frequencies.
_PRE_EMPHASIS = 100.0
# A wider pole shapes the slope of the spectrum and is not a resonance of the vocal tract.
_WIDEST = 700.0
# Hz, where F1, F2 and F3 of men, women and children may lie. A formant that was not found
# leaves a gap; without ranges, the next one would take its place.
_RANGES = np.array([[150.0, 1400.0], [500.0, 3500.0], [1400.0, 4800.0]])
# A harmonic can have a level of 0 dB, but 0 means "no value" to the statistics.
_SMALLEST = np.float32(1e-6)


@lru_cache(maxsize=32)
def _autocorrelation_table(grid):
    """Return weights from power in the band to autocorrelation, and the rate of the band.

    The weights have shape (n_bins, order + 1); the band ends at half of the rate.
    They include pre-emphasis, which multiplies power by |1 - a exp(-j w)|^2.
    """
    last = min(math.floor(_BAND / grid.df), grid.n_bins - 1)
    rate = 2 * last * grid.df
    # Two poles for each kHz, as many as a tract of 17 cm has resonances, and one for the glottis.
    order = round(rate / 1000) + 1
    omega = np.pi * np.arange(last + 1) / last
    a = math.exp(-2 * np.pi * _PRE_EMPHASIS / rate)
    weights = 1 + a * a - 2 * a * np.cos(omega)
    weights[[0, -1]] /= 2
    return weights[:, None] * np.cos(np.outer(omega, np.arange(order + 1))), rate


@inlined
def _interpolate_harmonics(n, frequencies, levels, df, power):
    """Replace power by a geometric interpolation between harmonics, if there are any.

    Only harmonics that have a level count; power is constant before the first
    and after the last of them.
    """
    # Geometric, i.e. straight in dB. One multiplication per bin instead of one exponential.
    done = 0
    before, last = 0.0, 0.0
    for i in range(n):
        f, value = frequencies[i] / df, levels[i] * levels[i]
        if levels[i] <= 0 or f <= before:
            continue
        stop = min(math.ceil(f), len(power))
        if last == 0:
            for k in range(stop):
                power[k] = value
        else:
            slope = math.log(value / last) / (f - before)
            factor = math.exp(slope)
            at = last * math.exp(slope * (done - before))
            for k in range(done, stop):
                power[k] = at
                at *= factor
        done, before, last = stop, f, value
    if last > 0:
        for k in range(done, len(power)):
            power[k] = last


@compiled
def _predictors_kernel(
    magnitude, f0, df, table, bins, magnitudes, frequencies, vertices, power, r, before, out
):
    n_bins, n_lags = table.shape
    for t in range(len(f0)):
        for k in range(n_bins):
            power[k] = np.float64(magnitude[t, k]) ** 2
        if f0[t] > 0:
            highest = n_bins * df + f0[t]
            n = find_harmonics(
                magnitude[t], f0[t], df, highest, bins, magnitudes, frequencies, vertices
            )
            _interpolate_harmonics(n, frequencies, vertices, df, power)
        for lag in range(n_lags):
            r[lag] = 0
        for k in range(n_bins):
            for lag in range(n_lags):
                r[lag] += power[k] * table[k, lag]
        levinson(r, before, out[t])


@compiled
def _choose_resonances(roots, rate, ranges, work, ranks, out):
    """Write frequency and bandwidth of the lowest narrow resonance in each range, (n, 3, 2)."""
    frequencies, bandwidths = work[0], work[1]
    for t in range(len(roots)):
        count = 0
        for i in range(roots.shape[1]):
            x, y = roots[t, i, 0], roots[t, i, 1]
            radius = math.sqrt(x * x + y * y)
            if y <= 0 or radius == 0:
                continue
            # Inside the unit circle by construction, so the sign is that of the formula.
            bandwidth = -math.log(radius) / math.pi * rate
            if bandwidth < _WIDEST:
                frequencies[count] = math.atan2(y, x) / (2 * math.pi) * rate
                bandwidths[count] = bandwidth
                count += 1
        lowest = 0.0
        ascending(frequencies, count, ranks)
        for i in range(len(ranges)):
            for k in range(count):
                j = ranks[k]
                f = frequencies[j]
                if f > lowest and ranges[i, 0] <= f <= ranges[i, 1]:
                    out[t, i, 0] = lowest = f
                    out[t, i, 1] = bandwidths[j]
                    break


def resonances(magnitude, f0, grid):
    r"""Estimate the first three formants by linear prediction of the band up to 5.5 kHz.

    Selective linear prediction [1]_: the autocorrelation of that band alone,

    .. math:: r_l = \sum_{k=0}^{K} |1 - a e^{-j \pi k / K}|^2 P_k \cos(\pi k l / K)

    (first and last term halved), gives a predictor with two poles per kilohertz
    and one more. No resampling filter is involved, and the result does not
    depend on the sampling rate from 11 kHz upwards; below, the band ends at half
    of the rate, and the order is lower accordingly. The factor with :math:`a` is
    a pre-emphasis of 6 dB per octave above 100 Hz. In voiced frames :math:`P_k`
    is interpolated between the peaks of the harmonics [2]_, which would
    otherwise attract the poles.

    The lowest poles below 700 Hz bandwidth in the ranges 150 to 1400, 500 to
    3500 and 1400 to 4800 Hz, in ascending order, are F1, F2 and F3.

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), dtype float32
        Magnitude spectra of 60 ms frames, whose Gaussian window is 28 ms wide
        at half its height.
    f0 : ndarray of shape (n_frames,), dtype float32
        Hz, 0 where unvoiced.
    grid : FrameGrid

    Returns
    -------
    ndarray of shape (n_frames, 3, 2), dtype float32
        Frequency and bandwidth in Hz of F1 to F3, 0 where there is none.

    References
    ----------
    .. [1] J. Makhoul (1975). Linear prediction: a tutorial review. Proceedings
       of the IEEE 63(4), 561-580, section V.
    .. [2] H. Hermansky, H. Fujisaki, Y. Sato (1984). Spectral envelope sampling
       and interpolation in linear predictive analysis of speech. ICASSP,
       2.2.1-2.2.4.
    """
    table, rate = _autocorrelation_table(grid)
    out = np.zeros((len(f0), N_FORMANTS, 2), np.float32)
    if len(f0):
        n_bins, n_lags = table.shape
        predictors = np.empty((len(f0), n_lags - 1))
        work = np.empty(n_bins), np.empty(n_lags), np.empty(n_lags)
        _predictors_kernel(magnitude, f0, grid.df, table, *harmonics_work(), *work, predictors)
        roots = polynomial_roots(predictors)
        roots = roots.view(np.float64).reshape(*roots.shape, 2)
        work = np.empty((2, n_lags)), np.empty(n_lags, np.int64)
        _choose_resonances(roots, rate, _RANGES, *work, out)
    return out


@compiled
def _clear_of_zero(level):
    return level if level != 0 else _SMALLEST


@compiled
def _differences_kernel(magnitude, f0, formant, df, bins, magnitudes, frequencies, vertices, out):
    n_formants = formant.shape[1]
    for t in range(len(f0)):
        highest = np.float32(0)
        for i in range(n_formants):
            highest = max(highest, formant[t, i])
        highest = 1.2 * highest + 4 * df + f0[t]
        n = find_harmonics(
            magnitude[t], f0[t], df, highest, bins, magnitudes, frequencies, vertices
        )
        if n == 0 or magnitudes[0] <= 0:
            continue
        if n > 1 and magnitudes[1] > 0:
            out[t, 0] = _clear_of_zero(np.float32(20 * math.log10(vertices[0] / vertices[1])))
        for i in range(n_formants):
            if formant[t, i] == 0:
                continue
            h = formant_harmonic(np.float64(formant[t, i]), n, magnitudes, frequencies)
            if h >= 0:
                level = np.float32(20 * math.log10(vertices[h] / vertices[0]))
                out[t, 2 + i] = _clear_of_zero(level)
        # H1-A3 is the level of F3's harmonic with the opposite sign: L(F0) - L(F3).
        out[t, 1] = -out[t, 1 + n_formants]


def harmonic_differences(magnitude, f0, formant, grid):
    """Compare the levels of harmonics with the level at F0 in voiced frames.

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), dtype float32
        Magnitude spectra of voiced 60 ms frames.
    f0 : ndarray of shape (n_frames,), dtype float32
        Hz, positive.
    formant : ndarray of shape (n_frames, 3), dtype float32
        Frequencies of F1 to F3 in Hz, 0 where there is none.
    grid : FrameGrid

    Returns
    -------
    ndarray of shape (n_frames, 5), dtype float32
        In dB: H1-H2, the level of the harmonic at F0 over that at 2 F0; H1-A3,
        over that of the strongest harmonic within 20 % of F3; and the levels
        of the strongest harmonics within 20 % of F1, F2 and F3 over F0. 0
        where a harmonic or formant is missing; a computed level of 0 becomes
        1e-6.
    """
    out = np.zeros((len(f0), 2 + formant.shape[1]), np.float32)
    _differences_kernel(magnitude, f0, formant, grid.df, *harmonics_work(), out)
    return out
