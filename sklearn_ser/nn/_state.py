"""The state of a net as numpy arrays, and back."""

from typing import Any

import torch

from sklearn_ser.nn._training import TermsNet

__all__ = ["load_state", "state_to_numpy"]


def _to_numpy(value: Any) -> Any:
    return value.detach().cpu().numpy().copy() if isinstance(value, torch.Tensor) else value


def _to_tensor(value: Any) -> Any:
    # torch.tensor copies: arrays may be read-only memory maps.
    return torch.tensor(value) if hasattr(value, "dtype") else value


def state_to_numpy(net: TermsNet, *, with_optimizer: bool) -> dict[str, dict[str, Any]]:
    """Return the weights of a net, and the moments of its optimiser, as arrays.

    Parameters
    ----------
    net : TermsNet
        An initialised net, on any device.
    with_optimizer : bool
        Whether to include the moments of the optimiser, twice as large as the weights. Only
        a training that continues needs them.

    Returns
    -------
    state : dict
        ``"weights"``, arrays by name, and ``"moments"``, arrays by parameter and name.
    """
    weights = {name: _to_numpy(value) for name, value in net.module_.state_dict().items()}
    moments = net.optimizer_.state_dict()["state"] if with_optimizer else {}
    return {
        "weights": weights,
        "moments": {
            parameter: {name: _to_numpy(value) for name, value in values.items()}
            for parameter, values in moments.items()
        },
    }


def load_state(net: TermsNet, state: dict[str, dict[str, Any]]) -> None:
    """Give a net, on any device, the state of another net of the same architecture.

    Parameters
    ----------
    net : TermsNet
        The net to change.
    state : dict
        The state from :func:`state_to_numpy`.
    """
    net.module_.load_state_dict(
        {name: _to_tensor(value) for name, value in state["weights"].items()}
    )
    moments = {
        parameter: {name: _to_tensor(value) for name, value in values.items()}
        for parameter, values in state["moments"].items()
    }
    groups = net.optimizer_.state_dict()["param_groups"]
    net.optimizer_.load_state_dict({"state": moments, "param_groups": groups})
