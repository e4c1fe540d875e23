"""The classifier that adapts by aligning covariances."""

from sklearn_ser.estimators._domain import DomainClassifier
from sklearn_ser.estimators._parameters import store_parameters
from sklearn_ser.nn._domain_losses import covariance_loss


class CORALClassifier(DomainClassifier):
    r"""Classifier that adapts by giving source and target embeddings the same covariance.

    Deep CORAL [1]_ adds the distance of the two covariances to the loss of the source,

    .. math:: L = L_\mathrm{source} + \frac{\lambda}{4 c^2}
                  \| \operatorname{Cov}(z_s) - \operatorname{Cov}(z_t) \|_F^2

    with embeddings :math:`z` of :math:`c` components.

    The target comes in without labels, in the ways of :class:`NNPMClassifier`: as `X_target` of
    :meth:`fit`, by :meth:`adapt`, or as the rows to predict. Each adaptation trains a new network
    on source and target together, so the source rows stay in the fitted model. Features should
    be standardised beforehand, each corpus by itself and all together, side by side.

    Parameters
    ----------
    n_components : int, default=64
        Width of the embedding of each member.
    adaptation : {"fit", "predict"} or None, default="fit"
        ``"fit"``: adapt to `X_target` in :meth:`fit`. ``"predict"``: take each batch passed
        to `predict` or `predict_proba` as the target and adapt a copy to it; the last copy is
        kept. None: never adapt, and no warning about it.
    target_weight : float, default=100.0
        :math:`\lambda`. 0: the network without adaptation. The paper chooses it so that both
        terms are about equal in the end, which the default did on 176 functionals and on 384
        and 768 standardised features of an encoder; `history_` has the terms. With 1,
        the default of skada, hardly anything is adapted.
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
    .. [1] B. Sun & K. Saenko, "Deep CORAL: correlation alignment for deep domain adaptation",
       ECCV Workshops 2016, arXiv:1607.01719.

    Examples
    --------
    Half of the features vary together in the target, and not in the source:

    >>> import numpy as np
    >>> from sklearn_ser import CORALClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "sadness"], 100)
    >>> X = rng.normal(size=(200, 8)) + (y == "anger")[:, None]
    >>> X_target = rng.normal(size=(200, 8)) + (y == "anger")[:, None]
    >>> X_target[:, 4:] += 5 * rng.normal(size=(200, 1))
    >>> alone = CORALClassifier(adaptation=None, random_state=0).fit(X, y)
    >>> adapted = CORALClassifier(random_state=0).fit(X, y, X_target=X_target)
    >>> adapted.score(X_target, y) > alone.score(X_target, y)
    True
    """

    def __init__(
        self,
        n_components=64,
        *,
        adaptation="fit",
        target_weight=100.0,
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

    def _target_loss(self, module, source, target):
        return covariance_loss(source, target)
