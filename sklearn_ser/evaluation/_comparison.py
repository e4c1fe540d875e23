"""Test whether methods differ on the same recordings."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from sklearn_ser.evaluation._agreement import reconcile, smallest_p
from sklearn_ser.evaluation._intervals import (
    BootstrapSettings,
    check_metric,
    draw_speakers,
    encode_speakers,
    fits,
    interval_of_draws,
    interval_of_mean,
    sums_of,
)
from sklearn_ser.evaluation._result import storing
from sklearn_ser.utils._identities import canonical_ids
from sklearn_ser.utils._labels import refuse_other_kind, refuse_unlabelled
from sklearn_ser.utils._messages import plain

__all__ = ["compare_methods", "compare_unreconciled"]

_COLUMNS = ("sample", "corpus", "speaker", "repeat", "y_true", "y_pred")

# Exchanges that give the observed difference again must count as at least as large, although
# sums in another order round differently; without this, p-values would be too small. Relative to
# scores above 1, as a mean absolute error may be.
_TIE = 1e-12


class _Pair:
    """The predictions of two methods for a corpus, as sums over speakers."""

    def __init__(self, corpus, first, second, metric):
        truth = first[first["repeat"] == first["repeat"].iloc[0]]
        y_true = truth["y_true"].to_numpy()
        codes, self.n_speakers, self.note = encode_speakers(
            truth["speaker"].to_numpy(dtype=object), len(truth)
        )
        self.corpus, self.metric = corpus, metric
        n_summed = 1 if self.note else self.n_speakers
        self.sums = [
            sums_of(
                y_true,
                np.stack([rows["y_pred"].to_numpy() for _, rows in table.groupby("repeat")]),
                codes,
                n_summed,
                of_labels=metric.of_labels,
            )
            for table in (first, second)
        ]
        n_repeats = max(len(sums) for sums in self.sums)
        # Repeats are paired in their order; a single one is compared with each of the other method.
        self.sums = [np.broadcast_to(one, (n_repeats, *one.shape[1:])) for one in self.sums]

    def scores(self):
        """Return the score of each method, averaged over repeats."""
        return [self.metric.score(sums.sum(axis=1)).mean() for sums in self.sums]

    def drawn(self, counts):
        """Return the difference of the scores for draws of speakers."""
        # Both methods on the same draws: a hard voice lowers both scores and cancels in their
        # difference, whose interval is narrower than those of the scores suggest.
        first, second = (
            np.mean([self.metric.score(np.tensordot(counts, one, axes=1)) for one in sums], axis=0)
            for sums in self.sums
        )
        return first - second

    def swapped(self, swaps):
        """Return the difference after exchanging the predictions of some speakers.

        Parameters
        ----------
        swaps : ndarray of shape (n_permutations, n_speakers)
            1 where the methods change places, 0 where not.
        """
        # Exchanged sums are sums of exchanged predictions: the truth is the same for both methods,
        # and what a speaker adds to one is taken from the other.
        # The same exchanges in all repeats: the repeats of a voice are one observation of it, and
        # separate exchanges would count each speaker as often as there are seeds.
        difference = np.zeros(len(swaps))
        for first, second in zip(*self.sums, strict=True):
            moved = np.tensordot(swaps, second - first, axes=1)
            difference += self.metric.score(first.sum(axis=0) + moved)
            difference -= self.metric.score(second.sum(axis=0) - moved)
        return difference / len(self.sums[0])


def _predictions(result, name):
    table = getattr(result, "predictions", result)
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{name} must be a result of cross_corpus_validate or its table of predictions, got "
            f"{type(result).__name__}."
        )
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise ValueError(
            f"The predictions of {name} have no column {', '.join(missing)}; expected are "
            f"{', '.join(_COLUMNS)}, as in the result of cross_corpus_validate."
        )
    if table.empty:
        raise ValueError(f"The table of predictions of {name} has no rows.")
    return table


def _check_complete(table, name):
    """Refuse rows that belong to no corpus, repeat or recording, and recordings that recur."""
    for column in ("corpus", "repeat", "sample"):
        if missing := int(table[column].isna().sum()):
            raise ValueError(
                f"{missing} of {len(table)} predictions of {name} have no {column}. Drop them, or "
                f"read names such as NA as text (keep_default_na=False)."
            )
    twice = table.duplicated(["repeat", "sample"])
    if twice.any():
        row = table.loc[twice.idxmax()]
        raise ValueError(
            f"The predictions of {name} have sample {plain(row['sample'])!r} more than once in "
            f"repeat {plain(row['repeat'])!r}. Pass the predictions of a single method."
        )


def _in_order(table, name):
    """Return predictions with canonical names, in an order that does not depend on the folds."""
    corpus = canonical_ids(table["corpus"], name=f"corpus of {name}")
    speaker = canonical_ids(table["speaker"], name=f"speaker of {name}", within=corpus)
    table = table.assign(corpus=corpus, speaker=speaker).reset_index(drop=True)
    _check_complete(table, name)
    return table.sort_values(["repeat", "sample"], ignore_index=True)


def _check_repeats(table, name):
    """Return the recordings of a table and the number of repeats; refuse repeats that differ."""
    parts = [rows.drop(columns="repeat") for _, rows in table.groupby("repeat")]
    recordings = parts[0].drop(columns="y_pred").reset_index(drop=True)
    for part in parts[1:]:
        if not part.drop(columns="y_pred").reset_index(drop=True).equals(recordings):
            raise ValueError(
                f"The repeats of {name} have different recordings. Pass one table of predictions, "
                f"in which each repeat has every recording once."
            )
    return recordings, len(parts)


def _check_same(first, second):
    """Refuse predictions of different recordings."""
    (one, n_first), (other, n_second) = (
        _check_repeats(table[[*_COLUMNS]], name)
        for name, table in (("first", first), ("second", second))
    )
    if len(one) != len(other) or (one["sample"] != other["sample"]).any():
        only = len(set(one["sample"]) - set(other["sample"]))
        only_other = len(set(other["sample"]) - set(one["sample"]))
        raise ValueError(
            f"The two results have different recordings: {len(one)} and {len(other)}, of which "
            f"{only} are only in the first and {only_other} only in the second. Validate both "
            f"methods with the same X and targets."
        )
    for column in ("corpus", "y_true", "speaker"):
        pair = one[column].astype(object), other[column].astype(object)
        if column != "y_true":
            # In a table read from a file, numbers may have become text.
            pair = [ids.map(str, na_action="ignore") for ids in pair]
        differing = (pair[0] != pair[1]) & ~(pair[0].isna() & pair[1].isna())
        if differing.any():
            raise ValueError(
                f"The two results differ in {column} for {differing.sum()} of {len(one)} "
                f"recordings, the first at sample {one['sample'][differing.argmax()]}. Validate "
                f"both methods with the same {column.replace('y_true', 'y')}."
            )
    if n_first != n_second and 1 not in (n_first, n_second):
        raise ValueError(
            f"first has {n_first} repeats and second {n_second}. Use the same number of seeds for "
            f"both methods, or a single run of one of them."
        )
    if one["speaker"].isna().all():
        raise ValueError(
            "The speakers are unknown, but methods are compared speaker by speaker. Pass speaker= "
            "to cross_corpus_validate."
        )


def _check_known(first, second, metric):
    """Refuse recordings without a label or a number."""
    for name, table in (("first", first), ("second", second)):
        for column in ("y_true", "y_pred"):
            values, title = table[column], f"{column} of {name}"
            if metric.of_labels:
                refuse_unlabelled(values, name=title, beside=table["y_true"])
            elif not np.isfinite(pd.to_numeric(values, errors="coerce")).all():
                raise ValueError(
                    f"{title} has values that are NaN, infinite or not numbers. Drop these samples."
                )
        if metric.of_labels:
            names = f"y_true of {name}", f"y_pred of {name}"
            refuse_other_kind(table["y_true"], table["y_pred"], names=names)


def _swaps(n_speakers, n_permutations, random_state):
    """Return exchanges of speakers, and whether they are all possible ones."""
    # All exchanges give the exact p-value, without the randomness of a sample. Compared as
    # logarithms, because 2**S soon exceeds any integer of numpy.
    if n_speakers <= np.log2(n_permutations):
        numbers = np.arange(2**n_speakers)[:, None]
        return (numbers >> np.arange(n_speakers) & 1).astype(float), True
    # A sampled p has the standard error sqrt(p (1 - p) / B), 0.002 at p = 0.05 for B = 10,000. With
    # an integer seed, a value near the threshold does not change sides from call to call.
    rng = check_random_state(random_state)
    return rng.randint(2, size=(n_permutations, n_speakers)).astype(float), False


def _p_value(observed, permuted, exact, scores):
    # Two-sided by absolute values: exchanging all the other speakers instead turns d into -d, so
    # the null distribution is symmetric about 0.
    tie = _TIE * max(1, *np.abs(scores))
    extreme = np.count_nonzero(np.abs(permuted) >= abs(observed) - tie)
    # The observed assignment is one of all exchanges. Random ones need not include it: adding it
    # to both counts keeps p above 0 and the test valid, P(p <= alpha) <= alpha under the null
    # hypothesis, for any number of exchanges (Phipson and Smyth, 2010).
    return extreme / len(permuted) if exact else (extreme + 1) / (len(permuted) + 1)


def _row(corpus, scores, interval, permuted, exact):
    p_value = np.nan
    if permuted is not None:
        p_value = _p_value(interval.estimate, permuted, exact, scores)
    return {
        "corpus": corpus,
        "first": float(scores[0]),
        "second": float(scores[1]),
        "difference": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "p_value": p_value,
        "n_speakers": interval.n_speakers,
        "n_permutations": 0 if permuted is None else len(permuted),
        "exact": exact,
        "interval_note": interval.note,
    }


def _compare_corpus(pair, settings, n_permutations):
    """Return the row of a corpus and its interval."""
    scores = pair.scores()
    # A difference lies between minus and plus the range of the score.
    widest = pair.metric.high - pair.metric.low
    draws = permuted = None
    exact = False
    if not pair.note:
        if pair.n_speakers >= settings.min_speakers:
            draws = pair.drawn(draw_speakers(pair.n_speakers, settings))
        # The test holds exactly for any number of speakers, also where there are too few for an
        # interval, which is an approximation: near the threshold the two may disagree.
        swaps, exact = _swaps(pair.n_speakers, n_permutations, settings.random_state)
        permuted = pair.swapped(swaps)
    interval = interval_of_draws(
        scores[0] - scores[1],
        draws,
        pair.n_speakers,
        settings,
        low=-widest,
        high=widest,
        note=pair.note,
    )
    return _row(pair.corpus, scores, interval, permuted, exact), interval


def _compare_mean(pairs, rows, intervals, settings, n_permutations):
    """Return the row of the mean over corpora.

    The exchanges are drawn anew for the speakers of all corpora together: a p-value of the mean
    cannot be computed from those of the corpora.
    """
    widest = pairs[0].metric.high - pairs[0].metric.low
    interval = interval_of_mean(
        intervals, [pair.corpus for pair in pairs], settings.confidence, low=-widest, high=widest
    )
    scores = [np.mean([row[name] for row in rows]) for name in ("first", "second")]
    if any(pair.note for pair in pairs):
        return _row("mean", scores, interval, None, False)
    # Speakers of all corpora are exchanged independently, each corpus keeping its equal weight in
    # the mean.
    ends = np.cumsum([pair.n_speakers for pair in pairs])
    swaps, exact = _swaps(ends[-1], n_permutations, settings.random_state)
    parts = np.split(swaps, ends[:-1], axis=1)
    permuted = np.mean(
        [pair.swapped(part) for pair, part in zip(pairs, parts, strict=True)], axis=0
    )
    return _row("mean", scores, interval, permuted, exact)


def _compare_tables(first, second, metric, settings, n_permutations):
    first, second = _in_order(first, "first"), _in_order(second, "second")
    _check_same(first, second)
    if not fits(metric, first):
        raise ValueError(
            f"metric={metric.name!r} does not fit y_true, which holds values such as "
            f"{plain(first['y_true'].tolist()[0])!r}. Use 'uar' for labels and 'ccc' for numbers."
        )
    _check_known(first, second, metric)
    pairs = [
        _Pair(name, rows, second[second["corpus"] == name], metric)
        for name, rows in first.groupby("corpus")
    ]
    rows, intervals = zip(
        *(_compare_corpus(pair, settings, n_permutations) for pair in pairs), strict=True
    )
    mean = _compare_mean(pairs, rows, intervals, settings, n_permutations)
    return pd.DataFrame([*rows, mean])


def compare_unreconciled(first, second, metric, settings, n_permutations):
    """Return the table of `compare_methods` before p-values and intervals are reconciled."""
    metric, settings = check_metric(metric), settings.checked()
    if not isinstance(n_permutations, Integral) or n_permutations < 1:
        raise ValueError(
            f"n_permutations must be an integer of at least 1, got {plain(n_permutations)!r}."
        )
    first, second = _predictions(first, "first"), _predictions(second, "second")
    names = [table[column] for table in (first, second) for column in ("corpus", "speaker")]
    with storing(*names):
        return _compare_tables(first, second, metric, settings, n_permutations)


def compare_methods(
    first,
    second,
    *,
    metric="uar",
    n_permutations=10_000,
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
):
    r"""Compare the predictions of two methods for the same recordings.

    Under the null hypothesis that both methods are equally good, their predictions are
    exchangeable within a speaker. The test exchanges the predictions of the two methods for
    some speakers, for all recordings of a speaker together, and computes the difference
    :math:`d` of the scores again. The p-value is the share of exchanges whose difference is at
    least as large as the observed one, in either direction:

    .. math::

        p = \frac{|\{b : |d_b| \geq |d|\}| + 1}{B + 1}

    for :math:`B` random exchanges. If the :math:`2^S` exchanges of :math:`S` speakers are at
    most `n_permutations`, all of them are tried, and the p-value is their share itself.

    Parameters
    ----------
    first, second : CrossCorpusResult or DataFrame
        Results of :func:`cross_corpus_validate` or :func:`within_corpus_validate` for
        two methods, on the same recordings and with speakers, or their tables of
        predictions. With several seeds, scores are means over the repeats; both results
        need the same number of repeats, or one of them a single run.
    metric : {"uar", "accuracy", "macro_f1", "ccc", "adjusted_r2", "mae"}, default="uar"
        The score to compare, as in :func:`speaker_interval`.
    n_permutations : int, default=10_000
        Number of exchanges to try. The smallest possible p-value is about
        ``1 / n_permutations``.
    n_draws, confidence, min_speakers
        Settings of the interval of the difference, as in :func:`speaker_interval`: both
        methods are scored on the same draws of speakers.
    random_state : int, RandomState instance or None, default=0
        Seeds the exchanges and the draws.

    Returns
    -------
    table : DataFrame
        One row for each corpus and a last one, "mean", for the mean over the corpora,
        with exchanges among the speakers of all: ``corpus``, ``first`` and ``second``
        (the scores), ``difference`` (first minus second), ``low`` and ``high`` (the
        interval of the difference), ``p_value``, ``n_speakers``, ``n_permutations``,
        ``exact`` (whether all exchanges were tried), ``p_smallest`` (the smallest p-value
        that is possible with so many speakers), ``p_note`` (why the p-value decides
        nothing, otherwise empty), ``interval_note`` (why there is no interval, why it has
        no width, or that it was extended).

    Raises
    ------
    ValueError
        If the two results have different recordings, their truth, corpora or speakers
        differ, all speakers are unknown, or recordings recur, or have no label or corpus.
    TypeError
        If an argument is not a result.

    See Also
    --------
    compare_with_baseline : Compares several methods, with adjusted p-values.
    speaker_interval : The interval of a single score.

    Notes
    -----
    If a corpus has unknown speakers, neither it nor the mean has a p-value. With few
    speakers p cannot be small: the minimum is :math:`2 / 2^S`, which is 0.06 for 5 speakers.
    Where it exceeds 1 - `confidence`, no difference however large could be significant, and
    ``p_note`` is "too few speakers to tell".

    Test and interval do not contradict each other. The interval, which is an approximation, is
    extended to 0 where the p-value exceeds 1 - `confidence`; the wider interval covers the true
    difference no less often. Where the p-value does not exceed it, but the interval includes 0,
    ``p_note`` says so, and the difference should not be called significant.

    When many methods are compared, some differences arise by chance:
    :func:`compare_with_baseline` adjusts the p-values.

    The test takes the trained models as they are. It generalises to other speakers, but not
    to other corpora, nor to other seeds, unless there are repeats, whose mean it tests.

    References
    ----------
    .. [1] B. Phipson, G. K. Smyth, "Permutation P-values should never be zero",
       Statistical Applications in Genetics and Molecular Biology 9 (1), 2010.
    .. [2] P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses",
       3rd edition, Springer, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser.evaluation import compare_methods, cross_corpus_validate
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus, speaker = np.repeat(["a", "b"], 60), np.repeat(np.arange(12), 10)
    >>> X = rng.normal(size=(120, 2)) + (y == "anger")[:, None]
    >>> results = [
    ...     cross_corpus_validate(model, X, y, corpus, speaker=speaker)
    ...     for model in (LogisticRegression(), DummyClassifier())
    ... ]
    >>> table = compare_methods(*results)
    >>> table[["corpus", "first", "second", "difference", "low", "high", "p_value"]].round(3)
      corpus  first  second  difference    low   high  p_value
    0      a  0.717     0.5       0.217  0.000  0.370    0.062
    1      b  0.800     0.5       0.300  0.168  0.432    0.031
    2   mean  0.758     0.5       0.258  0.170  0.346    0.001
    """
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state)
    table = compare_unreconciled(first, second, metric, settings, n_permutations)
    smallest = smallest_p(table["n_speakers"], n_permutations)
    table = reconcile(table, p="p_value", smallest=smallest, level=1 - confidence)
    return table[[*table.columns.drop(["interval_note"]), "interval_note"]]
