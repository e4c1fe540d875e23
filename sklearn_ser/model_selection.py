"""The cross-validation splitter that holds out one corpus at a time."""

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.utils import indexable

from sklearn_ser._sklearn import _num_samples
from sklearn_ser.utils._identities import encode_ids, find_ids
from sklearn_ser.utils._messages import plain

__all__ = ["LeaveOneCorpusOut"]


def _positions(names, targets):
    """Return where in `names` the targets stand, sorted; everywhere for None."""
    if targets is None:
        return np.arange(len(names))
    wanted = [targets] if np.isscalar(targets) else list(targets)
    if not wanted:
        raise ValueError("targets is empty; name at least one corpus, or pass None to hold out all")
    positions = find_ids(wanted, names)
    unknown = [one for one, position in zip(wanted, positions, strict=True) if position < 0]
    if unknown:
        raise ValueError(
            f"targets names corpora that no recording is of: {plain(unknown)}; known are "
            f"{names.tolist()}."
        )
    return np.array(sorted(set(positions)))


class LeaveOneCorpusOut(LeaveOneGroupOut):
    """Hold out one corpus after the other.

    Fold `k` tests on every recording of one corpus and trains on all recordings of
    the others. The folds come in the sorted order of the corpus names, whatever the
    order of the recordings; nothing is random. However its name was written, with blanks
    around it or as ``1.0`` for ``1``, a corpus is one.

    Parameters
    ----------
    targets : str, int or collection of these, default=None
        The corpora to hold out. The others only ever train: a fold that nobody asks
        about need not be computed. None holds out each corpus once.

    See Also
    --------
    sklearn_ser.evaluation.cross_corpus_validate : The whole evaluation, with the
        corpora also handed to the estimators that take them.

    Notes
    -----
    The corpora go to ``groups=`` as with every group splitter of scikit-learn. With
    metadata routing switched on they go into ``params=`` (or ``fit(..., groups=)`` of
    a search) and find this splitter without a ``set_split_request``.

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
        """Name the corpora that are held out, in the order of the folds.

        Parameters
        ----------
        groups : array-like of shape (n_samples,)
            The corpus of each sample.

        Returns
        -------
        names : ndarray of shape (n_splits,)
            ``names[k]`` is tested on in fold `k`.
        """
        names, _, held_out = self._encode(groups)
        return names[held_out]

    def get_n_splits(self, X=None, y=None, groups=None):
        """Count the folds.

        Parameters
        ----------
        X, y : object, default=None
            Ignored.
        groups : array-like of shape (n_samples,)
            The corpus of each sample.

        Returns
        -------
        n_splits : int
            The number of corpora that are held out.
        """
        return len(self.corpora(groups))

    def split(self, X, y=None, groups=None):
        """Generate the indices of training and test set of each fold.

        Parameters
        ----------
        X : array-like or list of length n_samples
            The samples; only their number matters.
        y : array-like of shape (n_samples,), default=None
            Ignored but for its length.
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
            If `groups` is missing, has gaps, does not fit `X` or holds fewer than
            two corpora, or if `targets` names one that is not among them.
        """
        indexable(X, y)
        n_samples = None if X is None else _num_samples(X)
        _, codes, held_out = self._encode(groups, n_samples)
        for code in held_out:
            yield np.flatnonzero(codes != code), np.flatnonzero(codes == code)
