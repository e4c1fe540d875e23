"""Standard streams and signals: closed pipes, interrupts and termination."""

import codecs
import contextlib
import os
import signal
import sys
import threading

__all__ = ["Terminated", "orderly_end", "settle", "shows_colours", "standard_streams"]

_SIGNALS = ("SIGTERM", "SIGHUP")


class Terminated(SystemExit):
    """A signal that asks the process to end; `code` is the exit code that shells use for it."""


def _encode(error):
    """Write undecodable bytes of file names as they are, and escape other characters."""
    # surrogateescape fails for characters that are not bytes of a file name.
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error("sklearn_ser", _encode)


def _fill_descriptors():
    """Open the null device for closed standard streams, before a file gets their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # open returns the lowest free number, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def shows_colours():
    """Whether the standard output is a terminal with colours, which the user does not refuse."""
    known = os.name != "nt" or "WT_SESSION" in os.environ
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    refused = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return known and encoding == "utf8" and not refused and sys.stdout.isatty()


@contextlib.contextmanager
def standard_streams():
    """Replace standard streams that the process was started without.

    Output to them is lost, as the caller of the command wanted. Names that cannot be encoded do
    not end the command.
    """
    names = ("stdin", "stdout", "stderr")
    missing = [name for name in names if getattr(sys, name) is None]
    if missing:
        _fill_descriptors()
    with contextlib.ExitStack() as stack:
        for name in missing:
            mode = "r" if name == "stdin" else "w"
            stream = stack.enter_context(open(os.devnull, mode, encoding="utf-8"))
            setattr(sys, name, stream)
            stack.callback(setattr, sys, name, None)
        stdout = sys.stdout
        if hasattr(stdout, "reconfigure"):
            stack.callback(stdout.reconfigure, errors=stdout.errors)
            stdout.reconfigure(errors="sklearn_ser")
        yield


@contextlib.contextmanager
def orderly_end():
    """Let the process remove unfinished files when a signal asks it to end.

    A second signal ends it at once. Signals that the caller ignores stay ignored, which
    ``nohup`` relies on.
    """
    earlier = {}

    def end(number, _):
        signal.signal(number, signal.SIG_DFL)
        raise Terminated(128 + number)

    # Python lets no other thread set handlers.
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) is signal.SIG_DFL:
                earlier[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def settle(stream):
    """Flush a stream; return whether that succeeded.

    A stream whose reader is gone, or whose disk is full, is redirected to the null device, so
    that Python does not try again at exit.
    """
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return False
    return True
