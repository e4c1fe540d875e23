"""The registry of corpora known by name."""

import difflib
from importlib import import_module
from types import MappingProxyType

import pandas as pd

from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.datasets._corpora._languages import language_groups
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._messages import plain

__all__ = [
    "CORPORA",
    "common_emotions",
    "find_corpus",
    "list_corpora",
    "list_languages",
    "similar_name",
]

# A line for each corpus: the constant, and the module here that defines it.
_HOME_OF = {
    "AESDD": "_aesdd",
    "ASED": "_ased",
    "ASVPESD": "_asvpesd",
    "BANGLASER": "_banglaser",
    "CAFE": "_cafe",
    "CASIA": "_casia",
    "CASTROLIMA": "_castrolima",
    "CREMAD": "_cremad",
    "EESC": "_eesc",
    "EMODB": "_emodb",
    "EMODB2": "_emodb2",
    "EMOTIONTTS": "_emotiontts",
    "EMOVDB": "_emovdb",
    "EMOVO": "_emovo",
    "EMOZIONALMENTE": "_emozionalmente",
    "ENTERFACE": "_enterface",
    "ESD": "_esd",
    "EYASE": "_eyase",
    "IEMOCAP": "_iemocap",
    "JL": "_jl",
    "JVNV": "_jvnv",
    "KAZEMOTTS": "_kazemotts",
    "MELD": "_meld",
    "MESD": "_mesd",
    "MSPIMPROV": "_mspimprov",
    "MSPPODCAST": "_msppodcast",
    "NEMO": "_nemo",
    "OREAU": "_oreau",
    "PAVOQUE": "_pavoque",
    "POLISH": "_polish",
    "RAVDESS": "_ravdess",
    "RESD": "_resd",
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
    corpora : DataFrame of shape (n_corpora, 11)
        Name, title, language (BCP 47 tag), number of recordings and of
        speakers of the complete corpus (missing if it is not on record),
        sampling rate in Hz, emotions (separated by a comma and a blank),
        licence, how to get it in one word (``open``, ``form``, ``request`` or
        ``research``; missing if that is unclear), the page to get it from, and
        whether :func:`fetch_corpus` can download it. This package contains no
        recordings, because each corpus has its own terms.

    See Also
    --------
    common_emotions : The emotions that several of them share.
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
            "sampling_rate": corpus.sampling_rate,
            "emotions": ", ".join(corpus.vocabulary),
            "licence": corpus.licence,
            "terms": corpus.terms,
            "homepage": corpus.homepage,
            "download": corpus.download is not None,
        }
        for corpus in CORPORA.values()
    )
    return table.astype({"recordings": "Int64", "speakers": "Int64"})


def list_languages():
    """List the registered corpora of each language.

    Returns
    -------
    languages : dict from str to list of str
        English names of languages, sorted, and the names of their corpora. The
        region is ignored; a corpus in two languages is listed in both.

    See Also
    --------
    list_corpora : Their sizes, emotions and terms.

    Examples
    --------
    >>> from sklearn_ser.datasets import list_languages
    >>> list_languages()["Amharic"]
    ['ased']
    """
    groups = language_groups(CORPORA.values())
    return {language: [corpus.name for corpus in corpora] for language, corpora in groups.items()}


def common_emotions(corpora):
    """Find the emotions that all of several registered corpora have.

    These are the emotions that a model can learn from some of the corpora and
    be tested for on any other.

    Parameters
    ----------
    corpora : sequence of str
        Names of registered corpora.

    Returns
    -------
    emotions : DataFrame of shape (n_common_emotions, n_corpora)
        Number of recordings of each common emotion (index, in the order of
        ``EMOTIONS``) in each complete corpus (columns); missing if it is not on
        record. ``other`` is never common, because it is something else in each
        corpus. No row if nothing is common.

    Raises
    ------
    CorpusError
        If a name is not registered.
    ValueError
        If there is no name, or a string in the place of the sequence.

    See Also
    --------
    load_corpora : Takes the index as `emotions`.

    Examples
    --------
    >>> from sklearn_ser.datasets import common_emotions
    >>> common_emotions(["emodb", "ravdess", "urdu"])
               emodb  ravdess  urdu
    anger        127      192   100
    happiness     71      192   100
    neutral       79       96   100
    sadness       62      192   100
    """
    if isinstance(corpora, str):
        raise ValueError(
            f"corpora={plain(corpora)!r} is one string; pass a list such as [{plain(corpora)!r}]."
        )
    found = [find_corpus(name) for name in dict.fromkeys(corpora)]
    if not found:
        raise ValueError("corpora is empty; name at least one.")
    common = set.intersection(*(set(corpus.vocabulary) for corpus in found)) - {"other"}
    index = [emotion for emotion in EMOTIONS if emotion in common]
    return pd.DataFrame(
        {
            corpus.name: pd.array([corpus.counts.get(word) for word in index], dtype="Int64")
            for corpus in found
        },
        index=index,
    )
