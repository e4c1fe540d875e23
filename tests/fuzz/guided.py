"""Let coverage guide the inputs of the cheap readers, count executions, and keep what breaks one.

    python tests/fuzz/guided.py [--target NAME …] [--runs N] [--seconds S] [--seed N]
                                [--corpus DIR] [--out DIR] [--record FILE] [--replay [FILE …]]

It needs atheris (``pip install 'sklearn-ser[fuzz]'``, for the versions of Python that it has wheels
for); --replay does not. Each target runs in a process of its own, which is started again after a
crash or a hang. --runs and --seconds are per target. --corpus keeps inputs that reached something
new, for the next run to start from. --record puts the counts into a file. --replay runs files of
the folder corpus/ beside this script, all of them by default, or inputs that were kept in --out.
"""

import collections
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _children import keep, options_of, table
from _counts import record

HERE = Path(__file__).parent
REPLAY = HERE / "corpus"
SECONDS, MEMORY_MB = 10, 2048  # a hang, and what is too much memory
_MODULES = ("_targets_text", "_targets_files")
# Readers of the standard library whose branches guide, too.
_INSTRUMENTED = ["sklearn_ser", "tarfile", "zipfile"]
_PROGRESS = re.compile(r"#\d+\t(INITED|DONE)\s+cov: (\d+) ft: (\d+) corp: (\d+)/")
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_MOST_KEPT, _MOST_STARTS = 5, 20
_COLUMNS = ("runs", "new", "inputs", "fault", "foreign", "crash", "seconds")
FAULTS = ("fault", "foreign", "crash")


def load_targets():
    """Return the targets by name."""
    from _targets import TARGETS

    for module in _MODULES:
        __import__(module)
    return TARGETS


def import_atheris():
    """Return the engine, or end with the command that installs it."""
    try:
        import atheris
    except ImportError:
        sys.exit(
            "guided.py needs atheris, which is not installed: pip install 'sklearn-ser[fuzz]'. "
            "Where it has no wheel for your Python, tests/fuzz/test_guided.py checks the same "
            "properties: python -m pytest tests/fuzz/test_guided.py --hypothesis-profile=full"
        )
    return atheris


class _Tally:
    """What came of the inputs of one process, in a file that survives it."""

    def __init__(self, name, out, path):
        self.name, self.out, self.path = name, out, path
        self.verdicts, self.kept = collections.Counter(), collections.Counter()

    def add(self, data):
        from _targets import examine

        verdict, fault = examine(self.name, data)
        self.verdicts[verdict] += 1
        if fault:
            # Where it was last in the package, and what was raised.
            places = re.findall(r"sklearn_ser/\S+\", line \d+", fault)
            gist = (*places[-1:], fault.strip().splitlines()[-1].partition(":")[0][:40])
            self.kept[gist] += 1
            if self.kept[gist] <= _MOST_KEPT:
                keep(self.out, f".{self.name.replace(' ', '-')}", data, f"{self.name}\n{fault}")
        # The engine ends the process without a chance to write the last of them.
        if sum(self.verdicts.values()) % 100 == 0:
            Path(self.path).write_text(json.dumps(self.verdicts))


def fuzz_here(name, arguments, out, path):
    """Run one target in this process; the engine ends it."""
    atheris = import_atheris()
    # Not "RegEx", whose proxies lack the positions that numpy and tokenize pass.
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=_INSTRUMENTED):
        targets = load_targets()
        from sklearn_ser.persistence import _load
    versions = _load.current_versions()
    # Which would otherwise be looked up for each refusal, for most of the time.
    _load.current_versions = lambda: versions
    tally = _Tally(name, out, path)
    for seed in targets[name].seeds:
        tally.add(seed)  # compiles and imports what the first use needs, outside the limits
    tally.verdicts.clear()
    atheris.Setup([sys.argv[0], *arguments], tally.add)
    atheris.Fuzz()


def _arguments(one, runs, seconds, seed, scratch, corpus, out):
    # A run counts a few inputs more than it is asked for, and to the engine -1 is without end.
    return [
        *(f"-runs={max(0, runs)}", f"-max_len={one.longest}", f"-seed={seed}"),
        *(f"-timeout={SECONDS}", f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={out}/"),
        "-print_final_stats=1",
        *([f"-max_total_time={seconds}"] if seconds else []),
        *(str(folder) for folder in (corpus, scratch) if folder),
    ]


def run_target(name, one, given, corpus):
    """Run one target in other processes; return its counts."""
    row, seed, start = collections.Counter(), given.seed + 1, time.monotonic()
    before = after = 0
    Path(given.out).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tally, seeds = Path(folder, "tally.json"), Path(folder, "seeds")
        seeds.mkdir()
        for number, content in enumerate(one.seeds):
            (seeds / str(number)).write_bytes(content)
        for _ in range(_MOST_STARTS):
            left = given.seconds and max(1, round(given.seconds - (time.monotonic() - start)))
            arguments = _arguments(
                one, given.runs - row["runs"], left, seed, seeds, corpus, given.out
            )
            child = [sys.executable, __file__, "--child", name, given.out, str(tally), *arguments]
            done = subprocess.run(child, stderr=subprocess.PIPE, text=True, errors="replace")
            reached = {event: (cov, corp) for event, cov, _, corp in _PROGRESS.findall(done.stderr)}
            executed = _EXECUTED.search(done.stderr)
            verdicts = json.loads(tally.read_text()) if tally.exists() else {}
            tally.unlink(missing_ok=True)
            row["runs"] += int(executed[1]) if executed else sum(verdicts.values())
            row.update(verdicts)
            before = before or int(reached.get("INITED", (0, 0))[0])
            if "DONE" in reached:
                after, row["inputs"] = map(int, reached["DONE"])
                break
            if not executed and not verdicts:
                sys.exit(f"the target {name!r} does not start:\n{done.stderr[-4000:]}")
            row["crash"] += 1
            print(f"{name}: ended with {done.returncode}\n{done.stderr[-2000:]}")
            seed += 1
    row["branches"], row["new"] = after, max(0, after - before)
    row["seconds"] = round(time.monotonic() - start)
    return row


def counts_of(row):
    """Return what is recorded of the counts of a target."""
    known = (*_COLUMNS, "branches")
    return {
        "executions": row["runs"],
        "verdicts": {key: n for key, n in sorted(row.items()) if key not in known},
        "branches": row["branches"],
        "new_branches": row["new"],
        "faults": sum(row[kind] for kind in FAULTS),
        "seconds": row["seconds"],
    }


def replay(paths):
    """Run inputs again; return the number of faults."""
    from _targets import examine, read_inputs

    targets, n_faults, counts = load_targets(), 0, collections.defaultdict(collections.Counter)
    by_slug = {name.replace(" ", "-"): name for name in targets}
    for path in map(Path, paths or sorted(REPLAY.glob("*.json"))):
        if path.suffix == ".json":
            name, inputs = by_slug[path.stem], read_inputs(path)
        else:
            name, inputs = by_slug[path.suffix[1:]], {"kept": (path.read_bytes(), None)}
        for about, (data, _) in inputs.items():
            verdict, fault = examine(name, data)
            counts[name][verdict] += 1
            counts[name]["runs"] += 1
            if fault:
                n_faults += 1
                print(f"{path}, {about}: {verdict}\n{fault}")
    print(table(counts, ("runs", "fault", "foreign"), "target"))
    return n_faults


def main(given):
    """Run the targets one after the other; return the number of faults."""
    import_atheris()
    counts, targets = {}, load_targets()
    unknown = set(given.target or ()) - targets.keys()
    if unknown:
        sys.exit(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(targets)}")
    for name in given.target or targets:
        corpus = given.corpus and Path(given.corpus, name.replace(" ", "-"))
        if corpus:
            corpus.mkdir(parents=True, exist_ok=True)
        counts[name] = run_target(name, targets[name], given, corpus)
        if given.record:
            how = f"python tests/fuzz/guided.py --runs {given.runs} --seed {given.seed}"
            how += f" --seconds {given.seconds}" if given.seconds else ""
            how += f" --target {shlex.quote(name)}"
            record(given.record, "targets", name, counts_of(counts[name]), how)
        print(table({name: counts[name]}, _COLUMNS, "target").splitlines()[1], flush=True)
    print(table(counts, _COLUMNS, "target"))
    return sum(row[kind] for row in counts.values() for kind in FAULTS)


def _parser():
    parser = options_of(__doc__, 5000)
    parser.add_argument("--target", action="append", help="one of them; repeat for more")
    parser.add_argument("--seconds", type=int, default=0, help="at most so long for each target")
    parser.add_argument("--corpus", metavar="DIR", help="folder of inputs to start from and add to")
    parser.add_argument("--out", default="fuzz-guided", help="folder for inputs that show a fault")
    parser.add_argument("--replay", nargs="*", metavar="FILE", help="run kept inputs again")
    return parser


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child_name, child_out, child_tally, *engine = sys.argv[2:]
        fuzz_here(child_name, engine, child_out, child_tally)
    options = _parser().parse_args()
    if options.replay is not None:
        sys.exit(replay(options.replay) > 0)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(options) > 0)
