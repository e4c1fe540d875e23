"""The command ``sklearn-ser``: one module per sub-command, no science.

Packages that take time to import are imported inside the functions that need
them, so that ``--help`` answers at once.
"""

import contextlib
import logging
import os
import shlex
import sys
import traceback
import warnings

from sklearn_ser.cli._parser import build_parser
from sklearn_ser.cli._recipes import METHODS
from sklearn_ser.cli._terminal import harmless

__all__ = ["METHODS", "main"]

_BREAKS = "\n\t"  # messages have them themselves


def _print_warning(message, category, filename, lineno, file=None, line=None):
    print(f"sklearn-ser: warning: {harmless(str(message), keep=_BREAKS)}", file=sys.stderr)


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
    argv = sys.argv[1:] if argv is None else argv
    args = build_parser().parse_args(argv)
    args.command_line = shlex.join(["sklearn-ser", *argv])
    try:
        with _messages(args.verbose):
            args.run(args)
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
            print(f"sklearn-ser: error: {harmless(str(error), keep=_BREAKS)}", file=sys.stderr)
        return 1
    return 0
