"""Labels of a few target rows: their codes, and their place in the memory of NNPMClassifier."""

import numpy as np

from sklearn_ser.utils._labels import encode_partial_labels
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._soft_labels import has_columns, soft_labels

__all__ = [
    "check_mass",
    "check_number_labelled",
    "class_balance",
    "encode_target_labels",
    "is_labelled",
    "joined",
    "mass_balance",
]


def is_labelled(codes):
    """Return which rows have a label: a code of at least 0, or shares that are not NaN."""
    return codes >= 0 if codes.ndim == 1 else ~np.isnan(codes[:, 0])


def joined(codes, others, n_classes):
    """Return codes or shares of some rows and then of others; shares if either are shares."""
    if codes.ndim < others.ndim:
        codes = np.eye(n_classes, dtype=np.float32)[codes]
    elif others.ndim < codes.ndim:
        others = np.eye(n_classes, dtype=np.float32)[others]
    return np.concatenate([codes, others])


def encode_target_labels(y_target, X_target, classes):
    """Return the classes of target rows, as positions in the classes of the source.

    Parameters
    ----------
    y_target : array-like of shape (n_target_samples,) or (n_target_samples, n_classes), or None
        Emotions, with gaps; or shares of raters, with rows of NaN.
    X_target : array-like of shape (n_target_samples, n_features) or None
        The rows, validated.
    classes : ndarray of shape (n_classes,)
        The classes of the source.

    Returns
    -------
    codes : ndarray of int64, shape (n_target_samples,), or None
        -1 for an unlabelled row; None if there is no label at all. Where raters disagree, their
        shares instead: float32, shape (n_target_samples, n_classes), NaN for an unlabelled row.

    Raises
    ------
    ValueError
        For labels without rows, another length, and emotions that the source lacks.
    """
    if y_target is None:
        return None
    if X_target is None:
        raise ValueError(
            "y_target was given without X_target: it labels rows of X_target, one entry for each, "
            "None where there is no label. Labelled rows of a source belong to X and y."
        )
    names, soft = classes.tolist(), None
    if has_columns(y_target):
        soft = soft_labels(y_target, len(X_target), name="y_target", rows="X_target", gaps=None)
        if not soft.labelled.any():
            return None
        found, codes = soft.classes, soft.codes
    else:
        found, codes = encode_partial_labels(
            y_target, len(X_target), name="y_target", rows="X_target"
        )
    if -1 in names and (codes < 0).any():
        raise ValueError(
            "y_target has unlabelled rows, which -1 stands for, but -1 is also a class of y. "
            "Rename the classes, for instance to strings."
        )
    unknown = [name for name in found.tolist() if name not in names]
    if unknown:
        raise ValueError(
            f"y_target holds {plain(unknown)}, which y lacks; its classes are {names}. A class "
            f"has to be in the source: rename these labels, or replace them by None."
        )
    if soft is not None and not soft.is_hard:
        return soft.over(classes)
    position_of = {name: position for position, name in enumerate(names)}
    # The code -1 of unlabelled rows, used as an index, finds the last entry.
    codes = np.array([*(position_of[name] for name in found.tolist()), -1], np.int64)[codes]
    return codes if (codes >= 0).any() else None


def class_balance(codes, n_classes, n_labelled, label_weight):
    """Return the weights of the rows in a memory that ends with labelled target rows.

    Parameters
    ----------
    codes : ndarray of int64, shape (m,)
        Classes of all rows of the memory.
    n_classes : int
        Number of classes.
    n_labelled : int
        How many of them, at the end, are target rows.
    label_weight : float
        Weight of one of these, relative to all source rows of its class.

    Returns
    -------
    weights : ndarray of shape (m,), float32
        Within a class: 1 for a source row.
    chances : ndarray of shape (m,), float32
        The same, scaled to the same sum for each class and to 1 in total.
    """
    n_source = len(codes) - n_labelled
    counts = np.bincount(codes[:n_source], minlength=n_classes)
    weights = np.ones(len(codes))
    weights[n_source:] = label_weight * counts[codes[n_source:]]
    sums = np.bincount(codes, weights, minlength=n_classes)
    chances = weights / (n_classes * sums[codes])
    return weights.astype(np.float32), chances.astype(np.float32)


def mass_balance(shares, n_labelled, label_weight):
    """Return weights and label mass of a memory of soft labels, which ends with target rows.

    As :func:`class_balance` does, class by class.

    Parameters
    ----------
    shares : ndarray of shape (m, n_classes)
        Shares of raters for all rows of the memory.
    n_labelled, label_weight
        As there.

    Returns
    -------
    weights : ndarray of shape (m, n_classes), float32
        Weight of the share that a row has in a class: 1 for a source row.
    mass : ndarray of shape (m, n_classes), float32
        The shares with these weights, scaled to the same sum for each class and to 1 in total.
    """
    n_source, n_classes = len(shares) - n_labelled, shares.shape[1]
    weights = np.ones(shares.shape)
    weights[n_source:] = label_weight * shares[:n_source].sum(axis=0, dtype=np.float64)
    mass = shares * weights
    mass /= n_classes * mass.sum(axis=0)
    return weights.astype(np.float32), mass.astype(np.float32)


def check_mass(shares, n_rows, classes):
    """Refuse stored shares of raters that do not fit the memory."""
    fits = (
        isinstance(shares, np.ndarray)
        and shares.dtype == np.float32
        and shares.shape == (n_rows, np.size(classes))
        and bool((shares >= 0).all() and (np.abs(shares.sum(axis=1) - 1) < 1e-3).all())
    )
    if not fits:
        raise ValueError(
            "the shares of raters do not fit the rows in the memory; the model was changed or "
            "damaged. Train it again."
        )


def check_number_labelled(n_labelled, n_rows):
    """Refuse a stored number of labelled rows that leaves no source row in the memory."""
    if not isinstance(n_labelled, int) or not 0 <= n_labelled < n_rows:
        raise ValueError(
            f"the memory has {n_rows} rows, of which {plain(n_labelled)!r} are said to be labelled "
            f"rows of a target; the model was changed or damaged. Train it again."
        )
