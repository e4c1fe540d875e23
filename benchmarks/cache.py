"""Print what the cache costs and saves, and what a second process gains.

    python benchmarks/cache.py [--shared DIR] [--rounds N] [--limit N] [--json FILE]

DIR holds ``corpora/`` with recordings; by default it is what SKLEARN_SER_SHARED
names, else ``../shared``. Rounds are interleaved, figures are medians, so that a
busy moment of the machine strikes all alike.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from _record import Record, add_json

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.features._worker import digest

AGAIN = """
import sys, time
started = time.perf_counter()
from sklearn_ser import EGeMAPSExtractor
EGeMAPSExtractor(cache=sys.argv[1]).transform(sys.stdin.read().split("\\n"))
print(time.perf_counter() - started)
"""


def timed(function, *arguments):
    started = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - started, result


def read_all(paths):
    for path in paths:
        with open(path, "rb") as file:
            file.read()


def digest_all(paths):
    for path in paths:
        digest(path)


def in_a_new_process(paths, cache):
    command = [sys.executable, "-c", AGAIN, cache]
    done = subprocess.run(command, input="\n".join(paths), capture_output=True, text=True)
    done.check_returncode()
    return float(done.stdout)


def measure_cache(paths, folder, rounds):
    times = {name: [] for name in ("without", "cold", "again", "new process", "read", "digest")}
    for i in range(rounds):
        cache = os.path.join(folder, f"{i}.sqlite")
        seconds, expected = timed(EGeMAPSExtractor().transform, paths)
        times["without"].append(seconds)
        for name in ("cold", "again"):
            seconds, rows = timed(EGeMAPSExtractor(cache=cache).transform, paths)
            times[name].append(seconds)
            assert np.array_equal(rows, expected, equal_nan=True)
        times["new process"].append(in_a_new_process(paths, cache))
        times["read"].append(timed(read_all, paths)[0])
        times["digest"].append(timed(digest_all, paths)[0])
    size = os.path.getsize(cache)
    return times, size


def measure_jobs(paths, folder, rounds):
    """Seconds by number of processes, without a cache and with a new one in each round."""
    times = {(jobs, cached): [] for cached in (False, True) for jobs in (1, 2)}
    # Workers live on between calls: what they take to start is not throughput.
    EGeMAPSExtractor(n_jobs=2).transform(paths[:8])
    for i in range(rounds):
        for jobs, cached in times:
            cache = os.path.join(folder, f"jobs{i}{jobs}.sqlite") if cached else None
            extractor = EGeMAPSExtractor(n_jobs=jobs, cache=cache)
            times[jobs, cached].append(timed(extractor.transform, paths)[0])
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="take so many recordings only, spread evenly")
    add_json(parser)
    arguments = parser.parse_args()
    paths = sorted(map(str, (arguments.shared / "corpora").rglob("*.wav")))
    if not paths:
        parser.error(f"no recordings in {arguments.shared / 'corpora'}")
    if arguments.limit:
        paths = paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit]
    seconds = sum(soundfile.info(path).duration for path in paths)
    megabytes = sum(os.path.getsize(path) for path in paths) / 1e6
    print(f"{len(paths)} recordings, {seconds:.0f} s of audio, {megabytes:.0f} MB")
    EGeMAPSExtractor().transform(paths[:2])
    with tempfile.TemporaryDirectory() as folder:
        times, size = measure_cache(paths, folder, arguments.rounds)
        jobs = measure_jobs(paths, folder, arguments.rounds)
    record, of = Record(), f"{len(paths)} recordings"
    for name, title in (
        ("without", "no cache, one process"),
        ("cold", "new cache, one process"),
        ("again", "all cached"),
        ("new process", "all cached, in a new process with its imports"),
        ("read", "reading the files"),
        ("digest", "reading and digesting the files"),
    ):
        print(f"{title:<46}{median(times[name]):8.2f} s")
        record.measure(f"{of}: {title}", "s", times[name])
    print(f"{'the file':<46}{size / len(paths):8.0f} bytes a recording")
    for cached in (False, True):
        title = f"two processes against one, {'new' if cached else 'no'} cache"
        one, two = jobs[1, cached], jobs[2, cached]
        rate = seconds / median(two)
        ratio = median(one) / median(two)
        print(f"{title:<46}{ratio:8.2f} times ({rate:.0f} s of audio per second)")
        ratios = [alone / both for alone, both in zip(one, two, strict=True)]
        record.measure(f"{of}: {title}", "times", ratios)
    record.write(arguments.json)


if __name__ == "__main__":
    main()
