"""The markers of methods in figures, as shapes for the page."""

from typing import NamedTuple

from sklearn_ser.utils._palette import COLOURS, MARKERS

__all__ = ["Mark", "mark_of"]

# The shapes of matplotlib, in a square from -5 to 5.
_SHAPES = {
    "o": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "s": "M-4-4h8v8h-8z",
    "^": "M0-4.5L4.5 4h-9z",
    "D": "M0-5L5 0L0 5L-5 0z",
    "v": "M0 4.5L4.5-4h-9z",
    "P": "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
    "X": "M-2.4-4.5L0-2.1L2.4-4.5L4.5-2.4L2.1 0L4.5 2.4L2.4 4.5L0 2.1L-2.4 4.5L-4.5 2.4L-2.1 0"
    "L-4.5-2.4z",
    "<": "M-4.5 0L4-4.5v9z",
    ">": "M4.5 0L-4-4.5v9z",
    "p": "M0-4.8L4.6-1.5L2.8 3.9h-5.6L-4.6-1.5z",
    "*": "M0-5L1.2-1.6H4.8L1.9.6L2.9 4L0 2L-2.9 4L-1.9.6L-4.8-1.6H-1.2z",
}


class Mark(NamedTuple):
    """The marker of a method.

    Parameters
    ----------
    id : str
        Its name in the page.
    colour, shape : str
        The colour of the inside, and the outline as a path of SVG.
    """

    id: str
    colour: str
    shape: str


def mark_of(number):
    """Return the marker of the method with this number, counted from 0."""
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    return Mark(f"mark-{number}", colour, _SHAPES[marker])
