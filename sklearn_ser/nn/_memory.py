"""Networks that embed and classify rows, several of them side by side."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["HEAD_SCALE", "AdversarialNet", "MemberLinear", "MemberNet", "MemoryNet", "ViewLinear"]

# Factor of the embedding, of length 1, before the head. Logits of a unit vector could not leave
# the range of the weights, and no class could be predicted with certainty.
HEAD_SCALE = 10.0

# Width of the hidden layer that tells domains apart, as Ganin et al. use it for small images.
_DOMAIN_WIDTH = 100

# Added to the variance of a unit, as torch's batch normalisation does.
_VARIANCE_FLOOR = 1e-5


class MemberLinear(nn.Module):
    """One linear layer for each of several members, which share nothing.

    Parameters
    ----------
    n_members : int
        Number of layers side by side.
    n_inputs, n_outputs : int
        Width of each.
    """

    def __init__(self, n_members: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        # The bounds of torch.nn.Linear, which has no members.
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(torch.empty(n_members, n_inputs, n_outputs))
        self.bias = nn.Parameter(torch.empty(n_members, 1, n_outputs))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n_members, n, n_outputs)`` for ``(n_members, n, n_inputs)``.

        Rows ``(n, n_inputs)`` are the same for all members.
        """
        return torch.baddbmm(self.bias, x.expand(len(self.weight), *x.shape[-2:]), self.weight)


class ViewLinear(nn.Module):
    """One linear layer for each of several members, which see different columns of the rows.

    Parameters
    ----------
    n_members : int
        Number of layers for each view.
    views : sequence of sequence of int
        The columns of each view.
    n_outputs : int
        Width of the output of each member.
    """

    def __init__(self, n_members: int, views: Sequence[Sequence[int]], n_outputs: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            MemberLinear(n_members, len(columns), n_outputs) for columns in views
        )
        for i, columns in enumerate(views):
            # Not stored with the weights: they follow from the arguments.
            self.register_buffer(f"columns_{i}", torch.tensor(columns), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n_views * n_members, n, n_outputs)`` for rows ``(n, n_features)``."""
        return torch.cat(
            [part(x[:, getattr(self, f"columns_{i}")]) for i, part in enumerate(self.parts)]
        )


def _drop(x: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Set entries to 0 at random and scale the others up; torch's dropout takes no generator."""
    kept = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device) >= rate
    return x * kept / (1 - rate)


class MemberNet(nn.Module):
    r"""Members with an encoder and a linear head each.

    All members compute in one batched product, which takes hardly longer than one member
    alone for networks of this size.

    Parameters
    ----------
    n_features : int
        Number of inputs.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of each encoder, each followed by a ReLU.
    n_components : int
        Width of the embedding of each member.
    n_classes : int
        Number of logits.
    n_members : int
        Number of members, of each view if there are views.
    dropout : float
        Share of hidden units that are dropped where a generator is given.
    views : sequence of sequence of int, default=None
        The columns that the members of each view see. None: all members see all columns.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_components: int,
        n_classes: int,
        n_members: int,
        dropout: float,
        views: Sequence[Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        n_all = n_members if views is None else n_members * len(views)
        sizes = [*hidden_layer_sizes, n_components]
        first = (
            MemberLinear(n_all, n_features, sizes[0])
            if views is None
            else ViewLinear(n_members, views, sizes[0])
        )
        # Only the first layer depends on the columns: behind it, the members of all views have
        # the same widths and compute together.
        self.encoder = nn.ModuleList([first, *(MemberLinear(n_all, *p) for p in pairwise(sizes))])
        self.head = MemberLinear(n_all, n_components, n_classes)
        self.n_members = n_all
        self.dropout = dropout

    def embed(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return embeddings, ``(n_members, n, n_components)``, of rows ``(n, n_features)``.

        Hidden units are dropped only if there is a generator to draw them with.
        """
        hidden = x
        *inner, last = self.encoder
        for layer in inner:
            hidden = torch.relu(layer(hidden))
            if generator is not None and self.dropout > 0:
                hidden = _drop(hidden, self.dropout, generator)
        return last(hidden)

    def classify(self, z: Tensor) -> Tensor:
        """Return logits, ``(n_members, n, n_classes)``, of embeddings."""
        return self.head(z)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of rows."""
        return self.classify(self.embed(x))


class MemoryNet(MemberNet):
    r"""Members whose embeddings lie on a unit sphere.

    .. math:: z_e = \frac{g_e(x)}{\|g_e(x)\|}, \qquad
              \text{logits}_e = 10\, W_e z_e + b_e

    The parameters are those of :class:`MemberNet`.
    """

    def embed(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return unit vectors, ``(n_members, n, n_components)``, of rows ``(n, n_features)``."""
        return functional.normalize(super().embed(x, generator), dim=-1)

    def classify(self, z: Tensor) -> Tensor:
        """Return logits, ``(n_members, n, n_classes)``, of embeddings."""
        return super().classify(HEAD_SCALE * z)


class AdversarialNet(MemberNet):
    """Members that also judge whether an embedding comes from the source or the target.

    Parameters
    ----------
    n_components, n_members : int
        As in :class:`MemberNet`, which takes the other arguments as well.
    """

    def __init__(self, *, n_components: int, n_members: int, **arguments: Any) -> None:
        super().__init__(n_components=n_components, n_members=n_members, **arguments)
        self.domain_hidden = MemberLinear(n_members, n_components, _DOMAIN_WIDTH)
        self.domain_output = MemberLinear(n_members, _DOMAIN_WIDTH, 1)

    def judge(self, z: Tensor) -> Tensor:
        """Return the logit, ``(n_members, n)``, that embeddings come from the target.

        Hidden units are standardised over the rows, so answers depend on the rows beside.
        """
        hidden = self.domain_hidden(z)
        # As in skada. Without it, results were worse where source and target differ much.
        variance, mean = torch.var_mean(hidden, dim=1, correction=0, keepdim=True)
        hidden = (hidden - mean) * (variance + _VARIANCE_FLOOR).rsqrt()
        return self.domain_output(torch.relu(hidden))[..., 0]
