"""Levels, ratios and band edges of what makes recordings sound different."""

import numpy as np
import pytest
from scipy.signal import welch

from sklearn_ser.audio import (
    add_noise,
    coloured_noise,
    limit_bandwidth,
    simulate_telephone,
)
from sklearn_ser.exceptions import AudioError

RATE = 16000


def tone(f, seconds=2.0, sr=RATE, level=0.1):
    return level * np.sin(2 * np.pi * f * np.arange(round(seconds * sr)) / sr)


def gain(before, after):
    """Return the change of level in dB, without the ends, where filters begin and end."""
    middle = slice(len(before) // 4, -len(before) // 4)
    return 20 * np.log10(np.std(after[middle]) / np.std(before[middle]))


@pytest.mark.parametrize("snr", [-10.0, 0.0, 7.5, 40.0])
@pytest.mark.parametrize("colour", ["white", "pink"])
def test_the_ratio_is_exact(snr, colour):
    y = 0.02 * tone(200)
    noise = coloured_noise(colour, len(y), RATE, np.random.default_rng(0))
    noisy = add_noise(y, noise, snr)
    assert noisy.dtype == np.float32
    added = noisy - y
    assert 10 * np.log10(np.mean(y**2) / np.mean(added**2)) == pytest.approx(snr, abs=1e-3)
    assert np.corrcoef(added, noise)[0, 1] == pytest.approx(1, abs=1e-6)


def test_the_ratio_stays_where_the_sum_would_exceed_full_scale():
    y = tone(200, level=0.9)
    noise = coloured_noise("white", len(y), RATE, np.random.default_rng(0))
    noisy = add_noise(y, noise, 0)
    assert np.abs(noisy).max() == pytest.approx(32767 / 32768, abs=1e-6)
    # Least squares tell signal and noise in the sum.
    (a, b), *_ = np.linalg.lstsq(np.column_stack([y, noise]), noisy, rcond=None)
    assert a < 0.9
    ratio = np.mean((a * y) ** 2) / np.mean((b * noise) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("colour", "slope"), [("white", 0.0), ("pink", -3.01)])
@pytest.mark.parametrize("sr", [8000, 44100])
def test_the_slope_of_noise(colour, slope, sr):
    noise = coloured_noise(colour, 60 * sr, sr, np.random.default_rng(0))
    frequencies, density = welch(noise, sr, nperseg=4096)
    inside = (frequencies > 50) & (frequencies < 0.45 * sr)
    fit = np.polyfit(np.log2(frequencies[inside]), 10 * np.log10(density[inside]), 1)
    assert fit[0] == pytest.approx(slope, abs=0.1)


@pytest.mark.parametrize(
    ("y", "noise", "message"),
    [
        (np.zeros(100), np.ones(100), "The waveform is silent, so no level of noise gives 5 dB"),
        (np.ones(100), np.zeros(100), "The noise is silent"),
        (np.ones(100), np.ones(99), r"shape \(100,\), the noise \(99,\)"),
        (np.ones((2, 50)), np.ones((2, 50)), "expected one dimension"),
        (np.ones(0), np.ones(0), r"shape \(0,\), .*equal lengths of at least one sample"),
        (np.full(9, np.nan), np.ones(9), "The waveform has samples that are NaN or infinite"),
        (np.ones(9), np.full(9, np.inf), "The noise has samples that are NaN or infinite"),
        (np.ones(9, np.int16), np.ones(9), "samples of type int16, expected floating-point"),
    ],
)
def test_noise_that_cannot_be_added(y, noise, message):
    with pytest.raises(AudioError, match=message):
        add_noise(y, noise, 5)


def test_a_ratio_that_cannot_be():
    with pytest.raises(ValueError, match="snr is nan, expected a finite number of dB"):
        add_noise(tone(200), tone(300), np.nan)


@pytest.mark.parametrize("sr", [16000, 22050, 44100])
def test_the_edges_of_the_telephone_band(sr):
    def change(f):
        y = tone(f, sr=sr)
        return gain(y, simulate_telephone(y, sr))

    assert change(300) == pytest.approx(-3.01, abs=0.05)
    assert change(1000) == pytest.approx(0, abs=0.05)
    # Resampling begins to cut before 4 kHz.
    assert change(3400) == pytest.approx(-3.01, abs=0.3)
    # Butterworth of order 4 between the two edges.
    detuning = (150**2 - 300 * 3400) / (150 * (3400 - 300))
    assert change(150) == pytest.approx(-10 * np.log10(1 + detuning**8), abs=0.5)
    assert change(4100) < -50
    assert change(7000) < -70


def test_a_telephone_of_a_telephone_recording():
    """At 8 kHz nothing is resampled; at 6 kHz the band has no upper edge."""
    for sr, f in ((8000, 3400), (6000, 2900)):
        y = tone(f, sr=sr)
        expected = -3.01 if sr == 8000 else 0
        assert gain(y, simulate_telephone(y, sr)) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("level", [0.5, 0.05, 0.005])
def test_the_noise_of_the_mu_law(level):
    """Companding keeps the ratio near 38 dB over a wide range of levels, as G.711 does."""
    y = tone(440 * np.sqrt(2), seconds=4, level=level)
    line, coded = simulate_telephone(y, RATE), simulate_telephone(y, RATE, mu_law=True)
    ratio = 10 * np.log10(np.mean(line**2) / np.mean((coded - line)[1000:-1000] ** 2))
    assert 27 < ratio < 42


@pytest.mark.parametrize("sampling_rate", [8000, 11025])
def test_nothing_is_left_above_half_of_the_lower_rate(sampling_rate):
    half = sampling_rate / 2
    low, high = tone(0.8 * half), tone(1.1 * half)
    assert gain(low, limit_bandwidth(low, RATE, sampling_rate)) == pytest.approx(0, abs=0.05)
    assert gain(high, limit_bandwidth(high, RATE, sampling_rate)) < -80


@pytest.mark.parametrize("sampling_rate", [16000, 44100])
def test_a_rate_that_is_not_lower_changes_nothing(sampling_rate):
    y = tone(7000).astype(np.float32)
    np.testing.assert_array_equal(limit_bandwidth(y, RATE, sampling_rate), y)


@pytest.mark.parametrize("n_samples", [960, 16001, 17777])
def test_lengths_and_times_are_kept(n_samples):
    y = np.zeros(n_samples, np.float32)
    y[n_samples // 2 : n_samples // 2 + 8] = 0.5
    for changed in (limit_bandwidth(y, RATE, 11025), simulate_telephone(y, RATE, mu_law=True)):
        assert changed.shape == y.shape
        assert changed.dtype == np.float32
        assert abs(int(np.argmax(np.abs(changed))) - n_samples // 2) < 12


def test_rates_are_checked():
    with pytest.raises(AudioError, match="sampling_rate: the sampling rate is 100, expected"):
        limit_bandwidth(tone(100), RATE, 100)
    with pytest.raises(AudioError, match="the sampling rate is 0, expected"):
        simulate_telephone(tone(100), 0)
