"""Measure the time of compilation: the first call of ``egemaps`` without stored machine code.

    python benchmarks/compilation.py [--repeats N] [--warm] [--json FILE]

Prints the processor time of the first call and of the next one, for each repeat, and how many
functions were compiled, numba's own included. ``--warm`` uses the machine code that is there, which
tries this script but measures nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from _record import Record, add_json

FIRST_CALLS = """
import time

import numpy as np
from numba.core import event

from sklearn_ser.features import egemaps

# Noise would not do: without voiced frames the code of formants is not compiled.
seconds = np.arange(16000) / 16000
y = sum(np.sin(2 * np.pi * 150 * k * seconds) / k for k in range(1, 20)) / 4
compilations = event.RecordingListener()
times = [time.process_time()]
with event.install_listener("numba:compile", compilations):
    for _ in range(2):
        egemaps(y, 16000)
        times.append(time.process_time())
print(*np.diff(times), len(compilations.buffer) // 2)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--warm", action="store_true", help="use the machine code that is there")
    add_json(parser)
    args = parser.parse_args()
    print("first call (s of CPU)  second call (ms)  compilations")
    found = []
    for _ in range(args.repeats):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", FIRST_CALLS],
                env={**os.environ} if args.warm else {**os.environ, "NUMBA_CACHE_DIR": folder},
                capture_output=True,
                text=True,
                check=True,
            )
        first, second, n = map(float, done.stdout.split())
        print(f"{first:21.1f}  {1000 * second:16.1f}  {n:12.0f}", flush=True)
        found.append((first, 1000 * second, n))
    record, (first, second, n) = Record(), zip(*found, strict=True)
    record.measure("first call of egemaps, nothing compiled", "s of CPU", first)
    record.measure("second call, 1 s of audio", "ms of CPU", second)
    record.measure("compilations", "functions", n)
    record.write(args.json)


if __name__ == "__main__":
    main()
