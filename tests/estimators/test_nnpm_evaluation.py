"""NNPMClassifier inside pipelines, cross-validation and searches; no label of the target helps."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    CorpusScaler,
    LeaveOneCorpusOut,
    NNPMClassifier,
    adapt,
    cross_corpus_validate,
)
from sklearn_ser.metrics import (
    entropy_score,
    memory_agreement_score,
    neighborhood_density_score,
)

CORPUS = np.repeat(["emodb", "ravdess", "urdu"], 60)
SOURCE, TARGET = np.flatnonzero(CORPUS != "urdu"), np.flatnonzero(CORPUS == "urdu")


def make(**parameters):
    """Make a classifier that trains fast."""
    settings = {
        "n_estimators": 1,
        "n_components": 8,
        "hidden_layer_sizes": (16,),
        "warmup_epochs": 4,
        "max_epochs": 3,
        "learning_rate": 1e-2,
        "random_state": 0,
    }
    return NNPMClassifier(**{**settings, **parameters})


def predicting(**parameters):
    return make_pipeline(CorpusScaler(), make(adaptation="predict", **parameters))


@pytest.fixture
def data():
    """Three emotions in three corpora, each with an offset and a scale of its own."""
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.permutation(np.resize(np.arange(3), 60)) for _ in range(3)])
    X = 1.5 * rng.normal(size=(3, 5))[codes] + rng.normal(size=(180, 5))
    X *= np.repeat(rng.uniform(0.5, 2, size=(3, 5)), 60, axis=0)
    X += np.repeat(3 * rng.normal(size=(3, 5)), 60, axis=0)
    return X.astype(np.float32), np.array(["anger", "neutral", "sadness"])[codes]


def by_cross_corpus_validate(X, y):
    model = make_pipeline(CorpusScaler(), make())
    found = cross_corpus_validate(model, X, y, CORPUS, targets="urdu", n_draws=10)
    return found.predictions.sort_values("sample")["y_pred"].to_numpy()


def by_fit(X, y):
    model = make_pipeline(CorpusScaler(), make(), transform_input=["X_target"])
    with config_context(enable_metadata_routing=True):
        model.fit(X[SOURCE], y[SOURCE], X_target=X[TARGET], sample_domain=CORPUS[SOURCE])
    return model.predict_proba(X[TARGET])


def by_adapt(X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make_pipeline(CorpusScaler(), make())
        model.fit(X[SOURCE], y[SOURCE], corpusscaler__sample_domain=CORPUS[SOURCE])
        return adapt(model, X[TARGET]).predict_proba(X[TARGET])


def by_cross_val_predict(X, y):
    return cross_val_predict(
        predicting(),
        X,
        y,
        groups=CORPUS,
        cv=LeaveOneCorpusOut(),
        method="predict_proba",
        params={"corpusscaler__sample_domain": CORPUS},
    )[TARGET]


def by_cross_validate(X, y):
    found = cross_validate(
        predicting(),
        X,
        y,
        groups=CORPUS,
        cv=LeaveOneCorpusOut(targets="urdu"),
        return_estimator=True,
        params={"corpusscaler__sample_domain": CORPUS},
    )
    (model,) = found["estimator"]
    return model.predict_proba(X[TARGET])


def by_a_search(X, y):
    search = GridSearchCV(
        predicting(),
        {"nnpmclassifier__temperature": [0.03, 0.1, 0.5]},
        scoring={
            "entropy": entropy_score,
            "density": neighborhood_density_score,
            "agreement": memory_agreement_score,
        },
        cv=[(SOURCE, TARGET)],
        refit=False,
    ).fit(X, y)
    names = ("entropy", "density", "agreement")
    return np.array([search.cv_results_[f"mean_test_{name}"] for name in names])


def by_a_nested_search(X, y):
    search = GridSearchCV(
        predicting(),
        {"nnpmclassifier__temperature": [0.03, 0.5]},
        scoring=entropy_score,
        cv=LeaveOneCorpusOut(),
    )
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            search,
            X,
            y,
            cv=LeaveOneCorpusOut(targets="urdu"),
            return_estimator=True,
            scoring=entropy_score,
            params={"groups": CORPUS, "sample_domain": CORPUS},
        )
    (fitted,) = found["estimator"]
    assert fitted.n_splits_ == 2
    return np.vstack([fitted.predict_proba(X[TARGET]), np.full(3, found["test_score"][0])])


WAYS = {
    way.__name__.removeprefix("by_"): way
    for way in (
        by_cross_corpus_validate,
        by_fit,
        by_adapt,
        by_cross_val_predict,
        by_cross_validate,
        by_a_search,
        by_a_nested_search,
    )
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
class TestLabelsOfTheTarget:
    def test_permuting_them_changes_nothing(self, data, way):
        X, y = data
        permuted = y.copy()
        permuted[TARGET] = np.random.default_rng(1).permutation(y[TARGET])
        assert (permuted != y).sum() > 20
        np.testing.assert_array_equal(way(X, y), way(X, permuted))

    def test_removing_them_changes_nothing(self, data, way):
        X, y = data
        removed = y.copy()
        removed[TARGET] = y[SOURCE[0]]
        np.testing.assert_array_equal(way(X, y), way(X, removed))

    def test_those_of_the_source_do_change_something(self, data, way):
        X, y = data
        following = {"anger": "neutral", "neutral": "sadness", "sadness": "anger"}
        changed = y.copy()
        changed[SOURCE] = [following[emotion] for emotion in y[SOURCE]]
        assert not np.array_equal(way(X, y), way(X, changed))


def test_all_ways_in_give_the_same_probabilities(data):
    expected = by_adapt(*data)
    for way in (by_fit, by_cross_val_predict, by_cross_validate):
        np.testing.assert_array_equal(way(*data), expected)
    best = np.array(["anger", "neutral", "sadness"])[expected.argmax(axis=1)]
    np.testing.assert_array_equal(by_cross_corpus_validate(*data), best)


class TestPipeline:
    def test_the_target_passes_the_steps_before(self, data):
        X, y = data
        scaler = StandardScaler().fit(X[SOURCE])
        with config_context(enable_metadata_routing=True):
            model = make_pipeline(StandardScaler(), make(), transform_input=["X_target"])
            model.fit(X[SOURCE], y[SOURCE], X_target=X[TARGET])
        by_hand = make().fit(
            scaler.transform(X[SOURCE]), y[SOURCE], X_target=scaler.transform(X[TARGET])
        )
        np.testing.assert_array_equal(
            model.predict_proba(X[TARGET]), by_hand.predict_proba(scaler.transform(X[TARGET]))
        )

    def test_by_both_scalings_side_by_side(self, data):
        X, y = data
        both = FeatureUnion([("own", CorpusScaler()), ("all", StandardScaler())])
        result = cross_corpus_validate(make_pipeline(both, make()), X, y, CORPUS, n_draws=10)
        assert result.warned.empty
        assert result.summary.uar.iloc[-1] > 0.6

    def test_as_a_step_before_another_classifier(self, data):
        X, y = data
        model = make_pipeline(CorpusScaler(), make(adaptation="predict"), LogisticRegression())
        model.fit(X[SOURCE], y[SOURCE])
        assert model.score(X[TARGET], y[TARGET]) > 0.5


class TestCrossValidation:
    def test_scores_are_those_of_adapted_models(self, data):
        X, y = data
        scores = cross_val_score(predicting(), X, y, groups=CORPUS, cv=LeaveOneCorpusOut())
        assert scores.shape == (3,)
        assert scores.mean() > 0.6
        model = make_pipeline(CorpusScaler(), make()).fit(X[SOURCE], y[SOURCE])
        assert scores[2] == adapt(model, X[TARGET]).score(X[TARGET], y[TARGET])

    def test_it_is_the_same_in_processes(self, data):
        X, y = data
        one, two = (
            cross_val_score(
                predicting(), X, y, groups=CORPUS, cv=LeaveOneCorpusOut(), n_jobs=n_jobs
            )
            for n_jobs in (1, 2)
        )
        np.testing.assert_array_equal(one, two)

    @pytest.mark.parametrize(("train_score", "expected"), [(False, [60]), (True, [60, 120])])
    def test_scorers_share_the_copy(self, data, monkeypatch, train_score, expected):
        X, y = data
        sizes = []
        adapt_to = NNPMClassifier._adapt_to

        def spy(estimator, rows, codes=None):
            sizes.append(len(rows))
            adapt_to(estimator, rows, codes)

        monkeypatch.setattr(NNPMClassifier, "_adapt_to", spy)
        cross_validate(
            predicting(),
            X,
            y,
            groups=CORPUS,
            cv=LeaveOneCorpusOut(targets="urdu"),
            scoring={"entropy": entropy_score, "agreement": memory_agreement_score}
            | {name: name for name in ("accuracy", "neg_log_loss", "balanced_accuracy")},
            return_train_score=train_score,
        )
        assert sizes == expected


class TestSearch:
    def test_without_labels_of_the_target(self, data):
        X, y = data
        y = y.copy()
        y[TARGET] = y[SOURCE[0]]
        search = GridSearchCV(
            make(adaptation="predict"),
            {"temperature": [0.03, 0.1], "selection": [0.3, 0.8]},
            scoring=entropy_score,
            cv=[(SOURCE, TARGET)],
            refit=False,
        ).fit(X, y)
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
        assert len(np.unique(scores)) == 4
        best = search.cv_results_["params"][search.cv_results_["rank_test_score"].argmin()]
        model = make(**best).fit(X[SOURCE], y[SOURCE], X_target=X[TARGET])
        # What was scored is what the final model predicts.
        assert entropy_score(model, X[TARGET]) == scores.max()

    def test_refitted_on_the_source_it_can_be_adapted(self, data):
        X, y = data
        search = GridSearchCV(
            predicting(),
            {"nnpmclassifier__temperature": [0.03, 0.1]},
            cv=LeaveOneCorpusOut(),
        ).fit(X[SOURCE], y[SOURCE], groups=CORPUS[SOURCE])
        adapted = adapt(search, X[TARGET])
        np.testing.assert_array_equal(
            adapted.predict_proba(X[TARGET]), search.predict_proba(X[TARGET])
        )

    def test_in_cross_corpus_validate(self, data):
        X, y = data
        search = GridSearchCV(
            predicting(),
            {"nnpmclassifier__temperature": [0.03, 0.1]},
            scoring=entropy_score,
            cv=LeaveOneCorpusOut(),
        )
        result = cross_corpus_validate(search, X, y, CORPUS, targets="urdu", n_draws=10)
        assert result.summary.uar.iloc[0] > 0.5

    def test_that_was_not_fitted(self, data):
        with pytest.raises(NotFittedError, match="GridSearchCV instance is not fitted yet"):
            adapt(GridSearchCV(make(), {"selection": [0.5]}), data[0])
