"""``sklearn-ser report``: write an HTML report on a saved evaluation."""

from pathlib import Path

from sklearn_ser.cli._arguments import add_command, add_common, file_argument
from sklearn_ser.utils._optional import require_extra


def add_report(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "report",
        _run,
        "Make a report of the results that `sklearn-ser evaluate --out` has written: one HTML file "
        "with scores, plots, warnings and the command that reproduces them.",
        """
        sklearn-ser report results
        sklearn-ser report results --out report.html
        """,
    )
    command.add_argument(
        "results",
        metavar="RESULTS",
        type=Path,
        help="a folder that `sklearn-ser evaluate --out` has written",
    )
    command.add_argument(
        "--out",
        metavar="FILE",
        type=file_argument,
        help="file to write (default: report.html in the folder)",
    )
    add_common(command)


def draw_unseen():
    """Make matplotlib draw to files, which works without a screen."""
    import matplotlib

    matplotlib.use("agg")


def _run(args):
    """Read the folder and write the report."""
    from sklearn_ser.report import EvaluationRecord, write_report

    require_extra("report")
    draw_unseen()
    record = EvaluationRecord.load(args.results)
    path = write_report(record, args.out or args.results / "report.html")
    print(f"Written: {path}")
