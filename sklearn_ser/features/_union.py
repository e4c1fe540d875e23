"""Several kinds of features of recordings, side by side."""

import contextlib
import copy
import warnings
from typing import ClassVar

import numpy as np
from sklearn.pipeline import make_union

from sklearn_ser._sklearn import _BaseComposition, _fit_context
from sklearn_ser.exceptions import AudioWarning
from sklearn_ser.features._transformer import RecordingTransformer

__all__ = ["ExtractorUnion", "make_extractor_union", "with_settings"]

_EXPECTED = (
    "expected at least one pair of a name and an extractor, such as "
    "('functionals', EGeMAPSExtractor())."
)


def with_settings(extractor, owner):
    """Return a copy of an extractor with those settings of the transformer around it that are set.

    Parameters
    ----------
    extractor : RecordingTransformer
        What fit has noted stays.
    owner : RecordingTransformer
        Its settings of the machine and its augmentation take precedence.
    """
    values = {name: getattr(owner, name) for name in ("max_duration", "cache", "n_jobs")}
    values = {name: value for name, value in values.items() if value is not None}
    values["on_error"] = owner.on_error
    if owner.verbose:
        values["verbose"] = owner.verbose
    # Shallow, as set_params replaces attributes.
    changed = copy.copy(extractor).set_params(**values)
    if owner._augmentation is not None:
        changed._augmentation = owner._augmentation
    return changed


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


class ExtractorUnion(RecordingTransformer, _BaseComposition):
    """Put the features of several extractors side by side.

    Like scikit-learn's ``FeatureUnion``, and with what the extractors of this package can do
    beyond `transform`: recordings that fail are left out of all of them, tables are written
    part by part, and settings of the machine are given once.

    Parameters
    ----------
    extractors : list of (str, RecordingTransformer) tuples
        The extractors by name; their columns follow one another. `fit` fits them in place, as
        a pipeline does with its steps. ``set_params(name__parameter=value)`` reaches their
        parameters, as does a grid, and ``set_params(name=extractor)`` replaces one of them.
    max_duration : float or None, default=None
        Seconds that a recording may last; a longer one is an error. None leaves each
        extractor its own `max_duration`.
    cache : str, path-like or None, default=None
        One file for the rows of all extractors. None leaves each extractor its own `cache`.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`, for each extractor; they work one after the
        other. None leaves each extractor its own `n_jobs`.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that one of them cannot use: "raise" stops, "nan"
        gives a row of NaN and one `ExtractionWarning` that names all such recordings. It
        takes precedence over the `on_error` of the extractors.
    verbose : int or bool, default=0
        Above 0, a progress bar for each extractor is shown on a terminal; elsewhere a line is
        printed for each thousand recordings and at the end.
        0 leaves each extractor its own `verbose`.

    See Also
    --------
    make_extractor_union : Make a union without choosing names.
    sklearn.pipeline.FeatureUnion : For transformers of any kind.

    Notes
    -----
    Columns are not weighted. The user guide on encoders has what functionals add to layers of
    an encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor
    >>> from sklearn_ser.features import ExtractorUnion
    >>> def levels(y):
    ...     return np.abs(y[: len(y) // 160 * 160]).reshape(-1, 160)
    >>> union = ExtractorUnion(
    ...     [("functionals", EGeMAPSExtractor()), ("encoder", EmbeddingExtractor(levels))]
    ... )
    >>> recordings = [np.random.default_rng(n).normal(0, 0.1, n) for n in (8000, 16000)]
    >>> union.fit_transform(recordings).shape
    (2, 248)
    >>> union.set_params(encoder__pooling="both").fit_transform(recordings).shape
    (2, 408)
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "extractors": [list, tuple],
        "max_duration": [*RecordingTransformer._parameter_constraints["max_duration"], None],
    }
    _parameter_constraints.pop("sampling_rate")

    def __init__(
        self,
        extractors,
        *,
        max_duration=None,
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

    def get_params(self, deep=True):
        """Return the parameters, by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add the extractors by their names, and their parameters as
            ``name__parameter``.

        Returns
        -------
        params : dict of str to object
        """
        return self._get_params("extractors", deep=deep)

    def set_params(self, **params):
        """Set parameters of the union and of its extractors.

        Parameters
        ----------
        **params : dict
            By the names that `get_params` gives: a parameter of the union,
            ``name__parameter`` of an extractor, or ``name`` to replace an extractor.

        Returns
        -------
        self : ExtractorUnion
            The same object.
        """
        self._set_params("extractors", **params)
        return self

    @property
    def sampling_rate(self):
        """The rate at which waveforms are taken to be; None if the extractors disagree."""
        rates = {one.sampling_rate for one in self._checked()}
        return rates.pop() if len(rates) == 1 else None

    def _checked(self):
        """Return the extractors without their names, sure of what they are."""
        if not self.extractors:
            raise ValueError(f"extractors is empty, {_EXPECTED}")
        for pair in self.extractors:
            if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)):
                raise ValueError(
                    f"extractors holds {type(pair).__name__}, {_EXPECTED} make_extractor_union "
                    "chooses the names."
                )
            if not isinstance(pair[1], RecordingTransformer):
                raise ValueError(
                    f"{pair[0]!r} in extractors is {type(pair[1]).__name__}, {_EXPECTED} For other "
                    "transformers, use FeatureUnion of scikit-learn."
                )
            if pair[1]._is_outermost:
                name = type(pair[1]).__name__
                raise ValueError(
                    f"{pair[0]!r} in extractors is {name}, which would change no recording inside "
                    f"a union. Put the union into it: {name}(make_extractor_union(...))."
                )
        names, extractors = zip(*self.extractors, strict=True)
        self._validate_names(names)
        return extractors

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
        return [with_settings(one, self) for one in self._checked()]

    @property
    def feature_set_name(self):
        """Names of the features of all extractors, str."""
        return " + ".join(one.feature_set_name for _, one in self.extractors)

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


def make_extractor_union(*extractors, **settings):
    """Put the features of several extractors side by side, without choosing names.

    Parameters
    ----------
    *extractors : RecordingTransformer
        Their names are those of their classes in lower case, followed by -1, -2 and so on if
        there are several of a class, as in `sklearn.pipeline.make_union`.
    **settings
        Further parameters of `ExtractorUnion`.

    Returns
    -------
    union : ExtractorUnion

    Examples
    --------
    >>> from sklearn_ser import EGeMAPSExtractor
    >>> from sklearn_ser.features import LibrosaExtractor, make_extractor_union
    >>> union = make_extractor_union(EGeMAPSExtractor(), LibrosaExtractor(), n_jobs=2)
    >>> [name for name, _ in union.extractors]
    ['egemapsextractor', 'librosaextractor']
    >>> union.set_params(librosaextractor__n_jobs=1).n_jobs
    2
    """
    return ExtractorUnion(make_union(*extractors).transformer_list, **settings)
