"""Whether predicted probabilities are right as often as they say."""

from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_ser.utils._labels import encode_labels
from sklearn_ser.utils._messages import plain

__all__ = ["brier_score", "expected_calibration_error", "reliability_curve"]


def _check_probabilities(y_proba: ArrayLike, n_samples: int) -> np.ndarray:
    proba = np.asarray(y_proba, dtype=np.float64)
    if proba.ndim != 2 or len(proba) != n_samples:
        raise ValueError(
            f"y_proba must have one row for each of the {n_samples} labels and one column for each "
            f"class, got an array of shape {proba.shape}."
        )
    # Rounded probabilities, as in a table that was read from a file, need not sum to 1 exactly.
    if not (proba >= 0).all() or not np.allclose(proba.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "y_proba must hold probabilities: no row may have a negative or missing entry, and "
            "each must sum to 1."
        )
    return proba


def _names_of_columns(
    y_proba: ArrayLike, labels: ArrayLike | None, classes: np.ndarray
) -> np.ndarray:
    """Return the label of each column: as given, as a table names them, or the sorted labels."""
    columns = [plain(name) for name in getattr(y_proba, "columns", ())]
    if labels is None:
        return np.asarray(columns) if set(classes.tolist()) <= set(columns) else classes
    names = np.asarray(labels)
    if columns != names.tolist() and set(columns) == set(names.tolist()):
        raise ValueError(
            f"The columns of y_proba are {columns}, but labels is {plain(names.tolist())}: the "
            "same in another order. Omit labels, or order the columns by it."
        )
    return names


def _check(
    y_true: ArrayLike, y_proba: ArrayLike, labels: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the column of each true label, -1 where there is none, and the probabilities."""
    classes, codes = encode_labels(y_true, name="y_true")
    proba = _check_probabilities(y_proba, len(codes))
    names = _names_of_columns(y_proba, labels, classes)
    if len(names) != proba.shape[1]:
        raise ValueError(
            f"y_proba has {proba.shape[1]} columns, but there are {len(names)} labels; pass "
            f"labels= with the class of each column, such as classes_ of the model."
        )
    if len(set(names.tolist())) < len(names):
        raise ValueError(f"labels has an entry twice: {plain(names.tolist())}.")
    if isinstance(names[0], str) != isinstance(classes[0], str):
        # Every true label would pass for one without a column.
        raise ValueError(
            f"labels holds {plain(names[0])!r} and y_true {plain(classes[0])!r}: pass text in "
            f"both, or numbers in both."
        )
    return pd.Index(names).get_indexer(classes)[codes], proba


def brier_score(y_true: ArrayLike, y_proba: ArrayLike, *, labels: ArrayLike | None = None) -> float:
    r"""Mean squared distance between predicted probabilities and the truth.

    With the predicted probabilities :math:`p_{ik}` of class :math:`k` for sample :math:`i`,

    .. math::

        \mathrm{BS} = \frac{1}{n} \sum_{i=1}^{n} \sum_k (p_{ik} - [y_i = k])^2 .

    It is a proper score: in expectation, only the true probabilities minimise it.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The true labels, without gaps, see :ref:`unlabelled`. A label without a column has the
        probability 0.
    y_proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities.
    labels : array-like of shape (n_classes,), default=None
        The class of each column; None means the names of the columns of a table, if these include
        all labels of `y_true`, and otherwise the sorted labels of `y_true`.

    Returns
    -------
    score : float
        0 for certain and correct predictions, at most 2; equal probabilities of K classes score
        :math:`1 - 1 / K`. Lower is better.

    Raises
    ------
    ValueError
        If shapes do not fit, rows are no probabilities, or a table has the columns of `labels` in
        another order.

    See Also
    --------
    expected_calibration_error : Compares confidence and accuracy.
    sklearn.metrics.brier_score_loss : For two classes half of this; for more the same, from
        scikit-learn 1.7 on.

    References
    ----------
    .. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
       Weather Review 78 (1), 1950, pp. 1-3.

    Examples
    --------
    >>> from sklearn_ser.metrics import brier_score
    >>> round(brier_score(["anger", "sadness"], [[0.8, 0.2], [0.6, 0.4]]), 2)
    0.4
    """
    codes, proba = _check(y_true, y_proba, labels)
    truth = codes[:, None] == np.arange(proba.shape[1])
    # A class without a column was given 0 instead of 1.
    absent = np.mean(codes < 0)
    return float(np.sum((proba - truth) ** 2) / len(codes) + absent)


def reliability_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 10,
) -> pd.DataFrame:
    """Accuracy of predictions by their confidence, the points of a reliability diagram.

    The class with the largest probability counts as the prediction, and this probability as its
    confidence. (``predict`` may answer otherwise, as that of ``SVC(probability=True)`` does.)
    Predictions are sorted into bins of equal width; well calibrated ones are right as often as
    they are confident.

    Parameters
    ----------
    y_true, y_proba, labels
        As in :func:`brier_score`.
    n_bins : int, default=10
        Number of bins between 0 and 1.

    Returns
    -------
    curve : DataFrame
        One row for each bin that is not empty: ``low`` and ``high`` (its bounds, of which it
        contains the upper one), ``n`` (predictions), ``confidence`` and ``accuracy`` (means).

    Raises
    ------
    ValueError
        As for :func:`brier_score`, or if `n_bins` is not a positive integer.

    See Also
    --------
    expected_calibration_error : The mean distance from the diagonal.
    sklearn.calibration.calibration_curve : For two classes, by the probability of one.

    Examples
    --------
    >>> from sklearn_ser.metrics import reliability_curve
    >>> y_true = ["anger", "sadness", "anger", "sadness"]
    >>> y_proba = [[0.95, 0.05], [0.1, 0.9], [0.3, 0.7], [0.32, 0.68]]
    >>> reliability_curve(y_true, y_proba, n_bins=5)
       low  high  n  confidence  accuracy
    0  0.6   0.8  2       0.690       0.5
    1  0.8   1.0  2       0.925       1.0
    """
    if not isinstance(n_bins, Integral) or n_bins < 1:
        raise ValueError(f"n_bins must be an integer of at least 1, got {plain(n_bins)!r}.")
    codes, proba = _check(y_true, y_proba, labels)
    confidence = proba.max(axis=1)
    bounds = np.linspace(0, 1, int(n_bins) + 1)
    bins = np.searchsorted(bounds[1:-1], confidence)
    table = pd.DataFrame({"confidence": confidence, "accuracy": proba.argmax(axis=1) == codes})
    by_bin = table.astype(float).groupby(bins)
    curve = by_bin.mean()
    curve.insert(0, "n", by_bin.size())
    curve.insert(0, "high", bounds[curve.index + 1])
    curve.insert(0, "low", bounds[curve.index])
    return curve.reset_index(drop=True)


def expected_calibration_error(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 10,
) -> float:
    r"""Mean distance between confidence and accuracy (ECE).

    With the bins :math:`B_b` of :func:`reliability_curve`, of :math:`n` predictions,

    .. math::

        \mathrm{ECE} = \sum_b \frac{|B_b|}{n}
            \big| \mathrm{accuracy}(B_b) - \mathrm{confidence}(B_b) \big| .

    Parameters
    ----------
    y_true, y_proba, labels, n_bins
        As in :func:`reliability_curve`.

    Returns
    -------
    error : float
        Between 0 and 1; lower is better.

    Raises
    ------
    ValueError
        As for :func:`reliability_curve`.

    Notes
    -----
    It says nothing about how well classes are told apart: a model that always predicts the
    shares of the classes is calibrated. With few predictions in a bin, chance alone makes the
    error positive; compare it only for equal numbers of predictions.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities
       using Bayesian binning", Proc. AAAI 2015, pp. 2901-2907.
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural
       networks", Proc. ICML 2017, pp. 1321-1330.

    Examples
    --------
    >>> from sklearn_ser.metrics import expected_calibration_error
    >>> y_true = ["anger", "sadness", "anger", "sadness"]
    >>> y_proba = [[0.95, 0.05], [0.1, 0.9], [0.3, 0.7], [0.32, 0.68]]
    >>> round(expected_calibration_error(y_true, y_proba, n_bins=5), 4)
    0.1325
    """
    curve = reliability_curve(y_true, y_proba, labels=labels, n_bins=n_bins)
    gaps = (curve["accuracy"] - curve["confidence"]).abs()
    return float(np.average(gaps, weights=curve["n"]))
