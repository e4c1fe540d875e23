"""Confusion matrices, one for each corpus."""

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_consistent_length

from sklearn_ser.metrics._sums import confusion_sums, uar_of
from sklearn_ser.plotting._style import (
    draw_matrix,
    grid_of,
    make_axes,
    printable,
    use_first,
    width_of,
)
from sklearn_ser.utils._identities import encode_ids
from sklearn_ser.utils._labels import encode_labels
from sklearn_ser.utils._words import count_of, enumerate_words

_INCHES = 0.36  # of a cell
_BESIDE = 0.5  # inches, for the numbers to the right of a matrix


def _recalls(counts):
    """Return the shares of each row; NaN in rows without recordings."""
    totals = counts.sum(axis=1).to_numpy()[:, None]
    return np.divide(counts.to_numpy(), totals, out=np.full(counts.shape, np.nan), where=totals > 0)


def _uar(counts):
    return uar_of(confusion_sums(counts.to_numpy()))


def _check_labels(labels, *seen):
    """Return the labels in the order of drawing."""
    known = np.unique(np.concatenate(seen)).tolist()
    if labels is None:
        return known
    labels = list(labels)
    left_out = [label for label in known if label not in labels]
    if left_out:
        raise ValueError(
            f"labels lacks {left_out}, which occur in the truth or the predictions. Add them, or "
            f"drop their recordings."
        )
    return labels


def _describe_corpus(corpus, counts):
    recalls = pd.Series(np.diag(_recalls(counts)), index=counts.index).dropna()
    text = f"{corpus} has a UAR of {_uar(counts):.2f}"
    best, worst = recalls.idxmax(), recalls.idxmin()
    if recalls[best] > recalls[worst]:
        text += (
            f", with recalls from {recalls[worst]:.0%} ({worst}) to {recalls[best]:.0%} ({best})"
        )
    mistakes = counts.loc[worst].drop(worst)
    if mistakes.max() > 0:
        text += f", and {worst} is mostly mistaken for {mistakes.idxmax()}"
    return text


class CorpusConfusionDisplay:
    """Confusion matrices, one for each corpus, in percent of the true emotion.

    Rows are the true and columns the predicted emotions, in percent of the recordings of
    the row, whose number is to its right. Emotions that a corpus lacks are grey. The
    diagonal is the recall; its mean is the UAR in the title.

    Create it with :meth:`from_predictions` or :meth:`from_result`.

    Parameters
    ----------
    counts : dict of str to DataFrame
        The numbers of recordings for each corpus, with the true emotions in rows and the
        predicted ones in columns, and the same labels in the same order everywhere.

    Attributes
    ----------
    axes_ : ndarray of Axes
        One for each corpus.
    figure_ : Figure
        Their figure.
    colorbar_ : Colorbar
        The colour bar of all matrices.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : A single matrix.

    Examples
    --------
    >>> from sklearn_ser.plotting import CorpusConfusionDisplay
    >>> display = CorpusConfusionDisplay.from_predictions(
    ...     ["anger", "anger", "neutral", "anger", "neutral", "neutral"],
    ...     ["anger", "neutral", "neutral", "anger", "anger", "neutral"],
    ...     corpus=["emodb", "emodb", "emodb", "urdu", "urdu", "urdu"],
    ... )
    >>> [ax.get_title() for ax in display.axes_]
    ['emodb: UAR 0.75', 'urdu: UAR 0.75']
    """

    def __init__(self, counts):
        self.counts = counts

    @classmethod
    def from_predictions(cls, y_true, y_pred, corpus, *, labels=None, ax=None, cmap="Blues"):
        """Count and draw predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            The true emotions.
        y_pred : array-like of shape (n_samples,)
            The predicted emotions.
        corpus : array-like of shape (n_samples,)
            The corpus of each recording.
        labels : sequence of str, default=None
            All emotions in the order of drawing; None sorts them.
        ax : Axes or array-like of Axes, default=None
            As for :meth:`plot`.
        cmap : str or Colormap, default="Blues"
            As for :meth:`plot`.

        Returns
        -------
        display : CorpusConfusionDisplay
            The display.

        Raises
        ------
        ValueError
            If lengths differ, there are gaps, or `labels` lacks a label.
        """
        return cls(cls._count(y_true, y_pred, corpus, labels)).plot(ax=ax, cmap=cmap)

    @classmethod
    def from_result(cls, result, *, labels=None, ax=None, cmap="Blues"):
        """Count and draw the predictions of an evaluation.

        Parameters
        ----------
        result : CrossCorpusResult
            The result of a classifier. With several repeats, counts are averaged.
        labels : sequence of str, default=None
            As for :meth:`from_predictions`.
        ax : Axes or array-like of Axes, default=None
            As for :meth:`plot`.
        cmap : str or Colormap, default="Blues"
            As for :meth:`plot`.

        Returns
        -------
        display : CorpusConfusionDisplay
            The display.
        """
        table = result.predictions
        counts = cls._count(table["y_true"], table["y_pred"], table["corpus"], labels)
        n_repeats = table["repeat"].nunique() if "repeat" in table else 1
        # Repeats predict the same recordings again: their sum would show more than there are.
        counts = {corpus: matrix / n_repeats for corpus, matrix in counts.items()}
        return cls(counts).plot(ax=ax, cmap=cmap)

    @staticmethod
    def _count(y_true, y_pred, corpus, labels):
        check_consistent_length(y_true, y_pred, corpus)
        corpora, codes = encode_ids(corpus, name="corpus")
        truth, true_codes = encode_labels(y_true, name="y_true", beside=y_pred)
        predicted, predicted_codes = encode_labels(y_pred, name="y_pred", beside=y_true)
        y_true, y_pred = truth[true_codes], predicted[predicted_codes]
        labels = _check_labels(labels, truth, predicted)
        return {
            corpus: pd.DataFrame(
                confusion_matrix(y_true[codes == code], y_pred[codes == code], labels=labels),
                index=pd.Index(labels, name="true"),
                columns=pd.Index(labels, name="predicted"),
            )
            for code, corpus in enumerate(corpora.tolist())
        }

    def plot(self, ax=None, *, cmap="Blues"):
        """Draw the matrices.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
            One for each corpus, or a single one to be divided; None makes a new figure.
        cmap : str or Colormap, default="Blues"
            Colours from 0 to 100 %.

        Returns
        -------
        display : CorpusConfusionDisplay
            The display itself.
        """
        n_corpora = len(self.counts)
        labels = next(iter(self.counts.values())).index
        n_rows, n_cols = grid_of(n_corpora, ax)
        side = _INCHES * len(labels)
        panel = max(side + _BESIDE, *(width_of(printable(name)) + 0.15 for name in self.counts))
        names = 0.08 * min(20, max(len(str(label)) for label in labels))
        titles = [self._title(corpus) for corpus in self.counts]
        above = 0.35 + 0.2 * any("\n" in title for title in titles)
        size = (n_cols * panel + names + 1.5, n_rows * (side + above) + 0.7 * names + 0.5)
        self.figure_, grid = make_axes(ax, n_rows, n_cols, size=size)
        self.axes_ = use_first(grid, n_corpora)
        for position, counts in enumerate(self.counts.values()):
            image = self._draw_counts(self.axes_[position], counts, cmap)
            self.axes_[position].set_title(titles[position], fontsize="medium")
            if position % n_cols:
                self.axes_[position].set_yticklabels([])
            else:
                self.axes_[position].set_ylabel("true")
            if position + n_cols < n_corpora:
                self.axes_[position].set_xticklabels([])
            else:
                self.axes_[position].set_xlabel("predicted")
        self.colorbar_ = self.figure_.colorbar(
            image, ax=[*grid.ravel()], label="% of the true emotion", shrink=0.8, aspect=30
        )
        if ax is None and panel > side + _BESIDE:
            # The layout makes room for titles above squares in wide panels only when run twice.
            self.figure_.draw_without_rendering()
        return self

    def _title(self, corpus):
        """Return the title of a matrix, in two lines if it is wider than the matrix."""
        counts = self.counts[corpus]
        name, uar = printable(corpus), f"UAR {_uar(counts):.2f}"
        title = f"{name}: {uar}"
        fits = width_of(title) <= _INCHES * len(counts) + _BESIDE
        return title if fits else f"{name}\n{uar}"

    @staticmethod
    def _draw_counts(ax, counts, cmap):
        percent = 100 * _recalls(counts)
        texts = np.vectorize(lambda cell: "" if np.isnan(cell) else f"{cell:.0f}")(percent)
        image = draw_matrix(ax, percent, cmap=cmap, low=0, high=100, texts=texts)
        names = [printable(label) for label in counts.index]
        ax.set_xticklabels(names, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticklabels(names)
        for row, total in enumerate(counts.sum(axis=1)):
            ax.annotate(
                f"n={total:.0f}",
                (1, row),
                xytext=(3, 0),
                xycoords=ax.get_yaxis_transform(),
                textcoords="offset points",
                va="center",
                fontsize=7,
                color="#555555",
            )
        return image

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The UAR of each corpus, its best and worst recall, and the commonest mistake.
        """
        details = "; ".join(
            _describe_corpus(corpus, counts) for corpus, counts in self.counts.items()
        )
        names = enumerate_words(self.counts)
        noun = "matrix" if len(self.counts) == 1 else "matrices"
        return f"Confusion {noun} of {count_of(len(self.counts), 'corpus')}, {names}: {details}."
