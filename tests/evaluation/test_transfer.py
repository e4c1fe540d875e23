import dataclasses
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sklearn_ser import CorpusScaler, cross_corpus_validate, transfer_matrix
from sklearn_ser.evaluation import speaker_interval, within_corpus_validate
from sklearn_ser.exceptions import CorpusWarning
from sklearn_ser.metrics import unweighted_average_recall

NAMES = ["a", "b", "c"]


@pytest.fixture
def speech():
    """Three corpora, far apart, of 60, 60 and 80 recordings; ten of each speaker."""
    rng = np.random.default_rng(0)
    corpus = np.repeat(NAMES, [60, 60, 80])
    y = np.tile(["anger", "sadness"], 100)
    X = rng.normal(size=(200, 3)) + (y == "anger")[:, None]
    order = rng.permutation(200)
    table = {
        "X": X + np.repeat([[0], [40], [-90]], [60, 60, 80], axis=0),
        "y": y,
        "corpus": corpus,
        "speaker": np.repeat(np.arange(20), 10),
    }
    return {name: values[order] for name, values in table.items()}


MODEL = make_pipeline(CorpusScaler(), LogisticRegression())


def test_off_the_diagonal_by_hand(speech):
    result = transfer_matrix(MODEL, **speech)
    X, y, corpus = speech["X"], speech["y"], speech["corpus"]
    for one in NAMES:
        MODEL.fit(X[corpus == one], y[corpus == one])
        for other in NAMES:
            if other == one:
                continue
            predicted = MODEL.predict(X[corpus == other])
            expected = unweighted_average_recall(y[corpus == other], predicted)
            assert result.scores.loc[one, other] == pytest.approx(expected)
            rows = result.predictions.query("trained_on == @one and tested_on == @other")
            assert rows["y_pred"].tolist() == predicted.tolist()
            assert rows["sample"].tolist() == np.flatnonzero(corpus == other).tolist()


def test_the_diagonal_is_that_of_speakers_held_out(speech):
    result = transfer_matrix(MODEL, **speech, n_splits=4)
    within = within_corpus_validate(MODEL, **speech, n_splits=4)
    np.testing.assert_array_equal(np.diag(result.scores), within.scores["uar"])


def test_two_corpora_are_a_cross_corpus_validation(speech):
    pair = {name: values[speech["corpus"] != "c"] for name, values in speech.items()}
    matrix = transfer_matrix(MODEL, **pair).cells.set_index(["trained_on", "tested_on"])
    scores = cross_corpus_validate(MODEL, **pair).summary.set_index("corpus")
    columns = ["uar", "uar_low", "uar_high", "accuracy", "macro_f1", "n_train", "n_test"]
    assert matrix.loc[("b", "a"), columns].tolist() == scores.loc["a", columns].tolist()
    assert matrix.loc[("a", "b"), columns].tolist() == scores.loc["b", columns].tolist()


def test_tables(speech):
    result = transfer_matrix(MODEL, **speech, seeds=(0, 1))
    scored = [f"{m}{end}" for m in result.metrics for end in ("", "_sd", "_low", "_high")]
    assert result.cells.columns.tolist() == [
        *["trained_on", "tested_on", "n_train", "n_test", "n_speakers", "n_repeats"],
        *scored,
        *["interval_note", "fit_time", "predict_time"],
    ]
    assert result.cells["trained_on"].tolist() == np.repeat(NAMES, 3).tolist()
    assert result.cells["tested_on"].tolist() == NAMES * 3
    assert result.cells["n_train"].tolist() == [50, 60, 60, 60, 50, 60, 80, 80, 70]
    assert result.cells["n_repeats"].tolist() == [2] * 9
    assert result.predictions.columns.tolist() == [
        *["sample", "trained_on", "tested_on", "speaker", "repeat", "y_true", "y_pred"],
        *["p_anger", "p_sadness"],
    ]
    assert len(result.predictions) == 2 * 3 * 200
    assert len(result.recalls) == 2 * 9 * 2
    assert result.scores.index.tolist() == result.scores.columns.tolist() == NAMES
    assert result.table("uar_low").shape == (3, 3)
    assert (result.table("uar_low") < result.scores).all(axis=None)
    with pytest.raises(ValueError, match=r"column must be one of .* got 'wa'"):
        result.table("wa")


def test_intervals_are_those_of_the_predictions(speech):
    result = transfer_matrix(MODEL, **speech)
    rows = result.predictions.query("trained_on == 'a' and tested_on == 'c'")
    expected = speaker_interval(rows["y_true"], rows["y_pred"], rows["speaker"])
    [cell] = result.cells.query("trained_on == 'a' and tested_on == 'c'").to_dict("records")
    found = cell["uar"], cell["uar_low"], cell["uar_high"]
    assert found == pytest.approx(expected[:3])


def test_printed(speech):
    speech["corpus"] = np.where(speech["corpus"] == "c", "<b>c</b>", speech["corpus"])
    result = transfer_matrix(MODEL, **speech)
    lines = str(result).splitlines()
    assert lines[0].split() == ["tested_on", "<b>c</b>", "a", "b"]
    assert lines[3].split() == ["a", *[f"{score:.3f}" for score in result.scores.loc["a"]]]
    assert "<b>" not in result._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError, match="cells"):
        result.cells = None


class Shifted(ClassifierMixin, BaseEstimator):
    """Nearest mean, moved to that of X_target: knows what it is to be tested on."""

    def fit(self, X, y, *, X_target):
        self.classes_ = np.unique(y)
        means = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        self.means_ = means - X.mean(axis=0) + X_target.mean(axis=0)
        return self

    def predict(self, X):
        return self.classes_[np.linalg.norm(X[:, None] - self.means_, axis=2).argmin(axis=1)]


def test_target_reaches_the_steps(speech):
    assert transfer_matrix(Shifted(), **speech).scores.min(axis=None) > 0.7
    assert transfer_matrix(GaussianNB(), **speech).scores.loc["a", "b"] == 0.5


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_a_corpus_change_no_prediction_of_the_others_for_it(speech, name):
    rows = speech["corpus"] == name
    permuted = speech["y"].copy()
    permuted[rows] = np.random.default_rng(0).permutation(permuted[rows])
    first, second = (
        transfer_matrix(MODEL, **speech | {"y": y}, n_splits=3).predictions
        for y in (speech["y"], permuted)
    )
    others = (first["trained_on"] != name) & (first["tested_on"] == name)
    assert first["y_pred"][others].equals(second["y_pred"][others])
    assert not first["y_pred"].equals(second["y_pred"])


class TestNoDiagonal:
    def test_a_single_speaker(self, speech):
        speech["speaker"] = np.where(speech["corpus"] == "b", 99, speech["speaker"])
        with pytest.warns(CorpusWarning, match="b has no score within itself, .* single") as caught:
            result = transfer_matrix(MODEL, **speech)
        assert [warning.filename for warning in caught] == [__file__]
        assert result.scores.isna().to_numpy().tolist() == np.diag([0, 1, 0]).astype(bool).tolist()
        [cell] = result.cells.query("trained_on == 'b' and tested_on == 'b'").to_dict("records")
        assert cell["interval_note"] == "a single speaker"
        assert cell["n_speakers"] == 1
        assert result.warned["fold"].tolist() == ["b"]
        assert result.warned["category"].tolist() == ["CorpusWarning"]

    def test_unknown_speakers(self, speech):
        speech["speaker"] = None
        with pytest.warns(CorpusWarning, match="no score within itself") as caught:
            result = transfer_matrix(MODEL, **speech)
        assert len(caught) == 3
        assert np.isnan(np.diag(result.scores)).all()
        assert result.scores.notna().to_numpy().sum() == 6
        assert set(result.cells["interval_note"]) == {"speakers unknown"}

    def test_a_single_class_without_one_speaker(self, speech):
        # In b, one speaker alone is sad.
        in_b = speech["corpus"] == "b"
        sad = speech["speaker"][in_b].min()
        speech["y"] = np.where(
            in_b, np.where(speech["speaker"] == sad, "sadness", "anger"), speech["y"]
        )
        reason = f"without speaker {sad} all recordings are of one class, anger"
        with pytest.warns(CorpusWarning, match=f"b has no score .* NaN: {reason}") as caught:
            result = transfer_matrix(GaussianNB(), **speech)
        assert [warning.filename for warning in caught] == [__file__]
        assert result.scores.isna().to_numpy().tolist() == np.diag([0, 1, 0]).astype(bool).tolist()
        [cell] = result.cells.query("trained_on == 'b' and tested_on == 'b'").to_dict("records")
        assert (cell["interval_note"], cell["n_test"]) == (reason, 0)
        assert result.warned["fold"].tolist() == ["b"]
        with pytest.raises(ValueError, match="of one class, 'anger'; a classifier needs"):
            within_corpus_validate(GaussianNB(), **speech)

    def test_a_single_class_in_a_corpus(self, speech):
        speech["y"] = np.where(speech["corpus"] == "b", "anger", speech["y"])
        with pytest.warns(
            CorpusWarning, match="Nothing can be trained on b alone, its row"
        ) as caught:
            result = transfer_matrix(GaussianNB(), **speech)
        assert [warning.filename for warning in caught] == [__file__]
        assert result.scores.loc["b"].isna().all()
        assert result.scores.loc[["a", "c"]].notna().all(axis=None)
        reason = "all recordings to train on are of one class, anger"
        assert result.cells.query("trained_on == 'b'")["interval_note"].tolist() == [reason] * 3
        assert result.warned["fold"].tolist() == ["b"]
        # It can be tested on: its only class is learnt elsewhere.
        assert result.table("n_test").loc["a", "b"] == 60

    def test_numbers_have_no_classes(self, speech):
        speech["y"] = np.where(speech["corpus"] == "b", 1.0, speech["X"][:, 0])
        result = transfer_matrix(LinearRegression(), **speech)
        assert np.isfinite(result.table("mae")).to_numpy().all()


def test_classes_that_only_the_tested_corpus_has(speech):
    speech["y"] = np.where((speech["corpus"] == "a") & (speech["speaker"] < 2), "calm", speech["y"])
    model = make_pipeline(CorpusScaler(unseen="pooled"), LogisticRegression())
    with pytest.warns(UserWarning, match=r"lack its classes \['calm'\]") as caught:
        result = transfer_matrix(model, **speech)
    assert len(caught) == 2
    assert result.warned["fold"].tolist() == ["a (trained on b)", "a (trained on c)"]
    calm = result.recalls.query("tested_on == 'a' and label == 'calm' and trained_on != 'a'")
    assert calm["recall"].tolist() == [0, 0]


def test_nothing_to_warn_of(speech):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert transfer_matrix(MODEL, **speech).warned.empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": ["a"] * 200}, "needs at least two"),
        ({"n_splits": 0}, "n_splits must be an integer of at least 2, got 0"),
        ({"y": ["x"] * 200}, "each corpus are of one class, 'x' in a; a classifier needs at least"),
        ({"confidence": 2}, "confidence must be"),
    ],
)
def test_errors(speech, change, message):
    with pytest.raises(ValueError, match=message):
        transfer_matrix(MODEL, **speech | change)
