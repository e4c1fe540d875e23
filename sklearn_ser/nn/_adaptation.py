"""Adaptation of a network with a memory to a target: pseudo labels, losses and the guard.

The source are the labelled rows, the target the unlabelled ones. Shapes: E members, n target
rows, m source rows, c coordinates, K classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._memory_losses import multilabel_softmax_loss, multilabel_square_loss
from sklearn_ser.nn._multilabel import (
    Multilabel,
    class_means,
    geometric_mean,
    multilabel_of_cycle,
    multilabel_of_threshold,
    multilabel_of_votes,
    select_balanced,
)
from sklearn_ser.nn._readout import Readout, embed_rows, has_length_1
from sklearn_ser.nn._training import EpochState

__all__ = ["Adaptation", "AdaptationSettings", "Source", "collapse", "source_loss"]

# Limits of the guard: a class is lost below this share of its prior; labels are unsettled if
# fewer than this part of them survive an epoch; head and memory disagree below this.
_LOST_CLASS = 0.2
_UNSETTLED = 0.7
_DISAGREEING = 0.5

# The part of the pseudo labels that earlier epochs keep. Half damps labels that flip from epoch
# to epoch, and leaves 3 % of the first ones after five.
_LABEL_MOMENTUM = 0.5


@dataclass(frozen=True)
class Source:
    """The labelled rows that a network was trained on.

    Parameters
    ----------
    codes : Tensor of int64, shape (m,), or of floats, shape (m, K)
        Their classes, or the weight that each class has in the loss of a row.
    row_weights : Tensor of shape (m,)
        Weight of each row in the loss; the mean is 1.
    rows : Tensor of shape (m, n_features) or None
        The rows themselves; None where only the memory was kept. Fewer than m: those of the
        last entries of the memory.
    chances : Tensor of shape (m,), default=None
        Chance of each row to be drawn, with a sum of 1. None: all the same.
    """

    codes: Tensor
    row_weights: Tensor
    rows: Tensor | None
    chances: Tensor | None = None

    def draw(self, n_rows: int, generator: torch.Generator) -> Tensor:
        """Return the positions of some rows, drawn with replacement."""
        if self.chances is not None:
            drawn = torch.rand(n_rows, generator=generator, device=self.codes.device)
            # In double precision: the chances of many rows would not add up to 1.
            position = torch.searchsorted(self.chances.double().cumsum(0), drawn.double())
            return position.clamp_max(len(self.codes) - 1)
        return torch.randint(
            len(self.codes), (n_rows,), generator=generator, device=self.codes.device
        )


def source_loss(logits: Tensor, codes: Tensor, row_weights: Tensor) -> Tensor:
    """Return the weighted cross-entropy of rows, averaged over rows and members.

    Parameters
    ----------
    logits : Tensor of shape (E, n, K)
        Logits of each member.
    codes : Tensor of int64, shape (n,), or of floats, shape (n, K)
        Classes, or the weights of the classes.
    row_weights : Tensor of shape (n,)
        Weight of each row.

    Returns
    -------
    loss : Tensor of shape ()
    """
    log_probabilities = functional.log_softmax(logits, dim=2)
    if codes.ndim == 2:
        return -((log_probabilities * codes).sum(dim=2) * row_weights).mean()
    index = codes.expand(len(logits), -1).unsqueeze(2)
    # A plain mean, not divided by the weights of the batch: their mean over the source is 1.
    # Dividing would cancel the weights in a batch of a single class.
    return -(log_probabilities.gather(2, index)[..., 0] * row_weights).mean()


@dataclass(frozen=True)
class AdaptationSettings:
    """The parameters of :class:`NNPMClassifier` that adaptation depends on, by their names.

    `prior` is the Tensor of shape (K,) that `target_prior` stands for, or None.
    """

    loss: str
    label_prediction: str
    soft_labels: bool
    n_neighbors: int | None
    similarity_threshold: float
    selection: float
    temperature: float
    memory_momentum: float
    target_weight: float
    prior: Tensor | None


def collapse(
    before: Mapping[str, float], after: Mapping[str, float], *, smallest_prior: float
) -> str:
    """Say why an adaptation seems to have run away, judged by figures that need no label.

    Parameters
    ----------
    before, after : dict
        Figures from :meth:`Adaptation.begin_epoch` for the first epoch, and from
        :meth:`Adaptation.finish`.
    smallest_prior : float
        The smallest share that a class should have.

    Returns
    -------
    reason : str
        Empty if nothing points to it.
    """
    smallest = after["smallest_class"]
    # A class that the model hardly predicted before was not lost by adapting.
    if smallest < _LOST_CLASS * smallest_prior and smallest < before["smallest_class"]:
        return (
            f"a class is predicted for {smallest:.1%} of the target rows, which should be about "
            f"{smallest_prior:.0%} and were {before['smallest_class']:.1%} before"
        )
    if after["label_agreement"] < _UNSETTLED:
        return (
            f"the pseudo labels did not settle: {after['label_agreement']:.0%} of them were the "
            f"same in the last two epochs"
        )
    if after["head_memory_agreement"] < _DISAGREEING:
        return (
            f"head and memory predict the same class for only "
            f"{after['head_memory_agreement']:.0%} of the target rows"
        )
    return ""


class Adaptation:
    """The state of an adaptation, which changes from epoch to epoch.

    Parameters
    ----------
    readout : Readout
        Holds the memory, which is replaced epoch by epoch.
    source : Source
        Labelled rows.
    target : Tensor of shape (n, n_features)
        Unlabelled rows.
    settings : AdaptationSettings
        How to adapt.

    Attributes
    ----------
    probabilities : Tensor of shape (n, K)
        Pseudo label of each target row: how likely each class is. None before the first epoch.
    selected : Tensor of bool, shape (n,)
        The target rows to train on.
    multilabel : Multilabel or None
        The rows of the memory that each target row should be close to; None if those are
        all rows of each class, weighted by the probability of the class.
    means : Tensor of shape (E, n, c)
        The weighted means of those rows.
    """

    def __init__(
        self, readout: Readout, source: Source, target: Tensor, settings: AdaptationSettings
    ) -> None:
        self.readout = readout
        self.source = source
        self.target = target
        self.settings = settings
        self.probabilities: Tensor | None = None
        self.selected: Tensor | None = None
        self.multilabel: Multilabel | None = None
        self.means: Tensor | None = None
        self._first_embedding: Tensor | None = None
        self._embedding: Tensor | None = None

    def rows_to_train_on(self) -> Tensor:
        """Return the positions of the target rows that an epoch passes."""
        return torch.arange(len(self.target), device=self.target.device)

    def begin_epoch(self, module: MemoryNet, epoch: int | None) -> dict[str, float]:
        """Renew memory and pseudo labels; return figures for the history."""
        before = self.probabilities
        # In the first epoch the memory is the embedding that the warm-up left.
        if before is not None and self.source.rows is not None:
            self.readout.renew_memory(module, self.source.rows, self.settings.memory_momentum)
        z = self._embedding = embed_rows(module, self.target)
        if self._first_embedding is None:
            self._first_embedding = z
        head, votes = self._predict(module, z)
        self.probabilities = self._pseudo_labels(head, votes)
        self.selected = self._select(self.probabilities)
        self._assign_multilabels(z)
        labels = self.probabilities.argmax(dim=1)
        changed = None if before is None else (before.argmax(dim=1) != labels)
        shares = torch.bincount(labels, minlength=self.readout.n_classes) / len(labels)
        prior = self.readout.prior
        if prior is not None and self.readout.is_any_missing():
            # The share of a class that is known to be missing is 0 and no sign of collapse.
            shares = shares[prior > 0]
        same = head.mean(dim=0).argmax(dim=1) == votes.mean(dim=0).argmax(dim=1)
        return {
            "selected": self.selected.float().mean().item(),
            "label_agreement": 1.0 if changed is None else 1 - changed.float().mean().item(),
            "head_memory_agreement": same.float().mean().item(),
            "smallest_class": shares.min().item(),
            "drift": 1 - (z * self._first_embedding).sum(dim=2).mean().item(),
        }

    def finish(self, module: MemoryNet) -> dict[str, float]:
        """Renew memory and pseudo labels after the last epoch; return the same figures."""
        figures = self.begin_epoch(module, None)
        # Predictions are votes of the memory however the target was labelled: the means of a
        # "threshold" or "cycle" multilabel would correct something else.
        self._learn_means(*self.readout.raw(module, embed_rows(module, self.target)))
        return figures

    def is_finite(self) -> bool:
        """Return whether pseudo labels are numbers, and embeddings of length 1."""
        assert self.probabilities is not None
        assert self._embedding is not None
        return bool(self.probabilities.isfinite().all()) and all(
            has_length_1(one) for one in (self.readout.memory, self._embedding)
        )

    def _predict(self, module: MemoryNet, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return corrected probabilities of head and memory, each ``(E, n, K)``."""
        settings, readout = self.settings, self.readout
        head, votes = readout.raw(module, z)
        if settings.label_prediction != "vote":
            find = {"threshold": multilabel_of_threshold, "cycle": multilabel_of_cycle}
            found = self.multilabel = find[settings.label_prediction](
                z,
                readout.memory,
                threshold=settings.similarity_threshold,
                n_neighbors=settings.n_neighbors,
            )
            # A departure from Wang & Zhang, whose multilabels are never turned into classes:
            # here the classes of the rows found are the votes.
            votes = found.votes(readout.codes, readout.n_classes)
        self._learn_means(head, votes)
        return readout.correct(head, votes)

    def _learn_means(self, head: Tensor, votes: Tensor) -> None:
        self.readout.learn_means(head, votes)

    def _pseudo_labels(self, head: Tensor, votes: Tensor) -> Tensor:
        """Return the pseudo labels, averaged over members and over the epochs so far."""
        probabilities = geometric_mean(head, votes).mean(dim=0)
        if self.probabilities is None:
            return probabilities
        return torch.lerp(probabilities, self.probabilities, _LABEL_MOMENTUM)

    def _select(self, probabilities: Tensor) -> Tensor:
        """Return the target rows to train on, a mask (n,)."""
        return select_balanced(probabilities, self.settings.selection)

    def _learnt_labels(self) -> Tensor:
        """Return the pseudo labels as targets of the loss, soft or one-hot."""
        assert self.probabilities is not None
        return self.probabilities if self.settings.soft_labels else self._hard_labels()

    def _hard_labels(self) -> Tensor:
        assert self.probabilities is not None
        labels = self.probabilities.argmax(dim=1)
        return functional.one_hot(labels, self.readout.n_classes).to(self.probabilities.dtype)

    def _assign_multilabels(self, z: Tensor) -> None:
        """Find the rows of the memory that each target row should be close to."""
        memory, codes = self.readout.memory, self.readout.codes
        labels, n_neighbors = self._learnt_labels(), self.settings.n_neighbors
        if self.settings.label_prediction == "vote":
            self.multilabel = None
            if self.settings.loss == "mmcl":
                # Its squares pull every positive row to similarity 1, which rows of several
                # classes cannot have at once: it takes the rows of one class.
                labels = self._hard_labels()
            if self.settings.loss == "mmcl" or n_neighbors is not None:
                self.multilabel = multilabel_of_votes(
                    z, memory, codes, labels, n_neighbors=n_neighbors or len(codes)
                )
        if self.settings.loss == "softmax":
            # The softmax loss is linear in the positive rows: their mean stands for all of them.
            self.means = (
                class_means(memory, codes, labels, self.readout.weights)
                if self.multilabel is None
                else self.multilabel.means(memory)
            )

    def loss_terms(
        self, module: MemoryNet, batch: Mapping[str, Tensor], state: EpochState
    ) -> dict[str, Tensor]:
        """Return the terms of the loss for a batch of target rows and as many source rows."""
        assert self.selected is not None
        queries = batch["row"]
        z = module.embed(batch["X"], state.generator)
        chosen = self.selected[queries].to(z.dtype)
        # A mean over the selected rows of the batch; 0, not NaN, in a batch without any.
        share = chosen / chosen.sum().clamp_min(1)
        log_head = functional.log_softmax(module.classify(z), dim=2)
        head = -(self._learnt_labels()[queries] * log_head).sum(dim=2)
        multilabel = self._memory_loss(z, queries)
        return {
            "source": self._source_loss(module, len(queries), state.generator),
            "multilabel": (multilabel * share).sum(dim=1).mean(),
            "head": (head * share).sum(dim=1).mean(),
        }

    def _memory_loss(self, z: Tensor, queries: Tensor) -> Tensor:
        memory = self.readout.memory
        if self.settings.loss == "mmcl":
            assert self.multilabel is not None
            return multilabel_square_loss(z, memory, self.multilabel.of(queries))
        assert self.means is not None
        return multilabel_softmax_loss(
            z, memory, self.means[:, queries], temperature=self.settings.temperature
        )

    def _source_loss(self, module: MemoryNet, n_rows: int, generator: torch.Generator) -> Tensor:
        rows = self.source.draw(n_rows, generator)
        if self.source.rows is None or len(self.source.rows) < len(self.source.codes):
            # Only the head learns from a stored embedding; it has no path to the encoder.
            z = self.readout.memory[:, rows]
        else:
            z = module.embed(self.source.rows[rows], generator)
        return source_loss(
            module.classify(z), self.source.codes[rows], self.source.row_weights[rows]
        )
