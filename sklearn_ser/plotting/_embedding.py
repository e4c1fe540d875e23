"""Validate the inputs of the displays of embeddings."""

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from sklearn_ser._sklearn import _num_samples, _safe_indexing
from sklearn_ser.utils._identities import encode_ids


def embed(estimator, X, corpus):
    """Embed recordings, each corpus in a batch of its own.

    Steps that scale by the statistics of a batch treat it as a corpus.

    Parameters
    ----------
    estimator : estimator object
        A fitted transformer.
    X : array-like of length n_samples
        Its input.
    corpus : array-like of shape (n_samples,)
        The corpus of each sample.

    Returns
    -------
    Z : ndarray of shape (n_samples, n_components)

    Raises
    ------
    TypeError
        If it has no ``transform``.
    """
    if not hasattr(estimator, "transform"):
        raise TypeError(
            f"{estimator!r} has no transform, hence no embedding. Pass a transformer: for a "
            f"pipeline that ends in a classifier, the steps before it, model[:-1]."
        )
    names, codes = encode_ids(corpus, name="corpus", n_samples=_num_samples(X))
    rows = [np.flatnonzero(codes == code) for code in range(len(names))]
    parts = [np.asarray(estimator.transform(_safe_indexing(X, part))) for part in rows]
    return np.concatenate(parts)[np.argsort(np.concatenate(rows))]


def name_components(Z, least=1):
    """Return an embedding as a DataFrame whose columns are named.

    Raises
    ------
    ValueError
        If it has fewer columns than needed, or values that are not finite.
    """
    values = check_array(Z, dtype=np.float64, input_name="Z")
    if values.shape[1] < least:
        raise ValueError(
            f"Z has {values.shape[1]} column, but a point in the plane needs {least}. Draw a "
            f"single component against a label with LatentLabelDisplay."
        )
    names = [f"component {number}" for number in range(1, values.shape[1] + 1)]
    if isinstance(Z, pd.DataFrame):
        names = [str(name) for name in Z.columns]
    return pd.DataFrame(values, columns=names)
