"""Counts, lists and intervals in sentences."""

import math

__all__ = [
    "count_of",
    "enumerate_words",
    "format_difference",
    "format_interval",
    "format_p",
    "format_score",
]

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


def format_score(value, *, missing="-"):
    """Return a score as text.

    Parameters
    ----------
    value : float
        The score, NaN if there is none.
    missing : str
        Returned for NaN.

    Examples
    --------
    >>> format_score(0.71449), format_score(float("nan"))
    ('0.714', '-')
    """
    return f"{value:z.3f}" if math.isfinite(value) else missing


def format_difference(value, *, missing=""):
    """Return the difference of two scores as text, with its sign.

    Examples
    --------
    >>> format_difference(0.0204), format_difference(-0.0001), format_difference(float("nan"))
    ('+0.020', '+0.000', '')
    """
    return f"{value:+z.3f}" if math.isfinite(value) else missing


def format_p(value):
    """Return a p-value as text; empty for NaN.

    Examples
    --------
    >>> format_p(0.0344), format_p(0.0004), format_p(float("nan"))
    ('0.034', '<0.001', '')
    """
    if not math.isfinite(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
