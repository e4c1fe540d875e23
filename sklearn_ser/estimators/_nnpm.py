"""The classifier that adapts to unlabelled rows through a memory of labelled ones."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_ser._sklearn import Interval, StrOptions, _fit_context
from sklearn_ser.estimators._net import all_or_nothing
from sklearn_ser.estimators._nnpm_labels import encode_target_labels
from sklearn_ser.estimators._nnpm_prediction import NNPMPrediction
from sklearn_ser.estimators._parameters import store_parameters
from sklearn_ser.estimators._rows import validate_target
from sklearn_ser.estimators._views import view_columns


class NNPMClassifier(NNPMPrediction, BaseEstimator):
    r"""Classifier that adapts to another language through a memory of its training rows.

    A reconstruction of NNPM, "neural network with pseudo multilabel" [1]_, whose authors
    published neither code nor all details; :ref:`nnpm-choices` has each choice and why, and
    :ref:`mathematics-nnpm` all equations.

    1. *Warm-up.* An encoder :math:`z(x)` to the unit sphere and a linear head learn the
       labelled source by cross-entropy, each class with the same total weight.
    2. *Memory.* The embeddings :math:`M_i` of all source rows, with their labels.
    3. *Pseudo multilabels.* Before each epoch, every target row gets a probability
       :math:`q_k` for each class, from the vote of the memory

       .. math:: v_k(x) \propto \frac{1}{n_k} \sum_{i : y_i = k} e^{M_i \cdot z(x) / \tau}

       and from the head, both corrected for classes that they predict too often in the
       target (:math:`v_k \cdot \pi_k / \bar v_k`). Its multilabel says which rows of the
       memory it should be close to: :math:`m_i(x) = q_{y_i}(x) / n_{y_i}`.
    4. *Adaptation.* The loss of the most confident part of each predicted class is added,

       .. math:: L = L_\mathrm{source} + \lambda \left( - \sum_i m_i(x) \log
                 \frac{e^{M_i \cdot z(x) / \tau}}{\sum_j e^{M_j \cdot z(x) / \tau}}
                 - \sum_k q_k(x) \log p_k(x) \right)

       with :math:`p` the softmax of the head, and the memory follows the encoder:
       :math:`M_i \leftarrow a M_i + (1 - a) z(x_i)`, normalised, once an epoch.

    The target comes in without labels, or with a few, in one of three ways: as `X_target` of
    :meth:`fit`; later, by :meth:`adapt`; or, with ``adaptation="predict"``, as the rows to
    predict, which lets `cross_validate` and searches evaluate adaptation.

    Features should be standardised beforehand; the user guide says how.

    The parameters that matter first are `adaptation`, `target_prior`, `prediction_prior`,
    `n_estimators`, `views`, `keep_source` and `random_state`. The others follow in groups: the
    target (`min_target` to `label_weight`), the memory (`selection` to `memory_momentum`), the
    network (`hidden_layer_sizes`, `dropout`), training (`warmup_epochs` to `verbose`), and
    variants of the papers (`loss` to `vote`), none of which was measurably better than its
    default on real corpora.

    Parameters
    ----------
    n_components : int, default=64
        Width of the embedding of each member.
    adaptation : {"fit", "predict"} or None, default="fit"
        ``"fit"``: adapt to `X_target` in :meth:`fit`. ``"predict"``: take each batch passed
        to `predict`, `predict_proba` or `transform` as the target and adapt a copy to it;
        the last copy is kept, and predicting the same rows again costs nothing. Several
        scorers share it; scores on the training set adapt once more. None: never adapt, a
        classifier of the source alone, and no warning about it.
    target_prior : {"uniform", "source", "estimate"}, dict, array-like or None, default="uniform"
        Shares that the classes have in the target: all the same, those of the source,
        estimated from the target, or given ones (by name, or in the order of `classes_`).
        They decide what is predicted. Adaptation always learns from equal shares
        :math:`\pi_k` of the classes, which protects rare ones. None: no correction at all;
        predictions then tend to collapse to a few classes. A target that lacks a class
        contradicts the default and is predicted badly: give a class that is known to be
        missing the share 0. It is then never learnt or predicted, whether the model has been
        adapted or not, and its probability is 0. ``"estimate"`` runs the EM algorithm of [3]_
        on the unadapted predictions. It finds the shares if the target is like the source; in
        another language it cannot tell shares from shift, and the default serves better.
    prediction_prior : {"target", "uniform"}, default="target"
        Shares that the predictions of an adapted model have. ``"target"``: those of
        `target_prior`, for accuracy and for probabilities that mean what they say.
        ``"uniform"``: equal ones, for UAR, which counts a rare class as much as a frequent
        one. Both are the same with ``target_prior="uniform"``.
    n_estimators : int, default=3
        Members: networks with initial weights of their own, which share the pseudo labels.
        Their probabilities are averaged. More members take more time, and make the result
        better and less dependent on the seed.
    views : int, list of column selections or None, default=None
        Parts of the columns that show the same recordings in different ways, such as two
        scalings or two kinds of features. Each gets `n_estimators` members that see nothing
        else; the members of all views share pseudo labels, so that views teach each other.
        An integer: so many blocks of equal width side by side, as a union of scalers leaves
        them. A list: for each view a slice, positions, a mask or names of columns. None: all
        members see all columns. Different kinds of features gain more as views than side by
        side.
    keep_source : bool, default=True
        Whether the source rows stay in the fitted model, for later adaptation. False: only
        their embeddings do, which is smaller and more private; :meth:`adapt` then cannot
        move the memory, and only keeps the head in line with it.
    random_state : int, RandomState instance or None, default=None
        Initial weights, dropout and order of rows. An integer makes refits bit-identical.
    min_target : int, default=20
        With fewer target rows, a `NotAdaptedWarning` is issued instead of adapting; labels
        among them are learnt all the same.
    caution : float, default=80.0
        Number of target rows :math:`c` at which the model before adaptation has the same say
        as the adapted one: predictions are the mean of both, with the weight
        :math:`n^2 / (n^2 + c^2)` of the adapted one for :math:`n` rows of the last target.
        Adaptation to few rows does harm as often as good; with some hundred rows, the adapted
        model decides. 0: the adapted model alone, as always after labels in the target, for
        predictions with unequal shares, given or estimated, and for embeddings.
    guard : bool, default=True
        Whether to return to the unadapted model, with a `NotAdaptedWarning`, where figures
        that need no label show that adaptation ran away: a class was lost, pseudo labels do
        not settle, head and memory disagree. It cannot notice classes that were swapped.
    label_weight : float, default=0.1
        Weight of a labelled target row in memory and head, relative to all source rows of its
        class together: with 0.1, ten of them count as much as the source.
    selection : float, default=0.6
        Share of the target rows of each predicted class to train on, the most confident
        ones. Balanced by class: a single threshold would select the easy classes.
    temperature : float, default=0.05
        :math:`\tau`. Small: the nearest rows decide. Large: all rows have a say.
    memory_momentum : float, default=0.8
        :math:`a`, the share of the memory that an epoch keeps. 0: the memory is embedded anew.
    hidden_layer_sizes : sequence of int, default=(256,)
        Widths of the encoder's hidden layers.
    dropout : float, default=0.5
        Share of hidden units dropped in training.
    warmup_epochs : int, default=10
        Passes over the source before adaptation.
    max_epochs : int, default=15
        Passes over the target.
    target_weight : float, default=1.0
        :math:`\lambda`. 0: only the corrections for the shares of the classes are learnt.
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
    loss : {"softmax", "mmcl"}, default="softmax"
        ``"softmax"`` is the formula above. ``"mmcl"`` is the squared loss of [2]_ with hard
        negatives; it takes multilabels of the predicted class alone, and no temperature.
    label_prediction : {"vote", "threshold", "cycle"}, default="vote"
        Origin of the multilabels: the vote as above; the nearest rows that are more similar
        than a threshold; or those of these rows that are mutual neighbours [2]_.
    soft_labels : bool, default=True
        If True, learn the class probabilities; if False, only the predicted class, which
        reinforces correct and wrong pseudo labels alike.
    n_neighbors : int, default=None
        Number of rows of each class that a multilabel names, the nearest. None: all of them,
        which is steadier and costs least. For the other two label predictions, the number of
        candidates (None: all that are similar enough, which takes 12 bytes for each pair of
        a target row and a source row).
    similarity_threshold : float, default=0.6
        Cosine similarity. Only for ``"threshold"`` and ``"cycle"``.
    vote : {"mean", "head", "memory"}, default="mean"
        Source of the predictions: the head, the memory, or the geometric mean of both.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The emotions, sorted.
    memory_ : ndarray of shape (n_members, n_source, n_components), float32
        Embedded source rows, of length 1, for each member: `n_estimators` of the first view,
        then those of the next. Labelled target rows follow them.
    memory_labels_ : ndarray of shape (n_source,)
        Their emotions, and those of the labelled target rows; of soft labels, the emotion with
        the largest share.
    memory_shares_ : ndarray of shape (n_source, n_classes), float32
        Their label mass: the shares of the raters, or 1 for the emotion of the row.
    adapted_ : bool
        Whether this model has been adapted.
    pseudo_labels_ : ndarray of shape (n_target,)
        The emotion assigned to each target row in the end, where all emotions are expected
        equally often. Only after adaptation.
    target_prior_ : ndarray of shape (n_classes,), float32, or None
        The shares that `target_prior` stands for, estimated ones included. Only after
        adaptation.
    target_selected_ : ndarray of bool, shape (n_target,)
        The target rows that were confident enough in the end. Only after adaptation.
    history_ : list of dict
        One entry for each epoch: ``phase`` (``"warm-up"`` or ``"adaptation"``), ``epoch``,
        ``loss``, ``source`` and ``duration``; in adaptation also the target losses
        ``multilabel`` and ``head`` with their weights, the share ``selected``,
        ``label_agreement`` (pseudo labels that stayed the same since the epoch before),
        ``head_memory_agreement``, ``smallest_class`` (its share of the pseudo labels) and
        ``drift`` (one minus the mean cosine of the target's embedding with its first). The
        last entry has these after training as ``final_…``, and whether the guard
        ``accepted`` the adaptation, with its ``reason`` if there was one against it.
    net_ : skorch.NeuralNet
        The trained network; ``net_.module_`` is the torch module.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if `X` had any that are strings.

    See Also
    --------
    sklearn_ser.adapt : Adapt a fitted pipeline.
    sklearn_ser.cross_corpus_validate : Passes the held-out corpus as `X_target`.

    Notes
    -----
    With :math:`n` target rows, :math:`m` source rows and :math:`d` components, an epoch costs
    :math:`O(n m d)` in matrix products. Similarities are computed in blocks; peak memory stays
    within a few hundred MB beyond the data and the memory (:math:`4 m d` bytes for each member,
    three times that during adaptation). An adapted model keeps the memory and the weights from
    before for `caution`, so it is up to twice as large, in files too.

    *Metadata routing.* `X_target` and `y_target` are requested from the start: no other
    estimator of a pipeline takes them for something else, and a classifier that silently missed
    them would not be adapted.

    References
    ----------
    .. [1] J. Li, N. Yan & L. Wang, "Unsupervised cross-lingual speech emotion recognition
       using pseudo multilabel", ASRU 2021, arXiv:2108.08663.
    .. [2] D. Wang & S. Zhang, "Unsupervised person re-identification via multi-label
       classification", CVPR 2020.
    .. [3] M. Saerens, P. Latinne & C. Decaestecker, "Adjusting the outputs of a classifier to
       new a priori probabilities: a simple procedure", Neural Computation 14(1), 2002.

    Examples
    --------
    The target has an offset that the source lacks:

    >>> import numpy as np
    >>> from sklearn_ser import NNPMClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "sadness"], 60)
    >>> X = rng.normal(size=(120, 8)) + 1.5 * (y == "anger")[:, None]
    >>> X_target = rng.normal(size=(120, 8)) + 1.5 * (y == "anger")[:, None] + 1
    >>> alone = NNPMClassifier(adaptation=None, random_state=0).fit(X, y)
    >>> adapted = NNPMClassifier(random_state=0).fit(X, y, X_target=X_target)
    >>> adapted.score(X_target, y) > alone.score(X_target, y)
    True
    """

    # Requested by default: without set_fit_request, a pipeline would refuse the labels.
    __metadata_request__fit: ClassVar[dict] = {"y_target": True}

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "adaptation": [StrOptions({"fit", "predict"}), None],
        "target_prior": [StrOptions({"uniform", "source", "estimate"}), dict, "array-like", None],
        "prediction_prior": [StrOptions({"target", "uniform"})],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "views": [Interval(Integral, 1, None, closed="left"), list, tuple, None],
        "keep_source": ["boolean"],
        "random_state": ["random_state"],
        "min_target": [Interval(Integral, 1, None, closed="left")],
        "caution": [Interval(Real, 0, None, closed="left")],
        "guard": ["boolean"],
        "label_weight": [Interval(Real, 0, None, closed="left")],
        "selection": [Interval(Real, 0, 1, closed="right")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "memory_momentum": [Interval(Real, 0, 1, closed="both")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "warmup_epochs": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "verbose": ["verbose"],
        "loss": [StrOptions({"softmax", "mmcl"})],
        "label_prediction": [StrOptions({"vote", "threshold", "cycle"})],
        "soft_labels": ["boolean"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "similarity_threshold": [Interval(Real, -1, 1, closed="both")],
        "vote": [StrOptions({"mean", "head", "memory"})],
    }

    def __init__(
        self,
        n_components=64,
        *,
        adaptation="fit",
        target_prior="uniform",
        prediction_prior="target",
        n_estimators=3,
        views=None,
        keep_source=True,
        random_state=None,
        min_target=20,
        caution=80.0,
        guard=True,
        label_weight=0.1,
        selection=0.6,
        temperature=0.05,
        memory_momentum=0.8,
        hidden_layer_sizes=(256,),
        dropout=0.5,
        warmup_epochs=10,
        max_epochs=15,
        target_weight=1.0,
        learning_rate=1e-3,
        weight_decay=1e-3,
        batch_size=64,
        device="cpu",
        verbose=0,
        loss="softmax",
        label_prediction="vote",
        soft_labels=True,
        n_neighbors=None,
        similarity_threshold=0.6,
        vote="mean",
    ):
        store_parameters(self, locals())

    @property
    def memory_labels_(self):
        """The emotion of each row of the memory, ndarray of shape (n_source,)."""
        return self.classes_[self._memory_codes]

    @property
    def memory_shares_(self):
        """The label mass of each row of the memory, ndarray of shape (n_source, n_classes)."""
        if self._memory_mass is not None:
            return self._memory_mass
        return np.eye(len(self.classes_), dtype=np.float32)[self._memory_codes]

    def _module_recipe(self, n_features):
        network, arguments = super()._module_recipe(n_features)
        # Left out where there are none, as in models stored before there were views.
        if self.views is not None:
            names = getattr(self, "feature_names_in_", None)
            arguments["views"] = view_columns(self.views, n_features, names)
        return network, arguments

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X, y, *, X_target=None, y_target=None):
        """Train on labelled rows and adapt to unlabelled ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Labelled rows, of one or several source corpora.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Their emotions, without gaps; at least two different. Rows without a label
            go to `X_target`: None, NaN, NA and, except beside 1 alone, -1 are
            refused, see :ref:`unlabelled`. With a column for each emotion: the shares of raters
            that chose it, whose rows sum to 1, or their counts, see :ref:`soft-labels`. The names
            of the columns of a DataFrame are the emotions; without names they are 0, 1, …
        X_target : array-like of shape (n_target_samples, n_features), default=None
            Unlabelled rows of the corpus to predict. None: the model knows its source only,
            until :meth:`adapt`. With ``adaptation="predict"``, the copy for these rows is
            made right away; with None they are not used. After other steps of a
            pipeline they need ``transform_input=["X_target"]`` and metadata routing.
        y_target : array-like of shape (n_target_samples,) or (n_target_samples, n_classes), \
                default=None
            Emotions of some of the rows of `X_target`; None, NaN, NA or -1 for the others. Or
            shares of raters, with rows of NaN for the others.
            Needs ``adaptation="fit"``: a batch to predict is a target of its own. Give labels
            to :meth:`adapt` to use them with ``adaptation="predict"``.

        Returns
        -------
        self : NNPMClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            For gaps in `X`, `y` or `X_target`, a single class in `y`, other columns in
            `X_target` than in `X`, and an invalid `target_prior`. For a `y_target` without
            `X_target`, and emotions in it that `y` lacks. If the warm-up leads to infinite
            values.

        Warns
        -----
        NotAdaptedWarning
            If `X_target` is too small, or adaptation ran away.
        ConvergenceWarning
            If the warm-up was cut short, since the loss became infinite.
        """
        # Rows that are kept must not change when the caller's array does.
        X, codes, X_target = self._validate_training(X, y, X_target, copy=self.keep_source)
        codes_target = encode_target_labels(y_target, X_target, self.classes_)
        if codes_target is not None and self.adaptation != "fit":
            raise ValueError(
                f"y_target was given to fit with adaptation={self.adaptation!r}, which does not "
                f"adapt to X_target in fit. Set adaptation='fit', or call "
                f"adapt(X_target, y_target) after fit."
            )
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._warm_up(X, codes, seed)
        if X_target is not None and self.adaptation == "fit":
            self._warn(self._adapt_to(X_target, codes_target))
        if not self.keep_source:
            self._source_rows = None
        # After the rows are dropped: the copy is the one that predict would make.
        if X_target is not None and self.adaptation == "predict":
            self._adapted_copy(X_target)
        return self

    @all_or_nothing
    def adapt(self, X_target, y_target=None):
        """Adapt the fitted model to rows with few labels or none, from its current state.

        ``fit(X, y).adapt(X_target)`` and ``fit(X, y, X_target=X_target)`` give the same
        model, bit by bit, with ``keep_source=True``. Adapting again continues from there.

        Parameters
        ----------
        X_target : array-like of shape (n_target_samples, n_features)
            Rows of the corpus to predict, scaled as those in `fit` were.
        y_target : array-like of shape (n_target_samples,) or (n_target_samples, n_classes), \
                default=None
            Emotions of some of them; None, NaN, NA or -1 for the others. Or shares of raters, with
            rows of NaN for the others. These rows join the
            memory for good, in the place of those that an earlier call labelled: pass all
            labels that there are. Without any, earlier ones stay.

        Returns
        -------
        self : NNPMClassifier
            The estimator, adapted.

        Raises
        ------
        ValueError
            For gaps or other columns in `X_target`, emotions in `y_target` that the source
            lacks, and if parameters that determine the network were changed after `fit`.

        Warns
        -----
        NotAdaptedWarning
            If `X_target` is too small, or adaptation ran away; the model is as before, or has
            learnt from the labelled rows alone.
        """
        check_is_fitted(self)
        rows = validate_target(self, X_target)
        codes = encode_target_labels(y_target, rows, self.classes_)
        self._warn(self._adapt_to(rows, codes), once=False)
        return self
