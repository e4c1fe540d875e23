"""What NNPMClassifier learns, keeps and answers.

SKLEARN_SER_DEVICE=cuda runs all of it on a GPU.
"""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from _nnpm_cases import EMOTIONS, assert_same, corpora, make
from sklearn import clone
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.metrics import recall_score

from sklearn_ser import NNPMClassifier
from sklearn_ser.nn import _exponential_sums, _multilabel, _readout


@pytest.fixture
def data():
    return corpora()


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
        assert np.mean(gains) > 0.05

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
            found = copy.deepcopy(model).set_params(vote=vote, caution=0).predict_proba(T)
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
        for part in (_exponential_sums, _multilabel):
            # The votes have the name from the module that the losses take it from.
            monkeypatch.setattr(part, "ROWS_AT_ONCE", 100)
        monkeypatch.setattr(_exponential_sums, "_FEWEST_ROWS", 30)
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
