"""Tables of measurements, from the files that benchmarks and fuzzers write."""

import json
import runpy
from pathlib import Path

from _tables import lay_out

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent / "benchmarks"
FUZZ = HERE.parent / "tests" / "fuzz"


def number(value):
    """Lay out a number with three digits, or more before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def describe_run(record):
    """Lay out date, commit, machine and Python version of a run."""
    machine = record["machine"]
    facts = [machine["processor"], f"{machine['cores']} cores"]
    facts += [f"{machine['memory_gib']:g} GiB"] if "memory_gib" in machine else []
    facts += [machine["system"]]
    facts += [f"load {machine['load']:g}"] if "load" in machine else []
    facts += [f"Python {record['versions']['python']}"]
    return f"{record['date']}, commit {record['commit'] or 'unknown'}: {', '.join(facts)}"


def list_ratios(path=BENCHMARKS / "results.json"):
    """Lay out the figures of benchmarks that compare with peers, and how they came about."""
    read_results = runpy.run_path(str(BENCHMARKS / "_record.py"))["read_results"]
    rows, runs = [], {}
    for record in read_results(path).values():
        compared = [figure for figure in record["figures"] if "peer" in figure]
        for figure in compared:
            ours, peer, ratio = (figure[name] for name in ("ours", "peer", "ratio"))
            rows.append(
                (
                    figure["task"],
                    f"``{ours['name']}``, {number(ours['median'])} {figure['unit']}",
                    f"{peer['name']} ({peer['package']} {peer['version']}), "
                    f"{number(peer['median'])} {figure['unit']}",
                    f"{number(ratio['median'])} ({number(ratio['min'])}-{number(ratio['max'])})",
                    f"``{record['command']}``",
                )
            )
        if compared:
            run = describe_run(record)
            runs.setdefault(run, []).append(f"``{record['command'].split()[1]}``")
    lines = lay_out(("task", "ours", "peer", "ratio (range)", "command"), rows)
    lines += [f"* {', '.join(names)}: {run}." for run, names in runs.items()]
    return "\n".join([*lines, ""])


def list_representations(path=HERE / "figures" / "representations.json"):
    """Lay out the UAR of each representation and method, with intervals."""
    cells = {}
    for row in json.loads(path.read_text("utf-8")):
        interval = f"({row['uar_low']:.2f}-{row['uar_high']:.2f})"
        cells[row["representation"], row["method"]] = f"{row['uar']:.3f} {interval}"
    features, methods = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    rows = [(name, *(cells.get((name, method), "") for method in methods)) for name in features]
    return "\n".join(lay_out(("features", *methods), rows))


def list_fuzzing(path=FUZZ / "results.json"):
    """Lay out how often readers were tried with what came of it, and how that was done."""
    results = json.loads(path.read_text(encoding="utf-8"))
    total, targets = results["total"], results["targets"]
    lines = [
        f"{total['executions']:,} executions of ``guided.py`` are on record in "
        f"``tests/fuzz/results.json``, where its option ``--record`` puts them; "
        f"{total['faults']:,} of them ended in a fault. Faults of earlier runs were fixed, as "
        "listed below, and their inputs are in ``tests/fuzz/corpus/``. Results are counted after "
        "every hundred executions of a process, so those of the last ones are missing. A branch "
        "is new if none of the inputs at the beginning of the run reaches it.",
        "",
    ]
    rows = [
        (
            f"``{name}``",
            f"{one['executions']:,}",
            ", ".join(f"{verdict} {n:,}" for verdict, n in one["verdicts"].items()),
            f"{one['branches']} ({one['new_branches']})",
            one["faults"],
        )
        for name, one in targets.items()
    ]
    header = ("target", "executions", "results", "branches (new)", "faults")
    lines += lay_out(header, rows)
    header = ("script", "executions", "faults", "command")
    rows = [
        (f"``{name}``", f"{one['executions']:,}", one["faults"], f"``{one['command']}``")
        for name, one in results["scripts"].items()
    ]
    lines += lay_out(header, rows)
    runs = {}
    for name, one in {**targets, **results["scripts"]}.items():
        versions = ", ".join(f"{package} {n}" for package, n in one["versions"].items() if n)
        runs.setdefault(f"{one['date']}, commit {one['commit']}: {versions}", []).append(name)
    lines += [
        f"* {', '.join(f'``{name}``' for name in names)}: {run}." for run, names in runs.items()
    ]
    return "\n".join([*lines, ""])
