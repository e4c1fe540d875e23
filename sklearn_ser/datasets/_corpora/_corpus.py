"""The class that describes a corpus, and helpers to define one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sklearn_ser.datasets._base import COLUMNS, EMOTIONS, NUMBERS
from sklearn_ser.utils._messages import plain

__all__ = ["TERMS", "Corpus", "Download", "as_list", "examples_of", "name_scheme"]

TERMS = ("open", "form", "request", "research")


def name_scheme(pattern):
    r"""Compile the naming scheme of a corpus.

    Parameters
    ----------
    pattern : str
        Regular expression for a whole file name. Letter case is ignored;
        ``\d`` and ``\w`` match ASCII only, because ``int("٣")`` would succeed
        for a digit that no table of speakers contains.

    Returns
    -------
    match : callable
        Returns the match for the path of a recording, or None.
    """
    regex = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return lambda path: regex.fullmatch(path.name)


def examples_of(columns, rows):
    """Expand a compact table of examples of a naming scheme.

    Parameters
    ----------
    columns : str
        Names of columns of the table, separated by blanks.
    rows : mapping from str to str
        Relative path of a recording and its labels in the order of `columns`,
        separated by blanks; ``-`` for a missing label.

    Returns
    -------
    examples : dict from str to dict
        The parameter of :class:`Corpus`.
    """
    columns = columns.split()
    return {
        path: {
            column: float(label) if column in NUMBERS else label
            for column, label in zip(columns, labels.split(), strict=True)
            if label != "-"
        }
        for path, labels in rows.items()
    }


def as_list(labels):
    """Return what `parse` returned as a list: the labels of one utterance, or of many."""
    return labels if isinstance(labels, list) else [labels]


@dataclass(frozen=True)
class Download:
    """Description of a freely downloadable archive.

    Parameters
    ----------
    url : str
        Address of the archive itself, not of a page about it.
    unpacked_bytes : int
        Upper limit of the unpacked size; unpacking stops there.
    n_bytes : int, optional
        Size of the archive; None if it is not on record.
    known_hash : str, optional
        ``"md5:..."`` or ``"sha256:..."`` of the archive; None if no checksum is
        known, or if the server creates the archive anew for each download.

    Examples
    --------
    >>> from sklearn_ser.datasets import CORPORA
    >>> CORPORA["ravdess"].download.n_bytes
    208468073
    """

    url: str
    unpacked_bytes: int
    n_bytes: int | None = None
    known_hash: str | None = None


@dataclass(frozen=True)
class Corpus:
    """Description of a corpus: its origin, its contents, and how its labels are read.

    Parameters
    ----------
    name : str
        The name for loading it: lower case, without blanks.
    title : str
        The name given by its authors.
    language : str
        BCP 47 tag of the spoken language. For a corpus in several languages,
        their tags, separated by a comma and a blank; `parse` then returns the
        `language` of each recording.
    licence : str
        Terms of use of the recordings.
    homepage : str
        The page to download or request it.
    citation : str
        BibTeX entry of the paper to cite.
    sampling_rate : int
        Sampling rate of its recordings in Hz.
    emotions : mapping from str to str
        The corpus's own labels, and the emotion of the vocabulary ``EMOTIONS``
        for each of them.
    parse : callable
        ``parse(path) -> dict or None``: the labels of a recording, by names of
        columns, from its path relative to the folder of the corpus. The key
        `emotion_raw`, with a key of `emotions` as value, is required. None means
        that the path does not follow the naming scheme; `parse` is then called
        again with the name of the folder before the path, because the folder may
        be that of a single speaker. (Registered corpora are read in the other
        order: some correct names of files by their folder.) It must not open
        files. For a recording of many utterances, it returns a list with the
        labels of each, and their `start` and `end` in seconds.
    examples : mapping from str to dict
        Relative paths, and the result of `parse` for each, or the only one of its
        utterances. They document the scheme, appear in error messages, and let
        the tests build small corpora: include each label at least once, several
        speakers and both sexes.
    n_recordings, n_speakers : int, optional
        Size of the complete corpus; None if it is not on record.
    n_women : int, optional
        Number of female speakers; None if it is not on record.
    counts : mapping from str to int, optional
        Number of recordings per emotion of the vocabulary in the complete
        corpus; empty if it is not on record.
    pattern : str, optional
        Shell pattern for the names of its recordings, in lower case; by default
        all WAV files. If it ends in the suffix of a format, recordings that were
        converted to another format are found as well, and `parse` gets their
        names with the original suffix.
    ignored : tuple of str, default=()
        Shell patterns, in lower case, of recordings in the archive that are not
        part of the corpus. A pattern that ends in a slash, such as
        ``"extras/"``, leaves out everything in folders of this name; one with a
        slash inside is matched against the end of the path, folders included.
    prepare : callable, optional
        ``prepare(folder) -> context``, for labels in files beside the
        recordings. It is called once, and `parse` then gets the context as its
        second argument. If such a file is missing, `parse` omits its labels.
    side_files : mapping from str to str, optional
        Relative paths and contents of small files for `prepare`, to accompany
        `examples`.
    download : Download, optional
        The archive of the corpus. None if the corpus must be requested, needs a
        login, or has to be collected from several places.
    access : str, optional
        How to get a corpus that is not freely downloadable, such as ``"after
        signing a form"``.
    note : str, optional
        Information for users: uncertain facts, peculiarities, decisions.
    terms : {"open", "form", "request", "research"}, optional
        How to get it, in one word: under a public licence, after a form or
        registration, on request, or freely but for research only. None if that
        is unclear.

    Attributes
    ----------
    vocabulary : tuple of str
        Its emotions, in the words and the order of ``EMOTIONS``.
    labels : tuple of str
        The columns of the table that are filled beside `emotion`, for at least
        some of its recordings, such as ``sex`` and ``age``.
    how_to_get : str
        Sentence for messages with the page and the licence.

    See Also
    --------
    load_corpus : Load a registered corpus, or one with such a description.

    Examples
    --------
    >>> from sklearn_ser.datasets import CORPORA
    >>> iemocap = CORPORA["iemocap"]
    >>> iemocap.language, iemocap.n_recordings, iemocap.n_speakers
    ('en-US', 10039, 10)
    >>> iemocap.emotions["exc"]
    'happiness'
    >>> print(iemocap.how_to_get)
    IEMOCAP is available from https://sail.usc.edu/iemocap/ after signing a form
    (licence: signed form, research only).
    """

    name: str
    title: str
    language: str
    licence: str
    homepage: str
    citation: str
    sampling_rate: int
    emotions: Mapping[str, str]
    parse: Callable[..., dict | None]
    examples: Mapping[str, dict]
    n_recordings: int | None = None
    n_speakers: int | None = None
    n_women: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    pattern: str = "*.wav"
    ignored: tuple[str, ...] = ()
    prepare: Callable[[Path], Any] | None = None
    side_files: Mapping[str, str] = field(default_factory=dict)
    download: Download | None = None
    access: str = ""
    note: str = ""
    terms: str | None = None

    def __post_init__(self):
        if self.terms not in (None, *TERMS):
            raise ValueError(
                f"terms={plain(self.terms)!r}; expected None or one of: {', '.join(TERMS)}."
            )

    @property
    def vocabulary(self):
        """Tuple of its emotions, in the words and the order of ``EMOTIONS``."""
        return tuple(emotion for emotion in EMOTIONS if emotion in self.emotions.values())

    @property
    def labels(self):
        """Columns of the table that are filled beside `emotion`, at least for some recordings."""
        given = set().union(*self.examples.values())
        return tuple(column for column in COLUMNS if column in given - {"emotion_raw"})

    @property
    def how_to_get(self):
        """Sentence for messages with the page and the licence."""
        access = f" {self.access}" if self.access else ""
        return f"{self.title} is available from {self.homepage}{access} (licence: {self.licence})."

    def reader(self, folder):
        """Return a function from the path of a recording to its labels.

        Parameters
        ----------
        folder : pathlib.Path
            Folder with the files that `prepare` needs.

        Returns
        -------
        read : callable
            Like `parse`, but adds `emotion`, and also returns None if
            `emotions` does not contain the label; of many utterances, those
            with such labels are left out.
        """
        context = () if self.prepare is None else (self.prepare(folder),)

        def translated(labels):
            if labels is None or labels["emotion_raw"] not in self.emotions:
                return None
            return {**labels, "emotion": self.emotions[labels["emotion_raw"]]}

        def read(path):
            labels = self.parse(path, *context)
            if not isinstance(labels, list):
                return translated(labels)
            return [known for one in labels if (known := translated(one))] or None

        return read
