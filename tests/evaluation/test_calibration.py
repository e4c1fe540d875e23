import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, cross_corpus_validate, transfer_matrix
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.metrics import brier_score, expected_calibration_error

LABELS = ["anger", "neutral", "sadness"]


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    y = np.tile(LABELS, 60)
    return {
        "X": rng.normal(size=(180, 3)) + np.eye(3)[np.tile([0, 1, 2], 60)],
        "y": y,
        "corpus": np.repeat(["a", "b", "c"], 60),
        "speaker": np.repeat(np.arange(18), 10),
    }


COLUMNS = [f"p_{label}" for label in LABELS]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(CorpusScaler(), LogisticRegression()),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=2),
    ],
)
def test_probabilities_are_those_of_the_model_of_the_fold(model, speech):
    result = cross_corpus_validate(model, **speech)
    table = result.predictions
    assert table.columns[-3:].tolist() == COLUMNS
    test = speech["corpus"] == "b"
    fitted = model
    if not isinstance(model, GridSearchCV):
        fitted = make_pipeline(CorpusScaler(), LogisticRegression())
        extra = {"corpusscaler__sample_domain": speech["corpus"][~test]}
    else:
        extra = {}
    fitted.fit(speech["X"][~test], speech["y"][~test], **extra)
    expected = fitted.predict_proba(speech["X"][test])
    np.testing.assert_allclose(table.loc[table["corpus"] == "b", COLUMNS], expected)
    assert (np.asarray(LABELS)[table[COLUMNS].to_numpy().argmax(axis=1)] == table["y_pred"]).all()


def test_calibration_of_a_validation(speech):
    result = cross_corpus_validate(GaussianNB(), **speech)
    found = result.calibration(n_bins=5).set_index("corpus")
    own = result.predictions[result.predictions["corpus"] == "a"]
    pair = own["y_true"], own[COLUMNS].to_numpy()
    assert found.loc["a", "brier"] == pytest.approx(brier_score(*pair))
    assert found.loc["a", "ece"] == pytest.approx(expected_calibration_error(*pair, n_bins=5))
    assert found.loc["mean", "brier"] == pytest.approx(found["brier"][:3].mean())
    assert found["n_test"].tolist() == [60, 60, 60, 180]


def test_repeats_are_averaged(speech):
    model = DummyClassifier(strategy="stratified")
    result = cross_corpus_validate(model, **speech, seeds=range(3))
    found = result.calibration()["brier"][0]
    own = result.predictions[result.predictions["corpus"] == "a"]
    scores = [brier_score(rows["y_true"], rows[COLUMNS]) for _, rows in own.groupby("repeat")]
    assert len(set(scores)) == 3
    assert found == pytest.approx(np.mean(scores))


def test_a_model_without_probabilities(speech):
    result = cross_corpus_validate(SVC(), **speech)
    assert result.predictions.columns[-1] == "y_pred"
    with pytest.raises(ValueError, match="the model has no predict_proba"):
        result.calibration()


def test_predictions_do_not_depend_on_probabilities(speech):
    class WithoutProbabilities(GaussianNB):
        predict_proba = property()

    one, other = (
        cross_corpus_validate(m, **speech) for m in (GaussianNB(), WithoutProbabilities())
    )
    pd.testing.assert_frame_equal(one.predictions.drop(columns=COLUMNS), other.predictions)


def test_a_class_that_a_training_lacks_has_the_probability_0(speech):
    y = speech["y"].copy()
    # Only corpus c has boredom, which is thus unknown when c is held out.
    y[(speech["corpus"] == "c") & (y == "anger")] = "boredom"
    with pytest.warns(UserWarning, match="lack its classes"):
        result = cross_corpus_validate(GaussianNB(), **speech | {"y": y})
    table = result.predictions
    assert table.columns[-4:].tolist() == ["p_anger", "p_boredom", "p_neutral", "p_sadness"]
    assert (table.loc[table["corpus"] == "c", "p_boredom"] == 0).all()
    assert (table.loc[table["corpus"] == "a", "p_boredom"] > 0).any()
    np.testing.assert_allclose(table[table.columns[-4:]].sum(axis=1), 1)
    assert result.calibration()["brier"].between(0, 2).all()


def test_folds_of_speakers_and_pairs_of_corpora(speech):
    within = within_corpus_validate(GaussianNB(), **speech).predictions
    pairs = transfer_matrix(GaussianNB(), **speech).predictions
    for table in (within, pairs):
        assert table.columns[-3:].tolist() == COLUMNS
        assert (
            np.asarray(LABELS)[table[COLUMNS].to_numpy().argmax(axis=1)] == table["y_pred"]
        ).all()


def test_what_is_no_probability_is_not_scored(speech):
    class Odd(GaussianNB):
        def predict_proba(self, X):
            return -super().predict_proba(X)

    with pytest.raises(
        ValueError, match=r"have no probabilities: .* or one that returns other numb"
    ):
        cross_corpus_validate(Odd(), **speech).calibration()
