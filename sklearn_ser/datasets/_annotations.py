"""Published ratings of activation and valence for existing corpora."""

import io
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import MappingProxyType

import numpy as np
import pandas as pd

from sklearn_ser.datasets._base import find_files, read_text
from sklearn_ser.exceptions import CorpusError, CorpusWarning
from sklearn_ser.utils._identities import canonical_ids, without_spelling_warnings
from sklearn_ser.utils._messages import plain

__all__ = ["ANNOTATIONS", "AnnotationSet", "load_annotations"]

logger = logging.getLogger(__name__)

_RATINGS = ["activation", "valence"]
# Variants of headers in published files, stripped and in lower case.
_HEADERS = {"file": "filename", "filname": "filename", "arousal": "activation"}
_SHOWN = 5  # names of files in a message


@dataclass(frozen=True)
class AnnotationSet:
    """Description of a set of ratings: its origin, corpora and scale.

    Parameters
    ----------
    name : str
        The name for loading it.
    title : str
        A description in a few words.
    licence : str
        Terms of use of the ratings.
    homepage : str
        The page to get the ratings from.
    citation : str
        BibTeX entry of the paper to cite.
    files : mapping from str to tuple of str
        Name of each CSV file and the registered corpora whose recordings it
        rates. The files have the columns ``filename`` (or ``file``),
        ``activation`` (or ``arousal``) and ``valence``; other columns are not
        read.
    scale : tuple of float
        The lowest and the highest rating.
    """

    name: str
    title: str
    licence: str
    homepage: str
    citation: str
    files: Mapping[str, tuple[str, ...]]
    scale: tuple[float, float]

    @property
    def corpora(self):
        """Tuple of the corpora with ratings."""
        return tuple(corpus for corpora in self.files.values() for corpus in corpora)

    @property
    def how_to_get(self):
        """Sentence for messages with the page and the licence."""
        return f"{self.title}: see {self.homepage} (licence: {self.licence})."


_DAS2022 = AnnotationSet(
    name="das2022",
    title="Activation and valence by Das et al. (2022)",
    licence="none stated",
    homepage="https://arxiv.org/abs/2203.14867",
    citation="""\
@misc{das2022continuous,
  author = {Das, Sneha and Lund, Nicklas Leander and Lønfeldt, Nicole Nadine and
            Pagsberg, Anne Katrine and Clemmensen, Line H.},
  title  = {Continuous Metric Learning For Transferable Speech Emotion Recognition and
            Embedding Across Low-resource Languages},
  year   = {2022},
  eprint = {2203.14867},
  archivePrefix = {arXiv}
}""",
    files={
        "AESD.csv": ("aesdd",),
        "CAFE.csv": ("cafe",),
        # The second release of EMO-DB contains the recordings of the first under the same names.
        "EMO_DB.csv": ("emodb", "emodb2"),
        "URDU.csv": ("urdu",),
    },
    scale=(1.0, 5.0),
)

ANNOTATIONS = MappingProxyType({annotations.name: annotations for annotations in (_DAS2022,)})


def _key(file):
    """Return the part of a file's name that survives conversion and copying between systems."""
    name = "".join(PurePath(file).stem.split()).casefold()
    # An index of pandas cannot hold bytes that are not UTF-8.
    return name.encode("utf-8", "backslashreplace").decode()


def _find_set(name):
    if name not in ANNOTATIONS:
        raise CorpusError(
            f"Unknown set of annotations {plain(name)!r}; expected one of: "
            f"{', '.join(ANNOTATIONS)}."
        )
    return ANNOTATIONS[name]


def _find_csv_files(annotations, path):
    """Return the files of a set in a folder, or the given file, with their corpora."""
    path = Path(path).expanduser()
    known = {name.lower(): corpora for name, corpora in annotations.files.items()}
    names = ", ".join(annotations.files)
    if path.is_dir():
        files = [path / file for file in find_files(path, list(known))]
    elif path.exists():
        files = [path] if path.name.lower() in known else []
    else:
        raise FileNotFoundError(
            f"No file or folder {str(path)!r} (looked in {Path.cwd()}); expected {names} or the "
            f"folder that holds them. {annotations.how_to_get}"
        )
    if not files:
        where = f"{path} is" if path.is_file() else f"In {path} and its sub-folders there is"
        raise CorpusError(
            f"{where} none of the files of {annotations.name!r}, which are {names}. "
            f"{annotations.how_to_get}"
        )
    return {file: known[file.name.lower()] for file in files}


def _as_ratings(texts, file, scale):
    """Convert a column to numbers; raise if a rating is neither on the scale nor missing."""
    ratings = pd.to_numeric(texts, errors="coerce")
    low, high = scale
    gap = texts.isna() | texts.astype(str).str.strip().str.lower().isin(["", "nan"])
    wrong = ~gap & ~ratings.between(low, high)
    if wrong.any():
        # Lines are counted from 1, and the first line holds the headers.
        line = wrong.to_numpy().argmax() + 2
        raise CorpusError(
            f"{file}, line {line}: {texts.name} is {texts[wrong].iloc[0]!r}, expected a number "
            f"from {low:g} to {high:g}, or nothing."
        )
    return ratings.astype(float)


def _read_ratings(file, scale):
    """Read one CSV file; return the columns file, activation and valence without empty rows."""
    try:
        # As text first, so that a message can quote what is not a number. Without index_col=False,
        # a comma at the end of lines would turn the first column into the index.
        with warnings.catch_warnings():
            # About cells behind the last header, which pandas would drop.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(read_text(file)), dtype=str, index_col=False, skip_blank_lines=False
            )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise CorpusError(f"{file} is not a table of comma-separated values: {error}.") from error
    headers = [str(header).strip().lower() for header in table.columns]
    table.columns = [_HEADERS.get(header, header) for header in headers]
    for column in ("filename", *_RATINGS):
        if list(table.columns).count(column) != 1:
            raise CorpusError(
                f"{file} has {list(table.columns).count(column)} columns {column!r}, expected one; "
                f"its columns are: {', '.join(filter(None, headers))}."
            )
    ratings = pd.DataFrame({"file": table["filename"].str.strip()})
    for column in _RATINGS:
        ratings[column] = _as_ratings(table[column], file, scale)
    return ratings[ratings["file"].notna()]


def _collect(annotations, path):
    """Read all files; return one row per recording with its key, in the order of the files."""
    parts = []
    for file, corpora in _find_csv_files(annotations, path).items():
        ratings = _read_ratings(file, annotations.scale)
        ratings.insert(0, "corpus", corpora[0])
        parts.append(ratings)
    # Identical rows come from copies of a file; different ones contradict each other.
    ratings = pd.concat(parts).drop_duplicates()
    ratings["key"] = ratings["file"].map(_key)
    twice = ratings.duplicated(["corpus", "key"], keep=False)
    if twice.any():
        first = ratings[twice].iloc[0]
        raise CorpusError(
            f"{path} rates {first['file']} of {first['corpus']} more than once, differently."
        )
    return ratings.reset_index(drop=True)


def _examples(names):
    return ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")


def _corpora_of(table):
    return canonical_ids(table["corpus"], name="corpus")


def _check_table(table, annotations):
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"table is a {type(table).__name__}; expected a DataFrame as load_corpora returns it."
        )
    for column in ("path", "corpus"):
        if column not in table:
            raise CorpusError(f"The table has no column {column!r}; load it with load_corpora.")
    if not np.isin(_corpora_of(table), annotations.corpora).any():
        raise CorpusError(
            f"{annotations.name!r} rates {', '.join(annotations.corpora)}; the table has none of "
            f"them, but {', '.join(map(str, table['corpus'].unique())) or 'no recordings'}."
        )


def _join(table, ratings, annotations):
    """Fill in the ratings; return the new table, and notes on recordings without a rating."""
    table = table.copy()
    with without_spelling_warnings():
        all_corpora = pd.Series(_corpora_of(table), dtype=object)
    rows = np.flatnonzero(all_corpora.isin(annotations.corpora))
    # Ratings of a second release are stored under the name of the first.
    first = {corpus: names[0] for names in annotations.files.values() for corpus in names}
    corpora = all_corpora.iloc[rows]
    keys = list(zip(corpora.map(first), map(_key, table["path"].iloc[rows]), strict=True))
    by_key = ratings.set_index(["corpus", "key"])[_RATINGS].reindex(pd.MultiIndex.from_tuples(keys))
    for column in _RATINGS:
        before = table[column].to_numpy(float) if column in table else np.full(len(table), np.nan)
        filled = before.copy()
        found = by_key[column].to_numpy()
        filled[rows] = np.where(np.isnan(found), before[rows], found)
        table[column] = filled
    notes = []
    without = by_key.isna().any(axis=1).to_numpy()
    for corpus in corpora.unique():
        here = (corpora == corpus).to_numpy()
        logger.info(
            "%s: %d of %d recordings of %s are rated",
            annotations.name,
            (here & ~without).sum(),
            here.sum(),
            corpus,
        )
        if (here & without).any():
            names = [PurePath(p).name for p in table["path"].iloc[rows[here & without]]]
            count = f"{len(names)} of {here.sum()} recordings of {corpus}"
            notes.append(f"{count} ({_examples(names)})")
    return table, notes


def load_annotations(name, path, table=None):
    r"""Load ratings of activation and valence, and join them to recordings.

    ``"das2022"`` stands for the ratings of EMO-DB, URDU, CaFE and AESDD by Das
    et al. [1]_, made by one rater from 1 (low, negative) to 5 (high, positive)
    in half steps. This package does not contain them: their authors publish
    ``EMO_DB.csv``, ``URDU.csv``, ``CAFE.csv`` and ``AESD.csv``.

    Recordings are identified by corpus and file name. Letter case, the folder,
    the suffix and blanks in the name are ignored.

    Parameters
    ----------
    name : str or AnnotationSet
        Name of the set (``"das2022"``), or a description of your own set, see
        :class:`AnnotationSet`.
    path : str or path-like
        Folder with all or some of the files of the set as published, or one of
        the files.
    table : DataFrame, optional
        Recordings as :func:`load_corpora` returns them. Recordings of corpora
        that the set does not rate are not changed.

    Returns
    -------
    table : DataFrame
        With `table`, a copy of it with ``activation`` and ``valence`` filled in;
        a recording without a new rating keeps its values. Without `table`, the
        ratings themselves, with the columns ``corpus``, ``file``,
        ``activation`` and ``valence``, and NaN for missing ratings.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.
    CorpusError
        If the set is unknown, `path` holds none of its files, a file lacks a
        column, has a rating off the scale or two for a recording, or `table`
        has no corpus that the set rates.
    TypeError
        If `table` is not a DataFrame.

    Warns
    -----
    CorpusWarning
        If recordings of a rated corpus have no rating. There is one warning for
        all.

    See Also
    --------
    circumplex : Typical ratings of an emotion, for corpora without ratings.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg & L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition
       and Embedding Across Low-resource Languages", 2022, arXiv:2203.14867.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import load_annotations
    >>> speech = pd.DataFrame({"corpus": ["urdu"], "path": ["Happy/SF1_F6_H06.wav"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     csv = "filename,activation ,valence\nSF1_F6_H06.wav,4,3.5\n"
    ...     _ = (Path(folder) / "URDU.csv").write_text(csv)
    ...     speech = load_annotations("das2022", folder, speech)
    >>> speech[["activation", "valence"]]
       activation  valence
    0         4.0      3.5
    """
    annotations = name if isinstance(name, AnnotationSet) else _find_set(name)
    if table is not None:
        _check_table(table, annotations)
    ratings = _collect(annotations, path)
    if table is None:
        return ratings[["corpus", "file", *_RATINGS]]
    table, notes = _join(table, ratings, annotations)
    if notes:
        warnings.warn(
            f"{annotations.name!r} in {path} has no rating of activation and valence for "
            f"{'; '.join(notes)}.",
            CorpusWarning,
            stacklevel=2,
        )
    return table
