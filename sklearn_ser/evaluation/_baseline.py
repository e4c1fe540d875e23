"""Several methods against one, with p-values that allow for their number."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._agreement import TOO_FEW, reconcile, smallest_p
from sklearn_ser.evaluation._comparison import compare_unreconciled
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.utils._messages import plain

__all__ = ["BASELINE_COLUMNS", "adjust", "compare_with_baseline"]

_N_PERMUTATIONS = 10_000

BASELINE_COLUMNS = [
    "method",
    "against",
    "corpus",
    "difference",
    "low",
    "high",
    "p_value",
    "p_adjusted",
    "p_smallest",
    "p_note",
    "n_speakers",
    "interval_note",
]


def holm(p_values):
    """Adjust p-values for their number by Holm's procedure.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        NaN for tests that could not be made, which do not count.

    Returns
    -------
    adjusted : ndarray of shape (n_tests,)
    """
    p_values = np.asarray(p_values, dtype=float)
    # argsort puts NaN last.
    order = np.argsort(p_values)[: np.count_nonzero(np.isfinite(p_values))]
    # While k hypotheses are not rejected, at most k true ones can be rejected by mistake: a
    # Bonferroni correction by k suffices for the smallest p-value left.
    factors = np.arange(len(order), 0, -1)
    adjusted = np.full(len(p_values), np.nan)
    # The procedure stops at the first hypothesis that it keeps, hence the running maximum: no
    # test can be more significant than one with a smaller p-value.
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return adjusted


def adjust(table, *, confidence, n_permutations=_N_PERMUTATIONS):
    """Adjust the p-values of each corpus for their number, and reconcile intervals with them.

    Parameters
    ----------
    table : DataFrame
        With the columns of `compare_with_baseline`, except those that this function adds.
    confidence : float
        Confidence of the intervals.
    n_permutations : int
        The greatest number of exchanges that were tried.

    Returns
    -------
    table : DataFrame
        Without an adjusted p-value where there are too few speakers.
    """
    # A family of tests is all methods on one corpus. Adjusting over corpora as well would lower the
    # power of each comparison with the number of corpora that happen to be at hand.
    by_corpus = table["p_value"].groupby(table["corpus"])
    table = table.assign(p_adjusted=by_corpus.transform(holm))
    # The first of m in Holm's order is multiplied by m, and no later one becomes smaller.
    smallest = smallest_p(table["n_speakers"], n_permutations) * by_corpus.transform("count")
    smallest = np.minimum(smallest, 1)
    table = reconcile(table, p="p_adjusted", smallest=smallest, level=1 - confidence)
    return table.assign(p_adjusted=table["p_adjusted"].mask(table["p_note"] == TOO_FEW))


def compare_with_baseline(
    results,
    *,
    baseline=None,
    metric="uar",
    n_permutations=_N_PERMUTATIONS,
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
):
    r"""Compare each of several methods with one of them, the baseline.

    Each pair is compared by :func:`compare_methods`. With :math:`m` methods besides the
    baseline there are :math:`m` tests for each corpus, and as many chances of a small p-value.
    Holm's procedure adjusts for them: with p-values in ascending order,

    .. math::

        \tilde p_{(i)} = \max_{j \le i} \min\big((m - j + 1)\, p_{(j)},\ 1\big) .

    The probability of calling any method different that is not is then at most
    :math:`\alpha` for :math:`\tilde p \le \alpha`, however the tests depend on each other.

    Parameters
    ----------
    results : dict of str to CrossCorpusResult or DataFrame
        At least two methods, by name, as for :func:`compare_methods`: results for the same
        recordings and with speakers, or their tables of predictions.
    baseline : str, default=None
        The name of the method that the others are compared with; None is the first.
    metric, n_permutations, n_draws, confidence, min_speakers, random_state
        As in :func:`compare_methods`.

    Returns
    -------
    table : DataFrame
        One row for each method but the baseline and each corpus, and for the "mean" of the
        corpora: ``method``, ``against`` (the baseline), ``corpus``, ``difference`` (the score
        of the method minus that of the baseline), ``low`` and ``high`` (its interval),
        ``p_value``, ``p_adjusted`` (NaN where no difference, however large, could be
        significant), ``p_smallest`` (the smallest adjusted p-value that is possible),
        ``p_note`` (why there is none, otherwise empty), ``n_speakers`` and
        ``interval_note``.

    Raises
    ------
    ValueError
        If there are fewer than two results, `baseline` is not one of them, or as for
        :func:`compare_methods`.
    TypeError
        If `results` is not a dict of results.

    See Also
    --------
    compare_methods : Compares two methods, with their scores.

    Notes
    -----
    With :math:`S` speakers, whose exchanges are all tried, no p-value is below :math:`2 / 2^S` and,
    with :math:`m` methods besides the baseline, no adjusted one below :math:`2 m / 2^S`: 0.22 for
    6 speakers and 7 methods. With :math:`B` random exchanges, the limit is :math:`m / (B + 1)`.
    Where it exceeds 1 - `confidence`, ``p_note`` is "too few speakers to tell". Intervals are
    reconciled with the adjusted p-values as :func:`compare_methods` reconciles them: an interval
    that excludes 0 although the test does not is extended to 0.

    The adjustment is for the number of methods, corpus by corpus. For a single conclusion from
    all methods, read the rows of the mean: each corpus that is looked at as well is a further
    test.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
       Journal of Statistics 6 (2), 1979, pp. 65-70.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_ser.evaluation import compare_with_baseline, cross_corpus_validate
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus, speaker = np.repeat(["a", "b"], 60), np.repeat(np.arange(12), 10)
    >>> X = rng.normal(size=(120, 2)) + (y == "anger")[:, None]
    >>> models = {
    ...     "guess": DummyClassifier(), "logistic": LogisticRegression(), "bayes": GaussianNB()
    ... }
    >>> results = {
    ...     name: cross_corpus_validate(model, X, y, corpus, speaker=speaker)
    ...     for name, model in models.items()
    ... }
    >>> table = compare_with_baseline(results)
    >>> table[["method", "corpus", "difference", "p_value", "p_adjusted"]].round(3)
         method corpus  difference  p_value  p_adjusted
    0  logistic      a       0.217    0.062         NaN
    1  logistic      b       0.300    0.031         NaN
    2  logistic   mean       0.258    0.001       0.002
    3     bayes      a       0.183    0.125         NaN
    4     bayes      b       0.300    0.031         NaN
    5     bayes   mean       0.242    0.002       0.002
    >>> table["p_note"][0]
    'too few speakers to tell'
    """
    if not isinstance(results, Mapping):
        raise TypeError(
            f"results must be a dict of results by the names of their methods, got "
            f"{type(results).__name__}."
        )
    if len(results) < 2:
        raise ValueError(
            f"results has {len(results)} of at least two methods: a baseline, and one to compare."
        )
    baseline = next(iter(results)) if baseline is None else baseline
    if baseline not in results:
        raise ValueError(f"baseline must be one of {plain([*results])}, got {plain(baseline)!r}.")
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state)
    tables = [
        compare_unreconciled(result, results[baseline], metric, settings, n_permutations).assign(
            method=name, against=baseline
        )
        for name, result in results.items()
        if name != baseline
    ]
    table = adjust(
        pd.concat(tables, ignore_index=True),
        confidence=confidence,
        n_permutations=n_permutations,
    )
    return table[BASELINE_COLUMNS]
