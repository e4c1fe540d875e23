"""The shares of the classes that NNPMClassifier expects in a target.

SKLEARN_SER_DEVICE=cuda runs all of it on a GPU.
"""

import numpy as np
import pandas as pd
import pytest
from _nnpm_cases import EMOTIONS, assert_same, corpora, make, silently
from sklearn.metrics import accuracy_score, log_loss

from sklearn_ser import NNPMClassifier, load, save
from sklearn_ser.estimators._nnpm_training import class_shares
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.metrics import unweighted_average_recall
from sklearn_ser.nn._adaptation import collapse


@pytest.fixture
def data():
    return corpora()


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


SHARES = np.array([0.1, 0.7, 0.2])


def imbalanced(seed=0, n_target=400, **options):
    """Draw a target in which the emotions have the shares SHARES."""
    X, y, T, truth = corpora(seed, n_target=3 * n_target, **options)
    rows = np.concatenate(
        [
            np.flatnonzero(truth == one)[: round(share * n_target)]
            for one, share in zip(EMOTIONS, SHARES, strict=True)
        ]
    )
    return X, y, T[np.sort(rows)], truth[np.sort(rows)]


class TestPrediction:
    def test_what_is_learnt_does_not_depend_on_the_shares(self):
        X, y, T, _ = imbalanced()
        models = [
            make(target_prior=prior).fit(X, y, X_target=T)
            for prior in ("uniform", SHARES, "estimate", "source")
        ]
        for model in models[1:]:
            assert_same(
                models[0].set_params(prediction_prior="uniform"),
                model.set_params(prediction_prior="uniform"),
                T,
            )
            np.testing.assert_array_equal(models[0].pseudo_labels_, model.pseudo_labels_)

    @pytest.mark.parametrize("vote", ["head", "memory"])
    @pytest.mark.parametrize("prior", [SHARES, [0.3, 0.7, 0]], ids=str)
    def test_mean_predictions_have_the_shares(self, vote, prior):
        X, y, T, _ = imbalanced()
        model = make(target_prior=prior, vote=vote).fit(X, y, X_target=T)
        np.testing.assert_allclose(model.predict_proba(T).mean(axis=0), prior, atol=2e-3)

    @pytest.mark.parametrize("seed", range(3))
    def test_each_serves_its_score(self, seed):
        X, y, T, truth = imbalanced(seed)
        model = make(target_prior=SHARES).fit(X, y, X_target=T)
        target = model.predict(T), model.predict_proba(T)
        model.set_params(prediction_prior="uniform")
        uniform = model.predict(T), model.predict_proba(T)
        assert accuracy_score(truth, target[0]) > accuracy_score(truth, uniform[0])
        assert log_loss(truth, target[1]) < log_loss(truth, uniform[1])
        assert unweighted_average_recall(truth, uniform[0]) > unweighted_average_recall(
            truth, target[0]
        )

    def test_equal_shares_are_the_default(self, data):
        X, y, T, _ = data
        models = [
            make(**parameters).fit(X, y, X_target=T)
            for parameters in (
                {},
                {"prediction_prior": "uniform"},
                {"target_prior": [1 / 3, 1 / 3, 1 / 3]},
            )
        ]
        assert_same(models[0], models[1], T)
        assert_same(models[0], models[2], T)

    def test_shares_may_be_changed_after_adaptation(self):
        X, y, T, _ = imbalanced()
        model = make(target_prior=SHARES).fit(X, y, X_target=T)
        fitted = model.predict_proba(T)
        changed = model.set_params(target_prior=[0.2, 0.1, 0.7]).predict_proba(T)
        uniform = make().fit(X, y, X_target=T).predict_proba(T)
        assert np.all((changed > uniform).mean(axis=0)[[1, 2]] == [0, 1])
        # The shares of the adaptation stay known, and are predicted again.
        np.testing.assert_allclose(model.target_prior_, SHARES, rtol=1e-6)
        model.set_params(target_prior=SHARES.tolist())
        np.testing.assert_array_equal(model.predict_proba(T), fitted)
        # Nothing was estimated, so nothing more than equal shares is known.
        model.set_params(target_prior="estimate")
        np.testing.assert_array_equal(model.predict_proba(T), uniform)

    @pytest.mark.parametrize("prior", [SHARES, "estimate"], ids=str)
    def test_a_stored_model_predicts_the_same(self, prior, tmp_path):
        X, y, T, _ = imbalanced()
        model = make(target_prior=prior).fit(X, y, X_target=T)
        save(model, tmp_path / "model.skops")
        loaded = load(tmp_path / "model.skops")
        assert_same(model, loaded, T)
        np.testing.assert_array_equal(model.target_prior_, loaded.target_prior_)

    def test_all_ways_in_predict_the_same(self):
        X, y, T, _ = imbalanced()
        first = make(target_prior="estimate").fit(X, y, X_target=T)
        later = make(target_prior="estimate").fit(X, y).adapt(T)
        assert_same(first, later, T)
        batch = make(target_prior="estimate", adaptation="predict").fit(X, y)
        np.testing.assert_array_equal(batch.predict_proba(T), first.predict_proba(T))

    def test_a_batch_follows_a_change_of_prediction_prior(self):
        X, y, T, _ = imbalanced()
        batch = make(target_prior=SHARES, adaptation="predict").fit(X, y)
        target = batch.predict_proba(T)
        uniform = batch.set_params(prediction_prior="uniform").predict_proba(T)
        assert np.abs(target - uniform).max() > 0.05


class TestEstimate:
    @pytest.mark.parametrize("seed", range(4))
    def test_shares_of_a_target_like_the_source_are_found(self, seed):
        X, y, T, _ = imbalanced(seed, shift=0)
        model = make(target_prior="estimate").fit(X, y, X_target=T)
        assert model.target_prior_.dtype == np.float32
        assert model.target_prior_.sum() == pytest.approx(1, abs=1e-6)
        assert np.abs(model.target_prior_ - SHARES).max() < 0.1
        np.testing.assert_allclose(
            model.predict_proba(T).mean(axis=0), model.target_prior_, atol=0.05
        )

    def test_a_refit_is_identical(self):
        X, y, T, _ = imbalanced()
        models = [make(target_prior="estimate").fit(X, y, X_target=T) for _ in range(2)]
        assert_same(*models, T)
        np.testing.assert_array_equal(models[0].target_prior_, models[1].target_prior_)

    def test_a_refit_forgets_what_was_adapted(self):
        X, y, T, _ = imbalanced()
        fresh, again = make(target_prior="estimate").fit(X, y), make(target_prior="estimate")
        again.fit(X, y, X_target=T).fit(X, y)
        assert again.__getstate__().keys() == fresh.__getstate__().keys()

    def test_it_is_known_after_adaptation_only(self, data):
        X, y, T, _ = data
        model = make(target_prior="estimate").fit(X, y)
        assert not hasattr(model, "target_prior_")
        assert hasattr(model.adapt(T), "target_prior_")
        assert not hasattr(model.fit(X, y), "target_prior_")

    @pytest.mark.parametrize(
        ("prior", "expected"),
        [(None, None), ("uniform", [1 / 3] * 3), ([0.3, 0.7, 0], [0.3, 0.7, 0])],
        ids=str,
    )
    def test_other_shares_are_kept_as_they_are(self, data, prior, expected):
        X, y, T, _ = data
        found = make(target_prior=prior, guard=False).fit(X, y, X_target=T).target_prior_
        assert (found is None) == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(found, expected, rtol=1e-6)

    @pytest.mark.parametrize("parameter", ["target_prior", "prediction_prior"])
    def test_other_words(self, data, parameter):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=f"The '{parameter}' parameter of NNPMClassifier must"):
            make(**{parameter: "guess"}).fit(X, y)
