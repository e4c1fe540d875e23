"""The tables of the page as CSV and LaTeX, inside the page."""

import base64
from typing import NamedTuple

import pandas as pd

from sklearn_ser.report._latex import latex_table
from sklearn_ser.report._tables import score_table
from sklearn_ser.utils._spelling import to_cells, visible

__all__ = ["Export", "exports", "scores_latex"]

# In bytes. Larger ones would make the page heavy; they are in the folder of results.
_LARGEST = 300_000


class Export(NamedTuple):
    """A table for other programs.

    Parameters
    ----------
    name : str
        The name of the files, without suffix.
    csv, latex : str
        Data URIs; empty where the table is too large.
    """

    name: str
    csv: str
    latex: str


def _uri(kind, text):
    content = visible(text).encode("utf-8", "backslashreplace") if kind != "text/csv" else text
    if len(content) > _LARGEST:
        return ""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(content).decode('ascii')}"


def _csv(table):
    return to_cells(table).to_csv(index=False, float_format="%.6g").encode()


def _with(value, *details):
    """Return a cell with what stands below it on the page."""
    told = ", ".join(filter(None, details))
    return f"{value} ({told})" if told else value


def _scores(table, confidence):
    rows = [
        [
            row["name"],
            *(_with(cell["value"], cell["spread"], cell["detail"]) for cell in row["cells"]),
        ]
        for row in table["rows"]
    ]
    return latex_table(
        ["Method", *table["columns"]],
        [("", rows), ("", [["chance", *table["chance"]]])],
        caption=f"UAR on each held-out corpus, and its {confidence} interval over speakers.",
        label="scores",
    )


def scores_latex(record):
    """Return the table of scores for LaTeX."""
    return _scores(score_table(record), f"{record.run['settings']['confidence']:.0%}")


def _comparisons(table, confidence):
    rows = [
        [row["name"], *(_with(c["value"], c["detail"], c["p"]) for c in row["cells"])]
        for row in table["rows"]
    ]
    titles = map(_with, table["columns"], table["notes"])
    return latex_table(
        ["Method", *titles],
        [("", rows)],
        caption=f"UAR minus the UAR of {table['against']}, its {confidence} interval, and p of a "
        f"permutation test by speakers, adjusted for the number of methods (Holm).",
        label="comparisons",
    )


def _grouped(columns, groups, **named):
    """Return a table whose rows have a name and cells, which may have details."""

    def text(cell):
        if not isinstance(cell, dict):
            return cell
        return _with(cell["value"], cell.get("detail"), cell.get("p"))

    return latex_table(
        columns,
        [
            (group["title"], [[row["name"], *map(text, row["cells"])] for row in group["rows"]])
            for group in groups
        ],
        **named,
    )


def _confusions(table):
    groups = [
        {
            "title": f"{method['name']}, {corpus['name']} held out",
            "rows": [
                {"name": row["name"], "cells": [cell["value"] or "–" for cell in row["cells"]]}
                for row in corpus["rows"]
            ],
        }
        for method in table["methods"]
        for corpus in method["corpora"]
    ]
    caption = "Answers in percent of the recordings of an emotion (rows)."
    return _grouped(
        ["True emotion", *table["columns"]], groups, caption=caption, label="confusions"
    )


def _listed(names, rows, caption, label):
    cells = [[str(row[name]) for name in names] for row in rows]
    titles = [name.replace("_", " ") for name in names]
    return latex_table(titles, [("", cells)], caption=caption, label=label)


def _tables_of_all(record, tables, confidence):
    """Return a table and its LaTeX for what each record has."""
    both = pd.concat([record.scores, record.means], ignore_index=True)
    counts = record.predictions.groupby(
        ["method", "corpus", "repeat", "y_true", "y_pred"], sort=False
    )
    corpora = tables["corpora"]
    details = ["Method", "UAR", "Accuracy", "Macro F1", "Learnt from", "Tested on", "Training (s)"]
    recalls = _grouped(
        ["Method", *tables["recalls"]["columns"]],
        tables["recalls"]["groups"],
        caption=f"Recall of each emotion, and its {confidence} interval over speakers.",
        label="recalls",
    )
    names = ["name", "language", "recordings", "speakers", "licence"]
    return {
        "scores": (both, _scores(tables["scores"], confidence)),
        "details": (
            record.scores,
            _grouped(details, tables["details"], caption="Other scores.", label="details"),
        ),
        "recalls": (record.recalls, recalls),
        "confusions": (counts.size().reset_index(name="n"), _confusions(tables["confusions"])),
        "corpora": (
            pd.DataFrame(corpora).drop(columns="link"),
            _listed(names, corpora, "The evaluated corpora.", "corpora"),
        ),
    }


def _tables_of_some(record, tables, confidence):
    """Return a table and its LaTeX for what only some records have."""
    made, missed = {}, tables["missed"]["shown"]
    if missed:
        caption = "Recordings that no method recognises."
        names = ["path", "corpus", "y_true", "taken_for"]
        latex = _listed(names, missed, caption, "missed")
        # As objects: columns of strings are kept as UTF-8, which names of files need not be.
        made["missed"] = pd.DataFrame(missed, dtype=object), latex
    if tables["comparisons"]:
        made["comparisons"] = record.comparisons, _comparisons(tables["comparisons"], confidence)
    for groups in tables["groups"]:
        by = groups["by"]
        made[f"groups-{by}"] = (
            record.groups[record.groups["by"] == by],
            _grouped(
                ["Method", *groups["columns"]],
                groups["groups"],
                caption=f"UAR by {by}, and its {confidence} interval over speakers.",
                label=f"groups-{by}",
            ),
        )
    if tables["calibration"]:
        made["calibration"] = (
            record.calibration,
            _grouped(
                ["Method", *tables["calibration"]["columns"]],
                [{"title": "", "rows": tables["calibration"]["rows"]}],
                caption="Brier score and expected calibration error.",
                label="calibration",
            ),
        )
    return made


def exports(record, tables, confidence):
    """Return the tables of the page for other programs.

    Parameters
    ----------
    record : EvaluationRecord
        The results, from which CSV is written with six digits.
    tables : dict
        The tables of the page, as LaTeX shows them.
    confidence : str
        The confidence of the intervals in percent.

    Returns
    -------
    exports : dict of str to Export
        By the names of the tables.
    """
    made = _tables_of_all(record, tables, confidence)
    made |= _tables_of_some(record, tables, confidence)
    return {
        name: Export(name, _uri("text/csv", _csv(table)), _uri("application/x-tex", latex))
        for name, (table, latex) in made.items()
    }
