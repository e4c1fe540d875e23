"""Child processes that run one hostile input after the other, and survive it.

A fuzzer is a script with a function of one task. `Child` runs that function in a fresh interpreter
with a limit on memory, measures each execution, ends it when it takes too long, and starts another
interpreter after a crash. Run as a script, this file is that child.

The scripts here are not a package, as pytest imports them one by one. They find this file so::

    sys.path.insert(0, str(Path(__file__).parent))
    from _children import Child, execute, keep
"""

import argparse
import contextlib
import faulthandler
import hashlib
import importlib.util
import itertools
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Child", "Outcome", "execute", "keep", "load_script", "options_of", "table"]

_START_SECONDS = 120  # for the imports and what `prepare` compiles


class Outcome(NamedTuple):
    """What one execution came to.

    `kind` is "done" (`value` is what the function returned), "foreign" (it raised; `detail` is
    the traceback), "crash" (the process ended, `detail` says how) or "hang" (it was killed).
    `grown` is by how many bytes the memory in use grew at most during the execution.
    """

    kind: str
    value: Any = None
    detail: str = ""
    grown: int = 0
    seconds: float = 0.0


def load_script(path):
    """Return a script as a module, by its path: its bare name could be that of another one."""
    spec = importlib.util.spec_from_file_location(f"fuzz_{Path(path).stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options_of(description, runs, *, out=None):
    """Return a parser of the options that the scripts share; `out` is None for one without."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path, metavar="FILE", help="put the counts into this file")
    if out is not None:
        parser.add_argument("--jobs", type=int, default=1, help="processes beside this one")
        parser.add_argument("--out", default=out, help="folder for inputs that show a fault")
    return parser


def _memory(field):
    """Return a figure of this process in bytes: VmSize, VmRSS, or VmHWM, the highest VmRSS."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) << 10
    return 0


def _forget_peak():
    """Let VmHWM start again; where the system does not permit that, growth is underestimated."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


class Child:
    """A process that runs ``function(task)`` of a script, one task at a time.

    Parameters
    ----------
    script : path-like
        File that defines the function; where it defines ``prepare()``, too, that is called first,
        outside the limits: imports, compilation, one execution of each kind.
    function : str
        Name of the function. Task and result are pickled.
    memory : int, default=1 GiB
        Address space in bytes that the process may take on top of what it has after `prepare`.
        More ends in a MemoryError, or in a crash.
    seconds : float, default=10
        After that, an execution is a hang.
    """

    def __init__(self, script, function, *, memory=1 << 30, seconds=10.0):
        self.script, self.function = os.fspath(script), function
        self.memory, self.seconds = memory, seconds
        self._process = None

    def _start(self):
        here, there = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, closed with the child
        with there:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, os.path.abspath(__file__), self.script, self.function),
                    *map(str, (self.memory, there.fileno())),
                ],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
            )
        self._connection = Connection(here.detach())
        try:
            ready = self._connection.poll(_START_SECONDS) and self._connection.recv()
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.close()
            raise RuntimeError(f"the child for {self.script} does not start:\n{self._said()}")

    def _said(self):
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-4000:]

    def run(self, task):
        """Run one task; return its `Outcome`."""
        if self._process is None:
            self._start()
        start = time.perf_counter()
        self._connection.send(task)
        try:
            if self._connection.poll(self.seconds):
                outcome = Outcome(*self._connection.recv())
                return outcome._replace(seconds=time.perf_counter() - start)
            kind = "hang"
            # The stack of every thread, before the process is killed.
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
        except (EOFError, OSError):
            kind = "crash"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.close()
        code = self._process_code
        how = f"more than {self.seconds:g} s" if kind == "hang" else f"ended with {code}"
        return Outcome(kind, None, f"{how}\n{self._said()}", 0, time.perf_counter() - start)

    def close(self):
        """End the process; the next task starts another."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            # The own reading of the code comes first: a process that died keeps its own.
            self._process_code = self._process.wait()
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def execute(make, count, *, jobs=1, **options):
    """Yield ``(index, task, outcome)`` of ``make(0)``, … ``make(count - 1)``, as they come.

    Parameters
    ----------
    make : callable
        From an index to a task. What it makes must depend on the index alone, so that a run
        does not depend on the number of processes.
    count : int
    jobs : int, default=1
        Number of processes.
    **options
        Parameters of `Child`.
    """
    indices, lock, results = itertools.count(), threading.Lock(), queue.Queue(4 * jobs)
    stopped = threading.Event()

    def serve():
        try:
            with Child(**options) as child:
                while not stopped.is_set():
                    with lock:
                        index = next(indices)
                    if index >= count:
                        break
                    task = make(index)
                    results.put((index, task, child.run(task)))
            results.put(None)
        except BaseException as error:
            results.put(error)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    try:
        while jobs:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                jobs -= 1
            else:
                yield result
    finally:
        stopped.set()


def keep(folder, suffix, content, note):
    """Write an input and what happened to it into a folder; return the path of the input."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (hashlib.blake2b(content, digest_size=6).hexdigest() + suffix)
    path.write_bytes(content)
    path.with_name(path.name + ".txt").write_text(note, encoding="utf-8", errors="replace")
    return path


def table(counts, columns, title):
    """Return a table as text: a row for each key of `counts`, a column for each entry, a total."""
    total = dict.fromkeys(columns, 0)
    for row in counts.values():
        for column in columns:
            # Figures with a unit are maxima, the others are numbers of executions.
            join = max if " " in column else int.__add__
            total[column] = join(total[column], row.get(column, 0))
    rows = [(str(key), row) for key, row in sorted(counts.items())] + [("all", total)]
    wide = max(len(title), *(len(key) for key, _ in rows))
    lines = ["  ".join([title.ljust(wide), *columns])]
    for key, row in rows:
        cells = [str(row.get(column, 0)).rjust(len(column)) for column in columns]
        lines.append("  ".join([key.ljust(wide), *cells]))
    return "\n".join(lines)


def _answer(function, task):
    _forget_peak()
    before = _memory("VmRSS")
    try:
        kind, value, detail = "done", function(task), ""
    except BaseException:
        kind, value, detail = "foreign", None, traceback.format_exc()
    return kind, value, detail, max(0, _memory("VmHWM") - before)


def _serve(script, function, memory, descriptor):
    import resource  # which Windows lacks

    connection = Connection(int(descriptor))
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    module = load_script(script)
    getattr(module, "prepare", lambda: None)()
    limit = _memory("VmSize") + int(memory)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    connection.send(True)
    with contextlib.suppress(EOFError):
        while True:
            task = connection.recv()
            connection.send(_answer(getattr(module, function), task))


if __name__ == "__main__":
    _serve(*sys.argv[1:])
