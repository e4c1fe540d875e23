"""Find all parts of a model, however deeply nested."""

import functools
from types import FunctionType, MethodType, ModuleType

import numpy as np

__all__ = ["parts_of"]

_LEAVES = (str, bytes, bytearray, int, float, complex, type, FunctionType, ModuleType, np.generic)


def _inside(value):
    """Return the objects directly inside a value."""
    inside = []
    if isinstance(value, dict):
        inside += [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside += value
    elif isinstance(value, np.ndarray):
        return list(value.flat) if value.dtype.hasobject else []
    elif isinstance(value, functools.partial):
        inside += [value.func, value.args, value.keywords]
    elif isinstance(value, MethodType):
        return [value.__self__]
    attributes = getattr(value, "__dict__", None)
    return inside + list(attributes.values()) if isinstance(attributes, dict) else inside


def parts_of(model):
    """Return the model and all objects and collections inside it.

    Parameters
    ----------
    model : object
        A model, or any other object that was read from a file.

    Returns
    -------
    parts : list
        Objects with attributes, lists, tuples, sets, dictionaries and arrays, each listed once
        and after an object that contains it.
    """
    # Without recursion, as a forged file may be nested deeper than Python recurses.
    seen, found, left = set(), [], [model]
    while left:
        value = left.pop()
        if value is None or isinstance(value, _LEAVES) or id(value) in seen:
            continue
        seen.add(id(value))
        found.append(value)
        left += _inside(value)
    return found
