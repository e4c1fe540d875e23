"""Embeddings that tell rows apart by few columns or none, and trainings that diverge."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_ser.exceptions import PosteriorCollapseWarning
from sklearn_ser.utils._advice import in_python
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["ACTIVE", "MEASURED_ROWS", "report_divergence", "warn_if_constant", "warn_of_collapse"]

# Variance of a unit's posterior mean over the rows above which Burda et al. 2016 call it active.
ACTIVE = 0.01

# A variance over this many rows is known well enough, at a small part of the cost of an epoch.
MEASURED_ROWS = 1000

# An untrained network of the usual width embeds standardised rows with deviations of about 0.05.
_CONSTANT = 1e-3


def warn_of_collapse(active, n_units, remedy):
    """Warn that only the units `active` of a variational autoencoder vary with the input."""
    which = f", {active.tolist()}," if len(active) else ""
    warnings.warn(
        f"Posterior collapse: of {n_units} latent units {len(active)}{which} vary with the input; "
        f"the other columns of the embedding are almost constant. {in_python(remedy)}",
        PosteriorCollapseWarning,
        stacklevel=caller_stacklevel(),
    )


def warn_if_constant(Z, X, learning_rate):
    """Warn if rows that differ have the same embedding."""
    # Compared with the features: an encoder may well shrink its latent, its decoder restores it.
    if Z.std(axis=0).max() >= _CONSTANT * X.std(axis=0).max():
        return
    remedy = in_python(
        f"If learning_rate, which is {learning_rate:g}, is large, the hidden units have died: "
        f"lower it. Otherwise the training has not left the plateau at its start: raise max_epochs "
        f"or learning_rate."
    )
    warnings.warn(
        f"All rows have almost the same embedding. {remedy}",
        PosteriorCollapseWarning,
        stacklevel=caller_stacklevel(),
    )


def report_divergence(watch, n_epochs, X, learning_rate, *, from_scratch):
    """Warn of a training that diverged; raise an error if it has taught nothing.

    Raises
    ------
    ValueError
        If the network has not completed one epoch in its life: its weights are random.
    """
    if not watch.diverged:
        return
    remedy = in_python(
        f"Lower learning_rate, which is {learning_rate:g}, and bring the features to a common "
        f"scale, for instance by a CorpusScaler: the largest absolute value of X is "
        f"{np.abs(X).max():.3g}."
    )
    if from_scratch and not watch.best_epoch:
        raise ValueError(
            f"The loss or the weights became infinite or NaN in the first epoch, so nothing was "
            f"learnt. {remedy}"
        )
    kept = f"of epoch {watch.best_epoch}" if watch.best_epoch else "from before the training"
    warnings.warn(
        f"The loss or the weights became infinite or NaN in epoch {n_epochs}; training stopped "
        f"there, with the weights {kept}. {remedy}",
        ConvergenceWarning,
        stacklevel=caller_stacklevel(),
    )
