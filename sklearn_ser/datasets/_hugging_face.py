"""Load a dataset of the Hugging Face library as a table of recordings."""

import hashlib
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_ser.datasets._base import COLUMNS, as_text
from sklearn_ser.datasets._custom import read_table
from sklearn_ser.datasets._database import SCHEMES
from sklearn_ser.datasets._paths import file_of
from sklearn_ser.exceptions import CorpusError, CorpusWarning
from sklearn_ser.utils._files import replacing
from sklearn_ser.utils._messages import plain

__all__ = ["load_hugging_face"]

# Names that datasets on the hub give the columns, besides those of audformat's schemes.
_NAMES = {"emotion": ("emotion", "label"), **SCHEMES}

_LONGEST_NAME = 80

# Hexadecimal digits of the digest of a recording in its name.
_DIGITS = 10

# Builders of the library that make a dataset of files; it is not their name.
_BUILDERS = ("audiofolder", "csv", "generator", "json", "pandas", "parquet", "text")


def _check_dataset(dataset):
    from datasets import Dataset, DatasetDict

    if isinstance(dataset, DatasetDict) and dataset:
        splits = list(dataset)
        raise TypeError(
            f"dataset has several splits, {', '.join(map(repr, splits))}. Pass one of them, "
            f"dataset[{splits[0]!r}], or datasets.concatenate_datasets([...])."
        )
    if not isinstance(dataset, Dataset):
        raise TypeError(
            f"dataset is {type(dataset).__name__}; expected a datasets.Dataset, which "
            f"datasets.load_dataset(..., split=...) returns without streaming=True."
        )


def _audio_column(dataset, columns):
    """Return the name of the column of recordings."""
    from datasets import Audio

    if "path" in columns:
        return columns["path"]
    found = [name for name, feature in dataset.features.items() if isinstance(feature, Audio)]
    if len(found) != 1:
        has = f"has {len(found)} columns of audio" if found else "has no column of audio"
        raise CorpusError(
            f"The dataset {has}; its columns are: {', '.join(dataset.features)}. Name the one with "
            f"the recordings, columns={{'path': ...}}."
        )
    return found[0]


def _sources(dataset, columns):
    """Return the column of the dataset for each column of the table that it has."""
    chosen = {"path": _audio_column(dataset, columns)}
    for column, names in _NAMES.items():
        known = [name for name in names if name in dataset.features]
        if column in columns:
            chosen[column] = columns[column]
        elif known:
            chosen[column] = known[0]
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise ValueError(
            f"columns has the key {unknown[0]!r}; expected columns of the table: "
            f"{', '.join(COLUMNS)}."
        )
    absent = [name for name in chosen.values() if name not in dataset.features]
    if absent or "emotion" not in chosen:
        problem = f"no column {absent[0]!r}" if absent else "no column 'emotion' or 'label'"
        raise CorpusError(
            f"The dataset has {problem}; its columns are: {', '.join(dataset.features)}. Name them "
            f"by columns=, for example columns={{'emotion': 'label'}}."
        )
    return chosen


def _labels(dataset, name):
    """Return the entries of a column, codes of classes as their names."""
    feature = dataset.features[name]
    values = pd.Series(list(dataset.select_columns([name])[name]), dtype=object)
    if hasattr(feature, "int2str"):
        # -1 stands for no label where a split has none.
        names = [None if code is None or code < 0 else feature.int2str(code) for code in values]
        return pd.Series(names, dtype=object)
    return values


def _file_name(position, path, content):
    """Return a name for a recording of which the dataset has the bytes."""
    # Splits have other recordings at the same positions, often of the same names.
    digest = hashlib.sha256(content).hexdigest()[:_DIGITS]
    stem = re.sub(r"[^\w.-]", "_", os.path.basename(path or ""), flags=re.ASCII)
    return f"{position:06}_{digest}{'_' if stem else '.wav'}{stem[-_LONGEST_NAME:]}"


def _write(file, content):
    """Write a recording, unless the file has this content already."""
    if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
        return
    with replacing(file, "wb", sync=False) as new:
        new.write(content)


def _place(position, recording, folder):
    """Return the path of a recording, and write it there if the dataset has its bytes."""
    path, content = recording.get("path"), recording.get("bytes")
    if content is None:
        if path and os.path.isfile(file_of(path)):
            return os.path.abspath(path)
        raise CorpusError(
            f"Recording {position} of the dataset has no content and its file {plain(path)!r} does "
            f"not exist here. Load the dataset on a machine that has its files."
        )
    if folder is None:
        raise CorpusError(
            "The dataset holds the recordings themselves, not files; extractors read files. Name "
            "a folder to write them to, folder=."
        )
    file = folder / _file_name(position, path, content)
    _write(file, content)
    return str(file)


def _paths(dataset, name, folder):
    from datasets import Audio

    if folder is not None:
        folder = Path(os.path.abspath(Path(folder).expanduser()))
        folder.mkdir(parents=True, exist_ok=True)
    recordings = dataset.select_columns([name])
    if isinstance(dataset.features[name], Audio):
        # Undecoded: the library would decode each recording, and needs further packages for it.
        recordings = recordings.cast_column(name, Audio(decode=False))
    paths = []
    # Row by row: a column as a whole would have all recordings in memory.
    for position, row in enumerate(recordings):
        recording = row[name]
        if isinstance(recording, str):
            recording = {"path": recording}
        if not isinstance(recording, dict):
            raise CorpusError(
                f"Column {name!r} of the dataset holds {type(recording).__name__}; expected audio, "
                f"or paths."
            )
        paths.append(_place(position, recording, folder))
    return paths


def _name_of(dataset):
    info = getattr(dataset, "info", None)
    names = [getattr(info, name, None) for name in ("dataset_name", "builder_name")]
    return next((name for name in names if name and name not in _BUILDERS), None)


def load_hugging_face(
    dataset,
    *,
    folder=None,
    columns=None,
    corpus=None,
    language=None,
    mapping=None,
    emotions=None,
):
    """Load recordings of a dataset of the Hugging Face library ``datasets``.

    Labels that are codes of classes (``ClassLabel``) become their names. Columns are recognised by
    their names: ``emotion`` or ``label``, ``speaker``, ``gender`` or ``sex``, ``language``,
    ``activation`` or ``arousal``, ``valence``, ``dominance``, ``sentence`` or ``transcription``,
    ``intensity``, ``session`` and ``corpus``. No recording is decoded. This needs
    ``pip install 'sklearn-ser[hugging-face]'``.

    Parameters
    ----------
    dataset : datasets.Dataset
        One split, from ``datasets.load_dataset(..., split="train")`` or ``load_from_disk``.
    folder : str or path-like, optional
        Where to write recordings that the dataset holds as bytes, one file each, as most datasets
        of the hub do. Created if necessary; files that are there already are not written again,
        and none is replaced by another recording, so all splits may go to the same folder. Not
        needed if the dataset names files.
    columns : dict from str to str, optional
        Columns of the dataset by columns of the table, where their names differ: ``{"emotion":
        "major_emotion", "speaker": "actor_id"}``. ``"path"`` is the column of audio.
    corpus : str, optional
        Name of the corpus; by default the column ``corpus``, or else the name of the dataset.
    language : str, optional
        Language of the rows that state none, as a BCP 47 tag such as ``"de"``.
    mapping : dict from str to str or None, optional
        Emotions for labels other than the words that :func:`load_folder` knows; None leaves rows
        out. A key that is not a label of the dataset is an error.
    emotions : sequence of str, optional
        Emotions to keep; by default all.

    Returns
    -------
    table : DataFrame
        One row per recording, in the given order; columns as in :func:`load_corpus`. Paths are
        absolute.

    Raises
    ------
    TypeError
        If `dataset` has several splits, is streamed, or is something else.
    CorpusError
        If there is no column of audio or emotions, a recording has neither bytes nor a file, bytes
        have no `folder` to go to, or for labels as in :func:`load_table`.
    ImportError
        If the package datasets is not installed.

    Warns
    -----
    CorpusWarning
        As in :func:`load_table`.

    See Also
    --------
    load_table : For a table of your own.

    Notes
    -----
    One recording at a time is in memory. Rows without a label are left out.

    Examples
    --------
    >>> import datasets  # doctest: +SKIP
    >>> dataset = datasets.load_dataset("user/speech", split="train")  # doctest: +SKIP
    >>> speech = load_hugging_face(dataset, folder="recordings")  # doctest: +SKIP
    """
    _import_datasets()
    _check_dataset(dataset)
    chosen = _sources(dataset, dict(columns or {}))
    rows = pd.DataFrame(
        {column: _labels(dataset, name) for column, name in chosen.items() if column != "path"}
    )
    kept = rows["emotion"].notna().to_numpy()
    if not kept.any():
        raise CorpusError(f"No row of the dataset has a label in {chosen['emotion']!r}.")
    rows = rows[kept].reset_index(drop=True)
    if corpus is None and "corpus" not in rows:
        corpus = _name_of(dataset)
        if corpus is None:
            raise CorpusError("The dataset has no name; name the corpus with corpus=.")
    labelled = dataset if kept.all() else dataset.select(np.flatnonzero(kept))
    rows["path"] = as_text(_paths(labelled, chosen["path"], folder))
    if "sex" in rows:
        rows["sex"] = rows["sex"].where(rows["sex"].notna(), None)
    table, notes = read_table(
        rows, corpus=corpus, language=language, mapping=mapping, emotions=emotions
    )
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    return table


def _import_datasets():
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Datasets of Hugging Face need the package datasets: "
            "pip install 'sklearn-ser[hugging-face]'"
        ) from error
