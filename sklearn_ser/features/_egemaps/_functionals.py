"""Statistics of contours: smoothing, moments, percentiles, slopes, segments."""

import math

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined

__all__ = [
    "HOP",
    "TEN_STATISTICS",
    "contour_statistics",
    "moments",
    "nonzero_moments",
    "segments",
    "smooth",
    "smooth_nonzero",
]

#: Seconds from one frame to the next.
HOP = 0.01
#: The statistics of the two contours that have them all, in openSMILE's order.
TEN_STATISTICS = (
    "amean",
    "stddevNorm",
    "percentile20.0",
    "percentile50.0",
    "percentile80.0",
    "pctlrange0-2",
    "meanRisingSlope",
    "stddevRisingSlope",
    "meanFallingSlope",
    "stddevFallingSlope",
)
_MAXIMUM, _MINIMUM = 1, -1


@compiled
def _smooth_kernel(x, out):
    rows, n = x.shape
    for r in range(rows):
        for t in range(n):
            total = (x[r, max(t - 1, 0)] + x[r, t]) + x[r, min(t + 1, n - 1)]
            out[r, t] = total / np.float32(3)


def smooth(x):
    """Average every value of every row with its two neighbours; the edges repeat.

    The sum is in float32 and from left to right: where it cancels, it must give
    the same exact zero as openSMILE's, which means "no value".
    """
    x = np.ascontiguousarray(x)
    out = np.empty_like(x)
    _smooth_kernel(x, out)
    return out


@compiled
def _smooth_nonzero_kernel(x, out):
    rows, n = x.shape
    for r in range(rows):
        for t in range(n):
            out[r, t] = 0
            if x[r, t] != 0:
                total, count = np.float32(0), np.float32(0)
                for step in range(-1, 2):
                    u = min(max(t + step, 0), n - 1)
                    if x[r, u] != 0:
                        total += x[r, u]
                        count += np.float32(1)
                out[r, t] = total / count


def smooth_nonzero(x):
    """Average every non-zero value of every row with its non-zero neighbours; the edges repeat."""
    x = np.ascontiguousarray(x)
    out = np.empty_like(x)
    _smooth_nonzero_kernel(x, out)
    return out


@compiled
def _moments_kernel(x, skip_zeros, out):
    rows, n = x.shape
    for r in range(rows):
        total, count = 0.0, 0
        for t in range(n):
            if not (skip_zeros and x[r, t] == 0):
                total += x[r, t]
                count += 1
        if count == 0:
            continue
        mean = total / count
        # In a second pass: sum x^2 - n mean^2 cancels where the contour hardly varies.
        squares = 0.0
        for t in range(n):
            if not (skip_zeros and x[r, t] == 0):
                squares += (x[r, t] - mean) * (x[r, t] - mean)
        out[r, 0] = mean
        out[r, 1] = math.sqrt(squares / count) / (mean if mean != 0 else 1.0)


def _row_moments(x, skip_zeros):
    out = np.zeros((len(x), 2))
    _moments_kernel(np.ascontiguousarray(x), skip_zeros, out)
    return out


def moments(x):
    """Return mean and coefficient of variation (standard deviation over mean) of every row."""
    return _row_moments(x, False)


def nonzero_moments(x):
    """Return mean and coefficient of variation of the non-zero values of every row.

    A row of zeros gives zeros. The sign of the mean is kept: the coefficient
    of a contour that is negative on average is negative.
    """
    return _row_moments(x, True)


@inlined
def _local_extrema(x, where, kind):
    """Write positions and kinds of strict local extrema, and return their number.

    Two values at either end take no part.
    """
    count = 0
    for i in range(2, len(x) - 2):
        sign = 0
        if x[i] > x[i - 1] and x[i] > x[i + 1]:
            sign = _MAXIMUM
        elif x[i] < x[i - 1] and x[i] < x[i + 1]:
            sign = _MINIMUM
        if sign != 0:
            where[count], kind[count] = i, sign
            count += 1
    return count


# Each function that numba has to compile delays the first features on a machine: loops are
# written out where numpy has a function, arrays come from outside.
#
# The three passes below keep the extrema that stand out by a tenth of the range of the contour:
# slopes between all extrema would measure the ripple of the contour, not its movement. Each
# moves the extrema that stay to the front and returns their number.


@inlined
def _drop_small_maxima(x, where, kind, keep, n, threshold):
    """First pass: a maximum stays if it stands out from its neighbours; minima all stay."""
    previous = highest = lowest = x[0]
    last_accepted = -1
    minimum_seen = False
    for e in range(n):
        y = x[where[e]]
        large = abs(y - previous) >= threshold
        previous = y
        keep[e] = True
        if kind[e] == _MINIMUM:
            if large:
                lowest = y
                minimum_seen = True
        elif not large and y - lowest < threshold:
            keep[e] = False
        else:
            accepted = large
            if not large:
                accepted = minimum_seen
                if np.float64(y) > 1.05 * np.float64(highest):
                    accepted = True
                    if last_accepted >= 0:
                        keep[last_accepted] = False
            minimum_seen = False
            keep[e] = accepted
            if accepted:
                highest = y
                last_accepted = e
    count = 0
    for e in range(n):
        if keep[e]:
            where[count], kind[count] = where[e], kind[e]
            count += 1
    return count


@inlined
def _drop_small_minima(x, where, kind, n, threshold):
    """Second pass: a minimum stays if it lies deep enough below the last maximum."""
    highest = x[0]
    count = 0
    for e in range(n):
        y = x[where[e]]
        if kind[e] == _MAXIMUM:
            highest = y
        if kind[e] == _MAXIMUM or not (highest - y < threshold):
            where[count], kind[count] = where[e], kind[e]
            count += 1
    return count


@inlined
def _merge_runs(x, where, kind, n):
    """Third pass: of neighbouring extrema of one kind only the most extreme stays."""
    count = 0
    for e in range(n):
        if count > 0 and kind[count - 1] == kind[e]:
            more = x[where[e]] - x[where[count - 1]]
            if more * kind[e] > 0:
                where[count - 1] = where[e]
        else:
            where[count], kind[count] = where[e], kind[e]
            count += 1
    return count


@inlined
def _extrema(x, where, kind, keep):
    low = high = x[0]
    for i in range(len(x)):
        low, high = min(low, x[i]), max(high, x[i])
    threshold = np.float32(0.1) * np.float32(high - low)
    n = _local_extrema(x, where, kind)
    n = _drop_small_maxima(x, where, kind, keep, n, threshold)
    n = _drop_small_minima(x, where, kind, n, threshold)
    return _merge_runs(x, where, kind, n)


@compiled
def _mean_and_spread(slopes, n, extra, has_extra, out):
    """Write mean and spread of slopes.

    The slope to the end counts in the mean and in the number of slopes, but not
    in the sum of squares, as in openSMILE.
    """
    count = n + has_extra
    if count > 0:
        total, squares = extra, 0.0
        for i in range(n):
            total += slopes[i]
        mean = total / count
        for i in range(n):
            squares += (slopes[i] - mean) * (slopes[i] - mean)
        out[0], out[1] = mean, math.sqrt(squares / count)


@compiled
def _slopes_kernel(x, where, kind, keep, slopes, out):
    """Write mean and spread of rising slopes, of falling slopes, and the number of maxima."""
    n = len(x)
    n_extrema = _extrema(x, where, kind, keep)
    rising, falling = slopes[0], slopes[1]
    n_rising = n_falling = n_maxima = 0
    maximum = minimum = np.float64(x[0])
    at_maximum = at_minimum = 0
    last = 0
    for e in range(n_extrema):
        i, y = where[e], np.float64(x[where[e]])
        if kind[e] == _MINIMUM:
            if i > at_maximum:
                falling[n_falling] = (maximum - y) / ((i - at_maximum) * HOP)
                n_falling += 1
                last = _MINIMUM
            minimum, at_minimum = y, i
        else:
            if i > at_minimum:
                rising[n_rising] = (y - minimum) / ((i - at_minimum) * HOP)
                n_rising += 1
                last = _MAXIMUM
            maximum, at_maximum = y, i
            n_maxima += 1
    # One more slope leads from the last extremum to the end of the contour.
    end = np.float64(x[n - 1])
    up = down = 0.0
    if last == _MAXIMUM:
        # openSMILE counts this falling slope as negative, the others as positive.
        down = (end - maximum) / ((n - 1 - at_maximum) * HOP)
    elif last == _MINIMUM:
        up = (end - minimum) / ((n - 1 - at_minimum) * HOP)
    else:
        # No extremum: the slope per frame, not per second, as in openSMILE.
        slope = (end - np.float64(x[0])) / n
        up, down = max(slope, 0.0), min(slope, 0.0)
    has_up = last == _MINIMUM or (last == 0 and up > 0)
    has_down = last == _MAXIMUM or (last == 0 and down < 0)
    _mean_and_spread(rising, n_rising, up, has_up, out[0:2])
    _mean_and_spread(falling, n_falling, down, has_down, out[2:4])
    out[4] = n_maxima


def _percentiles(x):
    """Return the 20th, 50th and 80th percentile with linear interpolation."""
    # np.percentile takes ten times as long for contours of this length.
    ordered = np.sort(x).astype(np.float64)
    position = np.array([0.2, 0.5, 0.8]) * (len(x) - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, len(x) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def contour_statistics(x):
    """Compute the ten statistics of one contour, in the order of `TEN_STATISTICS`, and one more.

    Parameters
    ----------
    x : ndarray of shape (n_frames,), dtype float32
        Only the frames that count; an empty contour gives zeros.

    Returns
    -------
    ndarray of shape (11,)
        Slopes are per second. The last value is the number of maxima per second.
    """
    n = len(x)
    out = np.zeros(len(TEN_STATISTICS) + 1)
    if n:
        where, kind = np.empty((2, n), np.int64)
        x = np.ascontiguousarray(x)
        _moments_kernel(x[None], False, out[None, :2])
        out[2:5] = _percentiles(x)
        out[5] = out[4] - out[2]
        _slopes_kernel(x, where, kind, np.empty(n, np.bool_), np.empty((2, n)), out[6:])
        out[-1] /= n * HOP
    return out


@compiled
def _run_lengths(f0, voiced, lengths):
    """Write lengths of runs of at least three frames, and return the number of runs.

    A single frame of the other kind does not end a run.
    """
    n = len(f0)
    count = 0
    first, members, gap = -1, 0, 0
    for t in range(n + 1):
        if t < n and (f0[t] != 0) == voiced:
            if first < 0:
                first, members = t, 0
            members += 1
            gap = 0
        elif first >= 0:
            gap += 1
            if gap == 2 or t == n:
                if members >= 3:
                    # The distance from first to last member, one less than their number.
                    lengths[count] = t - gap - first
                    count += 1
                first, gap = -1, 0
    return count


def segments(f0):
    """Return statistics of voiced and unvoiced segments.

    Parameters
    ----------
    f0 : ndarray of shape (n_frames,), dtype float32
        Smoothed F0 contour, 0 where unvoiced.

    Returns
    -------
    ndarray of shape (5,)
        Voiced segments per second; mean and standard deviation of their
        lengths in seconds; mean and standard deviation of the lengths of
        unvoiced segments.
    """
    out = np.zeros(5)
    room = np.empty(len(f0), np.int64)
    for start, voiced in ((1, True), (3, False)):
        lengths = room[: _run_lengths(f0, voiced, room)]
        if voiced:
            out[0] = len(lengths) / (len(f0) * HOP)
        if len(lengths):
            out[start] = lengths.mean() * HOP
            out[start + 1] = lengths.std() * HOP
    return out
