"""Soft labels: the shares of raters that chose each class, a row per sample."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._validation import encode

__all__ = ["ROUNDING", "SoftLabels", "are_shares", "has_columns", "majority_labels", "soft_labels"]

# Shares that were rounded to two digits, such as three times 0.33, do not sum to 1 exactly.
ROUNDING = 0.011

_EXPECTED = (
    "shares of raters are numbers of at least 0, of which each row sums to 1, or counts of raters, "
    "whole numbers"
)


@dataclass(frozen=True)
class SoftLabels:
    """Shares of classes for each sample.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted; only those that have a share in some row.
    shares : ndarray of shape (n_samples, n_classes), float64
        Each row sums to 1, or is NaN where the sample is unlabelled.
    """

    classes: np.ndarray
    shares: np.ndarray

    @property
    def labelled(self):
        """Which rows have a label, ndarray of bool."""
        return ~np.isnan(self.shares).any(axis=1)

    @property
    def codes(self):
        """The class with the largest share, the first of several; -1 for unlabelled rows."""
        # argmax() would take NaN for the largest.
        best = np.where(np.isnan(self.shares), -1, self.shares).argmax(axis=1)
        return np.where(self.labelled, best, -1)

    @property
    def is_hard(self):
        """Whether all raters of each row agree, so that one label a row says the same."""
        return bool((self.shares[self.labelled].max(axis=1) == 1).all())

    def as_labels(self):
        """Return one label a row, that of :attr:`codes`; None for unlabelled rows."""
        labels = self.classes[self.codes]
        if self.labelled.all():
            return labels
        return np.where(self.labelled, labels.astype(object), None)

    def over(self, classes):
        """Return the shares, float32, with a column for each of some classes."""
        columns = np.zeros((len(self.shares), len(classes)), dtype=np.float32)
        columns[:, np.searchsorted(classes, self.classes)] = self.shares
        columns[~self.labelled] = np.nan
        return columns


def has_columns(y):
    """Return whether labels are a table with several columns."""
    # numpy makes one object of a sparse matrix.
    if issparse(y):
        return y.shape[1] > 1
    shape = getattr(y, "shape", None)
    if shape is None:
        shape = np.asarray(y, dtype=object).shape
    return len(shape) == 2 and shape[1] > 1


def _numbers(y):
    """Return a table as float64, or None if it does not hold real numbers."""
    if issparse(y):
        return None
    if np.asarray(y).dtype.kind not in "biufO":
        # Digits as text may be names of classes.
        return None
    try:
        return np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def are_shares(y):
    """Return whether labels are a table whose rows sum to 1, or are NaN; counts are not shares.

    For estimators to which other tables, such as activation beside valence, mean nothing.
    """
    if y is None or not has_columns(y):
        return False
    values = _numbers(y)
    if values is None:
        return False
    values = values[~np.isnan(values).all(axis=1)]
    if not values.size:
        return False
    # NaN fails the comparison.
    return bool((values >= 0).all() and (np.abs(values.sum(axis=1) - 1) <= ROUNDING).all())


def _column_names(y, n_columns):
    """Return the names of the columns, sorted, and the position of each column among them."""
    columns = getattr(y, "columns", None)
    if columns is None:
        return np.arange(n_columns), np.arange(n_columns)
    names, positions = encode(columns, name="the names of the columns of y")
    if len(names) < n_columns:
        repeated = names[np.bincount(positions).argmax()]
        raise ValueError(
            f"y has several columns named {plain(repeated)!r}. Give each class one column."
        )
    return names, positions


def soft_labels(y, n_samples, *, name="y", rows="X", gaps="Drop these rows."):
    """Validate shares or counts of raters.

    Parameters
    ----------
    y : DataFrame or array-like of shape (n_samples, n_classes)
        Shares, whose rows sum to 1, or counts. The names of the columns of a DataFrame are the
        classes; without names, the classes are 0, 1, and so on. A class without any share is
        left out, as one without a row is.
    n_samples : int
        Number of rows to expect.
    name, rows : str, default="y" and "X"
        Names of the labels and of the rows in messages.
    gaps : str or None, default="Drop these rows."
        Advice where rows have no label, which are refused; None: rows of NaN are unlabelled.

    Returns
    -------
    labels : SoftLabels

    Raises
    ------
    ValueError
        For anything else.
    """
    values = _numbers(y)
    if values is None:
        raise ValueError(
            f"{name} has several columns that do not hold numbers alone. Pass one label per "
            f"sample, or shares of raters: {_EXPECTED}."
        )
    if len(values) != n_samples:
        raise ValueError(
            f"{name} has {len(values)} rows but {rows} has {n_samples} samples; pass the shares "
            f"of one sample per row."
        )
    names, positions = _column_names(y, values.shape[1])
    unlabelled = np.isnan(values).all(axis=1)
    if unlabelled.any() and gaps is not None:
        raise ValueError(
            f"{name} has {unlabelled.sum()} of {n_samples} rows that are NaN, the first at "
            f"position {unlabelled.argmax()}, samples without a label. {gaps}"
        )
    given = values[~unlabelled]
    sums = given.sum(axis=1)
    whole = bool((given == np.round(given)).all()) and bool((sums > 0).all())
    # NaN and infinity fail the comparisons.
    wrong = ~((given >= 0).all(axis=1) & ((np.abs(sums - 1) <= ROUNDING) | whole))
    wrong |= ~np.isfinite(sums)
    if wrong.any():
        position = np.flatnonzero(~unlabelled)[wrong.argmax()]
        raise ValueError(
            f"{name} has the row {plain(values[position].tolist())} at position {position}, which "
            f"does not hold shares of raters: {_EXPECTED}."
        )
    shares = np.full(values.shape, np.nan)
    shares[~unlabelled] = given / sums[:, None]
    in_order = np.empty_like(shares)
    in_order[:, positions] = shares
    present = in_order[~unlabelled].any(axis=0)
    return SoftLabels(names[present], in_order[:, present])


def majority_labels(y):
    """Return one label a row of a table of shares: the largest, or the first in sorted order."""
    return soft_labels(y, len(y)).as_labels()
