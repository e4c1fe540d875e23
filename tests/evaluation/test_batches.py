"""Warnings of folds whose batch lacks most of the emotions."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.ensemble import AdaBoostClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    MCCClassifier,
    cross_corpus_validate,
    transfer_matrix,
)
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.exceptions import ScalingWarning

pytestmark = pytest.mark.filterwarnings("ignore:.* lack its classes:UserWarning")


def table(emotions_of_speakers, n_rows=12, corpus="urdu"):
    """One corpus in which each speaker has recordings of some emotions, far apart from others."""
    rng = np.random.default_rng(0)
    y = np.concatenate([np.resize(list(some), n_rows) for some in emotions_of_speakers])
    means = {"a": [0, 0], "h": [4, 0], "n": [0, 4], "s": [4, 4]}
    return {
        "X": rng.normal(size=(len(y), 2)) + [means[one] for one in y],
        "y": y,
        "corpus": np.repeat(corpus, len(y)),
        "speaker": np.repeat([f"s{i}" for i in range(len(emotions_of_speakers))], n_rows),
    }


SINGLE = [*"ahnsahnsahns"]
COMPLETE = ["ahns"] * 5


def scaled(**parameters):
    return make_pipeline(CorpusScaler(**parameters), LogisticRegression())


def test_single_emotions_are_named_and_the_way_out_is_right():
    data = table(SINGLE)
    with pytest.warns(ScalingWarning, match="statistics of the held-out speakers") as seen:
        batch = within_corpus_validate(scaled(), **data)
    [message] = [str(one.message) for one in seen]
    assert message.startswith("CorpusScaler uses statistics")
    assert "urdu (10 of 10 folds, 12 of 12 speakers; 8 with a single emotion)" in message
    assert "CorpusScaler(unseen='pooled')" in message
    assert seen[0].filename == __file__
    assert batch.warned.values.tolist() == [["all", "ScalingWarning", message]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pooled = within_corpus_validate(scaled(unseen="pooled"), **data)
    assert batch.summary["uar"][0] < 0.5 < 0.8 < pooled.summary["uar"][0]


def test_folds_are_counted_one_by_one():
    with pytest.warns(ScalingWarning, match=r"urdu \(2 of 6 folds, 2 of 6 speakers; 1 with a"):
        within_corpus_validate(scaled(), **table([*COMPLETE[:3], "ahn", "ah", "s"]))


def test_repeats_are_not_counted():
    data = table(["ahns"] * 3 + ["s"])
    model = make_pipeline(CorpusScaler(), LogisticRegression(random_state=0))
    with pytest.warns(ScalingWarning, match=r"\(1 of 4 folds") as seen:
        within_corpus_validate(model, **data, seeds=(0, 1))
    assert len(seen) == 1


def frozen_scaler(**parameters):
    return FrozenEstimator(CorpusScaler(**parameters).fit(table(COMPLETE)["X"]))


def adapted_scaler():
    return FrozenEstimator(frozen_scaler().estimator.adapt(table(COMPLETE)["X"]))


@pytest.mark.parametrize(
    "steps",
    [
        [make_union(StandardScaler(), CorpusScaler())],
        [make_pipeline("passthrough", make_union(make_pipeline(CorpusScaler())))],
        [frozen_scaler()],
        [CorpusScaler(speaker_shrinkage=0)],
    ],
)
def test_the_scaler_is_found_anywhere(steps):
    with pytest.warns(ScalingWarning, match="CorpusScaler uses statistics"):
        within_corpus_validate(make_pipeline(*steps, GaussianNB()), **table(SINGLE), n_splits=4)


@pytest.mark.parametrize("last", [AdaBoostClassifier(n_estimators=2), GaussianNB()])
def test_meta_estimators(last):
    inner = make_pipeline(CorpusScaler(), last)
    for model in (inner, GridSearchCV(inner, {}, cv=2)):
        with pytest.warns(ScalingWarning, match="CorpusScaler uses statistics"):
            within_corpus_validate(model, **table([*COMPLETE, "a"]))


def quick(**parameters):
    return MCCClassifier(max_epochs=1, hidden_layer_sizes=(4,), random_state=0, **parameters)


def test_methods_that_adapt_to_the_held_out_rows():
    data = table(["ahns"] * 3 + ["a"])
    with pytest.warns(ScalingWarning, match=r"^MCCClassifier uses .* and adaptation=None"):
        within_corpus_validate(make_pipeline(StandardScaler(), quick()), **data)
    with pytest.warns(ScalingWarning, match="^CorpusScaler and MCCClassifier use "):
        within_corpus_validate(make_pipeline(CorpusScaler(), quick()), **data)


def test_an_autoencoder_that_is_refused_the_held_out_rows():
    data = table(["ahns"] * 3 + ["a"])
    dae = DAETransformer(2, max_epochs=2, random_state=0)
    with pytest.warns(ScalingWarning, match=r"^DAETransformer uses .*set_fit_request\(X_target"):
        within_corpus_validate(make_pipeline(StandardScaler(), dae), **data)
    with config_context(enable_metadata_routing=True):
        dae.set_fit_request(X_target=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScalingWarning)
        within_corpus_validate(make_pipeline(StandardScaler(), dae), **data)


@pytest.mark.parametrize(
    "model",
    [
        scaled(unseen="pooled"),
        scaled(unseen="pooled", speaker_shrinkage=10),
        make_pipeline(adapted_scaler(), GaussianNB()),
        make_pipeline(StandardScaler(), quick(adaptation=None)),
        GaussianNB(),
    ],
)
def test_nothing_to_warn_of_without_such_a_step(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScalingWarning)
        within_corpus_validate(model, **table(["ahns"] * 3 + ["a"]))


@pytest.mark.parametrize("emotions", [COMPLETE, ["ahn", "hns", "ahs"], ["ah"] * 3, ["an"] * 12])
def test_nothing_to_warn_of_if_speakers_have_most_of_the_emotions(emotions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        within_corpus_validate(scaled(), **table(emotions))


def test_a_batch_below_min_batch_is_not_scaled_by_itself():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ScalingWarning)
        within_corpus_validate(scaled(min_batch=13), **table(["ahns"] * 3 + ["a"]))


def test_folds_of_several_speakers_have_more_emotions():
    data = table(["a", "h", "n", "s"] * 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        within_corpus_validate(scaled(), **data, n_splits=3)


def test_ratings_have_no_emotions():
    data = table(SINGLE)
    data["y"] = (data["y"] == "a").astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        within_corpus_validate(make_pipeline(CorpusScaler(), LinearRegression()), **data)


def test_only_the_diagonal_of_a_transfer_matrix():
    one, two = table(SINGLE), table(COMPLETE, corpus="emodb")
    data = {name: np.concatenate([one[name], two[name]]) for name in one}
    with pytest.warns(ScalingWarning, match=r"in urdu \(10 of 10") as seen:
        result = transfer_matrix(scaled(), **data)
    assert "emodb" not in str(seen[0].message)
    assert result.warned["category"].tolist() == ["ScalingWarning"]
    assert result.warned["fold"].tolist() == ["all"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_corpus_validate(scaled(), **data)
        transfer_matrix(scaled(unseen="pooled"), **data)
