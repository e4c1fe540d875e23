"""Losses that pull an embedding towards some rows of a memory and away from the others.

Shapes: E members, n queries, m rows of the memory, c coordinates, p positive rows a query.
"""

import torch
from torch import Tensor

from sklearn_ser.nn._exponential_sums import log_totals
from sklearn_ser.nn._multilabel import Multilabel

__all__ = ["multilabel_softmax_loss", "multilabel_square_loss"]


def multilabel_softmax_loss(
    z: Tensor, memory: Tensor, means: Tensor, *, temperature: float
) -> Tensor:
    r"""Cross-entropy between a multilabel and the softmax over all rows of the memory.

    .. math:: L(x) = - \sum_i m_i(x) \log \frac{\exp(M_i \cdot z(x) / \tau)}
              {\sum_j \exp(M_j \cdot z(x) / \tau)}
              = \log \sum_j \exp \frac{M_j \cdot z(x)}{\tau}
              - \frac{\bar M(x) \cdot z(x)}{\tau}

    with :math:`\bar M(x) = \sum_i m_i(x) M_i`, since the :math:`m_i` sum to 1.

    Parameters
    ----------
    z : Tensor of shape (E, n, c)
        Embedded queries.
    memory : Tensor of shape (E, m, c)
        The memory; no gradient flows into it.
    means : Tensor of shape (E, n, c)
        The weighted means :math:`\bar M` of the rows that each query should be close to.
    temperature : float
        :math:`\tau`.

    Returns
    -------
    loss : Tensor of shape (E, n)
        At least 0.

    References
    ----------
    Zhong et al., "Invariance matters: exemplar memory for domain adaptive person
    re-identification", CVPR 2019, equations 4 to 6.
    """
    # The right-hand form needs no similarity of a single positive row: one inner product a query.
    return log_totals(z, memory, temperature) - (z * means).sum(dim=2) / temperature


def multilabel_square_loss(
    z: Tensor,
    memory: Tensor,
    multilabel: Multilabel,
    *,
    positive_weight: float = 5.0,
    hard_share: float = 0.01,
) -> Tensor:
    r"""Squared distances of similarities from 1 for positives and -1 for hard negatives.

    .. math:: L(x) = \delta \sum_{i \in P} m_i (1 - s_i)^2
              + \frac{1}{|N|} \sum_{i \in N} (1 + s_i)^2

    with :math:`s_i = M_i \cdot z(x)`, :math:`P` the rows of positive weight, and :math:`N`
    the share `hard_share` of the others that is nearest, at least one row.

    Parameters
    ----------
    z : Tensor of shape (E, n, c)
        Embedded queries.
    memory : Tensor of shape (E, m, c)
        The memory; no gradient flows into it.
    multilabel : Multilabel
        The weights :math:`m_i` of the rows.
    positive_weight : float, default=5.0
        :math:`\delta`.
    hard_share : float, default=0.01
        Share of the rows that count as hard negatives.

    Returns
    -------
    loss : Tensor of shape (E, n)
        Without the second term where every row is a positive.

    References
    ----------
    Wang & Zhang, "Unsupervised person re-identification via multi-label classification",
    CVPR 2020, equations 8 to 10.
    """
    n_hard = max(1, int(hard_share * memory.shape[1]))
    losses = []
    for queries, anchors, rows, weights in zip(
        z, memory, multilabel.rows, multilabel.weights, strict=True
    ):
        similarity = queries @ anchors.T
        # Weighted, where Wang & Zhang average over the positives: with equal weights, the same.
        positive = (weights * (1 - similarity.gather(1, rows)).square()).sum(dim=1)
        # Added up: a row with label mass of several classes may be named more than once.
        is_positive = torch.zeros_like(similarity).scatter_add_(1, rows, weights) > 0
        hardest = similarity.masked_fill(is_positive, -torch.inf).topk(n_hard, dim=1).values
        # Where fewer than n_hard rows are negative, the rest of the list is -inf.
        counts = hardest > -torch.inf
        squares = torch.where(counts, 1 + hardest, 0.0).square()
        negative = squares.sum(dim=1) / counts.sum(dim=1).clamp_min(1)
        losses.append(positive_weight * positive + negative)
    return torch.stack(losses)
