"""Find the caller's line, which warnings should point to, and issue some only once."""

import inspect
import warnings

__all__ = ["caller_stacklevel", "warn_once"]

# What warn_once has issued in this process.
_ISSUED = set()

# Actions that repeat a warning whenever it is issued, or never show it.
_UNLIMITED = ("always", "all", "error", "ignore")


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


def _action_on(text, category):
    """Return the action of the first filter for a warning, wherever it is issued."""
    # Since Python 3.14, filters may belong to a context instead of the module.
    filters = getattr(warnings, "_get_filters", lambda: warnings.filters)()
    for action, message, about, module, line in filters:
        everywhere = module is None and line == 0
        if everywhere and issubclass(category, about) and (not message or message.match(text)):
            return action
    return "default"


def warn_once(text, category, *, cause):
    """Issue a warning for the first time only, in this process and for this cause.

    Python's own action "once" does not last: each ``catch_warnings``, of which scikit-learn
    enters one for each task, makes it forget. A filter "always" or "error" has its way, so
    ``pytest.warns`` and records of warnings see each warning.

    Parameters
    ----------
    text : str
        The message.
    category : type
        The class of the warning.
    cause : hashable or None
        What makes two warnings of this class the same, whatever figures their texts have. None:
        nothing does, and the warning is always issued.
    """
    if cause is not None and _action_on(text, category) not in _UNLIMITED:
        if (category, cause) in _ISSUED:
            return
        _ISSUED.add((category, cause))
        name = category.__name__
        text += (
            f" Further warnings of this kind are not shown; warnings.simplefilter('always', "
            f"{name}) shows them."
        )
    warnings.warn(text, category, stacklevel=caller_stacklevel())
