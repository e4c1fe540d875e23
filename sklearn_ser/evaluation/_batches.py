"""Warn of folds whose batch has too few emotions for its own statistics."""

import warnings

import numpy as np
from sklearn import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from sklearn_ser.evaluation._fit import steps_within, trained_steps
from sklearn_ser.exceptions import ScalingWarning
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["warn_of_batches"]


def _adapts(step, *, trained):
    """Whether a step would learn from the unlabelled rows of a fold."""
    adaptation = getattr(step, "adaptation", "fit")
    if not hasattr(step, "fit") or not has_fit_parameter(step, "X_target") or adaptation is None:
        return False
    routing = get_routing_for_object(step)
    refused = isinstance(routing, MetadataRequest) and routing.fit.requests["X_target"] is False
    return adaptation == "predict" or (trained and not refused)


def _culprits(model, n_rows):
    """Return the names of steps that take statistics of a batch of this size from itself."""
    trained = {id(step) for step in trained_steps(model)}
    return {
        type(step).__name__
        for step in steps_within(model)
        # A frozen estimator shows the attributes of the one inside, which is a step of its own.
        if not isinstance(step, FrozenEstimator)
        if (hasattr(step, "_standardises_batch") and step._standardises_batch(n_rows))
        or _adapts(step, trained=id(step) in trained)
    }


def _few(y, job):
    """Whether the held-out rows have at most half of the emotions of the training rows."""
    # Without a second emotion there is nothing to compare with, so statistics of the batch take
    # away the whole emotion; half of the emotions leave about half of what tells them apart.
    return 2 * len(np.unique(y[job.test])) <= len(np.unique(y[job.train]))


def _describe(corpus, jobs, few, recordings):
    """Say how much of a corpus is concerned."""

    def speakers(some):
        return len(np.unique([str(one) for job in some for one in recordings.speaker[job.test]]))

    alone = sum(len(np.unique(recordings.y[job.test])) == 1 for job in few)
    return (
        f"{corpus} ({len(few)} of {len(jobs)} folds, {speakers(few)} of {speakers(jobs)} speakers; "
        f"{alone} with a single emotion)"
    )


def warn_of_batches(estimator, recordings, jobs, warned):
    """Warn once if steps use statistics of batches that lack most of the emotions.

    Parameters
    ----------
    estimator : estimator object
        The estimator to be evaluated.
    recordings : Recordings
        The data.
    jobs : list of Job
        Folds of speakers within corpora.
    warned : DataFrame
        The table of warnings, to which a row is added for the fold "all".
    """
    if not recordings.of_labels:
        return
    # A clone, as in the folds: what a scaler was adapted to is gone there, unless it is frozen.
    model, found, names = clone(estimator), [], set()
    jobs = [job for job in jobs if not job.repeat]
    for corpus in dict.fromkeys(job.cell[-1] for job in jobs):
        of_corpus = [job for job in jobs if job.cell[-1] == corpus]
        few = [
            (job, culprits)
            for job in of_corpus
            if _few(recordings.y, job) and (culprits := _culprits(model, len(job.test)))
        ]
        if few:
            names |= set().union(*(culprits for _, culprits in few))
            found.append(_describe(corpus, of_corpus, [job for job, _ in few], recordings))
    if not found:
        return
    verb = "use" if len(names) > 1 else "uses"
    remedy = advice(
        "Set CorpusScaler(unseen='pooled'), and adaptation=None where there is such a parameter, "
        "or else set_fit_request(X_target=False) of the step; fewer n_splits help only if each "
        "fold then has several emotions.",
        "Add a second corpus, or use --method svm-global, which has no such statistics.",
    )
    message = (
        f"{' and '.join(sorted(names))} {verb} statistics of the held-out speakers, who have at "
        f"most half of the emotions of the training speakers, in {', '.join(found)}. What is "
        f"common to a batch is removed or taken for the corpus, and with it the emotion: the score "
        f"can be far too low (on URDU 0.27, with pooled statistics 0.60). {remedy}"
    )
    warnings.warn(message, ScalingWarning, stacklevel=caller_stacklevel())
    warned.loc[len(warned)] = ["all", ScalingWarning.__name__, message]
