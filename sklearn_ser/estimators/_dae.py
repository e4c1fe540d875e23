"""The denoising autoencoder."""

from sklearn_ser.estimators._base import BaseAutoencoder
from sklearn_ser.estimators._parameters import DAS2022, autoencoder_arguments, store_parameters
from sklearn_ser.nn._losses import reconstruction_loss
from sklearn_ser.nn._modules import Autoencoder


class DAETransformer(BaseAutoencoder):
    r"""Embed functionals by a denoising autoencoder.

    An encoder :math:`f` with a narrow output and a decoder :math:`g` learn to reconstruct a
    row :math:`x \in \mathbb{R}^D` from a noisy version of it, by minimising

    .. math:: L = \frac{1}{BD} \sum_{i=1}^{B} \lVert x_i - g(f(x_i + s\,\varepsilon_i))
              \rVert^2, \qquad \varepsilon_i \sim N(0, I)

    over batches of :math:`B` rows, with new noise each time. The noise of different features is
    independent, so the latent keeps what the features share. No label is used. The embedding
    of a row is :math:`f(x)`, without noise (:ref:`mathematics-dae`).

    Both networks are linear layers with ReLU between them, without one after the latent, unless
    `decoder_activation` says otherwise. They are trained by Adam. The noise has the same size for
    all features, so they should be standardised beforehand, by a
    :class:`~sklearn_ser.estimators.CorpusScaler` for instance.

    Parameters
    ----------
    n_components : int, default=32
        Width of the latent. With 2 components it can be plotted, but it separates emotions
        less well than with 10, and with 10 less well than with 32.
    hidden_layer_sizes : int or sequence of int, default=(128, 64)
        Widths of the hidden layers of the encoder, the one next to the features first; the
        decoder mirrors them. ``()`` makes both affine, similar to a PCA.
    decoder_activation : {"relu", "identity"} or sequence of these, default="relu"
        What follows each hidden layer of the decoder, one entry for each of them, the layer next
        to the latent first; or one for all. With ``"identity"`` throughout, the decoder is
        affine.
    noise : float, default=0.5
        Standard deviation :math:`s` of the noise. 0 gives a plain autoencoder, which may learn
        to copy if the latent is wide; large values keep only what many features share.
    noise_in_transform : bool, default=False
        Whether :meth:`transform` adds such noise to rows, as the authors' script does. The
        noise of a row depends on `random_state` and its values alone: the row has the same
        embedding in each call, alone and among others.
    learning_rate : float, default=1e-3
        Step size of Adam. Too large a value makes the loss NaN.
    max_epochs : int, default=100
        Largest number of passes over the rows.
    batch_size : int, default=64
        Rows a step. Larger batches make an epoch faster and take fewer steps.
    early_stopping : bool, default=False
        Whether to hold out rows, stop when their loss no longer falls, and return to the
        weights with the lowest loss. It needs at least two rows.
    validation_fraction : float, default=0.1
        Share of the rows that is held out, or of the speakers if they are passed to
        :meth:`fit`. Only used with `early_stopping`.
    n_iter_no_change : int, default=10
        Stop after this many epochs without a loss lower by `tol` than the lowest so far.
        Only used with `early_stopping`.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    readout : {"auto"}, classifier, regressor or None, default="auto"
        Estimator that :meth:`predict` reads the embedding with. It is fitted on the embedding
        of the labelled rows after the training, on which it has no influence. ``"auto"``:
        a logistic regression with balanced classes behind a
        :class:`~sklearn.preprocessing.StandardScaler`, the light classifier of [1]_; a ridge
        regression if `y` has fractions; none for more than 100 different labels. None: none,
        which saves its time where a classifier follows in the pipeline.
    warm_start : bool, default=False
        Whether :meth:`fit` continues with the weights of the last call, for another
        `max_epochs` epochs. `learning_rate`, `batch_size` and `noise` may be changed in
        between.
    device : str, default="cpu"
        Device to train on: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, or ``"auto"`` for a GPU if there
        is one. All rows of a call are copied there at once; small batches leave a GPU mostly
        idle. Only ``"cpu"`` gives the same numbers on all machines of a kind.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, noise, order of the rows and which are held out. An int
        makes every fit the same to the last bit. torch's own generator is neither used nor
        changed.
    verbose : int, default=0
        Above 0, a progress bar over the epochs shows the terms of the loss.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in `y`, sorted. Only after a fit with labels.
    readout_ : estimator
        The fitted readout. Only after a fit with labels.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module with ``encode`` and ``decode``.
    history_ : list of dict
        For each epoch: ``epoch`` (from 1), ``loss``, its terms by name (here only
        ``reconstruction``), ``duration`` in seconds, and with `early_stopping`
        ``validation_loss`` and ``validation_reconstruction``. Losses of training are means
        over the epoch, with noise.
    n_iter_ : int
        Number of epochs trained, those of earlier calls included.
    best_epoch_ : int or None
        The epoch whose weights are kept: the one with the lowest validation loss, or the last
        one. None if training diverged at once.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if `X` had any that are strings.

    See Also
    --------
    KLAnnealedVAE : Learns a distribution over latents, from which rows can be drawn.
    MetricDAE : Makes distances in the latent proportional to distances of labels.
    sklearn.decomposition.PCA : The best affine autoencoder, in closed form.

    Notes
    -----
    *Numbers.* Everything is computed in float32, with a single thread on the CPU: more
    threads round differently, and results would depend on ``n_jobs``.

    *Pickling.* A pickle holds arrays and no tensors. It loads on machines without a GPU, the
    net is on the CPU then. The moments of Adam are part of it only after :meth:`partial_fit` or
    with `warm_start`, where a loaded model continues like the original.

    *Metadata routing.* `X_target` and `speaker` of :meth:`fit` are requested from the start,
    without ``set_fit_request``: unrequested, they would be refused or lost, and training would
    quietly be another one. After other steps, `X_target` has to pass through these steps::

        with sklearn.config_context(enable_metadata_routing=True):
            make_pipeline(StandardScaler(), DAETransformer(), SVC(),
                          transform_input=["X_target"]).fit(X, y, X_target=unlabelled)

    With routing off, ``daetransformer__X_target=`` arrives as it is, *not scaled*.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen, "Towards
       Transferable Speech Emotion Representation: On loss functions for cross-lingual latent
       representations", ICASSP 2022, arXiv:2203.14865.
    .. [2] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen, "Continuous
       Metric Learning For Transferable Speech Emotion Recognition and Embedding Across
       Low-resource Languages", NLDL 2022, arXiv:2203.14867.
    .. [3] P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and Composing
       Robust Features with Denoising Autoencoders", ICML 2008.

    Examples
    --------
    Eight features that are mixtures of two:

    >>> import numpy as np
    >>> from sklearn_ser import DAETransformer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 2)) @ rng.standard_normal((2, 8))
    >>> dae = DAETransformer(2, hidden_layer_sizes=16, max_epochs=60, random_state=0).fit(X)
    >>> Z = dae.transform(X)
    >>> Z.shape
    (300, 2)
    >>> dae.inverse_transform(Z).shape
    (300, 8)
    >>> bool(-dae.score(X) < 0.05 * X.var())
    True
    >>> sorted(dae.history_[-1])
    ['duration', 'epoch', 'loss', 'reconstruction']

    The network of the papers:

    >>> DAETransformer.das2022(random_state=0)
    DAETransformer(decoder_activation=('identity', 'relu', 'identity'),
                   hidden_layer_sizes=(40, 20, 10), learning_rate=0.0001,
                   n_components=2, noise=1.0, noise_in_transform=True,
                   random_state=0)
    """

    def __init__(
        self,
        n_components=32,
        *,
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
        """Return an estimator with network and training of the authors' script.

        The script belongs to arXiv:2203.14867. The encoder is 88-40-20-10-2 with ReLU behind the
        hidden layers; of those of the decoder, 10-20-40, only the second has one. Noise of
        standard deviation 1 is added to standardised features, in training and when rows are
        embedded; Adam with step size 1e-4, 100 epochs in batches of 64.

        The script adds the noise to the rows that it plots and validates as well. For all other
        uses of the embedding pass ``noise_in_transform=False``.

        Parameters
        ----------
        **parameters
            Parameters to set in addition, or to other values. With other `hidden_layer_sizes`,
            `decoder_activation` needs as many entries.

        Returns
        -------
        dae : DAETransformer
            Not fitted.
        """
        return cls(**{**DAS2022, **parameters})

    def _module_recipe(self, n_features):
        return Autoencoder, autoencoder_arguments(self, n_features)

    def _loss_terms(self, module, batch, state):
        x = batch["X"]
        # The target of the reconstruction is the row without noise. On validation rows the noise
        # stays, from the same seed in each epoch: the loss that is watched is the one minimised.
        return {"reconstruction": reconstruction_loss(x, module(self._with_noise(x, state)))}
