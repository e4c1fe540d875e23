"""What reaches the steps: shared features, speakers, further arguments of fit, seeds."""

import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, cross_corpus_validate, transfer_matrix
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.exceptions import ExtractionWarning
from sklearn_ser.features import FunctionExtractor, RecordingTransformer

calls = []


def level(y, sr):
    calls.append(len(y))
    return np.sqrt(np.mean(y**2))


class Levels(TransformerMixin, BaseEstimator):
    """Loudness of recordings; needs no fit and takes no table."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        calls.extend(X)
        return np.array([[np.std(y)] for y in X])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags


class Louder(Levels):
    """Loudness of recordings, twice as high in training."""

    def fit_transform(self, X, y=None):
        return 2 * self.transform(X)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what fit was given, and predicts the first class."""

    seen = []  # noqa: RUF012

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, *, speaker=None, activation=None, sample_weight=None):
        Recorder.seen.append(
            {
                "speaker": speaker,
                "activation": activation,
                "sample_weight": sample_weight,
                "random_state": self.random_state,
            }
        )
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture(autouse=True)
def _fresh_records():
    Recorder.seen = []
    calls.clear()


@pytest.fixture
def table():
    """Two emotions in three corpora of 24 recordings by 6 speakers each."""
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 36)
    corpus = np.repeat(["a", "b", "c"], 24)
    return {
        "X": rng.normal(size=(72, 3)) + (y == "anger")[:, None],
        "y": y,
        "corpus": corpus,
        "speaker": np.repeat(np.arange(18), 4),
    }


@pytest.fixture
def waveforms(table):
    """Loud anger, soft sadness."""
    rng = np.random.default_rng(0)
    gain = np.where(table["y"] == "anger", 0.3, 0.1)
    return [rng.normal(size=1600) * level for level in gain]


class TestSharedFeatures:
    @pytest.mark.parametrize("validate", [cross_corpus_validate, transfer_matrix])
    def test_each_recording_is_extracted_once(self, table, waveforms, validate):
        extractor = FunctionExtractor(level, names=["level"])
        model = make_pipeline(extractor, CorpusScaler(min_batch=4), LogisticRegression())
        result = validate(model, **table | {"X": waveforms}, seeds=(0, 1))
        assert len(calls) == 72
        assert result.predictions.eval("y_true == y_pred").mean() > 0.9

    def test_by_any_transformer_that_needs_only_recordings(self, table, waveforms):
        model = make_pipeline(Levels(), GaussianNB())
        within_corpus_validate(model, **table | {"X": waveforms})
        assert len(calls) == 72

    def test_changes_nothing_else(self, table, waveforms):
        extractor = FunctionExtractor(level, names=["level"]).set_output(transform="pandas")
        X = extractor.transform(waveforms)
        rest = CorpusScaler(), StandardScaler(), SVC()
        shared = cross_corpus_validate(make_pipeline(extractor, *rest), **table | {"X": waveforms})
        by_hand = cross_corpus_validate(make_pipeline(*rest), **table | {"X": X})
        assert shared.predictions.equals(by_hand.predictions)

    def test_functions_of_tables_stay_in_the_folds(self, table):
        # Nobody knows whether a function looks at single rows: this one does not.
        centre = FunctionTransformer(lambda X: X - X.mean(axis=0))
        X = table["X"] + 50 * (table["corpus"] == "b")[:, None]
        model = make_pipeline(centre, LogisticRegression())
        result = cross_corpus_validate(model, **table | {"X": X})
        for name in "abc":
            rows = table["corpus"] == name
            expected = (
                LogisticRegression()
                .fit(X[~rows] - X[~rows].mean(axis=0), table["y"][~rows])
                .predict(X[rows] - X[rows].mean(axis=0))
            )
            assert result.predictions.loc[rows, "y_pred"].tolist() == expected.tolist()

    def test_what_treats_recordings_to_train_on_in_another_way_stays_in_the_folds(
        self, table, waveforms
    ):
        class Keeper(Recorder):
            rows: ClassVar = []

            def fit(self, X, y):
                Keeper.rows.append(X)
                return super().fit(X, y)

        cross_corpus_validate(make_pipeline(Louder(), Keeper()), **table | {"X": waveforms})
        levels = Levels().transform(waveforms)
        for rows, name in zip(Keeper.rows, "abc", strict=True):
            np.testing.assert_array_equal(rows, 2 * levels[table["corpus"] != name])

    def test_warnings_of_the_extraction_are_kept(self, table, waveforms):
        class Nearest(Recorder):
            pass

        waveforms[5] = np.zeros(0)
        extractor = FunctionExtractor(level, names=["level"], on_error="nan")
        with pytest.warns(ExtractionWarning, match="1 of 72 recordings have no features") as caught:
            result = cross_corpus_validate(
                make_pipeline(extractor, Nearest()), **table | {"X": waveforms}
            )
        assert [warning.filename for warning in caught] == [__file__]
        assert result.warned["fold"].tolist() == ["all"]
        assert result.warned["category"].tolist() == ["ExtractionWarning"]

    def test_extractors_of_this_package_say_that_they_need_no_table(self):
        assert issubclass(FunctionExtractor, RecordingTransformer)
        tags = FunctionExtractor(level, names=["level"]).__sklearn_tags__()
        assert not tags.requires_fit
        assert not tags.input_tags.two_d_array


class TestSpeaker:
    def test_of_the_training_recordings_reaches_the_steps(self, table):
        cross_corpus_validate(Recorder(), **table)
        for record, name in zip(Recorder.seen, "abc", strict=True):
            training = table["speaker"][table["corpus"] != name]
            assert record["speaker"].tolist() == training.tolist()

    def test_only_if_they_are_all_known(self, table):
        speaker = table["speaker"].astype(object)
        speaker[0] = None
        cross_corpus_validate(Recorder(), **table | {"speaker": speaker})
        given = [record["speaker"] is not None for record in Recorder.seen]
        assert given == [True, False, False]

    def test_can_be_left_out(self, table):
        table["speaker"] = None
        result = cross_corpus_validate(Recorder(), **table)
        assert [record["speaker"] for record in Recorder.seen] == [None] * 3
        assert result.predictions["speaker"].isna().all()


class TestParams:
    @pytest.mark.parametrize("container", [np.array, pd.Series, list])
    def test_of_the_training_recordings_reach_the_steps(self, table, container):
        values = np.arange(72.0)
        model = make_pipeline(StandardScaler(), Recorder())
        cross_corpus_validate(model, **table, params={"activation": container(values)})
        for record, name in zip(Recorder.seen, "abc", strict=True):
            np.testing.assert_array_equal(record["activation"], values[table["corpus"] != name])
            assert record["sample_weight"] is None

    def test_weights(self, table):
        # All anger together weighs nothing: only sadness is left to predict.
        weight = np.where(table["y"] == "sadness", 1.0, 1e-9)
        result = cross_corpus_validate(GaussianNB(), **table, params={"sample_weight": weight})
        assert set(result.predictions["y_pred"]) == {"sadness"}

    def test_reach_estimators_that_know_no_routing(self, table):
        ada = make_pipeline(CorpusScaler(), AdaBoostClassifier(n_estimators=1))
        shares = []
        for of_anger in (0.1, 1.0):
            weight = np.where(table["y"] == "sadness", 1.0, of_anger)
            result = cross_corpus_validate(ada, **table, params={"sample_weight": weight})
            shares.append((result.predictions["y_pred"] == "sadness").mean())
        assert shares[0] > shares[1] + 0.1

    def test_of_the_held_out_corpus_change_no_prediction(self, table):
        rng = np.random.default_rng(0)
        weight = rng.random(72)
        other = np.where(table["corpus"] == "b", rng.random(72), weight)
        first, second = (
            cross_corpus_validate(
                GaussianNB(), **table, targets="b", params={"sample_weight": values}
            )
            for values in (weight, other)
        )
        assert first.predictions.equals(second.predictions)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"activation": [1] * 5}, r"params\['activation'\] has 5 entries but X has 72"),
            ({"arousal": [1] * 72}, r"params has \['arousal'\], which no step"),
            ({"X_target": [1] * 72}, "params must not have 'X_target'"),
            ({"speaker": [1] * 72}, "params must not have 'speaker'"),
        ],
    )
    def test_errors(self, table, params, message):
        with pytest.raises(ValueError, match=message):
            cross_corpus_validate(Recorder(), **table, params=params)


class TestSeeds:
    def test_every_random_state_is_set(self, table):
        search = GridSearchCV(Recorder(), {}, cv=2)
        cross_corpus_validate(search, **table, seeds=(7, 8), targets="a")
        assert [record["random_state"] for record in Recorder.seen] == [7, 7, 7, 8, 8, 8]

    def test_are_left_alone_without_seeds(self, table):
        result = cross_corpus_validate(Recorder(random_state=3), **table)
        assert [record["random_state"] for record in Recorder.seen] == [3, 3, 3]
        assert result.scores["seed"].isna().all()
        assert result.scores["repeat"].tolist() == [0, 0, 0]

    def test_tables(self, table):
        model = RandomForestClassifier(n_estimators=3)
        result = cross_corpus_validate(model, **table, seeds=range(4))
        assert result.scores["corpus"].tolist() == ["a"] * 4 + ["b"] * 4 + ["c"] * 4
        assert result.scores["repeat"].tolist() == [0, 1, 2, 3] * 3
        assert result.scores["seed"].tolist() == [0, 1, 2, 3] * 3
        assert result.predictions["repeat"].tolist() == np.repeat(range(4), 72).tolist()
        assert result.predictions["sample"].tolist() == [*range(72)] * 4
        assert result.recalls.groupby("repeat").size().tolist() == [6] * 4
        of_corpora = result.scores.groupby("corpus")["uar"]
        np.testing.assert_allclose(result.summary["uar"][:3], of_corpora.mean())
        np.testing.assert_allclose(result.summary["uar_sd"][:3], of_corpora.std())
        of_repeats = result.scores.groupby("repeat")["uar"].mean()
        assert result.summary["uar"].iloc[3] == pytest.approx(of_repeats.mean())
        assert result.summary["uar_sd"].iloc[3] == pytest.approx(of_repeats.std())
        assert result.summary["n_repeats"].tolist() == [4] * 4

    def test_a_repeat_is_the_run_with_that_seed(self, table):
        model = RandomForestClassifier(n_estimators=3)
        repeated = cross_corpus_validate(model, **table, seeds=(5, 6))
        alone = cross_corpus_validate(model.set_params(random_state=6), **table)
        second = repeated.predictions.query("repeat == 1").drop(columns="repeat")
        expected = alone.predictions.drop(columns="repeat")
        assert second.reset_index(drop=True).equals(expected)
        rows = repeated.scores.query("repeat == 1")
        np.testing.assert_allclose(rows["uar_low"], alone.scores["uar_low"])

    def test_the_interval_of_equal_repeats_is_that_of_one(self, table):
        model = LogisticRegression()
        once = cross_corpus_validate(model, **table).summary
        thrice = cross_corpus_validate(model, **table, seeds=(1, 2, 3)).summary
        for column in ("uar", "uar_low", "uar_high", "macro_f1_low", "accuracy_high"):
            np.testing.assert_allclose(thrice[column], once[column])
        np.testing.assert_allclose(thrice["uar_sd"], 0, atol=1e-12)
        assert once["uar_sd"].isna().all()

    def test_the_mean_over_repeats_is_surer_than_one(self, table):
        # Guesses that have nothing to do with each other: the mean of 16 has a fourth.
        model = DummyClassifier(strategy="stratified")
        result = cross_corpus_validate(model, **table, seeds=range(16))
        widths = (result.scores["uar_high"] - result.scores["uar_low"]).mean()
        of_mean = (result.summary["uar_high"] - result.summary["uar_low"])[:3].mean()
        assert of_mean < widths / 2

    def test_leave_frozen_parts_alone(self, table):
        fitted = SVC(random_state=11).fit(table["X"], table["y"])
        model = make_pipeline(StandardScaler(), FrozenEstimator(fitted))
        cross_corpus_validate(model, **table, seeds=(1,))
        assert fitted.random_state == 11

    def test_without_anything_random(self, table):
        with pytest.warns(UserWarning, match="no parameter random_state: all repeats"):
            cross_corpus_validate(GaussianNB(), **table, seeds=(1, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            cross_corpus_validate(GaussianNB(), **table, seeds=(1,))

    @pytest.mark.parametrize(
        ("seeds", "error", "message"),
        [
            (5, TypeError, r"seeds must be a collection .* got 5.* pass range\(5\)"),
            ([], ValueError, r"one or more integers .* got \[\]"),
            ([0, -1], ValueError, r"at least 0, got \[0, -1\]"),
            ([0, 1.5], ValueError, "one or more integers"),
            ([3, 3], ValueError, "different from each other"),
        ],
    )
    def test_errors(self, table, seeds, error, message):
        with pytest.raises(error, match=message):
            cross_corpus_validate(GaussianNB(), **table, seeds=seeds)


class TestWarned:
    def test_classes_and_folds(self, table):
        table["y"] = np.where((table["corpus"] == "a") & (np.arange(72) < 4), "calm", table["y"])
        with pytest.warns(UserWarning, match=r"for a lack its classes \['calm'\]"):
            result = cross_corpus_validate(GaussianNB(), **table)
        assert result.warned.columns.tolist() == ["fold", "category", "message"]
        assert result.warned["fold"].tolist() == ["a"]
        assert result.warned["category"].tolist() == ["UserWarning"]

    def test_nothing_to_warn_of(self, table):
        assert cross_corpus_validate(GaussianNB(), **table).warned.empty


class Answers(Recorder):
    """Predicts what a function of the codes of the classes returns."""

    answer: ClassVar = staticmethod(lambda codes, classes: classes[codes])

    def predict(self, X):
        return type(self).answer(np.arange(len(X)) % 2, self.classes_)


class TestPredictions:
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (lambda codes, classes: codes, "predicted 0, but was trained on values such as 'anger"),
            (lambda codes, classes: classes[codes][:-1], r"of shape \(\d+,\) for \d+ recordings"),
            (lambda codes, classes: classes[codes][:, None], r"of shape \(\d+, 1\) for \d+ record"),
        ],
        ids=["codes", "too few", "a column"],
    )
    def test_refused(self, table, monkeypatch, answer, message):
        """They would all count as wrong, or as those of other recordings."""
        monkeypatch.setattr(Answers, "answer", staticmethod(answer))
        with pytest.raises(ValueError, match=message):
            cross_corpus_validate(Answers(), table["X"], table["y"], table["corpus"])

    def test_lists_and_series(self, table, monkeypatch):
        scores = []
        for kind in (np.asarray, list, pd.Series, pd.Categorical):
            monkeypatch.setattr(
                Answers,
                "answer",
                staticmethod(lambda codes, classes, kind=kind: kind(classes[codes])),
            )
            result = cross_corpus_validate(Answers(), table["X"], table["y"], table["corpus"])
            scores.append(result.scores["uar"].tolist())
        assert scores == scores[:1] * 4
