"""Divergence from the shares of raters."""

import numpy as np
import pytest
from scipy.stats import entropy

from sklearn_ser.metrics import soft_label_divergence


def test_equals_the_formula():
    rng = np.random.default_rng(0)
    s, p = rng.dirichlet(np.ones(4), size=(2, 30))
    expected = np.mean([entropy(one, other) for one, other in zip(s, p, strict=True)])
    assert soft_label_divergence(s, p) == pytest.approx(expected)
    assert soft_label_divergence(s, s) == 0


def test_is_finite_where_a_class_was_excluded():
    assert soft_label_divergence([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(-np.log(1e-7))


def test_takes_shares_that_were_rounded_as_fit_does():
    assert soft_label_divergence([[0.33, 0.33, 0.33]], [[1 / 3] * 3]) == pytest.approx(0)


@pytest.mark.parametrize(
    "wrong", [1, [0.5, 0.5], [[0.5, 0.6]], [[-0.5, 1.5]], [[np.nan, 1.0]], np.empty((0, 2))]
)
def test_refuses_what_is_no_distribution(wrong):
    with pytest.raises(ValueError, match="shares must have a row per sample"):
        soft_label_divergence(wrong, [[0.5, 0.5]])


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"shape \(1, 2\) and probabilities \(2, 2\)"):
        soft_label_divergence([[0.5, 0.5]], [[0.5, 0.5]] * 2)
