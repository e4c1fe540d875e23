"""Scores of methods on corpora, with confidence intervals."""

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._result import TITLES
from sklearn_ser.plotting._style import make_axes, numbered_style, printable
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._words import count_of, enumerate_words, format_interval

# The part of the distance between corpora that methods take up.
_WIDTH = 0.72
_MEAN = "mean"


def _check_table(method, table, metric):
    """Return a table with one row for each corpus and the three columns to draw."""
    table = pd.DataFrame(table)
    for column in ("corpus", metric):
        if column not in table:
            raise ValueError(
                f"the scores of {plain(method)!r} have no column {plain(column)!r}, only "
                f"{[*table.columns]}."
            )
    twice = table["corpus"][table["corpus"].duplicated()].unique().tolist()
    if twice:
        raise ValueError(
            f"the scores of {plain(method)!r} have several rows for {twice}; average them first, "
            f"or pass the summary of the result instead of its scores."
        )
    ends = {f"{metric}_{end}": np.nan for end in ("low", "high")}
    table = table.assign(**{name: gap for name, gap in ends.items() if name not in table})
    return table.set_index(table["corpus"].astype(str))[[metric, *ends]].astype(float)


def _chance_by_corpus(results):
    """Return 1 / number of classes for each corpus; None for regressors."""
    chance = {}
    for result in results.values():
        if len(result.recalls):
            classes = result.recalls.groupby("corpus")["label"].nunique()
            chance |= {str(corpus): 1 / n for corpus, n in classes.items()}
    return chance or None


class UARDisplay:
    """Recalls of methods on held-out corpora, with confidence intervals.

    A point is the score of a method on a corpus, the line through it is the interval. Without
    an interval, as with few speakers, there is no line. Dashed lines mark chance. A solid line
    separates the mean over the corpora.

    Create it with :meth:`from_results`, or from tables.

    Parameters
    ----------
    scores : dict of str to DataFrame
        A table for each method, with the column ``corpus``, the column `metric` and, if there
        are intervals, that name with ``_low`` and ``_high``, NaN where missing. A row for the
        corpus ``"mean"`` is drawn last.
    metric : str, default="uar"
        The column to draw.
    chance : float or dict of str to float, default=None
        The score of guessing, for all corpora or for each corpus. None draws no line.
    confidence : float, default=0.95
        Confidence of the intervals, for the label of the axis.

    Attributes
    ----------
    ax_ : Axes
        Its axes.
    figure_ : Figure
        Its figure.
    points_ : dict of str to ErrorbarContainer
        The points and intervals of each method.

    See Also
    --------
    sklearn_ser.evaluation.cross_corpus_validate : Computes scores and intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.plotting import UARDisplay
    >>> svm = pd.DataFrame({"corpus": ["emodb", "urdu"], "uar": [0.62, 0.48],
    ...                     "uar_low": [0.55, float("nan")], "uar_high": [0.69, float("nan")]})
    >>> display = UARDisplay({"svm": svm}, chance=0.25).plot()
    >>> display.ax_.get_ylabel()
    'UAR, 95% interval'
    >>> display.describe()
    'UAR of svm on 2 corpora: emodb 0.62 (0.55 to 0.69) and urdu 0.48; chance is 0.25.'
    """

    def __init__(self, scores, *, metric="uar", chance=None, confidence=0.95):
        self.scores = scores
        self.metric = metric
        self.chance = chance
        self.confidence = confidence

    @classmethod
    def from_results(cls, results, *, metric=None, ax=None):
        """Draw the scores of evaluations.

        Parameters
        ----------
        results : CrossCorpusResult or dict of str to CrossCorpusResult
            A result, or the results of several methods by name.
        metric : str, default=None
            One of ``result.metrics``; None takes the first: UAR, or CCC for a regressor.
        ax : Axes, default=None
            As for :meth:`plot`.

        Returns
        -------
        display : UARDisplay
            The display. Chance is 1 / number of emotions in the corpus.

        Raises
        ------
        ValueError
            If there are no results, or they lack the metric.
        """
        results = dict(results) if isinstance(results, dict) else {"": results}
        if not results:
            raise ValueError("results is empty; pass at least one, by the name of its method.")
        first = next(iter(results.values()))
        # Guessing recalls 1 / n of each of n classes, however frequent they are. Its accuracy and
        # F1 depend on the frequencies: no line is drawn for them.
        metric = first.metrics[0] if metric is None else metric
        display = cls(
            {method: result.summary for method, result in results.items()},
            metric=metric,
            chance=_chance_by_corpus(results) if metric == "uar" else None,
            confidence=first.confidence,
        )
        return display.plot(ax=ax)

    def _tables(self):
        """Return the checked tables, and all corpora with the mean last."""
        if not self.scores:
            raise ValueError("scores is empty; pass the table of at least one method.")
        tables = {
            method: _check_table(method, table, self.metric)
            for method, table in self.scores.items()
        }
        corpora = list(dict.fromkeys(name for table in tables.values() for name in table.index))
        return tables, sorted(corpora, key=lambda name: name == _MEAN)

    def _chance_of(self, corpus):
        """Return the score of guessing; NaN if it is unknown."""
        if not isinstance(self.chance, dict):
            return np.nan if self.chance is None else self.chance
        # The mean UAR of guessing is the mean of what guessing scores in each corpus.
        if corpus == _MEAN and self.chance:
            return self.chance.get(_MEAN, float(np.mean([*self.chance.values()])))
        return self.chance.get(corpus, np.nan)

    def _title(self):
        return TITLES.get(self.metric, self.metric)

    def plot(self, ax=None):
        """Draw points and intervals.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; None makes a new figure.

        Returns
        -------
        display : UARDisplay
            The display itself.
        """
        tables, corpora = self._tables()
        size = (min(11, 2.6 + len(corpora) * (0.45 + 0.17 * len(tables))), 4.2)
        self.figure_, grid = make_axes(ax, 1, 1, size=size)
        self.ax_ = grid[0, 0]
        self.points_ = {}
        step = _WIDTH / len(tables)
        for number, (method, table) in enumerate(tables.items()):
            style = numbered_style(number)
            places = np.arange(len(corpora)) + (number + 0.5) * step - _WIDTH / 2
            values, low, high = table.reindex(corpora).to_numpy().T
            self.points_[method] = self.ax_.errorbar(
                places,
                values,
                # Two lengths: intervals are clipped to the bounds of the score.
                yerr=[values - low, high - values],
                fmt=style.marker,
                color=style.colour,
                markeredgecolor="black",
                markeredgewidth=0.8,
                markersize=7,
                ecolor="#404040",
                elinewidth=1.3,
                capsize=2.5,
            )
        self._draw_frame(tables, corpora)
        return self

    def _draw_frame(self, tables, corpora):
        ax = self.ax_
        names = [printable(corpus) for corpus in corpora]
        crowded = max(map(len, names)) * len(names) > 11 * self.figure_.get_figwidth()
        rotated = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
        ax.set_xticks(range(len(corpora)), names, **rotated)
        ax.set_xlim(-0.5, len(corpora) - 0.5)
        ax.tick_params(axis="x", length=0)
        for border in range(1, len(corpora)):
            mean_follows = corpora[border] == _MEAN
            ax.axvline(
                border - 0.5,
                color="black" if mean_follows else "#D0D0D0",
                linewidth=1.2 if mean_follows else 0.8,
                zorder=0,
            )
        chance = np.array([self._chance_of(corpus) for corpus in corpora])
        lines = ax.hlines(
            chance,
            np.arange(len(corpora)) - 0.5,
            np.arange(len(corpora)) + 0.5,
            colors="black",
            linestyles="dashed",
            linewidth=1,
            zorder=1,
        )
        shown = any(np.isfinite(table.iloc[:, 1:]).any(axis=None) for table in tables.values())
        interval = f", {100 * self.confidence:g}% interval" if shown else ""
        ax.set_ylabel(f"{self._title()}{interval}")
        ax.grid(axis="y", color="#E0E0E0", linewidth=0.8)
        ax.set_axisbelow(True)
        handles = [*self.points_.values()]
        labels = [printable(method) or self._title() for method in self.points_]
        if np.isfinite(chance).any():
            handles, labels = [*handles, lines], [*labels, "chance"]
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=max(2, int(self.figure_.get_figwidth() / 1.25)),
            frameon=False,
            handletextpad=0.3,
            columnspacing=1.2,
        )

    def _describe_method(self, table, corpora):
        scores = []
        for corpus, (value, low, high) in table.reindex(corpora).iterrows():
            if np.isfinite(value):
                interval = format_interval(low, high, missing="")
                scores.append(f"{corpus} {value:.2f}{interval and f' ({interval})'}")
        return enumerate_words(scores)

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            All scores, or only the means if there are means of several methods.
        """
        tables, corpora = self._tables()
        n_corpora = count_of(len([name for name in corpora if name != _MEAN]), "corpus")
        several = len(tables) > 1 and _MEAN in corpora
        described = corpora[-1:] if several else corpora
        methods = enumerate_words([method for method in tables if method])
        parts = [
            f"{method} {self._describe_method(table, described)}".strip()
            if len(tables) > 1
            else self._describe_method(table, described)
            for method, table in tables.items()
        ]
        chance = {round(self._chance_of(corpus), 4) for corpus in described} - {np.nan}
        chance = sorted(value for value in chance if np.isfinite(value))
        guess = f"; chance is {' to '.join(f'{c:.2f}' for c in chance[:: max(1, len(chance) - 1)])}"
        of = f" of {methods}" if methods else ""
        return f"{self._title()}{of} on {n_corpora}: {'; '.join(parts)}{guess if chance else ''}."
