"""When NNPMClassifier warns, refuses, or returns to where it was.

SKLEARN_SER_DEVICE=cuda runs all of it on a GPU.
"""

import warnings

import numpy as np
import pytest
import torch
from _nnpm_cases import corpora, make, silently
from sklearn.exceptions import ConvergenceWarning

from sklearn_ser.estimators import _nnpm_training
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.nn._adaptation import source_loss


@pytest.fixture
def data():
    return corpora()


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
    def test_a_divergence_warns_and_leaves_finite_weights(self, data):
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
