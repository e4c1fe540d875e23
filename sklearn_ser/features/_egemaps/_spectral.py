"""Loudness, spectral balance, spectral flux and MFCC of 20 ms frames."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._framing import round_half_up

__all__ = ["N_SPECTRAL", "mean_square", "spectral_descriptors"]

N_BANDS = 26
N_MFCC = 4
N_SPECTRAL = 6 + N_MFCC
# 1 + 11 sin(pi i / 22) gives MFCC of rising index, which fall in size, a similar range.
_LIFTER = 22
_LOUDNESS_FLOOR = 9.3e-10
_POWER_FLOOR = 1e-14
_SLOPE_BANDS = ((0.0, 500.0), (500.0, 1500.0))


# Sums in any order, and no care for NaN and the sign of zero, let loops be vectorised.
_FREE = frozenset({"reassoc", "nnan", "nsz"})


class _SpectralTables(NamedTuple):
    """Constants that depend only on the sampling rate."""

    first_mel_bin: int
    bands: np.ndarray  # first bin, within the mel bank, where each band begins to rise
    falling: np.ndarray  # share of each bin that belongs to the falling band
    loudness_weights: np.ndarray
    cosines: np.ndarray  # (N_MFCC, N_BANDS)
    slopes: np.ndarray  # (2, bins up to 1.5 kHz): dB spectrum to slope
    edges: np.ndarray  # first bins at or above 1, 2 kHz; after 5 kHz; at or above 5 kHz


def _mel(f):
    return 1127 * np.log1p(f / 700)


def _mel_bank(grid):
    """Triangles of peak 1, centres equally spaced in mel between 20 Hz and 8 kHz."""
    half = grid.fft_size // 2
    highest = min(8000.0, grid.sampling_rate / 2)
    corners = np.linspace(_mel(20.0), _mel(highest), N_BANDS + 2)
    first = round_half_up(20 / grid.df) + 1
    last = min(round_half_up(highest / grid.df), half + 1) - 1
    mel = _mel(np.arange(first, last + 1) * grid.df)
    upper = np.clip(np.searchsorted(corners, mel, side="left"), 1, N_BANDS + 1)
    falling = (corners[upper] - mel) / (corners[upper] - corners[upper - 1])
    # Between corners j and j+1 the band with centre c_j, number j-1, falls and the next one
    # rises; the two weights of a bin add up to 1, so one of them is enough.
    return first, upper - 2, falling, 700 * np.expm1(corners[1:-1] / 1127)


def _equal_loudness(f):
    # The equal-loudness curve of perceptual linear prediction (Hermansky 1990), with the term
    # for frequencies above 5 kHz: w^7 as in openSMILE, where the paper has w^6. The exponent
    # 0.33 in the kernel is the paper's power law of loudness, a cubic root.
    w = 2 * np.pi * f
    return (
        1e32 * (w**2 + 56.8e6) * w**4
        / ((w**2 + 6.3e6) ** 2 * (w**2 + 0.38e9) * (w**7 + 1.7e31))
    )  # fmt: skip


def _slope_weights(f, low, high):
    """Return weights that turn a dB spectrum into the slope of its regression line, in dB/Hz."""
    left = int(np.argmax(f > low)) - 1
    right = int(np.argmax(f >= high))
    last_weight = 1.0
    if f[right] != high:
        right -= 1
        last_weight = (high - f[right]) / (f[right + 1] - f[right])
    v = np.zeros(len(f))
    v[left : right + 1] = 1
    v[left] = (f[left + 1] - low) / (f[left + 1] - f[left])
    v[right] = last_weight
    # The least-squares slope (m sum xy - sum x sum y) / (m sum x^2 - (sum x)^2) is linear in y.
    # m is one less than the number of bins, as openSMILE counts them.
    m = right - left
    vf = v * f
    return (m * vf - vf.sum() * v) / (m * (vf**2).sum() - vf.sum() ** 2)


@lru_cache(maxsize=32)
def _spectral_tables(grid):
    first, band, falling, centres = _mel_bank(grid)
    f = np.arange(grid.n_bins) * grid.df
    slopes = np.stack([_slope_weights(f, *limits) for limits in _SLOPE_BANDS])
    i = np.arange(1, N_MFCC + 1)[:, None]
    lifter = np.sqrt(2 / N_BANDS) * (1 + _LIFTER / 2 * np.sin(np.pi * i / _LIFTER))
    return _SpectralTables(
        first_mel_bin=first,
        bands=np.searchsorted(band, np.arange(-1, N_BANDS + 1)),
        falling=falling,
        loudness_weights=_equal_loudness(centres),
        cosines=lifter * np.cos(np.pi * i * (np.arange(N_BANDS) + 0.5) / N_BANDS),
        slopes=np.ascontiguousarray(slopes[:, : 1 + np.flatnonzero(slopes[1])[-1]]),
        edges=np.array([np.sum(f < 1000), np.sum(f < 2000), np.sum(f <= 5000), np.sum(f < 5000)]),
    )


@inlined
def _decibel_ratio(numerator, denominator):
    if denominator == 0:
        return 0.0
    return 10 * math.log10(max(numerator, 1e-14) / denominator)


@inlined
def _bands(power, first, edges, falling, energy):
    """Sum the power of the mel bands; each bin is shared by the falling band and the next."""
    for b in range(N_BANDS):
        energy[b] = 0
    for b in range(N_BANDS + 1):
        start, stop = edges[b], edges[b + 1]
        p, share = power[first + start : first + stop], falling[start:stop]
        total, part = 0.0, 0.0
        for i in range(stop - start):
            total += p[i]
            part += p[i] * share[i]
        if b > 0:
            energy[b - 1] += part
        if b < N_BANDS:
            energy[b] += total - part


@compiled(fastmath=set(_FREE))
def _sum_and_peak(power):
    total, peak = 0.0, np.float32(0)
    for i in range(len(power)):
        total += power[i]
        peak = max(peak, power[i])
    return total, np.float64(peak)


@inlined
def _distance(a, b, n):
    total = 0.0
    for i in range(n):
        difference = a[i] - b[i]
        total += np.float64(difference) * np.float64(difference)
    return math.sqrt(total / n)


@inlined
def _power_and_magnitude(parts, power, magnitude):
    for i in range(len(power)):
        power[i] = parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1]
        magnitude[i] = math.sqrt(power[i])


@compiled(fastmath=set(_FREE))
def _spectral_kernel(
    spectra, first, bands, falling, loudness_weights, cosines, slopes, edges,
    p, m, before, energy, decibels, out,
):  # fmt: skip
    for t in range(len(spectra)):
        _power_and_magnitude(spectra[t], p, m)
        _bands(p, first, bands, falling, energy)
        loudness = 0.0
        for b in range(N_BANDS):
            loudness += (max(energy[b], _LOUDNESS_FLOOR) * loudness_weights[b]) ** 0.33
        out[t, 0] = loudness / N_BANDS

        low, low_peak = _sum_and_peak(p[: edges[0]])
        middle, middle_peak = _sum_and_peak(p[edges[0] : edges[1]])
        high, high_peak = _sum_and_peak(p[edges[1] : edges[2]])
        out[t, 1] = _decibel_ratio(middle + high, low)
        out[t, 2] = _decibel_ratio(max(low_peak, middle_peak), high_peak)

        for k in range(len(decibels)):
            decibels[k] = 10 * math.log10(max(np.float64(p[k]), _POWER_FLOOR))
        for s in range(len(slopes)):
            slope = 0.0
            for k in range(len(decibels)):
                slope += slopes[s, k] * decibels[k]
            out[t, 3 + s] = slope

        # Flux of plain magnitudes: it grows with the level, unlike that of normalised spectra.
        out[t, 5] = _distance(m, before, edges[3])
        for k in range(len(m)):
            before[k] = m[k]
        for b in range(N_BANDS):
            # 32767^2, the power at the scale of 16-bit samples: the floor of 1 is one step.
            energy[b] = math.log(max(energy[b] * 1073676289.0, 1.0))
        for i in range(len(cosines)):
            mfcc = 0.0
            for b in range(N_BANDS):
                mfcc += cosines[i, b] * energy[b]
            out[t, 6 + i] = mfcc


def spectral_descriptors(spectra, previous, grid, out):
    """Describe the spectra of 20 ms frames.

    Parameters
    ----------
    spectra : ndarray of shape (n_frames, n_bins), dtype complex64
    previous : ndarray of shape (n_bins,), dtype complex64
        Spectrum of the frame before the first; the first frame of a recording
        is its own predecessor and has no flux.
    grid : FrameGrid
    out : ndarray of shape (n_frames, 10), dtype float32
        Receives loudness, alpha ratio (dB), Hammarberg index (dB), spectral
        slopes 0-500 and 500-1500 Hz (dB/Hz), spectral flux, MFCC 1 to 4.
    """
    tables, n_bins = _spectral_tables(grid), grid.n_bins
    before = np.sqrt(previous.real**2 + previous.imag**2)
    p, m = np.empty((2, n_bins), np.float32)
    decibels = np.empty(tables.slopes.shape[1])
    parts = spectra.view(np.float32)
    _spectral_kernel(parts, *tables, p, m, before, np.empty(N_BANDS), decibels, out)


@compiled(fastmath={"reassoc"})
def _mean_square_kernel(x, length, hop, n_frames):
    total = 0.0
    for t in range(n_frames):
        frame = x[t * hop : t * hop + length]
        for i in range(length):
            total += np.float64(frame[i]) * np.float64(frame[i])
    return total / (n_frames * length)


def mean_square(x, grid):
    """Return the mean square of all frames, not windowed; overlapping samples count twice."""
    return _mean_square_kernel(x, grid.length, grid.hop, grid.n_frames(len(x)))
