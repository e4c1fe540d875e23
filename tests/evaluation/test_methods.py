"""Several methods in one pool: the results of each alone, and nothing done twice."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, cross_corpus_validate, transfer_matrix
from sklearn_ser.evaluation import validate_methods
from sklearn_ser.evaluation._folds import Job, plan_jobs, run_plans
from sklearn_ser.evaluation._inputs import Recordings
from sklearn_ser.exceptions import CorpusWarning, ExtractionWarning, SmallBatchWarning
from sklearn_ser.features import FunctionExtractor

calls = []
TABLES = ("summary", "scores", "recalls", "predictions", "warned")


def level(y, sr):
    calls.append(len(y))
    return np.sqrt(np.mean(y**2))


class Fails(ClassifierMixin, BaseEstimator):
    """Fails to train, with an error of its own."""

    def fit(self, X, y):
        raise ArithmeticError(f"no solution in {len(X)} rows")

    def predict(self, X):
        return X


class Weighted(ClassifierMixin, BaseEstimator):
    """Predicts the class of the largest weight."""

    def fit(self, X, y, *, activation):
        self.classes_ = np.unique(y)
        self.heaviest_ = y[np.argmax(activation)]
        return self

    def predict(self, X):
        return np.full(len(X), self.heaviest_)


class Slow(ClassifierMixin, BaseEstimator):
    """Notes when it is trained; its name tells the order."""

    seen = []  # noqa: RUF012

    def __init__(self, max_epochs=1):
        self.max_epochs = max_epochs

    def fit(self, X, y):
        Slow.seen.append((self.max_epochs, len(X)))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture
def table():
    """Two emotions in three corpora of 12, 24 and 36 recordings by speakers with four each."""
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 36)
    return {
        "X": rng.normal(size=(72, 3)) + (y == "anger")[:, None],
        "y": y,
        "corpus": np.repeat(["a", "b", "c"], [12, 24, 36]),
        "speaker": np.repeat(np.arange(18), 4),
    }


@pytest.fixture
def waveforms(table):
    """Loud anger, soft sadness."""
    calls.clear()
    rng = np.random.default_rng(0)
    return [rng.normal(size=1600) * level for level in np.where(table["y"] == "anger", 0.3, 0.1)]


def same(one, other, tables=TABLES):
    for name in tables:
        first, second = (
            getattr(result, name).drop(columns=["fit_time", "predict_time"], errors="ignore")
            for result in (one, other)
        )
        assert first.equals(second), name


class TestResults:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_are_those_of_each_method_alone(self, table, n_jobs):
        models = {
            "forest": RandomForestClassifier(n_estimators=3, random_state=0),
            "svm": make_pipeline(CorpusScaler(min_batch=4), SVC()),
        }
        results, transfers = validate_methods(
            models,
            **table,
            transfer="svm",
            seeds={"forest": (3, 1)},
            n_draws=50,
            n_splits=2,
            n_jobs=n_jobs,
        )
        assert [*results] == ["forest", "svm"]
        assert [*transfers] == ["svm"]
        alone = cross_corpus_validate(models["forest"], **table, seeds=(3, 1), n_draws=50)
        same(results["forest"], alone)
        assert results["forest"].scores["seed"].tolist() == [3, 1] * 3
        same(results["svm"], cross_corpus_validate(models["svm"], **table, n_draws=50))
        alone = transfer_matrix(models["svm"], **table, n_draws=50, n_splits=2)
        same(transfers["svm"], alone, ("cells", "recalls", "predictions", "warned"))

    def test_targets_and_seeds_of_all(self, table):
        models = {
            "one": DummyClassifier(strategy="stratified"),
            "other": DummyClassifier(strategy="uniform"),
        }
        results, transfers = validate_methods(models, **table, targets="b", seeds=(0, 1))
        assert transfers == {}
        for result in results.values():
            assert result.scores["corpus"].tolist() == ["b", "b"]
            assert result.scores["seed"].tolist() == [0, 1]

    def test_params_reach_the_methods_that_take_them(self, table):
        models = {"svm": SVC(), "weighted": Weighted()}
        weight = (table["y"] == "sadness") + 0.0
        results, _ = validate_methods(models, **table, params={"activation": weight})
        assert set(results["weighted"].predictions["y_pred"]) == {"sadness"}
        same(results["svm"], cross_corpus_validate(SVC(), **table))


class TestWork:
    def test_each_recording_is_extracted_once_for_all(self, table, waveforms):
        first, second = (FunctionExtractor(level, names=["level"]) for _ in range(2))
        models = {
            "logistic": make_pipeline(first, LogisticRegression()),
            "bayes": make_pipeline(second, GaussianNB()),
        }
        results, _ = validate_methods(models, **table | {"X": waveforms}, transfer="bayes")
        assert len(calls) == 72
        for name, model in models.items():
            same(results[name], cross_corpus_validate(model, **table | {"X": waveforms}))

    def test_but_not_where_extractors_differ(self, table, waveforms):
        models = {
            name: make_pipeline(FunctionExtractor(level, names=[name]), GaussianNB())
            for name in ("level", "loudness")
        }
        validate_methods(models, **table | {"X": waveforms})
        assert len(calls) == 144

    def test_long_trainings_start_first(self, table):
        Slow.seen.clear()
        validate_methods(
            {"short": Slow(1), "long": make_pipeline(CorpusScaler(min_batch=2), Slow(9))}, **table
        )
        assert Slow.seen == [(9, 60), (9, 48), (9, 36), (1, 60), (1, 48), (1, 36)]

    def test_processes_share_large_arrays(self):
        """Workers map the features: a copy in each would not fit for large collections."""
        X = np.zeros((2000, 100))
        y = np.tile(["anger", "sadness"], 1000)
        recordings = Recordings(
            X=X, y=y, corpus=np.full(2000, "a"), speaker=None, params={}, of_labels=True
        )
        rows = np.arange(2000)
        jobs = [Job(("a",), "a", 0, None, rows, rows[:2])] * 2
        plans = [plan_jobs(Mapped(), recordings, jobs, name=name) for name in "ab"]
        done = run_plans(plans, n_jobs=2, verbose=0, title="")
        kinds = {tuple(one.y_pred.tolist()) for outcomes, _ in done for one in outcomes}
        assert kinds == {("memmap", "memmap")}


class Mapped(ClassifierMixin, BaseEstimator):
    """Predicts the type of the array that the rows were taken from."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        import inspect

        frame = inspect.currentframe()
        while "recordings" not in frame.f_locals:
            frame = frame.f_back
        return np.full(len(X), type(frame.f_locals["recordings"].X).__name__)


class TestWarnings:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_each_is_shown_once_and_kept_by_each_method(self, table, n_jobs):
        models = {name: make_pipeline(CorpusScaler(min_batch=20), SVC()) for name in ("a", "b")}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            results, _ = validate_methods(models, **table, n_jobs=n_jobs)
        assert [(one.category, one.filename) for one in caught] == [(SmallBatchWarning, __file__)]
        for result in results.values():
            assert result.warned["fold"].tolist() == ["a"]

    def test_of_a_shared_extraction(self, table, waveforms):
        waveforms[5] = np.zeros(0)
        extractor = FunctionExtractor(level, names=["level"], on_error="nan")
        models = {
            name: make_pipeline(extractor, DummyClassifier(strategy=strategy))
            for name, strategy in (("a", "prior"), ("b", "uniform"))
        }
        with pytest.warns(ExtractionWarning, match="1 of 72 recordings have no features") as caught:
            results, _ = validate_methods(models, **table | {"X": waveforms})
        assert len(caught) == 1
        for result in results.values():
            assert result.warned["category"].tolist() == ["ExtractionWarning"]

    def test_of_names_are_not_repeated(self, table):
        table["corpus"] = np.where(np.arange(72) == 0, "A ", table["corpus"])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            validate_methods({"a": GaussianNB(), "b": SVC()}, **table, targets=["b"])
        assert [one.category for one in caught] == [CorpusWarning]


class TestProgress:
    def test_a_line_names_method_and_fold(self, table, capsys):
        models = {"guess": DummyClassifier(strategy="uniform"), "bayes": GaussianNB()}
        validate_methods(models, **table, targets="b", seeds={"guess": (7,)}, verbose=1)
        assert capsys.readouterr().err.splitlines() == [
            "trainings: 1/2, guess: b, seed 7",
            "trainings: 2/2, bayes: b",
        ]

    def test_of_a_single_method_is_as_usual(self, table, capsys):
        validate_methods({"bayes": GaussianNB()}, **table, targets="b", verbose=1)
        assert capsys.readouterr().err == "held-out corpora: 1/1, b\n"


class TestErrors:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_of_a_training_stay_what_they_are(self, table, n_jobs):
        with pytest.raises(ArithmeticError, match="no solution in 60 rows"):
            validate_methods({"a": SVC(), "b": Fails()}, **table, targets="a", n_jobs=n_jobs)

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_name_the_training_that_failed(self, table, n_jobs):
        models = {"first": LogisticRegression(), "second": Fails()}
        with pytest.raises(ArithmeticError, match="no solution in 48 rows") as caught:
            validate_methods(models, **table, targets="b", seeds={"first": [1]}, n_jobs=n_jobs)
        assert caught.value.__notes__ == ["The training that failed: second: b."]

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"estimators": SVC()}, TypeError, "dict of estimators .* got SVC"),
            ({"estimators": {}}, ValueError, "estimators is empty; pass at least one"),
            (
                {"estimators": {"a": SVC(), "b": DummyRegressor()}},
                ValueError,
                r"begins with a classifier, but DummyRegressor\(\) is a regressor",
            ),
            ({"estimators": {"a": SVC(), "b": 5}}, TypeError, "got 5, which has no fit"),
            ({"transfer": "svc"}, ValueError, r"transfer must name .* \['a', 'b'\], got 'svc'"),
            ({"seeds": {"c": (1,)}}, ValueError, r"seeds must name .* \['a', 'b'\], got 'c'"),
            ({"seeds": 5}, TypeError, r"seeds must be a collection .* got 5"),
            ({"n_splits": 1}, ValueError, "n_splits must be an integer of at least 2, got 1"),
            ({"corpus": ["a"] * 72}, ValueError, r"corpus names only \['a'\]"),
            ({"params": {"activation": [0.0] * 72}}, ValueError, r"params has \['activation'\]"),
        ],
    )
    def test_of_arguments(self, table, change, error, message):
        arguments = {"estimators": {"a": SVC(), "b": GaussianNB()}, **table, **change}
        with pytest.raises(error, match=message):
            validate_methods(**arguments)
