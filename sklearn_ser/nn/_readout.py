"""From rows to class probabilities: the embedding, the head and the votes of the memory.

Shapes: E members, n rows, m rows of the memory, c coordinates, K classes.
"""

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._multilabel import at_prior, memory_votes, without_missing

__all__ = ["Readout", "embed_rows", "has_length_1"]

_ROWS_AT_ONCE = 1024


@torch.no_grad()
def embed_rows(module: MemoryNet, rows: Tensor) -> Tensor:
    """Return the embedding ``(E, n, c)`` of any number of rows, without dropout."""
    parts = [module.embed(part) for part in rows.split(_ROWS_AT_ONCE)]
    return torch.cat(parts, dim=1)


def has_length_1(z: Tensor) -> bool:
    """Return whether all rows of an embedding ``(E, n, c)`` have length 1.

    Where values overflow, dividing by the length gives NaN or, if only their squares do,
    zeros.
    """
    # NaN fails the comparison as well. Half a unit is far from any rounding of a length of 1.
    return bool((torch.linalg.vector_norm(z, dim=2) > 0.5).all())


class Readout:
    """Class probabilities from embeddings, by the head and by the memory.

    Both are corrected for classes that they predict too often in the target. The means that
    the correction needs are learnt from the target and kept, so that later the prediction for
    a row does not depend on the rows beside it.

    Parameters
    ----------
    memory : Tensor of shape (E, m, c)
        The memory.
    codes : Tensor of int64, shape (m,), or of floats, shape (m, K)
        Class of each row of the memory, or its label mass.
    n_classes : int
        Number of classes.
    temperature : float
        Temperature of the memory's votes.
    prior : Tensor of shape (K,) or None
        Shares that the classes should have; None: no correction. A class with the share 0
        is missing from the target, and never predicted.
    means : tuple of two Tensors of shape (E, 1, K), or None
        Mean probabilities of head and memory over the target, or the divisors that stand for
        them in predictions with other shares; None before adaptation.
    weights : Tensor of shape (m,), or (m, K) with label mass, default=None
        Weights of the rows of the memory within their class. None: all the same.
    """

    def __init__(
        self,
        memory: Tensor,
        codes: Tensor,
        *,
        n_classes: int,
        temperature: float,
        prior: Tensor | None,
        means: tuple[Tensor, Tensor] | None = None,
        weights: Tensor | None = None,
    ) -> None:
        self.memory = memory
        self.codes = codes
        self.n_classes = n_classes
        self.temperature = temperature
        self.prior = prior
        self.means = means
        self.weights = weights

    @torch.no_grad()
    def raw(self, module: MemoryNet, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the probabilities of head and memory, each ``(E, n, K)``, uncorrected."""
        head = functional.softmax(module.classify(z), dim=2)
        votes = memory_votes(
            z,
            self.memory,
            self.codes,
            n_classes=self.n_classes,
            temperature=self.temperature,
            weights=self.weights,
        )
        return head, votes

    def learn_means(self, head: Tensor, votes: Tensor) -> None:
        """Take the mean probabilities of the target rows."""
        if self.prior is not None:
            self.means = (head.mean(dim=1, keepdim=True), votes.mean(dim=1, keepdim=True))

    def is_any_missing(self) -> bool:
        """Return whether the target is known to lack a class."""
        return self.prior is not None and not bool((self.prior > 0).all())

    def correct(self, head: Tensor, votes: Tensor) -> tuple[Tensor, Tensor]:
        """Return both with the classes brought to the shares that they should have."""
        if self.prior is None:
            return head, votes
        if self.means is None:
            # Without a target there is nothing to bring to the prior, but a class known to be
            # missing stays excluded.
            if not self.is_any_missing():
                return head, votes
            return without_missing(head, self.prior), without_missing(votes, self.prior)
        mean_of_head, mean_of_votes = self.means
        return (
            at_prior(head, mean_of_head, self.prior),
            at_prior(votes, mean_of_votes, self.prior),
        )

    def renew_memory(self, module: MemoryNet, rows: Tensor, momentum: float) -> None:
        r"""Move the memory towards the present embedding of its rows.

        .. math:: M_i \leftarrow \frac{a M_i + (1 - a) z(x_i)}{\|a M_i + (1 - a) z(x_i)\|}

        with :math:`a` the momentum. The published updates touch the rows of a batch only;
        here all rows are embedded anew, without dropout, so that none of them is stale.
        Where there are fewer rows than entries, they are those of the last entries.
        """
        renewed = self.memory.clone()
        n_others = self.memory.shape[1] - len(rows)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            now = embed_rows(module, rows[start : start + _ROWS_AT_ONCE])
            part = slice(n_others + start, n_others + start + now.shape[1])
            renewed[:, part] = functional.normalize(
                momentum * self.memory[:, part] + (1 - momentum) * now, dim=2
            )
        # Not in place: the estimator's own memory may share these bytes, and must be as before
        # where the guard rejects the adaptation.
        self.memory = renewed
