"""Loaders for recordings of the user's own: a folder per emotion, or a table."""

import os
from pathlib import Path

import pandas as pd

from sklearn_ser.datasets._base import (
    AUDIO_SUFFIXES,
    EMOTIONS,
    RATINGS,
    as_table,
    check_emotions,
    check_folder,
    check_mapping,
    emotion_of,
    find_recordings,
)
from sklearn_ser.exceptions import CorpusError

__all__ = ["TABLE_SUFFIXES", "load_folder", "load_table"]

TABLE_SUFFIXES = (".csv", ".tsv")

_SEXES = {"f": "f", "female": "f", "m": "m", "male": "m"}
_HOW_TO_MAP = (
    f"The emotions are: {', '.join(EMOTIONS)}. Say what is meant with "
    "mapping={{{word!r}: 'anger'}}, or leave it out with mapping={{{word!r}: None}}."
)


def _select(table, emotions, where):
    """Keep the rows of the selected emotions, of which there must be some."""
    if emotions is None:
        return table
    selected = table[table["emotion"].isin(emotions)].reset_index(drop=True)
    if selected.empty:
        found = ", ".join(sorted(table["emotion"].unique()))
        raise CorpusError(f"No {' or '.join(emotions)} in {where}; its emotions are: {found}.")
    return selected


def load_folder(path, *, corpus=None, language=None, mapping=None, emotions=None):
    """Load recordings sorted into one sub-folder per emotion.

    The name of a sub-folder, in letters of either case, is an emotion of the
    vocabulary or an English word for one: angry (anger), bored (boredom),
    calmness (calm), disgusted (disgust), afraid, anxiety, anxious, fearful,
    scared (fear), happy, joy, joyful (happiness), neutrality (neutral), sad
    (sadness), surprised (surprise). Below it, recordings may lie in folders of
    any depth. Recordings are WAV, FLAC, OGG, Opus, MP3, AIFF, AU and W64 files;
    hidden files and folders are passed over. No file is opened.

    Parameters
    ----------
    path : str or path-like
        The folder that holds the sub-folders.
    corpus : str, optional
        Name of the corpus; by default the name of the folder.
    language : str, optional
        Language of the recordings, as a BCP 47 tag such as ``"de"``.
    mapping : dict from str to str or None, optional
        Emotion of sub-folders with other names, for example
        ``{"Wut": "anger", "noise": None}``; None leaves a sub-folder out.
    emotions : sequence of str, optional
        Emotions to keep; by default all.

    Returns
    -------
    table : DataFrame
        One row a recording, sorted by path below `path`; columns as in
        :func:`load_corpus`. Speakers are unknown, hence missing.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    CorpusError
        If a recording lies in no sub-folder, a sub-folder's name is no known
        emotion, or nothing is left to load.
    ValueError
        If `mapping` or `emotions` holds an unknown emotion.

    See Also
    --------
    load_table : For recordings with speakers, sentences or ratings.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ser.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Angry/one.wav", "Sad/two.wav"):
    ...         (Path(folder) / name).parent.mkdir()
    ...         (Path(folder) / name).touch()
    ...     speech = load_folder(folder, corpus="mine", language="en")
    >>> speech[["corpus", "language", "emotion"]]
      corpus language  emotion
    0   mine       en    anger
    1   mine       en  sadness
    """
    emotions = check_emotions(emotions)
    mapping = check_mapping(mapping)
    folder = check_folder(path)
    recordings = []
    for file in find_recordings(folder):
        if len(file.parts) == 1:
            raise CorpusError(
                f"{file} lies directly in {folder}; expected one sub-folder per emotion "
                f"({', '.join(EMOTIONS)}). Sort the recordings, or use load_table."
            )
        try:
            emotion = emotion_of(file.parts[0], mapping)
        except KeyError:
            how = _HOW_TO_MAP.format(word=file.parts[0])
            raise CorpusError(
                f"Sub-folder {file.parts[0]!r} of {folder} is no known emotion. {how}"
            ) from None
        if emotion is not None:
            recordings.append(
                {"path": str(folder / file), "emotion": emotion, "emotion_raw": file.parts[0]}
            )
    if not recordings:
        raise CorpusError(
            f"No recordings in the sub-folders of {folder}; expected one sub-folder per emotion "
            f"with files that end in {', '.join(AUDIO_SUFFIXES)}."
        )
    name = folder.resolve().name if corpus is None else corpus
    return _select(as_table(recordings, corpus=name, language=language), emotions, folder)


def _read_table(path):
    """Read a CSV or TSV file without guessing: ``03`` stays a text, ``nan`` a language."""
    if not path.is_file():
        raise FileNotFoundError(f"No file {str(path)!r} (looked in {Path.cwd()}).")
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        return pd.read_csv(
            path,
            sep=separator,
            dtype=str,
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values=["", "NA"],
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{path} is no table of comma-separated (.csv) or tab-separated (.tsv) values in "
            f"UTF-8: {str(error).strip()}"
        ) from error


def _check_columns(table, where):
    """Strip the names of the columns; path, emotion and corpus must have no gaps."""
    table = table.rename(columns=lambda name: str(name).strip())
    missing = [name for name in ("path", "emotion") if name not in table]
    if missing:
        raise CorpusError(
            f"{where} has no column {' and no column '.join(missing)}; its columns are: "
            f"{', '.join(table.columns)}. Rename them; commas separate the columns of a .csv file, "
            "tabs those of a .tsv file."
        )
    if table.empty:
        raise CorpusError(f"{where} has no rows.")
    for name in table.columns.intersection(["path", "emotion", "corpus"]):
        gaps = table[name].isna()
        if gaps.any():
            raise CorpusError(
                f"Row {gaps.argmax()} of {where} (counted from 0) has no {name}. Fill it in, or "
                "drop the row."
            )
    return table


def _check_paths(paths, root, where):
    """Put `root` before relative paths; each must exist and occur once."""
    paths = [os.path.join(root, Path(path).expanduser()) for path in paths]
    absent = [path for path in paths if not os.path.isfile(path)]
    if absent:
        raise FileNotFoundError(
            f"{len(absent)} of {len(paths)} recordings of {where} do not exist, the first is "
            f"{absent[0]!r}. Relative paths start at {str(root)!r}; root= sets another folder."
        )
    twice = pd.Index(paths).duplicated()
    if twice.any():
        raise CorpusError(f"{paths[twice.argmax()]!r} occurs more than once in {where}.")
    return paths


def _sex_of(word):
    return None if pd.isna(word) else _SEXES[str(word).strip().lower()]


def _check_words(words, translate, column, where, how):
    """Translate the words of a column and name the first unknown one."""
    words, translation = list(words), {}
    for word in dict.fromkeys(words):
        try:
            translation[word] = translate(word)
        except KeyError:
            raise CorpusError(
                f"Unknown {column} {word!r} in {where}. {how.format(word=word)}"
            ) from None
    return [translation[word] for word in words]


def _check_ratings(values, column, where):
    """Convert activation or valence to numbers and name the first value that is none."""
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & values.notna() & (values.astype(str).str.lower() != "nan")
    if wrong.any():
        raise CorpusError(
            f"Column {column} of {where} holds {values[wrong].iloc[0]!r}; expected numbers, and "
            "nothing where the rating is unknown."
        )
    return numbers


def load_table(table, *, root=None, corpus=None, language=None, mapping=None, emotions=None):
    """Load recordings listed in a CSV file or a DataFrame.

    The table needs the columns ``path`` and ``emotion``. The other columns of
    :func:`load_corpus` are taken over where they exist; further ones are
    dropped. Emotions may be the English words that :func:`load_folder` lists;
    sexes ``f``, ``female``, ``m``, ``male``. Speakers and sessions get the name
    of their corpus as a prefix, unless all have it already. Without a column
    ``emotion_raw``, it is the emotion as written. No recording is opened.

    Parameters
    ----------
    table : str, path-like or DataFrame
        A file of comma-separated (``.csv``) or tab-separated (``.tsv``) values
        in UTF-8, or the table itself. In a file, empty fields and ``NA`` are
        missing values, and speakers and sentences are read as text: ``03``
        stays ``03``.
    root : str or path-like, optional
        Folder at which relative paths start; by default the folder of the
        file, or the working directory for a DataFrame.
    corpus : str, optional
        Name of the corpus of all rows. By default the table's own column
        ``corpus``, and in its absence the name of the file without its suffix.
    language : str, optional
        Language of the rows that state none, as a BCP 47 tag such as ``"de"``.
    mapping : dict from str to str or None, optional
        What other labels of emotions mean, for example ``{"hot": "anger",
        "xxx": None}``; None leaves rows out.
    emotions : sequence of str, optional
        Emotions to keep; by default all.

    Returns
    -------
    table : DataFrame
        One row a recording, in the order given; columns as in
        :func:`load_corpus`.

    Raises
    ------
    FileNotFoundError
        If the file or a recording in it does not exist.
    CorpusError
        If a column is missing, an emotion or sex unknown, a rating no number, a
        path listed twice, or the name of the corpus unknown.
    ValueError
        If `mapping` or `emotions` holds an unknown emotion.

    See Also
    --------
    load_folder : For recordings sorted into one folder per emotion.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import load_table
    >>> rows = pd.DataFrame({"path": ["one.wav"], "emotion": ["happy"], "speaker": ["03"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "one.wav").touch()
    ...     rows.to_csv(f"{folder}/mine.csv", index=False)
    ...     speech = load_table(f"{folder}/mine.csv")
    >>> speech[["corpus", "speaker", "emotion"]]
      corpus  speaker    emotion
    0   mine  mine_03  happiness
    """
    emotions = check_emotions(emotions)
    mapping = check_mapping(mapping)
    if isinstance(table, pd.DataFrame):
        where, root, stem = "the table", root or "", None
    else:
        file = Path(table).expanduser()
        where, root, stem = str(file), root or file.parent, file.stem
        table = _read_table(file)
    table = _check_columns(table, where).reset_index(drop=True)
    if corpus is None and "corpus" not in table:
        if stem is None:
            raise CorpusError("The table has no column corpus; name the corpus with corpus=.")
        corpus = stem
    if "emotion_raw" not in table:
        table["emotion_raw"] = table["emotion"].astype(str)
    table["emotion"] = _check_words(
        table["emotion"], lambda word: emotion_of(word, mapping), "emotion", where, _HOW_TO_MAP
    )
    table = table[table["emotion"].notna()].reset_index(drop=True)
    if table.empty:
        raise CorpusError(f"The mapping leaves out every row of {where}.")
    table["path"] = _check_paths(table["path"], root, where)
    if "sex" in table:
        table["sex"] = _check_words(
            table["sex"], _sex_of, "sex", where, "Expected f or female, m or male, or nothing."
        )
    for column in table.columns.intersection(RATINGS):
        table[column] = _check_ratings(table[column], column, where)
    return _select(as_table(table, corpus=corpus, language=language), emotions, where)
