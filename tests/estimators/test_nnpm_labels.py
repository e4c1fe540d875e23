"""NNPMClassifier with labels of a few target rows."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from _nnpm_cases import EMOTIONS, assert_same, corpora, make, silently
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.nn import _labelled


@pytest.fixture
def data():
    return corpora()


def few(labels, n_each=5, seed=0):
    """Keep the labels of some rows of each emotion."""
    rng = np.random.default_rng(seed)
    kept = np.full(len(labels), None, dtype=object)
    for name in np.unique(labels):
        chosen = rng.permutation(np.flatnonzero(labels == name))[:n_each]
        kept[chosen] = labels[chosen]
    return kept


def known(labels):
    return ~pd.isna(labels)


class TestLabels:
    def test_fit_and_adapt_are_the_same_to_the_bit(self, data):
        X, y, T, t = data
        in_fit = make().fit(X, y, X_target=T, y_target=few(t))
        assert_same(in_fit, make().fit(X, y).adapt(T, few(t)), T)
        assert_same(in_fit, make().fit(X, y, X_target=T, y_target=few(t)), T)

    def test_gaps_alone_are_no_labels(self, data):
        X, y, T, t = data
        model = make().fit(X, y).adapt(T, few(t, 0))
        assert_same(model, make().fit(X, y).adapt(T), T)

    def test_others_change_the_predictions(self, data):
        X, y, T, t = data
        labels, moved = few(t), few(t)
        moved[known(labels)] = np.roll(labels[known(labels)], 1)
        model, other = (make().fit(X, y).adapt(T, given) for given in (labels, moved))
        assert not np.array_equal(model.predict_proba(T), other.predict_proba(T))

    @pytest.mark.parametrize("gap", [None, np.nan, pd.NA, -1])
    def test_gaps(self, data, gap):
        X, y, T, t = data
        labels = few(t)
        filled = labels.copy()
        filled[~known(labels)] = [gap] * int((~known(labels)).sum())
        assert_same(make().fit(X, y).adapt(T, labels), make().fit(X, y).adapt(T, filled), T)

    def test_emotions_as_numbers(self, data):
        X, y, T, t = data
        codes = EMOTIONS.searchsorted(few(t).astype(str))
        codes = np.where(known(few(t)), codes, -1)
        model = make().fit(X, EMOTIONS.searchsorted(y)).adapt(T, codes)
        expected = make().fit(X, y).adapt(T, few(t))
        np.testing.assert_array_equal(model.predict_proba(T), expected.predict_proba(T))

    def test_they_are_kept_and_predicted(self, data):
        X, y, T, t = data
        labels = few(t)
        labels[known(labels)] = np.roll(labels[known(labels)], 5)
        model = make(max_epochs=15).fit(X, y).adapt(T, labels)
        np.testing.assert_array_equal(
            model.pseudo_labels_[known(labels)], labels[known(labels)].astype(str)
        )
        assert model.target_selected_[known(labels)].all()

    @pytest.mark.parametrize("keep_source", [True, False])
    def test_they_help(self, keep_source):
        # In the target the emotions have changed places, which nothing but a label tells.
        X, y, T, t = corpora()
        t = EMOTIONS[(EMOTIONS.searchsorted(t) + 1) % 3]
        labels = few(t, 8)
        rest = ~known(labels)
        model = make(guard=False, keep_source=keep_source, max_epochs=15).fit(X, y)
        assert copy.copy(model).adapt(T).score(T[rest], t[rest]) < 0.2
        assert model.adapt(T, labels).score(T[rest], t[rest]) > 0.6

    def test_the_weight(self, data):
        X, y, T, t = data
        by_weight = [
            make(label_weight=weight).fit(X, y).adapt(T, few(t)).predict_proba(T)
            for weight in (0.0, 0.1, 1.0)
        ]
        assert not np.array_equal(by_weight[0], by_weight[1])
        assert not np.array_equal(by_weight[1], by_weight[2])

    @pytest.mark.parametrize(
        "parameters",
        [
            {"loss": "mmcl"},
            {"label_prediction": "cycle", "n_neighbors": 5},
            {"soft_labels": False},
            {"target_prior": None},
            {"target_prior": {"anger": 0.5, "neutral": 0.5, "sadness": 0}},
        ],
        ids=str,
    )
    def test_with_variants(self, data, parameters):
        X, y, T, t = data
        model = make(guard=False, **parameters).fit(X, y).adapt(T, few(t))
        assert np.isfinite(model.predict_proba(T)).all()
        assert model.memory_.shape[1] == len(X) + 15

    def test_of_a_single_class(self, data):
        X, y, T, t = data
        labels = few(t)
        labels[t != "anger"] = None
        model = make(guard=False).fit(X, y).adapt(T, labels)
        assert model.memory_labels_[len(X) :].tolist() == ["anger"] * 5
        assert len(set(model.predict(T))) == 3

    def test_through_a_pipeline(self, data):
        X, y, T, t = data
        with sklearn.config_context(enable_metadata_routing=True):
            model = make_pipeline(StandardScaler(), make(), transform_input=["X_target"])
            model.fit(X, y, X_target=T, y_target=few(t))
            scaler = StandardScaler().fit(X)
            expected = make().fit(
                scaler.transform(X), y, X_target=scaler.transform(T), y_target=few(t)
            )
            np.testing.assert_array_equal(
                model.predict_proba(T), expected.predict_proba(scaler.transform(T))
            )


class TestLater:
    @pytest.mark.parametrize("keep_source", [True, False])
    def test_they_stay_when_adapting_again(self, data, keep_source):
        X, y, T, t = data
        model = make(keep_source=keep_source).fit(X, y).adapt(T, few(t))
        first = model.memory_labels_
        model.adapt(T[:60])
        np.testing.assert_array_equal(model.memory_labels_, first)
        np.testing.assert_array_equal(first[len(X) :], few(t)[known(few(t))].astype(str))

    @pytest.mark.parametrize("keep_source", [True, False])
    def test_new_ones_replace_them(self, data, keep_source):
        X, y, T, t = data
        model = make(keep_source=keep_source).fit(X, y).adapt(T, few(t)).adapt(T, few(t, 2))
        assert model.memory_.shape[1] == len(model.memory_labels_) == len(X) + 6

    @pytest.mark.parametrize("keep_source", [True, False])
    def test_after_loading(self, data, keep_source):
        X, y, T, t = data
        model = make(keep_source=keep_source).fit(X, y).adapt(T, few(t))
        loaded = pickle.loads(pickle.dumps(model))
        assert_same(model, loaded, T)
        assert_same(model.adapt(T[:60]), loaded.adapt(T[:60]), T)

    def test_a_damaged_number_of_them(self, data):
        X, y, T, t = data
        state = make().fit(X, y).adapt(T, few(t)).__getstate__()
        state["_n_labelled"] = len(X) + 15
        with pytest.raises(ValueError, match="of which 165 are said to be labelled"):
            make().__setstate__(state)

    def test_a_refit_forgets_them(self, data):
        X, y, T, t = data
        model = make().fit(X, y).adapt(T, few(t)).fit(X, y)
        assert_same(model, make().fit(X, y), T)

    def test_the_rows_of_the_source_are_not_kept_for_them(self, data):
        X, y, T, t = data
        model = make(keep_source=False).fit(X, y).adapt(T, few(t))
        assert model._source_rows is None

    def test_batches_to_predict_are_adapted_with_them(self, data):
        X, y, T, t = data
        model = make().fit(X, y).adapt(T, few(t))
        expected = copy.copy(model).adapt(T[:60]).predict_proba(T[:60])
        asked = model.set_params(adaptation="predict")
        np.testing.assert_array_equal(asked.predict_proba(T[:60]), expected)


class TestWithoutAdaptation:
    """What is learnt where pseudo labels are not to be trusted."""

    @pytest.mark.parametrize("keep_source", [True, False])
    def test_few_rows(self, keep_source):
        X, y, T, t = corpora(n_target=18, shift=2.5)
        model = make(keep_source=keep_source, min_target=20).fit(X, y)
        before = silently(model.score, T, t)
        with pytest.warns(NotAdaptedWarning, match="it learnt from the labelled rows alone: .* 18"):
            model.adapt(T, few(t, 3))
        assert model.adapted_
        assert model.score(T, t) > before
        assert model.target_selected_.sum() == 9
        assert model._means is None

    def test_a_rejected_adaptation(self, data, monkeypatch):
        X, y, T, t = data
        monkeypatch.setattr(
            "sklearn_ser.estimators._nnpm_training.collapse", lambda *_, **__: "it is a test"
        )
        model = make().fit(X, y)
        with pytest.warns(NotAdaptedWarning, match="labelled rows alone: it is a test"):
            model.adapt(T, few(t))
        assert model.adapted_
        np.testing.assert_array_equal(model.target_selected_, known(few(t)))
        assert len(model.history_) == 15

    def test_infinite_values_leave_the_model_as_it_was(self, data):
        X, y, T, t = data
        model = make().fit(X, y)
        before = silently(model.predict_proba, T)
        model.set_params(learning_rate=1e38)
        with pytest.warns(NotAdaptedWarning, match="from the source alone: .* infinite or NaN"):
            model.adapt(T, few(t))
        assert not model.adapted_
        assert model.memory_.shape[1] == len(model.memory_labels_) == len(X)
        np.testing.assert_array_equal(silently(model.predict_proba, T), before)

    def test_steps_do_not_depend_on_the_number_of_labels(self, data):
        X, y, T, t = data
        state = make().fit(X, y)
        rows = _labelled.LabelledAdaptation.rows_to_train_on
        seen = []

        def spy(self):
            seen.append(len(rows(self)))
            return rows(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_labelled.LabelledAdaptation, "rows_to_train_on", spy)
            silently(state.set_params(min_target=1000).adapt, T, few(t, 1))
        assert seen == [len(X) + 3]


class TestErrors:
    def test_without_rows(self, data):
        X, y, _, t = data
        with pytest.raises(ValueError, match="y_target was given without X_target"):
            make().fit(X, y, y_target=few(t))

    @pytest.mark.parametrize("adaptation", ["predict", None])
    def test_without_adaptation(self, data, adaptation):
        X, y, T, t = data
        with pytest.raises(ValueError, match="y_target was given to fit with adaptation="):
            make(adaptation=adaptation).fit(X, y, X_target=T, y_target=few(t))

    def test_another_length(self, data):
        X, y, T, t = data
        with pytest.raises(ValueError, match="y_target has 89 entries but X_target has 90 samples"):
            make().fit(X, y).adapt(T, few(t)[1:])

    def test_unknown_emotions(self, data):
        X, y, T, t = data
        labels = few(t)
        labels[:2] = ["disgust", "fear"]
        with pytest.raises(ValueError, match=r"\['disgust', 'fear'\], which y lacks; its classes"):
            make().fit(X, y, X_target=T, y_target=labels)

    def test_gaps_that_became_strings(self, data):
        X, y, T, t = data
        with pytest.raises(ValueError, match="y_target holds the string 'None'"):
            make().fit(X, y).adapt(T, few(t).astype(str))

    def test_minus_one_as_a_class(self, data):
        X, y, T, t = data
        model = make().fit(X, np.where(y == "anger", 1, -1))
        with pytest.raises(ValueError, match="-1 is also a class of y"):
            model.adapt(T, np.where(t == "anger", 1, -1))

    def test_a_weight_below_zero(self, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match="'label_weight' parameter"):
            make(label_weight=-1.0).fit(X, y)
