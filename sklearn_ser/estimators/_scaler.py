"""Standardise each corpus, and if asked to each speaker, by its own statistics."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context, _wrap_data_with_container
from sklearn_ser.estimators._scaler_statistics import ScalerStatistics
from sklearn_ser.estimators._scaling import (
    encode_speakers,
    speaker_statistics,
    standardise,
    standardise_groups,
)
from sklearn_ser.utils._identities import encode_ids, find_ids


class CorpusScaler(OneToOneFeatureMixin, TransformerMixin, ScalerStatistics, BaseEstimator):
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

    With `speaker_shrinkage`, a row is scaled by the statistics of its speaker, as far as the
    recordings of that speaker bear it.

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
    speaker_shrinkage : float, default=None
        None: speakers are not told apart. A number :math:`n_0`: in training and later, a speaker
        with :math:`n` recordings is scaled by the statistics of a mixture of these and of
        :math:`n_0` recordings of the corpus; see the notes. 0 is standardisation by speaker, a
        large number standardisation by corpus; 10 is a fair start. It takes the differences
        between voices out of the features, and with them the emotion of a speaker who was
        recorded in a single one: pass None for the speakers of such corpora. For what it gains
        and costs, see :ref:`speaker-scaling`.

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
    target_speakers_ : ndarray of shape (n_target_speakers,)
        Speakers whose statistics :meth:`transform` uses whatever the batch. Only after
        :meth:`adapt` with `speaker_target`.
    target_speaker_mean_, target_speaker_scale_ : ndarray of shape (n_target_speakers, n_features)
        Their statistics, shrunk towards those of the corpus.
    n_speakers_ : int
        Number of training speakers that are known. Only with `speaker_shrinkage`.
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

    *Speakers.* Let :math:`w = n / (n + n_0)`, and :math:`m`, :math:`v` the mean and variance of a
    feature over the :math:`n` recordings of a speaker, :math:`\mu`, :math:`\sigma^2` those of the
    corpus. The speaker is scaled by

    .. math::

        \tilde\mu = w m + (1 - w) \mu, \qquad
        \tilde\sigma^2 = w v + (1 - w) \sigma^2 + w (1 - w) (m - \mu)^2

    The last term is the variance between the two parts of the mixture (law of total variance).
    For a normal feature, these are the mean and scale of the posterior under the conjugate prior
    (normal, inverse :math:`\chi^2`) that weighs as much as :math:`n_0` recordings. A single
    recording does not become zero. Rows of unknown speakers (None, NaN) are scaled by their
    corpus. Speakers of equal name in two corpora are two speakers.

    For the rows to predict the argument is `speaker_target`: `speaker` is that of the training
    rows, and scikit-learn would hand it on to every ``transform`` within a ``fit``, that of
    `X_target` included. Both are requested from the start;
    :func:`~sklearn_ser.evaluation.cross_corpus_validate` passes both. Searches,
    calibration and voting predict their inner folds without speakers, with a warning.

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

    Two speakers of one corpus, the second with a higher voice:

    >>> speaker = ["f1", "f1", "f1", "f2", "f2", "f2"]
    >>> scaler = CorpusScaler(speaker_shrinkage=1)
    >>> scaler.fit_transform(X, speaker=speaker).ravel().round(2)
    array([-0.49, -0.34, -0.19, -0.8 ,  0.23,  1.26])
    >>> scaler.set_params(speaker_shrinkage=0).fit_transform(X, speaker=speaker).ravel().round(2)
    array([-1.22,  0.  ,  1.22, -1.22,  0.  ,  1.22])
    """

    # Requested by default: see the note on metadata routing.
    __metadata_request__fit: ClassVar[dict] = {"sample_domain": True, "speaker": True}
    __metadata_request__transform: ClassVar[dict] = {"speaker_target": True}

    # Evaluations withhold speakers with gaps from steps that do not say this.
    _allows_unknown_speakers: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict] = {
        "unseen": [StrOptions({"batch", "pooled"})],
        "min_batch": [Interval(Integral, 1, None, closed="left")],
        "speaker_shrinkage": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(self, *, unseen="batch", min_batch=10, speaker_shrinkage=None):
        self.unseen = unseen
        self.min_batch = min_batch
        self.speaker_shrinkage = speaker_shrinkage

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Statistics leave NaN out, and NaN stays NaN: a gap is for a later step to fill.
        tags.input_tags.allow_nan = True
        # Computed in float64 and returned in the dtype given; other dtypes become float64.
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, sample_domain=None, speaker=None):
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
        speaker : array-like of shape (n_samples,), default=None
            The speaker of each row, None or NaN where unknown. Ignored without
            `speaker_shrinkage`.

        Returns
        -------
        self : CorpusScaler
            The fitted scaler.

        Raises
        ------
        ValueError
            If `sample_domain` has another length than `X`, or gaps, or `speaker` has another
            length.

        Warns
        -----
        ScalingWarning
            If no speaker is known, but `speaker_shrinkage` is set.
        """
        self._learn(X, sample_domain, speaker)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, *, sample_domain=None, speaker=None, speaker_target=None):
        """Fit, and scale each training row by the statistics of its own corpus, or speaker.

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
        speaker : array-like of shape (n_samples,), default=None
            The speaker of each row, None or NaN where unknown. Ignored without
            `speaker_shrinkage`.
        speaker_target : object, default=None
            Ignored: it belongs to `X_target`, which a pipeline takes in `fit` for a later step.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            The scaled rows; float32 for float32, float64 for anything else.

        Raises
        ------
        ValueError
            If `sample_domain` has another length than `X`, or gaps, or `speaker` has another
            length.

        Warns
        -----
        ScalingWarning
            If no speaker is known, but `speaker_shrinkage` is set.
        """
        X, codes, speakers = self._learn(X, sample_domain, speaker)
        return self._scaled(X, codes, speakers, self.mean_, self.scale_)

    def adapt(self, X_target, *, speaker_target=None):
        """Fix the statistics of a corpus that was not seen in training.

        Afterwards :meth:`transform` scales every row by the statistics of `X_target`, as it
        would have scaled `X_target` itself, so that a single recording of this corpus needs no
        batch. Rows of another corpus need another scaler, or another call: the statistics of
        the last call hold, and :meth:`fit` drops them.

        Parameters
        ----------
        X_target : array-like of shape (n_target_samples, n_features)
            Rows of one corpus; NaN where a value is missing.
        speaker_target : array-like of shape (n_target_samples,), default=None
            The speaker of each row, None or NaN where unknown. Later rows of these speakers are
            scaled by the statistics found here, those of other speakers by the corpus. Ignored
            without `speaker_shrinkage`.

        Returns
        -------
        self : CorpusScaler
            The scaler. With ``unseen="pooled"``, which uses the statistics of the training rows
            for all others, nothing but the speakers is kept.

        Warns
        -----
        SmallBatchWarning
            If features have fewer than `min_batch` values; the pooled statistics of the
            training rows are kept for them.
        """
        check_is_fitted(self)
        X = self._validate(X_target, reset=False)
        self._forget("target_speakers_", "target_speaker_mean_", "target_speaker_scale_")
        mean, scale = self.pooled_mean_, self.pooled_scale_
        if self.unseen == "batch":
            mean, scale = self.target_mean_, self.target_scale_ = self._batch_statistics(X)
        if self.speaker_shrinkage is not None and speaker_target is not None:
            groups = np.zeros(len(X), dtype=int)
            speakers, names = encode_speakers(speaker_target, groups, name="speaker_target")
            self.target_speakers_ = np.array(names)
            self.target_speaker_mean_, self.target_speaker_scale_ = speaker_statistics(
                X, speakers, groups, mean[None], scale[None], self.speaker_shrinkage
            )
        return self

    def transform(self, X, *, speaker_target=None):
        """Scale a batch that is one corpus, not seen in training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of one corpus; NaN where a value is missing. After :meth:`adapt`, rows of the
            corpus that was passed to it, as few as one.
        speaker_target : array-like of shape (n_samples,), default=None
            The speaker of each row, None or NaN where unknown. Ignored without
            `speaker_shrinkage`. After a call of :meth:`adapt` with speakers, rows of these
            speakers only are scaled by speaker.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            The scaled rows; float32 for float32, float64 for anything else.

        Warns
        -----
        SmallBatchWarning
            If ``unseen="batch"``, without a call of :meth:`adapt`, and features have fewer than
            `min_batch` values and are therefore scaled by the pooled statistics.
        ScalingWarning
            If the training rows were scaled by speaker, and `speaker_target` is not given.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        mean, scale = self._unseen_statistics(X)
        if self.speaker_shrinkage is None or speaker_target is None:
            self._warn_if_without_speakers()
            return standardise(X, mean, scale)
        groups = np.zeros(len(X), dtype=int)
        speakers, names = encode_speakers(speaker_target, groups, name="speaker_target")
        if not hasattr(self, "target_speakers_"):
            return self._scaled(X, groups, speakers, mean[None], scale[None])
        # The code -1 of unknown speakers indexes the last entry.
        positions = np.array([*find_ids(names, self.target_speakers_), -1])
        kept = self.target_speaker_mean_, self.target_speaker_scale_
        return standardise_groups(X, positions[speakers], groups, kept, (mean[None], scale[None]))

    def transform_corpus(self, X, corpus, *, speaker=None):
        """Scale rows of training corpora by the statistics learnt for them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of corpora in ``corpora_``; NaN where a value is missing.
        corpus : str, int or array-like of shape (n_samples,)
            The corpus of all rows, or of each row.
        speaker : array-like of shape (n_samples,), default=None
            The speaker of each row, None or NaN where unknown, for a scaler with
            `speaker_shrinkage`: speakers have the statistics of these rows of theirs.

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
        speakers = None
        if self.speaker_shrinkage is not None and speaker is not None:
            speakers, _ = encode_speakers(speaker, known, name="speaker")
        Z = self._scaled(rows, known, speakers, self.mean_, self.scale_)
        return _wrap_data_with_container("transform", Z, X, self)
