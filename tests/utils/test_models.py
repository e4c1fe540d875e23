"""Looking into models."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser.utils._models import (
    last_step,
    parts_from_last,
    random_states,
    replace_last_step,
    unwrapped,
)

X, y = load_iris(return_X_y=True)
CLASSIFIER = SVC().fit(X, y)


def search(estimator, **settings):
    return GridSearchCV(estimator, {}, cv=2, **settings).fit(X, y)


SCALED = make_pipeline(StandardScaler(), SVC()).fit(X, y)
NESTED = Pipeline([("outer", make_pipeline(StandardScaler(), FrozenEstimator(search(SVC()))))])
NESTED.fit(X, y)
MODELS = {
    "alone": CLASSIFIER,
    "pipeline": SCALED,
    "one step": Pipeline([("svc", SVC())]).fit(X, y),
    "search": search(SVC()),
    "search of pipeline": search(make_pipeline(StandardScaler(), SVC())),
    "frozen": FrozenEstimator(SCALED),
    "frozen search": FrozenEstimator(search(SVC())),
    "nested": NESTED,
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
class TestLastStep:
    def test_it_predicts_what_the_model_predicts(self, model):
        step, rows = last_step(model, X)
        assert type(step) is SVC
        np.testing.assert_array_equal(step.decision_function(rows), model.decision_function(X))

    def test_it_is_one_of_the_parts(self, model):
        step, _ = last_step(model, X)
        assert next(part for part in parts_from_last(model) if isinstance(part, SVC)) is step

    def test_it_can_be_replaced_in_a_copy(self, model):
        before = model.predict(X)

        def change(step, rows):
            return LogisticRegression().fit(rows, y == 0)

        changed = replace_last_step(model, X, change)
        assert type(changed) is type(model) or model is CLASSIFIER
        step, _ = last_step(changed, X)
        assert type(step) is LogisticRegression
        np.testing.assert_array_equal(changed.predict(X), y == 0)
        np.testing.assert_array_equal(model.predict(X), before)

    def test_the_steps_before_can_be_replaced_too(self, model):
        before, seen = model.decision_function(X), []

        def change_before(step, rows):
            seen.append(rows)
            return StandardScaler().fit(rows + 1)

        def change(step, rows):
            seen.append(rows)
            return step

        changed = replace_last_step(model, X, change, change_before=change_before)
        for rows, following in itertools.pairwise(seen):
            np.testing.assert_allclose(following, StandardScaler().fit(rows + 1).transform(rows))
        np.testing.assert_array_equal(last_step(changed, X)[1], seen[-1])
        np.testing.assert_array_equal(model.decision_function(X), before)


def test_parts_come_from_the_last_to_the_first():
    kinds = [type(part).__name__ for part in parts_from_last(NESTED)]
    assert kinds == ["Pipeline", "Pipeline", "SVC", "StandardScaler"]


def test_a_pipeline_that_ends_in_nothing():
    model = make_pipeline(StandardScaler(), "passthrough").fit(X)
    step, rows = last_step(model, X)
    assert step == "passthrough"
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("settings", [{"refit": False}, None], ids=["no refit", "not fitted"])
def test_a_search_without_a_best_estimator_is_not_looked_into(settings):
    model = GridSearchCV(SVC(), {}) if settings is None else search(SVC(), **settings)
    assert unwrapped(model) is model
    assert last_step(model, X)[0] is model


def test_seeds_are_found_wherever_they_are():
    model = make_pipeline(
        StandardScaler(),
        StackingClassifier(
            [("svc", SVC(random_state=3))], final_estimator=SGDClassifier(random_state=None)
        ),
    )
    assert random_states(model) == {
        "stackingclassifier__svc__random_state": 3,
        "stackingclassifier__final_estimator__random_state": None,
    }
    assert random_states(SVC()) == {"random_state": None}
    assert random_states(StandardScaler()) == {}
