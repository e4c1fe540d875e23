"""How often the intervals hold the truth, on simulated corpora with a known UAR.

The recall of a speaker s for a class c is expit(level_c + voice_s + interplay_sc) with normal
voices and interplays: the expected recall of a class, over all speakers there could be, is a
one-dimensional integral, and UAR the mean over the classes.
"""

import numpy as np
import pytest
from scipy.special import expit

from sklearn_ser.evaluation._intervals import (
    BootstrapSettings,
    draw_speakers,
    interval_of_draws,
    interval_of_mean,
)
from sklearn_ser.metrics._sums import METRICS

LEVELS = np.linspace(-1, 1.5, 4)
# Corpora in a setting: the share of hits has a standard error of half a percent.
N_CORPORA = 2000
UAR = METRICS["uar"].score


def true_uar(voice, interplay):
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    values = expit(LEVELS[:, None] + np.hypot(voice, interplay) * nodes)
    return (values @ weights / weights.sum()).mean()


def simulate(rng, n_corpora, n_speakers, *, voice, interplay, recordings):
    """Return sums of shape (n_corpora, n_speakers, 3, n_classes)."""
    shape = (n_corpora, n_speakers, len(LEVELS))
    effect = voice * rng.normal(size=(*shape[:2], 1)) + interplay * rng.normal(size=shape)
    n_true = {
        "equal": lambda: np.full(shape, 8),
        "unequal": lambda: 1 + rng.poisson(8, size=shape),
        # As in a corpus of talk shows: nobody is ever heard in more than two emotions.
        "two classes": lambda: 8 * (rng.random(shape).argsort(axis=-1) < 2),
    }[recordings]()
    correct = rng.binomial(n_true, expit(LEVELS + effect))
    # What is predicted where it is wrong does not matter to UAR.
    return np.stack([n_true, correct, correct], axis=2).astype(float)


@pytest.fixture
def settings():
    """Draws of their own for each corpus: the error of a few hundred draws averages out."""
    return BootstrapSettings(n_draws=500, random_state=np.random.RandomState(0))


def interval(sums, settings):
    draws = UAR(np.tensordot(draw_speakers(len(sums), settings), sums, axes=1))
    return interval_of_draws(UAR(sums.sum(axis=0)), draws, len(sums), settings, low=0, high=1)


@pytest.mark.slow
@pytest.mark.parametrize("n_speakers", [10, 12, 24])
@pytest.mark.parametrize(
    ("voice", "interplay", "recordings"),
    [
        (0, 0, "equal"),
        (1, 0.5, "equal"),
        (1, 0.5, "unequal"),
        (1, 0.5, "two classes"),
        (2, 0, "equal"),
        (2, 0, "unequal"),
    ],
)
def test_holds_the_truth_in_93_to_97_of_100_cases(
    settings, n_speakers, voice, interplay, recordings
):
    rng = np.random.default_rng(n_speakers)
    truth = true_uar(voice, interplay)
    corpora = simulate(
        rng, N_CORPORA, n_speakers, voice=voice, interplay=interplay, recordings=recordings
    )
    intervals = [interval(sums, settings) for sums in corpora]
    held = [one.low <= truth <= one.high for one in intervals]
    assert 0.93 <= np.mean(held) <= 0.97


@pytest.mark.slow
def test_the_mean_over_corpora_as_well(settings):
    rng = np.random.default_rng(0)
    effects = {"voice": 1, "interplay": 0.5, "recordings": "unequal"}
    truth = true_uar(1, 0.5)
    sizes = 10, 14, 24
    samples = [simulate(rng, N_CORPORA, size, **effects) for size in sizes]
    held = []
    for corpora in zip(*samples, strict=True):
        parts = [interval(sums, settings) for sums in corpora]
        mean = interval_of_mean(parts, sizes, 0.95, low=0, high=1)
        held.append(mean.low <= truth <= mean.high)
    assert 0.93 <= np.mean(held) <= 0.97


@pytest.mark.slow
def test_is_wider_than_that_of_recordings_when_speakers_differ(settings):
    """Resampling recordings claims 95 % and holds the truth far less often."""
    rng = np.random.default_rng(0)
    corpora = simulate(rng, N_CORPORA, 10, voice=1, interplay=0.5, recordings="equal")
    truth = true_uar(1, 0.5)
    n_true, _, correct = np.moveaxis(corpora.sum(axis=1), 1, 0)
    recall = correct / n_true
    # The standard error of a mean of recalls of independent recordings.
    naive = 1.96 * np.sqrt((recall * (1 - recall) / n_true).sum(axis=1)) / len(LEVELS)
    honest = [interval(sums, settings) for sums in corpora]
    widths = np.array([one.high - one.low for one in honest]) / 2
    assert np.mean(widths > naive) > 0.95
    assert np.median(widths / naive) > 1.5
    assert np.mean(np.abs(recall.mean(axis=1) - truth) <= naive) < 0.85
