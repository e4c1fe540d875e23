"""Time the extraction of 88 functionals against openSMILE and librosa.pyin, one thread each.

    python benchmarks/extraction_speed.py [--shared DIR] [--files N] [--repeats N]
        [--part PART] [--largest N] [--warm] [--json FILE]

Both sides run in this process on the same recordings by turns; ratios are
medians over the repeats. DIR holds ``corpora/`` with recordings at 16, 44.1 and
48 kHz; by default it is what SKLEARN_SER_SHARED names, else ``../shared``. Parts: ``peers``;
``duration``, of one recording; ``number`` of files, up to ``--largest``; ``first`` call, which
compiles once unless ``--warm`` is given.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import librosa
import numpy as np
import opensmile
import soundfile
from _record import Record, add_json

from sklearn_ser.audio import load_audio
from sklearn_ser.features import egemaps

CORPORA = {"emodb": 16000, "urdu": 44100, "ravdess": 48000}
PARTS = ("peers", "duration", "number", "first")
OPENSMILE = ("openSMILE", "opensmile")


def read(path):
    y, sr = soundfile.read(path, dtype="float32", always_2d=True)
    return y.mean(axis=1), sr


def pick(shared, corpus, n_files):
    files = sorted((shared / "corpora" / corpus).rglob("*.wav"))
    return [str(files[i]) for i in np.linspace(0, len(files) - 1, n_files).astype(int)]


def clock(function, items):
    start = time.perf_counter()
    for item in items:
        function(item)
    return time.perf_counter() - start


def compare(record, name, ours, theirs, our_items, their_items, seconds, repeats, peer=OPENSMILE):
    """Time two functions by turns; print speeds and the median ratio, and record them."""
    for function, items in ((ours, our_items), (theirs, their_items)):
        clock(function, items[:2])
    times = np.array([(clock(ours, our_items), clock(theirs, their_items)) for _ in range(repeats)])
    ratios = times[:, 1] / times[:, 0]
    mine, other = 1000 * np.median(times, axis=0) / seconds
    print(
        f"{name:<46} {mine:7.2f} {other:8.2f} {1000 / mine:9.0f} {np.median(ratios):7.1f}"
        f"   ({ratios.min():.1f}-{ratios.max():.1f})",
        flush=True,
    )
    mine, other = 1000 / seconds * times.T
    label, package = peer
    unit = "ms per second of audio"
    record.compare(f"eGeMAPS, {name}", unit, ("egemaps", mine), (label, other), package=package)


def against_peers(shared, n_files, repeats, record):
    smile = opensmile.Smile(
        opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals, num_workers=1
    )

    def both(name, signals):
        seconds = sum(len(y) / sr for y, sr in signals)
        compare(
            record, name, lambda s: egemaps(*s), lambda s: smile.process_signal(*s),
            signals, signals, seconds, repeats,
        )  # fmt: skip

    files = {corpus: pick(shared, corpus, n_files) for corpus in CORPORA}
    everything = [path for paths in files.values() for path in paths]
    both("16 kHz signals, all corpora", [load_audio(path) for path in everything])
    for corpus, rate in list(CORPORA.items())[1:]:
        seconds = sum(soundfile.info(path).duration for path in files[corpus])
        compare(
            record,
            f"{rate / 1000:g} kHz files, read and resampled",
            lambda path: egemaps(*load_audio(path)),
            lambda path: smile.process_signal(*read(path)),
            files[corpus], files[corpus], seconds, repeats,
        )  # fmt: skip
    for corpus, rate in CORPORA.items():
        both(f"{rate / 1000:g} kHz signals, native", [load_audio(p, None) for p in files[corpus]])
    few = [load_audio(path) for path in everything[:: max(1, len(everything) // 3)]]
    compare(
        record,
        "16 kHz signals, theirs librosa.pyin alone",
        lambda s: egemaps(*s),
        lambda s: librosa.pyin(s[0], fmin=55, fmax=1000, sr=s[1], hop_length=160),
        few, few, sum(len(y) / sr for y, sr in few), min(repeats, 2),
        peer=("librosa.pyin", "librosa"),
    )  # fmt: skip


def against_duration(shared, repeats, record):
    signals = [load_audio(path)[0] for path in pick(shared, "emodb", 120)]
    speech = np.concatenate(signals)
    print("\nduration (s)   ms for each second, 16 kHz")
    for duration in (1, 3, 10, 30, 100, 300):
        y = speech[: duration * 16000]
        seconds = [clock(lambda y: egemaps(y, 16000), [y]) for _ in range(repeats)]
        cost = 1000 * np.array(seconds) * 16000 / len(y)
        print(f"{len(y) / 16000:12.0f} {np.median(cost):12.2f}", flush=True)
        record.measure(f"recording of {duration} s", "ms per second of audio", cost)


_MEMORY = """
import resource, sys
from sklearn_ser import EGeMAPSExtractor
extractor = EGeMAPSExtractor()
extractor.transform([sys.argv[1]])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
extractor.transform([sys.argv[1]] * int(sys.argv[2]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def against_number(shared, largest, record):
    print("\nfiles (1 s)   growth of peak memory (MB)")
    y, sr = load_audio(pick(shared, "emodb", 1)[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, y[:16000], sr)
        for n_files in (n for n in (10, 100, 1000, 10000) if n <= largest):
            command = [sys.executable, "-c", _MEMORY, str(path), str(n_files)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{n_files:11d} {float(done.stdout):14.1f}", flush=True)
            task = f"growth of peak memory over {n_files} files"
            record.measure(task, "MB", [float(done.stdout)])


_START = """
import time
start = time.perf_counter()
import sklearn.base, sklearn.utils.validation, sklearn.utils.parallel
sklearn = time.perf_counter()
import numpy as np, sklearn_ser
sklearn_ser.EGeMAPSExtractor().transform([np.random.default_rng(0).normal(size=48000) / 10])
print(sklearn - start, time.perf_counter() - sklearn)
"""


def first_call(warm, record):
    print("\nfirst extraction in a new process   scikit-learn's import (s)   beyond it (s)")
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | ({} if warm else {"NUMBA_CACHE_DIR": folder})
        times = {}
        for name in (*["cold compile cache"] * (not warm), *["warm compile cache"] * 3):
            command = [sys.executable, "-c", _START]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True
            )
            base, beyond = map(float, done.stdout.split())
            print(f"{name:<33} {base:14.2f} {beyond:20.2f}", flush=True)
            times.setdefault(name, []).append(beyond)
    for name, values in times.items():
        record.measure(f"first extraction in a new process, {name}", "s", values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--files", type=int, default=20, help="recordings of each corpus")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--largest", type=int, default=10000, help="number of files")
    parser.add_argument("--warm", action="store_true", help="use the machine code that is there")
    add_json(parser)
    arguments = parser.parse_args()
    parts, record = arguments.part or PARTS, Record()
    if "peers" in parts:
        columns = f"{'ours':>7} {'theirs':>8} {'ours s/s':>9} {'ratio':>7}"
        print(f"{'ms for each second of audio':<46} {columns}")
        against_peers(arguments.shared, arguments.files, arguments.repeats, record)
    if "duration" in parts:
        against_duration(arguments.shared, arguments.repeats, record)
    if "number" in parts:
        against_number(arguments.shared, arguments.largest, record)
    if "first" in parts:
        first_call(arguments.warm, record)
    record.write(arguments.json)


if __name__ == "__main__":
    main()
