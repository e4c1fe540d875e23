"""Load one or several registered corpora."""

import logging
import os
import warnings
from pathlib import Path

import pandas as pd

from sklearn_ser.datasets._base import COLUMNS, as_table, as_text, check_emotions, check_folder
from sklearn_ser.datasets._corpora._corpus import Corpus
from sklearn_ser.datasets._corpora._registry import CORPORA, find_corpus, similar_name
from sklearn_ser.datasets._custom import TABLE_SUFFIXES, read_table
from sklearn_ser.datasets._folders import read_folder
from sklearn_ser.datasets._parsing import parse_folder
from sklearn_ser.datasets._paths import file_identity
from sklearn_ser.exceptions import CorpusError, CorpusWarning

__all__ = ["load_corpora", "load_corpus"]

logger = logging.getLogger(__name__)


def _missing_labels(corpus, table):
    """Note which labels a complete corpus would give to recordings that have none."""
    given = set.intersection(*map(set, corpus.examples.values()))
    missing = {column: table[column].isna().sum() for column in COLUMNS if column in given}
    return [
        f"{column} of {n} recordings of {corpus.title} is unknown, because a file such as "
        f"{min(corpus.side_files)} is missing or incomplete"
        for column, n in missing.items()
        if n and corpus.side_files
    ]


def _differences(corpus, table, folder, emotions):
    """Note how the recordings found differ from the complete corpus."""
    found = table["emotion"].value_counts()
    expected = {e: n for e, n in corpus.counts.items() if emotions is None or e in emotions}
    details = [
        f"{emotion} {found.get(emotion, 0)} of {n}"
        for emotion, n in expected.items()
        if found.get(emotion, 0) != n
    ]
    # Neither the speakers nor, without counts, the size of a part of the emotions is on record.
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
    """Load a registered corpus; returns the table and notes to warn about."""
    folder = check_folder(path, corpus.how_to_get)
    recordings, notes = parse_folder(corpus, folder, strict, emotions)
    table = as_table(recordings, corpus=corpus.name, language=corpus.language)
    notes += _missing_labels(corpus, table)
    if emotions is not None:
        table = table[table["emotion"].isin(emotions)].reset_index(drop=True)
        if table.empty:
            raise CorpusError(
                f"No {' or '.join(emotions)} in {folder}; the emotions of {corpus.title} are: "
                f"{', '.join(corpus.vocabulary)}."
            )
    return table, notes + _differences(corpus, table, folder, emotions)


def _load_source(name, source, emotions, strict):
    """Load a registered corpus, a table or a folder per emotion; returns table and notes."""
    is_table = isinstance(source, pd.DataFrame) or Path(source).suffix.lower() in TABLE_SUFFIXES
    if is_table:
        return read_table(source, corpus=name, emotions=emotions)
    if name in CORPORA:
        return _load(CORPORA[name], source, emotions, strict)
    try:
        return read_folder(source, corpus=name, emotions=emotions)
    except CorpusError as error:
        close = similar_name(name)
        hint = f" Did you mean {close!r}?" if close else ""
        raise CorpusError(
            f"{name!r} is no registered corpus ({', '.join(CORPORA)}), hence {source} was read as "
            f"a folder with a sub-folder per emotion.{hint} {error}"
        ) from error


def _check_one_corpus_each(table):
    """Refuse recordings that two corpora share: to hold one out would hold out nothing."""
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
    """Load a corpus known by name from a folder on this machine.

    What is known of each recording is read off its path, and off tables that
    come with some corpora; no recording is opened. Folders may be nested as in
    the archive the corpus comes in, or flat where the names alone tell all; the
    folder of one speaker or emotion is read as well. Recordings that were
    converted to another format are read like those in the corpus's own, which
    is taken where both are there. Hidden files and ``__MACOSX`` are passed over,
    and copies of a recording under the same name.

    Parameters
    ----------
    name : str or Corpus
        Name of the corpus, see :func:`list_corpora`; or what is known of a
        corpus of your own, see :class:`Corpus`.
    path : str or path-like
        Folder that holds the recordings.
    emotions : sequence of str, optional
        Emotions to keep, for example ``("anger", "happiness", "neutral",
        "sadness")``, the four that most corpora share; by default all.
    strict : bool, optional
        Whether a recording whose name does not follow the corpus's scheme is
        an error. Otherwise such recordings are left out, with a warning that
        counts and names them. By default they are left out up to a quarter of
        all, which are slips, and an error above that, which is another corpus.

    Returns
    -------
    table : DataFrame
        One row a recording, sorted by path below `path`, with the columns

        - ``path``: the file, an absolute path;
        - ``corpus``, ``language`` (BCP 47 tag);
        - ``speaker``: unique across corpora, such as ``emodb_03``;
        - ``sex``: ``f`` or ``m``;
        - ``emotion``: one of ``anger``, ``boredom``, ``calm``, ``disgust``,
          ``fear``, ``happiness``, ``neutral``, ``sadness``, ``surprise``,
          ``other``;
        - ``activation``, ``valence``: ratings, NaN where the corpus has none;
        - ``sentence``: what is said, as the corpus's own code;
        - ``intensity``: strength of the portrayal, in the corpus's own words;
        - ``emotion_raw``: the corpus's own label of the emotion;
        - ``dominance``: as ``activation``;
        - ``session``: the recording session, unique across corpora.

        Unknown text is NA.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    CorpusError
        If the corpus is not registered, the folder holds none of its
        recordings or too many others (see `strict`), or none of `emotions`.
    ImportError
        If the corpus is a database in audformat and that package is missing.
    ValueError
        If `emotions` holds an unknown emotion.

    Warns
    -----
    CorpusWarning
        If the number of recordings per emotion is not that of the complete
        corpus, where that is on record, or labels are missing, or recordings
        were left out: because of their names, as copies, or as files that
        cannot be read here; if some are decoded by ffmpeg or are pointers of
        git-lfs. One warning for all. Of `emotions`, only those selected are
        compared.

    See Also
    --------
    load_corpora : Load several corpora into one table.
    load_folder, load_table : Load recordings of your own.

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


def load_corpora(paths, *, emotions=None, strict=None):
    """Load several corpora into one table.

    Parameters
    ----------
    paths : dict from str to str, path-like or DataFrame
        Name and place of each corpus. A registered name (see
        :func:`list_corpora`) stands for the folder of that corpus, any other
        for a folder with a sub-folder per emotion, as :func:`load_folder`
        reads it. A ``.csv`` or ``.tsv`` file or a DataFrame is read by
        :func:`load_table`; its rows become the corpus of that name.
    emotions : sequence of str, optional
        Emotions to keep, for example ``("anger", "happiness", "neutral",
        "sadness")``, the four that most corpora share; by default all. Corpora
        may lack some of them, not all.
    strict : bool, optional
        As in :func:`load_corpus`.

    Returns
    -------
    table : DataFrame
        The tables of the corpora one after the other, in the order of `paths`;
        columns as in :func:`load_corpus`. Speakers carry the name of their
        corpus, so that their ids are unique. A summary per corpus goes to the
        logger ``sklearn_ser.datasets`` at level INFO.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, CorpusError
        As in :func:`load_corpus`, :func:`load_folder` and :func:`load_table`.
    ValueError
        If `paths` names no corpus or `emotions` holds an unknown emotion.

    Warns
    -----
    CorpusWarning
        As in :func:`load_corpus`; one warning for all corpora.

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
    tables, notes = [], []
    for name, source in paths.items():
        table, new_notes = _load_source(name, source, emotions, strict)
        tables.append(table)
        notes += new_notes
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    table = pd.concat(tables, ignore_index=True)
    _check_one_corpus_each(table)
    _log_summary(table)
    return table
