"""Sums over the recordings of a speaker, from which the scores follow.

A score of any choice of speakers, each taken any number of times, is a function of the
weighted sum of these. Thousands of choices are thus one product of matrices.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "LABEL_METRICS",
    "METRICS",
    "VALUE_METRICS",
    "Metric",
    "label_sums",
    "recalls",
    "value_sums",
]

# Rows of the sums of labels, for each class of the truth.
_TRUE, _PREDICTED, _CORRECT = range(3)


def _ratio(numerator, denominator):
    """Divide; NaN where the denominator is 0."""
    out = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)


def label_sums(y_true, y_pred, speaker, n_speakers, labels):
    """Count labels for each speaker.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        Labels.
    speaker : ndarray of shape (n_samples,), int
        Speakers, as numbers below `n_speakers`.
    n_speakers : int
        How many speakers there are.
    labels : ndarray of shape (n_labels,)
        The classes to count, all that occur in `y_true`.

    Returns
    -------
    sums : ndarray of shape (n_speakers, 3, n_labels)
        Recordings whose truth is the class, which are taken for it, and both.
    """
    index = pd.Index(labels)
    true, predicted = index.get_indexer(y_true), index.get_indexer(y_pred)
    sums = np.zeros((n_speakers, 3, len(labels)))
    np.add.at(sums, (speaker, _TRUE, true), 1)
    known = predicted >= 0
    np.add.at(sums, (speaker[known], _PREDICTED, predicted[known]), 1)
    correct = predicted == true
    np.add.at(sums, (speaker[correct], _CORRECT, true[correct]), 1)
    return sums


def value_sums(y_true, y_pred, speaker, n_speakers, origin):
    """Sum values, their squares and products for each speaker.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        Numbers.
    speaker : ndarray of shape (n_samples,), int
        Speakers, as numbers below `n_speakers`.
    n_speakers : int
        How many speakers there are.
    origin : float
        Subtracted from all numbers, which no score depends on; near their mean, the
        differences of sums of squares keep their precision.

    Returns
    -------
    sums : ndarray of shape (n_speakers, 7)
        Of 1, y, ŷ, y², ŷ², yŷ and abs(y - ŷ).
    """
    y, p = y_true - origin, y_pred - origin
    terms = [np.ones_like(y), y, p, y * y, p * p, y * p, np.abs(y - p)]
    return np.stack([np.bincount(speaker, term, n_speakers) for term in terms], axis=1)


def recalls(sums):
    """Recall of each class; NaN for one without recordings."""
    return _ratio(sums[..., _CORRECT, :], sums[..., _TRUE, :])


def _uar(sums):
    return np.nanmean(recalls(sums), axis=-1)


def _accuracy(sums):
    return _ratio(sums[..., _CORRECT, :].sum(axis=-1), sums[..., _TRUE, :].sum(axis=-1))


def _macro_f1(sums):
    f1 = _ratio(2 * sums[..., _CORRECT, :], sums[..., _TRUE, :] + sums[..., _PREDICTED, :])
    return np.nanmean(np.where(sums[..., _TRUE, :] > 0, f1, np.nan), axis=-1)


def _variance(n, total, squares):
    """Return the variance; 0 where rounding leaves no digit of it."""
    variance = squares / n - (total / n) ** 2
    return np.where(variance > 1e-12 * squares / n, variance, 0)


def _ccc(sums):
    n, y, p, yy, pp, yp, _ = np.moveaxis(sums, -1, 0)
    spread = _variance(n, y, yy) + _variance(n, p, pp) + ((y - p) / n) ** 2
    return _ratio(2 * (yp / n - y * p / n**2), spread)


def _adjusted_r2(sums):
    n, y, _, yy, pp, yp, _ = np.moveaxis(sums, -1, 0)
    unexplained = _ratio((yy + pp - 2 * yp) / n, _variance(n, y, yy))
    return 1 - unexplained * _ratio(n - 1, np.maximum(n - 2, 0))


def _mae(sums):
    return sums[..., 6] / sums[..., 0]


class Metric(NamedTuple):
    """A score, as a function of sums over recordings.

    Parameters
    ----------
    name : str
        Its name in tables.
    of_labels : bool
        Whether it is a function of `label_sums`, or of `value_sums`.
    score : callable
        From sums of shape (..., 3, n_labels) or (..., 7) to scores of shape (...).
    low, high : float
        Its bounds.
    """

    name: str
    of_labels: bool
    score: Callable
    low: float
    high: float


# The first of each is the one that tables are printed with.
LABEL_METRICS = (
    Metric("uar", True, _uar, 0.0, 1.0),
    Metric("accuracy", True, _accuracy, 0.0, 1.0),
    Metric("macro_f1", True, _macro_f1, 0.0, 1.0),
)
VALUE_METRICS = (
    Metric("ccc", False, _ccc, -1.0, 1.0),
    Metric("adjusted_r2", False, _adjusted_r2, -np.inf, 1.0),
    Metric("mae", False, _mae, 0.0, np.inf),
)
METRICS = {metric.name: metric for metric in (*LABEL_METRICS, *VALUE_METRICS)}
