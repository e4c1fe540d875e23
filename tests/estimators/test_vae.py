import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils import check_random_state
from torch.distributions import Normal, kl_divergence

from sklearn_ser import KLAnnealedVAE
from sklearn_ser.exceptions import PosteriorCollapseWarning


def mixtures(n_samples=400, n_features=6, n_factors=2, seed=0):
    """Standardised features that are noisy mixtures of a few factors."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_factors)) @ rng.standard_normal((n_factors, n_features))
    X += 0.3 * rng.standard_normal(X.shape)
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)


def small(n_components=2, **parameters):
    settings = {
        "hidden_layer_sizes": (16,),
        "learning_rate": 1e-2,
        "beta": 0.2,
        "max_epochs": 30,
        "random_state": 0,
    }
    return KLAnnealedVAE(n_components, **{**settings, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return small().fit(mixtures())


def test_embedding_is_the_mean_of_the_posterior(fitted):
    mean, variance = fitted.posterior(mixtures())
    np.testing.assert_array_equal(fitted.transform(mixtures()), mean)
    assert mean.shape == variance.shape == (400, 2)
    assert mean.dtype == variance.dtype == np.float32
    assert (variance > 0).all()


def test_divergence_of_the_history_is_that_of_the_posterior():
    # A step size that changes nothing: the only epoch sees the posterior of the fitted model.
    X = mixtures()
    vae = small(max_epochs=1, learning_rate=1e-12, batch_size=400, free_bits=0.0).fit(X)
    mean, variance = (torch.from_numpy(part) for part in vae.posterior(X))
    posterior, prior = Normal(mean, variance.sqrt()), Normal(torch.zeros(2), torch.ones(2))
    expected = kl_divergence(posterior, prior).sum(dim=1).mean() / X.shape[1]
    assert vae.history_[0]["kl"] == pytest.approx(float(expected), rel=1e-4)


def test_outlying_rows_do_not_end_the_training():
    X = mixtures(200, 60, 10)
    X[:3] *= 20
    vae = small(32, hidden_layer_sizes=(128,), beta=0.03, max_epochs=60).fit(X)
    assert len(vae.history_) == 60
    assert vae.history_[-1]["reconstruction"] < 0.5 * np.square(X).mean()
    assert np.isfinite(vae.latent_covariance_).all()
    assert np.isfinite(vae.sample(5, random_state=0)).all()


def test_variances_of_rows_beyond_all_of_the_training_are_finite(fitted):
    _, variance = fitted.posterior(np.vstack([mixtures(), -mixtures()]) * np.float32(1e6))
    assert np.isfinite(variance).all()


@pytest.mark.parametrize(
    ("schedule", "weights"),
    [
        ("constant", [1, 1, 1, 1, 1, 1, 1, 1]),
        ("linear", [0, 0.25, 0.5, 0.75, 1, 1, 1, 1]),
        ("cosine", [0, 0.14645, 0.5, 0.85355, 1, 1, 1, 1]),
        ("sigmoid", [0, 0.07010, 0.5, 0.92990, 1, 1, 1, 1]),
        ("cyclical", [0, 0.5, 1, 1, 0, 0.5, 1, 1]),
    ],
)
def test_weight_of_every_epoch_is_recorded(schedule, weights):
    vae = small(max_epochs=8, beta=3.0, kl_annealing=schedule, n_cycles=2).fit(mixtures(64))
    np.testing.assert_allclose(vae.kl_weight_, 3 * np.array(weights), atol=1e-4)
    last = vae.history_[-1]
    assert last["loss"] == pytest.approx(last["reconstruction"] + 3 * last["kl"])


def test_annealing_epochs_are_honoured_and_continued_by_warm_start():
    vae = small(max_epochs=3, beta=1.0, annealing_epochs=5, warm_start=True).fit(mixtures(64))
    vae.fit(mixtures(64))
    np.testing.assert_allclose(vae.kl_weight_, [0, 0.2, 0.4, 0.6, 0.8, 1])


def test_reconstruction_improves_and_divergence_rises_as_beta_falls():
    X = mixtures()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PosteriorCollapseWarning)
        last = [small(beta=beta, max_epochs=60).fit(X).history_[-1] for beta in (3, 0.5, 0.05, 0)]
    assert (np.diff([row["reconstruction"] for row in last]) < 0).all()
    assert (np.diff([row["kl"] for row in last]) > 0).all()


def test_mean_divides_by_units_where_sum_divides_by_features():
    # 6 features, 2 units: the loss of one convention is the other's with a third of its beta.
    X = mixtures()
    by_sum = small(beta=0.6, kl_reduction="sum", max_epochs=5).fit(X)
    by_mean = small(beta=0.2, kl_reduction="mean", max_epochs=5).fit(X)
    np.testing.assert_allclose(by_sum.transform(X), by_mean.transform(X), atol=1e-3)
    assert by_mean.history_[-1]["kl"] == pytest.approx(3 * by_sum.history_[-1]["kl"], rel=1e-3)


def test_samples_have_the_moments_of_a_gaussian():
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((3, 3))
    X = rng.standard_normal((4000, 3)) @ mixing + [1.0, -2.0, 0.0]
    vae = KLAnnealedVAE(
        3, hidden_layer_sizes=(), beta=0.1, learning_rate=1e-2, max_epochs=40, random_state=0
    ).fit(X)
    drawn = vae.sample(20000, random_state=0)
    scale = X.std(axis=0)
    np.testing.assert_allclose(drawn.mean(axis=0) / scale, X.mean(axis=0) / scale, atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T) / np.outer(scale, scale), np.corrcoef(X.T), atol=0.1)


def test_sample_repeats_with_a_seed_and_leaves_global_state_alone(fitted):
    before = check_random_state(None).get_state()[1].copy()
    first, again = fitted.sample(5, 3), fitted.sample(5, random_state=3)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, fitted.sample(5, random_state=4))
    assert first.shape == (5, 6)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(check_random_state(None).get_state()[1], before)


@pytest.mark.parametrize("n_samples", [0, -1, 2.5])
def test_sample_wants_a_positive_integer(fitted, n_samples):
    with pytest.raises(ValueError, match=r"n_samples must be an integer of at least 1, got"):
        fitted.sample(n_samples)


def test_latent_moments_are_those_of_all_posteriors(fitted):
    mean, variance = fitted.posterior(mixtures())
    noise = np.random.default_rng(0).standard_normal((200, *mean.shape))
    points = (mean + np.sqrt(variance) * noise).reshape(-1, 2)
    np.testing.assert_allclose(fitted.latent_mean_, points.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(fitted.latent_covariance_, np.cov(points.T), atol=0.02)


def test_noise_variance_is_what_decoding_leaves_over(fitted):
    X = mixtures()
    mean, variance = fitted.posterior(X)
    noise = np.random.default_rng(0).standard_normal((50, *mean.shape))
    errors = [
        np.square(fitted.inverse_transform(mean + np.sqrt(variance) * one) - X) for one in noise
    ]
    np.testing.assert_allclose(fitted.noise_variance_, np.mean(errors, axis=(0, 1)), rtol=0.1)


def test_collapse_is_named():
    # Noise of variance 1/2 on each feature explains the weaker factors away.
    vae = small(5, beta=1.0, max_epochs=60)
    with pytest.warns(PosteriorCollapseWarning, match=r"of 5 latent units 2, \[\d, \d\], vary"):
        vae.fit(mixtures())
    spread = vae.transform(mixtures()).var(axis=0)
    np.testing.assert_array_equal(np.flatnonzero(spread > 0.01), vae.active_units_)
    assert len(vae.active_units_) == 2


def test_total_collapse_names_no_unit():
    with pytest.warns(PosteriorCollapseWarning, match="of 2 latent units 0 vary"):
        small(beta=100.0).fit(mixtures())


def test_no_warning_without_collapse():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vae = small().fit(mixtures())
    assert vae.active_units_.tolist() == [0, 1]


def test_free_bits_keep_units_alive():
    with pytest.warns(PosteriorCollapseWarning):
        without = small(4, beta=2.0).fit(mixtures())
    generous = small(4, beta=2.0, free_bits=1.0).fit(mixtures())
    assert len(without.active_units_) < len(generous.active_units_) == 4


def test_stopping_waits_for_the_end_of_annealing():
    vae = small(
        max_epochs=40,
        annealing_epochs=12,
        early_stopping=True,
        n_iter_no_change=1,
        tol=1e3,
    )
    # No improvement is large enough: it stops as soon as it may look.
    assert vae.fit(mixtures()).n_iter_ == 12 + 2
    assert vae.best_epoch_ > 12


def test_validation_has_the_full_weight_from_the_start():
    vae = small(max_epochs=4, beta=0.7, annealing_epochs=4, early_stopping=True).fit(mixtures())
    row = vae.history_[0]
    assert row["kl_weight"] == 0
    assert row["validation_loss"] == pytest.approx(
        row["validation_reconstruction"] + 0.7 * row["validation_kl"]
    )


def test_refits_are_bit_identical(fitted):
    again = clone(fitted).fit(mixtures())
    np.testing.assert_array_equal(again.transform(mixtures()), fitted.transform(mixtures()))
    np.testing.assert_array_equal(again.noise_variance_, fitted.noise_variance_)


def test_pickle_keeps_posterior_and_samples(fitted):
    loaded = pickle.loads(pickle.dumps(fitted))
    for ours, theirs in zip(
        loaded.posterior(mixtures()), fitted.posterior(mixtures()), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(loaded.sample(3, 0), fitted.sample(3, 0))
    np.testing.assert_array_equal(loaded.kl_weight_, fitted.kl_weight_)


def test_target_rows_join_the_training():
    X, unlabelled = mixtures(100), mixtures(100, seed=1)
    with_target = small().fit(X, X_target=unlabelled)
    stacked = small().fit(np.vstack([X, unlabelled]))
    np.testing.assert_array_equal(with_target.transform(X), stacked.transform(X))


def test_partial_fit_counts_each_call_as_an_epoch_of_annealing():
    vae = small(beta=1.0, annealing_epochs=4)
    for seed in range(6):
        vae.partial_fit(mixtures(50, seed=seed))
    np.testing.assert_allclose(vae.kl_weight_, [0, 0.25, 0.5, 0.75, 1, 1])
    assert vae.sample(2, 0).shape == (2, 6)


def test_one_row_says_nothing_of_collapse():
    with warnings.catch_warnings():
        warnings.simplefilter("error", PosteriorCollapseWarning)
        assert small(max_epochs=2).fit(mixtures()[:1]).transform(mixtures()).shape == (400, 2)


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_unscaled_features_are_learnt_as_well(scale):
    X = mixtures() * np.float32(scale)
    vae = small().fit(X)
    assert len(vae.history_) == 30
    assert vae.history_[-1]["reconstruction"] < 0.5 * np.square(X).mean()


def test_history_counts_the_active_units():
    vae = small(5, beta=1.0, max_epochs=60)
    with pytest.warns(PosteriorCollapseWarning):
        vae.fit(mixtures())
    counts = [row["active_units"] for row in vae.history_]
    assert max(counts) == 5
    assert counts[-1] == len(vae.active_units_) == 2


def test_units_are_counted_on_some_of_many_rows():
    X = mixtures(2500)
    seen = []
    vae = small(max_epochs=1, batch_size=500)
    measures = vae._epoch_measures
    vae._epoch_measures = lambda module, x: seen.append(x.numpy()) or measures(module, x)
    vae.fit(X)
    np.testing.assert_array_equal(seen[0], X[::3])
