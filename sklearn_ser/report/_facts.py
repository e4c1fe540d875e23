"""Versions, corpora and methods of an evaluation, as plain values."""

import platform

from sklearn_ser import __version__
from sklearn_ser.utils._models import random_states
from sklearn_ser.utils._versions import installed_versions

__all__ = ["describe_corpora", "describe_methods", "versions"]


def versions():
    """Return the versions of Python, of this package and of those it computes with."""
    own = {"Python": platform.python_version(), "sklearn-ser": __version__}
    return own | {name: one for name, one in installed_versions().items() if one is not None}


def describe_methods(names, estimators, descriptions):
    """Describe each method, and its seeds.

    Parameters
    ----------
    names : iterable of str
        The methods.
    estimators : mapping of str to estimator
        The unfitted models that are known.
    descriptions : mapping of str to str
        Descriptions in a few words, if known.

    Returns
    -------
    facts : list of dict
        ``name``, ``description``, ``pipeline`` and ``seeds``: the values of all parameters
        named random_state.
    """
    facts = []
    for name in names:
        estimator = estimators.get(name)
        found = {} if estimator is None else random_states(estimator)
        seeds = {
            parameter: value if value is None or isinstance(value, int) else str(value)
            for parameter, value in found.items()
        }
        facts.append(
            {
                "name": name,
                "description": descriptions.get(name, ""),
                "pipeline": "" if estimator is None else repr(estimator),
                "seeds": seeds,
            }
        )
    return facts


def _words(rows, column):
    """Return the different values of a column, joined; empty if there is no such column."""
    if column not in rows:
        return ""
    return "+".join(map(str, rows[column].dropna().unique()))


def describe_corpora(speech, sources):
    """Describe the content and the source of each corpus.

    Parameters
    ----------
    speech : DataFrame
        The table of recordings.
    sources : mapping of str to mapping
        The ``title``, ``licence`` and ``homepage`` of each corpus, if known.

    Returns
    -------
    facts : list of dict
    """
    return [
        {
            "name": str(name),
            "language": _words(rows, "language"),
            "recordings": len(rows),
            "speakers": int(rows["speaker"].nunique()) if "speaker" in rows else 0,
            "emotions": {
                str(word): int(count)
                for word, count in rows["emotion"].value_counts().sort_index().items()
            },
            **{
                fact: str(sources.get(str(name), {}).get(fact, ""))
                for fact in ("title", "licence", "homepage")
            },
        }
        for name, rows in speech.groupby("corpus", sort=False)
    ]
