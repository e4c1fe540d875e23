"""Training curves."""

import numpy as np
import pandas as pd

from sklearn_ser.plotting._style import (
    BLUE,
    VERMILLION,
    grid_of,
    make_axes,
    numbered_style,
    use_first,
)
from sklearn_ser.utils._models import parts_from_last
from sklearn_ser.utils._words import count_of, enumerate_words

_VALIDATION, _WEIGHT = "validation_", "_weight"
# Values after the last epoch, which have no curve.
_FINAL = "final_"
_NO_TERMS = ("epoch", "duration")


def _holder_of_history(estimator):
    """Return the part of an estimator that was trained epoch by epoch."""
    for part in parts_from_last(estimator):
        if getattr(part, "history_", None):
            return part
    raise TypeError(
        f"{estimator!r} has no history_. Pass a fitted autoencoder of sklearn_ser, a pipeline that "
        f"contains one, or a search over one."
    )


def _describe_course(name, values):
    values = values.dropna()
    if values.empty:
        return f"{name} is undefined"
    first, last = f"{values.iloc[0]:.3g}", f"{values.iloc[-1]:.3g}"
    return f"{name} is {first}" if values.nunique() == 1 else f"{name} goes from {first} to {last}"


class TrainingCurvesDisplay:
    """Every term of a loss over the epochs, and the weights of the terms.

    The loss and each of its terms have a panel, with the training rows (solid) and, with
    ``early_stopping``, the held-out rows (dashed). A last panel shows the weights of the terms,
    such as the annealed weight of the divergence of a VAE. A vertical line marks the epoch
    whose network was kept, if it was not the last.

    Create it with :meth:`from_estimator`, or from a history.

    Parameters
    ----------
    history : list of dict
        One entry for each epoch, as in ``history_`` of the autoencoders: ``epoch``, the
        terms by name, ``<term>_weight``, and all terms as ``validation_<term>``.
    best_epoch : int, default=None
        The epoch to mark.

    Attributes
    ----------
    axes_ : dict of str to Axes
        The panels by the name of the term, or of another number that the history has for each
        epoch, such as ``"active_units"``; ``"weights"`` for the last.
    figure_ : Figure
        Their figure.
    lines_ : dict of str to Line2D
        The curves by their names in the history.

    See Also
    --------
    sklearn_ser.estimators.KLAnnealedVAE : Its history has a weight that changes.

    Examples
    --------
    >>> from sklearn_ser.plotting import TrainingCurvesDisplay
    >>> history = [
    ...     {"epoch": 1, "loss": 1.0, "reconstruction": 1.0, "kl": 5.0, "kl_weight": 0.0},
    ...     {"epoch": 2, "loss": 0.9, "reconstruction": 0.5, "kl": 0.8, "kl_weight": 0.5},
    ... ]
    >>> display = TrainingCurvesDisplay(history).plot()
    >>> [*display.axes_]
    ['loss', 'reconstruction', 'kl', 'weights']
    """

    def __init__(self, history, *, best_epoch=None):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, log=False):
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator object
            A fitted autoencoder or network, a pipeline that contains one, or a search over one.
        ax : Axes or array-like of Axes, default=None
            As for :meth:`plot`.
        log : bool, default=False
            As for :meth:`plot`.

        Returns
        -------
        display : TrainingCurvesDisplay
            The display.

        Raises
        ------
        TypeError
            If `estimator` has no ``history_``.
        """
        part = _holder_of_history(estimator)
        return cls(part.history_, best_epoch=getattr(part, "best_epoch_", None)).plot(ax, log=log)

    def _table(self):
        """Return the history with epochs as index."""
        if not len(self.history):
            raise ValueError("history is empty; it needs an entry for at least one epoch.")
        table = pd.DataFrame(list(self.history))
        if "epoch" not in table:
            table["epoch"] = np.arange(1, len(table) + 1)
        return table.set_index("epoch")

    @staticmethod
    def _terms(table):
        """Return the names of the terms, and of the terms that have weights."""
        weighted = [
            name.removesuffix(_WEIGHT)
            for name in table
            if name.endswith(_WEIGHT) and name.removesuffix(_WEIGHT) in table
        ]
        weights = {f"{name}{_WEIGHT}" for name in weighted}
        terms = [
            name
            for name in table
            if name not in weights
            and name not in _NO_TERMS
            and not name.startswith((_VALIDATION, _FINAL))
            and pd.api.types.is_numeric_dtype(table[name])
        ]
        return terms, weighted

    def plot(self, ax=None, *, log=False):
        """Draw the panels.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
            One for each term and one for the weights if there are any, or a single one to be
            divided; None makes a new figure.
        log : bool, default=False
            Whether to use a logarithmic scale for losses, where values of 0 and below are not
            drawn.

        Returns
        -------
        display : TrainingCurvesDisplay
            The display itself.
        """
        table = self._table()
        terms, weighted = self._terms(table)
        panels = [*terms, *(["weights"] if weighted else [])]
        n_rows, n_cols = grid_of(len(panels), ax)
        size = (3.1 * n_cols + 0.3, 2.5 * n_rows + 0.2)
        self.figure_, grid = make_axes(ax, n_rows, n_cols, size=size)
        self.axes_ = dict(zip(panels, use_first(grid, len(panels)), strict=True))
        self.lines_ = {}
        for term in terms:
            self._draw_term(self.axes_[term], table, term, log)
        if weighted:
            self._draw_weights(self.axes_["weights"], table, weighted)
        for position, (name, axes) in enumerate(self.axes_.items()):
            axes.set_title(name, fontsize="medium")
            axes.grid(color="#E0E0E0", linewidth=0.8)
            axes.xaxis.get_major_locator().set_params(integer=True)
            if position + n_cols >= len(panels):
                axes.set_xlabel("epoch")
            if self.best_epoch and self.best_epoch != table.index[-1]:
                axes.axvline(self.best_epoch, color="black", linewidth=0.8, linestyle=":")
        return self

    def _draw_term(self, ax, table, term, log):
        marker = {"marker": "o"} if len(table) == 1 else {}
        (self.lines_[term],) = ax.plot(table[term], color=BLUE, label="training", **marker)
        held_out = _VALIDATION + term
        if held_out in table:
            (self.lines_[held_out],) = ax.plot(
                table[held_out], color=VERMILLION, linestyle="--", label="held out", **marker
            )
            if len(self.lines_) == 2:
                ax.legend(frameon=False, fontsize="small")
        if log:
            ax.set_yscale("log", nonpositive="mask")

    def _draw_weights(self, ax, table, weighted):
        """Draw each different weight once; losses often give several terms the same weight."""
        # By value: lines that lie on each other would look like one, with a misleading legend.
        alike = {}
        for name in weighted:
            alike.setdefault(tuple(table[name + _WEIGHT]), []).append(name)
        for number, names in enumerate(alike.values()):
            style = numbered_style(number)
            (line,) = ax.plot(
                table[names[0] + _WEIGHT],
                color=style.colour,
                linestyle=style.line,
                marker=style.marker if len(table) == 1 else None,
                label=",\n".join(names),
            )
            self.lines_ |= {name + _WEIGHT: line for name in names}
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
        ax.legend(frameon=False, fontsize="small")

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The first and last value of each term and weight.
        """
        table = self._table()
        terms, weighted = self._terms(table)
        courses = [_describe_course(term, table[term]) for term in terms]
        courses += [
            f"the weight of {_describe_course(name, table[name + _WEIGHT])}" for name in weighted
        ]
        kept = f", the weights of epoch {self.best_epoch} were kept" if self.best_epoch else ""
        return f"Training over {count_of(len(table), 'epoch')}: {enumerate_words(courses)}{kept}."
