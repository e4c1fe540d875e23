import numpy as np
import pytest

from sklearn_ser.features._egemaps._framing import Spectra, frame_grid, quantise
from sklearn_ser.features._egemaps._voice import harmonics_to_noise, jitter_shimmer

SR = 16000


def pulse_train(periods, amplitudes):
    """Place one decaying pulse of the given amplitude after another, periods in samples."""
    starts = np.concatenate([[0], np.cumsum(periods)[:-1]])
    time = np.arange(int(np.sum(periods)) + 400)
    y = np.zeros(len(time))
    for start, amplitude in zip(starts, amplitudes, strict=True):
        t = time - start
        y += np.where(
            t >= 0, amplitude * np.exp(-np.maximum(t, 0) / 15) * np.sin(2 * np.pi * t / 24), 0
        )
    return y / np.abs(y).max() * 0.9


def measure(y, f0):
    x, steps = quantise(y.astype(np.float32))
    grid = frame_grid(SR, 60)
    contour = np.full(grid.n_frames(len(y)), f0, np.float32)
    return jitter_shimmer(x, steps, contour, grid)


def test_a_periodic_signal_has_neither():
    jitter, shimmer = measure(pulse_train([100] * 100, [1] * 100), 160)
    assert jitter[2:-2].max() < 1e-4
    assert shimmer[2:-2].max() < 1e-3


@pytest.mark.parametrize("percent", [1, 2, 4])
def test_jitter_of_alternating_periods(percent):
    # Periods 100 (1 ± p/200) differ by p % of their mean every time.
    periods = np.tile([100 + percent / 2, 100 - percent / 2], 60)
    jitter, _ = measure(pulse_train(periods, [1] * 120), 160)
    assert np.median(jitter[3:-3]) == pytest.approx(percent / 100, rel=0.15)


@pytest.mark.parametrize("ratio", [0.05, 0.1, 0.2])
def test_shimmer_of_alternating_amplitudes(ratio):
    amplitudes = np.tile([1 + ratio / 2, 1 - ratio / 2], 60)
    _, shimmer = measure(pulse_train([100] * 120, amplitudes), 160)
    assert np.median(shimmer[3:-3]) == pytest.approx(20 * np.log10(1 + ratio), rel=0.15)


def test_unvoiced_frames_are_zero_and_break_the_chain():
    y = pulse_train([100] * 100, [1] * 100)
    x, steps = quantise(y.astype(np.float32))
    grid = frame_grid(SR, 60)
    f0 = np.full(grid.n_frames(len(y)), 160, np.float32)
    f0[20:30] = 0
    jitter, shimmer = jitter_shimmer(x, steps, f0, grid)
    np.testing.assert_array_equal(jitter[20:30], 0)
    np.testing.assert_array_equal(shimmer[20:30], 0)


def test_digital_silence_that_claims_to_be_voiced():
    jitter, shimmer = measure(np.zeros(8000), 160)
    np.testing.assert_array_equal(jitter, 0)
    np.testing.assert_array_equal(shimmer, 0)


def ratio(y, f0, grid):
    spectra = Spectra((y / 50).astype(np.float32), grid).block(0)[: len(f0)]
    return harmonics_to_noise((np.abs(spectra) ** 2).astype(np.float32), f0, grid)


@pytest.mark.parametrize("seed", range(3))
def test_a_tone_in_noise_has_the_ratio_of_their_powers(seed):
    grid = frame_grid(SR, 60)
    time = np.arange(39 * grid.hop + grid.length) / SR
    ratios = []
    for decibels in (0, 10, 20):
        noise = np.random.default_rng(seed).normal(size=len(time))
        tone = np.sqrt(2) * 10 ** (decibels / 20) * np.sin(2 * np.pi * 200 * time)
        ratios.append(ratio(tone + noise, np.full(40, 200, np.float32), grid).mean())
    # The window also weakens the correlation one period away, by a constant at
    # low and by a bound at high ratios.
    assert ratios[0] == pytest.approx(0, abs=1.5)
    assert ratios[0] + 5 < ratios[1] < ratios[2] - 2


def test_a_spectrum_without_peaks_has_no_ratio():
    grid = frame_grid(SR, 60)
    # All power at zero frequency: the autocorrelation is constant.
    power = np.zeros((1, grid.n_bins), np.float32)
    power[0, 0] = 1
    assert harmonics_to_noise(power, np.array([100], np.float32), grid)[0] == 0
    assert harmonics_to_noise(0 * power, np.array([100], np.float32), grid)[0] == 0
