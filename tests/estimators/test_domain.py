"""MCCClassifier, CORALClassifier and DANNClassifier: the ways in, and what they learn."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn import clone, config_context
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CORALClassifier,
    CorpusScaler,
    DANNClassifier,
    LeaveOneCorpusOut,
    MCCClassifier,
    adapt,
    cross_corpus_validate,
    load,
    save,
)
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.nn._domain_losses import adversarial_loss, confusion_loss, covariance_loss

EMOTIONS = np.array(["anger", "neutral", "sadness"])
METHODS = [MCCClassifier, CORALClassifier, DANNClassifier]


@pytest.fixture(params=METHODS)
def make(request):
    """Make a classifier that trains fast."""

    def made(**parameters):
        settings = {"n_estimators": 2, "n_components": 4, "hidden_layer_sizes": 8}
        settings |= {"max_epochs": 3, "batch_size": 32, "random_state": 0}
        return request.param(**{**settings, **parameters})

    return made


def corpora(n_source=100, n_target=60):
    """Draw three emotions in a source and in a target, half of whose features are shifted."""
    rng = np.random.default_rng(0)
    rows = []
    for n_rows, offset in ((n_source, 0.0), (n_target, 2.0)):
        codes = rng.permutation(np.resize(np.arange(3), n_rows))
        features = rng.normal(size=(n_rows, 6)) + 1.5 * np.eye(6)[codes]
        features += 1.5 * np.eye(6)[codes + 3] + np.repeat([0.0, offset], 3)
        rows += [features.astype(np.float32), EMOTIONS[codes]]
    return rows


@pytest.fixture
def data():
    return corpora()


def predicted_by_asking(make, rows, labels, corpus):
    """Return the predictions for corpus c, the last, by a model that adapts to what it predicts."""
    with config_context(enable_metadata_routing=True):
        predicted = cross_val_predict(
            make_pipeline(CorpusScaler(), make(adaptation="predict")),
            rows,
            labels,
            cv=LeaveOneCorpusOut(),
            params={"groups": corpus, "sample_domain": corpus},
        )
    return predicted[corpus == "c"]


def assert_same(first, second, X):
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    for one, other in zip(first.history_, second.history_, strict=True):
        assert {**one, "duration": 0} == {**other, "duration": 0}


class TestWaysIn:
    def test_fit_adapt_and_predict_are_the_same_to_the_bit(self, make, data):
        X, y, T, _ = data
        in_fit = make().fit(X, y, X_target=T)
        assert in_fit.adapted_
        assert_same(make().fit(X, y).adapt(T), in_fit, T)
        assert_same(clone(in_fit).fit(X, y, X_target=T), in_fit, T)
        asked = make(adaptation="predict").fit(X, y)
        np.testing.assert_array_equal(asked.predict_proba(T), in_fit.predict_proba(T))
        np.testing.assert_array_equal(asked.predict(T), in_fit.predict(T))
        assert asked.adapted_ is False
        in_pipeline = adapt(make_pipeline(make()).fit(X, y), T)
        np.testing.assert_array_equal(in_pipeline.predict_proba(T), in_fit.predict_proba(T))

    def test_the_order_of_the_target_does_not_matter(self, make, data):
        X, y, T, _ = data
        model = make(adaptation="predict").fit(X, y)
        found = model.predict_proba(T[::-1])[::-1]
        np.testing.assert_allclose(found, model.predict_proba(T), rtol=1e-5)

    def test_an_earlier_target_leaves_no_trace(self, make, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T[:30]).adapt(T)
        assert_same(model, make().fit(X, y, X_target=T), T)
        assert model.fit(X, y).adapted_ is False

    def test_no_target_is_looked_at_without_adaptation(self, make, data):
        X, y, T, _ = data
        model = make(adaptation=None).fit(X, y, X_target=T)
        assert_same(model, make(adaptation=None).fit(X, y), T)
        assert [entry["phase"] for entry in model.history_] == ["source"] * 3

    def test_the_rows_of_the_caller_may_change(self, make, data):
        X, y, T, _ = data
        own = X.copy()
        model = make().fit(own, y)
        own[:] = 0
        assert_same(model.adapt(T), make().fit(X, y, X_target=T), T)

    def test_questions_about_the_same_rows_train_once(self, make, data, monkeypatch):
        X, y, T, _ = data
        model = make(adaptation="predict").fit(X, y)
        sizes = []
        train = type(model)._train
        monkeypatch.setattr(
            type(model), "_train", lambda self, rows: sizes.append(len(rows)) or train(self, rows)
        )
        first = model.predict_proba(T)
        model.predict(T)
        model.predict(T[:50])
        np.testing.assert_array_equal(model.predict_proba(T), first)
        model.set_params(target_weight=0.3).predict(T)
        model.set_params(verbose=0).predict(T)
        assert sizes == [60, 50, 60, 60]

    def test_parameters_set_before_adapting_count(self, make, data):
        X, y, T, _ = data
        model = make().fit(X, y).set_params(n_components=5, max_epochs=2).adapt(T)
        assert_same(model, make(n_components=5, max_epochs=2).fit(X, y, X_target=T), T)
        with pytest.raises(ValueError, match=r"'target_weight' parameter of .* must be"):
            model.set_params(target_weight=-1.0).adapt(T)

    def test_cross_validation_adapts_to_the_corpus_left_out(self, make):
        X, y, T, y_target = corpora()
        rows, labels = np.vstack([X, T]), np.append(y, y_target)
        corpus = np.repeat(["a", "b", "c"], [50, 50, 60])
        model = make_pipeline(CorpusScaler(), make())
        found = cross_corpus_validate(model, rows, labels, corpus, targets="c", n_draws=10)
        found = found.predictions.sort_values("sample")["y_pred"].to_numpy()
        np.testing.assert_array_equal(predicted_by_asking(make, rows, labels, corpus), found)
        # No label of the target reaches its predictions.
        labels[100:] = np.random.default_rng(0).permutation(labels[100:])
        again = cross_corpus_validate(model, rows, labels, corpus, targets="c", n_draws=10)
        again = again.predictions.sort_values("sample")["y_pred"].to_numpy()
        np.testing.assert_array_equal(again, found)
        np.testing.assert_array_equal(predicted_by_asking(make, rows, labels, corpus), found)
        # Labels of the source do.
        labels[:100] = np.random.default_rng(0).permutation(labels[:100])
        assert (predicted_by_asking(make, rows, labels, corpus) != found).any()


class TestLearnt:
    @pytest.mark.parametrize("method", [MCCClassifier, CORALClassifier])
    def test_the_term_of_the_target_falls_with_its_weight(self, data, method):
        X, y, T, _ = data
        settings = {"max_epochs": 30, "learning_rate": 1e-2, "dropout": 0.0, "random_state": 0}
        last = [
            method(target_weight=weight, n_estimators=1, n_components=4, **settings)
            .fit(X, y, X_target=T)
            .history_[-1]
            for weight in (0.0, 3.0)
        ]
        assert [entry["target_weight"] for entry in last] == [0.0, 3.0]
        assert last[1]["target"] < 0.7 * last[0]["target"]

    @pytest.mark.parametrize("method", [MCCClassifier, DANNClassifier])
    def test_it_helps_where_features_are_shifted(self, method):
        rng = np.random.default_rng(0)
        y = np.repeat(EMOTIONS[:2], 100)
        X, T = (rng.normal(size=(200, 8)) + (y == "anger")[:, None] for _ in range(2))
        T[:, 4:] += 2
        alone, adapted = (
            method(adaptation=adaptation, n_estimators=1, max_epochs=60, random_state=0)
            .fit(X, y, X_target=T)
            .score(T, y)
            for adaptation in (None, "fit")
        )
        assert adapted > alone + 0.05

    def test_each_has_the_loss_of_its_name(self, data):
        X, y, _, _ = data
        z = torch.randn(1, 7, 4, generator=torch.Generator().manual_seed(0))
        settings = {"n_components": 4, "n_estimators": 1, "max_epochs": 1}
        for method, expected in (
            (MCCClassifier, lambda net: confusion_loss(net.classify(-z), temperature=1.0)),
            (CORALClassifier, lambda net: covariance_loss(z, -2 * z)),
            (DANNClassifier, lambda net: adversarial_loss(net.judge, z, -z)),
        ):
            model = method(adaptation=None, **settings).fit(X, y)
            net = model.net_.module_
            target = -2 * z if method is CORALClassifier else -z
            torch.testing.assert_close(model._target_loss(net, z, target), expected(net))

    def test_probabilities_are_the_mean_over_members(self, make, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        with torch.no_grad():
            members = model.net_.module_(torch.from_numpy(T)).softmax(dim=2).numpy()
        probabilities = model.predict_proba(T)
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities, members.mean(axis=0), rtol=1e-5)
        np.testing.assert_array_equal(model.predict(T), EMOTIONS[probabilities.argmax(axis=1)])

    def test_generators_of_the_caller_are_left_alone(self, make, data):
        X, y, T, _ = data
        before = torch.get_rng_state(), np.random.mtrand._rand.get_state()[1].copy()
        make(adaptation="predict").fit(X, y).predict(T)
        assert torch.equal(torch.get_rng_state(), before[0])
        np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], before[1])

    def test_fewer_rows_than_a_batch(self, make, data):
        X, y, T, _ = data
        model = make(batch_size=500).fit(X, y, X_target=T)
        assert np.isfinite(model.predict_proba(T)).all()
        assert len(model.history_) == 3


class TestStored:
    @pytest.mark.parametrize("roundtrip", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
    def test_copies_predict_and_adapt_the_same(self, make, data, roundtrip):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        assert_same(roundtrip(model), model, T)
        assert_same(roundtrip(model).adapt(T[:40]), make().fit(X, y, X_target=T[:40]), T)

    def test_files(self, make, data, tmp_path):
        X, y, T, _ = data
        model = make(adaptation="predict").fit(X, y)
        save(model, tmp_path / "model.skops")
        loaded = load(tmp_path / "model.skops")
        np.testing.assert_array_equal(loaded.predict_proba(T), model.predict_proba(T))

    def test_damaged_ones_are_refused(self, make, data):
        X, y, _, _ = data
        model = make().fit(X, y)
        state = model.__getstate__()
        state["_source_codes"] = state["_source_codes"] + 1
        with pytest.raises(ValueError, match="the model was changed or damaged"):
            type(model).__new__(type(model)).__setstate__(state)


class TestWarningsAndErrors:
    def test_a_model_without_adaptation(self, make, data):
        X, y, T, _ = data
        model = make().fit(X, y)
        with pytest.warns(NotAdaptedWarning, match=f"This {type(model).__name__} knows its source"):
            model.predict(T)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.set_params(adaptation=None).predict(T)

    def test_a_target_that_is_too_small(self, make, data):
        X, y, T, _ = data
        with pytest.warns(NotAdaptedWarning, match="the target has 19 rows and min_target=20"):
            model = make().fit(X, y, X_target=T[:19])
        assert model.adapted_ is False
        model.set_params(adaptation=None)
        assert_same(model, make(adaptation=None).fit(X, y), T)
        model.adapt(T)
        with pytest.warns(NotAdaptedWarning, match="it stays as it was adapted before"):
            model.adapt(T[:19])
        assert_same(model, make().fit(X, y, X_target=T), T)

    def test_wrong_targets(self, make, data):
        X, y, T, _ = data
        with pytest.raises(ValueError, match="X_target has 5 features, but X has 6"):
            make().fit(X, y, X_target=T[:, :5])
        gap = T.copy()
        gap[0, 0] = np.nan
        with pytest.raises(ValueError, match="Input X_target contains NaN"):
            make().fit(X, y).adapt(gap)

    def test_wrong_labels(self, make, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=r"y has 1 class only, 'anger'"):
            make().fit(X, np.repeat("anger", len(X)))
        with pytest.raises(ValueError, match="Pass the rows without a label as X_target"):
            make().fit(X, np.append(y[:-1].astype(object), None))
        with pytest.raises(ValueError, match="y has 1 missing of 100 entries"):
            make(adaptation=None).fit(X, y).score(X, np.append(y[:-1].astype(object), None))

    def test_an_adaptation_that_diverges_is_undone(self, make, data):
        X, y, T, _ = data
        model = make().fit(X, y, X_target=T)
        before, history = model.predict_proba(T), model.history_
        with pytest.warns(NotAdaptedWarning, match="adapted before: the loss or the weights"):
            model.set_params(learning_rate=1e30).adapt(T)
        np.testing.assert_array_equal(model.predict_proba(T), before)
        assert model.history_ == history

    def test_a_training_that_diverges(self, make, data):
        X, y, T, _ = data
        with pytest.warns(ConvergenceWarning, match="the training stopped there"):
            make(learning_rate=1e30).fit(X, y, X_target=T)

    def test_before_fit(self, make, data):
        for method in ("adapt", "predict"):
            with pytest.raises(NotFittedError, match="instance is not fitted yet"):
                getattr(make(), method)(data[2])
