import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, LeaveOneCorpusOut
from sklearn_ser.exceptions import SmallBatchWarning


def rows_and_corpora(seed=0, sizes=(12, 20, 15), n_features=4):
    """Normal rows; every corpus has gains and offsets of its own."""
    rng = np.random.default_rng(seed)
    corpus = np.repeat(["emodb", "ravdess", "urdu"], sizes)
    X = rng.normal(size=(len(corpus), n_features))
    for name in np.unique(corpus):
        X[corpus == name] *= rng.uniform(0.1, 10, size=n_features)
        X[corpus == name] += rng.uniform(-50, 50, size=n_features)
    order = rng.permutation(len(corpus))
    return X[order], corpus[order]


def labelled_corpora(seed=0, n_per_class=15):
    """Two emotions apart by three deviations, in three corpora apart by much more."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.repeat(["anger", "sadness"], n_per_class), 3)
    corpus = np.repeat(["emodb", "ravdess", "urdu"], 2 * n_per_class)
    X = rng.normal(size=(len(y), 5)) + 3 * (y == "anger")[:, None]
    X += np.repeat([[0], [40], [-300]], 2 * n_per_class, axis=0)
    return X, y, corpus


class TestStatistics:
    def test_by_hand(self):
        X = np.array([[1.0, 5.0], [3.0, 5.0], [10.0, 0.0], [40.0, 6.0]])
        corpus = ["a", "a", "b", "b"]
        scaler = CorpusScaler()
        Z = scaler.fit_transform(X, sample_domain=corpus)
        np.testing.assert_array_equal(Z, [[-1, 0], [1, 0], [-1, -1], [1, 1]])
        np.testing.assert_array_equal(scaler.corpora_, ["a", "b"])
        np.testing.assert_array_equal(scaler.mean_, [[2, 5], [25, 3]])
        np.testing.assert_array_equal(scaler.scale_, [[1, 1], [15, 3]])
        np.testing.assert_array_equal(scaler.pooled_mean_, [13.5, 4.0])
        # Deviations from 13.5: 12.5, 10.5, 3.5, 26.5; from 4: 1, 1, 4, 2.
        np.testing.assert_allclose(
            scaler.pooled_scale_, np.sqrt([(12.5**2 + 10.5**2 + 3.5**2 + 26.5**2) / 4, 22 / 4])
        )
        np.testing.assert_array_equal(scaler.n_samples_seen_, [2, 2])

    def test_every_corpus_ends_with_mean_0_and_deviation_1(self):
        X, corpus = rows_and_corpora()
        Z = CorpusScaler().fit_transform(X, sample_domain=corpus)
        for name in np.unique(corpus):
            np.testing.assert_allclose(Z[corpus == name].mean(axis=0), 0, atol=1e-12)
            np.testing.assert_allclose(Z[corpus == name].std(axis=0), 1)

    def test_pooled_statistics_are_those_of_standard_scaler(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler(unseen="pooled").fit(X, sample_domain=corpus)
        reference = StandardScaler().fit(X)
        np.testing.assert_allclose(scaler.pooled_mean_, reference.mean_)
        np.testing.assert_allclose(scaler.pooled_scale_, reference.scale_)
        np.testing.assert_allclose(scaler.transform(X[:1]), reference.transform(X[:1]))

    @pytest.mark.parametrize("seed", range(5))
    def test_gain_and_offset_of_a_corpus_cancel(self, seed):
        X, corpus = rows_and_corpora(seed)
        moved = X.copy()
        moved[corpus == "urdu"] = moved[corpus == "urdu"] * 1e3 - 1e5
        Z = CorpusScaler().fit_transform(X, sample_domain=corpus)
        np.testing.assert_allclose(
            CorpusScaler().fit_transform(moved, sample_domain=corpus), Z, atol=1e-9
        )
        scaler = CorpusScaler().fit(X, sample_domain=corpus)
        batch = X[corpus == "emodb"]
        np.testing.assert_allclose(
            scaler.transform(batch * 1e3 - 1e5), scaler.transform(batch), atol=1e-9
        )

    def test_without_domains_all_rows_are_one_corpus(self):
        X, _ = rows_and_corpora()
        scaler = CorpusScaler()
        Z = scaler.fit_transform(X)
        np.testing.assert_array_equal(scaler.corpora_, [0])
        np.testing.assert_allclose(Z, StandardScaler().fit_transform(X))
        np.testing.assert_array_equal(Z, scaler.transform(X))

    @pytest.mark.parametrize("unseen", ["batch", "pooled"])
    def test_constant_features_become_zero(self, unseen):
        constant = 0.1 + 0.2
        X = np.column_stack([np.full(30, constant), np.arange(30.0)])
        scaler = CorpusScaler(unseen=unseen).fit(X, sample_domain=["a"] * 15 + ["b"] * 15)
        np.testing.assert_array_equal(scaler.transform(X)[:, 0], 0)
        np.testing.assert_array_equal(scaler.scale_[:, 0], 1)

    def test_rounding_noise_counts_as_constant(self):
        noisy = np.where(np.arange(20) % 2, 0.3, 0.1 + 0.2)[:, None]
        assert np.ptp(noisy) > 0
        np.testing.assert_allclose(CorpusScaler().fit_transform(noisy), 0, atol=1e-15)

    def test_digits_survive_a_huge_offset(self):
        small = np.array([[-1.0], [0.0], [1.0], [4.0]])
        Z = CorpusScaler().fit_transform(small + 2.0**40)
        np.testing.assert_allclose(Z, CorpusScaler().fit_transform(small), rtol=1e-12)

    @pytest.mark.parametrize("unit", [1e-200, 1e200])
    def test_squares_neither_overflow_nor_vanish(self, unit):
        Z = CorpusScaler().fit_transform(np.array([[1.0], [3.0]]) * unit)
        np.testing.assert_allclose(Z, [[-1], [1]])

    def test_float32_is_accumulated_in_float64(self):
        X = np.float32(1000) + np.random.default_rng(0).normal(size=(5000, 1)).astype(np.float32)
        scaler = CorpusScaler()
        Z = scaler.fit_transform(X)
        assert Z.dtype == np.float32
        assert scaler.mean_.dtype == np.float64
        np.testing.assert_allclose(scaler.mean_[0], X.astype(np.float64).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(scaler.scale_[0], X.astype(np.float64).std(axis=0), rtol=1e-12)

    @pytest.mark.parametrize("domain", [[7, 3] * 10, ["z", "a"] * 10])
    @pytest.mark.parametrize("container", [list, np.array, pd.Series, pd.Categorical])
    def test_kinds_of_domains(self, domain, container):
        X = np.arange(40.0).reshape(20, 2)
        scaler = CorpusScaler().fit(X, sample_domain=container(domain))
        assert scaler.corpora_.tolist() == sorted(set(domain))
        assert scaler.corpora_.dtype.kind in "iU"
        np.testing.assert_array_equal(scaler.mean_, [X[1::2].mean(axis=0), X[::2].mean(axis=0)])


class TestMissingValues:
    def test_left_out_and_kept(self):
        X = np.array([[1.0], [np.nan], [3.0], [5.0], [np.nan], [9.0]])
        Z = CorpusScaler().fit_transform(X, sample_domain=list("aaabbb"))
        np.testing.assert_array_equal(Z, [[-1], [np.nan], [1], [-1], [np.nan], [1]])

    def test_a_feature_that_one_corpus_lacks_has_the_pooled_statistics_there(self):
        X = np.array([[np.nan], [np.nan], [2.0], [4.0]])
        scaler = CorpusScaler().fit(X, sample_domain=list("aabb"))
        np.testing.assert_array_equal(scaler.mean_, [[3], [3]])
        np.testing.assert_array_equal(scaler.transform_corpus([[5.0]], "a"), [[2]])

    def test_a_feature_that_no_corpus_has_stays_unknown(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scaler = CorpusScaler(unseen="pooled").fit(np.full((4, 1), np.nan))
        assert np.isnan(scaler.pooled_mean_).all()
        assert np.isnan(scaler.transform([[1.0]])).all()

    def test_too_few_values_of_a_feature_use_the_pooled_statistics(self):
        rng = np.random.default_rng(0)
        scaler = CorpusScaler().fit(rng.normal(size=(50, 3)))
        batch = rng.normal(loc=5, size=(12, 3))
        batch[2:, 1] = np.nan
        with pytest.warns(SmallBatchWarning, match=r"1 of 3 features have fewer than min_batch=10"):
            Z = scaler.transform(batch)
        np.testing.assert_allclose(
            Z[:2, 1], (batch[:2, 1] - scaler.pooled_mean_[1]) / scaler.pooled_scale_[1]
        )
        np.testing.assert_allclose(Z[:, [0, 2]].mean(axis=0), 0, atol=1e-12)

    def test_a_batch_without_any_value_of_a_feature_is_no_reason_to_warn(self):
        rng = np.random.default_rng(0)
        scaler = CorpusScaler().fit(rng.normal(size=(50, 2)))
        batch = rng.normal(size=(12, 2))
        batch[:, 0] = np.nan
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Z = scaler.transform(batch)
        assert np.isnan(Z[:, 0]).all()
        assert np.isfinite(Z[:, 1]).all()


class TestSmallBatches:
    def test_one_recording_is_scaled_by_the_pooled_statistics(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler().fit(X, sample_domain=corpus)
        message = (
            r"has 1 row, fewer than min_batch=10; it was scaled by the pooled .* Pass more "
            r"recordings"
        )
        with pytest.warns(SmallBatchWarning, match=message):
            Z = scaler.transform(X[:1])
        np.testing.assert_allclose(Z, StandardScaler().fit(X).transform(X[:1]))
        assert np.all(Z != 0)

    def test_exactly_min_batch_rows_suffice(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler(min_batch=5).fit(X, sample_domain=corpus)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Z = scaler.transform(X[:5])
        np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
        with pytest.warns(SmallBatchWarning, match="has 4 rows, fewer than min_batch=5"):
            scaler.transform(X[:4])

    def test_pooled_never_warns(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler(unseen="pooled").fit(X, sample_domain=corpus)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scaler.transform(X[:1])

    @pytest.mark.parametrize("wrap", [lambda scaler: scaler, lambda s: make_pipeline(s, SVC())])
    def test_the_warning_points_here(self, wrap):
        X, y, _ = labelled_corpora()
        model = wrap(CorpusScaler()).fit(X, y)
        method = model.predict if hasattr(model, "predict") else model.transform
        with pytest.warns(SmallBatchWarning, match="has 1 row") as record:
            method(X[:1])
        assert [warning.filename for warning in record] == [__file__]

    def test_one_recording_through_a_fitted_pipeline(self):
        X, y, corpus = labelled_corpora()
        X -= np.where(corpus == "urdu", -300, np.where(corpus == "ravdess", 40, 0))[:, None]
        model = make_pipeline(CorpusScaler(), LogisticRegression())
        model.fit(X, y, corpusscaler__sample_domain=corpus)
        with pytest.warns(SmallBatchWarning, match="has 1 row"):
            answers = [model.predict(row[None])[0] for row in X]
        assert np.mean(answers == y) > 0.95


@pytest.mark.filterwarnings("error::sklearn_ser.exceptions.SmallBatchWarning")
class TestAdapt:
    """The statistics of one unseen corpus, kept for its later rows."""

    def target(self, seed=1):
        X, _ = rows_and_corpora(seed)
        X[3:, 2] = np.nan
        X[:2, 2] = [-1, 1]
        return X

    def test_the_corpus_itself_is_scaled_as_a_batch(self):
        X, T = rows_and_corpora()[0], self.target()
        scaler = CorpusScaler(min_batch=2).fit(X)
        batch = scaler.transform(T)
        assert scaler.adapt(T) is scaler
        np.testing.assert_array_equal(scaler.transform(T), batch)
        np.testing.assert_array_equal(np.vstack([scaler.transform(row[None]) for row in T]), batch)

    @pytest.mark.filterwarnings("default::sklearn_ser.exceptions.SmallBatchWarning")
    def test_features_with_few_values_keep_the_pooled_statistics(self):
        X, T = rows_and_corpora()[0], self.target()
        scaler = CorpusScaler().fit(X)
        with pytest.warns(SmallBatchWarning, match="1 of 4 features have fewer than min_batch=10"):
            batch = scaler.transform(T)
        with pytest.warns(SmallBatchWarning, match="1 of 4 features") as seen:
            scaler.adapt(T)
        assert [one.filename for one in seen] == [__file__]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(scaler.transform(T), batch)

    def test_the_last_call_holds(self):
        X, T = rows_and_corpora()[0], self.target()
        scaler = CorpusScaler(min_batch=2).fit(X)
        expected = scaler.transform(5 - 2 * T)
        scaler.adapt(T).adapt(5 - 2 * T)
        np.testing.assert_array_equal(scaler.transform(5 - 2 * T), expected)

    @pytest.mark.parametrize("refit", ["fit", "fit_transform"])
    def test_a_refit_drops_them(self, refit):
        X, _ = rows_and_corpora()
        scaler = CorpusScaler(min_batch=2).fit(X)
        expected = scaler.transform(X[:20])
        scaler.adapt(self.target())
        getattr(scaler, refit)(X)
        np.testing.assert_array_equal(scaler.transform(X[:20]), expected)

    def test_pooled_statistics_stay(self):
        X, T = rows_and_corpora()[0], self.target()
        scaler = CorpusScaler(unseen="pooled").fit(X)
        before = scaler.transform(T)
        np.testing.assert_array_equal(scaler.adapt(T).transform(T), before)

    def test_training_corpora_stay(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler(min_batch=2).fit(X, sample_domain=corpus)
        before = scaler.transform_corpus(X, corpus)
        np.testing.assert_array_equal(
            scaler.adapt(self.target()).transform_corpus(X, corpus), before
        )

    def test_errors(self):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            CorpusScaler().adapt(self.target())
        with pytest.raises(ValueError, match="X has 3 features, but CorpusScaler is expecting 4"):
            CorpusScaler().fit(rows_and_corpora()[0]).adapt(self.target()[:, :3])


class TestTransformCorpus:
    def test_is_what_training_did(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler()
        Z = scaler.fit_transform(X, sample_domain=corpus)
        np.testing.assert_array_equal(scaler.transform_corpus(X, corpus), Z)
        rows = corpus == "urdu"
        np.testing.assert_array_equal(scaler.transform_corpus(X[rows], "urdu"), Z[rows])

    def test_unknown_corpus(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler().fit(X, sample_domain=corpus)
        with pytest.raises(ValueError, match=r"\['cafe'\].*fitted on \['emodb', 'ravdess', 'urdu'"):
            scaler.transform_corpus(X, "cafe")
        with pytest.raises(ValueError, match=r"transform\(X\) for a corpus that was not seen"):
            scaler.transform_corpus(X[:2], ["emodb", "cafe"])
        with pytest.raises(ValueError, match="corpus has 1 entries but X has 2 samples"):
            scaler.transform_corpus(X[:2], ["emodb"])

    def test_integers_are_not_their_strings(self):
        scaler = CorpusScaler().fit(np.eye(4), sample_domain=[1, 1, 2, 2])
        with pytest.raises(ValueError, match=r"corpus names \['1'\].*fitted on \[1, 2\]"):
            scaler.transform_corpus(np.eye(4), "1")

    def test_needs_a_fit(self):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            CorpusScaler().transform_corpus([[1.0]], "emodb")


class TestBadDomains:
    @pytest.mark.parametrize("method", ["fit", "fit_transform"])
    @pytest.mark.parametrize(
        ("domain", "message"),
        [
            (["a", "b"], "sample_domain has 2 entries but X has 3 samples"),
            (["a", None, "b"], "1 missing of 3 entries, the first at position 1"),
            (["a", "b", np.nan], "1 missing of 3 entries, the first at position 2"),
            (pd.Series([pd.NA, "b", "a"]), "1 missing of 3 entries, the first at position 0"),
            ([np.nan, 1.0, 2.0], "1 missing of 3 entries"),
            (np.array(["a", np.nan, "b"]), r"holds the string 'nan' .*dtype=object"),
            (["a", b"a", "b"], "mixes entries of types bytes, str"),
            ("abc", r"one entry per sample, got str of shape \(\)"),
            ([["a"], ["b"], ["c"]], r"got list of shape \(3, 1\)\. Pass a list or a single column"),
        ],
    )
    def test_message(self, method, domain, message):
        with pytest.raises(ValueError, match=message):
            getattr(CorpusScaler(), method)(np.eye(3), sample_domain=domain)


class TestComposition:
    def test_clone(self):
        scaler = CorpusScaler(unseen="pooled", min_batch=3)
        expected = {"unseen": "pooled", "min_batch": 3, "speaker_shrinkage": None}
        assert clone(scaler).get_params() == expected

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, FrozenEstimator])
    def test_copies_scale_alike(self, duplicate):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler().fit(X, sample_domain=corpus)
        np.testing.assert_array_equal(duplicate(scaler).transform(X), scaler.transform(X))

    def test_pickle(self):
        X, corpus = rows_and_corpora()
        scaler = CorpusScaler().fit(X, sample_domain=corpus)
        again = pickle.loads(pickle.dumps(scaler))
        np.testing.assert_array_equal(again.transform(X), scaler.transform(X))
        np.testing.assert_array_equal(
            again.transform_corpus(X, corpus), scaler.transform_corpus(X, corpus)
        )

    def test_set_output_and_names(self):
        X, corpus = rows_and_corpora(n_features=2)
        X = pd.DataFrame(X, columns=["loudness", "jitter"], index=np.arange(len(X)) + 100)
        scaler = CorpusScaler().set_output(transform="pandas")
        tables = [
            scaler.fit_transform(X, sample_domain=corpus),
            scaler.transform(X),
            scaler.transform_corpus(X, corpus),
        ]
        for table in tables:
            assert table.columns.tolist() == ["loudness", "jitter"]
            assert table.index.equals(X.index)
        assert scaler.get_feature_names_out().tolist() == ["loudness", "jitter"]
        assert isinstance(clone(scaler).fit_transform(X.to_numpy()), pd.DataFrame)

    def test_lists_and_integers(self):
        np.testing.assert_array_equal(CorpusScaler().fit_transform([[1], [3]]), [[-1], [1]])

    def test_html_display(self):
        assert "CorpusScaler" in CorpusScaler()._repr_html_()


def ignores_the_shift_of_a_corpus(model, X, y, corpus, **kwargs):
    """Predict each held-out corpus before and after all rows of one have moved."""
    rows = corpus == "urdu"
    moved = np.where(rows[:, None], 7 * X - 1000, X)
    first = cross_val_predict(model, X, y, cv=LeaveOneCorpusOut(), **kwargs)
    second = cross_val_predict(model, moved, y, cv=LeaveOneCorpusOut(), **kwargs)
    return np.array_equal(first, second)


class TestRouting:
    """`sample_domain` reaches the scaler, with routing switched off and on."""

    def model(self):
        return make_pipeline(CorpusScaler(), SVC())

    def test_cross_validate_off(self):
        X, y, corpus = labelled_corpora()
        scores = cross_validate(
            self.model(),
            X,
            y,
            groups=corpus,
            cv=LeaveOneCorpusOut(),
            params={"corpusscaler__sample_domain": corpus},
            return_estimator=True,
            error_score="raise",
        )
        assert scores["test_score"].min() > 0.9
        found = [model[0].corpora_.tolist() for model in scores["estimator"]]
        assert found == [["ravdess", "urdu"], ["emodb", "urdu"], ["emodb", "ravdess"]]

    def test_cross_validate_on(self):
        X, y, corpus = labelled_corpora()
        with sklearn.config_context(enable_metadata_routing=True):
            scores = cross_validate(
                self.model(),
                X,
                y,
                cv=LeaveOneCorpusOut(),
                params={"groups": corpus, "sample_domain": corpus},
                return_estimator=True,
                error_score="raise",
            )
        assert scores["test_score"].min() > 0.9
        found = [model[0].corpora_.tolist() for model in scores["estimator"]]
        assert found == [["ravdess", "urdu"], ["emodb", "urdu"], ["emodb", "ravdess"]]

    def test_domains_matter(self):
        X, y, corpus = labelled_corpora()
        scores = cross_validate(self.model(), X, y, groups=corpus, cv=LeaveOneCorpusOut())
        assert scores["test_score"].mean() < 0.8

    @pytest.mark.parametrize("container", [list, pd.Series, pd.Categorical])
    def test_containers(self, container):
        X, y, corpus = labelled_corpora()
        corpus = container(corpus)
        scores = cross_validate(
            self.model(),
            X,
            y,
            groups=corpus,
            cv=LeaveOneCorpusOut(),
            params={"corpusscaler__sample_domain": corpus},
            error_score="raise",
        )
        assert scores["test_score"].min() > 0.9

    def test_grid_search_off(self):
        X, y, corpus = labelled_corpora()
        search = GridSearchCV(
            self.model(), {"svc__C": [0.1, 1]}, cv=LeaveOneCorpusOut(), error_score="raise"
        )
        search.fit(X, y, groups=corpus, corpusscaler__sample_domain=corpus)
        assert search.n_splits_ == 3
        assert search.best_score_ > 0.9
        assert search.best_estimator_[0].corpora_.tolist() == ["emodb", "ravdess", "urdu"]

    def test_grid_search_on(self):
        X, y, corpus = labelled_corpora()
        search = GridSearchCV(
            self.model(), {"svc__C": [0.1, 1]}, cv=LeaveOneCorpusOut(), error_score="raise"
        )
        with sklearn.config_context(enable_metadata_routing=True):
            search.fit(X, y, groups=corpus, sample_domain=corpus)
        assert search.n_splits_ == 3
        assert search.best_score_ > 0.9
        assert search.best_estimator_[0].corpora_.tolist() == ["emodb", "ravdess", "urdu"]

    def test_pipeline_union_and_nesting_on(self):
        X, y, corpus = labelled_corpora()
        model = make_pipeline(make_pipeline(make_union(CorpusScaler(), CorpusScaler())), SVC())
        with sklearn.config_context(enable_metadata_routing=True):
            model.fit(X, y, sample_domain=corpus)
            assert np.mean(model.predict(X[corpus == "urdu"]) == y[corpus == "urdu"]) > 0.9
        for _, scaler in model[0][0].transformer_list:
            assert scaler.corpora_.tolist() == ["emodb", "ravdess", "urdu"]

    def test_a_request_can_be_refused(self):
        X, y, corpus = labelled_corpora()
        with sklearn.config_context(enable_metadata_routing=True):
            scaler = CorpusScaler().set_fit_request(sample_domain=False)
            model = make_pipeline(scaler, SVC())
            with pytest.raises(TypeError, match="unexpected argument"):
                model.fit(X, y, sample_domain=corpus)

    @pytest.mark.parametrize("seed", range(3))
    def test_gain_and_offset_of_a_corpus_change_no_prediction(self, seed):
        X, y, corpus = labelled_corpora(seed)
        assert ignores_the_shift_of_a_corpus(
            self.model(),
            X,
            y,
            corpus,
            groups=corpus,
            params={"corpusscaler__sample_domain": corpus},
        )
        assert not ignores_the_shift_of_a_corpus(
            make_pipeline(StandardScaler(), SVC()), X, y, corpus, groups=corpus
        )
