"""Format values for error messages."""

from collections.abc import Mapping

import numpy as np

__all__ = ["plain"]


def plain(value):
    """Return a value without numpy's types, for messages: ``'anger'``, not ``np.str_('anger')``.

    Parameters
    ----------
    value : object
        A scalar, or a collection of scalars, nested or not.

    Returns
    -------
    value : object
        Scalars and arrays of numpy as Python's scalars and lists; collections rebuilt from
        plain entries; anything else as it is.
    """
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if type(value) is dict or (isinstance(value, Mapping) and not hasattr(value, "get_params")):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(map(plain, value))
    return value
