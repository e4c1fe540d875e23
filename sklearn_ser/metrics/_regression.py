"""Scores of predicted activation and valence, and of their relation to an embedding."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LinearRegression
from sklearn.metrics import make_scorer
from sklearn.utils import check_array, check_consistent_length

from sklearn_ser.metrics._sums import adjusted_r2_of, ccc_of, moments_of
from sklearn_ser.utils._messages import plain


def _check_values(values: ArrayLike, name: str) -> np.ndarray:
    """Return one finite number for each sample as a float64 array."""
    array = check_array(values, dtype=np.float64, ensure_2d=False, input_name=name)
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{name} must hold one number for each sample, got shape {array.shape}. Score one "
            f"target, such as activation, at a time."
        )
    return array


def _check_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = _check_values(y_true, "y_true"), _check_values(y_pred, "y_pred")
    check_consistent_length(truth, prediction)
    return truth, prediction


def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    r"""Concordance correlation coefficient (CCC).

    With means :math:`\mu`, variances :math:`\sigma^2` and the covariance
    :math:`\sigma_{y\hat y}`, all divided by the number of samples,

    .. math::

        \rho_c = \frac{2\,\sigma_{y\hat y}}
            {\sigma_y^2 + \sigma_{\hat y}^2 + (\mu_y - \mu_{\hat y})^2} .

    It is Pearson's correlation, lowered by differences in level and spread: predictions that
    follow the truth at half its range are penalised.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The true values, such as annotated activation.
    y_pred : array-like of shape (n_samples,)
        The predicted values.

    Returns
    -------
    ccc : float
        Between -1 and 1; 1 means that truth and prediction are the same, 0 that they
        are unrelated. NaN if both are the same constant.

    Raises
    ------
    ValueError
        If the lengths differ, or an array has anything other than one finite number per
        sample.

    See Also
    --------
    adjusted_r2 : Explained variance, also sensitive to the level.

    Notes
    -----
    The score is symmetric in its arguments. ``sklearn_ser.metrics.ccc_scorer`` is its form
    for the ``scoring=`` parameters of scikit-learn.

    References
    ----------
    .. [1] L. I. Lin, "A concordance correlation coefficient to evaluate
       reproducibility", Biometrics 45 (1), 1989, pp. 255-268.

    Examples
    --------
    >>> from sklearn_ser.metrics import concordance_correlation
    >>> concordance_correlation([1, 2, 3], [1, 2, 3])
    1.0
    >>> concordance_correlation([1, 2, 3], [2, 3, 4])  # correlated, one too high
    0.5714...
    """
    truth, prediction = _check_pair(y_true, y_pred)
    # Rounding of the means can keep the spread of a constant above 0.
    if np.ptp([truth, prediction]) == 0:
        return np.nan
    return float(ccc_of(moments_of(truth, prediction)))


ccc_scorer = make_scorer(concordance_correlation)


def adjusted_r2(y_true: ArrayLike, y_pred: ArrayLike, n_predictors: int = 1) -> float:
    r"""Coefficient of determination, adjusted for the number of predictors.

    With :math:`n` samples and :math:`p` predictors,

    .. math::

        R^2 = 1 - \frac{\sum_i (y_i - \hat y_i)^2}{\sum_i (y_i - \bar y)^2} ,
        \qquad
        \bar R^2 = 1 - (1 - R^2)\,\frac{n - 1}{n - p - 1} .

    A regression on :math:`p` columns of noise has :math:`R^2 = p / (n - 1)` in
    expectation on the samples it was fitted to; :math:`\bar R^2` is then 0.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The true values.
    y_pred : array-like of shape (n_samples,)
        The predicted values.
    n_predictors : int, default=1
        Number of columns, without the intercept, of which the prediction is a linear
        function: for a regression on an embedding, scored on its own training samples, the
        number of components. For samples that the model was not fitted to, the prediction
        itself is the only predictor of any model: hence the default. 0 gives
        :math:`R^2`.

    Returns
    -------
    r2 : float
        At most 1. Negative if predicting the mean of the truth would be better. NaN if the
        truth is constant.

    Raises
    ------
    ValueError
        If the lengths differ, an array has anything other than one finite number per sample,
        or there are fewer than ``n_predictors + 2`` samples.

    See Also
    --------
    latent_r2 : Regressions between an embedding and labels, in both directions.
    sklearn.metrics.r2_score : Without the adjustment.

    Examples
    --------
    >>> from sklearn_ser.metrics import adjusted_r2
    >>> y_true, y_pred = [1, 2, 3, 4, 5], [1, 2, 3, 4, 4]
    >>> adjusted_r2(y_true, y_pred, n_predictors=0)
    0.9
    >>> adjusted_r2(y_true, y_pred, n_predictors=2)  # 1 - 0.1 * 4 / 2
    0.8
    """
    truth, prediction = _check_pair(y_true, y_pred)
    if not isinstance(n_predictors, Integral) or n_predictors < 0:
        raise ValueError(
            f"n_predictors must be an integer of at least 0, the number of columns behind the "
            f"prediction, got {plain(n_predictors)!r}."
        )
    if len(truth) < n_predictors + 2:
        raise ValueError(
            f"The adjusted R² with {n_predictors} predictors needs at least {n_predictors + 2} "
            f"samples, got {len(truth)}."
        )
    # Rounding of the mean can keep the sum of squares of a constant above 0.
    if np.ptp(truth) == 0:
        return np.nan
    return float(adjusted_r2_of(moments_of(truth, prediction), n_predictors))


def _columns(values: Any, prefix: str) -> tuple[list[str], np.ndarray]:
    """Return the names of the columns and a float64 array of shape (n_samples, n_columns)."""
    names = getattr(values, "columns", None)
    if isinstance(values, pd.Series):
        names = None if values.name is None else [values.name]
    array = np.asarray(values, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ValueError(
            f"{prefix} must have one row for each sample and one or two dimensions, got shape "
            f"{array.shape}."
        )
    if names is None:
        names = [f"{prefix}{number}" for number in range(array.shape[1])]
    return [str(name) for name in names], array


def _regress(predictors: np.ndarray, target: np.ndarray) -> dict[str, float]:
    # Fitted and scored on the same samples, hence the adjustment by all its predictors.
    predicted = LinearRegression().fit(predictors, target).predict(predictors)
    return {
        "n_predictors": predictors.shape[1],
        "n_samples": len(target),
        "r2": adjusted_r2(target, predicted, n_predictors=0),
        "adjusted_r2": adjusted_r2(target, predicted, n_predictors=predictors.shape[1]),
    }


def latent_r2(Z: Any, labels: Any) -> pd.DataFrame:
    r"""Variance of labels explained linearly by an embedding, and the reverse.

    Two linear regressions with intercept, by least squares, on all samples at once:

    .. math::

        l_j = a_j + \sum_k b_{jk} z_k + \varepsilon
        \qquad\text{and}\qquad
        z_k = c_k + \sum_j d_{kj} l_j + \varepsilon .

    The first, labels on the embedding, shows whether the labels can be read from the latent
    space; the second, the embedding on the labels, whether the latent space contains little
    else. Both report :math:`R^2` adjusted for the number of predictors: the columns of
    :math:`z` in the first, those of :math:`l` in the second.

    Parameters
    ----------
    Z : array-like or DataFrame of shape (n_samples, n_components)
        The embedding of each recording.
    labels : array-like, Series or DataFrame of shape (n_samples,) or (n_samples, n_labels)
        Activation, valence, or both. Samples with a NaN in any column are left out of all
        regressions.

    Returns
    -------
    table : DataFrame
        One row for each label, then one for each component: ``direction``
        (``"label_on_latent"`` or ``"latent_on_label"``), ``target`` (the name
        of the explained column: that of the DataFrame, otherwise ``label0``, ``Z0`` and so
        on), ``n_predictors``, ``n_samples``, ``r2`` and ``adjusted_r2``.

    Raises
    ------
    ValueError
        If the numbers of samples differ, `Z` is not finite, or there are too few
        samples without gaps.

    See Also
    --------
    adjusted_r2 : The formula.
    sklearn_ser.metrics.latent_consistency : Differences between the embeddings of corpora.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", arXiv:2203.14867, 2022.

    Examples
    --------
    The first component is the activation, the second is unrelated to it:

    >>> import pandas as pd
    >>> from sklearn_ser.metrics import latent_r2
    >>> Z = [[1.0, 1], [2, -1], [3, -1], [4, 1]]
    >>> activation = pd.Series([1.0, 2, 3, 4], name="activation")
    >>> latent_r2(Z, activation)[["direction", "target", "adjusted_r2"]].round(3)
             direction      target  adjusted_r2
    0  label_on_latent  activation          1.0
    1  latent_on_label          Z0          1.0
    2  latent_on_label          Z1         -0.5
    """
    components, Z = _columns(Z, "Z")
    names, labels = _columns(labels, "label")
    check_consistent_length(Z, labels)
    Z = check_array(Z, dtype=np.float64, input_name="Z")
    # The same samples in all regressions, so that their R² can be compared.
    rated = ~np.isnan(labels).any(axis=1)
    needed = max(len(components), len(names)) + 2
    if rated.sum() < needed:
        raise ValueError(
            f"labels has {rated.sum()} samples without gaps; regressions on {len(components)} "
            f"components and on {len(names)} labels need at least {needed}."
        )
    Z, labels = Z[rated], labels[rated]
    rows = [
        {"direction": direction, "target": name, **_regress(predictors, target)}
        for direction, predictors, targets, target_names in (
            ("label_on_latent", Z, labels, names),
            ("latent_on_label", labels, Z, components),
        )
        for name, target in zip(target_names, targets.T, strict=True)
    ]
    return pd.DataFrame(rows)
