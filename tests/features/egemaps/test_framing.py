import numpy as np
import pytest

from sklearn_ser.features._egemaps import _framing
from sklearn_ser.features._egemaps._framing import Spectra, frame_grid, quantise


@pytest.mark.parametrize(
    ("sr", "milliseconds", "length", "hop", "fft_size"),
    [
        (16000, 20, 320, 160, 512),
        (16000, 60, 960, 160, 1024),
        (24000, 60, 1440, 240, 2048),
        (44100, 20, 882, 441, 1024),
        (44100, 60, 2646, 441, 4096),
        (48000, 60, 2880, 480, 4096),
        # Halves are rounded up: 11025 Hz has 661.5 samples in 60 ms, 22050 Hz 220.5 in 10 ms.
        (11025, 60, 662, 110, 1024),
        (22050, 20, 441, 221, 512),
    ],
)
def test_grid_of_a_sampling_rate(sr, milliseconds, length, hop, fft_size):
    grid = frame_grid(sr, milliseconds)
    assert (grid.length, grid.hop, grid.fft_size) == (length, hop, fft_size)
    assert grid.df * fft_size == pytest.approx(sr, rel=1e-3)
    assert frame_grid(sr, milliseconds) is grid


def test_windows_are_symmetric_and_peak_in_the_middle():
    hamming, gauss = frame_grid(16000, 20).window, frame_grid(16000, 60).window
    np.testing.assert_allclose(hamming, np.hamming(320), atol=1e-7)
    np.testing.assert_array_equal(gauss, gauss[::-1])
    # The edge lies 2.5 standard deviations from the centre.
    assert gauss[0] == pytest.approx(np.exp(-0.5 * 2.5**2), rel=1e-6)


def test_only_complete_frames_count():
    grid = frame_grid(16000, 20)
    assert [grid.n_frames(n) for n in (0, 319, 320, 479, 480)] == [0, 0, 1, 1, 2]


def test_quantisation_truncates_towards_zero():
    x, steps = quantise(np.array([-1, -1.9 / 32768, 0, 1.9 / 32768, 32767 / 32768], np.float32))
    np.testing.assert_array_equal(steps, [-32768, -1, 0, 1, 32767])
    np.testing.assert_array_equal(x, (steps / 32767).astype(np.float32))


def test_spectra_match_a_plain_transform_of_the_centred_frame():
    x = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    grid = frame_grid(16000, 20)
    spectrum = Spectra(x, grid).block(0)
    frame = x[3 * 160 : 3 * 160 + 320] * np.hamming(320)
    padded = np.concatenate([np.zeros(96), frame, np.zeros(96)])
    np.testing.assert_allclose(spectrum[3], np.fft.rfft(padded), atol=2e-5)


def test_blocks_cover_the_signal_whether_or_not_they_are_kept(monkeypatch):
    x = np.random.default_rng(0).normal(size=160 * 50).astype(np.float32)
    grid = frame_grid(16000, 60)
    whole = Spectra(x, grid).block(0)
    monkeypatch.setattr(_framing, "_BLOCK", 7)
    spectra = Spectra(x, grid)
    assert spectra.bounds[0] == (0, 7)
    assert spectra.bounds[-1][1] == spectra.n_frames == len(whole)
    for _ in range(2):
        parts = [spectra.block(i) for i in range(len(spectra.bounds))]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
