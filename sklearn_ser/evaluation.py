"""Training on some corpora and testing on another, for each in turn."""

import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import clone, config_context
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter
from tqdm.auto import tqdm

from sklearn_ser._sklearn import _num_samples, _safe_indexing
from sklearn_ser._validation import caller_stacklevel, encode_labels
from sklearn_ser.metrics import unweighted_average_recall
from sklearn_ser.model_selection import LeaveOneCorpusOut

__all__ = ["CrossCorpusResult", "cross_corpus_validate"]


def _check_estimator(estimator):
    # Some meta-estimators have predict only once they are fitted.
    predicts = hasattr(estimator, "predict") or (
        isinstance(estimator, BaseEstimator) and is_classifier(estimator)
    )
    if not hasattr(estimator, "fit") or not predicts:
        raise TypeError(
            f"estimator must be a classifier or a pipeline that ends in one, got {estimator!r}, "
            f"which has no fit and predict."
        )
    if is_regressor(estimator):
        raise TypeError(
            f"estimator must be a classifier, got the regressor {estimator!r}; predictions of "
            f"activation or valence are not scored here. Use cross_validate with LeaveOneCorpusOut."
        )


def _check_labels(y, n_samples):
    """Return `y` as an array of strings or integers."""
    classes, codes = encode_labels(y, name="y", n_samples=n_samples)
    y = classes[codes]
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"y must hold one emotion label per sample, got {kind} values such as {y[0]!r}."
        )
    return y


def _check_corpora(corpus, n_samples):
    names, codes = encode_labels(corpus, name="corpus", n_samples=n_samples)
    if len(names) < 2:
        raise ValueError(
            f"corpus names only {names.tolist()}; training on one corpus and testing on another "
            f"needs at least two."
        )
    return names[codes]


def _check_speakers(speaker, n_samples):
    if speaker is None:
        return None
    speaker = np.asarray(speaker, dtype=object)
    if speaker.shape != (n_samples,):
        raise ValueError(
            f"speaker must have one entry for each of the {n_samples} samples in X, got an array "
            f"of shape {speaker.shape}."
        )
    return speaker


def _check_classes(y, folds, held_out):
    """Refuse folds without two classes to learn; warn of classes that cannot be predicted."""
    for name, (train, test) in zip(held_out, folds, strict=True):
        learnt = np.unique(y[train])
        if learnt.size < 2:
            raise ValueError(
                f"Without {name}, the training corpora have only the class {learnt.tolist()[0]!r}; "
                f"a classifier needs at least two. Add a corpus or leave {name} in, by targets."
            )
        unseen = np.setdiff1d(y[test], y[train])
        if unseen.size:
            warnings.warn(
                f"No training corpus has the classes {unseen.tolist()} of {name}: they cannot be "
                f"predicted and count with recall 0. Drop them from y for a score over the "
                f"classes that all corpora share.",
                UserWarning,
                stacklevel=caller_stacklevel(),
            )


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


def _with_requests(estimator):
    """Return an unfitted copy in which every step asks for what it can take.

    A step whose `fit` has a parameter `sample_domain` or `X_target` gets it unless the
    user refused with ``set_fit_request(...=False)``. Pipelines pass `X_target` on
    through the steps before the one that takes it.
    """
    estimator = clone(estimator)
    parts = _parts(estimator)
    for part in parts:
        routing = get_routing_for_object(part)
        requests = routing.fit.requests if isinstance(routing, MetadataRequest) else {}
        undecided = [
            name for name in ("sample_domain", "X_target") if requests.get(name, 0) is None
        ]
        if undecided:
            part.set_fit_request(**dict.fromkeys(undecided, True))
    for part in parts:
        if isinstance(part, Pipeline) and _consumed(part, ["X_target"]):
            part.set_params(transform_input=[*(part.transform_input or []), "X_target"])
    return estimator


def _consumed(estimator, names):
    return get_routing_for_object(estimator).consumes("fit", names)


def _by_step_name(estimator, sample_domain, error):
    """Return `fit` parameters for a pipeline with a step that knows no metadata routing."""
    steps = estimator.steps if isinstance(estimator, Pipeline) else [(None, estimator)]
    steps = [(name, step) for name, step in steps if hasattr(step, "fit")]
    if any(has_fit_parameter(step, "X_target") for _, step in steps):
        raise ValueError(
            f"A step takes X_target, which reaches it through metadata routing, but: {error} "
            f"Replace the step that does not support it."
        ) from error
    return {
        f"{name}__sample_domain" if name else "sample_domain": sample_domain
        for name, step in steps
        if has_fit_parameter(step, "sample_domain")
    }


def _fit_and_predict(estimator, X, y, corpus, train, test):
    """Train on some rows and predict the others, whose labels stay out of reach."""
    X_train, X_test = _safe_indexing(X, train), _safe_indexing(X, test)
    offered = {"sample_domain": corpus[train], "groups": corpus[train], "X_target": X_test}
    with config_context(enable_metadata_routing=True):
        try:
            model = _with_requests(estimator)
            metadata = {name: offered[name] for name in _consumed(model, [*offered])}
            routed = True
        except NotImplementedError as error:
            model, routed = clone(estimator), False
            metadata = _by_step_name(model, offered["sample_domain"], error)
    with config_context(enable_metadata_routing=routed):
        start = time.perf_counter()
        model.fit(X_train, y[train], **metadata)
        fitted = time.perf_counter()
        y_pred = np.asarray(model.predict(X_test))
        predicted = time.perf_counter()
    return y_pred, fitted - start, predicted - fitted


def _run_fold(*arguments):
    """Return what `_fit_and_predict` does, and the warnings, which a worker would swallow."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = _fit_and_predict(*arguments)
    return outcome, [(warning.category, str(warning.message)) for warning in caught]


@dataclass(frozen=True, eq=False, repr=False)
class CrossCorpusResult:
    """What :func:`cross_corpus_validate` found.

    Printing it shows the table of scores, with the means over the corpora below.

    Parameters
    ----------
    scores : DataFrame
        One row for each held-out corpus: ``corpus``, ``n_train``, ``n_test``, ``uar``,
        ``accuracy``, ``fit_time`` and ``predict_time`` in seconds.
    predictions : DataFrame
        One row for each recording that was held out, in the order of `X`: ``sample``
        (its position in `X`), ``corpus``, ``speaker`` where given, ``y_true`` and
        ``y_pred``.

    See Also
    --------
    cross_corpus_validate : Makes it.
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame

    def _table(self):
        averaged = ["uar", "accuracy", "fit_time", "predict_time"]
        mean = {"corpus": "mean", **self.scores[averaged].mean()}
        rows = [*self.scores.to_dict("records"), mean]
        table = pd.DataFrame(
            {
                "corpus": [str(row["corpus"]) for row in rows],
                "train": [str(row.get("n_train", "")) for row in rows],
                "test": [str(row.get("n_test", "")) for row in rows],
                "UAR": [f"{row['uar']:.3f}" for row in rows],
                "accuracy": [f"{row['accuracy']:.3f}" for row in rows],
                "fit (s)": [f"{row['fit_time']:.2f}" for row in rows],
                "predict (s)": [f"{row['predict_time']:.2f}" for row in rows],
            }
        )
        return table

    def __repr__(self):
        return self._table().to_string(index=False)

    def _repr_html_(self):
        return self._table().to_html(index=False, border=0)


def _collect(outcomes, folds, held_out, *, y, corpus, speaker):
    scores, predictions = [], []
    for name, (train, test), outcome in zip(held_out, folds, outcomes, strict=True):
        y_pred, fit_time, predict_time = outcome
        scores.append(
            {
                "corpus": name,
                "n_train": len(train),
                "n_test": len(test),
                "uar": unweighted_average_recall(y[test], y_pred),
                "accuracy": float(accuracy_score(y[test], y_pred)),
                "fit_time": fit_time,
                "predict_time": predict_time,
            }
        )
        columns = {"sample": test, "corpus": corpus[test]}
        if speaker is not None:
            columns["speaker"] = speaker[test]
        predictions.append(pd.DataFrame({**columns, "y_true": y[test], "y_pred": y_pred}))
    predictions = pd.concat(predictions).sort_values("sample", ignore_index=True)
    return CrossCorpusResult(scores=pd.DataFrame(scores), predictions=predictions)


def cross_corpus_validate(
    estimator, X, y, corpus, *, speaker=None, targets=None, n_jobs=None, verbose=0
):
    """Hold out one corpus after the other: train on the rest, predict it, score.

    For each corpus a copy of `estimator` is fitted on the recordings of all others and
    predicts the held-out ones, all in one batch. In every fold,

    - each step with a parameter `sample_domain` in its `fit` gets the corpora of the
      training recordings, wherever it stands in the pipeline;
    - each step with a parameter `X_target` in its `fit` gets the held-out recordings
      as unlabelled data, transformed by the steps before it;
    - a splitter inside `estimator` that wants `groups`, as in
      ``GridSearchCV(..., cv=LeaveOneCorpusOut())``, gets the corpora of the training
      recordings.

    The labels of the held-out corpus reach nothing but the scores.

    Parameters
    ----------
    estimator : estimator object
        A classifier, a pipeline that ends in one, or a search over either. It is
        cloned, not changed.
    X : array-like, DataFrame or list of length n_samples
        Whatever the first step takes: features, or paths of recordings.
    y : array-like of shape (n_samples,)
        The emotion of each recording, without gaps.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording, without gaps; at least two different.
    speaker : array-like of shape (n_samples,), default=None
        The speaker of each recording, copied into the table of predictions.
    targets : str or collection of str, default=None
        The corpora to hold out; None means each of them.
    n_jobs : int, default=None
        How many corpora to hold out at the same time, in processes of their own. None
        means 1 unless in a :obj:`joblib.parallel_backend` context, -1 all processors.
    verbose : int, default=0
        Above 0, a progress bar counts the folds, if the output is a terminal.

    Returns
    -------
    result : CrossCorpusResult
        ``result.scores`` and ``result.predictions``, two tables. The score of a corpus
        is the mean recall over the classes it has itself: a class that only training
        corpora have costs those recordings for which it is predicted, and no more.

    Raises
    ------
    ValueError
        If lengths differ, labels or corpora have gaps, there is only one corpus, or
        `targets` names an unknown one.
    TypeError
        If `estimator` is no classifier.

    Warns
    -----
    UserWarning
        If a corpus has classes that no training corpus has: their recall is 0.

    See Also
    --------
    sklearn_ser.model_selection.LeaveOneCorpusOut : The splitter, for `cross_validate`
        and searches.
    sklearn_ser.metrics.unweighted_average_recall : The score.

    Notes
    -----
    Inside, scikit-learn's metadata routing is switched on for the duration of a fold,
    in the worker only. A step refuses what it could take by
    ``step.set_fit_request(sample_domain=False)``.

    A search slices whatever has as many rows as the training set for its inner folds.
    Where the held-out corpus happens to have exactly that many recordings, inner fits
    see a part of `X_target` only; the final refit sees all.

    Examples
    --------
    Two emotions in three corpora, each with an offset of its own:

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import CorpusScaler, cross_corpus_validate
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus = np.repeat(["emodb", "ravdess", "urdu"], 40)
    >>> X = rng.normal(size=(120, 3)) + 3 * (y == "anger")[:, None]
    >>> X = X + np.repeat([[0], [10], [-20]], 40, axis=0)
    >>> result = cross_corpus_validate(make_pipeline(CorpusScaler(), SVC()), X, y, corpus)
    >>> result.scores[["corpus", "n_train", "n_test"]]
        corpus  n_train  n_test
    0    emodb       80      40
    1  ravdess       80      40
    2     urdu       80      40
    >>> bool(result.scores["uar"].min() > 0.9)
    True
    """
    _check_estimator(estimator)
    n_samples = _num_samples(X)
    y = _check_labels(y, n_samples)
    corpus = _check_corpora(corpus, n_samples)
    speaker = _check_speakers(speaker, n_samples)
    splitter = LeaveOneCorpusOut(targets=targets)
    held_out = splitter.corpora(corpus)
    folds = list(splitter.split(np.empty(n_samples), groups=corpus))
    _check_classes(y, folds, held_out)
    outcomes = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_run_fold)(estimator, X, y, corpus, train, test) for train, test in folds
    )
    quiet = None if verbose else True
    outcomes = list(tqdm(outcomes, total=len(folds), desc="held-out corpora", disable=quiet))
    for category, message in dict.fromkeys(pair for _, caught in outcomes for pair in caught):
        warnings.warn(message, category, stacklevel=caller_stacklevel())
    outcomes = [outcome for outcome, _ in outcomes]
    return _collect(outcomes, folds, held_out, y=y, corpus=corpus, speaker=speaker)
