"""What `das2022` of the four autoencoders promises: the authors' script to the letter."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ser import DAETransformer, KLAnnealedVAE, MetricDAE, SemiSupervisedVAE
from sklearn_ser.nn._training import EpochState

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FAMILY = [DAETransformer, KLAnnealedVAE, SemiSupervisedVAE, MetricDAE]

PRINTED = """\
(decoder): Decoder(
    (0): Linear(in_features=2, out_features=10, bias=True)
    (1): Linear(in_features=10, out_features=20, bias=True)
    (2): ReLU()
    (3): Linear(in_features=20, out_features=40, bias=True)
    (4): Linear(in_features=40, out_features=88, bias=True)
  )"""

ENCODER = """\
(encoder): Encoder(
    (0): Linear(in_features=88, out_features=40, bias=True)
    (1): ReLU()
    (2): Linear(in_features=40, out_features=20, bias=True)
    (3): ReLU()
    (4): Linear(in_features=20, out_features=10, bias=True)
    (5): ReLU()
    (6): Linear(in_features=10, out_features={}, bias=True)
  )"""


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((70, 88)).astype(np.float32)


def labels_for(cls, n):
    return {
        SemiSupervisedVAE: {"y": np.resize(["anger", "neutral", "sadness"], n)},
        MetricDAE: {"activation": np.resize(np.linspace(1, 5, 7), n)},
    }.get(cls, {})


def fitted(cls, X, **parameters):
    model = cls.das2022(**{"max_epochs": 2, "random_state": 0, **parameters})
    return model.fit(X, **labels_for(cls, len(X)))


@pytest.mark.parametrize("cls", FAMILY)
def test_the_printed_module(cls, X):
    printed = repr(fitted(cls, X).net_.module_)
    n_outputs = 4 if issubclass(cls, KLAnnealedVAE) else 2
    assert ENCODER.format(n_outputs) in printed
    assert PRINTED in printed


@pytest.mark.parametrize("cls", FAMILY)
def test_parameters(cls):
    settings = cls.das2022().get_params()
    expected = {
        "n_components": 2,
        "hidden_layer_sizes": (40, 20, 10),
        "decoder_activation": ("identity", "relu", "identity"),
        "noise": 1.0,
        "noise_in_transform": True,
        "learning_rate": 1e-4,
        "max_epochs": 100,
        "batch_size": 64,
        "early_stopping": False,
    }
    assert {name: settings[name] for name in expected} == expected


@pytest.mark.parametrize("cls", FAMILY)
def test_anything_may_be_set_differently(cls):
    model = cls.das2022(n_components=10, device="auto", noise_in_transform=False)
    assert (model.n_components, model.device, model.noise_in_transform) == (10, "auto", False)
    assert model.noise == 1.0


@pytest.mark.parametrize("cls", FAMILY)
def test_a_seed_gives_the_same_bits_noise_included(cls, X):
    first, second = (fitted(cls, X).transform(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_loss_of_metric_learning():
    settings = MetricDAE.das2022().get_params()
    assert (settings["metric_weight"], settings["objective"]) == (1.0, "log")
    assert settings["metric_dimension"] is None


def test_the_log_loss_by_hand():
    # Two features that the network copies; two rows apart by 2 in activation. Positions are
    # means over both dimensions, 2 and 5: slope 3/2, nothing left over, |slope - 1| = 1/2. The
    # rows are rebuilt with errors of 1 in one of four entries: a mean square of 1/4.
    class Copy(nn.Module):
        def encode(self, x):
            return x

        def decode(self, z):
            return z + torch.tensor([[1.0, 0.0], [0.0, 0.0]])

    model = MetricDAE.das2022(noise=0.0)
    model.label_names_ = ("activation",)
    batch = {"X": torch.tensor([[1.0, 3.0], [4.0, 6.0]]), "activation": torch.tensor([1.0, 3.0])}
    state = EpochState(0, model._weights(0), torch.Generator())
    terms = model._loss_terms(Copy(), batch, state)
    assert model._total(terms, state.weights).item() == pytest.approx(np.log(0.25 + 0.0 + 0.5))


def test_the_supervision_of_the_script():
    assert SemiSupervisedVAE.das2022().supervision == "das2022"


class TestNoise:
    """Of `noise_in_transform`, which no other recipe sets."""

    @pytest.mark.parametrize("cls", FAMILY)
    def test_it_is_that_of_the_training_in_size(self, cls, X):
        noisy = fitted(cls, X, hidden_layer_sizes=(), decoder_activation="relu")
        clean = pickle.loads(pickle.dumps(noisy)).set_params(noise_in_transform=False)
        # The encoder is affine: what the noise adds to a row is its image.
        added = noisy.transform(X) - clean.transform(X)
        weights = noisy.net_.module_.encoder[-1].weight.detach().numpy()[:2]
        expected = np.linalg.norm(weights, axis=1)
        np.testing.assert_allclose(added.std(axis=0), expected, rtol=0.3)
        doubled = noisy.set_params(noise=2.0).transform(X) - clean.transform(X)
        np.testing.assert_allclose(doubled, 2 * added, atol=1e-5)

    @pytest.mark.parametrize("cls", FAMILY)
    def test_calls_agree_and_so_do_rows_in_them(self, cls, X):
        model = fitted(cls, X)
        np.testing.assert_array_equal(model.transform(X), model.transform(X))
        for some in (slice(5), [60], slice(None, None, -1)):
            np.testing.assert_allclose(
                model.transform(X)[some], model.transform(X[some]), atol=1e-6
            )
        loaded = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(loaded.transform(X), model.transform(X))

    def test_rows_at_the_same_position_do_not_share_it(self, X):
        model = fitted(DAETransformer, X, hidden_layer_sizes=(), decoder_activation=())
        clean = copy.deepcopy(model).set_params(noise_in_transform=False)
        first, second = (model.transform(rows) - clean.transform(rows) for rows in (X, X + 1))
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.3

    def test_another_seed_adds_other_noise(self, X):
        model = fitted(DAETransformer, X)
        before = model.transform(X)
        model._seed += 1
        assert np.abs(model.transform(X) - before).max() > 0.01

    @pytest.mark.parametrize("cls", FAMILY)
    def test_the_global_generators_are_left_alone(self, cls, X):
        model = fitted(cls, X)
        before = torch.get_rng_state(), np.random.mtrand._rand.get_state()[1].copy()
        model.transform(X)
        assert torch.equal(torch.get_rng_state(), before[0])
        np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], before[1])

    @pytest.mark.parametrize("cls", FAMILY)
    def test_the_reconstruction_has_none(self, cls, X):
        model = fitted(cls, X)
        reconstruction = model.reconstruct(X)
        score = model.score(X)
        model.set_params(noise_in_transform=False)
        np.testing.assert_array_equal(model.reconstruct(X), reconstruction)
        assert model.score(X) == score

    @pytest.mark.parametrize("cls", [KLAnnealedVAE, SemiSupervisedVAE])
    def test_a_variational_one_denoises(self, cls, X):
        losses = [
            fitted(cls, X, noise=noise, learning_rate=1e-12).history_[0]["reconstruction"]
            for noise in (0.0, 1.0, 1.0)
        ]
        assert losses[0] != losses[1] == losses[2]


class TestDecoder:
    """Of `decoder_activation`."""

    @pytest.mark.parametrize("cls", FAMILY)
    def test_one_for_all_is_as_many(self, cls, X):
        settings = {"hidden_layer_sizes": (8, 4)}
        for name in ("relu", "identity"):
            one = fitted(cls, X, decoder_activation=name, **settings)
            for many in ([name, name], np.array([name, name])):
                other = fitted(cls, X, decoder_activation=many, **settings)
                np.testing.assert_array_equal(one.transform(X), other.transform(X))
                assert repr(one.net_.module_) == repr(other.net_.module_)

    @pytest.mark.parametrize("cls", FAMILY)
    def test_identity_makes_it_affine(self, cls, X):
        model = fitted(cls, X, decoder_activation="identity")
        Z = np.array([[0, 0], [1, 2], [2, 4]], dtype=np.float32) * 100
        origin, once, twice = model.inverse_transform(Z)
        np.testing.assert_allclose(twice - origin, 2 * (once - origin), rtol=1e-3, atol=1e-3)

    @pytest.mark.parametrize("cls", FAMILY)
    @pytest.mark.parametrize(
        ("activation", "match"),
        [
            (("relu", "identity"), r"has 2 entries, but hidden_layer_sizes has 3\. Give one"),
            ((), r"has 0 entries, but hidden_layer_sizes has 3"),
            (("relu", "tanh", "relu"), r"must be 'relu', 'identity' or a sequence.*'tanh'"),
            (("relu", None, "relu"), r"must be 'relu', 'identity' or a sequence"),
            ("tanh", r"'decoder_activation' parameter of .* must be .*Got 'tanh'"),
        ],
    )
    def test_others_are_refused(self, cls, activation, match, X):
        with pytest.raises(ValueError, match=match):
            fitted(cls, X, decoder_activation=activation)

    @pytest.mark.parametrize("cls", FAMILY)
    def test_a_warm_start_needs_the_same(self, cls, X):
        model = fitted(cls, X, warm_start=True).set_params(decoder_activation="relu")
        with pytest.raises(
            ValueError, match=r"decoder_activation was \('identity'.* and is 'relu'"
        ):
            model.fit(X, **labels_for(cls, len(X)))

    @pytest.mark.parametrize("cls", FAMILY)
    def test_a_model_from_before_had_relu(self, cls, X):
        model = cls(2, hidden_layer_sizes=(8,), max_epochs=2, warm_start=True, random_state=0)
        model.fit(X, **labels_for(cls, len(X)))
        state = copy.deepcopy(model.__getstate__())
        for name in ("decoder_activation", "noise_in_transform"):
            del state[name]
        name, arguments = state["_recipe"]
        assert arguments.pop("decoder_activation") == "relu"
        old = cls.__new__(cls)
        old.__setstate__(state)
        np.testing.assert_array_equal(old.transform(X), model.transform(X))
        for one in (old, model):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                one.fit(X, **labels_for(cls, len(X)))
        np.testing.assert_array_equal(old.transform(X), model.transform(X))
