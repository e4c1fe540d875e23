"""Scores of groups of speakers, and the gaps between them."""

import itertools

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._intervals import check_metric, fits, interval_of_mean
from sklearn_ser.evaluation._scores import Statistics
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._words import count_of, enumerate_words

__all__ = ["age_groups", "group_columns", "group_table"]

# Years at which a group of ages begins.
_AGES = (30, 45, 60)
# Tables write unknown ages as -1, 0, 999, and so on.
_OLDEST = 130


def age_groups(ages):
    """Return the group of each age in years, in order; None where it is unknown or impossible.

    Returns
    -------
    groups : Series of str
    """
    ages = pd.to_numeric(pd.Series(ages).reset_index(drop=True), errors="coerce")
    ages = ages.where(ages.between(0, _OLDEST, inclusive="right"))
    names = [f"under {_AGES[0]}"]
    names += [f"{low} to {high - 1}" for low, high in itertools.pairwise(_AGES)]
    names.append(f"{_AGES[-1]} and over")
    places = np.searchsorted(_AGES, ages.fillna(0), side="right")
    return pd.Series(np.take(names, places), dtype=object).where(ages.notna(), None)


def group_columns(metric):
    """Return the columns of the table of groups."""
    scores = [f"{metric}{end}" for end in ("", "_low", "_high")]
    return ["corpus", "group", "n_test", "n_speakers", *scores, *_GAP, "interval_note"]


_GAP = ("gap", "gap_low", "gap_high")


def _without(interval, note):
    return interval._replace(estimate=np.nan, low=np.nan, high=np.nan, note=note)


def _score(rows, labels, metric, settings):
    """Return the score of some recordings; without an estimate if the reason is in the note."""
    first = rows[rows["repeat"] == rows["repeat"].iloc[0]]
    y_true = first["y_true"].to_numpy()
    y_pred = np.stack([one["y_pred"].to_numpy() for _, one in rows.groupby("repeat")])
    speaker = first["speaker"].to_numpy(dtype=object)
    statistics = Statistics(y_true, y_pred, speaker, settings, of_labels=metric.of_labels)
    estimates, draws = statistics.of(metric.score)
    draws = None if draws is None else draws.mean(axis=0)
    interval = statistics.interval(estimates.mean(), draws, low=metric.low, high=metric.high)
    absent = sorted(set(labels) - set(y_true)) if metric.of_labels else []
    if absent:
        # Over fewer classes, which may be the easier ones, it is a score of something else.
        return _without(interval, f"no recordings of {enumerate_words(absent)}")
    if np.isnan(interval.standard_error):
        return _without(interval, interval.note)
    return interval


def _note_on_shared(known):
    """Return a note about speakers who belong to several groups; empty if there are none."""
    n_shared = int((known.groupby("speaker")["group"].nunique() > 1).sum())
    if not n_shared:
        return ""
    # Their voices are in both scores, which are then not independent.
    return f"no gap: {count_of(n_shared, 'speaker')} in several groups"


def _gap(pairs, metric, confidence):
    """Return the mean difference between pairs of scores of different speakers."""
    if not pairs or any(
        np.isnan(one.standard_error) or np.isnan(one.estimate) for pair in pairs for one in pair
    ):
        return np.nan, np.nan, np.nan
    signed = [
        one
        for first, second in pairs
        for one in (first, second._replace(estimate=-second.estimate))
    ]
    # Groups have no speaker in common, so that their scores are independent, as those of corpora
    # are: the mean of a and -b is half of their difference.
    width = (metric.high - metric.low) / 2
    half = interval_of_mean(signed, range(len(signed)), confidence, low=-width, high=width)
    return 2 * half.estimate, 2 * half.low, 2 * half.high


def _row(corpus, group, n_test, interval, gap, metric):
    values = interval.estimate, interval.low, interval.high, *gap
    head = corpus, group, n_test, interval.n_speakers
    return dict(zip(group_columns(metric.name), (*head, *values, interval.note), strict=True))


def _check_group(group, n_samples):
    group = np.asarray(group, dtype=object)
    if group.ndim != 1 or len(group) < n_samples:
        raise ValueError(
            f"group must have one entry for each recording that was evaluated, at least "
            f"{n_samples:,}, got an array of shape {group.shape}."
        )
    return pd.Series(group).where(~pd.isna(group), None)


def group_table(predictions, group, metric, settings):
    """Score each group of speakers in each corpus, and its gap to the other groups.

    Parameters
    ----------
    predictions : DataFrame
        As in a result.
    group : array-like
        The group of each recording, None or NaN where unknown.
    metric : str
        The score.
    settings : BootstrapSettings
        Settings of the intervals.

    Returns
    -------
    table : DataFrame
    """
    metric, settings = check_metric(metric), settings.checked()
    if not fits(metric, predictions):
        raise ValueError(f"metric={plain(metric.name)!r} does not fit the predictions.")
    group = _check_group(group, predictions["sample"].max() + 1)
    table = predictions.assign(group=group.to_numpy()[predictions["sample"]])
    rows, kept = [], {}
    for corpus, here in table.groupby("corpus", sort=False):
        known = here[here["group"].notna()]
        names = sorted(known["group"].unique(), key=str)
        shared = _note_on_shared(known)
        # A single group has nothing to be compared with.
        for name in names if len(names) > 1 else ():
            own, rest = known[known["group"] == name], known[known["group"] != name]
            labels = here["y_true"].unique()
            pair = [_score(part, labels, metric, settings) for part in (own, rest)]
            gap = _gap([] if shared else [pair], metric, settings.confidence)
            pair[0] = pair[0]._replace(note=pair[0].note or shared)
            n_test = own["sample"].nunique()
            rows.append(_row(corpus, name, n_test, pair[0], gap, metric))
            if np.isfinite(gap[0]):
                kept.setdefault(name, []).append((n_test, pair))
    for name in sorted(kept, key=str):
        n_test, pairs = zip(*kept[name], strict=True)
        if len(pairs) > 1:
            bounds = {"low": metric.low, "high": metric.high}
            own = [pair[0] for pair in pairs]
            mean = interval_of_mean(own, range(len(own)), settings.confidence, **bounds)
            gap = _gap(pairs, metric, settings.confidence)
            rows.append(_row("mean", name, sum(n_test), mean, gap, metric))
    return pd.DataFrame(rows, columns=group_columns(metric.name))
