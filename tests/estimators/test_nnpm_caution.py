"""The say of the unadapted model in the predictions of NNPMClassifier."""

import copy
import pickle

import numpy as np
import pytest

from sklearn_ser.estimators._nnpm_caution import trust
from sklearn_ser.nn import _devices
from tests.estimators._nnpm_cases import corpora, make


@pytest.fixture(scope="module")
def data():
    return corpora(seed=0, shift=1.0, n_target=100)


def proba(model, X, **parameters):
    return copy.deepcopy(model).set_params(**parameters).predict_proba(X)


def at_equal_shares(X, y, T):
    """The unadapted model, with head and memory divided by their means over the target."""
    model = make(adaptation=None).fit(X, y)
    corrected = [proba(model, T, vote=vote) for vote in ("head", "memory")]
    corrected = [one / one.mean(axis=0) for one in corrected]
    both = np.sqrt(np.prod([one / one.sum(axis=1, keepdims=True) for one in corrected], axis=0))
    return both / both.sum(axis=1, keepdims=True)


def test_the_weight_of_adaptation():
    assert [trust(n, 50) for n in (50, 150)] == [0.5, 0.9]
    assert trust(20, 0) == 1
    assert trust(20, 1e200) == 0


class TestPredictions:
    def test_they_are_the_mean_of_both_models(self, data):
        X, y, T, _ = data
        alone = at_equal_shares(X, y, T)
        model = make(caution=100).fit(X, y, X_target=T)
        adapted = proba(model, T, caution=0)
        assert np.abs(adapted - alone).max() > 0.1
        expected = (adapted + alone) / 2
        np.testing.assert_allclose(model.predict_proba(T), expected, atol=1e-4)
        expected = (adapted + 9 * alone) / 10
        np.testing.assert_allclose(proba(model, T, caution=300), expected, atol=1e-4)

    def test_a_change_takes_effect_with_either_way_in(self, data):
        X, y, T, _ = data
        batch = make(adaptation="predict").fit(X, y)
        before = batch.predict_proba(T)
        after = batch.set_params(caution=0).predict_proba(T)
        assert (before != after).any()
        np.testing.assert_array_equal(after, make(caution=0).fit(X, y, X_target=T).predict_proba(T))

    def test_adapting_again_keeps_the_model_before_the_first_time(self, data):
        X, y, T, _ = data
        alone = at_equal_shares(X, y, T[:50])
        model = make(caution=50).fit(X, y, X_target=T).adapt(T[:50])
        expected = (proba(model, T[:50], caution=0) + alone) / 2
        np.testing.assert_allclose(model.predict_proba(T[:50]), expected, atol=1e-4)

    def test_a_missing_class_stays_excluded(self, data):
        X, y, T, _ = data
        names = np.unique(y)
        shares = dict(zip(names, [0, *np.full(len(names) - 1, 1 / (len(names) - 1))], strict=True))
        model = make(target_prior=shares).fit(X, y, X_target=T)
        assert (proba(model, T, caution=0) != model.predict_proba(T)).any()
        assert (model.predict_proba(T)[:, 0] == 0).all()

    @pytest.mark.parametrize("keep_source", [False, True])
    def test_stored_models_predict_the_same(self, data, keep_source):
        X, y, T, _ = data
        model = make(keep_source=keep_source).fit(X, y).adapt(T)
        loaded = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(loaded.predict_proba(T), model.predict_proba(T))
        again = [one.adapt(T[:60]).predict_proba(T) for one in (model, loaded)]
        np.testing.assert_array_equal(*again)

    def test_generators_are_left_to_other_threads(self, data, monkeypatch):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        expected = model.predict_proba(T)

        def refuse():
            raise AssertionError("a prediction seeds torch's generator, which other threads use")

        monkeypatch.setattr(_devices, "isolated_generator", refuse)
        np.testing.assert_array_equal(model.predict_proba(T), expected)


class TestWithout:
    def test_given_shares_that_differ_are_exact(self, data):
        X, y, T, _ = data
        names = np.unique(y)
        shares = np.arange(1, len(names) + 1) / np.arange(1, len(names) + 1).sum()
        model = make(target_prior=shares).fit(X, y, X_target=T)
        np.testing.assert_array_equal(proba(model, T, caution=0), model.predict_proba(T))
        equal = model.set_params(prediction_prior="uniform")
        assert (proba(equal, T, caution=0) != equal.predict_proba(T)).any()

    def test_labels_are_believed(self, data):
        X, y, T, y_target = data
        labels = np.where(np.arange(len(T)) < 15, y_target, None)
        model = make().fit(X, y).adapt(T).adapt(T, labels)
        np.testing.assert_array_equal(proba(model, T, caution=0), model.predict_proba(T))

    def test_agreement_is_that_of_the_adapted_model(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        found = [
            copy.deepcopy(model).set_params(caution=caution).head_memory_agreement(T)
            for caution in (0, 1e6)
        ]
        assert found[0] == found[1]

    def test_a_refit_forgets_it(self, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T).fit(X, y)
        assert model._unadapted is None


class TestDamage:
    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"memory": np.zeros((2, 3, 8), np.float32)}, "state before adaptation does not fit"),
            ({"memory": np.zeros((2, 150, 8), np.float32)}, "state before adaptation does not fit"),
            ({"memory": np.zeros((1, 150, 8))}, "state before adaptation does not fit"),
            ({"weights": None}, "state before adaptation does not fit"),
            ({"n_target": 0}, "state before adaptation does not fit"),
            ({"n_target": "many"}, "state before adaptation does not fit"),
            ({"means": (np.zeros(3),)}, "state before adaptation does not fit"),
            ({"means": (np.ones((1, 9, 3)),) * 2}, "state before adaptation does not fit"),
            ({"more": 1}, "state before adaptation does not fit"),
            ({"weights": {}}, "weights that do not belong to its network"),
        ],
    )
    def test_it_is_refused(self, data, change, match):
        X, y, T, _ = data
        state = make().fit(X, y, X_target=T).__getstate__()
        state["_unadapted"] = {**state["_unadapted"], **change}
        with pytest.raises(ValueError, match=match):
            make().__setstate__(state)
