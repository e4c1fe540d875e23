"""What classifiers that adapt to unlabelled rows share: the ways in, and who answers."""

import copy
import hashlib
import re
import warnings
from abc import abstractmethod
from typing import ClassVar

import joblib
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ser.estimators._net import NetHolder
from sklearn_ser.estimators._parameters import hidden_sizes
from sklearn_ser.estimators._rows import validate_target
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.nn._devices import as_tensor
from sklearn_ser.nn._memory import MemberNet
from sklearn_ser.nn._progress import progress
from sklearn_ser.nn._training import TensorRows, TrainingPlan, Watch, weighted_sum
from sklearn_ser.utils._advice import advice, in_python
from sklearn_ser.utils._labels import refuse_unlabelled
from sklearn_ser.utils._soft_labels import has_columns, majority_labels
from sklearn_ser.utils._warnings import caller_stacklevel, warn_once

__all__ = ["AdaptiveClassifier", "check_codes", "diverged_because"]

_FIGURE = re.compile(r"\d+(\.\d+)?")

_AS_TARGET = "Pass the rows without a label as X_target, and only the others as X and y."


def check_codes(codes, classes, *shapes):
    """Refuse a stored state whose parts do not match.

    torch uses codes of classes as positions in memory and does not check them.

    Parameters
    ----------
    codes : object
        Should be an array of positions in `classes`, one for each source row.
    classes : object
        Should be an array.
    *shapes : tuple of int
        The number of rows of further arrays, each as a tuple of one.

    Raises
    ------
    ValueError
        If a part does not match.
    """
    fits = (
        isinstance(codes, np.ndarray)
        and codes.ndim == 1
        and codes.dtype.kind == "i"
        and isinstance(classes, np.ndarray)
        and codes.size > 0
        and codes.min() >= 0
        and codes.max() < classes.size
        and all(shape == codes.shape for shape in shapes)
    )
    if not fits:
        raise ValueError(
            "the classes of the rows in the memory do not fit the classes, the memory or the rows; "
            "the model was changed or damaged. Train it again."
        )


def diverged_because(what):
    """Return why an adaptation that diverged was undone, without a full stop at the end."""
    remedy = in_python("Lower learning_rate")
    return f"{what} became infinite or NaN. {remedy}"


class AdaptiveClassifier(ClassifierMixin, NetHolder):
    """A network that classifies and adapts to a target: in `fit`, later, or in `predict`.

    It has the parameters `adaptation`, `min_target`, `verbose` and those of the net. A
    subclass has :meth:`_adapt_to`, which adapts in place; everything that takes a target calls
    it.
    """

    # Requested by default: without set_fit_request, a pipeline would refuse the target.
    __metadata_request__fit: ClassVar[dict] = {"X_target": True}

    # The class of the torch module.
    _network = MemberNet

    # Parameters that do not change what a copy adapted to some rows has learnt.
    _without_effect_on_adaptation = ("random_state", "verbose")

    # Whether a warning has said why this object was not adapted.
    _was_refused = False

    @abstractmethod
    def _adapt_to(self, X_target):
        """Adapt to validated rows, or return the text of a warning and stay as before."""

    def _module_recipe(self, n_features):
        return self._network, {
            "n_features": n_features,
            "hidden_layer_sizes": hidden_sizes(self.hidden_layer_sizes),
            "n_components": int(self.n_components),
            "n_classes": len(self.classes_),
            "n_members": int(self.n_estimators),
            "dropout": float(self.dropout),
        }

    def _validate_training(self, X, y, X_target, *, copy):
        """Return the rows, their classes as positions in `classes_`, and the target."""
        if y is not None and has_columns(y):
            raise ValueError(
                f"{type(self).__name__} learns one emotion a row, but y has several columns. Pass "
                f"the one with the largest share, y.idxmax(axis=1) of a DataFrame. NNPMClassifier "
                f"and the readouts of autoencoders learn shares of raters."
            )
        if y is not None:
            # A list with NaN becomes an array with a class 'nan'.
            refuse_unlabelled(y, name="y", remedy=_AS_TARGET)
        X, y = validate_data(self, X, y, dtype=np.float32, order="C", copy=copy)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        self._learn_classes(classes)
        return X, codes, None if X_target is None else validate_target(self, X_target)

    def _learn_classes(self, classes):
        if len(classes) < 2:
            raise ValueError(
                f"y has 1 class only, {classes.tolist()[0]!r}; a classifier needs at least two."
            )
        self._was_refused = False
        self.classes_ = classes

    def _balanced_weights(self, codes, device):
        """Return row weights that give each class the same total weight, a tensor."""
        # Weight n / (K n_k): the weights of a class sum to n / K, and their mean is 1.
        counts = np.bincount(codes, minlength=len(self.classes_))
        weights = len(codes) / (len(counts) * counts)
        return as_tensor(weights[codes].astype(np.float32), device)

    def _run(self, tensors, *, epochs, phase, **plan):
        """Train for some epochs and add them to the history; return whether it diverged."""
        watch = Watch()
        with progress(f"{type(self).__name__}, {phase}", epochs, shown=self.verbose) as report:
            plan = TrainingPlan(
                total=weighted_sum,
                watch=watch,
                first_epoch=len(self.history_),
                report=report,
                **plan,
            )
            self.net_.fit_loop(TensorRows.all_of(tensors), epochs=epochs, plan=plan)
        entries = self.net_.history[-watch.n_epochs :]
        self.history_ = self.history_ + [
            {
                "phase": phase,
                **{name: value for name, value in entry.items() if name != "batches"},
            }
            for entry in entries
        ]
        return watch.diverged

    def _report_divergence(self, diverged, finite, largest, *, phase="warm-up"):
        remedy = in_python(
            f"Lower learning_rate, which is {self.learning_rate:g}, and bring the features to a "
            f"common scale, for instance by a CorpusScaler: the largest absolute value of X is "
            f"{largest:.3g}."
        )
        if not finite:
            raise ValueError(f"After the {phase} the embedding is infinite or NaN. {remedy}")
        if diverged:
            warnings.warn(
                f"The loss or the weights became infinite or NaN in epoch {len(self.history_)}; "
                f"the {phase} stopped there, with the last finite weights. {remedy}",
                ConvergenceWarning,
                stacklevel=caller_stacklevel(),
            )

    def _reason_if_small(self, X_target):
        """Return why a target with fewer rows than `min_target` is no target; else empty."""
        if len(X_target) >= self.min_target:
            return ""
        limit = advice(f" and min_target={self.min_target}", f", fewer than {self.min_target}")
        return (
            f"the target has {len(X_target)} rows{limit}: the shares of classes in so few rows say "
            f"little. Predict all recordings of a corpus together"
        )

    def _not_adapted(self, reason, rest=""):
        """Return the text of a warning: why adaptation failed, and what was done instead."""
        if not reason:
            return ""
        self._was_refused = True
        if not rest:
            rest = (
                "it stays as it was adapted before"
                if self.adapted_
                else "predictions come from the source alone"
            )
        return f"{type(self).__name__} was not adapted, {rest}: {reason}."

    def _warn(self, text, *, once=True):
        """Issue a warning about adaptation, if there is one to issue."""
        if not text:
            return
        # A search adapts to one fold after the other, and the figures differ. Only a call of
        # adapt is about one target, which the user named.
        cause = _FIGURE.sub("", text) if once else None
        warn_once(text, NotAdaptedWarning, cause=cause)

    def _adapted_copy(self, X):
        """Return a copy that is adapted to validated rows; the last copy is kept."""
        settings = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in self._without_effect_on_adaptation
        }
        key = (X.shape, hashlib.blake2b(X).hexdigest(), joblib.hash(settings))
        # Not looked up twice: predictions in another thread may replace it in between.
        adapted = self._cache.get(key)
        if adapted is None:
            # A copy of an object that has __getstate__ and __setstate__ is made by them: the net
            # is built anew from copied weights, and gets an empty cache. All else is shared,
            # which is safe because adaptation replaces attributes and never writes into the
            # arrays; it changes only the last entry of a history that _run has replaced before.
            adapted = copy.copy(self)
            self._warn(adapted._adapt_to(X))
            self._cache.clear()
            self._cache[key] = adapted
        return adapted

    def _ready(self, X):
        """Return the model that predicts for these rows, and the validated rows."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        if self.adaptation == "predict":
            return self._adapted_copy(X), X
        if self.adaptation == "fit" and not (self.adapted_ or self._was_refused):
            name = type(self).__name__
            remedy = advice(
                "Call adapt, pass X_target to fit, or set adaptation='predict'; adaptation=None "
                "says that this is what you want.",
                "Pass --adapt, or write an adapted model with `sklearn-ser adapt`.",
            )
            self._warn(
                f"This {name} knows its source only: it was not adapted to the rows it predicts, "
                f"and predictions come from the source alone. {remedy}"
            )
        return self, X

    def predict(self, X):
        """Predict emotions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. With ``adaptation="predict"`` they are the target: all of a corpus.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable class of each row.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def score(self, X, y, sample_weight=None):
        """Return the accuracy of the predictions; across corpora, UAR is the better score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. With ``adaptation="predict"`` they are the target: all of a corpus.
        y : array-like of shape (n_samples,)
            Their emotions. Of a table of shares, the emotion with the largest share of each row
            counts, and of equal ones the first in sorted order.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            Share of the rows whose emotion is predicted correctly.
        """
        if has_columns(y):
            y = majority_labels(y)
        refuse_unlabelled(y, name="y")
        return super().score(X, y, sample_weight)

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_cache", None)
        state.pop("_was_refused", None)
        return state
