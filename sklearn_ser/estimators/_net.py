"""The network of an estimator: creation, warm start, use and pickling."""

import functools
from abc import ABC, abstractmethod
from typing import ClassVar

import torch

from sklearn_ser.estimators._parameters import default_parameters
from sklearn_ser.nn._devices import as_tensor, build_module, one_thread, resolve_device
from sklearn_ser.nn._memory import AdversarialNet, MemberNet, MemoryNet
from sklearn_ser.nn._modules import (
    Autoencoder,
    ClassifyingVariationalAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ser.nn._state import load_state, state_to_numpy
from sklearn_ser.nn._training import TermsNet
from sklearn_ser.utils._messages import plain

# Rows that pass the network at once after training; bounds the memory of its layers.
_ROWS_AT_ONCE = 8192


def _difference(before, now):
    """Name the entries in which two dictionaries of arguments differ."""
    names = [name for name in now if before.get(name) != now[name]]
    return ", ".join(
        f"{name} was {plain(before.get(name))!r} and is {plain(now[name])!r}" for name in names
    )


def all_or_nothing(method):
    """Decorate a method that trains: if it fails, its estimator stays as it was.

    A training that is interrupted from the keyboard, or ends with an error, would otherwise
    leave a net that answers: half trained, or for other classes than `classes_` lists.
    """

    @functools.wraps(method)
    def trained(self, *args, **kwargs):
        before = dict(vars(self))
        net = before.get("net_")
        if net is not None:
            # The net may be trained further in place; all other attributes are replaced.
            state, n_epochs = state_to_numpy(net, with_optimizer=True), len(net.history)
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            if net is not None:
                with one_thread(net.device):
                    load_state(net, state)
                del net.history[n_epochs:]
                net.module_.eval()
            raise

    return trained


class NetHolder(ABC):
    """An estimator that holds a skorch net as ``net_``.

    It has the parameters `learning_rate`, `batch_size` and `device`, and may have
    `weight_decay`.
    """

    weight_decay = 0.0

    # For the error message: what continues with the present net, and how to start with another.
    _continuing = "warm_start=True and partial_fit continue"
    _restarting = "set warm_start=False and call fit"

    # The classes that `_module_recipe` may return. A stored state names one of them: it cannot
    # make anything else be called.
    _module_classes: ClassVar[tuple] = (
        Autoencoder,
        VariationalAutoencoder,
        ClassifyingVariationalAutoencoder,
        MemoryNet,
        MemberNet,
        AdversarialNet,
    )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    @abstractmethod
    def _module_recipe(self, n_features):
        """Return the class of the torch module and its keyword arguments, a dict.

        The arguments are plain values: they are pickled, and compared when a training
        continues with the same net.
        """

    def _prepare_net(self, n_features, seed, device):
        """Create the net, or adjust the present one to the parameters."""
        recipe = self._module_recipe(n_features)
        if not hasattr(self, "net_"):
            self._recipe = recipe
            self.net_ = self._new_net(seed, device)
            return
        if recipe != self._recipe:
            raise ValueError(
                f"{self._continuing} the training of the present network, but the parameters now "
                f"describe another network: {_difference(self._recipe[1], recipe[1])}. Restore "
                f"them, or {self._restarting}."
            )
        if self.net_.device != device:
            # A new net: in one that is moved, the optimiser's tensors stay on the old device.
            state = state_to_numpy(self.net_, with_optimizer=True)
            self.net_ = self._new_net(seed, device)
            load_state(self.net_, state)
        self.net_.adjust(learning_rate=self.learning_rate, batch_size=self.batch_size)

    def _new_net(self, seed, device):
        cls, arguments = self._recipe
        return TermsNet.around(
            build_module(lambda: cls(**arguments), seed),
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            device=device,
            weight_decay=self.weight_decay,
        )

    def _in_batches(self, function, X):
        """Apply ``function(module, x)``, which gives a tensor, to rows; return an array."""
        net = self.net_
        with one_thread(net.device), torch.inference_mode():
            parts = [
                function(net.module_, as_tensor(X[start : start + _ROWS_AT_ONCE], net.device)).cpu()
                for start in range(0, len(X), _ROWS_AT_ONCE)
            ]
            return torch.cat(parts).numpy()

    def _module_class(self, name):
        for module_class in self._module_classes:
            if module_class.__name__ == name:
                return module_class
        known = ", ".join(module_class.__name__ for module_class in self._module_classes)
        raise ValueError(
            f"A stored {type(self).__name__} names the network {name!r}, this version has {known}. "
            f"Load it with the version that stored it."
        )

    def _check_weights(self, weights):
        """Compare stored weights with the recipe, before a network is allocated."""
        cls, arguments = self._recipe
        # Tensors on the device "meta" have shapes and take no memory, however wide a damaged file
        # says that the layers are.
        with torch.device("meta"):
            expected = {n: tuple(v.shape) for n, v in cls(**arguments).state_dict().items()}
        found = {name: tuple(getattr(weight, "shape", ())) for name, weight in weights.items()}
        if found != expected:
            names = sorted(n for n in expected | found if expected.get(n) != found.get(n))
            raise ValueError(
                f"A stored {type(self).__name__} has weights that do not belong to its network, "
                f"such as {names[0]!r} of shape {found.get(names[0])}, expected "
                f"{expected.get(names[0])}."
            )

    def __getstate__(self):
        # Arrays, no tensors: a tensor that lies on a GPU cannot be loaded without one.
        state = dict(super().__getstate__())
        if "_recipe" in state:
            module_class, arguments = state["_recipe"]
            state["_recipe"] = (module_class.__name__, arguments)
        if "net_" in state:
            net = state.pop("net_")
            state["_net_state"] = state_to_numpy(net, with_optimizer=self._keep_moments)
        return state

    def __setstate__(self, state):
        # A model stored before a parameter existed has its default.
        state = {**default_parameters(type(self)), **state}
        net_state = state.pop("_net_state", None)
        if "_recipe" in state:
            name, arguments = state["_recipe"]
            state["_recipe"] = (self._module_class(name), arguments)
        super().__setstate__(state)
        if net_state is None:
            return
        self._check_weights(net_state["weights"])
        # A model of a GPU is loaded where there is none, to predict. Training resolves the device
        # again, and then reports that it is missing.
        try:
            device = resolve_device(self.device)
        except (RuntimeError, ValueError):
            device = torch.device("cpu")
        with one_thread(device):
            self.net_ = self._new_net(0, device)
            load_state(self.net_, net_state)
        self.net_.module_.eval()
