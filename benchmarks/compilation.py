"""Measure the time of compilation: the first call of ``egemaps`` without stored machine code.

    python benchmarks/compilation.py [--repeats N]

Prints the processor time of the first call and of the next one, for each repeat, and how many
functions were compiled, numba's own included.
"""

import argparse
import os
import subprocess
import sys
import tempfile

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
    args = parser.parse_args()
    print("first call (s of CPU)  second call (ms)  compilations")
    for _ in range(args.repeats):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", FIRST_CALLS],
                env={**os.environ, "NUMBA_CACHE_DIR": folder},
                capture_output=True,
                text=True,
                check=True,
            )
        first, second, n = map(float, done.stdout.split())
        print(f"{first:21.1f}  {1000 * second:16.1f}  {n:12.0f}", flush=True)


if __name__ == "__main__":
    main()
