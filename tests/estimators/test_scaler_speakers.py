"""Scaling by speaker, shrunk towards the corpus."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from sklearn_ser import CorpusScaler, rescale
from sklearn_ser.exceptions import ScalingWarning, SmallBatchWarning

pytestmark = pytest.mark.filterwarnings("error::sklearn_ser.exceptions.ScalingWarning")


def recordings(seed=0):
    """Two corpora of 60 rows; unequal numbers of rows of five speakers, equally named in both."""
    rng = np.random.default_rng(seed)
    corpus = np.repeat(["a", "b"], 60)
    speaker = np.tile(np.repeat([f"s{number}" for number in range(5)], [1, 4, 10, 15, 30]), 2)
    X = rng.normal(size=(120, 3)) * rng.uniform(0.5, 2, size=3)
    voices = {one: rng.normal(size=3) for one in sorted(set(zip(corpus, speaker, strict=True)))}
    X += [voices[one] for one in zip(corpus, speaker, strict=True)]
    X[corpus == "b"] = 100 - 7 * X[corpus == "b"]
    order = rng.permutation(120)
    return X[order], corpus[order], speaker[order]


def expected(own, whole, n_prior):
    """Standardise `own` by a weighted sample: each own row once, the corpus `n_prior` times."""
    sample = np.vstack([own, whole])
    weights = np.repeat([1, n_prior / len(whole)], [len(own), len(whole)])
    mean = np.average(sample, axis=0, weights=weights)
    return (own - mean) / np.sqrt(np.average((sample - mean) ** 2, axis=0, weights=weights))


def assert_scaled_by_speaker(Z, X, corpus, speaker, n_prior):
    for name in np.unique(corpus):
        for one in np.unique(speaker):
            rows = (corpus == name) & (speaker == one)
            np.testing.assert_allclose(Z[rows], expected(X[rows], X[corpus == name], n_prior))


class TestTraining:
    @pytest.mark.parametrize("n_prior", [0.5, 10, 300])
    def test_a_speaker_is_a_mixture_of_own_rows_and_the_corpus(self, n_prior):
        X, corpus, speaker = recordings()
        scaler = CorpusScaler(speaker_shrinkage=n_prior)
        Z = scaler.fit_transform(X, sample_domain=corpus, speaker=speaker)
        assert_scaled_by_speaker(Z, X, corpus, speaker, n_prior)
        assert scaler.n_speakers_ == 10

    def test_by_hand(self):
        X = np.array([[1.0], [3.0], [6.0], [10.0]])
        Z = CorpusScaler(speaker_shrinkage=2).fit_transform(X, speaker=["u", "u", "v", "v"])
        # Corpus: mean 5, variance 11.5. Means 2 and 8, variances 1 and 4, half of each:
        # means 3.5 and 6.5, variances (1 + 11.5) / 2 + 9 / 4 and (4 + 11.5) / 2 + 9 / 4.
        by = np.sqrt([8.5, 8.5, 10, 10])
        np.testing.assert_allclose(Z.ravel(), np.array([-2.5, -0.5, -0.5, 3.5]) / by)

    def test_without_shrinkage_each_speaker_is_standardised(self):
        X, corpus, speaker = recordings()
        Z = CorpusScaler(speaker_shrinkage=0).fit_transform(
            X, sample_domain=corpus, speaker=speaker
        )
        for name in "ab":
            for one in ("s1", "s2", "s3", "s4"):
                rows = (corpus == name) & (speaker == one)
                np.testing.assert_allclose(Z[rows].mean(axis=0), 0, atol=1e-12)
                np.testing.assert_allclose(Z[rows].std(axis=0), 1)
        np.testing.assert_array_equal(Z[speaker == "s0"], 0)

    def test_with_infinite_shrinkage_each_corpus_is(self):
        X, corpus, speaker = recordings()
        Z = CorpusScaler(speaker_shrinkage=1e12).fit_transform(
            X, sample_domain=corpus, speaker=speaker
        )
        by_corpus = CorpusScaler().fit_transform(X, sample_domain=corpus)
        np.testing.assert_allclose(Z, by_corpus, atol=1e-8)

    def test_one_recording_does_not_become_zero(self):
        X, corpus, speaker = recordings()
        Z = CorpusScaler(speaker_shrinkage=10).fit_transform(
            X, sample_domain=corpus, speaker=speaker
        )
        by_corpus = CorpusScaler().fit_transform(X, sample_domain=corpus)
        alone = speaker == "s0"
        # Ten parts of eleven of the distance; both parts of the variance are below 1.
        scale = np.sqrt(10 / 11 + 10 / 121 * by_corpus[alone] ** 2)
        np.testing.assert_allclose(Z[alone], 10 / 11 * by_corpus[alone] / scale)

    @pytest.mark.parametrize("gap", [None, np.nan, pd.NA, " "])
    def test_unknown_speakers_are_scaled_by_their_corpus(self, gap):
        X, corpus, speaker = recordings()
        unknown = np.isin(speaker, ["s1", "s4"])
        gaps = speaker.astype(object)
        gaps[unknown] = gap
        scaler = CorpusScaler(speaker_shrinkage=10)
        Z = scaler.fit_transform(X, sample_domain=corpus, speaker=gaps)
        by_corpus = CorpusScaler().fit_transform(X, sample_domain=corpus)
        all_known = clone(scaler).fit_transform(X, sample_domain=corpus, speaker=speaker)
        np.testing.assert_array_equal(Z[unknown], by_corpus[unknown])
        np.testing.assert_array_equal(Z[~unknown], all_known[~unknown])
        assert scaler.n_speakers_ == 6

    def test_missing_values_count_by_feature(self):
        X, corpus, speaker = recordings()
        X[(speaker == "s1"), 1] = np.nan
        X[np.flatnonzero(speaker == "s2")[:6], 2] = np.nan
        Z = CorpusScaler(speaker_shrinkage=10).fit_transform(
            X, sample_domain=corpus, speaker=speaker
        )
        assert np.array_equal(np.isnan(Z), np.isnan(X))
        for name in "ab":
            rows, whole = (corpus == name) & (speaker == "s2"), corpus == name
            present = rows & ~np.isnan(X[:, 2])
            others = whole & ~np.isnan(X[:, 2])
            np.testing.assert_allclose(
                Z[present, 2:], expected(X[present, 2:], X[others, 2:], n_prior=10)
            )

    @pytest.mark.parametrize("shrinkage", [0, 10])
    @pytest.mark.parametrize("unit", [1e-200, 1e200])
    def test_squares_neither_overflow_nor_vanish(self, unit, shrinkage):
        X, corpus, speaker = recordings()
        scaler = CorpusScaler(speaker_shrinkage=shrinkage)
        with np.errstate(all="raise", under="ignore"):
            Z = scaler.fit_transform(X * unit, sample_domain=corpus, speaker=speaker)
        plain = scaler.fit_transform(X, sample_domain=corpus, speaker=speaker)
        np.testing.assert_allclose(Z, plain, atol=1e-12)

    @pytest.mark.parametrize("shrinkage", [0, 10])
    def test_constant_features_become_zero(self, shrinkage):
        X, corpus, speaker = recordings()
        X[:, 0] = 0.1 + 0.2
        Z = CorpusScaler(speaker_shrinkage=shrinkage).fit_transform(
            X, sample_domain=corpus, speaker=speaker
        )
        np.testing.assert_array_equal(Z[:, 0], 0)

    def test_float32_stays(self):
        X, corpus, speaker = recordings()
        scaler = CorpusScaler(speaker_shrinkage=10)
        Z = scaler.fit_transform(X.astype(np.float32), sample_domain=corpus, speaker=speaker)
        assert Z.dtype == np.float32
        exact = scaler.fit_transform(X, sample_domain=corpus, speaker=speaker)
        np.testing.assert_allclose(Z, exact, atol=1e-4)

    def test_without_the_option_speakers_change_nothing(self):
        X, corpus, speaker = recordings()
        scaler = CorpusScaler()
        Z = scaler.fit_transform(X, sample_domain=corpus, speaker=speaker[:3])
        np.testing.assert_array_equal(Z, CorpusScaler().fit_transform(X, sample_domain=corpus))
        np.testing.assert_array_equal(
            scaler.transform(X[:20], speaker_target="any"), scaler.transform(X[:20])
        )
        assert not hasattr(scaler, "n_speakers_")


def fitted(**parameters):
    X, corpus, speaker = recordings()
    scaler = CorpusScaler(speaker_shrinkage=10, **parameters)
    return scaler.fit(X, sample_domain=corpus, speaker=speaker)


def unseen():
    """One corpus that was not in the training."""
    X, corpus, speaker = recordings(seed=1)
    return X[corpus == "a"] * 3 - 40, speaker[corpus == "a"]


class TestUnseenCorpus:
    def test_speakers_are_scaled_as_in_training(self):
        X, speaker = unseen()
        Z = fitted().transform(X, speaker_target=speaker)
        assert_scaled_by_speaker(Z, X, np.full(len(X), "new"), speaker, 10)

    def test_pooled_statistics_in_the_place_of_the_corpus(self):
        X, speaker = unseen()
        scaler = fitted(unseen="pooled")
        Z = scaler.transform(X, speaker_target=speaker)
        training = recordings()[0]
        for one in np.unique(speaker):
            rows = speaker == one
            np.testing.assert_allclose(Z[rows], expected(X[rows], training, 10))

    def test_unknown_speakers(self):
        X, speaker = unseen()
        scaler = fitted()
        with pytest.warns(ScalingWarning, match="rows by speaker, but these rows by corpus"):
            by_corpus = scaler.transform(X)
        np.testing.assert_array_equal(scaler.transform(X, speaker_target=[None] * 60), by_corpus)
        some = np.where(speaker == "s4", None, speaker)
        Z = scaler.transform(X, speaker_target=some)
        np.testing.assert_array_equal(Z[speaker == "s4"], by_corpus[speaker == "s4"])
        known = speaker != "s4"
        everyone = scaler.transform(X, speaker_target=speaker)
        np.testing.assert_array_equal(Z[known], everyone[known])

    def test_a_small_batch_shrinks_towards_the_pooled_statistics(self):
        X, _ = unseen()
        with pytest.warns(SmallBatchWarning, match="has 1 row"):
            Z = fitted().transform(X[:1], speaker_target=["new"])
        np.testing.assert_allclose(Z, expected(X[:1], recordings()[0], 10))


class TestAdapt:
    @pytest.mark.parametrize("parameters", [{}, {"unseen": "pooled"}])
    def test_speakers_are_kept(self, parameters):
        X, speaker = unseen()
        scaler = fitted(**parameters)
        batch = scaler.transform(X, speaker_target=speaker)
        scaler.adapt(X, speaker_target=speaker)
        assert sorted(scaler.target_speakers_) == [f"s{number}" for number in range(5)]
        alone = [
            scaler.transform(row[None], speaker_target=[one])
            for row, one in zip(X, speaker, strict=True)
        ]
        np.testing.assert_array_equal(np.vstack(alone), batch)

    def test_others_are_scaled_by_the_corpus(self):
        X, speaker = unseen()
        scaler = fitted().adapt(X, speaker_target=speaker)
        by_corpus = CorpusScaler().fit_transform(X)
        for one in ("another", None):
            Z = scaler.transform(X[:1], speaker_target=[one])
            np.testing.assert_array_equal(Z, by_corpus[:1])

    def test_the_last_call_holds(self):
        X, speaker = unseen()
        scaler = fitted().adapt(X, speaker_target=speaker).adapt(X)
        assert not hasattr(scaler, "target_speakers_")
        batch = fitted().transform(X, speaker_target=speaker)
        np.testing.assert_allclose(scaler.transform(X, speaker_target=speaker), batch)

    def test_a_refit_drops_them(self):
        X, speaker = unseen()
        scaler = fitted().adapt(X, speaker_target=speaker)
        assert not hasattr(scaler.fit(X, speaker=speaker), "target_speaker_mean_")

    def test_it_survives_pickling(self):
        X, speaker = unseen()
        scaler = fitted().adapt(X, speaker_target=speaker)
        again = pickle.loads(pickle.dumps(scaler))
        np.testing.assert_array_equal(
            again.transform(X[:2], speaker_target=speaker[:2]),
            scaler.transform(X[:2], speaker_target=speaker[:2]),
        )

    def test_a_reference_is_one_voice(self):
        X, speaker = unseen()
        plain = rescale(CorpusScaler().fit(recordings()[0]), X)
        scaler = rescale(fitted(), X)
        np.testing.assert_array_equal(
            scaler.transform(X[:3], speaker_target=speaker[:3]), plain.transform(X[:3])
        )


def test_rows_of_training_corpora():
    X, corpus, speaker = recordings()
    scaler = CorpusScaler(speaker_shrinkage=10)
    Z = scaler.fit_transform(X, sample_domain=corpus, speaker=speaker)
    np.testing.assert_array_equal(scaler.transform_corpus(X, corpus, speaker=speaker), Z)
    by_corpus = CorpusScaler().fit_transform(X, sample_domain=corpus)
    np.testing.assert_array_equal(scaler.transform_corpus(X, corpus), by_corpus)


def test_models_of_earlier_versions():
    X, corpus, _ = recordings()
    scaler = CorpusScaler().fit(X, sample_domain=corpus)
    state = dict(scaler.__getstate__())
    del state["speaker_shrinkage"]
    old = CorpusScaler.__new__(CorpusScaler)
    old.__setstate__(state)
    assert clone(old).speaker_shrinkage is None
    np.testing.assert_array_equal(old.transform(X), scaler.transform(X))


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
@pytest.mark.parametrize("speaker", [None, [None] * 120])
def test_no_speaker_at_all(method, speaker):
    X, corpus, _ = recordings()
    scaler = CorpusScaler(speaker_shrinkage=10)
    with pytest.warns(ScalingWarning, match="speaker_shrinkage=10 had no effect") as seen:
        getattr(scaler, method)(X, sample_domain=corpus, speaker=speaker)
    assert [one.filename for one in seen] == [__file__]
    np.testing.assert_array_equal(scaler.transform(X), CorpusScaler().fit(X).transform(X))


def test_shrinkage_that_is_set_after_the_fit():
    X, _, speaker = recordings()
    scaler = CorpusScaler().fit(X, speaker=speaker)
    expected = scaler.transform(X)
    scaler.set_params(speaker_shrinkage=10)
    np.testing.assert_array_equal(scaler.transform(X), expected)


def test_errors():
    X, corpus, speaker = recordings()
    scaler = CorpusScaler(speaker_shrinkage=10)
    with pytest.raises(ValueError, match="speaker has 2 entries but X has 120 samples"):
        scaler.fit(X, sample_domain=corpus, speaker=["u", "v"])
    with pytest.raises(ValueError, match="speaker_target has 1 entries but X has 120 samples"):
        fitted().transform(X, speaker_target=["u"])
    with pytest.raises(ValueError, match="speaker_target must be one-dimensional"):
        fitted().adapt(X, speaker_target=speaker[:, None])
    for wrong in (-1, "10", np.inf):
        with pytest.raises(ValueError, match="'speaker_shrinkage' parameter of CorpusScaler"):
            CorpusScaler(speaker_shrinkage=wrong).fit(X)


class Target(ClassifierMixin, BaseEstimator):
    """Keeps the rows it is given."""

    def fit(self, X, y, *, X_target=None):
        self.classes_, self.rows_, self.target_ = np.unique(y), X, X_target
        return self

    def predict(self, X):
        self.predicted_ = X
        return np.repeat(self.classes_[:1], len(X))


class TestRouting:
    def data(self):
        X, corpus, speaker = recordings()
        return X, np.tile(["anger", "sadness"], 60), {"sample_domain": corpus, "speaker": speaker}

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda scaler: scaler,
            lambda scaler: make_pipeline("passthrough", make_pipeline(scaler)),
            lambda scaler: make_union(scaler, scaler),
            lambda scaler: make_union(make_pipeline(make_union(scaler)), "drop"),
        ],
    )
    def test_a_pipeline_passes_speakers_of_both_kinds(self, wrap):
        X, y, metadata = self.data()
        T, speaker = unseen()
        scaler = CorpusScaler(speaker_shrinkage=10)
        with sklearn.config_context(enable_metadata_routing=True):
            step = Target().set_fit_request(X_target=True)
            model = make_pipeline(wrap(scaler), step, transform_input=["X_target"])
            model.fit(X, y, **metadata, X_target=T, speaker_target=speaker)
            model.predict(T, speaker_target=speaker)
        rows, target = (
            scaler.fit_transform(X, **metadata),
            scaler.transform(T, speaker_target=speaker),
        )
        n_copies = model[-1].rows_.shape[1] // 3
        np.testing.assert_array_equal(model[-1].rows_, np.hstack([rows] * n_copies))
        np.testing.assert_array_equal(model[-1].target_, np.hstack([target] * n_copies))
        np.testing.assert_array_equal(model[-1].predicted_, model[-1].target_)

    def test_speakers_can_be_refused(self):
        X, y, metadata = self.data()
        del metadata["speaker"]
        with sklearn.config_context(enable_metadata_routing=True):
            scaler = CorpusScaler().set_fit_request(speaker=False)
            model = make_pipeline(scaler, LogisticRegression()).fit(X, y, **metadata)
            with pytest.raises(TypeError, match="unexpected argument"):
                model.fit(X, y, **metadata, speaker=[1] * 120)

    def test_by_the_name_of_the_step_without_routing(self):
        X, y, metadata = self.data()
        model = make_pipeline(CorpusScaler(speaker_shrinkage=10), Target())
        model.fit(X, y, **{f"corpusscaler__{name}": values for name, values in metadata.items()})
        expected_rows = CorpusScaler(speaker_shrinkage=10).fit_transform(X, **metadata)
        np.testing.assert_array_equal(model[-1].rows_, expected_rows)

    def test_frozen(self):
        T, speaker = unseen()
        scaler = fitted().adapt(T, speaker_target=speaker)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Z = FrozenEstimator(scaler).transform(T)
        np.testing.assert_array_equal(Z, CorpusScaler().fit_transform(T))
