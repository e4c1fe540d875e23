"""The variational autoencoder that also learns from labels, where they exist."""

import warnings
from numbers import Real
from typing import ClassVar

import numpy as np
from scipy.special import softmax
from sklearn.base import is_regressor

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context
from sklearn_ser.estimators._net import all_or_nothing
from sklearn_ser.estimators._parameters import store_parameters
from sklearn_ser.estimators._readout import Lesson, is_given, lesson_in
from sklearn_ser.estimators._vae import KLAnnealedVAE
from sklearn_ser.nn._losses import centroid_loss, classification_loss, cluster_loss
from sklearn_ser.nn._modules import ClassifyingVariationalAutoencoder
from sklearn_ser.utils._labels import encode_labels, encode_partial_labels
from sklearn_ser.utils._soft_labels import are_shares, soft_labels
from sklearn_ser.utils._warnings import caller_stacklevel


class SemiSupervisedVAE(KLAnnealedVAE):
    r"""Variational autoencoder whose latent space also keeps emotions apart.

    The loss of :class:`KLAnnealedVAE` gains a term over the labelled rows of a batch,

    .. math:: L(t) = L_\mathrm{VAE}(t) + \lambda\, L_\mathrm{sup},

    while unlabelled rows still shape reconstruction and divergence. There are three terms
    (:ref:`mathematics-ssvae` has their departures from the papers):

    * ``supervision="cluster"``. With :math:`c_k` the centroid of the rows of class
      :math:`k` in the latent space,

      .. math:: L_\mathrm{sup} = \frac{\mathrm{mean}_k\, \mathrm{mean}_{i : y_i = k}
                \|z_i - c_k\|}{\mathrm{mean}_{k < m} \|c_k - c_m\|} ,

      the size of the classes over the distances between them, over all dimensions. It
      generalises the term of the next item; nothing shows that Das et al. supervised their
      variational autoencoders [4]_ by it. A batch with a single row of a class has no size of that
      class; one with fewer than two classes contributes nothing.
    * ``supervision="das2022"``. The cluster loss in the authors' script for [1]_, in the first
      two dimensions,

      .. math:: L_\mathrm{sup} = \frac{\mathrm{mean}_i\, \|z_i - c_{y_i}\|}
                {\sum_{k < m} \sqrt{\|c_k - c_m\|}} .

      It falls with the square root of the scale of the latent space, which it therefore
      shrinks: weights above 0.01 made units collapse.
    * ``supervision="classifier"``. The cross-entropy of a linear softmax on :math:`z`,
      trained along. :meth:`predict` uses this softmax, at :math:`\mu(x)`.

    Labels come in `y`. Rows without a label come as `X_target`, which works inside pipelines,
    or as gaps in `y` outside a pipeline.

    Parameters
    ----------
    n_components : int, default=32
        Number of latent units.
    supervision : {"cluster", "classifier", "das2022"}, default="cluster"
        The term over the labelled rows, see above.
    supervision_weight : float, default=0.03
        The weight :math:`\lambda`. The cluster term is about 1 where classes are as wide as
        their distances, the cross-entropy starts at :math:`\log` of the number of classes,
        the reconstruction of standardised features at 1. Higher values separate the
        training corpora better, and follow their peculiarities further: with 1, an SVM behind
        32 units recognised the emotions of new speakers of RAVDESS worse (0.44) than without
        labels (0.54).
    beta : float, default=0.1
        Weight of the divergence once annealing is over, see :class:`KLAnnealedVAE`.
    kl_annealing : {"constant", "linear", "sigmoid", "cosine", "cyclical"}, default="linear"
        Shape of :math:`w(t)`. ``"cyclical"`` rises `n_cycles` times [2]_: later cycles start
        from a latent space that is in use. The others rise once; ``"constant"`` is 1
        throughout.
    annealing_epochs : int, default=None
        Epochs until the weight stays at 1. None: half of `max_epochs`, or all of them
        for ``"cyclical"``. With ``early_stopping``, the epochs before do not count.
    n_cycles : int, default=4
        Number of cycles :math:`M`. Only for ``"cyclical"``.
    cycle_ratio : float, default=0.5
        Share :math:`R` of a cycle in which the weight rises; it stays at 1 for the rest.
        Only for ``"cyclical"``.
    kl_reduction : {"sum", "mean"}, default="sum"
        ``"sum"`` is the formula above. ``"mean"`` replaces :math:`\frac{1}{D} \sum_k` by
        :math:`\frac{1}{K} \sum_k`, the average cost of a unit beside the average error of a
        feature; a `beta` then weighs :math:`D / K` times as much.
    free_bits : float, default=0.0
        Nats of divergence that every unit has for free [3]_: below this value, nothing pulls it
        to the prior. A second remedy against collapse, at the price of a latent distribution
        that is further from the prior.
    hidden_layer_sizes : sequence of int, default=(128, 64)
        Widths of the encoder's hidden layers, which the decoder mirrors. With ``()`` both
        are affine maps.
    decoder_activation : {"relu", "identity"} or sequence of these, default="relu"
        What follows the hidden layers of the decoder, see :class:`DAETransformer`.
    noise : float, default=0.0
        Standard deviation of noise that is added to each feature in training; the target of the
        reconstruction is the row without it.
    noise_in_transform : bool, default=False
        Whether :meth:`transform` adds noise of the same size to rows, see
        :class:`DAETransformer`.
    learning_rate : float, default=1e-3
        Step size of Adam.
    max_epochs : int, default=100
        Passes over the data; fewer with `early_stopping`.
    batch_size : int, default=64
        Rows a step of the optimiser.
    early_stopping : bool, default=False
        Whether to hold out rows, stop when their loss at full weight no longer falls, and
        return to the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of rows (of speakers, if known) that is held out. Only with `early_stopping`.
    n_iter_no_change : int, default=10
        Epochs without improvement before it stops. Only with `early_stopping`.
    tol : float, default=1e-4
        Smallest decrease that counts as an improvement. Only with `early_stopping`.
    readout : {"auto"}, classifier or None, default="auto"
        What :meth:`predict` reads the embedding with. ``"auto"``: the softmax of
        ``supervision="classifier"``; with the other supervision a logistic regression with
        balanced classes behind a :class:`~sklearn.preprocessing.StandardScaler`, fitted on the
        embedding of the labelled rows after the training. A classifier is fitted in its place.
        None: none.
    warm_start : bool, default=False
        Whether `fit` continues from the last fit, with the schedule where it stopped.
    device : str, default="cpu"
        ``"cpu"``, ``"auto"`` (a GPU if there is one) or a device of torch.
    random_state : int, RandomState instance or None, default=None
        Initial weights, order of rows, draws from the posterior and rows held out. An
        integer makes refits bit-identical.
    verbose : int, default=0
        Above 0, a progress bar over the epochs with the terms of the loss.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The emotions in `y`, sorted; empty without any label.
    readout_ : estimator
        The fitted readout. Only after a fit with labels, and not where the softmax of the
        network predicts.
    active_units_ : ndarray of int
        Units whose mean has a variance above 0.01 over the training rows.
    kl_weight_ : ndarray of shape (`n_iter_`,)
        Weight of the divergence in each epoch.
    noise_variance_ : ndarray of shape (`n_features_in_`,)
        Mean squared error of each feature, decoded from points of the posterior.
    history_ : list of dict
        As in :class:`KLAnnealedVAE`, and ``supervision`` with ``supervision_weight``.
    n_iter_ : int
        Number of epochs trained.
    best_epoch_ : int
        The epoch whose weights were kept.
    net_ : skorch.NeuralNet
        The trained network; ``net_.module_`` is the torch module.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if `X` had any that are strings.

    See Also
    --------
    KLAnnealedVAE : The same without labels.
    MetricDAE : For activation and valence, which are numbers.

    References
    ----------
    .. [1] S. Das et al., "Continuous metric learning for transferable speech emotion
       recognition and embedding across low-resource languages", NLDL 2022, arXiv:2203.14867.
    .. [2] H. Fu et al., "Cyclical annealing schedule: a simple approach to mitigating KL
       vanishing", NAACL 2019, equations 6 and 7.
    .. [3] D. P. Kingma et al., "Improved variational inference with inverse autoregressive
       flow", NeurIPS 2016, appendix C.8.
    .. [4] S. Das et al., "Towards transferable speech emotion representation: on loss
       functions for cross-lingual latent representations", ICASSP 2022, arXiv:2203.14865.

    Examples
    --------
    Three species, of which every second plant is labelled:

    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_ser import SemiSupervisedVAE
    >>> iris = load_iris()
    >>> y = iris.target_names[iris.target].astype(object)
    >>> y[::2] = None
    >>> vae = SemiSupervisedVAE(
    ...     2, hidden_layer_sizes=(16,), beta=0.1, supervision_weight=1.0, max_epochs=20,
    ...     random_state=0,
    ... )
    >>> vae.fit(scale(iris.data), y).transform(scale(iris.data)).shape
    (150, 2)
    >>> vae.classes_
    array(['setosa', 'versicolor', 'virginica'], dtype='<U10')
    """

    _parameter_constraints: ClassVar[dict] = {
        **KLAnnealedVAE._parameter_constraints,
        "supervision": [StrOptions({"cluster", "classifier", "das2022"})],
        "supervision_weight": [Interval(Real, 0, None, closed="left")],
    }

    _has_classes_itself = True

    def __init__(
        self,
        n_components=32,
        *,
        supervision="cluster",
        supervision_weight=0.03,
        beta=0.1,
        kl_annealing="linear",
        annealing_epochs=None,
        n_cycles=4,
        cycle_ratio=0.5,
        kl_reduction="sum",
        free_bits=0.0,
        hidden_layer_sizes=(128, 64),
        decoder_activation="relu",
        noise=0.0,
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
        """Return an estimator with network, training and cluster loss of the authors' script.

        As :meth:`KLAnnealedVAE.das2022`, with ``supervision="das2022"``. The script
        (arXiv:2203.14867) has no variational model: `beta`, its schedule and
        `supervision_weight` are ours, chosen on RAVDESS so that both units are used. With ten
        times the weight, the supervision makes them collapse.

        Parameters
        ----------
        **parameters
            Parameters to set in addition, or to other values.

        Returns
        -------
        vae : SemiSupervisedVAE
            Not fitted.
        """
        return super().das2022(
            **{"supervision": "das2022", "supervision_weight": 0.01, **parameters}
        )

    def _module_recipe(self, n_features):
        module, arguments = super()._module_recipe(n_features)
        if self.supervision == "classifier" and len(self.classes_) > 1:
            return ClassifyingVariationalAutoencoder, {
                **arguments,
                "n_classes": len(self.classes_),
            }
        return module, arguments

    def _weights(self, epoch):
        # Not annealed: only the divergence can make units collapse.
        weights = super()._weights(epoch)
        if len(self.classes_) > 1:
            weights["supervision"] = self.supervision_weight
        return weights

    def _terms_of(self, module, batch, mean, log_variance, z):
        terms = super()._terms_of(module, batch, mean, log_variance, z)
        n_classes = len(self.classes_)
        if n_classes < 2:
            return terms
        # All learn on points of the posterior. The noise regularises the classifier, and gives the
        # ratio of the cluster term a scale: of the means alone, the divergence could shrink all
        # distances at no cost until no unit is active.
        codes = batch["codes"]
        if self.supervision == "classifier":
            learnt = batch.get("shares", codes)
            terms["supervision"] = classification_loss(module.classify(z), learnt)
        elif self.supervision == "das2022":
            terms["supervision"] = centroid_loss(z, codes, n_classes=n_classes)
        else:
            terms["supervision"] = cluster_loss(z, codes, n_classes=n_classes)
        return terms

    def _remedy(self):
        if self.supervision == "das2022" and self.supervision_weight:
            # Its term falls as the latent shrinks.
            return (
                f"Lower supervision_weight, which is {self.supervision_weight:g}, or beta, which "
                f"is {self.beta:g}."
            )
        return super()._remedy()

    def _encode(self, y, n_samples, *, continues, classes=None):
        """Learn the classes, or compare the labels with those learnt before; return codes."""
        found, codes = np.array([], dtype=object), np.full(n_samples, -1, dtype=np.int64)
        if y is not None:
            begins = not continues and classes is None
            found, codes = encode_partial_labels(y, n_samples, pair_is_binary=begins)
        if not continues:
            self.classes_ = found if classes is None else encode_labels(classes, name="classes")[0]
        position_of = {name: code for code, name in enumerate(self.classes_.tolist())}
        unknown = [name for name in found.tolist() if name not in position_of]
        if unknown:
            raise ValueError(
                f"y has the classes {unknown}, but training began with {[*position_of]}. Name all "
                f"of them in the classes= of the first partial_fit, or fit anew without warm_start."
            )
        # The code -1 of unlabelled rows, used as an index, finds the last entry.
        new_code = [*(position_of[name] for name in found.tolist()), -1]
        return np.array(new_code, dtype=np.int64)[codes]

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X, y=None, *, X_target=None, speaker=None):
        """Train on labelled and unlabelled rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Emotion labels, strings or integers. Unlabelled rows are None, NaN or NA in an
            array of objects or a pandas column, and -1 among integers, see
            :ref:`unlabelled`. Or shares of raters, see :ref:`soft-labels`: the readout and
            ``supervision="classifier"`` learn them; cluster losses take the emotion with the
            largest share.
        X_target : array-like of shape (n_target_samples, n_features), default=None
            Unlabelled rows of other corpora. After other steps of a pipeline they need
            ``transform_input=["X_target"]`` and metadata routing.
        speaker : array-like of shape (n_samples,), default=None
            Speaker of each row of `X`. With ``early_stopping``, all rows of a speaker are
            held out or none.

        Returns
        -------
        self : SemiSupervisedVAE
            The fitted estimator.

        Raises
        ------
        ValueError
            If `readout` is a regressor; if `y` has continuous values, or strings that stand for
            gaps: gaps become 'nan', 'None' or '-1' in an array of strings, and would be taken
            for emotions.

        Warns
        -----
        UserWarning
            If there are labels of fewer than two classes: nothing is supervised.
        PosteriorCollapseWarning
            If columns of the embedding are almost constant.
        """
        X = self._validate_training(X)
        if is_given(self.readout, is_regressor):
            raise ValueError(
                f"readout must be a classifier, since y holds emotions; got the regressor "
                f"{type(self.readout).__name__}. Set readout='auto', or to a classifier."
            )
        soft = soft_labels(y, len(X), gaps=None) if are_shares(y) else None
        codes = self._learn_soft(soft) if soft else self._encode_once(y, len(X))
        n_classes = len(np.unique(codes[codes >= 0]))
        if n_classes < 2:
            warnings.warn(
                f"SemiSupervisedVAE got labels of {n_classes} classes, of which supervision needs "
                f"two; it was trained as an unsupervised KLAnnealedVAE. Pass emotions in y.",
                UserWarning,
                stacklevel=caller_stacklevel(),
            )
        targets = {"codes": codes}
        if soft and not soft.is_hard and self.supervision == "classifier":
            targets["shares"] = soft.over(self.classes_)
        self._fit_rows(X, targets=targets, X_target=X_target, speaker=speaker)
        return self._learn_readout(X, self._lesson(codes, soft))

    def _encode_once(self, y, n_samples, classes=None):
        continues = self._continues(partial=False)
        return self._encode(
            y, n_samples, continues=continues, classes=None if continues else classes
        )

    def _learn_soft(self, soft):
        """Learn the classes of soft labels; return the codes of the largest shares."""
        if soft.is_hard:
            return self._encode_once(soft.as_labels(), len(soft.shares))
        # The columns first: a class that is nowhere the largest share is one all the same.
        self._encode_once(soft.classes, len(soft.classes))
        return self._encode_once(soft.as_labels(), len(soft.shares), soft.classes)

    def _lesson(self, codes, soft):
        if self.readout is None:
            return lesson_in(None, len(codes), None)
        return Lesson.of_shares(soft) if soft else Lesson.of_codes(self.classes_, codes)

    def _own_methods(self):
        if not self._is_auto() or hasattr(self, "readout_"):
            return ()
        classifies = self.supervision == "classifier"
        if self.__sklearn_is_fitted__():
            classifies = hasattr(self.net_.module_, "classify")
        return ("predict", "predict_proba") if classifies else ()

    def _own_predict(self, X, method):
        logits = self._in_batches(lambda module, z: module.classify(z), self._embed(X))
        if method == "predict":
            return self.classes_[logits.argmax(axis=1)]
        return softmax(logits, axis=1)

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(self, X, y=None, classes=None):
        """Train for one epoch on one part of data that do not fit in memory.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            As in :meth:`fit`, but one label a row: shares of raters are for :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that may occur. Read in the first call only; None: the labels of the
            first call.

        Returns
        -------
        self : SemiSupervisedVAE
            The estimator.
        """
        # Without the warning of fit about missing classes: other parts may have them.
        X = self._validate_training(X, partial=True)
        codes = self._encode(y, len(X), continues=self._continues(partial=True), classes=classes)
        return self._partial_fit_rows(X, targets={"codes": codes})
