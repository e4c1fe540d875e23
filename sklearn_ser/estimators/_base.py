"""The base class of all autoencoders: validation, seeding, training and feature names."""

from abc import abstractmethod
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sklearn_ser._sklearn import HasMethods, Interval, StrOptions, _fit_context
from sklearn_ser.estimators._collapse import MEASURED_ROWS, report_divergence, warn_if_constant
from sklearn_ser.estimators._net import NetHolder, all_or_nothing
from sklearn_ser.estimators._readout import READOUTS, ReadoutMixin, lesson_in
from sklearn_ser.estimators._rows import (
    append_unlabelled,
    evenly_spaced,
    hold_out,
    noise_of_rows,
    validate_target,
)
from sklearn_ser.nn._devices import as_tensor, one_thread, resolve_device, seeds_of_run
from sklearn_ser.nn._progress import progress
from sklearn_ser.nn._training import TensorRows, TrainingPlan, Watch, weighted_sum
from sklearn_ser.utils._identities import encode_ids


class BaseAutoencoder(
    ReadoutMixin, NetHolder, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Train an encoder and a decoder, and embed by the encoder.

    A subclass lists all parameters in its own ``__init__``, stores them by
    ``store_parameters``, and implements :meth:`_module_recipe` and :meth:`_loss_terms`. It may
    override :meth:`_weights`, :meth:`_validation_weights` and :meth:`_total`.

    A subclass that takes labels overrides :meth:`fit` (and :meth:`partial_fit`), validates
    ``X`` by :meth:`_validate_training`, turns the labels into arrays of one entry a row and
    passes them to :meth:`_fit_rows` (:meth:`_partial_fit_rows`); they come back in the batches
    of :meth:`_loss_terms`. Then it calls :meth:`_learn_readout`. Decorated with
    ``all_or_nothing``, such a method leaves the estimator as it was if it is interrupted.

    Parameters
    ----------
    n_components, hidden_layer_sizes, decoder_activation, noise, noise_in_transform, \
    learning_rate, max_epochs, batch_size, early_stopping, validation_fraction, \
    n_iter_no_change, tol, readout, warm_start, device, random_state, verbose
        See :class:`~sklearn_ser.estimators.DAETransformer`.

    Attributes
    ----------
    net_ : TermsNet
        The skorch net; ``net_.module_`` is the torch module.
    history_ : list of dict
        One entry for each epoch.
    n_iter_ : int
        Number of epochs trained.
    best_epoch_ : int
        The epoch whose weights were kept.
    """

    # Requested by default, without set_fit_request: no estimator of scikit-learn uses these
    # names, and a pipeline would refuse, or leave behind, what is not requested. It would then
    # train without the target, or hold out recordings of speakers that it trains on.
    __metadata_request__fit: ClassVar[dict] = {"X_target": True, "speaker": True}

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "decoder_activation": [StrOptions({"relu", "identity"}), tuple, list, np.ndarray],
        "noise": [Interval(Real, 0, None, closed="left")],
        "noise_in_transform": ["boolean"],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "readout": [StrOptions(set(READOUTS)), HasMethods(["fit", "predict"]), None],
        "warm_start": ["boolean"],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _module_recipe(self, n_features):
        """Return the class of the torch module and its keyword arguments, a dict.

        The module has ``encode(x)``, which gives the embedding ``(n, n_components)``,
        ``decode(z)`` and ``forward(x)``, which give ``(n, n_features)``. The arguments are
        plain values: they are pickled, and compared by ``warm_start``.
        """

    @abstractmethod
    def _loss_terms(self, module, batch, state):
        """Return the terms of the loss, a dict of names and scalar tensors.

        Parameters
        ----------
        module : torch.nn.Module
            The module of :meth:`_module_recipe`.
        batch : dict of str to Tensor
            ``"X"``, float32 of shape (n, n_features), and the entries of `targets` of
            :meth:`_fit_rows`, for the same rows. NaN (floats) and -1 (integers) in rows of
            `X_target`.
        state : EpochState
            ``state.epoch``, ``state.weights``, ``state.training``. All random numbers come
            from ``state.generator``, for instance by ``state.normal_like(x)``, never from
            torch's global generator: a refit would not repeat them.
        """

    def _weights(self, epoch):
        """Return the weights of the terms in an epoch, counted from 0, as a dict of floats.

        Terms that are not named have weight 1. The history records the named ones, as
        ``<name>_weight``.
        """
        return {}

    def _validation_weights(self):
        """Return weights for the validation loss, the same in all epochs.

        By default those of the last epoch: a loss whose weights grow would seem to rise.
        """
        return self._weights(self.max_epochs - 1)

    def _epochs_before_stopping(self):
        """Return the number of first epochs that `early_stopping` ignores."""
        return 0

    def _total(self, terms, weights):
        """Return the loss that is minimised, given its terms and their weights."""
        return weighted_sum(terms, weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The network computes in float32 for any input.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        # Of the trained network: n_components may have been set since.
        return self._recipe[1]["n_components"]

    def __setstate__(self, state):
        if "_recipe" in state:
            name, arguments = state["_recipe"]
            # Stored before decoders had a choice. A warm start compares all arguments.
            state = {**state, "_recipe": (name, {"decoder_activation": "relu", **arguments})}
        super().__setstate__(state)

    def _validate(self, X, *, reset=False):
        return validate_data(self, X, dtype=np.float32, order="C", reset=reset)

    def _validate_training(self, X, *, partial=False):
        """Return the training rows as float32; learn the number and the names of their columns.

        A training that continues an earlier one requires the same columns.
        """
        return self._validate(X, reset=not self._continues(partial))

    def _continues(self, partial):
        return hasattr(self, "net_") and (partial or self.warm_start)

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X, y=None, *, X_target=None, speaker=None):
        """Train on the rows of `X`, and of `X_target` if given.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels that the readout learns, see `readout`; None, NaN or NA in an array of
            objects and -1 among integers for unlabelled rows. Or shares of raters, see
            :ref:`soft-labels`. The network is trained without them.
        X_target : array-like of shape (n_target_samples, n_features), default=None
            Unlabelled rows of other corpora, on which the reconstruction is trained as well.
            After other steps of a pipeline they need ``transform_input=["X_target"]`` and
            metadata routing.
        speaker : array-like of shape (n_samples,), default=None
            Speaker of each row of `X`. With ``early_stopping``, all rows of a speaker are
            held out or none.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X = self._validate_training(X)
        lesson = lesson_in(y, len(X), self.readout)
        self._fit_rows(X, X_target=X_target, speaker=speaker)
        return self._learn_readout(X, lesson)

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(self, X, y=None, classes=None):
        """Train for one epoch on one part of data that do not fit in memory.

        The first call initialises the network; each later call continues with it. No rows
        are held out, even with ``early_stopping=True``. There is no readout afterwards.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y, classes : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._partial_fit_rows(self._validate_training(X, partial=True))

    def _fit_rows(self, X, *, targets=None, X_target=None, speaker=None):
        """Train on validated rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32
            Rows from :meth:`_validate_training`.
        targets : dict of str to ndarray, default=None
            Further arrays with one entry a row, float (NaN: unlabelled) or integer (-1:
            unlabelled). Each batch has their entries next to ``"X"``.
        X_target, speaker : array-like, default=None
            As in :meth:`fit`, not validated yet.

        Returns
        -------
        self : object
        """
        n_samples = len(X)
        targets = dict(targets or {})
        if X_target is not None:
            # After the labelled rows, whose positions stay those of `speaker`.
            X_target = validate_target(self, X_target)
            X = np.concatenate([X, X_target])
            targets = {
                name: append_unlabelled(values, len(X_target)) for name, values in targets.items()
            }
        if speaker is not None:
            _, speaker = encode_ids(speaker, name="speaker", n_samples=n_samples)
        if not self._continues(partial=False):
            self._start_anew()
        # A single draw for all seeds of a training: a generator that is passed on to several
        # estimators advances by one number for each of them.
        self._seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        held_out = self._hold_out(n_samples, len(X) - n_samples, speaker)
        self._train(X, targets, epochs=self.max_epochs, held_out=held_out)
        self._keep_moments = self.warm_start
        self._measure(X[:n_samples])
        # A single row has no variance, so it cannot show a collapse.
        if n_samples > 1:
            self._warn_if_collapsed(evenly_spaced(X[:n_samples], MEASURED_ROWS))
        return self

    def _partial_fit_rows(self, X, *, targets=None):
        """Train for one epoch on validated rows; arguments as for :meth:`_fit_rows`."""
        if not hasattr(self, "net_"):
            self._start_anew()
            # Drawn once: seeds of later parts come from it and the number of epochs done.
            self._seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._train(X, dict(targets or {}), epochs=1, held_out=None)
        self._forget_readout("by partial_fit, which has no readout; put a classifier behind it")
        # Stored with the model, or a loaded one would continue differently.
        self._keep_moments = True
        self._measure(X)
        return self

    def _start_anew(self):
        self.__dict__.pop("net_", None)
        self.history_ = []
        self._keep_moments = False

    def _hold_out(self, n_samples, n_target_samples, speaker):
        """Return a mask of the rows that only decide when to stop; None without any."""
        if not self.early_stopping:
            return None
        # Not seeded by the epochs done: a warm start must not train on what it held out before.
        rng = np.random.default_rng(seeds_of_run(self._seed, 0)[0])
        held_out = hold_out(n_samples, self.validation_fraction, rng, speaker=speaker)
        # Separately: both corpora have the same share of the validation loss as of the training.
        # A single target row cannot be on both sides.
        if n_target_samples < 2:
            return np.append(held_out, np.zeros(n_target_samples, dtype=bool))
        return np.append(held_out, hold_out(n_target_samples, self.validation_fraction, rng))

    def _train(self, X, targets, *, epochs, held_out):
        device = resolve_device(self.device)
        done = len(self.history_)
        _, init_seed, training_seed, validation_seed = seeds_of_run(self._seed, done)
        with one_thread(device):
            self._prepare_net(X.shape[1], init_seed, device)
            tensors = {name: as_tensor(rows, device) for name, rows in targets.items()}
            tensors["X"] = as_tensor(X, device)
            validation = None
            training = TensorRows.all_of(tensors)
            watch = Watch()
            if held_out is not None:
                training = TensorRows(tensors, as_tensor(np.flatnonzero(~held_out), device))
                validation = TensorRows(tensors, as_tensor(np.flatnonzero(held_out), device))
                watch = Watch(self.n_iter_no_change, self.tol, self._epochs_before_stopping())
            some = tensors["X"][evenly_spaced(training.rows, MEASURED_ROWS)]
            with progress(type(self).__name__, epochs, shown=self.verbose) as report:
                plan = TrainingPlan(
                    loss_terms=self._loss_terms,
                    total=self._total,
                    weights=self._weights,
                    generator=torch.Generator(device).manual_seed(training_seed),
                    watch=watch,
                    validation=validation,
                    validation_weights=self._validation_weights(),
                    validation_seed=validation_seed,
                    first_epoch=done,
                    end_epoch=lambda module: self._epoch_measures(module, some),
                    report=report,
                )
                self.net_.fit_loop(training, epochs=epochs, plan=plan)
        self._finish(watch, X)

    def _finish(self, watch, X):
        entries = self.net_.history[-watch.n_epochs :]
        self.history_ = self.history_ + [
            {name: value for name, value in entry.items() if name != "batches"} for entry in entries
        ]
        self.n_iter_ = len(self.history_)
        self.best_epoch_ = watch.best_epoch
        report_divergence(
            watch, self.n_iter_, X, self.learning_rate, from_scratch=self.n_iter_ == watch.n_epochs
        )

    def _epoch_measures(self, module, x):
        """Return what the history records of some training rows after each epoch, a dict."""
        return {}

    def _measure(self, X):
        """Learn what describes the embedding of the labelled training rows."""

    def _warn_if_collapsed(self, X):
        """Warn if the embedding of training rows says nothing of them."""
        Z = self._in_batches(lambda module, x: module.encode(x), X)
        warn_if_constant(Z, X, self.learning_rate)

    def _with_noise(self, x, state):
        """Return the rows of a batch with the noise of training; as they are if it is 0."""
        return x.add(state.normal_like(x), alpha=self.noise) if self.noise else x

    def _embed(self, X):
        """Return the embedding of validated rows."""
        if self.noise_in_transform and self.noise:
            X = X + np.float32(self.noise) * noise_of_rows(X, self._seed)
        return self._in_batches(lambda module, x: module.encode(x), X)

    def transform(self, X):
        """Embed rows by the encoder, with noise if `noise_in_transform` is set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components), float32
            The embedding.
        """
        check_is_fitted(self)
        return self._embed(self._validate(X))

    def inverse_transform(self, Z):
        """Decode embeddings.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Points of the latent space.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), float32
            The decoded rows.
        """
        check_is_fitted(self)
        Z = check_array(Z, dtype=np.float32, order="C", input_name="Z")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but the latent space has {self._n_features_out}. "
                f"Pass the output of transform, or points with as many coordinates."
            )
        return self._in_batches(lambda module, z: module.decode(z), Z)

    def reconstruct(self, X):
        """Embed rows and decode them again, without noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        X_reconstructed : ndarray of shape (n_samples, n_features), float32
            The reconstructed rows.
        """
        check_is_fitted(self)
        return self._in_batches(lambda module, x: module(x), self._validate(X))

    def score(self, X, y=None):
        """Score the predictions of `y`, or the reconstruction if there are none.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            True labels, without gaps. After a :meth:`fit` without labels it is ignored.

        Returns
        -------
        score : float
            Accuracy of predicted classes or R² of predicted numbers. Without `y`, or after a fit
            without labels, the negative mean squared error of the reconstruction, over rows and
            features, without noise: at most 0.

        Raises
        ------
        ValueError
            If `y` has gaps.
        """
        check_is_fitted(self)
        if y is not None and hasattr(self, "predict"):
            return self._score_predictions(X, y)
        X = self._validate(X)
        # In float64: a float32 sum over many rows loses digits.
        errors = self._in_batches(lambda module, x: (module(x) - x).square().mean(dim=1), X)
        return -float(errors.mean(dtype=np.float64))
