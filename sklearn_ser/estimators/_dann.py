"""The classifier that adapts by an adversary that tells domains apart."""

from sklearn_ser.estimators._domain import DomainClassifier
from sklearn_ser.nn._domain_losses import adversarial_loss
from sklearn_ser.nn._memory import AdversarialNet


class DANNClassifier(DomainClassifier):
    r"""Classifier that adapts by embeddings which do not reveal the domain.

    Domain-adversarial training [1]_: a second head learns whether an embedding comes from the
    source or the target, and the encoder learns to deceive it,

    .. math:: \min_{\theta, h} \max_d \; L_\mathrm{source}(\theta, h)
              + \lambda \left( \operatorname{mean}_{i \in s} \log (1 - d(z_i))
              + \operatorname{mean}_{i \in t} \log d(z_i) \right)

    with :math:`z` the embedding of the encoder :math:`\theta`. The weight is constant: its
    schedule in the paper serves trainings of many more steps.

    The target comes in without labels, in the ways of :class:`NNPMClassifier`: as `X_target` of
    :meth:`fit`, by :meth:`adapt`, or as the rows to predict. Each adaptation trains a new network
    on source and target together, so the source rows stay in the fitted model. Features should
    be standardised beforehand, each corpus by itself.

    Parameters
    ----------
    n_components : int, default=64
        Width of the embedding of each member.
    adaptation : {"fit", "predict"} or None, default="fit"
        ``"fit"``: adapt to `X_target` in :meth:`fit`. ``"predict"``: take each batch passed
        to `predict` or `predict_proba` as the target and adapt a copy to it; the last copy is
        kept. None: never adapt, and no warning about it.
    target_weight : float, default=1.0
        :math:`\lambda`. 0: the network without adaptation.
    n_estimators : int, default=3
        Members: networks with initial weights of their own. Their probabilities are averaged.
    random_state : int, RandomState instance or None, default=None
        Initial weights, dropout and order of rows. An integer makes refits bit-identical.
    min_target : int, default=20
        With fewer target rows, a `NotAdaptedWarning` is issued instead of adapting.
    hidden_layer_sizes : sequence of int, default=(256,)
        Widths of the encoder's hidden layers.
    dropout : float, default=0.5
        Share of hidden units dropped in training.
    max_epochs : int, default=25
        Passes over the source.
    learning_rate : float, default=1e-3
        Step size of Adam.
    weight_decay : float, default=1e-3
        L2 penalty of Adam.
    batch_size : int, default=64
        Rows a step, of the source and of the target each.
    device : str, default="cpu"
        ``"cpu"``, ``"auto"`` (a GPU if there is one) or a device of torch.
    verbose : int, default=0
        Above 0, progress bars over the epochs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The emotions, sorted.
    adapted_ : bool
        Whether this model has been adapted.
    history_ : list of dict
        One entry for each epoch: ``phase`` (``"source"`` or ``"adaptation"``), ``epoch``,
        ``loss``, ``source`` and ``duration``; in adaptation also the term of the ``target``
        and its weight.
    net_ : skorch.NeuralNet
        The trained network; ``net_.module_`` is the torch module.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if `X` had any that are strings.

    See Also
    --------
    sklearn_ser.NNPMClassifier : Adapts by pseudo labels.
    sklearn_ser.adapt : Adapt a fitted pipeline.

    Notes
    -----
    :ref:`mathematics-adapters` has all terms of the loss, and departures from the paper.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-adversarial training of neural networks", JMLR 17, 2016,
       arXiv:1505.07818.

    Examples
    --------
    Half of the features have an offset in the target:

    >>> import numpy as np
    >>> from sklearn_ser import DANNClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "sadness"], 100)
    >>> X = rng.normal(size=(200, 8)) + (y == "anger")[:, None]
    >>> X_target = rng.normal(size=(200, 8)) + (y == "anger")[:, None] + 2 * (np.arange(8) > 3)
    >>> alone = DANNClassifier(adaptation=None, random_state=0).fit(X, y)
    >>> adapted = DANNClassifier(random_state=0).fit(X, y, X_target=X_target)
    >>> adapted.score(X_target, y) > alone.score(X_target, y)
    True
    """

    _network = AdversarialNet

    def _target_loss(self, module, source, target):
        return adversarial_loss(module.judge, source, target)
