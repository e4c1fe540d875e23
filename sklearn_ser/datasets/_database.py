"""Read the tables of an audformat database."""

import os
import warnings
from pathlib import Path

import pandas as pd

from sklearn_ser.audio import Segment
from sklearn_ser.datasets._base import NUMBERS, check_folder
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._messages import plain

__all__ = ["HEADER", "SCHEMES", "import_audformat", "read_database"]

HEADER = "db.yaml"

# Names of schemes for each column; the first of them is used for writing.
SCHEMES = {
    "speaker": ("speaker",),
    "sex": ("gender", "sex"),
    "language": ("language",),
    "activation": ("activation", "arousal"),
    "valence": ("valence",),
    "dominance": ("dominance",),
    "sentence": ("sentence", "transcription"),
    "intensity": ("intensity",),
    "emotion_raw": ("emotion_raw",),
    "session": ("session",),
    "age": ("age",),
    "corpus": ("corpus",),
}
_NUMERIC = {scheme for column in NUMBERS for scheme in SCHEMES[column]}
_SEXES = {"f": "f", "female": "f", "m": "m", "male": "m"}


def import_audformat():
    """Import the package audformat.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to install it.
    """
    try:
        import audformat
    except ImportError as error:
        raise ImportError(
            "Databases in audformat need the package audformat: pip install 'sklearn-ser[datasets]'"
        ) from error
    return audformat


def _get(database, scheme, where, tables=None):
    """Return the labels of one scheme as strings or numbers, by file; may be empty."""
    mean = {}
    if scheme in _NUMERIC:
        # With several raters, one scheme has several columns.
        mean["aggregate_function"] = lambda y: y.astype(float).mean()
    try:
        labels = database.get(scheme, tables=tables, map=False, **mean)[scheme].dropna()
    except ValueError as error:
        raise CorpusError(
            f"The tables of {where} contradict each other in {scheme!r}: "
            f"{' '.join(str(error).split())}. Select tables for the emotions with tables=."
        ) from error
    if labels.index.get_level_values(0).isna().any():
        raise CorpusError(f"A row of the tables of {where} has a label of {scheme!r}, but no file.")
    if labels.index.nlevels > 1:
        labels.index = pd.Index([_path(*entry) for entry in labels.index], dtype=object)
    return labels.astype(float) if scheme in _NUMERIC else labels.astype(str)


def _path(file, start, end):
    """Return the path of a segment; that of the file if the segment is all of it."""
    seconds = [None if pd.isna(time) else time.total_seconds() for time in (start, end)]
    return str(Segment(file, seconds[0] or 0, seconds[1]))


def _to_bcp47(language):
    """Convert a code of ISO 639-3, which databases use, to two letters if possible."""
    from iso639 import Lang
    from iso639.exceptions import InvalidLanguageValue

    try:
        return Lang(language).pt1 or language
    except InvalidLanguageValue:
        return language


def _open(path):
    """Return a database and its folder."""
    audformat = import_audformat()
    if isinstance(path, audformat.Database):
        # One that was made in this process has no folder; its files are relative to the present.
        return path, Path(path.root or os.curdir)
    folder = check_folder(path)
    if not (folder / HEADER).is_file():
        raise CorpusError(f"No {HEADER} in {folder}; expected a database in audformat.")
    with warnings.catch_warnings():
        # Users cannot change how audformat calls pandas.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return audformat.Database.load(str(folder), load_data=True), folder
        except OSError:
            raise
        except Exception as error:  # of yaml, pandas and audformat, which list none
            raise CorpusError(
                f"{folder} is not a database that audformat can read ({type(error).__name__}: "
                f"{' '.join(str(error).split())}). Get it again."
            ) from error


def read_database(path, tables=None):
    """Read the labels of the recordings of a database in audformat.

    Parameters
    ----------
    path : str, path-like or audformat.Database
        Folder with the file ``db.yaml``, or a database.
    tables : sequence of str, optional
        Tables to take the emotions from; by default all tables.

    Returns
    -------
    folder : pathlib.Path
        The folder of the database.
    name : str
        Name of the database.
    labels : DataFrame
        One row per recording, or segment, with an emotion: `path` relative to the folder,
        `emotion` as in the database, and those other columns of
        :func:`sklearn_ser.datasets.load_corpus` that the database has.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    CorpusError
        If the folder holds no database, or a database without emotions.
    ImportError
        If the package audformat is not installed.
    """
    database, folder = _open(path)
    unknown = sorted(set(tables or ()) - set(database.tables))
    if unknown:
        raise CorpusError(
            f"No table {plain(unknown[0])!r} in {folder}; its tables are: "
            f"{', '.join(database.tables)}."
        )
    emotion = _get(database, "emotion", folder, tables)
    if emotion.empty:
        raise CorpusError(
            f"No emotions in {folder}; expected a scheme or column 'emotion', its schemes are: "
            f"{', '.join(database.schemes)}."
        )
    labels = pd.DataFrame({"path": emotion.index, "emotion": emotion.to_numpy()})
    for column, schemes in SCHEMES.items():
        for scheme in schemes:
            values = _get(database, scheme, folder)
            if not values.empty:
                # A label of a file holds for its segments, unless they have one of their own.
                files = labels["path"].map(lambda path: Segment.parse(path).path)
                own = labels["path"].map(values)
                labels[column] = own.where(own.notna(), files.map(values))
                break
    if "sex" in labels:
        labels["sex"] = labels["sex"].str.lower().map(_SEXES)
    if "language" not in labels and len(database.languages) == 1:
        labels["language"] = database.languages[0]
    if "language" in labels:
        labels["language"] = labels["language"].map(_to_bcp47, na_action="ignore")
    return folder, database.name, labels
