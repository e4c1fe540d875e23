import numpy as np
import pytest

from sklearn_ser.features._egemaps import _functionals
from sklearn_ser.features._egemaps._functionals import (
    TEN_STATISTICS,
    contour_statistics,
    moments,
    nonzero_moments,
    segments,
    smooth,
    smooth_nonzero,
)


def f32(*values):
    return np.array(values, np.float32)


def peak_rate(x):
    return contour_statistics(x)[-1]


def statistics(x):
    return dict(zip(TEN_STATISTICS, contour_statistics(x.astype(np.float32))[:-1], strict=True))


def test_smoothing_repeats_the_edges():
    np.testing.assert_allclose(smooth(f32([3, 6, 0, 9])), f32([4, 3, 5, 6]))


def test_smoothing_of_a_single_frame_keeps_it():
    np.testing.assert_array_equal(smooth(f32([2])), f32([2]))
    np.testing.assert_array_equal(smooth_nonzero(f32([2])), f32([2]))


def test_zeros_take_no_part_in_nonzero_smoothing():
    np.testing.assert_allclose(smooth_nonzero(f32([0, 4, 0, 2, 6, 0])), f32([0, 4, 0, 4, 4, 0]))
    np.testing.assert_allclose(smooth_nonzero(f32([3, 6, 0, 9])), f32([4, 4.5, 0, 9]))


def test_moments_by_hand():
    # Values 1, 2, 6: mean 3, variance (4 + 1 + 9) / 3.
    np.testing.assert_allclose(moments(f32([1, 2, 6])), [[3, np.sqrt(14 / 3) / 3]])
    np.testing.assert_allclose(nonzero_moments(f32([0, 1, 2, 0, 6])), moments(f32([1, 2, 6])))


def test_moments_of_special_contours():
    np.testing.assert_array_equal(nonzero_moments(f32([0, 0])), [[0, 0]])
    np.testing.assert_array_equal(moments(f32([-2, -2])), [[-2, 0]])
    # A mean of 0 divides by 1; a negative mean gives a negative spread.
    np.testing.assert_allclose(moments(f32([-1, 1])), [[0, 1]])
    assert moments(f32([-1, -3]))[0, 1] == pytest.approx(-0.5)


def test_percentiles_interpolate():
    got = statistics(np.arange(11.0)[np.random.default_rng(0).permutation(11)] ** 2)
    assert got["percentile20.0"] == 4
    assert got["percentile50.0"] == 25
    assert got["percentile80.0"] == 64
    assert got["pctlrange0-2"] == 60


def test_slopes_of_a_zigzag():
    # From 0 up to 10 in 10 frames, down to 2 in 4, up to 8 in 6, down to 0 in 8.
    x = np.interp(np.arange(29), [0, 10, 14, 20, 28], [0, 10, 2, 8, 0])
    got = statistics(x)
    assert got["meanRisingSlope"] == pytest.approx((100 + 100) / 2)
    assert got["stddevRisingSlope"] == pytest.approx(0, abs=1e-9)
    # The fall to the end counts in the mean with a negative sign, and not in the deviations.
    mean = (200 - 100) / 2
    assert got["meanFallingSlope"] == pytest.approx(mean)
    assert got["stddevFallingSlope"] == pytest.approx(np.sqrt((200 - mean) ** 2 / 2))
    assert peak_rate(x.astype(np.float32)) == pytest.approx(2 / 0.29)


def test_small_ripples_are_no_extrema():
    x = np.interp(np.arange(41), [0, 20, 40], [0, 10, 0])
    ripple = x + 0.2 * (np.arange(41) % 2)
    assert peak_rate(ripple.astype(np.float32)) == pytest.approx(1 / 0.41)


def test_monotone_contours_have_one_slope_over_their_length():
    rising = statistics(np.arange(10.0))
    assert rising["meanRisingSlope"] == pytest.approx(0.9)
    assert rising["meanFallingSlope"] == 0
    falling = statistics(-np.arange(10.0))
    assert falling["meanFallingSlope"] == pytest.approx(-0.9)
    assert falling["meanRisingSlope"] == 0


def test_constant_and_empty_contours():
    constant = statistics(np.full(20, 3.0))
    assert constant["amean"] == constant["percentile50.0"] == 3
    assert constant["stddevNorm"] == constant["meanRisingSlope"] == 0
    assert not contour_statistics(np.empty(0, np.float32)).any()


@pytest.mark.parametrize("seed", range(5))
def test_slopes_scale_with_the_contour(seed):
    x = np.random.default_rng(seed).normal(size=80).cumsum().astype(np.float32)
    np.testing.assert_allclose(
        contour_statistics(4 * x)[6:10], 4 * contour_statistics(x)[6:10], rtol=1e-5
    )


def run_lengths(text):
    f0 = np.array([c == "#" for c in text], np.float32)
    lengths = np.empty(len(f0), np.int64)
    n = _functionals._run_lengths(f0, True, lengths)
    swapped = np.empty_like(lengths)
    assert _functionals._run_lengths(1 - f0, False, swapped) == n
    np.testing.assert_array_equal(swapped[:n], lengths[:n])
    return list(lengths[:n])


@pytest.mark.parametrize(
    ("contour", "lengths"),
    [
        ("..####..", [3]),
        ("####", [3]),
        ("##..##..", []),  # fewer than three members
        ("#.#.#..", [4]),  # single gaps stay inside
        ("##.##...###.", [4, 2]),
        ("###.", [2]),  # open at the end, the trailing gap does not count
        ("###..###", [2, 2]),
        ("", []),
        ("....", []),
    ],
)
def test_run_lengths(contour, lengths):
    assert run_lengths(contour) == lengths


def test_segments_in_seconds():
    f0 = np.array([c == "#" for c in "####....######...."], np.float32)
    rate, mean, spread, unvoiced_mean, unvoiced_spread = segments(f0)
    assert rate == pytest.approx(2 / 0.18)
    assert mean == pytest.approx(0.04)
    assert spread == pytest.approx(0.01)
    assert unvoiced_mean == pytest.approx(0.03)
    assert unvoiced_spread == pytest.approx(0)
