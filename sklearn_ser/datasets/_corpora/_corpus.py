"""The class that describes a corpus, and helpers to define one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sklearn_ser.datasets._base import EMOTIONS

__all__ = ["Corpus", "Download", "examples_of", "name_scheme"]


def name_scheme(pattern):
    r"""Compile the naming scheme of a corpus.

    Parameters
    ----------
    pattern : str
        Regular expression of a whole file name. Letters match in either case;
        ``\d`` and ``\w`` are ASCII only, because ``int("٣")`` would succeed
        where a table of speakers has no such number.

    Returns
    -------
    match : callable
        From the path of a recording to the match of its name, or None.
    """
    regex = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return lambda path: regex.fullmatch(path.name)


def examples_of(columns, rows):
    """Write out examples of a naming scheme.

    Parameters
    ----------
    columns : str
        Names of columns of the table, separated by blanks.
    rows : mapping from str to str
        Relative path of a recording and its labels in the order of `columns`,
        separated by blanks; ``-`` where it has none.

    Returns
    -------
    examples : dict from str to dict
        What :class:`Corpus` takes.
    """
    columns = columns.split()
    return {
        path: {
            column: label
            for column, label in zip(columns, labels.split(), strict=True)
            if label != "-"
        }
        for path, labels in rows.items()
    }


@dataclass(frozen=True)
class Download:
    """An archive with a corpus that anybody may download without asking.

    Parameters
    ----------
    url : str
        Address of the archive itself, not of a page about it.
    unpacked_bytes : int
        Upper bound of what the archive unpacks to. Whoever unpacks it stops
        there.
    n_bytes : int, optional
        Size of the archive; None where it is not on record.
    known_hash : str, optional
        ``"md5:..."`` or ``"sha256:..."`` of the archive; None where no checksum
        is known, or where the server packs the archive anew for each download.

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
    """What is known of a corpus: where it comes from, what it holds, how it is read.

    Parameters
    ----------
    name : str
        The name it is loaded by: lower case, no blanks.
    title : str
        The name its authors gave it.
    language : str
        BCP 47 tag of the language spoken; of a corpus in several languages
        their tags, separated by a comma and a blank, with the `language` of
        each recording from `parse`.
    licence : str
        Under which terms the recordings may be used.
    homepage : str
        The page to get it from or to ask for it.
    citation : str
        BibTeX entry of the paper to cite.
    sampling_rate : int
        Rate of its recordings in Hz.
    emotions : mapping from str to str
        The corpus's own labels and what they are in the vocabulary `EMOTIONS`.
    parse : callable
        ``parse(path) -> dict or None``: what the path of a recording, relative
        to the folder of the corpus, says about it, by the names of the table's
        columns. `emotion_raw`, a key of `emotions`, is required. None where the
        path does not follow the naming scheme; it is then called once more, with
        the name of this folder before the path: it may be that of one speaker.
        It opens no file.
    examples : mapping from str to dict
        Relative paths and what `parse` must return for them. They teach the
        scheme, appear in error messages, and the tests build small corpora of
        them: give each label at least once, several speakers, both sexes.
    n_recordings, n_speakers : int, optional
        Size of the complete corpus; None where it is not on record.
    n_women : int, optional
        Number of female speakers; None where it is not on record.
    counts : mapping from str to int, optional
        Number of recordings per emotion of the vocabulary in the complete
        corpus; empty where it is not on record.
    pattern : str, optional
        Shell pattern of the names of its recordings, in lower case; by default
        all WAV files. Where it ends in the suffix of a format, recordings that
        were converted to another one are found too, and `parse` gets their
        names with this suffix.
    ignored : tuple of str, default=()
        Shell patterns, in lower case, of recordings that come with the corpus
        and are not part of it. One that ends in a slash, such as ``"extras/"``,
        leaves out all that lies in folders of this name; one with a slash
        inside is matched against the end of the path, folders included.
    prepare : callable, optional
        ``prepare(folder) -> context``, for labels that are in files beside the
        recordings. It is called once, and `parse` then gets the context as its
        second argument. What these files should say and do not, because one of
        them is missing, `parse` leaves out.
    side_files : mapping from str to str, optional
        Relative paths and texts of small files such as `prepare` reads, for
        `examples`.
    download : Download, optional
        Where to download the corpus. None where one has to ask for it, log in,
        or collect it from several places.
    access : str, optional
        How to come by a corpus that is not to be downloaded just so, such as
        ``"after signing a form"``.
    note : str, optional
        What a user should know: uncertain facts, peculiarities, choices made.

    Attributes
    ----------
    vocabulary : tuple of str
        Its emotions, in the words and the order of `EMOTIONS`.
    how_to_get : str
        One sentence for messages: the page to ask and the licence.

    See Also
    --------
    load_corpus : Load a corpus known by name, or described like this.

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

    @property
    def vocabulary(self):
        """Tuple of its emotions, in the words and the order of `EMOTIONS`."""
        return tuple(emotion for emotion in EMOTIONS if emotion in self.emotions.values())

    @property
    def how_to_get(self):
        """One sentence for messages: the page to ask and the licence."""
        access = f" {self.access}" if self.access else ""
        return f"{self.title} is available from {self.homepage}{access} (licence: {self.licence})."

    def reader(self, folder):
        """Return the function from the path of a recording to its labels.

        Parameters
        ----------
        folder : pathlib.Path
            Where files that `prepare` needs are looked for.

        Returns
        -------
        read : callable
            As `parse`, with `emotion` for `emotion_raw`, and None also where
            `emotions` does not have the label.
        """
        context = () if self.prepare is None else (self.prepare(folder),)

        def read(path):
            labels = self.parse(path, *context)
            if labels is None or labels["emotion_raw"] not in self.emotions:
                return None
            return {**labels, "emotion": self.emotions[labels["emotion_raw"]]}

        return read
