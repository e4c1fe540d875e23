"""Read the tables of an audformat database."""

import warnings

import pandas as pd

from sklearn_ser.datasets._base import RATINGS, check_folder
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._messages import plain

__all__ = ["HEADER", "SCHEMES", "import_audformat", "read_database"]

HEADER = "db.yaml"

# Under which names databases keep what the columns hold; the first is the one to write.
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
    "corpus": ("corpus",),
}
_RATED = {scheme for rating in RATINGS for scheme in SCHEMES[rating]}
_SEXES = {"f": "f", "female": "f", "m": "m", "male": "m"}


def import_audformat():
    """Import the package audformat, or say how to get it.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import audformat
    except ImportError as error:
        raise ImportError(
            "Databases in audformat need the package of that name: "
            "pip install 'sklearn-ser[datasets]'"
        ) from error
    return audformat


def _get(database, scheme, where, tables=None):
    """Return the labels of one scheme as strings or numbers, by file; empty if there are none."""
    mean = {}
    if scheme in _RATED:
        # Several raters make several columns of one scheme.
        mean["aggregate_function"] = lambda y: y.astype(float).mean()
    try:
        labels = database.get(scheme, tables=tables, map=False, **mean)[scheme].dropna()
    except ValueError as error:
        raise CorpusError(
            f"The tables of {where} contradict each other in {scheme!r}: "
            f"{' '.join(str(error).split())}. Emotions can be taken from some of them with tables=."
        ) from error
    if labels.index.nlevels > 1:
        raise CorpusError(
            f"{where} labels parts of recordings with {scheme!r}; expected labels of whole "
            "recordings. Cut the recordings first, or name tables of whole ones with tables=."
        )
    return labels.astype(float) if scheme in _RATED else labels.astype(str)


def _to_bcp47(language):
    """Shorten a code of ISO 639-3, which databases use, to two letters where there are two."""
    from iso639 import Lang
    from iso639.exceptions import InvalidLanguageValue

    try:
        return Lang(language).pt1 or language
    except InvalidLanguageValue:
        return language


def read_database(path, tables=None):
    """Read what a database in audformat says about its recordings.

    Parameters
    ----------
    path : str or path-like
        Folder with the file ``db.yaml``.
    tables : sequence of str, optional
        Tables that the emotions are taken from; by default all.

    Returns
    -------
    name : str
        Name of the database.
    labels : DataFrame
        One row a recording with an emotion: `path` relative to the folder,
        `emotion` as the database has it, and what there is of the other columns
        of :func:`sklearn_ser.datasets.load_corpus`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    CorpusError
        If it holds no database, or one without emotions of whole recordings.
    ImportError
        If the package audformat is not installed.
    """
    audformat = import_audformat()
    folder = check_folder(path)
    if not (folder / HEADER).is_file():
        raise CorpusError(f"No {HEADER} in {folder}; expected a database in audformat.")
    with warnings.catch_warnings():
        # What audformat asks of pandas is out of the reach of whoever loads a database.
        warnings.simplefilter("ignore", DeprecationWarning)
        database = audformat.Database.load(str(folder), load_data=True)
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
                labels[column] = labels["path"].map(values)
                break
    if "sex" in labels:
        labels["sex"] = labels["sex"].str.lower().map(_SEXES)
    if "language" not in labels and len(database.languages) == 1:
        labels["language"] = database.languages[0]
    if "language" in labels:
        labels["language"] = labels["language"].map(_to_bcp47, na_action="ignore")
    return database.name, labels
