import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, wasserstein_distance

from sklearn_ser.metrics import (
    jensen_shannon_divergence,
    maximum_mean_discrepancy,
    sliced_wasserstein_distance,
)

DISTANCES = [
    sliced_wasserstein_distance,
    maximum_mean_discrepancy,
    jensen_shannon_divergence,
]


def gaussians(n, m, n_features, shift=0.0, spread=1.0, seed=0):
    """Two samples of normal distributions, the second shifted along the first axis."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, n_features)), spread * rng.normal(size=(m, n_features))
    Y[:, 0] += shift
    return X, Y


class TestSlicedWasserstein:
    @pytest.mark.parametrize(("n", "m"), [(30, 30), (30, 20), (7, 50), (1, 3)])
    @pytest.mark.parametrize("seed", range(3))
    def test_one_dimension_is_the_distance_itself(self, n, m, seed):
        X, Y = gaussians(n, m, 1, shift=1, spread=2, seed=seed)
        assert sliced_wasserstein_distance(X, Y, p=1) == pytest.approx(
            wasserstein_distance(X[:, 0], Y[:, 0])
        )

    def test_unequal_sizes_by_hand(self):
        # Quantile functions 0 | 3 and 0 | 3 | 6 differ on [1/3, 1/2] by 3, on [2/3, 1] by 3.
        X, Y = [[0.0], [3.0]], [[0.0], [3.0], [6.0]]
        assert sliced_wasserstein_distance(X, Y, p=1) == pytest.approx(3 / 6 + 3 / 3)
        assert sliced_wasserstein_distance(X, Y, p=2) == pytest.approx(math.sqrt(9 / 6 + 9 / 3))

    @pytest.mark.parametrize("n_features", [2, 5, 16])
    def test_a_shift(self, n_features):
        X, _ = gaussians(50, 1, n_features)
        shift = np.zeros(n_features)
        shift[:2] = 3, 4
        # Orthogonal directions add up to the whole shift, without an error of sampling.
        assert sliced_wasserstein_distance(
            X, X + shift, n_projections=4 * n_features, random_state=0
        ) == pytest.approx(5 / math.sqrt(n_features))
        # The mean of |θ·e| over the unit sphere.
        mean_cosine = math.exp(math.lgamma(n_features / 2) - math.lgamma((n_features + 1) / 2))
        assert sliced_wasserstein_distance(
            X, X + shift, p=1, n_projections=3000, random_state=0
        ) == pytest.approx(5 * mean_cosine / math.sqrt(math.pi), rel=0.02)

    def test_gaussians_of_different_mean_and_spread(self):
        X, Y = gaussians(20000, 15000, 4, shift=2, spread=3)
        # Along θ the two are normal, W2² = (shift · θ₁)² + (3 - 1)².
        assert sliced_wasserstein_distance(X, Y, random_state=0) == pytest.approx(
            math.sqrt(4 / 4 + 4), rel=0.02
        )

    def test_the_same_distribution(self):
        distances = [
            sliced_wasserstein_distance(*gaussians(n, n, 4), random_state=0) for n in (100, 10000)
        ]
        assert distances[1] < 0.05 < distances[0] < 0.5
        X = gaussians(20, 1, 4)[0]
        assert sliced_wasserstein_distance(X, X[::-1]) == pytest.approx(0)

    @pytest.mark.parametrize("seed", range(3))
    def test_invariants(self, seed):
        X, Y = gaussians(40, 60, 3, shift=1, seed=seed)
        distance = sliced_wasserstein_distance(X, Y, random_state=0)
        assert sliced_wasserstein_distance(Y, X, random_state=0) == pytest.approx(distance)
        assert sliced_wasserstein_distance(5 * X - 7, 5 * Y - 7, random_state=0) == (
            pytest.approx(5 * distance)
        )
        twice = np.repeat(Y, 2, axis=0)
        assert sliced_wasserstein_distance(X, twice, random_state=0) == pytest.approx(distance)

    def test_many_rows_in_parts(self, monkeypatch):
        X, Y = gaussians(500, 300, 3, shift=1)
        whole = sliced_wasserstein_distance(X, Y, random_state=0)
        monkeypatch.setattr("sklearn_ser.metrics._distances._CHUNK", 2000)
        assert sliced_wasserstein_distance(X, Y, random_state=0) == pytest.approx(whole)

    @pytest.mark.parametrize("p", [0.5, "2", math.inf])
    def test_orders_that_are_none(self, p):
        with pytest.raises(ValueError, match="the order of the distance, must be at least 1"):
            sliced_wasserstein_distance([[1.0]], [[2.0]], p=p)

    def test_no_directions(self):
        with pytest.raises(ValueError, match=r"n_projections.* at least 1, got 0"):
            sliced_wasserstein_distance([[1.0]], [[2.0]], n_projections=0)


def mmd2_of_gaussians(n_features, shift, bandwidth):
    """The square for unit normal distributions; sums of normal variables are normal."""
    overlap = (bandwidth**2 / (bandwidth**2 + 2)) ** (n_features / 2)
    return 2 * overlap * (1 - math.exp(-(shift**2) / (2 * (bandwidth**2 + 2))))


class TestMaximumMeanDiscrepancy:
    @pytest.mark.parametrize("n_features", [1, 5])
    @pytest.mark.parametrize(("shift", "bandwidth"), [(0, 1.0), (1, 1.0), (3, 2.0), (0.5, 0.7)])
    def test_gaussians(self, n_features, shift, bandwidth):
        estimates = [
            maximum_mean_discrepancy(
                *gaussians(500, 300, n_features, shift, seed=seed), bandwidth=bandwidth
            )
            for seed in range(20)
        ]
        error = np.std(estimates) / math.sqrt(20)
        expected = mmd2_of_gaussians(n_features, shift, bandwidth)
        assert np.mean(estimates) == pytest.approx(expected, abs=4 * error)
        assert error < 0.01

    def test_unbiased(self):
        estimates = [
            maximum_mean_discrepancy(*gaussians(4, 6, 2, shift=1, seed=seed), bandwidth=1)
            for seed in range(800)
        ]
        error = np.std(estimates) / math.sqrt(800)
        assert np.mean(estimates) == pytest.approx(mmd2_of_gaussians(2, 1, 1), abs=4 * error)
        # With each row beside itself it would be (1/4 + 1/6) (1 - 1/3) higher.
        assert 4 * error < 0.1
        assert min(estimates) < 0

    def test_by_the_definition(self):
        X, Y = gaussians(6, 9, 3, shift=1)

        def kernel(A, B):
            return np.exp(-((A[:, None] - B[None]) ** 2).sum(axis=2) / (2 * 1.5**2))

        within_x = (kernel(X, X).sum() - 6) / (6 * 5)
        within_y = (kernel(Y, Y).sum() - 9) / (9 * 8)
        assert maximum_mean_discrepancy(X, Y, bandwidth=1.5) == pytest.approx(
            within_x + within_y - 2 * kernel(X, Y).mean()
        )

    def test_median_heuristic(self):
        # The three distances of 0, between equal rows, do not count.
        X, Y = [[0.0], [0.0], [1.0]], [[4.0], [4.0], [1.0]]
        distances = [1, 1, 4, 4, 1, 4, 4, 1, 3, 3, 3, 3]
        assert maximum_mean_discrepancy(X, Y) == pytest.approx(
            maximum_mean_discrepancy(X, Y, bandwidth=np.median(distances))
        )

    def test_the_scale_does_not_matter(self):
        X, Y = gaussians(50, 60, 3, shift=1)
        assert maximum_mean_discrepancy(100 * X, 100 * Y) == pytest.approx(
            maximum_mean_discrepancy(X, Y)
        )

    def test_far_apart_and_collapsed(self):
        X = np.zeros((5, 2))
        assert maximum_mean_discrepancy(X, X + 100, bandwidth=1) == pytest.approx(2)
        assert maximum_mean_discrepancy(X, X) == 0

    def test_many_rows_in_parts(self, monkeypatch):
        X, Y = gaussians(500, 300, 3, shift=1)
        whole = maximum_mean_discrepancy(X, Y, bandwidth=1)
        monkeypatch.setattr("sklearn_ser.metrics._distances._CHUNK", 2000)
        assert maximum_mean_discrepancy(X, Y, bandwidth=1) == pytest.approx(whole)

    def test_no_more_rows_than_allowed(self):
        X, Y = gaussians(100_000, 50, 2, shift=2)
        few = maximum_mean_discrepancy(X, Y, bandwidth=1, max_samples=1000, random_state=0)
        assert few == pytest.approx(mmd2_of_gaussians(2, 2, 1), abs=0.1)
        assert few != maximum_mean_discrepancy(X, Y, bandwidth=1, max_samples=1000, random_state=1)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"bandwidth": 0}, "bandwidth must be a number above 0 or None, got 0"),
            ({"bandwidth": "median"}, "bandwidth must be a number above 0 or None"),
            ({"max_samples": 1}, "max_samples must be an integer of at least 2, or None"),
        ],
    )
    def test_parameters_out_of_range(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            maximum_mean_discrepancy([[1.0], [2]], [[1.0], [2]], **arguments)

    def test_a_single_row(self):
        with pytest.raises(ValueError, match="Y has one row; the unbiased estimate needs"):
            maximum_mean_discrepancy([[1.0], [2]], [[1.0]])


def jsd_of_gaussians(shift):
    def integrand(x):
        p, q = norm.pdf(x), norm.pdf(x, shift)
        middle = (p + q) / 2
        return (p * np.log(p / middle) + q * np.log(q / middle)) / 2

    return quad(integrand, -8, 8 + shift)[0]


class TestJensenShannon:
    @pytest.mark.parametrize("shift", [0.5, 1, 2, 4])
    def test_gaussians(self, shift):
        X, Y = gaussians(40_000, 30_000, 2, shift)
        shifted, same = jensen_shannon_divergence(X, Y)
        assert shifted == pytest.approx(jsd_of_gaussians(shift), abs=0.004)
        assert same == pytest.approx(0, abs=0.001)

    def test_by_hand(self):
        # Two bins, shares 3/4 and 1/4 against 1/4 and 3/4.
        X, Y = [[1.0], [2], [3], [6]], [[4.0], [5], [7], [8]]
        expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
        assert jensen_shannon_divergence(X, Y, n_bins=2)[0] == pytest.approx(expected)

    @pytest.mark.parametrize(("n", "m"), [(10, 10), (7, 30), (1, 1), (1000, 11)])
    def test_no_overlap(self, n, m):
        rng = np.random.default_rng(0)
        X, Y = rng.uniform(0, 1, (n, 1)), rng.uniform(1.001, 5, (m, 1))
        assert jensen_shannon_divergence(X, Y)[0] == pytest.approx(math.log(2))
        assert jensen_shannon_divergence(Y, X)[0] == pytest.approx(math.log(2))

    def test_constants(self):
        zeros, ones = np.zeros((5, 1)), np.ones((7, 1))
        assert jensen_shannon_divergence(zeros, np.zeros((7, 1)))[0] == 0
        assert jensen_shannon_divergence(zeros, ones)[0] == pytest.approx(math.log(2))

    def test_bias_is_as_documented(self):
        means = np.mean(
            [
                jensen_shannon_divergence(*gaussians(500, 300, 4, seed=seed), n_bins=10)
                for seed in range(50)
            ]
        )
        assert means == pytest.approx(9 * (1 / 500 + 1 / 300) / 8, rel=0.15)

    @pytest.mark.parametrize("seed", range(3))
    def test_invariants(self, seed):
        X, Y = gaussians(40, 70, 2, shift=1, seed=seed)
        divergences = jensen_shannon_divergence(X, Y)
        assert divergences.shape == (2,)
        assert (divergences >= 0).all()
        assert (divergences <= math.log(2)).all()
        np.testing.assert_allclose(jensen_shannon_divergence(Y, X), divergences)
        np.testing.assert_allclose(jensen_shannon_divergence(np.exp(X), np.exp(Y)), divergences)
        np.testing.assert_allclose(
            jensen_shannon_divergence(np.repeat(X, 3, axis=0), Y, n_bins=8),
            jensen_shannon_divergence(X, Y, n_bins=8),
        )

    @pytest.mark.parametrize("n_bins", [1, 2.5, "auto"])
    def test_bins_out_of_range(self, n_bins):
        with pytest.raises(ValueError, match="n_bins must be an integer of at least 2 or None"):
            jensen_shannon_divergence([[1.0]], [[1.0]], n_bins=n_bins)


@pytest.mark.parametrize("distance", DISTANCES)
class TestAllDistances:
    def test_different_spaces(self, distance):
        with pytest.raises(ValueError, match=r"X has 2 columns but Y has 3.*same embedding"):
            distance(np.zeros((4, 2)), np.zeros((4, 3)))

    def test_gaps(self, distance):
        with pytest.raises(ValueError, match="Input Y contains NaN"):
            distance([[1.0], [2.0]], [[1.0], [np.nan]])

    def test_seeded(self, distance):
        X, Y = gaussians(2500, 30, 3, shift=1)
        seeded = {} if distance is jensen_shannon_divergence else {"random_state": 0}
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        np.testing.assert_array_equal(distance(X, Y, **seeded), distance(X, Y, **seeded))
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
