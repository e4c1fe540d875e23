"""Let the p-value and the interval of a difference say the same."""

import numpy as np

__all__ = ["EXTENDED", "INCLUDES_ZERO", "TOO_FEW", "reconcile", "smallest_p"]

TOO_FEW = "too few speakers to tell"
INCLUDES_ZERO = "the interval includes 0"
EXTENDED = "extended to 0, which the test does not exclude"


def smallest_p(n_speakers, n_permutations):
    """Return the smallest p-value that the test can have with this number of speakers.

    Parameters
    ----------
    n_speakers : array-like of int
        The speakers whose predictions are exchanged.
    n_permutations : int
        The greatest number of exchanges to try.

    Returns
    -------
    p : ndarray
        1 without speakers.
    """
    n_speakers = np.asarray(n_speakers)
    # The observed assignment, and the one that exchanges all speakers, always count: 2 of 2**S.
    # Of random exchanges none may reach them.
    exact = n_speakers <= np.log2(n_permutations)
    return np.where(exact, np.minimum(2.0 ** (1 - n_speakers), 1), 1 / (n_permutations + 1))


def reconcile(table, *, p, smallest, level):
    """Resolve contradictions between the p-values and the intervals of differences.

    Parameters
    ----------
    table : DataFrame
        With the columns `p`, ``low``, ``high`` and ``interval_note``.
    p : str
        The column of the p-values to be read.
    smallest : array-like
        The smallest value that each of them can have.
    level : float
        The level of the test, 1 minus the confidence of the intervals.

    Returns
    -------
    table : DataFrame
        With ``p_smallest`` and ``p_note``, in which intervals include 0 where the test does not
        exclude it.
    """
    values, low, high = (table[name].to_numpy(float) for name in (p, "low", "high"))
    smallest = np.where(np.isnan(values), np.nan, smallest)
    kept = ~(values <= level)
    excluded = (low > 0) | (high < 0)
    # The interval rests on an approximation, and is not adjusted for the number of methods. A value
    # that one of two valid procedures keeps is kept: a wider interval covers no less.
    extended = kept & excluded & ~np.isnan(values)
    note = np.select(
        [smallest > level, ~kept & ~excluded & np.isfinite(low)], [TOO_FEW, INCLUDES_ZERO], ""
    )
    return table.assign(
        low=np.where(extended, np.minimum(low, 0), low),
        high=np.where(extended, np.maximum(high, 0), high),
        interval_note=np.where(extended, EXTENDED, table["interval_note"]),
        p_smallest=smallest,
        p_note=note,
    )
