"""Counts, lists and intervals in sentences."""

import math

__all__ = ["count_of", "enumerate_words", "format_interval"]

_IRREGULAR = {"corpus": "corpora"}


def count_of(number, noun):
    """Return for example "1 corpus" or "1,200 recordings".

    Parameters
    ----------
    number : int
        How many.
    noun : str
        In the singular.

    Examples
    --------
    >>> count_of(1, "corpus"), count_of(3, "corpus"), count_of(1200, "recording")
    ('1 corpus', '3 corpora', '1,200 recordings')
    """
    plural = _IRREGULAR.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def enumerate_words(words):
    """Join words as in a sentence.

    Examples
    --------
    >>> enumerate_words(["anger"]), enumerate_words(["anger", "fear", "sadness"])
    ('anger', 'anger, fear and sadness')
    """
    words = [str(word) for word in words]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def format_interval(low, high, *, form="{:z.2f}", missing="-"):
    """Return an interval as text.

    Parameters
    ----------
    low, high : float
        Its ends, NaN without an interval.
    form : str
        Format of each end.
    missing : str
        Returned without an interval.

    Examples
    --------
    >>> format_interval(0.58, 0.714), format_interval(float("nan"), float("nan"))
    ('0.58 to 0.71', '-')
    """
    return f"{form.format(low)} to {form.format(high)}" if math.isfinite(low) else missing
