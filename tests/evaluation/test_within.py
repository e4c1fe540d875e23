import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.exceptions import SmallBatchWarning
from sklearn_ser.metrics import unweighted_average_recall


@pytest.fixture
def speech():
    """Corpus a with 6 speakers, b with 14; ten recordings of each speaker, in disorder."""
    rng = np.random.default_rng(0)
    speaker = rng.permutation(np.repeat(np.arange(20), 10))
    y = rng.choice(["anger", "sadness"], 200)
    return {
        "X": rng.normal(size=(200, 3)) + (y == "anger")[:, None],
        "y": y,
        "corpus": np.where(speaker < 6, "a", "b"),
        "speaker": np.array([f"s{number}" for number in speaker]),
    }


def test_leaves_one_speaker_out(speech):
    result = within_corpus_validate(LogisticRegression(), **speech)
    rows = speech["corpus"] == "a"
    expected = cross_val_predict(
        LogisticRegression(),
        speech["X"][rows],
        speech["y"][rows],
        groups=speech["speaker"][rows],
        cv=LeaveOneGroupOut(),
    )
    assert result.predictions.loc[rows, "y_pred"].tolist() == expected.tolist()
    assert result.predictions["sample"].tolist() == list(range(200))
    assert result.scores["uar"][0] == pytest.approx(
        unweighted_average_recall(speech["y"][rows], expected)
    )
    assert result.scores["n_train"].tolist() == [50, 126]
    assert result.scores["n_test"].tolist() == [60, 140]
    assert result.scores["n_speakers"].tolist() == [6, 14]
    assert result.summary["corpus"].tolist() == ["a", "b", "mean"]


class Witness(GaussianNB):
    """Notes who trains and who is held out."""

    seen = []  # noqa: RUF012

    def fit(self, X, y, *, speaker=None, sample_domain=None, X_target=None):
        Witness.seen.append((set(speaker), set(sample_domain), set(X_target[:, 0])))
        return super().fit(X, y)


@pytest.mark.parametrize(("n_splits", "n_folds"), [(10, 16), (5, 10), (3, 6), (99, 20)])
def test_no_speaker_on_both_sides_and_no_other_corpus(speech, n_splits, n_folds):
    Witness.seen = []
    owner = dict(zip(speech["X"][:, 0], speech["speaker"], strict=True))
    result = within_corpus_validate(Witness(), **speech, n_splits=n_splits)
    assert len(Witness.seen) == n_folds
    for training, corpora, target in Witness.seen:
        held_out = {owner[value] for value in target}
        assert not held_out & training
        assert len(corpora) == 1
        everybody = {"a": 6, "b": 14}[corpora.pop()]
        assert len(held_out) + len(training) == everybody
    assert result.predictions["sample"].tolist() == list(range(200))


def test_a_single_corpus_and_several_seeds(speech):
    speech["corpus"] = ["all"] * 200
    result = within_corpus_validate(SVC(), **speech, seeds=(0, 1), n_jobs=2)
    assert result.scores["corpus"].tolist() == ["all", "all"]
    assert len(result.predictions) == 400
    assert result.summary["uar_low"][0] == result.summary["uar_low"][1]


def test_a_fold_of_few_recordings_is_named_in_the_warnings(speech):
    model = make_pipeline(CorpusScaler(min_batch=11), GaussianNB())
    with pytest.warns(SmallBatchWarning, match="has 10 rows"):
        result = within_corpus_validate(model, **speech)
    assert set(result.warned["category"]) == {"SmallBatchWarning"}
    assert "a (speaker s0 held out)" in set(result.warned["fold"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speaker": None}, "Speakers of a cannot be held out: speakers unknown"),
        (
            {"speaker": np.array([None, *["s"] * 199], dtype=object)},
            "cannot be held out: speaker unknown of 1 of ",
        ),
        ({"speaker": ["s"] * 200}, "Speakers of a cannot be held out: a single speaker"),
        ({"n_splits": 1}, "n_splits must be an integer of at least 2, got 1"),
        ({"speaker": list("st") * 100, "corpus": ["a"] * 200, "y": list("xy") * 100}, "one class"),
    ],
)
def test_errors(speech, change, message):
    # The first recording has an unknown speaker: make it one of corpus a.
    speech["corpus"][0] = "a"
    with pytest.raises(ValueError, match=message):
        within_corpus_validate(GaussianNB(), **speech | change)
