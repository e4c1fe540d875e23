"""The transformer from recordings to the 88 functionals of eGeMAPSv02."""

import functools
from typing import ClassVar

from sklearn_ser._sklearn import StrOptions
from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.features._egemaps import FUNCTIONAL_NAMES, VARIANTS, functionals
from sklearn_ser.features._egemaps._compiled import warn_if_not_kept
from sklearn_ser.features._transformer import RecordingTransformer

__all__ = ["EGeMAPSExtractor"]

# Raise it, and stored rows are computed again: when a value changes by more than rounding.
_ALGORITHM = 1


class EGeMAPSExtractor(RecordingTransformer):
    """Compute the 88 eGeMAPSv02 functionals of recordings.

    Use it as the first step of a pipeline that takes audio paths. Files of any
    rate, depth and number of channels are converted to mono at one sampling
    rate. The features are the functionals of the extended Geneva Minimalistic
    Acoustic Parameter Set, version 2, with openSMILE's names, order and
    values [1]_.

    Parameters
    ----------
    variant : {"opensmile", "corrected"}, default="opensmile"
        "opensmile" gives openSMILE's values, including its errors, so results
        are comparable to published ones. "corrected" replaces values that are
        something other than their name says, above all the formants; see
        `sklearn_ser.features.egemaps`.
    sampling_rate : int or None, default=16000
        Rate in Hz that files are resampled to, and that waveforms are assumed
        to have. Loudness, jitter, shimmer and formants depend on it, so corpora
        recorded at different rates are comparable only at a common one. None
        keeps the rate of every file (and refuses waveforms); it exists to
        reproduce results that were published without resampling.
    max_duration : float, default=14400
        Longest allowed duration in seconds; a longer recording is an error.
        This bounds memory: small compressed files can hold days of silence.
        Four hours at 16 kHz take 0.9 GB before anything is computed.
    cache : str, path-like or None, default=None
        File that stores the computed rows; created if it does not exist. A
        recording whose content was computed with these parameters before is
        read but not computed again, whatever its name, in any process or fold.
        Rows are written as they are computed, so an interrupted run resumes
        where it stopped. Several processes of one machine may use the file at
        once. Recordings that failed are not stored. The file grows by about
        0.5 kB per recording and is never cleaned up: delete it to start anew.
        None stores nothing.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`: None means 1 unless in a
        `joblib.parallel_config` context, whose backend may be a cluster; -1
        means all cores. Workers read the recordings themselves, by absolute
        path, and use one thread each; the values do not depend on the number of
        workers. Stored rows are looked up without workers.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read or used: "raise"
        stops with an error that names it, "nan" gives a row of NaN and one
        `ExtractionWarning` that names them all.
    verbose : int or bool, default=0
        Above 0, a progress bar is shown on a terminal: seconds of audio
        computed per second, recordings found in the cache, failures, time left.
        Elsewhere a line is printed for each thousand recordings and at the end.

    See Also
    --------
    sklearn_ser.features.egemaps : The same for one signal.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`, and the rows do
    not depend on which recordings come together or in which order. Copies,
    pickles and clones hold the path of the cache, never an open file.

    The cache is a SQLite file with a digest of each recording (32 bytes of
    BLAKE2b), the parameters, the version of the algorithm and the values in
    single precision. If it cannot be written any more, for example on a full
    disk, a `CacheWarning` is issued and extraction continues. On a network
    drive a slower mode is used, in which up to half a second of work may be
    lost when the process is killed; on a local drive, no stored row is lost.

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

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "variant": [StrOptions(set(VARIANTS))],
    }

    def __init__(
        self,
        *,
        variant="opensmile",
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
        self.variant = variant

    def _function(self):
        if self.n_jobs not in (None, 1):
            warn_if_not_kept()
        return functools.partial(functionals, variant=self.variant)

    def _names(self):
        return FUNCTIONAL_NAMES

    @property
    def feature_set_name(self):
        """Name of the features with the version of what computes them, str."""
        variant = "" if self.variant == "opensmile" else f" ({self.variant})"
        return self._versioned(f"eGeMAPSv02{variant}", _ALGORITHM)

    def _recipe(self):
        return {"algorithm": "eGeMAPSv02", "version": _ALGORITHM, "variant": self.variant}
