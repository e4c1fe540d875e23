"""Consistency of the embeddings of corpora."""

import itertools
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch, check_array, check_random_state

from sklearn_ser.metrics._classification import unweighted_average_recall
from sklearn_ser.metrics._distances import (
    check_max_samples,
    check_n_projections,
    draw_directions,
    jensen_shannon_divergence,
    mean_kernel,
    median_bandwidth,
    sliced_wasserstein_pairs,
    subsample,
)
from sklearn_ser.utils._identities import encode_ids
from sklearn_ser.utils._messages import plain


def _check_embedding(Z: ArrayLike, corpus: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Z as float64, the names of the corpora, and the position of each row's corpus."""
    embedding = check_array(Z, dtype=np.float64, input_name="Z")
    names, codes = encode_ids(corpus, name="corpus", n_samples=len(embedding))
    if len(names) < 2:
        raise ValueError(
            f"corpus names only {names.tolist()}; comparing corpora needs at least two."
        )
    return embedding, names, codes


def _check_speakers(
    speaker: ArrayLike, names: np.ndarray, codes: np.ndarray, cv: int
) -> np.ndarray:
    """Return the speakers as numbers; refuse a corpus with too few of them to hold any out."""
    _, speakers = encode_ids(speaker, name="speaker", n_samples=len(codes))
    for position, name in enumerate(names):
        n_speakers = np.unique(speakers[codes == position]).size
        if n_speakers < cv:
            raise ValueError(
                f"corpus {str(name)!r} has {n_speakers} speakers, but {cv} folds without common "
                f"speakers need at least {cv}. Lower cv or leave speaker out."
            )
    return speakers


def corpus_separability(
    Z: ArrayLike,
    corpus: ArrayLike,
    *,
    speaker: ArrayLike | None = None,
    estimator: Any = None,
    cv: int = 5,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    r"""Accuracy of a classifier that predicts the corpus of a recording from its embedding.

    The balanced accuracy

    .. math::

        \frac{1}{K} \sum_{c=1}^{K} \frac{|\{i : c_i = c,\ \hat c_i = c\}|}{|\{i : c_i = c\}|}

    of cross-validated predictions :math:`\hat c_i`, pooled over the folds: the accuracy of a
    domain classifier [1]_, or of a classifier two-sample test [2]_.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        The embedding of each recording.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording, without gaps; at least two different.
    speaker : array-like of shape (n_samples,), default=None
        The speaker of each recording. If passed, no speaker is in both the training and the
        test fold; otherwise a classifier may recognise voices instead of the corpus.
    estimator : estimator object, default=None
        The classifier. None standardises the columns and fits a logistic regression with
        equal weights of the corpora. It detects differences between means, but not between
        spreads alone.
    cv : int, default=5
        Number of folds; no corpus may have fewer recordings, or fewer speakers if `speaker`
        is passed.
    random_state : int, RandomState instance or None, default=None
        Shuffles the recordings before they are split.

    Returns
    -------
    accuracy : float
        Between 0 and 1. Chance is :math:`1 / K` for :math:`K` corpora: they cannot be told
        apart. At 1, every recording reveals its corpus.

    Raises
    ------
    ValueError
        If lengths differ, there are gaps, only one corpus, or a corpus too small for
        `cv` folds.

    See Also
    --------
    latent_consistency : Adds distances between the distributions.

    Notes
    -----
    For two normal distributions that differ by a shift of :math:`\delta` standard deviations
    the best accuracy is :math:`\Phi(\delta / 2)`.

    Where corpora have exactly the same mean, as behind
    :class:`~sklearn_ser.estimators.CorpusScaler`, accuracy falls *below* chance: the
    training rows lie on the other side of the mean than the fold, and the classifier learns
    the opposite. Read it as chance.

    References
    ----------
    .. [1] S. Ben-David et al., "A theory of learning from different domains", Machine
       Learning 79, 2010, pp. 151-175, section 4.
    .. [2] D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.metrics import corpus_separability
    >>> Z = np.random.default_rng(0).normal(size=(200, 2))
    >>> corpus = np.repeat(["emodb", "urdu"], 100)
    >>> apart = Z + 10 * (corpus == "urdu")[:, None]
    >>> corpus_separability(apart, corpus, random_state=0)
    1.0
    >>> 0.4 < corpus_separability(Z, corpus, random_state=0) < 0.6
    True
    """
    Z, names, codes = _check_embedding(Z, corpus)
    if not isinstance(cv, Integral) or cv < 2:
        raise ValueError(
            f"cv, the number of folds, must be an integer of at least 2, got {plain(cv)!r}."
        )
    counts = np.bincount(codes)
    if counts.min() < cv:
        smallest = str(names[counts.argmin()])
        raise ValueError(
            f"corpus {smallest!r} has {counts.min()} recordings, but {cv} folds need at least "
            f"{cv} of each corpus. Lower cv or drop this corpus."
        )
    if estimator is None:
        estimator = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
        )
    # Stratified, because a fold without a corpus has no recall for it.
    speakers, splitter = None, StratifiedKFold
    if speaker is not None:
        speakers = _check_speakers(speaker, names, codes, cv)
        splitter = StratifiedGroupKFold
    # An integer, because a splitter draws from a generator again for every call of split.
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    folds = splitter(cv, shuffle=True, random_state=seed).split(Z, codes, speakers)
    predicted = cross_val_predict(estimator, Z, codes, cv=list(folds))
    # Over all folds together: a mean over folds would weigh small folds like large ones. The
    # balanced accuracy has the same chance level for corpora of any sizes.
    return unweighted_average_recall(codes, predicted)


def _spread_within(samples: Sequence[np.ndarray]) -> float:
    """Return the root of the mean variance within corpora; 1 if nothing varies."""
    # Within corpora: the shifts between them are what is to be measured, and must not enter
    # their own unit.
    variance = np.mean([sample.var(axis=0).mean() for sample in samples])
    return np.sqrt(variance) if variance > 0 else 1.0


def _discrepancies(
    samples: Sequence[np.ndarray], max_samples: int | None, rng: np.random.RandomState
) -> list[float]:
    """Return the unbiased squared MMD of each pair."""
    drawn = [subsample(sample, max_samples, rng) for sample in samples]
    # One kernel for all pairs: discrepancies in different kernels cannot be compared.
    bandwidth = median_bandwidth(np.concatenate(drawn), rng)
    within = [mean_kernel(sample, sample, bandwidth) for sample in drawn]
    return [
        within[a] + within[b] - 2 * mean_kernel(drawn[a], drawn[b], bandwidth)
        for a, b in itertools.combinations(range(len(samples)), 2)
    ]


def latent_consistency(
    Z: ArrayLike,
    corpus: ArrayLike,
    *,
    speaker: ArrayLike | None = None,
    scale: bool = True,
    n_projections: int = 200,
    max_samples: int | None = 2000,
    cv: int = 5,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    r"""Differences between the distributions of an embedding across corpora.

    A model trained on the embedding of some corpora can only be right about another corpus
    if the embeddings of its recordings lie in the same places. Four measures of the difference,
    from the whole distribution to what a single dimension and a classifier see:

    =======================  =================  ===========  ====================
    measure                  all alike          at most      what it is
    =======================  =================  ===========  ====================
    ``sliced_wasserstein``   0                  unbounded    mean over pairs
    ``mmd``                  0, either side     2            mean over pairs
    ``jensen_shannon``       0                  :math:`\ln   mean over pairs and
                                                2`           dimensions
    ``separability``         ``chance``         1            balanced accuracy
    =======================  =================  ===========  ====================

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        The embedding of each recording.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording, without gaps; at least two different.
    speaker : array-like of shape (n_samples,), default=None
        The speaker of each recording, for `corpus_separability`.
    scale : bool, default=True
        Whether to divide `Z` by one number, the root of the mean variance within corpora,
        which keeps its shape. Sliced Wasserstein distances are then in standard deviations
        and comparable between embeddings; otherwise an embedding with small values has
        small distances. The other measures do not depend on it.
    n_projections : int, default=200
        Number of directions of `sliced_wasserstein_distance`, whose order is 2.
    max_samples : int or None, default=2000
        Maximum number of rows that `maximum_mean_discrepancy` uses from each corpus.
    cv : int, default=5
        Number of folds of `corpus_separability`.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws of directions, rows and folds.

    Returns
    -------
    consistency : Bunch
        With these attributes, or keys:

        sliced_wasserstein, mmd, jensen_shannon, separability : float
            The measures of the table; ``mmd`` is the squared discrepancy, unbiased.
        chance : float
            The `separability` of corpora that cannot be told apart: 1 / number of corpora.
        pairs : DataFrame
            The first three measures for each pair of corpora, ``corpus_a`` and ``corpus_b``.
        dimensions : ndarray of shape (n_components,)
            The Jensen-Shannon divergence of each dimension, averaged over pairs.

    Raises
    ------
    ValueError
        If lengths differ, there are gaps, only one corpus, or a corpus too small for
        `cv` folds.

    See Also
    --------
    sliced_wasserstein_distance, maximum_mean_discrepancy : Measures for two samples.
    jensen_shannon_divergence : Measure for two samples, dimension by dimension.
    corpus_separability : The classifier.
    latent_r2 : Relation of the embedding to activation and valence.

    Notes
    -----
    Corpora with different proportions of emotions, or of women and men, differ in distribution
    however consistent the embedding is. Compare the recordings of one emotion at a time, or
    the same number of each. An embedding that is the same for all recordings is perfectly
    consistent and useless: read these numbers beside a recall.

    References
    ----------
    .. [1] S. Das, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen, "Towards
       transferable speech emotion representation: on loss functions for cross-lingual
       latent representations", ICASSP 2022, arXiv:2203.14865.

    Examples
    --------
    Two similar corpora, and a third one four standard deviations away in one of two dimensions:

    >>> import numpy as np
    >>> from sklearn_ser.metrics import latent_consistency
    >>> corpus = np.repeat(["emodb", "ravdess", "urdu"], 200)
    >>> Z = np.random.default_rng(0).normal(size=(600, 2))
    >>> Z[corpus == "urdu", 0] += 4
    >>> consistency = latent_consistency(Z, corpus, random_state=0)
    >>> consistency.pairs.drop(columns="mmd").round(2)
      corpus_a corpus_b  sliced_wasserstein  jensen_shannon
    0    emodb  ravdess                0.13            0.01
    1    emodb     urdu                2.92            0.32
    2  ravdess     urdu                2.88            0.32
    >>> consistency.dimensions.round(2)
    array([0.42, 0.01])
    """
    Z, names, codes = _check_embedding(Z, corpus)
    check_n_projections(n_projections)
    check_max_samples(max_samples)
    rng = check_random_state(random_state)
    # First, because its message names the corpus that is too small.
    separability = corpus_separability(Z, corpus, speaker=speaker, cv=cv, random_state=rng)
    samples = [Z[codes == position] for position in range(len(names))]
    if scale:
        spread = _spread_within(samples)
        samples = [sample / spread for sample in samples]
    directions = draw_directions(Z.shape[1], n_projections, rng)
    divergences = np.array(
        [jensen_shannon_divergence(a, b) for a, b in itertools.combinations(samples, 2)]
    )
    pairs = pd.DataFrame(
        itertools.combinations(names.tolist(), 2), columns=["corpus_a", "corpus_b"]
    )
    pairs = pairs.assign(
        sliced_wasserstein=sliced_wasserstein_pairs(samples, directions, 2),
        mmd=_discrepancies(samples, max_samples, rng),
        jensen_shannon=divergences.mean(axis=1),
    )
    measures = pairs[["sliced_wasserstein", "mmd", "jensen_shannon"]].mean().to_dict()
    return Bunch(
        **measures,
        separability=separability,
        chance=1 / len(names),
        pairs=pairs,
        dimensions=divergences.mean(axis=0),
    )
