"""Loudness, spectral balance, spectral flux and MFCC of 20 ms frames."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sklearn_ser.features._compiled import compiled
from sklearn_ser.features._framing import round_half_up

__all__ = ["N_SPECTRAL", "spectral_descriptors"]

N_BANDS = 26
N_MFCC = 4
N_SPECTRAL = 6 + N_MFCC
_LIFTER = 22
_LOUDNESS_FLOOR = 9.3e-10
_POWER_FLOOR = 1e-14
_SLOPE_BANDS = ((0.0, 500.0), (500.0, 1500.0))


class _SpectralTables(NamedTuple):
    """What depends on the sampling rate alone."""

    first_mel_bin: int
    band: np.ndarray  # band below every bin of the mel bank
    falling: np.ndarray  # share of the bin that belongs to it
    loudness_weights: np.ndarray
    cosines: np.ndarray  # (N_MFCC, N_BANDS)
    slopes: np.ndarray  # (2, n_bins): dB spectrum to slope
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
    # Between corners j and j+1 the band with centre c_j, number j-1, falls.
    return first, upper - 2, falling, 700 * np.expm1(corners[1:-1] / 1127)


def _equal_loudness(f):
    w = 2 * np.pi * f
    return (
        1e32 * (w**2 + 56.8e6) * w**4
        / ((w**2 + 6.3e6) ** 2 * (w**2 + 0.38e9) * (w**7 + 1.7e31))
    )  # fmt: skip


def _slope_weights(f, low, high):
    """Weights that take a dB spectrum to the slope of its regression line in a band, in dB/Hz."""
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
    # One less than the number of bins, as openSMILE counts them.
    m = right - left
    vf = v * f
    return (m * vf - vf.sum() * v) / (m * (vf**2).sum() - vf.sum() ** 2)


@lru_cache(maxsize=32)
def _spectral_tables(grid):
    first, band, falling, centres = _mel_bank(grid)
    f = np.arange(grid.n_bins) * grid.df
    i = np.arange(1, N_MFCC + 1)[:, None]
    lifter = np.sqrt(2 / N_BANDS) * (1 + _LIFTER / 2 * np.sin(np.pi * i / _LIFTER))
    return _SpectralTables(
        first_mel_bin=first,
        band=band,
        falling=falling,
        loudness_weights=_equal_loudness(centres),
        cosines=lifter * np.cos(np.pi * i * (np.arange(N_BANDS) + 0.5) / N_BANDS),
        slopes=np.stack([_slope_weights(f, *band) for band in _SLOPE_BANDS]),
        edges=np.array([np.sum(f < 1000), np.sum(f < 2000), np.sum(f <= 5000), np.sum(f < 5000)]),
    )


@compiled
def _decibel_ratio(numerator, denominator):
    if denominator == 0:
        return 0.0
    return 10 * math.log10(max(numerator, 1e-14) / denominator)


@compiled
def _bands(power, first, band, falling, energy):
    energy[:] = 0
    for i in range(len(band)):
        p, b = np.float64(power[first + i]), band[i]
        if b >= 0:
            energy[b] += p * falling[i]
        if b + 1 < N_BANDS:
            energy[b + 1] += p * (1 - falling[i])


@compiled
def _sum_and_peak(power, start, stop):
    total, peak = 0.0, 0.0
    for i in range(start, stop):
        total += power[i]
        peak = max(peak, np.float64(power[i]))
    return total, peak


@compiled
def _flux(power, previous, stop):
    total = 0.0
    for i in range(stop):
        difference = math.sqrt(power[i]) - math.sqrt(previous[i])
        total += difference * difference
    return math.sqrt(total / stop)


@compiled
def _spectral_kernel(
    power, previous, first, band, falling, loudness_weights, cosines, slopes, edges, out
):
    energy = np.empty(N_BANDS)
    n_slope_bins = 1 + np.nonzero(slopes[1])[0].max()
    decibels = np.empty(n_slope_bins)
    for t in range(len(power)):
        p = power[t]
        _bands(p, first, band, falling, energy)
        loudness = 0.0
        for b in range(N_BANDS):
            loudness += (max(energy[b], _LOUDNESS_FLOOR) * loudness_weights[b]) ** 0.33
        out[t, 0] = loudness / N_BANDS

        low, low_peak = _sum_and_peak(p, 0, edges[0])
        middle, middle_peak = _sum_and_peak(p, edges[0], edges[1])
        high, high_peak = _sum_and_peak(p, edges[1], edges[2])
        out[t, 1] = _decibel_ratio(middle + high, low)
        out[t, 2] = _decibel_ratio(max(low_peak, middle_peak), high_peak)

        for k in range(n_slope_bins):
            decibels[k] = 10 * math.log10(max(np.float64(p[k]), _POWER_FLOOR))
        for s in range(len(slopes)):
            slope = 0.0
            for k in range(n_slope_bins):
                slope += slopes[s, k] * decibels[k]
            out[t, 3 + s] = slope

        out[t, 5] = _flux(p, previous, edges[3])
        previous = p
        for i in range(len(cosines)):
            mfcc = 0.0
            for b in range(N_BANDS):
                # 16-bit scale: the floor of 1 is one squared step.
                mfcc += cosines[i, b] * math.log(max(energy[b] * 1073676289.0, 1.0))
            out[t, 6 + i] = mfcc


def spectral_descriptors(power, previous, grid, out):
    """Describe the spectra of 20 ms frames.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), dtype float32
    previous : ndarray of shape (n_bins,), dtype float32
        Power spectrum of the frame before the first; the first frame of a
        recording is its own predecessor and has no flux.
    grid : FrameGrid
    out : ndarray of shape (n_frames, 10), dtype float32
        Receives loudness, alpha ratio (dB), Hammarberg index (dB), spectral
        slopes 0-500 and 500-1500 Hz (dB/Hz), spectral flux, MFCC 1 to 4.
    """
    _spectral_kernel(power, previous, *_spectral_tables(grid), out)
