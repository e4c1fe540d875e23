"""From a file to a model."""

import warnings

from sklearn.exceptions import InconsistentVersionWarning

from sklearn_ser._validation import caller_stacklevel
from sklearn_ser.exceptions import PersistenceError, PersistenceWarning
from sklearn_ser.persistence._file import current_versions, import_skops, read
from sklearn_ser.persistence._portable import restored
from sklearn_ser.persistence._trusted import TRUSTED_TYPES

# What a file of another version, or a forged one, raises while its parts are put together.
_FAILURES = (
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


def _names_of(trusted):
    if isinstance(trusted, str):
        raise TypeError(f"trusted is the text {trusted!r}, expected a list of names: [{trusted!r}]")
    names = {
        f"{one.__module__}.{one.__qualname__}" if hasattr(one, "__qualname__") else one
        for one in trusted
    }
    if wrong := [one for one in names if not isinstance(one, str)]:
        raise TypeError(f"trusted holds {wrong[0]!r}, expected types or their full names.")
    return names


def _explain(path, saved, error):
    now = current_versions()
    differences = ", ".join(
        f"{name} {version} (here {now.get(name)})"
        for name, version in saved.items()
        if now.get(name) != version
    )
    reason = (
        f"It was saved with {differences}: install these versions, or train the model again."
        if differences
        else "It was saved with the versions that are installed, so the file was changed."
    )
    return f"{path} cannot be put together: {type(error).__name__}: {error}. {reason}"


def model_card(path):
    """Read what is known of a saved model, without building it.

    Parameters
    ----------
    path : str or path-like
        A file that :func:`save` has written.

    Returns
    -------
    header : dict
        ``"card"``: what :func:`save` was given. ``"saved"``: date and time, in UTC.
        ``"versions"``: of the packages, by name. ``"format"``: of the file, a number.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If it is something else, damaged, or of a later format.

    See Also
    --------
    save : Has an example.
    """
    return read(path)[0]


def load(path, *, trusted=()):
    """Load a model from a file that :func:`save` has written.

    Nothing in the file is run. It may name types; these are built only if all of them are
    known to be harmless: plain values, arrays, the estimators of scikit-learn (without
    trees) and of this package, and what searches hold, see
    ``sklearn_ser.persistence.TRUSTED_TYPES``.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of str or type, default=()
        More types and functions to build, by their full names. Trust names only of whose
        author you would also run a program.

    Returns
    -------
    model : estimator object
        As it was saved. Extractors have no cache and use one process; a network is on the
        device of its parameter `device` if there is one, and on the CPU otherwise.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If the file is something else (such as a pickle), damaged, of a later format, or
        made for versions whose types are different; or if it has types that are not
        trusted, which are named. Nothing was built then.
    ImportError
        If skops is not installed.

    Warns
    -----
    PersistenceWarning
        If the model was saved with another version of scikit-learn.

    See Also
    --------
    save : Has an example.
    """
    names = _names_of(trusted)
    header, data = read(path)
    skops_io = import_skops()
    try:
        unknown = set(skops_io.get_untrusted_types(data=data)) - TRUSTED_TYPES - names
    except _FAILURES as error:
        raise PersistenceError(_explain(path, header["versions"], error)) from error
    if unknown:
        raise PersistenceError(
            f"{path} has types that are not trusted: {', '.join(sorted(unknown))}. Nothing was "
            f"loaded. If you know them, and trust whoever made the file, pass "
            f"trusted={sorted(unknown)}."
        )
    with warnings.catch_warnings():
        # One warning for all estimators follows.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        try:
            model = restored(skops_io.loads(data, trusted=sorted(TRUSTED_TYPES | names)))
        except _FAILURES as error:
            raise PersistenceError(_explain(path, header["versions"], error)) from error
    saved, now = header["versions"].get("scikit-learn"), current_versions()["scikit-learn"]
    if saved != now:
        warnings.warn(
            f"{path} was saved with scikit-learn {saved} and loaded with {now}. Its predictions "
            f"may differ; compare them, install scikit-learn {saved}, or train again.",
            PersistenceWarning,
            stacklevel=caller_stacklevel(),
        )
    return model
