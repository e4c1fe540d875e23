"""Callables of users: their names, what identifies their arguments, and their errors."""

import functools
import hashlib
import json
import os

import numpy as np

__all__ = ["MISTAKES", "called_name", "digest_of_arguments", "qualified_name", "unbind"]

# Reasons outside the recording: a mistake in the function, or a machine out of memory.
MISTAKES = (AttributeError, ImportError, MemoryError, NameError, TypeError)


def unbind(func):
    """Return the callable inside all partials, and the arguments that they bind."""
    bound = []
    while isinstance(func, functools.partial):
        bound.append([func.args, func.keywords])
        func = func.func
    return func, bound


def qualified_name(func):
    """Return module and name of a function or class; of another callable, those of its class."""
    named = func if hasattr(func, "__qualname__") else type(func)
    return f"{named.__module__}.{named.__qualname__}"


def called_name(func):
    """Return the name of func that messages use."""
    return qualified_name(unbind(func)[0]).rpartition(".")[2]


def _as_json(value):
    """Turn an argument that JSON does not know into one that it knows.

    An array is not equal to the list of its values: twice a list is a longer list.
    """
    if isinstance(value, os.PathLike):
        return ["path", os.fspath(value)]
    if isinstance(value, np.generic | np.ndarray):
        return [value.dtype.str, value.tolist()]
    raise TypeError(f"an object of {qualified_name(type(value))}")


def digest_of_arguments(bound, kw_args):
    """Return a digest that is equal, in every process, for equal arguments."""
    try:
        text = json.dumps([bound, kw_args], sort_keys=True, default=_as_json)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"kw_args or the arguments of a partial hold what the cache cannot compare ({error}), "
            "expected numbers, text, paths, arrays, and lists and dicts of them. Let func itself "
            "use the object, and change version whenever the object changes, or set cache=None."
        ) from None
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
