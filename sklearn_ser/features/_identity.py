"""Digests that tell whether a function or a value is the same as in another process."""

import dis
import functools
import hashlib
import inspect
import os
from collections.abc import Mapping, Set
from types import BuiltinFunctionType, CodeType, EllipsisType, FunctionType, ModuleType
from typing import NamedTuple

import numpy as np

__all__ = ["CannotTellError", "digest", "qualified_name", "unbind"]

# Equal values of these types print alike in every process.
_PRINTABLE = (bool, bytes, complex, EllipsisType, float, int, range, slice, str, type(None))


class CannotTellError(Exception):
    """The state of an object cannot be compared between processes."""


def unbind(func):
    """Return the callable inside all partials, and what they bind."""
    bound = []
    while isinstance(func, functools.partial):
        bound.append((func.args, func.keywords))
        func = func.func
    return func, bound


def qualified_name(value):
    """Return module and name of a function or class, of anything else those of its class."""
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _instructions(code):
    """Yield what compiled code does, without the file and the lines where it stands."""
    yield "except", code.co_exceptiontable
    for instruction in dis.get_instructions(code):
        if isinstance(instruction.argval, CodeType):
            yield from _instructions(instruction.argval)
        elif instruction.opname == "KW_NAMES":
            # Python 3.11 and 3.12 leave the names of keywords for the caller to look up.
            yield instruction.opname, code.co_consts[instruction.arg]
        else:
            yield instruction.opname, instruction.argval


class _Scope(NamedTuple):
    """The module whose code counts, and its functions that were described already."""

    module: str
    seen: list


def _is_elsewhere(value, scope):
    return "<" not in value.__qualname__ and value.__module__ != scope.module


def _describe_function(func, scope):
    if _is_elsewhere(func, scope):
        return "elsewhere", qualified_name(func)
    if any(func is one for one in scope.seen):
        return "again", func.__qualname__
    scope.seen.append(func)
    steps = list(_instructions(func.__code__))
    used = {name for operation, name in steps if operation in ("LOAD_GLOBAL", "LOAD_NAME")}
    variables = {name: func.__globals__[name] for name in used & func.__globals__.keys()}
    cells = func.__closure__ or ()
    variables |= zip(func.__code__.co_freevars, (cell.cell_contents for cell in cells), strict=True)
    defaults = [func.__defaults__, func.__kwdefaults__]
    return "function", [_describe(part, scope) for part in (steps, variables, defaults)]


def _describe_object(value, scope):
    """Describe what is no collection: a function, a module, a class."""
    if isinstance(value, ModuleType):
        return "module", value.__name__
    if isinstance(value, FunctionType):
        return _describe_function(value, scope)
    if isinstance(value, np.ufunc):
        return "elsewhere", value.__name__
    if isinstance(value, type):
        if _is_elsewhere(value, scope):
            return "elsewhere", qualified_name(value)
        raise CannotTellError(f"the class {qualified_name(value)}")
    if hasattr(value, "__wrapped__"):
        return _describe(inspect.unwrap(value), scope)
    owner = getattr(value, "__self__", None)
    if isinstance(value, BuiltinFunctionType) and (owner is None or isinstance(owner, ModuleType)):
        return "elsewhere", qualified_name(value)
    kind = qualified_name(type(value) if owner is None else type(owner))
    raise CannotTellError(f"an object of {kind}")


def _describe(value, scope):
    """Return a nest of tuples and text that is equal where, in any process, value is equal.

    A function of the module in `scope` is described by its code, together with
    the functions and constants of that module that it uses.
    """
    if isinstance(value, _PRINTABLE):
        return type(value).__name__, repr(value)
    if isinstance(value, os.PathLike):
        return "path", os.fspath(value)
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        content = hashlib.sha256(value.tobytes()).hexdigest()
        return "array", value.dtype.descr, value.shape, content
    if isinstance(value, tuple | list):
        return type(value).__name__, [_describe(one, scope) for one in value]
    if isinstance(value, Mapping):
        parts = [(_describe(key, scope), one) for key, one in value.items()]
        parts.sort(key=lambda part: repr(part[0]))
        return "mapping", [(key, _describe(one, scope)) for key, one in parts]
    if isinstance(value, Set):
        return "set", sorted((_describe(one, scope) for one in value), key=repr)
    if isinstance(value, functools.partial):
        return "partial", _describe(unbind(value), scope)
    return _describe_object(value, scope)


def digest(value, module):
    """Identify a value or a function.

    Parameters
    ----------
    value : object
        Functions, plain values, arrays, and collections of them.
    module : str
        The module whose functions and constants count by their content; what
        belongs to another one counts by its name.

    Returns
    -------
    digest : str
        Equal in every process of one version of Python where the value is.

    Raises
    ------
    CannotTellError
        There is an object of another kind, which the message names.
    """
    description = _describe(value, _Scope(module, []))
    return hashlib.sha256(repr(description).encode()).hexdigest()
