import json

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import balanced_accuracy_score
from sklearn.naive_bayes import BernoulliNB, GaussianNB

from sklearn_ser import __version__, cross_corpus_validate
from sklearn_ser.evaluation import compare_methods
from sklearn_ser.evaluation._baseline import holm
from sklearn_ser.report import EvaluationRecord

TABLES = ("scores", "means", "recalls", "predictions", "comparisons", "transfer")


def test_scores_are_those_of_the_predictions(record):
    scores = record.scores.set_index(["method", "corpus"])
    for key, rows in record.predictions.groupby(["method", "corpus"]):
        score = scores.loc[key]
        expected = balanced_accuracy_score(rows["y_true"], rows["y_pred"])
        assert score["uar"] == pytest.approx(expected)
        assert score["accuracy"] == pytest.approx((rows["y_true"] == rows["y_pred"]).mean())
        assert score["chance"] == 0.25
        assert score["language"] == rows["language"].iloc[0]
        assert score["n_speakers"] == rows["speaker"].nunique() == 6
        assert score["uar_low"] <= score["uar"] <= score["uar_high"]
    means = record.scores.groupby("method", sort=False)["uar"].mean()
    assert record.means["method"].tolist() == record.methods == ["svm", "bayes", "guess"]
    np.testing.assert_allclose(record.means["uar"], means)


def test_predictions_name_their_recordings(record, make_speech):
    speech, _ = make_speech()
    for _, rows in record.predictions.groupby("method"):
        assert rows["path"].tolist() == speech["path"].tolist()
        assert rows["y_true"].tolist() == speech["emotion"].tolist()


def test_comparisons_are_with_the_first_and_adjusted(record):
    table = record.comparisons
    assert set(table["against"]) == {"svm"}
    assert table["method"].unique().tolist() == ["bayes", "guess"]
    assert table["corpus"].unique().tolist() == ["emodb", "ravdess", "urdu", "mean"]
    mean = table[table["corpus"] == "mean"]
    assert mean["p_adjusted"].tolist() == holm(mean["p_value"]).tolist()
    # Six speakers and two comparisons.
    assert set(table["p_note"][table["corpus"] != "mean"]) == {"too few speakers to tell"}
    guess = table.query("method == 'guess' and corpus == 'mean'").iloc[0]
    assert guess["difference"] < -0.2
    assert guess["p_adjusted"] < 0.01


def test_what_is_needed_to_repeat_it(record):
    run = record.run
    assert run["versions"]["sklearn-ser"] == __version__
    assert run["versions"].keys() >= {"Python", "numpy", "scikit-learn"}
    assert run["command"] == "sklearn-ser evaluate --corpus 'a b=c'"
    assert run["settings"]["confidence"] == 0.95
    assert [corpus["name"] for corpus in run["corpora"]] == record.corpora
    assert run["corpora"][0] == {
        "name": "emodb",
        "language": "x-0",
        "recordings": 96,
        "speakers": 6,
        "emotions": dict.fromkeys(("anger", "happiness", "neutral", "sadness"), 24),
        "title": "EMO-DB",
        "licence": "free with citation",
        "homepage": "http://emodb.bilderbar.info/",
    }
    seeds = {method["name"]: method["seeds"] for method in run["methods"]}
    assert seeds["guess"] == {"random_state": 7}
    assert "GaussianNB()" in run["methods"][1]["pipeline"]
    assert run["warnings"][0]["detail"] == "someone sneezes in 03a01Fa.wav"


def test_round_trip(record, tmp_path):
    folder = tmp_path / "new" / "results"
    record.save(folder)
    loaded = EvaluationRecord.load(folder)
    assert loaded.run == json.loads(json.dumps(record.run))
    assert repr(loaded) == repr(record)
    assert repr(record).startswith("EvaluationRecord of 3 methods (svm, bayes, guess) on 3 corpora")
    for name in TABLES:
        kept, made = getattr(loaded, name), getattr(record, name)
        pd.testing.assert_frame_equal(kept, made, check_dtype=False, rtol=1e-12)


def test_names_that_look_like_something_else_stay_names(make_speech, evaluate, tmp_path):
    speech, X = make_speech(("NA", "007"))
    speech["speaker"] = speech["speaker"].str.replace("NA_1", "nan")
    evaluate(speech, X, methods=("svm",)).save(tmp_path)
    loaded = EvaluationRecord.load(tmp_path)
    assert loaded.corpora == ["007", "NA"]
    assert loaded.predictions["speaker"].tolist() == speech["speaker"].tolist()


def test_a_later_record_replaces_all_of_an_earlier_one(record, make_speech, evaluate, tmp_path):
    record.save(tmp_path)
    evaluate(*make_speech(), methods=("bayes",)).save(tmp_path)
    loaded = EvaluationRecord.load(tmp_path)
    assert loaded.methods == ["bayes"]
    assert loaded.transfer is None
    assert loaded.comparisons.empty


def test_without_speakers_there_are_no_comparisons(make_speech, evaluate, tmp_path):
    speech, X = make_speech()
    record = evaluate(speech[["corpus", "emotion"]], X, methods=("svm", "bayes"))
    assert record.comparisons.empty
    assert record.scores["uar_low"].isna().all()
    assert record.predictions["path"].iloc[0] == "recording 0"
    kinds = {warning["kind"] for warning in record.run["warnings"]}
    assert kinds == {"unknown speakers", "no interval"}
    record.save(tmp_path)
    assert EvaluationRecord.load(tmp_path).scores["uar"].tolist() == record.scores["uar"].tolist()


def test_repeats_are_averaged(make_speech):
    speech, X = make_speech()
    model = DummyClassifier(strategy="uniform")
    data = X, speech["emotion"], speech["corpus"]
    result = cross_corpus_validate(model, *data, speaker=speech["speaker"], seeds=range(3))
    record = EvaluationRecord.from_results({"guess": result}, speech)
    assert len(record.scores) == 3
    assert set(record.scores["n_repeats"]) == {3}
    assert (record.scores["uar_sd"] > 0).all()
    assert len(record.predictions) == 3 * len(speech)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (lambda result, speech: ({}, speech), "results is empty; pass at least one"),
        (lambda result, speech: ({"a": result}, speech[:9]), "but speech has 9 rows"),
        (
            lambda result, speech: ({"a": result}, speech[::-1]),
            "'a' and speech differ in corpus and emotion",
        ),
        (
            lambda result, speech: ({"a": result}, speech.assign(emotion="fear")),
            "differ in emotion. Pass the table of recordings that was evaluated",
        ),
    ],
)
def test_results_of_other_recordings(results, message, make_speech):
    speech, X = make_speech()
    result = cross_corpus_validate(GaussianNB(), X, speech["emotion"], speech["corpus"])
    with pytest.raises(ValueError, match=message):
        EvaluationRecord.from_results(*results(result, speech))


def test_a_corpus_cannot_be_called_as_the_row_of_means(make_speech, evaluate):
    with pytest.raises(ValueError, match="A corpus is called 'mean'"):
        evaluate(*make_speech(("emodb", "mean")), methods=("svm",))


def test_names_of_methods_are_text(make_speech):
    speech, X = make_speech()
    result = cross_corpus_validate(GaussianNB(), X, speech["emotion"], speech["corpus"])
    with pytest.raises(TypeError, match="The names of methods must be text, got 1"):
        EvaluationRecord.from_results({"first": result, 1: result}, speech)


def test_a_regressor_has_no_emotions(make_speech):
    speech, X = make_speech()
    result = cross_corpus_validate(DummyRegressor(), X, X[:, 0], speech["corpus"])
    with pytest.raises(ValueError, match=r"metrics ccc, .* needs the result of a classifier"):
        EvaluationRecord.from_results({"mean": result}, speech)


def test_the_comparison_is_that_of_the_evaluation(make_speech):
    speech, X = make_speech()
    data = X, speech["emotion"], speech["corpus"]
    results = {
        name: cross_corpus_validate(model, *data, speaker=speech["speaker"])
        for name, model in (("gauss", GaussianNB()), ("bernoulli", BernoulliNB()))
    }
    record = EvaluationRecord.from_results(results, speech)
    expected = compare_methods(results["bernoulli"], results["gauss"])
    for column in ("difference", "low", "high", "p_value"):
        assert record.comparisons[column].tolist() == expected[column].tolist()
    # A single comparison needs no adjustment.
    pd.testing.assert_series_equal(
        record.comparisons["p_adjusted"],
        expected["p_value"].mask(expected["p_note"] == "too few speakers to tell"),
        check_names=False,
    )


def test_facts_about_speakers_of_any_kind_are_kept(make_speech, evaluate, tmp_path):
    speech, X = make_speech(n_speakers=12, each=1)
    number = speech["speaker"].str.rpartition("_")[2].astype(int)
    speech["sex"] = np.where(number % 2, "F", "")
    speech["age"] = np.where(number % 2, "young", "old")
    record = evaluate(speech, X, methods=("svm",))
    # Known of one sex alone, and no age in years.
    assert record.groups is None
    record.save(tmp_path / "results")
    loaded = EvaluationRecord.load(tmp_path / "results")
    assert set(loaded.predictions["age"]) == {"young", "old"}
    speech["sex"] = np.where(number % 2, "F", "m")
    record = evaluate(speech, X, methods=("svm",))
    assert sorted(record.groups["group"].unique()) == ["female", "male"]
