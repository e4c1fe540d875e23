"""Save a model to a file."""

import json
import warnings
import zipfile
from pathlib import Path

from sklearn.base import BaseEstimator

from sklearn_ser.exceptions import PersistenceError, PersistenceWarning
from sklearn_ser.persistence._archive import size_limit
from sklearn_ser.persistence._audit import TooLargeError, audit
from sklearn_ser.persistence._file import import_skops, unzip, write
from sklearn_ser.persistence._portable import portable
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._warnings import caller_stacklevel


def _check_card(card):
    card = {} if card is None else card
    if not isinstance(card, dict):
        raise TypeError(f"card is a {type(card).__name__}, expected a dict of plain values.")
    try:
        same = json.loads(json.dumps(card, allow_nan=False)) == card
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"card must contain only values that JSON can represent (text, finite numbers, True, "
            f"False, None, lists, dicts): {error}."
        ) from error
    if not same:
        raise TypeError("card must have strings as keys, and lists instead of tuples.")
    return card


def _dump(model):
    """Write a model with skops and check that it can be loaded.

    Returns
    -------
    data : bytes
    unknown : list of str
        Types that `load` builds only if the caller trusts them.
    size : int
        The `max_size` that `load` needs; 0 if its default is enough.
    """
    skops_io = import_skops()
    try:
        model = portable(model)
        data = skops_io.dumps(model, compression=zipfile.ZIP_DEFLATED)
        # Load it here once: a model that cannot be loaded must fail while it still exists.
        skops_io.loads(data, trusted=skops_io.get_untrusted_types(data=data))
        entries = unzip(data)
        unknown = audit(entries, set(), float("inf")).unknown
        size = sum(map(len, entries.values()))
        if size > size_limit(len(data)) or not _fits(entries, size_limit(len(data))):
            # What shrinks to less than a hundredth looks like an attack: store it uncompressed.
            data = skops_io.dumps(model, compression=zipfile.ZIP_STORED)
            entries = unzip(data)
            fits = size <= size_limit(len(data)) and _fits(entries, size_limit(len(data)))
            return data, sorted(unknown), 0 if fits else 4 * size
    except MemoryError:
        raise
    except Exception as error:  # skops and the parts of a model raise what they like
        raise PersistenceError(
            f"{type(model).__name__} cannot be saved without pickle: {error}. It must not contain "
            f"lambdas, local functions, open files or the like."
        ) from error
    return data, sorted(unknown), 0


def _fits(entries, limit):
    try:
        audit(entries, set(), limit)
    except TooLargeError:
        return False
    return True


def _warn(path, unknown, size):
    """Warn about the arguments that loading the file will need."""
    arguments = ([f"trusted={unknown}"] if unknown else []) + ([f"max_size={size}"] if size else [])
    if not arguments:
        return
    call = f"call load({str(path)!r}, {', '.join(arguments)})"
    options = " ".join(f"--trust {name}" for name in unknown)
    in_shell = call if size else f"pass {options} to the commands that use it"
    reasons = []
    if unknown:
        reasons.append(
            f"it contains types that load does not trust by itself: {', '.join(unknown)} (a forged "
            f"one could run code or crash the process)"
        )
    if size:
        reasons.append("it is larger than load allows by default")
    warnings.warn(
        f"{path} was saved, but {', and '.join(reasons)}. To load it where it is trusted, "
        f"{advice(call, in_shell)}.",
        PersistenceWarning,
        stacklevel=caller_stacklevel(),
    )


def save(model, path, *, card=None):
    """Save a model to a file, without pickle.

    The file contains arrays, plain values, the names of their types, and a card. It says
    nothing about the machine it was made on: all parts lose their `cache`, `memory` and
    `n_jobs`, and networks the device they were trained on. Two exceptions are kept as paths: the
    folder of a pretrained encoder, whose weights are not copied, and the recordings of noise of an
    `AudioAugmenter`, which predictions do not need.
    :func:`load` restores everything else, and the loaded model predicts the same to the last
    bit.

    Parameters
    ----------
    model : estimator object
        An estimator, pipeline or search, fitted or not. It is not changed.
    path : str or path-like
        The file to write, usually with the suffix ``.skops``. An existing file is replaced when
        the new one is complete.
    card : dict, default=None
        Information for the people who receive the file: training data, licence, scores. Plain
        values that JSON can represent. :func:`model_card` reads it.

    Raises
    ------
    PersistenceError
        If `model` contains something that can only be pickled, such as a lambda; if `card` is
        larger than 4 MiB; or if `path` is a folder, device or pipe.
    TypeError
        If `model` is not an estimator, or `card` contains other than plain values.
    ImportError
        If skops is not installed.

    Warns
    -----
    PersistenceWarning
        If :func:`load` will need `trusted` or `max_size` for the file: it contains decision
        trees, neighbour searches by trees (``algorithm="brute"`` has none), sparse matrices,
        or functions and classes of your own. The warning has the call.

    See Also
    --------
    load : Load the model.
    model_card : Read the card only.

    Notes
    -----
    The file is a zip archive that `skops <https://skops.readthedocs.io>`_ writes, with an
    additional entry for the card and the versions.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import CorpusScaler, load, save
    >>> from sklearn_ser.persistence import model_card
    >>> X = np.random.default_rng(0).standard_normal((40, 3))
    >>> y = np.where(X[:, 0] > 0, "anger", "sadness")
    >>> model = make_pipeline(CorpusScaler(), SVC()).fit(X, y)
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "model.skops"
    >>> save(model, path, card={"trained_on": "40 rows of noise", "uar": None})
    >>> bool(np.array_equal(load(path).predict(X), model.predict(X)))
    True
    >>> model_card(path)["card"]["trained_on"]
    '40 rows of noise'
    >>> folder.cleanup()
    """
    if not isinstance(model, BaseEstimator):
        raise TypeError(
            f"model is a {type(model).__name__}, expected an estimator, pipeline or search."
        )
    card = _check_card(card)
    if not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(Path(path).absolute().parent)!r}.")
    data, unknown, size = _dump(model)
    write(path, data, card)
    _warn(path, unknown, size)
