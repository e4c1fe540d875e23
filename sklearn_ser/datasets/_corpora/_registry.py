"""The registry of corpora known by name."""

import difflib
from importlib import import_module
from types import MappingProxyType

import pandas as pd

from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._messages import plain

__all__ = ["CORPORA", "find_corpus", "list_corpora", "similar_name"]

# A line for each corpus: the constant, and the module here that defines it.
_HOME_OF = {
    "AESDD": "_aesdd",
    "ASED": "_ased",
    "CAFE": "_cafe",
    "CREMAD": "_cremad",
    "EESC": "_eesc",
    "EMODB": "_emodb",
    "EMODB2": "_emodb2",
    "EMOVO": "_emovo",
    "ESD": "_esd",
    "IEMOCAP": "_iemocap",
    "JL": "_jl",
    "MESD": "_mesd",
    "NEMO": "_nemo",
    "RAVDESS": "_ravdess",
    "SAVEE": "_savee",
    "SHEMO": "_shemo",
    "SUBESCO": "_subesco",
    "TESS": "_tess",
    "TUREV": "_turev",
    "URDU": "_urdu",
}
_ALL = [getattr(import_module(f"{__package__}.{home}"), name) for name, home in _HOME_OF.items()]
CORPORA = MappingProxyType({corpus.name: corpus for corpus in _ALL})


def similar_name(name):
    """Return the registered name that `name` is probably a misspelling of, or None."""
    plain = "".join(filter(str.isalnum, str(name).lower()))
    close = difflib.get_close_matches(plain, CORPORA, n=1, cutoff=0.8)
    if close:
        return close[0]
    titles = {name: "".join(filter(str.isalnum, c.title.lower())) for name, c in CORPORA.items()}
    return next((name for name, title in titles.items() if len(plain) > 3 and plain in title), None)


def find_corpus(name):
    """Return the corpus with a name.

    Raises
    ------
    CorpusError
        If the name is not registered.
    """
    if name not in CORPORA:
        close = similar_name(name)
        hint = f" Did you mean {close!r}?" if close else ""
        raise CorpusError(
            f"Unknown corpus {plain(name)!r}.{hint} Registered are: {', '.join(CORPORA)}. Load "
            "other recordings with load_folder (one sub-folder per emotion) or load_table."
        )
    return CORPORA[name]


def list_corpora():
    """List the registered corpora.

    Returns
    -------
    corpora : DataFrame of shape (n_corpora, 8)
        Name, title, language (BCP 47 tag), number of recordings and of
        speakers of the complete corpus (missing if it is not on record),
        licence, the page to get it from, and whether :func:`fetch_corpus` can
        download it. This package contains no recordings, because each corpus
        has its own terms.

    See Also
    --------
    load_corpus : Read one of them.

    Examples
    --------
    >>> from sklearn_ser.datasets import list_corpora
    >>> columns = ["language", "recordings", "speakers"]
    >>> list_corpora().set_index("name").loc[["emodb", "ravdess", "urdu"], columns]
            language  recordings  speakers
    name
    emodb         de         535        10
    ravdess       en        1440        24
    urdu          ur         400        29
    """
    table = pd.DataFrame(
        {
            "name": corpus.name,
            "title": corpus.title,
            "language": corpus.language,
            "recordings": corpus.n_recordings,
            "speakers": corpus.n_speakers,
            "licence": corpus.licence,
            "homepage": corpus.homepage,
            "download": corpus.download is not None,
        }
        for corpus in CORPORA.values()
    )
    return table.astype({"recordings": "Int64", "speakers": "Int64"})
