"""Print what the commands of README print.

    python benchmarks/commands.py [--part PART] [--shared DIR] [--jobs N] [--method NAMES]

Parts: ``corpora`` evaluates an SVM, and then compares it with NNPM, on EMO-DB, URDU and RAVDESS;
``demo`` is the evaluation of all methods on synthesised corpora that ``make demo`` runs. DIR holds
``corpora/``; by default it is what SKLEARN_SER_SHARED names, else ``../shared``.
"""

import argparse
import contextlib
import os
import tempfile
from pathlib import Path

from sklearn_ser.cli import main as sklearn_ser

CORPORA = ("emodb", "urdu", "ravdess")


def run(*words):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        status = sklearn_ser([*words, "--quiet", "--out", "results"])
    if status:
        raise SystemExit(status)
    print(flush=True)


def part_corpora(arguments):
    given = []
    for name in CORPORA:
        folder = arguments.shared.resolve() / "corpora" / name
        given += ["--corpus", f"{name}={folder}"]
    for methods in ("svm", "svm,nnpm"):
        run("evaluate", *given, "--method", methods, "--jobs", str(arguments.jobs))


def part_demo(arguments):
    run("evaluate", "--method", arguments.method, "--jobs", str(arguments.jobs))


PARTS = {"corpora": part_corpora, "demo": part_demo}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--method", default="all", help="of the demo")
    arguments = parser.parse_args()
    for part in arguments.part or PARTS:
        print(f"== {part}", flush=True)
        PARTS[part](arguments)


if __name__ == "__main__":
    main()
