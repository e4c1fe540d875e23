"""One cache, used by several processes, some of which are killed."""

import os
import subprocess
import sys
import textwrap

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


PROCESSES = """
import itertools, os, random, signal, sqlite3, sys, time, warnings
from pathlib import Path
import numpy as np
from sklearn_ser.features import RecordingTransformer
from sklearn_ser.features._cache import FeatureCache

warnings.simplefilter("error")
folder, rng, numbers = sys.argv[1], random.Random(0), itertools.count()
noise = np.random.default_rng(0).normal(size=960 + 3000) / 10
recordings = [noise[i : i + 960] for i in range(3000)]


delay = 0


def statistics(y, sr):
    time.sleep(delay)
    return [y.mean(), np.abs(y).max(), y.std()]


class Statistics(RecordingTransformer):
    def _function(self):
        return statistics

    def _names(self):
        return ("mean", "peak", "std")

    def _recipe(self):
        return {"algorithm": "statistics"}


def start(cache, recordings, out=None):
    # A file: what was written to it outlives the process, and it never blocks.
    name = os.path.join(folder, f"report{next(numbers)}")
    child = os.fork()
    if child:
        return child, name
    report = os.open(name, os.O_WRONLY | os.O_CREAT)
    put = FeatureCache.put

    def put_and_report(self, digest, row, remarks):
        put(self, digest, row, remarks)
        os.write(report, digest)

    FeatureCache.put = put_and_report
    code = 1
    try:
        rows = Statistics(cache=cache).transform(recordings)
        if out is not None:
            np.save(out, rows)
        code = 0
    finally:
        os._exit(code)


def wait_for(name):
    while not (os.path.exists(name) and os.path.getsize(name)):
        time.sleep(0.001)


def end(child, name, kill):
    if kill:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    content = Path(name).read_bytes() if os.path.exists(name) else b""
    return code, {content[i : i + 32] for i in range(0, len(content) - 31, 32)}


def check(cache):
    connection = sqlite3.connect(cache)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    stored = {digest for digest, in connection.execute("SELECT digest FROM rows")}
    connection.close()
    return stored
"""

KILL = """
delay = 0.0004
cache, finished = os.path.join(folder, "kill"), set()
for i in range(10):
    child, report = start(cache, recordings)
    if i % 2:
        # However slow the machine is, half of the processes come to store rows.
        wait_for(report)
    time.sleep(rng.uniform(0, 0.12))
    code, reported = end(child, report, kill=True)
    assert code == -signal.SIGKILL, "not killed in the middle"
    finished |= reported
    if os.path.exists(cache):
        FeatureCache(cache, "{}", 3).close()
        assert finished <= check(cache)
assert 0 < len(finished) < 3000, len(finished)
delay = 0
child, report = start(cache, recordings, os.path.join(folder, "killed.npy"))
code, reported = end(child, report, kill=False)
assert code == 0
assert not reported & finished, "a finished row was computed again"
assert len(check(cache)) == 3000
resumed = np.load(os.path.join(folder, "killed.npy"))
assert np.array_equal(resumed, Statistics().transform(recordings))
"""

KILL_WHILE_MAKING = """
for i in range(25):
    cache = os.path.join(folder, f"new{i}")
    child, report = start(cache, recordings)
    time.sleep(rng.uniform(0.001, 0.01))
    end(child, report, kill=True)
    rows = Statistics(cache=cache).transform(recordings[:10])
    assert np.array_equal(rows, Statistics().transform(recordings[:10]))
    check(cache)
"""

TOGETHER = """
cache = os.path.join(folder, "together")
mixed = list(range(3000))
rng.shuffle(mixed)
orders = [range(3000), range(2999, -1, -1), mixed]
outs = [os.path.join(folder, f"{i}.npy") for i in range(3)]
children = [
    start(cache, [recordings[i] for i in order], out)
    for order, out in zip(orders, outs, strict=True)
]
assert [end(*child, kill=False)[0] for child in children] == [0, 0, 0]
expected = Statistics(cache=os.path.join(folder, "alone")).transform(recordings)
for order, out in zip(orders, outs, strict=True):
    assert np.array_equal(np.load(out), expected[list(order)])
assert check(cache) == check(os.path.join(folder, "alone"))
def table(path):
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT digest, features, checksum FROM rows ORDER BY 1").fetchall()
    connection.close()
    return rows
assert table(cache) == table(os.path.join(folder, "alone"))
"""


@posix
@pytest.mark.parametrize("script", [KILL, KILL_WHILE_MAKING, TOGETHER])
def test_several_processes_and_killed_ones(script, tmp_path):
    code = textwrap.dedent(PROCESSES) + script
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
