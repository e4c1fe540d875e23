r"""Pseudo multilabels: which rows of a memory an unlabelled row should be close to.

Shapes: E members, n queries, m rows of the memory, c coordinates, K classes. A memory is
``(E, m, c)``, queries are ``(E, n, c)``, both of length 1 along the last axis.

The classes of the rows of a memory come as codes, int64 of shape (m,), or as label mass, floats of
shape (m, K): the shares :math:`s_{ik}` of the raters that heard class k in row i. In all formulas
a sum over the rows of a class, :math:`\sum_{i : y_i = k}`, is then the sum
:math:`\sum_i s_{ik}` over all rows, and :math:`n_k = \sum_i s_{ik}`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sklearn_ser.nn._exponential_sums import ROWS_AT_ONCE, exponential_sums

__all__ = [
    "Multilabel",
    "at_prior",
    "class_means",
    "class_weights",
    "geometric_mean",
    "memory_votes",
    "multilabel_of_cycle",
    "multilabel_of_threshold",
    "multilabel_of_votes",
    "select_balanced",
    "without_missing",
]

# Entries of a similarity matrix that exist at once: 64 MB of float32.
_ENTRIES_AT_ONCE = 2**24

_TINY = 1e-8

# Similarities are 2 apart at most: exp(-2 / τ) is not a normal float32 from here on.
_SMALL_TEMPERATURE = 0.025


def _parts(n_rows: int, entries_per_row: int) -> list[slice]:
    size = max(1, _ENTRIES_AT_ONCE // max(entries_per_row, 1))
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def class_weights(codes: Tensor, n_classes: int, weights: Tensor | None) -> Tensor:
    """Return a matrix ``(m, K)`` that sums rows to classes, each class with total weight 1.

    Weights may differ from class to class, ``(m, K)``, as those of label mass do.
    """
    if codes.ndim == 2:
        mass = codes if weights is None else codes * weights
        # The mass of a class may be less than that of a single row.
        return mass / mass.sum(dim=0).clamp_min(_TINY)
    one_hot = torch.nn.functional.one_hot(codes, n_classes).float()
    if weights is not None:
        one_hot *= weights[:, None]
    return one_hot / one_hot.sum(dim=0).clamp_min(1)


def memory_votes(
    z: Tensor,
    memory: Tensor,
    codes: Tensor,
    *,
    n_classes: int,
    temperature: float,
    weights: Tensor | None = None,
) -> Tensor:
    r"""Return the probability of each class by similarity to the rows of a memory.

    .. math:: v_k(x) \propto \frac{1}{n_k} \sum_{i : y_i = k}
              \exp\left( \frac{M_i \cdot z(x)}{\tau} \right)

    Dividing by the number of rows :math:`n_k` lets a rare class of the memory count as much
    as a frequent one.

    Parameters
    ----------
    z : Tensor of shape (E, n, c)
        Queries.
    memory : Tensor of shape (E, m, c)
        The memory.
    codes : Tensor of int64, shape (m,), or of floats, shape (m, K)
        Class of each row of the memory, or its label mass.
    n_classes : int
        Number of classes.
    temperature : float
        :math:`\tau`. Small: only the nearest rows have a say.
    weights : Tensor of shape (m,), or (m, K) with label mass, default=None
        Weights of the rows within their class. None: all the same.

    Returns
    -------
    votes : Tensor of shape (E, n, K)
        Sums to 1 over the classes.
    """
    to_classes = class_weights(codes, n_classes, weights)
    tiny = torch.finfo(z.dtype).tiny
    if memory.shape[1] > ROWS_AT_ONCE:
        votes = exponential_sums(z, memory, to_classes, temperature)[2]
        return votes / votes.sum(dim=2, keepdim=True).clamp_min(tiny)
    votes = torch.empty(z.shape[0], z.shape[1], n_classes, dtype=z.dtype, device=z.device)
    for member in range(len(z)):
        for part in _parts(z.shape[1], memory.shape[1]):
            similarity = z[member, part] @ memory[member].T
            # A similarity is at most 1: exp() cannot overflow once 1 is subtracted. Where it could
            # underflow for all rows, the highest similarity is subtracted instead.
            highest: float | Tensor = 1.0
            if temperature < _SMALL_TEMPERATURE:
                highest = similarity.amax(dim=1, keepdim=True)
            similarity.sub_(highest).div_(temperature).exp_()
            votes[member, part] = similarity @ to_classes
    return votes / votes.sum(dim=2, keepdim=True).clamp_min(tiny)


def at_prior(probabilities: Tensor, mean: Tensor, prior: Tensor) -> Tensor:
    r"""Correct probabilities for classes that are predicted too often.

    .. math:: p'_k \propto p_k\, \frac{\pi_k}{\bar p_k}

    Parameters
    ----------
    probabilities : Tensor of shape (..., n, K)
        Sum to 1 over the classes.
    mean : Tensor of shape (..., 1, K)
        The mean :math:`\bar p` of such probabilities over the rows that are adapted to.
    prior : Tensor of shape (K,)
        The shares :math:`\pi` that the classes should have.

    Returns
    -------
    probabilities : Tensor of shape (..., n, K)
    """
    # Bayes' rule with the prior exchanged: p(k | x) is proportional to p(x | k) times the share
    # of k, which the mean of the predictions estimates.
    corrected = (probabilities + _TINY) * (prior / (mean + _TINY))
    return corrected / corrected.sum(dim=-1, keepdim=True)


def without_missing(probabilities: Tensor, prior: Tensor) -> Tensor:
    """Return probabilities ``(..., K)`` that are 0 for the classes with the prior share 0."""
    kept = (probabilities + _TINY) * (prior > 0)
    return kept / kept.sum(dim=-1, keepdim=True)


def geometric_mean(first: Tensor, second: Tensor) -> Tensor:
    """Return the normalised geometric mean of two arrays of probabilities ``(..., K)``.

    A class that one of the two excludes has little chance, unlike in the arithmetic mean.
    """
    mean = (first.clamp_min(_TINY) * second.clamp_min(_TINY)).sqrt()
    return mean / mean.sum(dim=-1, keepdim=True)


def select_balanced(probabilities: Tensor, share: float) -> Tensor:
    """Select the most confident share of the rows of each predicted class.

    A single threshold for all would select the classes that happen to be easy.

    Parameters
    ----------
    probabilities : Tensor of shape (n, K)
        Sum to 1 over the classes.
    share : float
        Between 0 (excluded) and 1. At least one row of each predicted class is selected.

    Returns
    -------
    selected : Tensor of bool, shape (n,)
    """
    confidence, label = probabilities.max(dim=1)
    selected = torch.zeros_like(label, dtype=torch.bool)
    for k in range(probabilities.shape[1]):
        rows = (label == k).nonzero()[:, 0]
        n_selected = max(1, round(share * len(rows)))
        # Stable: which of equally confident rows are selected does not depend on the device.
        order = confidence[rows].argsort(descending=True, stable=True)
        selected[rows[order[:n_selected]]] = True
    return selected


@dataclass(frozen=True)
class Multilabel:
    """The rows of a memory that each query should be close to.

    Parameters
    ----------
    rows : Tensor of int64, shape (E, n, p)
        Rows of the memory.
    weights : Tensor of shape (E, n, p)
        Their weights, which sum to 1 for each query.
    """

    rows: Tensor
    weights: Tensor

    def of(self, queries: Tensor) -> "Multilabel":
        """Return the multilabel of some of the queries."""
        return Multilabel(self.rows[:, queries], self.weights[:, queries])

    def means(self, memory: Tensor) -> Tensor:
        """Return the weighted means of the rows, (E, n, c)."""
        n_members, n_queries, n_rows = self.rows.shape
        means = memory.new_empty(n_members, n_queries, memory.shape[2])
        for member, (rows, weights) in enumerate(zip(self.rows, self.weights, strict=True)):
            for part in _parts(n_queries, n_rows * memory.shape[2]):
                means[member, part] = torch.einsum(
                    "np,npc->nc", weights[part], memory[member, rows[part]]
                )
        return means

    def votes(self, codes: Tensor, n_classes: int) -> Tensor:
        """Return the weight of each class among the rows, (E, n, K)."""
        if codes.ndim == 2:
            return self.means(codes.expand(len(self.rows), *codes.shape))
        found = codes[self.rows]
        return torch.stack(
            [(self.weights * (found == k)).sum(dim=2) for k in range(n_classes)], dim=2
        )


def class_means(
    memory: Tensor, codes: Tensor, probabilities: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Return the means of a multilabel in which all rows of a class share its probability.

    The same as :meth:`Multilabel.means`, but each row of the memory is read once, however
    many queries there are.

    Parameters
    ----------
    memory : Tensor of shape (E, m, c)
        The memory.
    codes : Tensor of int64, shape (m,), or of floats, shape (m, K)
        Class of each row of it, or its label mass.
    probabilities : Tensor of shape (n, K)
        Probabilities of the classes, for each query.
    weights : Tensor of shape (m,), or (m, K) with label mass, default=None
        Weights of the rows within their class. None: all the same.

    Returns
    -------
    means : Tensor of shape (E, n, c)
    """
    to_classes = class_weights(codes, probabilities.shape[1], weights)
    return probabilities @ (to_classes.T @ memory)


def _nearest(z: Tensor, memory: Tensor, n_nearest: int | None) -> tuple[Tensor, Tensor]:
    """Return similarities and positions, (n, p), of the nearest rows of one member's memory."""
    n_nearest = len(memory) if n_nearest is None else min(n_nearest, len(memory))
    found = [(z[part] @ memory.T).topk(n_nearest, dim=1) for part in _parts(len(z), len(memory))]
    return torch.cat([one.values for one in found]), torch.cat([one.indices for one in found])


def _normalised(rows: list[Tensor], weights: list[Tensor]) -> Multilabel:
    stacked = torch.stack(weights)
    return Multilabel(torch.stack(rows), stacked / stacked.sum(dim=2, keepdim=True))


def multilabel_of_votes(
    z: Tensor, memory: Tensor, codes: Tensor, probabilities: Tensor, *, n_neighbors: int
) -> Multilabel:
    """Give the nearest rows of each class the probability of the class, in equal parts.

    With label mass, a row belongs to the class with the largest share, and the parts are
    proportional to the shares. A class that is nowhere the largest has all rows with a share.

    Parameters
    ----------
    z, memory : Tensor of shape (E, n, c) and (E, m, c)
        Queries and memory.
    codes : Tensor of int64, shape (m,), or of floats, shape (m, K)
        Class of each row of the memory, or its label mass.
    probabilities : Tensor of shape (n, K)
        Probabilities of the classes, for each query; with one-hot probabilities, the
        multilabel names rows of a single class.
    n_neighbors : int
        Number of rows of each class; all rows where the memory has fewer.

    Returns
    -------
    multilabel : Multilabel
    """
    classes = range(probabilities.shape[1])
    of_class = [_rows_of(codes, k).nonzero()[:, 0] for k in classes]
    rows, weights = [], []
    for queries, anchors in zip(z, memory, strict=True):
        parts = [
            (k, own[_nearest(queries, anchors[own], n_neighbors)[1]])
            for k, own in enumerate(of_class)
            if len(own)
        ]
        rows.append(torch.cat([near for _, near in parts], dim=1))
        weights.append(
            torch.cat([_parts_of(codes, probabilities, k, near) for k, near in parts], dim=1)
        )
    return _normalised(rows, weights)


def _rows_of(codes: Tensor, k: int) -> Tensor:
    """Return a mask of the rows of the memory that belong to a class."""
    if codes.ndim == 1:
        return codes == k
    # Near rows with a small share of a class would take the places of rows that show it.
    largest = codes.argmax(dim=1) == k
    return largest if bool(largest.any()) else codes[:, k] > 0


def _parts_of(codes: Tensor, probabilities: Tensor, k: int, near: Tensor) -> Tensor:
    """Return the parts that the rows ``(n, p)`` of a class have in the probability of it."""
    probability = probabilities[:, k : k + 1]
    if codes.ndim == 1:
        return probability.expand(near.shape) / near.shape[1]
    shares = codes[near, k]
    return probability * shares / shares.sum(dim=1, keepdim=True)


def multilabel_of_threshold(
    z: Tensor, memory: Tensor, *, threshold: float, n_neighbors: int | None
) -> Multilabel:
    """Give equal weight to the nearest rows that are more similar than a threshold.

    The nearest row is always among them.

    Parameters
    ----------
    z, memory : Tensor of shape (E, n, c) and (E, m, c)
        Queries and memory.
    threshold : float
        Cosine similarity.
    n_neighbors : int or None
        Largest number of rows; None: all that are similar enough.

    Returns
    -------
    multilabel : Multilabel
    """
    rows, weights = [], []
    for queries, anchors in zip(z, memory, strict=True):
        similarity, near = _nearest(queries, anchors, n_neighbors)
        kept = similarity > threshold
        kept[:, 0] = True
        rows.append(near)
        weights.append(kept.to(z.dtype))
    return _normalised(rows, weights)


def multilabel_of_cycle(
    z: Tensor, memory: Tensor, *, threshold: float, n_neighbors: int | None
) -> Multilabel:
    """Give equal weight to mutual neighbours, as memory-based positive label prediction does.

    Candidates are the nearest rows above the threshold, in order of similarity. They are
    kept as long as the query is among the k nearest queries of the candidate; the first that
    fails ends the list. The nearest row is always kept.

    Parameters
    ----------
    z, memory, threshold
        As for :func:`multilabel_of_threshold`.
    n_neighbors : int or None
        The number k, and the largest number of candidates. None: the number of rows that
        are similar enough, a k for each query.

    Returns
    -------
    multilabel : Multilabel

    References
    ----------
    Wang & Zhang, "Unsupervised person re-identification via multi-label classification",
    CVPR 2020, section 4.2.
    """
    rows, weights = [], []
    for queries, anchors in zip(z, memory, strict=True):
        similarity, near = _nearest(queries, anchors, n_neighbors)
        similar = similarity > threshold
        if n_neighbors is None:
            n_back = similar.sum(dim=1)
        else:
            n_back = torch.full((len(queries),), n_neighbors, device=z.device)
        candidates = near.unique()
        # (candidates, k): the queries that each candidate has nearest to it.
        back = _nearest(anchors[candidates], queries, int(n_back.max()))[1]
        in_reach = torch.arange(back.shape[1], device=z.device) < n_back[back]
        # One number for each pair of a query and a row.
        pairs_back = (back * len(anchors) + candidates[:, None])[in_reach]
        own = torch.arange(len(queries), device=z.device)[:, None]
        mutual = torch.isin(own * len(anchors) + near, pairs_back)
        # A running product of 0 and 1: the first candidate that fails ends the list.
        kept = (mutual & similar).long().cumprod(dim=1).bool()
        kept[:, 0] = True
        rows.append(near)
        weights.append(kept.to(z.dtype))
    return _normalised(rows, weights)
