"""Fit and predict one fold, passing every step the metadata it accepts."""

import time
import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import clone, config_context
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed

from sklearn_ser._sklearn import _safe_indexing
from sklearn_ser.evaluation._fit import check_params_are_taken, offer, prepare
from sklearn_ser.utils._identities import without_spelling_warnings
from sklearn_ser.utils._models import random_states, unwrapped
from sklearn_ser.utils._progress import follow
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["Job", "Outcome", "run_jobs"]


class Job(NamedTuple):
    """One training, and the recordings to predict after it.

    Parameters
    ----------
    cell : tuple
        The held-out corpus, or the pair of a transfer matrix. The predictions of all jobs
        with the same cell and repeat are scored together.
    title : str
        Its name in messages.
    repeat : int
        The repeat that it belongs to, counted from 0.
    seed : int or None
        The value for every `random_state`; None leaves them unchanged.
    train, test : ndarray
        Positions of recordings.
    """

    cell: tuple
    title: str
    repeat: int
    seed: int | None
    train: np.ndarray
    test: np.ndarray


class Outcome(NamedTuple):
    """The result of a job.

    Parameters
    ----------
    job : Job
        The job.
    y_pred : ndarray
        A prediction for each of ``job.test``.
    fit_time, predict_time : float
        In seconds.
    """

    job: Job
    y_pred: np.ndarray
    fit_time: float
    predict_time: float


def _predict(model, X, speaker_target, *, routed):
    """Predict rows whose speakers are known to the steps that ask for them."""
    # A search has no way to its best estimator for metadata.
    inner = unwrapped(model)
    if routed and speaker_target is not None and isinstance(inner, BaseEstimator):
        taken = get_routing_for_object(inner).consumes("predict", ["speaker_target"])
        if taken:
            return inner.predict(X, speaker_target=speaker_target)
    return model.predict(X)


def _fit_and_predict(estimator, recordings, train, test):
    """Train on some rows and predict the others, without access to their labels."""
    # All test recordings in one batch, because CorpusScaler takes a batch for a corpus.
    X_train, X_test = (_safe_indexing(recordings.X, rows) for rows in (train, test))
    speaker_target = recordings.speakers_of(test)
    model, metadata, routed = prepare(estimator, offer(recordings, train, X_test, speaker_target))
    with config_context(enable_metadata_routing=routed):
        start = time.perf_counter()
        model.fit(X_train, recordings.y[train], **metadata)
        fitted = time.perf_counter()
        y_pred = np.asarray(_predict(model, X_test, speaker_target, routed=routed))
        predicted = time.perf_counter()
    return y_pred, fitted - start, predicted - fitted


def _run_job(estimator, recordings, job):
    """Return the outcome, and the warnings, which would be lost in a worker."""
    # Every step gets the same seed, so that a repeat can be run again by this one number.
    if job.seed is not None:
        estimator = clone(estimator)
        estimator.set_params(**dict.fromkeys(random_states(estimator), job.seed))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with without_spelling_warnings():
            outcome = _fit_and_predict(estimator, recordings, job.train, job.test)
    return Outcome(job, *outcome), [(warning.category, str(warning.message)) for warning in caught]


def _needs_only_rows(step):
    """Whether a step transforms recordings one at a time, without having been fitted.

    A step over a table that needs no fit, such as a function of the user, may combine rows: it
    stays inside the folds, where it cannot leak held-out rows into the training.
    """
    if not hasattr(step, "transform"):
        return False
    tags = get_tags(step)
    return not tags.requires_fit and not tags.input_tags.two_d_array


def _share_features(estimator, recordings):
    """Let the first steps of a pipeline transform all recordings before the folds.

    Returns
    -------
    estimator : estimator object
        The rest of the pipeline.
    recordings : Recordings
        With the features as `X`.
    """
    if not isinstance(estimator, Pipeline):
        return estimator, recordings
    # Without a fit, nothing of one recording can reach another: features computed once are the
    # ones that each fold would compute.
    first = 0
    while first < len(estimator.steps) - 1 and _needs_only_rows(estimator.steps[first][1]):
        X = clone(estimator.steps[first][1]).transform(recordings.X)
        recordings = replace(recordings, X=X)
        first += 1
    if not first:
        return estimator, recordings
    rest = clone(estimator)
    return rest.set_params(steps=rest.steps[first:]), recordings


def _check_classes(y, job):
    """Refuse a fold without two classes to learn; report classes that cannot be predicted."""
    # The labels of the test recordings decide about warnings only, never about a training.
    learnt = np.unique(y[job.train])
    if learnt.size < 2:
        raise ValueError(
            f"All recordings to train on for {job.title} are of one class, "
            f"{learnt.tolist()[0]!r}; a classifier needs at least two. Add recordings, or leave "
            f"this corpus out."
        )
    unseen = np.setdiff1d(y[job.test], learnt)
    if not unseen.size:
        return []
    message = (
        f"The recordings to train on for {job.title} lack its classes {unseen.tolist()}: they "
        f"cannot be predicted and count with recall 0. Drop them from y for a score over the "
        f"classes that both have."
    )
    return [(UserWarning, message)]


def _gather(caught):
    """Show each warning once, and return all warnings as a table."""
    # Across folds the same warning is one finding, and a dict keeps the order.
    messages = dict.fromkeys(pair for _, pairs in caught for pair in pairs)
    for category, message in messages:
        warnings.warn(message, category, stacklevel=caller_stacklevel())
    rows = [
        (title, category.__name__, message)
        for title, pairs in caught
        for category, message in dict.fromkeys(pairs)
    ]
    table = pd.DataFrame(rows, columns=["fold", "category", "message"], dtype=object)
    return table.drop_duplicates(ignore_index=True)


def _name_of(result):
    """Name a finished job in the log."""
    job = result[0].job
    return job.title if job.seed is None else f"{job.title}, seed {job.seed}"


def run_jobs(estimator, recordings, jobs, *, n_jobs, verbose, title):
    """Run jobs, here or in workers.

    Parameters
    ----------
    estimator : estimator object
        Cloned, not changed.
    recordings : Recordings
        The data.
    jobs : list of Job
        The trainings.
    n_jobs, verbose
        As in `cross_corpus_validate`.
    title : str
        Label of the progress bar.

    Returns
    -------
    outcomes : list of Outcome
        In the order of the jobs.
    warned : DataFrame
        The warnings of each fold, as ``fold``, ``category`` and ``message``; the fold "all"
        has those given before the folds.
    """
    # Routing depends on names only, so that a single row finds the unused ones before any fold.
    first = np.arange(1)
    X_first, speaker = _safe_indexing(recordings.X, first), recordings.speakers_of(first)
    offered = offer(recordings, first, X_first, speaker)
    check_params_are_taken(recordings.params, prepare(estimator, offered)[1])
    caught = []
    if recordings.of_labels:
        caught = [(job.title, _check_classes(recordings.y, job)) for job in jobs if not job.repeat]
    with warnings.catch_warnings(record=True) as early:
        warnings.simplefilter("always")
        estimator, recordings = _share_features(estimator, recordings)
    caught.append(("all", [(warning.category, str(warning.message)) for warning in early]))
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_run_job)(estimator, recordings, job) for job in jobs
    )
    results = list(follow(results, len(jobs), title, shown=bool(verbose), name_of=_name_of))
    caught += [(outcome.job.title, pairs) for outcome, pairs in results]
    return [outcome for outcome, _ in results], _gather(caught)
