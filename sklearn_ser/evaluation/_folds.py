"""Fit and predict one fold, passing every step the metadata it accepts."""

import time
import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import clone, config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter

from sklearn_ser._sklearn import _safe_indexing
from sklearn_ser.utils._identities import without_spelling_warnings
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._models import random_states
from sklearn_ser.utils._progress import follow
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["Job", "Outcome", "run_jobs"]


class Job(NamedTuple):
    """One training and what is predicted after it.

    Parameters
    ----------
    cell : tuple
        What it is a part of: the held-out corpus, or the pair of a transfer matrix. The
        predictions of all jobs with the same cell and repeat are scored together.
    title : str
        What messages call it.
    repeat : int
        Which repeat it belongs to, counted from 0.
    seed : int or None
        The value of every `random_state`; None leaves them alone.
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
    """What came of a job.

    Parameters
    ----------
    job : Job
        Itself.
    y_pred : ndarray
        A prediction for each of ``job.test``.
    fit_time, predict_time : float
        In seconds.
    """

    job: Job
    y_pred: np.ndarray
    fit_time: float
    predict_time: float


def _parts(estimator):
    """Return an estimator and all it holds, without the contents of frozen ones."""
    held = list(estimator.get_params(deep=True).values())
    frozen = {
        id(part.estimator) for part in [estimator, *held] if isinstance(part, FrozenEstimator)
    }
    return [
        part
        for part in [estimator, *held]
        if isinstance(part, BaseEstimator) and id(part) not in frozen
    ]


def _consumed(estimator, names):
    return get_routing_for_object(estimator).consumes("fit", names)


def _with_requests(estimator, names):
    """Return an unfitted copy in which every step asks for what it can take.

    A step whose `fit` has a parameter of one of the names gets it unless the user
    refused with ``set_fit_request(...=False)``. Pipelines pass `X_target` on through
    the steps before the one that takes it.
    """
    estimator = clone(estimator)
    parts = _parts(estimator)
    for part in parts:
        routing = get_routing_for_object(part)
        requests = routing.fit.requests if isinstance(routing, MetadataRequest) else {}
        undecided = [name for name in names if requests.get(name, 0) is None]
        if undecided:
            part.set_fit_request(**dict.fromkeys(undecided, True))
    for part in parts:
        if isinstance(part, Pipeline) and _consumed(part, ["X_target"]):
            part.set_params(transform_input=[*(part.transform_input or []), "X_target"])
    return estimator


def _by_step_name(estimator, offered, error):
    """Return `fit` parameters for a pipeline with a step that knows no metadata routing."""
    steps = estimator.steps if isinstance(estimator, Pipeline) else [(None, estimator)]
    steps = [(name, step) for name, step in steps if hasattr(step, "fit")]
    if any(has_fit_parameter(step, "X_target") for _, step in steps):
        raise ValueError(
            f"A step takes X_target, which reaches it through metadata routing, but: {error} "
            f"Replace the step that does not support it."
        ) from error
    return {
        f"{name}__{param}" if name else param: values
        for name, step in steps
        for param, values in offered.items()
        if param not in ("X_target", "groups") and has_fit_parameter(step, param)
    }


def _offer(recordings, train, test):
    """Return what a step may ask for: nothing of the held-out recordings but `X`."""
    corpus = recordings.corpus[train]
    offered = {"sample_domain": corpus, "groups": corpus}
    offered |= {name: _safe_indexing(values, train) for name, values in recordings.params.items()}
    speaker = recordings.speakers_of(train)
    if speaker is not None and not pd.isna(speaker).any():
        offered["speaker"] = speaker
    return offered | {"X_target": _safe_indexing(recordings.X, test)}


def _prepare(estimator, offered):
    """Return the model to fit, its metadata and whether they are routed."""
    names = [name for name in offered if name != "groups"]
    with config_context(enable_metadata_routing=True):
        try:
            model = _with_requests(estimator, names)
            return model, {name: offered[name] for name in _consumed(model, [*offered])}, True
        except NotImplementedError as error:
            model = clone(estimator)
            return model, _by_step_name(model, offered, error), False


def _fit_and_predict(estimator, recordings, train, test):
    """Train on some rows and predict the others, whose labels stay out of reach."""
    X_train, X_test = (_safe_indexing(recordings.X, rows) for rows in (train, test))
    model, metadata, routed = _prepare(estimator, _offer(recordings, train, test))
    with config_context(enable_metadata_routing=routed):
        start = time.perf_counter()
        model.fit(X_train, recordings.y[train], **metadata)
        fitted = time.perf_counter()
        y_pred = np.asarray(model.predict(X_test))
        predicted = time.perf_counter()
    return y_pred, fitted - start, predicted - fitted


def _run_job(estimator, recordings, job):
    """Return the outcome, and the warnings, which a worker would swallow."""
    if job.seed is not None:
        estimator = clone(estimator)
        estimator.set_params(**dict.fromkeys(random_states(estimator), job.seed))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with without_spelling_warnings():
            outcome = _fit_and_predict(estimator, recordings, job.train, job.test)
    return Outcome(job, *outcome), [(warning.category, str(warning.message)) for warning in caught]


def _needs_only_rows(step):
    """Whether a step makes something of single recordings, without having been fitted.

    Of a step over a table that needs no fit, such as a function of the user, nobody
    knows whether it looks at one row at a time.
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
        What is left of the pipeline.
    recordings : Recordings
        With the features as `X`.
    """
    if not isinstance(estimator, Pipeline):
        return estimator, recordings
    first = 0
    while first < len(estimator.steps) - 1 and _needs_only_rows(estimator.steps[first][1]):
        X = clone(estimator.steps[first][1]).transform(recordings.X)
        recordings = replace(recordings, X=X)
        first += 1
    if not first:
        return estimator, recordings
    rest = clone(estimator)
    return rest.set_params(steps=rest.steps[first:]), recordings


def _check_params_are_taken(estimator, recordings):
    """Refuse further arguments of `fit` that no step takes."""
    rows = np.arange(1)
    _, metadata, _ = _prepare(estimator, _offer(recordings, rows, rows))
    taken = {name.rpartition("__")[2] for name in metadata}
    unused = [name for name in recordings.params if name not in taken]
    if unused:
        raise ValueError(
            f"params has {plain(unused)}, which no step of the estimator takes in fit, or which "
            f"its steps refuse. Leave them out, or pass an estimator with such a parameter."
        )


def _check_classes(y, job):
    """Refuse a fold without two classes to learn; tell of classes that cannot be predicted."""
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
    """Show each warning once, and return all of them as a table."""
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
        It is cloned, not changed.
    recordings : Recordings
        The data.
    jobs : list of Job
        What to do.
    n_jobs, verbose
        As in `cross_corpus_validate`.
    title : str
        What the progress bar counts.

    Returns
    -------
    outcomes : list of Outcome
        In the order of the jobs.
    warned : DataFrame
        The warnings of each fold, as ``fold``, ``category`` and ``message``; fold "all"
        stands for what happened before the folds.
    """
    _check_params_are_taken(estimator, recordings)
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
