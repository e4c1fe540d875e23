"""Plots of an evaluation, as images embedded in the report."""

import base64
import contextlib
import io
import warnings
from typing import NamedTuple

from sklearn_ser.plotting import ReliabilityDisplay, TransferMatrixDisplay, UARDisplay

__all__ = ["Picture", "reliability_picture", "score_picture", "transfer_pictures"]

# Pixels on the page for an inch of a figure.
_PIXELS = 96


class Picture(NamedTuple):
    """An image and its description.

    Parameters
    ----------
    source : str
        A data URI.
    description : str
        The alternative text.
    width, height : int
        In pixels.
    """

    source: str
    description: str
    width: int
    height: int


@contextlib.contextmanager
def _drawing():
    """Draw with the defaults of matplotlib, not the user's settings, and show nothing."""
    import matplotlib.pyplot as plt

    # Letters as outlines: readers need no font, and a name in a picture cannot be markup. Equal
    # pictures have equal bytes only if the ids inside have the same salt.
    options = {"svg.fonttype": "path", "svg.hashsalt": "sklearn-ser"}
    with (
        plt.ioff(),
        plt.style.context("default"),
        plt.rc_context(options),
        warnings.catch_warnings(),
    ):
        # A name may be in a script that matplotlib's font lacks; the tables show it.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def _as_picture(display):
    import matplotlib.pyplot as plt

    figure, file = display.figure_, io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    encoded = base64.b64encode(file.getvalue()).decode("ascii")
    width, height = (round(_PIXELS * inches) for inches in figure.get_size_inches())
    return Picture(f"data:image/svg+xml;base64,{encoded}", display.describe(), width, height)


def score_picture(record):
    """Draw the UAR of all methods on all corpora, with intervals."""
    scores = record.scores.astype({"corpus": str})
    columns = ["corpus", "uar", "uar_low", "uar_high"]
    tables = {}
    for method in record.methods:
        rows, mean = (table[table["method"] == method] for table in (scores, record.means))
        tables[method] = rows[columns].to_dict("list")
        # The mean over one corpus is its score.
        for column in columns if len(record.corpora) > 1 else ():
            tables[method][column] += mean[column].tolist()
    with _drawing():
        display = UARDisplay(
            tables,
            chance=scores.groupby("corpus")["chance"].first().to_dict(),
            confidence=record.run["settings"]["confidence"],
        )
        return _as_picture(display.plot())


def reliability_picture(record):
    """Draw accuracy by confidence for the methods with probabilities; None if there are none."""
    if record.calibration is None:
        return None
    predictions = record.predictions
    tables = {name: predictions[predictions["method"] == name] for name in record.methods}
    with _drawing():
        return _as_picture(ReliabilityDisplay.from_results(tables))


def transfer_pictures(record):
    """Draw the transfer matrix of each method that has one; return a dict of pictures."""
    if record.transfer is None:
        return {}
    pictures = {}
    for method, cells in record.transfer.groupby("method", sort=False):
        matrix = cells.astype({"trained_on": str, "tested_on": str}).pivot(
            index="trained_on", columns="tested_on", values="uar"
        )
        with _drawing():
            pictures[method] = _as_picture(TransferMatrixDisplay(matrix).plot())
    return pictures
