"""Change files with models at random; every one must be loaded or refused, nothing else.

Run as ``python tests/fuzz/models.py --runs 2000``. The executions are in processes of their
own with bounded memory, so that a crash, a hang or a bomb is counted and not suffered. An
execution is a `load`, a `model_card`, and the methods of what was loaded.
"""

import collections
import contextlib
import faulthandler
import io
import json
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))
from _children import options_of
from _counts import record_script

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    LeaveOneCorpusOut,
    MetricDAE,
    NNPMClassifier,
    load,
    save,
)
from sklearn_ser.estimators import SemiSupervisedVAE
from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.features import FunctionExtractor, LibrosaExtractor, egemaps
from sklearn_ser.persistence import model_card

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = np.where(X[:, 0] > 0, "anger", "sadness")
CORPUS = np.repeat(["emodb", "urdu"], 20)
METHODS = ("predict", "predict_proba", "decision_function", "transform")
# Of one execution, in seconds and bytes.
SECONDS = 30
MEMORY = 3 << 30
# What a run of the suite may take: as large as the models themselves need, and some more.
GROWTH = 400 << 20


def make_models():
    """Return small models of many kinds, by name."""
    rated = {"activation": 3 + X[:, 0], "valence": 3 + X[:, 1]}
    search = GridSearchCV(make_pipeline(CorpusScaler(), SVC()), {"svc__C": [0.1, 1]}, cv=2)
    corpora = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=LeaveOneCorpusOut())
    columns = ColumnTransformer([("first", StandardScaler(), [0, 1]), ("rest", "drop", [2])])
    calibrated = CalibratedClassifierCV(SVC(), cv=2)
    return {
        "recordings": make_pipeline(
            EGeMAPSExtractor(n_jobs=2, cache="rows.sqlite"), CorpusScaler(), SVC()
        ),
        "functions": make_union(FunctionExtractor(egemaps, names=["a"]), LibrosaExtractor()),
        "svc": make_pipeline(CorpusScaler(), SVC()).fit(X, Y),
        "nnpm": NNPMClassifier(max_epochs=1, random_state=0).fit(X, Y).adapt(X + 1),
        "dae": make_pipeline(
            DAETransformer(2, max_epochs=1, random_state=0, warm_start=True), LogisticRegression()
        ).fit(X, Y),
        "metric": MetricDAE(max_epochs=1, random_state=0).fit(X, Y, **rated),
        "ssvae": SemiSupervisedVAE(max_epochs=1, random_state=np.random.RandomState(0)).fit(X, Y),
        "search": search.fit(X, Y),
        "corpora": corpora.fit(X, Y, groups=CORPUS),
        "vote": VotingClassifier(
            [("svc", SVC()), ("knn", KNeighborsClassifier(algorithm="brute"))]
        ).fit(X, Y),
        "rest": make_pipeline(columns, OneVsRestClassifier(LogisticRegression())).fit(X, Y),
        "calibrated": make_pipeline(SelectKBest(k=3), calibrated).fit(X, Y),
        "mlp": MLPClassifier(4, max_iter=2, random_state=0).fit(X, Y),
    }


def make_files(folder):
    """Save the models; return the content of their files by name."""
    files = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model in make_models().items():
            save(model, folder / f"{name}.skops", card={"trained on": "noise", "scores": [1, 2.5]})
            files[name] = (folder / f"{name}.skops").read_bytes()
    return files


def entries_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def change_bytes(data, choose):
    """Return data with some bytes changed, repeated, cut out or put in."""
    data = bytearray(data)
    for _ in range(choose.choice([1, 1, 2, 5, 20])):
        place = choose.randrange(len(data) + 1)
        length = choose.choice([1, 1, 2, 4, 8, 64])
        match choose.randrange(6):
            case 0:
                data[place : place + length] = choose.randbytes(length)
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length]
            case 3:
                data[place : place + length] = b"\xff" * length
            case 4:
                data[place : place + length] = b"\0" * length
            case 5 if data:
                data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
    return bytes(data)


def change_directory(data, choose):
    """Change what the records of a zip archive say: flags, methods, sizes, offsets, names."""
    data = bytearray(data)
    signature = choose.choice([b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"])
    places = [i for i in range(len(data)) if data[i : i + 4] == signature]
    start = choose.choice(places) + choose.randrange(4, 46)
    length = choose.choice([1, 2, 4])
    number = choose.choice([0, 1, 7, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, choose.getrandbits(32)])
    data[start : start + length] = number.to_bytes(4, "little")[:length]
    return bytes(data)


def cut_file(data, choose):
    return data[: choose.randrange(len(data))]


def change_entry(data, choose):
    """Change bytes of an entry and pack it again, so that its checksum is right."""
    entries = entries_of(data)
    name = choose.choice(list(entries))
    head = entries[name][:128] if choose.random() < 0.5 else entries[name]
    entries[name] = change_bytes(head, choose) + entries[name][len(head) :]
    return archive_of(entries)


def change_entries(data, choose):
    """Drop an entry, swap two, or give one the content of something else."""
    entries = entries_of(data)
    first, second = choose.choice(list(entries)), choose.choice(list(entries))
    match choose.randrange(5):
        case 0:
            del entries[first]
        case 1:
            entries[first], entries[second] = entries[second], entries[first]
        case 2:
            entries[first] = data
        case 3:
            entries[f"{choose.choice(['../', '/', 'a/'])}{first}"] = entries.pop(first)
        case 4:
            array = io.BytesIO()
            shape = choose.choice([(), (0,), (1, 1), (3, 0), (1000,)])
            np.save(array, np.full(shape, choose.choice([0, -1, 10**9, np.nan, "x", 1 + 1j])))
            entries[first] = array.getvalue()
    return archive_of(entries)


def places_in(value, found):
    """Collect the dictionaries and lists in a value of JSON."""
    if isinstance(value, dict | list):
        found.append(value)
        for one in value.values() if isinstance(value, dict) else value:
            places_in(one, found)
    return found


def odd_value(old, donors, choose):
    numbers = [0, 1, -1, 10**9, 10**30, 1.5, float("nan"), float("inf"), True, None]
    texts = ["", "x", "NaN", "1e999", "[" * 2000, "null", "-1", "1000000000", "../x", "\ud800"]
    kinds = [
        "ListNode",
        "DictNode",
        "NdArrayNode",
        "ObjectNode",
        "TreeNode",
        "JsonNode",
        "TypeNode",
    ]
    return choose.choice(
        [
            choose.choice(numbers),
            choose.choice(texts),
            choose.choice(kinds),
            json.loads(json.dumps(choose.choice(donors))),
            [old] * choose.choice([0, 1, 2, 50]),
            {"content": old},
        ]
    )


def change_json(data, choose):
    """Change values, keys and parts of the description or of the header."""
    entries = entries_of(data)
    name = choose.choice(["schema.json", "schema.json", "schema.json", "sklearn_ser.json"])
    tree = json.loads(entries[name])
    for _ in range(choose.choice([1, 1, 2, 4])):
        places = [place for place in places_in(tree, []) if place]
        place = choose.choice(places)
        key = choose.choice(list(place) if isinstance(place, dict) else range(len(place)))
        match choose.randrange(4):
            case 0:
                del place[key]
            case 1 if isinstance(place, dict):
                place[choose.choice(["content", "__id__", "file", "n_jobs"])] = place.pop(key)
            case _:
                place[key] = odd_value(place[key], places, choose)
        if not isinstance(tree, dict) or not tree:
            break
    entries[name] = json.dumps(tree).encode()
    return archive_of(entries)


def change_values(data, choose):
    """Forge numbers and texts of the model: values of JSON in parts of the description."""
    entries = entries_of(data)
    tree = json.loads(entries["schema.json"])
    values = [
        place
        for place in places_in(tree, [])
        if isinstance(place, dict) and place.get("__loader__") == "JsonNode"
    ]
    for _ in range(choose.choice([1, 2, 4])):
        choose.choice(values)["content"] = choose.choice(
            ["0", "-1", "1000000000", "1e308", "null", "true", '"rbf"', '"x"', "[]", "[[1]]", "{}"]
        )
    entries["schema.json"] = json.dumps(tree).encode()
    return archive_of(entries)


def change_arrays(data, choose):
    """Forge arrays of the model: their values, their number, their shape."""
    entries = entries_of(data)
    arrays = [name for name in entries if name.endswith(".npy")]
    for name in choose.sample(arrays, min(len(arrays), choose.choice([1, 2]))):
        array = np.load(io.BytesIO(entries[name]))
        match choose.randrange(5):
            case 0:
                array = array[: len(array) // 2] if array.ndim else array
            case 1:
                array = np.concatenate([array] * 50) if array.ndim else array[None]
            case 2:
                array = array.T.copy()
            case 3:
                array = array[..., :1] if array.ndim else array
            case 4 if array.dtype.kind in "iuf" and array.size:
                array = array.copy()
                limits = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
                wild = [0, 1, limits.max, limits.min] if limits else [0, np.nan, -1, 1e30]
                array.flat[choose.randrange(array.size)] = choose.choice(wild)
        buffer = io.BytesIO()
        np.save(buffer, array)
        entries[name] = buffer.getvalue()
    return archive_of(entries)


CHANGES = (
    change_bytes,
    change_directory,
    cut_file,
    change_entry,
    change_entries,
    change_json,
    change_json,
    change_values,
    change_arrays,
)


def use(model):
    """Call what a model can do. It may be nonsense and say so, but must not crash."""
    for name in METHODS:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = X if hasattr(model, "n_features_in_") else [np.zeros(8000, np.float32)]
            getattr(model, name)(rows)


def execute(path, count):
    """Load a file, look at its card, use the model; count how it went."""
    for function in (model_card, load):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = function(path)
            except PersistenceError as error:
                count[f"{function.__name__} refused"] += 1
                if str(path) not in str(error):
                    count["unnamed"] += 1
                continue
            except Exception as error:
                count["foreign"] += 1
                origin = traceback.extract_tb(error.__traceback__)[-1]
                count[f"{type(error).__name__} at {origin.filename}:{origin.lineno}"] += 1
                continue
        count[f"{function.__name__} done"] += 1
        if function is load:
            use(model)


def work(files, seeds, folder, report):
    """Execute seeds in this process, which may not outlive it."""
    faulthandler.enable()
    # OpenMP waits for ever on threads that the process had before it was forked.
    threadpool_limits(1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    path = folder / f"{os.getpid()}.skops"
    for seed in seeds:
        choose = random.Random(seed)
        name = choose.choice(sorted(files))
        change = choose.choice(CHANGES)
        data = change(files[name], choose)
        path.write_bytes(data)
        report.write(json.dumps({"seed": seed, "name": name, "change": change.__name__}) + "\n")
        report.flush()
        signal.alarm(SECONDS)
        count = collections.Counter()
        execute(path, count)
        signal.alarm(0)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) << 10
        count["large"] = int(grown > GROWTH)
        peak = max(peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        report.write(json.dumps({"count": count}) + "\n")
        report.flush()
    path.unlink(missing_ok=True)


def run_apart(files, seeds, folder):
    """Execute seeds in a process of its own; return the counts, and the seed that ended it."""
    report = folder / "report.jsonl"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with report.open("w") as file:
                work(files, seeds, folder, file)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    total, last = collections.Counter(), None
    for line in report.read_text().splitlines():
        entry = json.loads(line)
        if "count" in entry:
            total += collections.Counter(entry["count"])
            total["runs"] += 1
            if entry["count"].get("foreign") or entry["count"].get("large"):
                print(last, entry["count"])
        else:
            last = entry
    if status == 0:
        return total, None
    ended = os.waitstatus_to_exitcode(status)
    total["hangs" if ended == -signal.SIGALRM else "crashes"] += 1
    total["runs"] += 1
    print(f"{last} ended the process: {ended}")
    return total, last["seed"]


def main(n=2000, seed=0):
    """Execute n changed files; print and return the counts.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of the first; the others follow.

    Returns
    -------
    counts : collections.Counter
        ``"crashes"``, ``"hangs"``, ``"foreign"`` (exceptions), ``"unnamed"`` (errors that do not
        name the file) and ``"large"`` (peaks of memory) are to be 0.
    """
    total = collections.Counter(crashes=0, hangs=0, foreign=0, unnamed=0, large=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_files(folder)
        seeds = list(range(seed, seed + n))
        while seeds:
            counts, ended_by = run_apart(files, seeds[:500], folder)
            total.update(counts)
            seeds = seeds[500:] if ended_by is None else seeds[seeds.index(ended_by) + 1 :]
    for key, count in sorted(total.items()):
        print(f"{count:6d}  {key}")
    return total


if __name__ == "__main__":
    given = options_of(__doc__, 2000).parse_args()
    found = main(given.runs, given.seed)
    bad = ("crashes", "hangs", "foreign", "unnamed", "large")
    record_script(given, __file__, sum(found[key] for key in bad))
    sys.exit(any(found[key] for key in bad))
