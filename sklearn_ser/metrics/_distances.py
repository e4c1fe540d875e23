"""Distances between two samples of an embedding."""

import itertools
import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_array, check_random_state, gen_batches

from sklearn_ser.utils._messages import plain

# Entries of a temporary array, 32 MiB of float64: more rows take longer, not more memory.
_CHUNK = 2**22
# The median of the distances is stable long before its computation gets expensive.
_ROWS_FOR_MEDIAN = 1000


def check_samples(X: ArrayLike, Y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return two samples of the same space as float64 arrays."""
    x = check_array(X, dtype=np.float64, input_name="X")
    y = check_array(Y, dtype=np.float64, input_name="Y")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"X has {x.shape[1]} columns but Y has {y.shape[1]}; distances need two samples of the "
            f"same embedding."
        )
    return x, y


def check_n_projections(n_projections: object) -> None:
    """Refuse an invalid number of directions."""
    if not isinstance(n_projections, Integral) or n_projections < 1:
        raise ValueError(
            f"n_projections, the number of directions, must be an integer of at least 1, got "
            f"{plain(n_projections)!r}."
        )


def check_max_samples(max_samples: object) -> None:
    """Refuse a number of rows that leaves no pairs."""
    if max_samples is not None and (not isinstance(max_samples, Integral) or max_samples < 2):
        raise ValueError(
            f"max_samples must be an integer of at least 2, or None for all rows, got "
            f"{plain(max_samples)!r}."
        )


def subsample(X: np.ndarray, max_samples: int | None, rng: np.random.RandomState) -> np.ndarray:
    """Return at most `max_samples` rows, drawn without replacement."""
    if max_samples is None or len(X) <= max_samples:
        return X
    return X[rng.choice(len(X), max_samples, replace=False)]


def draw_directions(n_features: int, n_projections: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw unit vectors, uniform on the sphere, in orthogonal sets.

    Returns
    -------
    directions : ndarray of shape (n_features, n_projections)
    """
    # Orthogonal directions cover the sphere more evenly than independent ones: the mean over
    # them has the same expectation, as each is uniform by itself, and less variance.
    n_sets = -(-n_projections // n_features)
    sets = rng.standard_normal((n_sets, n_features, n_features))
    # LAPACK chooses the signs of R as it likes, which biases Q. With a positive diagonal of R, Q
    # is uniform over all rotations (Mezzadri, 2007).
    q, r = np.linalg.qr(sets)
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return np.concatenate([*q], axis=1)[:, :n_projections]


def _wasserstein_of_sorted(x: np.ndarray, y: np.ndarray, p: float) -> np.ndarray:
    """Return the p-th power of the distance of each pair of columns, both sorted.

    In one dimension the optimal transport maps quantiles to quantiles, so the distance is an
    integral over their differences. Both quantile functions are steps, so it is a finite sum.
    """
    n, m = len(x), len(y)
    # Steps end at i / n and j / m. Multiplied by nm they are integers, so that equal ends of
    # both samples are seen to be equal.
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    widths = np.diff(ends, prepend=0) / (n * m)
    gaps = np.abs(x[(ends - 1) // m] - y[(ends - 1) // n])
    return widths @ gaps**p


def sliced_wasserstein_pairs(
    samples: Sequence[np.ndarray], directions: np.ndarray, p: float
) -> np.ndarray:
    """Return the sliced distance between each pair of samples, in the order of combinations."""
    pairs = list(itertools.combinations(range(len(samples)), 2))
    totals = np.zeros(len(pairs))
    # All samples meet the same directions: distances of pairs then differ by the samples alone,
    # and each sample is projected and sorted once instead of once for each pair.
    rows = sum(map(len, samples))
    n_projections = directions.shape[1]
    for batch in gen_batches(n_projections, max(1, _CHUNK // rows)):
        projected = [np.sort(sample @ directions[:, batch], axis=0) for sample in samples]
        totals += [_wasserstein_of_sorted(projected[a], projected[b], p).sum() for a, b in pairs]
    return (totals / n_projections) ** (1 / p)


def sliced_wasserstein_distance(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    p: float = 2,
    n_projections: int = 200,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    r"""Sliced Wasserstein distance between two samples.

    The mean, over directions :math:`\theta`, of the distance between the samples projected
    onto them,

    .. math::

        \mathrm{SW}_p = \Big( \mathrm{E}_{\theta}
            \int_0^1 \big| F_{\theta^\top X}^{-1}(q) - F_{\theta^\top Y}^{-1}(q) \big|^p
            \, dq \Big)^{1/p} ,

    with :math:`F^{-1}` the quantile function and :math:`\theta` uniform on the unit
    sphere. The integral is exact for samples of any sizes; the expectation is a mean
    over `n_projections` directions.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        One sample.
    Y : array-like of shape (n_samples_Y, n_features)
        The other sample.
    p : float, default=2
        Order, at least 1. Higher orders give more weight to distant parts of the distributions.
    n_projections : int, default=200
        Number of directions; time grows with it. They are drawn in sets of `n_features`
        orthogonal directions [2]_, whose mean has less variance than that of independent
        ones.
    random_state : int, RandomState instance or None, default=None
        Seeds the directions.

    Returns
    -------
    distance : float
        In the units of `X`, at least 0 and at most the Wasserstein distance itself. 0 if
        and only if the samples have the same distribution, up to the directions drawn.

    Raises
    ------
    ValueError
        If the numbers of columns differ or a parameter is out of range.

    See Also
    --------
    latent_consistency : Mean over all pairs of corpora.

    Notes
    -----
    Two normal distributions that differ by a shift :math:`\delta` in :math:`d` dimensions
    have :math:`\mathrm{SW}_2 = \lVert\delta\rVert / \sqrt{d}`. Two samples from the same
    distribution have a distance above 0, which falls as they grow.

    References
    ----------
    .. [1] N. Bonneel, J. Rabin, G. Peyré, H. Pfister, "Sliced and Radon Wasserstein
       barycenters of measures", Journal of Mathematical Imaging and Vision 51, 2015,
       pp. 22-45.
    .. [2] M. Rowland et al., "Orthogonal estimation of Wasserstein distances",
       AISTATS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.metrics import sliced_wasserstein_distance
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> round(sliced_wasserstein_distance(X, X + [3, 4], random_state=0), 4)  # 5 / sqrt(2)
    3.5355
    """
    x, y = check_samples(X, Y)
    check_n_projections(n_projections)
    if not isinstance(p, Real) or not 1 <= p < math.inf:
        raise ValueError(f"p, the order of the distance, must be at least 1, got {plain(p)!r}.")
    directions = draw_directions(x.shape[1], n_projections, check_random_state(random_state))
    return float(sliced_wasserstein_pairs([x, y], directions, p)[0])


def median_bandwidth(X: np.ndarray, rng: np.random.RandomState) -> float:
    """Return the median of the distances above 0 between rows; 1 if all are 0."""
    # Copies of a recording have the distance 0, and a corpus full of them would have no scale.
    distances = pdist(subsample(X, _ROWS_FOR_MEDIAN, rng))
    distances = distances[distances > 0]
    return float(np.median(distances)) if distances.size else 1.0


def mean_kernel(X: np.ndarray, Y: np.ndarray, bandwidth: float) -> float:
    """Return the mean Gaussian kernel over pairs of rows; if X is Y, over pairs of different rows.

    A row paired with itself has the kernel 1 for any distribution. Leaving these pairs out
    makes the mean an unbiased estimate, a U-statistic.
    """
    total = 0.0
    for rows in gen_batches(len(X), max(1, _CHUNK // len(Y))):
        squared = euclidean_distances(X[rows], Y, squared=True)
        squared *= -1 / (2 * bandwidth**2)
        total += np.exp(squared, out=squared).sum()
    if X is Y:
        # The n kernels of a row and itself are 1, up to rounding far below the estimate's error.
        return (total - len(X)) / (len(X) * (len(X) - 1))
    return total / (len(X) * len(Y))


def maximum_mean_discrepancy(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    bandwidth: float | None = None,
    max_samples: int | None = 2000,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    r"""Squared maximum mean discrepancy (MMD) of two samples, Gaussian kernel, unbiased.

    With :math:`k(x, y) = \exp(-\lVert x - y \rVert^2 / 2 \sigma^2)`,

    .. math::

        \widehat{\mathrm{MMD}}{}^2 = \frac{1}{n(n-1)} \sum_{i \ne j} k(x_i, x_j)
            + \frac{1}{m(m-1)} \sum_{i \ne j} k(y_i, y_j)
            - \frac{2}{nm} \sum_{i, j} k(x_i, y_j) ,

    the U-statistic of [1]_, equation 3: its expectation is
    :math:`\mathrm{MMD}^2` for samples of any size, hence 0 for equal distributions,
    and the estimate may fall on either side of it.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        One sample, at least two rows.
    Y : array-like of shape (n_samples_Y, n_features)
        The other one.
    bandwidth : float, default=None
        The width :math:`\sigma` of the kernel, the scale on which differences are detected.
        None is the median heuristic: the median distance above 0 between rows of both
        samples (1,000 rows drawn at random, if there are more). To compare results, use
        the same value for all.
    max_samples : int or None, default=2000
        Maximum number of rows used from each sample, drawn without replacement; None uses
        all. Time grows with its square, memory does not: at most :math:`2^{22}` kernel
        values (32 MiB) are held at a time.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw of rows.

    Returns
    -------
    mmd2 : float
        The squared discrepancy. Its expectation is at least 0 and below 2; the estimate may
        be slightly negative.

    Raises
    ------
    ValueError
        If the numbers of columns differ, a sample has fewer than two rows or a parameter
        is out of range.

    See Also
    --------
    latent_consistency : Mean over all pairs of corpora, with one kernel for all.

    References
    ----------
    .. [1] A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf, A. Smola, "A kernel
       two-sample test", JMLR 13, 2012, pp. 723-773.

    Examples
    --------
    Two points from each distribution, at distance 1 within and 10 between them:

    >>> from sklearn_ser.metrics import maximum_mean_discrepancy
    >>> X, Y = [[0, 0], [0, 1]], [[10, 0], [10, 1]]
    >>> round(maximum_mean_discrepancy(X, Y, bandwidth=1), 4)  # 2 exp(-1 / 2)
    1.2131
    """
    x, y = check_samples(X, Y)
    for sample, name in ((x, "X"), (y, "Y")):
        if len(sample) < 2:
            raise ValueError(f"{name} has one row; the unbiased estimate needs at least two.")
    if bandwidth is not None and not (isinstance(bandwidth, Real) and 0 < bandwidth < math.inf):
        raise ValueError(f"bandwidth must be a number above 0 or None, got {plain(bandwidth)!r}.")
    check_max_samples(max_samples)
    rng = check_random_state(random_state)
    x, y = subsample(x, max_samples, rng), subsample(y, max_samples, rng)
    if bandwidth is None:
        bandwidth = median_bandwidth(np.concatenate([x, y]), rng)
    within = mean_kernel(x, x, bandwidth) + mean_kernel(y, y, bandwidth)
    return float(within - 2 * mean_kernel(x, y, bandwidth))


def _bin_edges(x: np.ndarray, y: np.ndarray, n_bins: int) -> np.ndarray:
    """Return edges of bins with equal shares of the mixture, in which both samples weigh the same.

    Shares are counted in integers: rounding could move an edge between two samples that do not
    overlap into one of them.
    """
    n, m = len(x), len(y)
    values = np.concatenate([x, y])
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.repeat([m, n], [n, m])[order]) * n_bins
    wanted = np.arange(1, n_bins) * (2 * n * m)
    return np.unique(values[order][np.searchsorted(reached, wanted)])


def _jensen_shannon(x: np.ndarray, y: np.ndarray, n_bins: int) -> float:
    edges = _bin_edges(x, y, n_bins)
    shares = [
        np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values)
        for values in (x, y)
    ]
    middle = np.mean(shares, axis=0)
    divergence = 0.0
    # Against the mixture, which is above 0 wherever either share is: unlike the divergence of
    # one from the other, this is finite for samples that do not overlap.
    for share in shares:
        seen = share > 0
        divergence += np.sum(share[seen] * np.log(share[seen] / middle[seen])) / 2
    # Rounding gives -1e-17 for equal shares.
    return min(max(divergence, 0.0), math.log(2))


def jensen_shannon_divergence(
    X: ArrayLike, Y: ArrayLike, *, n_bins: int | None = None
) -> np.ndarray:
    r"""Jensen-Shannon divergence between two samples, for each dimension.

    With :math:`P` and :math:`Q` the histograms of a column of ``X`` and of ``Y``, in the
    same bins, and :math:`M = (P + Q) / 2`,

    .. math::

        \mathrm{JSD} = \frac{1}{2} \sum_b P_b \ln \frac{P_b}{M_b}
            + \frac{1}{2} \sum_b Q_b \ln \frac{Q_b}{M_b} .

    The bins hold equal shares of :math:`M`, so the same monotone map of a dimension of both
    samples changes nothing.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        One sample.
    Y : array-like of shape (n_samples_Y, n_features)
        The other one.
    n_bins : int, default=None
        Number of bins, at least 2; fewer where values coincide. None takes
        :math:`2 \lceil n^{1/3} \rceil`, with :math:`n` the size of the smaller sample.

    Returns
    -------
    divergences : ndarray of shape (n_features,)
        In nats, between 0 (equal shares) and :math:`\ln 2 \approx 0.693` (no overlap, which
        is certain to be detected if `n_bins` is even).

    Raises
    ------
    ValueError
        If the numbers of columns differ or `n_bins` is out of range.

    See Also
    --------
    latent_consistency : Mean over all dimensions and pairs of corpora.

    Notes
    -----
    Binning lowers the divergence, as any loss of detail does. Finite samples raise it, by
    about :math:`(B - 1)(1/n + 1/m) / 8` with :math:`B` bins if
    the distributions are equal: 0.005 for 1,000 rows each.

    References
    ----------
    .. [1] J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions
       on Information Theory 37 (1), 1991, pp. 145-151, equation 4.1.

    Examples
    --------
    The first dimension has the same values, the second has none in common:

    >>> from sklearn_ser.metrics import jensen_shannon_divergence
    >>> X, Y = [[1, 1], [2, 2], [3, 3], [4, 4]], [[1, 6], [2, 7], [3, 8], [4, 9]]
    >>> jensen_shannon_divergence(X, Y).round(3)
    array([0.   , 0.693])
    """
    x, y = check_samples(X, Y)
    if n_bins is None:
        # Growing with the cube root keeps the bias of the bins and the variance of the shares in
        # balance, as for histograms. Even, so that one edge is the median of the mixture: it
        # separates samples of equal weight that do not overlap.
        n_bins = 2 * math.ceil(min(len(x), len(y)) ** (1 / 3))
    elif not isinstance(n_bins, Integral) or n_bins < 2:
        raise ValueError(f"n_bins must be an integer of at least 2 or None, got {plain(n_bins)!r}.")
    return np.array([_jensen_shannon(a, b, n_bins) for a, b in zip(x.T, y.T, strict=True)])
