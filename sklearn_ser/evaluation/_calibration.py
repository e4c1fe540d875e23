"""Calibration of the probabilities in a table of predictions."""

import numpy as np
import pandas as pd

from sklearn_ser.metrics import brier_score, expected_calibration_error

__all__ = ["CALIBRATION_COLUMNS", "calibration_table", "probabilities_of", "probability_column"]

CALIBRATION_COLUMNS = ["corpus", "n_test", "brier", "ece"]
_PREFIX = "p_"


def probability_column(label):
    """Return the name of the column with the probabilities of a class."""
    return f"{_PREFIX}{label}"


def probabilities_of(predictions):
    """Return truth, probabilities and labels of predictions.

    Parameters
    ----------
    predictions : DataFrame
        Of one method.

    Returns
    -------
    y_true : ndarray of str
        The truth as text.
    y_proba : ndarray of shape (n_samples, n_classes)
        The probabilities.
    labels : list of str
        The classes of the columns; empty where predictions have no probabilities.
    """
    after = predictions.columns[predictions.columns.get_loc("y_pred") + 1 :]
    columns = [name for name in after if str(name).startswith(_PREFIX)]
    y_proba = predictions[columns].to_numpy(dtype=float)
    y_true = np.array([str(label) for label in predictions["y_true"]], dtype=object)
    # Methods without probabilities have empty fields beside others that have them, and a model of
    # the user may call something a probability that is none.
    if not columns or not ((y_proba >= 0).all() and np.allclose(y_proba.sum(axis=1), 1, atol=1e-3)):
        return y_true, np.empty((len(y_true), 0)), []
    return y_true, y_proba, [name.removeprefix(_PREFIX) for name in columns]


def _scores(rows, n_bins):
    scores = []
    for _, one in rows.groupby("repeat"):
        y_true, y_proba, labels = probabilities_of(one)
        error = expected_calibration_error(y_true, y_proba, labels=labels, n_bins=n_bins)
        scores.append((brier_score(y_true, y_proba, labels=labels), error))
    return np.mean(scores, axis=0)


def calibration_table(predictions, n_bins=10):
    """Score the probabilities for each corpus, as means over the repeats.

    Parameters
    ----------
    predictions : DataFrame
        Of one method.
    n_bins : int
        As in `reliability_curve`.

    Returns
    -------
    table : DataFrame
        ``corpus``, ``n_test``, ``brier`` and ``ece``, the last row for the mean of the corpora.
        Without rows where there are no probabilities.
    """
    if not probabilities_of(predictions)[2]:
        return pd.DataFrame(columns=CALIBRATION_COLUMNS)
    first = predictions["repeat"] == predictions["repeat"].iloc[0]
    rows = [
        [corpus, int(first[here.index].sum()), *_scores(here, n_bins)]
        for corpus, here in predictions.groupby("corpus", sort=False)
    ]
    table = pd.DataFrame(rows, columns=CALIBRATION_COLUMNS)
    mean = ["mean", table["n_test"].sum(), table["brier"].mean(), table["ece"].mean()]
    return pd.DataFrame([*table.to_numpy(dtype=object).tolist(), mean], columns=table.columns)
