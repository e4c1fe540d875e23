"""Training of NNPMClassifier: warm-up on a source, adaptation to a target."""

from collections.abc import Mapping

import numpy as np
import torch

from sklearn_ser._sklearn import validate_parameters
from sklearn_ser.estimators._adaptive import AdaptiveClassifier, check_codes
from sklearn_ser.nn._adaptation import (
    Adaptation,
    AdaptationSettings,
    Source,
    collapse,
    source_loss,
)
from sklearn_ser.nn._devices import as_tensor, one_thread, resolve_device, seeds_of_run
from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._multilabel import geometric_mean
from sklearn_ser.nn._readout import Readout, embed_rows, has_length_1
from sklearn_ser.nn._shares import estimate_shares, means_for_shares
from sklearn_ser.nn._state import load_state, state_to_numpy
from sklearn_ser.utils._messages import plain

# Equal shares count as much as this part of the target's rows in the estimate: where
# classes overlap, the likelihood is flat and its maximum often lies in a corner.
_SHRINKAGE = 0.1


def _is_estimate(target_prior):
    return isinstance(target_prior, str) and target_prior == "estimate"


def class_shares(target_prior, classes, codes):
    """Return the expected share of each class, from the parameter `target_prior`.

    Parameters
    ----------
    target_prior : {"uniform", "source", "estimate"}, dict, array-like or None
        The parameter. "estimate" counts as "uniform": all that is known before the target is.
    classes : ndarray of shape (n_classes,)
        Classes.
    codes : ndarray of int64, shape (n_source,)
        Classes of the source rows.

    Returns
    -------
    shares : ndarray of shape (n_classes,), float32, or None

    Raises
    ------
    ValueError
        If `target_prior` does not hold shares of the classes.
    """
    if target_prior is None:
        return None
    names = classes.tolist()
    given = target_prior
    if isinstance(given, str):
        counts = np.bincount(codes, minlength=len(names))
        shares = counts / len(codes) if given == "source" else np.full(len(names), 1 / len(names))
        return shares.astype(np.float32)
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise ValueError(
                f"target_prior names the classes {plain([*given])}, but y has {names}. Give the "
                f"expected share of each class of y, 0 for one that the target lacks."
            )
        given = [given[name] for name in names]
    try:
        shares = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        shares = np.empty(0)
    # NaN fails the comparison with 0.
    if shares.shape != (len(names),) or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            f"target_prior must hold a share of at least 0 for each of the {len(names)} classes "
            f"{names}, with a sum of 1, got {plain(target_prior)!r}."
        )
    return shares.astype(np.float32)


def equal_shares(shares):
    """Return equal shares of all classes that have one, as an array like `shares`; None for None.

    What adaptation learns from. Pseudo labels with the shares of the target teach the head to
    predict the frequent classes, and the rare ones are lost before the prediction counts them.
    """
    if shares is None:
        return None
    return ((shares > 0) / np.count_nonzero(shares)).astype(shares.dtype)


class NNPMTraining(AdaptiveClassifier):
    """Warm-up on labelled rows, and adaptation to unlabelled ones.

    The training half of :class:`~sklearn_ser.estimators.NNPMClassifier`, with its parameters.
    All methods that take a target pass it to :meth:`_adapt_to`.
    """

    _continuing = "Adaptation continues"
    _restarting = "call fit again"
    _network = MemoryNet
    _without_effect_on_adaptation = ("random_state", "verbose", "vote")

    def _warm_up(self, X, codes, seed):
        """Train anew on labelled rows and put them into the memory."""
        for name in ("net_", "pseudo_labels_", "target_selected_", "target_prior_"):
            self.__dict__.pop(name, None)
        self._source_rows = X
        self._memory_codes = codes
        self._means = None
        self._keep_moments = False
        self._seed = seed
        self._cache = {}
        self.adapted_ = False
        self.history_ = []
        # Wrong shares are reported now rather than after the training.
        class_shares(self.target_prior, self.classes_, codes)
        device = resolve_device(self.device)
        # One seed for each purpose: more draws of initial weights leave the order of rows as it is.
        _, init_seed, training_seed, _ = seeds_of_run(seed, 0)
        with one_thread(device):
            self._prepare_net(X.shape[1], init_seed, device)
            source = self._source(device)
            # The memory is not used yet: only encoder and head learn.
            diverged = self._run(
                {"X": source.rows, "code": source.codes, "weight": source.row_weights},
                epochs=self.warmup_epochs,
                phase="warm-up",
                loss_terms=lambda module, batch, state: {
                    "source": source_loss(
                        module.classify(module.embed(batch["X"], state.generator)),
                        batch["code"],
                        batch["weight"],
                    )
                },
                weights=lambda epoch: {},
                generator=torch.Generator(device).manual_seed(training_seed),
            )
            memory = embed_rows(self.net_.module_, source.rows)
            with torch.no_grad():
                logits = self.net_.module_.classify(memory)
        # The watch checks losses and weights. An embedding may overflow with finite weights.
        finite = bool(logits.isfinite().all()) and has_length_1(memory)
        self._report_divergence(diverged, finite, np.abs(X).max())
        self.memory_ = memory.cpu().numpy()

    def _source(self, device):
        """Return the source, with row weights that give each class the same total weight."""
        return Source(
            codes=as_tensor(self._memory_codes, device),
            row_weights=self._balanced_weights(self._memory_codes, device),
            rows=None if self._source_rows is None else as_tensor(self._source_rows, device),
        )

    def _expected_shares(self):
        return class_shares(self.target_prior, self.classes_, self._memory_codes)

    def _readout(self, device, shares, means):
        return Readout(
            as_tensor(self.memory_, device),
            as_tensor(self._memory_codes, device),
            n_classes=len(self.classes_),
            temperature=self.temperature,
            prior=None if shares is None else as_tensor(shares, device),
            means=means and tuple(as_tensor(mean, device) for mean in means),
        )

    def _shares_to_predict(self):
        """Return the shares that predictions have, and the means that bring them there.

        The parameters may be changed after adaptation and act at once: the means that were
        fitted to the shares of the target serve these shares alone.
        """
        expected = self._expected_shares()
        if self.prediction_prior == "uniform":
            return equal_shares(expected), self._means
        # Adaptation stores both; a model of an earlier version has neither.
        known, estimated = self.__dict__.get("target_prior_"), _is_estimate(self.target_prior)
        if known is None or expected is None or estimated != self._prior_estimated:
            return expected, self._means
        if estimated or np.array_equal(known, expected):
            return known, self._prior_means
        return expected, self._means

    def _settings(self, prior):
        names = [name for name in AdaptationSettings.__dataclass_fields__ if name != "prior"]
        return AdaptationSettings(prior=prior, **{name: getattr(self, name) for name in names})

    def _adapt_to(self, X_target):
        """Adapt to validated rows, or warn and stay as before."""
        # Parameters may have been set since fit.
        validate_parameters(self)
        if self._is_too_small(X_target):
            return
        device = resolve_device(self.device)
        with one_thread(device):
            self._prepare_net(X_target.shape[1], 0, device)
            # An optimiser of its own: moments of the warm-up are not stored, so adaptation
            # could not go the same way in fit, later, and after loading if it used them.
            self.net_.optimizer__weight_decay = self.weight_decay
            self.net_.initialize_optimizer()
            weights_before = state_to_numpy(self.net_, with_optimizer=False)
            expected = self._expected_shares()
            readout = self._readout(device, equal_shares(expected), self._means)
            target = as_tensor(X_target, device)
            shares = expected
            if _is_estimate(self.target_prior):
                votes = readout.raw(self.net_.module_, embed_rows(self.net_.module_, target))
                joint = geometric_mean(*votes).mean(dim=0)
                shares = estimate_shares(joint, prior_weight=_SHRINKAGE).cpu().numpy()
            state = Adaptation(readout, self._source(device), target, self._settings(readout.prior))
            n_epochs_before = len(self.history_)
            diverged = self._train_on_target(state, device)
            figures = state.finish(self.net_.module_)
            diverged = diverged or not state.is_finite()
        reason = self._reason_against(diverged, expected, self.history_[n_epochs_before], figures)
        accepted = not (diverged or (self.guard and reason))
        # Without the guard a doubtful adaptation stays, but never one with infinite values.
        final = {f"final_{name}": value for name, value in figures.items()}
        self.history_[-1] |= {**final, "accepted": accepted, "reason": reason}
        # Copies for earlier batches were adapted from the model before.
        self._cache = {}
        if not accepted:
            with one_thread(device):
                load_state(self.net_, weights_before)
            self._warn(reason)
            return
        self.memory_ = readout.memory.cpu().numpy()
        self._means = readout.means and tuple(mean.cpu().numpy() for mean in readout.means)
        self._learn_shares(shares, readout, target)
        self.pseudo_labels_ = self.classes_[state.probabilities.argmax(dim=1).cpu().numpy()]
        self.target_selected_ = state.selected.cpu().numpy()
        self.adapted_ = True

    def _train_on_target(self, state, device):
        """Train for `max_epochs` epochs on the target; return whether it diverged."""
        weights = {"multilabel": self.target_weight, "head": self.target_weight}
        # Seeded by the epochs done: adapting once more draws new numbers, and adapting in fit,
        # later, or after loading draws the same ones.
        training_seed = seeds_of_run(self._seed, len(self.history_))[2]
        return self._run(
            {"X": state.target, "row": torch.arange(len(state.target), device=device)},
            epochs=self.max_epochs,
            phase="adaptation",
            loss_terms=state.loss_terms,
            begin_epoch=state.begin_epoch,
            weights=lambda epoch: weights,
            generator=torch.Generator(device).manual_seed(training_seed),
        )

    def _learn_shares(self, shares, readout, target):
        """Fit the predictions to the shares of the target, given or estimated."""
        self.target_prior_ = shares
        self._prior_estimated = _is_estimate(self.target_prior)
        self._prior_means = self._means
        if shares is None or np.array_equal(shares, equal_shares(shares)):
            return
        module = self.net_.module_
        with one_thread(target.device):
            votes = readout.raw(module, embed_rows(module, target))
            share = as_tensor(shares, target.device)
            self._prior_means = tuple(means_for_shares(one, share).cpu().numpy() for one in votes)

    def _reason_against(self, diverged, shares, first, figures):
        """Return why an adaptation should be rejected; empty if nothing speaks against it."""
        if diverged:
            return "the loss or the embedding became infinite or NaN. Lower learning_rate"
        smallest = 1 / len(self.classes_) if shares is None else shares[shares > 0].min()
        return collapse(first, figures, smallest_prior=float(smallest))

    def __setstate__(self, state):
        if "_memory_codes" in state:
            memory, rows = state.get("memory_"), state.get("_source_rows")
            shapes = [] if memory is None else [np.shape(memory)[-2:-1]]
            shapes += [] if rows is None else [np.shape(rows)[:1]]
            check_codes(state["_memory_codes"], state.get("classes_"), *shapes)
        super().__setstate__(state)
        if "_memory_codes" in state:
            self._cache = {}
