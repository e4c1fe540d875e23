"""Open saved models for the commands that use them, and adapt them."""

import contextlib
import copy
import inspect
import warnings
from pathlib import Path

from sklearn_ser.cli._arguments import encoder_argument
from sklearn_ser.cli._recipes import METHODS


def add_model(command):
    """Add the model and the recordings to use it on."""
    command.add_argument("model", metavar="MODEL", type=Path, help="a file in .skops")
    command.add_argument(
        "recordings",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="a recording, or a folder of recordings including its sub-folders",
    )


def add_loading(command):
    """Add where the encoder of a model is, and which types to trust."""
    command.add_argument(
        "--encoder",
        metavar="FOLDER",
        type=encoder_argument,
        help="where the files of the model's encoder are, if not where they were in training; "
        "other files are refused",
    )
    command.add_argument(
        "--device",
        metavar="NAME",
        help="where the model's encoder runs: cpu, cuda, or auto for a GPU if there is one "
        "(default: that of the model if it exists here, else cpu)",
    )
    command.add_argument(
        "--trust",
        metavar="NAME",
        action="append",
        default=[],
        help="also build this type or function if the file names it; repeat for more names. Only "
        "for files from people whose programs you would run",
    )


@contextlib.contextmanager
def blaming(path):
    """Name the file in errors that a model raises."""
    from sklearn_ser.exceptions import PersistenceError

    # Not ValueError and OSError, which are raised about recordings and name them.
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError) as error:
        raise PersistenceError(
            f"The model in {path} cannot be used: {type(error).__name__}: {error}. The file was "
            f"changed, or needs other versions: see sklearn-ser info."
        ) from error


def _place_encoders(extractor, args):
    """Set the folder and the device of the encoder of a model, and check that it is there."""
    from sklearn_ser.exceptions import EncoderError, PersistenceError
    from sklearn_ser.features import EmbeddingExtractor

    members = [extractor, *extractor.get_params(deep=True).values()]
    encoders = [one for one in members if isinstance(one, EmbeddingExtractor)]
    settings = {"encoder": args.encoder, "device": args.device}
    settings = {name: value for name, value in settings.items() if value is not None}
    if settings and not encoders:
        raise PersistenceError(
            f"--{next(iter(settings))}: the model in {args.model} has no encoder. Omit it."
        )
    if args.encoder is not None and len(encoders) > 1:
        raise PersistenceError(
            f"--encoder: the model in {args.model} has {len(encoders)} encoders. Load it in "
            "Python, and set the folder of each."
        )
    for one in encoders:
        reason = one.set_params(**settings).missing_encoder()
        if reason:
            raise EncoderError(reason)


def _load_model(args):
    from sklearn_ser.exceptions import PersistenceWarning
    from sklearn_ser.persistence import load

    with warnings.catch_warnings():
        # An encoder may be elsewhere, by --encoder; if none is found, an error will say the same.
        warnings.filterwarnings(
            "ignore", r"(?s).* was loaded, but cannot extract features here", PersistenceWarning
        )
        return load(args.model, trusted=args.trust)


def open_model(args):
    """Load the model of a command.

    Returns
    -------
    whole : estimator object
        The model as it is in the file, apart from folder and device of its encoder.
    extractor : RecordingTransformer
        A copy of its extractor with the cache and the number of processes of the command.
    model : Pipeline
        The steps behind the extractor.
    """
    from sklearn.pipeline import Pipeline

    from sklearn_ser.exceptions import PersistenceError
    from sklearn_ser.features import RecordingTransformer
    from sklearn_ser.utils._models import unwrapped

    whole = _load_model(args)
    model = unwrapped(whole)
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    if not isinstance(steps[0], RecordingTransformer) or not hasattr(model, "predict"):
        raise PersistenceError(
            f"{args.model} holds {type(model).__name__} that begins with "
            f"{type(steps[0]).__name__}; expected a fitted pipeline from recordings to emotions, "
            f"whose first step is an extractor such as EGeMAPSExtractor."
        )
    _place_encoders(steps[0], args)
    if args.cache is not None:
        args.cache.parent.mkdir(parents=True, exist_ok=True)
    # Files never have a cache or a number of processes: these belong to the machine.
    settings = {"cache": args.cache, "n_jobs": args.jobs, "on_error": "raise", "verbose": 1}
    return whole, copy.copy(steps[0]).set_params(**settings), model[1:]


def extract(extractor, paths, on_error):
    """Return the features of the recordings that can be used, and which these are."""
    import numpy as np

    from sklearn_ser.exceptions import AudioError, ExtractionWarning

    if on_error == "raise":
        return extractor.transform(paths), np.ones(len(paths), dtype=bool)
    rows, usable, errors = extractor.transform_usable(paths)
    if not usable.any():
        raise AudioError(f"None of the {len(paths)} recordings can be used. The first: {errors[0]}")
    if errors:
        reasons = "; ".join(str(errors[i]) for i in sorted(errors))
        warnings.warn(
            f"{len(errors)} of {len(paths)} recordings cannot be used: {reasons}",
            ExtractionWarning,
            stacklevel=2,
        )
    return rows, usable


@contextlib.contextmanager
def collected(category):
    """Collect the warnings of a category in a list, and issue all others at the end."""
    found = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            yield found
        finally:
            found += [one for one in seen if issubclass(one.category, category)]
    for one in seen:
        if one not in found:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def adapt_model(model, X, option, labels=None):
    """Adapt the steps behind an extractor.

    Parameters
    ----------
    model : Pipeline
        The steps.
    X : ndarray of shape (n_recordings, n_features)
        Rows to adapt to.
    option : str
        What asked for it, for an error about a model that cannot adapt.
    labels : ndarray of shape (n_recordings,), object, or None
        Emotions of some of them, None for the others.

    Returns
    -------
    adapted : Pipeline
    reason : str
        Why the classifier stays as it was; empty if it was adapted.
    """
    from sklearn.pipeline import Pipeline

    from sklearn_ser import adapt
    from sklearn_ser.exceptions import NotAdaptedWarning, PersistenceError
    from sklearn_ser.utils._models import parts_from_last

    # Asked first: a TypeError from within a training is not about the kind of model.
    last = next(part for part in parts_from_last(model) if not isinstance(part, Pipeline))
    if not hasattr(last, "adapt"):
        able = ", ".join(method.name for method in METHODS.values() if method.adapts)
        raise PersistenceError(
            f"{option}: {type(last).__name__} cannot adapt to unlabelled recordings. Train with "
            f"a method that can: {able or 'none of this version does'}."
        )
    if labels is not None and "y_target" not in inspect.signature(last.adapt).parameters:
        raise PersistenceError(
            f"--labels: {type(last).__name__} adapts without labels and cannot learn any. Omit "
            f"the option, or train with the method nnpm."
        )
    with collected(NotAdaptedWarning) as rejected:
        adapted = adapt(model, X, y_target=labels)
    return adapted, " ".join(str(one.message) for one in rejected)
