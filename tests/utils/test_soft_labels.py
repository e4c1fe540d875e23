"""Shares and counts of raters as labels."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from sklearn_ser.utils._soft_labels import are_shares, has_columns, majority_labels, soft_labels

SHARES = np.array([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]])


def test_columns_are_sorted_by_name():
    table = pd.DataFrame(SHARES, columns=["sadness", "anger", "neutral"])
    labels = soft_labels(table, 2)
    assert labels.classes.tolist() == ["anger", "neutral", "sadness"]
    np.testing.assert_array_equal(labels.shares, [[0.25, 0, 0.75], [0.5, 0.5, 0]])
    assert labels.as_labels().tolist() == ["sadness", "anger"]


def test_without_names_the_columns_are_numbered():
    labels = soft_labels(SHARES, 2)
    assert labels.classes.tolist() == [0, 1, 2]
    # Of equal shares, the first.
    assert majority_labels(SHARES).tolist() == [0, 1]


def test_a_class_without_any_share_is_left_out():
    labels = soft_labels([[1, 0, 0], [0, 0, 1]], 2)
    assert labels.classes.tolist() == [0, 2]
    assert labels.is_hard


def test_counts_and_rounded_shares_are_scaled():
    counts = soft_labels([[3, 1, 0], [0, 2, 2]], 2)
    np.testing.assert_array_equal(counts.shares, SHARES)
    rounded = soft_labels([[0.33, 0.33, 0.33], [0.99, 0, 0]], 2)
    np.testing.assert_allclose(rounded.shares, [[1 / 3] * 3, [1, 0, 0]], rtol=1e-15)


def test_gaps():
    table = np.vstack([SHARES, [np.nan] * 3])
    labels = soft_labels(table, 3, gaps=None)
    assert labels.labelled.tolist() == [True, True, False]
    assert labels.codes.tolist() == [0, 1, -1]
    assert labels.as_labels().tolist() == [0, 1, None]
    wide = labels.over(np.arange(4))
    assert wide.shape == (3, 4)
    assert np.isnan(wide[2]).all()
    with pytest.raises(ValueError, match="1 of 3 rows that are NaN, the first at position 2"):
        soft_labels(table, 3)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([["anger", "sadness"]], "do not hold numbers"),
        ([["1", "0"]], "do not hold numbers"),
        (csr_matrix([[1, 0]]), "do not hold numbers"),
        ([[0.5, 0.6]], r"the row \[0.5, 0.6\] at position 0"),
        ([[1.5, -0.5]], "at position 0"),
        ([[0, 0]], "at position 0"),
        ([[0.5, np.nan]], "at position 0"),
        ([[np.inf, 1]], "at position 0"),
        ([[1, 0]] * 2, "y has 2 rows but X has 1 samples"),
        (pd.DataFrame([[0.5, 0.5]], columns=["anger", "anger"]), "several columns named 'anger'"),
        (pd.DataFrame([[0.5, 0.5]], columns=["anger", 1]), "mixes entries of types"),
    ],
)
def test_refuses_other_tables(y, message):
    with pytest.raises(ValueError, match=message):
        soft_labels(y, 1)


def test_what_is_taken_for_shares():
    assert are_shares(SHARES)
    assert are_shares(np.vstack([SHARES, [np.nan] * 3]))
    assert not any(
        are_shares(y)
        for y in (
            None,
            ["anger"],
            [[1.0]],
            [[3, 1]],
            [[0.2, 0.9]],
            [["a", "b"]],
            [[np.nan, np.nan]],
            csr_matrix([[1, 0]]),
        )
    )
    assert has_columns(csr_matrix([[1, 0]]))
    assert not has_columns(["anger", "sadness"])
