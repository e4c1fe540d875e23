"""Scores of predictions, and measures of how consistent embeddings are.

``uar_scorer`` is :func:`unweighted_average_recall` in the form that scikit-learn's
``scoring=`` parameters take, ``ccc_scorer`` is :func:`concordance_correlation`.
:func:`latent_consistency` compares the embeddings of corpora. Names that end in ``_score``
are scorers that need no labels: ``scoring=entropy_score``.
"""

from sklearn_ser.metrics._calibration import (
    brier_score,
    expected_calibration_error,
    reliability_curve,
)
from sklearn_ser.metrics._classification import uar_scorer, unweighted_average_recall
from sklearn_ser.metrics._distances import (
    jensen_shannon_divergence,
    maximum_mean_discrepancy,
    sliced_wasserstein_distance,
)
from sklearn_ser.metrics._label_free import (
    entropy_score,
    memory_agreement_score,
    neighborhood_density_score,
)
from sklearn_ser.metrics._latent import corpus_separability, latent_consistency
from sklearn_ser.metrics._regression import (
    adjusted_r2,
    ccc_scorer,
    concordance_correlation,
    latent_r2,
)
from sklearn_ser.metrics._soft_labels import soft_label_divergence

__all__ = [
    "adjusted_r2",
    "brier_score",
    "ccc_scorer",
    "concordance_correlation",
    "corpus_separability",
    "entropy_score",
    "expected_calibration_error",
    "jensen_shannon_divergence",
    "latent_consistency",
    "latent_r2",
    "maximum_mean_discrepancy",
    "memory_agreement_score",
    "neighborhood_density_score",
    "reliability_curve",
    "sliced_wasserstein_distance",
    "soft_label_divergence",
    "uar_scorer",
    "unweighted_average_recall",
]
