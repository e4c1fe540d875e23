"""Training of NNPMClassifier: warm-up on a source, adaptation to a target."""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from sklearn_ser._sklearn import validate_parameters
from sklearn_ser.estimators._adaptive import AdaptiveClassifier, check_codes, diverged_because
from sklearn_ser.estimators._nnpm_caution import check_unadapted, unadapted_state, with_target
from sklearn_ser.estimators._nnpm_labels import (
    check_mass,
    check_number_labelled,
    class_balance,
    is_labelled,
    joined,
    mass_balance,
)
from sklearn_ser.estimators._rows import validate_target
from sklearn_ser.estimators._views import check_columns
from sklearn_ser.nn._adaptation import (
    Adaptation,
    AdaptationSettings,
    Source,
    collapse,
    source_loss,
)
from sklearn_ser.nn._devices import as_tensor, one_thread, resolve_device, seeds_of_run
from sklearn_ser.nn._labelled import LabelledAdaptation, LabelledRows
from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._multilabel import geometric_mean
from sklearn_ser.nn._readout import Readout, embed_rows, has_length_1
from sklearn_ser.nn._shares import estimate_shares, means_for_shares
from sklearn_ser.nn._state import load_state, state_to_numpy
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._soft_labels import has_columns, soft_labels

# Attributes that only adaptation sets, and the network, which a refit builds anew.
_OF_ADAPTATION = (
    "net_",
    "pseudo_labels_",
    "target_selected_",
    "target_prior_",
    "_prior_estimated",
    "_prior_means",
)

# Attributes that labelled target rows change.
_LABELS_CHANGE = ("_memory_codes", "_memory_mass", "_source_rows", "_n_labelled")

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
    codes : ndarray of int64, shape (n_source,), or of floats, shape (n_source, n_classes)
        Classes of the source rows, or the shares of raters.

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
        soft = codes.ndim == 2
        counts = codes.sum(axis=0) if soft else np.bincount(codes, minlength=len(names))
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

    # The last rows of the memory that are labelled rows of a target; models stored before there
    # were any have none.
    _n_labelled = 0

    # The shares of raters of each row of the memory; none where all rows have one label.
    _memory_mass = None

    # What there was before adaptation; a model that is not adapted, or stored earlier, has none.
    _unadapted = None

    _continuing = "Adaptation continues"
    _restarting = "call fit again"
    _network = MemoryNet
    _without_effect_on_adaptation = ("random_state", "verbose", "vote", "caution")

    def _validate_training(self, X, y, X_target, *, copy):
        """Return the rows, their classes as codes or shares of raters, and the target."""
        if y is None or not has_columns(y):
            return super()._validate_training(X, y, X_target, copy=copy)
        rows = validate_data(self, X, dtype=np.float32, order="C", copy=copy)
        soft = soft_labels(y, len(rows), gaps="Pass these rows as X_target.")
        if soft.is_hard:
            # To the bit as with one label a row, and as fast.
            return super()._validate_training(X, soft.as_labels(), X_target, copy=copy)
        self._learn_classes(soft.classes)
        shares = soft.over(soft.classes)
        return rows, shares, None if X_target is None else validate_target(self, X_target)

    def _warm_up(self, X, codes, seed):
        """Train anew on labelled rows and put them into the memory."""
        for name in _OF_ADAPTATION:
            self.__dict__.pop(name, None)
        self._source_rows = X
        self._learn_labels(codes)
        self._n_labelled = 0
        self._unadapted = None
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

    def _learn_labels(self, labels):
        soft = labels.ndim == 2
        self._memory_codes = labels.argmax(axis=1) if soft else labels
        self._memory_mass = labels if soft else None

    def _labels(self, n_rows=None):
        """Return codes, or shares of raters, of the first rows of the memory, or of all."""
        labels = self._memory_codes if self._memory_mass is None else self._memory_mass
        return labels[:n_rows]

    def _source(self, device):
        """Return the source, with row weights that give each class the same total weight."""
        codes = self._memory_codes
        if self._memory_mass is not None:
            return self._soft_source(device)
        rows = None if self._source_rows is None else as_tensor(self._source_rows, device)
        if self._n_labelled:
            # Drawn by weight instead of weighted: a batch that happens to hold one of the few
            # heavy rows would otherwise take a step many times as long as the next.
            weights = torch.ones(len(codes), device=device)
            chances = as_tensor(self._balance()[1], device)
        else:
            weights, chances = self._balanced_weights(codes, device), None
        return Source(as_tensor(codes, device), weights, rows, chances)

    def _soft_source(self, device):
        """Return the source of soft labels, in which each class has the same total mass."""
        rows = None if self._source_rows is None else as_tensor(self._source_rows, device)
        mass, chances = self._balance()[1], None
        if self._n_labelled:
            # Drawn by the mass of all classes in a row, of which each then has its part.
            sums = mass.sum(axis=1)
            targets, chances = mass / sums[:, None], as_tensor(sums, device)
        else:
            targets = len(mass) * mass
        ones = torch.ones(len(mass), device=device)
        return Source(as_tensor(targets, device), ones, rows, chances)

    def _balance(self):
        if self._memory_mass is not None:
            return mass_balance(self._memory_mass, self._n_labelled, self.label_weight)
        return class_balance(
            self._memory_codes, len(self.classes_), self._n_labelled, self.label_weight
        )

    def _expected_shares(self):
        n_source = len(self._memory_codes) - self._n_labelled
        return class_shares(self.target_prior, self.classes_, self._labels(n_source))

    def _readout(self, device, shares, means):
        return Readout(
            as_tensor(self.memory_, device),
            as_tensor(self._labels(), device),
            n_classes=len(self.classes_),
            temperature=self.temperature,
            prior=None if shares is None else as_tensor(shares, device),
            means=means and tuple(as_tensor(mean, device) for mean in means),
            weights=as_tensor(self._balance()[0], device) if self._n_labelled else None,
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

    def _adapt_to(self, X_target, codes=None):
        """Adapt to validated rows, some with classes from 0 on; return the text of a warning."""
        # Parameters may have been set since fit.
        validate_parameters(self)
        reason = self._reason_if_small(X_target) or self._attempt(X_target, codes)
        if not reason:
            return ""
        # Labels stay true where pseudo labels went wrong, so they are learnt all the same.
        learnt = codes is not None and not self._attempt(X_target, codes, labels_alone=True)
        rest = "it learnt from the labelled rows alone" if learnt else ""
        return self._not_adapted(reason, rest)

    def _attempt(self, X_target, codes, *, labels_alone=False):
        """Adapt to rows; return why this was undone, empty if it was not."""
        device = resolve_device(self.device)
        before = {name: getattr(self, name) for name in ("memory_", *_LABELS_CHANGE)}
        with one_thread(device):
            self._prepare_net(X_target.shape[1], 0, device)
            # An optimiser of its own: moments of the warm-up are not stored, so adaptation
            # could not go the same way in fit, later, and after loading if it used them.
            self.net_.optimizer__weight_decay = self.weight_decay
            self.net_.initialize_optimizer()
            weights_before = state_to_numpy(self.net_, with_optimizer=False)
            target = as_tensor(X_target, device)
            if codes is not None:
                labelled = is_labelled(codes)
                self._remember(X_target[labelled], codes[labelled])
            expected = self._expected_shares()
            readout = self._readout(device, equal_shares(expected), self._means)
            shares = expected
            if _is_estimate(self.target_prior):
                votes = readout.raw(self.net_.module_, embed_rows(self.net_.module_, target))
                joint = geometric_mean(*votes).mean(dim=0)
                shares = estimate_shares(joint, prior_weight=_SHRINKAGE).cpu().numpy()
            state = self._adaptation(readout, target, codes, labels_alone)
            n_epochs_before = len(self.history_)
            diverged = self._train_on_target(state, device)
            figures = state.finish(self.net_.module_)
            diverged = diverged or not state.is_finite()
        reason = self._reason_against(diverged, expected, self.history_[n_epochs_before], figures)
        accepted = not (diverged or (self.guard and reason and not labels_alone))
        # Without the guard a doubtful adaptation stays, but never one with infinite values.
        final = {f"final_{name}": value for name, value in figures.items()}
        self.history_[-1] |= {**final, "accepted": accepted, "reason": reason}
        # Copies for earlier batches were adapted from the model before.
        self._cache = {}
        if not accepted:
            with one_thread(device):
                load_state(self.net_, weights_before)
            vars(self).update(before)
            return reason
        self._keep_unadapted(weights_before["weights"], before["memory_"], readout, target)
        self._keep(readout, state)
        if not labels_alone:
            self._learn_shares(shares, readout, target)
        return ""

    def _remember(self, rows, codes):
        """Put labelled target rows at the end of the memory, in the place of earlier ones."""
        n_source = len(self._memory_codes) - self._n_labelled
        embedded = embed_rows(self.net_.module_, as_tensor(rows, self.net_.device)).cpu().numpy()
        self.memory_ = np.concatenate([self.memory_[:, :n_source], embedded], axis=1)
        self._learn_labels(joined(self._labels(n_source), codes, len(self.classes_)))
        # Without rows of the source, these serve to renew their own part of the memory.
        known = () if self._source_rows is None else (self._source_rows[:n_source],)
        self._source_rows = np.concatenate([*known, rows])
        self._n_labelled = len(codes)

    def _adaptation(self, readout, target, codes, labels_alone):
        arguments = readout, self._source(target.device), target, self._settings(readout.prior)
        if codes is None:
            return Adaptation(*arguments)
        positions = np.flatnonzero(is_labelled(codes))
        labelled = LabelledRows(
            *(as_tensor(part, target.device) for part in (positions, codes[positions]))
        )
        return LabelledAdaptation(*arguments, labelled, alone=labels_alone)

    def _keep(self, readout, state):
        """Take over what an adaptation has learnt beside the weights of the network."""
        if self._source_rows is not None and len(self._source_rows) < len(self._memory_codes):
            self._source_rows = None
        self.memory_ = readout.memory.cpu().numpy()
        self._means = readout.means and tuple(mean.cpu().numpy() for mean in readout.means)
        self.pseudo_labels_ = self.classes_[state.probabilities.argmax(dim=1).cpu().numpy()]
        self.target_selected_ = state.selected.cpu().numpy()
        self.adapted_ = True

    def _keep_unadapted(self, weights, memory, readout, target):
        """Keep the state before the first adaptation, for predictions with caution."""
        known = self._unadapted
        if known is None and not self.adapted_:
            known = unadapted_state(weights, memory)
        if known is None or self._n_labelled:
            self._unadapted = None
            return
        with one_thread(target.device), torch.no_grad():
            self._unadapted = with_target(known, self.net_.module_, readout, target)

    def _train_on_target(self, state, device):
        """Train for `max_epochs` epochs on the target; return whether it diverged."""
        weights = {"multilabel": self.target_weight, "head": self.target_weight}
        # Seeded by the epochs done: adapting once more draws new numbers, and adapting in fit,
        # later, or after loading draws the same ones.
        training_seed = seeds_of_run(self._seed, len(self.history_))[2]
        rows = state.rows_to_train_on()
        return self._run(
            {"X": state.target[rows], "row": rows},
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
            return diverged_because("the loss or the embedding")
        smallest = 1 / len(self.classes_) if shares is None else shares[shares > 0].min()
        return collapse(first, figures, smallest_prior=float(smallest))

    def __setstate__(self, state):
        if "_memory_codes" in state:
            memory, rows = state.get("memory_"), state.get("_source_rows")
            shapes = [] if memory is None else [np.shape(memory)[-2:-1]]
            shapes += [] if rows is None else [np.shape(rows)[:1]]
            check_codes(state["_memory_codes"], state.get("classes_"), *shapes)
            if state.get("_memory_mass") is not None:
                check_mass(
                    state["_memory_mass"], len(state["_memory_codes"]), state.get("classes_")
                )
            check_number_labelled(state.get("_n_labelled", 0), len(state["_memory_codes"]))
            if state.get("_unadapted") is not None:
                check_unadapted(state["_unadapted"], memory)
            check_columns(state["_recipe"][1].get("views"), state["n_features_in_"])
        super().__setstate__(state)
        if self._unadapted is not None:
            self._check_weights(self._unadapted["weights"])
        if "_memory_codes" in state:
            self._cache = {}
