"""What NNPMClassifier learns, keeps and answers.

SKLEARN_SER_DEVICE=cuda runs all of it on a GPU.
"""

import copy
import inspect
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
from sklearn import clone
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import recall_score

from sklearn_ser import NNPMClassifier
from sklearn_ser.estimators import _nnpm_training
from sklearn_ser.estimators._nnpm_training import class_shares
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.nn import _memory_losses, _multilabel, _readout
from sklearn_ser.nn._adaptation import collapse, source_loss

DEVICE = os.environ.get("SKLEARN_SER_DEVICE", "cpu")
EMOTIONS = np.array(["anger", "neutral", "sadness"])

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
needs_no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def make(**parameters):
    """Make a classifier that trains fast."""
    settings = {
        "n_estimators": 1,
        "n_components": 8,
        "hidden_layer_sizes": (16,),
        "warmup_epochs": 5,
        "max_epochs": 5,
        "learning_rate": 1e-2,
        "random_state": 0,
        "device": DEVICE,
    }
    return NNPMClassifier(**{**settings, **parameters})


def corpora(seed=0, n_source=150, n_target=90, shift=1.0):
    """Draw three emotions in a source and in a target, which has an offset of its own."""
    rng = np.random.default_rng(seed)
    centres = 1.2 * rng.normal(size=(3, 6))
    rows = []
    for n_rows, offset in ((n_source, 0), (n_target, shift * rng.normal(size=6))):
        codes = rng.permutation(np.resize(np.arange(3), n_rows))
        features = centres[codes] + rng.normal(size=(n_rows, 6)) + offset
        rows += [features.astype(np.float32), EMOTIONS[codes]]
    return rows


@pytest.fixture
def data():
    return corpora()


def silently(function, *args, **kwargs):
    """Call a function that may warn of a model without adaptation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAdaptedWarning)
        return function(*args, **kwargs)


def assert_same(first, second, X):
    """Two models are the same, bit by bit."""
    np.testing.assert_array_equal(
        silently(first.predict_proba, X), silently(second.predict_proba, X)
    )
    np.testing.assert_array_equal(silently(first.transform, X), silently(second.transform, X))
    np.testing.assert_array_equal(first.memory_, second.memory_)
    for one, other in zip(first.history_, second.history_, strict=True):
        assert {**one, "duration": 0} == {**other, "duration": 0}


class TestSeeds:
    @pytest.mark.parametrize("n_estimators", [1, 2])
    def test_refits_are_the_same_to_the_bit(self, data, n_estimators):
        X, y, T, _ = data
        first, second = (make(n_estimators=n_estimators).fit(X, y, X_target=T) for _ in range(2))
        assert_same(first, second, T)
        assert_same(first, clone(first).fit(X, y, X_target=T), T)
        assert_same(second, first.fit(X, y, X_target=T), T)

    def test_another_seed_gives_another_model(self, data):
        X, y, T, _ = data
        first, second = (
            make(random_state=seed).fit(X, y, X_target=T).predict_proba(T) for seed in (0, 1)
        )
        assert not np.allclose(first, second)

    def test_members_differ(self, data):
        X, y, T, _ = data
        model = make(n_estimators=3).fit(X, y, X_target=T)
        assert not np.allclose(model.memory_[0], model.memory_[1])
        assert not np.allclose(model.memory_[1], model.memory_[2])

    def test_a_generator_is_used_and_advances(self, data):
        X, y, T, _ = data
        rng = np.random.RandomState(0)
        first, second = (
            make(random_state=rng).fit(X, y, X_target=T).predict_proba(T) for _ in range(2)
        )
        assert not np.allclose(first, second)

    @pytest.mark.parametrize("adaptation", ["fit", "predict"])
    def test_generators_of_the_caller_are_left_alone(self, data, adaptation):
        X, y, T, _ = data
        legacy = np.random.mtrand._rand
        before = torch.get_rng_state(), legacy.get_state()[1].copy()
        model = make(adaptation=adaptation).fit(X, y, X_target=T)
        model.predict(T[::-1])
        model.adapt(T)
        pickle.loads(pickle.dumps(model)).predict(T)
        assert torch.equal(torch.get_rng_state(), before[0])
        np.testing.assert_array_equal(legacy.get_state()[1], before[1])

    def test_the_number_of_threads_changes_nothing_and_is_restored(self, data):
        X, y, T, _ = data
        before = torch.get_num_threads()
        models = []
        try:
            for n_threads in (1, 2):
                torch.set_num_threads(n_threads)
                models.append(make(n_components=64).fit(X, y, X_target=T))
                models[-1].predict(T)
                assert torch.get_num_threads() == n_threads
        finally:
            torch.set_num_threads(before)
        assert_same(*models, T)


class TestWaysIn:
    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"n_estimators": 2, "soft_labels": False},
            {"loss": "mmcl", "label_prediction": "cycle", "n_neighbors": 5},
        ],
        ids=str,
    )
    def test_fit_adapt_and_predict_are_the_same_to_the_bit(self, data, parameters):
        X, y, T, _ = data
        in_fit = make(**parameters).fit(X, y, X_target=T)
        later = make(**parameters).fit(X, y).adapt(T)
        assert_same(in_fit, later, T)
        np.testing.assert_array_equal(in_fit.pseudo_labels_, later.pseudo_labels_)
        np.testing.assert_array_equal(in_fit.target_selected_, later.target_selected_)
        asked = make(adaptation="predict", **parameters).fit(X, y)
        np.testing.assert_array_equal(asked.predict_proba(T), in_fit.predict_proba(T))
        np.testing.assert_array_equal(asked.transform(T), in_fit.transform(T))
        assert asked.head_memory_agreement(T) == in_fit.head_memory_agreement(T)
        np.testing.assert_array_equal(asked.predict(T), in_fit.predict(T))

    def test_the_source_alone_is_not_changed_by_predicting(self, data):
        X, y, T, _ = data
        asked = make(adaptation="predict").fit(X, y)
        memory, history = asked.memory_.copy(), copy.deepcopy(asked.history_)
        asked.predict(T)
        asked.predict(T[:50])
        assert asked.adapted_ is False
        np.testing.assert_array_equal(asked.memory_, memory)
        assert asked.history_ == history
        assert_same(asked.set_params(adaptation=None), make(adaptation=None).fit(X, y), T)

    def test_adapting_once_more_goes_on(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        before = model.history_.copy()
        first = model.predict_proba(T)
        model.adapt(T[:60])
        assert model.history_[: len(before)] == before
        assert len(model.history_) == 15
        assert [row["epoch"] for row in model.history_] == list(range(1, 16))
        assert model.pseudo_labels_.shape == (60,)
        assert not np.array_equal(model.predict_proba(T), first)

    @pytest.mark.parametrize("adaptation", ["fit", "predict"])
    def test_a_target_of_the_same_distribution_as_the_source(self, adaptation):
        X, y, T, y_target = corpora(shift=0.0)
        alone = make(adaptation=None).fit(X, y)
        adapted = make(adaptation=adaptation).fit(X, y, X_target=T)
        assert adapted.score(T, y_target) > alone.score(T, y_target) - 0.05

    def test_it_helps(self):
        alone, adapted = [], []
        for seed in range(5):
            X, y, T, y_target = corpora(seed=seed, shift=2.0)
            for scores, adaptation in ((alone, None), (adapted, "predict")):
                model = make(adaptation=adaptation).fit(X, y)
                scores.append(recall_score(y_target, model.predict(T), average="macro"))
        assert np.mean(adapted) > np.mean(alone) + 0.1
        assert (np.subtract(adapted, alone) > 0).sum() >= 4

    def test_it_helps_with_rows_that_were_not_adapted_to(self):
        gains = []
        for seed in range(5):
            X, y, T, y_target = corpora(seed=seed, shift=2.0, n_target=200)
            alone = make(adaptation=None).fit(X, y)
            adapted = make().fit(X, y, X_target=T[:100])
            gains.append(
                adapted.score(T[100:], y_target[100:]) - alone.score(T[100:], y_target[100:])
            )
        assert np.mean(gains) > 0.1

    def test_no_target_is_looked_at_without_adaptation(self, data):
        X, y, T, _ = data
        model = make(adaptation=None).fit(X, y, X_target=T)
        assert_same(model, make(adaptation=None).fit(X, y), T)
        assert not hasattr(model, "pseudo_labels_")

    def test_a_refit_forgets_the_target(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T).fit(X, y)
        assert model.adapted_ is False
        assert not hasattr(model, "pseudo_labels_")
        assert not hasattr(model, "target_selected_")
        assert_same(model, make().fit(X, y), T)

    def test_the_rows_of_the_caller_may_change(self, data):
        X, y, T, _ = data
        model, expected = make(), make().fit(X, y, X_target=T)
        own = X.copy()
        model.fit(own, y)
        own[:] = 0
        assert_same(model.adapt(T), expected, T)

    def test_the_rows_of_the_caller_are_not_changed(self, data):
        X, y, T, _ = data
        before = X.copy(), T.copy()
        make(adaptation="predict").fit(X, y, X_target=T).predict(T)
        np.testing.assert_array_equal(X, before[0])
        np.testing.assert_array_equal(T, before[1])

    def test_adapt_needs_a_fit(self, data):
        with pytest.raises(NotFittedError, match="NNPMClassifier instance is not fitted yet"):
            make().adapt(data[2])


class TestCopyForABatch:
    @pytest.fixture
    def model(self, data):
        X, y, _, _ = data
        return make(adaptation="predict").fit(X, y)

    @pytest.fixture
    def sizes(self, model, monkeypatch):
        """How many rows each adaptation had."""
        sizes = []
        adapt_to = NNPMClassifier._adapt_to

        def spy(estimator, rows):
            sizes.append(len(rows))
            adapt_to(estimator, rows)

        monkeypatch.setattr(NNPMClassifier, "_adapt_to", spy)
        return sizes

    def test_a_second_question_about_the_same_rows_trains_nothing(self, model, data, sizes):
        T = data[2]
        first = model.predict_proba(T)
        model.predict(T)
        model.transform(T.copy())
        model.head_memory_agreement(T.astype(np.float64))
        np.testing.assert_array_equal(model.predict_proba(T), first)
        assert sizes == [90]

    def test_other_rows_do(self, model, data, sizes):
        T = data[2]
        first = model.predict_proba(T)
        model.predict(T[:60])
        model.predict(T[::-1])
        # Only the last one is kept.
        np.testing.assert_array_equal(model.predict_proba(T), first)
        assert sizes == [90, 60, 90, 90]

    def test_one_value_makes_other_rows(self, model, data, sizes):
        T = data[2].copy()
        model.predict(T)
        T[7, 3] += 1e-3
        model.predict(T)
        assert sizes == [90, 90]

    def test_other_parameters_make_another_copy(self, model, data, sizes):
        T = data[2]
        first = model.predict_proba(T)
        model.set_params(vote="head")
        assert not np.array_equal(model.predict_proba(T), first)
        assert sizes == [90]
        model.set_params(vote="mean", max_epochs=2, target_prior=[0.6, 0.2, 0.2])
        second = model.predict_proba(T)
        assert sizes == [90, 90]
        assert not np.array_equal(second, first)
        X, y, _, _ = data
        expected = make(max_epochs=2, target_prior=[0.6, 0.2, 0.2]).fit(X, y, X_target=T)
        np.testing.assert_array_equal(second, expected.predict_proba(T))

    def test_a_refit_drops_it(self, model, data, sizes):
        X, y, T, _ = data
        model.predict(T)
        model.fit(X[:90], y[:90])
        model.predict(T)
        assert sizes == [90, 90]

    def test_adapting_the_model_itself_drops_it(self, data):
        X, y, T, _ = data
        model = make(adaptation="predict").fit(X, y)
        model.predict(T)
        model.adapt(T[:60])
        expected = make().fit(X, y, X_target=T[:60]).adapt(T).predict_proba(T)
        np.testing.assert_array_equal(model.predict_proba(T), expected)

    def test_pickling_drops_it(self, model, data, sizes):
        T = data[2]
        before = len(pickle.dumps(model))
        first = model.predict_proba(T)
        assert len(pickle.dumps(model)) == before
        loaded = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(loaded.predict_proba(T), first)
        assert sizes == [90, 90]

    def test_it_is_made_in_fit_where_the_target_is_known(self, model, data, sizes):
        X, y, T, _ = data
        model.fit(X, y, X_target=T)
        assert sizes == [90]
        model.predict(T)
        assert sizes == [90]

    def test_questions_change_no_attribute(self, model, data):
        before = {name: id(value) for name, value in vars(model).items()}
        model.predict(data[2])
        model.transform(data[2][:50])
        assert {name: id(value) for name, value in vars(model).items()} == before

    def test_questions_in_threads_do_not_disturb_each_other(self, model, data):
        T = data[2]
        parts = [T, T[:60], T[30:], T[::-1]]
        expected = [model.predict_proba(part) for part in parts]
        answers = [None] * 12

        def ask(position):
            answers[position] = model.predict_proba(parts[position % 4])

        threads = [threading.Thread(target=ask, args=(position,)) for position in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for position, answer in enumerate(answers):
            np.testing.assert_array_equal(answer, expected[position % 4])


class TestPickle:
    @pytest.mark.parametrize("roundtrip", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
    @pytest.mark.parametrize("keep_source", [True, False])
    def test_the_copy_does_the_same(self, data, roundtrip, keep_source):
        X, y, T, _ = data
        model = make(keep_source=keep_source).fit(X, y, X_target=T)
        loaded = roundtrip(model)
        assert_same(loaded, model, T)
        np.testing.assert_array_equal(loaded.memory_labels_, model.memory_labels_)
        np.testing.assert_array_equal(loaded.pseudo_labels_, model.pseudo_labels_)
        assert_same(loaded.adapt(T[:60]), model.adapt(T[:60]), T)

    def test_adapting_after_loading_is_adapting_at_once(self, data):
        X, y, T, _ = data
        loaded = pickle.loads(pickle.dumps(make().fit(X, y)))
        assert_same(loaded.adapt(T), make().fit(X, y, X_target=T), T)

    def test_parameters_set_before_adapting_hold_for_both(self, data):
        X, y, T, _ = data
        model = make().fit(X, y).set_params(weight_decay=0.3, learning_rate=3e-3, batch_size=32)
        loaded = pickle.loads(pickle.dumps(model))
        assert_same(loaded.adapt(T), model.adapt(T), T)
        assert not np.array_equal(model.memory_, make().fit(X, y).adapt(T).memory_)

    def test_it_has_no_tensors(self, data):
        X, y, T, _ = data
        model = make(adaptation="predict").fit(X, y, X_target=T)
        model.adapt(T)
        pickled = pickle.dumps(model)
        assert b"torch.storage" not in pickled
        assert b"_rebuild_tensor" not in pickled

    @needs_no_cuda
    @pytest.mark.parametrize("adaptation", ["fit", None])
    def test_a_model_for_a_gpu_predicts_without_one(self, data, adaptation):
        X, y, T, _ = data
        model = make(adaptation=adaptation).fit(X, y, X_target=T)
        expected = model.predict_proba(T), model.transform(T)
        loaded = pickle.loads(pickle.dumps(model.set_params(device="cuda")))
        np.testing.assert_array_equal(loaded.predict_proba(T), expected[0])
        np.testing.assert_array_equal(loaded.transform(T), expected[1])
        with pytest.raises(RuntimeError, match=r"device='cuda' is not available.*'auto'"):
            loaded.adapt(T)
        loaded.set_params(device="auto").adapt(T)

    @needs_cuda
    def test_a_model_of_a_gpu_loads_without_one(self, data, tmp_path):
        X, y, T, _ = data
        model = make(device="cuda").fit(X, y, X_target=T)
        assert model.net_.device.type == "cuda"
        np.save(tmp_path / "T.npy", T)
        (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
        code = (
            "import pickle, numpy as np, torch; assert not torch.cuda.is_available(); "
            "model = pickle.load(open('model.pickle', 'rb')); T = np.load('T.npy'); "
            "np.save('P.npy', model.predict_proba(T)); model.set_params(device='cpu').adapt(T)"
        )
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            check=True,
        )
        P = np.load(tmp_path / "P.npy")
        np.testing.assert_allclose(P, model.predict_proba(T), rtol=1e-3, atol=1e-4)


class TestDevice:
    def test_an_unknown_one(self, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=r"device must be 'cpu', 'auto'.*got 'gpu'"):
            make(device="gpu").fit(X, y)

    def test_auto_works_everywhere(self, data):
        X, y, T, _ = data
        model = make(device="auto").fit(X, y, X_target=T)
        assert model.net_.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
        assert np.isfinite(model.predict_proba(T)).all()

    @needs_cuda
    def test_a_gpu_learns_what_the_cpu_learns(self):
        X, y, T, y_target = corpora(shift=1.5)
        scores = [
            make(device=device).fit(X, y, X_target=T).score(T, y_target)
            for device in ("cpu", "cuda")
        ]
        assert scores[1] == pytest.approx(scores[0], abs=0.1)

    @needs_cuda
    def test_refits_on_a_gpu(self, data):
        X, y, T, _ = data
        first, second = (make(device="cuda").fit(X, y, X_target=T) for _ in range(2))
        np.testing.assert_allclose(
            first.predict_proba(T), second.predict_proba(T), rtol=1e-3, atol=1e-3
        )

    @needs_cuda
    def test_adaptation_moves_between_devices(self, data):
        X, y, T, _ = data
        model = make(device="cpu").fit(X, y)
        model.set_params(device="cuda")
        on_cpu = silently(model.predict_proba, T)
        model.adapt(T)
        assert model.net_.device.type == "cuda"
        assert not np.array_equal(model.predict_proba(T), on_cpu)
        model.set_params(device="cpu").adapt(T)
        assert model.net_.device.type == "cpu"


class TestWithoutSourceRows:
    def test_none_are_kept(self, data):
        X, y, T, _ = data
        for adaptation in ("fit", "predict"):
            model = make(keep_source=False, adaptation=adaptation).fit(X, y, X_target=T)
            held = [model, *model._cache.values()]
            assert all(one._source_rows is None for one in held)
            assert X[0].tobytes() not in pickle.dumps(model)
        assert X[0].tobytes() in pickle.dumps(make().fit(X, y))

    def test_the_target_of_fit_is_adapted_to_with_them(self, data):
        X, y, T, _ = data
        kept, dropped = (make(keep_source=keep).fit(X, y, X_target=T) for keep in (True, False))
        assert_same(kept, dropped, T)

    def test_later_targets_are_adapted_to_without(self, data):
        X, y, T, _ = data
        model = make(keep_source=False).fit(X, y)
        memory = model.memory_
        before = silently(model.predict_proba, T)
        model.adapt(T)
        assert model.adapted_
        np.testing.assert_array_equal(model.memory_, memory)
        assert not np.allclose(model.predict_proba(T), before)

    def test_they_are_not_needed_to_gain(self):
        gains = []
        for seed in range(5):
            X, y, T, y_target = corpora(seed=seed, shift=2.0)
            model = make(keep_source=False).fit(X, y)
            before = silently(model.score, T, y_target)
            gains.append(model.adapt(T).score(T, y_target) - before)
        assert np.mean(gains) > 0.05

    def test_a_copy_for_a_batch_is_the_same_made_in_fit_and_later(self, data):
        X, y, T, _ = data
        settings = {"keep_source": False, "adaptation": "predict"}
        early = make(**settings).fit(X, y, X_target=T)
        np.testing.assert_array_equal(
            early.predict_proba(T), make(**settings).fit(X, y).predict_proba(T)
        )


class TestWarnings:
    def test_no_target(self, data):
        X, y, T, _ = data
        model = make().fit(X, y)
        for method in ("predict", "predict_proba", "transform", "head_memory_agreement"):
            with pytest.warns(
                NotAdaptedWarning,
                match=r"knows its source only.*Call adapt, pass X_target to fit, or set adaptation",
            ) as seen:
                getattr(model, method)(T)
            assert [one.filename for one in seen] == [__file__]

    @pytest.mark.parametrize("adaptation", ["fit", "predict"])
    def test_a_target_that_is_too_small(self, data, adaptation):
        X, y, T, _ = data
        with pytest.warns(
            NotAdaptedWarning, match=r"source alone: the target has 10 rows and min_target=20"
        ):
            model = make(adaptation=adaptation).fit(X, y, X_target=T[:10])
        assert model.adapted_ is False
        alone = make(adaptation=None).fit(X, y)
        np.testing.assert_array_equal(
            silently(model.predict_proba, T[:10]), alone.predict_proba(T[:10])
        )

    def test_min_target_is_the_smallest_target(self, data):
        X, y, T, _ = data
        model = make(min_target=90, guard=False).fit(X, y)
        assert not silently(model.adapt, T[:89]).adapted_
        assert model.adapt(T).adapted_

    @pytest.mark.parametrize("adaptation", ["fit", "predict", None])
    def test_silence_otherwise(self, data, adaptation, capsys):
        X, y, T, _ = data
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = make(adaptation=adaptation).fit(X, y, X_target=T)
            model.predict(T)
            model.transform(T)
            model.adapt(T)
        assert capsys.readouterr() == ("", "")

    def test_none_without_adaptation(self, data):
        X, y, T, _ = data
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            make(adaptation=None).fit(X, y).predict(T[:2])

    def test_a_second_target_that_is_too_small_leaves_the_first(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        expected = model.predict_proba(T)
        with pytest.warns(NotAdaptedWarning, match="it stays as it was adapted before: the target"):
            model.adapt(T[:5])
        np.testing.assert_array_equal(model.predict_proba(T), expected)
        assert model.pseudo_labels_.shape == (90,)

    def test_progress(self, data, capsys):
        X, y, T, _ = data
        make(verbose=1).fit(X, y, X_target=T)
        shown = capsys.readouterr().err
        assert "NNPMClassifier, warm-up" in shown
        assert "NNPMClassifier, adaptation" in shown
        assert "5/5" in shown


BEFORE = {"smallest_class": 0.2}
HEALTHY = {"smallest_class": 0.2, "label_agreement": 0.9, "head_memory_agreement": 0.9}


class TestCollapse:
    def test_nothing_to_be_seen(self):
        assert collapse(BEFORE, HEALTHY, smallest_prior=0.25) == ""

    @pytest.mark.parametrize(
        ("figures", "reason"),
        [
            ({"smallest_class": 0.01}, r"a class is predicted for 1.0% .* about 25% and were 20"),
            ({"label_agreement": 0.5}, r"did not settle: 50% of them were the same"),
            ({"head_memory_agreement": 0.3}, r"same class for only 30% of the target rows"),
        ],
    )
    def test_signs(self, figures, reason):
        with pytest.raises(AssertionError, match=reason):
            assert collapse(BEFORE, HEALTHY | figures, smallest_prior=0.25) == ""

    def test_a_class_that_was_small_before_is_not_lost(self):
        few = HEALTHY | {"smallest_class": 0.01}
        assert collapse({"smallest_class": 0.01}, few, smallest_prior=0.25) == ""
        assert collapse({"smallest_class": 0.02}, few, smallest_prior=0.25) != ""

    def test_a_class_that_should_be_rare_is_not_lost(self):
        assert collapse(BEFORE, HEALTHY | {"smallest_class": 0.01}, smallest_prior=0.04) == ""


class TestGuard:
    @pytest.fixture
    def runaway(self, data):
        X, y, _, _ = data
        return make().fit(X, y).set_params(learning_rate=1e5)

    def test_it_returns_to_the_source(self, data, runaway):
        T = data[2]
        before = (
            silently(runaway.predict_proba, T),
            silently(runaway.transform, T),
            runaway.memory_.copy(),
        )
        with pytest.warns(
            NotAdaptedWarning, match=r"not adapted, predictions come from the source alone: .*\.$"
        ):
            runaway.adapt(T)
        assert runaway.adapted_ is False
        assert runaway.history_[-1]["accepted"] is False
        assert runaway.history_[-1]["reason"]
        assert not hasattr(runaway, "pseudo_labels_")
        np.testing.assert_array_equal(silently(runaway.predict_proba, T), before[0])
        np.testing.assert_array_equal(silently(runaway.transform, T), before[1])
        np.testing.assert_array_equal(runaway.memory_, before[2])

    def test_it_returns_to_an_earlier_adaptation(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        expected = model.predict_proba(T), model.transform(T), model.pseudo_labels_
        model.set_params(learning_rate=1e5)
        with pytest.warns(NotAdaptedWarning, match="it stays as it was adapted before"):
            model.adapt(T[:60])
        assert model.adapted_ is True
        np.testing.assert_array_equal(model.predict_proba(T), expected[0])
        np.testing.assert_array_equal(model.transform(T), expected[1])
        np.testing.assert_array_equal(model.pseudo_labels_, expected[2])

    def test_what_it_returned_to_adapts_to_another_target(self, data, runaway):
        T = data[2]
        silently(runaway.adapt, T)
        runaway.set_params(learning_rate=1e-2).adapt(T)
        assert runaway.adapted_
        assert runaway.history_[-1]["accepted"]

    def test_without_it_the_runaway_stays(self, data, runaway):
        T = data[2]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runaway.set_params(guard=False).adapt(T)
        assert runaway.adapted_
        assert runaway.history_[-1]["accepted"] is True
        assert runaway.history_[-1]["reason"]
        assert np.isfinite(runaway.predict_proba(T)).all()

    def test_a_class_that_gets_lost_is_noticed(self):
        X, y, T, _ = corpora(shift=3.0)
        with pytest.warns(NotAdaptedWarning, match=r"a class is predicted for \d\.\d% of the"):
            model = make(target_prior=None).fit(X, y, X_target=T)
        shares = [row["smallest_class"] for row in model.history_[5:]]
        assert shares[-1] < shares[0]
        assert make().fit(X, y, X_target=T).adapted_

    @pytest.mark.parametrize("guard", [True, False])
    def test_its_figures_decide(self, data, guard, monkeypatch):
        X, y, T, _ = data
        seen = []

        def stub(before, after, *, smallest_prior):
            seen.append((before, after, smallest_prior))
            return "somebody says so"

        monkeypatch.setattr(_nnpm_training, "collapse", stub)
        model = silently(make(guard=guard, target_prior=[0.2, 0.3, 0.5]).fit, X, y, X_target=T)
        assert model.adapted_ is not guard
        assert model.history_[-1]["reason"] == "somebody says so"
        ((before, after, smallest_prior),) = seen
        assert before is model.history_[5]
        assert {f"final_{name}": value for name, value in after.items()}.items() <= (
            model.history_[-1].items()
        )
        assert smallest_prior == pytest.approx(0.2)

    @pytest.mark.parametrize("guard", [True, False])
    @pytest.mark.parametrize("max_epochs", [1, 5])
    @pytest.mark.parametrize("learning_rate", [1e12, 1e30], ids=["squares overflow", "all does"])
    def test_infinite_values_are_never_kept(self, data, guard, max_epochs, learning_rate):
        X, y, T, _ = data
        model = make(guard=guard).fit(X, y)
        before = silently(model.predict_proba, T)
        model.set_params(learning_rate=learning_rate, max_epochs=max_epochs)
        with pytest.warns(NotAdaptedWarning, match=r"infinite or NaN\. Lower learning_rate"):
            model.adapt(T)
        assert model.adapted_ is False
        np.testing.assert_array_equal(silently(model.predict_proba, T), before)


class TestWarmUp:
    def test_a_divergence_is_told_and_leaves_finite_weights(self, data):
        X, y, T, _ = data
        with pytest.warns(
            ConvergenceWarning, match=r"in epoch 1; the warm-up.*learning_rate, which is 1e\+30"
        ) as seen:
            model = make(learning_rate=1e30, batch_size=10, adaptation=None).fit(X, y)
        assert [one.filename for one in seen if one.category is ConvergenceWarning] == [__file__]
        assert np.isfinite(model.predict_proba(T)).all()
        assert len(model.history_) == 1

    def test_an_infinite_embedding_is_an_error(self, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=r"embedding is infinite or NaN. Lower learning_rate"):
            make(learning_rate=1e30, batch_size=1000).fit(X, y)

    def test_features_that_are_too_large_are_an_error(self, data):
        X, y, _, _ = data
        with pytest.raises(
            ValueError, match=r"common scale, for instance by a CorpusScaler.*of X is \d.*e\+30"
        ):
            make(adaptation=None).fit(1e30 * X, y)

    def test_the_loss_falls(self, data):
        X, y, _, _ = data
        history = make(warmup_epochs=20).fit(X, y).history_
        assert history[-1]["loss"] < 0.5 * history[0]["loss"]

    def test_it_learns_the_source(self, data):
        X, y, _, _ = data
        model = make(adaptation=None, warmup_epochs=20).fit(X, y)
        assert model.score(X, y) > 0.9
        # The memory is the embedding of the source: the nearest row is the row itself.
        Z = model.transform(X)
        assert ((Z @ Z.T).argmax(axis=1) == np.arange(len(X))).mean() > 0.95
        np.testing.assert_allclose(model.memory_[0], Z, atol=1e-6)

    def test_rare_classes_weigh_as_much_as_frequent_ones(self, data):
        # Weights that make classes equal, and copies of rows that do, have the same loss.
        codes = torch.tensor([0, 0, 0, 0, 1, 1])
        logits = torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(0))
        model = make()
        model.classes_, model._memory_codes = np.arange(2), codes.numpy()
        model._source_rows = None
        source = model._source(torch.device("cpu"))
        assert source.row_weights.tolist() == [0.75] * 4 + [1.5] * 2
        copied = torch.cat([torch.arange(6), torch.tensor([4, 5])])
        equal = source_loss(logits[:, copied], codes[copied], torch.ones(8))
        torch.testing.assert_close(source_loss(logits, codes, source.row_weights), equal)


class TestPrior:
    CLASSES = np.array(["anger", "neutral", "sadness"])
    CODES = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])

    @pytest.mark.parametrize(
        ("prior", "expected"),
        [
            ("uniform", [1 / 3, 1 / 3, 1 / 3]),
            ("source", [0.3, 0.2, 0.5]),
            ({"sadness": 0.1, "anger": 0.7, "neutral": 0.2}, [0.7, 0.2, 0.1]),
            ([0.7, 0.2, 0.1], [0.7, 0.2, 0.1]),
            (np.array([0.7, 0.2, 0.1]), [0.7, 0.2, 0.1]),
            (pd.Series([0.7, 0.2, 0.1]), [0.7, 0.2, 0.1]),
        ],
        ids=str,
    )
    def test_shares(self, prior, expected):
        shares = class_shares(prior, self.CLASSES, self.CODES)
        assert shares.dtype == np.float32
        np.testing.assert_allclose(shares, expected, rtol=1e-6)

    def test_none(self):
        assert class_shares(None, self.CLASSES, self.CODES) is None

    def test_classes_that_are_numbers(self):
        shares = class_shares({1: 0.25, 0: 0.75}, np.array([0, 1]), np.array([0, 1]))
        assert shares.tolist() == [0.75, 0.25]

    @pytest.mark.parametrize(
        "prior",
        [
            [0.5, 0.5],
            [0.5, 0.4, 0.2],
            [0.0, 0.0, 0.0],
            [1.5, -0.25, -0.25],
            [np.nan, 0.5, 0.5],
            [[0.5, 0.25, 0.25]],
            ["a", "b", "c"],
            {"anger": "x", "neutral": None, "sadness": 1},
        ],
        ids=str,
    )
    def test_no_shares(self, data, prior):
        X, y, _, _ = data
        with pytest.raises(
            ValueError, match=r"a share of at least 0 for each of the 3 classes \['anger'.*, with a"
        ):
            make(target_prior=prior).fit(X, y)

    @pytest.mark.parametrize(
        "prior",
        [
            {"anger": 0.5, "sadness": 0.5},
            {"anger": 0.2, "joy": 0.8},
            {"anger": 0.2, "neutral": 0.3, "sadness": 0.4, "joy": 0.1},
            {},
        ],
        ids=str,
    )
    def test_other_classes(self, data, prior):
        X, y, _, _ = data
        with pytest.raises(
            ValueError, match=r"target_prior names the classes .*, but y has \['ang"
        ):
            make(target_prior=prior).fit(X, y)

    def test_they_are_checked_before_the_training(self, data, monkeypatch):
        X, y, _, _ = data
        monkeypatch.setattr(NNPMClassifier, "_run", None)
        with pytest.raises(ValueError, match="a share of at least 0"):
            make(target_prior=[1, 1, 1]).fit(X, y)

    def test_ways_to_say_the_same(self, data):
        X, y, T, _ = data
        y = y.copy()
        y[:60] = "anger"
        shares = [(y == one).mean() for one in EMOTIONS]
        models = [
            make(target_prior=prior, guard=False).fit(X, y, X_target=T)
            for prior in ("source", shares, dict(zip(EMOTIONS.tolist(), shares, strict=True)))
        ]
        assert_same(models[0], models[1], T)
        assert_same(models[0], models[2], T)

    @pytest.mark.parametrize("vote", ["head", "memory"])
    def test_mean_predictions_have_these_shares_roughly(self, data, vote):
        X, y, T, _ = data
        for prior in ([0.6, 0.2, 0.2], [0.2, 0.2, 0.6]):
            model = make(target_prior=prior, vote=vote, guard=False).fit(X, y, X_target=T)
            shares = model.predict_proba(T).mean(axis=0)
            without = make(target_prior=None, vote=vote, guard=False).fit(X, y, X_target=T)
            before = without.predict_proba(T).mean(axis=0)
            assert np.abs(shares - prior).sum() < np.abs(before - prior).sum()

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"vote": "head"},
            {"vote": "memory"},
            {"loss": "mmcl"},
            {"label_prediction": "cycle"},
            {"label_prediction": "threshold"},
            {"n_neighbors": 3},
            {"soft_labels": False},
            {"adaptation": "predict"},
            {"adaptation": None},
            {"keep_source": False},
            {"selection": 1.0},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("prior", [[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]], ids=str)
    def test_a_class_that_is_missing_is_never_predicted(self, data, parameters, prior):
        X, y, T, _ = data
        model = make(target_prior=prior, guard=False, **parameters).fit(X, y, X_target=T)
        missing = np.array(prior) == 0
        for rows in (T, X):
            probabilities = silently(model.predict_proba, rows)
            assert np.isfinite(probabilities).all()
            assert (probabilities[:, missing] == 0).all()
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
            assert not np.isin(silently(model.predict, rows), EMOTIONS[missing]).any()
        if model.adapted_:
            assert not np.isin(model.pseudo_labels_, EMOTIONS[missing]).any()
            terms = [value for row in model.history_ for value in row.values()]
            assert np.isfinite([value for value in terms if isinstance(value, float)]).all()

    @pytest.mark.parametrize("missing", EMOTIONS)
    def test_a_missing_class_helps_where_it_is_missing(self, missing):
        X, y, T, truth = corpora(n_target=150)
        T, truth = T[truth != missing], truth[truth != missing]
        known = {str(one): 0.0 if one == missing else 0.5 for one in EMOTIONS}
        scores = [
            make(target_prior=prior, guard=False).fit(X, y, X_target=T).score(T, truth)
            for prior in ("uniform", known)
        ]
        assert scores[1] > scores[0]

    def test_the_guard_looks_at_the_classes_that_are_expected(self, data):
        X, y, T, truth = data
        rows = T[truth != "neutral"]
        model = make(target_prior=[0.5, 0, 0.5]).fit(X, y, X_target=rows)
        assert model.adapted_
        assert model.history_[-1]["final_smallest_class"] > 0.2
        lost = collapse(
            {"smallest_class": 0.4},
            {"smallest_class": 0.0, "label_agreement": 1, "head_memory_agreement": 1},
            smallest_prior=0.5,
        )
        assert "a class is predicted for 0.0%" in lost

    def test_without_adaptation_a_missing_class_is_not_predicted_either(self, data):
        X, y, T, _ = data
        with pytest.warns(NotAdaptedWarning, match="the target has 5 rows"):
            model = make(target_prior=[0, 0.5, 0.5]).fit(X, y, X_target=T[:5])
        assert set(silently(model.predict, X)) == {"neutral", "sadness"}

    def test_none_corrects_nothing(self, data):
        X, y, T, _ = data
        model = make(target_prior=None, guard=False).fit(X, y, X_target=T)
        assert model.adapted_
        assert model._means is None

    def test_it_may_be_switched_off_after_adaptation(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T).set_params(target_prior=None)
        probabilities = model.predict_proba(T)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.fixture(scope="module")
def model():
    X, y, T, _ = corpora()
    return make(n_estimators=2, selection=0.5).fit(X, y, X_target=T)


class TestAnswers:
    @pytest.mark.parametrize("vote", ["mean", "head", "memory"])
    def test_probabilities(self, data, model, vote):
        T = data[2]
        probabilities = copy.deepcopy(model).set_params(vote=vote).predict_proba(T)
        assert probabilities.shape == (90, 3)
        assert probabilities.dtype == np.float32
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)

    def test_votes_by_hand(self, data, model):
        T = data[2]
        Z = model.transform(T).reshape(len(T), 2, 8).transpose(1, 0, 2) * np.sqrt(2)
        layer = model.net_.module_.head
        weight, bias = (one.detach().cpu().numpy() for one in (layer.weight, layer.bias))
        logits = 10 * Z @ weight + bias
        head = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        scores = np.exp((Z @ model.memory_.transpose(0, 2, 1)).astype(np.float64) / 0.05)
        own = [model.memory_labels_ == emotion for emotion in EMOTIONS]
        votes = np.stack([scores[:, :, rows].mean(axis=2) for rows in own], axis=2)
        votes /= votes.sum(axis=2, keepdims=True)
        corrected = []
        for one in (head, votes):
            ratio = one / one.mean(axis=1, keepdims=True)
            corrected.append(ratio / ratio.sum(axis=2, keepdims=True))
        both = np.sqrt(corrected[0] * corrected[1])
        both /= both.sum(axis=2, keepdims=True)
        for vote, expected in (("head", corrected[0]), ("memory", corrected[1]), ("mean", both)):
            found = copy.deepcopy(model).set_params(vote=vote).predict_proba(T)
            np.testing.assert_allclose(found, expected.mean(axis=0), rtol=2e-3, atol=2e-4)
        same = corrected[0].mean(axis=0).argmax(axis=1) == corrected[1].mean(axis=0).argmax(axis=1)
        assert model.head_memory_agreement(T) == pytest.approx(same.mean())

    def test_predictions_are_the_most_probable_classes(self, data, model):
        T = data[2]
        best = EMOTIONS[model.predict_proba(T).argmax(axis=1)]
        np.testing.assert_array_equal(model.predict(T), best)

    def test_a_row_does_not_depend_on_those_beside_it(self, data, model):
        T = data[2]
        np.testing.assert_allclose(
            model.predict_proba(T[40:41]), model.predict_proba(T)[40:41], rtol=1e-4, atol=1e-6
        )

    def test_the_embedding(self, data, model):
        T = data[2]
        Z = model.transform(T)
        assert Z.shape == (90, 16)
        assert Z.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(Z, axis=1), 1, rtol=1e-5)
        members = np.split(Z, 2, axis=1)
        members = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in members]
        mean_cosine = np.mean([part @ part.T for part in members], axis=0)
        np.testing.assert_allclose(Z @ Z.T, mean_cosine, atol=1e-5)

    def test_names_of_the_embedding(self, data, model):
        names = [f"nnpmclassifier{i}" for i in range(16)]
        assert model.get_feature_names_out().tolist() == names
        frame = copy.deepcopy(model).set_output(transform="pandas").transform(data[2])
        assert frame.columns.tolist() == names
        np.testing.assert_array_equal(frame.to_numpy(), model.transform(data[2]))

    def test_fit_transform(self, data):
        X, y, T, _ = data
        Z = make().fit_transform(X, y, X_target=T)
        np.testing.assert_array_equal(Z, make().fit(X, y, X_target=T).transform(X))

    def test_more_rows_than_go_through_at_once(self, data, model, monkeypatch):
        T = data[2]
        expected = model.predict_proba(T), model.transform(T)
        monkeypatch.setattr(_readout, "_ROWS_AT_ONCE", 7)
        monkeypatch.setattr(_multilabel, "_ENTRIES_AT_ONCE", 1000)
        np.testing.assert_allclose(model.predict_proba(T), expected[0], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(model.transform(T), expected[1], rtol=1e-3, atol=1e-5)

    def test_a_large_memory_gives_what_a_small_one_gives(self, data, monkeypatch):
        X, y, T, _ = data
        expected = make().fit(X, y, X_target=T).predict_proba(T)
        monkeypatch.setattr(_readout, "_ROWS_AT_ONCE", 70)
        monkeypatch.setattr(_multilabel, "_ENTRIES_AT_ONCE", 1000)
        monkeypatch.setattr(_memory_losses, "_ENTRIES_AT_ONCE", 1000)
        found = make().fit(X, y, X_target=T).predict_proba(T)
        np.testing.assert_allclose(found, expected, atol=0.02)

    def test_they_need_a_fit(self, data):
        for method in ("predict", "predict_proba", "transform", "head_memory_agreement"):
            with pytest.raises(NotFittedError, match="NNPMClassifier instance is not fitted yet"):
                getattr(make(), method)(data[2])


class TestLearnt:
    def test_the_memory(self, data, model):
        y = data[1]
        assert model.memory_.shape == (2, 150, 8)
        assert model.memory_.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(model.memory_, axis=2), 1, rtol=1e-5)
        np.testing.assert_array_equal(model.memory_labels_, y)
        np.testing.assert_array_equal(model.classes_, EMOTIONS)

    def test_it_follows_the_encoder(self, data):
        X, y, T, _ = data
        kept = make(memory_momentum=1.0).fit(X, y, X_target=T).memory_
        np.testing.assert_allclose(kept, make().fit(X, y).memory_, atol=1e-6)
        anew = make(memory_momentum=0.0).fit(X, y, X_target=T)
        np.testing.assert_allclose(anew.memory_[0], anew.transform(X), atol=1e-6)

    def test_pseudo_labels(self, data, model):
        _, _, T, y_target = data
        assert model.pseudo_labels_.shape == (90,)
        assert set(model.pseudo_labels_) == set(EMOTIONS)
        assert (model.pseudo_labels_ == y_target).mean() > 0.7
        assert (model.pseudo_labels_ == model.predict(T)).mean() > 0.8

    def test_the_selection_is_balanced(self, model):
        assert model.target_selected_.shape == (90,)
        assert model.target_selected_.dtype == bool
        for emotion in EMOTIONS:
            own = model.pseudo_labels_ == emotion
            assert model.target_selected_[own].sum() == max(1, round(0.5 * own.sum()))

    def test_selected_rows_are_more_often_right(self):
        right = {True: [], False: []}
        for seed in range(4):
            X, y, T, y_target = corpora(seed=seed)
            model = make().fit(X, y, X_target=T)
            for selected, scores in right.items():
                rows = model.target_selected_ == selected
                scores.append((model.pseudo_labels_ == y_target)[rows].mean())
        assert np.mean(right[True]) > np.mean(right[False]) + 0.1

    def test_history(self, model):
        warm_up, adaptation = model.history_[:5], model.history_[5:]
        assert [row["epoch"] for row in model.history_] == list(range(1, 11))
        assert {row["phase"] for row in warm_up} == {"warm-up"}
        assert {row["phase"] for row in adaptation} == {"adaptation"}
        for row in warm_up:
            assert row.keys() == {"phase", "epoch", "loss", "source", "duration"}
        figures = {
            "selected",
            "label_agreement",
            "head_memory_agreement",
            "smallest_class",
            "drift",
        }
        terms = {"multilabel", "head", "multilabel_weight", "head_weight"}
        for row in adaptation:
            assert row.keys() >= {"phase", "epoch", "loss", "source", "duration"} | terms | figures
            assert row["loss"] == pytest.approx(row["source"] + row["multilabel"] + row["head"])
            assert all(0 <= row[name] <= 1 for name in figures - {"drift"})
            assert row["selected"] == pytest.approx(0.5, abs=0.05)
        assert adaptation[0]["drift"] == pytest.approx(0, abs=1e-6)
        assert adaptation[0]["label_agreement"] == 1
        assert adaptation[-1].keys() >= {f"final_{name}" for name in figures}
        assert adaptation[-1]["accepted"] is True
        assert adaptation[-1]["reason"] == ""
        assert adaptation[-1]["final_drift"] > 0

    def test_the_weight_of_the_target(self, data):
        X, y, T, _ = data
        history = make(target_weight=0.3).fit(X, y, X_target=T).history_[5:]
        for row in history:
            assert row["multilabel_weight"] == row["head_weight"] == 0.3
            total = row["source"] + 0.3 * (row["multilabel"] + row["head"])
            assert row["loss"] == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("loss", ["softmax", "mmcl"])
@pytest.mark.parametrize("label_prediction", ["vote", "threshold", "cycle"])
@pytest.mark.parametrize("n_neighbors", [None, 5])
@pytest.mark.parametrize("soft_labels", [True, False])
def test_every_variant_adapts(data, loss, label_prediction, n_neighbors, soft_labels):
    X, y, T, y_target = data
    model = make(
        loss=loss,
        label_prediction=label_prediction,
        n_neighbors=n_neighbors,
        soft_labels=soft_labels,
        n_estimators=2,
        max_epochs=3,
        guard=False,
    ).fit(X, y, X_target=T)
    assert model.adapted_
    assert np.isfinite(model.memory_).all()
    assert all(np.isfinite(row["loss"]) for row in model.history_)
    assert model.score(T, y_target) > 0.5


@pytest.mark.parametrize(
    "parameters",
    [
        {"soft_labels": False},
        {"n_neighbors": 5},
        {"selection": 1.0},
        {"temperature": 0.5},
        {"memory_momentum": 0.0},
        {"target_weight": 0.0},
        {"target_prior": None},
        {"label_prediction": "threshold"},
        {"loss": "mmcl"},
        {"dropout": 0.0},
        {"weight_decay": 0.1},
        {"batch_size": 16},
        {"warmup_epochs": 2},
        {"max_epochs": 2},
    ],
    ids=str,
)
def test_every_parameter_matters(data, parameters):
    X, y, T, _ = data
    changed = make(guard=False, **parameters).fit(X, y, X_target=T).predict_proba(T)
    plain = make(guard=False).fit(X, y, X_target=T).predict_proba(T)
    assert not np.array_equal(changed, plain)


def test_every_parameter_is_kept_as_given():
    names = set(inspect.signature(NNPMClassifier).parameters)
    assert names == set(NNPMClassifier().get_params()) == set(NNPMClassifier._parameter_constraints)
    assert isinstance(NNPMClassifier(), BaseEstimator)
