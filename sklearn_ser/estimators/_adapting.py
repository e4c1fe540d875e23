"""Adaptation of a network with a memory to rows without labels."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from sklearn_ser.nn._memory_losses import multilabel_softmax_loss, multilabel_square_loss
from sklearn_ser.nn._multilabel import (
    at_prior,
    class_means,
    geometric_mean,
    memory_votes,
    multilabel_of_cycle,
    multilabel_of_threshold,
    multilabel_of_votes,
    select_balanced,
    without_missing,
)

# Limits of the guard: a class is lost below this share of its prior; labels are unsettled if
# fewer than this part of them survive an epoch; head and memory have parted below this.
_LOST_CLASS = 0.2
_UNSETTLED = 0.7
_PARTED = 0.5

__all__ = [
    "Adaptation",
    "AdaptationSettings",
    "Readout",
    "Source",
    "collapse",
    "embed_rows",
    "has_length_1",
    "source_loss",
]

_ROWS_AT_ONCE = 8192


@torch.no_grad()
def embed_rows(module, rows):
    """Return the embedding ``(E, n, c)`` of any number of rows, without dropout."""
    parts = [module.embed(part) for part in rows.split(_ROWS_AT_ONCE)]
    return torch.cat(parts, dim=1)


def has_length_1(z):
    """Tell whether all rows of an embedding ``(E, n, c)`` have length 1.

    Where values overflow, dividing by the length gives NaN or, if only their squares do,
    zeros.
    """
    return bool((torch.linalg.vector_norm(z, dim=2) > 0.5).all())


@dataclass(frozen=True)
class Source:
    """The labelled rows that a network was trained on.

    Parameters
    ----------
    codes : Tensor of int64, shape (m,)
        Their classes.
    row_weights : Tensor of shape (m,)
        What each counts in the loss; the mean is 1.
    rows : Tensor of shape (m, n_features) or None
        The rows themselves; None where only the memory was kept.
    """

    codes: torch.Tensor
    row_weights: torch.Tensor
    rows: torch.Tensor | None

    def draw(self, n_rows, generator):
        """Return the positions of some rows, drawn with replacement."""
        return torch.randint(
            len(self.codes), (n_rows,), generator=generator, device=self.codes.device
        )


def source_loss(logits, codes, row_weights):
    """Return the weighted cross-entropy of rows, averaged over rows and members.

    Parameters
    ----------
    logits : Tensor of shape (E, n, K)
        Of each member.
    codes : Tensor of int64, shape (n,)
        Classes.
    row_weights : Tensor of shape (n,)
        What each row counts.

    Returns
    -------
    loss : Tensor of shape ()
    """
    log_probabilities = functional.log_softmax(logits, dim=2)
    index = codes.expand(len(logits), -1).unsqueeze(2)
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
    label_momentum: float
    memory_momentum: float
    target_weight: float
    prior: torch.Tensor | None


def collapse(before, after, *, smallest_prior):
    """Tell by figures that need no label whether an adaptation has run away.

    Parameters
    ----------
    before, after : dict
        What :meth:`Adaptation.begin_epoch` returned for the first epoch and
        :meth:`Adaptation.finish` in the end.
    smallest_prior : float
        The smallest share that a class should have.

    Returns
    -------
    reason : str
        Empty if nothing points to it.
    """
    smallest = after["smallest_class"]
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
    if after["head_memory_agreement"] < _PARTED:
        return (
            f"head and memory predict the same class for only "
            f"{after['head_memory_agreement']:.0%} of the target rows"
        )
    return ""


class Readout:
    """From embeddings to probabilities of the classes, by head and by memory.

    Both are corrected for classes that they predict too often in the rows that were
    adapted to. The means that this takes are learnt there and stay, so that a later
    prediction of a row does not depend on the rows beside it.

    Parameters
    ----------
    memory : Tensor of shape (E, m, c)
        The memory.
    codes : Tensor of int64, shape (m,)
        Class of each row of it.
    n_classes : int
        Number of classes.
    temperature : float
        Of the memory's vote.
    prior : Tensor of shape (K,) or None
        Shares that the classes should have; None: no correction. A class with the share 0
        is not in the target, and never predicted.
    means : tuple of two Tensors of shape (E, 1, K), or None
        Mean probabilities of head and memory over the rows that were adapted to.
    """

    def __init__(self, memory, codes, *, n_classes, temperature, prior, means=None):
        self.memory = memory
        self.codes = codes
        self.n_classes = n_classes
        self.temperature = temperature
        self.prior = prior
        self.means = means

    @torch.no_grad()
    def raw(self, module, z):
        """Return the probabilities of head and memory, each ``(E, n, K)``, uncorrected."""
        head = functional.softmax(module.classify(z), dim=2)
        votes = memory_votes(
            z, self.memory, self.codes, n_classes=self.n_classes, temperature=self.temperature
        )
        return head, votes

    def learn_means(self, head, votes):
        """Take the mean probabilities of the rows that are adapted to."""
        if self.prior is not None:
            self.means = (head.mean(dim=1, keepdim=True), votes.mean(dim=1, keepdim=True))

    def is_any_missing(self):
        """Tell whether the target is known to lack a class."""
        return self.prior is not None and not bool((self.prior > 0).all())

    def expected_shares(self):
        """Return the shares of the classes that the target has; None without any prior."""
        return None if self.prior is None else self.prior[self.prior > 0]

    def correct(self, head, votes):
        """Return both with the classes brought to the shares they should have."""
        if self.means is None and self.is_any_missing():
            return without_missing(head, self.prior), without_missing(votes, self.prior)
        if self.means is None or self.prior is None:
            return head, votes
        return tuple(
            at_prior(one, mean, self.prior)
            for one, mean in zip((head, votes), self.means, strict=True)
        )


class Adaptation:
    """What changes from epoch to epoch while a network is adapted.

    Parameters
    ----------
    readout : Readout
        With the memory, which is replaced epoch by epoch.
    source : Source
        Labelled rows.
    target : Tensor of shape (n, n_features)
        Unlabelled rows.
    settings : AdaptationSettings
        How to adapt.

    Attributes
    ----------
    probabilities : Tensor of shape (n, K)
        Pseudo label of each target row: how likely each class is.
    selected : Tensor of bool, shape (n,)
        The target rows that are learnt from.
    multilabel : Multilabel or None
        The rows of the memory that each target row should be close to; None if those are
        all rows of each class, as likely as the class is.
    means : Tensor of shape (E, n, c)
        The weighted means of those rows.
    """

    def __init__(self, readout, source, target, settings):
        self.readout = readout
        self.source = source
        self.target = target
        self.settings = settings
        self.probabilities = None
        self.selected = None
        self.multilabel = None
        self.means = None
        self._first_embedding = None
        self._embedding = None

    def begin_epoch(self, module, epoch):
        """Renew memory and pseudo labels; return figures for the history."""
        if self.probabilities is not None:
            self.renew_memory(module)
        z = self._embedding = embed_rows(module, self.target)
        if self._first_embedding is None:
            self._first_embedding = z
        before = self.probabilities
        head, votes = self._predict(module, z)
        self.selected = select_balanced(self.probabilities, self.settings.selection)
        self._label_rows(z)
        labels = self.probabilities.argmax(dim=1)
        changed = None if before is None else (before.argmax(dim=1) != labels)
        shares = torch.bincount(labels, minlength=self.readout.n_classes) / len(labels)
        if self.readout.is_any_missing():
            shares = shares[self.readout.prior > 0]
        same = head.mean(dim=0).argmax(dim=1) == votes.mean(dim=0).argmax(dim=1)
        return {
            "selected": self.selected.float().mean().item(),
            "label_agreement": 1.0 if changed is None else 1 - changed.float().mean().item(),
            "head_memory_agreement": same.float().mean().item(),
            "smallest_class": shares.min().item(),
            "drift": 1 - (z * self._first_embedding).sum(dim=2).mean().item(),
        }

    def finish(self, module):
        """Renew memory and pseudo labels after the last epoch; return the same figures."""
        figures = self.begin_epoch(module, None)
        # What is predicted from now on is read from this embedding, not from averages.
        self.readout.learn_means(*self.readout.raw(module, embed_rows(module, self.target)))
        return figures

    def is_finite(self):
        """Tell whether pseudo labels are numbers, and embeddings of length 1."""
        return bool(self.probabilities.isfinite().all()) and all(
            has_length_1(one) for one in (self.readout.memory, self._embedding)
        )

    def renew_memory(self, module):
        """Move the memory towards the present embedding of the source rows."""
        if self.source.rows is None:
            return
        keep, memory = self.settings.memory_momentum, self.readout.memory
        renewed = torch.empty_like(memory)
        for start in range(0, memory.shape[1], _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            now = embed_rows(module, self.source.rows[part])
            renewed[:, part] = functional.normalize(
                keep * memory[:, part] + (1 - keep) * now, dim=2
            )
        self.readout.memory = renewed

    def _predict(self, module, z):
        settings, readout = self.settings, self.readout
        head, votes = readout.raw(module, z)
        if settings.label_prediction != "vote":
            find = {"threshold": multilabel_of_threshold, "cycle": multilabel_of_cycle}
            self.multilabel = find[settings.label_prediction](
                z,
                readout.memory,
                threshold=settings.similarity_threshold,
                n_neighbors=settings.n_neighbors,
            )
            codes, weights = readout.codes[self.multilabel.rows], self.multilabel.weights
            votes = torch.stack(
                [(weights * (codes == k)).sum(dim=2) for k in range(readout.n_classes)], dim=2
            )
        readout.learn_means(head, votes)
        head, votes = readout.correct(head, votes)
        probabilities = geometric_mean(head, votes).mean(dim=0)
        if self.probabilities is None:
            self.probabilities = probabilities
        else:
            self.probabilities = torch.lerp(
                probabilities, self.probabilities, settings.label_momentum
            )
        return head, votes

    def _goals(self):
        """Return the pseudo labels as they are learnt, soft or one-hot."""
        if self.settings.soft_labels:
            return self.probabilities
        labels = self.probabilities.argmax(dim=1)
        return functional.one_hot(labels, self.readout.n_classes).to(self.probabilities.dtype)

    def _label_rows(self, z):
        """Find the rows of the memory that each target row should be close to."""
        memory, codes = self.readout.memory, self.readout.codes
        goals, n_neighbors = self._goals(), self.settings.n_neighbors
        if self.settings.label_prediction == "vote":
            self.multilabel = None
            if self.settings.loss == "mmcl":
                # Its squares have no use for weights: it takes the rows of one class.
                labels = self.probabilities.argmax(dim=1)
                goals = functional.one_hot(labels, self.readout.n_classes).to(goals.dtype)
            if self.settings.loss == "mmcl" or n_neighbors is not None:
                self.multilabel = multilabel_of_votes(
                    z, memory, codes, goals, n_neighbors=n_neighbors or len(codes)
                )
        if self.settings.loss == "softmax":
            self.means = (
                class_means(memory, codes, goals)
                if self.multilabel is None
                else self.multilabel.means(memory)
            )

    def loss_terms(self, module, batch, state):
        """Return the terms of the loss for a batch of target rows and as many source rows."""
        queries = batch["row"]
        z = module.embed(batch["X"], state.generator)
        chosen = self.selected[queries].to(z.dtype)
        share = chosen / chosen.sum().clamp_min(1)
        log_head = functional.log_softmax(module.classify(z), dim=2)
        head = -(self._goals()[queries] * log_head).sum(dim=2)
        multilabel = self._memory_loss(z, queries)
        return {
            "source": self._source_loss(module, len(queries), state.generator),
            "multilabel": (multilabel * share).sum(dim=1).mean(),
            "head": (head * share).sum(dim=1).mean(),
        }

    def _memory_loss(self, z, queries):
        memory = self.readout.memory
        if self.settings.loss == "mmcl":
            return multilabel_square_loss(z, memory, self.multilabel.of(queries))
        return multilabel_softmax_loss(
            z, memory, self.means[:, queries], temperature=self.settings.temperature
        )

    def _source_loss(self, module, n_rows, generator):
        rows = self.source.draw(n_rows, generator)
        if self.source.rows is None:
            z = self.readout.memory[:, rows]
        else:
            z = module.embed(self.source.rows[rows], generator)
        return source_loss(
            module.classify(z), self.source.codes[rows], self.source.row_weights[rows]
        )
