"""Scenarios of one cache and several processes, run in a process without other threads.

    python _cache_scenarios.py FOLDER

It runs every scenario in the folder, and writes a traceback for each to the standard output,
as JSON: empty where the scenario went well. A fork of the process that runs the tests would
copy its threads' locks, and starting Python anew for each process takes longer than the rest.
"""

import itertools
import json
import os
import random
import signal
import sqlite3
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

from sklearn_ser.features import RecordingTransformer
from sklearn_ser.features._cache import FeatureCache

N = 1200
# Seconds that a row takes, so that a process can be killed before it has computed all of them.
DELAY = 0.002


class Statistics(RecordingTransformer):
    delay = 0

    def _function(self):
        return self._statistics

    def _statistics(self, y, sr):
        time.sleep(self.delay)
        return [y.mean(), np.abs(y).max(), y.std()]

    def _names(self):
        return ("mean", "peak", "std")

    def _recipe(self):
        return {"algorithm": "statistics"}


class Processes:
    """Start processes that extract, and end them."""

    def __init__(self, folder):
        self._folder = folder
        self._numbers = itertools.count()
        noise = np.random.default_rng(0).normal(size=960 + N) / 10
        self.recordings = [noise[i : i + 960] for i in range(N)]

    def start(self, cache, recordings, out=None):
        """Return the number of a new process, and the file where it reports what it stored."""
        # A file: what was written to it outlives the process, and it never blocks.
        report = self._folder / f"report{next(self._numbers)}"
        child = os.fork()
        if child:
            return child, report
        code = 1
        try:
            self._extract(cache, recordings, out, report)
            code = 0
        finally:
            os._exit(code)

    @staticmethod
    def _extract(cache, recordings, out, report):
        stored = os.open(report, os.O_WRONLY | os.O_CREAT)
        put = FeatureCache.put

        def put_and_report(self, digest, row, remarks):
            put(self, digest, row, remarks)
            os.write(stored, digest)

        FeatureCache.put = put_and_report
        rows = Statistics(cache=cache).transform(recordings)
        if out is not None:
            np.save(out, rows)

    @staticmethod
    def wait_for(report):
        while not (report.exists() and report.stat().st_size):
            time.sleep(0.001)

    @staticmethod
    def end(child, report, *, kill):
        """Return how the process ended, and the digests of the recordings that it stored."""
        if kill:
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        content = report.read_bytes() if report.exists() else b""
        return code, {content[i : i + 32] for i in range(0, len(content) - 31, 32)}


def table(cache):
    """Return the rows of a cache by digest, after a check of the file."""
    connection = sqlite3.connect(cache)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = connection.execute("SELECT digest, features, checksum FROM rows").fetchall()
    connection.close()
    assert len({row[0] for row in rows}) == len(rows)
    return {digest: rest for digest, *rest in rows}


def killed_while_storing(folder):
    """No finished row is lost, and the next process computes the others only."""
    processes, rng = Processes(folder), random.Random(0)
    cache, finished = folder / "cache", set()
    Statistics.delay = DELAY
    for i in range(6):
        child, report = processes.start(cache, processes.recordings)
        if i % 2:
            # However slow the machine is, half of the processes come to store rows.
            processes.wait_for(report)
        time.sleep(rng.uniform(0, 0.12))
        code, reported = processes.end(child, report, kill=True)
        assert code == -signal.SIGKILL, "not killed in the middle"
        finished |= reported
        if cache.exists():
            FeatureCache(cache, "{}", 3).close()
            assert finished <= table(cache).keys()
    assert 0 < len(finished) < N, len(finished)
    Statistics.delay = 0
    out = folder / "resumed.npy"
    code, reported = processes.end(*processes.start(cache, processes.recordings, out), kill=False)
    assert code == 0
    assert not reported & finished, "a finished row was computed again"
    assert len(table(cache)) == N
    assert np.array_equal(np.load(out), Statistics().transform(processes.recordings))


def killed_while_making(folder):
    """Whatever a killed process left of a new cache, the next one can use it."""
    processes = Processes(folder)
    few = processes.recordings[:10]
    expected = Statistics().transform(few)
    # The file is made within the first milliseconds of a process.
    for i, delay in enumerate(np.linspace(0.0005, 0.01, 20)):
        cache = folder / f"new{i}"
        child, report = processes.start(cache, processes.recordings)
        time.sleep(delay)
        processes.end(child, report, kill=True)
        assert np.array_equal(Statistics(cache=cache).transform(few), expected)
        table(cache)


def together(folder):
    """Processes that store the same rows at the same time, in different orders."""
    processes = Processes(folder)
    mixed = list(range(N))
    random.Random(0).shuffle(mixed)
    orders = [range(N), range(N - 1, -1, -1), mixed]
    outs = [folder / f"{i}.npy" for i in range(3)]
    children = [
        processes.start(folder / "shared", [processes.recordings[i] for i in order], out)
        for order, out in zip(orders, outs, strict=True)
    ]
    assert [processes.end(*child, kill=False)[0] for child in children] == [0, 0, 0]
    expected = Statistics(cache=folder / "alone").transform(processes.recordings)
    for order, out in zip(orders, outs, strict=True):
        assert np.array_equal(np.load(out), expected[list(order)])
    assert table(folder / "shared") == table(folder / "alone")


SCENARIOS = (killed_while_storing, killed_while_making, together)


def main(folder):
    warnings.simplefilter("error")
    outcomes = {}
    for scenario in SCENARIOS:
        place = Path(folder, scenario.__name__)
        place.mkdir()
        try:
            scenario(place)
            outcomes[scenario.__name__] = ""
        except Exception:
            outcomes[scenario.__name__] = traceback.format_exc()
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(sys.argv[1])
