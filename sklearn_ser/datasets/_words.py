"""Translate a user's words for emotions to the vocabulary."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from numbers import Real

from sklearn_ser.datasets._base import ALIASES, EMOTIONS
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._messages import plain

__all__ = ["HOW_TO_MAP", "Translator"]

#: Template for messages about an unknown word, with the field `word`.
HOW_TO_MAP = (
    f"The emotions are: {', '.join(EMOTIONS)}. Translate it with "
    "mapping={{{word!r}: 'anger'}}, or leave it out with mapping={{{word!r}: None}}."
)

_SHOWN = 20  # labels in a message

_INTEGRAL = re.compile(r"([+-]?\d+)\.0+", re.ASCII)


def _fold(word):
    """Return a form of a label that is equal for all its spellings.

    Spellings may differ in case, in surrounding blanks, in the encoding of
    accents, and in the ``.0`` that a column of whole numbers gets if it has gaps.
    """
    if isinstance(word, Real) and not isinstance(word, bool) and word == word // 1:
        word = int(word)
    text = unicodedata.normalize("NFC", str(word)).strip().casefold()
    number = _INTEGRAL.fullmatch(text)
    return number[1] if number else text


def _check_mapping(mapping):
    """Validate the user's translations, and return keys and emotions by folded key."""
    folded = {}
    if mapping is not None and not isinstance(mapping, Mapping):
        raise TypeError(
            f"mapping is {plain(mapping)!r}, expected a dictionary from labels to emotions, such "
            "as {'Wut': 'anger'}."
        )
    for word, emotion in (mapping or {}).items():
        if emotion is not None and emotion not in EMOTIONS:
            raise ValueError(
                f"mapping[{plain(word)!r}] is {plain(emotion)!r}; expected None, which leaves "
                f"these recordings out, or one of: {', '.join(EMOTIONS)}."
            )
        folded_word = _fold(word)
        if folded_word in folded:
            raise ValueError(
                f"mapping has {plain(folded[folded_word][0])!r} and {plain(word)!r}, which are the "
                "same label: letter case and surrounding blanks are ignored. Keep one."
            )
        folded[folded_word] = (word, emotion)
    return folded


class Translator:
    """Translate words by the user's mapping, or else by the vocabulary.

    Parameters
    ----------
    mapping : mapping from str to str or None, optional
        The user's own translations, which come first. A value of None leaves
        recordings with this word out. Letter case and surrounding blanks are
        ignored.

    Raises
    ------
    ValueError
        If the mapping holds an unknown emotion, or two keys for one label.

    Examples
    --------
    >>> from sklearn_ser.datasets._words import Translator
    >>> translate = Translator({"Wut": "anger", "noise": None})
    >>> translate(" wut"), translate("Sad"), translate("noise")
    ('anger', 'sadness', None)
    """

    def __init__(self, mapping=None):
        self._mapping = _check_mapping(mapping)

    def __call__(self, word):
        """Return the emotion for a word, or None if the mapping leaves it out.

        Raises
        ------
        KeyError
            If the word is neither in the mapping, nor in the vocabulary, nor
            one of its English synonyms.
        """
        folded_word = _fold(word)
        if folded_word in self._mapping:
            return self._mapping[folded_word][1]
        folded_word = ALIASES.get(folded_word, folded_word)
        if folded_word not in EMOTIONS:
            raise KeyError(word)
        return folded_word

    def check_keys(self, words, what):
        """Raise if a key of the mapping matches none of the words.

        Parameters
        ----------
        words : iterable of str
            The existing labels.
        what : str
            Their kind and origin for the message, such as ``"sub-folder of x"``.

        Raises
        ------
        CorpusError
            If a key matches no word; the message lists the words.
        """
        by_fold = {_fold(word): word for word in words}
        for folded_word, (key, _) in self._mapping.items():
            if folded_word in by_fold:
                continue
            close = difflib.get_close_matches(folded_word, by_fold, n=1)
            hint = f" Did you mean {plain(by_fold[close[0]])!r}?" if close else ""
            names = [repr(plain(word)) for word in by_fold.values()]
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise CorpusError(
                f"mapping[{plain(key)!r}] matches no {what}.{hint} There are: "
                f"{', '.join(names[:_SHOWN]) or 'none'}{more}. Remove the key or correct it."
            )
