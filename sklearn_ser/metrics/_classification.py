"""Scores of predicted emotion labels."""

import warnings

from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix, make_scorer

from sklearn_ser.metrics._sums import confusion_sums, uar_of
from sklearn_ser.utils._labels import refuse_unlabelled


def unweighted_average_recall(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Mean recall over the classes present in the truth (UAR).

    With :math:`C` the set of classes that occur in `y_true`,

    .. math::

        \mathrm{UAR} = \frac{1}{|C|} \sum_{c \in C}
            \frac{|\{i : y_i = c,\ \hat y_i = c\}|}{|\{i : y_i = c\}|} .

    A frequent emotion counts no more than a rare one, and guessing among
    :math:`|C|` classes scores :math:`1 / |C|` in expectation.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The true labels, strings or integers, without gaps, see :ref:`unlabelled`.
    y_pred : array-like of shape (n_samples,)
        The predicted labels. A label that does not occur in `y_true` counts as an error
        where it is predicted; it does not add a class with recall 0 to the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples within their classes.

    Returns
    -------
    uar : float
        Between 0 and 1; higher is better.

    Raises
    ------
    ValueError
        If the lengths differ, or the labels are continuous, of mixed types, or mark
        samples as unlabelled (None, NaN, NA, and -1 unless 1 is the only other label).

    See Also
    --------
    sklearn.metrics.balanced_accuracy_score : The same number, with a warning where
        a predicted class does not occur in the truth.

    Notes
    -----
    A model often knows emotions that the corpus at hand lacks. Then
    ``recall_score(..., average="macro")`` also averages over the predicted classes and gives
    a lower number; see the example.

    References
    ----------
    .. [1] B. Schuller, S. Steidl, A. Batliner, "The INTERSPEECH 2009 Emotion
       Challenge", Proc. Interspeech 2009, pp. 312-315.

    Examples
    --------
    >>> from sklearn.metrics import recall_score
    >>> from sklearn_ser.metrics import unweighted_average_recall
    >>> y_true = ["anger", "anger", "neutral", "neutral"]
    >>> y_pred = ["anger", "boredom", "neutral", "neutral"]
    >>> unweighted_average_recall(y_true, y_pred)
    0.75
    >>> recall_score(y_true, y_pred, average="macro", zero_division=0)
    0.5
    """
    refuse_unlabelled(y_true, name="y_true", beside=y_pred)
    refuse_unlabelled(y_pred, name="y_pred", beside=y_true)
    # Not macro-averaged recall: over corpora, classes that only the training corpora have would
    # enter the mean with recall 0 as soon as one of them is predicted once.
    with warnings.catch_warnings():
        # Where all rows have one label, its recall is the mean. The matrix is not handed out.
        warnings.filterwarnings("ignore", "A single label was found", UserWarning)
        matrix = confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    return float(uar_of(confusion_sums(matrix)))


uar_scorer = make_scorer(unweighted_average_recall)
