"""Check arguments with one entry for each sample."""

import numpy as np
import pandas as pd

# What a missing entry turns into when a list with gaps becomes an array of strings.
MISSING_AS_TEXT = ("nan", "None", "<NA>", "NaT")


def as_objects(values, name):
    """Return one entry for each sample as an array of objects, in which gaps stay gaps.

    Raises
    ------
    ValueError
        If `values` is not one-dimensional.
    """
    # Straight to object: np.asarray(["emodb", np.nan]) makes a string "nan" of the gap.
    array = np.asarray(values, dtype=object)
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be one-dimensional with one entry per sample, got "
            f"{type(values).__name__} of shape {array.shape}. Pass a list or a single column."
        )
    return array


def _check_no_disguised_gaps(array, name):
    disguised = np.isin(array, np.array(MISSING_AS_TEXT, dtype=object))
    if disguised.any():
        position = disguised.argmax()
        raise ValueError(
            f"{name} holds the string {str(array[position])!r} (first at position {position}), "
            f"which is what a missing entry becomes in an array of strings. Drop these samples "
            f"before the conversion, or build the array with dtype=object to see the gaps."
        )


def encode(values, *, name, n_samples=None):
    """Turn one entry per sample into distinct names and integer codes.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Strings, integers or a pandas categorical; no gaps.
    name : str
        Name of the argument in messages.
    n_samples : int, default=None
        The number of entries to expect; not checked if None.

    Returns
    -------
    names : ndarray of shape (n_names,)
        The distinct entries, sorted.
    codes : ndarray of shape (n_samples,)
        ``names[codes]`` are the entries.

    Raises
    ------
    ValueError
        For anything but one entry per sample: wrong length or shape, gaps (None,
        NaN, NA, or the string such a gap turns into), entries that cannot be
        compared with each other.
    """
    array = as_objects(values, name)
    if n_samples is not None and array.size != n_samples:
        raise ValueError(
            f"{name} has {array.size} entries but X has {n_samples} samples; "
            f"pass exactly one entry per sample, in the same order."
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty; pass one entry per sample.")
    missing = pd.isna(array)
    if missing.any():
        raise ValueError(
            f"{name} has {missing.sum()} missing of {array.size} entries, the first at position "
            f"{missing.argmax()}; every sample needs one. Drop these samples or fill them in."
        )
    if getattr(getattr(values, "dtype", None), "kind", "O") in "USO":
        _check_no_disguised_gaps(array, name)
    try:
        names, codes = np.unique(array, return_inverse=True)
    except TypeError:
        kinds = sorted({type(entry).__name__ for entry in array})
        raise ValueError(
            f"{name} mixes entries of types {', '.join(kinds)}, which cannot be sorted; "
            f"use all strings or all integers."
        ) from None
    return np.array(names.tolist()), codes
