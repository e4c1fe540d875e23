from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.parametrize("size", [0, 1 << 18, 1 << 30])
def test_blocks_cover_the_signal(size, monkeypatch):
    x = np.random.default_rng(0).normal(size=160 * 90).astype(np.float32)
    monkeypatch.setattr(_framing, "_BLOCK_BYTES", size)
    spectra = Spectra(x, frame_grid(16000, 60))
    assert spectra.bounds[0][1] == {0: 32, 1 << 18: 64}.get(size, spectra.n_frames)
    parts = [spectra.block(i) for i in range(len(spectra.bounds))]
    whole = spectra.some(np.arange(spectra.n_frames))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_work_arrays_grow_and_are_used_again():
    arrays = _framing._WorkArrays()
    first = arrays.take("a", (4, 5))
    assert (first.shape, first.dtype) == ((4, 5), np.float32)
    assert np.shares_memory(arrays.take("a", (2, 3)), first)
    assert not np.shares_memory(arrays.take("a", (5, 5)), first)
    assert not np.shares_memory(arrays.take("b", (2, 3)), arrays.take("a", (2, 3)))


def test_a_shared_thing_is_made_again_for_another_key():
    arrays = _framing._WorkArrays()
    a = arrays.share("a", 3, np.zeros)
    assert arrays.share("a", 3, np.zeros) is a
    assert len(arrays.share("a", 4, np.zeros)) == 4
    assert arrays.share("a", 3, np.zeros) is not a


def test_threads_have_their_own_work_arrays():
    arrays = _framing._WorkArrays()
    mine = arrays.take("a", (3,))
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(arrays.take, "a", (3,)).result()
    assert not np.shares_memory(mine, theirs)
