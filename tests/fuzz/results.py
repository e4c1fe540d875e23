"""Damage folders of results and read them again: a record and a page, or one class of error.

``python tests/fuzz/results.py --runs 500`` makes 500 changes, with digests and without, prints
what they ended in, and fails when one ended in anything else.
"""

import collections
import json
import random
import shutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

sys.path.insert(0, str(Path(__file__).parent))
from _children import options_of
from _counts import record_script

from sklearn_ser import cross_corpus_validate, transfer_matrix
from sklearn_ser.exceptions import ResultsError
from sklearn_ser.report import EvaluationRecord, write_report

VALUES = (
    *(None, True, False, 0, -1, 1e308, 2**70, 0.5, "", "=1+1", "a\0b", "\x1b[2J", "\ud800", [], {}),
    *([[]], [None], {"name": 1}, "mean", "1e999", "nan", "é" * 300),
)
# What numbers and words of a table become.
CELLS = (
    *("", "nan", "inf", "-1", "1e999", "9" * 400, "=1", "'=1", "0x10", "True", "a\0b", '"', "\r"),
    *("mean", "x" * 10_000, "\\udce9", "1_000", "½"),
)
BYTES = (b"\0", b"\xff", b'"', b"\n", b",", b"\r", b"[" * 5000, b"9" * 5000, b"\xef\xbb\xbf", b"")


def make_folder(folder):
    """Write a small evaluation with everything in it that may be in one."""
    n = 48
    speech = pd.DataFrame(
        {
            "path": [f"{i}.wav" for i in range(n)],
            "corpus": np.repeat(["de", "ur"], n // 2),
            "speaker": np.repeat(np.arange(12), n // 12).astype(str),
            "emotion": ["anger", "sadness"] * (n // 2),
        }
    )
    X = np.random.default_rng(0).normal(size=(n, 3))
    X[speech["emotion"] == "anger"] += 1
    data = X, speech["emotion"], speech["corpus"]
    models = {"logistic": LogisticRegression(), "bayes": GaussianNB()}
    options = {"speaker": speech["speaker"], "n_draws": 50}
    results = {
        name: cross_corpus_validate(model, *data, **options) for name, model in models.items()
    }
    EvaluationRecord.from_results(
        results,
        speech,
        transfer={"bayes": transfer_matrix(GaussianNB(), *data, **options)},
        estimators=models,
        sources={"de": {"title": "Deutsch", "homepage": "https://example.org/"}},
        seconds={"features": 1.5},
    ).save(folder)


def _places(value):
    """Yield each dict or list in a plain value together with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def damage_facts(path, rng):
    """Change, remove or add one value of the facts."""
    run = json.loads(path.read_text(encoding="utf-8"))
    place, key = rng.choice(list(_places(run)))
    action = rng.randrange(4)
    if action == 0:
        del place[key]
    elif action == 1 and isinstance(place, list):
        place.append(rng.choice(VALUES))
    else:
        place[key] = rng.choice(VALUES)
    path.write_text(json.dumps(run), encoding="utf-8")


def damage_cells(path, rng):
    """Change, remove or double a cell, a row or a column of a table."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    i, j = rng.randrange(len(table)), rng.randrange(table.shape[1])
    action = rng.randrange(6)
    if action == 0:
        table = table.drop(index=i)
    elif action == 1:
        table = table.drop(columns=table.columns[j])
    elif action == 2:
        table = pd.concat([table, table.iloc[[i]]])
    elif action == 3:
        table.iloc[:, j] = rng.choice(CELLS)
    else:
        table.iloc[i, j] = rng.choice(CELLS)
    table.to_csv(path, index=False)


def damage_bytes(path, rng):
    """Change, cut or lengthen a file wherever it may be."""
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8))):
        start = rng.randrange(len(content) + 1)
        stop = min(len(content), start + rng.choice((0, 1, 1, 4, 100)))
        content[start:stop] = rng.choice(BYTES)
    if rng.randrange(8) == 0:
        del content[rng.randrange(len(content) + 1) :]
    path.write_bytes(content)


def damage(folder, rng):
    """Change one file of a folder; every second time as one without digests."""
    run = folder / "run.json"
    if rng.randrange(2):
        facts = json.loads(run.read_text(encoding="utf-8"))
        del facts["tables"]
        facts["format"] = rng.choice((1, 2))
        run.write_text(json.dumps(facts), encoding="utf-8")
    path = rng.choice([run, run, *sorted(folder.glob("*.csv"))])
    change = damage_facts if path == run else damage_cells
    rng.choice((change, change, damage_bytes))(path, rng)
    return path


def check(folder, page):
    """Read a folder and make its page; return what it ended in."""
    try:
        record = EvaluationRecord.load(folder)
    except (ResultsError, FileNotFoundError) as error:
        if str(folder) not in str(error):
            raise AssertionError(f"names no file: {error}") from error
        return type(error).__name__
    if page is None:
        return "read"
    write_report(record, page).read_text(encoding="utf-8")
    return "page"


def main(n, seed, *, pages=0.05):
    """Damage a folder n times; return how often each ending occurred, and unforeseen ones.

    Parameters
    ----------
    n, seed : int
        Number of changes, and what they depend on.
    pages : float
        Share of the records of which a page is made, which takes a second.
    """
    endings, failures = collections.Counter(), []
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole, damaged = Path(scratch, "whole"), Path(scratch, "damaged")
        make_folder(whole)
        for i in range(n):
            rng = random.Random(f"{seed} {i}")
            shutil.rmtree(damaged, ignore_errors=True)
            shutil.copytree(whole, damaged)
            path = damage(damaged, rng)
            try:
                page = Path(scratch, "page.html") if rng.random() < pages else None
                endings[check(damaged, page)] += 1
            except Exception:
                endings["unforeseen"] += 1
                failures.append(f"seed {seed}, change {i} of {path.name}: {traceback.format_exc()}")
    return endings, failures


if __name__ == "__main__":
    given = options_of(__doc__, 500).parse_args()
    counted, unforeseen = main(given.runs, given.seed)
    print(dict(counted))
    record_script(given, __file__, len(unforeseen))
    sys.exit("\n\n".join(unforeseen[:10]) if unforeseen else 0)
