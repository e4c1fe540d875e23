"""The command ``sklearn-ser``: one function per sub-command, no science.

Packages that take time to import are imported inside the functions that need
them, so that ``--help`` answers at once.
"""

import contextlib
import logging
import os
import sys
import tempfile
import textwrap
import traceback
import warnings

from sklearn_ser._arguments import build_parser

__all__ = ["METHODS", "main"]


def _svm():
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    from sklearn_ser import CorpusScaler

    return make_pipeline(CorpusScaler(), SVC(class_weight="balanced"))


def _svm_global():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(class_weight="balanced"))


def _logistic():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from sklearn_ser import CorpusScaler

    return make_pipeline(CorpusScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))


# Recordings of which `extract` keeps the features in memory at once.
_PART = 4096

# Name, what it is in a few words, and the function that makes the unfitted pipeline.
METHODS = {
    "svm": ("each corpus standardised by itself, then a support vector machine", _svm),
    "svm-global": ("all corpora standardised together, then a support vector machine", _svm_global),
    "logistic": ("each corpus standardised by itself, then logistic regression", _logistic),
}


def _corpora_to_paths(args):
    """Collect the repeated ``--corpus`` in a dict."""
    paths = dict(args.corpus)
    if len(paths) < len(args.corpus):
        names = [name for name, _ in args.corpus]
        twice = next(name for name in names if names.count(name) > 1)
        args.parser.error(f"argument --corpus: {twice} is given more than once")
    return paths


def _load_speech(args, paths, folder):
    """Return the table of the corpora asked for, or of embedded ones made in `folder`."""
    if paths:
        from sklearn_ser.datasets import load_corpora

        return load_corpora(paths, emotions=args.emotions)
    from sklearn_ser.datasets import EMOTIONS, make_corpora

    emotions = args.emotions or tuple(word for word in EMOTIONS if word != "other")
    return make_corpora(
        folder,
        n_utterances=args.utterances or 120,
        emotions=emotions,
        n_jobs=args.jobs,
        verbose=1,
    )


def _make_extractor(args, **options):
    from sklearn_ser.features import EGeMAPSExtractor

    if args.cache is not None:
        args.cache.parent.mkdir(parents=True, exist_ok=True)
    options = {"cache": args.cache, "n_jobs": args.jobs} | options
    return EGeMAPSExtractor(
        variant=args.variant, sampling_rate=args.sampling_rate, verbose=1, **options
    )


def _describe_scores(scores, speech):
    """Add to the scores what the table of recordings says about each corpus."""
    by_corpus = speech.groupby("corpus")
    languages = by_corpus["language"].agg(lambda column: "+".join(column.dropna().unique()) or "?")
    scores = scores.copy()
    scores.insert(1, "language", languages[scores["corpus"]].to_numpy())
    scores.insert(4, "speakers", by_corpus["speaker"].nunique()[scores["corpus"]].to_numpy())
    chance = 1 / by_corpus["emotion"].nunique()[scores["corpus"]].to_numpy()
    scores.insert(scores.columns.get_loc("accuracy") + 1, "chance", chance)
    return scores


def _format_scores(scores):
    """Lay out the table that `evaluate` prints, with the mean over corpora as its last row."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "held out": scores["corpus"].astype(str),
            "language": scores["language"],
            "recordings": scores["n_test"].astype(str),
            "speakers": scores["speakers"].map(lambda n: str(n) if n else "?"),
        }
    )
    table.loc[len(table)] = ["mean", "", "", ""]
    for title, column in (("UAR", "uar"), ("accuracy", "accuracy"), ("chance", "chance")):
        table[title] = [f"{v:.3f}" for v in (*scores[column], scores[column].mean())]
    text = ["held out", "language"]
    widths = {name: max(len(name), table[name].str.len().max()) for name in table}
    rows = [dict(zip(table, table, strict=True)), *table.to_dict("records")]
    lines = [
        "  ".join(
            row[name].ljust(width) if name in text else row[name].rjust(width)
            for name, width in widths.items()
        )
        for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _legend(method, *, embedded):
    notes = [
        f"Each corpus in turn is held out and the others train {method}: {METHODS[method][0]}.",
        "UAR is the mean recall over the emotions of the held-out corpus; chance is what "
        "guessing one of them gives. No label of the held-out corpus was used; all its "
        "recordings were predicted as one batch.",
    ]
    if embedded:
        notes.append(
            "These corpora are synthesised. The numbers show that everything works; they say "
            "nothing about real speech. Name real corpora with --corpus NAME=PATH."
        )
    return "\n".join(textwrap.fill(note, 79) for note in notes)


def _evaluate(args):
    """Leave one corpus out, in turn, and print the table of scores."""
    paths = _corpora_to_paths(args)
    if len(paths) == 1:
        args.parser.error(
            "argument --corpus: training on one corpus and testing on another needs at least two"
        )
    if paths and args.utterances:
        args.parser.error("argument --utterances: given corpora have the size they have")
    from sklearn_ser.evaluation import cross_corpus_validate

    with contextlib.ExitStack() as stack:
        if args.out is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sklearn-ser-"))
        else:
            args.out.mkdir(parents=True, exist_ok=True)
            folder = args.out / "corpora"
        speech = _load_speech(args, paths, folder)
        X = _make_extractor(args).transform(speech["path"])
        result = cross_corpus_validate(
            METHODS[args.method][1](),
            X,
            speech["emotion"],
            speech["corpus"],
            verbose=1,
        )
    scores = _describe_scores(result.scores, speech)
    print(_format_scores(scores))
    print("\n" + _legend(args.method, embedded=not paths))
    if args.out is not None:
        columns = ["path", "corpus", "language", "speaker", "sex"]
        predictions = speech.loc[result.predictions["sample"], columns].reset_index(drop=True)
        predictions = predictions.join(result.predictions[["y_true", "y_pred"]])
        scores.insert(0, "method", args.method)
        scores.to_csv(args.out / "scores.csv", index=False)
        predictions.to_csv(args.out / "predictions.csv", index=False)
        print(f"\nWritten: {args.out / 'scores.csv'}, {args.out / 'predictions.csv'}")


def _list_recordings(args):
    """Collect the recordings of all arguments, each once, in the order given."""
    from sklearn_ser.datasets import load_corpora
    from sklearn_ser.datasets._base import find_recordings
    from sklearn_ser.exceptions import CorpusError

    paths = []
    for path in args.recordings:
        if not path.is_dir():
            paths.append(str(path))
        elif files := find_recordings(path):
            paths += [str(path / file) for file in files]
        else:
            raise CorpusError(f"No recordings in {path} or its sub-folders.")
    corpora = _corpora_to_paths(args)
    if corpora:
        paths += load_corpora(corpora)["path"].tolist()
    return list(dict.fromkeys(paths))


@contextlib.contextmanager
def _cluster(address):
    """Let the workers of a dask scheduler do what would run in processes here."""
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ImportError("--dask-scheduler needs dask: pip install 'sklearn-ser[dask]'") from error
    import joblib

    with Client(address, set_as_default=True), joblib.parallel_config(backend="dask"):
        yield


def _report_failures(failures, n_recordings, out):
    """Tell of recordings without features: beside the table, if there is one."""
    report = None if out is None else out.with_suffix(".failed.csv")
    if report is not None:
        report.unlink(missing_ok=True)
    if not failures:
        return
    from sklearn_ser.exceptions import ExtractionWarning

    message = f"{len(failures)} of {n_recordings} recordings have no features: "
    if report is None:
        message += "; ".join(f"{path} ({reason})" for path, reason in failures.items())
    else:
        import pandas as pd

        table = pd.DataFrame({"path": failures.keys(), "reason": map(str, failures.values())})
        table.to_csv(report, index=False)
        message += f"{report} names them and tells why"
    warnings.warn(message, ExtractionWarning, stacklevel=2)


def _extract_to_table(paths, extractor, args):
    """Write the table part by part; return the recordings that failed, and why."""
    from sklearn_ser.features._table import TableWriter

    failures = {}
    with (
        contextlib.closing(extractor._transform_parts(paths, _PART)) as parts,
        TableWriter(args.out, extractor.get_feature_names_out()) as table,
    ):
        for start, rows, errors in parts:
            part = paths[start : start + len(rows)]
            failures |= {paths[i]: errors[i] for i in sorted(errors)}
            if args.on_error == "skip":
                kept = [i for i in range(len(part)) if start + i not in errors]
                part, rows = [part[i] for i in kept], rows[kept]
            table.write(part, rows)
        if len(failures) == len(paths):
            table.discard()
    return failures


def _extract(args):
    """Write the 88 functionals of recordings to a CSV or Parquet file."""
    if not args.recordings and not args.corpus:
        args.parser.error("name recordings, folders of recordings, or corpora (--corpus)")
    options = {"on_error": "raise" if args.on_error == "raise" else "nan"}
    unfinished = None
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        if args.cache is None:
            unfinished = options["cache"] = args.out.with_name(f"{args.out.name}.unfinished")
    with contextlib.ExitStack() as stack:
        if args.dask_scheduler is not None:
            # None: as many as the cluster has.
            options["n_jobs"] = None
            stack.enter_context(_cluster(args.dask_scheduler))
        paths = _list_recordings(args)
        failures = _extract_to_table(paths, _make_extractor(args, **options), args)
    if unfinished is not None:
        unfinished.unlink(missing_ok=True)
    if len(failures) == len(paths):
        from sklearn_ser.exceptions import AudioError

        raise AudioError(
            f"None of the {len(paths)} recordings can be used. The first: {failures[paths[0]]}"
        )
    _report_failures(failures, len(paths), args.out)


def _corpora(args):
    """Print what is known of the registered corpora."""
    from sklearn_ser.datasets import CORPORA, list_corpora

    if not args.names:
        table = list_corpora().drop(columns=["title", "download"]).astype(object)
        table = table.where(table.notna(), "?").astype(str)
        for column in ("name", "language", "licence", "homepage"):
            width = table[column].str.len().max()
            table[column] = table[column].str.ljust(width)
            table = table.rename(columns={column: column.ljust(width)})
        print("\n".join(line.rstrip() for line in table.to_string(index=False).splitlines()))
        print(
            "\nNo recordings come with this package: each corpus has terms of its own. For its\n"
            "emotions, file names and citation: sklearn-ser corpora NAME"
        )
    for name in args.names:
        corpus = CORPORA[name]
        counted = [f"{word} {corpus.counts.get(word, '')}".rstrip() for word in corpus.vocabulary]
        facts = {
            "title": corpus.title,
            "language": corpus.language,
            "recordings": f"{corpus.n_recordings or '?'} at {corpus.sampling_rate} Hz",
            "speakers": corpus.n_speakers or "?",
            "emotions": ", ".join(counted),
            "file names": f"such as {next(iter(corpus.examples))}",
            "licence": corpus.licence,
            "available": f"{corpus.homepage} {corpus.access}".rstrip(),
        }
        if corpus.note:
            facts["note"] = textwrap.fill(corpus.note, 65).replace("\n", "\n" + 14 * " ")
        print(name)
        for title, fact in facts.items():
            print(f"  {title:<12}{fact}")
        print(textwrap.indent(corpus.citation, "  "), end="\n\n")


def _fetch(args):
    """Download a corpus, once the user has agreed to its licence, and print its folder."""
    from sklearn_ser.datasets import CORPORA
    from sklearn_ser.datasets._fetch import corpus_folder, obtain
    from sklearn_ser.exceptions import DownloadError

    def confirm():
        if args.yes:
            return
        if not sys.stdin.isatty():
            args.parser.error("say --yes: there is no terminal to ask for your consent on")
        print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise DownloadError(f"{args.name} was not downloaded")

    corpus = CORPORA[args.name]
    folder = corpus_folder(corpus, args.data_home)
    print(obtain(corpus, folder, confirm=confirm))


_COMMANDS = {"evaluate": _evaluate, "extract": _extract, "corpora": _corpora, "fetch": _fetch}


def _print_warning(message, category, filename, lineno, file=None, line=None):
    print(f"sklearn-ser: warning: {message}", file=sys.stderr)


@contextlib.contextmanager
def _messages(verbose):
    """Show warnings in one line and, if `verbose`, what the package logs."""
    logger = logging.getLogger("sklearn_ser")
    handler, level = logging.StreamHandler(), logger.level
    with warnings.catch_warnings():
        warnings.showwarning = _print_warning
        if verbose:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments without the name of the program; by default those of the
        process.

    Returns
    -------
    code : int
        0 if all went well, 1 after an error, 130 after an interruption by the
        user. Wrong usage ends in ``SystemExit`` with code 2, as argparse has it.
    """
    args = build_parser(METHODS).parse_args(argv)
    try:
        with _messages(args.verbose):
            _COMMANDS[args.command](args)
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("sklearn-ser: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; keep Python from flushing into the
        # closed pipe once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        if args.debug:
            traceback.print_exc()
        else:
            print(f"sklearn-ser: error: {error}", file=sys.stderr)
        return 1
    return 0
