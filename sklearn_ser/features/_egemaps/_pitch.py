"""F0 candidates: sub-harmonic summation on an octave axis."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._framing import work_arrays

__all__ = ["N_CANDIDATES", "parabola", "pitch_candidates"]

N_CANDIDATES = 6
_LOWEST, _HIGHEST = 55.0, 1000.0
_FIRST_OCTAVE_NODE = 25.0
_N_SUBHARMONICS = 15
# Frames processed side by side. The two recurrences of the spline run along the spectrum and
# cannot be vectorised; across frames they can. More than one vector hides latency.
_LANES = 32
# Values of the summed spectrum that are completed before the next ones, while they are cached.
_TILE = 4096


class _OctaveTables(NamedTuple):
    """Constants of the octave spectrum, which depend only on the sampling rate."""

    elimination: np.ndarray  # factors of the tridiagonal system of the spline, (n_bins, 5)
    interval: np.ndarray  # index of the node to the left of each octave point
    coefficients: np.ndarray  # what that node, the next, and their curvatures contribute, (K, 4)
    shifts: np.ndarray  # octave points from a harmonic to its i-th multiple
    decay: np.ndarray
    du: np.float32
    u0: np.float32


@lru_cache(maxsize=32)
def _octave_tables(grid):
    """Prepare spline, weights and shifts for the bins of a grid of 60 ms frames."""
    k = grid.n_bins
    nyquist = grid.sampling_rate / 2
    g = np.empty(k)
    g[1:] = np.log2(np.arange(1, k) * grid.df)
    # log2(0) cannot be an abscissa of the spline: bin 0 mirrors bin 2 at bin 1.
    g[0] = 2 * g[1] - g[2]
    h = np.diff(g)

    # Natural cubic spline: h[i-1] m[i-1] + 2 (h[i-1]+h[i]) m[i] + h[i] m[i+1] = r[i] for the
    # curvatures m (over 6), solved by elimination: m[i] = q[i] - upper[i] m[i+1].
    elimination = np.zeros((k, 5))
    upper = 0.0
    for i in range(1, k - 1):
        pivot = 1 / (2 * (h[i - 1] + h[i]) - h[i - 1] * upper)
        upper = h[i] * pivot
        elimination[i] = 1 / h[i], 1 / h[i - 1], h[i - 1], pivot, upper

    u0 = math.log2(_FIRST_OCTAVE_NODE)
    du = (math.log2(nyquist) - u0) / (k - 1)
    u = u0 + np.arange(k) * du
    left = np.clip(np.searchsorted(g, u, side="right") - 1, 0, k - 2)
    a = (g[left + 1] - u) / h[left]
    b = 1 - a
    # On an octave axis the i-th multiple of every frequency lies the same distance,
    # log2(i), to the right: the sum over multiples becomes a sum of shifted copies.
    points_per_octave = k / math.log2(nyquist / _FIRST_OCTAVE_NODE)
    # An arctangent, 1/2 at 32.5 Hz, attenuates the lowest frequencies, where rumble and hum are.
    shift = points_per_octave * math.log2(65 / 50) - 1
    weight = 0.5 + np.arctan(3 * (np.arange(k) + 1 - shift) / points_per_octave) / np.pi
    bend = h[left] ** 2
    coefficients = weight[:, None] * np.stack([a, b, (a**3 - a) * bend, (b**3 - b) * bend], axis=1)
    # Each further multiple counts 15 % less. Without the decay, F0/2 and F0/3, whose multiples
    # include those of F0, would score almost as high as F0.
    multiples = np.arange(1, _N_SUBHARMONICS + 1)
    return _OctaveTables(
        elimination=elimination.astype(np.float32),
        interval=left,
        coefficients=coefficients.astype(np.float32),
        shifts=np.floor(points_per_octave * np.log2(multiples)).astype(np.int64),
        decay=(0.85 ** (multiples - 1)).astype(np.float32),
        du=np.float32(du),
        u0=np.float32(u0),
    )


@compiled
def parabola(x1, y1, x2, y2, x3, y3):
    """Vertex (abscissa, ordinate) of the parabola through three points, all in double precision.

    Where the points lie on a line or share an abscissa, the highest of them is returned.
    """
    denominator = (x1 - x2) * (x1 - x3) * (x2 - x3)
    if denominator != 0.0:
        a = (x3 * (y2 - y1) + x2 * (y1 - y3) + x1 * (y3 - y2)) / denominator
        b = (x3 * x3 * (y1 - y2) + x2 * x2 * (y3 - y1) + x1 * x1 * (y2 - y3)) / denominator
        c = (
            x2 * x3 * (x2 - x3) * y1 + x3 * x1 * (x3 - x1) * y2 + x1 * x2 * (x1 - x2) * y3
        ) / denominator
        if a != 0.0:
            return -b / (2 * a), c - b * b / (4 * a)
    if y1 > y2 and y1 >= y3:
        return x1, y1
    if y3 > y2:
        return x3, y3
    return x2, y2


@compiled(fastmath={"reassoc"})
def _magnitudes(spectrum, power, m):
    """Write power and magnitude of a spectrum of real and imaginary parts; return its energy."""
    total = 0.0
    for i in range(len(m)):
        power[i] = spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1]
        m[i] = math.sqrt(power[i])
        total += power[i]
    # All bins but the first and the last stand for two conjugate ones.
    return 2 * total - power[0] - power[len(m) - 1]


@inlined
def _enhance_peaks(m, peak, near, e):
    """Keep two bins on either side of every local maximum, and set those between to zero.

    Masks are numbers and loops have no branches, so the compiler can vectorise them.
    """
    k = len(m)
    # Noise between harmonics would otherwise add up over 15 multiples of wrong frequencies.
    peak[0] = np.float32(m[0] > m[1])
    peak[k - 1] = np.float32(m[k - 1] > m[k - 2])
    for i in range(1, k - 1):
        peak[i] = np.float32(m[i] > m[i - 1]) * np.float32(m[i] >= m[i + 1])
    near[0] = near[k - 1] = 0
    for i in range(1, k - 1):
        near[i] = max(max(peak[i - 1], peak[i]), peak[i + 1])
    for i in range(1, k - 1):
        e[i] = m[i] * max(max(near[i - 1], near[i]), near[i + 1])
    first = 0
    while first < k and peak[first] == 0:
        first += 1
    last = k - 1
    while last >= 0 and peak[last] == 0:
        last -= 1
    if first == last:
        # openSMILE's rule for a single maximum: only the first three bins remain, wherever it is.
        for i in range(k):
            e[i] = m[i] if i < 3 else np.float32(0)
    else:
        for i in range(min(first + 1, k)):
            e[i] = m[i]
        for i in range(max(last, 0), k):
            e[i] = m[i]


@inlined
def _smooth_peaks(spectra, start, stop, work, rows, y, power, energy):
    """Write magnitudes, reduced to peaks and smoothed over bins, to `y`, (n_bins, lanes)."""
    m, e, k = work[0], work[3], rows.shape[1]
    for lane in range(stop - start):
        t = start + lane
        energy[t] = _magnitudes(spectra[t], power[t], m)
        _enhance_peaks(m, work[1], work[2], e)
        for i in range(1, k - 1):
            rows[lane, i] = (e[i - 1] + np.float32(2) * e[i] + e[i + 1]) * np.float32(0.25)
        rows[lane, 0] = (np.float32(2) * e[0] + e[1]) * np.float32(0.25)
        rows[lane, k - 1] = e[k - 1]
    for lane in range(stop - start, _LANES):
        for i in range(k):
            rows[lane, i] = 0
    # Transposed: the same bin of all frames is adjacent, as vector loops need it.
    for i in range(k):
        for lane in range(_LANES):
            y[i, lane] = rows[lane, i]


@inlined
def _octave_spectra(y, curvature, elimination, interval, coefficients, out):
    """Interpolate with splines, and write weighted octave spectra to `out`, (n_points, lanes)."""
    k = len(interval)
    # Natural spline: no curvature at either end.
    for lane in range(_LANES):
        curvature[0, lane] = curvature[k - 1, lane] = 0
    for i in range(1, k - 1):
        right, left = elimination[i, 0], elimination[i, 1]
        h, pivot = elimination[i, 2], elimination[i, 3]
        for lane in range(_LANES):
            bend = (y[i + 1, lane] - y[i, lane]) * right - (y[i, lane] - y[i - 1, lane]) * left
            curvature[i, lane] = (bend - h * curvature[i - 1, lane]) * pivot
    for i in range(k - 2, 0, -1):
        upper = elimination[i, 4]
        for lane in range(_LANES):
            curvature[i, lane] -= upper * curvature[i + 1, lane]
    for j in range(k):
        i = interval[j]
        a, b, c, d = coefficients[j, 0], coefficients[j, 1], coefficients[j, 2], coefficients[j, 3]
        for lane in range(_LANES):
            value = a * y[i, lane] + b * y[i + 1, lane]
            value += c * curvature[i, lane] + d * curvature[i + 1, lane]
            # A cubic may undershoot zero between two nodes; a magnitude cannot be negative.
            out[j, lane] = max(value, np.float32(0))


@inlined
def _sum_subharmonics(octave, shifts, decay, out):
    """S[j] = 1/15 sum over i of 0.85^(i-1) H[j + shift_i], in float32, of n_points * lanes."""
    n = len(out)
    for start in range(0, n, _TILE):
        stop = min(start + _TILE, n)
        tile = out[start:stop]
        for j in range(len(tile)):
            tile[j] = 0
        for i in range(_N_SUBHARMONICS):
            shift, factor = shifts[i] * _LANES, decay[i]
            size = min(stop, n - shift) - start
            if size <= 0:
                break
            source = octave[start + shift : start + shift + size]
            for j in range(size):
                tile[j] += factor * source[j]
        for j in range(len(tile)):
            tile[j] /= np.float32(_N_SUBHARMONICS)


@inlined
def _lane_means(s, means):
    for lane in range(_LANES):
        means[lane] = 0
    for j in range(len(s)):
        for lane in range(_LANES):
            means[lane] += s[j, lane]
    for lane in range(_LANES):
        means[lane] /= len(s)


@inlined
def _highest_peaks(s, marked, lowest, peaks):
    """Write the positions of the highest strict local maxima of each lane, -1 after the last."""
    n = len(s)
    # All lanes at once, without a branch; what is no maximum becomes zero.
    here, left, right = s[_LANES : n - _LANES], s[: n - 2 * _LANES], s[2 * _LANES :]
    for j in range(len(here)):
        marked[j] = here[j] * np.float32(here[j] > left[j]) * np.float32(here[j] > right[j])
    for lane in range(_LANES):
        lowest[lane] = 0
        for rank in range(N_CANDIDATES):
            peaks[lane, rank] = -1
    # Insertion into a list of six: a comparison with the sixth rejects most maxima at once.
    for start in range(_LANES, n - _LANES, _LANES):
        for lane in range(_LANES):
            value = marked[start - _LANES + lane]
            if value > lowest[lane]:
                rank = N_CANDIDATES - 1
                while rank > 0 and (peaks[lane, rank - 1] < 0 or value > s[peaks[lane, rank - 1]]):
                    peaks[lane, rank] = peaks[lane, rank - 1]
                    rank -= 1
                peaks[lane, rank] = start + lane
                if peaks[lane, N_CANDIDATES - 1] >= 0:
                    lowest[lane] = s[peaks[lane, N_CANDIDATES - 1]]


@inlined
def _pick_candidates(s, mean, peaks, du, u0, frequency, voicing):
    """Write the best peaks of one summed spectrum, the best one first."""
    count, best, best_score = 0, 0, np.float32(-1)
    for rank in range(N_CANDIDATES):
        at = peaks[rank]
        if at < 0:
            break
        j = at // _LANES
        x, score = parabola(
            np.float64(np.float32(np.float32(j - 1) * du) + u0), np.float64(s[at - _LANES]),
            np.float64(np.float32(np.float32(j) * du) + u0), np.float64(s[at]),
            np.float64(np.float32(np.float32(j + 1) * du) + u0), np.float64(s[at + _LANES]),
        )  # fmt: skip
        # Out-of-range peaks are dropped after the six highest were chosen: they take a place.
        hertz = 2.0**x
        if hertz < _LOWEST or hertz > _HIGHEST:
            continue
        frequency[count] = hertz
        # A voiced spectrum sums to a high peak over a low mean; noise, to peaks near the mean.
        voicing[count] = 1 - mean / score if score > mean else 0.0
        if score > best_score:
            best, best_score = count, np.float32(score)
        count += 1
    # Interpolation may raise another peak above the highest sample; the search for the track
    # starts from slot 0.
    if best > 0:
        f, v = frequency[0], voicing[0]
        frequency[0], voicing[0] = frequency[best], voicing[best]
        frequency[best], voicing[best] = f, v


@compiled
def _candidates_kernel(
    spectra, elimination, interval, coefficients, shifts, decay, du, u0,
    work, rows, lanes, flat, means, lowest, peaks, power, frequency, voicing, energy,
):  # fmt: skip
    n = len(spectra)
    y, curvature, octave, summed = lanes[0], lanes[1], flat[2], flat[3]
    for start in range(0, n, _LANES):
        stop = min(start + _LANES, n)
        _smooth_peaks(spectra, start, stop, work, rows, y, power, energy)
        _octave_spectra(y, curvature, elimination, interval, coefficients, lanes[2])
        _sum_subharmonics(octave, shifts, decay, summed)
        _lane_means(lanes[3], means)
        _highest_peaks(summed, octave, lowest, peaks)
        for t in range(start, stop):
            lane = t - start
            _pick_candidates(
                summed, np.float32(means[lane]), peaks[lane], du, u0, frequency[t], voicing[t]
            )


def _work(k):
    """Make room for the frames that are processed side by side."""
    lanes = np.empty((4, k, _LANES), np.float32)
    return (
        np.empty((4, k), np.float32),
        np.empty((_LANES, k), np.float32),
        lanes,
        lanes.reshape(4, -1),
        np.empty(_LANES),
        np.empty(_LANES, np.float32),
        np.empty((_LANES, N_CANDIDATES), np.int64),
    )


def pitch_candidates(spectra, grid, power=None):
    """Find up to six F0 candidates in every frame.

    The magnitude spectrum is reduced to its peaks, interpolated on an octave
    axis, weighted, and summed over the first 15 multiples of every frequency.

    Parameters
    ----------
    spectra : ndarray of shape (n_frames, n_bins), dtype complex64
        Spectra of 60 ms frames.
    grid : FrameGrid
    power : ndarray of shape (n_frames, n_bins), dtype float32, optional
        Receives the power spectra.

    Returns
    -------
    frequency : ndarray of shape (n_frames, 6), dtype float32
        Hz, best candidate first; 0 where there are fewer than six.
    voicing : ndarray of shape (n_frames, 6), dtype float32
        1 minus the mean of the summed spectrum over its peak value.
    level : ndarray of shape (n_frames,)
        Root mean square of the windowed frames.
    """
    n, k = spectra.shape
    if power is None:
        power = np.empty((n, k), np.float32)
    frequency = np.zeros((n, N_CANDIDATES), np.float32)
    voicing = np.zeros((n, N_CANDIDATES), np.float32)
    energy = np.empty(n)
    work = work_arrays.share("pitch", k, _work)
    parts = spectra.view(np.float32)
    _candidates_kernel(parts, *_octave_tables(grid), *work, power, frequency, voicing, energy)
    # Parseval: the sum over the whole spectrum is fft_size times the sum of squares.
    return frequency, voicing, np.sqrt(energy / (grid.fft_size * grid.length))
