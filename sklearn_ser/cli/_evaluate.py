"""``sklearn-ser evaluate``: hold out each corpus in turn and print the scores."""

import argparse
import contextlib
import tempfile
import time
import warnings

from sklearn_ser.cli._arguments import (
    add_command,
    add_common,
    add_extraction,
    add_on_error,
    add_training_data,
    count_argument,
    file_argument,
    folder_argument,
)
from sklearn_ser.cli._recipes import METHODS, describe_methods, method_for
from sklearn_ser.cli._report import draw_unseen
from sklearn_ser.cli._score_table import format_legend, format_scores
from sklearn_ser.cli._single import announcement, check_speakers, is_single
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
from sklearn_ser.cli._terminal import shows_colours
from sklearn_ser.utils._files import replacing
from sklearn_ser.utils._optional import require_extra
from sklearn_ser.utils._progress import say
from sklearn_ser.utils._spelling import harmless

_SYNTHESISED = (
    "These corpora are synthesised. The numbers show that everything works; they say nothing "
    "about real speech. Name real corpora with --corpus NAME=PATH."
)


def _methods_argument(text):
    """Split ``svm,dae`` and check the names; ``all`` is all of them."""
    if text == "all":
        return list(METHODS)
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown method {unknown[0]!r}; expected all, or a list such as svm,dae of: "
            f"{', '.join(METHODS)}"
        )
    return names


def add_evaluate(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "evaluate",
        _run,
        "Hold out each corpus in turn: train on the others, predict it, score. With one corpus, "
        "its speakers are left out instead. Without --corpus, three small corpora of synthesised "
        "speech are made and evaluated.",
        """
        sklearn-ser evaluate
        sklearn-ser evaluate --method all --report report.html
        sklearn-ser evaluate --corpus emodb=corpora/emodb --corpus urdu=corpora/urdu --jobs -1
        sklearn-ser evaluate --corpus emodb=emodb --corpus mine=mine.csv --out results
        sklearn-ser evaluate --corpus mine=mine.csv --mapping Groll=anger --mapping Rest=none
        """,
    )
    add_extraction(command)
    default = next(iter(METHODS))
    command.add_argument(
        "--method",
        metavar="LIST",
        dest="methods",
        type=_methods_argument,
        default=[default],
        help="methods, separated by commas, or all; each is compared with the first. "
        f"{describe_methods()} (default: {default})",
    )
    command.add_argument(
        "--repeats",
        metavar="N",
        type=count_argument,
        default=1,
        help="train methods that depend on a seed N times, with different seeds, and average the "
        "scores (default: 1)",
    )
    command.add_argument(
        "--transfer",
        action="store_true",
        help="also train the first method on each corpus alone, and test it on every corpus",
    )
    add_training_data(command)
    add_on_error(command, gaps=False)
    command.add_argument(
        "--out",
        metavar="DIR",
        type=folder_argument,
        help="folder for all results, and for the synthesised corpora",
    )
    command.add_argument(
        "--report",
        metavar="FILE",
        type=file_argument,
        help="also write the results as an HTML report",
    )
    command.add_argument(
        "--latex",
        metavar="FILE",
        type=file_argument,
        help="also write the table of scores for LaTeX (booktabs)",
    )
    add_common(command)


@contextlib.contextmanager
def _collect_warnings(findings):
    """Record warnings in `findings`, and show them."""
    show = warnings.showwarning

    def show_and_keep(message, category, *where, **options):
        findings.append({"about": category.__name__, "kind": "warning", "detail": str(message)})
        show(message, category, *where, **options)

    warnings.showwarning = show_and_keep
    try:
        yield
    finally:
        warnings.showwarning = show


@contextlib.contextmanager
def _timed(seconds, name):
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def _check_arguments(args, paths):
    """Refuse wrong usage and missing packages before any work is done."""
    check_features(args)
    check_mapping(args)
    if len(paths) == 1 and args.transfer:
        args.parser.error(
            "argument --transfer: training on one corpus and testing on another needs at least two"
        )
    if paths and args.utterances:
        args.parser.error("argument --utterances: only synthesised corpora have a size to choose")
    # Tables of results have the mean over corpora as a row of this name.
    if "mean" in paths:
        args.parser.error("argument --corpus: a corpus cannot be called mean, as one row is")
    if args.report is not None:
        require_extra("report")
        draw_unseen()


def _is_seeded(model):
    """Whether the recipe sets a seed; that of a support vector machine has no effect."""
    from sklearn_ser.utils._models import random_states

    return any(seed is not None for seed in random_states(model).values())


def _total_seconds(table):
    """Return the seconds that all trainings and predictions took together."""
    return float(table[["fit_time", "predict_time"]].sum().sum())


def _validate_speakers(models, needed, data, seeds, common):
    """Hold out speakers of a single corpus, method by method."""
    from sklearn_ser.evaluation import within_corpus_validate

    results = {}
    for name, model in models.items():
        if len(models) > 1:
            say(f"{name}:")
        params, some = needed[name], seeds.get(name)
        results[name] = within_corpus_validate(model, *data, params=params, seeds=some, **common)
    return results, {}


def _validate(args, X, speech, seconds):
    """Evaluate all methods; return their pipelines, results and transfers."""
    from sklearn_ser.evaluation import validate_methods

    methods = {name: method_for(name, args.features, X.shape[1]) for name in args.methods}
    models = {name: method.make() for name, method in methods.items()}
    needed = {name: {one: speech[one] for one in methods[name].needs} for name in methods}
    # Repeats without a seed would all be the same.
    seeded = [name for name, one in models.items() if args.repeats > 1 and _is_seeded(one)]
    seeds = {name: range(args.repeats) for name in seeded}
    data = X, speech["emotion"], speech["corpus"]
    common = {"speaker": speech["speaker"], "n_jobs": args.jobs, "verbose": 1}
    with _timed(seconds, "all trainings"):
        if is_single(speech):
            results, transfers = _validate_speakers(models, needed, data, seeds, common)
        else:
            results, transfers = validate_methods(
                models,
                *data,
                params={key: column for one in needed.values() for key, column in one.items()},
                transfer=args.methods[:1] if args.transfer else (),
                seeds=seeds,
                **common,
            )
    # Trainings of several methods run at the same time: these add up to the time of all
    # processes.
    seconds |= {name: _total_seconds(result.scores) for name, result in results.items()}
    for name, result in transfers.items():
        seconds[f"{name}, each corpus alone"] = _total_seconds(result.cells)
    return models, results, transfers


def _feature_settings(features):
    """Return the settings of the features, on the lines of the report."""
    settings = {"feature set": features["name"]}
    if "set" in features:
        settings["features"] = f"{features['set']}, variant {features['variant']}"
        rate = features["sampling rate"]
        settings["sampling rate"] = rate if isinstance(rate, str) else f"{rate} Hz"
    if "encoder" in features:
        layers = ", ".join(map(str, features["layers"]))
        settings["encoder"] = f"{features['encoder']}, {features['statistic']} of layers {layers}"
        settings["files of the encoder"] = [
            f"{file['name']}, {file['bytes']:,} bytes, SHA-256 {file['SHA-256']}"
            for file in features["files"]
        ]
    return settings


def _settings(args, speech, features):
    settings = {
        **({"held out": "speakers"} if is_single(speech) else {}),
        "emotions": sorted(speech["emotion"].unique()),
        **_feature_settings(features),
        "repeats": args.repeats,
        "processes": args.jobs,
        "seed of the intervals": 0,
    }
    if any(METHODS[name].needs for name in args.methods):
        settings["ratings"] = [name for name, _ in args.annotations] or "those of the corpora"
        settings["typical ratings where there are none"] = args.circumplex
    return settings


def _sources(speech, *, embedded):
    """Return where the corpora come from, by name."""
    from sklearn_ser.datasets import CORPORA

    if embedded:
        facts = {"title": "synthesised by this package", "licence": "none needed"}
        return dict.fromkeys(speech["corpus"].unique(), facts)
    known = [CORPORA[name] for name in speech["corpus"].unique() if name in CORPORA]
    return {
        corpus.name: {
            "title": corpus.title,
            "licence": corpus.licence,
            "homepage": corpus.homepage,
        }
        for corpus in known
    }


def _evaluate(args, paths, folder):
    """Load, extract once, evaluate all methods; return the record."""
    from sklearn_ser.report import EvaluationRecord

    findings, seconds = [], {}
    # joblib takes the growth of a worker that imports torch for a leak, and replaces the worker.
    # No result is lost.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    with _collect_warnings(findings):
        with _timed(seconds, "loading or synthesising"):
            speech = load_speech(args, paths, folder)
        single = is_single(speech)
        if single:
            check_speakers(speech)
            say(announcement(speech))
        for name in args.methods:
            check_needs(METHODS[name], speech, at_least=1 if single else 2)
        with _timed(seconds, "features"):
            extractor = make_extractor(args)
            X, speech = extract_speech(args, extractor, speech)
    models, results, transfers = _validate(args, X, speech, seconds)
    return EvaluationRecord.from_results(
        results,
        speech,
        transfer=transfers,
        estimators=models,
        descriptions={name: method_for(name, args.features).description for name in models},
        sources=_sources(speech, embedded=not paths),
        settings=_settings(args, speech, describe_features(args, extractor)),
        findings=findings,
        seconds=seconds,
        command=args.command_line,
        notice=announcement(speech) if single else "" if paths else _SYNTHESISED,
    )


def _keep(record, args):
    """Write the requested files; return their names."""
    written = []
    if args.out is not None:
        record.save(args.out)
        written += [str(args.out / name) for name in ("scores.csv", "predictions.csv", "run.json")]
    if args.report is not None:
        from sklearn_ser.report import write_report

        written.append(str(write_report(record, args.report)))
    if args.latex is not None:
        args.latex.parent.mkdir(parents=True, exist_ok=True)
        with replacing(args.latex) as file:
            file.write(record.to_latex())
        written.append(str(args.latex))
    return written


def _run(args):
    """Hold out each corpus in turn with each method; print and write the scores."""
    paths = corpora_to_paths(args)
    _check_arguments(args, paths)
    with contextlib.ExitStack() as stack:
        if args.out is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sklearn-ser-"))
        else:
            args.out.mkdir(parents=True, exist_ok=True)
            folder = args.out / "corpora"
        record = _evaluate(args, paths, folder)
    try:
        # Before anything is printed, as its reader may be gone.
        written = _keep(record, args)
    finally:
        print(format_scores(record, coloured=shows_colours()))
        print("\n" + harmless(format_legend(record), keep="\n"))
    if written:
        print(f"\nWritten: {', '.join(written)}")
