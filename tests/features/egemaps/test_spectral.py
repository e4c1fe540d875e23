import numpy as np
import pytest
from scipy.fft import dct

from sklearn_ser.features._egemaps import _spectral
from sklearn_ser.features._egemaps._framing import frame_grid
from sklearn_ser.features._egemaps._spectral import N_SPECTRAL, spectral_descriptors

RATES = [8000, 16000, 44100]


def describe(power, sr=16000, previous=None):
    grid = frame_grid(sr, 20)
    spectra = np.sqrt(np.atleast_2d(power)).astype(np.complex64)
    before = spectra[0] if previous is None else np.sqrt(previous).astype(np.complex64)
    out = np.empty((len(spectra), N_SPECTRAL), np.float32)
    spectral_descriptors(spectra, before, grid, out)
    return out


def bins(sr=16000):
    grid = frame_grid(sr, 20)
    return np.arange(grid.n_bins) * grid.df


@pytest.mark.parametrize("sr", RATES)
def test_band_ratios_of_a_step(sr):
    f = bins(sr)
    power = np.where(f < 1000, 100.0, np.where(f <= 5000, 1.0, 1e6))
    out = describe(power, sr)[0]
    low, high = np.sum(f < 1000) * 100, np.sum((f >= 1000) & (f <= 5000))
    assert out[1] == pytest.approx(10 * np.log10(high / low), rel=1e-5)
    assert out[2] == pytest.approx(20, rel=1e-5)


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("band", [0, 1])
def test_slope_of_a_spectrum_that_is_flat_in_decibels_is_zero_only_without_offset(sr, band):
    # The regression weights sum to a constant times the offset; openSMILE counts
    # one bin less than it sums, so that a flat spectrum has a slope: it is
    # linear in the level, and 0 dB gives exactly 0.
    f = bins(sr)
    one = describe(np.full(len(f), 10.0), sr)[0, 3 + band]
    two = describe(np.full(len(f), 100.0), sr)[0, 3 + band]
    assert describe(np.ones(len(f)), sr)[0, 3 + band] == 0
    assert two == pytest.approx(2 * one, rel=1e-4)


def test_slope_grows_with_the_tilt():
    f = bins()
    slopes = [describe(10 ** (tilt * f / 10))[0, 4] for tilt in (-0.02, -0.01, 0.0, 0.01)]
    assert np.all(np.diff(slopes) > 0)
    np.testing.assert_allclose(np.diff(slopes), np.diff(slopes)[0], rtol=1e-3)


def test_flux_is_the_root_mean_square_change_below_5_khz():
    f = bins()
    before, after = np.ones(len(f)), np.where(f < 5000, 9.0, 1.0)
    out = describe([before, after, after])
    np.testing.assert_allclose(out[:, 5], [0, 2, 0])
    assert describe(after, previous=before)[0, 5] == pytest.approx(2)


def test_mel_bank_shares_every_bin_between_two_bands():
    grid = frame_grid(16000, 20)
    first, band, falling, centres = _spectral._mel_bank(grid)
    assert np.all((falling >= 0) & (falling <= 1))
    assert np.all(np.diff(band) >= 0)
    assert (band.min(), band.max()) == (-1, 25)
    mel = 1127 * np.log(1 + np.concatenate([[20], centres, [8000]]) / 700)
    np.testing.assert_allclose(np.diff(mel), np.diff(mel)[0])
    # At its centre a band has weight 1.
    f = (first + np.arange(len(band))) * grid.df
    for b in (5, 15, 25):
        nearest = np.argmin(np.abs(f - centres[b]))
        weight = falling[nearest] if band[nearest] == b else 1 - falling[nearest]
        assert weight > 0.9


def test_mfcc_is_the_liftered_cosine_transform_of_log_bands():
    rng = np.random.default_rng(0)
    grid = frame_grid(16000, 20)
    power = rng.uniform(0.1, 1, grid.n_bins)
    first, band, falling, _ = _spectral._mel_bank(grid)
    energy = np.zeros(26)
    for i, (b, w) in enumerate(zip(band, falling, strict=True)):
        p = np.float64(np.float32(power[first + i]))
        if b >= 0:
            energy[b] += w * p
        if b < 25:
            energy[b + 1] += (1 - w) * p
    i = np.arange(1, 5)
    expected = dct(np.log(energy * 32767.0**2), norm="ortho")[1:5] * (
        1 + 11 * np.sin(np.pi * i / 22)
    )
    np.testing.assert_allclose(describe(power)[0, 6:], expected, rtol=1e-5)


def test_loudness_follows_a_power_law():
    power = np.random.default_rng(0).uniform(0.1, 1, len(bins()))
    soft, loud = describe(power)[0, 0], describe(1000 * power)[0, 0]
    assert loud / soft == pytest.approx(1000**0.33, rel=1e-4)


def test_silence():
    out = describe(np.zeros(len(bins())))[0]
    assert out[0] == pytest.approx(0, abs=0.02)
    np.testing.assert_allclose(out[[1, 2, 5, 6, 7, 8, 9]], 0, atol=1e-6)
    assert np.isfinite(out).all()
