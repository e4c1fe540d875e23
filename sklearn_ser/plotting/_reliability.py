"""Accuracy of predictions by their confidence."""

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._calibration import probabilities_of
from sklearn_ser.metrics import reliability_curve
from sklearn_ser.plotting._style import make_axes, numbered_style, printable, width_of
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._words import enumerate_words

_COLUMNS = ("n", "confidence", "accuracy")


class ReliabilityDisplay:
    """Reliability diagram: whether predictions are right as often as they are confident.

    A point is a bin of predictions, at their mean confidence and their accuracy; its area grows
    with the number of predictions. Points of calibrated probabilities lie on the diagonal, below
    it a method is overconfident.

    Create it with :meth:`from_results`, or from curves.

    Parameters
    ----------
    curves : dict of str to DataFrame
        For each method a table of :func:`~sklearn_ser.metrics.reliability_curve`.
    methods : sequence of str, default=None
        All methods of an evaluation in their order, so that a method has the marker of other
        figures although not all have probabilities. None means those of `curves`.

    Attributes
    ----------
    ax_ : Axes
        Its axes.
    figure_ : Figure
        Its figure.
    lines_ : dict of str to Line2D
        The line of each method.

    See Also
    --------
    sklearn_ser.metrics.expected_calibration_error : The mean distance from the diagonal.
    sklearn.calibration.CalibrationDisplay : For two classes, by the probability of one.

    Examples
    --------
    >>> from sklearn_ser.metrics import reliability_curve
    >>> from sklearn_ser.plotting import ReliabilityDisplay
    >>> curve = reliability_curve(["anger", "sadness"], [[0.9, 0.1], [0.7, 0.3]])
    >>> display = ReliabilityDisplay({"svm": curve}).plot()
    >>> display.ax_.get_xlabel()
    'confidence'
    >>> display.describe()
    'Accuracy by confidence of svm: 0 % at a confidence of 70 % and 100 % at 90 %.'
    """

    def __init__(self, curves, *, methods=None):
        self.curves = curves
        self.methods = methods

    @classmethod
    def from_results(cls, results, *, n_bins=10, ax=None):
        """Draw the calibration of evaluations, with the predictions of all corpora and repeats.

        Parameters
        ----------
        results : dict of str to CrossCorpusResult or DataFrame
            Results by method, or their tables of predictions. Methods without probabilities are
            left out.
        n_bins : int, default=10
            As in :func:`~sklearn_ser.metrics.reliability_curve`.
        ax : Axes, default=None
            As for :meth:`plot`.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        ValueError
            If no method has probabilities.
        """
        curves = {}
        for method, result in dict(results).items():
            y_true, y_proba, labels = probabilities_of(getattr(result, "predictions", result))
            if labels:
                curves[method] = reliability_curve(y_true, y_proba, labels=labels, n_bins=n_bins)
        return cls(curves, methods=[*results]).plot(ax=ax)

    def _checked(self):
        if not self.curves:
            raise ValueError("No method has probabilities; evaluate one with predict_proba.")
        for method, curve in self.curves.items():
            absent = [column for column in _COLUMNS if column not in pd.DataFrame(curve)]
            if absent:
                raise ValueError(
                    f"the curve of {plain(method)!r} has no column {plain(absent[0])!r}; pass a "
                    f"table of reliability_curve."
                )
        return {method: pd.DataFrame(curve) for method, curve in self.curves.items()}

    def plot(self, ax=None):
        """Draw the diagram.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; None makes a new figure.

        Returns
        -------
        display : ReliabilityDisplay
            The display itself.
        """
        curves = self._checked()
        order = [*(self.methods or curves)]
        order += [method for method in curves if method not in order]
        self.figure_, grid = make_axes(ax, 1, 1, size=(5.6, 5.8))
        self.ax_ = ax = grid[0, 0]
        ax.plot([0, 1], [0, 1], color="black", linestyle="dashed", linewidth=1, zorder=1)
        self.lines_ = {}
        for method, curve in curves.items():
            style = numbered_style(order.index(method))
            confidence, accuracy = curve["confidence"], curve["accuracy"]
            [line] = ax.plot(confidence, accuracy, color=style.colour, linewidth=1.2, zorder=2)
            share = curve["n"] / curve["n"].sum()
            ax.scatter(
                confidence,
                accuracy,
                s=20 + 160 * share,
                color=style.colour,
                marker=style.marker,
                edgecolors="black",
                linewidths=0.8,
                zorder=3,
                clip_on=False,
                label=printable(method),
            )
            self.lines_[method] = line
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy", aspect="equal")
        ax.grid(color="#E0E0E0", linewidth=0.8)
        ax.set_axisbelow(True)
        widest = max(width_of(printable(method)) for method in curves)
        n_columns = max(1, int((self.figure_.get_figwidth() - 0.8) / (widest + 0.75)))
        legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=n_columns, frameon=False)
        for handle in legend.legend_handles:
            handle.set_sizes([45])
        return self

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
        """
        parts = []
        for method, curve in self._checked().items():
            ends = curve.iloc[np.unique([0, len(curve) - 1])]
            points = [
                f"{row.accuracy:.0%} at {'a confidence of ' if not number else ''}"
                f"{row.confidence:.0%}".replace("%", " %")
                for number, row in enumerate(ends.itertuples())
            ]
            parts.append(f"{method}: {enumerate_words(points)}")
        return f"Accuracy by confidence of {'; '.join(parts)}."
