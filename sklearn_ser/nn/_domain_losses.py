"""Losses that make a classifier of a source fit an unlabelled target.

Shapes: E members, n rows, c coordinates, K classes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["adversarial_loss", "confusion_loss", "covariance_loss"]


def confusion_loss(logits: Tensor, *, temperature: float) -> Tensor:
    r"""Return how much the predictions of a batch confuse each pair of classes.

    .. math:: C_{jk} \propto \sum_i w_i\, p_{ij}\, p_{ik}, \quad \sum_k C_{jk} = 1, \qquad
              L = \frac{1}{K} \sum_j \sum_{k \ne j} C_{jk}

    with :math:`p_i` the softmax of the logits over the temperature, and :math:`w_i \propto
    1 + e^{-H(p_i)}`, which is larger for certain rows.

    Parameters
    ----------
    logits : Tensor of shape (E, n, K)
        Logits of target rows.
    temperature : float
        Above 1, predictions count as less certain than they are.

    Returns
    -------
    loss : Tensor of shape ()
        The mean over members; between 0 and 1, and 0 for an empty batch.
    """
    log_p = functional.log_softmax(logits / temperature, dim=2)
    p = log_p.exp()
    # The authors' code learns nothing from the weights, which only say what to listen to.
    weights = (1 + (p * log_p).sum(dim=2, keepdim=True).exp()).detach()
    confusion = p.transpose(1, 2) @ (weights * p)
    # A class that no row predicts underflows to 0, and confuses nothing.
    totals = confusion.sum(dim=2, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny)
    normalised = confusion / totals
    between = normalised.sum(dim=(1, 2)) - normalised.diagonal(dim1=1, dim2=2).sum(dim=1)
    return (between / logits.shape[2]).mean()


def _covariance(z: Tensor) -> Tensor:
    """Return the covariance ``(E, c, c)`` of embeddings; 0 for less than two rows."""
    if z.shape[1] < 2:
        return z.new_zeros(z.shape[0], z.shape[2], z.shape[2])
    centred = z - z.mean(dim=1, keepdim=True)
    return centred.transpose(1, 2) @ centred / (z.shape[1] - 1)


def covariance_loss(source: Tensor, target: Tensor) -> Tensor:
    r"""Return the squared distance between the covariances of two batches of embeddings.

    .. math:: L = \frac{1}{4 c^2} \| \operatorname{Cov}(z_s) - \operatorname{Cov}(z_t) \|_F^2

    Parameters
    ----------
    source, target : Tensor of shape (E, n, c)
        Embeddings; the numbers of rows may differ.

    Returns
    -------
    loss : Tensor of shape ()
        The mean over members.
    """
    difference = _covariance(source) - _covariance(target)
    return difference.square().sum(dim=(1, 2)).mean() / (4 * source.shape[2] ** 2)


class _Reversal(torch.autograd.Function):
    """The identity, with the gradient times -1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return -gradients[0]


def adversarial_loss(judge: Any, source: Tensor, target: Tensor) -> Tensor:
    r"""Return the cross-entropy of telling source from target, reversed for the encoder.

    .. math:: L = -\frac{1}{n_s} \sum_{i \in s} \log (1 - d(z_i))
                  -\frac{1}{n_t} \sum_{i \in t} \log d(z_i)

    Minimising it teaches the judge :math:`d` to tell the two apart and, since the gradient
    changes its sign between judge and embedding, the encoder to make them alike.

    Parameters
    ----------
    judge : callable
        Embeddings ``(E, n, c)`` to logits ``(E, n)`` that they come from the target.
    source, target : Tensor of shape (E, n, c)
        Embeddings; the numbers of rows may differ.

    Returns
    -------
    loss : Tensor of shape ()
        The mean over members.
    """
    n_source = source.shape[1]
    logits = judge(_Reversal.apply(torch.cat([source, target], dim=1)))
    # -log(1 - sigmoid(a)) is softplus(a), and -log sigmoid(a) is softplus(-a).
    return (
        functional.softplus(logits[:, :n_source]).mean()
        + functional.softplus(-logits[:, n_source:]).mean()
    )
