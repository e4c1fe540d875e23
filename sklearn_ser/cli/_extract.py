"""``sklearn-ser extract``: write the features of recordings to a table."""

import contextlib
import warnings
from pathlib import Path

from sklearn_ser.cli._arguments import (
    add_command,
    add_common,
    add_extraction,
    add_on_error,
    mapping_of,
    output_argument,
)
from sklearn_ser.cli._speech import (
    check_features,
    check_mapping,
    corpora_to_paths,
    make_extractor,
)
from sklearn_ser.utils._optional import require_extra


def add_extract(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "extract",
        _run,
        "Compute features of recordings, by default the 88 eGeMAPSv02 functionals. The table has a "
        "column path and a column for each feature; functionals have openSMILE's names. Run the "
        "same command again to resume an interrupted run. Recordings that cannot be used are "
        "listed in a file beside the table: features.failed.csv for features.parquet.",
        """
        sklearn-ser extract speech.wav other.flac > features.csv
        sklearn-ser extract recordings/ --out features.parquet --jobs -1
        sklearn-ser extract recordings/ --features encoder=openai/whisper-base:3 --out base.parquet
        sklearn-ser extract --corpus emodb=corpora/emodb --out emodb.csv --cache features.sqlite
        sklearn-ser extract /data --out features.parquet --dask-scheduler tcp://head:8786
        """,
    )
    command.add_argument(
        "recordings",
        metavar="PATH",
        type=Path,
        nargs="*",
        help="a recording, or a folder of recordings including its sub-folders",
    )
    workers = add_extraction(command)
    workers.add_argument(
        "--dask-scheduler",
        metavar="ADDRESS",
        help="compute on the workers of this dask cluster, which must find the recordings under "
        "the same paths",
    )
    add_on_error(command)
    command.add_argument(
        "--out",
        metavar="FILE",
        type=output_argument,
        help="file to write, .csv or .parquet (default: CSV to the standard output)",
    )
    add_common(command)


def _collect(args):
    """Return the recordings of all arguments, each once."""
    from sklearn_ser.datasets import list_recordings, load_corpora

    places = list(args.recordings)
    corpora = corpora_to_paths(args)
    if corpora:
        places += load_corpora(corpora, mapping=mapping_of(args))["path"].tolist()
    return list_recordings(places)


@contextlib.contextmanager
def _cluster(address):
    """Run the work of processes on the workers of a dask scheduler."""
    require_extra("dask")
    import joblib
    from dask.distributed import Client

    with Client(address, set_as_default=True), joblib.parallel_config(backend="dask"):
        yield


def _report_failures(failures, n_recordings, out):
    """Name the recordings without features: in a file beside the table, if there is one."""
    report = None if out is None else out.with_suffix(".failed.csv")
    if not failures:
        if report is not None:
            # The list of an earlier run is not true any more.
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
        message += f"{report} names them with the reasons"
    warnings.warn(message, ExtractionWarning, stacklevel=2)


def _run(args):
    """Write the features of recordings to a CSV or Parquet file."""
    if not args.recordings and not args.corpus:
        args.parser.error("name recordings, folders of recordings, or corpora (--corpus)")
    check_mapping(args)
    check_features(args)
    from sklearn_ser.features import write_features

    options, unfinished = {}, None
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        if args.cache is None:
            # A cache for this table alone is what lets the same command resume.
            unfinished = options["cache"] = args.out.with_name(f"{args.out.name}.unfinished")
    with contextlib.ExitStack() as stack:
        if args.dask_scheduler is not None:
            # None: as many as the cluster has.
            options["n_jobs"] = None
            stack.enter_context(_cluster(args.dask_scheduler))
        paths = _collect(args)
        extractor = make_extractor(args, **options)
        errors = write_features(extractor, paths, args.out, on_error=args.on_error)
    if unfinished is not None:
        unfinished.unlink(missing_ok=True)
    if len(errors) == len(paths):
        from sklearn_ser.exceptions import AudioError

        raise AudioError(f"None of the {len(paths)} recordings can be used. The first: {errors[0]}")
    failures = {paths[i]: error for i, error in errors.items()}
    _report_failures(failures, len(paths), args.out)
