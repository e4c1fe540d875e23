"""What marks a recording as unlabelled, and who refuses or takes it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sklearn_ser import (
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    cross_corpus_validate,
    transfer_matrix,
)
from sklearn_ser.evaluation import compare_methods, speaker_interval, within_corpus_validate
from sklearn_ser.metrics import uar_scorer, unweighted_average_recall
from sklearn_ser.plotting import CorpusConfusionDisplay
from sklearn_ser.utils._labels import encode_labels, encode_partial_labels, refuse_unlabelled

N = 60
CODES = np.tile([0, 1, 2], N // 3)
WORDS = np.array(["anger", "neutral", "sadness"], dtype=object)[CODES]
GAPS = np.arange(N) % 4 == 3
CORPUS, SPEAKER = np.repeat(["a", "b"], N // 2), np.tile(np.arange(6), N // 6)


def with_gaps(labels, gap):
    labels = labels.copy()
    labels[GAPS] = gap
    return labels


# Labels of which some are none, and what a refusal of them says.
UNLABELLED = {
    "None": (with_gaps(WORDS, None), "15 missing of 60 entries, the first at position 3"),
    "NaN": (with_gaps(WORDS, np.nan), "15 missing of 60 entries, the first at position 3"),
    "NA": (with_gaps(WORDS, pd.NA), "15 missing of 60 entries"),
    "list": (with_gaps(WORDS, None).tolist(), "15 missing of 60 entries"),
    "float": (with_gaps(CODES.astype(float), np.nan), "15 missing of 60 entries"),
    "pandas": (pd.Series(with_gaps(WORDS, None), dtype="string"), "15 missing of 60 entries"),
    "categorical": (pd.Categorical(with_gaps(WORDS, None)), "15 missing of 60 entries"),
    "nullable": (pd.Series(CODES, dtype="Int64").mask(GAPS), "15 missing of 60 entries"),
    "-1": (with_gaps(CODES, -1), "holds -1 in 15 of 60 entries, the first at position 3"),
    "-1 of objects": (with_gaps(WORDS, -1), "mixes entries|holds -1 in 15 of 60"),
    "-1 among floats": (with_gaps(CODES.astype(float), -1), r"holds -1.0 in 15 of 60"),
    "-1 in a series": (pd.Series(with_gaps(CODES, -1)), "holds -1 in 15 of 60"),
    "-1 of int8": (with_gaps(CODES.astype(np.int8), -1), "holds -1 in 15 of 60"),
    "text nan": (with_gaps(WORDS, np.nan).astype(str), r"string 'nan' .*dtype=object"),
    "text None": (with_gaps(WORDS, None).astype(str), r"string 'None' .*dtype=object"),
    "text -1": (with_gaps(CODES, -1).astype(str), r"string '-1' .*dtype=object"),
    "text -1.0": (with_gaps(CODES.astype(float), -1).astype(str), r"string '-1.0' .*dtype=object"),
    "no text": (with_gaps(WORDS, ""), r"string '' .*dtype=object"),
    "text <NA>": (with_gaps(WORDS, "<NA>"), r"string '<NA>' .*dtype=object"),
}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(N, 4)) + 3 * np.eye(4)[CODES]


def nnpm():
    return NNPMClassifier(2, n_estimators=1, max_epochs=1, warmup_epochs=1, adaptation=None)


def predictions(y_true):
    return pd.DataFrame(
        {
            "sample": np.arange(N),
            "corpus": CORPUS,
            "speaker": SPEAKER,
            "repeat": 0,
            "y_true": pd.Series(y_true, dtype=object),
            "y_pred": pd.Series(y_true, dtype=object),
        }
    )


REFUSALS = {
    "fit": lambda X, y: nnpm().fit(X, y),
    "score": lambda X, y: nnpm().fit(X, CODES).score(X, y),
    "cross_corpus": lambda X, y: cross_corpus_validate(GaussianNB(), X, y, CORPUS),
    "within_corpus": lambda X, y: within_corpus_validate(
        GaussianNB(), X, y, CORPUS, speaker=SPEAKER
    ),
    "transfer": lambda X, y: transfer_matrix(GaussianNB(), X, y, CORPUS),
    "interval": lambda X, y: speaker_interval(y, CODES, SPEAKER),
    "interval of predictions": lambda X, y: speaker_interval(CODES, y, SPEAKER),
    "comparison": lambda X, y: compare_methods(predictions(y), predictions(y)),
    "uar": lambda X, y: unweighted_average_recall(y, CODES),
    "uar of predictions": lambda X, y: unweighted_average_recall(CODES, y),
    "scorer": lambda X, y: uar_scorer(LogisticRegression().fit(X, CODES), X, y),
    "confusion": lambda X, y: CorpusConfusionDisplay.from_predictions(y, y, CORPUS),
}


@pytest.mark.parametrize("place", REFUSALS)
@pytest.mark.parametrize("kind", UNLABELLED)
def test_refused(X, place, kind):
    y, message = UNLABELLED[kind]
    with pytest.raises(ValueError, match=message):
        REFUSALS[place](X, y)


@pytest.mark.parametrize("kind", ["None", "-1", "text nan", "float"])
def test_the_classifier_says_where_such_rows_go(X, kind):
    with pytest.raises(ValueError, match=r"Pass the rows without a label as X_target"):
        nnpm().fit(X, UNLABELLED[kind][0])


@pytest.mark.parametrize("labels", [[-1, 1], [-1.0, 1.0], ["-1", "1"]], ids=str)
def test_two_classes_may_be_minus_one_and_one(X, labels):
    y = np.array(labels)[CODES % 2]
    assert nnpm().fit(X, y).classes_.tolist() == labels
    assert cross_corpus_validate(GaussianNB(), X, y, CORPUS).recalls["label"].nunique() == 2
    assert unweighted_average_recall(y, y) == 1
    # A fold or a prediction may have a single one of them.
    assert unweighted_average_recall(y[y == y[0]], y[y == y[0]]) == 1
    assert speaker_interval(y, np.full(N, y[0]), SPEAKER).estimate == 0.5


def test_minus_one_beside_one_is_a_gap_where_others_are_predicted():
    with pytest.raises(ValueError, match="y_true holds -1 in 2 of 4 entries"):
        unweighted_average_recall([-1, 1, 1, -1], [0, 1, 2, 0])


@pytest.mark.parametrize(
    "labels",
    [[0.5, -1.0, 0.2], np.eye(3), [[1], [2]], [], [object(), 1]],
    ids=["fractions", "indicator", "column", "none", "objects"],
)
def test_what_is_no_column_of_labels_passes(labels):
    refuse_unlabelled(labels, name="y")


@pytest.mark.parametrize(
    "kind", ["None", "NaN", "NA", "list", "float", "pandas", "categorical", "nullable", "-1"]
)
def test_partial_labels(kind):
    classes, codes = encode_partial_labels(UNLABELLED[kind][0], N)
    assert len(classes) == 3
    np.testing.assert_array_equal(codes, np.where(GAPS, -1, CODES))


@pytest.mark.parametrize("kind", ["None", "NA", "float", "nullable", "-1", "-1 among floats"])
def test_the_variational_autoencoder_takes_them(X, kind):
    settings = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0, "beta": 0.0}
    y = UNLABELLED[kind][0]
    vae = SemiSupervisedVAE(2, **settings).fit(X, y)
    other = SemiSupervisedVAE(2, **settings).fit(X, with_gaps(WORDS, None))
    assert len(vae.classes_) == 3
    np.testing.assert_array_equal(vae.transform(X), other.transform(X))


@pytest.mark.parametrize(
    "kind", ["text nan", "text None", "text -1", "text -1.0", "text <NA>", "no text"]
)
def test_the_variational_autoencoder_refuses_their_texts(X, kind):
    with pytest.raises(ValueError, match=r"what an unlabelled entry becomes .*dtype=object"):
        SemiSupervisedVAE(2, max_epochs=1).fit(X, UNLABELLED[kind][0])


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA], ids=repr)
def test_minus_one_is_a_rating(X, gap):
    valence = np.linspace(-1, 1, N).round().astype(object)
    valence[GAPS] = gap
    dae = MetricDAE(2, hidden_layer_sizes=(4,), max_epochs=1, random_state=0)
    with_ratings = dae.fit(X, valence=valence).transform(X)
    floats = pd.to_numeric(pd.Series(valence), errors="coerce").to_numpy(float)
    np.testing.assert_array_equal(with_ratings, dae.fit(X, valence=floats).transform(X))
    assert (floats == -1).any()


def test_labels_without_gaps_are_encoded_as_by_numpy():
    for labels in (CODES, WORDS, WORDS.astype(str), pd.Categorical(WORDS)):
        names, codes = encode_labels(labels, name="y")
        np.testing.assert_array_equal(names[codes], np.asarray(labels))
