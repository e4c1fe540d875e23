import numpy as np
import pytest

from sklearn_ser.features._egemaps import _harmonics
from sklearn_ser.features._egemaps._framing import Spectra, frame_grid
from sklearn_ser.features._egemaps._harmonics import harmonic_levels

GRID = frame_grid(16000, 60)


def spectrum_of(f0, levels):
    """Magnitudes of a tone whose harmonics have the given levels in dB."""
    time = np.arange(1600) / 16000
    y = sum(
        10 ** (level / 20) * np.cos(2 * np.pi * f0 * (i + 1) * time)
        for i, level in enumerate(levels)
    )
    return np.abs(Spectra((y / 20).astype(np.float32), GRID).block(0))[:1]


def levels_of(f0, levels, formants):
    return harmonic_levels(
        spectrum_of(f0, levels), np.array([f0], np.float32), np.array([formants], np.float32), GRID
    )[0]


FALLING = -1.5 * np.arange(30)


@pytest.mark.parametrize("multiple", [7, 10, 14])
def test_levels_of_known_harmonics(multiple):
    # Harmonics in the centres of bins; of those within 20 % of a formant the
    # lowest is the strongest.
    f0 = multiple * GRID.df
    formants = [500.0, 1500.0, 2500.0]
    h1h2, h1a3, *amplitudes = levels_of(f0, FALLING, formants)
    # "H1-H2" takes the harmonics at 2 F0 and 3 F0.
    assert h1h2 == pytest.approx(1.5, abs=0.2)
    expected = [FALLING[int(np.ceil(0.8 * f / f0)) - 1] for f in formants]
    np.testing.assert_allclose(amplitudes, expected, atol=0.5)
    assert h1a3 == pytest.approx(FALLING[1] - expected[2], abs=0.5)


def test_without_a_third_formant():
    h1h2, h1a3, *amplitudes = levels_of(150.0, FALLING, [500.0, 0.0, 0.0])
    assert h1a3 == -201
    assert amplitudes[1] == amplitudes[2] == 0
    assert h1h2 == pytest.approx(1.5, abs=0.2)


def test_a_spectrum_without_peaks():
    out = harmonic_levels(
        np.ones((1, GRID.n_bins), np.float32),
        np.array([100], np.float32),
        np.array([[500, 1500, 2500]], np.float32),
        GRID,
    )[0]
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out, [0, -201, 0, 0, 0])


@pytest.mark.parametrize(
    ("f", "start", "expected"),
    [(100.0, 1, 10), (104.9, 1, 10), (105.1, 1, 11), (100.0, 15, 14), (1e5, 1, 0)],
)
def test_closest_bin(f, start, expected):
    assert _harmonics._bin_of(f, start, 10.0, 500) == expected


def test_the_right_neighbour_is_preferred():
    m = np.zeros(20, np.float32)
    m[[8, 12]] = 1
    assert _harmonics._search_peak(m, 10, 5, 15) == 12
    assert _harmonics._search_peak(m, 10, 5, 11) == 8
    assert _harmonics._search_peak(m, 10, 9, 11) == -1
