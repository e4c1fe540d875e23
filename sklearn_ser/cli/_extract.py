"""``sklearn-ser extract``: write the features of recordings to a table."""

import contextlib
import warnings
from pathlib import Path

from sklearn_ser.cli._arguments import add_command, add_common, add_extraction, output_argument
from sklearn_ser.cli._speech import corpora_to_paths, list_recordings, make_extractor

# Recordings whose features are in memory at once.
_PART = 4096


def add_extract(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "extract",
        _run,
        "Compute the 88 eGeMAPSv02 functionals of recordings. The result has a column path and "
        "one for each functional, under openSMILE's names. The same command resumes a run that "
        "was interrupted. Recordings that cannot be used are listed in a file beside the result, "
        "in features.failed.csv if that is features.parquet.",
        """
        sklearn-ser extract speech.wav other.flac > features.csv
        sklearn-ser extract recordings/ --out features.parquet --jobs -1
        sklearn-ser extract --corpus emodb=corpora/emodb --out emodb.csv --cache features.sqlite
        sklearn-ser extract /data --out features.parquet --dask-scheduler tcp://head:8786
        """,
    )
    command.add_argument(
        "recordings",
        metavar="PATH",
        type=Path,
        nargs="*",
        help="a recording, or a folder of recordings with all its sub-folders",
    )
    workers = add_extraction(command)
    workers.add_argument(
        "--dask-scheduler",
        metavar="ADDRESS",
        help="let the workers of this dask cluster compute; they must find the recordings under "
        "the same paths",
    )
    command.add_argument(
        "--on-error",
        choices=("skip", "nan", "raise"),
        default="skip",
        help="what to do about recordings that cannot be used: leave them out, leave their "
        "fields empty, or stop (default: %(default)s)",
    )
    command.add_argument(
        "--out",
        metavar="FILE",
        type=output_argument,
        help="file to write to, .csv or .parquet (default: CSV to the standard output)",
    )
    add_common(command)


def _collect(args):
    """Return the recordings of all arguments, each once."""
    paths = list_recordings(args.recordings)
    corpora = corpora_to_paths(args)
    if corpora:
        from sklearn_ser.datasets import load_corpora
        from sklearn_ser.datasets._paths import each_once

        paths += load_corpora(corpora)["path"].tolist()
        paths = each_once(paths)
    return paths


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
    if not failures:
        if report is not None:
            report.unlink(missing_ok=True)
        return
    from sklearn_ser.exceptions import ExtractionWarning

    message = f"{len(failures)} of {n_recordings} recordings have no features: "
    if report is None:
        message += "; ".join(f"{path} ({reason})" for path, reason in failures.items())
    else:
        import csv

        from sklearn_ser.utils._files import replacing
        from sklearn_ser.utils._spelling import to_cell

        with replacing(report) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["path", "reason"])
            for path, reason in failures.items():
                table.writerow([to_cell(path), to_cell(str(reason))])
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


def _run(args):
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
        paths = _collect(args)
        failures = _extract_to_table(paths, make_extractor(args, **options), args)
    if unfinished is not None:
        unfinished.unlink(missing_ok=True)
    if len(failures) == len(paths):
        from sklearn_ser.exceptions import AudioError

        raise AudioError(
            f"None of the {len(paths)} recordings can be used. The first: {failures[paths[0]]}"
        )
    _report_failures(failures, len(paths), args.out)
