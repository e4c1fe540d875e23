"""Write the figures of a benchmark as JSON, and read them back for the documentation."""

import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

SCHEMA = 1
PACKAGES = (
    "sklearn-ser",
    "numpy",
    "scipy",
    "numba",
    "scikit-learn",
    "torch",
    "skorch",
    "librosa",
    "soundfile",
    "soxr",
    "joblib",
    "opensmile",
    "afx-audio",
    "skada",
)
# Options that hold paths; figures do not depend on where a folder lies.
_PLACES = ("--json", "--shared", "--scratch", "--cache")


def add_json(parser):
    """Add the option that names the file for the figures."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")


def processor():
    """Return the model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def machine():
    """Describe the hardware, without names of hosts, users or folders."""
    usable = getattr(os, "sched_getaffinity", None)
    found = {
        "processor": processor(),
        "cores": len(usable(0)) if usable else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if hasattr(os, "sysconf"):
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory_gib"] = round(size / 2**30, 1)
    if hasattr(os, "getloadavg"):
        # About the number of busy cores: on a quiet machine 1, which is the benchmark itself.
        found["load"] = round(os.getloadavg()[0], 1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["accelerator"] = torch.cuda.get_device_name()
    return found


def version(package):
    """Return the version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions():
    found = {package: version(package) for package in PACKAGES}
    return {"python": platform.python_version()} | {
        package: number for package, number in found.items() if number
    }


def commit():
    """Return the commit, with a plus sign if tracked files differ from it; None without git."""

    def git(*arguments):
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        number = git("rev-parse", "--short=10", "HEAD")
        written = (":!/*results.json", ":!/benchmarks/printed")
        changed = git("status", "--porcelain", "--untracked-files=no", ":/", *written)
    except (OSError, subprocess.CalledProcessError):
        return None
    return number + "+" * bool(changed)


def command(argv):
    """Return the command that repeats the run, without the places of files."""
    script, *given = argv
    kept, skipped = [], False
    for word in given:
        if not skipped and word.partition("=")[0] not in _PLACES:
            kept.append(word)
        skipped = not skipped and word in _PLACES
    return shlex.join(["python", f"benchmarks/{Path(script).name}", *kept])


def _digits(value):
    return float(f"{value:.4g}")


def summarise(values):
    """Return median, smallest and largest value, and their number."""
    values = [float(value) for value in values]
    return {
        "median": _digits(median(values)),
        "min": _digits(min(values)),
        "max": _digits(max(values)),
        "n": len(values),
    }


class Record:
    """Figures of one run of a benchmark.

    `measure` takes the repeats of one figure; `compare` takes those of this package and of a peer,
    in the order in which they ran by turns, so that each ratio is of neighbours in time.
    """

    def __init__(self):
        self.figures = []

    def measure(self, task, unit, values):
        self.figures.append({"task": task, "unit": unit, **summarise(values)})

    def compare(self, task, unit, ours, peer, *, package):
        """Add times: `ours` and `peer` are (name, values), `package` is that of the peer."""
        pairs = zip(ours[1], peer[1], strict=True)
        self.figures.append(
            {
                "task": task,
                "unit": unit,
                "ours": {"name": ours[0], **summarise(ours[1])},
                "peer": {
                    "name": peer[0],
                    "package": package,
                    "version": version(package),
                    **summarise(peer[1]),
                },
                "ratio": summarise(theirs / mine for mine, theirs in pairs),
            }
        )

    def as_dict(self):
        return {
            "schema": SCHEMA,
            "command": command(sys.argv),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "commit": commit(),
            "machine": machine(),
            "versions": versions(),
            "figures": self.figures,
        }

    def write(self, path):
        """Write the file, unless `path` is None."""
        if path is not None:
            path.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")


def _check(fits, where, expected):
    if not fits:
        raise ValueError(f"{where}: expected {expected}. Run the benchmark again.")


def _check_values(one, where):
    fits = isinstance(one, dict) and all(
        isinstance(one.get(name), (int, float)) for name in ("median", "min", "max", "n")
    )
    _check(fits and one["min"] <= one["median"] <= one["max"], where, "min <= median <= max, and n")


def check_record(record, where):
    """Raise a ValueError unless a record is complete."""
    _check(isinstance(record, dict), where, "a record of a benchmark")
    _check(record.get("schema") == SCHEMA, where, f"schema {SCHEMA}, got {record.get('schema')!r}")
    for name, kind in (("command", str), ("date", str), ("machine", dict), ("versions", dict)):
        _check(isinstance(record.get(name), kind), where, f"{name!r} of type {kind.__name__}")
    for part, names in (("machine", ("processor", "cores", "system")), ("versions", ("python",))):
        for name in names:
            _check(name in record[part], f"{where}, {part!r}", f"{name!r}")
    figures = record.get("figures")
    _check(isinstance(figures, list) and figures, where, "a list of figures")
    for number, figure in enumerate(figures):
        place = f"{where}, figure {number}"
        _check(isinstance(figure, dict), place, "a task with its unit and values")
        for name in ("task", "unit"):
            _check(isinstance(figure.get(name), str), place, f"{name!r} of type str")
        if "peer" not in figure:
            _check_values(figure, place)
            continue
        for name in ("ours", "peer", "ratio"):
            _check_values(figure.get(name), f"{place}, {name!r}")
        for part, names in (("ours", ("name",)), ("peer", ("name", "package", "version"))):
            for name in names:
                _check(isinstance(figure[part].get(name), str), f"{place}, {part!r}", f"{name!r}")


def read_record(path):
    """Read the record of one run."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}). Run the benchmark again.") from error
    check_record(record, Path(path).name)
    return record


def read_results(path):
    """Read the records of all benchmarks by name."""
    try:
        results = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}). Run benchmarks/run.py again.") from error
    _check(isinstance(results, dict) and results, Path(path).name, "records by name of a benchmark")
    for name, record in results.items():
        check_record(record, f"{Path(path).name}, {name!r}")
    return results


def update_results(path, records):
    """Replace the records of the given benchmarks in a file, and keep the others."""
    path = Path(path)
    results = read_results(path) if path.exists() else {}
    results = dict(sorted((results | records).items()))
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
