"""How often was tried what, in a file that the documentation reads."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _children import load_script

__all__ = ["RESULTS", "record", "record_script"]

#: What the repository keeps, and docs/reliability.rst shows.
RESULTS = Path(__file__).with_name("results.json")

_RECORD = Path(__file__).parents[2] / "benchmarks" / "_record.py"
_PACKAGES = ("python", "atheris", "numpy", "scikit-learn", "soundfile")


def record(path, section, name, counts, command):
    """Put the counts of one run into a file, and keep those of others.

    Parameters
    ----------
    path : pathlib.Path
        The file; it may not exist.
    section : {"targets", "scripts"}
        What `name` is: a target of ``guided.py``, or another script.
    name : str
    counts : dict
        ``executions``, ``faults``, and what else is of interest.
    command : str
        How to repeat the run.
    """
    of_benchmarks = load_script(_RECORD)
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        results = {}
    versions = {"atheris": of_benchmarks.version("atheris"), **of_benchmarks.versions()}
    entries = {
        **results.get(section, {}),
        name: {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "commit": of_benchmarks.commit(),
            "command": command,
            "versions": {package: versions.get(package) for package in _PACKAGES},
            **counts,
        },
    }
    results[section] = dict(sorted(entries.items()))
    results["total"] = {
        key: sum(one[key] for one in results.get("targets", {}).values())
        for key in ("executions", "faults")
    }
    path.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n", encoding="utf-8")


def record_script(given, script, n_faults):
    """Put the counts of a script into the file of its option --record, if there is one."""
    if given.record is not None:
        name = Path(script).name
        counts = {"executions": given.runs, "faults": n_faults}
        command = f"python tests/fuzz/{name} --runs {given.runs} --seed {given.seed}"
        record(given.record, "scripts", name, counts, command)
