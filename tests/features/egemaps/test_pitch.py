import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from sklearn_ser.features._egemaps import _pitch
from sklearn_ser.features._egemaps._framing import Spectra, frame_grid
from sklearn_ser.features._egemaps._pitch import N_CANDIDATES, parabola, pitch_candidates
from sklearn_ser.features._egemaps._track import track_pitch


def harmonic_tone(f0, *, sr=16000, seconds=0.5, n_harmonics=20):
    time = np.arange(round(seconds * sr)) / sr
    multiples = np.arange(1, n_harmonics + 1)
    multiples = multiples[multiples * f0 < sr / 2]
    return (np.sin(2 * np.pi * np.outer(time, multiples * f0)) / multiples).sum(axis=1) / 4


def track(y, sr=16000):
    spectra = Spectra(y.astype(np.float32), frame_grid(sr, 60))
    return track_pitch(*pitch_candidates(spectra.some(np.arange(spectra.n_frames)), spectra.grid))


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


def test_level_is_that_of_the_windowed_frame():
    y = np.random.default_rng(0).normal(size=4000).astype(np.float32) / 10
    spectra = Spectra(y, frame_grid(16000, 60))
    level = pitch_candidates(spectra.block(0), spectra.grid)[2]
    frame = y[160 * 5 : 160 * 5 + 960] * spectra.grid.window
    assert level[5] == pytest.approx(np.sqrt(np.mean(frame**2)), rel=1e-5)


def test_frames_do_not_depend_on_their_neighbours():
    y = np.random.default_rng(0).normal(size=16000).astype(np.float32) / 10
    spectra = Spectra(y, frame_grid(16000, 60))
    whole = pitch_candidates(spectra.some(np.arange(90)), spectra.grid)
    some = pitch_candidates(spectra.some(np.arange(3, 80, 5)), spectra.grid)
    for a, b in zip(whole, some, strict=True):
        np.testing.assert_array_equal(a[3:80:5], b)


def test_power_spectra_are_written():
    y = np.random.default_rng(0).normal(size=16000).astype(np.float32) / 10
    spectra = Spectra(y, frame_grid(16000, 60))
    power = np.full((40, spectra.grid.n_bins), np.nan, np.float32)
    pitch_candidates(spectra.some(np.arange(40)), spectra.grid, power)
    np.testing.assert_allclose(power, np.abs(spectra.some(np.arange(40))) ** 2, rtol=1e-5)


def test_the_octave_spectrum_is_a_weighted_natural_cubic_spline():
    grid = frame_grid(16000, 60)
    tables = _pitch._octave_tables(grid)
    k, lanes = grid.n_bins, _pitch._LANES
    values = np.random.default_rng(0).uniform(0, 2, (k, lanes)).astype(np.float32)
    curvature, out = np.empty_like(values), np.empty_like(values)
    _pitch._octave_spectra(
        values, curvature, tables.elimination, tables.interval, tables.coefficients, out
    )
    nodes = np.log2(np.arange(1, k) * grid.df)
    nodes = np.concatenate([[2 * nodes[0] - nodes[1]], nodes])
    octaves = np.linspace(np.log2(25), np.log2(8000), k)
    per_octave = k / np.log2(8000 / 25)
    shift = per_octave * np.log2(65 / 50) - 1
    weight = 0.5 + np.arctan(3 * (np.arange(k) + 1 - shift) / per_octave) / np.pi
    spline = CubicSpline(nodes, values, bc_type="natural")(octaves)
    expected = np.maximum(spline, 0) * weight[:, None]
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


def test_subharmonic_summation():
    k, lanes = 300, _pitch._LANES
    octave = np.random.default_rng(0).uniform(size=(k, lanes)).astype(np.float32)
    shifts = np.floor(61.3 * np.log2(np.arange(1, 16))).astype(np.int64)
    decay = (0.85 ** np.arange(15)).astype(np.float32)
    out = np.empty(k * lanes, np.float32)
    _pitch._sum_subharmonics(octave.ravel(), shifts, decay, out)
    padded = np.concatenate([octave, np.zeros((300, lanes))])
    expected = sum(d * padded[s : s + k] for s, d in zip(shifts, decay, strict=True)) / 15
    np.testing.assert_allclose(out.reshape(k, lanes), expected, rtol=1e-5, atol=1e-6)


def enhanced(m):
    m = np.array(m, np.float32)
    e = np.full_like(m, np.nan)
    _pitch._enhance_peaks(m, np.empty_like(m), np.zeros_like(m), e)
    return e


def test_peak_enhancement_zeroes_what_is_far_from_two_maxima():
    np.testing.assert_array_equal(
        enhanced([1, 5, 4, 3, 2, 1, 2, 3, 4, 9, 1, 1]), [1, 5, 4, 3, 0, 0, 0, 3, 4, 9, 1, 1]
    )


def test_peak_enhancement_keeps_what_lies_outside_of_the_maxima():
    spectrum = [1, 2, 3, 4, 5, 4, 3, 4, 5, 4, 3, 2, 1, 1]
    np.testing.assert_array_equal(enhanced(spectrum), spectrum)


def test_a_single_maximum_leaves_three_bins():
    np.testing.assert_array_equal(enhanced([9, 8, 7, 6, 5, 4, 3]), [9, 8, 7, 0, 0, 0, 0])


def test_a_flat_spectrum_has_no_maximum_and_stays():
    np.testing.assert_array_equal(enhanced([2, 2, 2, 2, 2, 2]), [2, 2, 2, 2, 2, 2])


def test_highest_peaks_in_descending_order():
    s = np.array([0, 3, 0, 9, 0, 1, 0, 5, 0, 2, 0, 7, 0, 4, 0, 4, 0, 8], np.float32)
    lanes = np.zeros((len(s), _pitch._LANES), np.float32)
    lanes[:, 2] = s
    peaks = np.empty((_pitch._LANES, N_CANDIDATES), np.int64)
    marked = np.full(lanes.size, np.nan, np.float32)
    _pitch._highest_peaks(lanes.ravel(), marked, np.empty(_pitch._LANES, np.float32), peaks)
    # The last value has no right neighbour; of equal peaks the first comes first.
    np.testing.assert_array_equal(peaks[2] // _pitch._LANES, [3, 11, 7, 13, 15, 1])
    np.testing.assert_array_equal(np.delete(peaks, 2, axis=0), -1)
