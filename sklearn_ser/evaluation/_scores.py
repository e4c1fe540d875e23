"""Compute the tables of scores from predictions."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._calibration import probability_column
from sklearn_ser.evaluation._intervals import (
    draw_speakers,
    encode_speakers,
    interval_of_draws,
    interval_of_mean,
    sums_of,
)
from sklearn_ser.metrics._sums import LABEL_METRICS, VALUE_METRICS, recalls

__all__ = [
    "Cell",
    "ScoredCell",
    "Statistics",
    "gather_cells",
    "join_predictions",
    "mean_row",
    "metrics_of",
    "recalls_table",
    "score_cell",
    "scores_table",
    "summary_table",
]


class Cell(NamedTuple):
    """All predictions for a corpus.

    Parameters
    ----------
    key : dict
        The columns that name it.
    samples : ndarray of shape (n_test,)
        Positions of its recordings, ascending.
    y_pred : ndarray of shape (n_repeats, n_test)
        Their predictions.
    facts : list of dict
        Further columns of each repeat: ``n_train`` and times.
    y_proba : list of DataFrame or None
        The probability of each class for each repeat, rows as in `samples`.
    """

    key: dict
    samples: np.ndarray
    y_pred: np.ndarray
    facts: list
    y_proba: list | None


def metrics_of(recordings):
    """Return the scores of labels or of numbers, the main one first."""
    return LABEL_METRICS if recordings.of_labels else VALUE_METRICS


def gather_cells(outcomes, names):
    """Combine the folds of each cell.

    Parameters
    ----------
    outcomes : list of Outcome
        The outcomes of all jobs.
    names : list of str
        The columns that name the parts of ``job.cell``.

    Returns
    -------
    cells : list of Cell
        In the order of the jobs.
    """
    by_cell = {}
    for outcome in outcomes:
        repeats = by_cell.setdefault(outcome.job.cell, {})
        repeats.setdefault(outcome.job.repeat, []).append(outcome)
    return [
        _as_cell(dict(zip(names, cell, strict=True)), [*repeats.values()])
        for cell, repeats in by_cell.items()
    ]


def _as_cell(key, repeats):
    # The folds of a corpus are pooled before they are scored. A mean of scores of folds would be
    # undefined where a held-out speaker lacks a class.
    # The models of two folds share most of their training speakers: predictions for different
    # speakers are not quite independent, and no estimate of their variance is unbiased (Bengio and
    # Grandvalet, 2004). Intervals take the models as given.
    samples = np.concatenate([fold.job.test for fold in repeats[0]])
    order = np.argsort(samples)
    facts = [
        {
            "seed": folds[0].job.seed,
            "n_train": round(np.mean([len(fold.job.train) for fold in folds])),
            "fit_time": sum(fold.fit_time for fold in folds),
            "predict_time": sum(fold.predict_time for fold in folds),
        }
        for folds in repeats
    ]
    y_pred = [np.concatenate([fold.y_pred for fold in folds])[order] for folds in repeats]
    y_proba = [_join([fold.y_proba for fold in folds], order) for folds in repeats]
    known = all(table is not None for table in y_proba)
    return Cell(key, samples[order], np.stack(y_pred), facts, y_proba if known else None)


def _join(tables, order):
    """Put the probabilities of folds below each other; None unless all have them."""
    if any(table is None for table in tables):
        return None
    # A class that the training of a fold lacks has the probability 0 there.
    return pd.concat(tables, ignore_index=True).fillna(0.0).iloc[order].reset_index(drop=True)


class ScoredCell(NamedTuple):
    """The rows of a cell in the tables.

    Parameters
    ----------
    scores : list of dict
        One for each repeat.
    recalls : list of dict
        One for each repeat and class; empty for numbers.
    summary : dict
        The mean over the repeats.
    intervals : dict of str to SpeakerInterval
        The intervals of the summary, by metric.
    predictions : DataFrame
        One row for each repeat and recording.
    """

    scores: list
    recalls: list
    summary: dict
    intervals: dict
    predictions: pd.DataFrame


class Statistics:
    """Scores of all recordings of a cell, and of draws of its speakers."""

    def __init__(self, y_true, y_pred, speaker, settings, *, of_labels):
        codes, self.n_speakers, self.note = encode_speakers(speaker, len(y_true))
        n_summed = 1 if self.note else self.n_speakers
        self.sums = sums_of(y_true, y_pred, codes, n_summed, of_labels=of_labels)
        self.settings = settings
        self.drawn = None
        if not self.note and self.n_speakers >= settings.min_speakers:
            # The same draws for all repeats and metrics: repeats can then be averaged draw by draw.
            counts = draw_speakers(self.n_speakers, settings)
            self.drawn = np.moveaxis(np.tensordot(counts, self.sums, axes=([1], [1])), 0, 1)

    def of(self, score):
        """Return scores, shape (n_repeats, ...), and those of draws, (n_repeats, n_draws, ...)."""
        draws = None if self.drawn is None else score(self.drawn)
        return score(self.sums.sum(axis=1)), draws

    def interval(self, estimate, draws, *, n_speakers=None, low=0.0, high=1.0):
        """Return the interval of one of these scores."""
        n_speakers = self.n_speakers if n_speakers is None else n_speakers
        return interval_of_draws(
            estimate, draws, n_speakers, self.settings, low=low, high=high, note=self.note
        )


def _pick(draws, *position):
    return None if draws is None else draws[position]


def _columns(name, interval):
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _recall_rows(statistics, labels):
    """Yield the columns of each repeat and class."""
    estimates, draws = statistics.of(recalls)
    # The truth is the same in all repeats.
    counts = statistics.sums[0, :, 0, :]
    for repeat, estimates_of_repeat in enumerate(estimates):
        for position, (label, estimate) in enumerate(
            zip(labels.tolist(), estimates_of_repeat, strict=True)
        ):
            # A recall depends only on speakers who are heard in that class.
            n_speakers = np.count_nonzero(counts[:, position])
            interval = statistics.interval(
                estimate,
                _pick(draws, repeat, slice(None), position),
                n_speakers=0 if statistics.note else n_speakers,
            )
            yield {
                "repeat": repeat,
                "label": label,
                "n_test": int(counts[:, position].sum()),
                "n_speakers": interval.n_speakers,
                **_columns("recall", interval),
                "interval_note": interval.note,
            }


def _sd(values):
    """Return the standard deviation over repeats; NaN for a single one."""
    # Over seeds, hence with n - 1: they are a sample of all seeds there could be.
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan


def _predictions(cell, recordings):
    speaker = recordings.speakers_of(cell.samples)
    n_samples = len(cell.samples)
    y_proba = cell.y_proba or [pd.DataFrame(index=range(n_samples))] * len(cell.y_pred)
    return pd.concat(
        pd.DataFrame(
            {
                "sample": cell.samples,
                **{name: np.full(n_samples, value) for name, value in cell.key.items()},
                "speaker": np.full(n_samples, None) if speaker is None else speaker,
                "repeat": repeat,
                "y_true": recordings.y[cell.samples],
                "y_pred": y_pred,
            }
        ).join(probabilities.rename(columns=probability_column))
        for repeat, (y_pred, probabilities) in enumerate(zip(cell.y_pred, y_proba, strict=True))
    )


def join_predictions(scored):
    """Return the predictions of all cells in one table.

    Parameters
    ----------
    scored : list of ScoredCell
        The cells.

    Returns
    -------
    predictions : DataFrame
    """
    tables = [cell.predictions for cell in scored]
    predictions = pd.concat(tables, ignore_index=True)
    n_others = predictions.columns.get_loc("y_pred") + 1
    others, probabilities = predictions.columns[:n_others], predictions.columns[n_others:]
    if all(len(table.columns) > n_others for table in tables):
        # A class that the training for a cell lacks has the probability 0 there.
        predictions[probabilities] = predictions[probabilities].fillna(0.0)
    return predictions[[*others, *sorted(probabilities)]]


def score_cell(cell, recordings, settings):
    """Score the predictions for a corpus.

    Parameters
    ----------
    cell : Cell
        The predictions.
    recordings : Recordings
        The truth and the speakers.
    settings : BootstrapSettings
        Settings of the intervals.

    Returns
    -------
    scored : ScoredCell
    """
    y_true, speaker = recordings.y[cell.samples], recordings.speakers_of(cell.samples)
    statistics = Statistics(y_true, cell.y_pred, speaker, settings, of_labels=recordings.of_labels)
    counts = {"n_test": len(y_true), "n_speakers": statistics.n_speakers}
    rows = [{} for _ in cell.y_pred]
    summary, intervals = {}, {}
    for metric in metrics_of(recordings):
        estimates, draws = statistics.of(metric.score)
        # An interval must not promise scores outside the range of the metric.
        bounds = {"low": metric.low, "high": metric.high}
        for repeat, (row, estimate) in enumerate(zip(rows, estimates, strict=True)):
            interval = statistics.interval(estimate, _pick(draws, repeat), **bounds)
            row.setdefault("interval_note", interval.note)
            row.update(_columns(metric.name, interval))
        # The mean over repeats is scored on each draw: averaging the repeats' intervals instead
        # would keep the noise of the seeds, which the mean has less of.
        mean_draws = None if draws is None else draws.mean(axis=0)
        interval = statistics.interval(estimates.mean(), mean_draws, **bounds)
        intervals[metric.name] = interval
        summary.setdefault("interval_note", interval.note)
        summary.update(_columns(metric.name, interval), **{f"{metric.name}_sd": _sd(estimates)})
    facts = pd.DataFrame(cell.facts)
    summary |= facts[["n_train", "fit_time", "predict_time"]].mean().to_dict()
    return ScoredCell(
        scores=[
            cell.key | {"repeat": repeat} | counts | row | fact
            for repeat, (row, fact) in enumerate(zip(rows, cell.facts, strict=True))
        ],
        recalls=[cell.key | row for row in _recall_rows(statistics, np.unique(y_true))]
        if recordings.of_labels
        else [],
        summary=cell.key | counts | {"n_repeats": len(rows)} | summary,
        intervals=intervals,
        predictions=_predictions(cell, recordings),
    )


def mean_row(scored, metrics, settings):
    """Return the row of a summary with the means over corpora.

    Parameters
    ----------
    scored : list of ScoredCell
        One for each corpus.
    metrics : tuple of Metric
        The scores.
    settings : BootstrapSettings
        Settings of the intervals.

    Returns
    -------
    row : dict
    """
    summaries = pd.DataFrame([cell.summary for cell in scored])
    names = summaries["corpus"].tolist()
    times = summaries[["n_train", "fit_time", "predict_time"]].mean().to_dict()
    row = {"corpus": "mean", "n_repeats": summaries["n_repeats"].iloc[0], **times}
    row |= summaries[["n_test", "n_speakers"]].sum().to_dict()
    for metric in metrics:
        # Corpora weigh equally regardless of their size: the mean estimates the score in another
        # corpus, whereas pooled recordings would describe the largest one.
        interval = interval_of_mean(
            [cell.intervals[metric.name] for cell in scored],
            names,
            settings.confidence,
            low=metric.low,
            high=metric.high,
        )
        # The mean of each repeat first: deviations of corpora partly cancel in it, so that its
        # standard deviation is not the mean of theirs.
        over_corpora = np.mean([[one[metric.name] for one in cell.scores] for cell in scored], 0)
        row |= _columns(metric.name, interval) | {f"{metric.name}_sd": _sd(over_corpora)}
        row.setdefault("interval_note", interval.note)
    return row


def scores_table(rows, key, metrics):
    """Lay out the scores of each repeat; `key` are the columns that name a cell."""
    columns = [f"{metric.name}{end}" for metric in metrics for end in ("", "_low", "_high")]
    counts = ["repeat", "seed", "n_train", "n_test", "n_speakers"]
    table = pd.DataFrame(rows)[
        [*key, *counts, *columns, "interval_note", "fit_time", "predict_time"]
    ]
    return table.astype({"seed": "Int64"})


def summary_table(rows, key, metrics):
    """Lay out the means over repeats."""
    columns = [f"{metric.name}{end}" for metric in metrics for end in ("", "_sd", "_low", "_high")]
    counts = ["n_train", "n_test", "n_speakers", "n_repeats"]
    table = pd.DataFrame(rows)[
        [*key, *counts, *columns, "interval_note", "fit_time", "predict_time"]
    ]
    return table.assign(n_train=table["n_train"].round().astype(int))


def recalls_table(rows, key):
    """Lay out the recall of each class and repeat; no rows for numbers."""
    columns = ["repeat", "label", "n_test", "n_speakers", "recall", "recall_low", "recall_high"]
    return pd.DataFrame(rows, columns=[*key, *columns, "interval_note"])
