import math

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from sklearn_ser.nn import _losses as losses

SEEDS = range(5)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def gradient(function, *inputs):
    """Value of a function of tensors, and its gradient by the first of them."""
    first = inputs[0].detach().clone().requires_grad_()
    value = function(first, *inputs[1:])
    (slope,) = torch.autograd.grad(value, first)
    return value.detach(), slope


def test_reconstruction_is_the_mean_over_rows_and_features():
    X = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    assert losses.reconstruction_loss(X, X + torch.tensor([[1.0, 0.0], [0.0, 3.0]])) == 2.5


def test_losses_of_no_rows_are_zero():
    nothing = torch.zeros(0, 3, requires_grad=True)
    kl = losses.gaussian_kl(nothing, nothing)
    total = (
        losses.reconstruction_loss(nothing.detach(), nothing)
        + losses.reduce_kl(kl, n_features=3)
        + sum(losses.metric_loss(nothing.mean(dim=1), torch.zeros(0)))
        + losses.cluster_loss(nothing, torch.zeros(0, dtype=torch.int64), n_classes=2)
        + losses.classification_loss(nothing, torch.zeros(0, dtype=torch.int64))
    )
    assert total == 0


# Kullback-Leibler divergence


@pytest.mark.parametrize("seed", SEEDS)
def test_kl_is_that_of_torch(seed):
    mean, log_variance = normal(7, 3, seed=seed), normal(7, 3, seed=seed + 100)
    posterior = Normal(mean, (0.5 * log_variance).exp())
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    kl = losses.gaussian_kl(mean, log_variance)
    torch.testing.assert_close(kl, kl_divergence(posterior, prior), rtol=1e-12, atol=1e-12)
    joint = kl_divergence(Independent(posterior, 1), Independent(prior, 1)).mean()
    term = losses.reduce_kl(kl, n_features=11)
    torch.testing.assert_close(11 * term, joint, rtol=1e-12, atol=1e-12)


def test_kl_keeps_its_digits_close_to_the_prior():
    log_variance = torch.tensor([[1e-3]], dtype=torch.float32)
    exact = 0.5 * (math.expm1(float(log_variance)) - float(log_variance))
    kl = losses.gaussian_kl(torch.zeros(1, 1), log_variance)
    assert float(kl) == pytest.approx(exact, rel=1e-3)


def test_sum_and_mean_differ_by_the_ratio_of_the_widths():
    kl = losses.gaussian_kl(normal(6, 4), normal(6, 4, seed=1))
    by_sum = losses.reduce_kl(kl, n_features=20, reduction="sum")
    by_mean = losses.reduce_kl(kl, n_features=20, reduction="mean")
    torch.testing.assert_close(by_sum, by_mean * 4 / 20)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_doubling_both_widths_leaves_the_term(reduction):
    kl = losses.gaussian_kl(normal(6, 4), normal(6, 4, seed=1))
    once = losses.reduce_kl(kl, n_features=20, reduction=reduction)
    twice = losses.reduce_kl(torch.cat([kl, kl], 1), n_features=40, reduction=reduction)
    torch.testing.assert_close(once, twice)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_free_bits_below_all_divergences_change_nothing(reduction):
    kl = losses.gaussian_kl(normal(6, 4) + 3, normal(6, 4, seed=1))
    without = losses.reduce_kl(kl, n_features=20, reduction=reduction)
    few = losses.reduce_kl(kl, n_features=20, reduction=reduction, free_bits=1e-6)
    torch.testing.assert_close(few, without)


def test_free_bits_are_granted_per_unit_over_the_batch():
    kl = torch.tensor([[0.0, 1.0], [0.2, 3.0]], dtype=torch.float64, requires_grad=True)
    term = losses.reduce_kl(kl, n_features=1, free_bits=0.5)
    assert term == 0.5 + 2.0
    (slope,) = torch.autograd.grad(term, kl)
    assert slope.tolist() == [[0.0, 0.5], [0.0, 0.5]]


# Annealing


@pytest.mark.parametrize(
    ("schedule", "table"),
    [
        ("constant", {0: 1, 5: 1, 10: 1, 100: 1}),
        ("linear", {0: 0, 2.5: 0.25, 5: 0.5, 10: 1, 100: 1}),
        ("sigmoid", {0: 0, 2.5: 0.07010, 5: 0.5, 7.5: 0.92990, 10: 1, 100: 1}),
        ("cosine", {0: 0, 2.5: 0.5 - math.sqrt(0.125), 5: 0.5, 10: 1, 100: 1}),
        # Two cycles of five epochs, each with a ramp of two and a half.
        ("cyclical", {0: 0, 1: 0.4, 2.5: 1, 4: 1, 5: 0, 6: 0.4, 7.5: 1, 9: 1, 10: 1, 100: 1}),
    ],
)
def test_schedule_table(schedule, table):
    weights = {
        epoch: losses.annealing_weight(epoch, schedule=schedule, annealing_epochs=10, n_cycles=2)
        for epoch in table
    }
    assert weights == pytest.approx(table, abs=5e-5)


@pytest.mark.parametrize("schedule", ["linear", "sigmoid", "cosine"])
def test_ramps_rise_and_are_symmetric(schedule):
    weights = [
        losses.annealing_weight(epoch, schedule=schedule, annealing_epochs=16)
        for epoch in range(17)
    ]
    assert (np.diff(weights) > 0).all()
    np.testing.assert_allclose(np.add(weights, weights[::-1]), 1, atol=1e-12)


@pytest.mark.parametrize("schedule", losses.ANNEALING_SCHEDULES)
def test_no_annealing_epochs_means_full_weight(schedule):
    assert losses.annealing_weight(0, schedule=schedule, annealing_epochs=0) == 1


@pytest.mark.parametrize("n_cycles", [1, 3, 7])
def test_every_cycle_starts_from_zero(n_cycles):
    zeros = [
        epoch
        for epoch in range(21 * n_cycles)
        if losses.annealing_weight(
            epoch, schedule="cyclical", annealing_epochs=21 * n_cycles, n_cycles=n_cycles
        )
        == 0
    ]
    assert zeros == [21 * cycle for cycle in range(n_cycles)]


def test_ratio_one_ramps_through_the_whole_cycle():
    weight = losses.annealing_weight(
        9, schedule="cyclical", annealing_epochs=20, n_cycles=2, ratio=1.0
    )
    assert weight == pytest.approx(0.9)


# Metric loss


def explicit_pairs(position, labels):
    """The definition, with every pair formed."""
    labelled = ~torch.isnan(labels)
    n, label = position[labelled], labels[labelled]
    first, second = torch.triu_indices(len(n), len(n), offset=1)
    n_d, l_d = n[first] - n[second], label[first] - label[second]
    slope = (l_d @ n_d) / (l_d @ l_d)
    return (n_d - slope * l_d).square().mean(), (slope - 1).abs()


def annotations(n_samples, seed, missing=0.0):
    """Activations as published: 1 to 5 in half steps."""
    rng = np.random.default_rng(seed)
    labels = 1 + 0.5 * rng.integers(0, 9, n_samples)
    labels[:2] = 1, 5
    labels[rng.random(n_samples) < missing] = np.nan
    return torch.from_numpy(labels)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n_samples", "missing"), [(2, 0.0), (3, 0.0), (64, 0.0), (200, 0.4)])
@pytest.mark.parametrize("term", [0, 1])
def test_metric_loss_is_that_of_all_pairs(n_samples, missing, term, seed):
    position = 3 * normal(n_samples, seed=seed) + 20
    labels = annotations(n_samples, seed, missing)
    ours = gradient(lambda n, label: losses.metric_loss(n, label)[term], position, labels)
    pairs = gradient(lambda n, label: explicit_pairs(n, label)[term], position, labels)
    torch.testing.assert_close(ours, pairs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("seed", SEEDS)
def test_metric_loss_has_the_gradient_of_finite_differences(seed, missing):
    position = normal(12, seed=seed).requires_grad_()
    labels = annotations(12, seed, missing)
    assert torch.autograd.gradcheck(losses.metric_loss, (position, labels), atol=1e-8)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_metric_loss_has_no_second_derivative(missing):
    position = normal(12).requires_grad_()
    residual, _ = losses.metric_loss(position, annotations(12, 0, missing))
    with pytest.raises(NotImplementedError, match="no second derivative"):
        torch.autograd.grad(residual, position, create_graph=True)


def test_metric_loss_by_hand():
    # Pairs: l_d = (1, 2, 1), n_d = (2, 2, 0), slope 6 / 6, residuals (1, 0, -1).
    position = torch.tensor([0.0, -2.0, -2.0], dtype=torch.float64)
    labels = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)
    residual, slope_error = losses.metric_loss(position, labels)
    assert residual == pytest.approx(2 / 3)
    assert slope_error == pytest.approx(0)


def test_metric_loss_vanishes_exactly_where_distances_agree():
    labels = annotations(50, 0)
    for offset in (0.0, -1e4):
        residual, slope_error = losses.metric_loss(labels + offset, labels)
        assert residual == pytest.approx(0, abs=1e-16)
        assert slope_error == pytest.approx(0, abs=1e-12)
    assert losses.metric_loss(-labels, labels)[1] == pytest.approx(2)


def test_metric_loss_is_exact_enough_in_float32():
    position, labels = normal(1024) + 100, annotations(1024, 0)
    exact = losses.metric_loss(position, labels)
    single = losses.metric_loss(position.float(), labels.float())
    for ours, true in zip(single, exact, strict=True):
        assert float(ours) == pytest.approx(float(true), rel=1e-4)


@pytest.mark.parametrize(
    "labels",
    [
        [np.nan] * 4,
        [np.nan, 3.0, np.nan, np.nan],
        [3.3, 3.3, np.nan, 3.3],
        [0.1, 0.1, 0.1, 0.1],
    ],
    ids=["none", "one", "equal with a gap", "equal"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_metric_loss_without_distances_is_zero_with_gradient_zero(labels, dtype):
    labels = torch.tensor(labels, dtype=dtype)
    value, slope = gradient(
        lambda n, label: sum(losses.metric_loss(n, label)), normal(4, dtype=dtype), labels
    )
    assert value == 0
    assert (slope == 0).all()


def test_unlabelled_rows_change_nothing():
    position, labels = normal(8), annotations(8, 0)
    more = torch.cat([position, torch.tensor([1e6, -1e6])])
    padded = torch.cat([labels, torch.full((2,), torch.nan)])
    value, slope = gradient(lambda n, lab: sum(losses.metric_loss(n, lab)), position, labels)
    again, wider = gradient(lambda n, lab: sum(losses.metric_loss(n, lab)), more, padded)
    torch.testing.assert_close(again, value)
    torch.testing.assert_close(wider, torch.cat([slope, torch.zeros(2)]))


# Cluster loss


def cluster_by_definition(Z, codes):
    """The ratio, class by class and pair by pair."""
    classes = [Z[codes == code] for code in range(int(codes.max()) + 1) if (codes == code).any()]
    centroids = [rows.mean(dim=0) for rows in classes]
    within = [
        torch.stack([(row - centroid).norm() for row in rows]).mean()
        for rows, centroid in zip(classes, centroids, strict=True)
        if len(rows) > 1
    ]
    between = [
        (one - other).norm() for i, one in enumerate(centroids) for other in centroids[i + 1 :]
    ]
    return torch.stack(within).mean() / torch.stack(between).mean()


CODES = {
    "balanced": [0, 1, 2] * 4,
    "unlabelled rows": [0, -1, 1, 1, -1, 2, 0, 0, -1, 2, 1, 0],
    "a class with one row": [0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 1, 0],
    "a class without rows": [0, 0, 2, 2, 2, 2, 0, 0, 0, 0, 2, 0],
}


@pytest.mark.parametrize("codes", CODES.values(), ids=CODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_cluster_loss_is_its_definition(codes, seed):
    Z, codes = normal(12, 3, seed=seed), torch.tensor(codes)
    ours = gradient(lambda z: losses.cluster_loss(z, codes, n_classes=3), Z)
    definition = gradient(lambda z: cluster_by_definition(z, codes), Z)
    torch.testing.assert_close(ours, definition, rtol=1e-10, atol=1e-10)


def test_cluster_loss_has_the_gradient_of_finite_differences():
    codes = torch.tensor([0, 0, 1, 1, 2, -1, 0])
    Z = normal(7, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: losses.cluster_loss(z, codes, n_classes=3), Z)


@pytest.mark.parametrize("n_classes", [20, 100_000])
@pytest.mark.parametrize(
    "codes",
    [[0, 0, 1, 1, 2, 2], [19, 19, 3, 3, 3, -1], [-1, -2, 7, 7, 5, 5], [-1] * 6, [4] * 6],
    ids=str,
)
def test_cluster_loss_of_more_classes_than_rows(codes, n_classes):
    # All pairs of 100,000 classes would take 40 GB.
    Z = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    codes = torch.tensor(codes)
    known = sorted({code for code in codes.tolist() if code >= 0})
    few = torch.tensor([known.index(code) if code >= 0 else -1 for code in codes.tolist()])
    ours = gradient(lambda z: losses.cluster_loss(z, codes, n_classes=n_classes), Z)
    expected = gradient(lambda z: losses.cluster_loss(z, few, n_classes=6), Z)
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_cluster_loss_by_hand():
    Z = torch.tensor([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]])
    assert losses.cluster_loss(Z, torch.tensor([0, 0, 1, 1]), n_classes=2) == 0.25


def test_cluster_loss_ignores_shift_rotation_and_scale():
    Z, codes = normal(20, 3), torch.arange(20) % 4
    rotation, _ = torch.linalg.qr(normal(3, 3, seed=9))
    moved = 7 * Z @ rotation + 5
    torch.testing.assert_close(
        losses.cluster_loss(Z, codes, n_classes=4), losses.cluster_loss(moved, codes, n_classes=4)
    )


@pytest.mark.parametrize(
    ("codes", "collapsed"),
    [
        ([-1, -1, -1, -1], False),
        ([0, 0, 0, 0], False),
        ([0, 0, -1, 0], False),
        ([0, 1, 2, -1], False),
        ([0, 0, 1, 1], True),
    ],
    ids=["no label", "one class", "one class and a gap", "one row each", "one point"],
)
def test_cluster_loss_without_clusters_is_zero_with_gradient_zero(codes, collapsed):
    Z = torch.ones(4, 2, dtype=torch.float64) if collapsed else normal(4, 2)
    value, slope = gradient(lambda z: losses.cluster_loss(z, torch.tensor(codes), n_classes=3), Z)
    assert value == 0
    assert (slope == 0).all()


# Cluster loss of the authors' script


def test_centroid_loss_by_hand():
    # Centroids (0, 1), (4, 1) and (0, 10); the third dimension does not count. Distances to the
    # own one 1, 1, 1, 1 and 0; square roots of 4, 9 and sqrt(97).
    Z = torch.tensor(
        [[0.0, 0, 5], [0, 2, -3], [4, 0, 0], [4, 2, 8], [0, 10, 7], [9, 9, 9]], dtype=torch.float64
    )
    codes = torch.tensor([0, 0, 1, 1, 2, -1])
    expected = (4 / 5) / (2 + 3 + 97**0.25)
    assert losses.centroid_loss(Z, codes, n_classes=4).item() == pytest.approx(expected, rel=1e-12)


def test_centroid_loss_falls_with_the_root_of_the_scale():
    Z, codes = normal(12, 2), torch.arange(12) % 3
    once, fourfold = (losses.centroid_loss(k * Z, codes, n_classes=3) for k in (1, 4))
    torch.testing.assert_close(fourfold, 2 * once)


def test_centroid_loss_has_the_gradient_of_finite_differences():
    codes = torch.tensor([0, 0, 1, 1, 2, -1, 0])
    Z = normal(7, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: losses.centroid_loss(z, codes, n_classes=3), Z)


@pytest.mark.parametrize("codes", [[-1, -1, -1, -1], [0, 0, 0, -1], [0, 0, 1, 1]], ids=str)
def test_centroid_loss_without_distances_is_zero_with_gradient_zero(codes):
    Z = torch.ones(4, 2, dtype=torch.float64)
    value, slope = gradient(lambda z: losses.centroid_loss(z, torch.tensor(codes), n_classes=3), Z)
    assert value == 0
    assert (slope == 0).all()


# Classification loss


def test_classification_loss_is_the_mean_negative_log_probability_of_labelled_rows():
    logits = normal(4, 3)
    codes = torch.tensor([2, -1, 0, -1])
    probability = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    expected = -(probability[0, 2].log() + probability[2, 0].log()) / 2
    torch.testing.assert_close(losses.classification_loss(logits, codes), expected)


def test_classification_loss_without_labels_is_zero_with_gradient_zero():
    value, slope = gradient(
        lambda rows: losses.classification_loss(rows, torch.tensor([-1, -1])), normal(2, 3)
    )
    assert value == 0
    assert (slope == 0).all()
