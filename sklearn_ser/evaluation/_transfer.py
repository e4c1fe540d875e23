"""Train on each corpus and test on each of them."""

import html
import itertools
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._batches import warn_of_batches
from sklearn_ser.evaluation._folds import Job, run_jobs
from sklearn_ser.evaluation._inputs import check_inputs, check_seeds
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.evaluation._result import TITLES, storing
from sklearn_ser.evaluation._scores import (
    gather_cells,
    join_predictions,
    metrics_of,
    recalls_table,
    score_cell,
    summary_table,
)
from sklearn_ser.evaluation._within import check_n_splits, shorten, speaker_jobs, why_not_within
from sklearn_ser.exceptions import CorpusWarning
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["TransferResult", "collect_pairs", "pair_jobs", "transfer_matrix"]

_KEY = ["trained_on", "tested_on"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TransferResult:
    """Result of :func:`transfer_matrix`.

    Printing it shows the matrix of the main metric.

    Parameters
    ----------
    cells : DataFrame
        One row for each pair of corpora, means over the repeats: ``trained_on``,
        ``tested_on``, ``n_train``, ``n_test``, ``n_speakers`` (0 if unknown),
        ``n_repeats``; ``m``, ``m_sd``, ``m_low`` and ``m_high`` for each metric m;
        ``interval_note``, ``fit_time`` and ``predict_time``, as in the summary of a
        `CrossCorpusResult`.
    recalls : DataFrame
        One row for each pair, repeat and class: ``trained_on``, ``tested_on`` and the
        columns of `CrossCorpusResult`.
    predictions : DataFrame
        One row for each pair, repeat and recording: ``sample``, ``trained_on``,
        ``tested_on``, ``speaker``, ``repeat``, ``y_true`` and ``y_pred``, and probabilities as
        in a `CrossCorpusResult`.
    warned : DataFrame
        The warnings: ``fold``, ``category`` and ``message``.
    metrics : tuple of str
        The metrics, the main one first.
    confidence : float
        Nominal coverage of the intervals.

    Attributes
    ----------
    scores : DataFrame
        The matrix of the main metric.

    See Also
    --------
    transfer_matrix : Computes it.
    """

    cells: pd.DataFrame
    recalls: pd.DataFrame
    predictions: pd.DataFrame
    warned: pd.DataFrame
    metrics: tuple[str, ...]
    confidence: float

    def table(self, column):
        """Lay out a column of `cells` as a matrix.

        Parameters
        ----------
        column : str
            Such as ``"accuracy"`` or ``"uar_low"``.

        Returns
        -------
        matrix : DataFrame
            A row for each training corpus, a column for each test corpus.
        """
        if column not in self.cells:
            raise ValueError(f"column must be one of {[*self.cells]}, got {plain(column)!r}.")
        return self.cells.pivot(index="trained_on", columns="tested_on", values=column)

    @property
    def scores(self):
        """The matrix of the main metric."""
        return self.table(self.metrics[0])

    def _notes(self):
        title = TITLES[self.metrics[0]]
        return (
            f"{title}; rows are training corpora, columns test corpora, the diagonal by speakers."
        )

    def __repr__(self):
        return f"{self.scores.to_string(float_format='{:.3f}'.format)}\n{self._notes()}"

    def _repr_html_(self):
        matrix = self.scores.to_html(float_format="{:.3f}".format, border=0)
        return f"{matrix}<p>{html.escape(self._notes())}</p>"


def _single_class(recordings, rows):
    """Return the only class of some rows; None if there are more, or no classes at all."""
    classes = np.unique(recordings.y[rows]) if recordings.of_labels else ()
    return classes[0] if len(classes) == 1 else None


def _why_not_learnt(recordings, jobs):
    """Return why a classifier cannot be trained for all of some jobs; empty if it can."""
    for job in jobs:
        label = _single_class(recordings, job.train)
        if label is not None:
            left_out = pd.unique(recordings.speakers_of(job.test)).tolist()
            noun = "speaker" if len(left_out) == 1 else "speakers"
            return f"without {noun} {shorten(left_out)} all recordings are of one class, {label}"
    return ""


def pair_jobs(recordings, seeds, n_splits):
    """Return the jobs of all pairs, and why cells have none, by cell."""
    names = np.unique(recordings.corpus).tolist()
    rows = {name: np.flatnonzero(recordings.corpus == name) for name in names}
    jobs, without = [], {}
    for cell in itertools.product(names, names):
        trained_on, tested_on = cell
        # One corpus that cannot teach a classifier must not cost the matrix of all others.
        label = _single_class(recordings, rows[trained_on])
        if label is not None:
            without[cell] = f"all recordings to train on are of one class, {label}"
        elif trained_on != tested_on:
            title = f"{tested_on} (trained on {trained_on})"
            jobs += [
                Job(cell, title, repeat, seed, rows[trained_on], rows[tested_on])
                for repeat, seed in enumerate(seeds)
            ]
        elif reason := why_not_within(recordings.speakers_of(rows[trained_on])):
            without[cell] = reason
        else:
            # Held-out speakers, so that the diagonal differs from the rest of its column by the
            # corpus alone: everywhere the tested voices are new to the model.
            within = speaker_jobs(cell, trained_on, recordings, seeds, n_splits)
            if reason := _why_not_learnt(recordings, within):
                without[cell] = reason
            else:
                jobs += within
    if not jobs:
        raise ValueError(
            f"All recordings of each corpus are of one class, "
            f"{plain(recordings.y[rows[names[0]][0]])!r} in {names[0]}; a classifier needs at "
            f"least two in one corpus."
        )
    return jobs, without


def _warn_of_empty_cells(without, warned):
    """Warn once for each corpus, and add the warnings to a table."""
    for (trained_on, tested_on), reason in without.items():
        if trained_on != tested_on:
            continue
        message = f"{trained_on} has no score within itself, its cell is NaN: {reason}."
        # One warning for a whole row, whose cells share the reason.
        if any(cell[0] == trained_on != cell[1] for cell in without):
            message = f"Nothing can be trained on {trained_on} alone, its row is NaN: {reason}."
        warnings.warn(message, CorpusWarning, stacklevel=caller_stacklevel())
        warned.loc[len(warned)] = [f"{trained_on}", CorpusWarning.__name__, message]


def _empty_row(cell, reason, recordings):
    """Return the row of a cell that nothing was computed for."""
    speaker = recordings.speakers_of(recordings.corpus == cell[1])
    row = {
        **dict(zip(_KEY, cell, strict=True)),
        "n_train": 0,
        "n_test": 0,
        "n_speakers": 0 if speaker is None else pd.Series(speaker, dtype=object).nunique(),
        "n_repeats": 0,
        "interval_note": reason,
        "fit_time": 0.0,
        "predict_time": 0.0,
    }
    ends = ("", "_sd", "_low", "_high")
    return row | {f"{one.name}{end}": np.nan for one in metrics_of(recordings) for end in ends}


def _collect(outcomes, warned, without, recordings, settings):
    metrics = metrics_of(recordings)
    scored = [score_cell(cell, recordings, settings) for cell in gather_cells(outcomes, _KEY)]
    rows = [cell.summary for cell in scored]
    rows += [_empty_row(cell, reason, recordings) for cell, reason in without.items()]
    return TransferResult(
        cells=summary_table(rows, _KEY, metrics).sort_values(_KEY, ignore_index=True),
        recalls=recalls_table([row for cell in scored for row in cell.recalls], _KEY),
        predictions=join_predictions(scored),
        warned=warned,
        metrics=tuple(metric.name for metric in metrics),
        confidence=settings.confidence,
    )


def collect_pairs(estimator, outcomes, warned, without, recordings, settings):
    """Warn of cells that say little or nothing, and return the result of a transfer matrix."""
    _warn_of_empty_cells(without, warned)
    diagonal = [one.job for one in outcomes if one.job.cell[0] == one.job.cell[1]]
    warn_of_batches(estimator, recordings, diagonal, warned)
    with storing(recordings.corpus, recordings.speaker, recordings.y):
        return _collect(outcomes, warned, without, recordings, settings)


def transfer_matrix(
    estimator,
    X,
    y,
    corpus,
    *,
    speaker=None,
    params=None,
    n_splits=10,
    seeds=None,
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Train on each corpus, test on each.

    Off the diagonal, a copy of `estimator` is fitted on all recordings of one corpus and
    predicts all of another in one batch. On the diagonal, where both are the same,
    speakers are held out as by :func:`within_corpus_validate`, and the predictions of all
    folds are scored together. The difference between a cell and the diagonal of its column
    is what is lost by training elsewhere.

    Parameters
    ----------
    estimator, X, y, corpus
        As in :func:`cross_corpus_validate`.
    speaker : array-like of shape (n_samples,), default=None
        The speaker of each recording, None or NaN where unknown. The diagonal is NaN for a
        corpus with unknown speakers, with only one speaker, or in which holding out
        speakers leaves a single class to train on.
    params : dict of str to array-like of length n_samples, default=None
        As in :func:`cross_corpus_validate`.
    n_splits : int, default=10
        Maximum number of folds of speakers for the diagonal, as in
        :func:`within_corpus_validate`.
    seeds, n_draws, confidence, min_speakers, random_state
        As in :func:`cross_corpus_validate`.
    n_jobs : int, default=None
        Number of trainings to run in parallel, as in :func:`cross_corpus_validate`.
    verbose : int, default=0
        Above 0, a progress bar counts the trainings; where the standard error is not a
        terminal, a line is printed after each training.

    Returns
    -------
    result : TransferResult
        ``result.scores`` is the matrix: a row for each training corpus, a column for each
        test corpus. ``result.cells`` has all metrics and intervals in one row for each
        pair, ``result.predictions`` all predictions.

    Raises
    ------
    ValueError
        As for :func:`cross_corpus_validate`, or if no corpus has two classes.
    TypeError
        If `estimator` is neither a classifier nor a regressor.

    Warns
    -----
    CorpusWarning
        If cells are NaN: the diagonal of a corpus whose speakers cannot be held out, or
        the whole row of a corpus with a single class. `interval_note` has the reason.
    UserWarning
        If a test corpus has classes that the training corpus lacks: their recall is 0.
    ScalingWarning
        On the diagonal, as for :func:`within_corpus_validate`.

    See Also
    --------
    cross_corpus_validate : Trains on all other corpora at once.

    Notes
    -----
    Steps get `sample_domain`, `X_target` and `speaker` as in :func:`cross_corpus_validate`,
    with a single training corpus. `X_target` differs from column to column, so each pair has
    its own training.

    Examples
    --------
    The classes of the second corpus are swapped:

    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser import transfer_matrix
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus, speaker = np.repeat(["a", "b"], 60), np.repeat(np.arange(12), 10)
    >>> side = np.where(corpus == "a", 1, -1) * np.where(y == "anger", 1, -1)
    >>> X = rng.normal(size=(120, 2)) + 3 * side[:, None]
    >>> transfer_matrix(LogisticRegression(), X, y, corpus, speaker=speaker)
    tested_on      a     b
    trained_on
    a          1.000 0.000
    b          0.000 1.000
    UAR; rows are training corpora, columns test corpora, the diagonal by speakers.
    """
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state).checked()
    check_n_splits(n_splits)
    recordings = check_inputs(estimator, X, y, corpus, speaker=speaker, params=params, n_corpora=2)
    jobs, without = pair_jobs(recordings, check_seeds(estimator, seeds), n_splits)
    outcomes, warned = run_jobs(
        estimator, recordings, jobs, n_jobs=n_jobs, verbose=verbose, title="pairs of corpora"
    )
    return collect_pairs(estimator, outcomes, warned, without, recordings, settings)
