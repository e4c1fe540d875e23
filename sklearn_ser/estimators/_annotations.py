"""Annotations of activation and valence: what ``y`` holds, and what numbers they must be."""

import warnings
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d

from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._soft_labels import are_shares
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["annotation_in", "check_annotation", "holds_fractions"]


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def check_annotation(values, *, name, n_samples):
    """Return annotations as numbers, NaN where there is none.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Numbers; None, NaN or NA for an unlabelled row.
    name : str
        Name of the argument, for the messages.
    n_samples : int
        Number of rows.

    Returns
    -------
    annotation : ndarray of float32, shape (n_samples,)

    Raises
    ------
    ValueError
        For another length than `n_samples`, for entries that are not numbers, and for infinity.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        # Digits as text may be names of classes and are refused, although float("3") exists, as
        # are booleans, which are numbers to Python.
        array = np.asarray(values, dtype=object)
        missing = pd.isna(array)
        for value in array[~missing]:
            if not _is_number(value):
                raise ValueError(
                    f"{name} must hold numbers, such as ratings from 1 to 5, and NaN for "
                    f"unlabelled rows; got {plain(value)!r} of type {type(value).__name__}."
                )
        array = np.where(missing, np.nan, array)
    array = column_or_1d(array.astype(np.float32), warn=True)
    if len(array) != n_samples:
        raise ValueError(
            f"{name} has {len(array)} entries but X has {n_samples} samples; pass one entry per "
            f"sample, NaN where there is no label."
        )
    if np.isinf(array).any():
        raise ValueError(
            f"{name} is infinite at position {np.isinf(array).argmax()}; use NaN for a row without "
            f"label."
        )
    return array


def _kind(y):
    # numpy makes objects of a nullable column of pandas, which knows better itself.
    dtype = getattr(y, "dtype", None)
    return getattr(np.asarray(y).dtype if dtype is None else dtype, "kind", "O")


def _holds_integers(y):
    """Return whether labels are integers; objects count by value, as gaps make objects of them."""
    if _kind(y) != "O":
        return _kind(y) in "iu"
    values = np.asarray(y, dtype=object).ravel()
    present = values[~pd.isna(values)]
    return len(present) > 0 and all(_is_number(value) for value in present)


def holds_fractions(y):
    """Return whether labels are numbers that are not all integers; gaps do not count."""
    values = np.asarray(y, dtype=object).ravel()
    present = values[~pd.isna(values)]
    if not all(_is_number(value) for value in present):
        return False
    # Infinity has no fraction, but is no code of a class either.
    return any(not float(value).is_integer() for value in present)


def annotation_in(y):
    """Return the annotation that `y` is taken for by itself, ``"activation"`` or None."""
    if are_shares(y):
        return None
    if _holds_integers(y):
        warnings.warn(
            "y holds integers, which MetricDAE takes for classes for now; from version 0.2 "
            "on, numbers of any dtype will be the activation. Set y_annotation='activation' to "
            "have that now, or y_annotation=None if these are codes of emotions.",
            FutureWarning,
            stacklevel=caller_stacklevel(),
        )
        return None
    return "activation" if _kind(y) == "f" else None
