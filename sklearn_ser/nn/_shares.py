"""Shares of the classes in unlabelled rows: estimated ones, and predictions that have them.

Shapes: n rows, K classes.
"""

import torch
from torch import Tensor

__all__ = ["estimate_shares", "means_for_shares"]

_TINY = 1e-8

# EM gains little per step where classes overlap; these bounds cost milliseconds.
_EM_STEPS = 500
_EM_TOLERANCE = 1e-7
_FITTING_STEPS = 200
_FITTING_TOLERANCE = 1e-5


def estimate_shares(probabilities: Tensor, *, prior_weight: float) -> Tensor:
    r"""Estimate the shares of the classes from the probabilities of unlabelled rows, by EM.

    The fixed point of

    .. math:: \pi_k = \frac{1}{1 + w} \left( \frac{1}{n} \sum_x
              \frac{p_k(x)\, \pi_k}{\sum_j p_j(x)\, \pi_j} + \frac{w}{K} \right),

    which has the largest posterior probability under a Dirichlet prior that counts as
    :math:`w n` rows with equal shares. It is consistent, with :math:`w = 0`, if the
    probabilities are right for equally frequent classes and the classes look alike in source
    and target. Across languages neither holds exactly.

    Parameters
    ----------
    probabilities : Tensor of shape (n, K)
        Probabilities for equally frequent classes; sum to 1 over the classes.
    prior_weight : float
        :math:`w`. 0: maximum likelihood. Large: equal shares.

    Returns
    -------
    shares : Tensor of shape (K,)

    References
    ----------
    M. Saerens, P. Latinne & C. Decaestecker, "Adjusting the outputs of a classifier to new a
    priori probabilities: a simple procedure", Neural Computation 14(1), 2002.
    """
    n_classes = probabilities.shape[1]
    # Sums over many rows: float32 would leave the order of the rows in the last digits.
    likelihoods = probabilities.double()
    shares = torch.full_like(likelihoods[0], 1 / n_classes)
    for _ in range(_EM_STEPS):
        joint = likelihoods * shares
        found = (joint / joint.sum(dim=1, keepdim=True).clamp_min(_TINY)).mean(dim=0)
        before, shares = shares, (found + prior_weight / n_classes) / (1 + prior_weight)
        if float((shares - before).abs().max()) < _EM_TOLERANCE:
            break
    return (shares / shares.sum()).to(probabilities.dtype)


def means_for_shares(probabilities: Tensor, shares: Tensor) -> Tensor:
    r"""Return the divisors with which corrected probabilities have exactly some shares.

    Dividing by the mean :math:`\bar p` of the probabilities, as
    :func:`~sklearn_ser.nn._multilabel.at_prior` does, brings rows that are uncertain to the
    shares and leaves certain ones where they are. These divisors :math:`m` solve

    .. math:: \frac{1}{n} \sum_x \frac{p_k(x)\, \pi_k / m_k}{\sum_j p_j(x)\, \pi_j / m_j} = \pi_k

    by iterative proportional fitting (Sinkhorn's algorithm: rows sum to 1, columns to
    :math:`n \pi_k`).

    Parameters
    ----------
    probabilities : Tensor of shape (..., n, K)
        Sum to 1 over the classes.
    shares : Tensor of shape (K,)
        The shares :math:`\pi`; sum to 1. A class may have the share 0.

    Returns
    -------
    means : Tensor of shape (..., 1, K)
        Take the place of the mean in `at_prior`.
    """
    # The same tiny number as in at_prior: a class that no row believes in can still be reached.
    known, target = probabilities.double() + _TINY, shares.double()
    means = known.mean(dim=-2, keepdim=True)
    for _ in range(_FITTING_STEPS):
        fitted = known * (target / means)
        fitted = (fitted / fitted.sum(dim=-1, keepdim=True)).mean(dim=-2, keepdim=True)
        # A class of share 0 has no fitted mean; any divisor keeps it at 0.
        means = torch.where(target > 0, means * (fitted / target.clamp_min(_TINY)), means)
        if float((fitted - target).abs().max()) < _FITTING_TOLERANCE:
            break
    # Scaling all divisors changes nothing; this scale is far from underflow in float32.
    means = means / means.amax(dim=-1, keepdim=True)
    return means.clamp_min(_TINY).to(probabilities.dtype)
