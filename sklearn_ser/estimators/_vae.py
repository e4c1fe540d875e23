"""The variational autoencoder with annealed KL divergence."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_ser._sklearn import Interval, StrOptions
from sklearn_ser.estimators._base import BaseAutoencoder
from sklearn_ser.estimators._collapse import ACTIVE, warn_of_collapse
from sklearn_ser.estimators._parameters import DAS2022, autoencoder_arguments, store_parameters
from sklearn_ser.nn._losses import (
    ANNEALING_SCHEDULES,
    annealing_weight,
    gaussian_kl,
    reconstruction_loss,
    reduce_kl,
)
from sklearn_ser.nn._modules import VariationalAutoencoder
from sklearn_ser.utils._messages import plain


def _drawn(mean, log_variance, noise):
    """Return points of the posteriors, given standard normal numbers."""
    # The reparametrisation: a deterministic function of mean and log-variance, through which
    # gradients flow. The standard deviation is the exponential of half the log-variance.
    return torch.addcmul(mean, (0.5 * log_variance).exp(), noise)


class KLAnnealedVAE(BaseAutoencoder):
    r"""Variational autoencoder with a KL divergence that gains weight during training.

    The encoder gives each row :math:`x` a Gaussian over the latent space,
    :math:`q(z \mid x) = N(\mu(x), \operatorname{diag} \sigma^2(x))`. A point drawn from it
    must decode to the row, and the Gaussian must stay close to the prior:

    .. math:: L(t) = \frac{1}{D} \mathrm{E}_q \|x - \hat x(z)\|^2
              + \beta\, w(t) \cdot \frac{1}{D} \sum_{k=1}^{K}
                \mathrm{KL}\big(N(\mu_k, \sigma_k^2) \,\|\, N(0, 1)\big)

    averaged over rows, with :math:`D` features and :math:`K` latent units. With the full
    weight from the start, units whose information is not yet worth its cost are pulled to
    the prior and never return (posterior collapse). The schedule :math:`w(t)` therefore
    starts at 0: the latent space is used first, and its cost counts later [1]_ [2]_.

    The embedding of a row is :math:`\mu(x)`. See :ref:`mathematics-vae` for :math:`w(t)`.

    Parameters
    ----------
    n_components : int, default=32
        Number of latent units :math:`K`. Units whose information is not worth the cost set by
        `beta` collapse, see ``active_units_``.
    beta : float, default=0.1
        Weight of the divergence once annealing is over. With ``kl_reduction="sum"`` the
        loss is the evidence lower bound of a decoder with noise of variance
        :math:`\beta / 2` on every feature, for any number of features and units:
        roughly, directions of the data with less variance than that are left out. Lower
        values reconstruct better and order the latent space less; 0 is an autoencoder. At 1,
        the evidence lower bound of a decoder with noise of variance 1/2, units begin to
        collapse.
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
    readout : {"auto"}, classifier, regressor or None, default="auto"
        Estimator that :meth:`predict` reads the embedding with. It is fitted on the embedding
        of the labelled rows after the training, on which it has no influence. ``"auto"``:
        a logistic regression with balanced classes behind a
        :class:`~sklearn.preprocessing.StandardScaler`, the light classifier of [5]_; a ridge
        regression if `y` has fractions; none for more than 100 different labels. None: none,
        which saves its time where a classifier follows in the pipeline.
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
        The classes in `y`, sorted. Only after a fit with labels.
    readout_ : estimator
        The fitted readout. Only after a fit with labels.
    active_units_ : ndarray of int
        Units whose :math:`\mu_k` has a variance above 0.01 over the training rows [4]_.
        The other units carry no information about a row.
    kl_weight_ : ndarray of shape (`n_iter_`,)
        :math:`\beta\, w(t)` of each epoch.
    latent_mean_ : ndarray of shape (n_components,)
        Mean of :math:`q(z \mid x)` over the training rows; 0 for a perfectly trained model.
    latent_covariance_ : ndarray of shape (n_components, n_components)
        Covariance of a point of :math:`q(z \mid x)` over the training rows,
        :math:`\mathrm{Cov}(\mu) + \operatorname{diag} \mathrm{E}[\sigma^2]`; the identity for a
        perfectly trained model.
    noise_variance_ : ndarray of shape (`n_features_in_`,)
        Mean squared error of each feature, decoded from points of the posterior.
    history_ : list of dict
        One entry for each epoch: ``epoch``, ``loss``, its terms ``reconstruction`` and
        ``kl``, ``kl_weight``, ``active_units`` (their number, on at most 1000 of the training
        rows), ``duration`` in seconds, and with `early_stopping` the same
        terms on the rows held out as ``validation_loss`` and so on, at full weight.
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
    SemiSupervisedVAE : Uses emotion labels where they exist.
    DAETransformer : Without a distribution over the latent space.

    Notes
    -----
    Features should be on a common scale, as after
    :class:`~sklearn_ser.estimators.CorpusScaler`; otherwise features of large variance
    dominate the error.

    A log-variance above 5, which training may give to outlying rows, grows only
    logarithmically, see :ref:`mathematics-vae`.

    References
    ----------
    .. [1] S. R. Bowman et al., "Generating sentences from a continuous space", CoNLL 2016.
    .. [2] H. Fu et al., "Cyclical annealing schedule: a simple approach to mitigating KL
       vanishing", NAACL 2019, equations 6 and 7.
    .. [3] D. P. Kingma et al., "Improved variational inference with inverse autoregressive
       flow", NeurIPS 2016, appendix C.8.
    .. [4] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance weighted autoencoders",
       ICLR 2016, section 5.2.
    .. [5] S. Das et al., "Towards transferable speech emotion representation: on loss
       functions for cross-lingual latent representations", ICASSP 2022, arXiv:2203.14865.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_ser import KLAnnealedVAE
    >>> X = scale(load_iris().data)
    >>> vae = KLAnnealedVAE(
    ...     2, hidden_layer_sizes=(16,), beta=0.2, learning_rate=0.01, max_epochs=20,
    ...     random_state=0,
    ... )
    >>> vae.fit_transform(X).shape
    (150, 2)
    >>> vae.kl_weight_[[0, 5, 10, 19]]
    array([0. , 0.1, 0.2, 0.2])
    >>> mean, variance = vae.posterior(X)
    >>> vae.sample(3, random_state=0).shape
    (3, 4)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseAutoencoder._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "kl_annealing": [StrOptions(set(ANNEALING_SCHEDULES))],
        "annealing_epochs": [Interval(Integral, 0, None, closed="left"), None],
        "n_cycles": [Interval(Integral, 1, None, closed="left")],
        "cycle_ratio": [Interval(Real, 0, 1, closed="right")],
        "kl_reduction": [StrOptions({"sum", "mean"})],
        "free_bits": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=32,
        *,
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
        """Return an estimator with network, noise and training of the authors' script.

        That script belongs to the paper on metric learning (arXiv:2203.14867), see
        :meth:`DAETransformer.das2022`; for that on variational autoencoders (arXiv:2203.14865)
        there is none. `beta` and its schedule are ours, chosen on RAVDESS so that both units
        are used.

        Parameters
        ----------
        **parameters
            Parameters to set in addition, or to other values.

        Returns
        -------
        vae : KLAnnealedVAE
            Not fitted.
        """
        return cls(**{**DAS2022, "beta": 0.3, **parameters})

    @property
    def kl_weight_(self):
        """Weight of the divergence in each epoch."""
        return np.array([row["kl_weight"] for row in self.history_])

    def _module_recipe(self, n_features):
        return VariationalAutoencoder, autoencoder_arguments(self, n_features)

    def _epochs_of_annealing(self):
        if self.kl_annealing == "constant":
            return 0
        # Half of the training at full weight lets the units that the ramp brought into use settle.
        # The cyclical schedule has such plateaus within each cycle (Fu et al. 2019).
        if self.annealing_epochs is not None:
            return self.annealing_epochs
        return self.max_epochs if self.kl_annealing == "cyclical" else self.max_epochs // 2

    def _weights(self, epoch):
        share = annealing_weight(
            epoch,
            schedule=self.kl_annealing,
            annealing_epochs=self._epochs_of_annealing(),
            n_cycles=self.n_cycles,
            ratio=self.cycle_ratio,
        )
        return {"kl": self.beta * share}

    def _validation_weights(self):
        # The weights at full annealing: with weights that grow, the loss of a later epoch would
        # seem worse only because its divergence counts more.
        return self._weights(self._epochs_of_annealing())

    def _epochs_before_stopping(self):
        return self._epochs_of_annealing()

    def _loss_terms(self, module, batch, state):
        mean, log_variance = module.posterior(self._with_noise(batch["X"], state))
        z = _drawn(mean, log_variance, state.normal_like(mean))
        return self._terms_of(module, batch, mean, log_variance, z)

    def _terms_of(self, module, batch, mean, log_variance, z):
        """Return the terms of the loss, given the posteriors and a point drawn from each."""
        x = batch["X"]
        kl = reduce_kl(
            gaussian_kl(mean, log_variance),
            n_features=x.shape[1],
            reduction=self.kl_reduction,
            free_bits=self.free_bits,
        )
        return {"reconstruction": reconstruction_loss(x, module.decode(z)), "kl": kl}

    def _measure(self, X):
        mean, variance = self._posterior(X)
        mean = mean.astype(np.float64)
        self.active_units_ = np.flatnonzero(mean.var(axis=0) > ACTIVE)
        self.latent_mean_ = mean.mean(axis=0)
        deviation = mean - self.latent_mean_
        # The law of total variance, for the mixture of the posteriors of all rows: the spread of
        # their means, plus the mean of their variances.
        self.latent_covariance_ = deviation.T @ deviation / len(X)
        self.latent_covariance_ += np.diag(variance.mean(axis=0, dtype=np.float64))
        generator = torch.Generator(self.net_.device).manual_seed(self._seed)

        def squared_errors(module, x):
            # From points of the posterior, as in training: the mean alone would give an error
            # without the noise that the decoder meets when rows are sampled.
            mean, log_variance = module.posterior(x)
            noise = torch.randn(mean.shape, generator=generator, device=mean.device)
            rebuilt = module.decode(_drawn(mean, log_variance, noise))
            # The sum over the rows of a batch: batches differ in size.
            return (rebuilt - x).square().mean(dim=0, keepdim=True) * len(x)

        sums = self._in_batches(squared_errors, X)
        self.noise_variance_ = sums.sum(axis=0, dtype=np.float64) / len(X)

    def _epoch_measures(self, module, x):
        with torch.inference_mode():
            spread = module.encode(x).var(dim=0, correction=0)
        return {"active_units": int((spread > ACTIVE).sum())}

    def _warn_if_collapsed(self, X):
        if len(self.active_units_) < self._n_features_out:
            warn_of_collapse(self.active_units_, self._n_features_out, self._remedy())

    def _remedy(self):
        return f"Lower beta, which is {self.beta:g}, or grant free_bits."

    def posterior(self, X):
        r"""Return the Gaussian over the latent space of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        mean : ndarray of shape (n_samples, n_components), float32
            :math:`\mu(x)`, what :meth:`transform` returns without `noise_in_transform`.
        variance : ndarray of shape (n_samples, n_components), float32
            :math:`\sigma^2(x)`.
        """
        check_is_fitted(self)
        return self._posterior(self._validate(X))

    def _posterior(self, X):
        both = self._in_batches(lambda module, x: torch.stack(module.posterior(x), dim=1), X)
        return both[:, 0], np.exp(both[:, 1])

    def sample(self, n_samples=1, random_state=None):
        r"""Draw new rows from the model.

        A point of the latent space is drawn from a Gaussian with ``latent_mean_`` and
        ``latent_covariance_`` and decoded, and noise of variance ``noise_variance_`` is added
        to each feature: without it the rows would vary less than those of the training.

        This Gaussian has the moments of the mixture of all posteriors of the training rows. For a
        perfectly trained model it is the prior :math:`N(0, I)`; otherwise, points of the prior
        may lie where no row was ever encoded (Ghosh et al., "From variational to
        deterministic autoencoders", ICLR 2020). For rows from the prior, without noise, pass
        standard normal numbers to :meth:`inverse_transform`.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            An integer gives the same rows in each call.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), float32
            The new rows.

        Raises
        ------
        ValueError
            If `n_samples` is not a positive integer.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"n_samples must be an integer of at least 1, got {plain(n_samples)!r}."
            )
        rng = check_random_state(random_state)
        # A root from eigenvalues exists for singular covariances as well, unlike Cholesky's: with
        # fewer rows than units some directions have no variance. Rounding may make an eigenvalue
        # slightly negative.
        variance, axes = np.linalg.eigh(self.latent_covariance_)
        coordinates = rng.standard_normal((n_samples, len(variance)))
        z = coordinates * np.sqrt(variance.clip(min=0)) @ axes.T + self.latent_mean_
        decoded = self.inverse_transform(z)
        noise = np.sqrt(self.noise_variance_) * rng.standard_normal(decoded.shape)
        return decoded + noise.astype(np.float32)
