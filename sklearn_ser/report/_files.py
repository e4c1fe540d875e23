"""Store an evaluation in a folder: tables as CSV, everything else as JSON."""

import contextlib
import hashlib
import io
import json
from pathlib import Path

import pandas as pd

from sklearn_ser.exceptions import ResultsError
from sklearn_ser.report._checks import check_agreement, check_run, check_table
from sklearn_ser.report._columns import COLUMNS, OPTIONAL
from sklearn_ser.utils._files import NewFile
from sklearn_ser.utils._spelling import from_cells, to_cells

__all__ = ["FORMAT", "read_folder", "write_folder"]

# Increased whenever an older version would misread what a newer one writes. 2: texts in tables
# are spelled so that spreadsheets do not take them for formulas, and run.json has digests.
FORMAT = 2

_RUN = "run.json"
# Far more than the facts of any evaluation need.
_MAX_RUN = 2**26


def write_folder(folder, run, tables):
    """Write tables and facts; existing files stay until all new ones are complete.

    The facts, which hold the digests of the tables, take their name last. If the process ends
    before that, `read_folder` either reads the earlier evaluation or refuses the folder.

    Parameters
    ----------
    folder : str or path-like
        Created if missing. Files of an earlier evaluation in it are replaced.
    run : dict
        Plain values.
    tables : dict of str to DataFrame or None
        By file name; None and optional tables without rows have no file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is a file, expected a folder to write to.")
    contents = {
        name: to_cells(table).to_csv(index=False).encode()
        for name, table in tables.items()
        if table is not None and not (name in OPTIONAL and table.empty)
    }
    facts = {"format": FORMAT, **run, "tables": {k: _digest(v) for k, v in contents.items()}}
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        new = []
        # Names that are not UTF-8 are escaped in JSON, and restored when it is read.
        run_json = text.encode("utf-8", "backslashreplace")
        for name, content in {**contents, "run": run_json}.items():
            place = folder / (_RUN if name == "run" else f"{name}.csv")
            new.append(stack.enter_context(NewFile(place, "wb")))
            new[-1].file.write(content)
            new[-1].finish()
        for file in new:
            file.commit(sync=False)
    # Tables that the new facts do not mention would no longer be read.
    for name in tables.keys() - contents.keys():
        (folder / f"{name}.csv").unlink(missing_ok=True)


def _digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _wrong(path, problem):
    return ResultsError(
        f"{str(path)!r} {problem}. Expected a folder written by `sklearn-ser evaluate --out`; run "
        f"that again."
    )


def _no_constant(name):
    raise ValueError(f"{name} is not valid JSON")


def _read_run(path):
    """Return the facts, after checking their structure."""
    size = path.stat().st_size
    if size > _MAX_RUN:
        raise _wrong(path, f"has {size:,} bytes, more than {_MAX_RUN:,}")
    try:
        text = path.read_bytes().decode("utf-8")
        run = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"is not JSON ({error})") from error
    written = run.get("format") if isinstance(run, dict) else None
    if not isinstance(written, int):
        raise _wrong(path, "does not say which format it has")
    if written > FORMAT:
        by = run.get("versions")
        by = f" by sklearn-ser {by.get('sklearn-ser')}" if isinstance(by, dict) and by else ""
        raise ResultsError(
            f"{str(path)!r} has format {written}, written{by}; this version reads formats up to "
            f"{FORMAT}. Update sklearn-ser, or evaluate again."
        )
    if problem := check_run(run):
        raise _wrong(path, problem)
    return run


def _read_verified(path, expected):
    """Return the content of a table, after checking that it is the one that was written."""
    with path.open("rb") as file:
        got = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if expected is not None and got != expected:
            raise ResultsError(
                f"{str(path)!r} is not the table that {_RUN} beside it was written with: its "
                f"digest is {got}, expected {expected}. Either an evaluation that wrote to this "
                f"folder was interrupted, or the table was changed. Evaluate again; if the change "
                f'is intended, remove the entry "tables" from {_RUN}.'
            )
        file.seek(0)
        return file.read()


def _read_table(path, name, run):
    """Return a table, with text columns as text and number columns as numbers."""
    try:
        content = _read_verified(path, run.get("tables", {}).get(name))
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    except ResultsError:
        raise
    except (ValueError, OverflowError, MemoryError) as error:
        raise _wrong(path, f"is not a table ({str(error).strip()})") from error
    if run["format"] > 1:
        table = from_cells(table)
    table, problem = check_table(table, name)
    if problem:
        raise _wrong(path, problem)
    return table


def read_folder(folder):
    """Read a folder written by `write_folder`.

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
    ResultsError
        If a file is damaged or of a newer format, or the files are of several evaluations.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{str(folder)!r} is a file, expected a folder written by `sklearn-ser evaluate --out`."
        )
    paths = {name: folder / f"{name}.csv" for name in COLUMNS}
    required = [folder / _RUN, *(path for name, path in paths.items() if name not in OPTIONAL)]
    _check_there(required, folder)
    run = _read_run(folder / _RUN)
    if "tables" in run:
        # Other files belong to an earlier evaluation, or to something else.
        wanted = {*run["tables"], *COLUMNS} - set(OPTIONAL).difference(run["tables"])
        paths = {name: path for name, path in paths.items() if name in wanted}
        _check_there(paths.values(), folder)
    tables = dict.fromkeys(COLUMNS)
    for name, path in paths.items():
        if path.is_file():
            tables[name] = _read_table(path, name, run)
    if problem := check_agreement(run, tables):
        raise _wrong(folder, problem)
    return run, tables


def _check_there(paths, folder):
    absent = [path.name for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f"{str(folder)!r} has no {', '.join(absent)}; expected a folder written by "
            f"`sklearn-ser evaluate --out`."
        )
