"""Classifiers that learn a labelled source and a term of an unlabelled target together."""

from abc import abstractmethod
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context, validate_parameters
from sklearn_ser.estimators._adaptive import AdaptiveClassifier, check_codes, diverged_because
from sklearn_ser.estimators._net import all_or_nothing
from sklearn_ser.estimators._parameters import store_parameters
from sklearn_ser.estimators._rows import validate_target
from sklearn_ser.nn._adaptation import source_loss
from sklearn_ser.nn._devices import as_tensor, one_thread, resolve_device, seeds_of_run

__all__ = ["DomainClassifier"]


class DomainClassifier(AdaptiveClassifier, BaseEstimator):
    """Base class of classifiers whose loss adds a term of the target to that of the source.

    A subclass has :meth:`_target_loss`, which is the method. Adapting trains anew, on source
    and target together, so that it does not matter when the target arrives.
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "adaptation": [StrOptions({"fit", "predict"}), None],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "min_target": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=64,
        *,
        adaptation="fit",
        target_weight=1.0,
        n_estimators=3,
        random_state=None,
        min_target=20,
        hidden_layer_sizes=(256,),
        dropout=0.5,
        max_epochs=25,
        learning_rate=1e-3,
        weight_decay=1e-3,
        batch_size=64,
        device="cpu",
        verbose=0,
    ):
        store_parameters(self, locals())

    @abstractmethod
    def _target_loss(self, module, source, target):
        """Return the term of the target, a scalar tensor.

        Parameters
        ----------
        module : MemberNet
            The network.
        source, target : Tensor of shape (E, n, c)
            Embeddings of a batch of each.
        """

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X, y, *, X_target=None):
        """Train on labelled rows and, if there are any, on unlabelled ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Labelled rows, of one or several source corpora.
        y : array-like of shape (n_samples,)
            Their emotions, without gaps; at least two different. Rows without a label
            go to `X_target`: None, NaN, NA and, except beside 1 alone, -1 are
            refused, see :ref:`unlabelled`.
        X_target : array-like of shape (n_target_samples, n_features), default=None
            Unlabelled rows of the corpus to predict. None: the model knows its source only,
            until :meth:`adapt`. With ``adaptation="predict"``, the copy for these rows is
            made right away; with None they are not used. After other steps of a
            pipeline they need ``transform_input=["X_target"]`` and metadata routing.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For gaps in `X`, `y` or `X_target`, a single class in `y`, and other columns in
            `X_target` than in `X`. If the training leads to infinite values.

        Warns
        -----
        NotAdaptedWarning
            If `X_target` is too small.
        ConvergenceWarning
            If the training was cut short, since the loss became infinite.
        """
        # Rows that are kept must not change when the caller's array does.
        X, codes, X_target = self._validate_training(X, y, X_target, copy=True)
        self._source_rows, self._source_codes = X, codes
        self._seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._cache = {}
        self.adapted_ = False
        in_fit = X_target is not None and self.adaptation == "fit"
        reason = self._reason_if_small(X_target) if in_fit else ""
        self._warn(self._not_adapted(reason))
        diverged, finite = self._train(X_target if in_fit and not reason else None)
        self._report_divergence(diverged, finite, np.abs(X).max(), phase="training")
        if X_target is not None and self.adaptation == "predict":
            self._adapted_copy(X_target)
        return self

    @all_or_nothing
    def adapt(self, X_target):
        """Train anew on the source rows of `fit` and on unlabelled rows together.

        ``fit(X, y).adapt(X_target)`` and ``fit(X, y, X_target=X_target)`` give the same model,
        bit by bit. An earlier adaptation leaves no trace.

        Parameters
        ----------
        X_target : array-like of shape (n_target_samples, n_features)
            Unlabelled rows, scaled as those in `fit` were.

        Returns
        -------
        self : object
            The estimator, adapted.

        Raises
        ------
        ValueError
            For gaps or other columns in `X_target`.

        Warns
        -----
        NotAdaptedWarning
            If `X_target` is too small, or the loss became infinite; the model is as before.
        """
        check_is_fitted(self)
        self._warn(self._adapt_to(validate_target(self, X_target)), once=False)
        return self

    def _adapt_to(self, X_target):
        # Parameters may have been set since fit.
        validate_parameters(self)
        if reason := self._reason_if_small(X_target):
            return self._not_adapted(reason)
        before = dict(vars(self))
        diverged, finite = self._train(X_target)
        if diverged or not finite:
            # The network is a new one, which a few finite steps have hardly trained.
            vars(self).clear()
            vars(self).update(before)
            return self._not_adapted(diverged_because("the loss or the weights"))
        return ""

    def _train(self, X_target):
        """Train anew on the source, and on validated rows of a target if there are any.

        Return whether training was cut short, and whether predictions are finite.
        """
        self.__dict__.pop("net_", None)
        self._keep_moments = False
        self.history_ = []
        X = self._source_rows
        device = resolve_device(self.device)
        _, init_seed, training_seed, _ = seeds_of_run(self._seed, 0)
        with one_thread(device):
            self._prepare_net(X.shape[1], init_seed, device)
            rows = {
                "X": as_tensor(X, device),
                "code": as_tensor(self._source_codes, device),
                "weight": self._balanced_weights(self._source_codes, device),
            }
            # In an order of their own: batches are drawn by position, and what is predicted for a
            # set of rows must not depend on the order in which they come.
            target = (
                None if X_target is None else as_tensor(X_target[np.lexsort(X_target.T)], device)
            )
            weights = {} if target is None else {"target": self.target_weight}
            diverged = self._run(
                rows,
                epochs=self.max_epochs,
                phase="source" if target is None else "adaptation",
                loss_terms=lambda module, batch, state: self._loss_terms(
                    module, batch, state, rows, target
                ),
                weights=lambda epoch: weights,
                generator=torch.Generator(device).manual_seed(training_seed),
            )
        # The watch checks losses and weights. Logits may overflow with finite weights.
        finite = bool(np.isfinite(self._probabilities(X)).all())
        self.adapted_ = target is not None
        return diverged, finite

    def _loss_terms(self, module, batch, state, rows, target):
        # The last batch of an epoch is filled up with random rows: the covariance of a few rows,
        # or the classes among them, would say nothing about the source.
        missing = max(self.batch_size - len(batch["X"]), 0)
        more = self._draw(rows["X"], missing, state)
        batch = {name: torch.cat([batch[name], values[more]]) for name, values in rows.items()}
        if target is None:
            logits = module.classify(module.embed(batch["X"], state.generator))
            return {"source": source_loss(logits, batch["code"], batch["weight"])}
        drawn = target[self._draw(target, self.batch_size, state)]
        z = module.embed(torch.cat([batch["X"], drawn]), state.generator)
        of_source, of_target = z.split([len(batch["X"]), len(drawn)], dim=1)
        return {
            "source": source_loss(module.classify(of_source), batch["code"], batch["weight"]),
            "target": self._target_loss(module, of_source, of_target),
        }

    @staticmethod
    def _draw(rows, n_rows, state):
        return torch.randint(len(rows), (n_rows,), generator=state.generator, device=rows.device)

    def predict_proba(self, X):
        """Predict the probability of each emotion.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. With ``adaptation="predict"`` they are the target: all of a corpus.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float32
            In the order of `classes_`; the mean over the members.
        """
        model, X = self._ready(X)
        return model._probabilities(X)

    def _probabilities(self, X):
        """Return the probabilities of the classes for validated rows, ndarray (n, K)."""
        return self._in_batches(lambda module, x: module(x).softmax(dim=2).mean(dim=0), X)

    def __setstate__(self, state):
        if "_source_codes" in state:
            check_codes(
                state["_source_codes"], state.get("classes_"), np.shape(state["_source_rows"])[:1]
            )
        super().__setstate__(state)
        if "_source_codes" in state:
            self._cache = {}
