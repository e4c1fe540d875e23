"""What all autoencoders promise, tried on each of them.

SKLEARN_SER_DEVICE=cuda runs all of it on a GPU.
"""

import copy
import os
import pickle
import subprocess
import sys
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import clone, config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_ser
from sklearn_ser.estimators._base import BaseAutoencoder

DEVICE = os.environ.get("SKLEARN_SER_DEVICE", "cpu")

FAMILY = [
    cls
    for name in sklearn_ser.estimators.__all__
    if issubclass(cls := getattr(sklearn_ser.estimators, name), BaseAutoencoder)
]

# Networks of three epochs collapse, and most of these fits come without labels.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
needs_no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


@pytest.fixture(params=FAMILY, ids=lambda cls: cls.__name__)
def make(request):
    """Make an estimator that trains fast."""

    def make(**parameters):
        settings = {
            "n_components": 4,
            "hidden_layer_sizes": (8,),
            "max_epochs": 3,
            "random_state": 0,
            "device": DEVICE,
        }
        return request.param(**{**settings, **parameters})

    return make


@pytest.fixture
def X():
    return rows(100)


def rows(n, n_features=6, seed=0):
    """Standard normal rows that are mixtures of three."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((n, 3)) @ rng.standard_normal((3, n_features))
    return (mixed / 3**0.5 + 0.1 * rng.standard_normal(mixed.shape)).astype(np.float32)


def labels_for(estimator, n):
    """Return the labels that an estimator learns from, as arguments of fit."""
    return {
        "SemiSupervisedVAE": {"y": np.resize(["anger", "neutral", "sadness"], n)},
        "MetricDAE": {"activation": np.resize(np.linspace(1, 5, 7), n)},
    }.get(type(estimator).__name__, {})


def train(estimator, X, **arguments):
    return estimator.fit(X, **labels_for(estimator, len(X)), **arguments)


def test_the_family_is_complete():
    assert sorted(cls.__name__ for cls in FAMILY) == [
        "DAETransformer",
        "KLAnnealedVAE",
        "MetricDAE",
        "SemiSupervisedVAE",
    ]


class TestSeeds:
    def test_refits_are_the_same_to_the_bit(self, make, X):
        first, second = (train(make(early_stopping=True), X) for _ in range(2))
        np.testing.assert_array_equal(first.transform(X), second.transform(X))
        for one, other in zip(first.history_, second.history_, strict=True):
            assert {**one, "duration": 0} == {**other, "duration": 0}

    def test_another_seed_gives_another_model(self, make, X):
        first, second = (train(make(random_state=seed), X).transform(X) for seed in (0, 1))
        assert not np.allclose(first, second)

    def test_a_generator_is_used_and_advances(self, make, X):
        rng = np.random.RandomState(0)
        first, second = (train(make(random_state=rng), X).transform(X) for _ in range(2))
        assert not np.allclose(first, second)

    def test_generators_of_the_caller_are_left_alone(self, make, X):
        legacy = np.random.mtrand._rand
        before = torch.get_rng_state(), legacy.get_state()[1].copy()
        estimator = train(make(early_stopping=True), X)
        estimator.transform(X)
        estimator.partial_fit(X)
        pickle.loads(pickle.dumps(estimator))
        assert torch.equal(torch.get_rng_state(), before[0])
        np.testing.assert_array_equal(legacy.get_state()[1], before[1])

    def test_fits_in_threads_do_not_disturb_each_other(self, make, X):
        expected = train(make(max_epochs=10), X).transform(X)
        estimators = [make(max_epochs=10) for _ in range(4)]
        threads = [threading.Thread(target=train, args=(one, X)) for one in estimators]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for estimator in estimators:
            np.testing.assert_array_equal(estimator.transform(X), expected)


class TestThreads:
    @pytest.fixture(autouse=True)
    def _threads_as_before(self):
        before = torch.get_num_threads()
        yield
        torch.set_num_threads(before)

    def test_their_number_changes_nothing_and_is_restored(self, make):
        X = rows(300, n_features=200)
        embeddings = []
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            embeddings.append(train(make(batch_size=256), X).transform(X))
            assert torch.get_num_threads() == n_threads
        np.testing.assert_array_equal(*embeddings)

    @pytest.mark.skipif(DEVICE != "cpu", reason="the CPU's threads matter on the CPU only")
    def test_training_and_use_have_one(self, make, X, monkeypatch):
        estimator = make()
        seen = []
        terms = estimator._loss_terms

        def spy(module, batch, state):
            seen.append(torch.get_num_threads())
            return terms(module, batch, state)

        monkeypatch.setattr(estimator, "_loss_terms", spy)
        torch.set_num_threads(2)
        train(estimator, X)
        estimator._in_batches(lambda module, x: seen.append(torch.get_num_threads()) or x, X)
        assert set(seen) == {1}

    def test_it_is_restored_after_an_error(self, make, X, monkeypatch):
        def fail(module, batch, state):
            raise KeyError("loss")

        estimator = make()
        monkeypatch.setattr(estimator, "_loss_terms", fail)
        torch.set_num_threads(2)
        with pytest.raises(KeyError, match="loss"):
            train(estimator, X)
        assert torch.get_num_threads() == 2


class TestPickle:
    @pytest.mark.parametrize("roundtrip", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
    def test_the_copy_does_the_same(self, make, X, roundtrip):
        estimator = train(make(), X)
        loaded = roundtrip(estimator)
        np.testing.assert_array_equal(loaded.transform(X), estimator.transform(X))
        np.testing.assert_array_equal(loaded.reconstruct(X), estimator.reconstruct(X))
        assert loaded.score(X) == estimator.score(X)
        assert loaded.history_ == estimator.history_
        assert not loaded.net_.module_.training

    def test_it_is_small_and_has_no_tensors(self, make, X):
        estimator = train(make(hidden_layer_sizes=(64, 32)), X)
        weights = sum(4 * one.numel() for one in estimator.net_.module_.parameters())
        pickled = pickle.dumps(estimator)
        assert len(pickled) < weights + 8000
        assert b"torch.storage" not in pickled
        assert b"_rebuild_tensor" not in pickled

    def test_parameters_changed_since_do_not_matter(self, make, X):
        estimator = train(make(), X)
        expected = estimator.transform(X)
        estimator.set_params(n_components=2, hidden_layer_sizes=(5, 4), learning_rate=1.0)
        loaded = pickle.loads(pickle.dumps(estimator))
        np.testing.assert_array_equal(loaded.transform(X), expected)
        assert len(loaded.get_feature_names_out()) == 4

    @pytest.mark.parametrize("pause_after", [1, 2])
    def test_training_by_parts_survives_it(self, make, X, pause_after):
        straight, paused = make(), make()
        for part in range(3):
            straight.partial_fit(X[part * 30 :][:30])
            paused.partial_fit(X[part * 30 :][:30])
            if part + 1 == pause_after:
                paused = pickle.loads(pickle.dumps(paused))
        np.testing.assert_array_equal(paused.transform(X), straight.transform(X))

    def test_a_warm_start_survives_it(self, make, X):
        straight = train(make(warm_start=True), X)
        paused = pickle.loads(pickle.dumps(straight))
        np.testing.assert_array_equal(
            train(paused, X).transform(X), train(straight, X).transform(X)
        )

    @needs_no_cuda
    def test_a_model_for_a_gpu_loads_without_one(self, make, X):
        estimator = train(make(), X)
        expected = estimator.transform(X)
        estimator.set_params(device="cuda")
        loaded = pickle.loads(pickle.dumps(estimator))
        np.testing.assert_array_equal(loaded.transform(X), expected)
        with pytest.raises(RuntimeError, match=r"device='cuda' is not available.*'auto'"):
            train(loaded, X)

    @needs_cuda
    def test_a_model_of_a_gpu_loads_without_one(self, make, X, tmp_path):
        estimator = train(make(device="cuda"), X)
        assert estimator.net_.device.type == "cuda"
        np.save(tmp_path / "X.npy", X)
        (tmp_path / "model.pickle").write_bytes(pickle.dumps(estimator))
        code = (
            "import pickle, sys, numpy as np, torch; assert not torch.cuda.is_available(); "
            "model = pickle.load(open('model.pickle', 'rb')); "
            "np.save('Z.npy', model.transform(np.load('X.npy')))"
        )
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            check=True,
        )
        Z = np.load(tmp_path / "Z.npy")
        np.testing.assert_allclose(Z, estimator.transform(X), rtol=1e-4, atol=1e-5)


class TestDevice:
    def test_an_unknown_one(self, make, X):
        with pytest.raises(ValueError, match=r"device must be 'cpu', 'auto'.*got 'gpu'"):
            train(make(device="gpu"), X)

    def test_auto_works_everywhere(self, make, X):
        estimator = train(make(device="auto"), X)
        assert estimator.net_.device.type == ("cuda" if torch.cuda.is_available() else "cpu")

    @needs_cuda
    def test_a_gpu_starts_from_the_same_weights(self, make, X):
        on_cpu, on_gpu = (
            train(make(device=device, learning_rate=1e-12), X).transform(X)
            for device in ("cpu", "cuda")
        )
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-4, atol=1e-5)

    @needs_cuda
    def test_training_moves_between_devices(self, make, X):
        estimator = train(make(device="cpu", warm_start=True), X)
        train(estimator.set_params(device="cuda"), X)
        assert estimator.net_.device.type == "cuda"
        assert estimator.n_iter_ == 6
        train(estimator.set_params(device="cpu"), X)
        assert np.isfinite(estimator.transform(X)).all()


class TestTraining:
    def test_the_loss_falls(self, make, X):
        estimator = train(make(max_epochs=60, learning_rate=1e-2), X)
        before, after = estimator.history_[0], estimator.history_[-1]
        assert after["reconstruction"] < 0.8 * before["reconstruction"]

    def test_history(self, make, X):
        estimator = train(make(), X)
        assert [row["epoch"] for row in estimator.history_] == [1, 2, 3]
        assert estimator.n_iter_ == estimator.best_epoch_ == 3
        for row in estimator.history_:
            assert {"loss", "reconstruction", "duration"} <= row.keys()
            assert "validation_loss" not in row
            assert all(isinstance(value, int | float) for value in row.values())

    def test_early_stopping_returns_to_the_best_epoch(self, make, X):
        settings = {"max_epochs": 40, "learning_rate": 0.03, "n_iter_no_change": 3, "tol": 0.0}
        stopped = train(make(early_stopping=True, validation_fraction=0.3, **settings), X)
        losses = np.array([row["validation_loss"] for row in stopped.history_])
        # Annealed weights make the first losses incomparable; those epochs do not compete.
        first = stopped._epochs_before_stopping()
        assert stopped.best_epoch_ == first + losses[first:].argmin() + 1
        assert stopped.n_iter_ == min(40, stopped.best_epoch_ + 3)

    def test_the_best_weights_are_the_ones_in_use(self, make, X):
        # All is equal but the number of epochs, so the longer run passes through the shorter.
        settings = {"early_stopping": True, "learning_rate": 0.3, "n_iter_no_change": 100}
        if "kl_annealing" in make().get_params():
            settings["kl_annealing"] = "constant"
        long = train(make(max_epochs=15, **settings), X)
        short = train(make(max_epochs=long.best_epoch_, **settings), X)
        assert long.n_iter_ == 15
        np.testing.assert_array_equal(long.transform(X), short.transform(X))

    def test_speakers_are_held_out_as_a_whole(self, make, X, monkeypatch):
        estimator = make(early_stopping=True, validation_fraction=0.25)
        seen = {True: set(), False: set()}
        terms = estimator._loss_terms

        def spy(module, batch, state):
            seen[state.training].update(batch["X"][:, 0].tolist())
            return terms(module, batch, state)

        monkeypatch.setattr(estimator, "_loss_terms", spy)
        speaker = np.repeat(["03", "08", "09", "10"], 25)
        X[:, 0] = np.repeat([0, 1, 2, 3], 25)
        train(estimator, X, speaker=speaker)
        assert len(seen[False]) == 1
        assert len(seen[True]) == 3
        assert not seen[True] & seen[False]

    def test_a_wrong_number_of_speakers(self, make, X):
        with pytest.raises(ValueError, match="speaker has 3 entries but X has 100 samples"):
            train(make(), X, speaker=["03", "08", "09"])

    def test_a_single_speaker(self, make, X):
        with pytest.raises(ValueError, match=r"a single speaker.*early_stopping=False"):
            train(make(early_stopping=True), X, speaker=["03"] * 100)

    def test_warm_start_goes_on(self, make, X):
        estimator = train(make(warm_start=True), X)
        before = estimator.history_.copy()
        train(estimator, X)
        assert estimator.n_iter_ == 6
        assert estimator.history_[:3] == before
        assert [row["epoch"] for row in estimator.history_] == [1, 2, 3, 4, 5, 6]

    def test_a_warm_start_begins_where_the_last_fit_ended(self, make, X):
        estimator = train(make(warm_start=True), X)
        expected = estimator.transform(X)
        train(estimator.set_params(learning_rate=1e-12, max_epochs=1), X)
        np.testing.assert_allclose(estimator.transform(X), expected, atol=1e-6)

    def test_without_it_fit_starts_anew(self, make, X):
        estimator = train(make(), X)
        first = estimator.transform(X)
        np.testing.assert_array_equal(train(estimator, X).transform(X), first)
        assert estimator.n_iter_ == 3

    def test_it_needs_the_same_network(self, make, X):
        estimator = train(make(warm_start=True), X)
        estimator.set_params(hidden_layer_sizes=(5,))
        with pytest.raises(
            ValueError, match=r"hidden_layer_sizes was \(8,\) and is \(5,\).*warm_start=False"
        ):
            train(estimator, X)

    def test_it_needs_the_same_features(self, make, X):
        estimator = train(make(warm_start=True), X)
        with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 6"):
            train(estimator, X[:, :5])

    def test_by_parts(self, make, X):
        estimator = make(learning_rate=1e-2)
        for _ in range(40):
            estimator.partial_fit(X[:50]).partial_fit(X[50:])
        assert estimator.n_iter_ == 80
        assert estimator.score(X) > make(max_epochs=1).fit(X).score(X)

    def test_every_part_gets_noise_of_its_own(self, make, X):
        # Weights hardly change, so that the same draws would give the same losses.
        estimator = make(learning_rate=1e-12, batch_size=100)
        losses = [estimator.partial_fit(X).history_[-1]["reconstruction"] for _ in range(2)]
        assert abs(losses[1] / losses[0] - 1) > 1e-5

    def test_a_divergence_warns_and_leaves_finite_weights(self, make, X):
        estimator = train(make(warm_start=True), X)
        expected = estimator.transform(X)
        estimator.set_params(learning_rate=1e30, batch_size=10)
        with pytest.warns(
            ConvergenceWarning, match=r"from before the training\. Lower learning_rate.* 1e\+30"
        ) as seen:
            train(estimator, X)
        assert [one.filename for one in seen if one.category is ConvergenceWarning] == [__file__]
        np.testing.assert_array_equal(estimator.transform(X), expected)
        assert estimator.n_iter_ < 6

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_an_error_instead_of_random_weights(self, make, X, method):
        estimator = make(learning_rate=1e30, batch_size=10)
        match = r"in the first epoch, so nothing was learnt\. Lower learning_rate, which is 1e\+30"
        with pytest.raises(ValueError, match=match):
            getattr(estimator, method)(X, **labels_for(estimator, len(X)))
        assert not hasattr(estimator, "net_")
        before = train(estimator.set_params(learning_rate=1e-3), X).transform(X)
        with pytest.raises(ValueError, match=match):
            train(estimator.set_params(learning_rate=1e30), X)
        np.testing.assert_array_equal(estimator.transform(X), before)
        assert estimator.n_iter_ == 3

    def test_rows_that_are_all_alike_have_one_embedding(self, make, X):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="All rows have almost the same")
            train(make(), np.ones_like(X))

    def test_progress_shows_the_terms(self, make, X, capsys):
        train(make(verbose=1), X)
        shown = capsys.readouterr().err
        assert "3/3" in shown
        assert "reconstruction=" in shown

    def test_it_is_silent_otherwise(self, make, X, capsys):
        train(make(), X)
        assert capsys.readouterr() == ("", "")


class TestTarget:
    def test_its_rows_count_as_if_they_were_rows_without_a_label(self, make, X):
        together = make().fit(X)
        with_target = make().fit(X[:60], X_target=X[60:])
        np.testing.assert_array_equal(with_target.transform(X), together.transform(X))

    def test_it_changes_what_is_learnt_from_labels(self, make, X):
        alone = train(make(), X).transform(X)
        assert not np.allclose(alone, train(make(), X, X_target=rows(50, seed=1)).transform(X))

    def test_some_of_it_is_held_out(self, make, X, monkeypatch):
        estimator = make(early_stopping=True, max_epochs=1)
        seen = []
        terms = estimator._loss_terms

        def spy(module, batch, state):
            seen.extend([] if state.training else (batch["X"][:, 0] == 7).tolist())
            return terms(module, batch, state)

        monkeypatch.setattr(estimator, "_loss_terms", spy)
        target = rows(40)
        target[:, 0] = 7
        estimator.fit(X, X_target=target)
        assert sum(seen) == 4
        assert len(seen) == 14

    def test_through_a_pipeline(self, make, X):
        target = rows(50, seed=1) * 10 + 3
        steps = StandardScaler(), make()
        with config_context(enable_metadata_routing=True):
            model = make_pipeline(*steps, transform_input=["X_target"]).fit(X, X_target=target)
        scaler = StandardScaler().fit(X)
        by_hand = make().fit(scaler.transform(X), X_target=scaler.transform(target))
        np.testing.assert_array_equal(model.transform(X), by_hand.transform(scaler.transform(X)))

    def test_wrong_width(self, make, X):
        with pytest.raises(
            ValueError, match=r"X_target has 5 features, but X has 6.*transform_inp"
        ):
            make().fit(X, X_target=X[:, :5])

    def test_gaps(self, make, X):
        target = X.copy()
        target[3, 2] = np.nan
        with pytest.raises(ValueError, match="Input X_target contains NaN"):
            make().fit(X, X_target=target)

    def test_columns_in_another_order(self, make, X):
        frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(6)])
        with pytest.raises(ValueError, match="feature names should match"):
            make().fit(frame, X_target=frame[frame.columns[::-1]])


class TestData:
    def test_gaps_are_refused(self, make, X):
        estimator = train(make(), X)
        X[3, 2] = np.nan
        with pytest.raises(ValueError, match="Input X contains NaN"):
            train(make(), X)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            estimator.transform(X)

    @pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
    def test_what_does_not_fit_in_float32_is_refused(self, make, X):
        with pytest.raises(ValueError, match="too large for dtype\\('float32'\\)"):
            make().fit(X.astype(np.float64) * 1e200)

    def test_constant_features(self, make, X):
        X[:, 1] = 0
        X[:, 2] = 3
        estimator = train(make(), X)
        assert np.isfinite(estimator.transform(X)).all()
        assert np.isfinite(estimator.transform(np.full_like(X, 3))).all()

    @pytest.mark.parametrize("shape", [(1, 6), (2, 6), (65, 6), (100, 1), (20, 10_000)])
    def test_sizes(self, make, shape):
        X = rows(*shape)
        estimator = train(make(max_epochs=1), X)
        assert estimator.transform(X).shape == (shape[0], 4)
        assert estimator.reconstruct(X).shape == shape
        assert np.isfinite(estimator.score(X))

    def test_early_stopping_with_one_row(self, make):
        with pytest.raises(ValueError, match=r"n_samples = 1.*early_stopping=False"):
            train(make(early_stopping=True), rows(1))

    def test_batches_larger_than_the_data_are_one_batch(self, make, X):
        exact, larger = (train(make(batch_size=size), X).transform(X) for size in (100, 1000))
        np.testing.assert_array_equal(exact, larger)

    def test_float64_gives_what_float32_gives(self, make, X):
        expected = train(make(), X).transform(X)
        Z = train(make(), X.astype(np.float64)).transform(X.astype(np.float64))
        np.testing.assert_array_equal(Z, expected)
        assert Z.dtype == np.float32

    def test_more_rows_than_go_through_at_once(self, make, X, monkeypatch):
        estimator = train(make(), X)
        expected = estimator.transform(X), estimator.reconstruct(X), estimator.score(X)
        monkeypatch.setattr("sklearn_ser.estimators._net._ROWS_AT_ONCE", 7)
        np.testing.assert_allclose(estimator.transform(X), expected[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(estimator.reconstruct(X), expected[1], rtol=1e-4, atol=1e-6)
        assert estimator.score(X) == pytest.approx(expected[2], rel=1e-6)

    def test_a_memory_map(self, make, X, tmp_path):
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*not writable")
            Z = train(make(), mapped).transform(mapped)
        np.testing.assert_array_equal(Z, train(make(), X).transform(X))

    @pytest.mark.parametrize("sizes", [0, (8, 0), (8.5,), "8", ((8, 4),), None, (8, "4")])
    def test_wrong_hidden_layers(self, make, X, sizes):
        with pytest.raises(ValueError, match="hidden_layer_sizes"):
            train(make(hidden_layer_sizes=sizes), X)

    @pytest.mark.parametrize("sizes", [8, (8,), [8], np.array([8])])
    def test_ways_to_write_one_hidden_layer(self, make, X, sizes):
        expected = train(make(hidden_layer_sizes=(8,)), X).transform(X)
        np.testing.assert_array_equal(
            train(make(hidden_layer_sizes=sizes), X).transform(X), expected
        )


class TestUse:
    def test_reconstruction_is_decoding_the_embedding(self, make, X):
        estimator = train(make(), X)
        Z = estimator.transform(X)
        np.testing.assert_allclose(
            estimator.inverse_transform(Z), estimator.reconstruct(X), rtol=1e-5, atol=1e-6
        )
        assert estimator.inverse_transform(Z.astype(np.float64)).dtype == np.float32

    def test_score_is_the_negative_mean_squared_error(self, make, X):
        estimator = train(make(), X)
        expected = -np.mean((estimator.reconstruct(X).astype(np.float64) - X) ** 2)
        assert estimator.score(X) == pytest.approx(expected, rel=1e-5)
        unlabelled = make().fit(X)
        assert unlabelled.score(X, np.zeros(len(X))) == unlabelled.score(X)

    def test_decoding_the_wrong_number_of_columns(self, make, X):
        estimator = train(make(), X)
        with pytest.raises(ValueError, match="Z has 3 columns, but the latent space has 4"):
            estimator.inverse_transform(np.zeros((2, 3)))

    def test_names_and_containers(self, make, X):
        estimator = make().set_output(transform="pandas")
        frame = pd.DataFrame(X, index=[f"r{i}" for i in range(len(X))]).add_prefix("f")
        Z = train(estimator, frame).transform(frame)
        prefix = type(estimator).__name__.lower()
        assert Z.columns.tolist() == [f"{prefix}{i}" for i in range(4)]
        assert Z.index.tolist() == frame.index.tolist()

    def test_nothing_is_changed_by_use(self, make, X):
        estimator = train(make(), X)
        before = pickle.dumps(estimator)
        estimator.transform(X)
        estimator.reconstruct(X)
        estimator.score(X)
        assert pickle.dumps(estimator) == before

    def test_clones_are_not_fitted(self, make, X):
        fresh = clone(train(make(), X))
        assert not hasattr(fresh, "net_")
        np.testing.assert_array_equal(train(fresh, X).transform(X), train(make(), X).transform(X))
