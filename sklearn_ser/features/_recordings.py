"""Conversion of the input of extractors to a list of recordings."""

import os
from collections.abc import Mapping, Set

import numpy as np

from sklearn_ser.utils._messages import plain

__all__ = ["as_recordings"]

_EXPECTED = (
    "expected a list, array, Series or one-column DataFrame of paths, or a list of "
    "one-dimensional float waveforms"
)


def _is_path(item):
    return isinstance(item, str | os.PathLike)


def as_recordings(X):
    """Return the recordings in X as a list of paths (text) and waveforms (arrays).

    Raises
    ------
    ValueError
        X is not a collection of recordings.
    """
    if _is_path(X):
        raise ValueError(f"X is the single path {os.fspath(X)!r}, {_EXPECTED}. Write [path].")
    if isinstance(X, Set | Mapping):
        # A set has no reproducible order, and a mapping would be read as its keys.
        raise ValueError(f"X is a {type(X).__name__}, {_EXPECTED}. Write list(X) in your order.")
    # Tables of polars have no ndim.
    n_dimensions = len(getattr(X, "shape", (0,)))
    if n_dimensions == 2:
        if X.shape[1] != 1:
            names = f" ({', '.join(map(str, X.columns))})" if hasattr(X, "columns") else ""
            raise ValueError(
                f"X has {X.shape[1]} columns{names}, {_EXPECTED}. Select the column of paths, "
                "or pass list(X) if the rows are waveforms."
            )
        X = X.iloc[:, 0] if hasattr(X, "iloc") else np.asarray(X)[:, 0]
        n_dimensions = 1
    if n_dimensions != 1 or not hasattr(X, "__len__"):
        raise ValueError(f"X is {type(X).__name__}, {_EXPECTED}.")
    items = list(X)
    if not items:
        raise ValueError(f"X holds 0 recordings, {_EXPECTED}, at least one.")
    for i, item in enumerate(items):
        if _is_path(item):
            items[i] = os.fsdecode(os.fspath(item))
        elif np.ndim(item) == 0 or isinstance(item, bytes):
            raise ValueError(f"Recording {i} of X is {plain(item)!r}, {_EXPECTED}.")
        else:
            items[i] = np.asarray(item)
    return items
