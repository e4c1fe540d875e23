import numpy as np
import pytest

from sklearn_ser.features._egemaps import _roots
from sklearn_ser.features._egemaps._roots import polynomial_roots


def matched(roots, expected):
    """Distance from each expected root to the nearest that was found."""
    return np.abs(np.asarray(expected)[:, None] - np.asarray(roots)).min(axis=1)


@pytest.mark.parametrize(
    "roots",
    [
        [0.5],
        [0.5, -0.25],
        [0.3 + 0.4j, 0.3 - 0.4j],
        [0.9, -0.9, 0.1, 0.2j, -0.2j],
        [0.99 * np.exp(0.1j), 0.99 * np.exp(-0.1j), 2.0, -3.0],
        [0, 0, 1],
    ],
)
def test_known_roots(roots):
    found = polynomial_roots(np.poly(roots).real[None, 1:])[0]
    assert len(found) == len(roots)
    assert matched(found, roots).max() < 1e-7


@pytest.mark.parametrize("seed", range(5))
def test_random_polynomials_agree_with_eigenvalues(seed):
    coefficients = np.random.default_rng(seed).normal(size=(200, 11))
    ours, theirs = polynomial_roots(coefficients), _roots._eigenvalues(coefficients)
    for a, b in zip(ours, theirs, strict=True):
        assert matched(a, b).max() < 1e-7
        assert matched(b, a).max() < 1e-7


def test_complex_roots_come_in_exact_pairs():
    roots = polynomial_roots(np.random.default_rng(0).normal(size=(50, 11)))
    for row in roots:
        assert sorted(row[row.imag > 0].tolist(), key=abs) == sorted(
            row[row.imag < 0].conj().tolist(), key=abs
        )


def test_doubtful_rows_are_solved_again(monkeypatch):
    coefficients = np.random.default_rng(0).normal(size=(6, 11))

    def half_wrong(c):
        return np.full(c.shape, np.nan, complex), np.arange(len(c)) % 2 == 1

    monkeypatch.setattr(_roots, "_solve_all", half_wrong)
    roots = polynomial_roots(coefficients)
    assert np.isnan(roots[1::2]).all()
    np.testing.assert_array_equal(roots[::2], _roots._eigenvalues(coefficients[::2]))


def test_silence_has_roots_at_zero():
    np.testing.assert_array_equal(polynomial_roots(np.zeros((2, 11))), 0)


def test_no_polynomials():
    assert polynomial_roots(np.empty((0, 11))).shape == (0, 11)
