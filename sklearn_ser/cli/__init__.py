"""The command ``sklearn-ser``, with one module for each sub-command.

Packages that take time to import are imported inside the functions that need
them, so that ``--help`` answers at once.
"""

import contextlib
import logging
import shlex
import sys
import traceback
import warnings

from sklearn_ser.cli._parser import build_parser
from sklearn_ser.cli._recipes import METHODS
from sklearn_ser.cli._terminal import (
    Terminated,
    orderly_end,
    settle,
    standard_streams,
)
from sklearn_ser.utils._advice import advising
from sklearn_ser.utils._progress import quieted, say

__all__ = ["METHODS", "main"]


class _Handler(logging.Handler):
    """Show the log of the package."""

    def emit(self, record):
        say(self.format(record))


def _print_warning(message, category, filename, lineno, file=None, line=None):
    say(f"sklearn-ser: warning: {message}")


@contextlib.contextmanager
def _messages(verbose):
    """Show each warning in one line and, if `verbose`, the log of the package."""
    logger = logging.getLogger("sklearn_ser")
    handler, level = _Handler(), logger.level
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


def _run(args):
    """Do the work of a command; return its exit code."""
    try:
        with _messages(args.verbose), quieted(args.quiet), advising(to_shell=True):
            args.run(args)
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("sklearn-ser: interrupted")
        return 130
    except Terminated as end:
        say("sklearn-ser: terminated")
        return end.code
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        return 1
    # Errors of other types are mistakes in the program, whose traceback somebody has to see.
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        if args.debug:
            say("".join(traceback.format_exception(error)).rstrip())
        else:
            say(f"sklearn-ser: error: {error}")
        return 1
    return 0


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments without the name of the program; by default those of the process.

    Returns
    -------
    code : int
        0 if all went well, 1 after an error, 130 after an interruption by the user, 143 after
        a request to terminate. Wrong usage raises ``SystemExit`` with code 2, as argparse does.
    """
    argv = sys.argv[1:] if argv is None else argv
    with standard_streams(), orderly_end():
        try:
            args = build_parser().parse_args(argv)
            # Kept with models and results, so that they can be made again.
            args.command_line = shlex.join(["sklearn-ser", *argv])
            return _run(args)
        finally:
            for stream in (sys.stdout, sys.stderr):
                settle(stream)
