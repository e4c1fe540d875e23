"""Translate a user's words for emotions to the vocabulary."""

import difflib
import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Mapping
from numbers import Real

from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.datasets._synonyms import ALIASES, without_accents
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._advice import advice, for_shell
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._words import count_of

__all__ = ["SharedTranslator", "Translator", "UnknownLabelsError", "to_emotions", "translate_all"]

_SHOWN = 20  # labels in a message about a key
_SHOWN_UNKNOWN = 50

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
            one of the synonyms and codes.
        """
        folded_word = _fold(word)
        if folded_word in self._mapping:
            return self._mapping[folded_word][1]
        if folded_word in EMOTIONS:
            return folded_word
        meaning = ALIASES.get(without_accents(folded_word))
        if meaning is None:
            raise KeyError(word)
        return meaning

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
            given = advice(f"mapping[{plain(key)!r}]", f"--mapping {shlex.quote(f'{key}=')}...")
            raise CorpusError(
                f"{given} matches no {what}.{hint} There are: "
                f"{', '.join(names[:_SHOWN]) or 'none'}{more}. Remove the "
                f"{advice('key', 'option')} or correct it."
            )

    @classmethod
    def of(cls, mapping):
        """Return the translator for a mapping; a translator as it is."""
        return mapping if isinstance(mapping, Translator) else cls(mapping)


class SharedTranslator(Translator):
    """Translate words of several sources: a key of the mapping must match in one of them."""

    def __init__(self, mapping=None):
        super().__init__(mapping)
        self._met = {}

    def check_keys(self, words, what):
        """Note the labels of a source."""
        self._met.update(dict.fromkeys(words))

    def check_all_keys(self):
        """Raise if a key of the mapping matches no label of any source."""
        super().check_keys(self._met, "sub-folder and no label of a table")


class UnknownLabelsError(CorpusError):
    """Labels that are not emotions; `counts` has the number of recordings by label and place."""

    def __init__(self, counts, hint=""):
        self.counts = counts
        super().__init__(_describe_unknown(counts) + hint)


def _describe_unknown(counts):
    """Return an error message that lists all labels which are not emotions."""
    described, labels = [], []
    for where, of_place in counts.items():
        ranked = of_place.most_common()
        labels += [label for label, _ in ranked]
        shown = [f"{label!r} ({count_of(n, 'recording')})" for label, n in ranked[:_SHOWN_UNKNOWN]]
        more = f" and {len(ranked) - len(shown)} more" if len(ranked) > len(shown) else ""
        described.append(f"{', '.join(shown)}{more} in {where}")
    labels = list(dict.fromkeys(labels))[:_SHOWN_UNKNOWN]
    what = (
        "This label is not a known emotion"
        if len(labels) == 1
        else ("These labels are not known emotions")
    )
    if for_shell():
        options = " ".join("--mapping " + shlex.quote(f"{label}=EMOTION") for label in labels)
        how = (
            f"Pass {options} with one of them in the place of EMOTION, or with none to leave the "
            f"recordings out."
        )
    else:
        keys = ", ".join(f"{label!r}: ..." for label in labels)
        how = (
            f"Pass mapping={{{keys}}} with one of them in the place of the dots, or with None to "
            f"leave the recordings out."
        )
    return f"{what}: {'; '.join(described)}. The emotions are: {', '.join(EMOTIONS)}. {how}"


def translate_all(words, translate, where):
    """Translate labels, one for each recording.

    Parameters
    ----------
    words : iterable of str
        The labels.
    translate : Translator
        What they mean.
    where : str
        Where they are from, for the message.

    Returns
    -------
    emotions : list of str or None
        None for labels that the mapping leaves out.

    Raises
    ------
    UnknownLabelsError
        If labels are not emotions; it lists all of them.
    """
    words, meanings, unknown = list(words), {}, []
    for word in dict.fromkeys(words):
        try:
            meanings[word] = translate(word)
        except KeyError:
            unknown.append(word)
    if unknown:
        found = Counter(words)
        # Spellings of numbers that print alike count as one.
        counts = Counter()
        for word in unknown:
            counts[plain(word)] += found[word]
        raise UnknownLabelsError({where: counts})
    return [meanings[word] for word in words]


def to_emotions(labels, *, mapping=None):
    """Translate labels to the emotions of the vocabulary, as the loaders do.

    Known are the emotions of ``EMOTIONS``, their English, German, French, Spanish and Italian
    synonyms, and codes such as ``ang``; :doc:`/corpora` lists all of them. Letter case,
    surrounding blanks and accents are ignored.

    Parameters
    ----------
    labels : iterable of str
        Labels of recordings.
    mapping : dict from str to str or None, optional
        Emotions for other labels, which come first; None stands for a label without an emotion.

    Returns
    -------
    emotions : list of str or None
        One for each label.

    Raises
    ------
    CorpusError
        If labels are not known emotions. It lists all of them with their counts.
    ValueError
        If `mapping` holds an unknown emotion, or two keys for one label.
    TypeError
        If `labels` is a single text.

    Examples
    --------
    >>> from sklearn_ser.datasets import to_emotions
    >>> to_emotions(["Wütend", "hap", "noise"], mapping={"noise": None})
    ['anger', 'happiness', None]
    """
    if isinstance(labels, str):
        raise TypeError(
            f"labels is the single text {plain(labels)!r}, expected several. Write [label]."
        )
    return translate_all(labels, Translator(mapping), "the labels")
