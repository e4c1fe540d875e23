"""The warning that a classifier was not adapted: heard once, whatever stands around it."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_ser import CORALClassifier, DANNClassifier, MCCClassifier, NNPMClassifier, adapt
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.utils import _warnings

RNG = np.random.default_rng(0)
Y = np.tile(["anger", "sadness"], 30)
X = RNG.normal(size=(60, 3)) + (Y == "anger")[:, None]


@pytest.fixture(autouse=True)
def nothing_issued_yet(monkeypatch):
    monkeypatch.setattr(_warnings, "_ISSUED", set())


@pytest.fixture
def heard():
    """The warnings of a user who has changed no filter."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        yield lambda: [str(one.message) for one in seen if one.category is NotAdaptedWarning]


def tiny(**settings):
    defaults = {"n_estimators": 1, "hidden_layer_sizes": (4,), "n_components": 2}
    return NNPMClassifier(
        **defaults | {"warmup_epochs": 1, "max_epochs": 1, "random_state": 0} | settings
    )


def fit_all(model):
    model.fit(X, Y).predict(X)
    model.predict(X[:30])


TOOLS = {
    "itself": lambda one: fit_all(one),
    "cross_validate": lambda one: cross_validate(one, X, Y, cv=3, return_train_score=True),
    "cross_val_score": lambda one: cross_val_score(one, X, Y, cv=3, scoring="neg_log_loss"),
    "cross_val_predict": lambda one: cross_val_predict(one, X, Y, cv=3, method="predict_proba"),
    "learning_curve": lambda one: learning_curve(one, X, Y, cv=2, train_sizes=[0.5, 1.0]),
    "validation_curve": lambda one: validation_curve(
        one, X, Y, param_name="dropout", param_range=[0.0, 0.5], cv=2
    ),
    "permutation_test_score": lambda one: permutation_test_score(one, X, Y, cv=2, n_permutations=2),
    "permutation_importance": lambda one: permutation_importance(one.fit(X, Y), X, Y),
    "grid search": lambda one: fit_all(GridSearchCV(one, {"dropout": [0.0, 0.5]}, cv=2)),
    "random search": lambda one: fit_all(
        RandomizedSearchCV(one, {"dropout": [0.0, 0.5]}, n_iter=2, cv=2)
    ),
    "calibration": lambda one: fit_all(CalibratedClassifierCV(one, cv=2)),
    "calibration of a frozen one": lambda one: fit_all(
        CalibratedClassifierCV(FrozenEstimator(one.fit(X, Y)))
    ),
    "voting": lambda one: fit_all(VotingClassifier([("a", one), ("b", one)], voting="soft")),
    "stacking": lambda one: fit_all(
        StackingClassifier([("a", one), ("b", LogisticRegression())], cv=2)
    ),
    "bagging": lambda one: fit_all(BaggingClassifier(one, n_estimators=2)),
    "one versus rest": lambda one: fit_all(OneVsRestClassifier(one)),
    "self-training": lambda one: SelfTrainingClassifier(one, max_iter=2).fit(
        X, np.where(np.arange(60) < 40, Y == "anger", -1)
    ),
    "threshold": lambda one: fit_all(FixedThresholdClassifier(one, pos_label="anger")),
    "tuned threshold": lambda one: fit_all(
        TunedThresholdClassifierCV(one, cv=2, scoring="balanced_accuracy")
    ),
    "feature selection": lambda one: SequentialFeatureSelector(
        one, n_features_to_select=1, cv=2
    ).fit(X, Y),
    "pipeline in a search": lambda one: fit_all(
        GridSearchCV(
            make_pipeline(StandardScaler(), one), {"nnpmclassifier__dropout": [0.0, 0.5]}, cv=2
        )
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_it_is_heard_once_in_every_tool(tool, heard):
    TOOLS[tool](tiny())
    [text] = heard()
    assert text.startswith("This NNPMClassifier knows its source only: ")
    assert "predictions come from the source alone. Call adapt, pass X_target to fit" in text
    assert text.endswith("simplefilter('always', NotAdaptedWarning) shows them.")


@pytest.mark.parametrize("tool", TOOLS)
def test_it_is_not_heard_where_the_user_chose_so(tool, heard):
    TOOLS[tool](tiny(adaptation=None))
    assert heard() == []


@pytest.mark.parametrize("kind", [MCCClassifier, CORALClassifier, DANNClassifier])
def test_each_class_is_a_cause_of_its_own(kind, heard):
    model = kind(hidden_layer_sizes=(4,), max_epochs=1, random_state=0)
    cross_val_score(model, X, Y, cv=2)
    cross_val_score(tiny(), X, Y, cv=2)
    assert [text.split()[1] for text in heard()] == [kind.__name__, "NNPMClassifier"]
    cross_val_score(model.set_params(adaptation=None), X, Y, cv=2)
    assert len(heard()) == 2


def test_each_reason_is_a_cause_of_its_own_whatever_its_figures(heard):
    model = tiny(adaptation="predict").fit(X, Y)
    for n in (5, 6, 7):
        model.predict(X[:n])
    [small] = heard()
    assert "was not adapted, predictions come from the source alone: the target has 5 row" in small
    # A step so large that it ends with infinite values.
    spoilt = tiny(adaptation="predict", learning_rate=1e38, warmup_epochs=1, guard=True)
    spoilt.set_params(learning_rate=1e-3).fit(X, Y).set_params(learning_rate=1e38)
    spoilt.predict(X[:30])
    spoilt.predict(X[30:])
    assert len(heard()) == 2
    assert "infinite or NaN. Lower learning_rate" in heard()[1]


def test_a_call_of_adapt_always_answers(heard):
    model = tiny().fit(X, Y)
    for n in (5, 6):
        model.adapt(X[:n])
        adapt(model, X[: n + 2])
    assert [text.split(" rows")[0].split()[-1] for text in heard()] == ["5", "7", "6", "8"]
    assert not any("Further warnings" in text for text in heard())


def test_fit_with_a_small_target_is_heard_once(heard):
    for kind in (tiny(), MCCClassifier(hidden_layer_sizes=(4,), max_epochs=1)):
        for n in (5, 6):
            kind.fit(X, Y, X_target=X[:n])
    assert [text.split()[0] for text in heard()] == ["NNPMClassifier", "MCCClassifier"]


def test_who_asks_for_all_gets_all():
    model = tiny().fit(X, Y)
    for _ in range(2):
        with pytest.warns(NotAdaptedWarning, match="knows its source only") as seen:
            model.predict(X)
        assert "Further warnings" not in str(seen[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotAdaptedWarning)
        for _ in range(2):
            with pytest.raises(NotAdaptedWarning, match="knows its source only"):
                model.predict(X)


def test_an_ignored_warning_is_not_lost_for_later(heard):
    model = tiny().fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAdaptedWarning)
        model.predict(X)
    model.predict(X)
    assert len(heard()) == 1


def test_it_is_heard_once_in_each_worker_and_points_at_the_caller(tmp_path):
    """In a process of its own, whose standard error is that of its workers."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from sklearn.model_selection import GridSearchCV\n"
        "from sklearn_ser import NNPMClassifier\n"
        "y = np.tile([0, 1], 30)\n"
        "X = np.random.default_rng(0).normal(size=(60, 3)) + y[:, None]\n"
        "one = NNPMClassifier(n_estimators=1, hidden_layer_sizes=(4,), warmup_epochs=1)\n"
        "search = GridSearchCV(one, {'dropout': [0.0, 0.2, 0.4]}, cv=3, n_jobs=2).fit(X, y)\n"
        "search.predict(X)\n"
        "search.predict(X)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    n_heard = done.stderr.count("knows its source only")
    assert 2 <= n_heard <= 3  # each of the two workers, if both had work, and this process
    assert "script.py:8: NotAdaptedWarning" in done.stderr


def test_whoever_was_refused_is_not_told_to_adapt(heard):
    model = tiny().fit(X, Y, X_target=X[:5])
    model.predict(X[:5])
    [text] = heard()
    assert "the target has 5 rows" in text
    # A copy, such as one from a file, does not know what its original has tried.
    pickle.loads(pickle.dumps(model)).predict(X[:5])
    assert "knows its source only" in heard()[1]
    model.fit(X, Y).predict(X[:5])
    model.adapt(X).predict(X[:5])
    assert len(heard()) == 2
