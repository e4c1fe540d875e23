"""Parameters of constructors: storing them, their defaults, widths of hidden layers."""

import inspect
from numbers import Integral

import numpy as np

from sklearn_ser.utils._messages import plain

__all__ = [
    "DAS2022",
    "autoencoder_arguments",
    "default_parameters",
    "hidden_sizes",
    "store_parameters",
]

# What the script of Das et al. 2022 (arXiv:2203.14867) uses for all models. In full, although some
# values are defaults here: defaults may change.
DAS2022 = {
    "n_components": 2,
    "hidden_layer_sizes": (40, 20, 10),
    "decoder_activation": ("identity", "relu", "identity"),
    "noise": 1.0,
    "noise_in_transform": True,
    "learning_rate": 1e-4,
    "max_epochs": 100,
    "batch_size": 64,
}


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


def _activations(decoder_activation, n_hidden):
    """Return the activations of a decoder as one str, if all are alike, or a tuple of str."""
    if isinstance(decoder_activation, str):
        return decoder_activation
    names = [*decoder_activation]
    if not all(isinstance(name, str) and name in ("relu", "identity") for name in names):
        raise ValueError(
            f"decoder_activation must be 'relu', 'identity' or a sequence of these, one for each "
            f"hidden layer, got {plain(decoder_activation)!r}."
        )
    if len(names) != n_hidden:
        raise ValueError(
            f"decoder_activation has {len(names)} entries, but hidden_layer_sizes has {n_hidden}. "
            f"Give one activation for each hidden layer of the decoder, the layer next to the "
            f"latent first, or one str for all of them."
        )
    return str(names[0]) if len({*names}) == 1 else tuple(str(name) for name in names)


def autoencoder_arguments(estimator, n_features):
    """Return the arguments of the torch module that the parameters of an autoencoder describe.

    Raises
    ------
    ValueError
        If the widths of the hidden layers are no positive integers, or the activations of the
        decoder do not belong to them.
    """
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    return {
        "n_features": n_features,
        "hidden_layer_sizes": sizes,
        "n_components": int(estimator.n_components),
        "decoder_activation": _activations(estimator.decoder_activation, len(sizes)),
    }
