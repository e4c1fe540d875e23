"""Components of an embedding against activation and valence."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from sklearn_ser.plotting._embedding import embed, name_components
from sklearn_ser.plotting._style import make_axes, numbered_style, printable
from sklearn_ser.utils._identities import encode_ids
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._words import count_of

# Any two points lie on a line.
_FEWEST = 3


class Fit(NamedTuple):
    """A straight line through the recordings of a corpus.

    Parameters
    ----------
    slope, intercept : float
        Slope and intercept of the component over the label.
    r : float
        Pearson's correlation; its square is the R² of the line in either direction.
    n_samples : int
        Number of recordings.
    """

    slope: float
    intercept: float
    r: float
    n_samples: int


def _fit_line(x, y):
    """Return the line through points; NaN if there are too few or they do not vary."""
    if len(x) < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Fit(np.nan, np.nan, np.nan, len(x))
    # With one predictor R² = r², and r is the same in both directions.
    slope, intercept = np.polyfit(x, y, 1)
    return Fit(float(slope), float(intercept), float(np.corrcoef(x, y)[0, 1]), len(x))


def _name_labels(labels):
    """Return labels as a DataFrame of floats whose columns are named."""
    if isinstance(labels, pd.Series):
        labels = labels.to_frame("label" if labels.name is None else labels.name)
    table = pd.DataFrame(labels).astype(float)
    if not isinstance(labels, pd.DataFrame | dict):
        single = table.shape[1] == 1
        table.columns = ["label"] if single else [f"label {n + 1}" for n in range(table.shape[1])]
    return table.rename(columns=str).reset_index(drop=True)


class LatentLabelDisplay:
    """Components of an embedding over continuous labels, with a line for each corpus.

    Each label has a row of panels, each component a column. The legend gives Pearson's r and
    R² for each corpus. If the lines coincide, the component has the same relation to the label
    in all corpora.

    Create it with :meth:`from_estimator` or :meth:`from_embedding`.

    Parameters
    ----------
    components : DataFrame of shape (n_samples, n_components)
        The components to draw, by name.
    labels : DataFrame of shape (n_samples, n_labels)
        Activation, valence or other labels, by name; NaN where missing.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (n_labels, n_components)
        The panels.
    figure_ : Figure
        Their figure.
    fits_ : dict of (str, str, str) to Fit
        The line of each label, component and corpus: ``slope``, ``intercept``, ``r`` and
        ``n_samples``. NaN for fewer than three recordings, or constant values.

    See Also
    --------
    sklearn_ser.metrics.latent_r2 : Variance explained by all components together.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", arXiv:2203.14867, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_ser.plotting import LatentLabelDisplay
    >>> activation = pd.Series([1.0, 2, 3, 4, 2, 3], name="activation")
    >>> Z = np.array([1.0, 2, 3, 4, 5, 4])[:, None]
    >>> display = LatentLabelDisplay.from_embedding(Z, activation, [*"aaaabb"])
    >>> display.describe()
    'Scatter of component 1 over activation, lines of 2 corpora: r is 1.00 in a, unknown in b.'
    """

    def __init__(self, components, labels, corpus):
        self.components = components
        self.labels = labels
        self.corpus = corpus
        names, codes = encode_ids(corpus, name="corpus", n_samples=len(components))
        self.fits_ = {}
        for label in labels:
            for component in components:
                for code, name in enumerate(names.tolist()):
                    points = self._points(label, component)[codes == code]
                    points = points[~np.isnan(points[:, 0])]
                    self.fits_[label, component, name] = _fit_line(*points.T)

    @classmethod
    def from_estimator(
        cls, estimator, X, labels, corpus, *, components=None, ax=None, size=14, alpha=0.5
    ):
        """Embed recordings and draw them over their labels.

        Parameters
        ----------
        estimator : estimator object
            A fitted transformer, or a pipeline of transformers. Each corpus is transformed in
            its own batch, as :class:`~sklearn_ser.estimators.CorpusScaler` requires.
        X : array-like of length n_samples
            Its input.
        labels, corpus, components, ax, size, alpha
            As for :meth:`from_embedding`.

        Returns
        -------
        display : LatentLabelDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator has no ``transform``.
        """
        return cls.from_embedding(
            embed(estimator, X, corpus),
            labels,
            corpus,
            components=components,
            ax=ax,
            size=size,
            alpha=alpha,
        )

    @classmethod
    def from_embedding(cls, Z, labels, corpus, *, components=None, ax=None, size=14, alpha=0.5):
        """Draw an embedding over labels.

        Parameters
        ----------
        Z : array-like or DataFrame of shape (n_samples, n_components)
            The embedding.
        labels : Series, DataFrame, dict or array-like of shape (n_samples,) or \
        (n_samples, n_labels)
            Activation, valence or both, in columns whose names label the axes; NaN where
            missing.
        corpus : array-like of shape (n_samples,)
            The corpus of each recording.
        components : sequence of int, default=None
            Columns of `Z`, counted from 0. None draws up to two; if there are more, it draws,
            for each label, the one that correlates most with it over all recordings.
        ax : Axes or array-like of Axes, default=None
            As for :meth:`plot`.
        size, alpha : float
            As for :meth:`plot`.

        Returns
        -------
        display : LatentLabelDisplay
            The display.

        Raises
        ------
        ValueError
            If lengths differ, `corpus` has gaps, or a component does not exist.
        """
        Z, labels = name_components(Z), _name_labels(labels)
        check_consistent_length(Z, labels)
        n_components = Z.shape[1]
        if components is None:
            components = range(n_components) if n_components <= 2 else cls._closest(Z, labels)
        wrong = [one for one in components if one not in range(n_components)]
        if wrong:
            raise ValueError(
                f"components must be columns of Z, from 0 to {n_components - 1}, got "
                f"{plain(wrong)}."
            )
        display = cls(Z.iloc[:, [*components]], labels, corpus)
        return display.plot(ax=ax, size=size, alpha=alpha)

    @staticmethod
    def _closest(Z, labels):
        """Return the component with the highest correlation for each label, without duplicates."""
        closest = []
        for label in labels:
            # Over all recordings: choosing by corpus would draw another component for each, and the
            # lines of different corpora could not be compared.
            rated = labels[label].notna()
            correlations = [
                abs(_fit_line(labels.loc[rated, label], Z.loc[rated, component]).r)
                for component in Z
            ]
            closest.append(int(np.argmax(np.nan_to_num(correlations))))
        return list(dict.fromkeys(closest))

    def _points(self, label, component):
        return np.column_stack([self.labels[label], self.components[component]])

    def plot(self, ax=None, *, size=14, alpha=0.5):
        """Draw the panels.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
            One for each label and component, row by row, or a single one to be divided; None
            makes a new figure.
        size : float, default=14
            Area of a marker in square points.
        alpha : float, default=0.5
            Opacity of the markers, between 0 and 1.

        Returns
        -------
        display : LatentLabelDisplay
            The display itself.
        """
        n_rows, n_cols = len(self.labels.columns), len(self.components.columns)
        n_corpora = len(np.unique(np.asarray(self.corpus, dtype=object)))
        height = 3.3 + 0.2 * -(-n_corpora // 2)
        size_of_figure = (4.6 * n_cols + 0.4, height * n_rows)
        self.figure_, self.axes_ = make_axes(ax, n_rows, n_cols, size=size_of_figure)
        for row, label in enumerate(self.labels):
            for column, component in enumerate(self.components):
                axes = self.axes_[row, column]
                self._draw_panel(axes, label, component, size, alpha)
                axes.set(xlabel=printable(label), ylabel=printable(component))
        return self

    def _draw_panel(self, ax, label, component, size, alpha):
        from matplotlib.lines import Line2D

        names, codes = encode_ids(self.corpus, name="corpus")
        points = self._points(label, component)
        handles, texts = [], []
        for code, name in enumerate(names.tolist()):
            style, fit = numbered_style(code), self.fits_[label, component, name]
            own = points[codes == code]
            own = own[~np.isnan(own[:, 0])]
            ax.scatter(
                *own.T,
                s=size,
                alpha=alpha,
                color=style.colour,
                marker=style.marker,
                edgecolors="black",
                linewidths=0.3,
                rasterized=True,
            )
            ends = np.array([own[:, 0].min(), own[:, 0].max()]) if len(own) else np.zeros(2)
            ax.plot(
                ends,
                fit.intercept + fit.slope * ends,
                color=style.colour,
                linestyle=style.line,
                linewidth=2,
                zorder=4,
            )
            # A white edge sets lines off from points; below all lines, it hides none of them.
            ax.plot(ends, fit.intercept + fit.slope * ends, color="white", linewidth=4, zorder=3)
            handles.append(
                Line2D(
                    [],
                    [],
                    color=style.colour,
                    linestyle=style.line,
                    marker=style.marker,
                    markeredgecolor="black",
                )
            )
            text = f"r {fit.r:.2f}, R² {fit.r**2:.2f}"
            if np.isnan(fit.r):
                text = "no line" if fit.n_samples else "no labels"
            texts.append(f"{printable(name)}: {text}")
        inches = ax.get_position().width * ax.figure.get_figwidth()
        ax.legend(
            handles,
            texts,
            loc="lower center",
            bbox_to_anchor=(0.5, 1),
            ncols=2 if inches > 3 else 1,
            frameon=False,
            fontsize="small",
            handlelength=3.5,
            columnspacing=1,
        )

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The correlation for each panel and corpus.
        """
        names = list(dict.fromkeys(name for _, _, name in self.fits_))
        parts = []
        for label in self.labels:
            for component in self.components:
                fits = [(name, self.fits_[label, component, name].r) for name in names]
                each = [
                    f"{'unknown' if np.isnan(r) else format(r, '.2f')} in {name}"
                    for name, r in fits
                ]
                parts.append(
                    f"{component} over {label}, lines of "
                    f"{count_of(len(names), 'corpus')}: r is {', '.join(each)}"
                )
        return f"Scatter of {'; '.join(parts)}."
