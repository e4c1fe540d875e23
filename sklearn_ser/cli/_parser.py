"""The argument parser of the command line."""

import argparse

from sklearn_ser import __version__
from sklearn_ser.cli._adapt import add_adapt
from sklearn_ser.cli._corpora import add_corpora
from sklearn_ser.cli._describe import add_describe
from sklearn_ser.cli._evaluate import add_evaluate
from sklearn_ser.cli._extract import add_extract
from sklearn_ser.cli._fetch import add_fetch
from sklearn_ser.cli._info import add_info
from sklearn_ser.cli._predict import add_predict
from sklearn_ser.cli._report import add_report
from sklearn_ser.cli._train import add_train


def build_parser():
    """Return the parser of the command line.

    Returns
    -------
    parser : argparse.ArgumentParser
        The parsed arguments have the name of the sub-command as `command`, the function that
        does its work as `run`, and its parser, for errors of usage, as `parser`.
    """
    parser = argparse.ArgumentParser(
        prog="sklearn-ser",
        description="Cross-lingual speech emotion recognition.",
        epilog="`sklearn-ser COMMAND --help` explains a command and gives examples.\n"
        "exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, "
        "143 terminated",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="report what is being loaded")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (
        add_evaluate,
        add_report,
        add_train,
        add_predict,
        add_adapt,
        add_info,
        add_extract,
        add_corpora,
        add_describe,
        add_fetch,
    ):
        add(commands)
    return parser
