"""The transformer that applies any function of a waveform to recordings."""

import functools
from numbers import Integral
from typing import ClassVar

import numpy as np

from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.exceptions import AudioError
from sklearn_ser.features._extractor import RecordingTransformer
from sklearn_ser.features._identity import CannotTellError, digest, qualified_name, unbind
from sklearn_ser.utils._messages import plain

__all__ = ["FunctionExtractor"]

# These tell of a mistake in the function or of a machine that gives up, not of the recording.
_NOT_THE_RECORDINGS = (AttributeError, ImportError, MemoryError, NameError, TypeError)


def _called(func):
    """Return the name of func that messages use."""
    return qualified_name(unbind(func)[0]).rpartition(".")[2]


def _as_row(values, names, called):
    """Return what a function gave for a recording as one number for each name."""
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
            f"{called} returned {type(values).__name__} that is no array of real numbers, "
            f"expected {len(names)} numbers. Return an array, a list or a mapping of them."
        )
    if row.shape != (len(names),):
        raise ValueError(
            f"{called} returned an array of shape {row.shape}, expected ({len(names)},), one "
            f"number for each of the names {plain(list(names))}. Return as many numbers for every "
            "recording, or change the names."
        )
    with np.errstate(over="ignore"):
        return row.astype(np.float32)


def _compute(y, sr, *, func, names, kw_args, allow_nan):
    called = _called(func)
    try:
        values = func(y, sr, **kw_args)
    except (AudioError, *_NOT_THE_RECORDINGS):
        raise
    except Exception as error:
        # Libraries raise what they like; nobody can list the types beforehand.
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
    """Compute features of recordings with a function of your own.

    The function gets one waveform and its sampling rate; reading, resampling,
    processes, the cache, progress and errors are those of `EGeMAPSExtractor`.

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
        What identifies `func` in the cache. None: its code, together with the
        functions and constants of its own module that it uses. After a change
        of these, and with most new versions of Python, rows are computed anew;
        a change in another module or library goes unnoticed. Otherwise: its
        name and this version, which you change whenever the values change. The
        only way to cache a function that uses objects, such as a fitted model.
        Without `cache` it has no effect.
    allow_nan : bool, default=False
        Whether `func` may return NaN for a value that a recording does not
        have. If not, such a recording is an error. Infinite values always are.
    sampling_rate : int or None, default=16000
        Rate in Hz that files are resampled to, and at which waveforms are
        taken to be. None keeps the rate of every file (and refuses waveforms).
    max_duration : float, default=14400
        Seconds that a recording may last; a longer one is an error.
    cache : str, path-like or None, default=None
        A file that keeps the computed rows, as in `EGeMAPSExtractor`, so that
        no recording is computed twice with the same parameters. Extractors of
        all kinds may share one file. None keeps nothing.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`: None means 1 unless in a
        `joblib.parallel_config` context, -1 means all cores. Lambdas and
        functions of a notebook work in several processes, too.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read, for which `func`
        raises an exception, or whose values are not finite: "raise" stops with
        an `AudioError` that names it, "nan" gives a row of NaN and one
        `ExtractionWarning` that names them all. Exceptions that tell of a
        mistake in the program rather than of the recording (AttributeError,
        ImportError, MemoryError, NameError, TypeError, and the ValueError for a
        result of wrong shape) always stop.
    verbose : int or bool, default=0
        Shows a progress bar if above 0 and the output is a terminal.

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

    def _recipe(self):
        func, bound = unbind(self.func)
        module = getattr(func, "__module__", None) or type(func).__module__
        try:
            arguments = digest([bound, self.kw_args or {}], module)
        except CannotTellError as error:
            raise ValueError(
                f"kw_args holds {error}, expected numbers, text, arrays and collections of them "
                "where rows are cached. Let func itself use the object and give a version, or "
                "set cache=None."
            ) from None
        return {
            "algorithm": "function",
            "function": self._identity(func, module),
            "arguments": arguments,
            "names": list(self._names()),
            "allow_nan": bool(self.allow_nan),
        }

    def _identity(self, func, module):
        if self.version is not None:
            return {"name": qualified_name(func), "version": str(self.version)}
        try:
            return {"code": digest(func, module)}
        except CannotTellError as error:
            raise ValueError(
                f"{_called(func)} uses {error}, and the cache cannot see when its values change. "
                "Give a version, version=1 for example, and another whenever they do, or set "
                "cache=None."
            ) from None
