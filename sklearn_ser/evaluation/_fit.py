"""Fit on several corpora, and pass each step the arguments that it takes."""

import inspect

import numpy as np
import pandas as pd
from sklearn import clone, config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from sklearn_ser._sklearn import _safe_indexing
from sklearn_ser.evaluation._inputs import check_inputs
from sklearn_ser.utils._identities import without_spelling_warnings
from sklearn_ser.utils._messages import plain

__all__ = [
    "check_params_are_taken",
    "fit_cross_corpus",
    "offer",
    "prepare",
    "steps_within",
    "trained_steps",
]


def steps_within(estimator):
    """Return an estimator and all estimators in it, wherever they are."""
    held = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return [part for part in [estimator, *held] if isinstance(part, BaseEstimator)]


def trained_steps(estimator):
    """Return an estimator and all estimators in it, without the contents of frozen ones."""
    found = steps_within(estimator)
    frozen = {id(part.estimator) for part in found if isinstance(part, FrozenEstimator)}
    return [part for part in found if id(part) not in frozen]


def _consumed(estimator, names):
    return get_routing_for_object(estimator).consumes("fit", names)


def _has_gaps(offered):
    return "speaker" in offered and bool(pd.isna(offered["speaker"]).any())


def _takes_gaps(step):
    """Whether `fit` takes speakers some of whom are unknown: a step says so itself."""
    return getattr(step, "_allows_unknown_speakers", False)


def _with_requests(estimator, names, *, gaps):
    """Return an unfitted copy in which every step requests the metadata that it can take.

    With `gaps` among the speakers, only steps that can bear them get any.

    A step whose `fit` has a parameter with one of the names gets it unless the user refused with
    ``set_fit_request(...=False)``. Pipelines transform `X_target` by the steps before the one
    that takes it.
    """
    estimator = clone(estimator)
    parts = trained_steps(estimator)
    for part in parts:
        routing = get_routing_for_object(part)
        requests = routing.fit.requests if isinstance(routing, MetadataRequest) else {}
        # None is scikit-learn's "not decided"; True and False are decisions of the user.
        undecided = [name for name in names if requests.get(name, 0) is None]
        if undecided:
            part.set_fit_request(**dict.fromkeys(undecided, True))
        # A step that holds out speakers of its own cannot do so with unknown ones.
        if gaps and "speaker" in requests and not _takes_gaps(part):
            part.set_fit_request(speaker=False)
    for part in parts:
        if "X_target" in names and isinstance(part, Pipeline) and _consumed(part, ["X_target"]):
            part.set_params(transform_input=[*(part.transform_input or []), "X_target"])
    return estimator


def _needs_target_speakers(model, taken):
    """Whether `fit` transforms `X_target`, and `speaker_target` reaches nothing else."""
    # A search without `scoring` passes them to the score of its folds, whose rows are others.
    return "X_target" in taken and not any(
        hasattr(part, "refit") and getattr(part, "scoring", "") is None
        for part in trained_steps(model)
    )


def _withheld(step, param, offered):
    """Whether a step must not get an argument of `fit` where metadata is not routed."""
    if param != "speaker":
        return False
    # Rows to predict come without speakers then; training rows must be treated like them.
    transforms = getattr(step, "transform", None)
    wants_both = transforms and "speaker_target" in inspect.signature(transforms).parameters
    return bool(wants_both) or _has_gaps(offered)


def _by_step_name(estimator, offered, error):
    """Return `fit` parameters for a pipeline with a step that does not support metadata routing."""
    steps = estimator.steps if isinstance(estimator, Pipeline) else [(None, estimator)]
    steps = [(name, step) for name, step in steps if hasattr(step, "fit")]
    if "X_target" in offered and any(has_fit_parameter(step, "X_target") for _, step in steps):
        raise ValueError(
            f"A step takes X_target, which reaches it through metadata routing, but: {error} "
            f"Replace the step that does not support it."
        ) from error
    return {
        f"{name}__{param}" if name else param: values
        for name, step in steps
        for param, values in offered.items()
        if param not in ("X_target", "groups")
        and has_fit_parameter(step, param)
        and not _withheld(step, param, offered)
    }


def offer(recordings, rows, X_target=None, speaker_target=None):
    """Return the metadata that steps may request.

    Of the held-out recordings these are the features and who speaks, which a user knows.
    Anything else of them that a step could see, above all their labels, would make the score one
    of corpora that are partly known.

    Parameters
    ----------
    recordings : Recordings
        The data.
    rows : ndarray
        Positions of the recordings to train on.
    X_target : array-like, default=None
        Unlabelled rows to adapt to.
    speaker_target : ndarray, default=None
        Their speakers, None where unknown.

    Returns
    -------
    offered : dict of str to array-like
        Arguments of `fit` by name.
    """
    corpus = recordings.corpus[rows]
    offered = {"sample_domain": corpus, "groups": corpus}
    offered |= {name: _safe_indexing(values, rows) for name, values in recordings.params.items()}
    targets = {"X_target": X_target, "speaker_target": speaker_target}
    offered |= {name: values for name, values in targets.items() if values is not None}
    speaker = recordings.speakers_of(rows)
    if speaker is not None and not pd.isna(speaker).all():
        offered["speaker"] = speaker
    return offered


def prepare(estimator, offered):
    """Decide how an estimator is fitted.

    Parameters
    ----------
    estimator : estimator object
        It is cloned, not changed.
    offered : dict of str to array-like
        The return value of `offer`.

    Returns
    -------
    model : estimator object
        The copy to fit.
    metadata : dict of str to array-like
        The keyword arguments for its `fit`: those that a step takes.
    routed : bool
        Whether metadata routing must be on while it is fitted.
    """
    names = [name for name in offered if name != "groups"]
    with config_context(enable_metadata_routing=True):
        try:
            model = _with_requests(estimator, names, gaps=_has_gaps(offered))
            taken = _consumed(model, [*offered])
            if not _needs_target_speakers(model, taken):
                taken = taken - {"speaker_target"}
            return model, {name: offered[name] for name in taken}, True
        except NotImplementedError as error:
            model = clone(estimator)
            return model, _by_step_name(model, offered, error), False


def check_params_are_taken(params, metadata):
    """Refuse further arguments of `fit` that are not in the metadata that `prepare` returns."""
    taken = {name.rpartition("__")[2] for name in metadata}
    unused = [name for name in params if name not in taken]
    if unused:
        raise ValueError(
            f"params has {plain(unused)}, which no step of the estimator takes in fit, or which "
            f"its steps refuse. Leave them out, or pass an estimator with such a parameter."
        )


def fit_cross_corpus(
    estimator, X, y, corpus, *, speaker=None, X_target=None, speaker_target=None, params=None
):
    """Fit an estimator on several corpora, and pass each step the arguments that it takes.

    Do on all recordings what :func:`cross_corpus_validate` does in each fold. This makes the
    model to use once the evaluation has shown how well it does. Arguments reach the steps of a
    pipeline by their names alone, without the names of the steps.

    Parameters
    ----------
    estimator : estimator object
        A classifier, a regressor, a pipeline that ends in one, or a search over any of them.
        It is cloned, not changed.
    X : array-like, DataFrame or list of length n_samples
        Training data as the first step takes it: features, or paths of recordings.
    y : array-like of shape (n_samples,)
        The emotion of each recording, without gaps (see :ref:`unlabelled`); for a regressor a
        number, such as its activation.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording, without gaps. Steps with a parameter `sample_domain` in
        `fit` get it, and so do splitters inside that want `groups`.
    speaker : array-like of shape (n_samples,), default=None
        The speaker of each recording. Steps with a parameter `speaker` in `fit` get it if no
        speaker is unknown; a `~sklearn_ser.estimators.CorpusScaler` gets them in any case.
    X_target : array-like, DataFrame or list of length n_target_samples, default=None
        Unlabelled recordings of the corpus to predict. Steps with a parameter `X_target` in
        `fit`, which adapt to it, get it after it has passed the steps before them.
    speaker_target : array-like of shape (n_target_samples,), default=None
        The speaker of each row of `X_target`, None or NaN where unknown, for a
        `~sklearn_ser.estimators.CorpusScaler` with `speaker_shrinkage`. Such a model takes them
        in ``predict(X, speaker_target=...)`` as well, if metadata routing is on.
    params : dict of str to array-like of length n_samples, default=None
        Further arguments of `fit`, one entry per recording, such as ``activation`` and
        ``valence`` for a `~sklearn_ser.estimators.MetricDAE`.

    Returns
    -------
    model : estimator object
        A fitted copy of `estimator`. A pipeline that was fitted with `X_target` has its
        parameter `transform_input` set; fit it again with this function.

    Raises
    ------
    ValueError
        If lengths differ, labels or corpora have gaps, or no step takes one of `params`.
    TypeError
        If `estimator` is neither a classifier nor a regressor.

    Warns
    -----
    CorpusWarning
        If names of speakers or corpora are hard to tell apart.

    See Also
    --------
    cross_corpus_validate : Estimate how well such a model does on a corpus it has not seen.
    sklearn_ser.adapt : Adapt a fitted model to unlabelled rows.
    sklearn_ser.save : Write the model to a file.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import CorpusScaler, fit_cross_corpus
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus = np.repeat(["emodb", "ravdess", "urdu"], 40)
    >>> X = rng.normal(size=(120, 3)) + (y == "anger")[:, None]
    >>> model = fit_cross_corpus(make_pipeline(CorpusScaler(), SVC()), X, y, corpus)
    >>> model[0].corpora_.tolist()
    ['emodb', 'ravdess', 'urdu']
    """
    recordings = check_inputs(estimator, X, y, corpus, speaker=speaker, params=params, n_corpora=1)
    if speaker_target is not None and X_target is None:
        raise ValueError("speaker_target names the speakers of X_target, which is None.")
    offered = offer(recordings, np.arange(len(recordings.corpus)), X_target, speaker_target)
    model, metadata, routed = prepare(estimator, offered)
    check_params_are_taken(recordings.params, metadata)
    with config_context(enable_metadata_routing=routed), without_spelling_warnings():
        return model.fit(recordings.X, recordings.y, **metadata)
