"""``sklearn-ser train``: train on all corpora and save the model."""

import tempfile

from sklearn_ser.cli._arguments import (
    add_command,
    add_common,
    add_extraction,
    add_on_error,
    add_training_data,
    model_argument,
)
from sklearn_ser.cli._recipes import METHODS, describe_methods, method_for
from sklearn_ser.cli._speech import (
    check_features,
    check_mapping,
    check_needs,
    corpora_to_paths,
    describe_features,
    extract_speech,
    load_speech,
    make_extractor,
)
from sklearn_ser.utils._optional import require_extra


def add_train(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "train",
        _run,
        "Train on corpora and write a model to a file, which `sklearn-ser predict` reads. First, "
        "each corpus is held out in turn, and the file records how well such a model does on a "
        "corpus it has not seen (--no-scores skips this). Without --corpus, the model is trained "
        "on three small corpora of synthesised speech.",
        """
        sklearn-ser train --out model.skops
        sklearn-ser train --corpus emodb=emodb --corpus urdu=urdu --method dae --out model.skops
        sklearn-ser train --corpus emodb=emodb --corpus cafe=cafe --method metric --circumplex \\
            --out model.skops
        """,
    )
    add_extraction(command)
    command.add_argument(
        "--method",
        choices=METHODS,
        default=next(iter(METHODS)),
        help=f"{describe_methods()} (default: %(default)s)",
    )
    add_training_data(command)
    add_on_error(command, gaps=False)
    command.add_argument(
        "--no-scores",
        action="store_true",
        help="train without holding out corpora first",
    )
    command.add_argument(
        "--out",
        metavar="FILE",
        type=model_argument,
        required=True,
        help="file to write, in .skops",
    )
    add_common(command)


def _evaluation_arguments(method, X, speech):
    """Return what `cross_corpus_validate` and `fit_cross_corpus` take alike."""
    return {
        "estimator": method.make(),
        "X": X,
        "y": speech["emotion"].to_numpy(dtype=str),
        "corpus": speech["corpus"],
        "speaker": speech["speaker"],
        "params": {name: speech[name] for name in method.needs},
    }


def _check_emotions(speech):
    from sklearn_ser.exceptions import CorpusError

    found = speech["emotion"].unique()
    if len(found) < 2:
        raise CorpusError(
            f"All {len(speech)} recordings are {found[0]}; a classifier needs at least two "
            f"emotions. Name more with --emotions, or add a corpus."
        )


def _scores(method, X, speech, n_jobs):
    """Return the scores of each held-out corpus, or the reason why there are none."""
    if speech["corpus"].nunique() < 2:
        return "none: there is only one corpus"
    from sklearn_ser.evaluation import cross_corpus_validate
    from sklearn_ser.exceptions import CorpusError

    try:
        check_needs(method, speech, at_least=2)
    except CorpusError as error:
        return f"none: {error}"
    result = cross_corpus_validate(
        **_evaluation_arguments(method, X, speech), n_jobs=n_jobs, verbose=1
    )
    return [
        {
            "held out": str(row["corpus"]),
            "UAR": round(float(row["uar"]), 4),
            "accuracy": round(float(row["accuracy"]), 4),
        }
        for row in result.scores.to_dict("records")
    ]


def _count(column):
    return {str(word): int(count) for word, count in column.value_counts().sort_index().items()}


def _describe_corpus(name, rows, *, embedded):
    from sklearn_ser.datasets import CORPORA

    licence = CORPORA[name].licence if name in CORPORA else "not known to this package"
    return {
        "name": str(name),
        "language": "+".join(rows["language"].dropna().unique()) or "?",
        "recordings": len(rows),
        "speakers": int(rows["speaker"].nunique()) or None,
        "licence": "none needed, synthesised" if embedded else licence,
    }


def _make_card(args, method, speech, scores, features):
    embedded = not args.corpus
    card = {
        "method": f"{method.name}: {method.description}",
        "emotions": _count(speech["emotion"]),
        "corpora": [
            _describe_corpus(name, rows, embedded=embedded)
            for name, rows in speech.groupby("corpus", sort=False)
        ],
        "features": features,
        "scores": scores,
        "command": args.command_line,
    }
    if method.needs:
        card["ratings"] = {
            "needed": list(method.needs),
            "annotations": [name for name, _ in args.annotations],
            "circumplex": args.circumplex,
        }
    return card


def _run(args):
    """Train on all corpora and write the model."""
    paths = corpora_to_paths(args)
    check_features(args)
    check_mapping(args)
    if paths and args.utterances:
        args.parser.error("argument --utterances: only synthesised corpora have a size to choose")
    from sklearn.pipeline import make_pipeline

    from sklearn_ser.evaluation import fit_cross_corpus
    from sklearn_ser.persistence import save

    require_extra("persist")  # before the work, which would be lost
    method = method_for(args.method, args.features)
    with tempfile.TemporaryDirectory(prefix="sklearn-ser-") as folder:
        speech = load_speech(args, paths, folder)
        check_needs(method, speech)
        _check_emotions(speech)
        extractor = make_extractor(args)
        X, speech = extract_speech(args, extractor, speech)
    _check_emotions(speech)
    method = method_for(args.method, args.features, X.shape[1])
    scores = "none: --no-scores" if args.no_scores else _scores(method, X, speech, args.jobs)
    model = fit_cross_corpus(**_evaluation_arguments(method, X, speech))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    # The extractor needs no fit, so this pipeline is fitted.
    whole = make_pipeline(extractor, *(step for _, step in model.steps))
    card = _make_card(args, method, speech, scores, describe_features(args, extractor))
    save(whole, args.out, card=card)
    print(f"Written: {args.out}, {method.name} trained on {len(speech)} recordings")
