import numpy as np
import pytest
from scipy.linalg import solve_toeplitz

from sklearn_ser.features._egemaps import _formants
from sklearn_ser.features._egemaps._formants import PREDICTOR_ORDER, formants, predictors
from sklearn_ser.features._egemaps._framing import Spectra, frame_grid


@pytest.fixture
def noise_spectra():
    x = np.random.default_rng(0).normal(size=3200).astype(np.float32) / 10
    grid = frame_grid(16000, 20)
    return Spectra(x, grid).block(0), grid


def predicted(spectrum, grid, frames=None):
    frames = np.arange(len(spectrum)) if frames is None else np.array(frames)
    out = np.empty((len(frames), PREDICTOR_ORDER))
    predictors(spectrum, frames, grid, out)
    return out


def test_levinson_solves_the_normal_equations():
    r = np.correlate(*[np.random.default_rng(0).normal(size=200)] * 2, "full")[199 : 199 + 12]
    a = np.empty(11)
    _formants.levinson(r.astype(np.float32), np.empty(11), a)
    np.testing.assert_allclose(a, -solve_toeplitz(r[:-1], r[1:]), rtol=1e-3, atol=1e-5)


def test_levinson_of_silence_is_zero():
    a = np.ones(11)
    _formants.levinson(np.zeros(12, np.float32), np.empty(11), a)
    np.testing.assert_array_equal(a, 0)


def test_predictors_are_those_of_the_band_limited_frame(noise_spectra):
    spectrum, grid = noise_spectra
    assert _formants._resampling_tables(grid)[0].shape == (109, 220)
    kept = spectrum[4].astype(complex).copy()
    kept[110:] = 0
    time = np.arange(220) / 11000
    angles = 2 * np.pi * np.outer(np.arange(len(kept)) * grid.df, time)
    z = (kept.real @ np.cos(angles) - kept.imag @ np.sin(angles)) / 256
    r = np.array([z[j:] @ z[: 220 - j] for j in range(12)])
    # Nearly singular equations: single and double precision agree loosely.
    np.testing.assert_allclose(
        predicted(spectrum, grid)[4], -solve_toeplitz(r[:-1], r[1:]), rtol=0.1, atol=0.1
    )


def test_roots_become_frequencies_and_bandwidths_in_order():
    def root(hertz, bandwidth):
        return np.exp((-bandwidth * np.pi + 2j * np.pi * hertz) / 11000)

    roots = np.zeros((1, 11), complex)
    wanted = [root(1500, 90), root(500, 60), root(2500, -120), root(20, 50), 0.3]
    roots[0, : len(wanted)] = wanted
    roots[0, len(wanted) :] = [np.conj(r) for r in wanted] + [0]
    out = np.zeros((1, 3, 2), np.float32)
    _formants._resonances_kernel(
        roots.view(float).reshape(1, 11, 2), np.empty((2, 11)), np.empty(11, np.int64), out
    )
    # A root outside the unit circle is mirrored; real ones and those under 50 Hz are none.
    np.testing.assert_allclose(out[0], [[500, 60], [1500, 90], [2500, 120]], rtol=1e-5)


def test_silence_has_no_formants():
    grid = frame_grid(16000, 20)
    np.testing.assert_array_equal(formants(predicted(np.zeros((2, 257), np.complex64), grid)), 0)


def test_no_frames(noise_spectra):
    spectrum, grid = noise_spectra
    assert formants(predicted(spectrum[:0], grid)).shape == (0, 3, 2)


def test_frames_are_independent(noise_spectra):
    spectrum, grid = noise_spectra
    whole = formants(predicted(spectrum, grid))
    assert (whole[:, 0, 0] > 50).all()
    assert (np.diff(whole[:, :, 0], axis=1) > 0).all()
    np.testing.assert_array_equal(formants(predicted(spectrum, grid, [5, 2])), whole[[5, 2]])
