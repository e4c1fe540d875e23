"""``sklearn-ser info``: describe a saved model."""

import json
from pathlib import Path

from sklearn_ser.cli._arguments import add_command, add_common
from sklearn_ser.utils._spelling import harmless


def add_info(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "info",
        _run,
        "Show what a model was trained on, with which versions, and its scores. The model itself "
        "is not loaded.",
        """
        sklearn-ser info model.skops
        sklearn-ser info model.skops --json
        """,
    )
    command.add_argument("model", metavar="MODEL", type=Path, help="a file in .skops")
    command.add_argument("--json", action="store_true", help="print JSON for other programs")
    add_common(command)


# Largest width of a column, as a file of unknown origin may have titles of any length.
_WIDEST = 60


def _in_words(value):
    """Return a plain value as text."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "none"
    if isinstance(value, (list, dict)) and not value:
        return "none"
    if isinstance(value, list) and not any(isinstance(one, (list, dict)) for one in value):
        return ", ".join(map(_in_words, value))
    return json.dumps(value, ensure_ascii=False)


def _as_text(value):
    """Return a plain value in one line, without characters that could control a terminal."""
    return harmless(_in_words(value))


def _table(rows):
    """Yield the lines of a table: the keys, then one line for each dict."""
    lines = [[_as_text(cell) for cell in line] for line in (rows[0], *(r.values() for r in rows))]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _is_table(value):
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, dict) and row.keys() == value[0].keys() for row in value)
        and bool(value[0])
    )


def _lines(facts):
    """Yield the lines that show a dict of plain values."""
    width = min(_WIDEST, max(map(len, map(_as_text, facts)), default=0))
    for title, fact in facts.items():
        title = _as_text(title)
        if (isinstance(fact, dict) and fact) or _is_table(fact):
            yield f"{title}:"
            inside = _lines(fact) if isinstance(fact, dict) else _table(fact)
            yield from (f"  {line}" for line in inside)
        else:
            yield f"{title.ljust(width)}  {_as_text(fact)}"


def _run(args):
    """Print the card of a model."""
    from sklearn_ser.persistence import model_card

    header = model_card(args.model)
    if args.json:
        print(json.dumps(header, indent=2))
        return
    print("\n".join(_lines({**header["card"], **{k: header[k] for k in ("saved", "versions")}})))
