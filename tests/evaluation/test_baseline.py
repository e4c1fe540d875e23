import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sklearn_ser.evaluation import (
    compare_methods,
    compare_with_baseline,
    cross_corpus_validate,
)
from sklearn_ser.evaluation._baseline import holm


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.01, 0.02, 0.022, 0.09], [0.04, 0.06, 0.06, 0.09]),
        ([0.6, 0.7], [1, 1]),
        ([np.nan, 0.01, 0.04], [np.nan, 0.02, 0.04]),
        ([np.nan], [np.nan]),
    ],
)
def test_holm(p_values, expected):
    np.testing.assert_allclose(holm(p_values), expected)


MODELS = {"guess": DummyClassifier(), "logistic": LogisticRegression(), "bayes": GaussianNB()}


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 60)
    X = rng.normal(size=(120, 3)) + (y == "anger")[:, None]
    corpus, speaker = np.repeat(["a", "b"], 60), np.repeat(np.arange(12), 10)
    return {
        name: cross_corpus_validate(model, X, y, corpus, speaker=speaker, n_draws=50)
        for name, model in MODELS.items()
    }


def test_each_row_is_that_of_the_pair_with_p_adjusted_corpus_by_corpus(results):
    table = compare_with_baseline(results, n_draws=50)
    assert table["method"].unique().tolist() == ["logistic", "bayes"]
    assert set(table["against"]) == {"guess"}
    for name, rows in table.groupby("method"):
        pair = compare_methods(results[name], results["guess"], n_draws=50)
        shared = ["corpus", "difference", "low", "high", "p_value", "n_speakers", "interval_note"]
        pd.testing.assert_frame_equal(rows[shared].reset_index(drop=True), pair[shared])
    for _, rows in table.groupby("corpus"):
        assert rows["p_adjusted"].tolist() == holm(rows["p_value"]).tolist()
        assert rows["p_adjusted"].max() <= 2 * rows["p_value"].max()


def test_any_method_may_be_the_baseline_and_settings_reach_the_comparison(results):
    settings = {"metric": "accuracy", "n_permutations": 20, "n_draws": 50, "confidence": 0.5}
    table = compare_with_baseline(results, baseline="bayes", **settings)
    assert table["method"].unique().tolist() == ["guess", "logistic"]
    pair = compare_methods(results["logistic"], results["bayes"], **settings)
    rows = table[table["method"] == "logistic"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows[["low", "p_value"]], pair[["low", "p_value"]])


def test_a_single_comparison_needs_no_adjustment(results):
    two = {name: results[name].predictions for name in ("guess", "bayes")}
    table = compare_with_baseline(two, n_draws=50)
    assert table["p_adjusted"].tolist() == table["p_value"].tolist()


def test_errors(results):
    with pytest.raises(TypeError, match=r"dict of results by the names of their methods, got list"):
        compare_with_baseline([*results.values()])
    with pytest.raises(ValueError, match="results has 1 of at least two methods"):
        compare_with_baseline({"guess": results["guess"]})
    with pytest.raises(ValueError, match=r"one of \['guess', 'logistic', 'bayes'\], got 'svm'"):
        compare_with_baseline(results, baseline="svm")
