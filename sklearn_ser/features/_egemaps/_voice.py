"""Voice quality: jitter and shimmer from matched periods, harmonics-to-noise ratio."""

import math

import numpy as np
import scipy.fft

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._pitch import parabola

__all__ = ["harmonics_to_noise", "jitter_shimmer"]

# Frames whose autocorrelations are held at once, in the cache of a processor.
_CHUNK = 16


@compiled(fastmath={"reassoc", "contract"})
def _dot(a, b):
    """Sum products in any order, which lets the compiler vectorise the loop."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total += a[i] * b[i]
    return total


@inlined
def _accumulate(integers, x, sums, squares):
    """Copy a stretch of signal to doubles, with its running sums and sums of squares.

    They give mean and variance of every piece in constant time.
    """
    sums[0] = squares[0] = 0
    for i in range(len(integers)):
        x[i] = integers[i]
        sums[i + 1] = sums[i] + x[i]
        squares[i + 1] = squares[i] + x[i] * x[i]


@inlined
def _correlate_neighbours(x, sums, squares, start, shortest, longest, c):
    """Pearson correlation of the pieces [start, start+q) and [start+q, start+2q) for every lag q.

    A constant piece (digital silence) gives NaN.
    """
    # q^2 times the variance, q sum x^2 - (sum x)^2, loses digits in general. Here every term is
    # an integer, and below 2^53 at usual sampling rates, hence exact.
    for index in range(longest - shortest + 1):
        q = shortest + index
        middle, end = start + q, start + 2 * q
        sum_a, sum_b = sums[middle] - sums[start], sums[end] - sums[middle]
        var_a = q * (squares[middle] - squares[start]) - sum_a * sum_a
        var_b = q * (squares[end] - squares[middle]) - sum_b * sum_b
        if var_a <= 0 or var_b <= 0:
            c[index] = np.nan
        else:
            # For the same reason the order of the sum does not matter.
            product = _dot(x[start:middle], x[middle:end])
            c[index] = (q * product - sum_a * sum_b) / math.sqrt(var_a * var_b)


@inlined
def _best_peak(c, last):
    """Return the index of the highest strict local maximum among 1..last, or 0."""
    best = 0
    for i in range(1, last + 1):
        if c[i] > c[i - 1] and c[i] > c[i + 1] and (best == 0 or c[i] > c[best]):
            best = i
    return best


@compiled
def _extent(x, start, stop):
    low = high = x[start]
    for i in range(start + 1, stop):
        low = min(low, x[i])
        high = max(high, x[i])
    return high - low


@inlined
def _match_periods(x, local, sums, squares, need0, period, last_period, c, totals):
    """Match neighbouring periods in a stretch of signal, as floats `x` and as integers `local`.

    Adds to `totals` the number of periods and of differences, and the sums of
    periods, of their differences, of amplitudes and of their differences: in
    float32 as in openSMILE, since an exact zero later means "no value". Returns
    the last period and the end of the last match that began inside the hop.
    """
    shortest, longest = math.floor(0.9 * period), math.ceil(1.1 * period)
    step = math.floor(period + 0.5)
    need = len(x)
    a, end = 0, 0
    while a < need - 2 * longest - 1:
        _correlate_neighbours(local, sums, squares, a, shortest, longest, c)
        best = _best_peak(c, longest - shortest - 2)
        if best == 0:
            a += step
        else:
            q = shortest + best
            old = a
            a += q
            amplitude0 = _extent(x, old + 1, old + q - 1)
            amplitude1 = _extent(x, old + q + 1, old + 2 * q - 1)
            # Periods are not whole samples: at 16 kHz and 200 Hz one sample is 1.25 % of a
            # period, more than the jitter of most voices.
            lag, peak = parabola(
                np.float64(q - 1),
                c[best - 1],
                np.float64(q),
                c[best],
                np.float64(q + 1),
                c[best + 1],
            )
            # A weaker correlation is not counted: its lag is not a period.
            if peak > 0.5:
                seconds = np.float32(lag * totals[6])
                totals[0] += 1
                totals[2] = np.float32(totals[2]) + seconds
                if last_period > 0:
                    totals[3] = np.float32(totals[3]) + abs(np.float32(last_period - seconds))
                    totals[1] += 1
                last_period = seconds
                totals[4] = np.float32(totals[4]) + (amplitude0 + amplitude1) / np.float32(2)
                totals[5] = np.float32(totals[5]) + abs(np.float32(amplitude0 - amplitude1))
        if a < need0 - 1:
            end = a
    return last_period, end


@compiled
def _jitter_shimmer_kernel(
    x, integers, f0, sampling_rate, hop, length, c, totals, local, sums, squares, jitter, shimmer
):
    n = len(f0)
    tick = 1.0 / sampling_rate
    hop_up = math.ceil(0.01 / tick - 1e-9)
    pos, back = 0, 0
    last_period, last_jitter, last_shimmer = np.float32(0), np.float32(0), np.float32(0)
    for t in range(n):
        # Matching continues where the last match of the frame before ended, so that every
        # period is counted once although frames overlap; `back` samples of that are left.
        need0 = hop_up + back
        need = need0
        period = 0.0
        if f0[t] > 0:
            period = 1.0 / (np.float64(f0[t]) * tick)
            need = max(need, 2 * math.ceil(1.1 * period) + 2)
        need = min(need, back + length)
        if t * hop - back != pos:
            pos = t * hop
            need = min(need, length)
        if f0[t] <= 0:
            pos += need0
            back = 0
            last_period, last_jitter, last_shimmer = np.float32(0), np.float32(0), np.float32(0)
            continue
        for i in range(6):
            totals[i] = 0
        totals[6] = tick
        _accumulate(integers[pos : pos + need], local, sums, squares)
        last_period, end = _match_periods(
            x[pos : pos + need], local, sums, squares, need0, period, last_period, c, totals
        )
        back = need0 - end
        pos += end
        periods, differences = np.float32(totals[0]), np.float32(totals[1])
        # A voiced frame without a period repeats the last value; one with a single period, and
        # no difference, has none.
        if periods == 0:
            jitter[t] = last_jitter
        elif differences > 0:
            variation = np.float32(totals[3]) / differences
            last_jitter = min(np.float32(1), variation / (np.float32(totals[2]) / periods))
            jitter[t] = last_jitter
        if periods > 0:
            amplitude = np.float32(totals[4])
            last_shimmer = np.float32(0)
            if amplitude > 0:
                last_shimmer = min(np.float32(1), np.float32(totals[5]) / amplitude)
        shimmer[t] = 20 * math.log10(1 + np.float64(last_shimmer))


def jitter_shimmer(x, integers, f0, grid):
    """Measure the variation of period and amplitude from one glottal cycle to the next.

    Starting where the last match ended, the next period is the lag within 10 %
    of 1/F0 at which two neighbouring pieces of waveform correlate best.

    Parameters
    ----------
    x : ndarray of shape (n_samples,), dtype float32
    integers : ndarray of shape (n_samples,), dtype int16
        The same samples as 16-bit steps.
    f0 : ndarray of shape (n_frames,), dtype float32
        Hz, 0 where unvoiced.
    grid : FrameGrid
        The 60 ms frames that F0 was found in.

    Returns
    -------
    jitter : ndarray of shape (n_frames,), dtype float32
        Mean absolute difference of successive periods over the mean period.
    shimmer : ndarray of shape (n_frames,), dtype float32
        20 log10(1 + the same ratio for peak-to-peak amplitudes), in dB.
    """
    sr, length = float(grid.sampling_rate), grid.length
    out = np.zeros((2, len(f0)), np.float32)
    c, totals = np.empty(math.ceil(0.25 * sr / 50) + 8), np.zeros(7)
    # The longest stretch a frame examines: itself, and up to two periods and a hop left over.
    stretch = np.empty(2 * length), np.empty(2 * length + 1), np.empty(2 * length + 1)
    _jitter_shimmer_kernel(x, integers, f0, sr, grid.hop, length, c, totals, *stretch, *out)
    return out[0], out[1]


@inlined
def _nearest_peak(r, lag):
    """Return the strict local maximum of `r` closest to `lag`, or -1; of two, the left one."""
    k = len(r)
    for distance in range(k + lag):
        left, right = lag - distance, lag + distance
        if 0 < left < k - 1 and r[left] > r[left - 1] and r[left] > r[left + 1]:
            return left
        if left == k - 1 and r[left] > r[left - 1]:
            return left
        if 0 < right < k - 1 and r[right] > r[right - 1] and r[right] > r[right + 1]:
            return right
        if right == k - 1 and r[right] > r[right - 1]:
            return right
    return -1


@compiled
def _hnr_kernel(autocorrelation, f0, rate, out):
    for t in range(len(f0)):
        r = autocorrelation[t]
        lag = _nearest_peak(r, math.floor(rate / np.float64(f0[t])))
        if lag < 0:
            continue
        # R[0] is the total energy; the part that repeats after one period is R[lag].
        noise = np.float64(r[0]) - np.float64(r[lag])
        ratio = 1e11 if noise == 0 else np.float64(r[lag]) / noise
        out[t] = 10 * math.log10(min(max(ratio, 1e-9), 1e11))


def harmonics_to_noise(power, f0, grid):
    """Harmonics-to-noise ratio 10 log10(R[lag] / (R[0] - R[lag])) of voiced frames, in dB.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), dtype float32
        Power spectra of voiced 60 ms frames; R is their autocorrelation.
    f0 : ndarray of shape (n_frames,), dtype float32
        Hz; the peak of R nearest to 1/F0 is taken.
    grid : FrameGrid

    Returns
    -------
    ndarray of shape (n_frames,), dtype float32
        Between -90 and 110.
    """
    out = np.zeros(len(f0), np.float32)
    rate = grid.df * grid.fft_size
    for start in range(0, len(f0), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        # A transform in single precision: where rounding in the last bit decides which peak is
        # the nearest, it is then mostly the one that openSMILE takes. Direct sums of the few
        # lags that are needed would cost less, but agree less often.
        # A cosine transform, which is cheaper, rounds otherwise and agrees less often, too.
        autocorrelation = np.abs(scipy.fft.irfft(power[chunk], axis=1)[:, : power.shape[1]])
        _hnr_kernel(autocorrelation, f0[chunk], rate, out[chunk])
    return out
