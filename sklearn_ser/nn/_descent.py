"""Steps of Adam without the bookkeeping of each, for small networks."""

import torch
from torch import Tensor
from torch.optim.adam import adam

__all__ = ["AdamSteps"]

_STATE = ("exp_avg", "exp_avg_sq", "step")


class AdamSteps:
    """Take the steps of a fused Adam with one group of parameters.

    The results are those of ``optimizer.step()`` to the last bit, and the optimiser holds
    them. It looks up the state of every parameter in each step, and that takes about as
    long as the update of a small network. Here the state is looked up once, so it must not
    be replaced (``load_state_dict``) between two steps. Hooks of the optimiser are not called.

    Parameters
    ----------
    optimizer : torch.optim.Adam
        With ``fused=True``.
    """

    def __init__(self, optimizer: torch.optim.Adam) -> None:
        self._optimizer = optimizer
        (self._group,) = optimizer.param_groups
        self._state: dict[str, list[Tensor]] | None = None

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self._group["params"]:
            parameter.grad = None

    def step(self) -> None:
        """Update the parameters by their gradients."""
        parameters, group = self._group["params"], self._group
        gradients = [parameter.grad for parameter in parameters]
        if self._state is None or any(gradient is None for gradient in gradients):
            self._optimizer.step()
            self._look_up()
            return
        with torch.no_grad():
            adam(
                parameters,
                gradients,
                self._state["exp_avg"],
                self._state["exp_avg_sq"],
                [],
                self._state["step"],
                fused=True,
                amsgrad=False,
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
            )

    def _look_up(self) -> None:
        """Find the state of the parameters; it exists once each has had a gradient."""
        # get(): the optimiser's dictionary would add what it lacks.
        states = [self._optimizer.state.get(p) for p in self._group["params"]]
        if all(states):
            self._state = {name: [state[name] for state in states if state] for name in _STATE}
