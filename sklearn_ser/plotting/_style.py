"""Colours, markers and axes that all displays share."""

from typing import NamedTuple

import numpy as np

from sklearn_ser.utils._optional import require_extra
from sklearn_ser.utils._palette import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
)
from sklearn_ser.utils._spelling import harmless

GREY = "#8C8C8C"
LINES = ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)), (0, (2, 1)), (0, (8, 3)), (0, (1, 3)))

# Longer names are no longer readable in a figure.
_LONGEST_NAME = 24


class Style(NamedTuple):
    """Style of one of several things in a figure.

    Parameters
    ----------
    colour : str
        Colour of lines and of the inside of markers, whose edges are black.
    marker : str
        Shape of the marker, different for things of the same colour.
    line : str or tuple
        A line style of matplotlib.
    """

    colour: str
    marker: str
    line: str | tuple


# An emotion has the same style in all figures, regardless of the others in them.
EMOTION_STYLES = {
    "anger": Style(VERMILLION, "^", LINES[0]),
    "boredom": Style(GREY, "X", LINES[6]),
    "calm": Style(SKY, "v", LINES[5]),
    "disgust": Style(GREEN, "D", LINES[3]),
    "fear": Style(PURPLE, "P", LINES[4]),
    "happiness": Style(ORANGE, "o", LINES[1]),
    "neutral": Style(BLACK, "p", LINES[2]),
    "other": Style("#C8C8C8", ".", LINES[7]),
    "sadness": Style(BLUE, "s", LINES[1]),
    "surprise": Style(YELLOW, "*", LINES[0]),
}


def numbered_style(number):
    """Return the style of the thing with this number, counted from 0."""
    return Style(
        COLOURS[number % len(COLOURS)],
        MARKERS[number % len(MARKERS)],
        LINES[number % len(LINES)],
    )


def styles_by_name(names):
    """Return a style for each name; emotions have fixed ones."""
    if all(name in EMOTION_STYLES for name in names):
        return {name: EMOTION_STYLES[name] for name in names}
    return {name: numbered_style(number) for number, name in enumerate(names)}


def import_pyplot():
    """Return the module ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    require_extra("plot")
    import matplotlib.pyplot as plt

    return plt


def printable(name):
    """Return a name as text that matplotlib draws literally, shortened in the middle if long."""
    text = harmless(str(name))
    if len(text) > _LONGEST_NAME:
        half = (_LONGEST_NAME - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    # matplotlib reads text between dollars as a formula, and leaves names that begin with an
    # underscore out of legends.
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def width_of(text, *, points=10):
    """Return the width of drawn text in inches."""
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=points).get_extents().width / 72 if text.strip() else 0.0


def make_axes(ax, n_rows, n_cols, *, size, share_x=False, share_y=False):
    """Return the figure and a grid of axes to draw in.

    Parameters
    ----------
    ax : None, Axes or array-like of Axes
        None makes a new figure; a single Axes is divided; several are used as they are.
    n_rows, n_cols : int
        The grid.
    size : tuple of float
        Width and height of a new figure in inches.
    share_x, share_y : bool
        Whether new axes have common limits and ticks.

    Returns
    -------
    figure : Figure
    axes : ndarray of Axes of shape (n_rows, n_cols)

    Raises
    ------
    ValueError
        If the number of axes is wrong.
    """
    plt = import_pyplot()
    grid = {"sharex": share_x, "sharey": share_y, "squeeze": False}
    if ax is None:
        figure = plt.figure(figsize=size, layout="constrained")
        return figure, figure.subplots(n_rows, n_cols, **grid)
    if np.ndim(ax) == 0:
        if n_rows * n_cols == 1:
            return ax.figure, np.array([[ax]])
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                f"ax must come from subplots to be divided into {n_rows * n_cols}; this one was "
                f"placed by hand. Pass None or {n_rows * n_cols} axes."
            )
        ax.set_axis_off()
        return ax.figure, place.subgridspec(n_rows, n_cols).subplots(**grid)
    axes = np.ravel(ax)
    if axes.size != n_rows * n_cols:
        raise ValueError(
            f"ax has {axes.size} axes, but {n_rows * n_cols} are needed ({n_rows} rows of "
            f"{n_cols}). Pass that many, a single one to be divided, or None."
        )
    return axes[0].figure, axes.reshape(n_rows, n_cols)


def grid_of(n_panels, ax):
    """Return the numbers of rows and columns of panels; several axes passed are one row."""
    if ax is not None and np.ndim(ax):
        return 1, n_panels
    n_cols = 2 if n_panels == 4 else min(n_panels, 3)
    return -(-n_panels // n_cols), n_cols


def use_first(grid, n_panels):
    """Return the first `n_panels` axes of a grid, row by row; hide the others."""
    for spare in grid.ravel()[n_panels:]:
        spare.set_axis_off()
    return grid.ravel()[:n_panels]


def lightness(colour):
    """Return the perceived lightness of a colour (CIE L*), from 0 (black) to 1 (white)."""
    from matplotlib.colors import to_rgb

    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    ]
    luminance = np.dot([0.2126, 0.7152, 0.0722], linear)
    return float(1.16 * np.cbrt(luminance) - 0.16) if luminance > 0.008856 else 9.033 * luminance


def draw_matrix(ax, values, *, cmap, low, high, texts):
    """Draw a matrix in colours, with a text in each cell.

    Parameters
    ----------
    ax : Axes
        The axes to draw in.
    values : ndarray of shape (n_rows, n_cols)
        The values; NaN is drawn in grey.
    cmap : str or Colormap
        Colours from `low` to `high`.
    low, high : float
        The ends of the colours.
    texts : ndarray of str of shape (n_rows, n_cols)
        The text of each cell.

    Returns
    -------
    image : AxesImage
    """
    ax.set_facecolor("#E8E8E8")
    image = ax.imshow(np.ma.masked_invalid(values), cmap=cmap, vmin=low, vmax=high, aspect="equal")
    size = 9 if len(values) <= 5 else 8 if len(values) <= 7 else 7
    for (row, column), text in np.ndenumerate(texts):
        value = values[row, column]
        # Equal steps of L* look equally large: black or white, the one further away.
        dark = np.isfinite(value) and lightness(image.cmap(image.norm(value))[:3]) < 0.5
        ax.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=size,
            color="white" if dark else "black",
        )
    ax.set_xticks(range(values.shape[1]))
    ax.set_yticks(range(values.shape[0]))
    ax.tick_params(length=0)
    return image
