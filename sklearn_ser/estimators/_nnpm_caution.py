"""The unadapted half of an adapted NNPMClassifier, which keeps a say in its predictions."""

import copy

import numpy as np
import torch

from sklearn_ser.nn._devices import as_tensor
from sklearn_ser.nn._readout import Readout, embed_rows

__all__ = ["check_unadapted", "trust", "unadapted_model", "unadapted_state", "with_target"]


def trust(n_target, caution):
    r"""Return the weight of an adapted model in a prediction, :math:`n^2 / (n^2 + c^2)`.

    Adaptation to few rows does harm as often as good: shares of their classes are far from
    equal by chance, and a few wrong pseudo labels are a large part of all. The square lets the
    unadapted model matter less, the more rows there are, than :math:`n / (n + c)` would.

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
    0.9
    """
    # Not by **, which raises an error where the square of a float overflows.
    squares = n_target * n_target, float(caution) * float(caution)
    return squares[0] / sum(squares)


def unadapted_state(weights, memory):
    """Return what a model keeps of its state before adaptation, as plain values."""
    return {"weights": weights, "memory": memory, "means": None, "n_target": 0}


def _are_means(means, n_members):
    return len(means) == 2 and all(
        isinstance(one, np.ndarray) and one.dtype == np.float32 and one.shape[:2] == (n_members, 1)
        for one in means
    )


def check_unadapted(state, memory):
    """Refuse a stored state that does not match the memory; weights are compared elsewhere."""
    fits = (
        isinstance(state, dict)
        and set(state) == {"weights", "memory", "means", "n_target"}
        and isinstance(state["n_target"], int)
        and state["n_target"] > 0
        and isinstance(state["weights"], dict)
        and isinstance(state["memory"], np.ndarray)
        and state["memory"].shape == np.shape(memory)
        and state["memory"].dtype == np.float32
        and (state["means"] is None or _are_means(state["means"], np.shape(memory)[0]))
    )
    if not fits:
        raise ValueError(
            "the state before adaptation does not fit the rows in the memory; the model was "
            "changed or damaged. Train it again."
        )


def unadapted_model(state, module, readout):
    """Return network and readout of a model before adaptation.

    Parameters
    ----------
    state : dict
        From :func:`unadapted_state`.
    module : MemoryNet
        The adapted network, which is not changed.
    readout : Readout
        That of the adapted model, on the device to compute on.

    Returns
    -------
    module : MemoryNet
        The network.
    readout : Readout
        Its own; with the mean probabilities of the target if they are known.
    """
    device = readout.memory.device
    # Not built anew: a new network draws initial weights from torch's one generator, which another
    # thread may be using while this one predicts.
    module = copy.deepcopy(module)
    module.load_state_dict({name: torch.tensor(one) for name, one in state["weights"].items()})
    module.eval()
    means = state["means"] and tuple(as_tensor(mean, device) for mean in state["means"])
    before = Readout(
        as_tensor(state["memory"], device),
        readout.codes,
        n_classes=readout.n_classes,
        temperature=readout.temperature,
        prior=readout.prior,
        means=means,
    )
    return module, before


def with_target(state, module, readout, target):
    """Return the state with the mean probabilities of the rows that were adapted to.

    Votes of both models are brought to the shares of the classes: those of an unadapted model
    may be for a few classes, and certain.
    """
    module, before = unadapted_model({**state, "means": None}, module, readout)
    before.learn_means(*before.raw(module, embed_rows(module, target)))
    means = before.means and tuple(mean.cpu().numpy() for mean in before.means)
    return {**state, "means": means, "n_target": len(target)}
