"""What a scaler learns from its corpora, and what it says about batches that do not fit."""

import warnings

import numpy as np
from sklearn.utils.validation import validate_data

from sklearn_ser.estimators._scaling import (
    column_statistics,
    encode_speakers,
    speaker_statistics,
    standardise,
    standardise_groups,
)
from sklearn_ser.exceptions import ScalingWarning, SmallBatchWarning
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._identities import encode_ids
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["ScalerStatistics"]


class ScalerStatistics:
    """Mixin: the statistics of corpora and speakers behind a scaler with its parameters."""

    def __setstate__(self, state):
        # Models of earlier versions do not have the parameter.
        super().__setstate__({"speaker_shrinkage": None} | state)

    def _validate(self, X, *, reset):
        return validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            reset=reset,
        )

    def _standardises_batch(self, n_rows):
        """Whether `transform` would take the statistics of a batch of this size from itself."""
        return self.unseen == "batch" and n_rows >= self.min_batch and not self._is_adapted()

    def _is_adapted(self):
        # Models of earlier versions do not have the attribute.
        return hasattr(self, "target_mean_")

    def _learn(self, X, sample_domain, speaker):
        """Learn the statistics; return the validated rows, and corpus and speaker of each."""
        X = self._validate(X, reset=True)
        if sample_domain is None:
            sample_domain = np.zeros(len(X), dtype=int)
        self.corpora_, codes = encode_ids(sample_domain, name="sample_domain", n_samples=X.shape[0])
        # Over all rows, not an average over corpora: the output of both ways then has variance 1
        # over the training rows.
        self.pooled_mean_, self.pooled_scale_, _ = column_statistics(X)
        n_corpora = len(self.corpora_)
        self.mean_ = np.empty((n_corpora, X.shape[1]))
        self.scale_ = np.empty((n_corpora, X.shape[1]))
        for code in range(n_corpora):
            mean, scale, n_values = column_statistics(X[codes == code])
            self.mean_[code] = np.where(n_values > 0, mean, self.pooled_mean_)
            self.scale_[code] = np.where(n_values > 0, scale, self.pooled_scale_)
        self.n_samples_seen_ = np.bincount(codes, minlength=n_corpora)
        self._forget("n_speakers_", "target_mean_", "target_scale_")
        self._forget("target_speakers_", "target_speaker_mean_", "target_speaker_scale_")
        speakers = None
        if self.speaker_shrinkage is not None:
            speakers = self._encode_training_speakers(speaker, codes)
        return X, codes, speakers

    def _forget(self, *attributes):
        for name in attributes:
            vars(self).pop(name, None)

    def _encode_training_speakers(self, speaker, codes):
        speaker = np.full(len(codes), None) if speaker is None else speaker
        speakers, names = encode_speakers(speaker, codes, name="speaker")
        self.n_speakers_ = len(names)
        if not names:
            warnings.warn(
                f"speaker_shrinkage={self.speaker_shrinkage} had no effect, because fit got no "
                f"speaker; all rows were scaled by corpus. Pass speaker, or leave the parameter "
                f"at None.",
                ScalingWarning,
                stacklevel=caller_stacklevel(),
            )
        return speakers

    def _scaled(self, X, groups, speakers, mean, scale):
        """Scale rows by corpus, or by speaker if there are any; one row of `mean` a corpus."""
        if speakers is None:
            return standardise(X, mean[groups], scale[groups])
        of_speakers = speaker_statistics(X, speakers, groups, mean, scale, self.speaker_shrinkage)
        return standardise_groups(X, speakers, groups, of_speakers, (mean, scale))

    def _unseen_statistics(self, X):
        """Return the mean and scale of each feature of rows of an unseen corpus."""
        if self.unseen == "pooled":
            return self.pooled_mean_, self.pooled_scale_
        if self._is_adapted():
            return self.target_mean_, self.target_scale_
        return self._batch_statistics(X)

    def _warn_if_without_speakers(self):
        # Without the attribute, speaker_shrinkage was set after fit: training rows were scaled by
        # corpus as well.
        if self.speaker_shrinkage is None or not getattr(self, "n_speakers_", 0):
            return
        warnings.warn(
            "CorpusScaler scaled its training rows by speaker, but these rows by corpus, because "
            "transform got no speaker_target. Pass it, which a pipeline does with metadata routing "
            "on, or set speaker_shrinkage=None.",
            ScalingWarning,
            stacklevel=caller_stacklevel(),
        )

    def _batch_statistics(self, X):
        """Return the mean and scale of each feature of an unseen corpus, from validated rows."""
        mean, scale, n_values = column_statistics(X)
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
            limit = advice(f"min_batch={self.min_batch}", str(self.min_batch))
            what = f"The batch has {rows}, fewer than {limit}; it was"
        else:
            what = (
                f"{n_short} of {len(n_values)} features have fewer than "
                f"{advice('min_batch=', '')}{self.min_batch} values in this batch of {n_rows} "
                f"rows; they were"
            )
        remedy = advice(
            "Pass more recordings of the unseen corpus in one batch, lower min_batch, or set "
            "unseen='pooled' if single recordings are what you have.",
            "Name more recordings of the same voice or channel; `sklearn-ser predict` takes them "
            "as --reference.",
        )
        warnings.warn(
            f"{what} scaled by the pooled statistics of the training corpora instead of its own. "
            f"{remedy}",
            SmallBatchWarning,
            stacklevel=caller_stacklevel(),
        )
