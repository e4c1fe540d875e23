"""Find the caller's line, which warnings should point to."""

import inspect

__all__ = ["caller_stacklevel"]


def caller_stacklevel():
    """Return the ``stacklevel`` that makes a warning point at the user's own line.

    A transformer may be called directly or from deep inside a pipeline or a
    cross-validation, so no fixed number is right.

    Returns
    -------
    stacklevel : int
        Number of frames, from the function calling this one, up to the first
        outside scikit-learn, joblib, numba, tqdm and this package.
    """
    frame = inspect.currentframe().f_back
    level = 1
    while frame.f_back is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in ("sklearn", "sklearn_ser", "joblib", "numba", "tqdm"):
            break
        frame = frame.f_back
        level += 1
    return level
