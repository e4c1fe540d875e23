"""Fit and predict one fold, passing every step the metadata it accepts."""

import time
import warnings
from dataclasses import replace
from numbers import Integral
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import clone, config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed

from sklearn_ser._sklearn import _safe_indexing
from sklearn_ser.evaluation._fit import check_params_are_taken, offer, prepare
from sklearn_ser.evaluation._inputs import Recordings
from sklearn_ser.utils._advice import advice, carrying_advice
from sklearn_ser.utils._identities import without_spelling_warnings
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._models import random_states, unwrapped
from sklearn_ser.utils._progress import follow
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["Job", "Outcome", "Plan", "plan_jobs", "run_jobs", "run_plans", "taken_params"]


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
    y_proba : DataFrame or None
        The probability of each class, a column; None where the model has none.
    """

    job: Job
    y_pred: np.ndarray
    fit_time: float
    predict_time: float
    y_proba: pd.DataFrame | None


class Plan(NamedTuple):
    """The jobs of one estimator, checked and ready to run.

    Parameters
    ----------
    name : str
        The name of the estimator in messages about progress; may be empty.
    estimator : estimator object
        The part of it that is trained in each job.
    recordings : Recordings
        The data, as this part takes them.
    jobs : list of Job
        The trainings.
    caught : list of (str, list of (type, str))
        The warnings that checks and shared steps gave, by the titles of jobs.
    """

    name: str
    estimator: object
    recordings: Recordings
    jobs: list
    caught: list


def _predict(model, X, speaker_target, *, routed, method="predict"):
    """Predict rows whose speakers are known to the steps that ask for them."""
    # A search has no way to its best estimator for metadata.
    inner = unwrapped(model)
    if routed and speaker_target is not None and isinstance(inner, BaseEstimator):
        taken = get_routing_for_object(inner).consumes(method, ["speaker_target"])
        if taken:
            return getattr(inner, method)(X, speaker_target=speaker_target)
    return getattr(model, method)(X)


def _check_predictions(y_pred, y_train, n_samples):
    """Refuse predictions that cannot be compared with the truth."""
    if y_pred.shape != (n_samples,):
        raise ValueError(
            f"The estimator predicted an array of shape {y_pred.shape} for {n_samples} recordings; "
            f"expected {(n_samples,)}, one answer for each."
        )
    if isinstance(y_pred[0], str) != isinstance(y_train[0], str) and y_pred[0] is not None:
        # Codes of labels, for instance, that are never equal to the labels.
        raise ValueError(
            f"The estimator predicted {plain(y_pred[0])!r}, but was trained on values such as "
            f"{plain(y_train[0])!r}. Make predict return them as they are in y."
        )


def _probabilities(model, X, speaker_target, *, routed):
    """Return the probability of each class; None if the model has none."""
    classes = getattr(model, "classes_", None)
    if classes is None or not hasattr(model, "predict_proba"):
        return None
    with warnings.catch_warnings():
        # predict has already issued the warnings about these rows.
        warnings.simplefilter("ignore")
        proba = _predict(model, X, speaker_target, routed=routed, method="predict_proba")
    proba = np.asarray(proba, dtype=np.float64)
    if proba.shape != (len(proba), len(classes)):
        return None
    # Objects, because pandas cannot infer a type for names that are not UTF-8.
    return pd.DataFrame(proba, columns=pd.Index(classes, dtype=object))


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
        _check_predictions(y_pred, recordings.y[train], len(test))
        y_proba = _probabilities(model, X_test, speaker_target, routed=routed)
    return y_pred, fitted - start, predicted - fitted, y_proba


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


def _run_task(number, name, estimator, recordings, job):
    """Run a job under a number by which it is found again; name the one that fails."""
    try:
        return number, *_run_job(estimator, recordings, job)
    except Exception as error:
        error.add_note(f"The training that failed: {name}.")
        raise


def _needs_only_rows(step):
    """Whether a step transforms recordings one at a time, without having been fitted.

    A step over a table that needs no fit, such as a function of the user, may combine rows: it
    stays inside the folds, where it cannot leak held-out rows into the training. So does one
    with a `fit_transform` of its own, which may treat recordings to train on in another way.
    """
    if not hasattr(step, "transform"):
        return False
    inherited = TransformerMixin.fit_transform
    if getattr(type(step), "fit_transform", inherited) is not inherited:
        return False
    tags = get_tags(step)
    return not tags.requires_fit and not tags.input_tags.two_d_array


def _alike(one, other):
    """Whether two steps without a fit transform recordings alike."""
    if type(one) is not type(other):
        return False
    pairs = zip(one.get_params().items(), other.get_params().items(), strict=True)
    try:
        return one is other or all(first == second for first, second in pairs)
    except ValueError:
        # Arrays as parameters have no single answer.
        return False


def _transformed(step, X, shared):
    """Transform recordings, unless an earlier estimator begins with such a step.

    Returns
    -------
    transformed : array-like
        The rows.
    caught : list of (type, str)
        The warnings.
    """
    for earlier, rows, *result in shared:
        if rows is X and _alike(earlier, step):
            return result
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transformed = clone(step).transform(X)
    result = transformed, [(warning.category, str(warning.message)) for warning in caught]
    shared.append((step, X, *result))
    return result


def _share_features(estimator, recordings, shared):
    """Let the first steps of a pipeline transform all recordings before the folds.

    Returns
    -------
    estimator : estimator object
        The rest of the pipeline.
    recordings : Recordings
        With the features as `X`.
    caught : list of (type, str)
        The warnings.
    """
    if not isinstance(estimator, Pipeline):
        return estimator, recordings, []
    # Without a fit, nothing of one recording can reach another: features computed once are the
    # ones that each fold would compute.
    first, caught = 0, []
    while first < len(estimator.steps) - 1 and _needs_only_rows(estimator.steps[first][1]):
        X, given = _transformed(estimator.steps[first][1], recordings.X, shared)
        recordings = replace(recordings, X=X)
        caught += given
        first += 1
    if not first:
        return estimator, recordings, []
    rest = clone(estimator)
    return rest.set_params(steps=rest.steps[first:]), recordings, caught


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
    remedy = advice(
        "Drop them from y for a score over the classes that both have.",
        "For a score over the emotions that both have, name these with --emotions.",
    )
    message = (
        f"The recordings to train on for {job.title} lack its classes {unseen.tolist()}: they "
        f"cannot be predicted and count with recall 0. {remedy}"
    )
    return [(UserWarning, message)]


def _as_table(caught):
    """Return the warnings of each fold as a table."""
    rows = [
        (title, category.__name__, message)
        for title, pairs in caught
        for category, message in dict.fromkeys(pairs)
    ]
    table = pd.DataFrame(rows, columns=["fold", "category", "message"], dtype=object)
    return table.drop_duplicates(ignore_index=True)


def _name_of(plan, job):
    """Name a job in the log and in errors."""
    method = f"{plan.name}: " if plan.name else ""
    seed = "" if job.seed is None else f", seed {job.seed}"
    return f"{method}{job.title}{seed}"


def plan_jobs(estimator, recordings, jobs, *, name="", shared=None):
    """Check jobs and prepare them, without a training.

    Parameters
    ----------
    estimator : estimator object
        Cloned, not changed.
    recordings : Recordings
        The data.
    jobs : list of Job
        The trainings.
    name : str, default=""
        The name of the estimator in messages about progress, where there are several.
    shared : list, default=None
        What the first steps of earlier estimators have extracted. Pass the same list for
        estimators of the same recordings, so that nothing is extracted twice.

    Returns
    -------
    plan : Plan
    """
    caught = []
    if recordings.of_labels:
        caught = [(job.title, _check_classes(recordings.y, job)) for job in jobs if not job.repeat]
    shared = [] if shared is None else shared
    estimator, recordings, early = _share_features(estimator, recordings, shared)
    caught.append(("all", early))
    return Plan(name, estimator, recordings, jobs, caught)


def taken_params(estimator, recordings):
    """Return the metadata that an estimator takes in `fit`, by the names that `fit` gets."""
    # Routing depends on names only, so that a single row finds the unused ones before any fold.
    first = np.arange(1)
    X_first, speaker = _safe_indexing(recordings.X, first), recordings.speakers_of(first)
    return prepare(estimator, offer(recordings, first, X_first, speaker))[1]


def _cost(plan, job):
    """Return what tells long trainings from short ones, without running them."""
    params = plan.estimator.get_params() if isinstance(plan.estimator, BaseEstimator) else {}
    epochs = (value for name, value in params.items() if name.rpartition("__")[2] == "max_epochs")
    return sum(value for value in epochs if isinstance(value, Integral)) * len(job.train)


def run_plans(plans, *, n_jobs, verbose, title):
    """Run the jobs of all plans together, here or in workers, and show each warning once.

    Parameters
    ----------
    plans : list of Plan
        The trainings of each estimator.
    n_jobs, verbose
        As in `cross_corpus_validate`.
    title : str
        Label of the progress bar.

    Returns
    -------
    results : list of (outcomes, warned)
        For each plan, the outcomes in the order of its jobs, and a table of the warnings of each
        fold, as ``fold``, ``category`` and ``message``; the fold "all" has those given before
        the folds.
    """
    tasks = [(plan, job) for plan in plans for job in plan.jobs]
    order = list(range(len(tasks)))
    if len(plans) > 1:
        # A long training that starts last would run alone on its core. The sort keeps the order
        # of equal ones.
        order.sort(key=lambda number: -_cost(*tasks[number]))
    # Results come in the order in which they are ready, so that the line about one does not wait
    # for those that were started before it.
    # Made here: joblib asks for jobs in threads of its own, which do not know the reader.
    run_task = delayed(carrying_advice(_run_task))
    results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        run_task(number, _name_of(plan, job), plan.estimator, plan.recordings, job)
        for number, (plan, job) in ((number, tasks[number]) for number in order)
    )
    results = follow(
        results,
        len(tasks),
        title,
        shown=bool(verbose),
        name_of=lambda result: _name_of(*tasks[result[0]]),
    )
    done = iter(sorted(results, key=itemgetter(0)))
    done = [[next(done)[1:] for _ in plan.jobs] for plan in plans]
    caught = [
        plan.caught + [(outcome.job.title, pairs) for outcome, pairs in results]
        for plan, results in zip(plans, done, strict=True)
    ]
    # Across folds the same warning is one finding, and a dict keeps the order.
    every_pair = (pair for folds in caught for _, pairs in folds for pair in pairs)
    for category, message in dict.fromkeys(every_pair):
        warnings.warn(message, category, stacklevel=caller_stacklevel())
    return [
        ([outcome for outcome, _ in results], _as_table(folds))
        for results, folds in zip(done, caught, strict=True)
    ]


def run_jobs(estimator, recordings, jobs, *, n_jobs, verbose, title):
    """Run the jobs of one estimator; return their outcomes and warnings as `run_plans` does."""
    check_params_are_taken(recordings.params, taken_params(estimator, recordings))
    plan = plan_jobs(estimator, recordings, jobs)
    [result] = run_plans([plan], n_jobs=n_jobs, verbose=verbose, title=title)
    return result
