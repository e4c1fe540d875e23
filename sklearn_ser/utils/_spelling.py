r"""Make text chosen by others safe for tables, terminals and web pages.

Tables that are written for people are opened in spreadsheets, which take a cell that begins
with ``=``, ``+``, ``-``, ``@``, a tab or a line break for a formula, and read by programs that
insist on UTF-8, which names of files need not be. In all tables of this package

* a text that would be a formula gets an apostrophe before it: ``=A1`` is ``'=A1``, and ``'=A1``
  is ``''=A1``;
* a byte that is not UTF-8 is spelled as Python spells it, 0xE9 as ``\udce9``, a carriage return
  as ``\u000d`` and a NUL as ``\u0000``. Where a name has such a spelling as plain letters, the
  backslashes before it are doubled.

Both can be undone without loss. Numbers stay as they are.
"""

import re

__all__ = ["from_cell", "from_cells", "harmless", "to_cell", "to_cells", "visible"]

# Full-width signs begin a formula too, where they are what a keyboard writes.
_FORMULA = re.compile("'*[-=+@\t\r\n\uff0d\uff1d\uff0b\uff20]")
_APOSTROPHES = re.compile("'+[-=+@\t\r\n\uff0d\uff1d\uff0b\uff20]")

_LETTERS = "u(?:d[89a-f][0-9a-f]{2}|000d|0000)"
_SPELLED = re.compile(rf"(\\+)({_LETTERS})")
_TO_SPELL = re.compile(rf"(\\*)([\ud800-\udfff\r\0])|{_SPELLED.pattern}")


def _spell(match):
    slashes, letter, more_slashes, letters = match.groups()
    if letter is None:
        return 2 * more_slashes + letters
    return rf"{2 * slashes}\u{ord(letter):04x}"


def _read(match):
    slashes, letters = match.groups()
    kept = slashes[: len(slashes) // 2]
    return kept + (chr(int(letters[1:], 16)) if len(slashes) % 2 else letters)


def visible(text):
    r"""Escape characters that cannot be written as UTF-8 or would end a row.

    Parameters
    ----------
    text : str
        Text of any origin.

    Returns
    -------
    text : str
        Without bytes that are not UTF-8, carriage returns and NULs.

    Examples
    --------
    >>> visible("caf\udce9.wav")
    'caf\\udce9.wav'
    """
    return _TO_SPELL.sub(_spell, text)


def to_cell(value):
    r"""Escape a string so that spreadsheets take it for text and all programs can read it.

    Parameters
    ----------
    value : object
        Anything but text is returned as it is.

    Examples
    --------
    >>> to_cell("=1+1"), to_cell("'=1+1"), to_cell("it's 1+1"), to_cell(-0.5)
    ("'=1+1", "''=1+1", "it's 1+1", -0.5)
    """
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(value):
    """Undo `to_cell`.

    Examples
    --------
    >>> from_cell("'=1+1"), from_cell("''=1+1"), from_cell("it's 1+1")
    ('=1+1', "'=1+1", "it's 1+1")
    """
    if not isinstance(value, str):
        return value
    text = value[1:] if _APOSTROPHES.match(value) else value
    return _SPELLED.sub(_read, text)


def to_cells(table):
    """Apply `to_cell` to all strings of a table and to the names of its columns.

    Parameters
    ----------
    table : DataFrame
        It is not changed.
    """
    table = table.rename(columns=to_cell)
    for i, (_, column) in enumerate(table.items()):
        if column.dtype.kind == "O":
            table.isetitem(i, column.astype(object).map(to_cell))
    return table


def from_cells(table):
    """Undo `to_cells`.

    Parameters
    ----------
    table : DataFrame
        As it is read from a file. It is not changed.
    """
    table = table.rename(columns=from_cell)
    for i, (_, column) in enumerate(table.items()):
        if column.dtype.kind != "O":
            continue
        values = column.to_numpy(dtype=object)
        changed = {
            k: text
            for k, value in enumerate(values)
            if isinstance(value, str) and (text := from_cell(value)) != value
        }
        if changed:
            # Not by map: its result may be kept as UTF-8, which names of files need not be.
            column = column.astype(object)
            for k, text in changed.items():
                column.iat[k] = text
            table.isetitem(i, column)
    return table


def harmless(text, *, keep=""):
    r"""Return text without characters that could control a terminal or hide in a page.

    Bytes that are not UTF-8 are escaped, so that different names look different.

    Parameters
    ----------
    text : str
        Text of any origin.
    keep : str
        Characters to keep, such as line breaks.

    Returns
    -------
    text : str
        Control and other invisible characters are replaced by a visible mark.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in keep
        else rf"\u{ord(letter):04x}"
        if "\ud800" <= letter <= "\udfff"
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
