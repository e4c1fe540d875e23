"""Write tables for LaTeX, with the rules of booktabs."""

import re

from sklearn_ser.utils._spelling import harmless

__all__ = ["escape", "latex_table"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    # The straight quote exists only in the encoding T1, and begins commands of babel.
    '"': r"\textquotedblright{}",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{EN DASH}": "--",
    "\N{NO-BREAK SPACE}": "~",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}
_TO_ESCAPE = re.compile("[" + re.escape("".join(_SPECIAL)) + "]")


def escape(text):
    r"""Return text that LaTeX prints as it is, in one line.

    Examples
    --------
    >>> print(escape("50% of a_b"))
    50\% of a\_b
    """
    return _TO_ESCAPE.sub(lambda match: _SPECIAL[match[0]], harmless(str(text)))


def _line(cells):
    # At the start of a line, a bracket or an asterisk would belong to the line break before it.
    cells = [f"{{{cell}}}" if cell[:1] in ("[", "*") else cell for cell in map(escape, cells)]
    return rf"    {' & '.join(cells)} \\"


def latex_table(columns, groups, *, caption, label):
    r"""Return a table as text.

    Parameters
    ----------
    columns : list of str
        Titles. The first column is aligned to the left, all others to the right.
    groups : list of (str, list of list of str)
        Titles of groups of rows, which may be empty, and their cells.
    caption, label : str
        As in ``\\caption`` and ``\\label``.

    Returns
    -------
    text : str
    """
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(caption)}}}",
        rf"  \label{{tab:{re.sub(r'[^a-z-]', '', label)}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
        r"    \toprule",
        _line(columns),
    ]
    for title, rows in groups:
        lines.append(r"    \midrule")
        if title:
            span = rf"\multicolumn{{{len(columns)}}}{{l}}{{\textit{{{escape(title)}}}}}"
            lines.append(rf"    {span} \\")
        lines += map(_line, rows)
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    return "\n".join([*lines, r"\end{table}", ""])
