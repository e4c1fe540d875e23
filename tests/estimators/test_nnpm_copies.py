"""Copies of NNPMClassifier: for a batch, pickled, on another device, without source rows.

SKLEARN_SER_DEVICE=cuda runs all of it on a GPU.
"""

import copy
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from _nnpm_cases import assert_same, corpora, make, needs_cuda, needs_no_cuda, silently
from sklearn import clone

from sklearn_ser import NNPMClassifier


@pytest.fixture
def data():
    return corpora()


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

        def spy(estimator, rows, codes=None):
            sizes.append(len(rows))
            adapt_to(estimator, rows, codes)

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

    def test_a_parameter_that_was_dropped_or_added_since_does_no_harm(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        state = model.__getstate__()
        state["label_momentum"] = 0.5
        del state["guard"]
        old = NNPMClassifier.__new__(NNPMClassifier)
        old.__setstate__(state)
        assert_same(old, model, T)
        assert repr(old) == repr(model)
        assert_same(clone(old).fit(X, y, X_target=T), model, T)
        assert_same(old.adapt(T[:60]), model.adapt(T[:60]), T)

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
