"""Statistics of contours: smoothing, moments, percentiles, slopes, segments."""

import math

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled

__all__ = [
    "HOP",
    "TEN_STATISTICS",
    "contour_statistics",
    "moments",
    "nonzero_moments",
    "peak_rate",
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
def smooth(x):
    """Average every value of every row with its two neighbours; the edges repeat.

    The sum is in float32 and from left to right: where it cancels, it must give
    the same exact zero as openSMILE's, which means "no value".
    """
    out = np.empty_like(x)
    rows, n = x.shape
    for r in range(rows):
        for t in range(n):
            total = (x[r, max(t - 1, 0)] + x[r, t]) + x[r, min(t + 1, n - 1)]
            out[r, t] = total / np.float32(3)
    return out


@compiled
def smooth_nonzero(x):
    """Average every non-zero value of every row with its non-zero neighbours."""
    out = np.zeros_like(x)
    rows, n = x.shape
    for r in range(rows):
        for t in range(n):
            if x[r, t] == 0:
                continue
            total, count = np.float32(0), np.float32(0)
            for u in (max(t - 1, 0), t, min(t + 1, n - 1)):
                if x[r, u] != 0:
                    total += x[r, u]
                    count += np.float32(1)
            out[r, t] = total / count
    return out


@compiled
def _row_moments(x, skip_zeros):
    rows, n = x.shape
    out = np.zeros((rows, 2))
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
                squares += (x[r, t] - mean) ** 2
        out[r, 0] = mean
        out[r, 1] = math.sqrt(squares / count) / (mean if mean != 0 else 1.0)
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


@compiled
def _local_extrema(x):
    """Return positions and kinds of strict local extrema, without two values at either end."""
    n = len(x)
    where = np.empty(n, np.int64)
    kind = np.empty(n, np.int64)
    count = 0
    for i in range(2, n - 2):
        if x[i] > x[i - 1] and x[i] > x[i + 1]:
            where[count], kind[count] = i, _MAXIMUM
            count += 1
        elif x[i] < x[i - 1] and x[i] < x[i + 1]:
            where[count], kind[count] = i, _MINIMUM
            count += 1
    return where[:count], kind[:count]


# Loops are written out where numpy has a function: each function that numba has to compile
# delays the first features on a machine by a third of a second.
#
# The three passes below keep the extrema that stand out by a tenth of the range of the contour:
# slopes between all extrema would measure the ripple of the contour, not its movement.


@compiled
def _compress(where, kind, keep):
    """Keep the marked extrema, in place."""
    count = 0
    for e in range(len(where)):
        if keep[e]:
            where[count], kind[count] = where[e], kind[e]
            count += 1
    return where[:count], kind[:count]


@compiled
def _drop_small_maxima(x, where, kind, threshold):
    """First pass: a maximum stays if it stands out from its neighbours; minima all stay."""
    keep = np.ones(len(where), np.bool_)
    previous = highest = lowest = x[0]
    last_accepted = -1
    minimum_seen = False
    for e in range(len(where)):
        y = x[where[e]]
        large = abs(y - previous) >= threshold
        previous = y
        if kind[e] == _MINIMUM:
            if large:
                lowest = y
                minimum_seen = True
            continue
        accepted = large
        if not large:
            if y - lowest < threshold:
                keep[e] = False
                continue
            if np.float64(y) > 1.05 * np.float64(highest):
                if last_accepted >= 0:
                    keep[last_accepted] = False
                accepted = True
            else:
                accepted = minimum_seen
        minimum_seen = False
        keep[e] = accepted
        if accepted:
            highest = y
            last_accepted = e
    return _compress(where, kind, keep)


@compiled
def _drop_small_minima(x, where, kind, threshold):
    """Second pass: a minimum stays if it lies deep enough below the last maximum."""
    keep = np.ones(len(where), np.bool_)
    highest = x[0]
    for e in range(len(where)):
        y = x[where[e]]
        if kind[e] == _MAXIMUM:
            highest = y
        else:
            keep[e] = not (highest - y < threshold)
    return _compress(where, kind, keep)


@compiled
def _merge_runs(x, where, kind):
    """Third pass: of neighbouring extrema of one kind only the most extreme stays."""
    count = 0
    for e in range(len(where)):
        if count and kind[count - 1] == kind[e]:
            more = x[where[e]] - x[where[count - 1]]
            if more * kind[e] > 0:
                where[count - 1] = where[e]
        else:
            where[count], kind[count] = where[e], kind[e]
            count += 1
    return where[:count], kind[:count]


@compiled
def _extrema(x):
    low = high = x[0]
    for value in x:
        low, high = min(low, value), max(high, value)
    threshold = np.float32(0.1) * np.float32(high - low)
    where, kind = _local_extrema(x)
    where, kind = _drop_small_maxima(x, where, kind, threshold)
    where, kind = _drop_small_minima(x, where, kind, threshold)
    return _merge_runs(x, where, kind)


@compiled
def _mean_and_spread(slopes, extra, has_extra):
    """Return mean and spread of slopes.

    The slope to the end counts in the mean and in the number of slopes, but not
    in the sum of squares, as in openSMILE.
    """
    count = len(slopes) + has_extra
    if count == 0:
        return 0.0, 0.0
    total, squares = extra, 0.0
    for slope in slopes:
        total += slope
    mean = total / count
    for slope in slopes:
        squares += (slope - mean) ** 2
    return mean, math.sqrt(squares / count)


@compiled
def _slopes(x):
    """Return mean and spread of rising slopes, of falling slopes, and the number of maxima."""
    n = len(x)
    where, kind = _extrema(x)
    rising = np.empty(len(where))
    falling = np.empty(len(where))
    n_rising = n_falling = 0
    maximum = minimum = np.float64(x[0])
    at_maximum = at_minimum = 0
    last = 0
    for e in range(len(where)):
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
    up_mean, up_spread = _mean_and_spread(rising[:n_rising], up, has_up)
    down_mean, down_spread = _mean_and_spread(falling[:n_falling], down, has_down)
    n_maxima = 0
    for e in range(len(kind)):
        n_maxima += kind[e] == _MAXIMUM
    return up_mean, up_spread, down_mean, down_spread, n_maxima


def _percentiles(x):
    """Return the 20th, 50th and 80th percentile with linear interpolation."""
    # np.percentile takes ten times as long for contours of this length.
    ordered = np.sort(x).astype(np.float64)
    position = np.array([0.2, 0.5, 0.8]) * (len(x) - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, len(x) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def contour_statistics(x):
    """Compute the ten statistics of one contour, in the order of `TEN_STATISTICS`.

    Parameters
    ----------
    x : ndarray of shape (n_frames,), dtype float32
        Only the frames that count; an empty contour gives zeros.

    Returns
    -------
    ndarray of shape (10,)
        Slopes are per second.
    """
    if len(x) == 0:
        return np.zeros(len(TEN_STATISTICS))
    low, median, high = _percentiles(x)
    return np.array(
        [*_row_moments(x[None], False)[0], low, median, high, high - low, *_slopes(x)[:4]]
    )


def peak_rate(x):
    """Maxima per second of a contour."""
    return _slopes(x)[4] / (len(x) * HOP)


@compiled
def _run_lengths(inside):
    """Return lengths of runs of at least three True; a single False does not end a run."""
    n = len(inside)
    lengths = np.empty(n, np.int64)
    count = 0
    first, members, gap = -1, 0, 0
    for t in range(n + 1):
        if t < n and inside[t]:
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
    return lengths[:count]


def segments(f0):
    """Return statistics of voiced and unvoiced segments.

    Parameters
    ----------
    f0 : ndarray of shape (n_frames,)
        Smoothed F0 contour, 0 where unvoiced.

    Returns
    -------
    ndarray of shape (5,)
        Voiced segments per second; mean and standard deviation of their
        lengths in seconds; mean and standard deviation of the lengths of
        unvoiced segments.
    """
    out = np.zeros(5)
    for start, inside in ((1, f0 != 0), (3, f0 == 0)):
        lengths = _run_lengths(inside)
        if start == 1:
            out[0] = len(lengths) / (len(f0) * HOP)
        if len(lengths):
            out[start] = lengths.mean() * HOP
            out[start + 1] = lengths.std() * HOP
    return out
