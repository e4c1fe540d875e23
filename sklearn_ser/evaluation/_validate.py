"""Hold out each corpus in turn: train on the others and test on it."""

import numpy as np

from sklearn_ser.evaluation._folds import Job, run_jobs
from sklearn_ser.evaluation._inputs import check_inputs, check_seeds
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.evaluation._result import CrossCorpusResult, storing
from sklearn_ser.evaluation._scores import (
    gather_cells,
    join_predictions,
    mean_row,
    metrics_of,
    recalls_table,
    score_cell,
    scores_table,
    summary_table,
)
from sklearn_ser.model_selection import LeaveOneCorpusOut
from sklearn_ser.utils._identities import without_spelling_warnings

__all__ = ["collect", "cross_corpus_validate", "held_out_jobs"]


def collect(outcomes, warned, recordings, settings):
    """Return the result of an evaluation whose cells are corpora."""
    # Names may be any bytes; the tables have to hold them.
    with storing(recordings.corpus, recordings.speaker, recordings.y):
        return _collect(outcomes, warned, recordings, settings)


def _collect(outcomes, warned, recordings, settings):
    metrics = metrics_of(recordings)
    scored = [score_cell(cell, recordings, settings) for cell in gather_cells(outcomes, ["corpus"])]
    predictions = join_predictions(scored)
    rows = [cell.summary for cell in scored]
    return CrossCorpusResult(
        summary=summary_table([*rows, mean_row(scored, metrics, settings)], ["corpus"], metrics),
        scores=scores_table([row for cell in scored for row in cell.scores], ["corpus"], metrics),
        recalls=recalls_table([row for cell in scored for row in cell.recalls], ["corpus"]),
        predictions=predictions.sort_values(["repeat", "sample"], ignore_index=True),
        warned=warned,
        metrics=tuple(metric.name for metric in metrics),
        confidence=settings.confidence,
    )


def held_out_jobs(recordings, seeds, targets):
    """Return the jobs that hold out each corpus, or each of `targets`, in turn."""
    splitter = LeaveOneCorpusOut(targets=targets)
    # check_inputs has warned about names already.
    with without_spelling_warnings():
        held_out = splitter.corpora(recordings.corpus).tolist()
        folds = list(splitter.split(np.empty(len(recordings.corpus)), groups=recordings.corpus))
    return [
        Job((name,), str(name), repeat, seed, train, test)
        for repeat, seed in enumerate(seeds)
        for name, (train, test) in zip(held_out, folds, strict=True)
    ]


def cross_corpus_validate(
    estimator,
    X,
    y,
    corpus,
    *,
    speaker=None,
    params=None,
    targets=None,
    seeds=None,
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Hold out each corpus in turn: train on the others, predict it, score.

    For each corpus, a copy of `estimator` is fitted on the recordings of all others and
    predicts the held-out ones in a single batch. In every fold,

    - each step with a parameter `sample_domain` in its `fit` gets the corpora of the
      training recordings, regardless of its position in the pipeline;
    - each step with a parameter `X_target` in its `fit` gets the held-out recordings
      as unlabelled data, transformed by the steps before it;
    - each step with a parameter `speaker` in its `fit` gets the speakers of the
      training recordings, if all of them are known;
    - `~sklearn_ser.estimators.CorpusScaler` gets the speakers that are known, and those of
      the held-out recordings as `speaker_target`, in ``fit`` and ``predict``;
    - a splitter inside `estimator` that takes `groups`, as in
      ``GridSearchCV(..., cv=LeaveOneCorpusOut())``, gets the corpora of the training
      recordings.

    The labels of the held-out corpus are used only for scoring.

    Parameters
    ----------
    estimator : estimator object
        A classifier, a regressor, a pipeline that ends in one, or a search over any of
        these. It is cloned, not changed.
    X : array-like, DataFrame or list of length n_samples
        The input of the first step: features, or paths of recordings.
    y : array-like of shape (n_samples,)
        The emotion of each recording, without gaps (see :ref:`unlabelled`); for a
        regressor a number, such as the activation.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording, without gaps; at least two different. Different
        spellings of a name count as one, here and in `speaker`, see :ref:`identities`.
    speaker : array-like of shape (n_samples,), default=None
        The speaker of each recording, None or NaN where unknown. Without speakers there
        are no confidence intervals.
    params : dict of str to array-like of length n_samples, default=None
        Further arguments of `fit`, one entry per recording, such as ``activation`` and
        ``valence`` for a `~sklearn_ser.estimators.MetricDAE` or ``sample_weight``. Each
        step whose `fit` has a parameter of that name gets the entries of the training
        recordings.
    targets : str or collection of str, default=None
        The corpora to hold out; None means each of them.
    seeds : collection of int, default=None
        Repeats everything once for each seed, with every parameter `random_state` in
        `estimator` set to it: ``range(5)`` repeats five times. None runs once and leaves
        these parameters unchanged.
    n_draws, confidence, min_speakers, random_state
        Settings of the confidence intervals, as in :func:`speaker_interval`.
        `random_state` seeds only the intervals: `seeds` seeds the training.
    n_jobs : int, default=None
        Number of corpora and repeats to process in parallel, in separate processes. None
        means 1 unless in a :obj:`joblib.parallel_config` context, whose backend may be a
        dask cluster; -1 means all processors.
    verbose : int, default=0
        Above 0, a progress bar counts the folds; where the standard error is not a
        terminal, a line is printed after each fold.

    Returns
    -------
    result : CrossCorpusResult
        The tables ``summary``, ``scores``, ``recalls``, ``predictions`` and ``warned``.

        For a classifier: unweighted average recall (``uar``), ``accuracy`` (also called
        weighted accuracy) and the mean F1 over the classes (``macro_f1``), all over the
        classes of the held-out corpus: predicting a class that only training corpora have
        is an error for that recording, but adds no class to the mean.

        For a regressor: concordance correlation (``ccc``), R² adjusted for one
        predictor, the prediction (``adjusted_r2``), and mean absolute error (``mae``).

    Raises
    ------
    ValueError
        If lengths differ, labels or corpora have gaps, there is only one corpus,
        `targets` names an unknown one, or no step takes one of `params`.
    TypeError
        If `estimator` is neither a classifier nor a regressor.

    Warns
    -----
    UserWarning
        If a corpus has classes that no training corpus has: their recall is 0.
    CorpusWarning
        If names of speakers or corpora are easily confused.

    See Also
    --------
    within_corpus_validate : Holds out speakers instead of corpora.
    transfer_matrix : Trains on each corpus alone.
    compare_methods : Tests whether one result is better than another.
    sklearn_ser.model_selection.LeaveOneCorpusOut : The splitter, for `cross_validate`
        and searches.

    Notes
    -----
    Each corpus has its own interval, computed by :func:`speaker_interval`. With repeats, the
    interval of the summary is that of the mean over the repeats: the score of each draw of
    speakers is averaged over them. The interval of the mean over corpora adds up the squared
    standard errors of the corpora, whose speakers are different people. It describes other
    speakers of these corpora and says nothing about corpora that were not tested.

    If the first steps of a pipeline need no fit and take recordings rather than a table, as
    extractors do, they transform `X` once before the folds. Within a search they do not: put
    the search after the extractor, or give the extractor a `cache`. Fit times exclude work
    done before the folds.

    Scikit-learn's metadata routing is enabled for the duration of a fold, in the worker only.
    To keep metadata from a step, call ``step.set_fit_request(sample_domain=False)``.

    For its inner folds, a search slices every argument that has as many rows as the training
    set. If the held-out corpus happens to have exactly that many recordings, inner fits see
    only a part of `X_target`; the final refit sees all of it.

    Examples
    --------
    Two emotions in three corpora, each with an offset of its own and ten speakers:

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import CorpusScaler, cross_corpus_validate
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus = np.repeat(["emodb", "ravdess", "urdu"], 40)
    >>> speaker = np.repeat(np.arange(30), 4)
    >>> X = rng.normal(size=(120, 3)) + (y == "anger")[:, None]
    >>> X = X + np.repeat([[0], [10], [-20]], 40, axis=0)
    >>> model = make_pipeline(CorpusScaler(), SVC())
    >>> result = cross_corpus_validate(model, X, y, corpus, speaker=speaker)
    >>> result.summary[["corpus", "n_test", "n_speakers", "uar", "uar_low", "uar_high"]].round(2)
        corpus  n_test  n_speakers   uar  uar_low  uar_high
    0    emodb      40          10  0.85     0.72      0.98
    1  ravdess      40          10  0.85     0.70      1.00
    2     urdu      40          10  0.90     0.77      1.00
    3     mean     120          30  0.87     0.80      0.94
    """
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state).checked()
    recordings = check_inputs(estimator, X, y, corpus, speaker=speaker, params=params, n_corpora=2)
    seeds = check_seeds(estimator, seeds)
    jobs = held_out_jobs(recordings, seeds, targets)
    outcomes, warned = run_jobs(
        estimator, recordings, jobs, n_jobs=n_jobs, verbose=verbose, title="held-out corpora"
    )
    return collect(outcomes, warned, recordings, settings)
