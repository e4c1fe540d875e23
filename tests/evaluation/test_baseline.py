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
from sklearn_ser.evaluation._baseline import adjust, holm


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
        shared = ["corpus", "difference", "high", "p_value", "n_speakers"]
        pd.testing.assert_frame_equal(rows[shared].reset_index(drop=True), pair[shared])
    for corpus, rows in table.groupby("corpus"):
        if corpus == "mean":
            assert rows["p_adjusted"].tolist() == holm(rows["p_value"]).tolist()
            assert rows["p_adjusted"].max() <= 2 * rows["p_value"].max()


def test_too_few_speakers_for_so_many_comparisons(results):
    # Six speakers suffice for one comparison (2 / 64), not for two.
    table = compare_with_baseline(results, n_draws=50).set_index(["corpus", "method"])
    assert (table["p_smallest"][["a", "b"]] == 4 / 64).all()
    assert table["p_adjusted"].isna()[["a", "b"]].all()
    assert (table["p_note"][["a", "b"]] == "too few speakers to tell").all()
    assert (table["low"][["a", "b"]] <= 0).all()
    assert table["p_value"].notna().all()
    assert (table["p_smallest"]["mean"] == 4 / 2**12).all()
    assert (table["p_note"]["mean"] == "").all()
    one = {name: results[name] for name in ("guess", "logistic")}
    assert (compare_with_baseline(one, n_draws=50)["p_note"] == "").all()


@pytest.mark.parametrize(("n_methods", "told"), [(7, 7 * 2 / 64), (1, 2 / 64)])
def test_the_smallest_p_that_is_possible(n_methods, told):
    table = pd.DataFrame(
        {"corpus": "a", "low": 0.1, "high": 0.3, "p_value": 2 / 64, "n_speakers": 6}
        | {"interval_note": [""] * n_methods}
    )
    adjusted = adjust(table, confidence=0.95)
    assert adjusted["p_smallest"].tolist() == [told] * n_methods
    assert (adjusted["p_note"] == "").all() == (n_methods == 1)
    assert (adjusted["low"] > 0).all() == (n_methods == 1)


def test_any_method_may_be_the_baseline_and_settings_reach_the_comparison(results):
    settings = {"metric": "accuracy", "n_permutations": 20, "n_draws": 50, "confidence": 0.5}
    table = compare_with_baseline(results, baseline="bayes", **settings)
    assert table["method"].unique().tolist() == ["guess", "logistic"]
    pair = compare_methods(results["logistic"], results["bayes"], **settings)
    rows = table[table["method"] == "logistic"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows[["high", "p_value"]], pair[["high", "p_value"]])


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
