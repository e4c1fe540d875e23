"""The five estimators as predictors, alone behind an extractor and a scaler."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    KLAnnealedVAE,
    LeaveOneCorpusOut,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    cross_corpus_validate,
)
from sklearn_ser.datasets import make_corpora

SMALL = {"n_components": 4, "hidden_layer_sizes": (16,), "max_epochs": 10, "random_state": 0}
QUICK = {**SMALL, "learning_rate": 1e-2}
MAKERS = {
    "DAETransformer": lambda **more: DAETransformer(**{**QUICK, **more}),
    "KLAnnealedVAE": lambda **more: KLAnnealedVAE(**{**QUICK, "beta": 0.01, **more}),
    "SemiSupervisedVAE cluster": lambda **more: SemiSupervisedVAE(
        **{**QUICK, "beta": 0.01, "supervision": "cluster", **more}
    ),
    "SemiSupervisedVAE classifier": lambda **more: SemiSupervisedVAE(
        **{**QUICK, "beta": 0.01, "supervision": "classifier", **more}
    ),
    "MetricDAE": lambda **more: MetricDAE(**{**QUICK, "y_annotation": None, **more}),
}
ALL_FIVE = {**MAKERS, "NNPMClassifier": lambda: NNPMClassifier(max_epochs=5, random_state=0)}

# Small networks, a few epochs: which units collapse does not matter here.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.SmallBatchWarning"),
    pytest.mark.filterwarnings("ignore:MetricDAE got:UserWarning"),
]


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


@pytest.fixture(scope="module")
def blobs():
    """Rows of three emotions, well apart, and their names."""
    rng = np.random.default_rng(0)
    codes = np.arange(180) % 3
    X = rng.normal(size=(3, 12))[codes] * 1.5 + rng.normal(size=(180, 12))
    return X.astype(np.float32), np.array(["anger", "neutral", "sadness"])[codes]


@pytest.fixture(scope="module")
def rated():
    """Rows that are mixtures of activation, valence and something else, and the two labels."""
    rng = np.random.default_rng(0)
    activation, valence = rng.uniform(1, 5, (2, 300))
    X = np.c_[activation, valence, rng.normal(size=300)] @ rng.normal(size=(3, 12))
    return StandardScaler().fit_transform(X).astype(np.float32), activation, valence


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Recordings of three synthesised corpora, as files, with their functionals."""
    return make_corpora(
        tmp_path_factory.mktemp("speech"), n_utterances=20, n_speakers=2, random_state=0
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A file for the functionals, which ten fits of six estimators would extract again."""
    return tmp_path_factory.mktemp("cache") / "functionals.db"


class TestAloneBehindExtractorAndScaler:
    @pytest.mark.parametrize("name", ALL_FIVE)
    def test_fits_predicts_and_is_searched(self, name, speech, cache):
        paths, emotions = speech["path"].tolist(), speech["emotion"].to_numpy()
        corpus = speech["corpus"].to_numpy()
        model = make_pipeline(EGeMAPSExtractor(cache=cache), CorpusScaler(), ALL_FIVE[name]())
        scaling = {"corpusscaler__sample_domain": corpus}
        model.fit(paths, emotions, **scaling)
        predicted = model.predict(paths)
        assert set(predicted) <= set(emotions)
        assert recall_score(emotions, predicted, average="macro") > 1.5 / len(set(emotions))
        np.testing.assert_array_equal(model.classes_, np.unique(emotions))
        scores = cross_validate(
            model,
            paths,
            emotions,
            groups=corpus,
            cv=LeaveOneCorpusOut(),
            scoring="balanced_accuracy",
            params=scaling,
            error_score="raise",
        )["test_score"]
        assert len(scores) == len(set(corpus))
        assert np.isfinite(scores).all()
        step = model.steps[-1][0]
        search = GridSearchCV(
            model,
            {f"{step}__n_components": [2, 8]},
            scoring="balanced_accuracy",
            cv=LeaveOneCorpusOut(),
            error_score="raise",
        ).fit(paths, emotions, groups=corpus, **scaling)
        assert search.best_score_ == search.cv_results_["mean_test_score"].max()
        assert set(search.predict(paths)) <= set(emotions)


class TestAsAClassifier:
    def test_learns_the_emotions(self, make, blobs):
        X, y = blobs
        model = make(max_epochs=30).fit(X, y)
        assert is_classifier(model)
        assert not is_regressor(model)
        assert model.score(X, y) > 0.8
        assert model.score(X, y) == np.mean(model.predict(X) == y)
        np.testing.assert_array_equal(model.classes_, np.unique(y))

    def test_probabilities(self, make, blobs):
        X, y = blobs
        model = make().fit(X, y)
        P = model.predict_proba(X)
        assert P.dtype == np.float32
        assert P.shape == (len(X), 3)
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(model.classes_[P.argmax(axis=1)], model.predict(X))

    def test_the_embedding_does_not_depend_on_the_readout(self, make, blobs):
        X, y = blobs
        expected = make(readout=None).fit(X, y).transform(X)
        for readout in ("auto", SVC()):
            np.testing.assert_array_equal(make(readout=readout).fit(X, y).transform(X), expected)

    def test_scikit_learn_wraps_it(self, make, blobs):
        X, y = blobs
        model = make()
        wrapped = [
            CalibratedClassifierCV(model, cv=2),
            StackingClassifier([("one", model), ("lda", LinearDiscriminantAnalysis())], cv=2),
            VotingClassifier(
                [("one", model), ("lda", LinearDiscriminantAnalysis())], voting="soft"
            ),
        ]
        for wrapper in wrapped:
            assert wrapper.fit(X, y).score(X, y) > 0.6
        assert len(cross_val_predict(model, X, y, cv=3, method="predict_proba")) == len(X)

    def test_cross_corpus_validate_takes_it(self, make, blobs):
        X, y = blobs
        corpus = np.arange(len(X)) // 60
        speaker = np.arange(len(X)) // 10
        result = cross_corpus_validate(make(), X, y, corpus, speaker=speaker, n_draws=50)
        assert (result.scores["uar"] > 0.4).all()

    def test_refits_are_the_same_to_the_bit(self, make, blobs):
        X, y = blobs
        for readout in ("auto", SGDClassifier(loss="log_loss")):
            first, second = (make(readout=readout).fit(X, y).predict_proba(X) for _ in range(2))
            np.testing.assert_array_equal(first, second)

    def test_a_given_readout_is_cloned_and_used(self, make, blobs):
        X, y = blobs
        readout = LinearDiscriminantAnalysis()
        model = make(readout=readout).fit(X, y)
        assert not hasattr(readout, "classes_")
        alone = clone(readout).fit(model.transform(X).astype(float), y)
        np.testing.assert_array_equal(alone.predict(model.transform(X)), model.predict(X))

    def test_no_probabilities_where_the_readout_has_none(self, make, blobs):
        X, y = blobs
        model = make(readout=SVC()).fit(X, y)
        assert model.score(X, y) > 0.6
        with pytest.raises(AttributeError, match="no attribute 'predict_proba'") as failure:
            model.predict_proba(X)
        assert "since its readout, SVC, has none" in str(failure.value.__cause__)

    @pytest.mark.parametrize("readout", [None, SVC()])
    def test_a_readout_set_later_counts_from_the_next_fit(self, make, blobs, readout):
        X, y = blobs
        model = make().fit(X, y)
        expected = model.predict_proba(X)
        model.set_params(readout=readout)
        np.testing.assert_array_equal(model.predict_proba(X), expected)
        assert is_classifier(model)
        assert not hasattr(model.fit(X, y), "predict_proba")

    def test_decision_values_where_there_are_no_probabilities(self, make, blobs):
        X, y = blobs
        model = make(readout=SVC()).fit(X, y)
        assert model.decision_function(X).shape == (len(X), 3)
        assert CalibratedClassifierCV(make(readout=SVC()), cv=2).fit(X, y).score(X, y) > 0.6
        with pytest.raises(AttributeError, match="no attribute 'decision_function'") as failure:
            make(readout=LinearDiscriminantAnalysis()).fit(X, y).decision_function(X)
        assert "LinearDiscriminantAnalysis, has predict_proba" in str(failure.value.__cause__)

    def test_pickles_predict_the_same(self, make, blobs):
        X, y = blobs
        model = make().fit(X, y)
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))

    @pytest.mark.parametrize(
        "labels",
        [
            np.array([3, 7, 9]),
            np.array([-1, 1]),
            np.array(["b", "a"], dtype=object),
            np.array([False, True]),
            pd.Categorical(["x", "y"]),
            np.array([0.0, 1.0]),
        ],
        ids=repr,
    )
    def test_labels_of_any_kind(self, make, blobs, labels):
        X, _ = blobs
        codes = np.arange(len(X)) % 3 % len(labels)
        y = np.asarray(labels)[codes] if not isinstance(labels, pd.Categorical) else labels[codes]
        model = make().fit(X, y)
        assert set(model.predict(X).tolist()) <= set(np.asarray(y).tolist())
        assert len(model.classes_) == len(labels)

    def test_unlabelled_rows_are_left_out_of_the_readout(self, make, blobs):
        X, y = blobs
        gaps = y.astype(object)
        gaps[::2] = None
        model = make(readout=LinearDiscriminantAnalysis()).fit(X, gaps)
        alone = LinearDiscriminantAnalysis().fit(model.transform(X[1::2]).astype(float), y[1::2])
        np.testing.assert_array_equal(model.predict(X), alone.predict(model.transform(X)))

    @pytest.mark.parametrize("dtype", [object, "string", "category"])
    def test_gaps_cannot_be_scored(self, make, blobs, dtype):
        X, y = blobs
        gaps = pd.Series(y).mask(np.arange(len(y)) % 2 == 0).astype(dtype)
        model = make(max_epochs=1).fit(X, gaps)
        with pytest.raises(ValueError, match=r"y has gaps.*pass the labelled rows alone"):
            model.score(X, gaps)

    def test_one_class(self, make, blobs):
        X, _ = blobs
        with warnings.catch_warnings():
            # That there is nothing to supervise.
            warnings.simplefilter("ignore", UserWarning)
            model = make().fit(X, np.full(len(X), "anger"))
        assert set(model.predict(X)) == {"anger"}
        np.testing.assert_array_equal(model.predict_proba(X), 1)

    def test_labels_of_another_length(self, make, blobs):
        X, y = blobs
        with pytest.raises(ValueError, match=r"y has 179 entries but X has 180 samples"):
            make().fit(X, y[1:])


@pytest.mark.filterwarnings("ignore:.* got labels of 0 classes:UserWarning")
class TestWithoutLabels:
    def test_says_what_to_pass(self, make, blobs):
        X, _ = blobs
        model = make().fit(X)
        for method in ("predict", "predict_proba"):
            assert not hasattr(model, method)
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            model.predict(X)
        assert "fitted without labels; pass emotions in the y of fit" in str(
            failure.value.__cause__
        )

    def test_a_search_may_still_score_the_reconstruction(self, blobs):
        X, _ = blobs
        search = GridSearchCV(MAKERS["DAETransformer"](), {"n_components": [1, 6]}, cv=2).fit(X)
        assert search.best_params_ == {"n_components": 6}
        assert search.best_score_ < 0

    def test_no_readout(self, make, blobs):
        X, y = blobs
        model = make(readout=None)
        assert not is_classifier(model)
        assert not hasattr(model, "predict")
        model.fit(X, y)
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            model.predict(X)
        assert "set readout='auto' or to a classifier" in str(failure.value.__cause__)

    def test_not_fitted(self, make, blobs):
        assert hasattr(make(), "predict_proba")
        assert not hasattr(make(readout=SVC()), "predict_proba")
        with pytest.raises(NotFittedError, match="not fitted yet"):
            make().predict(blobs[0])

    def test_an_earlier_readout_is_forgotten(self, make, blobs):
        X, y = blobs
        model = make().fit(X, y)
        assert not hasattr(model.fit(X), "predict")
        assert not hasattr(model, "readout_")

    def test_several_columns(self, blobs):
        X, _ = blobs
        for y in (X[:, :2], csr_array(X[:, :2] > 0)):
            model = MAKERS["DAETransformer"]().fit(X, y)
            with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
                model.predict(X)
            assert "2 columns in y, of which a readout learns one" in str(failure.value.__cause__)

    def test_too_many_labels_for_the_light_readout(self, blobs):
        X, _ = blobs
        model = MAKERS["DAETransformer"]().fit(X, np.arange(len(X)))
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            model.predict(X)
        assert "with 180 different labels" in str(failure.value.__cause__)

    def test_emotions_are_not_read_by_a_regressor(self, blobs):
        with pytest.raises(
            ValueError, match=r"readout must be a classifier.*got the regressor Ridge"
        ):
            MAKERS["SemiSupervisedVAE cluster"](readout=Ridge()).fit(*blobs)

    def test_all_labels_missing(self, blobs):
        X, _ = blobs
        model = MAKERS["DAETransformer"]().fit(X, np.full(len(X), None))
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            model.predict(X)
        assert "fitted without labels; pass emotions in the y of fit" in str(
            failure.value.__cause__
        )

    def test_partial_fit_has_no_readout(self, blobs):
        X, y = blobs
        model = MAKERS["DAETransformer"]().fit(X, y)
        model.partial_fit(X, y, classes=np.unique(y))
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            model.predict(X)
        assert "partial_fit, which has no readout; put a classifier behind it" in str(
            failure.value.__cause__
        )

    def test_a_softmax_is_trained_by_partial_fit(self, blobs):
        X, y = blobs
        model = MAKERS["SemiSupervisedVAE classifier"]()
        for _ in range(30):
            model.partial_fit(X, y)
        assert model.score(X, y) > 0.8


class TestSoftmax:
    def test_it_is_that_of_the_network(self, blobs):
        X, y = blobs
        model = MAKERS["SemiSupervisedVAE classifier"]().fit(X, y)
        assert not hasattr(model, "readout_")
        layer = model.net_.module_.classifier
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        logits = model.transform(X).astype(float) @ weight.T + bias
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-4)

    def test_a_warm_start_without_one_of_the_classes(self, blobs):
        X, y = blobs
        model = MAKERS["SemiSupervisedVAE cluster"](warm_start=True).fit(X, y)
        rest = y != "neutral"
        model.fit(X[rest], y[rest])
        P = model.predict_proba(X)
        assert P.shape == (len(X), 3)
        np.testing.assert_array_equal(P[:, 1], 0)
        assert set(model.predict(X)) == {"anger", "sadness"}


class TestRatings:
    def fitted(self, X, y=None, **arguments):
        settings = {**QUICK, "metric_weight": 1.0, "max_epochs": 40}
        names = ("activation", "valence")
        labels = {name: arguments.pop(name) for name in names if name in arguments}
        return MetricDAE(**{**settings, **arguments}).fit(X, y, **labels)

    def test_predictions_are_on_the_scale_of_the_label(self, rated):
        X, activation, _ = rated
        model = self.fitted(X, activation)
        assert is_regressor(model)
        assert not hasattr(model, "classes_")
        assert model.score(X, activation) > 0.8
        model.set_params(readout=None)
        np.testing.assert_allclose(model.predict(X).mean(), activation.mean(), rtol=1e-4)
        np.testing.assert_array_equal(model.predict(X), model.rate(X))

    def test_they_are_the_least_squares_line_of_the_position(self, rated):
        X, activation, _ = rated
        gaps = np.where(np.arange(300) % 3, activation, np.nan)
        model = self.fitted(X, activation=gaps)
        position = model.transform(X).mean(axis=1).astype(float)
        known = ~np.isnan(gaps)
        slope, intercept = np.polyfit(position[known], gaps[known], 1)
        np.testing.assert_allclose(model.rating_slope_, [slope], rtol=1e-4)
        np.testing.assert_allclose(model.predict(X), intercept + slope * position, rtol=1e-4)

    def test_two_labels_give_two_columns(self, rated):
        X, activation, valence = rated
        model = self.fitted(X, activation=activation, valence=valence)
        both = model.predict(X)
        assert both.shape == (300, 2)
        for column, label in enumerate((activation, valence)):
            assert np.corrcoef(both[:, column], label)[0, 1] > 0.9
        assert model.score(X, np.c_[activation, valence]) > 0.6

    def test_emotions_come_first_and_ratings_stay(self, rated):
        X, activation, _ = rated
        emotions = np.where(activation > 3, "anger", "sadness")
        model = self.fitted(X, emotions, activation=activation)
        assert is_classifier(model)
        assert model.score(X, emotions) > 0.9
        assert np.corrcoef(model.rate(X), activation)[0, 1] > 0.9

    @pytest.mark.parametrize("columns", [1, 2])
    def test_a_regressor_learns_the_ratings(self, rated, columns):
        X, activation, valence = rated
        labels = {"activation": activation, "valence": valence}
        given = dict([*labels.items()][:columns])
        model = self.fitted(X, readout=Ridge(), **given)
        target = np.column_stack([*given.values()]).squeeze()
        alone = Ridge().fit(model.transform(X).astype(float), target)
        np.testing.assert_allclose(model.predict(X), alone.predict(model.transform(X)), rtol=1e-3)

    def test_a_classifier_needs_emotions(self, rated):
        X, activation, _ = rated
        model = self.fitted(X, activation=activation, readout=LogisticRegression())
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            model.predict(X)
        assert "pass emotions in y beside activation=" in str(failure.value.__cause__)

    def test_without_annotations_it_cannot_rate(self, rated, blobs):
        X, activation, _ = rated
        model = MAKERS["MetricDAE"]().fit(*blobs)
        with pytest.raises(ValueError, match="Call fit with activation= or valence="):
            model.rate(blobs[0])
        model = self.fitted(X, activation).partial_fit(X, activation)
        with pytest.raises(ValueError, match="without annotations, or by partial_fit"):
            model.rate(X)

    def test_partial_fit_drops_the_ratings(self, rated):
        X, activation, _ = rated
        model = self.fitted(X, activation).partial_fit(X, activation)
        assert not hasattr(model, "predict")
        assert model.score(X, activation) == model.score(X)

    def test_no_row_with_both_ratings(self, rated):
        X, activation, valence = rated
        first = np.arange(300) < 150
        labels = {
            "activation": np.where(first, activation, np.nan),
            "valence": np.where(first, np.nan, valence),
        }
        model = self.fitted(X, **labels)
        assert is_regressor(model)
        assert model.score(X, np.c_[activation, valence]) > 0.4
        with pytest.raises(AttributeError, match="no attribute 'predict'") as failure:
            self.fitted(X, readout=Ridge(), **labels).predict(X)
        assert "without a row that has all ratings" in str(failure.value.__cause__)

    @pytest.mark.filterwarnings("ignore:activation has fewer than two:UserWarning")
    def test_no_rating_at_all(self, rated):
        X, _, _ = rated
        model = self.fitted(X, np.full(300, np.nan))
        assert not hasattr(model, "predict")
        assert model.score(X, np.ones(300)) == model.score(X)

    def test_a_constant_annotation(self, rated):
        X, _, _ = rated
        with pytest.warns(UserWarning, match="fewer than two different values"):
            model = self.fitted(X, np.full(300, 2.5))
        np.testing.assert_allclose(model.predict(X), 2.5, rtol=1e-5)

    def test_the_tag_follows_y_annotation(self):
        assert is_regressor(MetricDAE(y_annotation="valence"))
        assert is_classifier(MetricDAE())
        assert is_regressor(DAETransformer(readout=Ridge()))

    @pytest.mark.parametrize("name", ["DAETransformer", "KLAnnealedVAE"])
    def test_numbers_with_fractions_are_ratings(self, name, rated):
        X, activation, _ = rated
        model = MAKERS[name]().fit(X, activation)
        assert is_regressor(model)
        assert model.score(X, activation) > 0.5
        assert not hasattr(model, "predict_proba")

    def test_cross_corpus_validate_by_ratings(self, rated):
        X, activation, _ = rated
        corpus = np.arange(300) // 100
        model = MetricDAE(**QUICK, y_annotation="activation")
        result = cross_corpus_validate(
            model, X, activation, corpus, speaker=np.arange(300) // 10, n_draws=50
        )
        assert "ccc" in result.scores


def test_routing_hands_ratings_to_the_step_that_predicts(blobs):
    X, y = blobs
    activation = (y == "anger") * 2.0 + 0.5
    model = make_pipeline(StandardScaler(), MetricDAE(**QUICK))
    with config_context(enable_metadata_routing=True):
        model.fit(X, y, activation=activation)
    assert model[-1].label_names_ == ("activation",)
    assert model.score(X, y) > 0.7
