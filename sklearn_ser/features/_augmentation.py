"""How one recording is changed for training, drawn from its content."""

import contextlib
import functools
import hashlib
import os
from typing import NamedTuple

import numpy as np

from sklearn_ser.audio import (
    Segment,
    add_noise,
    coloured_noise,
    fit_scale,
    inspect_recording,
    limit_bandwidth,
    load_audio,
    read_recording,
    simulate_telephone,
)
from sklearn_ser.exceptions import AudioError
from sklearn_ser.features._worker import digest

__all__ = ["COLOURS", "KINDS", "LINES", "Augmentation", "identity"]

COLOURS = ("white", "pink")
KINDS = (*COLOURS, "babble")
LINES = {"full": None, "telephone": {"mu_law": False}, "mu-law": {"mu_law": True}}

# Raise it when the same draw changes a recording in another way: stored rows are computed again.
_VERSION = 1

# Talkers in babble: with more, it becomes stationary noise; with fewer, words are heard.
_N_TALKERS = 6

# Seconds of a recording of noise that is read as a whole, and kept for others; of an hour of
# noise, each change reads the part that it needs.
_LONG = 60.0


@functools.lru_cache(maxsize=4096)
def _file_identity(path, modified):
    return digest(path)


def identity(path):
    """Return the digest of a recording that serves as noise, read once unless it changes.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, AudioError
        If it cannot be read.
    """
    key = _file_identity(path, _modified(path))
    if key is None:
        load_audio(path)  # raises the reason
    return key


def _modified(path):
    try:
        status = os.stat(Segment.parse(path).path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=16)
def _read_noise(path, sr, modified):
    """Read a recording that serves as noise; `modified` makes it be read again after a change."""
    return read_recording(path, sr).y


@functools.lru_cache(maxsize=4096)
def _duration(path, modified):
    return inspect_recording(path).duration


def _part_of(path, seconds, sr, rng):
    """Read a part of a long recording, or return None for a short one."""
    # Headers of MP3 may declare some more.
    duration = 0.95 * _duration(path, _modified(path))
    # NaN, where the duration is not known, fails the comparison.
    if not duration > max(_LONG, 2 * seconds):
        return None
    whole = Segment.parse(path)
    start = whole.start + rng.random() * (duration - seconds)
    return read_recording(Segment(whole.path, start, start + seconds, whole.channel), sr).y


def _excerpt(item, n_samples, sr, rng):
    """Return a part of a recording that begins anywhere, repeated if it is too short."""
    if isinstance(item, str):
        y = _part_of(item, n_samples / sr, sr, rng)
        if y is not None:
            # Rounding may have lost a sample.
            return np.resize(y, n_samples)
        y = _read_noise(item, sr, _modified(item))
    else:
        y = np.asarray(item, np.float32)
    start = int(rng.integers(len(y)))
    return np.take(y, np.arange(start, start + n_samples), mode="wrap")


def _same_power(y):
    power = float(np.mean(np.square(y, dtype=np.float64)))
    return y / np.sqrt(power) if power else y


class Augmentation(NamedTuple):
    """The changes that `AudioAugmenter` may make, as a function of a recording.

    Parameters
    ----------
    noise : tuple of str
        Colours, "babble" and paths.
    snr, gain : tuple of (float, float) or None
        Ranges in dB.
    bands : tuple of str or int
        Names of lines, and sampling rates.
    probability : float
        Share of recordings that are changed.
    seed, copy : int
        All draws follow from these and the digest of the recording; `copy` numbers the rows of the
        same recording.
    talkers : tuple of (str or ndarray, bytes)
        Recordings that babble is made of, and their digests.
    """

    noise: tuple
    snr: tuple | None
    gain: tuple | None
    bands: tuple
    probability: float
    seed: int
    copy: int
    talkers: tuple = ()

    def recipe(self):
        """Return what determines the result besides the recording, as a dict for JSON."""
        sounds = hashlib.blake2b(digest_size=32)
        for one in self.noise:
            sounds.update(one.encode() if one in KINDS else identity(one))
        for _, key in self.talkers:
            sounds.update(key)
        numbers = self._replace(noise=sounds.hexdigest(), talkers=len(self.talkers))
        return {**numbers._asdict(), "version": _VERSION}

    def __call__(self, y, sr, key):
        """Return a waveform for training.

        Parameters
        ----------
        y : ndarray of shape (n_samples,), dtype float32
            The recording.
        sr : int
            Its rate.
        key : bytes
            Its digest.
        """
        text = key + f"{self.seed} {self.copy}".encode()
        seeds = hashlib.blake2b(text, digest_size=16, person=b"augment").digest()
        rng = np.random.default_rng(np.frombuffer(seeds, "<u4"))
        # All values are drawn always, so that switching one off does not change the others.
        changed, kind, level, band, gain = rng.random(5)
        if changed >= self.probability:
            return y
        if self.noise and self.snr is not None:
            noise = self._noise(_choose(self.noise, kind), len(y), sr, key, rng)
            # No level of noise has a ratio to silence, nor silence to a recording.
            if y.any() and noise.any():
                y = add_noise(y, noise, _between(self.snr, level))
        if self.bands:
            y = _through(y, sr, _choose(self.bands, band))
        if self.gain is not None:
            y = fit_scale(y * np.float32(10 ** (_between(self.gain, gain) / 20)))
        return y

    def _noise(self, kind, n_samples, sr, key, rng):
        if kind in COLOURS:
            return coloured_noise(kind, n_samples, sr, rng)
        if kind != "babble":
            return _excerpt(kind, n_samples, sr, rng)
        others = [item for item, other in self.talkers if other != key]
        babble = np.zeros(n_samples)
        for i in rng.permutation(len(others))[:_N_TALKERS]:
            # A recording that cannot be read is an error of its own row alone.
            with contextlib.suppress(AudioError, OSError):
                babble += _same_power(_excerpt(others[i], n_samples, sr, rng))
        return babble


def _choose(choices, share):
    return choices[int(share * len(choices))]


def _between(limits, share):
    return limits[0] + share * (limits[1] - limits[0])


def _through(y, sr, band):
    """Return a waveform as it comes out of a line, or of a recorder with another rate."""
    if band not in LINES:
        return limit_bandwidth(y, sr, band)
    options = LINES[band]
    return y if options is None else simulate_telephone(y, sr, **options)
