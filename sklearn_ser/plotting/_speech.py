"""Numbers and durations of the recordings of corpora, by emotion."""

import numpy as np
import pandas as pd

from sklearn_ser.plotting._style import draw_matrix, make_axes, printable, styles_by_name, width_of
from sklearn_ser.utils._words import count_of, enumerate_words

# Inches of a cell, and of what stands around the panels.
_CELL = 0.5
_MARGIN = 1.9
# The part of the distance between corpora that emotions take up.
_HEIGHT = 0.7


class SpeechDisplay:
    """Numbers of recordings by corpus and emotion, and their durations.

    A cell is the darker, the larger the share of the emotion in its corpus; an emotion that a
    corpus lacks is grey. Below, a marker is the median duration of an emotion, and the line
    through it goes from the 5th to the 95th percentile.

    Create it with :meth:`sklearn_ser.datasets.SpeechDescription.plot`, or from tables.

    Parameters
    ----------
    counts : DataFrame of shape (n_corpora, n_emotions)
        Numbers of recordings.
    durations : DataFrame, default=None
        For pairs of corpus and emotion (index), the columns ``median``, ``low`` and ``high`` in
        seconds. None draws no durations.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (1,) or (2,)
        Those of numbers and, if they are known, of durations.
    figure_ : Figure
        Their figure.

    See Also
    --------
    sklearn_ser.datasets.describe : Counts the recordings of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.plotting import SpeechDisplay
    >>> counts = pd.DataFrame({"anger": [127, 100], "boredom": [81, 0]}, index=["emodb", "urdu"])
    >>> display = SpeechDisplay(counts).plot()
    >>> [text.get_text() for text in display.axes_[0].texts]
    ['127', '81', '100', '']
    >>> display.describe()
    'Recordings of 2 corpora: emodb 208 (anger 127, boredom 81) and urdu 100 (anger 100).'
    """

    def __init__(self, counts, durations=None):
        self.counts = counts
        self.durations = durations

    def _checked(self):
        """Return the table of counts."""
        counts = pd.DataFrame(self.counts)
        if counts.empty:
            raise ValueError(
                f"counts has the shape {counts.shape}; pass a table with corpora in rows and "
                f"emotions in columns, such as describe(speech).by_emotion."
            )
        return counts

    def plot(self, ax=None):
        """Draw numbers and durations.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
            One to be divided, or one for each panel. None makes a new figure.

        Returns
        -------
        display : SpeechDisplay
            The display itself.
        """
        counts = self._checked()
        n_panels = 1 if self.durations is None else 2
        n_corpora, n_emotions = counts.shape
        labels = max(width_of(printable(name)) for name in counts.index)
        size = (
            max(4.0, min(12.0, _CELL * n_emotions + labels + _MARGIN)),
            max(2.4, min(14.0, n_panels * (_CELL * n_corpora + 1.1))),
        )
        self.figure_, grid = make_axes(ax, n_panels, 1, size=size)
        self.axes_ = grid.ravel()
        self._draw_counts(counts, self.axes_[0])
        if self.durations is not None:
            self._draw_durations(counts, self.axes_[1])
        return self

    def _draw_counts(self, counts, ax):
        values = counts.to_numpy(dtype=float)
        sums = np.maximum(values.sum(axis=1, keepdims=True), 1)
        texts = np.array([[f"{int(n)}" if n else "" for n in row] for row in values])
        shares = np.where(values > 0, values / sums, np.nan)
        high = max(np.nanmax(shares, initial=0.0), 1e-9)
        draw_matrix(ax, shares, cmap="Blues", low=0, high=high, texts=texts)
        # Cells as wide as their numbers need, whatever room there is.
        ax.set_aspect("auto")
        turned = {"rotation": 30, "ha": "left", "rotation_mode": "anchor"}
        ax.xaxis.tick_top()
        ax.set_xticklabels([printable(word) for word in counts.columns], **turned)
        ax.tick_params(length=0)
        ax.set_yticklabels([printable(name) for name in counts.index])

    def _draw_durations(self, counts, ax):
        emotions = [str(word) for word in counts.columns]
        styles = styles_by_name(emotions)
        step = _HEIGHT / len(emotions)
        for number, word in enumerate(counts.columns):
            style = styles[str(word)]
            rows = [(place, (name, word)) for place, name in enumerate(counts.index)]
            rows = [(place, key) for place, key in rows if key in self.durations.index]
            if not rows:
                continue
            places = [place + (number + 0.5) * step - _HEIGHT / 2 for place, _ in rows]
            found = self.durations.loc[[key for _, key in rows], ["median", "low", "high"]]
            median, low, high = found.to_numpy(dtype=float).T
            ax.errorbar(
                median,
                places,
                # Lists, since of an array of one number matplotlib makes a number, which NumPy
                # deprecates.
                xerr=[(median - low).tolist(), (high - median).tolist()],
                fmt=style.marker,
                color=style.colour,
                markeredgecolor="black",
                markeredgewidth=0.6,
                markersize=5,
                ecolor="#808080",
                elinewidth=1,
                linestyle="none",
            )
        ax.set_yticks(range(len(counts)), [printable(name) for name in counts.index])
        ax.set_ylim(len(counts) - 0.5, -0.5)
        ax.set_xlim(left=0)
        ax.tick_params(axis="y", length=0)
        # On two lines, because one is wider than the figure of two emotions.
        ax.set_xlabel("duration in seconds\n(median, 5th to 95th percentile)")
        ax.grid(axis="x", color="#E0E0E0", linewidth=0.8)
        ax.set_axisbelow(True)
        for border in range(1, len(counts)):
            ax.axhline(border - 0.5, color="#D0D0D0", linewidth=0.8, zorder=0)
        handles = [
            ax.plot(
                [], [], styles[word].marker, color=styles[word].colour, markeredgecolor="black"
            )[0]
            for word in emotions
        ]
        ax.legend(
            handles,
            [printable(word) for word in emotions],
            loc="center left",
            bbox_to_anchor=(1, 0.5),
            frameon=False,
            handletextpad=0.1,
            labelspacing=0.2,
            fontsize=9,
        )

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The numbers of recordings.
        """
        counts = self._checked()
        parts = []
        for name, row in counts.iterrows():
            present = ", ".join(f"{word} {n}" for word, n in row.items() if n)
            parts.append(f"{name} {row.sum()}" + (f" ({present})" if present else ""))
        return f"Recordings of {count_of(len(counts), 'corpus')}: {enumerate_words(parts)}."
