"""Levels of single harmonics: H1-H2, H1-A3 and the harmonics nearest to formants."""

import math

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._pitch import parabola

__all__ = [
    "N_HARMONICS",
    "UNVOICED_LEVEL",
    "find_harmonics",
    "formant_harmonic",
    "harmonic_levels",
    "harmonics_work",
]

#: Level of a formant's harmonic in unvoiced frames, in dB.
UNVOICED_LEVEL = np.float32(-201)
#: Number of harmonics to search for, F0 itself included.
N_HARMONICS = 100
_FLOOR = -200.0


@compiled
def _bin_of(f, start, df, n_bins):
    """Return the bin closest to a frequency from `start` on; 0 past the end of the spectrum."""
    k = max(start, math.floor(f / df) + 1)
    if k > n_bins - 1:
        return 0
    if k * df - f > f - (k - 1) * df:
        return k - 1
    return k


@compiled
def _is_peak(m, k):
    return 0 < k < len(m) - 1 and m[k] > m[k - 1] and m[k] > m[k + 1]


@inlined
def _search_peak(m, candidate, low, high):
    """Return the local maximum nearest to a bin within [low, high], or -1; of two, the right."""
    if _is_peak(m, candidate):
        return candidate
    distance = 1
    while candidate + distance <= high or candidate - distance >= low:
        if candidate + distance <= high and _is_peak(m, candidate + distance):
            return candidate + distance
        if candidate - distance >= low and _is_peak(m, candidate - distance):
            return candidate - distance
        distance += 1
    return -1


@compiled
def find_harmonics(m, f0, df, highest, bins, magnitudes, frequencies, vertices):
    """Find the peaks near the multiples of F0 up to `highest` Hz; return the number of trials."""
    k = len(m)
    # Frequencies in float32, as in openSMILE: a multiple of F0 that lies halfway between two
    # bins falls on either side by its last bit.
    start = _bin_of(np.float32(f0 / 2), np.int64(1), df, k)
    first = _bin_of(np.float32(f0 / 2), start, df, k)
    last = start
    previous = -1
    for i in range(N_HARMONICS):
        expected = np.float32(np.float32(i + 1) * f0)
        if i > 2 and expected > highest:
            return i
        candidate = _bin_of(expected, last, df, k)
        if candidate == 0:
            return i
        # Half-way to the neighbouring harmonics, but not before the bin of the harmonic before.
        high = _bin_of(np.float32((np.float32(i) + np.float32(1.5)) * f0), candidate, df, k)
        low = _bin_of(np.float32((np.float32(i) + np.float32(0.5)) * f0), last, df, k)
        peak = _search_peak(m, candidate, low, high)
        last = candidate
        magnitudes[i] = frequencies[i] = vertices[i] = 0
        bins[i] = candidate
        if peak >= first and peak < k - 1 and peak > 0:
            bins[i] = peak
            magnitudes[i] = m[peak]
            frequencies[i], vertices[i] = parabola(
                (peak - 1) * df, np.float64(m[peak - 1]),
                peak * df, np.float64(m[peak]),
                (peak + 1) * df, np.float64(m[peak + 1]),
            )  # fmt: skip
        if bins[i] == previous:
            # The previous harmonic has this peak already.
            magnitudes[i] = frequencies[i] = 0
            vertices[i] = -1
            bins[i] = 0
        previous = bins[i]
    return N_HARMONICS


@compiled
def _level(i, n, magnitudes, vertices):
    """Level of harmonic i relative to the first, in dB."""
    if i == 0:
        return 0.0
    if magnitudes[0] == 0 or i >= n or vertices[i] < 0:
        return -201.0
    if vertices[i] == 0:
        return _FLOOR
    return max(_FLOOR, 20 * (math.log10(vertices[i]) - math.log10(magnitudes[0])))


@compiled
def formant_harmonic(f, n, magnitudes, frequencies):
    """Return the strongest harmonic within 20 % of a formant, or -1."""
    best = -1
    for i in range(n):
        if (
            magnitudes[i] > 0
            and 0.8 * f <= frequencies[i] <= 1.2 * f
            and (best < 0 or magnitudes[i] > magnitudes[best])
        ):
            best = i
    return best


@compiled
def _levels_kernel(magnitude, f0, formant, df, bins, magnitudes, frequencies, vertices, out):
    n_formants = formant.shape[1]
    for t in range(len(f0)):
        highest = np.float32(0)
        for i in range(n_formants):
            highest = max(highest, formant[t, i])
        # Harmonics beyond 1.2 times the highest formant reach no output; a few bins more allow
        # for interpolation.
        highest = 1.2 * highest + 4 * df + f0[t]
        n = find_harmonics(
            magnitude[t], f0[t], df, highest, bins, magnitudes, frequencies, vertices
        )
        # "H1" and "H2" of openSMILE are the harmonics at 2 F0 and 3 F0.
        second = _level(np.int64(1), n, magnitudes, vertices)
        third = _level(np.int64(2), n, magnitudes, vertices)
        out[t, 0] = min(max(second - third, -201.0), 201.0)
        for i in range(n_formants):
            h = formant_harmonic(np.float64(formant[t, i]), n, magnitudes, frequencies)
            level = _level(h, n, magnitudes, vertices) if h >= 0 else 0.0
            out[t, 2 + i] = level
            if i == n_formants - 1:
                if h >= 0:
                    out[t, 1] = min(max(second - level, -201.0), 201.0)
                else:
                    out[t, 1] = max(second - 201.0, -201.0)


def harmonics_work():
    """Make room for bins, magnitudes, frequencies and vertices of the harmonics of a frame."""
    return np.zeros(N_HARMONICS, np.int64), *np.zeros((3, N_HARMONICS))


def harmonic_levels(magnitude, f0, formant, grid):
    """Compare the levels of harmonics in voiced frames.

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
        "H1-H2" and "H1-A3" in dB, which count harmonics from the one *after*
        F0 as openSMILE does, and the levels over F0 of the strongest harmonics
        within 20 % of F1, F2 and F3 (0 if there is none).
    """
    out = np.zeros((len(f0), 2 + formant.shape[1]), np.float32)
    _levels_kernel(magnitude, f0, formant, grid.df, *harmonics_work(), out)
    return out
