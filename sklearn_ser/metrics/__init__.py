"""Scores: what was predicted against what was annotated.

``uar_scorer`` is :func:`unweighted_average_recall` in the form that scikit-learn's
``scoring=`` parameters take.
"""

from sklearn_ser.metrics._classification import uar_scorer, unweighted_average_recall

__all__ = ["uar_scorer", "unweighted_average_recall"]
