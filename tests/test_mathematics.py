"""Every equation of the page of mathematics, written out with NumPy and compared with the code.

``proves("label")`` names the equations that a test evaluates; an equation without a test fails.
"""

import itertools
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    KLAnnealedVAE,
    MetricDAE,
    SemiSupervisedVAE,
    metrics,
)
from sklearn_ser.estimators._domain import DomainClassifier
from sklearn_ser.estimators._nnpm_caution import trust
from sklearn_ser.evaluation import compare_methods, speaker_interval
from sklearn_ser.evaluation._baseline import holm
from sklearn_ser.evaluation._intervals import SpeakerInterval, interval_of_mean
from sklearn_ser.nn._adaptation import collapse, source_loss
from sklearn_ser.nn._domain_losses import adversarial_loss, confusion_loss, covariance_loss
from sklearn_ser.nn._losses import annealing_weight, metric_loss
from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._memory_losses import multilabel_softmax_loss, multilabel_square_loss
from sklearn_ser.nn._modules import VariationalAutoencoder
from sklearn_ser.nn._multilabel import (
    Multilabel,
    at_prior,
    class_means,
    geometric_mean,
    memory_votes,
    multilabel_of_votes,
)
from sklearn_ser.nn._readout import Readout
from sklearn_ser.nn._shares import estimate_shares, means_for_shares
from sklearn_ser.nn._training import weighted_sum

PAGE = Path(__file__).parents[1] / "docs" / "mathematics.rst"
PROVED = {}
norm = np.linalg.norm


def proves(*labels):
    def decorate(test):
        for label in labels:
            PROVED.setdefault(label, []).append(test.__name__)
        return test

    return decorate


def as_numpy(*tensors):
    return [np.asarray(one.detach(), dtype=np.float64) for one in tensors]


def tensor(values, dtype=torch.float64):
    return torch.tensor(np.asarray(values), dtype=dtype)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class State:
    """Noise that a test knows."""

    def __init__(self, noise):
        self.noise = noise

    def normal_like(self, values):
        assert values.shape == self.noise.shape
        return self.noise


class Linear:
    """Encoder, posterior and decoder as matrices."""

    def __init__(self, rng, n_features, n_components):
        self.down = tensor(rng.normal(size=(n_features, n_components)))
        self.scale = tensor(rng.normal(size=(n_features, n_components)) / 3)
        self.up = tensor(rng.normal(size=(n_components, n_features)))
        self.head = tensor(rng.normal(size=(n_components, 3)))

    def encode(self, x):
        return x @ self.down

    def posterior(self, x):
        return x @ self.down, x @ self.scale

    def decode(self, z):
        return z @ self.up

    def classify(self, z):
        return z @ self.head

    def __call__(self, x):
        return self.decode(self.encode(x))


@pytest.fixture
def network(rng):
    return Linear(rng, 5, 4)


@pytest.fixture
def batch(rng):
    return {
        "X": tensor(rng.normal(size=(7, 5))),
        "codes": torch.tensor([0, 0, 1, 1, 2, 2, -1]),
        "activation": tensor([1.0, 2, np.nan, 4, 3, 5, 2]),
    }


def total(estimator, network, batch, noise, epoch=0):
    terms = estimator._loss_terms(network, batch, State(noise))
    return estimator._total(terms, estimator._weights(epoch)).item()


def reconstruction(x, rebuilt):
    return sum(norm(one - other) ** 2 for one, other in zip(x, rebuilt, strict=True)) / x.size


@proves("dae")
def test_the_denoising_autoencoder(network, batch, rng):
    noise = tensor(rng.normal(size=(7, 5)))
    x, e, f, g = as_numpy(batch["X"], noise, network.down, network.up)
    expected = reconstruction(x, (x + 0.3 * e) @ f @ g)
    assert total(DAETransformer(noise=0.3), network, batch, noise) == pytest.approx(expected)


def variational_loss(network, x, noise, *, weight, free, width):
    x, e, down, scale, up = as_numpy(x, noise, network.down, network.scale, network.up)
    mean, variance = x @ down, np.exp(x @ scale)
    z = mean + np.sqrt(variance) * e
    kl = 0.5 * (mean**2 + variance - np.log(variance) - 1)
    term = sum(max(free, kl[:, k].mean()) for k in range(4)) / width
    return reconstruction(x, z @ up) + weight * term, z


@proves("vae-draw", "vae-kl", "vae")
@pytest.mark.parametrize(("reduction", "width"), [("sum", 5), ("mean", 4)])
@pytest.mark.parametrize("free", [0.0, 2.0])
def test_the_variational_autoencoder(reduction, width, free, network, batch, rng):
    noise = tensor(rng.normal(size=(7, 4)))
    vae = KLAnnealedVAE(4, beta=0.2, annealing_epochs=10, kl_reduction=reduction, free_bits=free)
    expected, _ = variational_loss(
        network, batch["X"], noise, weight=0.2 * 3 / 10, free=free, width=width
    )
    assert total(vae, network, batch, noise, epoch=3) == pytest.approx(expected)


@proves("vae-limit")
def test_the_limit_of_the_log_variance(rng):
    module = VariationalAutoencoder(3, (), 2).double()
    with torch.no_grad():
        module.encoder[0].weight.copy_(tensor(rng.normal(size=(4, 3))))
    x = tensor(10 * rng.normal(size=(50, 3)))
    outputs, log_variance = as_numpy(module.encoder(x)[:, 2:], module.posterior(x)[1])
    expected = np.minimum(outputs, 5) + np.log(1 + np.maximum(outputs - 5, 0))
    assert min((outputs < 5).sum(), (outputs > 5).sum()) > 10
    np.testing.assert_allclose(log_variance, expected)


@proves("annealing")
@pytest.mark.parametrize("epoch", range(12))
def test_annealing(epoch):
    u = epoch / 10
    formulas = {
        "linear": u,
        "sigmoid": 0.5 + math.tanh(5 * (u - 0.5)) / (2 * math.tanh(2.5)),
        "cosine": (1 - math.cos(math.pi * u)) / 2,
        "cyclical": min(1, (4 * epoch % 10) / 10 / 0.5),
    }
    for schedule, value in formulas.items():
        weight = annealing_weight(
            epoch, schedule=schedule, annealing_epochs=10, n_cycles=4, ratio=0.5
        )
        assert weight == pytest.approx(value if epoch < 10 else 1)


def centroids(z, codes):
    return {k: z[codes == k].mean(axis=0) for k in range(3)}


def cluster(z, codes):
    c = centroids(z, codes)
    sizes = [np.mean([norm(one - c[k]) for one in z[codes == k]]) for k in range(3)]
    return np.mean(sizes) / np.mean([norm(c[k] - c[m]) for k, m in itertools.combinations(c, 2)])


def centroid(z, codes):
    z = z[:, :2]
    c = centroids(z, codes)
    own = np.mean([norm(one - c[k]) for one, k in zip(z, codes, strict=True) if k >= 0])
    return own / sum(math.sqrt(norm(c[k] - c[m])) for k, m in itertools.combinations(c, 2))


def classifier(z, codes, head):
    p = np.exp(z @ head) / np.exp(z @ head).sum(axis=1, keepdims=True)
    return -np.mean([np.log(p[i, k]) for i, k in enumerate(codes) if k >= 0])


@proves("ssvae", "cluster", "centroid", "classifier")
@pytest.mark.parametrize("supervision", ["cluster", "das2022", "classifier"])
def test_the_semi_supervised_autoencoder(supervision, network, batch, rng):
    noise = tensor(rng.normal(size=(7, 4)))
    model = SemiSupervisedVAE(
        4, beta=0.2, kl_annealing="constant", supervision=supervision, supervision_weight=0.7
    )
    model.classes_ = np.array(["a", "b", "c"])
    unsupervised, z = variational_loss(network, batch["X"], noise, weight=0.2, free=0.0, width=5)
    codes, head = batch["codes"].numpy(), network.head.numpy()
    term = {
        "cluster": cluster(z, codes),
        "das2022": centroid(z, codes),
        "classifier": classifier(z, codes, head),
    }[supervision]
    assert total(model, network, batch, noise) == pytest.approx(unsupervised + 0.7 * term)


@proves("metric-slope", "metric", "metric-total")
@pytest.mark.parametrize("objective", ["sum", "log"])
@pytest.mark.parametrize("dimension", [None, 1])
def test_metric_learning(objective, dimension, network, batch, rng):
    noise = tensor(rng.normal(size=(7, 5)))
    x, e, f, g = as_numpy(batch["X"], noise, network.down, network.up)
    z = (x + 0.5 * e) @ f
    position = z.mean(axis=1) if dimension is None else z[:, dimension]
    ratings = batch["activation"].numpy()
    pairs = itertools.combinations(np.flatnonzero(~np.isnan(ratings)), 2)
    ld, nd = np.array([(ratings[i] - ratings[j], position[i] - position[j]) for i, j in pairs]).T
    slope = (ld @ nd) / (ld @ ld)
    expected = reconstruction(x, z @ g)
    expected += 0.3 * (np.mean((nd - slope * ld) ** 2) + abs(slope - 1))
    model = MetricDAE(4, metric_weight=0.3, objective=objective, metric_dimension=dimension)
    model.label_names_ = ("activation",)
    found = total(model, network, batch, noise)
    assert found == pytest.approx(math.log(expected) if objective == "log" else expected)


@proves("pairs")
def test_no_pair_is_formed(rng):
    ratings, position = rng.normal(size=(2, 9)) + 5
    pairs = itertools.combinations(range(9), 2)
    left = sum((ratings[i] - ratings[j]) * (position[i] - position[j]) for i, j in pairs)
    right = 9 * ((ratings - ratings.mean()) * (position - position.mean())).sum()
    assert left == pytest.approx(right)
    assert torch.stack(metric_loss(tensor(position), tensor(ratings))).isfinite().all()


@pytest.fixture
def sphere(rng):
    """Return a memory of two members, queries, and the classes of the rows of the memory."""
    memory, queries = rng.normal(size=(2, 8, 4)), rng.normal(size=(2, 5, 4))
    memory, queries = (one / norm(one, axis=2, keepdims=True) for one in (memory, queries))
    return memory, queries, np.array([0, 0, 0, 1, 1, 2, 2, 2])


@proves("nnpm-net")
def test_the_network_with_a_memory(rng):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = MemoryNet(5, (), 4, 3, 2, 0.0).double()
    x = rng.normal(size=(6, 5))
    for e in range(2):
        [layer] = module.encoder
        weight, bias = as_numpy(layer.weight[e], layer.bias[e])
        g = x @ weight + bias
        z = g / norm(g, axis=1, keepdims=True)
        weight, bias = as_numpy(module.head.weight[e], module.head.bias[e])
        logits = 10 * z @ weight + bias
        found = module.embed(tensor(x))
        assert found[e].detach().numpy() == pytest.approx(z)
        assert module.classify(found)[e].detach().numpy() == pytest.approx(logits)


@proves("source")
def test_the_loss_of_the_source(rng):
    logits, codes = rng.normal(size=(2, 8, 3)), np.array([0, 0, 0, 1, 1, 2, 2, 0])
    weights = 8 / (3 * np.bincount(codes)[codes])
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    expected = -np.mean([weights * np.log(p[e, np.arange(8), codes]) for e in range(2)])
    owner = SimpleNamespace(classes_=range(3))
    row_weights = DomainClassifier._balanced_weights(owner, codes, "cpu").double()
    found = source_loss(tensor(logits), torch.tensor(codes), row_weights)
    assert found.item() == pytest.approx(expected, rel=1e-6)


@proves("votes", "prior")
def test_votes_and_their_correction(sphere):
    memory, z, codes = sphere
    votes = np.array(
        [
            [[np.exp(m[codes == k] @ one / 0.2).mean() for k in range(3)] for one in queries]
            for m, queries in zip(memory, z, strict=True)
        ]
    )
    votes /= votes.sum(axis=2, keepdims=True)
    arguments = tensor(z).float(), tensor(memory).float(), torch.tensor(codes)
    found = memory_votes(*arguments, n_classes=3, temperature=0.2)
    assert found.numpy() == pytest.approx(votes, rel=1e-5)
    prior = np.array([0.5, 0.3, 0.2])
    mean = votes.mean(axis=1, keepdims=True)
    corrected = votes * prior / mean
    corrected /= corrected.sum(axis=2, keepdims=True)
    found = at_prior(tensor(votes), tensor(mean), tensor(prior)).numpy()
    assert found == pytest.approx(corrected, abs=1e-6)


@proves("exact-shares", "em")
def test_shares(rng):
    p = rng.dirichlet([1, 1, 1], 40)
    shares = np.array([0.6, 0.3, 0.1])
    divisors = means_for_shares(tensor(p), tensor(shares)).numpy()
    corrected = p * shares / divisors
    corrected /= corrected.sum(axis=1, keepdims=True)
    assert corrected.mean(axis=0) == pytest.approx(shares, abs=1e-4)
    found = estimate_shares(tensor(p), prior_weight=0.1).numpy()
    joint = p * found
    again = ((joint / joint.sum(axis=1, keepdims=True)).mean(axis=0) + 0.1 / 3) / 1.1
    assert again == pytest.approx(found, abs=1e-6)


@proves("pseudo-label")
def test_pseudo_labels(rng):
    from sklearn_ser.nn._adaptation import Adaptation

    head, votes = rng.dirichlet([1, 1, 1], (2, 2, 6))
    roots = np.sqrt(head * votes)
    expected = (roots / roots.sum(axis=2, keepdims=True)).mean(axis=0)
    assert geometric_mean(tensor(head), tensor(votes)).mean(dim=0).numpy() == pytest.approx(
        expected
    )
    before = rng.dirichlet([1, 1, 1], 6)
    for earlier, label in ((None, expected), (before, expected / 2 + before / 2)):
        state = SimpleNamespace(probabilities=None if earlier is None else tensor(earlier))
        found = Adaptation._pseudo_labels(state, tensor(head), tensor(votes))
        assert found.numpy() == pytest.approx(label)


@proves("multilabel", "softmax-loss")
def test_the_loss_of_multilabels(sphere, rng):
    memory, z, codes = sphere
    q = rng.dirichlet([1, 1, 1], 5)
    weights = q[:, codes] / np.bincount(codes)[codes]
    assert weights.sum(axis=1) == pytest.approx(1)
    scaled = z @ memory.transpose(0, 2, 1) / 0.2
    expected = -(weights * (scaled - np.log(np.exp(scaled).sum(axis=2, keepdims=True)))).sum(axis=2)
    arguments = tensor(memory), torch.tensor(codes), tensor(q)
    means = class_means(*(one.float() if one.is_floating_point() else one for one in arguments))
    assert means.numpy() == pytest.approx(weights @ memory, rel=1e-4, abs=1e-6)
    found = multilabel_softmax_loss(
        tensor(z), tensor(memory), tensor(weights @ memory), temperature=0.2
    )
    assert found.numpy() == pytest.approx(expected)
    every = multilabel_of_votes(tensor(z), *arguments, n_neighbors=8)
    listed = np.take_along_axis(np.stack([weights] * 2), every.rows.numpy(), axis=2)
    assert every.weights.numpy() == pytest.approx(listed)


@proves("square-loss")
def test_the_loss_of_squares(sphere):
    memory, z, codes = sphere
    positive = np.flatnonzero(codes == 1)
    similarity = z @ memory.transpose(0, 2, 1)
    attracted = 5 * ((1 - similarity[:, :, positive]) ** 2).mean(axis=2)
    # One of the eight rows is 1 % of them: the hardest.
    hardest = np.delete(similarity, positive, axis=2).max(axis=2)
    rows = torch.tensor(positive).expand(2, 5, 2)
    label = Multilabel(rows, torch.full((2, 5, 2), 0.5, dtype=torch.float64))
    found = multilabel_square_loss(tensor(z), tensor(memory), label)
    assert found.numpy() == pytest.approx(attracted + (1 + hardest) ** 2)


@proves("nnpm")
def test_the_loss_of_adaptation():
    """The terms are those above; the sum has the weight of the target, and selected rows count."""
    from sklearn_ser.estimators._nnpm_training import NNPMTraining

    plans = []
    owner = SimpleNamespace(
        target_weight=0.4, _seed=0, history_=[], max_epochs=1, _run=lambda *a, **k: plans.append(k)
    )
    state = SimpleNamespace(
        rows_to_train_on=lambda: torch.arange(2), target=torch.zeros(2, 1),
        loss_terms=None, begin_epoch=None,
    )  # fmt: skip
    NNPMTraining._train_on_target(owner, state, torch.device("cpu"))
    weights = plans[0]["weights"](0)
    terms = {"source": tensor(1.0), "multilabel": tensor(2.0), "head": tensor(3.0)}
    assert weighted_sum(terms, weights).item() == pytest.approx(1 + 0.4 * (2 + 3))


@proves("memory")
def test_the_memory_follows(sphere, rng):
    memory, now, codes = sphere
    module = SimpleNamespace(embed=lambda rows: tensor(now))
    readout = Readout(
        tensor(memory[:, :5]), torch.tensor(codes[:5]), n_classes=3, temperature=0.1, prior=None
    )
    readout.renew_memory(module, torch.zeros(5, 1), 0.8)
    mixed = 0.8 * memory[:, :5] + 0.2 * now
    assert readout.memory.numpy() == pytest.approx(mixed / norm(mixed, axis=2, keepdims=True))


@proves("guard")
@pytest.mark.parametrize("r", [0.01, 0.049, 0.051, 0.3])
@pytest.mark.parametrize("before", [0.02, 0.2])
@pytest.mark.parametrize(("agreement", "same"), [(0.69, 0.9), (0.71, 0.49), (0.71, 0.51)])
def test_the_guard(r, before, agreement, same):
    figures = {"smallest_class": r, "label_agreement": agreement, "head_memory_agreement": same}
    expected = (r < 0.2 * 0.25 and r < before) or agreement < 0.7 or same < 0.5
    assert bool(collapse({"smallest_class": before}, figures, smallest_prior=0.25)) == expected


@proves("caution")
@pytest.mark.parametrize("n_target", [1, 80, 400])
def test_caution(n_target):
    # tests/estimators/test_nnpm_caution.py holds the mean of both models against this weight.
    assert trust(n_target, 80.0) == pytest.approx(n_target**2 / (n_target**2 + 80**2))


@proves("adapters", "mcc", "coral", "dann")
def test_three_ways_to_adapt(rng):
    logits, source, target = rng.normal(size=(1, 6, 3)), *rng.normal(size=(2, 1, 6, 4))
    p = np.exp(logits[0] / 2) / np.exp(logits[0] / 2).sum(axis=1, keepdims=True)
    u = 1 + np.exp((p * np.log(p)).sum(axis=1))
    confusion = np.array([[sum(u * p[:, j] * p[:, k]) for k in range(3)] for j in range(3)])
    confusion /= confusion.sum(axis=1, keepdims=True)
    expected = (confusion.sum() - np.trace(confusion)) / 3
    assert confusion_loss(tensor(logits), temperature=2).item() == pytest.approx(expected)
    expected = norm(np.cov(source[0].T) - np.cov(target[0].T)) ** 2 / (4 * 4**2)
    assert covariance_loss(tensor(source), tensor(target)).item() == pytest.approx(expected)
    w = rng.normal(size=4)
    d_source, d_target = (1 / (1 + np.exp(-one[0] @ w)) for one in (source, target))
    expected = -np.log(1 - d_source).mean() - np.log(d_target).mean()
    found = adversarial_loss(lambda z: z @ tensor(w), tensor(source), tensor(target))
    assert found.item() == pytest.approx(expected)
    terms = {"source": tensor(2.0), "target": tensor(3.0)}
    assert weighted_sum(terms, {"target": 0.4}).item() == pytest.approx(2 + 0.4 * 3)


@proves("scaler", "shrinkage")
def test_scaling(rng):
    X, corpus = rng.normal(size=(12, 2)) * [1, 9] + 3, np.repeat(["a", "b"], 6)
    Z = CorpusScaler().fit_transform(X, sample_domain=corpus)
    for name in "ab":
        own = X[corpus == name]
        assert Z[corpus == name] == pytest.approx((own - own.mean(axis=0)) / own.std(axis=0))
    speaker = np.tile(["s", "s", "t"], 4)
    Z = CorpusScaler(speaker_shrinkage=3).fit_transform(X, sample_domain=corpus, speaker=speaker)
    for name, who in itertools.product("ab", "st"):
        rows, of_corpus = X[(corpus == name) & (speaker == who)], X[corpus == name]
        mu, sigma, m, s = (
            *(of_corpus.mean(axis=0), of_corpus.std(axis=0)),
            *(rows.mean(axis=0), rows.std(axis=0)),
        )
        a = len(rows) / (len(rows) + 3)
        mean = a * m + (1 - a) * mu
        variance = a * s**2 + (1 - a) * sigma**2 + a * (1 - a) * (m - mu) ** 2
        found = Z[(corpus == name) & (speaker == who)]
        assert found == pytest.approx((rows - mean) / np.sqrt(variance))


@proves("entropy", "density")
def test_scores_without_labels(rng):
    p = rng.dirichlet([1, 1, 1], 9)
    model = SimpleNamespace(predict_proba=lambda X: p)
    expected = 1 + (p * np.log(p)).sum() / (9 * np.log(3))
    assert metrics.entropy_score(model, p) == pytest.approx(expected)
    unit = p / norm(p, axis=1, keepdims=True)
    s = np.exp(unit @ unit.T / 0.1)
    total = 0
    for i in range(9):
        q = np.delete(s[i], i) / np.delete(s[i], i).sum()
        total -= (q * np.log(q)).sum() / 9
    assert metrics.neighborhood_density_score(model, p, temperature=0.1) == pytest.approx(total)


@proves("uar", "ccc", "adjusted-r2")
def test_scores_with_labels(rng):
    y, predicted = rng.integers(3, size=20), rng.integers(4, size=20)
    recalls = [np.mean(predicted[y == k] == k) for k in np.unique(y)]
    assert metrics.unweighted_average_recall(y, predicted) == pytest.approx(np.mean(recalls))
    truth = rng.normal(size=20)
    guess = truth + rng.normal(size=20) + 1
    covariance = np.mean((truth - truth.mean()) * (guess - guess.mean()))
    spread = truth.var() + guess.var() + (truth.mean() - guess.mean()) ** 2
    found = metrics.concordance_correlation(truth, guess)
    assert found == pytest.approx(2 * covariance / spread)
    share = ((truth - guess) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    found = metrics.adjusted_r2(truth, guess, n_predictors=3)
    assert found == pytest.approx(1 - 19 / 16 * share)


@proves("brier", "ece", "divergence")
def test_calibration(rng):
    p, y = rng.dirichlet([1, 1, 1], 30), rng.integers(3, size=30)
    hit = np.eye(3)[y]
    assert metrics.brier_score(y, p, labels=[0, 1, 2]) == pytest.approx(((p - hit) ** 2).sum() / 30)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    bins = np.ceil(confidence * 10)
    expected = sum(
        (bins == b).mean() * abs(right[bins == b].mean() - confidence[bins == b].mean())
        for b in np.unique(bins)
    )
    found = metrics.expected_calibration_error(y, p, labels=[0, 1, 2], n_bins=10)
    assert found == pytest.approx(expected)
    s = rng.dirichlet([1, 1, 1], 30)
    expected = (s * np.log(s / p)).sum() / 30
    assert metrics.soft_label_divergence(s, p) == pytest.approx(expected, abs=1e-6)


def recordings(rng, n_speakers=6, n=4):
    speaker = np.repeat(np.arange(n_speakers), n)
    y = np.tile(["a", "b"], n_speakers * n // 2)
    first, second = (
        np.where(rng.random(len(y)) < chance, y, np.where(y == "a", "b", "a"))
        for chance in (0.9, 0.5)
    )
    return y, speaker, first, second


@proves("interval", "interval-of-mean")
def test_intervals(rng):
    y, speaker, predicted, _ = recordings(rng)
    found = speaker_interval(y, predicted, speaker, metric="accuracy", n_draws=4000)
    right = np.array([(predicted == y)[speaker == s].mean() for s in range(6)])
    # For a mean over speakers, all draws of six out of six are known: their variance is that of
    # the speakers over six.
    error = right.std() / np.sqrt(6) * np.sqrt(6 / 5)
    assert found.standard_error == pytest.approx(error, rel=0.05)
    margin = stats.t.ppf(0.975, 5) * found.standard_error
    assert found.low == pytest.approx(found.estimate - margin)
    parts = [SpeakerInterval(0.5, 0, 1, e, s, "") for e, s in ((0.1, 6), (0.2, 9))]
    mean = interval_of_mean(parts, ["x", "y"], 0.9, low=0, high=1)
    squares = np.array([0.01, 0.04])
    error, freedom = np.sqrt(squares.sum()) / 2, 0.05**2 / (squares**2 / [5, 8]).sum()
    assert mean.standard_error == pytest.approx(error)
    assert mean.high == pytest.approx(0.5 + stats.t.ppf(0.95, freedom) * error)


@proves("permutation")
def test_permutations(rng):
    y, speaker, first, second = recordings(rng)
    facts = {"sample": range(24), "corpus": "c", "speaker": speaker, "repeat": 0, "y_true": y}
    tables = [pd.DataFrame({**facts, "y_pred": one}) for one in (first, second)]
    score = metrics.unweighted_average_recall

    def difference(swapped):
        swap = np.isin(speaker, swapped)
        return score(y, np.where(swap, second, first)) - score(y, np.where(swap, first, second))

    subsets = [c for size in range(7) for c in itertools.combinations(range(6), size)]
    found = compare_methods(*tables).iloc[0]
    extreme = [abs(difference(one)) >= abs(difference(())) - 1e-9 for one in subsets]
    assert found.exact
    assert found.p_value == pytest.approx(np.mean(extreme))
    # With fewer exchanges than there are, the observed one is added to both counts.
    drawn = compare_methods(*tables, n_permutations=50).iloc[0]
    swaps = np.random.RandomState(0).randint(2, size=(50, 6))
    extreme = [abs(difference(np.flatnonzero(one))) >= abs(difference(())) - 1e-9 for one in swaps]
    assert drawn.p_value == pytest.approx((sum(extreme) + 1) / 51)


@proves("holm")
def test_holm(rng):
    p = np.sort(rng.random(5) / 4)
    expected = [max(min((5 - j) * p[j], 1) for j in range(i + 1)) for i in range(5)]
    assert holm(p) == pytest.approx(expected)


def labels_of(text):
    return re.findall(r"^   :label: (\S+)$", text, re.MULTILINE)


def test_every_equation_is_proved():
    labels = labels_of(PAGE.read_text(encoding="utf-8"))
    assert len(labels) == len(set(labels)) > 30
    assert set(labels) == PROVED.keys()
    assert {name for names in PROVED.values() for name in names} <= globals().keys()


def test_every_formula_that_is_set_apart_has_a_number():
    text = PAGE.read_text(encoding="utf-8")
    assert len(re.findall(r"^\.\. math::$", text, re.MULTILINE)) == len(labels_of(text))
    assert set(re.findall(r":eq:`(.+?)`", text)) <= set(labels_of(text))
