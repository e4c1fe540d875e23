"""Load one or several registered corpora."""

import logging
import os
import warnings
from pathlib import Path

import pandas as pd

from sklearn_ser.datasets._base import (
    COLUMNS,
    as_table,
    as_text,
    check_emotions,
    check_folder,
    find_files,
)
from sklearn_ser.datasets._corpora._corpus import Corpus
from sklearn_ser.datasets._corpora._registry import CORPORA, find_corpus, similar_name
from sklearn_ser.datasets._custom import TABLE_SUFFIXES, read_table
from sklearn_ser.datasets._folders import read_folder
from sklearn_ser.datasets._parsing import parse_folder
from sklearn_ser.datasets._paths import file_identity
from sklearn_ser.datasets._words import SharedTranslator, UnknownLabelsError
from sklearn_ser.exceptions import CorpusError, CorpusWarning

__all__ = ["load_corpora", "load_corpus"]

logger = logging.getLogger(__name__)


def _missing_labels(corpus, table, folder):
    """Return notes on labels that are missing but that the complete corpus has."""
    given = set.intersection(*map(set, corpus.examples.values()))
    missing = {column: table[column].isna().sum() for column in COLUMNS if column in given}
    missing = {column: n for column, n in missing.items() if n}
    if not missing or not corpus.side_files:
        return []
    names = {name: Path(name).name.lower() for name in corpus.side_files}
    found = {file.name.lower() for file in find_files(folder, set(names.values()))}
    absent = [name for name in names if names[name] not in found]
    return [
        f"{column} of {n} recordings of {corpus.title} is unknown, because a file such as "
        f"{min(absent or names)} is missing or incomplete"
        for column, n in missing.items()
    ]


def _differences(corpus, table, folder, emotions):
    """Return a note on differences between the recordings and the complete corpus."""
    found = table["emotion"].value_counts()
    expected = {e: n for e, n in corpus.counts.items() if emotions is None or e in emotions}
    details = [
        f"{emotion} {found.get(emotion, 0)} of {n}"
        for emotion, n in expected.items()
        if found.get(emotion, 0) != n
    ]
    # For a selection of emotions, the number of speakers is not on record, nor, without counts,
    # the number of recordings.
    whole = emotions is None
    n_expected = sum(expected.values()) if expected or not whole else corpus.n_recordings
    n_speakers = table["speaker"].nunique()
    if whole and corpus.n_speakers not in (None, n_speakers):
        details.append(f"speakers {n_speakers} of {corpus.n_speakers}")
    if not details and (not n_expected or n_expected == len(table)):
        return []
    note = f"{corpus.title} in {folder} has {len(table)} recordings"
    if n_expected:
        note += f" of the {n_expected} expected"
    if details:
        note += f" ({', '.join(details)})"
    files = table[["speaker", "emotion_raw"]].assign(
        name=as_text(map(os.path.basename, table["path"]))
    )
    if repeated := files.duplicated().sum():
        note += f"; {repeated} file names occur more than once, with other content"
    return [note]


def _load(corpus, path, emotions, strict):
    """Load a registered corpus; return the table, and notes for a warning."""
    folder = check_folder(path, corpus.how_to_get)
    recordings, notes = parse_folder(corpus, folder, strict, emotions)
    table = as_table(recordings, corpus=corpus.name, language=corpus.language)
    notes += _missing_labels(corpus, table, folder)
    if emotions is not None:
        table = table[table["emotion"].isin(emotions)].reset_index(drop=True)
        if table.empty:
            raise CorpusError(
                f"No {' or '.join(emotions)} in {folder}; the emotions of {corpus.title} are: "
                f"{', '.join(corpus.vocabulary)}."
            )
    return table, notes + _differences(corpus, table, folder, emotions)


def _is_table(source):
    return isinstance(source, pd.DataFrame) or Path(source).suffix.lower() in TABLE_SUFFIXES


def _why_a_folder(name, source):
    """Say why a source was read as a folder with one sub-folder per emotion."""
    close = similar_name(name)
    hint = f" Did you mean {close!r}?" if close else ""
    return (
        f"{name!r} is not a registered corpus ({', '.join(CORPORA)}), so {source} was read as a "
        f"folder with one sub-folder per emotion.{hint}"
    )


def _load_source(name, source, emotions, strict, translate):
    """Load a registered corpus, a table, or one folder per emotion; return table and notes."""
    if _is_table(source):
        return read_table(source, corpus=name, emotions=emotions, mapping=translate)
    if name in CORPORA:
        return _load(CORPORA[name], source, emotions, strict)
    try:
        return read_folder(source, corpus=name, emotions=emotions, mapping=translate)
    except UnknownLabelsError:
        raise
    except CorpusError as error:
        raise CorpusError(f"{_why_a_folder(name, source)} {error}") from error


def _load_sources(paths, emotions, strict, mapping):
    """Load all sources; return their tables and notes."""
    tables, notes, unknown, hints = [], [], {}, ""
    translate = SharedTranslator(mapping)
    for name, source in paths.items():
        try:
            table, new_notes = _load_source(name, source, emotions, strict, translate)
        except UnknownLabelsError as error:
            # Other sources may have more of them, which a user wants to know at once.
            unknown |= error.counts
            hints += "" if _is_table(source) else f" {_why_a_folder(name, source)}"
            continue
        tables.append(table)
        notes += new_notes
    if unknown:
        raise UnknownLabelsError(unknown, hints)
    translate.check_all_keys()
    return tables, notes


def _check_one_corpus_each(table):
    """Raise if corpora share recordings, because holding one of them out would be useless."""
    files = pd.Series([str(file_identity(path)) for path in table["path"]], dtype=object)
    shared = table.groupby(files)["corpus"].nunique()
    shared = shared[shared > 1]
    if len(shared):
        first = table[files == shared.index[0]]
        corpora, place = first["corpus"].unique().tolist(), first["path"].iloc[0]
        raise CorpusError(
            f"{len(shared)} recordings are in more than one corpus, such as {place} in "
            f"{' and '.join(corpora)}. Name each folder or table once."
        )


def _log_summary(table):
    for name, rows in table.groupby("corpus", sort=False):
        counts = rows["emotion"].value_counts().sort_index()
        logger.info(
            "%s (%s): %d recordings, %d speakers; %s",
            name,
            ", ".join(rows["language"].dropna().unique()) or "language unknown",
            len(rows),
            rows["speaker"].nunique(),
            ", ".join(f"{emotion} {n}" for emotion, n in counts.items()),
        )


def load_corpus(name, path, *, emotions=None, strict=None):
    """Load a registered corpus from a folder on this machine.

    Labels are read from the paths of recordings, and from tables that some
    corpora contain; no recording is opened. Folders may be nested as in the
    corpus's archive, or flat if the names of files are sufficient; the folder of
    a single speaker or emotion can be read as well. Recordings that were
    converted to another format are read, too, unless they also exist in the
    original format. Hidden files, ``__MACOSX``, and copies of a recording under
    the same name are ignored.

    Parameters
    ----------
    name : str or Corpus
        Name of the corpus (see :func:`list_corpora`), or a description of your
        own corpus (see :class:`Corpus`).
    path : str or path-like
        Folder that holds the recordings.
    emotions : sequence of str, optional
        Emotions to keep, for example ``("anger", "happiness", "neutral",
        "sadness")``, the four that most corpora share; by default all.
    strict : bool, optional
        Whether a recording whose name does not follow the corpus's scheme is an
        error. If False, such recordings are left out, and a warning counts and
        names them. By default, up to a quarter of all recordings are left out
        as errors of the archive; more are an error, since the folder probably
        holds another corpus.

    Returns
    -------
    table : DataFrame
        One row per recording, sorted by path below `path`, with the columns

        - ``path``: the file, an absolute path;
        - ``corpus``, ``language`` (BCP 47 tag);
        - ``speaker``: unique across corpora, such as ``emodb_03``;
        - ``sex``: ``f`` or ``m``;
        - ``emotion``: one of ``anger``, ``boredom``, ``calm``, ``disgust``,
          ``fear``, ``happiness``, ``neutral``, ``sadness``, ``surprise``,
          ``other``;
        - ``activation``, ``valence``: ratings, NaN where the corpus has none;
        - ``sentence``: code of the spoken sentence in the corpus;
        - ``intensity``: strength of the portrayal, in the corpus's own words;
        - ``emotion_raw``: the corpus's own label for the emotion;
        - ``dominance``: rating, like ``activation``;
        - ``session``: the recording session, unique across corpora;
        - ``age``: of the speaker, in years.

        Unknown text is NA.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    CorpusError
        If the corpus is not registered, or the folder holds none of its
        recordings, too many other recordings (see `strict`), or none of
        `emotions`.
    ImportError
        If the corpus is a database in audformat and that package is missing.
    ValueError
        If `emotions` holds an unknown emotion.

    Warns
    -----
    CorpusWarning
        If the number of recordings per emotion differs from that of the
        complete corpus, as far as it is on record; if labels are missing; if
        recordings were left out because of their names, as copies, or because
        they cannot be read here; if some are decoded by ffmpeg or are git-lfs
        pointers; if the names look like those of another registered corpus, as
        those of BanglaSER and RAVDESS do. There is one warning for all. With `emotions`, only the
        selected ones are compared.

    See Also
    --------
    load_corpora : Load several corpora into one table.
    load_folder, load_table : Load your own recordings.

    Examples
    --------
    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sklearn_ser.datasets import load_corpus
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # two recordings are not the whole corpus
    ...     for file in ("03a01Fa.wav", "08a05Wa.wav"):
    ...         (Path(folder) / file).touch()
    ...     speech = load_corpus("emodb", folder)
    >>> speech[["speaker", "sex", "emotion", "sentence"]]
        speaker sex    emotion sentence
    0  emodb_03   m  happiness      a01
    1  emodb_08   f      anger      a05
    """
    corpus = name if isinstance(name, Corpus) else find_corpus(name)
    table, notes = _load(corpus, path, check_emotions(emotions), strict)
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    _log_summary(table)
    return table


def load_corpora(paths, *, emotions=None, strict=None, mapping=None):
    """Load several corpora into one table.

    Parameters
    ----------
    paths : dict from str to str, path-like or DataFrame
        Name and location of each corpus. With a registered name (see
        :func:`list_corpora`), the location is the folder of that corpus; with
        any other name, a folder with one sub-folder per emotion, as for
        :func:`load_folder`. A ``.csv`` or ``.tsv`` file or a DataFrame is read
        as by :func:`load_table`, and its rows become the corpus of that name.
    emotions : sequence of str, optional
        Emotions to keep, for example ``("anger", "happiness", "neutral",
        "sadness")``, the four that most corpora share; by default all. Each
        corpus must have at least one of them.
    strict : bool, optional
        As in :func:`load_corpus`.
    mapping : dict from str to str or None, optional
        Emotions for labels of the folders and tables, as in :func:`load_folder`;
        None leaves recordings out. Registered corpora have labels of their own,
        which it does not change. A key that matches no label is an error.

    Returns
    -------
    table : DataFrame
        The concatenated tables of the corpora, in the order of `paths`; columns
        as in :func:`load_corpus`. The ids of speakers contain the name of their
        corpus and are therefore unique. A summary of each corpus is logged by
        ``sklearn_ser.datasets`` at level INFO.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, CorpusError
        As in :func:`load_corpus`, :func:`load_folder` and :func:`load_table`. One
        error lists the unknown labels of all corpora.
    ValueError
        If `paths` names no corpus, or `emotions` or `mapping` holds an unknown
        emotion.

    Warns
    -----
    CorpusWarning
        As in :func:`load_corpus`, with one warning for all corpora.

    See Also
    --------
    load_corpus : Load one registered corpus.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ser.datasets import load_corpora
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for file in ("a/angry/1.wav", "b/angry/1.wav", "b/calm/2.wav"):
    ...         (Path(folder) / file).parent.mkdir(parents=True)
    ...         (Path(folder) / file).touch()
    ...     speech = load_corpora({"first": f"{folder}/a", "second": f"{folder}/b"})
    >>> speech[["corpus", "emotion"]]
       corpus emotion
    0   first   anger
    1  second   anger
    2  second    calm
    """
    emotions = check_emotions(emotions)
    if not paths:
        raise ValueError('paths names no corpus; expected for example {"emodb": "corpora/emodb"}.')
    tables, notes = _load_sources(paths, emotions, strict, mapping)
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    table = pd.concat(tables, ignore_index=True)
    _check_one_corpus_each(table)
    _log_summary(table)
    return table
