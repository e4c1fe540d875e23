"""Fitting a trained model to a new voice, channel or language without labels."""

import copy
import inspect
import warnings
from functools import partial

from sklearn import clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_ser._sklearn import _num_samples, _safe_indexing
from sklearn_ser.estimators import CorpusScaler
from sklearn_ser.exceptions import SmallBatchWarning
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._models import replace_last_step, with_attributes
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["adapt", "rescale"]


def _adapt_step(step, rows, y_target=None):
    """Return an adapted copy of the last step of a model."""
    is_search = hasattr(step, "refit")
    if is_search and not hasattr(step, "cv_results_"):
        check_is_fitted(step)
    if not hasattr(step, "adapt"):
        hint = " A search has to be fitted with refit=True." if is_search else ""
        raise TypeError(
            f"{type(step).__name__} has no method adapt, and is not a pipeline or fitted search "
            f"whose last step has one. NNPMClassifier can be adapted, and so can MCCClassifier, "
            f"CORALClassifier and DANNClassifier.{hint}"
        )
    check_is_fitted(step)
    # A copy of an NNPMClassifier has a network of its own, since __getstate__ copies the weights;
    # `adapt` replaces its other attributes. The model that was passed stays as it was.
    if y_target is None:
        adapted = copy.copy(step).adapt(rows)
    else:
        _check_takes_labels(step)
        adapted = copy.copy(step).adapt(rows, y_target=y_target)
    if getattr(adapted, "adaptation", None) == "predict":
        adapted.adaptation = "fit"
    return adapted


def _check_takes_labels(step):
    if "y_target" not in inspect.signature(step.adapt).parameters:
        raise TypeError(
            f"{type(step).__name__}.adapt takes no y_target: it adapts without labels. Leave "
            f"y_target out, or use NNPMClassifier."
        )


def _adapt_scalers(step, rows):
    """Return a copy of a step whose scalers keep the statistics of rows."""
    return _with_scalers(step, rows, lambda scaler, rows: copy.copy(scaler).adapt(rows))


def adapt(model, X_target, y_target=None):
    """Return a copy of a fitted model that is adapted to rows with few labels or none.

    In a pipeline, the steps before the last transform `X_target`, and the last step adapts to
    the result; a search adapts its best estimator. Each
    :class:`~sklearn_ser.estimators.CorpusScaler` with ``unseen="batch"`` keeps the statistics
    of `X_target`. The adapted model predicts each further recording of the new corpus by
    itself, and `X_target` as one batch, to the last bit as if the scalers had taken the
    statistics from the batch. Steps without a scaler are shared with `model`, which is not
    changed.

    Parameters
    ----------
    model : estimator object
        A fitted estimator with a method ``adapt``, as
        :class:`~sklearn_ser.estimators.NNPMClassifier` has; a pipeline that ends in one; a
        fitted search (such as ``GridSearchCV``) over either.
    X_target : array-like, DataFrame or list of length n_target_samples
        Recordings of the new corpus, all that there are, as the first step takes them:
        features or paths. A :class:`~sklearn_ser.estimators.CorpusScaler` scales them as one
        corpus.
    y_target : array-like of length n_target_samples, default=None
        Emotions of some of the recordings; None, NaN, NA or -1 for the others. The labelled
        recordings stay in the model: a later call without `y_target` keeps them, one with
        labels replaces them, so pass all labels that there are.

    Returns
    -------
    adapted : estimator object
        Of the same kind as `model`, for recordings of this corpus only: those of another one
        would be scaled by the statistics of this one. If the classifier had
        ``adaptation="predict"``, it now has ``adaptation="fit"``: it stays adapted to these
        rows.

    Raises
    ------
    TypeError
        If the last step of `model` has no method ``adapt``, or one that takes no labels.
    ValueError
        If `y_target` has another length than `X_target`, or emotions that the source lacks.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.

    Warns
    -----
    NotAdaptedWarning
        If the classifier was not adapted, as `X_target` is too small or its guard rejected the
        result. The scalers keep the statistics of `X_target` all the same.
    SmallBatchWarning
        If `X_target` has fewer rows than `min_batch` of a scaler, which then keeps the pooled
        statistics of the training corpora.

    See Also
    --------
    rescale : Change the statistics that a model scales by, not its classifier.
    sklearn_ser.estimators.NNPMClassifier.adapt : The same in place, without a pipeline.
    sklearn_ser.estimators.CorpusScaler.adapt : The part of the scaler.

    Notes
    -----
    *Another corpus, or more recordings of this one.* Call this function with `model` again. Called
    with the adapted model, the scalers take new statistics, but the classifier continues from its
    current state, which was made for the first target.

    *After* :func:`rescale`, scalers keep the statistics of the reference; `X_target` is scaled by
    them. A refit (``sklearn.clone``) starts anew, without what was adapted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import CorpusScaler, NNPMClassifier, adapt
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> X = rng.normal(size=(120, 5)) + 2 * (y == "anger")[:, None]
    >>> model = make_pipeline(CorpusScaler(), NNPMClassifier(random_state=0)).fit(X, y)
    >>> new = 10 + rng.normal(size=(60, 5)) + 2 * (y[:60] == "anger")[:, None]
    >>> adapted = adapt(model, new)
    >>> bool((adapted.predict(new) == y[:60]).mean() > 0.9)
    True

    One more recording of the new corpus needs no batch:

    >>> adapted.predict(new[:1]).tolist() == adapted.predict(new)[:1].tolist()
    True
    """
    return replace_last_step(
        model,
        X_target,
        partial(_adapt_step, y_target=y_target),
        change_before=_adapt_scalers,
    )


def _holds_scaler(model):
    """Whether there is a scaler in a model that `_rescaled` would find."""
    if isinstance(model, Pipeline):
        return any(_holds_scaler(step) for _, step in model.steps)
    if isinstance(model, FeatureUnion):
        return any(_holds_scaler(part) for _, part in model.transformer_list)
    if isinstance(model, ColumnTransformer):
        return any(_holds_scaler(part) for _, part, _ in getattr(model, "transformers_", ()))
    if isinstance(model, FrozenEstimator):
        return _holds_scaler(model.estimator)
    if hasattr(model, "best_estimator_"):
        return _holds_scaler(model.best_estimator_)
    return isinstance(model, CorpusScaler)


def _pipeline_with_scalers(model, X, change):
    """Return a copy of a pipeline in which all scalers are changed."""
    steps = list(model.steps)
    last = max(i for i, (_, step) in enumerate(steps) if _holds_scaler(step))
    for i, (name, step) in enumerate(steps[: last + 1]):
        steps[i] = name, _with_scalers(step, X, change)
        # A scaler further on sees the rows as the changed steps before it leave them.
        if i < last and hasattr(steps[i][1], "transform"):
            X = steps[i][1].transform(X)
    return with_attributes(model, steps=steps)


def _columns_with_scalers(model, X, change):
    """Return a copy of a column transformer in which all scalers are changed."""
    if hasattr(X, "columns") and hasattr(model, "feature_names_in_"):
        # It finds columns of tables by their names, in any order.
        X = X[list(model.feature_names_in_)]
    parts = [
        (name, _with_scalers(part, _safe_indexing(X, columns, axis=1), change), columns)
        if _holds_scaler(part)
        else (name, part, columns)
        for name, part, columns in model.transformers_
    ]
    return with_attributes(model, transformers_=parts)


def _with_scalers(model, X, change):
    """Return a copy in which all scalers are changed; the model itself if it has none.

    `change` takes a scaler and the rows that reach it, and returns another scaler.
    """
    if not _holds_scaler(model):
        return model
    if isinstance(model, Pipeline):
        return _pipeline_with_scalers(model, X, change)
    if isinstance(model, FeatureUnion):
        parts = [(name, _with_scalers(part, X, change)) for name, part in model.transformer_list]
        return with_attributes(model, transformer_list=parts)
    if isinstance(model, ColumnTransformer):
        return _columns_with_scalers(model, X, change)
    if isinstance(model, FrozenEstimator):
        return with_attributes(model, estimator=_with_scalers(model.estimator, X, change))
    if hasattr(model, "best_estimator_"):
        best = _with_scalers(model.best_estimator_, X, change)
        return with_attributes(model, best_estimator_=best)
    return change(model, X)


def _rescaled(scaler, X_reference):
    # Pooled statistics are those of all rows that a scaler was fitted on. Fitted on the
    # reference alone, it scales each later row by them, regardless of the other rows.
    n_rows = _num_samples(X_reference)
    if n_rows < scaler.min_batch:
        warnings.warn(
            f"The reference has {n_rows} recordings; statistics of fewer than "
            f"{scaler.min_batch} say little about a voice or channel.",
            SmallBatchWarning,
            stacklevel=caller_stacklevel(),
        )
    # The reference is one voice or channel already.
    pooled = clone(scaler).set_params(unseen="pooled", speaker_shrinkage=None)
    return pooled.fit(X_reference)


def rescale(model, X_reference):
    """Return a copy of a fitted model that scales every row by the statistics of a reference.

    A :class:`~sklearn_ser.estimators.CorpusScaler` scales a batch by the statistics of the
    batch, so a few recordings, or recordings of one mood, are scaled badly. In the copy, each
    scaler uses the mean and standard deviation of `X_reference` instead, and each recording is
    predicted by itself: it does not matter which others are in the batch. No label is needed.

    Parameters
    ----------
    model : estimator object
        A fitted :class:`~sklearn_ser.estimators.CorpusScaler`, or a fitted pipeline, feature
        union, column transformer or search (such as ``GridSearchCV``) that contains one.
    X_reference : array-like, DataFrame or list of length n_reference_samples
        Recordings of the same voice or channel as those to predict, in all its moods, as the
        first step takes them: features or paths. A reference of a single emotion shifts that
        emotion to the centre, where the model expects the average of all emotions.

    Returns
    -------
    rescaled : estimator object
        Of the same kind as `model`. Steps without a scaler are shared with `model`, which is
        not changed.

    Raises
    ------
    TypeError
        If there is no :class:`~sklearn_ser.estimators.CorpusScaler` in `model`, or only inside
        other estimators, such as ``CalibratedClassifierCV``.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.

    Warns
    -----
    SmallBatchWarning
        If the reference has fewer rows than `min_batch` of a scaler. Its statistics are used
        all the same.

    See Also
    --------
    adapt : Adapt the classifier as well, to unlabelled rows.
    sklearn_ser.estimators.CorpusScaler : What it does to batches without a reference.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import CorpusScaler, rescale
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> X = rng.normal(size=(120, 5)) + 3 * (y == "anger")[:, None]
    >>> model = make_pipeline(CorpusScaler(), SVC()).fit(X, y)
    >>> earlier_calls, call = 10 + X[:40], 10 + X[40:41]
    >>> rescale(model, earlier_calls).predict(call).tolist() == [y[40]]
    True
    """
    if not _holds_scaler(model):
        remedy = advice(
            "Train a model with a CorpusScaler, or predict without a reference.",
            "Omit the option, or train with a --method that scales each corpus by itself.",
        )
        params = model.get_params(deep=True) if hasattr(model, "get_params") else {}
        if any(isinstance(part, CorpusScaler) for part in params.values()):
            raise TypeError(
                f"A CorpusScaler in {type(model).__name__} is inside an estimator other than a "
                f"pipeline, union, column transformer or search, where it cannot be changed. "
                f"Put it before that estimator, in a pipeline around both."
            )
        what = advice(
            f"{type(model).__name__} has no CorpusScaler",
            "this model has no scaler that takes statistics of a corpus",
        )
        raise TypeError(
            f"{what}: it treats all recordings alike, whatever their voice or channel, so a "
            f"reference changes nothing. {remedy}"
        )
    check_is_fitted(model)
    return _with_scalers(model, X_reference, _rescaled)
