"""Quantisation, frames, windows and spectra."""

import math
import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

__all__ = ["FrameGrid", "Spectra", "frame_grid", "quantise", "round_half_up", "work_arrays"]

# Frames that are transformed at once: a multiple of the frames that the search for F0 processes
# side by side, and as many as fit in the cache of a processor.
_BLOCK = 32
_BLOCK_BYTES = 1 << 18


def round_half_up(x):
    """Round a positive number, halves away from zero."""
    return math.floor(x + 0.5)


def quantise(y):
    """Convert a float signal to the 16-bit values that openSMILE computes with.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), dtype float32
        Samples between -1 and 32767/32768.

    Returns
    -------
    x : ndarray of shape (n_samples,), dtype float32
        trunc(32768 y) / 32767.
    integers : ndarray of shape (n_samples,), dtype int16
        trunc(32768 y).
    """
    # Two scales, as in openSMILE: 32768 steps to an integer, 32767 back to a float.
    steps = np.trunc(y * np.float32(32768))
    return steps / np.float32(32767), steps.astype(np.int16)


@dataclass(frozen=True, eq=False)
class FrameGrid:
    """Frames of one length: frame t starts at sample ``t * hop``.

    `frame_grid` returns the same object for the same arguments, so tables can be cached by grid.
    """

    sampling_rate: int
    length: int
    hop: int
    fft_size: int
    df: float
    window: np.ndarray

    @property
    def n_bins(self):
        """Number of bins of the spectrum, 0 to the Nyquist frequency."""
        return self.fft_size // 2 + 1

    def n_frames(self, n_samples):
        """Count the complete frames of a signal."""
        return max(0, (n_samples - self.length) // self.hop + 1)


@lru_cache(maxsize=32)
def frame_grid(sampling_rate, milliseconds):
    """Return the grid of 20 ms (Hamming) or 60 ms (Gauss) frames for a sampling rate."""
    duration = milliseconds / 1000
    n = round_half_up(duration * sampling_rate)
    fft_size = 1 << (n - 1).bit_length()
    # 60 ms hold three periods of the lowest F0 that is searched for, 55 Hz.
    if milliseconds == 20:
        window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(n) / (n - 1))
    else:
        centre = (n - 1) / 2
        window = np.exp(-0.5 * ((np.arange(n) - centre) / (0.4 * centre)) ** 2)
    window = window.astype(np.float32)
    window.flags.writeable = False
    return FrameGrid(
        sampling_rate=sampling_rate,
        length=n,
        hop=round_half_up(0.010 * sampling_rate),
        fft_size=fft_size,
        # From the nominal duration, not from n samples: n is rounded, openSMILE's axis is not.
        df=1 / (duration * fft_size / n),
        window=window,
    )


class _WorkArrays(threading.local):
    """Arrays of one thread in which one recording after the other is computed.

    Large arrays that are freed go back to the system, and every page of the next one is fetched
    and cleared again, which took a quarter to a third of the time of an extraction.
    """

    def __init__(self):
        self._arrays = {}

    def take(self, name, shape, dtype=np.float32):
        """Return an array with any content; it belongs to the caller until the name is taken again.

        Arrays only grow, and each is as large as a block of frames or `_KEPT_BYTES` at most.
        """
        size = math.prod(shape)
        array = self._arrays.get(name)
        if array is None or array.size < size:
            array = self._arrays[name] = np.empty(size, dtype)
        return array[:size].reshape(shape)

    def share(self, name, key, make):
        """Return what `make` makes of a key, a new one only if the key differs from the last."""
        last, made = self._arrays.get(name, (None, None))
        if made is None or last != key:
            made = make(key)
            self._arrays[name] = key, made
        return made


#: Names of arrays must not be shared between functions that use them at the same time.
work_arrays = _WorkArrays()


class Spectra:
    """Short-time spectra of a signal, block by block.

    Parameters
    ----------
    x : ndarray of shape (n_samples,), dtype float32
    grid : FrameGrid
    """

    def __init__(self, x, grid):
        self.grid = grid
        self.n_frames = n = grid.n_frames(len(x))
        size = max(_BLOCK, _BLOCK_BYTES // (4 * grid.fft_size) // _BLOCK * _BLOCK)
        self.bounds = [(start, min(start + size, n)) for start in range(0, n, size)]
        # All frames, as a view in which the samples that frames share occur repeatedly.
        x = np.ascontiguousarray(x)
        self._frames = np.ndarray((n, grid.length), x.dtype, x, strides=(4 * grid.hop, 4))

    def _transform(self, frames):
        grid = self.grid
        padded = work_arrays.take("padded", (len(frames), grid.fft_size))
        # Zeros on both sides: formants are computed from the phase as well, and depend on where
        # the frame lies in the transform.
        before = (grid.fft_size - grid.length) // 2
        after = before + grid.length
        padded[:, :before] = 0
        np.multiply(frames, grid.window, out=padded[:, before:after])
        padded[:, after:] = 0
        return scipy.fft.rfft(padded, axis=1)

    def block(self, i):
        """Compute the spectra of block `i`, (n_frames, n_bins), complex64."""
        return self._transform(self._frames[slice(*self.bounds[i])])

    def some(self, frames):
        """Compute the spectra of some frames, given by number."""
        return self._transform(self._frames[frames])
