"""Prior positions of emotions in the plane of valence and activation."""

import difflib
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.datasets._synonyms import ALIASES
from sklearn_ser.utils._messages import plain

__all__ = ["CIRCUMPLEX", "Affect", "circumplex"]


class Affect(NamedTuple):
    """A point in the plane of valence and activation, each from 1 to 5 with the middle at 3."""

    valence: float
    activation: float


# 3 + 2 x, rounded to half steps, for the means x in [-1, 1] that Russell and Mehrabian (1977)
# report for angry, bored, relaxed, disgusted, fearful, happy, sad and surprised. Neutral is the
# middle by definition; "other" has no known meaning.
CIRCUMPLEX = MappingProxyType(
    {
        "anger": Affect(2.0, 4.0),
        "boredom": Affect(1.5, 2.0),
        "calm": Affect(4.5, 2.0),
        "disgust": Affect(2.0, 3.5),
        "fear": Affect(1.5, 4.0),
        "happiness": Affect(4.5, 4.0),
        "neutral": Affect(3.0, 3.0),
        "sadness": Affect(1.5, 2.5),
        "surprise": Affect(4.0, 4.5),
        "other": Affect(np.nan, np.nan),
    }
)


def _affect_of(emotion):
    if isinstance(emotion, str) and emotion in CIRCUMPLEX:
        return CIRCUMPLEX[emotion]
    if pd.api.types.is_scalar(emotion) and pd.isna(emotion):
        return CIRCUMPLEX["other"]
    word = str(emotion).strip().lower()
    close = [ALIASES[word]] if word in ALIASES else difflib.get_close_matches(word, EMOTIONS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"Unknown emotion {plain(emotion)!r}.{hint} Known are: {', '.join(EMOTIONS)}.")


def circumplex(emotion):
    r"""Return the typical valence and activation of an emotion.

    This is a prior for corpora without ratings. It describes what a *word*
    means to people who rate words, not how a recording sounds: every recording
    of an emotion gets the same point. Prefer ratings where they exist
    (:func:`load_annotations`).

    The points are the mean pleasure :math:`p` and arousal :math:`a` in
    :math:`[-1, 1]` that Russell and Mehrabian [1]_ report for adjectives,
    converted to the scale from 1 to 5 and rounded to half steps:

    .. math:: \text{valence} = 3 + 2p, \qquad \text{activation} = 3 + 2a

    The adjectives are angry, bored, disgusted, fearful, happy, sad, surprised,
    and, for ``calm``, relaxed. Their means are taken from later work that quotes
    them. ``neutral`` is the middle by definition, and ``other`` has no point
    (NaN). The words have the same order around the middle as on Russell's
    circumplex [2]_, whose angles alone would make all of them equally strong.

    Parameters
    ----------
    emotion : str or sequence of str
        A word of the vocabulary (see :func:`load_corpus`), or one word per
        recording, such as the column ``emotion`` of a table.

    Returns
    -------
    affect : Affect or DataFrame of shape (n_samples, 2)
        Valence and activation from 1 (negative, low) to 5 (positive, high): a
        named tuple for one word, otherwise a table with the columns ``valence``
        and ``activation`` and the index of `emotion`, if that is a Series.
        NaN for ``other`` and for a missing word.

    Raises
    ------
    ValueError
        If a word is not in the vocabulary.

    References
    ----------
    .. [1] J. A. Russell & A. Mehrabian, "Evidence for a three-factor theory of
       emotions", Journal of Research in Personality 11(3), 1977, 273-294.
    .. [2] J. A. Russell, "A circumplex model of affect", Journal of Personality
       and Social Psychology 39(6), 1980, 1161-1178.

    Examples
    --------
    >>> from sklearn_ser.datasets import circumplex
    >>> circumplex("anger")
    Affect(valence=2.0, activation=4.0)
    >>> circumplex(["anger", "neutral"])
       valence  activation
    0      2.0         4.0
    1      3.0         3.0
    """
    if isinstance(emotion, str) or not np.iterable(emotion):
        return _affect_of(emotion)
    if np.ndim(emotion) != 1:
        raise ValueError(
            f"emotion has {np.ndim(emotion)} dimensions; expected one word, or a sequence of words "
            "such as the column 'emotion' of a table."
        )
    index = emotion.index if isinstance(emotion, pd.Series) else None
    points = [_affect_of(word) for word in emotion]
    return pd.DataFrame(points, columns=Affect._fields, index=index, dtype=float)
