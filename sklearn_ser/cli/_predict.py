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
    count_argument,
)
from sklearn_ser.cli._labels import add_labels, read_labels
from sklearn_ser.cli._model import (
    adapt_model,
    add_loading,
    add_model,
    blaming,
    collected,
    extract,
    open_model,
)
from sklearn_ser.cli._segments import add_segments, check_segments, find_segments
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
        sklearn-ser predict model.skops recordings/ --ask 20 > to_label.csv
        sklearn-ser predict model.skops call.wav --segments --channels separate --out call.csv
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
        help="first adapt a copy of the model to the recordings, without labels or with a few; for "
        "methods that can adapt",
    )
    command.add_argument(
        "--ask",
        metavar="N",
        type=count_argument,
        help="instead of emotions, print N recordings to label next, drawn at random, as a table "
        "with an empty column to fill in for `sklearn-ser adapt --labels`",
    )
    add_segments(command)
    add_labels(command, "--adapt learns them too, and --ask names others")
    _add_output(command)
    add_loading(command)
    add_on_error(command)
    add_workers(command)
    add_common(command)


def _add_output(command):
    command.add_argument(
        "--format",
        choices=_FORMATS,
        help="format of the output (default: that of the suffix of --out, otherwise table, or csv "
        "with --ask)",
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


def _adapted(model, X, labels):
    from sklearn_ser.exceptions import NotAdaptedWarning

    adapted, reason = adapt_model(model, X, "--adapt", labels)
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
            "The model was not adapted to these recordings, and predictions come from its "
            "training corpora alone. Pass --adapt, or write an adapted model with `sklearn-ser "
            "adapt`."
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


def _to_label(paths, labels, n_asked):
    """Return a table of recordings to label next, without emotions."""
    import numpy as np
    import pandas as pd

    # At random: in experiments, no choice by the predictions or the embedding was better. The
    # order is always the same, so that those that follow the labelled ones come next.
    order = np.random.default_rng(0).permutation(len(paths))
    asked = [paths[i] for i in order if labels is None or labels[i] is None]
    return pd.DataFrame({"path": asked[:n_asked], "emotion": None}, dtype=object)


def _as_table(table):
    text = table.copy()
    digits = {"start": 2, "end": 2} | {name: 3 for name in table if name.startswith("p_")}
    for name, n in digits.items():
        if name in table:
            text[name] = ["" if value != value else f"{value:.{n}f}" for value in table[name]]
    if "channel" in table:
        text["channel"] = ["" if number is None else str(number) for number in table["channel"]]
    # Classes of models of other makers may be numbers.
    text["emotion"] = ["" if one is None or one != one else str(one) for one in text["emotion"]]
    rows = [[*text], *text.itertuples(index=False, name=None)]
    rows = [[harmless(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


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


def _table(args):
    """Return the table that the arguments ask for."""
    from sklearn_ser.datasets import list_recordings

    with blaming(args.model):
        _, extractor, model = open_model(args)
        paths, segments = list_recordings(args.recordings), None
        if args.segments:
            segments = find_segments(args, paths)
            paths = segments.pop("path").tolist()
        labels = read_labels(args, paths, model)
        if args.ask:
            return _to_label(paths, labels, args.ask)
        X, kept = extract(extractor, paths, args.on_error)
        if args.reference:
            others = list_recordings(args.reference)
            if args.segments:
                others = find_segments(args, others)["path"].tolist()
            reference, _ = extract(extractor, others, args.on_error)
            model = _rescaled(model, reference)
        if args.adapt:
            # After rescaling, so that the classifier adapts to the rows it will predict.
            model = _adapted(model, X, None if labels is None else labels[kept])
        table = _predict(model, X, paths, kept, tried_to_adapt=args.adapt)
        if segments is not None:
            table = segments.join(table.drop(columns="path"))
    return table[kept] if args.on_error == "skip" else table


def _check_usage(args):
    if args.ask and (args.adapt or args.reference):
        option = "--adapt" if args.adapt else "--reference"
        args.parser.error(f"argument --ask: recordings are drawn at random, without {option}")
    if args.labels and not (args.adapt or args.ask):
        args.parser.error("argument --labels: only --adapt and --ask use labels")
    if args.mapping and not args.labels:
        args.parser.error("argument --mapping: only --labels has labels to translate")
    check_segments(args)


def _run(args):
    """Predict the recordings and print the table."""
    _check_usage(args)
    suffix = "" if args.out is None else args.out.suffix.lower().removeprefix(".")
    kind = suffix if suffix in _FORMATS else "csv" if args.ask else "table"
    table = _table(args)
    with contextlib.ExitStack() as stack:
        file = sys.stdout
        if args.out is not None:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(replacing(args.out))
        _write(table, file, args.format or kind)
