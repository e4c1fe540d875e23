"""Means and scales of columns: of all rows, of a corpus, and of a speaker in it."""

import numpy as np
import pandas as pd

from sklearn_ser.utils._identities import canonical_ids
from sklearn_ser.utils._validation import as_objects

__all__ = [
    "column_statistics",
    "encode_speakers",
    "speaker_statistics",
    "standardise",
    "standardise_groups",
]


def _without_zeros(mean, scale, dtype):
    """Replace the scale of columns that are constant up to rounding by 1."""
    # A column that is constant but for rounding would be divided by that rounding.
    rounding = 10 * np.finfo(dtype).eps * np.abs(mean)
    scale = np.where(scale <= rounding, 1.0, scale)
    return np.where(scale == 0, 1.0, scale)


def _column_moments(X):
    """Compute mean, standard deviation and number of values of each column, without NaN."""
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
    return mean, unit * np.sqrt(np.square(deviation / unit).sum(axis=0) / counts), n_values


def column_statistics(X):
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
    mean, deviation, n_values = _column_moments(X)
    scale = _without_zeros(mean, deviation, X.dtype)
    return mean, np.where(n_values > 0, scale, np.nan), n_values


def standardise(X, mean, scale):
    """Return ``(X - mean) / scale``, computed in float64, in the dtype of `X`."""
    return ((X - mean) / scale).astype(X.dtype, copy=False)


def encode_speakers(speaker, groups, *, name):
    """Turn the speaker of each row into a number; equal names in two corpora are two speakers.

    Parameters
    ----------
    speaker : array-like of shape (n_samples,)
        Names or numbers; None or NaN where unknown.
    groups : ndarray of int, shape (n_samples,)
        Number of the corpus of each row.
    name : str
        Name of the argument in messages.

    Returns
    -------
    codes : ndarray of int, shape (n_samples,)
        Number of the speaker of each row; -1 where unknown.
    names : list
        The canonical name of each speaker.
    """
    given = as_objects(speaker, name)
    if len(given) != len(groups):
        raise ValueError(
            f"{name} has {len(given)} entries but X has {len(groups)} samples; pass the speaker of "
            f"each row, None where unknown."
        )
    ids = canonical_ids(given, name=name, within=groups)
    known = ~pd.isna(ids)
    codes = np.full(len(ids), -1)
    pairs = list(zip(groups[known].tolist(), ids[known].tolist(), strict=True))
    codes[known], found = pd.factorize(np.fromiter(pairs, dtype=object, count=len(pairs)))
    return codes, [one for _, one in found]


def _shrunken(X, mean, scale, n_prior):
    """Estimate mean and scale of a speaker from own rows `X` and the statistics of the corpus."""
    own_mean, own_deviation, n_values = _column_moments(X)
    # Without prior, a column without a value has no estimate of its own either.
    weight = n_values / np.maximum(n_values + n_prior, np.finfo(float).tiny)
    # The law of total variance for a mixture of own rows and rows of the corpus: besides the mean
    # of both variances, that between both means. It is the posterior scale of a normal column
    # under its conjugate prior. In units of the corpus, so that no square overflows.
    between = np.sqrt(weight * (1 - weight)) * (own_mean - mean) / scale
    within = np.hypot(np.sqrt(weight) * own_deviation / scale, np.sqrt(1 - weight))
    # In this form, exact for a constant column and where only own rows count.
    mixed_mean = np.where(n_values > 0, own_mean + (1 - weight) * (mean - own_mean), mean)
    mixed = scale * np.hypot(within, between)
    return mixed_mean, np.where(n_values > 0, _without_zeros(mixed_mean, mixed, X.dtype), scale)


def speaker_statistics(X, speakers, groups, mean, scale, n_prior):
    """Compute mean and scale of each speaker, shrunk towards those of the corpus.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows; NaN where a value is missing.
    speakers, groups : ndarray of int, shape (n_samples,)
        Number of the speaker of each row, -1 where unknown, and of the corpus.
    mean, scale : ndarray of shape (n_corpora, n_features)
        Statistics of the corpora.
    n_prior : float
        Number of recordings of the corpus that count like own ones.

    Returns
    -------
    mean, scale : ndarray of shape (n_speakers, n_features)
    """
    n_speakers = speakers.max(initial=-1) + 1
    found = np.empty((2, n_speakers, X.shape[1]))
    for code in range(n_speakers):
        rows = np.flatnonzero(speakers == code)
        corpus = groups[rows[0]]
        found[:, code] = _shrunken(X[rows], mean[corpus], scale[corpus], n_prior)
    return found[0], found[1]


def standardise_groups(X, speakers, groups, of_speakers, of_corpora):
    """Standardise each row by the statistics of its speaker, or of its corpus where unknown.

    `of_speakers` and `of_corpora` are pairs of means and scales, one row for each speaker or
    corpus; `speakers` and `groups` say which rows of them to use.
    """
    known = speakers >= 0
    Z = np.empty_like(X)
    for rows, codes, (mean, scale) in (
        (known, speakers, of_speakers),
        (~known, groups, of_corpora),
    ):
        Z[rows] = standardise(X[rows], mean[codes[rows]], scale[codes[rows]])
    return Z
