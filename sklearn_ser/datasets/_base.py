"""Emotion vocabulary and the table of recordings, shared by all loaders."""

import csv
import fnmatch
import io
import os
import unicodedata
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from sklearn_ser.datasets._paths import LFS_POINTER, absolute_path
from sklearn_ser.datasets._synonyms import ALIASES
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._identities import canonical_ids
from sklearn_ser.utils._messages import plain

__all__ = [
    "COLUMNS",
    "EMOTIONS",
    "NUMBERS",
    "RATINGS",
    "as_table",
    "as_text",
    "check_emotions",
    "check_folder",
    "find_files",
    "is_ignored",
    "read_rows",
    "read_text",
]

EMOTIONS = (
    "anger",
    "boredom",
    "calm",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "other",
)

COLUMNS = (
    "path",
    "corpus",
    "language",
    "speaker",
    "sex",
    "emotion",
    "activation",
    "valence",
    "sentence",
    "intensity",
    "emotion_raw",
    "dominance",
    "session",
    "age",
)
RATINGS = ("activation", "valence", "dominance")
NUMBERS = (*RATINGS, "age")

# The type that pandas gives a list of strings: `object` before version 3, `str` since.
_TEXT = pd.Series(["text"]).dtype


def check_emotions(emotions):
    """Validate a selection of emotions and return it as a tuple; None (all) stays None."""
    if emotions is None:
        return None
    if isinstance(emotions, str):
        raise ValueError(
            f"emotions={plain(emotions)!r} is one string; pass a list such as "
            f"[{plain(emotions)!r}]."
        )
    emotions = tuple(emotions)
    if not emotions:
        raise ValueError("emotions is empty; name at least one, or pass None for all.")
    for emotion in emotions:
        if emotion not in EMOTIONS:
            meant = ALIASES.get(str(emotion).strip().lower())
            hint = f" Did you mean {meant!r}?" if meant else ""
            raise ValueError(
                f"Unknown emotion {plain(emotion)!r}.{hint} Known are: {', '.join(EMOTIONS)}."
            )
    return emotions


def _folded(text):
    """Normalise a name: lower case, with each accented letter as one character."""
    return unicodedata.normalize("NFC", str(text).lower())


def is_ignored(file, patterns):
    """Return whether a path matches a pattern of files that are not part of a corpus.

    Parameters
    ----------
    file : pathlib.PurePosixPath
        Path relative to the folder of the corpus; letter case is ignored.
    patterns : sequence of str
        Shell patterns in lower case. A pattern that ends in a slash, such as
        ``"extras/"``, matches folders and everything in them at any depth;
        ``"test data/out*/"`` matches a folder within a folder. Any other pattern
        is matched against the end of the path: ``"03-02-*"`` against the name of
        the file, ``"songs/*.wav"`` against its folder and name.
    """
    if not patterns:
        return False
    file = PurePosixPath(_folded(file))
    folders = [pattern[:-1] for pattern in patterns if pattern.endswith("/")]
    names = [pattern for pattern in patterns if not pattern.endswith("/")]
    return any(map(file.match, names)) or any(
        parent.match(folder) for folder in folders for parent in file.parents if parent.parts
    )


def find_files(folder, patterns, ignored=()):
    """List the files below a folder whose names match, ignoring letter case.

    Hidden files and folders and ``__MACOSX`` are ignored: archives packed on a
    Mac contain a ``._name.wav`` for each ``name.wav``, which is not audio.

    Parameters
    ----------
    folder : pathlib.Path
        Where to look; links to folders are followed.
    patterns : sequence of str, or callable
        Shell patterns in lower case, matched against the name of the file; or a
        function that takes this name in lower case and returns whether the file
        is wanted.
    ignored : sequence of str
        Patterns of files to leave out, as in `is_ignored`.

    Returns
    -------
    files : list of pathlib.PurePosixPath
        Paths relative to `folder`, sorted.
    """
    wanted = patterns
    if not callable(patterns):

        def wanted(name):
            return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    found, visited = [], set()
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n != "__MACOSX")
        inside = PurePosixPath(Path(root).relative_to(folder).as_posix())
        found += [
            inside / name for name in names if not name.startswith(".") and wanted(name.lower())
        ]
    if ignored:
        found = [file for file in found if not is_ignored(file, ignored)]
    return sorted(found, key=str)


def _prefix(names, corpus):
    """Prefix canonical names with the corpus, unless all have it already; gaps stay gaps."""
    names = pd.Series(canonical_ids(names, name=str(names.name), within=corpus), dtype=object)
    known = names.notna()
    prefix = pd.Series([f"{name}_" for name in corpus], dtype=object)
    text = pd.Series([str(name) for name in names], dtype=object)
    if not all(map(str.startswith, text[known], prefix[known])):
        text = prefix + text
    return text.where(known, np.nan)


def as_text(texts):
    """Return texts as the column that pandas makes of strings.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    column : Series
        Of dtype object if names are not UTF-8, which Arrow's strings cannot
        hold.
    """
    column = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype=object)
    try:
        return column.astype(_TEXT)
    except UnicodeEncodeError:
        return column.astype(object)


def as_table(recordings, *, corpus=None, language=None):
    """Build the table of recordings that every loader returns.

    Parameters
    ----------
    recordings : list of dict or DataFrame
        One entry per recording. `path` and `emotion` are required, the other
        columns of the table are optional; further columns are dropped.
    corpus : str, optional
        Name of the corpus; required if the recordings do not state it. It
        becomes the prefix of speakers and sessions, unless all have it already,
        so that speaker ``03`` of two corpora stays two people. The names of all
        three are normalised: without surrounding blanks, and with 1 instead of
        the 1.0 that a gap in a column causes.
    language : str, optional
        Language of recordings that do not state one, as a BCP 47 tag.

    Returns
    -------
    table : DataFrame
        The columns of `COLUMNS`, in this order. Unknown values are missing: NaN
        for numbers, NA for text. If `emotion_raw` is unknown, it repeats
        `emotion`.
    """
    if not isinstance(recordings, pd.DataFrame):
        # pandas cannot infer a type for names that are not UTF-8.
        recordings = pd.DataFrame(recordings, dtype=object)
    table = recordings.reset_index(drop=True).reindex(columns=COLUMNS).astype(object)
    if corpus is not None:
        table["corpus"] = pd.Series([corpus] * len(table), dtype=object)
    table["corpus"] = canonical_ids(table["corpus"], name="corpus")
    if language is not None:
        table.loc[table["language"].isna(), "language"] = language
    for column in ("speaker", "session"):
        table[column] = _prefix(table[column], table["corpus"])
    table["emotion_raw"] = table["emotion_raw"].where(
        table["emotion_raw"].notna(), table["emotion"]
    )
    for column in COLUMNS:
        # A single missing value: None and NA would remain in a column of objects.
        table.loc[table[column].isna(), column] = np.nan
        table[column] = (
            table[column].astype(np.float64) if column in NUMBERS else as_text(table[column])
        )
    return table


def read_text(path):
    """Read a text file of a corpus, in any of the encodings that occur.

    Raises
    ------
    CorpusError
        If the file has another encoding, or is a git-lfs pointer.
    """
    content = path.read_bytes()
    if content.startswith(LFS_POINTER):
        raise CorpusError(
            f"{path} is a git-lfs pointer, not the file itself; run `git lfs pull` in its folder."
        )
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CorpusError(f"{path} is not text in UTF-8, UTF-16 or GB 18030; get the file again.")


def read_rows(path, *, needed=(), **options):
    """Read a table of a corpus, without blanks around headers and cells.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    needed : sequence of sequence of str
        Headers that the table must have, one of each sequence.
    **options
        Options of ``csv.DictReader``, such as ``delimiter``.

    Returns
    -------
    rows : list of dict from str to str
        Cells that are missing at the end of a line are empty.

    Raises
    ------
    CorpusError
        If a needed column is missing.
    """
    # str.splitlines would also cut at characters within a cell, such as U+0085.
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), restval="", **options)
    headers = [str(header).strip() for header in rows.fieldnames or ()]
    for names in needed:
        if not set(names).intersection(headers):
            raise CorpusError(
                f"{path} has no column {' or '.join(names)}; its columns are: "
                f"{', '.join(map(plain, headers)) or 'none'}. Rename one, or get the file again."
            )
    return [
        {str(header).strip(): cell.strip() for header, cell in row.items() if header is not None}
        for row in rows
    ]


def check_folder(path, hint=""):
    """Return the absolute path of an existing folder.

    Parameters
    ----------
    path : str or path-like
        The folder.
    hint : str
        Last sentence of the error message.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    NotADirectoryError
        If the path is a file.
    """
    folder = Path(os.path.expanduser(os.fspath(path)))
    if not folder.exists():
        problem = f"No folder {str(folder)!r} (looked in {Path.cwd()})."
        raise FileNotFoundError(f"{problem} {hint}".rstrip())
    if not folder.is_dir():
        problem = f"{str(folder)!r} is a file; expected the folder that holds the recordings."
        raise NotADirectoryError(f"{problem} {hint}".rstrip())
    return Path(absolute_path(folder))
