import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, LeaveOneCorpusOut, cross_corpus_validate
from sklearn_ser.exceptions import SmallBatchWarning
from sklearn_ser.metrics import unweighted_average_recall

NAMES = ["emodb", "ravdess", "urdu"]
OTHERS = {name: [other for other in NAMES if other != name] for name in NAMES}


@pytest.fixture
def speech():
    """Two emotions three deviations apart; corpora of 30, 40 and 50 rows, far apart."""
    rng = np.random.default_rng(0)
    corpus = np.repeat(NAMES, [30, 40, 50])
    y = np.tile(["anger", "sadness"], 60)
    X = rng.normal(size=(120, 4)) + 3 * (y == "anger")[:, None]
    X += np.repeat([[0], [40], [-300]], [30, 40, 50], axis=0)
    order = rng.permutation(120)
    return X[order], y[order], corpus[order]


class Recorder(ClassifierMixin, BaseEstimator):
    """Nearest class mean; keeps what it was given, and shifts by the mean of X_target."""

    seen = []  # noqa: RUF012

    def fit(self, X, y, *, X_target=None, sample_domain=None):
        Recorder.seen.append({"X": X, "X_target": X_target, "sample_domain": sample_domain})
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        if X_target is not None:
            self.means_ = self.means_ - X.mean(axis=0) + X_target.mean(axis=0)
        return self

    def predict(self, X):
        distance = np.linalg.norm(X[:, None] - self.means_, axis=2)
        return self.classes_[distance.argmin(axis=1)]


class Asking(Recorder):
    """The same, with the requests made by the class."""

    __metadata_request__fit = {"X_target": True, "sample_domain": True}  # noqa: RUF012


class TransformerOfTarget(TransformerMixin, BaseEstimator):
    """Removes the mean of X_target from every row."""

    def fit(self, X, y=None, *, X_target=None):
        self.mean_ = np.mean(X_target, axis=0)
        return self

    def transform(self, X):
        return X - self.mean_


@pytest.fixture(autouse=True)
def _fresh_records():
    Recorder.seen = []


class TestTables:
    def test_scores(self, speech):
        X, y, corpus = speech
        result = cross_corpus_validate(make_pipeline(CorpusScaler(), SVC()), X, y, corpus)
        scores = result.scores
        assert scores.columns.tolist() == [
            *["corpus", "repeat", "seed", "n_train", "n_test", "n_speakers"],
            *["uar", "uar_low", "uar_high", "accuracy", "accuracy_low", "accuracy_high"],
            *["macro_f1", "macro_f1_low", "macro_f1_high"],
            *["interval_note", "fit_time", "predict_time"],
        ]
        assert scores["corpus"].tolist() == NAMES
        assert scores["n_train"].tolist() == [90, 80, 70]
        assert scores["n_test"].tolist() == [30, 40, 50]
        assert (scores[["uar", "accuracy"]] > 0.9).all(axis=None)
        assert (scores[["fit_time", "predict_time"]] > 0).all(axis=None)

    def test_scores_by_hand(self):
        # Trained on the others, the most frequent emotion is always anger.
        y = ["anger", "anger", "anger", "sadness"] * 2
        corpus = ["a"] * 4 + ["b"] * 4
        X = np.zeros((8, 1))
        result = cross_corpus_validate(DummyClassifier(strategy="most_frequent"), X, y, corpus)
        assert result.scores["uar"].tolist() == [0.5, 0.5]
        assert result.scores["accuracy"].tolist() == [0.75, 0.75]
        # F1 of anger 2 * 3 / (3 + 4), of sadness 0.
        np.testing.assert_allclose(result.scores["macro_f1"], 3 / 7)
        assert result.recalls["label"].tolist() == ["anger", "sadness"] * 2
        assert result.recalls["recall"].tolist() == [1, 0] * 2
        assert result.recalls["n_test"].tolist() == [3, 1] * 2
        assert result.metrics == ("uar", "accuracy", "macro_f1")

    @pytest.mark.parametrize("seed", range(3))
    def test_scores_are_those_of_scikit_learn(self, seed):
        rng = np.random.default_rng(seed)
        y, corpus = rng.choice(list("abcd"), 200), np.repeat([0, 1], 100)
        # Of the held-out corpus no recording is of the class d, which is predicted all the same.
        y[(corpus == 1) & (y == "d")] = "a"
        model = DummyClassifier(strategy="stratified", random_state=seed)
        result = cross_corpus_validate(model, np.zeros((200, 1)), y, corpus, targets=1)
        truth, predicted = result.predictions["y_true"], result.predictions["y_pred"]
        assert set(predicted) == set("abcd")
        options = {"labels": ["a", "b", "c"], "average": None, "zero_division": 0}
        [row] = result.scores.to_dict("records")
        assert row["uar"] == pytest.approx(unweighted_average_recall(truth, predicted))
        assert row["accuracy"] == pytest.approx(np.mean(truth == predicted))
        f1 = f1_score(truth, predicted, **options | {"average": "macro"})
        assert row["macro_f1"] == pytest.approx(f1)
        assert result.recalls["label"].tolist() == ["a", "b", "c"]
        recalls = recall_score(truth, predicted, **options)
        np.testing.assert_allclose(result.recalls["recall"], recalls)

    def test_predictions_stand_in_the_order_of_the_input(self, speech):
        X, y, corpus = speech
        speaker = [f"{name}-{number % 4}" for number, name in enumerate(corpus)]
        model = make_pipeline(CorpusScaler(), SVC())
        table = cross_corpus_validate(model, X, y, corpus, speaker=speaker).predictions
        assert table.columns.tolist() == [
            *["sample", "corpus", "speaker", "repeat", "y_true", "y_pred"]
        ]
        assert table["sample"].tolist() == list(range(120))
        assert table["corpus"].tolist() == corpus.tolist()
        assert table["speaker"].tolist() == speaker
        assert table["y_true"].tolist() == y.tolist()
        assert np.mean(table["y_true"] == table["y_pred"]) > 0.9

    def test_predictions_are_those_of_a_loop_by_hand(self, speech):
        X, y, corpus = speech
        model = make_pipeline(CorpusScaler(), SVC())
        table = cross_corpus_validate(model, X, y, corpus).predictions
        for name in NAMES:
            rows = corpus == name
            model.fit(X[~rows], y[~rows], corpusscaler__sample_domain=corpus[~rows])
            assert table.loc[rows, "y_pred"].tolist() == model.predict(X[rows]).tolist()

    def test_targets(self, speech):
        X, y, corpus = speech
        result = cross_corpus_validate(SVC(), X, y, corpus, targets="urdu")
        assert result.scores["corpus"].tolist() == ["urdu"]
        assert result.scores["n_train"].tolist() == [70]
        assert result.predictions["sample"].tolist() == np.flatnonzero(corpus == "urdu").tolist()

    def test_numbers_as_labels_and_corpora(self, speech):
        X, y, corpus = speech
        numbers = (y == "anger").astype(int)
        result = cross_corpus_validate(
            make_pipeline(CorpusScaler(), SVC()),
            X,
            numbers,
            np.unique(corpus, return_inverse=True)[1],
        )
        assert result.scores["corpus"].tolist() == [0, 1, 2]
        assert result.predictions["y_pred"].dtype.kind == "i"

    def test_printed_with_a_row_of_means(self, speech):
        result = cross_corpus_validate(DummyClassifier(), *speech)
        lines = str(result).splitlines()
        assert lines[0].split()[:6] == ["corpus", "train", "test", "speakers", "UAR", "accuracy"]
        assert lines[1].split()[:5] == ["emodb", "90", "30", "?", "0.500"]
        assert lines[4].split()[:2] == ["mean", "0.500"]
        assert lines[-1] == "emodb, ravdess, urdu: speakers unknown."
        assert len(lines) == 7
        assert "<td>mean</td>" in result._repr_html_()

    def test_printed_with_intervals_and_spread(self, speech):
        X, y, corpus = speech
        speaker = np.arange(120) % 8
        speaker[corpus == "urdu"] %= 4
        model = DummyClassifier(strategy="stratified")
        result = cross_corpus_validate(model, X, y, corpus, speaker=speaker, seeds=range(3))
        lines = str(result).splitlines()
        assert "± UAR" in lines[0]
        assert "95% interval" in lines[0]
        row = result.summary.iloc[0]
        assert lines[1].split()[4:6] == [f"{row.uar:.3f}", f"{row.uar_sd:.3f}"]
        assert f"{row.uar_low:.2f} to {row.uar_high:.2f}" in lines[1]
        assert lines[-2:] == [
            "± is the standard deviation over 3 seeds.",
            "urdu: 4 speakers, fewer than 5.",
        ]
        assert "urdu: 4 speakers" in result._repr_html_()

    def test_names_are_escaped_in_html(self):
        corpus = ["<b>bold</b>"] * 2 + ["plain"] * 2
        result = cross_corpus_validate(DummyClassifier(), np.zeros((4, 1)), list("abab"), corpus)
        assert "<b>" not in result._repr_html_()

    def test_result_cannot_be_reassigned(self, speech):
        result = cross_corpus_validate(DummyClassifier(), *speech)
        with pytest.raises(dataclasses.FrozenInstanceError, match="scores"):
            result.scores = None


class TestSampleDomain:
    """The training corpora reach every step that takes them, and no other."""

    @pytest.mark.parametrize(
        "build",
        [
            lambda scaler: make_pipeline(scaler, SVC()),
            lambda scaler: make_pipeline(StandardScaler(), SelectKBest(k=2), scaler, SVC()),
            lambda scaler: make_pipeline(make_pipeline(scaler), SVC()),
            lambda scaler: make_pipeline(make_union(scaler, scaler), SVC()),
            lambda scaler: make_pipeline(make_column_transformer((scaler, [0, 1])), SVC()),
            lambda scaler: GridSearchCV(make_pipeline(scaler, SVC()), {"svc__C": [1]}, cv=2),
            lambda scaler: make_pipeline(scaler, GridSearchCV(SVC(), {"C": [0.1, 1]}, cv=2)),
            lambda scaler: VotingClassifier([("svm", make_pipeline(scaler, SVC()))]),
            lambda scaler: BaggingClassifier(make_pipeline(scaler, SVC()), n_estimators=2),
        ],
        ids=["plain", "later", "nested", "union", "columns", "search", "inside", "vote", "bag"],
    )
    def test_wherever_the_scaler_stands(self, speech, build):
        result = cross_corpus_validate(build(CorpusScaler()), *speech)
        assert result.scores["uar"].min() > 0.8

    def test_without_a_scaler_the_shift_wins(self, speech):
        assert cross_corpus_validate(SVC(), *speech).scores["uar"].mean() < 0.7

    @pytest.mark.parametrize("estimator", [Recorder(), Asking()])
    def test_holds_the_training_corpora(self, speech, estimator):
        X, y, corpus = speech
        cross_corpus_validate(estimator, X, y, corpus)
        for record, name in zip(Recorder.seen, NAMES, strict=True):
            assert record["sample_domain"].tolist() == corpus[corpus != name].tolist()
            np.testing.assert_array_equal(record["X"], X[corpus != name])

    def test_can_be_refused(self, speech):
        with sklearn.config_context(enable_metadata_routing=True):
            estimator = Recorder().set_fit_request(sample_domain=False, X_target=True)
        cross_corpus_validate(estimator, *speech)
        assert [record["sample_domain"] for record in Recorder.seen] == [None] * 3
        assert all(record["X_target"] is not None for record in Recorder.seen)

    @pytest.mark.parametrize("cv", [LeaveOneCorpusOut(), GroupKFold(2)])
    def test_inner_splitters_get_the_corpora_as_groups(self, speech, cv):
        X, y, corpus = speech
        search = GridSearchCV(
            make_pipeline(CorpusScaler(), Recorder()), {"corpusscaler__min_batch": [10]}, cv=cv
        )
        result = cross_corpus_validate(search, X, y, corpus)
        assert result.scores["uar"].min() > 0.9
        inner, last = Recorder.seen[:2], Recorder.seen[2]
        assert sorted(set(record["sample_domain"]).pop() for record in inner) == OTHERS["emodb"]
        assert sorted(set(last["sample_domain"])) == OTHERS["emodb"]

    def test_leaves_the_estimator_and_the_configuration_alone(self, speech):
        model = make_pipeline(CorpusScaler(), Recorder())
        cross_corpus_validate(model, *speech)
        assert model.transform_input is None
        assert not hasattr(model[0], "corpora_")
        assert not sklearn.get_config()["enable_metadata_routing"]
        with sklearn.config_context(enable_metadata_routing=True):
            assert model[1].get_metadata_routing().fit.requests["X_target"] is None

    def test_leaves_frozen_parts_alone(self, speech):
        X, y, corpus = speech
        inner = Recorder().fit(X, y)
        cross_corpus_validate(make_pipeline(CorpusScaler(), FrozenEstimator(inner)), X, y, corpus)
        with sklearn.config_context(enable_metadata_routing=True):
            assert inner.get_metadata_routing().fit.requests["sample_domain"] is None

    @pytest.mark.parametrize("seed", range(3))
    def test_gain_and_offset_of_a_corpus_change_no_prediction(self, speech, seed):
        X, y, corpus = speech
        rng = np.random.default_rng(seed)
        moved = np.where((corpus == "urdu")[:, None], X * rng.uniform(0.1, 9, 4) - 500, X)
        model = make_pipeline(CorpusScaler(), SVC())
        first, second = (cross_corpus_validate(model, rows, y, corpus) for rows in (X, moved))
        assert first.predictions.equals(second.predictions)


class TestTarget:
    """The held-out recordings reach the steps that take `X_target`; their labels nothing."""

    def test_is_scaled_by_the_steps_before(self, speech):
        X, y, corpus = speech
        cross_corpus_validate(make_pipeline(CorpusScaler(), Recorder()), X, y, corpus)
        for record, name in zip(Recorder.seen, NAMES, strict=True):
            held_out = X[corpus == name]
            expected = (held_out - held_out.mean(axis=0)) / held_out.std(axis=0)
            np.testing.assert_allclose(record["X_target"], expected, atol=1e-9)

    @pytest.mark.parametrize(
        "build",
        [
            lambda: make_pipeline(StandardScaler(), CorpusScaler(), Recorder()),
            lambda: make_pipeline(StandardScaler(), make_pipeline(CorpusScaler(), Recorder())),
            lambda: make_pipeline(make_pipeline(StandardScaler(), CorpusScaler()), Recorder()),
            lambda: Pipeline(
                [("a", StandardScaler()), ("b", CorpusScaler()), ("c", Recorder())],
                transform_input=["X_target"],
            ),
            lambda: Pipeline(
                [("a", StandardScaler()), ("b", CorpusScaler()), ("c", Recorder())],
                transform_input=["X_valid"],
            ),
        ],
    )
    def test_through_several_steps_and_pipelines(self, speech, build):
        X, y, corpus = speech
        cross_corpus_validate(build(), X, y, corpus)
        for record, name in zip(Recorder.seen, NAMES, strict=True):
            assert record["X_target"].shape == X[corpus == name].shape
            np.testing.assert_allclose(record["X_target"].mean(axis=0), 0, atol=1e-9)
            np.testing.assert_allclose(record["X_target"].std(axis=0), 1)

    def test_of_as_many_rows_as_the_training_set_stays_whole(self):
        rng = np.random.default_rng(0)
        X, y, corpus = rng.normal(size=(60, 2)), ["a", "b"] * 30, [0] * 30 + [1] * 30
        cross_corpus_validate(make_pipeline(CorpusScaler(), Recorder()), X, y, corpus)
        assert [record["X_target"].shape for record in Recorder.seen] == [(30, 2)] * 2

    def test_reaches_transformers(self, speech):
        X, y, corpus = speech
        model = make_pipeline(StandardScaler(), TransformerOfTarget(), Recorder())
        cross_corpus_validate(model, X, y, corpus)
        for record in Recorder.seen:
            np.testing.assert_allclose(record["X_target"].mean(axis=0), 0, atol=1e-9)

    def test_through_a_search(self, speech):
        X, y, corpus = speech
        search = GridSearchCV(make_pipeline(CorpusScaler(), Recorder()), {}, cv=2)
        cross_corpus_validate(search, X, y, corpus, targets="urdu")
        assert len(Recorder.seen) == 3
        for record in Recorder.seen:
            assert record["X_target"].shape == (50, 4)
            np.testing.assert_allclose(record["X_target"].mean(axis=0), 0, atol=1e-9)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize(
        "model", [make_pipeline(CorpusScaler(), Recorder()), make_pipeline(CorpusScaler(), SVC())]
    )
    def test_labels_of_the_held_out_corpus_change_no_prediction(self, speech, model, seed):
        X, y, corpus = speech
        rng = np.random.default_rng(seed)
        for name in NAMES:
            rows = corpus == name
            permuted = y.copy()
            permuted[rows] = rng.permutation(y[rows])
            assert (permuted != y).any()
            first, second = (
                cross_corpus_validate(model, X, labels, corpus, targets=name)
                for labels in (y, permuted)
            )
            assert first.predictions["y_pred"].equals(second.predictions["y_pred"])
            assert first.scores["uar"][0] != second.scores["uar"][0]


class TestInputs:
    def test_frames_paths_lists_and_sparse(self, speech):
        X, y, corpus = speech
        reference = cross_corpus_validate(make_pipeline(CorpusScaler(), SVC()), X, y, corpus)
        frame = pd.DataFrame(X, index=np.arange(120)[::-1], columns=list("abcd"))
        rows_of = {f"{number}.wav": row for number, row in enumerate(X)}
        lookup = FunctionTransformer(lambda paths: np.array([rows_of[path] for path in paths]))
        paths = list(rows_of)
        for model, kind in [
            (make_pipeline(CorpusScaler(), SVC()), frame),
            (make_pipeline(CorpusScaler(), SVC()), X.tolist()),
            (make_pipeline(lookup, CorpusScaler(), SVC()), paths),
            (make_pipeline(lookup, CorpusScaler(), SVC()), pd.Series(paths, index=range(5, 125))),
        ]:
            result = cross_corpus_validate(model, kind, y, corpus)
            assert result.predictions.equals(reference.predictions)
        dense = FunctionTransformer(lambda X: X.toarray(), accept_sparse=True)
        result = cross_corpus_validate(
            make_pipeline(dense, CorpusScaler(), SVC()), sparse.csr_array(X), y, corpus
        )
        assert result.predictions.equals(reference.predictions)

    def test_tables_of_pandas(self, speech):
        X, y, corpus = speech
        table = pd.DataFrame({"y": y, "corpus": corpus}, index=range(500, 620))
        first = cross_corpus_validate(SVC(), X, table["y"], table["corpus"])
        second = cross_corpus_validate(
            SVC(), X, table["y"].astype("category"), table["corpus"].astype("category")
        )
        assert first.predictions.equals(second.predictions)
        assert first.predictions.equals(cross_corpus_validate(SVC(), X, y, corpus).predictions)

    def test_processes(self, speech):
        model = make_pipeline(CorpusScaler(), SVC())
        alone = cross_corpus_validate(model, *speech)
        together = cross_corpus_validate(model, *speech, n_jobs=2)
        assert alone.predictions.equals(together.predictions)

    def test_progress_is_shown_when_asked_for(self, speech, capsys, monkeypatch):
        cross_corpus_validate(DummyClassifier(), *speech)
        assert capsys.readouterr() == ("", "")
        names = cross_corpus_validate(DummyClassifier(), *speech, verbose=1).scores["corpus"]
        # The captured output is not a terminal, hence a line for each fold.
        lines = [f"held-out corpora: {i}/{len(names)}, {name}\n" for i, name in enumerate(names, 1)]
        assert capsys.readouterr() == ("", "".join(lines))
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        cross_corpus_validate(DummyClassifier(), *speech, verbose=1)
        assert "held-out corpora: 100%" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "classifier",
        [
            StackingClassifier([("dummy", DummyClassifier())]),
            AdaBoostClassifier(n_estimators=2),
            make_pipeline(CorpusScaler(), AdaBoostClassifier(n_estimators=2)),
        ],
    )
    def test_classifiers_without_predict_before_fit_or_metadata_routing(self, classifier, speech):
        assert len(cross_corpus_validate(classifier, *speech).scores) >= 2

    def test_a_step_without_routing_leaves_the_scaler_its_corpora(self, speech):
        ada = AdaBoostClassifier(n_estimators=5, random_state=0)
        X, y, corpus = speech
        shifted = np.asarray(X) + 100 * (np.asarray(corpus) == np.unique(corpus)[0])[:, None]
        plain = cross_corpus_validate(make_pipeline(CorpusScaler(), ada), X, y, corpus)
        moved = cross_corpus_validate(make_pipeline(CorpusScaler(), ada), shifted, y, corpus)
        np.testing.assert_array_equal(plain.predictions["y_pred"], moved.predictions["y_pred"])

    def test_one_class_to_learn(self):
        y = ["anger", "anger", "anger", "sadness"]
        with pytest.raises(ValueError, match=r"train on for b are of one class, 'anger'"):
            cross_corpus_validate(DummyClassifier(), np.zeros((4, 1)), y, list("aabb"))

    def test_a_class_that_the_held_out_corpus_lacks_is_not_in_its_mean(self):
        # Means of the training rows at 0, 10 and 20; of corpus "b" one row is taken for calm.
        X = np.array([[0], [1], [10], [11], [20], [21], [0], [1], [11], [20]], dtype=float)
        y = [
            "anger",
            "anger",
            "sadness",
            "sadness",
            "calm",
            "calm",
            "anger",
            "anger",
            *["sadness"] * 2,
        ]
        corpus = ["a"] * 6 + ["b"] * 4
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scores = cross_corpus_validate(GaussianNB(), X, y, corpus, targets="b").scores
        assert scores["uar"].tolist() == [0.75]

    def test_a_class_that_only_the_held_out_corpus_has_counts_with_recall_0(self):
        X = np.array([[0], [1], [10], [11], [0], [11], [20], [21]], dtype=float)
        y = ["anger", "anger", "sadness", "sadness", "anger", "sadness", "calm", "calm"]
        corpus = ["a"] * 4 + ["b"] * 4
        with pytest.warns(
            UserWarning, match=r"train on for b lack its classes \['calm'\]"
        ) as record:
            result = cross_corpus_validate(GaussianNB(), X, y, corpus, targets="b")
        assert [warning.filename for warning in record] == [__file__]
        assert result.scores["uar"].tolist() == [pytest.approx(2 / 3)]
        assert result.predictions["y_pred"].tolist() == ["anger", *["sadness"] * 3]

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_a_small_held_out_corpus_warns(self, speech, n_jobs):
        X, y, corpus = speech
        few = np.flatnonzero((corpus != "urdu") | (np.cumsum(corpus == "urdu") <= 4))
        model = make_pipeline(CorpusScaler(), SVC())
        with pytest.warns(SmallBatchWarning, match="has 4 rows") as caught:
            cross_corpus_validate(
                model, X[few], y[few], corpus[few], targets=["urdu", "emodb"], n_jobs=n_jobs
            )
        assert [warning.filename for warning in caught] == [__file__]


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"y": ["anger"] * 5}, "y has 5 entries but X has 6 samples"),
            ({"corpus": ["a"] * 7}, "corpus has 7 entries but X has 6 samples"),
            ({"speaker": ["s"] * 5}, r"one entry for each of the 6 samples in X, .* \(5,\)"),
            ({"corpus": ["a"] * 6}, r"corpus names only \['a'\].* needs at least two"),
            ({"corpus": ["a", None] * 3}, "corpus has 3 missing of 6 entries, the first at posi"),
            ({"y": ["x", "y", None] * 2}, "y has 2 missing of 6 .* position 2; every sample needs"),
            ({"y": [0, 1, np.nan] * 2}, "y has 2 missing of 6 entries"),
            ({"y": np.array(["x", np.nan] * 3)}, "y holds the string 'nan' .*dtype=object"),
            ({"y": np.arange(6) / 7}, "one emotion label per sample, got continuous values"),
            ({"y": np.eye(6)}, r"y must be one-dimensional .* shape \(6, 6\)"),
            ({"targets": ["c"]}, r"\['c'\]; known are \['a', 'b'\]"),
        ],
    )
    def test_values(self, change, message):
        arguments = {"X": np.zeros((6, 2)), "y": ["x", "y"] * 3, "corpus": ["a"] * 3 + ["b"] * 3}
        with pytest.raises(ValueError, match=message):
            cross_corpus_validate(DummyClassifier(), **{**arguments, **change})

    @pytest.mark.parametrize("model", [CorpusScaler(), "svm", make_pipeline(StandardScaler())])
    def test_no_classifier(self, model):
        with pytest.raises(TypeError, match="must be a classifier, a regressor or a pipe"):
            cross_corpus_validate(model, [[0], [1]], [0, 1], ["a", "b"])
