"""The folder that an evaluation is kept in: tables as CSV, everything else as JSON."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_ser.report._comparisons import COMPARISON_COLUMNS

__all__ = ["FORMAT", "read_folder", "write_folder"]

# Raised whenever an older version would misread what a newer one writes.
FORMAT = 1

_RUN = "run.json"
_SCORES = ["method", "corpus", "uar", "uar_low", "uar_high", "interval_note"]

# What each table must have at least. The last two files may be absent.
_COLUMNS = {
    "scores": [*_SCORES, "chance", "accuracy", "macro_f1", "n_train", "n_test", "fit_time"],
    "means": _SCORES,
    "recalls": ["method", "corpus", "repeat", "label", "recall", "recall_low", "recall_high"],
    "predictions": ["path", "corpus", "method", "repeat", "y_true", "y_pred"],
    "comparisons": COMPARISON_COLUMNS,
    "transfer": ["method", "trained_on", "tested_on", "uar"],
}
_OPTIONAL = ("comparisons", "transfer")

# Words, whatever they look like: a corpus may be called "NA" or "1".
_TEXT = (
    "method",
    "against",
    "corpus",
    "language",
    "speaker",
    "sex",
    "path",
    "label",
    "y_true",
    "y_pred",
    "trained_on",
    "tested_on",
    "interval_note",
)
_KEYS = ("versions", "platform", "settings", "corpora", "methods", "warnings", "seconds")
# Their entries, and what each has.
_LISTS = {
    "corpora": {"name": str, "emotions": dict},
    "methods": {"name": str, "seeds": dict},
    "warnings": {"about": str, "detail": str},
}


def write_folder(folder, run, tables):
    """Write tables and facts.

    Parameters
    ----------
    folder : str or path-like
        Made if missing. What an earlier evaluation left there is replaced.
    run : dict
        Plain values.
    tables : dict of str to DataFrame or None
        By the names of their files; None and tables without rows leave no file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is a file, expected a folder to write to.")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, **run}, indent=2, ensure_ascii=False, allow_nan=False)
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        if table is None or (name in _OPTIONAL and table.empty):
            path.unlink(missing_ok=True)
        else:
            table.to_csv(path, index=False)
    (folder / _RUN).write_text(text + "\n", encoding="utf-8")


def _wrong(path, problem):
    return ValueError(
        f"{str(path)!r} {problem}. Expected is a folder as `sklearn-ser evaluate --out` writes it; "
        f"run that again."
    )


def _read_run(path):
    """Return the facts, once they are known to be of the expected shape."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"is no JSON ({error})") from None
    written = run.get("format") if isinstance(run, dict) else None
    if not isinstance(written, int):
        raise _wrong(path, "does not say which format it has")
    if written > FORMAT:
        by = run.get("versions")
        by = f" by sklearn-ser {by['sklearn-ser']}" if isinstance(by, dict) and by else ""
        raise ValueError(
            f"{str(path)!r} has format {written}, written{by}; this version reads formats up to "
            f"{FORMAT}. Update sklearn-ser, or evaluate again."
        )
    absent = [key for key in _KEYS if key not in run]
    if absent:
        raise _wrong(path, f"has no {', '.join(absent)}")
    for key in _KEYS:
        kind = list if key in _LISTS else dict
        if not isinstance(run[key], kind):
            raise _wrong(path, f"has something else than a {kind.__name__} as {key}")
        for entry in run[key] if kind is list else ():
            for inner, type_ in _LISTS[key].items():
                if not isinstance(entry, dict) or not isinstance(entry.get(inner), type_):
                    raise _wrong(path, f"has an entry without {inner} among its {key}")
    speakers = [corpus.get("speakers", 0) for corpus in run["corpora"]]
    numbers = {
        "seconds": run["seconds"].values(),
        "speakers": speakers,
        "confidence": [run["settings"].get("confidence")],
    }
    for key, values in numbers.items():
        if not all(isinstance(value, (int, float)) for value in values):
            raise _wrong(path, f"has something else than numbers as {key}")
    return run


def _read_table(path, name):
    """Return a table with words as words and numbers as numbers."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise _wrong(path, f"is no table ({error})") from None
    absent = [column for column in _COLUMNS[name] if column not in table]
    if absent:
        raise _wrong(path, f"has no column {', '.join(absent)}")
    if table.empty:
        raise _wrong(path, "has no rows")
    for column in table:
        if column not in _TEXT:
            try:
                table[column] = pd.to_numeric(table[column].replace("", np.nan))
            except (ValueError, TypeError):
                # A column that somebody added, unless scores depend on it.
                if column in _COLUMNS[name]:
                    raise _wrong(path, f"has something else than numbers in {column}") from None
    for column in ("speaker", "sex"):
        if column in table:
            table[column] = table[column].astype(object).where(table[column] != "", None)
    return table


def read_folder(folder):
    """Read what `write_folder` wrote.

    Parameters
    ----------
    folder : str or path-like
        The folder.

    Returns
    -------
    run : dict
    tables : dict of str to DataFrame or None

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder, or a file is missing.
    ValueError
        If a file is damaged or of a newer format.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{str(folder)!r} is a file; expected the folder that `sklearn-ser evaluate --out` "
            f"wrote."
        )
    required = [_RUN, *(f"{name}.csv" for name in _COLUMNS if name not in _OPTIONAL)]
    absent = [name for name in required if not (folder / name).is_file()]
    if absent:
        raise FileNotFoundError(
            f"{str(folder)!r} has no {', '.join(absent)}; expected a folder as `sklearn-ser "
            f"evaluate --out` writes it."
        )
    run = _read_run(folder / _RUN)
    paths = {name: folder / f"{name}.csv" for name in _COLUMNS}
    tables = {
        name: _read_table(path, name) if path.is_file() else None for name, path in paths.items()
    }
    return run, tables
