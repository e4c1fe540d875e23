import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sklearn_ser.evaluation import speaker_interval
from sklearn_ser.evaluation._intervals import SpeakerInterval, interval_of_mean
from sklearn_ser.metrics._sums import METRICS


def predictions(metric):
    """Truth, prediction and speaker of recordings, labels or numbers as the metric needs them."""
    rng = np.random.default_rng(0)
    speaker = np.append(np.arange(8), rng.integers(8, size=72))
    truth, noise = rng.integers(3, size=80), rng.integers(4, size=80)
    if METRICS[metric].of_labels:
        names = np.array(["anger", "neutral", "sadness", "boredom"])
        return names[truth], names[np.where(rng.random(80) < 0.5, truth, noise)], speaker
    return truth.astype(float), 0.7 * truth + 0.5 * rng.normal(size=80), speaker


def student(values, confidence=0.95):
    """Student's interval of a mean."""
    n = len(values)
    margin = stats.t.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return values.mean() - margin, values.mean() + margin


def accuracies(n_speakers, n_recordings, seed):
    """As many recordings of each speaker, of which some are right; and the share that is."""
    rng = np.random.default_rng(seed)
    right = rng.random((n_speakers, n_recordings)) < rng.uniform(0.4, 0.7, size=(n_speakers, 1))
    y_true = np.full(right.shape, "anger")
    y_pred = np.where(right, "anger", "sadness")
    speaker = np.repeat(np.arange(n_speakers), n_recordings)
    return y_true.ravel(), y_pred.ravel(), speaker, right.mean(axis=1)


class TestInterval:
    @pytest.mark.parametrize("n_speakers", [5, 10, 40])
    @pytest.mark.parametrize("confidence", [0.8, 0.95])
    def test_of_a_mean_over_speakers_is_that_of_student(self, n_speakers, confidence):
        *table, shares = accuracies(n_speakers, 20, seed=n_speakers)
        interval = speaker_interval(
            *table, metric="accuracy", n_draws=40_000, confidence=confidence
        )
        low, high = student(shares, confidence)
        assert interval.estimate == pytest.approx(shares.mean())
        # The standard deviation of 40,000 draws is off by 0.4 % or so.
        assert interval.low == pytest.approx(low, abs=0.02 * (high - low))
        assert interval.high == pytest.approx(high, abs=0.02 * (high - low))
        assert interval.n_speakers == n_speakers
        assert interval.note == ""

    def test_of_uar_is_that_of_the_mean_recall_where_speakers_say_the_same(self):
        # Each speaker has ten recordings of each class: UAR is a mean over speakers.
        y_true, y_pred, speaker, anger = accuracies(12, 10, seed=0)
        rng = np.random.default_rng(1)
        right = rng.random((12, 10)) < 0.5
        y_true = np.append(y_true, np.full(120, "sadness"))
        y_pred = np.append(y_pred, np.where(right, "sadness", "anger").ravel())
        interval = speaker_interval(y_true, y_pred, np.tile(speaker, 2), n_draws=40_000)
        low, high = student((anger + right.mean(axis=1)) / 2)
        assert interval.low == pytest.approx(low, abs=0.02 * (high - low))
        assert interval.high == pytest.approx(high, abs=0.02 * (high - low))

    def test_of_the_absolute_error_is_that_of_student(self):
        error = np.random.default_rng(0).uniform(1, 2, size=(9, 5))
        interval = speaker_interval(
            np.zeros(45), error.ravel(), np.repeat(np.arange(9), 5), metric="mae", n_draws=40_000
        )
        low, high = student(error.mean(axis=1))
        assert interval.low == pytest.approx(low, abs=0.02 * (high - low))
        assert interval.high == pytest.approx(high, abs=0.02 * (high - low))

    @pytest.mark.parametrize("metric", METRICS)
    def test_stays_within_the_bounds_and_around_the_estimate(self, metric):
        y_true, y_pred, speaker = predictions(metric)
        interval = speaker_interval(y_true, y_pred, speaker, metric=metric, confidence=0.999999)
        bounds = METRICS[metric]
        assert bounds.low <= interval.low < interval.estimate < interval.high <= bounds.high

    def test_same_seed_same_interval(self):
        table = predictions("uar")
        assert speaker_interval(*table) == speaker_interval(*table)
        assert speaker_interval(*table) != speaker_interval(*table, random_state=1)

    def test_order_and_names_of_speakers_do_not_matter(self):
        y_true, y_pred, speaker = predictions("uar")
        first = speaker_interval(y_true, y_pred, speaker)
        names = [f"speaker {number}" for number in speaker]
        assert speaker_interval(y_true, y_pred, pd.Series(names, index=speaker)) == first

    def test_is_wider_than_that_of_recordings_where_speakers_differ(self):
        right = np.repeat([[0.1], [0.3], [0.5], [0.7], [0.9], [1.0]], 20, axis=1)
        y_pred = np.where(np.random.default_rng(0).random(right.shape) < right, "a", "b").ravel()
        y_true, speaker = np.full(120, "a"), np.repeat(np.arange(6), 20)
        honest = speaker_interval(y_true, y_pred, speaker)
        naive = speaker_interval(y_true, y_pred, np.arange(120))
        assert honest.standard_error > 2.5 * naive.standard_error

    def test_speakers_that_all_score_alike(self):
        y = np.tile(["anger", "sadness"], 10)
        interval = speaker_interval(y, y, np.repeat(np.arange(5), 4))
        assert interval[:4] == (1.0, 1.0, 1.0, 0.0)
        assert interval.note == "no width: all draws of speakers score alike"


class TestNoInterval:
    @pytest.mark.parametrize(
        ("speaker", "options", "n_speakers", "note"),
        [
            (list("aabbccdd"), {}, 4, "4 speakers, fewer than 5"),
            (list("aaaaaaaa"), {}, 1, "1 speaker, fewer than 5"),
            (list("abcdefgh"), {"min_speakers": 9}, 8, "8 speakers, fewer than 9"),
            ([None] * 8, {}, 0, "speakers unknown"),
            ([np.nan, pd.NA, *"abcdef"], {}, 6, "speaker unknown of 2 of 8 recordings"),
        ],
    )
    def test_says_why(self, speaker, options, n_speakers, note):
        y_true, y_pred = list("xyxyxyxy"), list("xyxyxxxx")
        interval = speaker_interval(y_true, y_pred, speaker, **options)
        assert interval.estimate == 0.75
        assert np.isnan([interval.low, interval.high, interval.standard_error]).all()
        assert interval.n_speakers == n_speakers
        assert interval.note == note

    def test_an_undefined_score(self):
        interval = speaker_interval([1.0] * 6, np.arange(6), list("abcdef"), metric="adjusted_r2")
        assert np.isnan(interval.estimate)
        assert interval.note == "score undefined"

    def test_min_speakers(self):
        table = list("xyxyxyxy"), list("xyxyxxxx"), list("aabbccdd")
        assert speaker_interval(*table, min_speakers=4).low < 0.75


class TestMeanOverCorpora:
    def one(self, estimate, error, n_speakers):
        return SpeakerInterval(estimate, estimate, estimate, error, n_speakers, "")

    def test_by_hand(self):
        # Variances 0.0004 and 0.0016: error sqrt(0.002) / 2; freedom 4e-6 / (16e-8/4 + 256e-8/8).
        both = [self.one(0.4, 0.02, 5), self.one(0.6, 0.04, 9)]
        interval = interval_of_mean(both, ["a", "b"], 0.95, low=0, high=1)
        assert interval.estimate == pytest.approx(0.5)
        assert interval.standard_error == pytest.approx(np.sqrt(0.002) / 2)
        margin = stats.t.ppf(0.975, 4e-6 / 36e-8) * np.sqrt(0.002) / 2
        assert interval.low == pytest.approx(0.5 - margin)
        assert interval.high == pytest.approx(0.5 + margin)
        assert interval.n_speakers == 14

    def test_of_a_single_corpus_is_its_own(self):
        y_true, y_pred, speaker = predictions("uar")
        own = speaker_interval(y_true, y_pred, speaker)
        assert interval_of_mean([own], ["a"], 0.95, low=0, high=1) == pytest.approx(own)

    def test_needs_all(self):
        without = SpeakerInterval(0.6, np.nan, np.nan, np.nan, 3, "3 speakers, fewer than 5")
        interval = interval_of_mean(
            [self.one(0.4, 0.1, 9), without], ["a", "b"], 0.95, low=0, high=1
        )
        assert interval.estimate == 0.5
        assert np.isnan(interval.low)
        assert interval.note == "no interval for b"

    def test_without_spread(self):
        interval = interval_of_mean([self.one(0.4, 0.0, 9)], ["a"], 0.95, low=0, high=1)
        assert (interval.low, interval.high) == (0.4, 0.4)
        assert "no width" in interval.note


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"metric": "wa"}, r"metric must be one of \['uar', .* got 'wa'"),
            ({"n_draws": 1}, "n_draws must be an integer of at least 2, got 1"),
            ({"min_speakers": 1}, "min_speakers must be an integer of at least 2, got 1"),
            ({"min_speakers": 2.5}, "min_speakers must be an integer"),
            ({"confidence": 95}, "confidence must be a number between 0 and 1, .* got 95"),
            ({"speaker": list("ab")}, "inconsistent numbers of samples"),
            ({"speaker": np.eye(3)}, r"speaker must be one-dimensional .* of shape \(3, 3\)"),
            ({"y_pred": ["x", None, "y"]}, "y_pred has 1 missing of 3 entries"),
            ({"y_pred": [0, 1, 1]}, "y_true holds 'x', but y_pred 0: pass text"),
            ({"y_true": [0.5, 0.1, 0.2]}, "uar compares labels, but y_true .* metric='ccc'"),
            ({"y_true": [0, np.nan, 1], "y_pred": [0, 1, 1], "metric": "ccc"}, "y_true has values"),
            ({"random_state": "seed"}, "cannot be used to seed"),
        ],
    )
    def test_values(self, change, message):
        arguments = {"y_true": list("xyx"), "y_pred": list("xyy"), "speaker": list("abc")}
        with pytest.raises(ValueError, match=message):
            speaker_interval(**{**arguments, **change})
