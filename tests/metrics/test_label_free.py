import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import NNPMClassifier
from sklearn_ser.metrics import (
    _label_free,
    entropy_score,
    memory_agreement_score,
    neighborhood_density_score,
)


class Table(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are the rows it is given."""

    def predict_proba(self, X):
        return X


def table(n_rows=40, n_classes=3, seed=0, concentration=0.5):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n_classes, concentration), size=n_rows)


class TestEntropy:
    def test_by_hand(self):
        # Entropies log 2, 0 and 0.25 log 4 + 0.75 log(4 / 3), of at most log 2.
        P = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
        third = (0.25 * np.log(4) + 0.75 * np.log(4 / 3)) / np.log(2)
        assert entropy_score(Table(), P) == pytest.approx(1 - (1 + 0 + third) / 3)

    def test_bounds(self):
        assert entropy_score(Table(), np.full((5, 4), 0.25)) == pytest.approx(0)
        assert entropy_score(Table(), np.eye(4)) == 1
        assert entropy_score(Table(), np.tile([1.0, 0, 0], (9, 1))) == 1

    def test_a_single_class_is_certain(self):
        assert entropy_score(Table(), np.ones((5, 1))) == 1

    def test_sharper_probabilities_score_higher(self):
        P = table()
        sharper = P**2 / (P**2).sum(axis=1, keepdims=True)
        assert entropy_score(Table(), sharper) > entropy_score(Table(), P)

    def test_float32_loses_little(self):
        P = table(1000)
        single = entropy_score(Table(), P.astype(np.float32))
        assert single == pytest.approx(entropy_score(Table(), P), abs=1e-6)


def density_by_loops(P, temperature):
    total = 0.0
    for i, row in enumerate(P):
        others = [other for j, other in enumerate(P) if j != i]
        cosines = [row @ other / (np.linalg.norm(row) * np.linalg.norm(other)) for other in others]
        weights = np.exp(np.array(cosines) / temperature)
        weights /= weights.sum()
        total -= (weights * np.log(weights)).sum()
    return total / len(P)


class TestDensity:
    def test_by_hand(self):
        # Row 0 has neighbours at cosine 1 and 0, row 2 two neighbours at cosine 0.
        P = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        near = 1 / (1 + np.exp(-2))
        entropy = -(near * np.log(near) + (1 - near) * np.log(1 - near))
        expected = (2 * entropy + np.log(2)) / 3
        assert neighborhood_density_score(Table(), P, temperature=0.5) == pytest.approx(expected)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("temperature", [0.05, 0.5])
    def test_against_loops(self, seed, temperature):
        P = table(seed=seed)
        found = neighborhood_density_score(Table(), P, temperature=temperature)
        assert found == pytest.approx(density_by_loops(P, temperature))

    def test_the_default_temperature(self):
        P = table()
        assert neighborhood_density_score(Table(), P) == pytest.approx(density_by_loops(P, 0.05))

    @pytest.mark.parametrize("entries", [1, 40, 130, 1599])
    def test_parts_change_nothing(self, entries, monkeypatch):
        P = table()
        whole = neighborhood_density_score(Table(), P)
        monkeypatch.setattr(_label_free, "_ENTRIES_AT_ONCE", entries)
        assert neighborhood_density_score(Table(), P) == pytest.approx(whole, rel=1e-12)

    def test_equal_predictions_reach_the_maximum(self):
        P = np.tile([0.2, 0.8], (17, 1))
        assert neighborhood_density_score(Table(), P) == pytest.approx(np.log(16))

    def test_two_rows_have_one_neighbour_each(self):
        assert neighborhood_density_score(Table(), table(2)) == 0

    def test_small_temperatures_do_not_underflow(self):
        score = neighborhood_density_score(Table(), table(), temperature=1e-5)
        assert 0 <= score < 0.1

    def test_one_row(self):
        with pytest.raises(ValueError, match=r"n_samples = 1, expected at least 2"):
            neighborhood_density_score(Table(), table(1))

    def test_probabilities_of_the_estimator_are_not_changed(self):
        P = table()
        before = P.copy()
        neighborhood_density_score(Table(), P)
        entropy_score(Table(), P)
        np.testing.assert_array_equal(P, before)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.resize(["anger", "neutral", "sadness"], 90)
    X = rng.normal(size=(90, 4)) + 2 * np.searchsorted(np.unique(y), y)[:, None]
    return X.astype(np.float32), y


def make(**parameters):
    settings = {
        "n_estimators": 1,
        "n_components": 4,
        "hidden_layer_sizes": (8,),
        "warmup_epochs": 3,
        "adaptation": None,
        "random_state": 0,
    }
    return NNPMClassifier(**{**settings, **parameters})


class TestAgreement:
    def test_by_hand(self, data):
        X, y = data
        model = make().fit(X, y)
        votes = [model.set_params(vote=vote).predict(X) for vote in ("head", "memory")]
        expected = (votes[0] == votes[1]).mean()
        assert 0 < expected < 1
        assert memory_agreement_score(model, X) == pytest.approx(expected)

    def test_what_stands_around(self, data):
        X, y = data
        scaler = StandardScaler().fit(X)
        Z = scaler.transform(X)
        expected = memory_agreement_score(make().fit(Z, y), Z)
        pipeline = make_pipeline(StandardScaler(), make()).fit(X, y)
        nested = make_pipeline(StandardScaler(), make_pipeline("passthrough", make())).fit(X, y)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), make()), {"nnpmclassifier__vote": ["mean"]}, cv=2
        ).fit(X, y)
        inside = make_pipeline(
            StandardScaler(), GridSearchCV(make(), {"vote": ["mean"]}, cv=2)
        ).fit(X, y)
        for model in (pipeline, nested, search, inside, FrozenEstimator(pipeline)):
            assert memory_agreement_score(model, X) == expected
        assert memory_agreement_score(FrozenEstimator(pipeline[-1]), Z) == expected

    @pytest.mark.parametrize(
        "model",
        [SVC(), make_pipeline(StandardScaler(), SVC()), GridSearchCV(SVC(), {"C": [1]}, cv=2)],
        ids=["alone", "pipeline", "search"],
    )
    def test_classifiers_without_memory(self, data, model):
        X, y = data
        with pytest.raises(TypeError, match=r"SVC has no memory.*Use an NNPMClassifier"):
            memory_agreement_score(model.fit(X, y), X)


@pytest.mark.parametrize("score", [entropy_score, neighborhood_density_score])
class TestScoresOfProbabilities:
    def test_classifiers_without(self, data, score):
        X, y = data
        with pytest.raises(TypeError, match=r"SVC has no predict_proba.*Use a classifier with pro"):
            score(SVC().fit(X, y), X)

    def test_any_classifier(self, data, score):
        X, y = data
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
        assert score(model, X) == pytest.approx(score(Table(), model.predict_proba(X)))


@pytest.mark.parametrize(
    "score", [entropy_score, neighborhood_density_score, memory_agreement_score]
)
class TestScorers:
    def test_labels_are_not_looked_at(self, data, score):
        X, y = data
        model = make().fit(X, y)
        assert score(model, X, y) == score(model, X) == score(model, X, object())
        assert isinstance(score(model, X), float)

    def test_in_a_search(self, data, score):
        X, y = data
        source, target = np.arange(60), np.arange(60, 90)
        settings = {"temperature": [0.01, 0.1, 1.0]}
        search = GridSearchCV(
            make(), settings, scoring=score, cv=[(source, target)], refit=False
        ).fit(X, y)
        expected = [
            score(make(temperature=one).fit(X[:60], y[:60]), X[60:])
            for one in settings["temperature"]
        ]
        np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)
