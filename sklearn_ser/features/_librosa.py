"""The transformer from recordings to statistics of librosa's features."""

import functools
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral, Real
from typing import ClassVar

from sklearn_ser._sklearn import Interval
from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.features._librosa_contours import (
    PERCENTILE,
    ROWS,
    STATISTICS,
    Settings,
    librosa_row,
    rate_problem,
    split,
)
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._optional import require_extra

__all__ = ["LibrosaExtractor"]

# Version of the computation in these modules; librosa's version counts separately.
_ALGORITHM = 1


def _librosa_version():
    # Read without an import, which would delay rows that come from a cache.
    try:
        return version("librosa")
    except PackageNotFoundError:
        require_extra("librosa")
        raise


def _problem(settings):
    """Return a message about settings that contradict each other, or None."""
    wanted = {split(feature)[0] for feature in settings.features}
    if settings.win_length is not None and settings.win_length > settings.n_fft:
        return (
            f"win_length={settings.win_length} is longer than n_fft={settings.n_fft}, expected a "
            "window of at most the frame. Raise n_fft or lower win_length."
        )
    if "mfcc" in wanted and settings.n_mfcc > settings.n_mels:
        return (
            f"n_mfcc={settings.n_mfcc} coefficients of n_mels={settings.n_mels} bands, expected "
            "at most as many as bands. Raise n_mels or lower n_mfcc."
        )
    if settings.fmax is not None and settings.fmin >= settings.fmax:
        return f"fmin={settings.fmin} is not below fmax={settings.fmax}. Lower fmin or raise fmax."
    return None


def _check_choice(name, given, known, expected):
    """Return the chosen names as a tuple, after checking them."""
    chosen = (given,) if isinstance(given, str) else tuple(given)
    unknown = [one for one in chosen if not (isinstance(one, str) and known(one))]
    if isinstance(given, str) or not chosen or unknown:
        raise ValueError(f"{name} is {plain(given)!r}, expected a sequence of {expected}.")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{name} is {plain(given)!r}, expected each entry once.")
    return tuple(map(str, chosen))


class LibrosaExtractor(RecordingTransformer):
    """Compute statistics over time of librosa's features for recordings.

    Each feature is a contour with one or several values per frame, computed by
    librosa [1]_; each statistic reduces a contour to one number. The values are
    those of librosa's functions, which share one spectrum here.

    ====================== ========================= ==============================
    feature                columns                   librosa
    ====================== ========================= ==============================
    ``mfcc``               `n_mfcc`                  ``feature.mfcc``
    ``mel``                `n_mels`, in dB           ``feature.melspectrogram``
    ``chroma``             12                        ``feature.chroma_stft``
    ``tonnetz``            6, of ``chroma``          ``feature.tonnetz``
    ``spectral_contrast``  `n_bands` + 1, in dB      ``feature.spectral_contrast``
    ``spectral_centroid``  1, in Hz                  ``feature.spectral_centroid``
    ``spectral_bandwidth`` 1, in Hz                  ``feature.spectral_bandwidth``
    ``spectral_rolloff``   1, in Hz                  ``feature.spectral_rolloff``
    ``spectral_flatness``  1                         ``feature.spectral_flatness``
    ``zero_crossing_rate`` 1                         ``feature.zero_crossing_rate``
    ``rms``                1                         ``feature.rms`` of the samples
    ====================== ========================= ==============================

    ``delta_`` and ``delta2_`` before a name, ``delta_mfcc`` for example, give
    its first and second derivative over 9 frames (``feature.delta``).

    Parameters
    ----------
    features : sequence of str
        The features, from the table above; columns follow in this order. By
        default all but ``tonnetz``, and ``delta_mfcc``.
    statistics : sequence of str, default=("mean", "std")
        Of "mean", "std" (the square root of the mean squared deviation), "min",
        "max", "range", "median", "skew", "kurtosis" (0 for a normal
        distribution), and percentiles such as "p20" or "p97.5". Skewness and
        kurtosis of a constant contour are 0.
    n_fft : int, default=2048
        Samples per frame: a longer frame resolves frequency better and time
        worse. Recordings shorter than a frame are padded with zeros.
    hop_length : int, default=512
        Samples from one frame to the next.
    win_length : int or None, default=None
        Length of the Hann window in samples, at most `n_fft`. None means
        `n_fft`.
    n_mfcc : int, default=20
        Number of cepstral coefficients, from the zeroth, at most `n_mels`.
    n_mels : int, default=128
        Number of mel bands of ``mel`` and ``mfcc``.
    fmin, fmax : float, default=0 and None
        Lowest and highest frequency of the mel bands in Hz; None means half the
        sampling rate.
    n_bands : int, default=6
        Number of octaves of ``spectral_contrast``. The first starts at 200 Hz;
        the last must start below half the sampling rate.
    roll_percent : float, default=0.85
        Share of the spectrum that lies below the frequency ``spectral_rolloff``.
    tuning : float or None, default=0.0
        Deviation from A440 in fractions of a semitone that ``chroma`` assumes.
        None estimates it from each recording, as librosa does by default; in
        speech that is slow and measures nothing.
    sampling_rate : int or None, default=16000
        Rate in Hz that files are resampled to, and that waveforms are assumed
        to have. None keeps the rate of every file (and refuses waveforms);
        frames then have different durations in files of different rates.
    max_duration : float, default=14400
        Longest allowed duration in seconds; a longer recording is an error.
    cache : str, path-like or None, default=None
        File that stores the computed rows, as in `EGeMAPSExtractor`. Different
        extractors may share one file. None stores nothing.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`: None means 1 unless in a
        `joblib.parallel_config` context; -1 means all cores.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read or used: "raise"
        stops with an error that names it, "nan" gives a row of NaN and one
        `ExtractionWarning` that names them all.
    verbose : int or bool, default=0
        Above 0, a progress bar is shown on a terminal; elsewhere a line is printed for each
        thousand recordings and at the end.

    See Also
    --------
    sklearn_ser.features.EGeMAPSExtractor : The 88 eGeMAPSv02 functionals.
    sklearn_ser.features.FunctionExtractor : Features from your own function.

    Notes
    -----
    Column names consist of the feature, the row of librosa's array and the
    statistic: ``mfcc0_mean``, ``rms_std``. As in librosa, decibels are clipped
    80 dB below the loudest band of the recording, also for MFCC.

    The transformer is stateless: `transform` needs no `fit`, and the rows do
    not depend on which recordings come together or in which order. librosa is
    imported at the first row; ``pip install 'sklearn-ser[librosa]'`` installs it.

    References
    ----------
    .. [1] B. McFee et al. (2015). librosa: Audio and music signal analysis in
       Python. Proceedings of the 14th Python in Science Conference, 18-24.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import LibrosaExtractor
    >>> time = np.arange(16000) / 16000
    >>> recordings = [0.2 * np.sin(2 * np.pi * f * time) for f in (500, 1500)]
    >>> extractor = LibrosaExtractor(
    ...     features=("spectral_centroid", "spectral_rolloff"), statistics=("median",)
    ... ).set_output(transform="pandas")
    >>> extractor.transform(recordings).round()
       spectral_centroid_median  spectral_rolloff_median
    0                     500.0                    508.0
    1                    1500.0                   1508.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "features": ["array-like"],
        "statistics": ["array-like"],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "win_length": [Interval(Integral, 1, None, closed="left"), None],
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "n_bands": [Interval(Integral, 1, None, closed="left")],
        "roll_percent": [Interval(Real, 0, 1, closed="neither")],
        "tuning": [Interval(Real, -1, 1, closed="both"), None],
    }

    def __init__(
        self,
        *,
        features=(
            "mfcc",
            "delta_mfcc",
            "mel",
            "chroma",
            "spectral_contrast",
            "spectral_centroid",
            "spectral_bandwidth",
            "spectral_rolloff",
            "spectral_flatness",
            "zero_crossing_rate",
            "rms",
        ),
        statistics=("mean", "std"),
        n_fft=2048,
        hop_length=512,
        win_length=None,
        n_mfcc=20,
        n_mels=128,
        fmin=0.0,
        fmax=None,
        n_bands=6,
        roll_percent=0.85,
        tuning=0.0,
        sampling_rate=16000,
        max_duration=MAXIMUM_DURATION,
        cache=None,
        n_jobs=None,
        on_error="raise",
        verbose=0,
    ):
        super().__init__(
            sampling_rate=sampling_rate,
            max_duration=max_duration,
            cache=cache,
            n_jobs=n_jobs,
            on_error=on_error,
            verbose=verbose,
        )
        self.features = features
        self.statistics = statistics
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.n_mfcc = n_mfcc
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.n_bands = n_bands
        self.roll_percent = roll_percent
        self.tuning = tuning

    def _settings(self):
        features = _check_choice(
            "features",
            self.features,
            lambda feature: split(feature)[0] in ROWS,
            f"{', '.join(ROWS)}, each also with delta_ or delta2_ before it",
        )
        statistics = _check_choice(
            "statistics",
            self.statistics,
            lambda name: name in STATISTICS or PERCENTILE.fullmatch(name),
            f"{', '.join(STATISTICS)}, or percentiles such as p20",
        )
        settings = Settings(
            features,
            statistics,
            n_fft=int(self.n_fft),
            hop_length=int(self.hop_length),
            win_length=None if self.win_length is None else int(self.win_length),
            n_mfcc=int(self.n_mfcc),
            n_mels=int(self.n_mels),
            fmin=float(self.fmin),
            fmax=None if self.fmax is None else float(self.fmax),
            n_bands=int(self.n_bands),
            roll_percent=float(self.roll_percent),
            tuning=None if self.tuning is None else float(self.tuning),
        )
        problem = _problem(settings)
        if problem is None and self.sampling_rate is not None:
            problem = rate_problem(settings, self.sampling_rate)
        if problem is not None:
            raise ValueError(f"Parameters contradict each other: {problem}")
        return settings

    def _function(self):
        return functools.partial(librosa_row, settings=self._settings())

    def _names(self):
        settings = self._settings()
        names = []
        for feature in settings.features:
            n_rows = ROWS[split(feature)[0]](settings)
            rows = [f"{feature}{i}" for i in range(n_rows)] or [feature]
            names += [f"{row}_{statistic}" for row in rows for statistic in settings.statistics]
        return tuple(names)

    @property
    def feature_set_name(self):
        """Name of the features with the versions of what computes them, str."""
        return self._versioned(f"librosa {_librosa_version()}", _ALGORITHM)

    def _recipe(self):
        settings = self._settings()._asdict()
        return {
            "algorithm": "librosa",
            "version": _ALGORITHM,
            "librosa": _librosa_version(),
            **settings,
            "features": list(settings["features"]),
            "statistics": list(settings["statistics"]),
        }
