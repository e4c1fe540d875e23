"""Advice in messages, in the words of Python or of the command line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

__all__ = ["advice", "advising", "carrying_advice", "for_shell", "in_python"]

_TO_SHELL: ContextVar[bool] = ContextVar("_TO_SHELL", default=False)


@contextmanager
def advising(to_shell: bool) -> Iterator[None]:
    """Choose whom messages advise while a block runs: users of a shell, or programmers."""
    token = _TO_SHELL.set(to_shell)
    try:
        yield
    finally:
        _TO_SHELL.reset(token)


def for_shell() -> bool:
    """Return whether messages are read by a user of the command line."""
    return _TO_SHELL.get()


def advice(python: str, shell: str) -> str:
    """Return the text for whoever reads the message.

    Parameters
    ----------
    python : str
        For programmers, with names of parameters and functions.
    shell : str
        For users of the command line, with options.

    Examples
    --------
    >>> advice("Pass n_jobs=1.", "Pass --jobs 1.")
    'Pass n_jobs=1.'
    >>> with advising(to_shell=True):
    ...     advice("Pass n_jobs=1.", "Pass --jobs 1.")
    'Pass --jobs 1.'
    """
    return shell if for_shell() else python


def in_python(remedy: str) -> str:
    """Return a remedy for which the command line has no option, and say so to its users.

    Examples
    --------
    >>> in_python("Lower learning_rate.")
    'Lower learning_rate.'
    >>> with advising(to_shell=True):
    ...     in_python("Lower learning_rate.")
    'Use another --method, or do this in Python: Lower learning_rate.'
    """
    return advice(remedy, f"Use another --method, or do this in Python: {remedy}")


def _advise_shell(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with advising(to_shell=True):
        return function(*args, **kwargs)


def carrying_advice(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a picklable function for workers, whose messages have the words of this process."""
    return partial(_advise_shell, function) if for_shell() else function
