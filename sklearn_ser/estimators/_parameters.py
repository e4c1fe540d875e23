"""Parameters of constructors: storing them, their defaults, widths of hidden layers."""

import inspect
from numbers import Integral

import numpy as np

from sklearn_ser.utils._messages import plain

__all__ = ["default_parameters", "hidden_sizes", "store_parameters"]


def store_parameters(estimator, arguments):
    """Set the arguments of a constructor as attributes of its estimator, as they are.

    scikit-learn reads the parameters of an estimator from the signature of its own
    ``__init__``, so a subclass has to repeat those of its parents there. This saves it from
    repeating them in the body as well.

    Parameters
    ----------
    estimator : estimator object
        The ``self`` of the constructor.
    arguments : dict
        ``locals()`` on the first line of the constructor.

    Examples
    --------
    >>> class Scorer:
    ...     def __init__(self, alpha=1.0, *, beta=2.0):
    ...         store_parameters(self, locals())
    >>> vars(Scorer(beta=3.0))
    {'alpha': 1.0, 'beta': 3.0}
    """
    for name, value in arguments.items():
        if name != "self":
            setattr(estimator, name, value)


def default_parameters(estimator_class):
    """Return the parameters of an estimator's constructor that have a default, a dict."""
    parameters = inspect.signature(estimator_class).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def hidden_sizes(hidden_layer_sizes):
    """Return the widths of the hidden layers as a tuple of int.

    Raises
    ------
    ValueError
        If they are not positive integers.
    """
    sizes = np.atleast_1d(np.asarray(hidden_layer_sizes, dtype=object))
    if sizes.ndim != 1 or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be positive integers, one for each hidden layer of the "
            f"encoder, got {plain(hidden_layer_sizes)!r}. Use () for no hidden layer."
        )
    return tuple(int(size) for size in sizes)
