"""Transformers that compute one row of features for each recording."""

import contextlib
import json
import os
import warnings
from abc import ABCMeta, abstractmethod
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context, validate_parameters
from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.exceptions import AudioWarning, ExtractionWarning
from sklearn_ser.features._batches import BatchExtraction
from sklearn_ser.features._cache import FeatureCache
from sklearn_ser.features._extraction import Extraction, in_parts
from sklearn_ser.features._progress import Progress
from sklearn_ser.features._recordings import as_recordings
from sklearn_ser.features._worker import name_of
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["RecordingTransformer"]

# Raising one of these makes stored rows invalid. Raise it when values change by more than
# rounding, or when other recordings are refused or warned about: _READING for changes in
# reading (2: files are read to their end, and remarks are stored with the row), _ALGORITHM for
# changes in the features.
_READING = 2

# Number of recordings of one kind that a warning names.
_SHOWN = 5


def _plain(value):
    """Convert NumPy scalars and arrays to types that JSON knows."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a recipe holds {plain(value)!r}, expected numbers, text, lists and dicts")


def _warn_of_remarks(recordings, remarks):
    """Issue one warning for all recordings, by kind of remark."""
    by_kind = {}
    for i in sorted(remarks):
        for kind, text in remarks[i]:
            by_kind.setdefault(kind, []).append(f"{name_of(recordings[i], i)} ({text})")
    kinds = []
    for kind, names in by_kind.items():
        more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
        kinds.append(f"{kind}, {len(names)}: " + "; ".join(names[:_SHOWN] + more))
    warnings.warn(
        f"{len(remarks)} of {len(recordings)} recordings have features but seem to be damaged. "
        + " ".join(kinds),
        AudioWarning,
        stacklevel=caller_stacklevel(),
    )


class RecordingTransformer(TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of transformers that compute one row of features per recording.

    It handles inputs, the cache, processes, progress and errors. A subclass
    defines what is computed: `_function` returns a picklable function of
    ``(y, sr)`` that returns a row, and `_names` the names of the columns.
    `_recipe`, needed only with a cache, returns what identifies the values. The
    parameters are those of `EGeMAPSExtractor`.
    """

    _parameter_constraints: ClassVar[dict] = {
        "sampling_rate": [Interval(Integral, 4000, 1_000_000, closed="both"), None],
        "max_duration": [Interval(Real, 0, None, closed="neither")],
        "cache": [str, os.PathLike, None],
        "n_jobs": [Integral, None],
        "on_error": [StrOptions({"raise", "nan"})],
        "verbose": [Interval(Real, 0, None, closed="left"), "boolean"],
    }

    # Default for objects that were saved before the parameter existed.
    max_duration = MAXIMUM_DURATION

    # True for `AudioAugmenter`: inside another transformer, which calls only `transform`, it would
    # change nothing, and nobody would notice.
    _is_outermost = False

    # What `AudioAugmenter` sets in a copy: how recordings are changed before features are computed.
    _augmentation = None

    def __init__(
        self,
        *,
        sampling_rate=16000,
        max_duration=MAXIMUM_DURATION,
        cache=None,
        n_jobs=None,
        on_error="raise",
        verbose=0,
    ):
        self.sampling_rate = sampling_rate
        self.max_duration = max_duration
        self.cache = cache
        self.n_jobs = n_jobs
        self.on_error = on_error
        self.verbose = verbose

    @abstractmethod
    def _function(self):
        """Return the picklable function of ``(y, sr)`` that computes a row."""

    @abstractmethod
    def _names(self):
        """Return the names of the columns."""

    def _computed(self):
        """Return how many values are computed and stored, and which of them are the columns.

        None stands for all.
        """
        return len(self._names()), None

    def _recipe(self):
        """Return algorithm, version and parameters of the values, as a dict for JSON."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define what its values depend on, which cache="
            f"{self.cache!r} requires. Define its method _recipe, or set cache=None."
        )

    @property
    def feature_set_name(self):
        """Name of the features with the version of what computes them, str.

        Reports and model cards show it. Two tables of features are comparable if their names and
        the parameters of the extractors are equal.
        """
        try:
            recipe = self._recipe()
        except NotImplementedError:
            return f"{type(self).__name__}, no version"
        return self._versioned(recipe["algorithm"], recipe.get("version"))

    def _versioned(self, name, version):
        # The version that is part of the key of stored rows as well.
        return f"{name}, sklearn-ser {version}"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the type of `X`; nothing is learnt.

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
            sampled at `sampling_rate`.

        Returns
        -------
        ndarray of shape (n_recordings, n_features), dtype float32
            Each row depends on its own recording alone.

        Raises
        ------
        ValueError
            X is not a collection of recordings, or holds waveforms of unknown
            sampling rate.
        AudioError, FileNotFoundError
            A recording cannot be read or used, and `on_error` is "raise". The
            message names it. Rows computed until then are in the cache.
        CacheError
            `cache` is not a feature cache, or is damaged. It was left unchanged.

        Warns
        -----
        AudioWarning
            Recordings are cut off, clipped, silent or otherwise doubtful; see
            `sklearn_ser.audio.load_audio`. One warning names all of them.
        ExtractionWarning
            Recordings have no features, and `on_error` is "nan".
        """
        validate_parameters(self)
        recordings = self._recordings(X)
        stop = self.on_error == "raise"
        [(_, out, errors)] = self._transform_parts(recordings, len(recordings), stop=stop)
        if errors:
            failed = [f"{name_of(recordings[i], i)} ({errors[i]})" for i in sorted(errors)]
            warnings.warn(
                f"{len(failed)} of {len(recordings)} recordings have no features, their rows are "
                "NaN: " + "; ".join(failed),
                ExtractionWarning,
                stacklevel=caller_stacklevel(),
            )
        return out

    def transform_usable(self, X):
        """Compute the features of the recordings that can be used, and say why others cannot.

        `on_error` is not looked at: no recording stops the others.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            See `transform`.

        Returns
        -------
        rows : ndarray of shape (n_usable, n_features), dtype float32
            A row for each recording that can be used, in the order of `X`.
        usable : ndarray of shape (n_recordings,), dtype bool
            Which recordings these are.
        errors : dict of int to Exception
            For each other recording, by its position in `X`, the error that `transform` would
            have raised.

        Raises
        ------
        ValueError, CacheError
            As for `transform`.

        Warns
        -----
        AudioWarning
            As for `transform`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_ser import EGeMAPSExtractor
        >>> recordings = [np.random.default_rng(0).normal(size=16000) / 10, "absent.wav"]
        >>> rows, usable, errors = EGeMAPSExtractor().transform_usable(recordings)
        >>> rows.shape, usable.tolist()
        ((1, 88), [True, False])
        >>> type(errors[1]).__name__
        'FileNotFoundError'
        """
        validate_parameters(self)
        recordings = self._recordings(X)
        [(_, rows, errors)] = self._transform_parts(recordings, len(recordings), stop=False)
        usable = np.array([i not in errors for i in range(len(recordings))])
        return rows[usable], usable, errors

    def transform_parts(self, X, size=4096):
        """Compute features part by part, for collections whose table exceeds the memory.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            See `transform`.
        size : int, default=4096
            Number of recordings in a part; the last may have fewer. Besides the part that is
            yielded, the rows of `size` recordings (1,024 per process, or 16 MB, if that is more)
            may be in memory: where one recording takes long, the others wait for it.

        Yields
        ------
        start : int
            Position of the first recording of the part in `X`.
        rows : ndarray of shape (size, n_features), dtype float32
            A row for each recording of the part; NaN where there is an error.
        errors : dict of int to Exception
            The errors of the part by position in `X`. If `on_error` is "raise", the first one
            is raised instead.
        """
        validate_parameters(self)
        if size < 1:
            raise ValueError(f"size={size}: a part must have at least one recording.")
        stop = self.on_error == "raise"
        return self._transform_parts(self._recordings(X), size, stop=stop)

    def _transform_parts(self, recordings, size, *, stop):
        """Yield start, rows and errors of each part."""
        function, (n_computed, columns) = self._function(), self._computed()
        n_columns = n_computed if columns is None else len(columns)
        with (
            self._open_cache(n_computed) as cache,
            Progress(len(recordings), type(self).__name__, shown=bool(self.verbose)) as progress,
        ):
            extraction = (BatchExtraction if hasattr(function, "rows") else Extraction)(
                function,
                n_computed,
                columns=columns,
                sampling_rate=self._rate(),
                max_duration=self.max_duration,
                cache=cache,
                n_jobs=self.n_jobs,
                size=size,
                stop=stop,
                progress=progress,
                augment=self._augmentation,
            )
            outcomes = extraction.run(recordings)
            yield from in_parts(outcomes, len(recordings), n_columns, size)
        if extraction.remarks:
            _warn_of_remarks(recordings, extraction.remarks)

    def _rate(self):
        """Return the rate as a plain number: compiled functions distinguish types."""
        return None if self.sampling_rate is None else int(self.sampling_rate)

    def _open_cache(self, n_columns):
        if self.cache is None:
            return contextlib.nullcontext()
        recipe = {
            "reading": _READING,
            "sampling_rate": self._rate(),
            "features": self._recipe(),
        }
        if self._augmentation is not None:
            recipe["augmentation"] = self._augmentation.recipe()
        text = json.dumps(recipe, sort_keys=True, allow_nan=False, default=_plain)
        return FeatureCache(self.cache, text, n_columns)

    def _recordings(self, X):
        recordings = as_recordings(X)
        if self.sampling_rate is None and not all(isinstance(item, str) for item in recordings):
            raise ValueError(
                "X holds waveforms and sampling_rate=None, which takes the rate from files: set "
                "sampling_rate to the rate the waveforms were taken at, or pass paths."
            )
        return recordings

    def get_feature_names_out(self, input_features=None):
        """Name the columns of the result.

        Parameters
        ----------
        input_features : None
            Ignored: the names do not depend on those of the input.

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
