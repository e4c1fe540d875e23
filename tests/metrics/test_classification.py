import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import cross_val_score

from sklearn_ser.metrics import uar_scorer, unweighted_average_recall

# Recall of "anger" 1/2, of "neutral" 2/2; "boredom" is predicted once and never true.
TRUTH = ["anger", "anger", "neutral", "neutral"]
GUESS = ["anger", "boredom", "neutral", "neutral"]


def test_a_class_that_is_only_predicted_adds_no_recall():
    assert unweighted_average_recall(TRUTH, GUESS) == 0.75
    assert recall_score(TRUTH, GUESS, average="macro", zero_division=0) == 0.5


def test_a_class_that_is_never_predicted_has_recall_0():
    assert unweighted_average_recall(GUESS, TRUTH) == pytest.approx((1 + 0 + 1) / 3)


def test_without_the_warnings_of_scikit_learn():
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert balanced_accuracy_score(TRUTH, GUESS) == 0.75
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unweighted_average_recall(TRUTH, GUESS)
        assert unweighted_average_recall(["anger"] * 2, ["anger"] * 2) == 1


@pytest.mark.parametrize("seed", range(5))
def test_is_the_mean_of_the_recalls(seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(4, size=(2, 200))
    recalls = [np.mean(y_pred[y_true == label] == label) for label in np.unique(y_true)]
    assert unweighted_average_recall(y_true, y_pred) == pytest.approx(np.mean(recalls))


def test_a_rare_class_counts_like_a_frequent_one():
    y_true = ["neutral"] * 99 + ["anger"]
    assert unweighted_average_recall(y_true, ["neutral"] * 100) == 0.5


def test_sample_weight_counts_within_a_class():
    # Of "anger", weight 3 of 4 is right.
    assert unweighted_average_recall(TRUTH, GUESS, sample_weight=[3, 1, 5, 5]) == 0.875


@pytest.mark.parametrize("container", [list, np.array, pd.Series, pd.Categorical])
def test_containers(container):
    assert unweighted_average_recall(container(TRUTH), container(GUESS)) == 0.75


def test_bad_input():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        unweighted_average_recall(TRUTH, GUESS[:2])
    with pytest.raises(ValueError, match="mix of multiclass and continuous"):
        unweighted_average_recall([0, 1, 2], [0.1, 0.9, 0.5])


def test_scorer():
    X, y = np.zeros((8, 1)), ["anger"] * 6 + ["sadness"] * 2
    model = DummyClassifier(strategy="most_frequent")
    np.testing.assert_array_equal(cross_val_score(model, X, y, cv=2, scoring=uar_scorer), 0.5)
    assert pickle.loads(pickle.dumps(uar_scorer))(model.fit(X, y), X, y) == 0.5
