"""Adaptation of fitted models, whatever stands around the step that adapts."""

import copy

from sklearn.utils.validation import check_is_fitted

from sklearn_ser.utils._models import replace_last_step

__all__ = ["adapt"]


def _adapt_step(step, rows):
    """Return an adapted copy of an estimator that nothing stands around."""
    is_search = hasattr(step, "refit")
    if is_search and not hasattr(step, "cv_results_"):
        check_is_fitted(step)
    if not hasattr(step, "adapt"):
        hint = " A search has to be fitted with refit=True." if is_search else ""
        raise TypeError(
            f"{type(step).__name__} has no method adapt, and is not a pipeline or fitted search "
            f"whose last step has one. NNPMClassifier can be adapted.{hint}"
        )
    check_is_fitted(step)
    adapted = copy.copy(step).adapt(rows)
    if getattr(adapted, "adaptation", None) == "predict":
        adapted.adaptation = "fit"
    return adapted


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
    return replace_last_step(model, X_target, _adapt_step)
