import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from sklearn_ser.metrics import brier_score, expected_calibration_error, reliability_curve

Y = ["anger", "sadness", "neutral", "anger"]
P = [[0.6, 0.3, 0.1], [0.2, 0.1, 0.7], [0.5, 0.25, 0.25], [0.9, 0.05, 0.05]]


def test_the_brier_score_by_hand():
    # Columns: anger, neutral, sadness.
    rows = [
        0.4**2 + 0.3**2 + 0.1**2,
        0.2**2 + 0.1**2 + 0.3**2,
        0.5**2 + 0.75**2 + 0.25**2,
        0.1**2 + 0.05**2 + 0.05**2,
    ]
    assert brier_score(Y, P) == pytest.approx(sum(rows) / 4)


def test_bounds_of_the_brier_score():
    certain = np.eye(3)[[0, 2, 1, 0]]
    assert brier_score(Y, certain) == 0
    assert brier_score(Y, np.eye(3)[[1, 0, 0, 2]]) == 2
    assert brier_score(Y, np.full((4, 3), 1 / 3)) == pytest.approx(1 - 1 / 3)


def test_a_label_that_the_model_does_not_know_has_the_probability_0():
    two = [[0.7, 0.3], [0.4, 0.6]]
    found = brier_score(["boredom", "anger"], two, labels=["anger", "sadness"])
    assert found == pytest.approx((0.7**2 + 0.3**2 + 1 + 0.6**2 + 0.6**2) / 2)
    curve = reliability_curve(["boredom", "anger"], two, labels=["anger", "sadness"])
    assert curve["accuracy"].tolist() == [0, 0]


def test_labels_name_the_columns():
    swapped = np.asarray(P)[:, [2, 0, 1]]
    labels = ["sadness", "anger", "neutral"]
    assert brier_score(Y, swapped, labels=labels) == pytest.approx(brier_score(Y, P))
    assert expected_calibration_error(Y, swapped, labels=labels) == pytest.approx(
        expected_calibration_error(Y, P)
    )


def test_tables_name_their_columns():
    table = pd.DataFrame(P, columns=["anger", "neutral", "sadness"])
    turned = table[["sadness", "anger", "neutral"]]
    expected = brier_score(Y, P)
    assert brier_score(Y, turned) == expected != brier_score(Y, turned.to_numpy())
    assert brier_score(Y, turned, labels=list(turned)) == expected
    assert brier_score(Y, table.add_prefix("p_")) == expected
    assert expected_calibration_error(Y, turned) == expected_calibration_error(Y, P)
    with pytest.raises(ValueError, match=r"columns of y_proba are \['sadness', .* another order"):
        brier_score(Y, turned, labels=sorted(turned))


def test_the_brier_score_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=50)
    p = rng.random(50)
    expected = 2 * sklearn_metrics.brier_score_loss(y, p)
    assert brier_score(y, np.column_stack([1 - p, p])) == pytest.approx(expected)


def test_the_curve_by_hand():
    curve = reliability_curve(Y, P, n_bins=4)
    expected = pd.DataFrame(
        # 0.5 belongs to the second bin, whose upper bound it is, and is wrong; 0.6, 0.7
        # and 0.9 are right.
        {
            "low": [0.25, 0.5, 0.75],
            "high": [0.5, 0.75, 1.0],
            "n": [1, 2, 1],
            "confidence": [0.5, 0.65, 0.9],
            "accuracy": [0, 1, 1],
        }
    )
    pd.testing.assert_frame_equal(curve, expected, check_dtype=False)
    error = (1 * 0.5 + 2 * 0.35 + 1 * 0.1) / 4
    assert expected_calibration_error(Y, P, n_bins=4) == pytest.approx(error)


def test_the_curve_is_that_of_scikit_learn_where_it_has_one():
    # With two classes and confidence in the second one, both sort by the same number.
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, size=200)
    y = (rng.random(200) < p).astype(int)
    found = reliability_curve(y, np.column_stack([1 - p, p]), n_bins=10)
    accuracy, confidence = calibration_curve(y, p, n_bins=10)
    np.testing.assert_allclose(found["accuracy"], accuracy)
    np.testing.assert_allclose(found["confidence"], confidence)


def test_true_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=20_000)
    y = (p.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert expected_calibration_error(y, p) < 0.02
    sharper = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert expected_calibration_error(y, sharper) > 0.1
    assert brier_score(y, p) < brier_score(y, sharper)


@pytest.mark.parametrize(
    ("y_proba", "labels", "message"),
    [
        ([[0.5, 0.5]], None, r"one row for each of the 2 labels .* shape \(1, 2\)"),
        ([0.5, 0.5], None, r"got an array of shape \(2,\)"),
        ([[0.9, 0.2], [0.5, 0.5]], None, "each must sum to 1"),
        ([[1.2, -0.2], [0.5, 0.5]], None, "negative or missing"),
        ([[np.nan, 1], [0.5, 0.5]], None, "negative or missing"),
        ([[0.2, 0.3, 0.5]] * 2, None, "3 columns, but there are 2 labels; pass labels="),
        ([[0.5, 0.5]] * 2, ["anger", "anger"], "labels has an entry twice"),
    ],
)
def test_errors(y_proba, labels, message):
    for score in (brier_score, expected_calibration_error, reliability_curve):
        with pytest.raises(ValueError, match=message):
            score(["anger", "sadness"], y_proba, labels=labels)


def test_numbers_are_no_text():
    with pytest.raises(ValueError, match="labels holds '0' and y_true 0: pass text in both"):
        brier_score([0, 1], [[0.5, 0.5]] * 2, labels=["0", "1"])
    assert brier_score(np.array([0, 1], dtype=object), [[1, 0], [0, 1]], labels=[0, 1]) == 0


@pytest.mark.parametrize("n_bins", [0, 2.5, "ten"])
def test_the_number_of_bins(n_bins):
    with pytest.raises(ValueError, match="n_bins must be an integer of at least 1, got"):
        reliability_curve(Y, P, n_bins=n_bins)
