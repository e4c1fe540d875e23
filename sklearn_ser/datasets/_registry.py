"""The corpora that are known by name; one line each."""

import difflib
from types import MappingProxyType

import pandas as pd

from sklearn_ser.datasets._emodb import EMODB
from sklearn_ser.datasets._ravdess import RAVDESS
from sklearn_ser.datasets._urdu import URDU
from sklearn_ser.exceptions import CorpusError

__all__ = ["CORPORA", "find_corpus", "list_corpora", "similar_name"]

CORPORA = MappingProxyType({corpus.name: corpus for corpus in (EMODB, RAVDESS, URDU)})


def similar_name(name):
    """Return the registered name that `name` is probably a misspelling of, or None."""
    plain = "".join(filter(str.isalnum, str(name).lower()))
    close = difflib.get_close_matches(plain, CORPORA, n=1, cutoff=0.8)
    return close[0] if close else None


def find_corpus(name):
    """Look a corpus up by name.

    Raises
    ------
    CorpusError
        If the name is not registered.
    """
    if name not in CORPORA:
        close = similar_name(name)
        hint = f" Did you mean {close!r}?" if close else ""
        raise CorpusError(
            f"Unknown corpus {name!r}.{hint} Registered are: {', '.join(CORPORA)}. Other "
            "recordings come in through load_folder (a sub-folder per emotion) or load_table."
        )
    return CORPORA[name]


def list_corpora():
    """List the corpora that :func:`load_corpus` knows.

    Returns
    -------
    corpora : DataFrame of shape (n_corpora, 7)
        Name, title, language (BCP 47 tag), number of recordings and of
        speakers of the complete corpus, licence, and the page to get it from.
        No recording comes with this package: each corpus has its own terms.

    See Also
    --------
    load_corpus : Read one of them.

    Examples
    --------
    >>> from sklearn_ser.datasets import list_corpora
    >>> list_corpora().set_index("name")[["language", "recordings", "speakers"]]
            language  recordings  speakers
    name
    emodb         de         535        10
    ravdess       en        1440        24
    urdu          ur         400        29
    """
    return pd.DataFrame(
        {
            "name": corpus.name,
            "title": corpus.title,
            "language": corpus.language,
            "recordings": corpus.n_recordings,
            "speakers": corpus.n_speakers,
            "licence": corpus.licence,
            "homepage": corpus.homepage,
        }
        for corpus in CORPORA.values()
    )
