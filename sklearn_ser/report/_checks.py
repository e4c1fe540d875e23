"""Check the structure of facts and tables that were read from files."""

import pandas as pd

from sklearn_ser.report._columns import COLUMNS, NUMBERS, SHARES, TEXT

__all__ = ["check_agreement", "check_run", "check_table"]

_KEYS = ("versions", "platform", "settings", "corpora", "methods", "warnings", "seconds")
# The entries of lists, and the type of each value in an entry.
_LISTS = {
    "corpora": {"name": str, "emotions": dict},
    "methods": {"name": str, "seeds": dict},
    "warnings": {"about": str, "detail": str},
}


def _is_number(value):
    # Excludes infinite numbers, and numbers too large to show.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15


def _check_entries(run, key):
    """Return what is wrong with the entries of a list of facts; None if nothing is."""
    for entry in run[key]:
        for inner, type_ in _LISTS[key].items():
            if not isinstance(entry, dict) or not isinstance(entry.get(inner), type_):
                return f"has an entry without {inner} among its {key}"
    return None


def check_run(run):
    """Return what is wrong with the facts of an evaluation, in words; None if nothing is."""
    absent = [key for key in _KEYS if key not in run]
    if absent:
        return f"has no {', '.join(absent)}"
    for key in _KEYS:
        kind = list if key in _LISTS else dict
        if not isinstance(run[key], kind):
            return f"has something other than a {kind.__name__} as {key}"
        if kind is list and (problem := _check_entries(run, key)):
            return problem
    for warning in run["warnings"]:
        warning.setdefault("kind", "")
    confidence = run["settings"].get("confidence")
    numbers = {
        "seconds": run["seconds"].values(),
        "speakers": [corpus.get("speakers", 0) for corpus in run["corpora"]],
        "confidence": [confidence],
    }
    for key, values in numbers.items():
        if not all(map(_is_number, values)):
            return f"has something other than numbers as {key}"
    if not 0 < confidence < 1:
        return f"has {confidence} as confidence, expected a number between 0 and 1"
    tables = run.get("tables", {})
    if not isinstance(tables, dict) or not all(isinstance(d, str) for d in tables.values()):
        return "has something other than digests as tables"
    return None


def _to_numbers(column):
    """Return a column of texts as numbers; None if one of them is not a number."""
    try:
        numbers = pd.to_numeric(column)
    except (ValueError, TypeError, OverflowError):
        return None
    return numbers if numbers.dtype.kind in "biuf" else None


def check_table(table, name):
    """Convert texts to numbers, and check the table.

    Parameters
    ----------
    table : DataFrame
        Texts; changed in place.
    name : str
        The name of the expected table.

    Returns
    -------
    table : DataFrame
    problem : str or None
        What is wrong, in words.
    """
    absent = [column for column in COLUMNS[name] if column not in table]
    if absent:
        return table, f"has no column {', '.join(absent)}"
    if table.empty:
        return table, "has no rows"
    for column in table.columns.difference(TEXT, sort=False):
        numbers = _to_numbers(table[column])
        if numbers is not None:
            table[column] = numbers
        elif column in COLUMNS[name] or column in NUMBERS:
            return table, f"has something other than numbers in {column}"
    for column, needed in SHARES.get(name, {}).items():
        values = table[column]
        if not values.between(0, 1).where(values.notna(), not needed).all():
            return table, f"has something other than numbers from 0 to 1 in {column}"
    for column in ("speaker", "sex"):
        if column in table:
            table[column] = table[column].astype(object).where(table[column] != "", None)
    return table, None


def check_agreement(run, tables):
    """Return a contradiction between tables and facts, in words; None if there is none."""
    scores, means = tables["scores"], tables["means"]
    methods, corpora = set(scores["method"]), set(scores["corpus"])
    places = {
        "method": methods,
        "against": methods,
        "corpus": {*corpora, "mean"},
        "trained_on": corpora,
        "tested_on": corpora,
    }
    for name, table in tables.items():
        for column, known in places.items():
            if table is None or column not in table:
                continue
            strange = sorted(set(table[column]) - known)
            if strange:
                return f"has {column} {strange[0]!r} in {name}.csv, but not in scores.csv"
    keys = {
        "scores": ["method", "corpus"],
        "means": ["method"],
        "comparisons": ["method", "corpus"],
        "transfer": ["method", "trained_on", "tested_on"],
        "calibration": ["method", "corpus"],
        "groups": ["method", "by", "corpus", "group"],
    }
    for name, columns in keys.items():
        table = tables[name]
        if table is not None and table.duplicated(columns).any():
            return f"has two rows for the same {' and '.join(columns)} in {name}.csv"
    if set(means["method"]) != methods:
        return "has other methods in means.csv than in scores.csv"
    for key, found in (("methods", methods), ("corpora", corpora)):
        missing = sorted(found - {entry["name"] for entry in run[key]})
        if missing:
            return f"has {missing[0]!r} in scores.csv, but not among the {key} of run.json"
    return None
