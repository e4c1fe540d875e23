"""Standard streams and signals: closed pipes, interrupts and termination."""

import codecs
import contextlib
import os
import signal
import sys
import threading

__all__ = ["Terminated", "orderly_end", "settle", "standard_streams"]

_SIGNALS = ("SIGTERM", "SIGHUP")


class Terminated(SystemExit):
    """A signal that asks the process to end; `code` is what shells make of it."""


def _encode(error):
    """Write bytes that stand for themselves in names of files, and spell other letters."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error("sklearn_ser", _encode)


def _fill_descriptors():
    """Put something harmless where a standard stream is closed, before a file gets its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


@contextlib.contextmanager
def standard_streams():
    """Stand in for standard streams that the process was started without.

    What is written to them is lost, as the caller of the command wanted. Names that cannot be
    encoded do not end the command.
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
    """Let signals that ask the process to end remove what is unfinished first.

    A second signal ends it at once. What the caller of the process ignores stays ignored, as
    ``nohup`` has it.
    """
    earlier = {}

    def end(number, _):
        signal.signal(number, signal.SIG_DFL)
        raise Terminated(128 + number)

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
    """Write what a stream still holds; return whether that went well.

    A stream whose reader is gone, or whose disk is full, is turned away, so that Python does
    not try once more at exit.
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
