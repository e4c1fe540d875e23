"""Look rows up in damaged and forged caches, and store more; count what comes of it.

    python tests/fuzz/caches.py [--runs N] [--seed N] [--jobs N] [--out DIR]

A cache gives the rows that were stored or none, or is refused by a CacheError. Anything else
is a fault: other rows, another exception, much memory or time.
"""

import contextlib
import functools
import sqlite3
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from _children import execute, keep, options_of, table
from _counts import record_script
from _mutations import ANYWHERE, INTEGERS, mutate

from sklearn_ser.exceptions import CacheError, CacheWarning
from sklearn_ser.features._cache import FeatureCache

MEMORY, SECONDS = 1 << 29, 20.0

_PAGE = 4096
_ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
_VALUES = (
    *("NULL", "1.5", "-1", "9223372036854775807", "'text'", "x''", "x'00ff'", "zeroblob(3000000)"),
    *("CAST(x'ff80' AS TEXT)", "digest", "features", "checksum", "recipe", "9e999"),
)
_STATEMENTS = (
    f"DROP TABLE rows; CREATE VIEW rows AS {_ENDLESS} SELECT 1 AS recipe, x'00' AS digest, x'00' "
    "AS features, n AS checksum FROM r",
    f"DROP TABLE recipes; CREATE VIEW recipes AS {_ENDLESS} SELECT n AS id, 'b' AS recipe FROM r",
    "CREATE TRIGGER t AFTER INSERT ON rows BEGIN INSERT INTO recipes SELECT NULL, 'x'; END",
    "CREATE INDEX i ON rows (hex(features))",
    "CREATE VIEW v AS SELECT * FROM v",
    "CREATE VIRTUAL TABLE v USING fts4(a)",
    "DROP TABLE rows; CREATE TABLE rows (recipe, digest, features AS (zeroblob(900000000)), "
    "checksum)",
    "DROP TABLE recipes",
    "DELETE FROM recipes",
    "UPDATE recipes SET recipe = CAST(x'ff' AS TEXT)",
    "PRAGMA auto_vacuum = FULL; VACUUM",
    "PRAGMA page_size = 512; VACUUM",
    "PRAGMA encoding = 'UTF-16'; VACUUM",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = length(name) % 9",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = CAST(x'ff' AS TEXT)",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET name = 'rows'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE TABLE rows (a, b, c)'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET type = x'00'",
    *(f"PRAGMA user_version = {n}" for n in (-1, 0, 2)),
    *(
        f"UPDATE OR IGNORE rows SET {column} = {value} WHERE rowid < 3"
        for column in ("digest", "features", "checksum")
        for value in _VALUES
    ),
)


@functools.cache
def stored():
    """Return the rows of an honest cache by digest."""
    rng = np.random.default_rng(0)
    return {rng.bytes(32): rng.normal(size=4).astype(np.float32) for _ in range(40)}


@functools.cache
def forged(statements=""):
    """Return the bytes of a cache after some statements of SQL, as far as they can be run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cache")
        for recipe in ("a", "b"):
            with FeatureCache(path, recipe, 4) as cache:
                for digest, row in stored().items():
                    cache.put(digest, row)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            with contextlib.suppress(sqlite3.Error):
                connection.executescript(statements)
        return path.read_bytes()


def _change_page(rng, content):
    """Put a page in the place of another, or a number where a page has its pointers."""
    n = max(1, len(content) // _PAGE)
    start = int(rng.integers(n)) * _PAGE
    if rng.random() < 0.3:
        other = int(rng.integers(n)) * _PAGE
        content[start : start + _PAGE] = content[other : other + _PAGE]
        return content
    start += 100 * (start == 0)
    where = start + int(rng.choice([0, 1, 3, 5, 7, 8, 9, 10, 12, 14]))
    size = int(rng.choice([1, 2, 4]))
    value = (
        INTEGERS[int(rng.integers(len(INTEGERS)))] if rng.random() < 0.5 else rng.integers(n + 1)
    )
    content[where : where + size] = (int(value) % (1 << 8 * size)).to_bytes(size, "big")
    return content


def damaged(seed, index):
    """Return kind, content and companions of a cache, from seed and index alone."""
    rng = np.random.default_rng([seed, index])
    companions = {}
    if rng.random() < 0.1:
        start = b"\x37\x7f\x06\x82" if rng.random() < 0.5 else b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
        name = "-wal" if start[0] == 0x37 else "-journal"
        companions[name] = start + rng.bytes(int(rng.integers(3000)))
    if index % 3 == 0:
        statements = _STATEMENTS[int(rng.integers(len(_STATEMENTS)))]
        content = forged(statements)
        if rng.random() < 0.5:
            return "forged", content, companions
        return "forged, changed", mutate(rng, content, (*ANYWHERE, _change_page)), companions
    if index % 3 == 1:
        return "pages changed", mutate(rng, forged(), (_change_page,)), companions
    return "changed", mutate(rng, forged()), companions


def prepare():
    judge(("honest", forged(), {}))


def judge(task):
    """Use a cache; return what came of it and what is wrong with that."""
    _, content, companions = task
    rng = np.random.default_rng(1)
    digests, faults, verdict = list(stored()), [], "used"
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = Path(folder, "cache")
        path.write_bytes(content)
        for name, companion in companions.items():
            Path(f"{path}{name}").write_bytes(companion)
        try:
            for _ in range(2):
                with FeatureCache(path, "a", 4) as cache:
                    found = cache.get(digests) | cache.get([rng.bytes(32)])
                    for digest in found.keys() & stored().keys():
                        if not np.array_equal(found[digest][0], stored()[digest]):
                            faults.append(f"another row came for {digest.hex()}")
                    for _ in range(20):
                        cache.put(rng.bytes(32), np.arange(4))
        except CacheError:
            verdict = "refused"
        for warning in caught:
            if not issubclass(warning.category, CacheWarning):
                faults.append(str(warning.message))
            verdict = "warned"
    return verdict, faults


def main(n=500, seed=0, *, jobs=1, out="fuzz-caches"):
    """Use `n` damaged caches; print the numbers of outcomes, return that of faults."""
    counts, n_faults = defaultdict(Counter), 0
    options = {"script": __file__, "function": "judge", "memory": MEMORY, "seconds": SECONDS}
    for index, task, outcome in execute(functools.partial(damaged, seed), n, jobs=jobs, **options):
        kind, content, _ = task
        verdict, faults = outcome.value or (outcome.kind, [outcome.detail])
        row = counts[kind]
        row["fault" if faults and outcome.value else verdict] += 1
        row["MB of memory"] = max(row["MB of memory"], outcome.grown >> 20)
        if faults:
            n_faults += 1
            note = f"seed {seed}, input {index} ({kind}): {verdict}\n" + "\n".join(faults)
            print(keep(out, ".sqlite", content, note), note, sep="\n")
    columns = ("used", "refused", "warned", "fault", "foreign", "crash", "hang", "MB of memory")
    print(table(counts, columns, f"{n} caches"))
    return n_faults


if __name__ == "__main__":
    given = options_of(__doc__, 500, out="fuzz-caches").parse_args()
    n_faults = main(given.runs, given.seed, jobs=given.jobs, out=given.out)
    record_script(given, __file__, n_faults)
    sys.exit(n_faults > 0)
