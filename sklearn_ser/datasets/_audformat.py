"""Convert between tables of recordings and audformat databases."""

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_ser.audio import Segment
from sklearn_ser.datasets._base import COLUMNS, EMOTIONS, NUMBERS
from sklearn_ser.datasets._corpora._registry import CORPORA
from sklearn_ser.datasets._custom import read_table
from sklearn_ser.datasets._database import HEADER, SCHEMES, import_audformat, read_database
from sklearn_ser.exceptions import CorpusError, CorpusWarning

__all__ = ["load_audformat", "save_audformat"]

_TABLE = "recordings"
_GENDERS = {"f": "female", "m": "male"}


def load_audformat(path, *, tables=None, corpus=None, language=None, mapping=None, emotions=None):
    """Load a database in audformat, the format of the package of the same name.

    Emotions are the labels of the scheme or column ``emotion``. The labels
    ``speaker``, ``gender`` or ``sex``, ``language``, ``activation`` or
    ``arousal``, ``valence``, ``dominance``, ``sentence`` or ``transcription``,
    ``intensity`` and ``session`` are read where they exist as a scheme, a column
    or a property of speakers. Several ratings of a recording are averaged. Where parts of
    recordings are labelled, each has a row, with a path such as ``call.wav#t=12.5,17`` (see
    `sklearn_ser.audio.Segment`). No recording is opened. This needs
    ``pip install 'sklearn-ser[datasets]'``.

    Parameters
    ----------
    path : str, path-like or audformat.Database
        Folder with the file ``db.yaml``, or a database that was loaded or made already. Relative
        paths in one that has no folder start at the working directory.
    tables : sequence of str, optional
        Tables to take the emotions from, for databases in which tables
        contradict each other; by default all tables.
    corpus : str, optional
        Name of the corpus; by default the labels of the scheme ``corpus``, or
        else the name of the database.
    language : str, optional
        Language of the recordings for which the database states none, as a
        BCP 47 tag such as ``"de"``.
    mapping : dict from str to str or None, optional
        Emotions for labels other than the words that :func:`load_folder`
        knows; None leaves recordings out. A key that is not a label of the
        database is an error.
    emotions : sequence of str, optional
        Emotions to keep; by default all.

    Returns
    -------
    table : DataFrame
        One row per recording; columns as in :func:`load_corpus`. Paths are
        absolute.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder, or a recording does not exist.
    CorpusError
        If the folder holds no database, the database has no emotions, its
        tables contradict each other, an emotion is
        unknown, or a key of `mapping` is not a label.
    ImportError
        If the package audformat is not installed.

    Warns
    -----
    CorpusWarning
        As in :func:`load_table`.

    See Also
    --------
    save_audformat : Write such a database.

    References
    ----------
    .. [1] https://audeering.github.io/audformat/

    Examples
    --------
    >>> from sklearn_ser.datasets import load_audformat
    >>> speech = load_audformat("corpora/emodb_2.0")  # doctest: +SKIP
    """
    folder, name, labels = read_database(path, tables)
    if corpus is None and "corpus" not in labels:
        corpus = name
    table, notes = read_table(
        labels, root=folder, corpus=corpus, language=language, mapping=mapping, emotions=emotions
    )
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    return table


def _describe(audformat, table, name):
    """Return a database with languages, licences and homepages in its header."""
    corpora = [CORPORA[corpus] for corpus in table["corpus"].unique() if corpus in CORPORA]
    languages = set()
    for tag in table["language"].dropna().unique():
        try:
            languages.add(audformat.utils.map_language(tag.split("-")[0]))
        except ValueError:
            # The header allows languages of ISO 639-3 only.
            continue
    return audformat.Database(
        name,
        source="; ".join(corpus.homepage for corpus in corpora),
        usage=audformat.define.Usage.OTHER,
        languages=sorted(languages),
        license="; ".join(f"{corpus.title}: {corpus.licence}" for corpus in corpora) or None,
    )


def _relative(paths, folder):
    """Return paths below the folder relative to it, and all others as absolute paths."""
    folder = Path(os.path.abspath(folder))
    paths = [Path(os.path.abspath(Path(path).expanduser())) for path in paths]
    return [
        (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
        for path in paths
    ]


def _index(audformat, paths, folder):
    """Return the index of a database; one of segments if a path is one."""
    segments = [Segment.parse(path) for path in paths]
    files = _relative([one.path for one in segments], folder)
    if all(one.whole for one in segments):
        return audformat.filewise_index(files)
    channels = [str(one) for one in segments if one.channel is not None]
    if channels:
        raise CorpusError(
            f"{channels[0]} is one channel of a recording, which databases in audformat have no "
            "place for; write the channel to a file of its own."
        )
    times = [[one.start, one.end] for one in segments]
    starts, ends = pd.DataFrame(times, columns=["start", "end"], dtype=float).T.to_numpy()
    return audformat.segmented_index(
        files, pd.to_timedelta(starts, unit="s"), pd.to_timedelta(ends, unit="s")
    )


def save_audformat(table, path, *, name=None):
    """Write a table of recordings as a database in audformat.

    The folder gets the file ``db.yaml`` and one table, ``recordings``, with the
    labels of recordings and segments; no recording is copied. The header contains the
    licences of registered corpora. This needs
    ``pip install 'sklearn-ser[datasets]'``.

    Parameters
    ----------
    table : DataFrame
        A table of recordings from a loader.
    path : str or path-like
        Folder to write to; created if necessary. Recordings below it are stored
        with relative paths, so that the folder can be moved or published as a
        whole; other recordings with absolute paths, which are valid on this
        machine only.
    name : str, optional
        Name of the database; by default the names of its corpora, joined by
        hyphens.

    Raises
    ------
    CorpusError
        If the table lacks a column, has no rows, has a path that is not UTF-8, or a segment
        of one channel, which the format has no place for.
    FileExistsError
        If the folder holds a database already.
    ImportError
        If the package audformat is not installed.

    See Also
    --------
    load_audformat : Read such a database.

    References
    ----------
    .. [1] https://audeering.github.io/audformat/

    Examples
    --------
    >>> from sklearn_ser.datasets import load_corpus, save_audformat
    >>> speech = load_corpus("ravdess", "corpora/ravdess")  # doctest: +SKIP
    >>> save_audformat(speech, "corpora/ravdess")  # doctest: +SKIP
    """
    audformat = import_audformat()
    # Tables of earlier versions have no ages.
    table = table if "age" in table else table.assign(age=np.nan)
    missing = [column for column in COLUMNS if column not in table]
    if missing or table.empty:
        problem = f"lacks the column {missing[0]!r}" if missing else "has no rows"
        raise CorpusError(
            f"The table {problem}; expected a table from load_corpus, load_corpora, load_folder "
            "or load_table."
        )
    for file in table["path"]:
        if (plain := os.fspath(file)) != plain.encode("utf-8", "replace").decode():
            raise CorpusError(
                f"The name of {plain!r} is not UTF-8, as databases in audformat require; rename "
                "the recording."
            )
    folder = Path(path).expanduser()
    if (folder / HEADER).exists():
        raise FileExistsError(f"{folder / HEADER} exists; name another folder, or remove it.")
    database = _describe(audformat, table, name or "-".join(table["corpus"].unique()))
    index = _index(audformat, table["path"], folder)
    columns = database[_TABLE] = audformat.Table(index, description="One row per recording")
    schemes = {"emotion": "emotion"} | {column: names[0] for column, names in SCHEMES.items()}
    for column, scheme in schemes.items():
        values = pd.Series(table[column].to_numpy(), index)
        if values.isna().all():
            continue
        if column == "sex":
            values = values.map(_GENDERS)
        labels = {"emotion": list(EMOTIONS), "sex": list(_GENDERS.values())}.get(column)
        dtype = "float" if column in NUMBERS else "str"
        database.schemes[scheme] = audformat.Scheme(None if labels else dtype, labels=labels)
        columns[scheme] = audformat.Column(scheme_id=scheme)
        columns[scheme].set(values)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as scratch:
        # Unlike CSV, Parquet distinguishes the word NA from a missing value.
        database.save(scratch, storage_format=audformat.define.TableStorageFormat.PARQUET)
        # The header comes last, because without it there is no database.
        for file in sorted(Path(scratch).iterdir(), key=lambda file: file.name == HEADER):
            os.replace(file, folder / file.name)
