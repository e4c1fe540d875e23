"""Evaluations hand speakers, but no emotions, to a scaler that tells speakers apart."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline, make_union

from sklearn_ser import CorpusScaler, cross_corpus_validate, fit_cross_corpus, transfer_matrix
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.exceptions import ScalingWarning


@pytest.fixture
def data():
    """Three corpora of four speakers, who differ much more than their two emotions do."""
    rng = np.random.default_rng(0)
    corpus = np.repeat(["a", "b", "c"], 48)
    speaker = np.tile(np.repeat(["s0", "s1", "s2", "s3"], 12), 3)
    y = np.tile(["anger", "sadness"], 72)
    X = rng.normal(size=(144, 3)) + 2 * (y == "anger")[:, None]
    X += 20 * np.repeat(rng.normal(size=(12, 3)), 12, axis=0)
    order = rng.permutation(144)
    return {"X": X[order], "y": y[order], "corpus": corpus[order], "speaker": speaker[order]}


def scaler(**parameters):
    return CorpusScaler(speaker_shrinkage=1, **parameters)


def by_hand(data, train, test, one):
    """Fit and predict with one scaler and one classifier, without any evaluation."""
    rows = one.fit_transform(
        data["X"][train], sample_domain=data["corpus"][train], speaker=data["speaker"][train]
    )
    model = LogisticRegression().fit(rows, data["y"][train])
    return model.predict(one.transform(data["X"][test], speaker_target=data["speaker"][test]))


PLACES = {
    "pipeline": lambda one: make_pipeline(one, LogisticRegression()),
    "nested": lambda one: make_pipeline(
        "passthrough", make_pipeline(one, "passthrough"), LogisticRegression()
    ),
    "union": lambda one: make_pipeline(make_union(make_pipeline(one)), LogisticRegression()),
    "search": lambda one: GridSearchCV(make_pipeline(one, LogisticRegression()), {}, cv=2),
    "search at the end": lambda one: make_pipeline(
        one, GridSearchCV(LogisticRegression(), {}, cv=2)
    ),
}


@pytest.mark.filterwarnings("error::sklearn_ser.exceptions.ScalingWarning")
class TestEverySpeakerIsScaled:
    @pytest.mark.parametrize("place", sorted(set(PLACES) - {"search"}))
    def test_across_corpora(self, data, place):
        model = PLACES[place](scaler())
        y_pred = cross_corpus_validate(model, **data).predictions["y_pred"]
        for name in "abc":
            test = data["corpus"] == name
            assert y_pred[test].tolist() == by_hand(data, ~test, test, scaler()).tolist()
        assert (y_pred == data["y"]).mean() > 0.9

    @pytest.mark.filterwarnings("default::sklearn_ser.exceptions.ScalingWarning")
    def test_in_a_search(self, data):
        # Its inner folds are predicted without speakers, and say so; its refit is not.
        with pytest.warns(ScalingWarning, match="because transform got no speaker_target"):
            result = cross_corpus_validate(PLACES["search"](scaler()), **data)
        plain = cross_corpus_validate(PLACES["pipeline"](scaler()), **data)
        assert result.predictions.equals(plain.predictions)

    def test_unlabelled_rows_in_a_search(self, data):
        model = make_pipeline(scaler(), Witness())
        search = GridSearchCV(model, {}, cv=2, scoring="balanced_accuracy", error_score=0)
        with warnings.catch_warnings():
            # Witness refuses the inner folds.
            warnings.simplefilter("ignore")
            result = cross_corpus_validate(search, **data, targets="a")
        plain = cross_corpus_validate(model, **data, targets="a")
        assert result.predictions.equals(plain.predictions)

    def test_within_corpora(self, data):
        model = PLACES["pipeline"](scaler(unseen="pooled"))
        y_pred = within_corpus_validate(model, **data).predictions["y_pred"]
        for name in "abc":
            for one in ("s0", "s1", "s2", "s3"):
                test = (data["corpus"] == name) & (data["speaker"] == one)
                train = (data["corpus"] == name) & ~test
                expected = by_hand(data, train, test, scaler(unseen="pooled"))
                assert y_pred[test].tolist() == expected.tolist()

    def test_in_pairs(self, data):
        result = transfer_matrix(PLACES["pipeline"](scaler()), **data)
        row = result.predictions.query("trained_on == 'a' and tested_on == 'b'")
        train, test = data["corpus"] == "a", data["corpus"] == "b"
        assert row["y_pred"].tolist() == by_hand(data, train, test, scaler()).tolist()

    def test_unlabelled_rows_inside_fit_are_those_of_predict(self, data):
        model = make_pipeline(scaler(), Witness())
        result = cross_corpus_validate(model, **data, targets="a")
        plain = cross_corpus_validate(make_pipeline(scaler(), GaussianNB()), **data, targets="a")
        assert result.predictions.equals(plain.predictions)


class Witness(GaussianNB):
    """Refuses to predict anything but the unlabelled rows of `fit`."""

    def fit(self, X, y, *, X_target=None):
        self.target_ = X_target
        return super().fit(X, y)

    def predict(self, X):
        np.testing.assert_array_equal(X, self.target_)
        return super().predict(X)


def test_emotions_of_the_held_out_corpus_do_not_matter(data):
    model, rng = PLACES["pipeline"](scaler()), np.random.default_rng(1)
    first = cross_corpus_validate(model, **data, targets="b").predictions["y_pred"]
    held_out = data["corpus"] == "b"
    data["y"] = np.where(held_out, rng.permutation(data["y"]), data["y"])
    second = cross_corpus_validate(model, **data, targets="b").predictions["y_pred"]
    assert first.tolist() == second.tolist()


@pytest.mark.filterwarnings("error::sklearn_ser.exceptions.ScalingWarning")
def test_unknown_speakers_among_others(data):
    data["speaker"] = np.where(data["speaker"] == "s1", None, data["speaker"])
    y_pred = cross_corpus_validate(PLACES["pipeline"](scaler()), **data).predictions["y_pred"]
    for name in "abc":
        test = data["corpus"] == name
        assert y_pred[test].tolist() == by_hand(data, ~test, test, scaler()).tolist()


def test_no_speaker_is_known(data):
    del data["speaker"]
    with pytest.warns(ScalingWarning, match="speaker_shrinkage=1 had no effect") as seen:
        result = cross_corpus_validate(PLACES["pipeline"](scaler()), **data)
    assert len(seen) == 1
    plain = cross_corpus_validate(PLACES["pipeline"](CorpusScaler()), **data)
    assert result.predictions.equals(plain.predictions)


def test_without_the_option_speakers_change_nothing(data):
    model = PLACES["pipeline"](CorpusScaler())
    known = cross_corpus_validate(model, **data).predictions
    del data["speaker"]
    assert known["y_pred"].equals(cross_corpus_validate(model, **data).predictions["y_pred"])


def test_where_metadata_is_not_routed_rows_are_scaled_by_corpus_on_both_sides(data):
    ada = AdaBoostClassifier(n_estimators=3, random_state=0)
    with pytest.warns(ScalingWarning, match="had no effect"):
        result = cross_corpus_validate(make_pipeline(scaler(), ada), **data)
    plain = cross_corpus_validate(make_pipeline(CorpusScaler(), ada), **data)
    assert result.predictions.equals(plain.predictions)


def test_a_wrapper_that_keeps_speakers_from_predict_is_named(data):
    model = CalibratedClassifierCV(PLACES["pipeline"](scaler()), cv=2)
    with pytest.warns(ScalingWarning, match="because transform got no speaker_target"):
        cross_corpus_validate(model, **data)


class TestFitCrossCorpus:
    def test_is_a_fold(self, data):
        test = data["corpus"] == "c"
        train = {name: values[~test] for name, values in data.items()}
        speaker = data["speaker"][test]
        model = fit_cross_corpus(
            make_pipeline(scaler(), Witness()),
            **train,
            X_target=data["X"][test],
            speaker_target=speaker,
        )
        with sklearn.config_context(enable_metadata_routing=True):
            y_pred = model.predict(data["X"][test], speaker_target=speaker)
        plain = make_pipeline(scaler(), GaussianNB())
        result = cross_corpus_validate(plain, **data, targets="c")
        assert y_pred.tolist() == result.predictions["y_pred"].tolist()

    def test_errors(self, data):
        with pytest.raises(ValueError, match="speaker_target names the speakers of X_target"):
            fit_cross_corpus(GaussianNB(), **data, speaker_target=["s"])

    def test_no_warning_without_target(self, data):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit_cross_corpus(make_pipeline(scaler(), GaussianNB()), **data)
