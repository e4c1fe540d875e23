"""Load a model from a file."""

import warnings

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from sklearn_ser.exceptions import PersistenceError, PersistenceWarning
from sklearn_ser.features._embedding import EmbeddingExtractor
from sklearn_ser.persistence._archive import too_large
from sklearn_ser.persistence._audit import TooLargeError, audit, repack
from sklearn_ser.persistence._file import current_versions, import_skops, read
from sklearn_ser.persistence._parts import parts_of
from sklearn_ser.persistence._portable import restored
from sklearn_ser.persistence._soundness import check_sound
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._warnings import caller_stacklevel

# Letters of another library's error that a message repeats.
_LONGEST = 300


def _names_of(trusted):
    if isinstance(trusted, str):
        raise TypeError(
            f"trusted is the string {trusted!r}, expected a list of names: [{trusted!r}]"
        )
    names = {
        f"{one.__module__}.{one.__qualname__}" if hasattr(one, "__qualname__") else one
        for one in trusted
    }
    if wrong := [one for one in names if not isinstance(one, str)]:
        raise TypeError(f"trusted holds {plain(wrong[0])!r}, expected types or their full names.")
    return names


def _check_size(max_size):
    if max_size is not None and (not isinstance(max_size, int) or max_size < 1):
        raise TypeError(f"max_size is {max_size!r}, expected a number of bytes or None.")
    return max_size


def _explain(path, saved, error):
    now = current_versions()
    differences = ", ".join(
        f"{name[:40]} {str(version)[:20]} (here {now.get(name)})"
        for name, version in [*saved.items()][:20]
        if now.get(name) != version
    )
    reason = (
        f"It was saved with {differences}: install these versions, or train the model again."
        if differences
        else "It was saved with the versions that are installed, so the file was changed."
    )
    problem = f"{type(error).__name__}: {error}"
    problem = problem if len(problem) <= _LONGEST else f"{problem[:_LONGEST]}…"
    return f"{path} cannot be loaded: {problem.rstrip('.')}. {reason}"


def _look_through(path, entries, trusted, limit, saved):
    """Check that everything a model needs is trusted, and return what it needs."""
    try:
        contents = audit(entries, trusted, limit)
    except (TooLargeError, MemoryError) as error:
        raise too_large(path, str(error) or "its description", limit) from error
    except Exception as error:  # of a file that was changed, almost any kind
        raise PersistenceError(_explain(path, saved, error)) from error
    if contents.unknown:
        names = sorted(contents.unknown)
        options = " ".join(f"--trust {name}" for name in names)
        raise PersistenceError(
            f"{path} has types that are not trusted: {', '.join(names)}. Nothing was "
            f"loaded. If you know these types and trust the author of the file, pass "
            f"{advice(f'trusted={names}', options)}."
        )
    return contents


def model_card(path, *, max_size=None):
    """Read the card of a saved model without building the model.

    Parameters
    ----------
    path : str or path-like
        A file that :func:`save` has written.
    max_size : int or None, default=None
        Number of bytes the file may unpack to, as in :func:`load`. The model itself is not
        kept in memory.

    Returns
    -------
    header : dict
        ``"card"``: the argument of :func:`save`. ``"saved"``: date and time, in UTC.
        ``"versions"``: those of the packages, by name. ``"format"``: that of the file, a number.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If it is another kind of file, damaged, too large, or of a later format.

    See Also
    --------
    save : Write the file; its example loads it again.
    """
    return read(path, max_size=_check_size(max_size), header_only=True)[0]


def _missing_encoders(model):
    """Return why encoders that the model needs cannot be used here."""
    reasons = []
    for part in parts_of(model):
        if isinstance(part, EmbeddingExtractor):
            try:
                reasons.append(part.missing_encoder())
            except OSError as error:  # a folder that may not be read
                reasons.append(str(error))
    return [reason for reason in reasons if reason]


def load(path, *, trusted=(), max_size=None):
    """Load a model from a file that :func:`~sklearn_ser.save` has written.

    No code in the file is run. The file names types, which are built only if all of them are
    known to be harmless: plain values, arrays, the estimators of scikit-learn (except trees)
    and of this package, and what these contain; see
    ``sklearn_ser.persistence.TRUSTED_TYPES``. :func:`save` warns about other types.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of str or type, default=()
        Further types and functions to build, by their full names. List only types whose
        author you would trust to run code on your machine.
    max_size : int or None, default=None
        Number of bytes the file may unpack to; a larger one is refused before it is in memory.
        None allows a hundred times the size of the file, but at least 64 MiB and at most 2 GiB;
        :func:`save` warns about a file that exceeds this. Loading takes up to about four times
        the unpacked size.

    Returns
    -------
    model : estimator object
        As it was saved, except for settings of the machine: `cache`, `memory` and `n_jobs` are
        None everywhere in the model. A network is on the device that its parameter `device`
        names if that exists here, and on the CPU otherwise; the `device` of an extractor that
        does not exist here becomes "cpu".

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If the file is of another kind (such as a pickle), damaged, too large, of a later
        format, or made for versions whose types differ; if it has types that are not trusted,
        which the message names (nothing was built then); or if its parts do not fit together,
        as in a forged file.
    ImportError
        If skops is not installed.

    Warns
    -----
    PersistenceWarning
        If the model was saved with another version of scikit-learn, or needs a pretrained
        encoder that is not in the folder that it names.

    See Also
    --------
    save : Write the file; its example loads it again.
    """
    names, max_size = _names_of(trusted), _check_size(max_size)
    header, entries, limit = read(path, max_size=max_size)
    skops_io = import_skops()
    contents = _look_through(path, entries, names, limit, header["versions"])
    with warnings.catch_warnings():
        # One warning for all estimators follows.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        try:
            data = repack(entries, contents.files)
            # Three copies of the model at a time would be too many.
            del entries
            model = skops_io.loads(data, trusted=sorted(contents.needed))
            del data
            if not isinstance(model, BaseEstimator) and not names:
                raise TypeError(f"it holds a {type(model).__name__}, expected an estimator")
            model = restored(model)
            check_sound(model)
            missing = _missing_encoders(model)
        except MemoryError as error:
            raise too_large(path, "more than there is", limit) from error
        except Exception as error:  # constructors raise what they like
            raise PersistenceError(_explain(path, header["versions"], error)) from error
    for reason in missing:
        warnings.warn(
            f"{path} was loaded, but cannot extract features here: {reason}",
            PersistenceWarning,
            stacklevel=caller_stacklevel(),
        )
    saved, now = header["versions"].get("scikit-learn"), current_versions()["scikit-learn"]
    if saved != now:
        warnings.warn(
            f"{path} was saved with scikit-learn {saved} and loaded with {now}. Its predictions "
            f"may differ; compare them, install scikit-learn {saved}, or train again.",
            PersistenceWarning,
            stacklevel=caller_stacklevel(),
        )
    return model
