"""Transformers from recordings to one row of features each."""

import os
import warnings
from abc import ABCMeta, abstractmethod
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, TransformerMixin

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context
from sklearn_ser._validation import caller_stacklevel
from sklearn_ser.audio import check_waveform, load_audio
from sklearn_ser.exceptions import AudioError, ExtractionWarning
from sklearn_ser.features._egemaps import FUNCTIONAL_NAMES, egemaps

__all__ = ["EGeMAPSExtractor", "RecordingTransformer"]

_EXPECTED = (
    "expected a list, array, Series or one-column DataFrame of paths, or a list of "
    "one-dimensional float waveforms"
)


def _is_path(item):
    return isinstance(item, str | os.PathLike)


def as_recordings(X):
    """Return the recordings in X as a list of paths (text) and waveforms (arrays).

    Raises
    ------
    ValueError
        X is no collection of recordings.
    """
    if _is_path(X):
        raise ValueError(f"X is the single path {os.fspath(X)!r}, {_EXPECTED}. Write [path].")
    if getattr(X, "ndim", 1) == 2:
        if X.shape[1] != 1:
            names = f" ({', '.join(map(str, X.columns))})" if hasattr(X, "columns") else ""
            raise ValueError(
                f"X has {X.shape[1]} columns{names}, {_EXPECTED}. Select the column of paths, "
                "or pass list(X) if the rows are waveforms."
            )
        X = X.iloc[:, 0] if hasattr(X, "iloc") else np.asarray(X)[:, 0]
    if getattr(X, "ndim", 1) != 1 or not hasattr(X, "__len__"):
        raise ValueError(f"X is {type(X).__name__}, {_EXPECTED}.")
    items = list(X)
    if not items:
        raise ValueError(f"X holds 0 recordings, {_EXPECTED}, at least one.")
    for i, item in enumerate(items):
        if _is_path(item):
            items[i] = os.fspath(item)
        elif np.ndim(item) == 0 or isinstance(item, bytes):
            raise ValueError(f"Recording {i} of X is {item!r}, {_EXPECTED}.")
        else:
            items[i] = np.asarray(item)
    return items


def _name(item, i):
    return item if isinstance(item, str) else f"waveform {i}"


def _anchored(item):
    # A reused worker process keeps the working directory it was started in.
    return os.path.abspath(item) if isinstance(item, str) else item


def _compute_row(function, item, i, sampling_rate):
    """Return the features of one recording, or the error that prevented them."""
    try:
        if isinstance(item, str):
            y, sr = load_audio(item, sampling_rate)
        else:
            y, sr = check_waveform(item, sampling_rate, name=_name(item, i)), sampling_rate
        return function(y, sr)
    except (AudioError, OSError) as error:
        return error


class RecordingTransformer(TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """From recordings to rows, one recording at a time: inputs, errors, processes, progress.

    A subclass says what is computed: `_function`, a picklable function of
    ``(y, sr)`` that returns a row, and the names of its columns.
    """

    _parameter_constraints: ClassVar[dict] = {
        "sampling_rate": [Interval(Integral, 1000, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "on_error": [StrOptions({"raise", "nan"})],
        "verbose": [Interval(Real, 0, None, closed="left"), "boolean"],
    }

    def __init__(self, *, sampling_rate=16000, n_jobs=None, on_error="raise", verbose=0):
        self.sampling_rate = sampling_rate
        self.n_jobs = n_jobs
        self.on_error = on_error
        self.verbose = verbose

    @abstractmethod
    def _function(self):
        """Return the picklable function of ``(y, sr)`` that computes a row."""

    @abstractmethod
    def _names(self):
        """Return the names of the columns."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the kind of `X`; there is nothing to learn.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            See `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        self._recordings(X)
        return self

    def transform(self, X):
        """Compute one row of features for each recording.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            A list, array of shape (n,) or (n, 1), Series or one-column
            DataFrame of paths, or a list of one-dimensional float waveforms
            that were taken at `sampling_rate`.

        Returns
        -------
        ndarray of shape (n_recordings, n_features), dtype float32
            Each row depends on its own recording alone.

        Raises
        ------
        ValueError
            X is no collection of recordings, or holds waveforms of unknown
            sampling rate.
        AudioError, FileNotFoundError
            A recording cannot be read or used, and `on_error` is "raise". The
            message names it.
        """
        self._validate_params()
        recordings = self._recordings(X)
        function = self._function()
        results = Parallel(n_jobs=self.n_jobs, return_as="generator")(
            delayed(_compute_row)(function, _anchored(item), i, self.sampling_rate)
            for i, item in enumerate(recordings)
        )
        out = np.full((len(recordings), len(self._names())), np.nan, np.float32)
        failed = []
        for i, row in enumerate(self._progress(results, len(recordings))):
            if not isinstance(row, Exception):
                out[i] = row
            elif self.on_error == "raise":
                raise row
            else:
                failed.append(f"{_name(recordings[i], i)} ({row})")
        if failed:
            warnings.warn(
                f"{len(failed)} of {len(recordings)} recordings have no features, their rows are "
                "NaN: " + "; ".join(failed),
                ExtractionWarning,
                stacklevel=caller_stacklevel(),
            )
        return out

    def _recordings(self, X):
        recordings = as_recordings(X)
        if self.sampling_rate is None and not all(isinstance(item, str) for item in recordings):
            raise ValueError(
                "X holds waveforms and sampling_rate=None, which takes the rate from files: set "
                "sampling_rate to the rate the waveforms were taken at, or pass paths."
            )
        return recordings

    def _progress(self, results, total):
        if not self.verbose:
            return results
        from tqdm.auto import tqdm

        # disable=None: no bar where the output is no terminal.
        return tqdm(results, total=total, unit="file", desc=type(self).__name__, disable=None)

    def get_feature_names_out(self, input_features=None):
        """Name the columns of the result.

        Parameters
        ----------
        input_features : None
            Ignored: the names do not depend on the input's.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
        """
        return np.array(self._names(), dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags


class EGeMAPSExtractor(RecordingTransformer):
    """Compute the 88 eGeMAPSv02 functionals of recordings.

    The first step of a pipeline that takes audio paths. Files of any rate,
    depth and number of channels become mono at one sampling rate; each then
    gives the functionals of the extended Geneva Minimalistic Acoustic
    Parameter Set, version 2, with openSMILE's names, order and values [1]_.

    Parameters
    ----------
    sampling_rate : int or None, default=16000
        Rate in Hz that files are resampled to, and at which waveforms are
        taken to be. Loudness, jitter, shimmer and formants depend on it, so
        that corpora recorded at several rates are comparable at one rate only.
        None keeps the rate of every file (and refuses waveforms); it exists to
        reproduce results that were published without resampling.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`: None means 1 unless in a
        `joblib.parallel_config` context, -1 means all cores. The values do
        not depend on it.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read or used: "raise"
        stops with an error that names it, "nan" gives a row of NaN and one
        `ExtractionWarning` that names them all.
    verbose : int or bool, default=0
        Shows a progress bar if above 0 and the output is a terminal.

    See Also
    --------
    sklearn_ser.features.egemaps : The same for one signal.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`, and the rows do
    not depend on which recordings come together or in which order.

    References
    ----------
    .. [1] F. Eyben et al. (2016). The Geneva Minimalistic Acoustic Parameter
       Set (GeMAPS) for voice research and affective computing. IEEE
       Transactions on Affective Computing 7(2), 190-202.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import EGeMAPSExtractor
    >>> rng = np.random.default_rng(0)
    >>> recordings = [rng.normal(size=8000) / 10, rng.normal(size=16000) / 10]
    >>> extractor = EGeMAPSExtractor().set_output(transform="pandas")
    >>> extractor.transform(recordings).iloc[:, 10:12].round(2)
       loudness_sma3_amean  loudness_sma3_stddevNorm
    0                 2.16                      0.02
    1                 2.14                      0.02
    """

    def _function(self):
        return egemaps

    def _names(self):
        return FUNCTIONAL_NAMES
