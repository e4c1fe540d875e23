"""The adaptation of NNPMClassifier once more, short and with options that it does not have."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from _cross_lingual import EMOTIONS
from torch.nn import functional

from sklearn_ser.nn._adaptation import source_loss
from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._memory_losses import multilabel_softmax_loss
from sklearn_ser.nn._multilabel import at_prior, geometric_mean, memory_votes, select_balanced
from sklearn_ser.nn._readout import embed_rows

K = len(EMOTIONS)
EQUAL = torch.full((K,), 1 / K)


@dataclass(frozen=True)
class Options:
    """What a variant changes; the defaults are those of NNPMClassifier."""

    n_members: int = 3
    shared_labels: bool = True
    teacher: float = 0.0  # share of its weights that the slow teacher keeps at each step
    noise: float = 0.0  # standard deviation, in the units of the scaler
    dropped: float = 0.0  # share of the columns
    n_smoothing: int = 0  # nearest target rows that a vote is averaged with
    columns: float = 1.0  # share that each member sees
    correction: float = 1.0  # exponent of the correction to equal shares
    sinkhorn: bool = False
    by_corpus: bool = False
    confusion: float = 0.0  # weight of minimum class confusion
    n_nearest: int = 0  # rows of each class to be close to; 0: all
    soft: bool = True
    temperature: float = 0.05
    target_weight: float = 1.0
    separation: bool = False
    equal_classes: bool = False


class MaskedNet(MemoryNet):
    """Members that see some of the columns each."""

    def __init__(self, n_features, options, generator):
        with torch.random.fork_rng():
            torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
            super().__init__(n_features, [256], 64, K, options.n_members, 0.5)
        self.mask = None
        if options.columns < 1:
            drawn = torch.rand(options.n_members, 1, n_features, generator=generator)
            # The length of a row stays the same on average.
            self.mask = (drawn.argsort(dim=2) < n_features * options.columns).float()
            self.mask /= options.columns**0.5

    def embed(self, x, generator=None):
        return super().embed(x if self.mask is None else x * self.mask, generator)


def column_weights(X, codes):
    """Return the root of the share of each column's variance that lies between classes."""
    between = sum(
        (codes == k).mean() * (X[codes == k].mean(axis=0) - X.mean(axis=0)) ** 2
        for k in np.unique(codes)
    )
    weights = np.sqrt(between / (X.var(axis=0) + 1e-9))
    return weights / np.sqrt((weights**2).mean())


def balanced(votes, options):
    """Bring votes ``(E, n, K)`` to equal shares."""
    if not options.sinkhorn:
        # at_prior multiplies by prior / mean: this mean makes it the power of that.
        excess = votes.mean(dim=1, keepdim=True) / EQUAL
        return at_prior(votes, EQUAL * excess**options.correction, EQUAL)
    weights = torch.ones(len(votes), 1, K)
    for _ in range(20):
        found = votes * weights
        found = found / found.sum(dim=2, keepdim=True)
        weights = weights * (EQUAL / found.mean(dim=1, keepdim=True).clamp_min(1e-6)) ** 0.5
    found = votes * weights
    return found / found.sum(dim=2, keepdim=True)


def class_confusion(logits, temperature=2.5):
    """Return the loss of Jin et al. (ECCV 2020) for each member."""
    p = functional.softmax(logits / temperature, dim=2)
    certainty = 1 + torch.exp((p * p.clamp_min(1e-8).log()).sum(dim=2))
    certainty = certainty / certainty.sum(dim=1, keepdim=True) * p.shape[1]
    confusion = torch.einsum("enk,en,enj->ekj", p, certainty, p)
    confusion = confusion / confusion.sum(dim=2, keepdim=True)
    return 1 - confusion.diagonal(dim1=1, dim2=2).sum(dim=1) / K


class Variant:
    """A network that learns a source and adapts to a target."""

    def __init__(self, X, codes, corpus, T, options, seed):
        if options.separation:
            weights = column_weights(X, codes)
            X, T = X * weights, T * weights
        self.X, self.T = (torch.as_tensor(one, dtype=torch.float32) for one in (X, T))
        self.codes, self.options = torch.as_tensor(codes), options
        groups = codes if not options.by_corpus else codes + K * corpus
        row_weights = 1 / torch.bincount(torch.as_tensor(groups))[groups].float()
        self.row_weights = row_weights / row_weights.mean()
        self.generator = torch.Generator().manual_seed(seed)
        self.net = MaskedNet(X.shape[1], options, self.generator)
        self.teacher = self.net
        one_hot = functional.one_hot(self.codes, K).float()
        self.to_classes = one_hot / one_hot.sum(dim=0).clamp_min(1)

    def batches(self, n_rows):
        return torch.randperm(n_rows, generator=self.generator).split(64)

    def optimiser(self):
        return torch.optim.Adam(self.net.parameters(), lr=1e-3, weight_decay=1e-3)

    def step(self, optimiser, loss):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if self.options.teacher:
            with torch.no_grad():
                pairs = zip(self.teacher.parameters(), self.net.parameters(), strict=True)
                for slow, fast in pairs:
                    slow.lerp_(fast, 1 - self.options.teacher)

    def source_loss(self, rows):
        logits = self.net.classify(self.net.embed(self.X[rows], self.generator))
        return source_loss(logits, self.codes[rows], self.row_weights[rows])

    def warm_up(self):
        optimiser = self.optimiser()
        for _ in range(10):
            for rows in self.batches(len(self.X)):
                self.step(optimiser, self.source_loss(rows))
        self.teacher = copy.deepcopy(self.net) if self.options.teacher else self.net
        self.memory = embed_rows(self.net, self.X)

    @torch.no_grad()
    def probabilities(self, correct):
        """Return the geometric mean of head and memory, and the embedding of the target."""
        z = embed_rows(self.teacher, self.T)
        head = functional.softmax(self.teacher.classify(z), dim=2)
        temperature = self.options.temperature
        votes = memory_votes(z, self.memory, self.codes, n_classes=K, temperature=temperature)
        if correct:
            head, votes = balanced(head, self.options), balanced(votes, self.options)
        return geometric_mean(head, votes), z

    def predict(self, *, correct):
        return self.probabilities(correct)[0].mean(dim=0).argmax(dim=1).numpy()

    def smoothed(self, p, z):
        similarity = z @ z.transpose(1, 2)
        similarity.diagonal(dim1=1, dim2=2).fill_(-torch.inf)
        nearest = similarity.topk(min(self.options.n_smoothing, len(self.T) - 1), dim=2).indices
        around = torch.stack([one[rows].mean(dim=1) for one, rows in zip(p, nearest, strict=True)])
        return balanced((p + around) / 2, self.options)

    def means(self, labels, z):
        """Return the means of the rows of the memory that target rows should be close to."""
        if not self.options.n_nearest:
            return labels @ (self.to_classes.T @ self.memory)
        means = torch.zeros_like(z)
        for k in range(K):
            rows = self.memory[:, self.codes == k]
            n_nearest = min(self.options.n_nearest, rows.shape[1])
            nearest = (z @ rows.transpose(1, 2)).topk(n_nearest, dim=2).indices
            each = [one[found].mean(dim=1) for one, found in zip(rows, nearest, strict=True)]
            means += labels[:, :, k : k + 1] * torch.stack(each)
        return means

    def row_shares(self, p):
        """Return the weight of each target row, 0 for those that are not certain enough."""
        chosen = torch.stack([select_balanced(one, 0.6) for one in p]).float()
        if self.options.equal_classes:
            labels = functional.one_hot(p.argmax(dim=2), K) * chosen[:, :, None]
            chosen = (labels / labels.sum(dim=1, keepdim=True).clamp_min(1)).sum(dim=2)
        return chosen

    def augmented(self, x):
        noise, dropped = self.options.noise, self.options.dropped
        if noise:
            x = x + noise * torch.randn(x.shape, generator=self.generator)
        if dropped:
            x = x * (torch.rand(x.shape, generator=self.generator) >= dropped) / (1 - dropped)
        return x

    def target_loss(self, rows, labels, means, shares):
        z = self.net.embed(self.augmented(self.T[rows]), self.generator)
        logits = self.net.classify(z)
        shares = shares[:, rows] / shares[:, rows].sum(dim=1, keepdim=True).clamp_min(1e-9)
        head = -(labels[:, rows] * functional.log_softmax(logits, dim=2)).sum(dim=2)
        memory = multilabel_softmax_loss(
            z, self.memory, means[:, rows], temperature=self.options.temperature
        )
        loss = self.options.target_weight * ((head + memory) * shares).sum(dim=1).mean()
        if self.options.confusion:
            loss = loss + self.options.confusion * class_confusion(logits).mean()
        return loss

    def adapt(self):
        optimiser, labels = self.optimiser(), None
        for epoch in range(15):
            if epoch:
                renewed = 0.8 * self.memory + 0.2 * embed_rows(self.teacher, self.X)
                self.memory = functional.normalize(renewed, dim=2)
            p, z = self.probabilities(correct=True)
            if self.options.n_smoothing:
                p = self.smoothed(p, z)
            if self.options.shared_labels:
                p = p.mean(dim=0).expand_as(p)
            labels = p if labels is None else torch.lerp(p, labels, 0.5)
            learnt = labels
            if not self.options.soft:
                learnt = functional.one_hot(labels.argmax(dim=2), K).float()
            means, shares = self.means(learnt, z), self.row_shares(labels)
            for rows in self.batches(len(self.T)):
                drawn = torch.randint(len(self.X), (len(rows),), generator=self.generator)
                loss = self.source_loss(drawn) + self.target_loss(rows, learnt, means, shares)
                self.step(optimiser, loss)
        renewed = 0.8 * self.memory + 0.2 * embed_rows(self.teacher, self.X)
        self.memory = functional.normalize(renewed, dim=2)
