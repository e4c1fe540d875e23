"""Emotion labels, and the one convention for missing ones.

Unlabelled samples are None, NaN or NA in arrays of objects and in pandas, and -1 among integers.
"""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d

from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._validation import MISSING_AS_TEXT, encode

__all__ = ["encode_labels", "encode_partial_labels", "refuse_other_kind", "refuse_unlabelled"]

# -1 and empty cells stand for no label in tables, but may be names of anything else.
_GAPS_AS_TEXT = (*MISSING_AS_TEXT, "-1", "-1.0", "")

# -1 and 1 alone are the two classes of a binary problem, as everywhere in scikit-learn.
_BINARY = ({-1, 1}, {"-1", "1"}, {"-1.0", "1.0"})


def _is_minus_one(label):
    return isinstance(label, (Real, np.bool_)) and label == -1


def _flat(labels):
    """Return labels as an array of objects, or None if they are not a column."""
    # Straight to object: np.asarray(["anger", np.nan]) makes a string "nan" of the gap.
    array = np.asarray(labels, dtype=object)
    is_column = array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)
    return array.ravel() if is_column else None


def _distinct(array):
    try:
        return {plain(label) for label in pd.unique(array)}
    except TypeError:
        # Labels that cannot be hashed are refused by later checks.
        return set()


def refuse_unlabelled(labels, *, name, beside=(), remedy="Drop these samples."):
    """Refuse labels that mark samples as unlabelled.

    -1 passes if all labels are -1 or 1, which are then two classes.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Labels. Anything that is not a column of labels, or that holds fractions, passes.
    name : str
        Name of the argument in messages.
    beside : array-like of shape (n_samples,), default=()
        Further labels of the same task, such as predictions.
    remedy : str
        Advice at the end of the message.

    Raises
    ------
    ValueError
        If a label is missing or marks a sample as unlabelled; the message has the position of
        the first one. If some labels are strings and others are not.
    """
    array = _flat(labels)
    if array is None:
        return
    missing = pd.isna(array)
    if missing.any():
        raise ValueError(
            f"{name} has {missing.sum()} missing of {array.size} entries, the first at position "
            f"{missing.argmax()}, samples without a label. {remedy}"
        )
    distinct = _distinct(array)
    if len({isinstance(label, str) for label in distinct}) > 1:
        # numpy would make text of the numbers, and 1 and "1" the same emotion.
        kinds = sorted({type(label).__name__ for label in distinct})
        raise ValueError(
            f"{name} mixes entries of types {', '.join(kinds)}, which cannot be sorted; use all "
            f"strings or all integers."
        )
    marks = {label for label in distinct if _is_minus_one(label) or label in _GAPS_AS_TEXT}
    if not marks:
        return
    others = _flat(beside)
    known = distinct if others is None else distinct | _distinct(others[~pd.isna(others)])
    fractions = any(isinstance(label, float) and not label.is_integer() for label in known)
    if fractions or any(known <= binary for binary in _BINARY):
        return
    is_mark = np.fromiter((label in marks for label in array), bool, array.size)
    first = int(is_mark.argmax())
    count = f"in {is_mark.sum()} of {array.size} entries, the first at position {first}"
    if isinstance(array[first], str):
        raise ValueError(
            f"{name} holds the string {str(array[first])!r} {count}, which is what an unlabelled "
            f"entry becomes in an array of strings, and would be taken for an emotion. {remedy} "
            f"An array with dtype=object and None shows the gaps."
        )
    raise ValueError(
        f"{name} holds {plain(array[first])!r} {count}, which marks samples without a label and "
        f"would be taken for an emotion. {remedy}"
    )


def refuse_other_kind(y_true, y_pred, *, names=("y_true", "y_pred")):
    """Refuse predictions that are text where the truth is numbers, or the reverse.

    No prediction would equal a label: all would count as wrong.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels without gaps, each all text or all numbers.
    names : tuple of str
        Names of both in messages.

    Raises
    ------
    ValueError
        If they are of different kinds.
    """
    truth, prediction = (plain(_flat(labels)[0]) for labels in (y_true, y_pred))
    if isinstance(truth, str) != isinstance(prediction, str):
        raise ValueError(
            f"{names[0]} holds {truth!r}, but {names[1]} {prediction!r}: pass text in both, or "
            f"numbers in both."
        )


def encode_labels(values, *, name, n_samples=None, beside=()):
    """Turn one label per sample into distinct names and integer codes.

    Parameters and return values are those of :func:`~sklearn_ser.utils._validation.encode`, and
    `beside` of :func:`refuse_unlabelled`.

    Raises
    ------
    ValueError
        Also for labels that mark samples as unlabelled.
    """
    names, codes = encode(values, name=name, n_samples=n_samples)
    refuse_unlabelled(values, name=name, beside=beside)
    return names, codes


def encode_partial_labels(y, n_samples, *, name="y", rows="X", pair_is_binary=False):
    """Turn labels with gaps into classes and codes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Strings or integers; None, NaN, NA or the number -1 for an unlabelled row.
    n_samples : int
        The number of rows.
    name, rows : str, default="y" and "X"
        Names of the labels and of the rows in messages.
    pair_is_binary : bool, default=False
        Whether -1 and 1 alone, without gaps, are the two classes of a binary problem, instead
        of the class 1 and gaps.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted; empty without any label.
    codes : ndarray of int64, shape (n_samples,)
        Position in `classes`; -1 for an unlabelled row.

    Raises
    ------
    ValueError
        For another length than `n_samples`, continuous values, labels of mixed types,
        and for strings that look like gaps.
    """
    # Straight to object: np.asarray(["anger", np.nan]) makes a string "nan" of the gap.
    labels = column_or_1d(np.asarray(y, dtype=object), dtype=object, warn=True)
    if len(labels) != n_samples:
        raise ValueError(
            f"{name} has {len(labels)} entries but {rows} has {n_samples} samples; pass one entry "
            f"per sample, None where there is no label."
        )
    missing = pd.isna(labels)
    # NA answers no comparison with True or False.
    labels = np.where(missing, None, labels)
    disguised = np.isin(labels, np.array(_GAPS_AS_TEXT, dtype=object))
    if disguised.any():
        position = int(disguised.argmax())
        raise ValueError(
            f"{name} holds the string {str(labels[position])!r} (first at position {position}), "
            f"which is what an unlabelled entry becomes in an array of strings, and would be "
            f"learnt as an emotion. Build {name} with dtype=object and None in these places."
        )
    unlabelled = missing
    if not (pair_is_binary and _distinct(labels) == {-1, 1}):
        unlabelled = missing | np.fromiter(map(_is_minus_one, labels), bool, n_samples)
    codes = np.full(n_samples, -1, dtype=np.int64)
    if unlabelled.all():
        return np.array([], dtype=object), codes
    classes, codes[~unlabelled] = encode(labels[~unlabelled], name=name)
    if classes.dtype.kind == "f":
        # Integers beside NaN arrive as floats.
        if (classes != np.round(classes)).any():
            raise ValueError(
                f"{name} must hold one emotion label per sample, got continuous values such as "
                f"{plain(labels[~unlabelled][0])!r}. MetricDAE takes activation and valence."
            )
        classes = classes.astype(np.int64)
    return classes, codes
