import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from sklearn_ser import CorpusScaler
from sklearn_ser.metrics import (
    corpus_separability,
    jensen_shannon_divergence,
    latent_consistency,
    maximum_mean_discrepancy,
    sliced_wasserstein_distance,
)


def embed(n, shifts, n_features=3, seed=0):
    """Unit normal distributions, each corpus shifted along the first axis."""
    rng = np.random.default_rng(seed)
    corpus = np.repeat([f"corpus {number}" for number in range(len(shifts))], n)
    Z = rng.normal(size=(n * len(shifts), n_features))
    Z[:, 0] += np.repeat(shifts, n)
    return Z, corpus


class TestCorpusSeparability:
    @pytest.mark.parametrize("shift", [0, 1, 2, 4])
    def test_gaussians(self, shift):
        Z, corpus = embed(3000, [0, shift])
        # The best of all classifiers puts the border half way.
        assert corpus_separability(Z, corpus, random_state=0) == pytest.approx(
            norm.cdf(shift / 2), abs=0.025
        )

    @pytest.mark.parametrize("n_corpora", [2, 3, 5])
    def test_chance(self, n_corpora):
        Z, corpus = embed(1000, np.zeros(n_corpora))
        assert corpus_separability(Z, corpus, random_state=0) == pytest.approx(
            1 / n_corpora, abs=0.03
        )

    def test_equal_means_are_below_chance(self):
        Z, corpus = embed(100, [0, 1], n_features=20)
        scaled = CorpusScaler().fit_transform(Z, sample_domain=corpus)
        assert corpus_separability(scaled, corpus, random_state=0) < 0.4

    def test_corpora_of_different_sizes_count_alike(self):
        Z, corpus = embed(3000, [0, 1])
        few = np.r_[:3000, 3000:3300]
        assert corpus_separability(Z[few], corpus[few], random_state=0) == pytest.approx(
            norm.cdf(0.5), abs=0.04
        )

    def test_units_do_not_matter(self):
        Z, corpus = embed(100, [0, 1])
        assert corpus_separability(Z * [1000, 1e-3, 1] + 50, corpus, random_state=0) == (
            corpus_separability(Z, corpus, random_state=0)
        )

    def test_known_voices_do_not_help(self):
        # Each of the speakers has a place of its own, no corpus has.
        rng = np.random.default_rng(0)
        speaker = np.repeat(np.arange(12), 30)
        corpus = np.where(speaker % 2, "b", "a")
        Z = 10 * rng.normal(size=(12, 20))[speaker] + rng.normal(size=(360, 20))
        assert corpus_separability(Z, corpus, random_state=0) > 0.95
        apart = corpus_separability(Z, corpus, speaker=speaker, cv=3, random_state=0)
        assert apart < 0.75

    def test_another_classifier(self):
        rng = np.random.default_rng(0)
        corpus = np.repeat(["narrow", "wide"], 500)
        Z = rng.normal(size=(1000, 4)) * np.where(corpus == "wide", 4, 1)[:, None]
        assert corpus_separability(Z, corpus, random_state=0) < 0.6
        quadratic = QuadraticDiscriminantAnalysis()
        assert corpus_separability(Z, corpus, estimator=quadratic, random_state=0) > 0.9

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"cv": 1}, "cv, the number of folds, must be an integer of at least 2, got 1"),
            ({"cv": 7}, "corpus 'corpus 0' has 6 recordings, but 7 folds need at least 7"),
            ({"speaker": ["s"] * 12}, "corpus 'corpus 0' has 1 speakers, but 5 folds without"),
            ({"speaker": ["s"]}, "speaker has 1 entries but X has 12 samples"),
        ],
    )
    def test_parameters_that_do_not_fit(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            corpus_separability(*embed(6, [0, 1]), **arguments)


class TestLatentConsistency:
    def test_equal_corpora(self):
        Z, corpus = embed(2000, [0, 0, 0])
        consistency = latent_consistency(Z, corpus, random_state=0)
        assert consistency.sliced_wasserstein < 0.1
        assert abs(consistency.mmd) < 0.002
        assert consistency.jensen_shannon < 0.01
        assert consistency.separability == pytest.approx(consistency.chance, abs=0.03)
        assert consistency.chance == pytest.approx(1 / 3)

    def test_corpora_without_overlap(self):
        Z, corpus = embed(200, [0, 1000], n_features=1)
        consistency = latent_consistency(Z, corpus, random_state=0)
        spread = math.sqrt((Z[:200].var() + Z[200:].var()) / 2)
        apart = abs(np.sort(Z[:200, 0]) - np.sort(Z[200:, 0]))
        assert consistency.sliced_wasserstein == pytest.approx(
            math.sqrt((apart**2).mean()) / spread
        )
        assert consistency.jensen_shannon == pytest.approx(math.log(2))
        np.testing.assert_allclose(consistency.dimensions, [math.log(2)])
        assert consistency.separability == 1

    def test_means_over_pairs(self):
        Z, corpus = embed(300, [0, 1, 3])
        consistency = latent_consistency(Z, corpus, random_state=0)
        pairs = consistency.pairs
        names = [f"corpus {number}" for number in range(3)]
        assert list(zip(pairs.corpus_a, pairs.corpus_b, strict=True)) == list(
            itertools.combinations(names, 2)
        )
        for measure in ("sliced_wasserstein", "mmd", "jensen_shannon"):
            assert consistency[measure] == pytest.approx(pairs[measure].mean())
            # Shifts by 1, 3 and 2.
            assert np.argsort(pairs[measure]).tolist() == [0, 2, 1]
        assert consistency.dimensions.shape == (3,)
        assert consistency.dimensions[0] > 5 * consistency.dimensions[1:].max()
        assert consistency.dimensions.mean() == pytest.approx(consistency.jensen_shannon)

    def test_two_corpora_are_the_distances_of_their_samples(self):
        Z, corpus = embed(300, [0, 1])
        consistency = latent_consistency(Z, corpus, scale=False, n_projections=30, random_state=0)
        X, Y = Z[:300], Z[300:]
        assert consistency.jensen_shannon == jensen_shannon_divergence(X, Y).mean()
        # All rows are used, so that only the order differs in which the generator is asked.
        assert consistency.mmd == pytest.approx(maximum_mean_discrepancy(X, Y))
        assert consistency.sliced_wasserstein == pytest.approx(
            sliced_wasserstein_distance(X, Y, n_projections=3000, random_state=1), rel=0.05
        )

    @pytest.mark.parametrize("seed", range(3))
    def test_the_scale_of_the_embedding(self, seed):
        Z, corpus = embed(100, [0, 2], seed=seed)
        one = latent_consistency(Z, corpus, random_state=0)
        other = latent_consistency(1e-3 * Z, corpus, random_state=0)
        unscaled = latent_consistency(1e-3 * Z, corpus, scale=False, random_state=0)
        for measure in ("sliced_wasserstein", "mmd", "jensen_shannon", "separability"):
            assert other[measure] == pytest.approx(one[measure])
        assert unscaled.sliced_wasserstein < 0.01 * one.sliced_wasserstein
        assert unscaled.mmd == pytest.approx(one.mmd)

    def test_a_collapsed_embedding(self):
        consistency = latent_consistency(np.ones((40, 2)), np.repeat(["a", "b"], 20))
        assert consistency.sliced_wasserstein == 0
        assert consistency.mmd == 0
        assert consistency.jensen_shannon == 0
        assert consistency.separability == consistency.chance == 0.5

    def test_seeded(self):
        Z, corpus = embed(60, [0, 1])
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        one, two, three = (
            latent_consistency(Z, corpus, max_samples=30, random_state=seed) for seed in (0, 0, 1)
        )
        pd.testing.assert_frame_equal(one.pairs, two.pairs, check_exact=True)
        assert one.separability == two.separability
        assert one.mmd != three.mmd
        assert one.sliced_wasserstein != three.sliced_wasserstein
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002

    def test_containers(self):
        Z, corpus = embed(20, [0, 1])
        expected = latent_consistency(Z, corpus, random_state=0).mmd
        index = np.random.default_rng(0).permutation(40)
        table = pd.DataFrame(Z, index=index)
        for labels in (list(corpus), pd.Series(corpus), pd.Categorical(corpus)):
            assert latent_consistency(table, labels, random_state=0).mmd == expected

    @pytest.mark.parametrize(
        ("corpus", "message"),
        [
            (["a"] * 12, r"corpus names only \['a'\]; comparing corpora needs at least two"),
            (["a", "b"], "corpus has 2 entries but X has 12 samples"),
            ([None] + ["a"] * 11, "corpus has 1 missing of 12 entries"),
            (["a"] + ["b"] * 11, "corpus 'a' has 1 recordings, but 5 folds need at least 5"),
        ],
    )
    def test_corpora_that_do_not_fit(self, corpus, message):
        with pytest.raises(ValueError, match=message):
            latent_consistency(np.arange(24.0).reshape(12, 2), corpus)

    @pytest.mark.parametrize("name", ["n_projections", "max_samples"])
    def test_parameters_out_of_range(self, name):
        with pytest.raises(ValueError, match=rf"{name}.* must be an integer of at least"):
            latent_consistency(*embed(6, [0, 1]), **{name: 0})
