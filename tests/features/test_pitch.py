import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from sklearn_ser.features import _pitch
from sklearn_ser.features._framing import Spectra, frame_grid
from sklearn_ser.features._pitch import (
    N_CANDIDATES,
    parabola,
    pitch_candidates,
    semitones,
    track_pitch,
)


def harmonic_tone(f0, *, sr=16000, seconds=0.5, n_harmonics=20):
    time = np.arange(round(seconds * sr)) / sr
    multiples = np.arange(1, n_harmonics + 1)
    multiples = multiples[multiples * f0 < sr / 2]
    return (np.sin(2 * np.pi * np.outer(time, multiples * f0)) / multiples).sum(axis=1) / 4


def track(y, sr=16000):
    spectra = Spectra(y.astype(np.float32), frame_grid(sr, 60))
    spectrum, level = spectra.block(0)
    return track_pitch(*pitch_candidates(np.abs(spectrum), spectra.grid), level)


def test_parabola_of_known_vertex():
    def value(x):
        return 3 - 2 * (x - 1.25) ** 2

    assert parabola(0.0, value(0), 1.0, value(1), 3.0, value(3)) == pytest.approx((1.25, 3))


def test_parabola_through_a_line_gives_the_highest_point():
    assert parabola(0.0, 1.0, 1.0, 2.0, 2.0, 3.0) == (2.0, 3.0)
    assert parabola(0.0, 3.0, 1.0, 2.0, 2.0, 1.0) == (0.0, 3.0)


@pytest.mark.parametrize("sr", [8000, 16000, 44100])
@pytest.mark.parametrize("f0", [70.0, 120.0, 233.0, 410.0])
def test_f0_of_a_harmonic_tone(f0, sr):
    f0_track, n_decided = track(harmonic_tone(f0, sr=sr), sr)
    np.testing.assert_allclose(f0_track, f0, rtol=0.02)
    assert 0 < n_decided < len(f0_track)


def test_f0_follows_a_glide():
    sr, n = 16000, 16000
    f0 = np.linspace(120, 240, n)
    phase = 2 * np.pi * np.cumsum(f0) / sr
    y = sum(np.sin(k * phase) / k for k in range(1, 15)) / 4
    f0_track, _ = track(y)
    truth = f0[np.arange(len(f0_track)) * 160 + 480]
    np.testing.assert_allclose(f0_track, truth, rtol=0.02)


def test_noise_and_quiet_tones_are_unvoiced():
    noise = np.random.default_rng(0).normal(size=16000) / 10
    assert np.mean(track(noise)[0] == 0) > 0.9
    assert np.all(track(harmonic_tone(120) * 1e-4)[0] == 0)


def test_the_octave_spectrum_is_a_natural_cubic_spline():
    grid = frame_grid(16000, 60)
    tables = _pitch._octave_tables(grid)
    k, lanes = grid.n_bins, _pitch._LANES
    # A peak in every third bin: nothing lies three bins from two maxima, so
    # that the enhancement keeps all of it.
    magnitude = np.random.default_rng(0).uniform(1, 2, (3, k)).astype(np.float32)
    magnitude[:, ::3] += 2
    out = np.empty((k, lanes), np.float32)
    _pitch._octave_spectra(
        magnitude, 0, 3, tables.inverse_step, tables.elimination, tables.interval,
        tables.coefficients, np.zeros((k, lanes)), np.empty((k, lanes)), np.empty(k, np.float32),
        out,
    )  # fmt: skip
    padded = np.pad(magnitude.astype(float), ((0, 0), (1, 0)))
    smooth = magnitude.astype(float)
    smooth[:, :-1] = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    nodes = np.log2(np.arange(1, k) * grid.df)
    nodes = np.concatenate([[2 * nodes[0] - nodes[1]], nodes])
    octaves = np.linspace(np.log2(25), np.log2(8000), k)
    per_octave = k / np.log2(8000 / 25)
    shift = per_octave * np.log2(65 / 50) - 1
    weight = 0.5 + np.arctan(3 * (np.arange(k) + 1 - shift) / per_octave) / np.pi
    for lane in range(3):
        spline = CubicSpline(nodes, smooth[lane], bc_type="natural")(octaves)
        np.testing.assert_allclose(
            out[:, lane], np.maximum(spline, 0) * weight, rtol=1e-5, atol=1e-6
        )


def test_peak_enhancement_zeroes_what_is_far_from_two_maxima():
    m = np.array([1, 5, 4, 3, 2, 1, 2, 3, 4, 9, 1, 1], np.float32)
    e = np.empty_like(m)
    _pitch._enhance_peaks(m, e)
    np.testing.assert_array_equal(e, [1, 5, 4, 3, 0, 0, 0, 3, 4, 9, 1, 1])


def candidates(*frames):
    """Make arrays of one candidate a frame from (frequency, voicing)."""
    frequency = np.zeros((len(frames), N_CANDIDATES), np.float32)
    voicing = np.zeros_like(frequency)
    for t, (f, v) in enumerate(frames):
        frequency[t, 0], voicing[t, 0] = f, v
    return frequency, voicing, np.ones(len(frames))


def test_a_clear_voice_is_tracked_and_silence_is_not():
    f0, _ = track_pitch(*candidates(*[(0, 0)] * 10, *[(150, 0.9)] * 20, *[(0, 0)] * 10))
    np.testing.assert_array_equal(f0[:10], 0)
    np.testing.assert_array_equal(f0[10:30], 150)
    np.testing.assert_array_equal(f0[30:], 0)


def test_the_energy_gate_silences_quiet_frames():
    frequency, voicing, level = candidates(*[(150, 0.9)] * 20)
    level[5:8] = 0.001
    f0, _ = track_pitch(frequency, voicing, level)
    np.testing.assert_array_equal(np.flatnonzero(f0 == 0), [5, 6, 7])


def test_an_octave_jump_of_one_frame_is_not_followed():
    frequency, voicing, level = candidates(*[(150, 0.9)] * 20)
    frequency[10, :2], voicing[10, :2] = (300, 150), (0.92, 0.85)
    np.testing.assert_array_equal(track_pitch(frequency, voicing, level)[0], 150)


@pytest.mark.parametrize("seed", range(5))
def test_look_ahead_never_exceeds_forty_frames(seed):
    rng = np.random.default_rng(seed)
    # Two constant candidates of equal merit: no frame ever decides between them.
    n = 100
    frequency = np.zeros((n, N_CANDIDATES), np.float32)
    voicing = np.zeros_like(frequency)
    frequency[:, :2] = 120, 240
    voicing[:, :2] = 0.9
    frequency *= 1 + rng.uniform(0, 1e-6, (n, 1)).astype(np.float32)
    _, n_decided = track_pitch(frequency, voicing, np.ones(n))
    assert n - 40 < n_decided < n


def test_semitones():
    np.testing.assert_allclose(semitones(np.array([0, 20, 27.5, 55, 440])), [0, 1, 1, 12, 48])
