"""Several kinds of features of recordings, side by side."""

import contextlib
import copy
import warnings
from typing import ClassVar

import numpy as np

from sklearn_ser._sklearn import _fit_context
from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.exceptions import AudioWarning
from sklearn_ser.features._transformer import RecordingTransformer

__all__ = ["ExtractorUnion"]


def _without_remarks(parts):
    """Yield parts without the warnings about recordings, which another extractor has issued."""
    with contextlib.closing(parts):
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AudioWarning)
                part = next(parts, None)
            if part is None:
                return
            yield part


class ExtractorUnion(RecordingTransformer):
    """Put the features of several extractors side by side.

    Like scikit-learn's `FeatureUnion`, and with what the extractors of this package can do
    beyond `transform`: recordings that fail are left out of all of them, tables are written
    part by part, and settings of the machine are given once.

    Parameters
    ----------
    extractors : list of RecordingTransformer
        Their columns follow one another. `fit` fits them in place, as a pipeline does with
        its steps. The following parameters take precedence over their own.
    max_duration : float, default=14400
        Seconds that a recording may last; a longer one is an error.
    cache : str, path-like or None, default=None
        One file for the rows of all extractors.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`. The extractors work one after the other.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that one of them cannot use: "raise" stops, "nan"
        gives a row of NaN and one `ExtractionWarning` that names all such recordings.
    verbose : int or bool, default=0
        Shows a progress bar for each extractor if above 0 and the output is a terminal.

    See Also
    --------
    sklearn.pipeline.make_union : For transformers of any kind.

    Notes
    -----
    Columns are not weighted. Behind a scaler, 88 functionals beside some thousand units of
    an encoder still help, see the user guide on encoders.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor
    >>> from sklearn_ser.features import ExtractorUnion
    >>> def levels(y):
    ...     return np.abs(y[: len(y) // 160 * 160]).reshape(-1, 160)
    >>> union = ExtractorUnion([EGeMAPSExtractor(), EmbeddingExtractor(levels)])
    >>> recordings = [np.random.default_rng(n).normal(0, 0.1, n) for n in (8000, 16000)]
    >>> union.fit_transform(recordings).shape
    (2, 248)
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "extractors": [list, tuple],
    }
    _parameter_constraints.pop("sampling_rate")

    def __init__(
        self,
        extractors,
        *,
        max_duration=MAXIMUM_DURATION,
        cache=None,
        n_jobs=None,
        on_error="raise",
        verbose=0,
    ):
        self.extractors = extractors
        self.max_duration = max_duration
        self.cache = cache
        self.n_jobs = n_jobs
        self.on_error = on_error
        self.verbose = verbose

    @property
    def sampling_rate(self):
        """The rate at which waveforms are taken to be; None if the extractors disagree."""
        rates = {one.sampling_rate for one in self._checked()}
        return rates.pop() if len(rates) == 1 else None

    def _checked(self):
        wrong = [one for one in self.extractors if not isinstance(one, RecordingTransformer)]
        if wrong or not self.extractors:
            found = type(wrong[0]).__name__ if wrong else "nothing"
            raise ValueError(
                f"extractors holds {found}, expected at least one extractor such as "
                "EGeMAPSExtractor(). For other transformers, use make_union of scikit-learn."
            )
        return self.extractors

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the extractors, which checks their parameters.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            See `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : ExtractorUnion
            The same object.
        """
        self._recordings(X)
        for extractor in self._checked():
            extractor.fit(X)
        return self

    def _members(self):
        """Return copies of the extractors with the settings of the union."""
        settings = ("max_duration", "cache", "n_jobs", "on_error", "verbose")
        values = {name: getattr(self, name) for name in settings}
        # Shallow, as set_params replaces attributes: what fit has noted stays.
        return [copy.copy(one).set_params(**values) for one in self._checked()]

    def _function(self):
        """Return None: each extractor has a function of its own."""

    def _names(self):
        names = [name for one in self._members() for name in one.get_feature_names_out()]
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise ValueError(
                f"Two of the extractors have a column {repeated!r}. Leave one of them out, or name "
                "the folders of two encoders differently."
            )
        return names

    def _transform_parts(self, recordings, size, *, stop):
        first, *others = [
            one._transform_parts(recordings, size, stop=stop) for one in self._members()
        ]
        with contextlib.closing(first):
            parts = [first, *map(_without_remarks, others)]
            for several in zip(*parts, strict=True):
                errors = {}
                for _, _, found in several:
                    errors = found | errors
                start, rows = several[0][0], np.hstack([rows for _, rows, _ in several])
                rows[[i - start for i in errors]] = np.nan
                yield start, rows, errors
