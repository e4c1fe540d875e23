"""Train and test on different speakers of the same corpus."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from sklearn_ser.evaluation._batches import warn_of_batches
from sklearn_ser.evaluation._folds import Job, run_jobs
from sklearn_ser.evaluation._inputs import check_inputs, check_seeds
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.evaluation._validate import collect
from sklearn_ser.utils._identities import number_ids
from sklearn_ser.utils._messages import plain

__all__ = [
    "check_n_splits",
    "shorten",
    "speaker_jobs",
    "why_not_within",
    "within_corpus_validate",
]

_SHOWN = 3  # speakers in a message


def check_n_splits(n_splits):
    """Refuse an invalid number of folds."""
    if not isinstance(n_splits, Integral) or n_splits < 2:
        raise ValueError(f"n_splits must be an integer of at least 2, got {plain(n_splits)!r}.")
    return n_splits


def why_not_within(speaker):
    """Return why speakers cannot be held out; empty if they can."""
    if speaker is None:
        return "speakers unknown"
    missing = np.count_nonzero(pd.isna(speaker))
    if missing:
        return f"speaker unknown of {missing} of {len(speaker)} recordings"
    if len(pd.unique(speaker)) < 2:
        return "a single speaker"
    return ""


def shorten(speakers):
    """Return the first few speakers as text, and the number of others."""
    shown = ", ".join(map(str, speakers[:_SHOWN]))
    more = f" and {len(speakers) - _SHOWN} more" if len(speakers) > _SHOWN else ""
    return f"{shown}{more}"


def _title(corpus, speakers):
    return f"{corpus} (speaker {shorten(speakers)} held out)"


def speaker_jobs(cell, corpus, recordings, seeds, n_splits):
    """Return the jobs that hold out speakers of one corpus.

    Parameters
    ----------
    cell : tuple
        The cell that the scores belong to.
    corpus : str or int
        The corpus.
    recordings : Recordings
        The data.
    seeds : list of int or None
        One for each repeat.
    n_splits : int
        Maximum number of folds.

    Returns
    -------
    jobs : list of Job
    """
    # Whole speakers: a model that has heard a voice in training knows more about it than any
    # model knows about the voices of its users.
    rows = np.flatnonzero(recordings.corpus == corpus)
    speaker = recordings.speakers_of(rows)
    codes, names = number_ids(speaker)
    # The same folds in all repeats, hence no shuffling: the spread over repeats is that of the
    # training seed, without the noise of another partition.
    splitter = GroupKFold(min(n_splits, len(names)))
    folds = [
        (_title(corpus, pd.unique(speaker[test])), rows[train], rows[test])
        for train, test in splitter.split(rows, groups=codes)
    ]
    return [
        Job(cell, title, repeat, seed, train, test)
        for repeat, seed in enumerate(seeds)
        for title, train, test in folds
    ]


def within_corpus_validate(
    estimator,
    X,
    y,
    corpus,
    *,
    speaker,
    params=None,
    n_splits=10,
    seeds=None,
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Hold out speakers within each corpus: train on its other speakers, predict them, score.

    Measures what a model achieves in the language, room and microphone that it was trained
    in, but with other voices. In every fold, steps get the same metadata as in
    :func:`cross_corpus_validate`; the recordings of the held-out speakers are the single batch
    that is predicted, and the `X_target`. The predictions of all folds of a corpus are scored
    together.

    Parameters
    ----------
    estimator, X, y
        As in :func:`cross_corpus_validate`.
    corpus : array-like of shape (n_samples,)
        The corpus of each recording, without gaps; one is enough.
    speaker : array-like of shape (n_samples,)
        The speaker of each recording, without gaps; at least two in each corpus.
    params : dict of str to array-like of length n_samples, default=None
        As in :func:`cross_corpus_validate`.
    n_splits : int, default=10
        A corpus with at most this many speakers is evaluated by leaving out one speaker at
        a time. More speakers are divided among this many folds of about equal numbers of
        recordings, each speaker in one fold.
    seeds, n_draws, confidence, min_speakers, random_state
        As in :func:`cross_corpus_validate`.
    n_jobs : int, default=None
        Number of folds and repeats to process in parallel, as in
        :func:`cross_corpus_validate`.
    verbose : int, default=0
        Above 0, a progress bar counts the folds; where the standard error is not a
        terminal, a line is printed after each fold.

    Returns
    -------
    result : CrossCorpusResult
        Its ``n_train`` is the mean over the folds; its times are their sums.

    Raises
    ------
    ValueError
        If a corpus has a single speaker or unknown ones, all recordings left to train on
        are of one class, or as for :func:`cross_corpus_validate`.
    TypeError
        If `estimator` is neither a classifier nor a regressor.

    Warns
    -----
    ScalingWarning
        If a step uses statistics of its batch, and the held-out speakers of folds have at most
        half of the emotions that the training has, as speakers with a single emotion have.

    See Also
    --------
    transfer_matrix : Adds the scores in other corpora.
    sklearn.model_selection.LeaveOneGroupOut : The splitter behind it, with
        ``groups=speaker``, for a single corpus.

    Notes
    -----
    A step that adapts to its batch, such as `~sklearn_ser.estimators.CorpusScaler`, sees one
    or a few speakers here, instead of a whole corpus. It warns if a fold has fewer recordings
    than its `min_batch`. Where speakers have few emotions, its statistics remove what is to be
    predicted; use ``CorpusScaler(unseen="pooled")``, and ``adaptation=None`` for methods that
    adapt to `X_target`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser.evaluation import within_corpus_validate
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> speaker = np.repeat(np.arange(12), 10)
    >>> X = rng.normal(size=(120, 3)) + (y == "anger")[:, None]
    >>> result = within_corpus_validate(
    ...     LogisticRegression(), X, y, ["emodb"] * 120, speaker=speaker
    ... )
    >>> result.scores[["corpus", "n_train", "n_test", "n_speakers", "uar"]].round(2)
      corpus  n_train  n_test  n_speakers   uar
    0  emodb      108     120          12  0.87
    """
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state).checked()
    check_n_splits(n_splits)
    recordings = check_inputs(estimator, X, y, corpus, speaker=speaker, params=params, n_corpora=1)
    seeds = check_seeds(estimator, seeds)
    jobs = []
    for name in np.unique(recordings.corpus).tolist():
        reason = why_not_within(recordings.speakers_of(recordings.corpus == name))
        if reason:
            raise ValueError(
                f"Speakers of {name} cannot be held out: {reason}. Pass speaker= with at least two "
                f"speakers of each corpus and without gaps, or leave this corpus out."
            )
        jobs += speaker_jobs((name,), name, recordings, seeds, n_splits)
    outcomes, warned = run_jobs(
        estimator, recordings, jobs, n_jobs=n_jobs, verbose=verbose, title="held-out speakers"
    )
    warn_of_batches(estimator, recordings, jobs, warned)
    return collect(outcomes, warned, recordings, settings)
