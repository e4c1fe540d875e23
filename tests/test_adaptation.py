import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, NNPMClassifier, adapt, load, rescale, save
from sklearn_ser.exceptions import NotAdaptedWarning, SmallBatchWarning


def make(**parameters):
    """Make a classifier that trains fast."""
    settings = {
        "n_estimators": 1,
        "n_components": 8,
        "hidden_layer_sizes": (16,),
        "warmup_epochs": 4,
        "max_epochs": 3,
        "learning_rate": 1e-2,
        "random_state": 0,
    }
    return NNPMClassifier(**{**settings, **parameters})


@pytest.fixture(scope="module")
def data():
    """Two emotions in a source and in a target that is far off."""
    rng = np.random.default_rng(0)
    y = np.resize(["anger", "sadness"], 120)
    X = rng.normal(size=(120, 4)) + 2 * (y == "anger")[:, None]
    T = 10 + 3 * (rng.normal(size=(60, 4)) + 2 * (y[:60] == "anger")[:, None])
    return X, y, T, y[:60]


def scaled(data):
    X, _, T, _ = data
    scaler = CorpusScaler().fit(X)
    return scaler.transform(X), scaler.transform(T)


@pytest.fixture(scope="module")
def expected(data):
    """The probabilities of a classifier that was adapted without anything around it."""
    X, T = scaled(data)
    return make().fit(X, data[1], X_target=T).predict_proba(T)


def pipeline(data, **parameters):
    return make_pipeline(CorpusScaler(), make(**parameters)).fit(*data[:2])


def search(data, **settings):
    model = make_pipeline(CorpusScaler(), make(adaptation=None))
    return GridSearchCV(model, {"nnpmclassifier__selection": [0.6]}, cv=2, **settings).fit(
        *data[:2]
    )


class TestWhatStandsAround:
    def test_nothing(self, data, expected):
        X, T = scaled(data)
        model = make().fit(X, data[1])
        adapted = adapt(model, T)
        assert type(adapted) is NNPMClassifier
        np.testing.assert_array_equal(adapted.predict_proba(T), expected)

    def test_labels_pass_the_steps_before(self, data):
        X, y, T, t = data
        labels = np.where(np.arange(len(t)) < 6, t.astype(object), None)
        model = pipeline(data)
        adapted = adapt(model, T, labels)
        X_scaled, T_scaled = scaled(data)
        expected = make().fit(X_scaled, y, X_target=T_scaled, y_target=labels)
        np.testing.assert_array_equal(adapted.predict_proba(T), expected.predict_proba(T_scaled))
        assert model[-1].memory_.shape[1] == len(X)

    def test_labels_for_a_model_that_predicts_by_adapting(self, data):
        _, _, T, t = data
        adapted = adapt(pipeline(data, adaptation="predict"), T, y_target=t)
        assert adapted[-1].adaptation == "fit"
        np.testing.assert_array_equal(adapted.predict(T), t)

    def test_a_step_that_takes_no_labels(self, data):
        class Adapting(SVC):
            def adapt(self, X_target):
                return self

        model = Adapting().fit(*data[:2])
        with pytest.raises(TypeError, match=r"Adapting.adapt takes no y_target"):
            adapt(model, data[2], data[3])

    def test_a_pipeline(self, data, expected):
        adapted = adapt(pipeline(data), data[2])
        assert isinstance(adapted, Pipeline)
        np.testing.assert_array_equal(adapted.predict_proba(data[2]), expected)
        assert adapted.score(data[2], data[3]) > 0.9

    def test_a_pipeline_of_one_step(self, data, expected):
        X, T = scaled(data)
        model = Pipeline([("nnpm", make())]).fit(X, data[1])
        np.testing.assert_array_equal(adapt(model, T).predict_proba(T), expected)

    @pytest.mark.parametrize("idle", ["passthrough", None])
    def test_steps_that_do_nothing(self, data, expected, idle):
        X, T = scaled(data)
        model = Pipeline([("idle", idle), ("nnpm", make())]).fit(X, data[1])
        np.testing.assert_array_equal(adapt(model, T).predict_proba(T), expected)

    def test_pipelines_in_a_pipeline(self, data, expected):
        model = make_pipeline(
            make_pipeline(CorpusScaler(), "passthrough"), make_pipeline("passthrough", make())
        ).fit(*data[:2])
        np.testing.assert_array_equal(adapt(model, data[2]).predict_proba(data[2]), expected)

    def test_a_search(self, data, expected):
        model = search(data)
        adapted = adapt(model, data[2])
        assert isinstance(adapted, GridSearchCV)
        np.testing.assert_array_equal(adapted.predict_proba(data[2]), expected)
        assert adapted.best_params_ == model.best_params_

    def test_a_search_at_the_end_of_a_pipeline(self, data, expected):
        inner = RandomizedSearchCV(
            make(adaptation=None), {"selection": [0.6]}, n_iter=1, cv=2, random_state=0
        )
        model = make_pipeline(CorpusScaler(), inner).fit(*data[:2])
        np.testing.assert_array_equal(adapt(model, data[2]).predict_proba(data[2]), expected)

    def test_a_frozen_estimator(self, data, expected):
        adapted = adapt(FrozenEstimator(pipeline(data)), data[2])
        assert isinstance(adapted, FrozenEstimator)
        np.testing.assert_array_equal(adapted.predict_proba(data[2]), expected)

    def test_frozen_steps(self, data, expected):
        X, _ = scaled(data)
        scaler = FrozenEstimator(CorpusScaler().fit(data[0]))
        classifier = FrozenEstimator(make().fit(X, data[1]))
        model = make_pipeline(scaler, classifier).fit(*data[:2])
        np.testing.assert_array_equal(adapt(model, data[2]).predict_proba(data[2]), expected)

    def test_frames(self, data):
        X, y, T, y_target = data
        names = list("abcd")
        model = make_pipeline(CorpusScaler(), make()).set_output(transform="pandas")
        model.fit(pd.DataFrame(X, columns=names), y)
        frame = pd.DataFrame(T, columns=names)
        assert adapt(model, frame).score(frame, y_target) > 0.9
        with pytest.raises(ValueError, match="feature names should match"):
            adapt(model, frame[names[::-1]])


class TestTheOriginal:
    @pytest.mark.parametrize("adaptation", ["fit", "predict", None])
    @pytest.mark.parametrize(
        "wrap",
        [lambda model: model, FrozenEstimator, lambda model: Pipeline([("all", model)])],
        ids=["pipeline", "frozen", "nested"],
    )
    def test_it_stays_as_it_is(self, data, adaptation, wrap):
        model = wrap(pipeline(data, adaptation=adaptation))
        before = pickle.dumps(model)
        untouched = copy.deepcopy(model)
        adapt(model, data[2])
        assert pickle.dumps(model) == before
        if adaptation is None:
            np.testing.assert_array_equal(
                model.predict_proba(data[2]), untouched.predict_proba(data[2])
            )

    def test_a_search_stays_as_it_is(self, data):
        model = search(data)
        before = pickle.dumps(model)
        adapt(model, data[2])
        assert pickle.dumps(model) == before

    def test_steps_without_a_scaler_are_shared(self, data):
        model = make_pipeline(StandardScaler(), CorpusScaler(), make()).fit(*data[:2])
        adapted = adapt(model, data[2])
        assert adapted[0] is model[0]
        assert adapted[1] is not model[1]
        assert adapted[-1] is not model[-1]
        assert model[-1].adapted_ is False
        assert adapted[-1].adapted_ is True

    def test_it_can_be_adapted_to_several_targets(self, data, expected):
        model = pipeline(data)
        adapt(model, data[2][::-1] + 1)
        np.testing.assert_array_equal(adapt(model, data[2]).predict_proba(data[2]), expected)

    def test_one_that_is_adapted_goes_on(self, data):
        once = adapt(pipeline(data), data[2])
        twice = adapt(once, data[2])
        assert len(once[-1].history_) == 7
        assert len(twice[-1].history_) == 10


class TestWhatBecomesOfIt:
    def test_adaptation_in_predict_ends(self, data, expected):
        X, T = scaled(data)
        adapted = adapt(make(adaptation="predict").fit(X, data[1]), T)
        assert adapted.adaptation == "fit"
        np.testing.assert_array_equal(adapted.predict_proba(T), expected)
        # What is predicted is no target any more: parts of it give the same rows.
        np.testing.assert_allclose(adapted.predict_proba(T[:7]), expected[:7], rtol=1e-4, atol=1e-6)

    def test_without_adaptation_in_fit_it_is_adapted_all_the_same(self, data, expected):
        X, T = scaled(data)
        adapted = adapt(make(adaptation=None).fit(X, data[1]), T)
        assert adapted.adaptation is None
        np.testing.assert_array_equal(adapted.predict_proba(T), expected)

    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.SmallBatchWarning")
    def test_a_target_that_is_too_small(self, data):
        model = pipeline(data, adaptation="predict")
        with pytest.warns(NotAdaptedWarning, match="9 rows and min_target=20") as seen:
            adapted = adapt(model, data[2][:9])
        ours = [one for one in seen if one.category is NotAdaptedWarning]
        assert [one.filename for one in ours] == [__file__]
        # It has been said what the predictions come from.
        with warnings.catch_warnings():
            warnings.simplefilter("error", NotAdaptedWarning)
            adapted.predict(data[2][:9])

    def test_a_scaler_tells_of_small_targets_itself(self, data):
        with pytest.warns(SmallBatchWarning), pytest.warns(NotAdaptedWarning, match="5 rows"):
            adapt(pipeline(data), data[2][:5])

    def test_it_survives_pickling(self, data, expected):
        loaded = pickle.loads(pickle.dumps(adapt(pipeline(data), data[2])))
        np.testing.assert_array_equal(loaded.predict_proba(data[2]), expected)


def union():
    return make_union(CorpusScaler(), make_pipeline(StandardScaler(), CorpusScaler(), PCA(2)))


class TestOneRecording:
    """An adapted model keeps the statistics of its target."""

    @pytest.mark.parametrize(
        "make_model",
        [
            lambda nnpm: make_pipeline(CorpusScaler(), nnpm),
            lambda nnpm: make_pipeline(union(), nnpm),
            lambda nnpm: make_pipeline(union(), PCA(3), CorpusScaler(), nnpm),
            lambda nnpm: make_pipeline(make_pipeline(StandardScaler(), union()), nnpm),
            lambda nnpm: make_pipeline("passthrough", make_pipeline(CorpusScaler(), nnpm)),
            lambda nnpm: GridSearchCV(
                make_pipeline(union(), nnpm), {"nnpmclassifier__selection": [0.6]}, cv=2
            ),
            lambda nnpm: make_pipeline(StandardScaler(), nnpm),
            lambda nnpm: nnpm,
        ],
        ids=[
            "scaler",
            "union",
            "several",
            "nested",
            "behind nothing",
            "search",
            "no CorpusScaler",
            "no steps",
        ],
    )
    @pytest.mark.filterwarnings("error::sklearn_ser.exceptions.SmallBatchWarning")
    def test_each_row_by_itself_and_all_together(self, data, make_model):
        X, y, T, _ = data
        model = make_model(make(adaptation=None)).fit(X, y)
        # The last step adapted alone: the steps before it scale by the statistics of the batch.
        last = model.best_estimator_ if hasattr(model, "best_estimator_") else model
        rows = T
        while isinstance(last, Pipeline):
            rows, last = last[:-1].transform(rows) if len(last) > 1 else rows, last[-1]
        expected = copy.copy(last).adapt(rows).predict_proba(rows)
        adapted = adapt(model, T)
        np.testing.assert_array_equal(adapted.predict_proba(T), expected)
        alone = np.vstack([adapted.predict_proba(row[None]) for row in T])
        np.testing.assert_allclose(alone, expected, rtol=1e-3, atol=1e-6)
        labels = np.concatenate([adapted.predict(row[None]) for row in T])
        np.testing.assert_array_equal(labels, adapted.predict(T))

    @pytest.mark.filterwarnings("error::sklearn_ser.exceptions.SmallBatchWarning")
    @pytest.mark.parametrize("before", [CorpusScaler, union], ids=["scaler", "union"])
    def test_rows_that_it_has_not_seen(self, data, before):
        X, y, T, _ = data
        adapted = adapt(make_pipeline(before(), make()).fit(X, y), T[:30])
        assert adapted[-1].adapted_
        batch = adapted.predict_proba(T[30:])
        alone = np.vstack([adapted.predict_proba(row[None]) for row in T[30:]])
        np.testing.assert_allclose(alone, batch, rtol=1e-3, atol=1e-6)
        labels = np.concatenate([adapted.predict(row[None]) for row in T[30:]])
        np.testing.assert_array_equal(labels, adapted.predict(T[30:]))

    def test_without_statistics_rows_alone_differ(self, data):
        """What the test above would see if scalers kept nothing."""
        adapted = adapt(pipeline(data), data[2])
        forgetful = make_pipeline(CorpusScaler().fit(data[0]), adapted[-1])
        quiet = data[2][data[3] == "sadness"][:1]
        with pytest.warns(SmallBatchWarning, match="The batch has 1 row"):
            assert forgetful.predict(quiet) == "anger"
        assert adapted.predict(quiet) == "sadness"

    def test_a_frozen_scaler(self, data):
        X, y, T, _ = data
        scaler = FrozenEstimator(CorpusScaler().fit(X))
        adapted = adapt(make_pipeline(scaler, make()).fit(X, y), T)
        assert hasattr(adapted[0].estimator, "target_mean_")
        assert not hasattr(scaler.estimator, "target_mean_")

    def test_another_corpus_is_scaled_anew_when_adapted_to(self, data):
        T, other = data[2], 5 - data[2]
        model = pipeline(data)
        again = adapt(adapt(model, T), other)
        np.testing.assert_array_equal(again[0].target_mean_, adapt(model, other)[0].target_mean_)

    def test_a_reference_stays(self, data):
        reference = rescale(pipeline(data), data[2][:30])
        adapted = adapt(reference, data[2])
        np.testing.assert_array_equal(
            adapted[0].transform(data[2]), reference[0].transform(data[2])
        )
        other = rescale(adapt(pipeline(data), data[2]), data[2][:30])
        np.testing.assert_array_equal(other[0].transform(data[2]), adapted[0].transform(data[2]))

    def test_a_refit_starts_anew(self, data):
        adapted = adapt(pipeline(data), data[2])
        refitted = clone(adapted).fit(*data[:2])
        np.testing.assert_array_equal(
            refitted[0].transform(data[2]), pipeline(data)[0].transform(data[2])
        )

    def test_a_small_target_is_told_once(self, data):
        T = data[2][:5]
        with pytest.warns(SmallBatchWarning) as seen, pytest.warns(NotAdaptedWarning):
            adapted = adapt(pipeline(data, adaptation=None), T)
        assert [one.category for one in seen].count(SmallBatchWarning) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error", SmallBatchWarning)
            kept = adapted[0].transform(T)
        np.testing.assert_array_equal(kept, CorpusScaler(unseen="pooled").fit(data[0]).transform(T))

    def test_a_rejected_adaptation_keeps_the_statistics(self, data):
        T = data[2]
        model = pipeline(data, adaptation=None, min_target=100)
        with pytest.warns(NotAdaptedWarning, match="60 rows and min_target=100"):
            adapted = adapt(model, T)
        np.testing.assert_array_equal(adapted.predict_proba(T), model.predict_proba(T))
        alone = adapted.predict_proba(T[:1])
        np.testing.assert_allclose(alone, model.predict_proba(T)[:1], rtol=1e-4)

    def test_saved_and_loaded(self, data, tmp_path):
        X, y, T, _ = data
        adapted = adapt(make_pipeline(union(), make()).fit(X, y), T)
        save(adapted, tmp_path / "adapted.skops")
        loaded = load(tmp_path / "adapted.skops")
        for rows in (T, T[:1]):
            np.testing.assert_array_equal(loaded.predict_proba(rows), adapted.predict_proba(rows))


class TestErrors:
    @pytest.mark.parametrize(
        "model",
        [SVC(), make_pipeline(StandardScaler(), SVC()), FrozenEstimator(SVC())],
        ids=["alone", "pipeline", "frozen"],
    )
    def test_nothing_adapts(self, data, model):
        if not isinstance(model, FrozenEstimator):
            model.fit(*data[:2])
        else:
            model.estimator.fit(*data[:2])
        with pytest.raises(TypeError, match=r"SVC has no method adapt.*NNPMClassifier can be ada"):
            adapt(model, data[2])

    def test_a_search_over_something_that_does_not_adapt(self, data):
        model = GridSearchCV(SVC(), {"C": [1]}, cv=2).fit(*data[:2])
        with pytest.raises(TypeError, match="SVC has no method adapt"):
            adapt(model, data[2])

    def test_a_pipeline_that_ends_in_nothing(self, data):
        model = make_pipeline(make(adaptation=None), "passthrough").fit(*data[:2])
        with pytest.raises(TypeError, match="str has no method adapt"):
            adapt(model, data[2])

    def test_a_search_without_a_best_model(self, data):
        model = search(data, refit=False)
        with pytest.raises(TypeError, match=r"GridSearchCV has no .*fitted with refit=True\."):
            adapt(model, data[2])

    @pytest.mark.parametrize(
        ("model", "name"),
        [
            (make(), "NNPMClassifier"),
            (make_pipeline(StandardScaler(), make()), "Pipeline"),
            (Pipeline([("nnpm", make())]), "Pipeline"),
            (GridSearchCV(make(), {"selection": [0.6]}), "GridSearchCV"),
            (GridSearchCV(make(), {"selection": [0.6]}, refit=False), "GridSearchCV"),
            (FrozenEstimator(make()), "NNPMClassifier"),
        ],
        ids=["alone", "pipeline", "one step", "search", "search without refit", "frozen"],
    )
    def test_models_that_are_not_fitted(self, data, model, name):
        with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted yet"):
            adapt(model, data[2])

    def test_a_target_with_other_columns(self, data):
        with pytest.raises(ValueError, match="X has 3 features, but CorpusScaler is expecting 4"):
            adapt(pipeline(data), data[2][:, :3])

    def test_another_network(self, data):
        model = pipeline(data).set_params(nnpmclassifier__n_components=2)
        with pytest.raises(ValueError, match=r"continues .* n_components was 8 and is 2"):
            adapt(model, data[2])


class TestRescale:
    """Scaling by a reference: `T` is the reference, and a part of it is predicted."""

    @pytest.fixture
    def by_hand(self, data):
        """The decision function for three rows of the target, scaled by all of them."""
        X, y, T, _ = data
        inner = SVC().fit(CorpusScaler().fit_transform(X), y)
        return inner.decision_function(CorpusScaler().fit(T).transform_corpus(T[:3], 0))

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda model: model,
            FrozenEstimator,
            lambda model: GridSearchCV(model, {"svc__C": [1.0]}, cv=2),
            lambda model: Pipeline([("all", model)]),
            lambda model: make_pipeline("passthrough", *(step for _, step in model.steps)),
        ],
        ids=["pipeline", "frozen", "search", "nested", "later step"],
    )
    def test_it_finds_the_scaler(self, data, by_hand, wrap):
        X, y, T, _ = data
        model = make_pipeline(CorpusScaler(), SVC()).fit(X, y)
        model = wrap(model) if wrap is FrozenEstimator else wrap(model).fit(X, y)
        before = pickle.dumps(model)
        rescaled = rescale(model, T)
        assert type(rescaled) is type(model)
        np.testing.assert_array_equal(rescaled.decision_function(T[:3]), by_hand)
        assert pickle.dumps(model) == before

    def test_each_row_is_scaled_by_itself(self, data):
        X, y, T, _ = data
        rescaled = rescale(make_pipeline(CorpusScaler(), SVC()).fit(X, y), T)
        alone = [rescaled.decision_function(row[None])[0] for row in T[:5]]
        np.testing.assert_allclose(alone, rescaled.decision_function(T)[:5])

    def test_a_scaler_alone(self, data):
        X, _, T, _ = data
        rescaled = rescale(CorpusScaler().fit(X), T)
        np.testing.assert_array_equal(
            rescaled.transform(T[:1]), CorpusScaler().fit_transform(T)[:1]
        )

    def test_a_union_keeps_its_other_parts(self, data):
        X, y, T, _ = data
        model = make_pipeline(make_union(CorpusScaler(), StandardScaler()), SVC()).fit(X, y)
        rescaled = rescale(model, T)
        rows = np.hstack([CorpusScaler().fit(T).transform(T), StandardScaler().fit(X).transform(T)])
        np.testing.assert_array_equal(
            rescaled.decision_function(T), model[-1].decision_function(rows)
        )
        assert rescaled[0].transformer_list[1][1] is model[0].transformer_list[1][1]

    def test_every_scaler_of_a_pipeline(self, data):
        X, y, T, _ = data
        model = make_pipeline(CorpusScaler(), PCA(3), CorpusScaler(), SVC()).fit(X, y)
        rescaled = rescale(model, T)
        rows = model[1].transform(CorpusScaler().fit_transform(T))
        rows = CorpusScaler().fit_transform(rows)
        np.testing.assert_allclose(
            rescaled.decision_function(T[:1]), model[-1].decision_function(rows)[:1]
        )
        assert rescaled[1] is model[1]

    def test_a_small_reference(self, data):
        X, y, T, _ = data
        model = make_pipeline(CorpusScaler(), SVC()).fit(X, y)
        message = "The reference has 9 recordings; statistics of fewer than 10 say little"
        with pytest.warns(SmallBatchWarning, match=message) as seen:
            rescale(model, T[:9])
        assert [one.filename for one in seen] == [__file__]

    def test_a_model_without_a_scaler(self, data):
        X, y, T, _ = data
        model = make_pipeline(StandardScaler(), SVC()).fit(X, y)
        with pytest.raises(TypeError, match="Pipeline has no CorpusScaler: it treats all"):
            rescale(model, T)

    @pytest.mark.parametrize("model", [CorpusScaler(), make_pipeline(CorpusScaler(), SVC())])
    def test_a_model_that_is_not_fitted(self, data, model):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            rescale(model, data[2])


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
class TestColumnTransformer:
    @pytest.fixture
    def model(self, data):
        X, y, _, _ = data
        columns = ColumnTransformer(
            [("a", CorpusScaler(), ["a", "b"]), ("b", make_pipeline(CorpusScaler()), [2, 3])]
        )
        return make_pipeline(columns, make()).fit(pd.DataFrame(X, columns=list("abcd")), y)

    def test_scalers_keep_the_statistics(self, data, model):
        table = pd.DataFrame(data[2], columns=list("abcd"))
        expected = adapt(pipeline(data), data[2])
        # A column transformer finds columns by their names.
        for target in (table, table[list("dcba")]):
            adapted = adapt(model, target)
            np.testing.assert_array_equal(
                adapted.predict_proba(table[:1]), expected.predict_proba(data[2][:1])
            )
        assert not hasattr(model[0].transformers_[0][1], "target_mean_")

    def test_scalers_take_a_reference(self, data, model):
        X, _, T, _ = data
        rescaled = rescale(model, pd.DataFrame(T, columns=list("abcd")))
        expected = rescale(pipeline(data), T)
        np.testing.assert_array_equal(
            rescaled.predict_proba(pd.DataFrame(X[:1], columns=list("abcd"))),
            expected.predict_proba(X[:1]),
        )

    def test_a_scaler_out_of_reach(self, data):
        X, y, T, _ = data
        model = CalibratedClassifierCV(make_pipeline(CorpusScaler(), SVC()), cv=2).fit(X, y)
        with pytest.raises(TypeError, match="CorpusScaler in CalibratedClassifierCV is inside an"):
            rescale(model, T)
