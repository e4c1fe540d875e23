"""The table of scores that the command line prints."""

import math
import textwrap

from sklearn_ser.utils._palette import BLACK, COLOURS
from sklearn_ser.utils._spelling import harmless
from sklearn_ser.utils._words import format_difference, format_interval, format_p, format_score

# Shorter than the notes on p-values, and explained below the table.
_SHORT = {"too few speakers to tell": "too few", "the interval includes 0": "unclear"}

_ACROSS = (
    "UAR is the mean recall over the emotions of the held-out corpus; chance is the UAR of "
    "guessing among them. No label of the held-out corpus was used; all its recordings were "
    "predicted as one batch. The interval applies to other speakers of the same corpora; fewer "
    "than five speakers give none."
)
_WITHIN = (
    "UAR is the mean recall over the emotions; chance is the UAR of guessing among them. No label "
    "of a held-out speaker was used; the recordings of all speakers that are held out together, a "
    "tenth of them at most where there are more than ten, were predicted as one batch. The "
    "interval applies to other speakers of the same corpus; fewer than five speakers give none."
)


def _interval(row):
    return format_interval(row["uar_low"], row["uar_high"])


def _interval_title(record):
    return f"{record.run['settings']['confidence']:.0%} interval"


_MARKER = "\N{BLACK CIRCLE}"


def _paints(methods):
    """Return the cell of each method with a marker, and the one with its colour in figures."""
    paints = {}
    for number, name in enumerate(methods):
        colour = COLOURS[number % len(COLOURS)]
        red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
        # Black would be lost on a dark screen: the colour of the text takes its place.
        begin = "" if colour == BLACK else f"\x1b[38;2;{red};{green};{blue}m"
        paints[f"{_MARKER} {harmless(name)}"] = f"{begin}{_MARKER}\x1b[0m {harmless(name)}"
    return paints


def _lay_out(columns, groups, *, text, paints=None):
    """Return lines for groups of rows, with a rule between the groups.

    Parameters
    ----------
    columns : list of str
        Titles.
    groups : list of list of list of str
        Cells of each row of each group.
    text : set of str
        The columns to align to the left.
    paints : dict of str to str, default=None
        Cells, and what replaces them without a change of the width.
    """
    groups = [[[harmless(cell) for cell in row] for row in group] for group in groups]
    rows = [columns, *(row for group in groups for row in group)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]

    def line(row):
        cells = [
            cell.ljust(width) if title in text else cell.rjust(width)
            for title, cell, width in zip(columns, row, widths, strict=True)
        ]
        painted = [
            padded.replace(cell, paints[cell]) if paints and cell in paints else padded
            for cell, padded in zip(row, cells, strict=True)
        ]
        return "  ".join(painted).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [line(columns)]
    for group in groups:
        lines += [rule, *map(line, group)]
    return "\n".join(lines)


def _single(record):
    """Return the table of one method: a row for each corpus."""
    columns = ["held out", "language", "recordings", "speakers"]
    columns += ["UAR", _interval_title(record), "accuracy", "chance"]
    rows = [
        [
            str(row["corpus"]),
            row.get("language") or "?",
            str(row["n_test"]),
            str(row["n_speakers"] or "?"),
            format_score(row["uar"]),
            _interval(row),
            format_score(row["accuracy"]),
            format_score(row["chance"]),
        ]
        for row in record.scores.to_dict("records")
    ]
    [mean] = record.means.to_dict("records")
    last = ["mean", "", "", "", format_score(mean["uar"]), _interval(mean)]
    last += [format_score(mean["accuracy"]), format_score(record.scores["chance"].mean())]
    # The mean over one corpus is its score.
    groups = [rows, [last]] if len(rows) > 1 else [rows]
    return _lay_out(columns, groups, text={"held out", "language"})


def _corpora(record):
    """Return the table of the corpora, without scores."""
    columns = ["held out", "language", "recordings", "speakers", "chance"]
    rows = [
        [
            str(row["corpus"]),
            row.get("language") or "?",
            str(row["n_test"]),
            str(row["n_speakers"] or "?"),
            format_score(row["chance"]),
        ]
        for row in record.scores.drop_duplicates("corpus").to_dict("records")
    ]
    return _lay_out(columns, [rows], text={"held out", "language"})


def _several(record, *, coloured):
    """Return the table of several methods: for each corpus a row for each method."""
    lead = f"{_MARKER} " if coloured else ""
    first = record.methods[0]
    columns = ["held out", "method", "UAR", _interval_title(record), "accuracy"]
    columns += [f"vs {first}", "p"]
    compared = record.comparisons.set_index(["corpus", "method"])
    compared = compared[["difference", "p_adjusted", "p_note"]]
    tables = [rows for _, rows in record.scores.groupby("corpus", sort=False)]
    groups = []
    for table in (*tables, record.means) if len(tables) > 1 else tables:
        group = []
        for row in table.to_dict("records"):
            key = row["corpus"], row["method"]
            none = math.nan, math.nan, ""
            difference, p, note = compared.loc[key] if key in compared.index else none
            cells = ["" if group else str(row["corpus"]), f"{lead}{row['method']}"]
            cells += [format_score(row["uar"]), _interval(row), format_score(row["accuracy"])]
            cells += [format_difference(difference), _SHORT.get(note, note) or format_p(p)]
            group.append(cells)
        groups.append(group)
    paints = _paints(record.methods) if coloured else None
    return _lay_out(columns, groups, text={"held out", "method"}, paints=paints)


def format_scores(record, *, coloured=False):
    """Lay out the table of scores, with the means over corpora as its last rows.

    Parameters
    ----------
    record : EvaluationRecord
        The results.
    coloured : bool, default=False
        Whether methods have a marker in the colour of the figures, as a control sequence.

    Returns
    -------
    text : str
        Without other control characters. One table for one method; for several a table of the
        corpora and one of scores.
    """
    if len(record.methods) == 1:
        return _single(record)
    return f"{_corpora(record)}\n\n{_several(record, coloured=coloured)}"


def format_legend(record):
    """Explain the table in words."""
    described = {method["name"]: method["description"] for method in record.run["methods"]}
    first, *others = described
    of_speakers = record.run["settings"].get("held out") == "speakers"
    held_out = "Speakers are held out in turn" if of_speakers else "Each corpus in turn is held out"
    if others:
        notes = [
            f"{held_out} and the others train each method:",
            *(f"  {name}: {description}." for name, description in described.items()),
        ]
    else:
        notes = [f"{held_out} and the others train {first}: {described[first]}."]
    notes.append(_WITHIN if of_speakers else _ACROSS)
    if len(record.comparisons):
        notes.append(
            f"p is the p-value of a permutation test against {first}, by speakers, adjusted for "
            f"the number of methods (Holm)."
        )
        noted = set(record.comparisons["p_note"]) - {""}
        notes += [f"{short}: {note}." for note, short in _SHORT.items() if note in noted]
    if record.run["notice"]:
        notes.append(record.run["notice"])
    return "\n".join(
        textwrap.fill(note, 79, subsequent_indent=" " * 4 * note.startswith("  ")) for note in notes
    )
