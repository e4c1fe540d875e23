"""Training of a network whose loss is a sum of named terms.

skorch holds module, optimiser and history. Its per-batch machinery (a DataLoader that
collates rows one by one, callbacks, a history entry a batch) costs more than the
arithmetic of the small networks trained here, so the loop over batches is our own.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn

from sklearn_ser.nn._descent import AdamSteps

__all__ = ["EpochState", "TensorRows", "TermsNet", "TrainingPlan", "Watch", "weighted_sum"]


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Return the sum of named scalar tensors, each times its weight (1 if it has none)."""
    (name, term), *others = terms.items()
    weight = weights.get(name, 1.0)
    total = term if weight == 1.0 else weight * term
    for name, term in others:
        # Product and sum as one operation: there is one less to differentiate in each step.
        total = torch.add(total, term, alpha=float(weights.get(name, 1.0)))
    return total


@dataclass(frozen=True)
class EpochState:
    """Circumstances in which a loss is computed.

    Parameters
    ----------
    epoch : int
        Number of epochs trained before this one, including those of earlier calls.
    weights : dict of str to float
        Factor of each term; terms that are not named have weight 1.
    generator : torch.Generator
        Source of all random numbers of the loss.
    training : bool
        False on validation rows.
    """

    epoch: int
    weights: Mapping[str, float]
    generator: torch.Generator
    training: bool = True

    def normal_like(self, tensor: Tensor) -> Tensor:
        """Draw standard normal numbers of the shape, dtype and device of a tensor."""
        return torch.randn(
            tensor.shape, generator=self.generator, dtype=tensor.dtype, device=tensor.device
        )


@dataclass(frozen=True)
class TensorRows:
    """Some rows of tensors that are stored on the device as a whole.

    Parameters
    ----------
    tensors : dict of str to Tensor
        ``"X"`` of shape (n, n_features), and further tensors with one entry for each row.
    rows : Tensor of int64, shape (n_rows,)
        Which of the rows, on the device of the tensors.
    """

    tensors: Mapping[str, Tensor]
    rows: Tensor

    @classmethod
    def all_of(cls, tensors: Mapping[str, Tensor]) -> "TensorRows":
        """Return all rows of the tensors."""
        X = tensors["X"]
        return cls(tensors, torch.arange(len(X), device=X.device))

    def batches(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> Iterator[dict[str, Tensor]]:
        """Yield dictionaries of at most `batch_size` rows, shuffled if there is a generator."""
        rows = self.rows
        if generator is not None:
            rows = rows[torch.randperm(len(rows), generator=generator, device=rows.device)]
        for part in rows.split(batch_size):
            yield {name: tensor.index_select(0, part) for name, tensor in self.tensors.items()}


# Number of losses that are kept one by one.
_STACKED_AT_ONCE = 16


def _stack(losses: dict[str, list[Tensor]], stacked: dict[str, list[Tensor]]) -> None:
    """Move losses to tensors that each hold many."""
    for name, values in losses.items():
        if values:
            stacked.setdefault(name, []).append(torch.stack(values))
            values.clear()


def _is_finite(module: nn.Module) -> bool:
    # In one tensor: each question is an operation, and an answer for which a GPU is waited for.
    weights = [parameter.detach().reshape(-1) for parameter in module.parameters()]
    return bool(torch.cat(weights).isfinite().all())


class Watch:
    """Keep the weights to return to, and decide when to stop.

    Without validation the kept weights are those of the last epoch whose loss and
    weights were finite; with validation, those of the lowest validation loss.

    Parameters
    ----------
    patience : int or None
        Stop after this many epochs in a row whose validation loss is not below the lowest
        one so far by more than `tol`. None: there is no validation.
    tol : float
        See `patience`.
    first_epoch : int
        Validation losses count from this one on (from 0): before, a growing weight may
        make them rise.

    Attributes
    ----------
    n_epochs : int
        Number of epochs seen.
    diverged : bool
        Whether loss or weights became infinite or NaN.
    best_epoch : int or None
        The number of the epoch, in the history, whose weights were kept.
    """

    def __init__(self, patience: int | None = None, tol: float = 0.0, first_epoch: int = 0) -> None:
        self._patience = patience
        self._tol = tol
        self._first_epoch = first_epoch
        self._lowest = np.inf
        self._waited = 0
        self._kept: dict[str, Tensor] = {}
        self.n_epochs = 0
        self.diverged = False
        self.best_epoch: int | None = None

    def keep(self, module: nn.Module, epoch: int | None = None) -> None:
        """Keep the weights of a module, to return to them."""
        self._kept = {name: value.clone() for name, value in module.state_dict().items()}
        self.best_epoch = epoch

    def stops(self, module: nn.Module, row: Mapping[str, Any]) -> bool:
        """Read an epoch's entry of the history; return whether it was the last one."""
        self.n_epochs += 1
        losses = [row["loss"], row.get("validation_loss", 0.0)]
        self.diverged = not (np.isfinite(losses).all() and _is_finite(module))
        if self.diverged:
            return True
        if self._patience is None or row["epoch"] <= self._first_epoch:
            self.keep(module, row["epoch"])
            return False
        # Two comparisons: an improvement below tol does not reset the patience, but its weights
        # are the best so far all the same.
        loss = row["validation_loss"]
        self._waited = 0 if loss < self._lowest - self._tol else self._waited + 1
        if loss < self._lowest:
            self._lowest = loss
            self.keep(module, row["epoch"])
        return self._waited >= self._patience

    def restore(self, module: nn.Module) -> None:
        """Give the module the kept weights."""
        module.load_state_dict(self._kept)


@dataclass(frozen=True)
class TrainingPlan:
    """Loss and course of a training by :meth:`TermsNet.fit_loop`.

    Parameters
    ----------
    loss_terms : callable
        ``(module, batch, state)`` to a dict of named scalar tensors.
    total : callable
        ``(terms, weights)`` to the scalar tensor that is minimised.
    weights : callable
        Epoch (from 0) to the weights of the terms, a dict.
    generator : torch.Generator
        For shuffling and for the loss in training, on the device.
    watch : Watch
        When to stop.
    validation : TensorRows or None
        Rows that are used only to decide when to stop.
    validation_weights : dict
        The same in all epochs, which makes their validation losses comparable.
    validation_seed : int
        The loss of each validation draws the same random numbers, for the same reason.
    first_epoch : int
        Epochs trained before.
    begin_epoch : callable
        ``(module, epoch)``, epochs counted from 0, called before the first step of each;
        returns a dict to add to the epoch's entry of the history.
    end_epoch : callable
        ``(module)``, called after the last step of each epoch and the validation; returns such
        a dict.
    report : callable
        Called with each epoch's entry of the history.
    """

    loss_terms: Callable[[Any, Mapping[str, Tensor], EpochState], dict[str, Tensor]]
    total: Callable[[Mapping[str, Tensor], Mapping[str, float]], Tensor]
    weights: Callable[[int], Mapping[str, float]]
    generator: torch.Generator
    watch: Watch = field(default_factory=Watch)
    validation: TensorRows | None = None
    validation_weights: Mapping[str, float] = field(default_factory=dict)
    validation_seed: int = 0
    first_epoch: int = 0
    begin_epoch: Callable[[Any, int], Mapping[str, float]] = lambda module, epoch: {}
    end_epoch: Callable[[Any], Mapping[str, float]] = lambda module: {}
    report: Callable[[Mapping[str, Any]], None] = lambda row: None


class TermsNet(NeuralNet):
    """A skorch net that minimises a weighted sum of named terms, over slices of tensors.

    ``fit_loop`` takes :class:`TensorRows` and a :class:`TrainingPlan`; everything else
    (``module_``, ``optimizer_``, ``history``, ``forward``, ``save_params``) is skorch's.

    Parameters
    ----------
    module : torch.nn.Module
        The network, already initialised; its ``forward`` reconstructs.
    learning_rate : float
        Step size of Adam.
    batch_size : int
        Rows a step.
    device : torch.device
        Device of the network.
    weight_decay : float, default=0.0
        Half of it, times the sum of the squared weights, is added to the loss.
    """

    @classmethod
    def around(
        cls,
        module: nn.Module,
        *,
        learning_rate: float,
        batch_size: int,
        device: torch.device,
        weight_decay: float = 0.0,
    ) -> "TermsNet":
        """Return an initialised net that holds a module."""
        return cls(
            module,
            criterion=torch.nn.MSELoss,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            optimizer__weight_decay=weight_decay,
            lr=learning_rate,
            batch_size=batch_size,
            train_split=None,
            callbacks="disable",
            verbose=0,
            device=device,
        ).initialize()

    def adjust(self, *, learning_rate: float, batch_size: int) -> None:
        """Continue with another step size and number of rows a step."""
        self.lr = learning_rate
        self.batch_size = batch_size
        for group in self.optimizer_.param_groups:
            group["lr"] = learning_rate

    def train_step(
        self,
        batch: Mapping[str, Tensor],
        *,
        plan: TrainingPlan,
        state: EpochState,
        steps: AdamSteps,
    ) -> dict[str, Tensor]:
        """Take one step of the optimiser; return the terms and their total."""
        steps.zero_grad()
        terms = plan.loss_terms(self.module_, batch, state)
        loss = plan.total(terms, state.weights)
        loss.backward()
        steps.step()
        return {"loss": loss, **terms}

    def validation_step(
        self, batch: Mapping[str, Tensor], *, plan: TrainingPlan, state: EpochState
    ) -> dict[str, Tensor]:
        """Return the terms and their total without learning from them."""
        with torch.no_grad():
            terms = plan.loss_terms(self.module_, batch, state)
            return {"loss": plan.total(terms, state.weights), **terms}

    def run_single_epoch(
        self,
        iterator: Iterable[dict[str, Tensor]],
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Run `step_fn` on all batches; record the means of its terms over the rows."""
        self._set_training(training)
        # Losses stay on the device until the end: reading each would make a GPU wait for every
        # step, and adding each to a sum costs more than keeping it. Kept one by one, they would
        # lie between the batches in memory, and no batch could take the place of an earlier one.
        losses: dict[str, list[Tensor]] = {}
        stacked: dict[str, list[Tensor]] = {}
        sizes = []
        for batch in iterator:
            sizes.append(len(batch["X"]))
            for name, value in step_fn(batch, **fit_params).items():
                losses.setdefault(name, []).append(value.detach())
            if len(sizes) % _STACKED_AT_ONCE == 0:
                _stack(losses, stacked)
        _stack(losses, stacked)
        shares = torch.tensor(sizes, dtype=torch.float64) / sum(sizes)
        for name, values in stacked.items():
            mean = torch.cat(values).cpu().double().dot(shares)
            self.history.record(prefix + name, mean.item())

    def fit_loop(
        self, X: TensorRows, y: None = None, epochs: int = 1, *, plan: TrainingPlan
    ) -> "TermsNet":
        """Train for at most `epochs` epochs on :class:`TensorRows`; return self."""
        self.check_training_readiness()
        plan.watch.keep(self.module_)
        steps = AdamSteps(self.optimizer_)
        for epoch in range(plan.first_epoch, plan.first_epoch + epochs):
            start = time.perf_counter()
            self.notify("on_epoch_begin", dataset_train=X, dataset_valid=plan.validation)
            weights = plan.weights(epoch)
            self.history.record("epoch", epoch + 1)
            for name, value in plan.begin_epoch(self.module_, epoch).items():
                self.history.record(name, value)
            self.run_single_epoch(
                X.batches(self.batch_size, plan.generator),
                training=True,
                prefix="",
                step_fn=self.train_step,
                plan=plan,
                state=EpochState(epoch, weights, plan.generator),
                steps=steps,
            )
            for name, weight in weights.items():
                self.history.record(f"{name}_weight", weight)
            self._validate(plan, epoch)
            for name, value in plan.end_epoch(self.module_).items():
                self.history.record(name, value)
            self.history.record("duration", time.perf_counter() - start)
            self.notify("on_epoch_end", dataset_train=X, dataset_valid=plan.validation)
            plan.report(self.history[-1])
            if plan.watch.stops(self.module_, self.history[-1]):
                break
        plan.watch.restore(self.module_)
        self.module_.eval()
        return self

    def _validate(self, plan: TrainingPlan, epoch: int) -> None:
        if plan.validation is None:
            return
        generator = torch.Generator(self.device).manual_seed(plan.validation_seed)
        self.run_single_epoch(
            plan.validation.batches(self.batch_size),
            training=False,
            prefix="validation_",
            step_fn=self.validation_step,
            plan=plan,
            state=EpochState(epoch, plan.validation_weights, generator, training=False),
        )
