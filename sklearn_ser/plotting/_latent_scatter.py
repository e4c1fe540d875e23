"""Scatter plots of an embedding, by emotion and by corpus."""

import numpy as np
from sklearn.decomposition import PCA

from sklearn_ser.metrics import unweighted_average_recall
from sklearn_ser.plotting._embedding import embed, name_components
from sklearn_ser.plotting._style import make_axes, printable, styles_by_name
from sklearn_ser.utils._identities import encode_ids
from sklearn_ser.utils._labels import encode_labels
from sklearn_ser.utils._words import count_of, enumerate_words

_PANELS = ("emotion", "corpus")


def _nearest_mean(points, codes):
    """Return the class with the nearest mean for each point."""
    means = np.array([points[codes == code].mean(axis=0) for code in range(codes.max() + 1)])
    return np.linalg.norm(points[:, None] - means, axis=2).argmin(axis=1)


class LatentScatterDisplay:
    """An embedding in the plane, drawn twice: by emotion and by corpus.

    A representation that transfers separates the emotions and mixes the corpora. The points
    are the same in both panels.

    Create it with :meth:`from_estimator` or :meth:`from_embedding`, which reduce an embedding
    with more than two components to its first two principal components; the axes then say so.

    Parameters
    ----------
    points : DataFrame of shape (n_samples, 2)
        The coordinates; its columns name the axes.
    emotion : array-like of shape (n_samples,)
        The emotion of each recording.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (2,)
        The panels by emotion and by corpus.
    figure_ : Figure
        Their figure.
    points_ : dict of str to dict of str to PathCollection
        The points of each emotion under ``"emotion"``, of each corpus under ``"corpus"``.

    See Also
    --------
    sklearn_ser.metrics.latent_consistency : The right panel in numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.plotting import LatentScatterDisplay
    >>> Z = np.random.default_rng(0).normal(size=(40, 5))
    >>> emotion, corpus = np.tile(["anger", "neutral"], 20), np.repeat(["emodb", "urdu"], 20)
    >>> display = LatentScatterDisplay.from_embedding(Z, emotion, corpus)
    >>> display.axes_[0].get_xlabel()
    'principal component 1 of 5 (30% of the variance)'
    """

    def __init__(self, points, emotion, corpus):
        self.points = points
        self.emotion = emotion
        self.corpus = corpus

    @classmethod
    def from_estimator(cls, estimator, X, emotion, corpus, *, ax=None, size=14, alpha=0.6):
        """Embed recordings and draw them.

        Parameters
        ----------
        estimator : estimator object
            A fitted transformer, or a pipeline of transformers. Each corpus is transformed in
            its own batch, as :class:`~sklearn_ser.estimators.CorpusScaler` requires.
        X : array-like of length n_samples
            Its input.
        emotion, corpus, ax, size, alpha
            As for :meth:`from_embedding`.

        Returns
        -------
        display : LatentScatterDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator has no ``transform``.
        """
        Z = embed(estimator, X, corpus)
        return cls.from_embedding(Z, emotion, corpus, ax=ax, size=size, alpha=alpha)

    @classmethod
    def from_embedding(cls, Z, emotion, corpus, *, ax=None, size=14, alpha=0.6):
        """Draw an embedding.

        Parameters
        ----------
        Z : array-like or DataFrame of shape (n_samples, n_components)
            The embedding, with at least two components. More are reduced to the first two
            principal components.
        emotion : array-like of shape (n_samples,)
            The emotion of each recording.
        corpus : array-like of shape (n_samples,)
            The corpus of each recording.
        ax : Axes or array-like of Axes, default=None
            As for :meth:`plot`.
        size, alpha : float
            As for :meth:`plot`.

        Returns
        -------
        display : LatentScatterDisplay
            The display.

        Raises
        ------
        ValueError
            If there are fewer than two components, lengths differ, or there are gaps.
        """
        points = name_components(Z, least=2)
        n_components = points.shape[1]
        if n_components > 2:
            # The randomised solver, which "auto" takes for many rows, depends on a seed.
            pca = PCA(n_components=2, svd_solver="full").fit(points.to_numpy())
            points = points.iloc[:, :2].copy()
            points.iloc[:, :] = pca.transform(name_components(Z).to_numpy())
            points.columns = [
                f"principal component {number} of {n_components} ({share:.0%} of the variance)"
                for number, share in enumerate(pca.explained_variance_ratio_, start=1)
            ]
        return cls(points, emotion, corpus).plot(ax=ax, size=size, alpha=alpha)

    def _coloured_by(self, panel):
        encode = encode_ids if panel == "corpus" else encode_labels
        return encode(getattr(self, panel), name=panel, n_samples=len(self.points))

    def plot(self, ax=None, *, size=14, alpha=0.6):
        """Draw both panels.

        Parameters
        ----------
        ax : Axes or array-like of two Axes, default=None
            The axes to draw in; a single one is divided, None makes a new figure.
        size : float, default=14
            Area of a marker in square points.
        alpha : float, default=0.6
            Opacity of the markers, between 0 and 1.

        Returns
        -------
        display : LatentScatterDisplay
            The display itself.
        """
        coloured = {panel: self._coloured_by(panel) for panel in _PANELS}
        self.figure_, grid = make_axes(ax, 1, 2, size=(9, 4.9), share_x=True, share_y=True)
        self.axes_ = grid[0] if grid.shape == (1, 2) else grid.ravel()
        places = np.asarray(self.points)
        self.points_ = {}
        for axes, (panel, (names, codes)) in zip(self.axes_, coloured.items(), strict=True):
            styles = styles_by_name(names.tolist())
            self.points_[panel] = {
                name: axes.scatter(
                    *places[codes == code].T,
                    s=size,
                    alpha=alpha,
                    color=style.colour,
                    marker=style.marker,
                    edgecolors="black",
                    linewidths=0.3,
                    # Thousands of markers make a vector graphic slow to open.
                    rasterized=True,
                )
                for code, (name, style) in enumerate(styles.items())
            }
            axes.set_xlabel(printable_axis(self.points.columns[0]))
            legend = axes.legend(
                self.points_[panel].values(),
                [printable(name) for name in names],
                title=f"by {panel}",
                loc="lower center",
                bbox_to_anchor=(0.5, 1),
                ncols=4 if max(map(len, map(str, names))) <= 10 else 2,
                markerscale=1.6,
                frameon=False,
                fontsize="small",
                handletextpad=0.1,
                columnspacing=1,
            )
            for handle in legend.legend_handles:
                handle.set_alpha(1)
        self.axes_[0].set_ylabel(printable_axis(self.points.columns[1]))
        return self

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The share of points whose nearest mean in the plane is that of their own emotion,
            and of their own corpus.
        """
        places = np.asarray(self.points)
        shares = []
        for panel in _PANELS:
            names, codes = self._coloured_by(panel)
            # The mean over the groups, whose chance level 1 / n does not depend on their sizes.
            share = unweighted_average_recall(codes, _nearest_mean(places, codes))
            shares.append(
                f"{share:.0%} of the points are nearest to the mean of their own {panel} among "
                f"{len(names)} ({enumerate_words(names)}), {1 / len(names):.0%} by chance"
            )
        first, second = self.points.columns
        return (
            f"Points of {count_of(len(places), 'recording')} in the plane of {first} and {second}, "
            f"by emotion and by corpus: {'; '.join(shares)}."
        )


def printable_axis(name):
    """Return the name of an axis; names of principal components are longer than others may be."""
    return name if name.startswith("principal component") else printable(name)
