"""Divergence of predicted probabilities from the shares of raters."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._soft_labels import ROUNDING

# A probability of 0 for an emotion that raters heard would make the mean infinite.
_SMALLEST = 1e-7


def _distributions(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    sums = array.sum(axis=1) if array.ndim == 2 else np.empty(0)
    # NaN fails the comparisons.
    if not (sums.size and (array >= 0).all() and (np.abs(sums - 1) <= ROUNDING).all()):
        raise ValueError(
            f"{name} must have a row per sample and a column per class, numbers of at least 0 "
            f"whose rows sum to 1; got an array of shape {array.shape} that begins with "
            f"{plain(array.tolist() if array.ndim == 0 else array[:1].tolist())}."
        )
    return array / sums[:, None]


def soft_label_divergence(shares: ArrayLike, probabilities: ArrayLike) -> float:
    r"""Mean Kullback-Leibler divergence of probabilities from the shares of raters.

    .. math:: \frac{1}{n} \sum_i \sum_k s_{ik} \log \frac{s_{ik}}{p_{ik}},

    the cross-entropy less the entropy of the shares, which no model can go below.

    Parameters
    ----------
    shares : array-like of shape (n_samples, n_classes)
        Shares :math:`s` of raters; each row sums to 1, up to rounding to two digits.
    probabilities : array-like of shape (n_samples, n_classes)
        Probabilities :math:`p` from ``predict_proba``, with the columns in the same order, that
        of ``classes_``. Below 1e-7, they count as 1e-7.

    Returns
    -------
    divergence : float
        In nats; 0 if the probabilities are the shares.

    Raises
    ------
    ValueError
        If the shapes differ, rows do not sum to 1, or there are none.

    Examples
    --------
    >>> from sklearn_ser.metrics import soft_label_divergence
    >>> soft_label_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    >>> round(soft_label_divergence([[1, 0], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]), 3)
    0.347
    """
    s, p = _distributions(shares, "shares"), _distributions(probabilities, "probabilities")
    if s.shape != p.shape:
        raise ValueError(
            f"shares has the shape {s.shape} and probabilities {p.shape}; pass one row per sample "
            f"and the columns of classes_ in both."
        )
    return float(rel_entr(s, p.clip(_SMALLEST)).sum(axis=1).mean())
