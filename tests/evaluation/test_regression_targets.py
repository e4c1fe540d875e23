import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sklearn_ser import CorpusScaler, LeaveOneCorpusOut, cross_corpus_validate, transfer_matrix
from sklearn_ser.evaluation import compare_methods, within_corpus_validate
from sklearn_ser.metrics import adjusted_r2, concordance_correlation


@pytest.fixture
def speech():
    """Activation from 1 to 5, which the first feature tells with some noise."""
    rng = np.random.default_rng(0)
    corpus, speaker = np.repeat(["a", "b"], 60), np.repeat(np.arange(12), 10)
    activation = rng.uniform(1, 5, size=120)
    X = rng.normal(size=(120, 3))
    X[:, 0] += activation + 30 * (corpus == "b")
    return {"X": X, "y": activation, "corpus": corpus, "speaker": speaker}


def test_scores_are_those_of_the_metrics(speech):
    model = make_pipeline(CorpusScaler(), LinearRegression())
    result = cross_corpus_validate(model, **speech)
    assert result.metrics == ("ccc", "adjusted_r2", "mae")
    for row in result.scores.itertuples():
        table = result.predictions[result.predictions["corpus"] == row.corpus]
        pair = table["y_true"], table["y_pred"]
        assert row.ccc == pytest.approx(concordance_correlation(*pair))
        assert row.adjusted_r2 == pytest.approx(adjusted_r2(*pair, n_predictors=1))
        assert row.mae == pytest.approx(mean_absolute_error(*pair))
        assert 0.5 < row.ccc_low < row.ccc < row.ccc_high <= 1
        assert row.adjusted_r2_high <= 1
        assert 0 <= row.mae_low < row.mae < row.mae_high
    assert result.recalls.empty
    assert result.summary["corpus"].tolist() == ["a", "b", "mean"]
    assert result.summary["ccc"].iloc[-1] == pytest.approx(result.scores["ccc"].mean())


def test_predicting_the_mean_has_no_concordance(speech):
    result = cross_corpus_validate(DummyRegressor(), **speech)
    np.testing.assert_allclose(result.scores["ccc"], 0, atol=1e-12)


def test_printed(speech):
    result = cross_corpus_validate(Ridge(), **speech)
    assert str(result).split()[4:9] == ["CCC", "adj.", "R²", "MAE", "95%"]
    assert "<table" in result._repr_html_()


@pytest.mark.parametrize(
    "model",
    [
        SVR(),
        make_pipeline(StandardScaler(), SVR()),
        GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=LeaveOneCorpusOut()),
    ],
    ids=["alone", "pipeline", "search"],
)
def test_any_regressor(speech, model):
    third = {name: np.concatenate([values, values[:60]]) for name, values in speech.items()}
    third["corpus"][120:] = "c"
    third["speaker"][120:] += 20
    assert len(cross_corpus_validate(model, **third).scores) == 3


def test_the_other_evaluations(speech):
    model = make_pipeline(CorpusScaler(min_batch=2), LinearRegression())
    within = within_corpus_validate(model, **speech)
    matrix = transfer_matrix(model, **speech)
    assert matrix.metrics[0] == "ccc"
    assert matrix.scores.loc["a", "a"] == within.scores["ccc"][0]
    assert matrix.scores.loc["b", "a"] == cross_corpus_validate(model, **speech).scores["ccc"][0]
    comparison = compare_methods(
        cross_corpus_validate(model, **speech),
        cross_corpus_validate(DummyRegressor(), **speech),
        metric="ccc",
    )
    assert comparison["p_value"].iloc[-1] < 0.01
    assert comparison["difference"].iloc[-1] > 0.5


def test_labels_of_the_held_out_corpus_change_no_prediction(speech):
    permuted = speech["y"].copy()
    permuted[:60] = np.random.default_rng(0).permutation(permuted[:60])
    first, second = (
        cross_corpus_validate(Ridge(), **speech | {"y": y}, targets="a")
        for y in (speech["y"], permuted)
    )
    assert first.predictions["y_pred"].equals(second.predictions["y_pred"])
    assert first.scores["ccc"][0] != second.scores["ccc"][0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["anger"] * 120, "y must hold numbers, .* pass a classifier"),
        (np.ones(5), r"one number for each of the 120 samples in X, .* \(5,\)"),
        (np.ones((120, 2)), r"shape \(120, 2\). Evaluate one target"),
        (pd.Series([1.0, np.nan] * 60), "y has 60 of 120 values that are NaN"),
    ],
)
def test_errors(speech, y, message):
    with pytest.raises(ValueError, match=message):
        cross_corpus_validate(Ridge(), **speech | {"y": y})
