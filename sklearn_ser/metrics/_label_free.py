"""Scores of a classifier on rows without labels.

Each is a scorer: ``scorer(estimator, X, y=None)``, where higher is better and `y` is ignored.
Pass them to the ``scoring=`` of scikit-learn's searches as they are.
"""

from typing import Any

import numpy as np

from sklearn_ser.utils._models import last_step

__all__ = ["entropy_score", "memory_agreement_score", "neighborhood_density_score"]

# Similarities held at a time: 32 MiB of float64.
_ENTRIES_AT_ONCE = 2**22


def _probabilities(estimator: Any, X: Any) -> np.ndarray:
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict_proba, from which this score is "
            f"computed. Use a classifier with probabilities."
        )
    return np.asarray(estimator.predict_proba(X), dtype=np.float64)


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    # p log p tends to 0 with p, where its logarithm does not exist.
    safe = np.where(probabilities > 0, probabilities, 1.0)
    return -(probabilities * np.log(safe)).sum(axis=1)


def entropy_score(estimator: Any, X: Any, y: object = None) -> float:
    r"""Certainty of the predictions: one minus their mean normalised entropy.

    .. math:: 1 + \frac{1}{n \log K} \sum_{ik} p_{ik} \log p_{ik}

    A classifier is certain if its boundaries run between the clusters of the target [1]_.
    Predicting a single class for all rows with certainty reaches the maximum too, so read it
    beside another score.

    Parameters
    ----------
    estimator : estimator object
        Fitted, with `predict_proba`.
    X : array-like of length n_samples
        Rows without labels.
    y : object, default=None
        Ignored.

    Returns
    -------
    score : float
        From 0 (all classes equally likely for each row) to 1.

    References
    ----------
    .. [1] P. Morerio, J. Cavazza & V. Murino, "Minimal-entropy correlation alignment for
       unsupervised deep domain adaptation", ICLR 2018, section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser.metrics import entropy_score
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_iris(return_X_y=True)
    >>> X = scale(X)
    >>> weak, strong = LogisticRegression(C=0.01).fit(X, y), LogisticRegression().fit(X, y)
    >>> entropy_score(strong, X) > entropy_score(weak, X)
    True
    """
    p = _probabilities(estimator, X)
    # log K is 0 for a single class, of which any classifier is certain.
    if p.shape[1] < 2:
        return 1.0
    return float(1 - _entropy(p).mean() / np.log(p.shape[1]))


def neighborhood_density_score(
    estimator: Any, X: Any, y: object = None, *, temperature: float = 0.05
) -> float:
    r"""Soft neighbourhood density: how many predictions are close to each prediction.

    With :math:`s_{ij}` the cosine similarity of the probabilities of rows i and j,

    .. math:: q_{ij} = \frac{\exp(s_{ij} / \tau)}{\sum_{l \ne i} \exp(s_{il} / \tau)},
              \qquad \mathrm{SND} = - \frac{1}{n} \sum_i \sum_{j \ne i} q_{ij} \log q_{ij}

    (Saito et al. [1]_). Where the rows of a class have similar predictions, each has many
    equally near neighbours, and the entropy is high. Predicting a single class for all rows
    reaches the maximum, so read it beside another score.

    Parameters
    ----------
    estimator : estimator object
        Fitted, with `predict_proba`.
    X : array-like of length n_samples
        Rows without labels, at least two. Scores of sets of different sizes are not
        comparable.
    y : object, default=None
        Ignored.
    temperature : float, default=0.05
        :math:`\tau`. The smaller it is, the fewer neighbours count.

    Returns
    -------
    score : float
        In nats, at most ``log(n_samples - 1)``.

    References
    ----------
    .. [1] K. Saito et al., "Tune it the right way: unsupervised validation of domain
       adaptation via soft neighborhood density", ICCV 2021, equations 1 to 3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser.metrics import neighborhood_density_score
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_iris(return_X_y=True)
    >>> X = scale(X)
    >>> round(neighborhood_density_score(LogisticRegression().fit(X, y), X), 1)
    3.8
    """
    p = _probabilities(estimator, X)
    if len(p) < 2:
        raise ValueError(
            f"A density needs neighbours: got n_samples = {len(p)}, expected at least 2."
        )
    # Not in place: the array may belong to the estimator.
    p = p / np.linalg.norm(p, axis=1, keepdims=True)
    size = max(1, _ENTRIES_AT_ONCE // len(p))
    total = 0.0
    for start in range(0, len(p), size):
        # In blocks of rows: the matrix of all similarities would grow with the square.
        scaled = (p[start : start + size] @ p.T - 1) / temperature
        rows = np.arange(len(scaled))
        # A row is not its own neighbour: exp(-inf) takes it out of the sum and the entropy.
        scaled[rows, start + rows] = -np.inf
        # The softmax is the same for any shift; this one keeps exp from overflowing at a small
        # temperature.
        scaled -= scaled.max(axis=1, keepdims=True)
        weights = np.exp(scaled)
        weights /= weights.sum(axis=1, keepdims=True)
        total += _entropy(weights).sum()
    return float(total / len(p))


def memory_agreement_score(estimator: Any, X: Any, y: object = None) -> float:
    """Share of rows for which the head and the memory of a classifier predict the same class.

    The linear head and the memory read the same embedding in two ways; they disagree on target
    rows that lie between the classes of the source.

    Parameters
    ----------
    estimator : estimator object
        A fitted :class:`~sklearn_ser.estimators.NNPMClassifier`, or a pipeline or search that
        ends in one.
    X : array-like of length n_samples
        Rows without labels.
    y : object, default=None
        Ignored.

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If the classifier has no memory.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ser import NNPMClassifier
    >>> from sklearn_ser.metrics import memory_agreement_score
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NNPMClassifier(adaptation="predict", random_state=0).fit(X, y)
    >>> memory_agreement_score(model, X) > 0.5
    True
    """
    estimator, X = last_step(estimator, X)
    if not hasattr(estimator, "head_memory_agreement"):
        raise TypeError(
            f"{type(estimator).__name__} has no memory to compare with its head. Use an "
            f"NNPMClassifier, or a score of probabilities such as entropy_score."
        )
    return estimator.head_memory_agreement(X)
