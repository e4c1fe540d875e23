"""Look inside models: searches, frozen estimators, pipelines and their last steps."""

import copy

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = [
    "last_step",
    "parts_from_last",
    "random_states",
    "replace_last_step",
    "unwrapped",
    "with_attributes",
]


def with_attributes(model, **attributes):
    """Return a shallow copy of a model in which some attributes have other values."""
    changed = copy.copy(model)
    for name, value in attributes.items():
        setattr(changed, name, value)
    return changed


def unwrapped(model):
    """Return the estimator that fitted searches and frozen estimators predict with.

    Parameters
    ----------
    model : estimator object
        Any model. A search that is not fitted, or has no best estimator, is returned as it is.

    Returns
    -------
    inner : estimator object
        The first estimator inside that is neither a fitted search nor frozen.
    """
    while True:
        # A frozen estimator passes on the attributes of a search inside it, so it comes first.
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model


def last_step(model, X):
    """Return the estimator that makes the predictions, and the rows that reach it.

    Parameters
    ----------
    model : estimator object
        A fitted estimator; pipelines, searches and frozen estimators are looked into, however
        deep they are nested.
    X : array-like of length n_samples
        Input of `model`.

    Returns
    -------
    step : object
        The last step; "passthrough" or None if a pipeline ends in that.
    rows : array-like of length n_samples
        `X` after the steps before it.
    """
    model = unwrapped(model)
    while isinstance(model, Pipeline):
        if len(model.steps) > 1:
            X = model[:-1].transform(X)
        model = unwrapped(model[-1])
    return model, X


def parts_from_last(model):
    """Yield a fitted model and the steps inside it, the last step of a pipeline first."""
    model = unwrapped(model)
    yield model
    if isinstance(model, Pipeline):
        for _, step in reversed(model.steps):
            yield from parts_from_last(step)


def replace_last_step(model, X, change, *, change_before=lambda step, X: step):
    """Return a copy of a model with another last step.

    Parameters
    ----------
    model : estimator object
        A fitted estimator; pipelines, searches and frozen estimators are looked into, however
        deep they are nested.
    X : array-like of length n_samples
        Input of `model`.
    change : callable
        Takes the last step and the rows that reach it, as `last_step` returns them, and returns
        the new step. It must not modify the old one.
    change_before : callable, optional
        Takes each earlier step of a pipeline and the rows that reach it, and returns the step
        that transforms them, in the new model too. By default, the earlier steps are shared.

    Returns
    -------
    changed : estimator object
        Of the same kind as `model`.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If a pipeline is not fitted; `change` checks the last step.
    """
    if isinstance(model, Pipeline):
        check_is_fitted(model)
        *before, (name, step) = model.steps
        for i, (earlier, transformer) in enumerate(before):
            if transformer is not None and transformer != "passthrough":
                transformer = change_before(transformer, X)
                before[i] = earlier, transformer
                X = transformer.transform(X)
        step = replace_last_step(step, X, change, change_before=change_before)
        return with_attributes(model, steps=[*before, (name, step)])
    # The same order as in `unwrapped`.
    inner = "estimator" if isinstance(model, FrozenEstimator) else "best_estimator_"
    if not hasattr(model, inner):
        return change(model, X)
    step = replace_last_step(getattr(model, inner), X, change, change_before=change_before)
    return with_attributes(model, **{inner: step})


def random_states(estimator):
    """Return all parameters of an estimator that seed it or a part of it.

    Parameters
    ----------
    estimator : estimator object
        Fitted or not.

    Returns
    -------
    values : dict of str to object
        The value of each parameter called ``random_state``, by its full name such as
        ``svc__random_state``.
    """
    return {
        name: value
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state"
    }
