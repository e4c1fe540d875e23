"""Run the commands that the documentation quotes, and keep what they print.

A record is a file of the folder ``printed/``, named like the command, with `command`, `date`,
`commit`, `machine`, `versions`, `seconds` and `printed`, the lines of its output.
"""

import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import _record

ROOT = Path(__file__).parents[1]
PRINTED = Path(__file__).parent / "printed"
SCHEMA = 1
# A command in the prose of a page, or a line of a code block.
_QUOTED = re.compile(
    r"`python\s+benchmarks/(\w+)\.py((?:\s+[^`\s]+)*)`|"
    r"^\s*python benchmarks/(\w+)\.py((?: +[^\s#]+)*) *(?:#.*)?$",
    re.MULTILINE,
)


def pages():
    """Return README and the pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]


def commands_in(text):
    """Return (position, script, arguments) of each benchmark that a text quotes, in order."""
    found = []
    for match in _QUOTED.finditer(text):
        first, arguments, second, others = match.groups()
        words = shlex.split(arguments or others or "")
        if first != "run" and second != "run" and "--smoke" not in words:
            found.append((match.start(), first or second, tuple(words)))
    return found


def quoted():
    """Return the commands of all pages, (script, arguments), each once and sorted."""
    texts = (path.read_text(encoding="utf-8") for path in pages())
    return sorted({found[1:] for text in texts for found in commands_in(text)})


def path_of(script, arguments):
    """Return the file of the record of a command."""
    words = [re.sub(r"[^\w.]+", "-", word).strip("-") for word in arguments]
    return PRINTED / ("-".join([script, *words]) + ".json")


def read_printed(path):
    """Read a record; raise a ValueError unless it is complete."""
    record = json.loads(Path(path).read_text(encoding="utf-8"))
    kinds = {"command": str, "date": str, "machine": dict, "versions": dict, "printed": list}
    wrong = [name for name, kind in kinds.items() if not isinstance(record.get(name), kind)]
    if record.get("schema") != SCHEMA or wrong or not record["printed"]:
        raise ValueError(
            f"{path}: expected schema {SCHEMA} with {', '.join(kinds)}, got {sorted(record)}. "
            "Run benchmarks/run.py --quoted again."
        )
    return record


def record_printed(script, arguments, words):
    """Run a command, show what it prints, and keep it if it succeeds; return its exit status.

    `words` are its words with the places of files, which the record leaves out.
    """
    start, commit = time.perf_counter(), _record.commit()
    lines = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line.rstrip())
    if process.returncode or not any(lines):
        return process.returncode or 1
    record = {
        "schema": SCHEMA,
        "command": shlex.join(["python", f"benchmarks/{script}.py", *arguments]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": commit,
        "machine": _record.machine(),
        "versions": _record.versions(),
        "seconds": round(time.perf_counter() - start),
        "printed": lines,
    }
    PRINTED.mkdir(exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    path_of(script, arguments).write_text(text + "\n", encoding="utf-8")
    return 0
