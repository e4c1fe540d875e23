"""``sklearn-ser predict``: predict the emotions of recordings with a saved model."""

import contextlib
import json
import sys
import warnings
from pathlib import Path

from sklearn_ser.cli._arguments import (
    add_command,
    add_common,
    add_on_error,
    add_workers,
    encoder_argument,
)
from sklearn_ser.cli._recipes import METHODS
from sklearn_ser.utils._files import replacing
from sklearn_ser.utils._spelling import harmless, to_cells, visible

_FORMATS = ("table", "csv", "jsonl")


def add_predict(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "predict",
        _run,
        "Predict the emotions of recordings with a model that `sklearn-ser train` has written. All "
        "recordings of a call are treated as one corpus, of one voice or channel, and scaled by "
        "their own statistics. If there are only a few, pass other recordings of the same voice "
        "or channel as --reference. Probabilities are printed if the model has them.",
        """
        sklearn-ser predict model.skops recordings/
        sklearn-ser predict model.skops call.wav --reference earlier_calls/
        sklearn-ser predict model.skops recordings/ --format jsonl > emotions.jsonl
        """,
    )
    command.add_argument("model", metavar="MODEL", type=Path, help="a file in .skops")
    command.add_argument(
        "recordings",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="a recording, or a folder of recordings including its sub-folders",
    )
    command.add_argument(
        "--reference",
        metavar="PATH",
        type=Path,
        nargs="+",
        default=[],
        help="recordings, or folders, of the same voice or channel in all its moods; the other "
        "recordings are scaled by their statistics, each by itself. Must be the last option",
    )
    command.add_argument(
        "--adapt",
        action="store_true",
        help="first adapt a copy of the model to the recordings, without labels; for methods that "
        "can adapt",
    )
    _add_output(command)
    _add_encoder(command)
    add_on_error(command)
    command.add_argument(
        "--trust",
        metavar="NAME",
        action="append",
        default=[],
        help="also build this type or function if the file names it; repeat for more names. Only "
        "for files from people whose programs you would run",
    )
    add_workers(command)
    add_common(command)


def _add_output(command):
    command.add_argument(
        "--format",
        choices=_FORMATS,
        help="format of the output (default: that of the suffix of --out, otherwise table)",
    )
    command.add_argument(
        "--out", metavar="FILE", type=Path, help="file to write (default: standard output)"
    )


def _add_encoder(command):
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


@contextlib.contextmanager
def _blaming(path):
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
            raise EncoderError(
                f"{reason} On the command line, pass the folder as --encoder FOLDER."
            )


def _load_model(args):
    from sklearn_ser.exceptions import PersistenceWarning
    from sklearn_ser.persistence import load

    with warnings.catch_warnings():
        # An encoder may be elsewhere, by --encoder; if none is found, an error will say the same.
        warnings.filterwarnings(
            "ignore", r"(?s).* was loaded, but cannot extract features here", PersistenceWarning
        )
        return load(args.model, trusted=args.trust)


def _open_model(args):
    """Return the extractor of a model and the pipeline behind it."""
    from sklearn.pipeline import Pipeline

    from sklearn_ser.exceptions import PersistenceError
    from sklearn_ser.features import RecordingTransformer
    from sklearn_ser.utils._models import unwrapped

    model = unwrapped(_load_model(args))
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
    extractor = steps[0].set_params(cache=args.cache, n_jobs=args.jobs, on_error="raise", verbose=1)
    return extractor, model[1:]


def _extract(extractor, paths, on_error):
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


def _rescaled(model, reference):
    from sklearn_ser import rescale
    from sklearn_ser.exceptions import PersistenceError

    try:
        return rescale(model, reference)
    except TypeError as error:
        raise PersistenceError(f"--reference: {error}") from error


def _adapted(model, X):
    from sklearn.pipeline import Pipeline

    from sklearn_ser import adapt
    from sklearn_ser.exceptions import PersistenceError
    from sklearn_ser.utils._models import parts_from_last

    # Asked first: a TypeError from within a training is not about the kind of model.
    last = next(part for part in parts_from_last(model) if not isinstance(part, Pipeline))
    if not hasattr(last, "adapt"):
        able = ", ".join(method.name for method in METHODS.values() if method.adapts)
        raise PersistenceError(
            f"--adapt: a {type(last).__name__} cannot adapt to unlabelled recordings. Train with "
            f"a method that can: {able or 'none of this version does'}."
        )
    return adapt(model, X)


def _predict(model, X, paths, kept):
    """Return a table of the recordings with their emotions, and probabilities if any."""
    import pandas as pd

    # The steps before the last run once, for labels and probabilities.
    *before, (_, last) = model.steps
    Z = model[:-1].transform(X) if before else X
    table = pd.DataFrame({"path": paths, "emotion": None}, dtype=object)
    table.loc[kept, "emotion"] = last.predict(Z)
    if hasattr(last, "predict_proba"):
        with warnings.catch_warnings():
            # predict has already issued the warnings about these rows.
            warnings.simplefilter("ignore")
            probabilities = last.predict_proba(Z)
        for emotion, column in zip(last.classes_, probabilities.T, strict=True):
            table.loc[kept, f"p_{emotion}"] = column.astype(float)
    return table


def _as_table(table):
    text = table.copy()
    for name in table.columns[2:]:
        text[name] = table[name].map(lambda p: "" if p != p else f"{p:.3f}")
    text["emotion"] = text["emotion"].fillna("")
    lines = [dict(zip(text, text, strict=True)), *text.to_dict("records")]
    widths = {name: max(len(line[name]) for line in lines) for name in text}
    for line in lines:
        cells = (line[name].ljust(width) for name, width in widths.items())
        yield harmless("  ".join(cells).rstrip())


def _as_json_lines(table):
    for row in table.to_dict("records"):
        cells = {name: visible(v) if isinstance(v, str) else v for name, v in row.items()}
        # NaN, which JSON does not have, is the only value that differs from itself.
        yield json.dumps({name: None if v != v else v for name, v in cells.items()})


def _write(table, file, kind):
    if kind == "csv":
        to_cells(table).to_csv(file, index=False)
        return
    for line in _as_table(table) if kind == "table" else _as_json_lines(table):
        print(line, file=file)


def _run(args):
    """Predict the recordings and print the table."""
    suffix = "" if args.out is None else args.out.suffix.lower().removeprefix(".")
    kind = args.format or (suffix if suffix in _FORMATS else "table")
    from sklearn_ser.datasets import list_recordings

    with _blaming(args.model):
        extractor, model = _open_model(args)
        paths = list_recordings(args.recordings)
        X, kept = _extract(extractor, paths, args.on_error)
        if args.reference:
            others = list_recordings(args.reference)
            reference, _ = _extract(extractor, others, args.on_error)
            model = _rescaled(model, reference)
        if args.adapt:
            # After rescaling, so that the classifier adapts to the rows it will predict.
            model = _adapted(model, X)
        table = _predict(model, X, paths, kept)
    if args.on_error == "skip":
        table = table[kept]
    with contextlib.ExitStack() as stack:
        file = sys.stdout
        if args.out is not None:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(replacing(args.out))
        _write(table, file, kind)
