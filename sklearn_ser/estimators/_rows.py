"""Rows held out for validation, noise of rows, and placeholders for missing labels."""

import zlib

import numpy as np
from sklearn.utils.validation import check_array, validate_data

__all__ = ["append_unlabelled", "evenly_spaced", "hold_out", "noise_of_rows", "validate_target"]


def noise_of_rows(X, seed):
    """Return standard normal numbers, which depend on a seed and the content of each row alone.

    By position, rows to train on and rows to predict would share their noise, and labels in the
    same order would be recognised by it.
    """
    normal = np.empty_like(X)
    for row, noise in zip(X, normal, strict=True):
        entropy = np.random.SeedSequence(seed, spawn_key=(1, zlib.crc32(row.tobytes())))
        np.random.default_rng(entropy).standard_normal(dtype=X.dtype, out=noise)
    return normal


def evenly_spaced(rows, at_most):
    """Return `rows`, or a view of at most so many of them, from the first to the last part."""
    return rows[:: -(-len(rows) // at_most)] if len(rows) else rows


def validate_target(estimator, X_target):
    """Return unlabelled rows as float32, with the columns that an estimator was fitted on.

    Parameters
    ----------
    estimator : estimator object
        Fitted on rows with the columns to compare with.
    X_target : array-like of shape (n_target_samples, n_features)
        The rows.

    Returns
    -------
    rows : ndarray of shape (n_target_samples, n_features), float32

    Raises
    ------
    ValueError
        For other columns, and for gaps.
    """
    rows = check_array(X_target, dtype=np.float32, order="C", input_name="X_target")
    if rows.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X_target has {rows.shape[1]} features, but X has {estimator.n_features_in_}. Pass "
            f"both through the same extractor and scaler: in a pipeline, by "
            f'transform_input=["X_target"] with metadata routing enabled.'
        )
    # The names of the columns are compared with those of fit; the values were checked above,
    # under the name of the argument.
    validate_data(estimator, X_target, reset=False, skip_check_array=True)
    return rows


def append_unlabelled(values, n_more):
    """Append gaps to an array of labels with one entry a row.

    Parameters
    ----------
    values : ndarray of shape (n, ...), float or integer
        Labels.
    n_more : int
        Number of entries to append.

    Returns
    -------
    values : ndarray of shape (n + n_more, ...)
        With NaN (floats) or -1 (integers) at the end.
    """
    missing = np.nan if values.dtype.kind == "f" else -1
    return np.concatenate([values, np.full((n_more, *values.shape[1:]), missing, values.dtype)])


def hold_out(n_samples, fraction, rng, speaker=None):
    """Choose the rows that are held out for early stopping.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    fraction : float
        Share of the rows to choose, or of the speakers if there are any. At least one is
        chosen and at least one is left.
    rng : numpy.random.Generator
        Source of the random choice.
    speaker : ndarray of shape (n_samples,), default=None
        Codes from 0; all rows of a speaker are chosen or none.

    Returns
    -------
    held_out : ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If there is only one row, or only one speaker.
    """
    # By speaker: two recordings of a voice are alike, and a loss on voices that were trained on
    # keeps falling while the model overfits them.
    groups = np.arange(n_samples) if speaker is None else speaker
    n_groups = groups.max() + 1
    if n_groups < 2:
        what = "n_samples = 1" if speaker is None else "a single speaker"
        raise ValueError(
            f"early_stopping=True holds out some of the rows, but there is {what}. Pass more "
            f"data, or set early_stopping=False."
        )
    chosen = np.zeros(n_groups, dtype=bool)
    n_chosen = min(max(1, round(fraction * n_groups)), n_groups - 1)
    chosen[rng.permutation(n_groups)[:n_chosen]] = True
    return chosen[groups]
