"""The unadapted half of an adapted NNPMClassifier, which keeps a say in its predictions."""

import numpy as np
import torch

from sklearn_ser.nn._devices import as_tensor, build_module
from sklearn_ser.nn._readout import Readout

__all__ = ["check_unadapted", "trust", "unadapted_state", "unadapted_votes"]


def trust(n_target, caution):
    r"""Return the weight of an adapted model in a prediction, :math:`n / (n + c)`.

    A corpus of few rows is adapted to badly as often as well: shares of its classes are far
    from equal by chance, and a few wrong pseudo labels are a large part of all.

    Parameters
    ----------
    n_target : int
        Number :math:`n` of rows that it was adapted to.
    caution : float
        Number :math:`c` of rows at which both models have the same weight.

    Returns
    -------
    weight : float

    Examples
    --------
    >>> trust(150, 50)
    0.75
    """
    return n_target / (n_target + caution)


def unadapted_state(weights, memory, n_target):
    """Return what a model keeps of its state before adaptation, as plain values."""
    return {"weights": weights, "memory": memory, "n_target": int(n_target)}


def check_unadapted(state, n_source):
    """Refuse a stored state whose parts do not match; weights are compared elsewhere."""
    fits = (
        isinstance(state, dict)
        and set(state) == {"weights", "memory", "n_target"}
        and isinstance(state["n_target"], int)
        and state["n_target"] > 0
        and np.shape(state["memory"])[-2:-1] == (n_source,)
    )
    if not fits:
        raise ValueError(
            "the state before adaptation does not fit the rows in the memory; the model was "
            "changed or damaged. Train it again."
        )


def unadapted_votes(state, recipe, readout, rows, probabilities_of):
    """Return the probabilities ``(n, K)`` of the model before adaptation.

    Parameters
    ----------
    state : dict
        From :func:`unadapted_state`.
    recipe : tuple
        Class and arguments of the network.
    readout : Readout
        That of the adapted model.
    rows : Tensor of shape (n, n_features)
        Rows, on the device to compute on.
    probabilities_of : callable
        Takes a network, a readout and rows.

    Returns
    -------
    probabilities : Tensor of shape (n, K)
    """
    module_class, arguments = recipe
    module = build_module(lambda: module_class(**arguments), 0).to(rows.device)
    module.load_state_dict({name: torch.tensor(one) for name, one in state["weights"].items()})
    module.eval()
    # Without means: the votes are not brought to equal shares, which adaptation took for granted
    # and the target may not have.
    before = Readout(
        as_tensor(state["memory"], rows.device),
        readout.codes,
        n_classes=readout.n_classes,
        temperature=readout.temperature,
        prior=readout.prior,
    )
    return probabilities_of(module, before, rows)
