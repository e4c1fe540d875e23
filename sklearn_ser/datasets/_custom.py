"""Load recordings that are listed in a table."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_ser.audio import Segment
from sklearn_ser.datasets._base import COLUMNS, NUMBERS, as_table, as_text, check_emotions
from sklearn_ser.datasets._formats import format_notes, pointer_notes, split_readable
from sklearn_ser.datasets._paths import absolute_path, file_identity, file_of, pointers
from sklearn_ser.datasets._words import Translator, translate_all
from sklearn_ser.exceptions import CorpusError, CorpusWarning
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._separators import (
    named_columns,
    repeated_columns,
    separator_of,
    separators_that_fit,
)
from sklearn_ser.utils._spelling import from_cells, visible

__all__ = ["TABLE_SUFFIXES", "load_table", "read_table"]

TABLE_SUFFIXES = (".csv", ".tsv")

_REQUIRED = ("path", "emotion")

_SEXES = {"f": "f", "female": "f", "m": "m", "male": "m"}


def _select(table, emotions, where):
    """Keep the rows of the selected emotions; raise if there are none."""
    if emotions is None:
        return table
    selected = table[table["emotion"].isin(emotions)].reset_index(drop=True)
    if selected.empty:
        found = ", ".join(sorted(table["emotion"].unique()))
        raise CorpusError(f"No {' or '.join(emotions)} in {where}; its emotions are: {found}.")
    return selected


def _place(path, root):
    """Return the absolute path of a recording, without blanks around it unless they exist."""
    place = absolute_path(os.path.join(root, os.path.expanduser(os.fspath(path))))
    if os.path.isfile(file_of(place)):
        return place
    bare = absolute_path(os.path.join(root, os.path.expanduser(os.fspath(path).strip())))
    return bare if os.path.isfile(file_of(bare)) else place


def _separator_hint(header):
    """Return a hint if the header looks separated by another character, or an empty string."""
    names = separators_that_fit(header, _REQUIRED)
    return f" It looks separated by {names[0]}: {header.strip()!r}." if names else ""


def _read_escaped(path, root, error, **options):
    """Read a table in which names of files, and only these, are not UTF-8."""
    try:
        table = pd.read_csv(path, dtype=object, encoding_errors="surrogateescape", **options)
    except UnicodeEncodeError:
        # The names of the columns are not UTF-8, which pandas cannot hold.
        raise error from None
    for name, cells in table.items():
        for cell in [name, *cells.dropna()]:
            known = str(name).strip().casefold() == "path" and os.path.isfile(_place(cell, root))
            if any("\udc80" <= letter <= "\udcff" for letter in cell) and not known:
                raise error
    return table


def _read_file(path, root):
    """Read a CSV or TSV file without guessing types: ``03`` stays text, ``nan`` a language."""
    if not path.is_file():
        raise FileNotFoundError(f"No file {str(path)!r} (looked in {Path.cwd()}).")
    if pointers([path]):
        raise CorpusError(
            f"{path} is a git-lfs pointer, not the table itself; run `git lfs pull` in its folder."
        )
    options = {
        "sep": separator_of(path, _REQUIRED),
        "encoding": "utf-8-sig",
        "keep_default_na": False,
        "na_values": ["", "NA"],
    }
    try:
        try:
            return pd.read_csv(path, dtype=str, **options)
        except UnicodeDecodeError as error:
            return _read_escaped(path, root, error, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError):
            hint = " Save it as UTF-8."
        else:
            with open(path, encoding="utf-8-sig", errors="replace") as file:
                hint = _separator_hint(file.readline())
        raise CorpusError(
            f"{path} is not a table of comma-separated (.csv) or tab-separated (.tsv) values in "
            f"UTF-8: {str(error).strip().removesuffix('.')}.{hint}"
        ) from error


def _check_columns(table, where):
    """Strip the names of columns; raise if path, emotion or corpus is missing or has gaps."""
    if repeated := repeated_columns(table.columns, COLUMNS):
        raise CorpusError(
            f"{where} has several columns named {' and '.join(repeated)}. Keep one, or rename the "
            f"others."
        )
    table = table.rename(columns=named_columns(table.columns, COLUMNS))
    missing = [name for name in _REQUIRED if name not in table]
    if missing:
        hints = (_separator_hint(column) for column in table.columns)
        raise CorpusError(
            f"{where} has no column {' and no column '.join(missing)}; its columns are: "
            f"{', '.join(table.columns)}.{next(filter(None, hints), ' Rename them.')} Commas "
            "or semicolons separate the columns of a .csv file, tabs those of a .tsv file."
        )
    if table.empty:
        raise CorpusError(f"{where} has no rows.")
    for name in table.columns.intersection(["path", "emotion", "corpus"]):
        # Without pandas's strings, which cannot hold names that are not UTF-8.
        blank = [isinstance(cell, str) and not cell.strip() for cell in table[name]]
        gaps = table[name].isna() | np.array(blank)
        if gaps.any():
            raise CorpusError(
                f"Row {gaps.argmax()} of {where} (counted from 0) has no {name}. Fill it in, or "
                "drop the row."
            )
    return table


def _check_paths(paths, root, where):
    """Make paths absolute; raise if a file is missing or occurs twice in any spelling."""
    # In one spelling of the times, so that a segment is found to occur twice.
    paths = [str(Segment.parse(_place(path, root))) for path in paths]
    absent = [path for path in paths if not os.path.isfile(file_of(path))]
    if absent:
        hint = ""
        if os.sep == "/" and any("\\" in path for path in absent):
            example = advice(", for instance by table['path'].str.replace('\\\\', '/')", "")
            hint = (
                f" The table uses backslashes, which separate folders on Windows only; write "
                f"slashes{example}."
            )
        raise FileNotFoundError(
            f"{len(absent)} of {len(paths)} recordings of {where} do not exist, the first is "
            f"{absent[0]!r}. Relative paths start at {str(root)!r}"
            f"{advice('; root= sets another folder', '')}.{hint}"
        )
    first = {}
    for path in paths:
        other = first.setdefault(file_identity(path), path)
        if other is path:
            continue
        also = "" if other == path else f", the first time as {other!r}"
        raise CorpusError(f"{path!r} occurs more than once in {where}{also}.")
    return as_text(paths)


def _sex_of(word):
    return None if pd.isna(word) else _SEXES[str(word).strip().lower()]


def _check_sexes(words, where):
    """Translate the words for sexes; raise for the first unknown word."""
    sexes = []
    for word in words:
        try:
            sexes.append(_sex_of(word))
        except KeyError:
            raise CorpusError(
                f"Unknown sex {plain(word)!r} in {where}. Expected f or female, m or male, or "
                f"nothing."
            ) from None
    return sexes


def _check_ratings(values, column, where):
    """Convert ratings to numbers; raise for the first value that is not a number."""
    # Where semicolons separate columns, commas are decimal points.
    points = [one.replace(",", ".") if isinstance(one, str) else one for one in values]
    numbers = pd.to_numeric(pd.Series(points, index=values.index), errors="coerce")
    unknown = np.array([pd.isna(value) or str(value).lower() == "nan" for value in values])
    wrong = numbers.isna() & ~unknown
    if wrong.any():
        raise CorpusError(
            f"Column {column} of {where} holds {plain(values[wrong].iloc[0])!r}; expected numbers, "
            f"and nothing where it is unknown."
        )
    return numbers


def read_table(table, *, root=None, corpus=None, language=None, mapping=None, emotions=None):
    """Return the table of `load_table`, and notes for a warning."""
    emotions = check_emotions(emotions)
    translate = Translator.of(mapping)
    if isinstance(table, pd.DataFrame):
        where, root, stem = "the table", root or os.curdir, None
    else:
        file = Path(table).expanduser()
        where, root, stem = str(file), root or file.parent, visible(file.stem)
        table = from_cells(_read_file(file, root))
    root = absolute_path(os.path.expanduser(os.fspath(root)))
    table = _check_columns(table, where).reset_index(drop=True)
    if corpus is None and "corpus" not in table:
        if stem is None:
            raise CorpusError("The table has no column corpus; name the corpus with corpus=.")
        corpus = stem
    if "emotion_raw" not in table:
        table["emotion_raw"] = as_text(map(str, table["emotion"]))
    translate.check_keys(dict.fromkeys(table["emotion"]), f"emotion in {where}")
    table["emotion"] = translate_all(table["emotion"], translate, where)
    table = table[table["emotion"].notna()].reset_index(drop=True)
    if table.empty:
        raise CorpusError(f"The mapping leaves out every row of {where}.")
    table["path"] = _check_paths(table["path"], root, where)
    if "sex" in table:
        table["sex"] = _check_sexes(table["sex"], where)
    for column in table.columns.intersection(NUMBERS):
        table[column] = _check_ratings(table[column], column, where)
    table = _select(as_table(table, corpus=corpus, language=language), emotions, where)
    files = list(dict.fromkeys(map(file_of, table["path"])))
    notes = format_notes(*split_readable(files), where, left_out=False)
    return table, pointer_notes(files, where) + notes


def load_table(table, *, root=None, corpus=None, language=None, mapping=None, emotions=None):
    """Load recordings listed in a CSV file or a DataFrame.

    The table needs the columns ``path`` and ``emotion``. Other columns of
    :func:`load_corpus` are used if they exist; further columns are dropped.
    Emotions may be words and codes as for :func:`load_folder`; sexes are
    ``f``, ``female``, ``m`` or ``male``. Speakers and sessions get the name of
    their corpus as a prefix, unless all have it already; surrounding blanks are
    removed, and 1.0 becomes 1 (see :ref:`identities`). A path may be a part of a
    recording, such as ``call.wav#t=12.5,17`` (see `sklearn_ser.audio.Segment`). Without a column
    ``emotion_raw``, the emotion as written takes its place. No recording is
    opened.

    In a file, names of recordings that are not UTF-8 are read as raw bytes if the
    recordings exist. Use ``to_csv(errors="surrogateescape")`` to write such a
    table.

    Parameters
    ----------
    table : str, path-like or DataFrame
        A file of values in UTF-8, separated by commas or semicolons (``.csv``)
        or tabs (``.tsv``), or the table itself. In a file, empty fields and ``NA`` are
        missing values, and speakers and sentences are read as text: ``03``
        stays ``03``. An apostrophe before ``=``, ``+``, ``-`` or ``@``, which
        this package writes to prevent formulas in spreadsheets, is removed.
    root : str or path-like, optional
        Base folder of relative paths; by default the folder of the file, or the
        working directory for a DataFrame.
    corpus : str, optional
        Name of the corpus of all rows. By default the column ``corpus``, or
        else the name of the file without its suffix.
    language : str, optional
        Language of the rows that state none, as a BCP 47 tag such as ``"de"``.
    mapping : dict from str to str or None, optional
        Emotions for other labels, for example ``{"hot": "anger", "xxx":
        None}``; None leaves rows out. Letter case and surrounding blanks are
        ignored. A key that is not a label of the table is an error.
    emotions : sequence of str, optional
        Emotions to keep; by default all.

    Returns
    -------
    table : DataFrame
        One row per recording, in the given order; columns as in
        :func:`load_corpus`. Paths are absolute.

    Raises
    ------
    FileNotFoundError
        If the file or a recording in it does not exist.
    CorpusError
        If a column is missing, an emotion or sex is unknown, a rating is not a
        number, a recording is listed twice (in any spelling of its path), the
        name of the corpus is unknown, or a key of `mapping` is not a label of
        the table.
    ValueError
        If `mapping` or `emotions` holds an unknown emotion, or `mapping` two
        keys for one label.

    Warns
    -----
    CorpusWarning
        If recordings are in formats that cannot be read here, are decoded by
        ffmpeg, or are git-lfs pointers. They stay in the table. There is one
        warning for all.

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
    table, notes = read_table(
        table, root=root, corpus=corpus, language=language, mapping=mapping, emotions=emotions
    )
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    return table
