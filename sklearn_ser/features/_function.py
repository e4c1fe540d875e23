"""The transformer that applies any function of a waveform to recordings."""

import functools
from numbers import Integral
from typing import ClassVar

import numpy as np

from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.exceptions import AudioError
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.utils._callables import (
    MISTAKES,
    called_name,
    digest_of_arguments,
    qualified_name,
    unbind,
)
from sklearn_ser.utils._messages import plain

__all__ = ["FunctionExtractor"]


def _as_row(values, names, called):
    """Return the result of a function as one number for each name."""
    if hasattr(values, "keys"):
        keys = list(values.keys())
        if set(keys) != set(names):
            missing = [name for name in names if name not in keys]
            unknown = [key for key in keys if key not in names]
            raise ValueError(
                f"{called} returned the names {plain(keys)}, expected {plain(list(names))}: "
                f"{plain(missing)} are missing, {plain(unknown)} are unknown. Change names or what "
                f"the function returns."
            )
        values = [values[name] for name in names]
    try:
        row = np.asarray(values)
    except ValueError:
        row = np.asarray(None)
    if row.ndim == 0 and len(names) == 1:
        row = row[None]
    if row.dtype.kind not in "biuf":
        raise ValueError(
            f"{called} returned {type(values).__name__} that is not an array of real numbers, "
            f"expected {len(names)} numbers. Return an array, list or mapping of numbers."
        )
    if row.shape != (len(names),):
        raise ValueError(
            f"{called} returned an array of shape {row.shape}, expected ({len(names)},), one "
            f"number for each of the names {plain(list(names))}. Return that many numbers for "
            "every recording, or change the names."
        )
    with np.errstate(over="ignore"):
        return row.astype(np.float32)


def _compute(y, sr, *, func, names, kw_args, allow_nan):
    called = called_name(func)
    try:
        values = func(y, sr, **kw_args)
    except (AudioError, *MISTAKES):
        raise
    except Exception as error:
        # The function may call any library, so the types of its exceptions are unknown.
        raise AudioError(f"{called} raised {type(error).__name__}: {error}") from error
    row = _as_row(values, names, called)
    wrong = np.isinf(row) if allow_nan else ~np.isfinite(row)
    if wrong.any():
        columns = ", ".join(f"{names[i]}={row[i]}" for i in np.flatnonzero(wrong)[:5])
        raise AudioError(
            f"{called} returned {np.count_nonzero(wrong)} of {len(row)} values that are NaN or "
            f"infinite as float32 ({columns}), expected finite numbers"
            + (" or NaN." if allow_nan else ". If NaN stands for a missing value, set allow_nan.")
        )
    return row


class FunctionExtractor(RecordingTransformer):
    """Compute features of recordings with your own function.

    The function gets one waveform and its sampling rate. Reading, resampling,
    processes, the cache, progress and errors work as in `EGeMAPSExtractor`.

    Parameters
    ----------
    func : callable
        Called as ``func(y, sr, **kw_args)`` with the samples, a float32 array
        of shape (n_samples,), and their rate in Hz. Returns one number for each
        name: an array or a list in the order of `names`, a mapping or Series
        from name to number in any order, or the number itself if there is one
        name. The values must depend on its arguments alone.
    names : sequence of str
        Names of the columns, all different.
    kw_args : dict or None, default=None
        Further keyword arguments of `func`.
    version : str, int or None, default=None
        Version of `func`, required with `cache`: rows are stored under the
        module and name of `func`, this version, and the other parameters that
        affect values. Change it whenever the values of `func` change; rows of
        the old version are then no longer used. Functions that have the same
        module and name, such as all lambdas of a module, need different
        versions. Without `cache` it has no effect.
    allow_nan : bool, default=False
        Whether `func` may return NaN for a value that a recording does not
        have. If not, such a recording is an error. Infinite values always are.
    sampling_rate : int or None, default=16000
        Rate in Hz that files are resampled to, and that waveforms are assumed
        to have. None keeps the rate of every file (and refuses waveforms).
    max_duration : float, default=14400
        Longest allowed duration in seconds; a longer recording is an error.
    cache : str, path-like or None, default=None
        File that stores the computed rows, as in `EGeMAPSExtractor`; it needs
        `version`. Different extractors may share one file. None stores nothing.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`: None means 1 unless in a
        `joblib.parallel_config` context; -1 means all cores. Lambdas and
        functions of a notebook work in several processes, too.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read, for which `func`
        raises an exception, or whose values are not finite: "raise" stops with
        an `AudioError` that names it, "nan" gives a row of NaN and one
        `ExtractionWarning` that names them all. Exceptions that indicate a
        mistake in the program rather than a bad recording (AttributeError,
        ImportError, MemoryError, NameError, TypeError, and the ValueError for a
        result of wrong shape) always stop the extraction.
    verbose : int or bool, default=0
        Above 0, a progress bar is shown on a terminal; elsewhere a line is printed for each
        thousand recordings and at the end.

    See Also
    --------
    sklearn_ser.features.EGeMAPSExtractor : The 88 eGeMAPSv02 functionals.
    sklearn_ser.features.LibrosaExtractor : Statistics of librosa's features.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`, and the rows do
    not depend on which recordings come together or in which order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import FunctionExtractor
    >>> def level_and_crossings(y, sr):
    ...     crossings = np.count_nonzero(np.diff(np.signbit(y)))
    ...     return {"rms": np.sqrt(np.mean(y**2)), "crossings_per_s": crossings * sr / len(y)}
    >>> extractor = FunctionExtractor(level_and_crossings, names=["rms", "crossings_per_s"])
    >>> time = np.arange(8000) / 16000
    >>> recordings = [0.2 * np.sin(2 * np.pi * f * time + 1) for f in (100, 300)]
    >>> extractor.set_output(transform="pandas").transform(recordings).round(3)
         rms  crossings_per_s
    0  0.141            200.0
    1  0.141            600.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "func": [callable],
        "names": ["array-like"],
        "kw_args": [dict, None],
        "version": [str, Integral, None],
        "allow_nan": ["boolean"],
    }

    def __init__(
        self,
        func,
        names,
        *,
        kw_args=None,
        version=None,
        allow_nan=False,
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
        self.func = func
        self.names = names
        self.kw_args = kw_args
        self.version = version
        self.allow_nan = allow_nan

    def _function(self):
        return functools.partial(
            _compute,
            func=self.func,
            names=self._names(),
            kw_args=self.kw_args or {},
            allow_nan=bool(self.allow_nan),
        )

    def _names(self):
        names = () if isinstance(self.names, str) else tuple(self.names)
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError(
                f"names is {plain(self.names)!r}, expected at least one column name, all of "
                f"them text."
            )
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(
                f"names holds {plain(repeated)} more than once, expected different names."
            )
        return tuple(map(str, names))

    @property
    def feature_set_name(self):
        """Name of the function with its `version`, str."""
        version = "no version" if self.version is None else f"version {self.version}"
        return f"{called_name(self.func)}, {version}"

    def _recipe(self):
        # No digest of the code: it would change with versions of Python, and would miss
        # changes in the libraries that the function calls.
        if self.version is None:
            raise ValueError(
                f"version is None, and cache={self.cache!r} cannot know when "
                f"{called_name(self.func)} changes. Set version=1 for example, and another version "
                "whenever its values change, or set cache=None."
            )
        func, bound = unbind(self.func)
        return {
            "algorithm": "function",
            "function": {"name": qualified_name(func), "version": str(self.version)},
            "arguments": digest_of_arguments(bound, self.kw_args or {}),
            "names": list(self._names()),
            "allow_nan": bool(self.allow_nan),
        }
