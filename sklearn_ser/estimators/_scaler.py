"""Standardise each corpus by its own statistics."""

import warnings
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context, _wrap_data_with_container
from sklearn_ser.exceptions import SmallBatchWarning
from sklearn_ser.utils._identities import encode_ids, find_ids
from sklearn_ser.utils._warnings import caller_stacklevel


def _column_statistics(X):
    """Compute mean and scale of each column, without its missing values.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        Rows of one corpus; NaN where a value is missing.

    Returns
    -------
    mean : ndarray of shape (n_features,), float64
        NaN for a column without any value.
    scale : ndarray of shape (n_features,), float64
        Population standard deviation; 1 for a column that is constant up to the
        rounding of the dtype of `X`; NaN for a column without any value.
    n_values : ndarray of shape (n_features,)
        Number of values in each column.
    """
    present = ~np.isnan(X)
    n_values = present.sum(axis=0)
    counts = np.maximum(n_values, 1)
    # Deviations from a value of the column itself, divided by the largest deviation: digits are
    # not lost to an offset, no square overflows, and a constant column has exactly its own mean.
    origin = X[present.argmax(axis=0), np.arange(X.shape[1])].astype(np.float64)
    deviation = np.where(present, X - origin, 0.0)
    mean_deviation = deviation.sum(axis=0) / counts
    deviation = np.where(present, deviation - mean_deviation, 0.0)
    largest = np.abs(deviation).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)
    mean = origin + mean_deviation
    scale = unit * np.sqrt(np.square(deviation / unit).sum(axis=0) / counts)
    # A column that is constant but for rounding would be divided by that rounding.
    rounding = 10 * np.finfo(X.dtype).eps * np.abs(mean)
    scale = np.where(scale <= rounding, 1.0, scale)
    scale = np.where(scale == 0, 1.0, scale)
    return mean, np.where(n_values > 0, scale, np.nan), n_values


def _standardise(X, mean, scale):
    """Return ``(X - mean) / scale``, computed in float64, in the dtype of `X`."""
    return ((X - mean) / scale).astype(X.dtype, copy=False)


class CorpusScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Standardise each corpus by its own mean and standard deviation.

    Microphone, room, language and habits of annotation shift the features of a whole
    corpus. A row :math:`x` of corpus :math:`d` becomes

    .. math:: z_j = (x_j - \mu_{dj}) / \sigma_{dj}

    with mean and population standard deviation of feature :math:`j` over the recordings
    of that corpus alone. Any gain and offset of a corpus cancels; what remains is how a
    recording differs from the others of its corpus. No label is used.

    In training, `sample_domain` names the corpus of each row. :meth:`transform` takes no
    such argument: its batch is *one corpus that was not seen in training* and is scaled as
    a whole, unless :meth:`adapt` has fixed the statistics of a corpus. For more recordings of
    a training corpus there is :meth:`transform_corpus`.

    Parameters
    ----------
    unseen : {"batch", "pooled"}, default="batch"
        Which statistics :meth:`transform` uses. ``"batch"``: those of the batch itself,
        which removes the shift of the unseen corpus, provided that the batch is a fair
        sample of it. A batch of a single emotion loses what distinguishes that emotion.
        ``"pooled"``: those of all training rows taken together, which treats every row
        alike but leaves the shift in.
    min_batch : int, default=10
        A feature with fewer values in the batch is scaled by the pooled statistics instead
        of its own, with a
        :class:`~sklearn_ser.exceptions.SmallBatchWarning`. A single recording would
        otherwise turn into zeros. Higher values protect
        more batches and keep more of the shift. Not used with ``unseen="pooled"``,
        nor in training.

    Attributes
    ----------
    corpora_ : ndarray of shape (n_corpora,)
        Names of the training corpora, sorted; ``[0]`` if `sample_domain` was not given.
    mean_, scale_ : ndarray of shape (n_corpora, n_features)
        Mean and standard deviation of each corpus. The scale of a constant feature is
        1, so that it becomes 0. A feature without a value in some corpus has the pooled
        statistics there.
    pooled_mean_, pooled_scale_ : ndarray of shape (n_features,)
        Mean and standard deviation over all training rows, the numbers that
        :class:`~sklearn.preprocessing.StandardScaler` would use. NaN for a feature
        without any value.
    target_mean_, target_scale_ : ndarray of shape (n_features,)
        Mean and standard deviation that :meth:`transform` uses whatever the batch. Only after
        :meth:`adapt`.
    n_samples_seen_ : ndarray of shape (n_corpora,)
        Number of training rows of each corpus.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if `X` had any that are strings.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : One mean and one scale for all rows.
    sklearn_ser.evaluation.cross_corpus_validate : Hands `sample_domain` to the scaler,
        at any place in a pipeline.

    Notes
    -----
    *Missing values.* NaN is left out of the statistics and stays NaN in the output.

    *Pooled statistics.* They include the spread between the training corpora: a feature
    in which the corpora differ much says little about a recording of unknown origin and
    shrinks accordingly. Over all training rows, the output has mean 0 and variance 1
    with either statistics: a model fitted on the one kind of rows can read the other.

    *Training rows in* ``transform``. Training rows of several corpora passed to
    :meth:`transform` are scaled as if they were one corpus, so
    ``cross_validate(..., return_train_score=True)`` shows scores that are too low.
    There is no ``inverse_transform``, because an output row does not record which statistics
    produced it.

    *Metadata routing.* `sample_domain` is requested from the start, without
    ``set_fit_request``: a scaler that did not get it would scale all corpora as one. With
    routing off it goes to the step by the name of the step, with routing on by its own name
    (scikit-learn then expects the groups of the splitter there as well)::

        cross_validate(model, X, y, groups=c, cv=LeaveOneCorpusOut(),
                       params={"corpusscaler__sample_domain": c})
        with sklearn.config_context(enable_metadata_routing=True):
            cross_validate(model, X, y, cv=LeaveOneCorpusOut(),
                           params={"groups": c, "sample_domain": c})

    Examples
    --------
    Two corpora, of which the second was recorded louder:

    >>> import numpy as np
    >>> from sklearn_ser import CorpusScaler
    >>> X = np.array([[1.0], [2.0], [3.0], [10.0], [20.0], [30.0]])
    >>> corpus = ["emodb"] * 3 + ["urdu"] * 3
    >>> scaler = CorpusScaler(min_batch=3)
    >>> scaler.fit_transform(X, sample_domain=corpus).ravel().round(2)
    array([-1.22,  0.  ,  1.22, -1.22,  0.  ,  1.22])

    A corpus that was not seen in training:

    >>> scaler.transform([[100.0], [200.0], [300.0]]).ravel().round(2)
    array([-1.22,  0.  ,  1.22])

    One more recording of a training corpus:

    >>> scaler.transform_corpus([[30.0]], "urdu").round(2)
    array([[1.22]])
    """

    # Requested by default: see the note on metadata routing.
    __metadata_request__fit: ClassVar[dict] = {"sample_domain": True}

    _parameter_constraints: ClassVar[dict] = {
        "unseen": [StrOptions({"batch", "pooled"})],
        "min_batch": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, unseen="batch", min_batch=10):
        self.unseen = unseen
        self.min_batch = min_batch

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Statistics leave NaN out, and NaN stays NaN: a gap is for a later step to fill.
        tags.input_tags.allow_nan = True
        # Computed in float64 and returned in the dtype given; other dtypes become float64.
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _validate(self, X, *, reset):
        return validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            reset=reset,
        )

    def _learn(self, X, sample_domain):
        """Learn the statistics; return the validated rows and the corpus of each."""
        X = self._validate(X, reset=True)
        if sample_domain is None:
            sample_domain = np.zeros(len(X), dtype=int)
        self.corpora_, codes = encode_ids(sample_domain, name="sample_domain", n_samples=X.shape[0])
        # Over all rows, not an average over corpora: the output of both ways then has variance 1
        # over the training rows.
        self.pooled_mean_, self.pooled_scale_, _ = _column_statistics(X)
        n_corpora = len(self.corpora_)
        self.mean_ = np.empty((n_corpora, X.shape[1]))
        self.scale_ = np.empty((n_corpora, X.shape[1]))
        for code in range(n_corpora):
            mean, scale, n_values = _column_statistics(X[codes == code])
            self.mean_[code] = np.where(n_values > 0, mean, self.pooled_mean_)
            self.scale_[code] = np.where(n_values > 0, scale, self.pooled_scale_)
        self.n_samples_seen_ = np.bincount(codes, minlength=n_corpora)
        for name in ("target_mean_", "target_scale_"):
            vars(self).pop(name, None)
        return X, codes

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, sample_domain=None):
        """Learn the statistics of each corpus, and of all together.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; NaN where a value is missing.
        y : object, default=None
            Ignored.
        sample_domain : array-like of shape (n_samples,), default=None
            The corpus of each row: strings or integers, without gaps; for spellings, see
            :ref:`identities`. None: all rows belong to one corpus.

        Returns
        -------
        self : CorpusScaler
            The fitted scaler.

        Raises
        ------
        ValueError
            If `sample_domain` has another length than `X`, or gaps.
        """
        self._learn(X, sample_domain)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, *, sample_domain=None):
        """Fit, and scale each training row by the statistics of its own corpus.

        A pipeline calls this method in training. It is not the same as ``fit`` followed by
        ``transform``, which would take all rows for one unseen corpus.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; NaN where a value is missing.
        y : object, default=None
            Ignored.
        sample_domain : array-like of shape (n_samples,), default=None
            The corpus of each row: strings or integers, without gaps. None: all rows belong
            to one corpus.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            The scaled rows; float32 for float32, float64 for anything else.

        Raises
        ------
        ValueError
            If `sample_domain` has another length than `X`, or gaps.
        """
        X, codes = self._learn(X, sample_domain)
        return _standardise(X, self.mean_[codes], self.scale_[codes])

    def adapt(self, X_target):
        """Fix the statistics of a corpus that was not seen in training.

        Afterwards :meth:`transform` scales every row by the statistics of `X_target`, as it
        would have scaled `X_target` itself, so that a single recording of this corpus needs no
        batch. Rows of another corpus need another scaler, or another call: the statistics of
        the last call hold, and :meth:`fit` drops them.

        Parameters
        ----------
        X_target : array-like of shape (n_target_samples, n_features)
            Rows of one corpus; NaN where a value is missing.

        Returns
        -------
        self : CorpusScaler
            The scaler. With ``unseen="pooled"``, which uses the statistics of the training rows
            for all others, it is as before.

        Warns
        -----
        SmallBatchWarning
            If features have fewer than `min_batch` values; the pooled statistics of the
            training rows are kept for them.
        """
        check_is_fitted(self)
        X = self._validate(X_target, reset=False)
        if self.unseen == "batch":
            self.target_mean_, self.target_scale_ = self._batch_statistics(X)
        return self

    def transform(self, X):
        """Scale a batch that is one corpus, not seen in training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of one corpus; NaN where a value is missing. After :meth:`adapt`, rows of the
            corpus that was passed to it, as few as one.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            The scaled rows; float32 for float32, float64 for anything else.

        Warns
        -----
        SmallBatchWarning
            If ``unseen="batch"``, without a call of :meth:`adapt`, and features have fewer than
            `min_batch` values and are therefore scaled by the pooled statistics.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        if self.unseen == "pooled":
            return _standardise(X, self.pooled_mean_, self.pooled_scale_)
        # Models of earlier versions do not have the attribute.
        if hasattr(self, "target_mean_"):
            return _standardise(X, self.target_mean_, self.target_scale_)
        return _standardise(X, *self._batch_statistics(X))

    def _batch_statistics(self, X):
        """Return the mean and scale of each feature of an unseen corpus, from validated rows."""
        mean, scale, n_values = _column_statistics(X)
        # By feature: a batch may be large enough and have a feature with few values.
        few = n_values < self.min_batch
        self._warn_if_too_few(n_values, n_rows=X.shape[0])
        return np.where(few, self.pooled_mean_, mean), np.where(few, self.pooled_scale_, scale)

    def _warn_if_too_few(self, n_values, *, n_rows):
        # A feature without any value stays NaN with any statistics.
        n_short = np.count_nonzero((n_values < self.min_batch) & (n_values > 0))
        if n_short == 0:
            return
        if n_rows < self.min_batch:
            rows = "1 row" if n_rows == 1 else f"{n_rows} rows"
            what = f"The batch has {rows}, fewer than min_batch={self.min_batch}; it was"
        else:
            what = (
                f"{n_short} of {len(n_values)} features have fewer than "
                f"min_batch={self.min_batch} values in this batch of {n_rows} rows; they were"
            )
        warnings.warn(
            f"{what} scaled by the pooled statistics of the training corpora instead of its own. "
            f"Pass more recordings of the unseen corpus in one batch, lower min_batch, or set "
            f"unseen='pooled' if single recordings are what you have.",
            SmallBatchWarning,
            stacklevel=caller_stacklevel(),
        )

    def transform_corpus(self, X, corpus):
        """Scale rows of training corpora by the statistics learnt for them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of corpora in ``corpora_``; NaN where a value is missing.
        corpus : str, int or array-like of shape (n_samples,)
            The corpus of all rows, or of each row.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            The scaled rows; float32 for float32, float64 for anything else.

        Raises
        ------
        ValueError
            If a corpus is not in ``corpora_``.
        """
        check_is_fitted(self)
        rows = self._validate(X, reset=False)
        given = [corpus] * rows.shape[0] if np.isscalar(corpus) else corpus
        names, codes = encode_ids(given, name="corpus", n_samples=rows.shape[0])
        positions = np.array(find_ids(names, self.corpora_))
        if (positions < 0).any():
            raise ValueError(
                f"corpus names {names[positions < 0].tolist()}, but this scaler was fitted on "
                f"{self.corpora_.tolist()}. Use transform(X) for a corpus that was not seen in "
                f"training."
            )
        known = positions[codes]
        Z = _standardise(rows, self.mean_[known], self.scale_[known])
        return _wrap_data_with_container("transform", Z, X, self)
