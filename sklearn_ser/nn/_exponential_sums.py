"""Sums over a large memory, weighted by exponentials of similarity, part by part.

Shapes: E members, n queries, m rows of the memory, c coordinates, v values a row.
"""

from typing import Any

import torch
from torch import Tensor

__all__ = ["ROWS_AT_ONCE", "exponential_sums", "log_totals"]

# Rows of a memory up to which all similarities are computed at once. Parts of a larger one stay
# in the cache of the processor between the product, the exponential and the sum.
ROWS_AT_ONCE = 4096

# Similarities of a part: half a megabyte of them on a processor; 64 on a GPU, which waits for the
# start of each operation. The fewest rows in a part; the queries that share it.
_ENTRIES_AT_ONCE = 2**17
_ENTRIES_ON_GPU = 2**24
_FEWEST_ROWS = 256
_QUERIES_AT_ONCE = 256

# Similarities are 2 apart at most: exp(-2 / τ) is not a normal float32 from here on.
_SMALL_TEMPERATURE = 0.025


def exponential_sums(
    z: Tensor, memory: Tensor, values: Tensor, temperature: float
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Sum exponentials of similarity over a memory, and values weighted by them.

    .. math:: T = \sum_j \exp\left(\frac{M_j \cdot z}{\tau} - h\right), \qquad
              S = \sum_j \exp\left(\frac{M_j \cdot z}{\tau} - h\right) v_j

    Parameters
    ----------
    z : Tensor of shape (E, n, c)
        Queries of length 1.
    memory : Tensor of shape (E, m, c)
        Rows of length 1.
    values : Tensor of shape (E, m, v) or (m, v)
        The values :math:`v_j`.
    temperature : float
        :math:`\tau`.

    Returns
    -------
    highest : Tensor of shape (E, n, 1)
        :math:`h`, at least the highest similarity over :math:`\tau` up to rounding.
    totals : Tensor of shape (E, n, 1)
        :math:`T`.
    sums : Tensor of shape (E, n, v)
        :math:`S`.
    """
    n_members, n_queries, _ = z.shape
    if n_queries > _QUERIES_AT_ONCE:
        parts = z.split(_QUERIES_AT_ONCE, dim=1)
        found = [exponential_sums(part, memory, values, temperature) for part in parts]
        highest, totals, sums = (torch.cat(one, dim=1) for one in zip(*found, strict=True))
        return highest, totals, sums
    queries = z / temperature
    totals = z.new_zeros(n_members, n_queries, 1)
    sums = z.new_zeros(n_members, n_queries, values.shape[-1])
    # A similarity is at most 1, and exp() cannot overflow once that is subtracted. Where it could
    # underflow for all rows, the highest similarity so far is subtracted instead, and earlier sums
    # are brought to it.
    by_maximum = temperature < _SMALL_TEMPERATURE
    highest = torch.full_like(totals, -torch.inf if by_maximum else 1 / temperature)
    entries = _ENTRIES_AT_ONCE if z.device.type == "cpu" else _ENTRIES_ON_GPU
    size = max(_FEWEST_ROWS, entries // max(1, n_members * n_queries))
    for start in range(0, memory.shape[1], size):
        part = slice(start, start + size)
        weights = queries @ memory[:, part].transpose(1, 2)
        if by_maximum:
            raised = torch.maximum(highest, weights.amax(dim=2, keepdim=True))
            shrink = (highest - raised).exp_()
            totals *= shrink
            sums *= shrink
            highest = raised
        weights.sub_(highest).exp_()
        totals += weights.sum(dim=2, keepdim=True)
        sums += weights @ values[..., part, :]
    return highest, totals, sums


class _LogTotals(torch.autograd.Function):
    """The logarithm of the totals; its gradient is found along with it."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, memory: Tensor, temperature: float) -> Tensor:
        highest, totals, sums = exponential_sums(z, memory, memory, temperature)
        # The derivative of log T by z is the mean of the rows of the memory, weighted by their
        # exponentials, over τ. It needs no similarity once the sums are known: nothing is kept
        # and nothing is computed a second time.
        ctx.save_for_backward(sums.div_(totals).div_(temperature))
        return (totals.log_() + highest)[..., 0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0][..., None] * slope, None, None


def log_totals(z: Tensor, memory: Tensor, temperature: float) -> Tensor:
    r"""Return :math:`\log \sum_j \exp(M_j \cdot z / \tau)` for each query, (E, n).

    Gradients flow to the queries, not to the memory.

    Parameters
    ----------
    z : Tensor of shape (E, n, c)
        Queries of length 1.
    memory : Tensor of shape (E, m, c)
        Rows of length 1.
    temperature : float
        :math:`\tau`.

    Returns
    -------
    totals : Tensor of shape (E, n)
    """
    if memory.shape[1] <= ROWS_AT_ONCE:
        return torch.logsumexp(z @ memory.transpose(1, 2) / temperature, dim=2)
    logarithms: Tensor = _LogTotals.apply(z, memory, temperature)
    return logarithms
