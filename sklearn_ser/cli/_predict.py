"""``sklearn-ser predict``: predict the emotions of recordings with a saved model."""

import contextlib
import json
import sys
import warnings
from pathlib import Path

from sklearn_ser.cli._arguments import add_command, add_common, add_on_error, add_workers
from sklearn_ser.cli._model import (
    adapt_model,
    add_loading,
    add_model,
    blaming,
    collected,
    extract,
    open_model,
)
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
        "or channel as --reference. A model of `sklearn-ser adapt` needs none for recordings of "
        "the corpus that it was adapted to. Probabilities are printed if the model has them.",
        """
        sklearn-ser predict model.skops recordings/
        sklearn-ser predict model.skops call.wav --reference earlier_calls/
        sklearn-ser predict model.skops recordings/ --format jsonl > emotions.jsonl
        """,
    )
    add_model(command)
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
    add_loading(command)
    add_on_error(command)
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


def _rescaled(model, reference):
    from sklearn_ser import rescale
    from sklearn_ser.exceptions import PersistenceError

    try:
        return rescale(model, reference)
    except TypeError as error:
        raise PersistenceError(f"--reference: {error}") from error


def _adapted(model, X):
    from sklearn_ser.exceptions import NotAdaptedWarning

    adapted, reason = adapt_model(model, X, "--adapt")
    if reason:
        warnings.warn(
            f"The recordings were predicted without adapting to them. {reason}",
            NotAdaptedWarning,
            stacklevel=2,
        )
    return adapted


def _emotions(classifier, Z, *, tried_to_adapt):
    """Return the predicted emotions of rows."""
    from sklearn_ser.exceptions import NotAdaptedWarning

    with collected(NotAdaptedWarning) as unadapted:
        emotions = classifier.predict(Z)
    # A classifier that adapts in predict gives the reason why it did not. Any other one was not
    # asked to, and its advice is for programs.
    if getattr(classifier, "adaptation", None) == "predict":
        message = " ".join(str(one.message) for one in unadapted)
    else:
        message = (
            "The model was not adapted to these recordings. Pass --adapt, or write an adapted "
            "model with `sklearn-ser adapt`."
        )
    if unadapted and not tried_to_adapt:
        warnings.warn(message, NotAdaptedWarning, stacklevel=2)
    return emotions


def _predict(model, X, paths, kept, *, tried_to_adapt):
    """Return a table of the recordings with their emotions, and probabilities if any."""
    import pandas as pd

    # The steps before the last run once, for labels and probabilities.
    *before, (_, last) = model.steps
    Z = model[:-1].transform(X) if before else X
    table = pd.DataFrame({"path": paths, "emotion": None}, dtype=object)
    table.loc[kept, "emotion"] = _emotions(last, Z, tried_to_adapt=tried_to_adapt)
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

    with blaming(args.model):
        _, extractor, model = open_model(args)
        paths = list_recordings(args.recordings)
        X, kept = extract(extractor, paths, args.on_error)
        if args.reference:
            others = list_recordings(args.reference)
            reference, _ = extract(extractor, others, args.on_error)
            model = _rescaled(model, reference)
        if args.adapt:
            # After rescaling, so that the classifier adapts to the rows it will predict.
            model = _adapted(model, X)
        table = _predict(model, X, paths, kept, tried_to_adapt=args.adapt)
    if args.on_error == "skip":
        table = table[kept]
    with contextlib.ExitStack() as stack:
        file = sys.stdout
        if args.out is not None:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(replacing(args.out))
        _write(table, file, kind)
