"""Adaptation of fitted models, whatever stands around the step that adapts."""

import copy

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = ["adapt"]


def _with(model, **attributes):
    changed = copy.copy(model)
    for name, value in attributes.items():
        setattr(changed, name, value)
    return changed


def adapt(model, X_target):
    """Return a copy of a fitted model that is adapted to unlabelled rows.

    In a pipeline, the steps before the last transform `X_target` and the last one adapts
    to what comes out; in a search, the best pipeline does. The steps before the last are
    shared with `model`, which stays as it is.

    Parameters
    ----------
    model : estimator object
        A fitted estimator with a method ``adapt``, as
        :class:`~sklearn_ser.estimators.NNPMClassifier` has; a pipeline that ends in one; a
        fitted search (such as ``GridSearchCV``) over either.
    X_target : array-like, DataFrame or list of length n_target_samples
        What the first step takes: features or paths of recordings, all of the new corpus
        that there are. A step that scales by batch, as
        :class:`~sklearn_ser.estimators.CorpusScaler` does, takes them as one corpus.

    Returns
    -------
    adapted : estimator object
        Like `model`. A classifier with ``adaptation="predict"`` has become one with
        ``adaptation="fit"``: it stays adapted to these rows.

    Raises
    ------
    TypeError
        If nothing in `model` adapts.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.

    See Also
    --------
    sklearn_ser.estimators.NNPMClassifier.adapt : The same in place, without a pipeline.

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
    """
    if isinstance(model, Pipeline):
        check_is_fitted(model)
        last = model.steps[-1]
        rows = model[:-1].transform(X_target) if len(model.steps) > 1 else X_target
        return _with(model, steps=[*model.steps[:-1], (last[0], adapt(last[1], rows))])
    if isinstance(model, FrozenEstimator):
        return _with(model, estimator=adapt(model.estimator, X_target))
    if hasattr(model, "best_estimator_"):
        return _with(model, best_estimator_=adapt(model.best_estimator_, X_target))
    if hasattr(model, "refit") and not hasattr(model, "cv_results_"):
        check_is_fitted(model)
    if not hasattr(model, "adapt"):
        hint = " A search has to be fitted with refit=True." if hasattr(model, "refit") else ""
        raise TypeError(
            f"{type(model).__name__} has no method adapt, and is no pipeline or fitted search "
            f"whose last step has one. NNPMClassifier can be adapted.{hint}"
        )
    check_is_fitted(model)
    adapted = copy.copy(model).adapt(X_target)
    if getattr(adapted, "adaptation", None) == "predict":
        adapted.adaptation = "fit"
    return adapted
