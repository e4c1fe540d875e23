"""Views: groups of columns that different members of a classifier see."""

from numbers import Integral

import numpy as np

from sklearn_ser.utils._messages import plain

__all__ = ["check_columns", "view_columns"]

_EXPECTED = (
    "a view is a slice, positions of columns, a mask with one entry a column, or names of columns"
)


def _equal_blocks(n_views, n_features):
    if n_features % n_views:
        half = (n_features + 1) // 2
        raise ValueError(
            f"views={n_views} means so many blocks of equal width side by side, but X has "
            f"{n_features} features, which {n_views} does not divide. Give a list with the columns "
            f"of each view, such as [slice(0, {half}), slice({half}, {n_features})]."
        )
    return [tuple(block.tolist()) for block in np.split(np.arange(n_features), n_views)]


def _columns(view, number, n_features, names):
    """Return the positions of the columns of a view."""
    wrong = ValueError(f"View {number} of views is {plain(view)!r}; {_EXPECTED}.")
    try:
        given = np.arange(n_features)[view] if isinstance(view, slice) else np.asarray(view)
    except (TypeError, ValueError):
        # A slice of words or with step 0, and lists of lists.
        raise wrong from None
    if isinstance(view, slice):
        found = given
    else:
        given = np.atleast_1d(given)
        if given.dtype.kind in "UO" and given.size and all(isinstance(n, str) for n in given):
            found = _columns_by_name(given, number, names)
        elif given.dtype == bool and given.shape == (n_features,):
            found = np.flatnonzero(given)
        elif given.dtype.kind in "iu" and given.ndim == 1:
            found = given
        else:
            raise wrong
    if not found.size:
        raise ValueError(f"View {number} of views has no column of the {n_features}; {_EXPECTED}.")
    outside = (found < -n_features) | (found >= n_features)
    if outside.any():
        raise ValueError(
            f"View {number} of views names the column {found[outside][0]}, but X has {n_features} "
            f"features."
        )
    return tuple((found % n_features).tolist())


def _columns_by_name(given, number, names):
    known = {} if names is None else {name: i for i, name in enumerate(names)}
    unknown = [name for name in given if name not in known]
    if unknown:
        where = "X has no names of columns" if names is None else "X has no such column"
        raise ValueError(f"View {number} of views names {str(unknown[0])!r}, but {where}.")
    return np.array([known[name] for name in given])


def view_columns(views, n_features, names=None):
    """Return the positions of the columns of each view.

    Parameters
    ----------
    views : int, sequence of column selections, or None
        A number of blocks of equal width side by side; or for each view a slice, positions,
        a mask or names of columns. None: there are no views.
    n_features : int
        Number of columns.
    names : ndarray of shape (n_features,), default=None
        Names of the columns, if there are any.

    Returns
    -------
    columns : tuple of tuple of int, or None

    Raises
    ------
    ValueError
        If a view has no columns or others than X has, or the blocks have no equal width.

    Examples
    --------
    >>> view_columns(2, 4)
    ((0, 1), (2, 3))
    >>> view_columns([slice(0, 3), [-1]], 4)
    ((0, 1, 2), (3,))
    """
    if views is None:
        return None
    if isinstance(views, Integral):
        return tuple(_equal_blocks(int(views), n_features))
    if not len(views):
        raise ValueError("views is empty. Give the columns of at least one view, or None.")
    return tuple(_columns(view, i, n_features, names) for i, view in enumerate(views))


def check_columns(columns, n_features):
    """Refuse stored columns of views that are no positions; torch would not check all of them."""
    fits = columns is None or (
        isinstance(columns, (tuple, list))
        and all(isinstance(view, (tuple, list)) for view in columns)
        and all(isinstance(i, int) and 0 <= i < n_features for view in columns for i in view)
    )
    if not fits:
        raise ValueError(
            f"the columns of the views are no positions among {plain(n_features)!r} features; the "
            f"model was changed or damaged. Train it again."
        )
