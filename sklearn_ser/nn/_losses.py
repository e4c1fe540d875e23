"""Losses as pure functions of tensors, and schedules as pure functions of the epoch."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "ANNEALING_SCHEDULES",
    "annealing_weight",
    "centroid_loss",
    "classification_loss",
    "cluster_loss",
    "gaussian_kl",
    "metric_loss",
    "reconstruction_loss",
    "reduce_kl",
]


def reconstruction_loss(X: Tensor, X_rebuilt: Tensor) -> Tensor:
    r"""Mean squared error, :math:`\frac{1}{BD} \sum_{ij} (x_{ij} - \hat x_{ij})^2`.

    Parameters
    ----------
    X, X_rebuilt : Tensor of shape (n_samples, n_features)
        The rows without noise, and their reconstructions.

    Returns
    -------
    loss : Tensor of shape ()
        0 for no rows.
    """
    if X.shape[0] == 0:
        # A sum over no rows is a 0 that has a gradient; their mean would be NaN.
        return X_rebuilt.sum()
    return functional.mse_loss(X_rebuilt, X)


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Divergence of each unit's posterior from the standard normal, in nats.

    .. math:: \mathrm{KL}(N(\mu, \sigma^2) \,\|\, N(0, 1))
              = \tfrac{1}{2} (\mu^2 + \sigma^2 - \log \sigma^2 - 1)

    Parameters
    ----------
    mean, log_variance : Tensor of shape (n_samples, n_components)
        Parameters of the posterior of each row.

    Returns
    -------
    kl : Tensor of shape (n_samples, n_components)
        One number for each row and unit; 0 where the posterior is the prior.
    """
    # expm1 keeps the digits that exp(v) - 1 loses when a unit is close to the prior.
    return 0.5 * torch.addcmul(log_variance.expm1() - log_variance, mean, mean)


def reduce_kl(
    kl: Tensor, *, n_features: int, reduction: str = "sum", free_bits: float = 0.0
) -> Tensor:
    r"""Reduce the divergences of a batch to the term beside a mean squared error.

    The squared error is averaged over :math:`D` features. With :math:`\mathrm{KL}_k` the
    divergence of unit :math:`k`, averaged over the rows,

    * ``"sum"`` gives :math:`\frac{1}{D} \sum_k \mathrm{KL}_k`. The mean squared error plus
      :math:`\beta` times this is, up to the factor :math:`D`, the negative evidence lower
      bound of a decoder with noise variance :math:`\beta / 2`, whatever :math:`D` and
      :math:`K`: a :math:`\beta` keeps its meaning when features or units are added.
    * ``"mean"`` gives :math:`\frac{1}{K} \sum_k \mathrm{KL}_k`, an average over units next
      to an average over features. Its :math:`\beta` is :math:`K / D` times the other.

    Parameters
    ----------
    kl : Tensor of shape (n_samples, n_components)
        Divergences from :func:`gaussian_kl`.
    n_features : int
        The :math:`D` of the squared error that this term is added to.
    reduction : {"sum", "mean"}, default="sum"
        Over the units; see above.
    free_bits : float, default=0.0
        A unit whose average over the batch is below this many nats counts with this many:
        nothing pulls it closer to the prior (Kingma et al. 2016).

    Returns
    -------
    term : Tensor of shape ()
        0 for no rows.
    """
    n_samples, n_units = kl.shape
    if n_samples == 0:
        return kl.sum()
    width = n_units if reduction == "mean" else n_features
    if free_bits == 0:
        return kl.sum() / (n_samples * width)
    # Below the limit the gradient is 0. The mean over the batch is clamped, as Kingma et al. do,
    # not each row: a unit may be silent on some rows as long as it speaks on others.
    return kl.mean(dim=0).clamp_min(free_bits).sum() / width


def _linear(progress: float) -> float:
    return progress


def _sigmoid(progress: float, steepness: float = 10.0) -> float:
    # Stretched so that it passes exactly through 0, 1/2 and 1.
    return 0.5 + 0.5 * math.tanh(steepness / 2 * (progress - 0.5)) / math.tanh(steepness / 4)


def _cosine(progress: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * progress)


_RAMPS = {"linear": _linear, "sigmoid": _sigmoid, "cosine": _cosine}

ANNEALING_SCHEDULES = ("constant", *_RAMPS, "cyclical")


def annealing_weight(
    epoch: float,
    *,
    schedule: str,
    annealing_epochs: float,
    n_cycles: int = 4,
    ratio: float = 0.5,
) -> float:
    r"""Return the share of the full weight that a schedule gives to a term at an epoch.

    With :math:`t` the epoch, :math:`T` the epochs of annealing and :math:`u = t / T`:

    ============  =======================================================================
    ``constant``  1
    ``linear``    :math:`u`
    ``sigmoid``   :math:`\tfrac{1}{2} + \tanh(5 (u - \tfrac{1}{2})) / (2 \tanh 2.5)`
    ``cosine``    :math:`(1 - \cos \pi u) / 2`
    ``cyclical``  :math:`\min(1, \tau / R)` with :math:`\tau = M u \bmod 1`
    ============  =======================================================================

    From :math:`t = T` on, all of them give 1. The cyclical one rises :math:`M` times from
    0 to 1, each time within the share :math:`R` of a cycle, and stays at 1 for the rest of
    it (Fu et al. 2019, equations 6 and 7, with a linear ramp).

    Parameters
    ----------
    epoch : int or float
        Number of epochs that have passed.
    schedule : {"constant", "linear", "sigmoid", "cosine", "cyclical"}
        Shape of the curve.
    annealing_epochs : int or float
        Epochs until the weight reaches 1 and stays there. With 0 it starts at 1.
    n_cycles : int, default=4
        The :math:`M` of the cyclical schedule.
    ratio : float, default=0.5
        The :math:`R` of the cyclical schedule, above 0 and at most 1.

    Returns
    -------
    weight : float
        Between 0 and 1.
    """
    if schedule == "constant" or epoch >= annealing_epochs:
        return 1.0
    if schedule == "cyclical":
        # Epochs are multiplied before they are divided: 3 * (1 / 3) must start a cycle anew.
        within_cycle = (n_cycles * epoch) % annealing_epochs / annealing_epochs
        return min(1.0, within_cycle / ratio)
    return _RAMPS[schedule](epoch / annealing_epochs)


def _centred(position: Tensor, labels: Tensor) -> tuple[Any, ...]:
    """Return deviations of labels and positions from their means, and three scalars.

    The deviations are 0 for a row without label. The scalars are the sum of squared
    deviations of the labels (1 if it is 0), the number of labelled rows less 1 (at least 1),
    and whether that sum is above 0, as 1 or 0.
    """
    if labels.is_cpu and len(labels):
        # From a label of the batch itself: equal labels then give exactly 0.
        label = labels - labels[0]
        label -= label.mean()
        # NaN if a label is. Read only here: it would make a GPU wait.
        spread = label.dot(label).item()
        if spread > 0:
            return label, position - position.mean(), spread, len(labels) - 1, 1
    labelled = ~labels.isnan()
    mask = labelled.to(labels.dtype)
    count = mask.sum().clamp_min(1)
    origin = labels[labelled.to(torch.uint8).argmax()] if len(labels) else 0.0
    label = torch.where(labelled, labels - origin, 0.0)
    label = (label - label.sum() / count) * mask
    here = (position - position.dot(mask) / count) * mask
    squares = label.dot(label)
    defined = squares.sign()
    return label, here, squares + (1 - defined), (count - 1).clamp_min(1), defined


class _MetricLoss(torch.autograd.Function):
    # A dozen operations on few numbers: differentiated one by one, each costs more time than its
    # arithmetic.

    @staticmethod
    def forward(ctx: Any, position: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        label, here, spread, pairs, defined = _centred(position, labels)
        direction = label / spread
        slope = here.dot(direction)
        error = torch.addcmul(here, label, slope, value=-1)
        # Over all pairs the squares sum to B times those of the deviations, and there are
        # B (B - 1) / 2 pairs: their mean is 2 / (B - 1) times the sum of squared deviations.
        share = error * (2 * defined / pairs)
        slope_error = slope - defined
        ctx.save_for_backward(share, direction * slope_error.sign())
        return error.dot(share), slope_error.abs()

    @staticmethod
    def backward(ctx: Any, of_residual: Tensor, of_slope: Tensor) -> tuple[Tensor, None]:
        # Gradients are enabled in here only with create_graph=True. Marked as once_differentiable,
        # the function would not raise but pass for constant where nothing else depends on it.
        if torch.is_grad_enabled():
            raise NotImplementedError(
                "metric_loss has no second derivative. Differentiate it with create_graph=False."
            )
        # Mean and slope minimise the squares: the derivative with respect to them is 0, and they
        # count as constants in the gradient of the residual.
        share, direction = ctx.saved_tensors
        return torch.addcmul(of_slope * direction, share, of_residual, value=2), None


def metric_loss(position: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    r"""Penalise latent distances that are not proportional to distances of labels.

    With :math:`n_d, l_d` the differences of position and label over all pairs of labelled
    rows and :math:`p = (l_d^\top l_d)^{-1} l_d^\top n_d`,

    .. math:: L_\mathrm{res} = \mathrm{E} \|n_d - p\, l_d\|^2, \qquad
              L_\mathrm{sl} = |p - 1|.

    No pair is formed. For the pairs :math:`i < j` of :math:`B` labelled rows,

    .. math:: \sum_{i<j} (l_i - l_j)(n_i - n_j) = B \sum_i l_i n_i - \sum_i l_i \sum_i n_i
              = B \sum_i (l_i - \bar l)(n_i - \bar n) ,

    and likewise for the squares. The last form loses no digits to an offset. Time and
    memory grow with the rows, not with the pairs.

    Parameters
    ----------
    position : Tensor of shape (n_samples,)
        Position of each row in the latent space.
    labels : Tensor of shape (n_samples,)
        NaN for a row without label, which is left out. Labels get no gradient.

    Returns
    -------
    residual, slope_error : Tensor of shape ()
        The two terms. Both are 0, with gradient 0, for fewer than two labelled rows and
        for equal labels. Neither has a second derivative: ``create_graph=True`` is refused.
    """
    residual, slope_error = _MetricLoss.apply(position, labels)
    return residual, slope_error


def _root(values: Tensor) -> Tensor:
    """Return the square root; its gradient at 0 is 0 instead of infinite."""
    positive = values > 0
    # Twice where(): the derivative of sqrt(0) is infinite, and infinity times the 0 of the branch
    # that is not taken would be NaN.
    return torch.where(positive, torch.where(positive, values, 1.0).sqrt(), 0.0)


def _distances(differences: Tensor) -> Tensor:
    """Return the norm over the last axis; its gradient at the origin is 0 instead of NaN."""
    return _root(differences.square().sum(dim=-1))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return the quotient; 0, with gradient 0, where the denominator is 0."""
    # Centroids that coincide have no distance to divide by; dividing by 1 instead keeps the
    # gradient of the branch that is not taken finite.
    defined = denominator > 0
    return torch.where(defined, numerator / torch.where(defined, denominator, 1.0), 0.0)


@dataclass(frozen=True)
class _Clusters:
    """Classes of a batch: rows by class (1 or 0), sizes, and distances of and to centroids."""

    member: Tensor
    size: Tensor
    to_own: Tensor
    apart: Tensor
    present: Tensor


def _clusters(Z: Tensor, codes: Tensor, n_classes: int) -> _Clusters:
    if n_classes > len(Z):
        # A batch has no more classes than rows. Pairs of classes that it lacks would count for
        # nothing, and cost the square of their number.
        present, codes = codes.unique(return_inverse=True)
        # Negative codes sort first and stay negative.
        codes = codes - (present < 0).sum()
        n_classes = max(1, len(present))
    labelled = (codes >= 0).to(Z.dtype)
    member = functional.one_hot(codes.clamp_min(0), n_classes).to(Z.dtype) * labelled[:, None]
    size = member.sum(dim=0)
    centroids = member.T @ Z / size.clamp_min(1)[:, None]
    to_own = _distances(Z - member @ centroids)
    first, second = torch.triu_indices(n_classes, n_classes, offset=1, device=Z.device)
    present = ((size[first] > 0) & (size[second] > 0)).to(Z.dtype)
    apart = _distances(centroids[first] - centroids[second]) * present
    return _Clusters(member, size, to_own, apart, present)


def cluster_loss(Z: Tensor, codes: Tensor, *, n_classes: int) -> Tensor:
    r"""Ratio of the size of the classes in the latent space to the distances between them.

    .. math:: L = \frac{\mathrm{mean}_k\, \mathrm{mean}_{i : y_i = k} \|z_i - c_k\|}
                       {\mathrm{mean}_{k < m} \|c_k - c_m\|}

    with :math:`c_k` the centroid of class :math:`k` in the batch and Euclidean distances
    over all dimensions. Every class counts alike. No shift, rotation or scale of the
    latent space changes it.

    A class with a single row in the batch lies on its own centroid, which says nothing of
    its size: it counts in the denominator only.

    Parameters
    ----------
    Z : Tensor of shape (n_samples, n_components)
        Latent positions.
    codes : Tensor of shape (n_samples,), int64
        Class of each row, from 0; negative for a row without label, which is left out.
    n_classes : int
        Classes in all the data; a batch may lack some.

    Returns
    -------
    loss : Tensor of shape ()
        0, with gradient 0, where the batch has fewer than two classes, no class of two
        rows, or centroids that all coincide.
    """
    found = _clusters(Z, codes, n_classes)
    spread = found.member.T @ found.to_own / found.size.clamp_min(1)
    measured = (found.size >= 2).to(Z.dtype)
    within = (spread * measured).sum() / measured.sum().clamp_min(1)
    between = found.apart.sum() / found.present.sum().clamp_min(1)
    return _ratio(within, between)


def centroid_loss(Z: Tensor, codes: Tensor, *, n_classes: int) -> Tensor:
    r"""The cluster loss of the authors' script for arXiv:2203.14867.

    .. math:: L = \frac{\mathrm{mean}_i \|z_i - c_{y_i}\|}
                       {\sum_{k < m} \sqrt{\|c_k - c_m\|}}

    with :math:`c_k` the centroid of class :math:`k` in the batch and Euclidean distances in the
    first two dimensions. Unlike :func:`cluster_loss`, large classes count more, and the scale
    of the latent does not cancel: half the scale gives :math:`\sqrt{1/2}` of the loss.

    Parameters
    ----------
    Z : Tensor of shape (n_samples, n_components)
        Latent positions.
    codes : Tensor of shape (n_samples,), int64
        Class of each row, from 0; negative for a row without label, which is left out.
    n_classes : int
        Classes in all the data; a batch may lack some.

    Returns
    -------
    loss : Tensor of shape ()
        0, with gradient 0, where the batch has fewer than two classes or centroids that all
        coincide.
    """
    found = _clusters(Z[:, :2], codes, n_classes)
    labelled = found.member.sum(dim=1)
    own = labelled.dot(found.to_own) / labelled.sum().clamp_min(1)
    return _ratio(own, _root(found.apart).sum())


def classification_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """Return the cross-entropy of the labelled rows.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes)
        Unnormalised log-probabilities.
    codes : Tensor of shape (n_samples,), int64, or (n_samples, n_classes), floats
        Class of each row, from 0; negative for a row without label, which is left out. Or
        shares of raters, NaN for a row without label.

    Returns
    -------
    loss : Tensor of shape ()
        Mean over the labelled rows, in nats; 0, with gradient 0, without any.
    """
    if codes.ndim == 2:
        labelled = ~codes[:, :1].isnan()
        # Not by a product: 0 times NaN is NaN.
        shares = torch.where(labelled, codes, 0.0)
        total = functional.cross_entropy(logits, shares, reduction="sum")
        return total / labelled.sum().clamp_min(1)
    # The mean over no rows would be NaN.
    total = functional.cross_entropy(logits, codes.clamp_min(-1), ignore_index=-1, reduction="sum")
    return total / (codes >= 0).sum().clamp_min(1)
