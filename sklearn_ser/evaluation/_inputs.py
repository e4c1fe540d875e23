"""Validate the inputs of all evaluations."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.utils.multiclass import type_of_target

from sklearn_ser._sklearn import _num_samples
from sklearn_ser.utils._identities import canonical_ids, encode_ids
from sklearn_ser.utils._labels import encode_labels
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._models import random_states
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["Recordings", "check_inputs", "check_kind", "check_seeds"]

# Metadata of `fit` that the evaluations pass themselves.
_OWN_PARAMS = ("X", "y", "X_target", "groups", "sample_domain", "speaker", "speaker_target")


@dataclass(frozen=True, eq=False)
class Recordings:
    """The checked arguments, each with one entry per recording.

    Parameters
    ----------
    X : array-like, DataFrame or list
        As passed.
    y, corpus : ndarray
        Labels or numbers, and the canonical names of the corpora.
    speaker : ndarray of object or None
        Canonical names, None for speakers that are unknown; None if all are.
    params : dict of str to array-like
        Further arguments of `fit`.
    of_labels : bool
        Whether `y` holds labels rather than numbers.
    """

    X: object
    y: np.ndarray
    corpus: np.ndarray
    speaker: np.ndarray | None
    params: dict
    of_labels: bool

    def speakers_of(self, rows):
        """Return the speakers of some recordings; None if all speakers are unknown."""
        return None if self.speaker is None else self.speaker[rows]


def _check_estimator(estimator):
    # Some meta-estimators have predict only after fit.
    predicts = hasattr(estimator, "predict") or (
        isinstance(estimator, BaseEstimator) and is_classifier(estimator)
    )
    if not hasattr(estimator, "fit") or not predicts:
        raise TypeError(
            f"estimator must be a classifier, a regressor or a pipeline that ends in one, got "
            f"{estimator!r}, which has no fit and predict."
        )


def check_kind(estimators, *, of_labels):
    """Refuse estimators that do not predict what the first one predicts.

    Parameters
    ----------
    estimators : list of estimator object
        The others.
    of_labels : bool
        Whether the first one is a classifier rather than a regressor.
    """
    for estimator in estimators:
        _check_estimator(estimator)
        if is_regressor(estimator) == of_labels:
            first, other = ("classifier", "regressor") if of_labels else ("regressor", "classifier")
            raise ValueError(
                f"estimators begins with a {first}, but {plain(estimator)!r} is a {other}. "
                f"Validate classifiers and regressors separately: y is a label for one and a "
                f"number for the other."
            )


def _check_labels(y, n_samples):
    """Return `y` as an array of strings or integers."""
    classes, codes = encode_labels(y, name="y", n_samples=n_samples)
    y = classes[codes]
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"y must hold one emotion label per sample, got {kind} values such as "
            f"{plain(y[0])!r}. For activation or valence, pass a regressor."
        )
    return y


def _check_values(y, n_samples):
    """Return `y` as an array of finite numbers."""
    try:
        y = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y must hold numbers, such as activation, for a regressor; to predict labels, pass a "
            f"classifier. ({error})"
        ) from None
    if y.shape != (n_samples,):
        raise ValueError(
            f"y must have one number for each of the {n_samples} samples in X, got an array of "
            f"shape {y.shape}. Evaluate one target, such as activation, at a time."
        )
    wrong = np.count_nonzero(~np.isfinite(y))
    if wrong:
        raise ValueError(
            f"y has {wrong} of {n_samples} values that are NaN or infinite. Drop these samples; "
            f"recordings without an annotation cannot be scored."
        )
    return y


def _check_corpora(corpus, n_samples, at_least):
    # Canonical names: "emodb" and "emodb " as two corpora would put copies of the same speakers in
    # training and test.
    names, codes = encode_ids(corpus, name="corpus", n_samples=n_samples)
    if len(names) < at_least:
        raise ValueError(
            f"corpus names only {names.tolist()}; training on one corpus and testing on another "
            f"needs at least two."
        )
    return names[codes]


def _check_speakers(speaker, corpus, n_samples):
    if speaker is None:
        return None
    speaker = np.asarray(speaker, dtype=object)
    if speaker.shape != (n_samples,):
        raise ValueError(
            f"speaker must have one entry for each of the {n_samples} samples in X, got an array "
            f"of shape {speaker.shape}."
        )
    # Within a corpus: speaker 1 of one corpus is another person than speaker 1 of the next.
    return canonical_ids(speaker, name="speaker", within=corpus)


def _check_params(params, n_samples):
    params = dict(params or {})
    for name, values in params.items():
        if name in _OWN_PARAMS:
            raise ValueError(
                f"params must not have {plain(name)!r}: it has an argument of its own or is made "
                f"from corpus."
            )
        if _num_samples(values) != n_samples:
            raise ValueError(
                f"params[{plain(name)!r}] has {_num_samples(values)} entries but X has {n_samples} "
                f"samples; pass exactly one entry per sample, in the same order."
            )
    return params


def check_inputs(estimator, X, y, corpus, *, speaker, params, n_corpora):
    """Check the arguments that all evaluations take.

    Parameters
    ----------
    estimator : estimator object
        A classifier or regressor.
    X, y, corpus, speaker, params
        The arguments of `cross_corpus_validate`.
    n_corpora : int
        Minimum number of corpora.

    Returns
    -------
    recordings : Recordings
    """
    _check_estimator(estimator)
    n_samples = _num_samples(X)
    of_labels = not is_regressor(estimator)
    corpus = _check_corpora(corpus, n_samples, n_corpora)
    return Recordings(
        X=X,
        y=_check_labels(y, n_samples) if of_labels else _check_values(y, n_samples),
        corpus=corpus,
        speaker=_check_speakers(speaker, corpus, n_samples),
        params=_check_params(params, n_samples),
        of_labels=of_labels,
    )


def check_seeds(estimator, seeds):
    """Return the seeds of the repeats; a single None leaves the estimator unchanged.

    Parameters
    ----------
    estimator : estimator object
        The estimator to seed.
    seeds : iterable of int or None
        As passed by the user.

    Returns
    -------
    seeds : list of int or None
    """
    if seeds is None:
        return [None]
    if isinstance(seeds, Integral) or not isinstance(seeds, Iterable):
        raise TypeError(
            f"seeds must be a collection of integers, one for each repeat, or None, got "
            f"{plain(seeds)!r}. For five repeats pass range(5)."
        )
    seeds = list(seeds)
    if not seeds or not all(isinstance(seed, Integral) and seed >= 0 for seed in seeds):
        raise ValueError(f"seeds must be one or more integers of at least 0, got {plain(seeds)}.")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different from each other, got {plain(seeds)}.")
    if len(seeds) > 1 and not random_states(estimator):
        warnings.warn(
            "estimator has no parameter random_state: all repeats are the same unless it uses "
            "numpy's global generator. Leave seeds out.",
            UserWarning,
            stacklevel=caller_stacklevel(),
        )
    return [int(seed) for seed in seeds]
