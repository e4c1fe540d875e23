import numpy as np
import pytest

from sklearn_ser.estimators._rows import append_unlabelled, hold_out


class TestUnlabelled:
    def test_floats_get_nan(self):
        joined = append_unlabelled(np.array([0.5, 1.5], dtype=np.float32), 2)
        np.testing.assert_array_equal(joined, [0.5, 1.5, np.nan, np.nan])
        assert joined.dtype == np.float32

    def test_integers_get_minus_one(self):
        joined = append_unlabelled(np.array([3, 0]), 1)
        np.testing.assert_array_equal(joined, [3, 0, -1])
        assert joined.dtype.kind == "i"

    def test_columns_are_kept(self):
        assert append_unlabelled(np.zeros((2, 3)), 4).shape == (6, 3)


class TestHoldOut:
    @pytest.mark.parametrize(
        ("n", "fraction", "expected"),
        [(100, 0.1, 10), (100, 0.126, 13), (5, 0.1, 1), (2, 0.9, 1), (3, 0.99, 2)],
    )
    def test_how_many(self, n, fraction, expected):
        held_out = hold_out(n, fraction, np.random.default_rng(0))
        assert held_out.shape == (n,)
        assert held_out.sum() == expected

    def test_the_choice_is_random_and_repeats(self):
        choices = [hold_out(100, 0.2, np.random.default_rng(seed)) for seed in (0, 1, 0)]
        assert (choices[0] != choices[1]).any()
        np.testing.assert_array_equal(choices[0], choices[2])

    @pytest.mark.parametrize("seed", range(5))
    def test_speakers_stay_together(self, seed):
        rng = np.random.default_rng(seed)
        speaker = rng.permutation(np.repeat(np.arange(10), rng.integers(1, 20, size=10)))
        held_out = hold_out(len(speaker), 0.3, rng, speaker=speaker)
        assert len(np.unique(speaker[held_out])) == 3
        assert not np.intersect1d(speaker[held_out], speaker[~held_out]).size

    def test_one_row(self):
        with pytest.raises(ValueError, match=r"n_samples = 1.*set early_stopping=False"):
            hold_out(1, 0.1, np.random.default_rng(0))

    def test_one_speaker(self):
        with pytest.raises(ValueError, match=r"a single speaker.*set early_stopping=False"):
            hold_out(3, 0.1, np.random.default_rng(0), speaker=np.zeros(3, dtype=int))
