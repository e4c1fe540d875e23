"""Fitting with every argument in its place."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from sklearn_ser import (
    CorpusScaler,
    LeaveOneCorpusOut,
    MetricDAE,
    NNPMClassifier,
    cross_corpus_validate,
    fit_cross_corpus,
)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 60)
    corpus = np.repeat(["emodb", "ravdess", "urdu"], 40)
    X = rng.normal(size=(120, 4)) + (y == "anger")[:, None]
    return X + np.repeat([[0], [10], [-20]], 40, axis=0), y, corpus


def test_the_scaler_gets_the_corpora(data):
    X, y, corpus = data
    estimator = make_pipeline(CorpusScaler(), SVC())
    model = fit_cross_corpus(estimator, X, y, corpus)
    expected = make_pipeline(CorpusScaler(), SVC()).fit(X, y, corpusscaler__sample_domain=corpus)
    np.testing.assert_array_equal(model.decision_function(X), expected.decision_function(X))
    assert not hasattr(estimator[0], "mean_")


def test_it_is_a_fold_of_the_evaluation(data):
    X, y, corpus = data
    estimator = make_pipeline(CorpusScaler(), LogisticRegression())
    result = cross_corpus_validate(estimator, *data, targets="urdu")
    rest = corpus != "urdu"
    model = fit_cross_corpus(estimator, X[rest], y[rest], corpus[rest], X_target=X[~rest])
    np.testing.assert_array_equal(model.predict(X[~rest]), result.predictions["y_pred"])


def test_one_corpus_is_enough(data):
    X, y, _ = data
    model = fit_cross_corpus(make_pipeline(CorpusScaler(), SVC()), X, y, ["a"] * len(X))
    assert model[0].corpora_.tolist() == ["a"]


def test_splitters_get_groups(data):
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=LeaveOneCorpusOut())
    model = fit_cross_corpus(search, *data)
    assert model.n_splits_ == 3


def test_further_arguments(data):
    X, y, corpus = data
    ratings = {"activation": X[:, 0], "valence": X[:, 1]}
    settings = {"n_components": 2, "max_epochs": 2, "random_state": 0}
    estimator = make_pipeline(CorpusScaler(), MetricDAE(**settings), SVC())
    model = fit_cross_corpus(estimator, X, y, corpus, params=ratings)
    rows = CorpusScaler().fit_transform(X, sample_domain=corpus)
    expected = MetricDAE(**settings).fit(rows, y, **ratings)
    np.testing.assert_array_equal(
        model[:-1].transform(X), expected.transform(model[0].transform(X))
    )
    weights = {"sample_weight": np.where(corpus == "urdu", 2.0, 1.0)}
    weighted = fit_cross_corpus(SVC(), X, y, corpus, params=weights)
    np.testing.assert_array_equal(
        weighted.decision_function(X), SVC().fit(X, y, **weights).decision_function(X)
    )


def small_nnpm():
    """Make a classifier that trains fast."""
    return NNPMClassifier(
        n_estimators=1,
        n_components=8,
        hidden_layer_sizes=(16,),
        warmup_epochs=4,
        max_epochs=3,
        learning_rate=1e-2,
        random_state=0,
    )


def test_unlabelled_rows_reach_the_step_that_adapts(data):
    X, y, corpus = data
    X = X + 2 * (y == "anger")[:, None]
    T = 3 * X[:40] + 5
    model = fit_cross_corpus(make_pipeline(CorpusScaler(), small_nnpm()), X, y, corpus, X_target=T)
    assert model[-1].adapted_ is True
    scaler = CorpusScaler()
    rows = scaler.fit_transform(X, sample_domain=corpus)
    target = scaler.transform(T)
    expected = small_nnpm().fit(rows, y, X_target=target)
    np.testing.assert_array_equal(model.predict_proba(T), expected.predict_proba(target))


def test_without_unlabelled_rows_a_pipeline_can_be_fitted_again_as_usual(data):
    X, y, corpus = data
    model = fit_cross_corpus(make_pipeline(CorpusScaler(), small_nnpm()), X, y, corpus)
    assert model[-1].adapted_ is False
    assert model.transform_input is None
    model.fit(X, y)


def test_estimators_that_know_no_routing(data):
    ada = AdaBoostClassifier(n_estimators=3, random_state=0)
    model = fit_cross_corpus(make_pipeline(CorpusScaler(), ada), *data)
    assert len(model[0].corpora_) == 3


def test_regressors(data):
    X, _, corpus = data
    model = fit_cross_corpus(make_pipeline(CorpusScaler(), LinearRegression()), X, X[:, 0], corpus)
    check_is_fitted(model)


def test_errors(data):
    X, y, corpus = data
    with pytest.raises(ValueError, match=r"params has \['weight'\], which no step"):
        fit_cross_corpus(SVC(), X, y, corpus, params={"weight": np.ones(120)})
    with pytest.raises(ValueError, match="corpus"):
        fit_cross_corpus(SVC(), X, y, corpus[:-1])
    with pytest.raises(TypeError, match="estimator must be a classifier, a regressor"):
        fit_cross_corpus(make_pipeline(CorpusScaler()), X, y, corpus)
    with pytest.raises(ValueError, match="X_target"):
        fit_cross_corpus(NoRouting(NNPMClassifier()), X, y, corpus, X_target=X)


class NoRouting(AdaBoostClassifier):
    """Takes `X_target` and knows no routing, like meta-estimators of other packages."""

    def fit(self, X, y, sample_weight=None, X_target=None):
        return super().fit(X, y, sample_weight)
