"""The denoising autoencoder whose latent distances follow distances between labels."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import is_classifier, is_regressor

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context
from sklearn_ser.estimators._annotations import annotation_in, check_annotation
from sklearn_ser.estimators._dae import DAETransformer
from sklearn_ser.estimators._net import all_or_nothing
from sklearn_ser.estimators._parameters import store_parameters
from sklearn_ser.estimators._rating import RatingMixin
from sklearn_ser.estimators._readout import Lesson, is_given, lesson_in
from sklearn_ser.nn._losses import metric_loss, reconstruction_loss
from sklearn_ser.nn._training import weighted_sum
from sklearn_ser.utils._warnings import caller_stacklevel

# The smallest loss whose logarithm is taken: a loss of exactly 0 has nothing left to learn.
_TINY = 1e-12


class MetricDAE(RatingMixin, DAETransformer):
    r"""Denoising autoencoder with latent distances proportional to distances of labels.

    Distances in the latent space are trained to show how far two recordings are apart in
    activation (or valence). For all pairs :math:`(i, j)` of labelled rows of a batch let
    :math:`l_d = l_i - l_j` be the difference of the labels and :math:`n_d = n_i - n_j` that
    of the positions, the mean over the latent dimensions. The least-squares slope of the second
    on the first, :math:`p = (l_d^\top l_d)^{-1} l_d^\top n_d`, should be 1 and leave
    no residual:

    .. math:: L = L_\mathrm{rec} + w\, (L_\mathrm{res} + L_\mathrm{sl}), \qquad
              L_\mathrm{res} = \mathrm{E} \|n_d - p\, l_d\|^2, \qquad
              L_\mathrm{sl} = |p - 1|,

    with the reconstruction error :math:`L_\mathrm{rec}` of a :class:`DAETransformer` [1]_.
    No pair is formed: sums over the rows give the same numbers, and the time for a batch grows
    with its size and not with its square (:ref:`mathematics-metric`).

    Unlabelled rows, NaN in the labels or rows of `X_target`, count in the reconstruction
    only. A batch with fewer than two labelled rows, or with equal labels, has no metric
    terms.

    With both activation and valence, the first half of the latent dimensions is for
    activation and the second for valence (the first has one more if their number is odd),
    and the metric terms of both are added.

    Parameters
    ----------
    n_components : int, default=32
        Number of latent dimensions.
    metric_weight : float, default=0.02
        The weight :math:`w`. A few hundred labelled recordings are soon overfitted: with large
        values the latent follows the labels closely in the training corpus, and less than
        without them in another corpus. 0 trains a plain DAE.
    objective : {"sum", "log"}, default="sum"
        Minimise :math:`L` or its logarithm, as in the authors' code: the logarithm makes
        steps smaller while the loss is large, and larger once it is small.
    metric_dimension : int, default=None
        The latent dimension that is the position :math:`n`, counted within the half with
        both labels; the others are free for the reconstruction. None: the mean over all
        dimensions.
    y_annotation : {"auto", "activation", "valence"} or None, default="auto"
        Which annotation the `y` of :meth:`fit` holds. ``"activation"`` and ``"valence"``:
        numbers of any dtype. None: none, `y` holds emotions; needed where these are coded
        as numbers, whose differences mean nothing. ``"auto"``: numbers are the activation,
        anything else is an emotion.

        .. deprecated:: 0.1
            With ``"auto"``, integers are still taken for emotions, with a
            `FutureWarning`. From version 0.2 on they will be the activation, as floating
            numbers are: ratings from 1 to 5 mean the same in both dtypes.
    hidden_layer_sizes : int or sequence of int, default=(128, 64)
        Widths of the encoder's hidden layers, which the decoder mirrors.
    decoder_activation : {"relu", "identity"} or sequence of these, default="relu"
        What follows the hidden layers of the decoder, see :class:`DAETransformer`.
    noise : float, default=0.5
        Standard deviation of the noise that is added to each feature in training.
    noise_in_transform : bool, default=False
        Whether :meth:`transform` adds noise of the same size to rows, see
        :class:`DAETransformer`.
    learning_rate : float, default=1e-3
        Step size of Adam.
    max_epochs : int, default=100
        Largest number of passes over the rows.
    batch_size : int, default=64
        Rows a step. The metric terms compare only rows of the same batch: with few labelled
        rows among many unlabelled ones, larger batches have more pairs.
    early_stopping : bool, default=False
        Whether to hold out rows, stop when their loss no longer falls, and return to the
        weights with the lowest loss. Pass `speaker` to :meth:`fit` with it, or the rows held
        out have voices that were trained on.
    validation_fraction : float, default=0.1
        Share of the rows that is held out, or of the speakers. Only used with
        `early_stopping`.
    n_iter_no_change : int, default=10
        Stop after this many epochs without a loss lower by `tol` than the lowest so far.
        Only used with `early_stopping`.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    readout : {"auto"}, classifier, regressor or None, default="auto"
        What :meth:`predict` answers with. ``"auto"``: after a fit with annotations alone, the
        position in the latent, see :meth:`rate`; after a fit with emotions in `y`, a logistic
        regression with balanced classes behind a
        :class:`~sklearn.preprocessing.StandardScaler`. An estimator is fitted on the embedding
        in their place: a classifier on the emotions, a regressor on the annotations.
        None: none.
    warm_start : bool, default=False
        Whether :meth:`fit` continues with the weights of the last call.
    device : str, default="cpu"
        ``"cpu"``, ``"auto"`` (a GPU if there is one) or a device of torch.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, noise, order of the rows and which are held out. An int
        makes every fit the same to the last bit.
    verbose : int, default=0
        Above 0, a progress bar over the epochs shows the terms of the loss.

    Attributes
    ----------
    label_names_ : tuple of str
        Labels of the last training: ``"activation"``, ``"valence"``, both or none.
    rating_slope_, rating_intercept_ : ndarray of shape (n_labels,)
        For each label, the line from position to rating, see :meth:`rate`. Only after
        :meth:`fit`.
    classes_ : ndarray of shape (n_classes,)
        The emotions in `y`, sorted. Only after a fit with emotions.
    readout_ : estimator
        The fitted readout. Not where the position is the prediction.
    history_ : list of dict
        As in :class:`DAETransformer`, with the terms ``activation_residual`` and
        ``activation_slope`` (:math:`L_\mathrm{res}` and :math:`L_\mathrm{sl}`) and those of
        valence, where there are labels.
    n_iter_ : int
        Number of epochs trained.
    best_epoch_ : int or None
        The epoch whose weights are kept.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if `X` had any that are strings.

    See Also
    --------
    DAETransformer : The same without labels.
    SemiSupervisedVAE : For emotions, which are classes.

    Notes
    -----
    `activation`, `valence`, `X_target` and `speaker` are requested from the start, without
    ``set_fit_request``: a pipeline that dropped them would train a plain DAE. With metadata
    routing they are passed to the `fit` of the pipeline, whose `y` stays the emotion that its
    classifier learns. With routing off, ``metricdae__activation=`` does the same.

    A slope of 1 gives the position the scale of the labels: ratings from 1 to 5 cover 4 units
    of the latent, higher ratings at higher positions. Only the origin is free.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen, "Continuous
       Metric Learning For Transferable Speech Emotion Recognition and Embedding Across
       Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    Eight features that are mixtures of activation and something else; every second row
    is labelled:

    >>> import numpy as np
    >>> from sklearn_ser import MetricDAE
    >>> rng = np.random.default_rng(0)
    >>> activation = rng.uniform(1, 5, 300)
    >>> X = np.c_[activation, rng.standard_normal(300)] @ rng.standard_normal((2, 8))
    >>> labels = np.where(np.arange(300) % 2, activation, np.nan)
    >>> dae = MetricDAE(2, hidden_layer_sizes=16, metric_weight=1.0, learning_rate=1e-2,
    ...                 max_epochs=30, random_state=0)
    >>> position = dae.fit_transform(X, activation=labels).mean(axis=1)
    >>> slope, _ = np.polyfit(activation, position, 1)
    >>> bool(0.9 < slope < 1.1)
    True
    """

    __metadata_request__fit: ClassVar[dict] = {"activation": True, "valence": True}
    __metadata_request__partial_fit: ClassVar[dict] = {"activation": True, "valence": True}

    _parameter_constraints: ClassVar[dict] = {
        **DAETransformer._parameter_constraints,
        "metric_weight": [Interval(Real, 0, None, closed="left")],
        "objective": [StrOptions({"sum", "log"})],
        "metric_dimension": [Interval(Integral, 0, None, closed="left"), None],
        "y_annotation": [StrOptions({"auto", "activation", "valence"}), None],
    }

    def __init__(
        self,
        n_components=32,
        *,
        metric_weight=0.02,
        objective="sum",
        metric_dimension=None,
        y_annotation="auto",
        hidden_layer_sizes=(128, 64),
        decoder_activation="relu",
        noise=0.5,
        noise_in_transform=False,
        learning_rate=1e-3,
        max_epochs=100,
        batch_size=64,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        readout="auto",
        warm_start=False,
        device="cpu",
        random_state=None,
        verbose=0,
    ):
        store_parameters(self, locals())

    @classmethod
    def das2022(cls, **parameters):
        r"""Return an estimator with network, training and loss of the authors' script.

        As :meth:`DAETransformer.das2022`, with the loss :math:`\log(L_\mathrm{rec} +
        L_\mathrm{res} + L_\mathrm{sl})`. The weight of 1 follows the labels of the training
        closely; the default of 0.02 overfits less.

        Parameters
        ----------
        **parameters
            Parameters to set in addition, or to other values.

        Returns
        -------
        dae : MetricDAE
            Not fitted.
        """
        return super().das2022(**{"metric_weight": 1.0, "objective": "log", **parameters})

    def _weights(self, epoch):
        return {
            f"{name}_{term}": self.metric_weight
            for name in self.label_names_
            for term in ("residual", "slope")
        }

    def _loss_terms(self, module, batch, state):
        x = batch["X"]
        z = module.encode(self._with_noise(x, state))
        terms = {"reconstruction": reconstruction_loss(x, module.decode(z))}
        for name, bounds in self._blocks().items():
            residual, slope = metric_loss(self._position(z, bounds), batch[name])
            terms[f"{name}_residual"] = residual
            terms[f"{name}_slope"] = slope
        return terms

    def _total(self, terms, weights):
        total = weighted_sum(terms, weights)
        # The gradient of the logarithm is that of the sum, divided by the sum.
        return total.clamp_min(_TINY).log() if self.objective == "log" else total

    def _annotations(self, y, activation, valence):
        """Return the annotations among the arguments of `fit`, by name."""
        given = {"activation": activation, "valence": valence}
        name = self.y_annotation
        if name == "auto":
            # Beside annotations by name, y is what a later classifier learns.
            alone = y is not None and activation is None and valence is None
            name = annotation_in(y) if alone else None
        if name is not None and y is not None:
            if given[name] is not None:
                raise ValueError(
                    f"{name} came twice, as y and as {name}=, since y_annotation={name!r}. Pass "
                    f"one of them, or set y_annotation=None if y belongs to a classifier."
                )
            given[name] = y
        self._annotation_of_y = name
        return {name: values for name, values in given.items() if values is not None}

    def _learn_labels(self, y, activation, valence, n_samples):
        """Return the annotations to train with, by name; warn if they shape nothing."""
        annotations = self._annotations(y, activation, valence)
        if not annotations:
            what = "no labels" if y is None else f"no ratings in a y of dtype {np.asarray(y).dtype}"
            warnings.warn(
                f"MetricDAE got {what} and trains a plain DAE. Pass activation= or valence=, "
                f"or set y_annotation if y is one of them.",
                UserWarning,
                stacklevel=caller_stacklevel(),
            )
        labels = {
            name: check_annotation(values, name=name, n_samples=n_samples)
            for name, values in annotations.items()
        }
        self.label_names_ = tuple(labels)
        self._check_dimensions()
        for name, values in labels.items():
            if len(np.unique(values[~np.isnan(values)])) < 2:
                warnings.warn(
                    f"{name} has fewer than two different values, so there are no distances to "
                    f"learn; the reconstruction alone was trained on. Pass varied labels.",
                    UserWarning,
                    stacklevel=caller_stacklevel(),
                )
        return labels

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X, y=None, *, activation=None, valence=None, X_target=None, speaker=None):
        """Train on the rows of `X` and their labels, and on the rows of `X_target`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            The annotation that `y_annotation` names, or emotions, which do not shape the
            latent: the readout learns them. With ``y_annotation="auto"`` and neither
            `activation` nor `valence` passed, floating numbers are the activation.
        activation, valence : array-like of shape (n_samples,), default=None
            Annotations, NaN for rows without one. -1 is a rating like any other, see
            :ref:`unlabelled`.
        X_target : array-like of shape (n_target_samples, n_features), default=None
            Unlabelled rows of other corpora, on which the reconstruction is trained as well.
            After other steps of a pipeline they need ``transform_input=["X_target"]`` and
            metadata routing.
        speaker : array-like of shape (n_samples,), default=None
            Speaker of each row of `X`. With ``early_stopping``, all rows of a speaker are
            held out or none.

        Returns
        -------
        self : MetricDAE
            The fitted estimator.

        Raises
        ------
        ValueError
            If annotations are not numbers or are infinite, if one comes both as `y` and by
            name, or if `n_components` and `metric_dimension` do not fit them.

        Warns
        -----
        UserWarning
            If there are no distances to learn, because there are no annotations.
        FutureWarning
            If `y` holds integers and ``y_annotation="auto"``.
        """
        X = self._validate_training(X)
        labels = self._learn_labels(y, activation, valence, len(X))
        lesson = self._lesson(y, labels, len(X))
        self._fit_rows(X, targets=labels, X_target=X_target, speaker=speaker)
        self._learn_readout(X, lesson)
        return self._learn_lines(X, labels)

    def _lesson(self, y, labels, n_samples):
        """Return what the readout is to learn: emotions if there are any, else annotations."""
        has_emotions = y is not None and self._annotation_of_y is None
        self._predicts_position = False
        if not labels or (has_emotions and not is_given(self.readout, is_regressor)):
            return lesson_in(y, n_samples, self.readout)
        if is_given(self.readout, is_classifier):
            return Lesson.nothing(
                "with annotations and readout=, a classifier, without emotions; pass emotions in "
                "y beside activation= or valence=, or set readout='auto'"
            )
        if self.readout is None:
            return lesson_in(None, n_samples, None)
        columns = np.column_stack([*labels.values()])
        if self.readout == "auto" and not np.isnan(columns).all():
            # Each label has a line of its own, so a row needs only one of them.
            self._predicts_position = True
            return Lesson("ratings")
        return Lesson.of_ratings(columns[:, 0] if len(labels) == 1 else columns)

    def _predictor_type(self):
        expected = super()._predictor_type()
        if expected is None or hasattr(self, "_learnt") or self.readout != "auto":
            return expected
        return "classifier" if self.y_annotation in ("auto", None) else "regressor"

    def _own_methods(self):
        if not self.__sklearn_is_fitted__():
            return ()
        return ("predict",) if getattr(self, "_predicts_position", False) else ()

    def _own_predict(self, X, method):
        return self._rate(X)

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(self, X, y=None, classes=None, *, activation=None, valence=None):
        """Train for one epoch on one part of data that do not fit in memory.

        There is no readout afterwards, and no line from positions to ratings.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y, activation, valence : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        classes : object, default=None
            Ignored.

        Returns
        -------
        self : MetricDAE
            The estimator.
        """
        X = self._validate_training(X, partial=True)
        labels = self._learn_labels(y, activation, valence, len(X))
        self._predicts_position = False
        return self._partial_fit_rows(X, targets=labels)
