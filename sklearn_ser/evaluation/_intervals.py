"""Confidence intervals by a bootstrap over speakers."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from sklearn_ser.metrics._sums import METRICS, label_sums, value_sums
from sklearn_ser.utils._identities import canonical_ids, number_ids
from sklearn_ser.utils._labels import encode_labels, refuse_other_kind
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._words import count_of

__all__ = [
    "BootstrapSettings",
    "SpeakerInterval",
    "check_metric",
    "draw_speakers",
    "encode_speakers",
    "fits",
    "interval_of_draws",
    "interval_of_mean",
    "speaker_interval",
    "sums_of",
]


class BootstrapSettings(NamedTuple):
    """Settings of intervals; the parameters of `speaker_interval`."""

    n_draws: int = 2000
    confidence: float = 0.95
    # A standard deviation of S values has a relative standard error of about 1 / sqrt(2 (S - 1)):
    # 35 % with five speakers, 50 % with three, where the width is mostly chance.
    min_speakers: int = 5
    # A seed rather than None, so that the same predictions always have the same interval.
    random_state: object = 0

    def checked(self):
        """Return the settings; refuse invalid ones."""
        for name, value, least in (
            ("n_draws", self.n_draws, 2),
            ("min_speakers", self.min_speakers, 2),
        ):
            if not isinstance(value, Integral) or value < least:
                raise ValueError(
                    f"{name} must be an integer of at least {least}, got {plain(value)!r}."
                )
        if not isinstance(self.confidence, Real) or not 0 < self.confidence < 1:
            raise ValueError(
                f"confidence must be a number between 0 and 1, such as 0.95, got "
                f"{plain(self.confidence)!r}."
            )
        check_random_state(self.random_state)
        return self


class SpeakerInterval(NamedTuple):
    """A score and its confidence interval.

    Parameters
    ----------
    estimate : float
        The score of all recordings.
    low, high : float
        Ends of the interval, within the bounds of the score; NaN without an interval.
    standard_error : float
        Standard deviation of the score over draws of speakers, times
        ``sqrt(S / (S - 1))`` for S speakers; NaN without an interval.
    n_speakers : int
        Number of speakers whose recordings the score depends on; 0 if they are unknown.
    note : str
        Why there is no interval, or why it has no width; otherwise empty.

    See Also
    --------
    speaker_interval : Computes it.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    n_speakers: int
    note: str


def encode_speakers(speaker, n_samples):
    """Number the speakers.

    Parameters
    ----------
    speaker : ndarray of shape (n_samples,) or None
        Names, with None or NaN for unknown ones.
    n_samples : int
        Number of recordings.

    Returns
    -------
    codes : ndarray of shape (n_samples,)
        Speakers as numbers; all 0 unless every speaker is known.
    n_speakers : int
        Number of known speakers.
    note : str
        Description of what is missing; empty if every speaker is known.
    """
    codes, names = number_ids(np.full(n_samples, None) if speaker is None else speaker)
    unknown = np.count_nonzero(codes < 0)
    if not unknown:
        return codes, len(names), ""
    # Unknown speakers may be one person or many. Each recording as a speaker of its own would make
    # the interval too narrow, all of them as one speaker too wide: there is no safe guess.
    some = "speakers unknown" if not len(names) else ""
    note = some or f"speaker unknown of {unknown} of {n_samples} recordings"
    return np.zeros(n_samples, dtype=int), len(names), note


def draw_speakers(n_speakers, settings):
    """Draw as many speakers as there are, with replacement, `n_draws` times.

    Returns
    -------
    counts : ndarray of shape (n_draws, n_speakers)
        How often each draw contains each speaker.
    """
    # A test set is a sample of people, who are exchangeable; their recordings are not. Speakers are
    # thus drawn with equal probability, not in proportion to their recordings: how many a speaker
    # contributes is a part of what varies between test sets.
    # Counts suffice: a score is a function of the sums, which do not depend on the order.
    rng = check_random_state(settings.random_state)
    return rng.multinomial(
        n_speakers, np.full(n_speakers, 1 / n_speakers), size=settings.n_draws
    ).astype(float)


def _margin(standard_error, freedom, confidence):
    # The standard error is estimated from the same few speakers, which the normal quantile would
    # ignore: with 5 speakers, 1.96 instead of 2.78.
    return stats.t.ppf((1 + confidence) / 2, freedom) * standard_error


def interval_of_draws(estimate, draws, n_speakers, settings, *, low, high, note=""):
    """Make an interval from the scores of draws.

    Parameters
    ----------
    estimate : float
        The score of all recordings.
    draws : ndarray of shape (n_draws,) or None
        The score of each draw, NaN where it is undefined; None if `note` says why there are
        no draws.
    n_speakers : int
        Number of speakers that the score depends on.
    settings : BootstrapSettings
        The confidence, and the minimum number of speakers.
    low, high : float
        Bounds of the score.
    note : str
        A reason for not giving an interval.

    Returns
    -------
    interval : SpeakerInterval
    """
    if not note and n_speakers < settings.min_speakers:
        note = f"{count_of(n_speakers, 'speaker')}, fewer than {settings.min_speakers}"
    if not note:
        # A draw can leave the score undefined, as CCC is for one constant. Without such draws, the
        # interval is that of test sets that can be scored.
        draws = draws[np.isfinite(draws)]
        if len(draws) < 2 or not np.isfinite(estimate):
            note = "score undefined"
    if note:
        return SpeakerInterval(float(estimate), np.nan, np.nan, np.nan, n_speakers, note)
    # Equal scores differ by rounding errors only, which would make an interval of width 1e-17.
    rounding = 1e-12 * max(1, abs(estimate))
    spread = draws.std(ddof=1) if np.ptp(draws) > rounding else 0.0
    # A draw comes from the S observed speakers, whose variance has the divisor S. The unbiased one
    # has S - 1: the variance over draws is too small by the factor (S - 1) / S.
    error = spread * np.sqrt(n_speakers / (n_speakers - 1))
    # Centred on the estimate rather than read off the draws: percentiles of the draws need many
    # speakers before they have the nominal coverage.
    margin = _margin(error, n_speakers - 1, settings.confidence)
    # The true score lies within the bounds: clipping to them cannot cost coverage.
    return SpeakerInterval(
        float(estimate),
        float(max(estimate - margin, low)),
        float(min(estimate + margin, high)),
        float(error),
        n_speakers,
        "" if error else "no width: all draws of speakers score alike",
    )


def interval_of_mean(intervals, names, confidence, *, low, high):
    r"""Combine the intervals of corpora that have no speakers in common.

    The mean of :math:`m` independent scores has the squared standard error
    :math:`\sum_k s_k^2 / m^2`, and by Welch and Satterthwaite about
    :math:`(\sum_k s_k^2)^2 / \sum_k s_k^4 / (S_k - 1)` degrees of freedom.

    Parameters
    ----------
    intervals : list of SpeakerInterval
        One for each corpus.
    names : list
        The corpora, for the note.
    confidence, low, high : float
        As for one corpus.

    Returns
    -------
    interval : SpeakerInterval
        The interval of the mean; without ends if a corpus has none.
    """
    estimate = float(np.mean([interval.estimate for interval in intervals]))
    n_speakers = sum(interval.n_speakers for interval in intervals)
    without = [
        str(name)
        for name, one in zip(names, intervals, strict=True)
        if np.isnan(one.standard_error)
    ]
    if without:
        # The interval of the other corpora would be about another mean than the estimate.
        note = f"no interval for {', '.join(without)}"
        return SpeakerInterval(estimate, np.nan, np.nan, np.nan, n_speakers, note)
    variances = np.array([interval.standard_error for interval in intervals]) ** 2
    if not variances.any():
        note = "no width: all draws of speakers score alike"
        return SpeakerInterval(estimate, estimate, estimate, 0.0, n_speakers, note)
    # A speaker of one corpus is not a speaker of another: the scores are independent given the
    # corpora, and their variances add up.
    freedoms = np.array([interval.n_speakers for interval in intervals]) - 1
    freedom = variances.sum() ** 2 / np.sum(variances**2 / freedoms)
    error = np.sqrt(variances.sum()) / len(intervals)
    margin = _margin(error, freedom, confidence)
    ends = float(max(estimate - margin, low)), float(min(estimate + margin, high))
    return SpeakerInterval(estimate, *ends, float(error), n_speakers, "")


def check_metric(metric):
    """Return the metric of that name; refuse an unknown one."""
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {[*METRICS]}, got {plain(metric)!r}.")
    return METRICS[metric]


def fits(metric, predictions):
    """Return whether a table of predictions holds what a metric compares."""
    columns = [predictions[name] for name in ("y_true", "y_pred")]
    if columns[0].dtype.kind != "f":
        return metric.of_labels
    # Whole numbers may be codes of classes, or ratings that a regressor predicts.
    whole = all(one.dtype.kind != "f" or (one % 1 == 0).all() for one in columns)
    return whole or not metric.of_labels


def sums_of(y_true, y_pred, codes, n_speakers, *, of_labels):
    """Compute the sums of each speaker that scores depend on, for one or more predictions.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        The truth.
    y_pred : ndarray of shape (n_repeats, n_samples)
        Predictions.
    codes : ndarray of shape (n_samples,)
        Speakers, as numbers below `n_speakers`.
    n_speakers : int
        Number of speakers.
    of_labels : bool
        Whether truth and predictions are labels rather than numbers.

    Returns
    -------
    sums : ndarray of shape (n_repeats, n_speakers, 3, n_labels) or (n_repeats, n_speakers, 7)
    """
    if of_labels:
        labels = np.unique(y_true)
        return np.stack([label_sums(y_true, row, codes, n_speakers, labels) for row in y_pred])
    origin = y_true.mean()
    return np.stack([value_sums(y_true, row, codes, n_speakers, origin) for row in y_pred])


def _check_pair(y_true, y_pred, speaker, metric):
    check_consistent_length(y_true, y_pred, speaker)
    speaker = canonical_ids(speaker, name="speaker")
    pair = []
    for name, values, beside in (("y_true", y_true, y_pred), ("y_pred", y_pred, y_true)):
        if metric.of_labels:
            classes, codes = encode_labels(values, name=name, beside=beside)
            pair.append(classes[codes])
            if type_of_target(pair[-1], input_name=name) not in ("binary", "multiclass"):
                raise ValueError(
                    f"{metric.name} compares labels, but {name} has numbers such as "
                    f"{plain(pair[-1][0])!r}. For activation or valence, set metric='ccc'."
                )
        else:
            pair.append(column_or_1d(values, dtype=np.float64))
            if not np.isfinite(pair[-1]).all():
                raise ValueError(f"{name} has values that are NaN or infinite; drop these samples.")
    if metric.of_labels:
        refuse_other_kind(*pair)
    return *pair, speaker


def speaker_interval(
    y_true,
    y_pred,
    speaker,
    *,
    metric="uar",
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
):
    r"""Score predictions, with a confidence interval over speakers.

    Recordings of one speaker are similar: a model that fails on a voice fails on all its
    recordings. What varies from one test set to another is the choice of speakers. The
    bootstrap therefore draws whole speakers, :math:`S` of :math:`S` with replacement, and
    computes the score of all recordings of the draw, in which a speaker drawn twice counts
    twice. With the standard deviation :math:`s` of the score over the draws,

    .. math::

        \text{estimate} \pm t_{S-1,\,(1+\gamma)/2}\; s \sqrt{\frac{S}{S-1}} ,

    clipped to the bounds of the score. For a score that is a mean over speakers, this is
    Student's interval, up to the randomness of the draws. The percentiles of the draws, the
    usual bootstrap interval, lack both the factor and the quantile and are too narrow: with
    10 speakers they cover the truth in 90 % of cases instead of 95 %.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Truth and prediction: labels for the first three metrics, numbers for the
        others; without gaps, see :ref:`unlabelled`.
    speaker : array-like of shape (n_samples,)
        The speaker of each recording; None or NaN where unknown.
    metric : {"uar", "accuracy", "macro_f1", "ccc", "adjusted_r2", "mae"}, default="uar"
        The score: mean recall, share of correct labels, mean F1 over the classes of the
        truth, concordance correlation, R² adjusted for one predictor, mean absolute error.
    n_draws : int, default=2000
        Number of draws. 2000 draws determine the width with a standard error of 1.6 %.
    confidence : float, default=0.95
        Nominal coverage of the interval, between 0 and 1.
    min_speakers : int, default=5
        With fewer speakers there is no interval: the spread of so few says little about
        the spread of all.
    random_state : int, RandomState instance or None, default=0
        Seeds the draws. The same seed gives the same interval; with None it differs from
        call to call.

    Returns
    -------
    interval : SpeakerInterval
        A named tuple of ``estimate, low, high, standard_error, n_speakers, note``.
        If speakers are unknown or too few, the ends are NaN and the note says so.

    Raises
    ------
    ValueError
        If lengths differ, labels have gaps, or `metric` does not fit the labels.

    See Also
    --------
    cross_corpus_validate : Computes these intervals for each held-out corpus.
    compare_methods : Tests whether one method is better than another.

    Notes
    -----
    In a draw without any speaker of a class, UAR and macro F1 are means over the classes of
    the draw, as they are for a corpus that lacks a class.

    The interval describes other speakers of the same corpus. It says nothing about other
    corpora, nor about training again with another seed.

    References
    ----------
    .. [1] A. C. Davison, D. V. Hinkley, "Bootstrap Methods and their Application",
       Cambridge University Press, 1997, section 3.8.
    .. [2] A. C. Cameron, J. B. Gelbach, D. L. Miller, "Bootstrap-based improvements for
       inference with clustered errors", The Review of Economics and Statistics 90 (3),
       2008, pp. 414-427.

    Examples
    --------
    Five speakers with two recordings each; three of the ten are wrong:

    >>> from sklearn_ser.evaluation import speaker_interval
    >>> speaker = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e"]
    >>> y_true = ["anger", "sadness"] * 5
    >>> y_pred = ["anger", "sadness"] * 3 + ["anger", "anger", "sadness", "anger"]
    >>> interval = speaker_interval(y_true, y_pred, speaker)
    >>> print(f"{interval.estimate:.2f}, from {interval.low:.2f} to {interval.high:.2f}")
    0.70, from 0.13 to 1.00
    >>> speaker_interval(y_true[:6], y_pred[:6], speaker[:6]).note
    '3 speakers, fewer than 5'
    """
    metric = check_metric(metric)
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state).checked()
    y_true, y_pred, speaker = _check_pair(y_true, y_pred, speaker, metric)
    codes, n_speakers, note = encode_speakers(speaker, len(y_true))
    n_summed = 1 if note else n_speakers
    [sums] = sums_of(y_true, y_pred[None], codes, n_summed, of_labels=metric.of_labels)
    estimate = metric.score(sums.sum(axis=0))
    draws = None
    if not note:
        draws = metric.score(np.tensordot(draw_speakers(n_speakers, settings), sums, axes=1))
    return interval_of_draws(
        estimate, draws, n_speakers, settings, low=metric.low, high=metric.high, note=note
    )
