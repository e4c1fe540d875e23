"""``sklearn-ser adapt``: adapt a saved model to recordings and save the result."""

import warnings

from sklearn_ser.cli._arguments import (
    add_command,
    add_common,
    add_on_error,
    add_workers,
    model_argument,
)
from sklearn_ser.cli._labels import add_labels, read_labels
from sklearn_ser.cli._model import (
    adapt_model,
    add_loading,
    add_model,
    blaming,
    extract,
    open_model,
)


def add_adapt(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "adapt",
        _run,
        "Adapt a model that `sklearn-ser train` has written to recordings of a new voice, channel "
        "or language, and write the adapted model to a file. Pass all recordings of the new corpus "
        "that there are, and none of another one. With the adapted model, `sklearn-ser predict` "
        "answers for each further recording of that corpus by itself. If the recordings are too "
        "few, or adaptation failed, a warning gives the reason; the model that is written then "
        "scales by their statistics, if there are enough, but knows no more than their labels.",
        """
        sklearn-ser adapt model.skops recordings/ --out adapted.skops
        sklearn-ser predict adapted.skops call.wav
        sklearn-ser adapt model.skops recordings/ --labels labels.csv --out adapted.skops
        """,
    )
    add_model(command)
    command.add_argument(
        "--out",
        metavar="FILE",
        type=model_argument,
        required=True,
        help="file to write, in .skops; may be MODEL itself",
    )
    add_labels(command, "the model learns them too")
    add_loading(command)
    add_on_error(command, gaps=False)
    add_workers(command)
    add_common(command)


def _card(args, n_recordings, n_labelled, reason):
    """Return the card of the model with an entry for this adaptation at its end."""
    from sklearn_ser.persistence import model_card

    card = model_card(args.model)["card"]
    earlier = card.get("adaptations", [])
    entry = {
        "recordings": n_recordings,
        "labelled": n_labelled,
        "result": f"not adapted. {reason}" if reason else "adapted",
        "command": args.command_line,
    }
    return card | {"adaptations": [*(earlier if isinstance(earlier, list) else [earlier]), entry]}


def _run(args):
    """Adapt the model and write it."""
    from sklearn_ser.datasets import list_recordings
    from sklearn_ser.exceptions import NotAdaptedWarning
    from sklearn_ser.persistence import save
    from sklearn_ser.utils._models import unwrapped

    if args.mapping and not args.labels:
        args.parser.error("argument --mapping: only --labels has labels to translate")
    with blaming(args.model):
        whole, extractor, model = open_model(args)
        paths = list_recordings(args.recordings)
        labels = read_labels(args, paths, model)
        X, kept = extract(extractor, paths, args.on_error)
        labels = None if labels is None else labels[kept]
        adapted, reason = adapt_model(model, X, "adapt", labels)
    n_recordings = int(kept.sum())
    n_labelled = 0 if labels is None else sum(label is not None for label in labels)
    # Inside of the loaded model, which nothing else refers to: what is around it stays.
    inner = unwrapped(whole)
    inner.steps = [inner.steps[0], *adapted.steps]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save(whole, args.out, card=_card(args, n_recordings, n_labelled, reason))
    if reason:
        warnings.warn(
            f"The model was written without adapting to the unlabelled recordings. {reason}",
            NotAdaptedWarning,
            stacklevel=2,
        )
    done = "not adapted to" if reason else "adapted to"
    with_labels = f", {n_labelled} of them labelled" if n_labelled else ""
    print(f"Written: {args.out}, {done} {n_recordings} recordings{with_labels}")
