"""The cross-validation splitter that holds out one corpus at a time."""

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.utils import indexable

from sklearn_ser._sklearn import _num_samples
from sklearn_ser.utils._identities import encode_ids, find_ids
from sklearn_ser.utils._messages import plain

__all__ = ["LeaveOneCorpusOut"]


def _positions(names, targets):
    """Return the sorted positions of the targets in `names`; all positions for None."""
    if targets is None:
        return np.arange(len(names))
    wanted = [targets] if np.isscalar(targets) else list(targets)
    if not wanted:
        raise ValueError("targets is empty; name at least one corpus, or pass None to hold out all")
    positions = find_ids(wanted, names)
    unknown = [one for one, position in zip(wanted, positions, strict=True) if position < 0]
    if unknown:
        raise ValueError(
            f"targets names corpora without recordings: {plain(unknown)}; known are "
            f"{names.tolist()}."
        )
    return np.array(sorted(set(positions)))


class LeaveOneCorpusOut(LeaveOneGroupOut):
    """Hold out each corpus in turn.

    Each fold tests on all recordings of one corpus and trains on all recordings of the others.
    The folds are in the sorted order of the corpus names, not in that of the recordings;
    nothing is random. Different spellings of a name, such as with blanks around it or ``1.0``
    for ``1``, count as one corpus.

    Parameters
    ----------
    targets : str, int or collection of these, default=None
        The corpora to hold out; the others are only trained on, which saves the folds that you
        do not need. None holds out each corpus once.

    See Also
    --------
    sklearn_ser.evaluation.cross_corpus_validate : The whole evaluation, which also passes the
        corpora to the steps that take them.

    Notes
    -----
    Pass the corpora as ``groups=``, as for every group splitter of scikit-learn. With metadata
    routing switched on, pass them in ``params=`` (or as ``fit(..., groups=)`` of a search); the
    splitter requests `groups` by default, so ``set_split_request`` is not needed.

    Examples
    --------
    >>> from sklearn_ser import LeaveOneCorpusOut
    >>> paths = ["a.wav", "b.wav", "c.wav", "d.wav"]
    >>> corpus = ["urdu", "emodb", "urdu", "ravdess"]
    >>> cv = LeaveOneCorpusOut()
    >>> for name, (train, test) in zip(cv.corpora(corpus), cv.split(paths, groups=corpus)):
    ...     print(name, train, test)
    emodb [0 2 3] [1]
    ravdess [0 1 2] [3]
    urdu [1 3] [0 2]
    >>> LeaveOneCorpusOut(targets="urdu").get_n_splits(groups=corpus)
    1
    """

    def __init__(self, *, targets=None):
        self.targets = targets

    def _encode(self, groups, n_samples=None):
        if groups is None:
            raise ValueError(
                "LeaveOneCorpusOut got groups=None; pass groups=, the corpus of each sample."
            )
        names, codes = encode_ids(groups, name="groups", n_samples=n_samples)
        if len(names) < 2:
            raise ValueError(
                f"LeaveOneCorpusOut needs recordings of at least two corpora, got only "
                f"{names.tolist()}. Add a corpus to train on, or split by speaker with "
                f"sklearn.model_selection.LeaveOneGroupOut."
            )
        return names, codes, _positions(names, self.targets)

    def corpora(self, groups):
        """Return the names of the held-out corpora in the order of the folds.

        Parameters
        ----------
        groups : array-like of shape (n_samples,)
            The corpus of each sample.

        Returns
        -------
        names : ndarray of shape (n_splits,)
            Fold `k` tests on ``names[k]``.
        """
        names, _, held_out = self._encode(groups)
        return names[held_out]

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y : object, default=None
            Ignored.
        groups : array-like of shape (n_samples,)
            The corpus of each sample.

        Returns
        -------
        n_splits : int
            The number of held-out corpora.
        """
        return len(self.corpora(groups))

    def split(self, X, y=None, groups=None):
        """Generate the indices of the training and test set of each fold.

        Parameters
        ----------
        X : array-like or list of length n_samples
            The samples; only their number matters.
        y : array-like of shape (n_samples,), default=None
            Ignored except for its length.
        groups : array-like of shape (n_samples,)
            The corpus of each sample: strings, integers or a pandas categorical.

        Yields
        ------
        train : ndarray
            Positions of the recordings of all other corpora.
        test : ndarray
            Positions of the recordings of the held-out corpus.

        Raises
        ------
        ValueError
            If `groups` is missing, has gaps, differs in length from `X` or has fewer than two
            corpora, or if `targets` names a corpus that is not among them.
        """
        indexable(X, y)
        n_samples = None if X is None else _num_samples(X)
        _, codes, held_out = self._encode(groups, n_samples)
        for code in held_out:
            yield np.flatnonzero(codes != code), np.flatnonzero(codes == code)
