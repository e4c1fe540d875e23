"""Frame-wise features of librosa, and their statistics over time."""

import functools
import re
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._optional import require_extra

__all__ = ["PERCENTILE", "ROWS", "STATISTICS", "Settings", "librosa_row", "rate_problem", "split"]

_N_CHROMA = 12
_N_TONNETZ = 6

# Lowest edge of spectral contrast in Hz, and librosa's number of frames for a derivative.
_CONTRAST_FMIN = 200.0
_DELTA_WIDTH = 9

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


class Settings(NamedTuple):
    """Everything the values depend on besides the waveform and its rate."""

    features: tuple
    statistics: tuple
    n_fft: int
    hop_length: int
    win_length: int | None
    n_mfcc: int
    n_mels: int
    fmin: float
    fmax: float | None
    n_bands: int
    roll_percent: float
    tuning: float | None


# Number of rows of each feature; 0 for a feature of one row, whose columns need no number.
ROWS = {
    "mfcc": lambda settings: settings.n_mfcc,
    "mel": lambda settings: settings.n_mels,
    "chroma": lambda settings: _N_CHROMA,
    "tonnetz": lambda settings: _N_TONNETZ,
    "spectral_contrast": lambda settings: settings.n_bands + 1,
    "spectral_centroid": lambda settings: 0,
    "spectral_bandwidth": lambda settings: 0,
    "spectral_rolloff": lambda settings: 0,
    "spectral_flatness": lambda settings: 0,
    "zero_crossing_rate": lambda settings: 0,
    "rms": lambda settings: 0,
}


def split(feature):
    """Return the name of the feature without a prefix, and the order of the derivative."""
    for prefix, order in (("delta_", 1), ("delta2_", 2)):
        if feature.startswith(prefix):
            return feature.removeprefix(prefix), order
    return feature, 0


def import_librosa():
    """Return the package, which is imported when the first recording needs it."""
    require_extra("librosa")
    import librosa

    return librosa


@functools.lru_cache(maxsize=16)
def _mel_filters(sr, n_fft, n_mels, fmin, fmax):
    filters = import_librosa().filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
    # Sparse, because 59 of 60 weights are zero.
    return sparse.csr_array(filters)


# Estimated tunings are multiples of 0.01, so the cache holds all tunings of one rate.
@functools.lru_cache(maxsize=128)
def _chroma_filters(sr, n_fft, tuning):
    return import_librosa().filters.chroma(sr=sr, n_fft=n_fft, tuning=tuning, n_chroma=_N_CHROMA)


class _Frames:
    """The features of one recording, each an array of shape (n_rows, n_frames).

    Spectra that several features share are computed once, when first needed.
    """

    def __init__(self, y, sr, settings):
        self.librosa = import_librosa()
        self.y, self.sr, self.settings = y, sr, settings
        self.shape = {"n_fft": settings.n_fft, "hop_length": settings.hop_length}
        self.framing = {"frame_length": settings.n_fft, "hop_length": settings.hop_length}

    def contour(self, feature):
        name, order = split(feature)
        values = getattr(self, name)
        if not order:
            return values
        # "interp" fits a polynomial to the ends, which needs as many frames as the filter has.
        mode = "interp" if values.shape[-1] >= _DELTA_WIDTH else "nearest"
        return self.librosa.feature.delta(values, width=_DELTA_WIDTH, order=order, mode=mode)

    @functools.cached_property
    def magnitude(self):
        # The frames are centred as in librosa, without its warning if a frame is longer than y.
        padded = np.pad(self.y, self.settings.n_fft // 2)
        win_length = self.settings.win_length
        spectrum = self.librosa.stft(padded, center=False, win_length=win_length, **self.shape)
        return np.abs(spectrum)

    @functools.cached_property
    def power(self):
        return self.magnitude**2

    @functools.cached_property
    def mel(self):
        filters = _mel_filters(self.sr, *self._mel_arguments)
        return self.librosa.power_to_db(filters @ self.power)

    @property
    def _mel_arguments(self):
        one = self.settings
        return one.n_fft, one.n_mels, one.fmin, one.fmax

    @functools.cached_property
    def mfcc(self):
        return self.librosa.feature.mfcc(S=self.mel, n_mfcc=self.settings.n_mfcc)

    @functools.cached_property
    def chroma(self):
        tuning = self.settings.tuning
        if tuning is None:
            tuning = float(
                self.librosa.estimate_tuning(S=self.power, sr=self.sr, bins_per_octave=_N_CHROMA)
            )
        filters = _chroma_filters(self.sr, self.settings.n_fft, tuning)
        # A product by BLAS would differ in its last bit with the number of threads.
        chroma = np.einsum("cf,ft->ct", filters, self.power)
        return self.librosa.util.normalize(chroma, norm=np.inf, axis=0)

    @property
    def tonnetz(self):
        return self.librosa.feature.tonnetz(chroma=self.chroma)

    @property
    def spectral_contrast(self):
        return self.librosa.feature.spectral_contrast(
            S=self.magnitude,
            sr=self.sr,
            n_fft=self.settings.n_fft,
            fmin=_CONTRAST_FMIN,
            n_bands=self.settings.n_bands,
        )

    @functools.cached_property
    def spectral_centroid(self):
        return self.librosa.feature.spectral_centroid(
            S=self.magnitude, sr=self.sr, n_fft=self.settings.n_fft
        )

    @property
    def spectral_bandwidth(self):
        return self.librosa.feature.spectral_bandwidth(
            S=self.magnitude,
            sr=self.sr,
            n_fft=self.settings.n_fft,
            centroid=self.spectral_centroid,
        )

    @property
    def spectral_rolloff(self):
        return self.librosa.feature.spectral_rolloff(
            S=self.magnitude,
            sr=self.sr,
            n_fft=self.settings.n_fft,
            roll_percent=self.settings.roll_percent,
        )

    @property
    def spectral_flatness(self):
        return self.librosa.feature.spectral_flatness(S=self.magnitude)

    @property
    def zero_crossing_rate(self):
        return self.librosa.feature.zero_crossing_rate(self.y, **self.framing)

    @property
    def rms(self):
        return self.librosa.feature.rms(y=self.y, **self.framing)


def _standardised_moment(contour, order, normal):
    """Return a standardised moment minus that of the normal distribution; 0 if constant."""
    mean = contour.mean(axis=-1, keepdims=True)
    deviation = contour - mean
    variance = np.mean(deviation**2, axis=-1)
    varies = variance > (np.finfo(float).eps * mean[..., 0]) ** 2
    moment = np.mean(deviation**order, axis=-1)
    moment = np.divide(moment, variance ** (order / 2), out=np.zeros_like(moment), where=varies)
    return moment - normal * varies


STATISTICS = {
    "mean": functools.partial(np.mean, axis=-1),
    "std": functools.partial(np.std, axis=-1),
    "min": functools.partial(np.min, axis=-1),
    "max": functools.partial(np.max, axis=-1),
    "range": functools.partial(np.ptp, axis=-1),
    "median": functools.partial(np.median, axis=-1),
    "skew": functools.partial(_standardised_moment, order=3, normal=0),
    "kurtosis": functools.partial(_standardised_moment, order=4, normal=3),
}


def _statistic(name, contour):
    if name in STATISTICS:
        return STATISTICS[name](contour)
    return np.percentile(contour, float(name[1:]), axis=-1)


def rate_problem(settings, sr):
    """Return a message about settings that contradict the sampling rate, or None."""
    wanted = {split(feature)[0] for feature in settings.features}
    if wanted & {"mfcc", "mel"} and max(settings.fmin, settings.fmax or 0) > sr / 2:
        return (
            f"the mel bands lie between fmin={settings.fmin} and fmax={settings.fmax} Hz, expected "
            f"at most {sr / 2:g} Hz, half of the sampling rate. Lower them."
        )
    if "spectral_contrast" not in wanted:
        return None
    highest = _CONTRAST_FMIN * 2 ** (settings.n_bands - 1)
    if highest >= sr / 2:
        return (
            f"the last of n_bands={settings.n_bands} octaves of spectral_contrast starts at "
            f"{highest:g} Hz, expected less than {sr / 2:g} Hz, half of the sampling rate. Lower "
            "n_bands."
        )
    if sr / settings.n_fft > _CONTRAST_FMIN:
        return (
            f"n_fft={settings.n_fft} resolves {sr / settings.n_fft:g} Hz, expected "
            f"{_CONTRAST_FMIN:g} Hz or finer for the octaves of spectral_contrast. Set n_fft to "
            f"{int(np.ceil(sr / _CONTRAST_FMIN))} or more."
        )
    return None


def librosa_row(y, sr, *, settings):
    """Return the statistics of all features of one recording, in the order of their names."""
    problem = rate_problem(settings, sr)
    if problem:
        raise AudioError(f"at {sr:g} Hz {problem}")
    frames = _Frames(y, sr, settings)
    values = []
    for feature in settings.features:
        contour = np.asarray(frames.contour(feature), dtype=float)
        statistics = [_statistic(name, contour) for name in settings.statistics]
        values.append(np.stack(statistics, axis=-1).ravel())
    return np.concatenate(values).astype(np.float32)
