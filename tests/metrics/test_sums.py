import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, mean_absolute_error

from sklearn_ser.evaluation import speaker_interval
from sklearn_ser.metrics import adjusted_r2, concordance_correlation, unweighted_average_recall
from sklearn_ser.metrics._sums import (
    METRICS,
    adjusted_r2_of,
    ccc_of,
    confusion_sums,
    label_sums,
    moments_of,
    uar_of,
    value_sums,
)

LABELS = np.array(["anger", "neutral", "sadness"])


def macro_f1(y_true, y_pred):
    return f1_score(y_true, y_pred, labels=np.unique(y_true), average="macro", zero_division=0)


def by_definition(metric):
    """The metric as a function of all recordings."""
    return {
        "uar": unweighted_average_recall,
        "accuracy": lambda y_true, y_pred: np.mean(y_true == y_pred),
        "macro_f1": macro_f1,
        "ccc": concordance_correlation,
        "adjusted_r2": adjusted_r2,
        "mae": mean_absolute_error,
    }[metric]


def predictions(metric, seed, n_samples=80, n_speakers=8):
    """Truth, prediction and speaker, with as many recordings of a speaker as chance has it."""
    rng = np.random.default_rng(seed)
    speaker = np.append(np.arange(n_speakers), rng.integers(n_speakers, size=n_samples - 8))
    if METRICS[metric].of_labels:
        y_true = LABELS[rng.integers(3, size=n_samples)]
        guessed = np.append(LABELS, "boredom")[rng.integers(4, size=n_samples)]
        return y_true, np.where(rng.random(n_samples) < 0.5, y_true, guessed), speaker
    y_true = 100 + rng.normal(size=n_samples)
    return y_true, 100 + 0.7 * (y_true - 100) + 0.5 * rng.normal(size=n_samples), speaker


def sums(metric, y_true, y_pred, speaker, n_speakers):
    if METRICS[metric].of_labels:
        return label_sums(y_true, y_pred, speaker, n_speakers, LABELS)
    return value_sums(y_true, y_pred, speaker, n_speakers, 99.0)


class TestSums:
    """The scores from sums are those of the recordings themselves."""

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("metric", METRICS)
    def test_all_recordings(self, metric, seed):
        y_true, y_pred, speaker = predictions(metric, seed)
        estimate = speaker_interval(y_true, y_pred, speaker, metric=metric).estimate
        assert estimate == pytest.approx(by_definition(metric)(y_true, y_pred))

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("metric", METRICS)
    def test_speakers_drawn_several_times(self, metric, seed):
        y_true, y_pred, speaker = predictions(metric, seed)
        drawn = np.random.default_rng(seed).integers(8, size=8)
        rows = np.concatenate([np.flatnonzero(speaker == one) for one in drawn])
        weighted = np.bincount(drawn, minlength=8) @ np.moveaxis(
            sums(metric, y_true, y_pred, speaker, 8), 0, -2
        )
        expected = by_definition(metric)(y_true[rows], y_pred[rows])
        assert METRICS[metric].score(weighted) == pytest.approx(expected)

    def test_a_draw_without_a_class_has_the_mean_of_the_others(self):
        y_true = np.array(["anger", "neutral", "anger", "sadness"])
        y_pred = np.array(["anger", "anger", "neutral", "sadness"])
        of_speaker = label_sums(y_true, y_pred, np.array([0, 0, 1, 1]), 2, LABELS)
        # The first speaker has no sadness: anger 1, neutral 0.
        assert METRICS["uar"].score(of_speaker[0]) == 0.5
        assert METRICS["macro_f1"].score(of_speaker[0]) == pytest.approx(2 / 3 / 2)

    def test_values_that_do_not_vary(self):
        constant = value_sums(np.full(4, 0.1), np.arange(4.0), np.zeros(4, int), 1, 0.3)
        assert np.isnan(METRICS["adjusted_r2"].score(constant[0]))
        assert METRICS["ccc"].score(constant[0]) == pytest.approx(0, abs=1e-12)

    def test_a_confusion_matrix_has_the_sums_of_all_recordings(self):
        y_true, y_pred, speaker = predictions("uar", 0)
        assert "boredom" in y_pred
        counted = label_sums(y_true, y_pred, speaker, 8, LABELS).sum(axis=0)
        np.testing.assert_array_equal(confusion_sums(confusion_matrix(y_true, y_pred)), counted)


class TestOneFormula:
    """The public metrics and the scores of draws cannot drift apart."""

    def test_uar(self):
        y_true, y_pred, _ = predictions("uar", 1)
        sums = label_sums(y_true, y_pred, np.zeros(80, int), 1, LABELS)[0]
        assert METRICS["uar"].score is uar_of
        assert unweighted_average_recall(y_true, y_pred) == uar_of(sums)

    def test_numbers(self):
        y_true, y_pred, _ = predictions("ccc", 1)
        moments = moments_of(y_true, y_pred)
        assert concordance_correlation(y_true, y_pred) == ccc_of(moments)
        assert adjusted_r2(y_true, y_pred, 3) == adjusted_r2_of(moments, 3)

    def test_two_passes_keep_digits_that_sums_of_squares_lose(self):
        y_true, y_pred = np.array([1.0, 2, 3]) + 1e9, np.array([2.0, 3, 4]) + 1e9
        assert concordance_correlation(y_true, y_pred) == concordance_correlation(
            [1, 2, 3], [2, 3, 4]
        )
        far = value_sums(y_true, y_pred, np.zeros(3, int), 1, 0.0)[0]
        assert METRICS["ccc"].score(far) != pytest.approx(4 / 7)

    def test_no_degree_of_freedom_has_no_adjusted_r2(self):
        pair = np.array([1.0, 2.0]), np.array([1.0, 2.5])
        assert np.isnan(METRICS["adjusted_r2"].score(value_sums(*pair, np.zeros(2, int), 1, 1.5)))
