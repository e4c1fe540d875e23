"""From a model to a file."""

import json
import zipfile
from pathlib import Path

from sklearn.base import BaseEstimator

from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.persistence._file import import_skops, write
from sklearn_ser.persistence._portable import portable

# What skops raises about an object that it cannot take apart or put together again.
_FAILURES = (AttributeError, ImportError, KeyError, RecursionError, TypeError, ValueError)


def _check_card(card):
    card = {} if card is None else card
    if not isinstance(card, dict):
        raise TypeError(f"card is a {type(card).__name__}, expected a dict of plain values.")
    try:
        same = json.loads(json.dumps(card, allow_nan=False)) == card
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"card must hold plain values only, as JSON knows them (text, numbers that are finite, "
            f"True, False, None, lists, dicts): {error}."
        ) from error
    if not same:
        raise TypeError("card must have text as keys, and lists instead of tuples.")
    return card


def _dump(model):
    """Return what skops makes of a model, once it is sure that it can be loaded."""
    skops_io = import_skops()
    try:
        data = skops_io.dumps(portable(model), compression=zipfile.ZIP_DEFLATED)
        skops_io.loads(data, trusted=skops_io.get_untrusted_types(data=data))
    except _FAILURES as error:
        raise PersistenceError(
            f"{type(model).__name__} cannot be saved without pickle: {error}. It must not hold "
            f"lambdas, local functions, open files or the like."
        ) from error
    return data


def save(model, path, *, card=None):
    """Save a model to a file, without pickle.

    The file holds arrays and plain values, the names of their types, and a card. It says
    nothing about the machine it comes from: extractors lose their `cache` and `n_jobs`,
    networks the device they were trained on. Everything else comes back by
    :func:`load`, and predicts the same to the last bit.

    Parameters
    ----------
    model : estimator object
        An estimator, pipeline or search, fitted or not. It is not changed.
    path : str or path-like
        The file to write, by custom with the suffix ``.skops``. One that is there is
        replaced once the new one is complete.
    card : dict, default=None
        What whoever gets the file should know: what the model was trained on, its
        licence, its scores. Plain values, as JSON knows them. Read by
        :func:`model_card`.

    Raises
    ------
    PersistenceError
        If `model` holds something that can only be pickled, such as a lambda.
    TypeError
        If `model` is no estimator, or `card` holds other than plain values.
    ImportError
        If skops is not installed.

    See Also
    --------
    load : The way back.
    model_card : Read the card alone.

    Notes
    -----
    The file is a zip archive that `skops <https://skops.readthedocs.io>`_ writes, with one
    more entry for the card and the versions.

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
    write(path, _dump(model), card)
