"""What the guided fuzzer and the tests of properties share: targets, and verdicts on an input.

A target takes bytes, hands them to one reader of the package, and says what came of it. It raises
`Fault` where a promise is broken. Any exception that is not the documented one of that reader is a
fault, too.
"""

import contextlib
import json
import os
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

__all__ = ["TARGETS", "Fault", "Target", "check", "examine", "named", "read_inputs", "scratch"]
__all__ += ["target", "text_of"]

#: Letters of a message that repeats its input, beside which it may say this much.
LONGEST = 4000

_folders = {}


class Fault(AssertionError):
    """A promise that is broken."""


class Target(NamedTuple):
    """One reader.

    `judge` takes bytes and returns a word for what came of them; `seeds` are inputs of the kinds
    that it knows; `longest` is the largest number of bytes that are tried.
    """

    judge: Callable[[bytes], str]
    seeds: tuple[bytes, ...]
    longest: int


#: By name. The modules that define them fill it.
TARGETS = {}


def target(name, seeds, *, longest=1 << 10):
    """Register a function as the target of this name; seeds are bytes or texts."""

    def register(judge):
        contents = tuple(
            s.encode(errors="surrogateescape") if isinstance(s, str) else s for s in seeds
        )
        TARGETS[name] = Target(judge, contents, longest)
        return judge

    return register


def text_of(data):
    """Return bytes as names of files are decoded."""
    return data.decode(errors="surrogateescape")


def check(fits, problem):
    """Raise a `Fault` unless a promise is kept."""
    if not fits:
        raise Fault(problem)


def named(error, *names):
    """Check that a refusal names what it refuses, in bounded length; return "refused"."""
    message = str(error)
    check(any(str(name) in message for name in names), f"it names nothing of {names}: {message}")
    check(len(message) < LONGEST + 20 * max(map(len, map(str, names))), f"{len(message)} letters")
    return "refused"


def scratch(name=""):
    """Return a folder of this process, in memory where the system has such a place."""
    if os.getpid() not in _folders:
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        _folders[os.getpid()] = tempfile.TemporaryDirectory(prefix="fuzz-", dir=place)
    folder = Path(_folders[os.getpid()].name, name)
    folder.mkdir(exist_ok=True)
    return folder


@contextlib.contextmanager
def _ours_only():
    """Raise a `Fault` for a warning that is not one of the package."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Of what somebody else has left open, whenever that is collected.
        warnings.simplefilter("ignore", ResourceWarning)
        yield
    for warning in caught:
        ours = warning.category.__module__.startswith("sklearn_ser.")
        check(ours, f"{warning.category.__name__}: {warning.message}")


def examine(name, data):
    """Return what came of an input, and a description of the fault or an empty text."""
    one = TARGETS[name]
    try:
        with _ours_only():
            return one.judge(data[: one.longest]), ""
    except Fault as fault:
        return "fault", str(fault)
    except Exception:
        return "foreign", traceback.format_exc()


def read_inputs(path):
    """Return the inputs of a file of the replay corpus and their verdicts, by what each is about.

    Inputs are texts where they are UTF-8, and hexadecimal digits otherwise. The verdict is None
    where it is up to the version of another package.
    """
    entries = json.loads(Path(path).read_text(encoding="utf-8"))
    return {
        entry["about"]: (
            entry["text"].encode() if "text" in entry else bytes.fromhex(entry["hex"]),
            entry.get("verdict"),
        )
        for entry in entries
    }
