"""Find what separates the columns of a table that people have written."""

from collections import Counter

__all__ = ["named_columns", "repeated_columns", "separator_of", "separators_that_fit"]

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def _cells(header, separator):
    return {cell.strip().strip('"').casefold() for cell in header.split(separator)}


def separators_that_fit(header, wanted):
    """Return the names of separators that leave some of the wanted columns in a header."""
    return [
        name
        for separator, name in _SEPARATORS.items()
        if len(cells := _cells(header, separator)) > 1 and cells & set(wanted)
    ]


def separator_of(path, wanted):
    """Return the character that separates the columns of a file, judged by its first line.

    Spreadsheets of many countries write semicolons into .csv files, as the comma is their
    decimal point.

    Parameters
    ----------
    path : pathlib.Path
        A text file.
    wanted : collection of str
        Columns that it should have, in lower case.

    Returns
    -------
    separator : str
        The first one that leaves all these columns; a tab for other .tsv files, otherwise a
        comma.
    """
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        # A line of a file that is no table may be as long as the file.
        header = file.readline(1 << 16)
    for separator in dict.fromkeys((usual, *_SEPARATORS)):
        if set(wanted) <= _cells(header, separator):
            return separator
    return usual


def named_columns(columns, known):
    """Return new names for columns, by their old ones: without blanks, known ones in lower case.

    Parameters
    ----------
    columns : iterable of str
        The columns of a table.
    known : collection of str
        Names in lower case. ``Emotion`` becomes ``emotion``, unless there is such a column, or
        another that would become one.

    Examples
    --------
    >>> named_columns([" path", "Emotion", "Note"], {"path", "emotion"})
    {' path': 'path', 'Emotion': 'emotion', 'Note': 'Note'}
    """
    bare = {name: str(name).strip() for name in columns}
    taken = set(bare.values())
    candidates = Counter(text.casefold() for text in taken)
    return {
        name: text.casefold()
        if (folded := text.casefold()) in known and folded not in taken and candidates[folded] == 1
        else text
        for name, text in bare.items()
    }


def repeated_columns(columns, known):
    """Return the known columns that a table has more than once.

    Parameters
    ----------
    columns : iterable of str
        The columns of a table. In one that pandas has read from a file, the second column
        ``emotion`` is ``emotion.1``.
    known : iterable of str
        Names in lower case.

    Examples
    --------
    >>> repeated_columns(["path", "emotion", "emotion.1", "note", "note"], ["path", "emotion"])
    ['emotion']
    """
    counts = Counter(str(name).strip() for name in columns)
    return [name for name in known if counts[name] > 1 or (counts[name] and counts[f"{name}.1"])]
