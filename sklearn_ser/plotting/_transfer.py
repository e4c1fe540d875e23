"""Scores of each training corpus on each test corpus."""

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._result import TITLES
from sklearn_ser.plotting._style import draw_matrix, make_axes, printable
from sklearn_ser.utils._words import count_of


class TransferMatrixDisplay:
    """Scores of training on one corpus and testing on another, as a matrix.

    Rows are training corpora, columns test corpora. On the framed diagonal both are the same
    corpus, with different speakers for training and test: the reference for what is lost by
    training elsewhere. Cells without a score are grey.

    Create it with :meth:`from_result`, or from a table.

    Parameters
    ----------
    matrix : DataFrame of shape (n_trained_on, n_tested_on)
        The scores, NaN where missing.
    metric : str, default="uar"
        Name of the scores; the label of the colour bar.

    Attributes
    ----------
    ax_ : Axes
        Its axes.
    figure_ : Figure
        Its figure.
    image_ : AxesImage
        The matrix.
    colorbar_ : Colorbar
        Its colours.

    See Also
    --------
    sklearn_ser.evaluation.transfer_matrix : Computes the scores.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.plotting import TransferMatrixDisplay
    >>> names = ["emodb", "urdu"]
    >>> matrix = pd.DataFrame([[0.8, 0.4], [0.5, 0.9]], index=names, columns=names)
    >>> display = TransferMatrixDisplay(matrix).plot()
    >>> [text.get_text() for text in display.ax_.texts]
    ['0.80', '0.40', '0.50', '0.90']
    """

    def __init__(self, matrix, *, metric="uar"):
        self.matrix = matrix
        self.metric = metric

    @classmethod
    def from_result(cls, result, *, metric=None, ax=None, cmap="Blues", low=0.0, high=1.0):
        """Draw the scores of :func:`~sklearn_ser.evaluation.transfer_matrix`.

        Parameters
        ----------
        result : TransferResult
            The result.
        metric : str, default=None
            One of ``result.metrics``; None takes the first: UAR, or CCC for a regressor.
        ax, cmap, low, high
            As for :meth:`plot`.

        Returns
        -------
        display : TransferMatrixDisplay
            The display.
        """
        metric = result.metrics[0] if metric is None else metric
        display = cls(result.table(metric), metric=metric)
        return display.plot(ax=ax, cmap=cmap, low=low, high=high)

    def _values(self):
        matrix = pd.DataFrame(self.matrix)
        if matrix.empty:
            raise ValueError("matrix is empty; it needs a row for each training corpus.")
        return matrix.to_numpy(dtype=float)

    def _title(self):
        return TITLES.get(self.metric, self.metric)

    def _within(self):
        """Return a mask of the cells with the same training and test corpus."""
        rows = np.asarray(self.matrix.index, dtype=object)[:, None]
        return rows == np.asarray(self.matrix.columns, dtype=object)

    def plot(self, ax=None, *, cmap="Blues", low=0.0, high=1.0):
        """Draw the matrix.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; None makes a new figure.
        cmap : str or Colormap, default="Blues"
            Colours; a map that gets steadily darker or lighter can be printed in grey.
        low, high : float, default=0.0 and 1.0
            The scores at the ends of the colours. The same ends make matrices comparable;
            chance and the highest score show more detail within one matrix.

        Returns
        -------
        display : TransferMatrixDisplay
            The display itself.
        """
        values = self._values()
        n_rows, n_cols = values.shape
        self.figure_, grid = make_axes(ax, 1, 1, size=(0.62 * n_cols + 2.6, 0.62 * n_rows + 1.4))
        self.ax_ = grid[0, 0]
        texts = np.vectorize(lambda cell: "–" if np.isnan(cell) else f"{cell:.2f}")(values)
        self.image_ = draw_matrix(self.ax_, values, cmap=cmap, low=low, high=high, texts=texts)
        for row, column in np.argwhere(self._within()):
            corners = 0.48 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) + (column, row)
            self.ax_.fill(*corners.T, fill=False, edgecolor="black", linewidth=2)
        self.ax_.set_yticklabels([printable(name) for name in self.matrix.index])
        self.ax_.set_xticklabels(
            [printable(name) for name in self.matrix.columns],
            rotation=45,
            ha="right",
            rotation_mode="anchor",
        )
        self.ax_.set(xlabel="tested on", ylabel="trained on")
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=self.ax_, label=self._title())
        return self

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The best and the worst pair, and the means on and off the diagonal.
        """
        values, within = self._values(), self._within()
        parts = []
        # The diagonal, where only the speakers are new, would raise the mean over unseen corpora.
        between = np.where(within, np.nan, values)
        if np.isfinite(between).any():
            ends = []
            for position in (np.nanargmin(between), np.nanargmax(between)):
                row, column = np.unravel_index(position, between.shape)
                pair = f"{self.matrix.index[row]} to {self.matrix.columns[column]}"
                ends.append(f"{between[row, column]:.2f} ({pair})")
            parts.append(f"from {ends[0]} to {ends[1]} and {np.nanmean(between):.2f} on average")
            parts[0] += " between different corpora"
        if np.isfinite(values[within]).any():
            parts.append(f"{np.nanmean(values[within]):.2f} on average within a corpus")
        return (
            f"{self._title()} of training on each of {count_of(len(values), 'corpus')} and testing "
            f"on each of {values.shape[1]}: {'; '.join(parts) or 'no scores'}."
        )
