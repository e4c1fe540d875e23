"""Adaptation to a target of which some rows have labels."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_ser.nn._adaptation import Adaptation, AdaptationSettings, Source
from sklearn_ser.nn._readout import Readout

__all__ = ["LabelledAdaptation", "LabelledRows"]


@dataclass(frozen=True)
class LabelledRows:
    """The target rows whose class is known.

    Parameters
    ----------
    positions : Tensor of int64, shape (l,)
        Where they are among the target rows.
    codes : Tensor of int64, shape (l,), or of floats, shape (l, K)
        Their classes, or the shares of raters.
    """

    positions: Tensor
    codes: Tensor


class LabelledAdaptation(Adaptation):
    """An adaptation in which some pseudo labels are known.

    The labelled rows keep their labels and are always selected. There they count as much as
    others: as rows of the source they have a weight already, and more here changed nothing.

    Parameters
    ----------
    readout : Readout
        Holds the memory, with the labelled rows at its end.
    source : Source
        Labelled rows of the source and, at the end, of the target.
    target : Tensor of shape (n, n_features)
        All rows of the target.
    settings : AdaptationSettings
        How to adapt.
    labelled : LabelledRows
        Those with a label.
    alone : bool
        Whether to learn from the labelled rows alone, without pseudo labels.
    """

    def __init__(
        self,
        readout: Readout,
        source: Source,
        target: Tensor,
        settings: AdaptationSettings,
        labelled: LabelledRows,
        *,
        alone: bool,
    ) -> None:
        super().__init__(readout, source, target, settings)
        self.labelled = labelled
        self.alone = alone

    def rows_to_train_on(self) -> Tensor:
        """Return the positions of the target rows that an epoch passes."""
        if not self.alone:
            return super().rows_to_train_on()
        # As many steps as an epoch over the source has, however few labels there are.
        positions = self.labelled.positions
        n_times = -(-len(self.source.codes) // len(positions))
        return positions.repeat(n_times)[: len(self.source.codes)]

    def _pseudo_labels(self, head: Tensor, votes: Tensor) -> Tensor:
        probabilities = super()._pseudo_labels(head, votes).clone()
        known = self.labelled.codes
        if known.ndim == 1:
            known = functional.one_hot(known, self.readout.n_classes)
        probabilities[self.labelled.positions] = known.to(probabilities.dtype)
        return probabilities

    def _select(self, probabilities: Tensor) -> Tensor:
        if self.alone:
            selected = torch.zeros(len(probabilities), dtype=torch.bool, device=self.target.device)
        else:
            selected = super()._select(probabilities)
        selected[self.labelled.positions] = True
        return selected

    def _learn_means(self, head: Tensor, votes: Tensor) -> None:
        # Too few rows, or rows that were predicted badly: their shares would mislead.
        if not self.alone:
            super()._learn_means(head, votes)
