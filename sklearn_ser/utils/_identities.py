"""Normalise the names of speakers, sessions and corpora."""

import contextlib
import re
import unicodedata
import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd

from sklearn_ser.exceptions import CorpusWarning
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._validation import as_objects, encode
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["canonical_ids", "encode_ids", "find_ids", "number_ids", "without_spelling_warnings"]

# White space of all scripts, and what is as invisible as it: byte order mark, zero width,
# directions of writing, the padding of fields of fixed width.
_BLANK = "[\\s\\x00\\u200b\\u200e\\u200f\\u2060\\ufeff]+"
_EDGES = re.compile(rf"\A{_BLANK}|{_BLANK}\Z")
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
_FRACTION = re.compile(r"-?[0-9]+\.[0-9]*[1-9][0-9]*")
_SHOWN = 5  # groups of spellings in a message
_WARNING = "has identities that are hard to tell apart"


@contextlib.contextmanager
def without_spelling_warnings():
    """Silence the warning about spellings inside an evaluation that has already issued it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", f".*{_WARNING}", CorpusWarning)
        yield


def _stripped(entry):
    """Return text without blanks around it, in composed letters; None if nothing is left."""
    if not isinstance(entry, str):
        return entry
    return _EDGES.sub("", unicodedata.normalize("NFC", str(entry))) or None


def _is_fraction(entry):
    if isinstance(entry, str):
        return _FRACTION.fullmatch(entry) is not None
    return isinstance(entry, Real) and not float(entry).is_integer()


def _whole(entry):
    """Return 1.0 and "1.0", which a column with a gap makes of 1, as an integer."""
    if isinstance(entry, str):
        match = _WHOLE.fullmatch(entry)
        return match[1] if match else entry
    # Integers of numpy as well; True is one of Python's.
    if isinstance(entry, Real) and not isinstance(entry, (bool, np.bool_)):
        return int(entry) if float(entry).is_integer() else entry
    return entry


def _canonical(entries):
    """Return the canonical form of different entries, none of which is a gap."""
    entries = [_stripped(plain(entry)) for entry in entries]
    # Beside 1.1 and 1.2, 1.0 is a name of the same kind and not an integer.
    if not any(map(_is_fraction, entries)):
        entries = [_whole(entry) for entry in entries]
    known = [entry for entry in entries if entry is not None]
    if any(isinstance(entry, str) for entry in known):
        # Numbers beside text: one table of several read them as text.
        number = (bool, Integral, Real)
        entries = [str(entry) if isinstance(entry, number) else entry for entry in entries]
    return entries


def _alike(entries, canonical):
    """Yield groups of positions: spellings of one identity, identities alike but for the case."""
    spellings, cases = {}, {}
    for position, (entry, one) in enumerate(zip(entries, canonical, strict=True)):
        if one is None:
            continue
        text = entry if isinstance(entry, str) else str(one)
        spellings.setdefault(one, {}).setdefault(text, position)
        if isinstance(one, str):
            cases.setdefault("".join(one.casefold().split()), {}).setdefault(one, position)
    for groups, taken in ((spellings, "for one"), (cases, "for different ones")):
        for group in groups.values():
            if len(group) > 1:
                yield [*group.values()], [*group], taken


def _occur_together(positions, codes, within):
    """Return whether several of these entries occur in one part of the recordings."""
    parts = pd.Series(codes)[np.isin(codes, positions)].groupby(within[np.isin(codes, positions)])
    return bool((parts.nunique() > 1).any())


def _warn_of_spellings(entries, canonical, codes, name, within):
    groups = [
        f"{', '.join(map(repr, texts))} (taken {taken})"
        for positions, texts, taken in _alike(entries, canonical)
        if within is None or _occur_together(positions, codes, within)
    ]
    if not groups:
        return
    more = f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    warnings.warn(
        f"{name} {_WARNING}: {'; '.join(groups[:_SHOWN])}{more}. Write each in one way only.",
        CorpusWarning,
        stacklevel=caller_stacklevel(),
    )


def number_ids(array):
    """Number the different entries of an array in the order of their appearance.

    Before pandas 3, `pandas.factorize` takes different strings that are not UTF-8 for one.

    Parameters
    ----------
    array : ndarray of object, shape (n_samples,)
        Identities; gaps are allowed.

    Returns
    -------
    codes : ndarray of int, shape (n_samples,)
        The number of each entry; -1 for gaps.
    entries : ndarray of object
        The different entries.

    Examples
    --------
    >>> codes, entries = number_ids(np.array(["b", None, "a", "b"], dtype=object))
    >>> codes.tolist(), entries.tolist()
    ([0, -1, 1, 0], ['b', 'a'])
    """
    numbers = {}
    codes = [
        -1 if gap else numbers.setdefault(entry, len(numbers))
        for entry, gap in zip(array, pd.isna(array), strict=True)
    ]
    return np.array(codes, dtype=np.intp), np.fromiter(numbers, dtype=object, count=len(numbers))


def canonical_ids(values, *, name, within=None):
    """Convert the spellings of each identity to one canonical form.

    Blanks around strings are removed, letters are composed (NFC), and whole numbers that became
    floats because their column has a gap become integers again: ``1``, ``1.0``, ``"1.0"`` and
    ``" 1"`` are one speaker. ``03`` stays ``03``, and ``1.0`` beside ``1.1`` stays ``1.0``.
    Numbers beside strings become strings. Upper and lower case differ.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Strings, numbers or a pandas column; gaps are allowed.
    name : str
        Name of the argument in messages.
    within : ndarray of shape (n_samples,), default=None
        The corpus of each sample. Speakers of different corpora are different people, however
        similar their names, and are not compared. None compares all with all.

    Returns
    -------
    ids : ndarray of object, shape (n_samples,)
        Strings, or numbers if all are numbers; None for gaps and for strings of blanks.

    Raises
    ------
    ValueError
        If `values` is not one-dimensional.

    Warns
    -----
    CorpusWarning
        If spellings of one identity differ, or identities differ only by case or blanks.
    """
    array = as_objects(values, name)
    try:
        codes, entries = number_ids(array)
    except TypeError:
        # Entries without a hash; sorting them will say what is wrong.
        return array
    canonical = _canonical(entries)
    _warn_of_spellings(entries, canonical, codes, name, within)
    ids = np.empty(len(canonical) + 1, dtype=object)
    # The code -1 of gaps indexes the last entry.
    ids[:] = [*canonical, None]
    return ids[codes]


def encode_ids(values, *, name, n_samples=None, within=None):
    """Turn one identity per sample into distinct canonical names and integer codes.

    Parameters and return values are those of
    :func:`~sklearn_ser.utils._validation.encode` and :func:`canonical_ids`.
    """
    array = as_objects(values, name)
    if n_samples is not None and array.size != n_samples:
        # Before any warning about entries that belong to other samples.
        return encode(array, name=name, n_samples=n_samples)
    return encode(canonical_ids(array, name=name, within=within), name=name)


def find_ids(wanted, names):
    """Find identities among names, with any spelling of both.

    A string does not match a number.

    Parameters
    ----------
    wanted : iterable
        Identities.
    names : ndarray of shape (n_names,)
        Known names.

    Returns
    -------
    positions : list of int
        Position of each identity in `names`; -1 if it is not there.
    """

    def canonical(entry):
        return _whole(_stripped(plain(entry)))

    known = {canonical(name): position for position, name in enumerate(names.tolist())}
    # Names as written take precedence: 1.0 beside 1.1 is its own canonical form.
    known |= {name: position for position, name in enumerate(names.tolist())}
    positions = []
    for entry in wanted:
        # Numbers beside strings have become strings.
        forms = (plain(entry), canonical(entry), str(canonical(entry)))
        forms = forms[:2] if isinstance(entry, str) else forms
        positions.append(next((known[form] for form in forms if form in known), -1))
    return positions
