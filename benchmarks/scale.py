"""Measure large collections: time by stage, memory, two processes, dask, a worker that dies.

    python benchmarks/scale.py [--sizes N ...] [--seconds S] [--jobs N] [--rounds N]
                               [--folder DIR] [--smoke] [--json FILE]

Recordings of S seconds at 16 kHz are cut from `make_corpora` at random places with random
gains, so that no two have the same content. For each size, ``sklearn-ser extract`` writes
the features to Parquet with a new cache, then again with all rows stored; another process
reads the table and leaves each of the four corpora out, with a linear SVM and with
`DAETransformer`. The same commands with a few recordings show what starting takes. Peak
memory is that of the command and of its largest worker (Linux only).

One process, two, two unrelated programs, and a dask cluster of two workers then take turns on
the same recordings: the programs show what the machine gives to two at this moment. Last, one
of the workers of a command is killed, and its table is compared with that of an undisturbed
run.

DIR keeps the recordings for the next call; by default, they are in a temporary folder, which
for 100,000 recordings needs 2 GB. The defaults take about half an hour on two cores,
``--smoke`` a minute.
"""

import argparse
import contextlib
import importlib.util
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import joblib
import numpy as np
import pandas as pd
import soundfile
from _record import Record, add_json

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import make_corpora

RATE = 16000
N_CORPORA, N_SPEAKERS, N_EMOTIONS = 4, 6, 4
# Recordings of the run that measures what starting a command takes.
FEW = 16

LEAVE_ONE_OUT = """
import sys, time, warnings
from pathlib import Path
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn_ser import CorpusScaler, DAETransformer
from sklearn_ser.evaluation import cross_corpus_validate
warnings.simplefilter("ignore")
clocks = lambda: (time.perf_counter(), time.process_time())
def report(stage, since, note):
    print(stage, *(now - then for now, then in zip(clocks(), since)), note, sep="|", flush=True)
start = clocks()
table = pd.read_parquet(sys.argv[1])
X = table.drop(columns="path").to_numpy()
names = table["path"].map(lambda path: Path(path).stem.split("_"))
corpus, speaker, emotion = (names.str[k].to_numpy() for k in range(3))
report("read the table", start, "")
svm = LinearSVC(C=0.01, dual=False, class_weight="balanced")
dae = DAETransformer.das2022(max_epochs=5, batch_size=256, learning_rate=1e-3, random_state=0)
for last in (svm, dae):
    start = clocks()
    model = make_pipeline(CorpusScaler(), last)
    result = cross_corpus_validate(model, X, emotion, corpus, speaker=speaker, n_draws=200)
    uar = result.scores["uar"].mean()
    report(f"leave one corpus out, {type(last).__name__}", start, f"UAR {uar:.3f}")
"""


def clips(folder, size):
    """Synthesise what recordings are cut from: name and samples of each utterance."""
    # One or two sentences of every speaker in every emotion.
    n = N_SPEAKERS * N_EMOTIONS * (2 if size > 1000 else 1)
    table = make_corpora(folder, n_corpora=N_CORPORA, n_utterances=n, n_speakers=N_SPEAKERS)
    made = {}
    for corpus, rows in table.groupby("corpus"):
        made[corpus] = [
            (f"{corpus}_{row.speaker}_{row.emotion}", load_audio(row.path, RATE)[0])
            for row in rows.itertuples()
        ]
    return made


def make_recordings(folder, sizes, seconds):
    """Write recordings up to each size to a folder of its own; return these folders by size."""
    folders, first = {}, 0
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        bank = None
        for size in sorted(sizes):
            place = folder / f"{first}-{size}-{seconds:g}s"
            folders[size] = [*folders.get(first, []), place]
            if not place.exists():
                bank = bank or clips(scratch, max(sizes))
                unfinished = stack.enter_context(
                    tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True)
                )
                write_recordings(Path(unfinished), bank, range(first, size), seconds)
                Path(unfinished).rename(place)
            first = size
    return folders


def write_recordings(folder, bank, numbers, seconds):
    n_samples = int(seconds * RATE)
    for i in numbers:
        rng = np.random.default_rng(i)
        corpus = list(bank.values())[i % len(bank)]
        name, y = corpus[i // len(bank) % len(corpus)]
        start = rng.integers(max(1, len(y) - n_samples))
        y = y[start : start + n_samples] * rng.uniform(0.3, 1)
        soundfile.write(folder / f"{name}_{i}.wav", y, RATE, subtype="PCM_16")


class Watch:
    """Run a command; note its time and the peak memory of it and of its workers."""

    def __init__(self, command):
        self.peak = self.peak_of_workers = 0.0
        self._started, self._cpu = time.perf_counter(), processor_time_of_ended()
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command)], stdout=subprocess.PIPE, text=True
        )
        self._watcher = threading.Thread(target=self._look, daemon=True)
        self._watcher.start()

    def _look(self):
        while self.process.poll() is None:
            self.peak = max(self.peak, peak_memory(self.process.pid))
            for pid in self.workers():
                self.peak_of_workers = max(self.peak_of_workers, peak_memory(pid))
            time.sleep(0.2)

    def workers(self):
        # The others are joblib's trackers of resources.
        return [pid for pid in children(self.process.pid) if "popen_loky" in command_of(pid)]

    def finish(self):
        self.output, _ = self.process.communicate()
        self.seconds = time.perf_counter() - self._started
        self.cpu = processor_time_of_ended() - self._cpu
        self._watcher.join()
        return self


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def processor_time_of_ended():
    """Return the seconds of CPU of all children that have ended, and of their children."""
    times = os.times()
    return times.children_user + times.children_system


def children(pid):
    found = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, listing.read_text().split())
    return found


def processor_time(pid):
    """Return the seconds of CPU of a process and its living descendants; 0 where unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(processor_time, children(pid)))


def peak_memory(pid):
    """Return the largest size of a process so far in MB; 0 where this is unknown."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)


def extract(places, out, jobs):
    command = ["-m", "sklearn_ser", "extract", *places, "--out", out, "--jobs", jobs]
    return Watch([*command, "--cache", out.with_suffix(".sqlite")])


def checked(watch):
    if watch.finish().process.returncode:
        raise RuntimeError(f"a command ended with {watch.process.returncode}")
    return watch


def show(record, size, stage, seconds, cpu, note=""):
    record.measure(f"{size:,} recordings: {stage}", "s", [seconds])
    record.measure(f"{size:,} recordings: {stage}, processor time", "s", [cpu])
    each = f"{size / seconds:11.0f} {1000 * cpu / size:11.3f}"
    print(f"{size:10,}  {stage:<37}{seconds:9.2f} {cpu:9.2f} {each}  {note}", flush=True)


def measure_stages(record, folders, scratch, jobs, few):
    """Print the stages of each size; return the tables by size."""
    header = f"{'s':>9} {'s of CPU':>9} {'per second':>11} {'ms of CPU':>11}"
    print(f"\n{'recordings':<12}{'stage':<37}{header}")
    tables = {}
    for size, places in {FEW: few, **folders}.items():
        tables[size] = out = scratch / f"{size}.parquet"
        for stage in ("extract", "extract, all rows stored"):
            watch = checked(extract(places, out, jobs))
            memory = f"{watch.peak:.0f} MB, largest worker {watch.peak_of_workers:.0f} MB"
            show(record, size, stage, watch.seconds, watch.cpu, memory)
        if size == FEW:
            continue
        models = checked(Watch(["-c", LEAVE_ONE_OUT, out]))
        for line in models.output.splitlines():
            stage, seconds, cpu, note = line.split("|")
            show(record, size, stage, float(seconds), float(cpu), note)
        stored = out.with_suffix(".sqlite").stat().st_size / size
        print(f"{size:10,}  {stored:.0f} bytes of cache a row; models: {models.peak:.0f} MB")
    return tables


def transform(paths, n_jobs=1):
    return EGeMAPSExtractor(n_jobs=n_jobs).transform(paths)


@contextlib.contextmanager
def cluster():
    """Return a function that computes on two dask workers, or None without dask."""
    if importlib.util.find_spec("distributed") is None:
        yield None
        return
    from dask.distributed import Client, LocalCluster

    def on_cluster(paths):
        with joblib.parallel_config(backend="dask"):
            return transform(paths, n_jobs=None)

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as machines, Client(machines):
        yield on_cluster


def measure_processes(record, paths, rounds):
    halves = paths[::2], paths[1::2]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context) as programs, cluster() as on_cluster:
        ways = {
            "one process": transform,
            "two processes": lambda paths: transform(paths, 2),
            "two unrelated programs": lambda paths: list(programs.map(transform, halves)),
        }
        if on_cluster is not None:
            ways["dask, two workers"] = on_cluster
        # The first round starts workers, and is left out.
        times = np.empty((rounds + 1, len(ways), 2))
        expected = transform(paths)
        for taken in times:
            for row, way in zip(taken, ways.values(), strict=True):
                before = np.array([time.perf_counter(), processor_time(os.getpid())])
                rows = way(paths)
                row[:] = [time.perf_counter(), processor_time(os.getpid())] - before
                if not isinstance(rows, list):
                    np.testing.assert_array_equal(rows, expected)
    print(f"\n{len(paths):,} recordings, no cache, {rounds} rounds by turns")
    print(f"{'':<24}{'s':>7} {'s of CPU':>9} {'one process takes':>18}   (range)")
    for name, (seconds, cpu) in zip(ways, times[1:].transpose(1, 2, 0), strict=True):
        ratios = times[1:, 0, 0] / seconds
        record.measure(f"{name} against one", "times", ratios)
        print(
            f"{name:<24}{np.median(seconds):7.2f} {np.median(cpu):9.2f} {np.median(ratios):17.2f}x"
            f"   ({ratios.min():.2f}-{ratios.max():.2f})"
        )


def kill_a_worker(places, expected, out):
    """Kill a worker of a command in the middle; check that its table is complete."""
    watch, cache = extract(places, out, 2), out.with_suffix(".sqlite")
    while watch.process.poll() is None:
        time.sleep(0.02)
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{cache}?mode=ro", uri=True)) as stored,
        ):
            if stored.execute("SELECT count(*) FROM rows").fetchone()[0] > len(expected) / 2:
                break
    workers = watch.workers()
    if not workers:
        print("no worker was found to kill")
    for pid in workers[:1]:
        os.kill(pid, signal.SIGKILL)
    watch.finish()
    same = pd.read_parquet(out).equals(expected)
    print(
        f"\na worker killed in the middle of {len(expected):,} recordings: {watch.seconds:.1f} s, "
        f"exit code {watch.process.returncode}, the table is {'the same' if same else 'DIFFERENT'}"
    )
    return same and watch.process.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a recording")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where recordings are kept")
    parser.add_argument("--smoke", action="store_true", help="a hundred recordings, one round")
    add_json(parser)
    args = parser.parse_args()
    if args.smoke:
        args.sizes, args.rounds = [60, 120], 1
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder = args.folder or scratch / "recordings"
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        folders = make_recordings(folder, args.sizes, args.seconds)
        print(
            f"{max(args.sizes):,} recordings of {args.seconds:g} s, made in "
            f"{time.perf_counter() - started:.0f} s"
        )
        smallest = min(args.sizes)
        paths = sorted(str(path) for path in folders[smallest][0].iterdir())
        # Machine code is compiled before anything is timed.
        transform(paths[:2])
        record = Record()
        tables = measure_stages(record, folders, scratch, args.jobs, paths[:FEW])
        measure_processes(record, paths, args.rounds)
        expected = pd.read_parquet(tables[smallest])
        complete = kill_a_worker(folders[smallest], expected, scratch / "killed.parquet")
    record.write(args.json)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
