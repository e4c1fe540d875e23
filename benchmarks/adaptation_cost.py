"""Measure the cost of adapting to 500 rows with memories of growing size, on one core.

    python benchmarks/adaptation_cost.py [--rows N [N ...]] [--members N] [--epochs N] [--json FILE]

88 random features, four classes. Each size runs in a process of its own: seconds of
``adapt`` with the default settings, and the most memory that the process had in use, of
which torch and scikit-learn take the first 300 MB or so.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _record import Record, add_json, read_record

N_TARGET, N_FEATURES = 500, 88


def measure(n_rows, members, epochs, record):
    from sklearn_ser import NNPMClassifier

    rng = np.random.default_rng(0)
    y = rng.integers(4, size=n_rows)
    X = (
        rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
        + y[:, None].astype(np.float32) / 4
    )
    X_target = rng.standard_normal((N_TARGET, N_FEATURES), dtype=np.float32)
    model = NNPMClassifier(
        n_estimators=members, warmup_epochs=1, max_epochs=epochs, guard=False, random_state=0
    )
    model.fit(X, y)
    start = time.process_time()
    model.adapt(X_target)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"{n_rows:>10,}{members:>9}{epochs:>8}{seconds:>12.1f}{peak:>12,.0f} MB"
        f"{X.nbytes / 2**20:>10,.0f} MB{model.memory_.nbytes / 2**20:>10,.0f} MB",
        flush=True,
    )
    task = f"adapt to {N_TARGET} rows, {n_rows:,} in memory, {members} members, {epochs} epochs"
    record.measure(task, "s of CPU", [seconds])
    record.measure(f"{task}: peak memory", "MB", [peak])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 5_000, 20_000, 100_000])
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=15)
    add_json(parser)
    arguments = parser.parse_args()
    settings = [f"--members={arguments.members}", f"--epochs={arguments.epochs}"]
    if len(arguments.rows) == 1:
        record = Record()
        measure(arguments.rows[0], arguments.members, arguments.epochs, record)
        record.write(arguments.json)
        return
    columns = ("source", "members", "epochs", "seconds", "peak", "rows", "memory")
    widths = (10, 9, 8, 12, 15, 13, 13)
    print(
        "".join(f"{name:>{width}}" for name, width in zip(columns, widths, strict=True)), flush=True
    )
    record = Record()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "one.json"
        for n_rows in arguments.rows:
            own = ["--rows", str(n_rows), "--json", str(file)]
            subprocess.run([sys.executable, __file__, *own, *settings], check=True)
            record.figures += read_record(file)["figures"]
    record.write(arguments.json)


if __name__ == "__main__":
    main()
