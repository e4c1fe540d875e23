"""Scores as functions of sums over recordings, each formula written once.

A score of any choice of speakers, each taken any number of times, is a function of the weighted
sum of the speakers' sums. Thousands of choices are thus one product of matrices. The public
metrics, which score one set of recordings, check their input and call the same formulas.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "LABEL_METRICS",
    "METRICS",
    "VALUE_METRICS",
    "Metric",
    "Moments",
    "adjusted_r2_of",
    "ccc_of",
    "confusion_sums",
    "label_sums",
    "moments_of",
    "recalls",
    "uar_of",
    "value_sums",
]

# Rows of the sums of labels, for each class of the truth.
_TRUE, _PREDICTED, _CORRECT = range(3)


def _ratio(numerator: Any, denominator: Any) -> np.ndarray:
    """Divide; NaN where the denominator is 0."""
    out = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)


def label_sums(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    speaker: np.ndarray,
    n_speakers: int,
    labels: np.ndarray,
) -> np.ndarray:
    """Count labels for each speaker.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        Labels.
    speaker : ndarray of shape (n_samples,), int
        Speakers, as numbers below `n_speakers`.
    n_speakers : int
        Number of speakers.
    labels : ndarray of shape (n_labels,)
        The classes to count, all that occur in `y_true`.

    Returns
    -------
    sums : ndarray of shape (n_speakers, 3, n_labels)
        For each class, the number of recordings that belong to it, that are predicted as it,
        and both.
    """
    # Predictions that are not among the classes of the truth get -1. They are wrong, and count
    # for no class: they lower recall and accuracy by not being correct.
    index = pd.Index(labels)
    true, predicted = index.get_indexer(y_true), index.get_indexer(y_pred)
    sums = np.zeros((n_speakers, 3, len(labels)))
    np.add.at(sums[:, _TRUE], (speaker, true), 1)
    known = predicted >= 0
    np.add.at(sums[:, _PREDICTED], (speaker[known], predicted[known]), 1)
    correct = predicted == true
    np.add.at(sums[:, _CORRECT], (speaker[correct], true[correct]), 1)
    return sums


def confusion_sums(matrix: np.ndarray) -> np.ndarray:
    """Return the sums of `label_sums` from a confusion matrix, with true classes in rows.

    Classes that occur only in the predictions are left out: they have no recall, and a
    prediction of one of them is already missing among the correct ones.

    Returns
    -------
    sums : ndarray of shape (3, n_true_labels)
    """
    true = matrix.sum(axis=1)
    return np.stack([true, matrix.sum(axis=0), np.diagonal(matrix)])[:, true != 0]


def recalls(sums: np.ndarray) -> np.ndarray:
    """Return the recall of each class; NaN for a class without recordings."""
    return _ratio(sums[..., _CORRECT, :], sums[..., _TRUE, :])


def uar_of(sums: np.ndarray) -> np.ndarray:
    """Return the unweighted average recall."""
    # A draw of speakers may lack a class. The mean over the others is what the public metric
    # gives for these recordings; recall 0 would punish the model for the draw.
    return np.nanmean(recalls(sums), axis=-1)


def _accuracy(sums: np.ndarray) -> np.ndarray:
    return _ratio(sums[..., _CORRECT, :].sum(axis=-1), sums[..., _TRUE, :].sum(axis=-1))


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    # F1 = 2 TP / (2 TP + FP + FN), and TP + FN are the true, TP + FP the predicted ones: unlike
    # the harmonic mean of precision and recall, this is defined where there is no prediction.
    f1 = _ratio(2 * sums[..., _CORRECT, :], sums[..., _TRUE, :] + sums[..., _PREDICTED, :])
    return np.nanmean(np.where(sums[..., _TRUE, :] > 0, f1, np.nan), axis=-1)


class Moments(NamedTuple):
    """Means, variances and residuals, from which the scores of numbers are computed.

    Parameters
    ----------
    n : int or ndarray
        Number of recordings.
    mean_gap : float or ndarray
        Mean of the truth minus mean of the predictions.
    variance_true, variance_pred, covariance : float or ndarray
        Divided by `n`.
    total, unexplained : float or ndarray
        Squared distances of the truth from its mean and from the predictions, both summed or
        both averaged: only their ratio counts.
    """

    n: Any
    mean_gap: Any
    variance_true: Any
    variance_pred: Any
    covariance: Any
    total: Any
    unexplained: Any


def moments_of(y_true: np.ndarray, y_pred: np.ndarray) -> Moments:
    """Compute the moments of one set of recordings.

    In two passes, means first. Differences of sums of squares would lose the digits that the
    squared mean and the squares have in common; see `_moments_of_sums` for why draws of
    speakers can afford them.
    """
    true_mean, pred_mean = y_true.mean(), y_pred.mean()
    return Moments(
        n=len(y_true),
        mean_gap=true_mean - pred_mean,
        variance_true=y_true.var(),
        variance_pred=y_pred.var(),
        covariance=np.mean((y_true - true_mean) * (y_pred - pred_mean)),
        total=np.sum((y_true - true_mean) ** 2),
        unexplained=np.sum((y_true - y_pred) ** 2),
    )


def value_sums(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    speaker: np.ndarray,
    n_speakers: int,
    origin: float,
) -> np.ndarray:
    """Sum values, their squares and products for each speaker.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        Numbers.
    speaker : ndarray of shape (n_samples,), int
        Speakers, as numbers below `n_speakers`.
    n_speakers : int
        Number of speakers.
    origin : float
        Subtracted from all numbers, which changes no score. Near their mean, the differences of
        sums of squares keep their precision.

    Returns
    -------
    sums : ndarray of shape (n_speakers, 7)
        Sums of 1, y, ŷ, y², ŷ², yŷ and abs(y - ŷ).
    """
    # The absolute difference cannot be computed from the other sums.
    y, p = y_true - origin, y_pred - origin
    terms = [np.ones_like(y), y, p, y * y, p * p, y * p, np.abs(y - p)]
    return np.stack([np.bincount(speaker, term, n_speakers) for term in terms], axis=1)


def _variance(n: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the variance; 0 where rounding leaves no digit of it."""
    # A constant leaves a difference of about the rounding error of its squares, of either sign,
    # which a division would turn into a large score instead of NaN.
    variance = squares / n - (total / n) ** 2
    return np.where(variance > 1e-12 * squares / n, variance, 0)


def _moments_of_sums(sums: np.ndarray) -> Moments:
    """Compute the moments of each draw of speakers from its sums.

    A draw has no values to centre, only sums, so Var y = E y² - (E y)². The origin of
    `value_sums` is the mean of all recordings: that of a draw is near it, and little cancels.
    """
    n, y, p, yy, pp, yp, _ = np.moveaxis(sums, -1, 0)
    variance_true = _variance(n, y, yy)
    return Moments(
        n=n,
        mean_gap=(y - p) / n,
        variance_true=variance_true,
        variance_pred=_variance(n, p, pp),
        covariance=yp / n - y * p / n**2,
        total=variance_true,
        unexplained=(yy + pp - 2 * yp) / n,
    )


def ccc_of(moments: Moments) -> np.ndarray:
    """Return the concordance correlation; NaN if truth and predictions are one constant."""
    spread = moments.variance_true + moments.variance_pred + moments.mean_gap**2
    return _ratio(2 * moments.covariance, spread)


def adjusted_r2_of(moments: Moments, n_predictors: int = 1) -> np.ndarray:
    """Return R², adjusted; NaN for a constant truth, or without a degree of freedom.

    The residuals of a fit with an intercept and p slopes have n - p - 1 degrees of freedom, the
    truth around its mean n - 1. Dividing each sum of squares by its own makes both estimates of
    a variance unbiased, so that p columns of noise explain nothing in expectation.
    """
    freedom = np.maximum(moments.n - n_predictors - 1, 0)
    unexplained = _ratio(moments.unexplained, moments.total)
    return 1 - _ratio(unexplained * (moments.n - 1), freedom)


def _ccc(sums: np.ndarray) -> np.ndarray:
    return ccc_of(_moments_of_sums(sums))


def _adjusted_r2(sums: np.ndarray) -> np.ndarray:
    # One predictor, the prediction itself: it was not fitted to the recordings that it scores,
    # however many columns the model has.
    return adjusted_r2_of(_moments_of_sums(sums))


def _mae(sums: np.ndarray) -> np.ndarray:
    # Speakers with more recordings weigh more, as in the scores of all recordings.
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
    score: Callable[[np.ndarray], np.ndarray]
    low: float
    high: float


# The first of each is the one that tables are printed with.
LABEL_METRICS = (
    Metric("uar", True, uar_of, 0.0, 1.0),
    Metric("accuracy", True, _accuracy, 0.0, 1.0),
    Metric("macro_f1", True, _macro_f1, 0.0, 1.0),
)
VALUE_METRICS = (
    Metric("ccc", False, _ccc, -1.0, 1.0),
    Metric("adjusted_r2", False, _adjusted_r2, -np.inf, 1.0),
    Metric("mae", False, _mae, 0.0, np.inf),
)
METRICS = {metric.name: metric for metric in (*LABEL_METRICS, *VALUE_METRICS)}
