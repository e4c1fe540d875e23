"""Quantisation, frames, windows and spectra."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from sklearn_ser.features._egemaps._compiled import compiled

__all__ = ["FrameGrid", "Spectra", "frame_grid", "quantise", "round_half_up"]

# Frames whose spectra fit in the cache of a processor.
_BLOCK = 128
# Spectra are needed twice: to track F0, and for the descriptors that depend on F0. Up to 40 s
# they are kept; in longer recordings those of voiced frames are computed again, because
# memory would otherwise grow with the duration.
_KEPT_FRAMES = 4096


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


@compiled
def _windowed_frames(x, starts, window, out):
    """Write windowed frames into the middle of rows of zeros."""
    n, size = len(window), out.shape[1]
    # Zeros on both sides: formants are computed from the phase as well, and depend on where
    # the frame lies in the transform.
    before = (size - n) // 2
    for t in range(len(starts)):
        row, frame = out[t], x[starts[t] : starts[t] + n]
        for i in range(before):
            row[i] = 0
        middle = row[before : before + n]
        for i in range(n):
            middle[i] = frame[i] * window[i]
        for i in range(before + n, size):
            row[i] = 0


class Spectra:
    """Short-time spectra of a signal, block by block.

    Parameters
    ----------
    x : ndarray of shape (n_samples,), dtype float32
    grid : FrameGrid
    """

    def __init__(self, x, grid):
        self.grid = grid
        self.n_frames = grid.n_frames(len(x))
        self.bounds = [
            (start, min(start + _BLOCK, self.n_frames)) for start in range(0, self.n_frames, _BLOCK)
        ]
        self._x = x
        self._kept = {} if self.n_frames <= _KEPT_FRAMES else None

    def _transform(self, frames):
        grid = self.grid
        padded = np.empty((len(frames), grid.fft_size), np.float32)
        _windowed_frames(self._x, frames * grid.hop, grid.window, padded)
        return scipy.fft.rfft(padded, axis=1, overwrite_x=True)

    def block(self, i):
        """Compute the spectra of block `i`, (n_frames, n_bins), complex64."""
        if self._kept is None:
            return self._transform(np.arange(*self.bounds[i]))
        if i not in self._kept:
            self._kept[i] = self._transform(np.arange(*self.bounds[i]))
        return self._kept[i]

    def some(self, i, frames):
        """Return the spectra of some frames of block `i`, counted from its start."""
        if self._kept is None:
            return self._transform(self.bounds[i][0] + frames)
        return self.block(i)[frames]
