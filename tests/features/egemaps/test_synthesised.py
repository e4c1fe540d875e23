"""Descriptors of synthesised speech, whose F0, formants and perturbations are known."""

import numpy as np
import pytest

from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import load_truth, make_corpora, synthesise_vowel
from sklearn_ser.features import FUNCTIONAL_NAMES, egemaps, egemaps_lld

VOWELS = {"a": [730, 1090, 2440], "i": [270, 2290, 3010], "u": [300, 870, 2240]}


def value(y, name, sr=16000):
    return egemaps(y, sr)[FUNCTIONAL_NAMES.index(name)]


def f0_in_hertz(y, sr):
    """F0 of each frame before smoothing; the smoothed contour spans three frames."""
    semitones = egemaps_lld(y, sr)["F0semitoneFrom27.5Hz_sma3nz"].to_numpy()[:-1]
    return np.where(semitones > 0, 27.5 * 2 ** (semitones / 12), 0)


@pytest.mark.parametrize("sr", [8000, 16000, 44100])
@pytest.mark.parametrize("vowel", VOWELS)
@pytest.mark.parametrize("f0", [90.0, 140.0, 220.0, 330.0])
def test_f0_of_vowels(vowel, f0, sr):
    y = synthesise_vowel(VOWELS[vowel], f0=f0, duration=0.5, sampling_rate=sr, jitter=0.005)
    measured = f0_in_hertz(y, sr)
    assert np.mean(measured > 0) > 0.95
    assert np.mean(np.abs(measured[measured > 0] / f0 - 1) < 0.02) >= 0.95


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return make_corpora(tmp_path_factory.mktemp("speech"), n_utterances=24)


def test_f0_of_connected_speech(speech):
    errors, found = [], []
    for path in speech.path:
        measured = f0_in_hertz(*load_audio(path))
        truth = load_truth(path, frame_length=0.06).f0[: len(measured)]
        measured = measured[: len(truth)]
        # The F0 of a frame is that of its middle where all 60 ms of it are voiced.
        throughout = np.convolve(truth > 0, np.ones(7), "same") == 7
        both = throughout & (measured > 0)
        errors.append(np.abs(measured[both] / truth[both] - 1))
        found.append(measured[throughout] > 0)
    errors = np.concatenate(errors)
    assert np.mean(np.concatenate(found)) > 0.97
    assert np.mean(errors < 0.02) >= 0.95
    assert np.median(errors) < 0.006
    assert np.mean(errors > 0.2) < 0.005


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("setting", "name", "levels"),
    [
        ("jitter", "jitterLocal_sma3nz_amean", (0.0, 0.01, 0.02, 0.04)),
        ("shimmer", "shimmerLocaldB_sma3nz_amean", (0.0, 0.05, 0.1, 0.2)),
    ],
)
def test_perturbation_rises_with_its_setting(setting, name, levels, seed):
    measured = [
        value(
            synthesise_vowel(
                VOWELS["a"], f0=120, sampling_rate=44100, random_state=seed, **{setting: level}
            ),
            name,
            44100,
        )
        for level in levels
    ]
    assert np.all(np.diff(measured) > 0)
    assert measured[-1] > 4 * measured[0]


@pytest.mark.parametrize("seed", range(3))
def test_breath_lowers_the_harmonics_to_noise_ratio(seed):
    measured = [
        value(
            synthesise_vowel(VOWELS["a"], breathiness=level, random_state=seed),
            "HNRdBACF_sma3nz_amean",
        )
        for level in (0.02, 0.05, 0.1, 0.3)
    ]
    assert np.all(np.diff(measured) < 0)


def test_spectral_tilt_follows_the_source():
    soft, pressed = (
        value(synthesise_vowel(VOWELS["a"], tilt_cutoff=cutoff), "alphaRatioV_sma3nz_amean")
        for cutoff in (500, 4000)
    )
    assert pressed > soft + 3


def test_a_pause_makes_two_segments():
    f0 = np.where(np.abs(np.linspace(-1, 1, 201)) < 0.15, 0.0, 150.0)
    y = synthesise_vowel(VOWELS["a"], f0=f0, duration=1.5)
    assert value(y, "VoicedSegmentsPerSec") == pytest.approx(2 / 1.44, rel=0.03)
    # Voiced for 85 % of 1.5 s in two pieces, seen through frames of 60 ms.
    assert value(y, "MeanVoicedSegmentLengthSec") == pytest.approx(0.85 * 1.5 / 2, abs=0.05)
