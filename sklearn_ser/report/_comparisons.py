"""Methods against the first of them, with p-values that allow for their number."""

import numpy as np
import pandas as pd

from sklearn_ser.evaluation import compare_methods

__all__ = ["COMPARISON_COLUMNS", "compare_with_first", "holm"]

COMPARISON_COLUMNS = [
    "method",
    "against",
    "corpus",
    "difference",
    "low",
    "high",
    "p_value",
    "p_adjusted",
    "n_speakers",
    "interval_note",
]


def holm(p_values):
    """Adjust p-values for their number by Holm's procedure.

    The smallest of m is multiplied by m, the next by m - 1 and so on; none becomes smaller
    than one before it, or larger than 1.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        NaN for tests that were not made, which do not count.

    Returns
    -------
    adjusted : ndarray of shape (n_tests,)

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
       Journal of Statistics 6 (2), 1979, pp. 65-70.
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values)[: np.count_nonzero(np.isfinite(p_values))]
    factors = np.arange(len(order), 0, -1)
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return adjusted


def compare_with_first(results):
    """Compare each method with the first one.

    Parameters
    ----------
    results : dict of str to CrossCorpusResult
        Methods and what was found of them, on the same recordings.

    Returns
    -------
    table : DataFrame
        A row for each method but the first, and each corpus and the ``"mean"`` of them, with
        the columns of `sklearn_ser.evaluation.compare_methods`; ``p_adjusted`` allows for as
        many tests as there are methods to compare. Empty if no speaker is known.
    """
    (first, reference), *others = results.items()
    unknown = reference.predictions["speaker"].isna().all()
    if unknown or not others:
        return pd.DataFrame(columns=COMPARISON_COLUMNS)
    tables = [
        compare_methods(result, reference).assign(method=name, against=first)
        for name, result in others
    ]
    table = pd.concat(tables, ignore_index=True)
    table["p_adjusted"] = table.groupby("corpus")["p_value"].transform(holm)
    return table[COMPARISON_COLUMNS]
