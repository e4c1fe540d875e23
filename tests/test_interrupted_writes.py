"""Whoever writes a file may be killed, run out of disk, or not be allowed to: none costs a file."""

import errno
import itertools
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.svm import SVC

from sklearn_ser import load, save
from sklearn_ser.exceptions import ResultsError
from sklearn_ser.features import FunctionExtractor, write_features
from sklearn_ser.report import EvaluationRecord, _page, write_report

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))
from _children import load_script

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks, signals and limits of POSIX")

CALLS = ("open", "fsync", "replace")


def mean(y, sr):
    return [y.mean()]


NOISE = np.random.default_rng(0).normal(0, 0.1, (3, 2000))
EXTRACTOR = FunctionExtractor(mean, ["mean"])


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Two evaluations, of two methods and of one."""
    folder = tmp_path_factory.mktemp("records")
    load_script(Path(__file__).parent / "fuzz" / "results.py").make_folder(folder)
    first, second = EvaluationRecord.load(folder), EvaluationRecord.load(folder)
    second.run["command"] = "another"
    return first, second


@pytest.fixture
def place():
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(params=["model", "results", "report", "table"])
def kind(request, place, records, monkeypatch):
    """How one kind of file is written, in an earlier and a later version, and read."""
    path = place / {"model": "m.skops", "report": "r.html", "table": "t.csv"}.get(
        request.param, "r"
    )
    if request.param == "model":
        models = DummyClassifier().fit([[0]], ["a"]), SVC().fit([[0], [1]], ["a", "b"])
        return path, lambda i: save(models[i], path), lambda: type(load(path))
    if request.param == "results":
        read = lambda: EvaluationRecord.load(path).run["command"]  # noqa: E731
        return path, lambda i: records[i].save(path), read
    if request.param == "report":
        monkeypatch.setattr(_page, "render_report", lambda record, **_: record.run["command"] * 999)
        return path, lambda i: write_report(records[i], path), path.read_text
    rows = NOISE[:1], NOISE
    return path, lambda i: write_features(EXTRACTOR, [*rows[i]], path), path.read_text


def in_child(function):
    """Call a function in a process of its own; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    # A lock that a thread of the parent held is held for ever: end rather than wait for it.
    signal.alarm(120)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = function() or 0
    finally:
        os._exit(code)


def killed_at(number, write):
    """Return a function that is killed before so many calls of the system, or else writes."""

    def function():
        left = [number]
        for name in CALLS:
            call = getattr(os, name)

            def counted(*args, call=call, **options):
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return call(*args, **options)

            setattr(os, name, counted)
        write(1)

    return function


def test_killed_at_any_step_of_writing(kind, place):
    path, write, read = kind
    write(1)
    later = read()
    write(0)
    earlier, names = read(), sorted(os.listdir(place))
    assert earlier != later
    found = []
    for number in range(200):
        code = in_child(killed_at(number, write))
        try:
            found.append(read())
        except ResultsError as error:
            # Where files belong together, a folder between two evaluations says so.
            interrupted = "was interrupted, or the table was changed" in str(error)
            found.append("refused" if interrupted else error)
        write(0)
        left = [name for _, _, names in os.walk(place) for name in names if name.endswith(".tmp")]
        assert left == []
        assert sorted(os.listdir(place)) == names
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert number >= len(CALLS)
    assert found[0] == earlier
    assert found[-1] == later
    assert set(found) <= {earlier, later, "refused"}
    # At most one change, or one period between two evaluations.
    assert sum(one != two for one, two in itertools.pairwise(found)) <= 2
    assert ("refused" in found) <= (path.is_dir())


def refused(write, path, codes):
    """Return a function that writes, and ends with 3 if the error names the file and the cause."""

    def function():
        try:
            write(1)
        except OSError as error:
            return 3 if error.errno in codes and str(path) in str(error) else 4
        return 5

    return function


def test_a_full_disk_leaves_the_earlier_file(kind, place):
    import resource

    path, write, read = kind
    write(0)
    earlier, names = read(), sorted(os.listdir(place))

    def function():
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        # To Python a write that fails, as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
        return refused(write, path, (errno.EFBIG, errno.ENOSPC))()

    assert in_child(function) == 3
    assert read() == earlier
    assert sorted(os.listdir(place)) == names


def test_a_folder_that_may_not_be_written_to_stays_as_it_is(kind, place):
    path, write, read = kind
    write(0)
    earlier, names = read(), sorted(os.listdir(place))
    for folder in (path, place) if path.is_dir() else (place,):
        folder.chmod(0o555)

    def function():
        if os.geteuid() == 0:  # whom permissions do not hold back
            os.seteuid(65534)
        return refused(write, path, (errno.EACCES,))()

    assert in_child(function) == 3
    assert read() == earlier
    assert sorted(os.listdir(place)) == names
