import errno
import importlib.util
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest

import sklearn_ser
from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.exceptions import CacheWarning
from sklearn_ser.features._egemaps import _compiled, _functionals, _machine_code
from sklearn_ser.features._egemaps._compiled import compiled

SOURCE = """\
from sklearn_ser.features._egemaps._compiled import compiled


@compiled
def times_seven(x):
    return 7 * x
"""


@compiled
def add_one(x):
    return x + 1


def test_a_compiled_function_runs_as_machine_code():
    assert add_one(1) == add_one.py_func(1) == 2
    assert [add_one(0.5), add_one.py_func(0.5)] == [1.5, 1.5]
    assert add_one.nopython_signatures == [
        numba.int64(numba.int64),
        numba.float64(numba.float64),
    ]
    # Threads extract at the same time only while no interpreter lock is held.
    assert add_one.targetoptions["nogil"]


@pytest.mark.parametrize("store_of", [_compiled.store_of, None], ids=["checked", "numba alone"])
def test_options_reach_numba(store_of, store, monkeypatch):
    monkeypatch.setattr(_compiled, "store_of", store_of)

    @compiled(error_model="numpy")
    def inverse(x):
        return 1.0 / x

    assert inverse(0.0) == float("inf")
    assert inverse.targetoptions["nogil"]


SMOOTH = """
import numpy as np, sklearn_ser, sys
from sklearn_ser.features._egemaps._functionals import _smooth_kernel, smooth
if "terminal" in sys.argv:
    sys.stderr.isatty = lambda: True
value = smooth(np.ones((1, 3), np.float32))[0, 0]
print(sklearn_ser.__file__, value, sum(_smooth_kernel.stats.cache_hits.values()), sep="|")
"""


@pytest.fixture
def read_only(tmp_path):
    """A copy of the package whose folders no user can write to, and a call of it."""
    # A file where the cache folder should be stops every user, root included.
    package = tmp_path / "sklearn_ser"
    shutil.copytree(Path(sklearn_ser.__file__).parent, package)
    for folder in (package, package / "features", package / "features" / "_egemaps"):
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        (folder / "__pycache__").touch()

    def call(home, *arguments):
        homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"), str(home))
        environment = os.environ | {"PYTHONPATH": str(tmp_path)} | homes
        environment.pop("NUMBA_CACHE_DIR", None)
        done = subprocess.run(
            [sys.executable, "-c", SMOOTH, *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        file, value, n_hits = done.stdout.strip().split("|")
        assert (file, value) == (str(package / "__init__.py"), "1.0")
        return done.stderr, int(n_hits)

    return package, call


def test_a_read_only_installation_finds_another_folder_and_says_so(tmp_path, read_only):
    _, call = read_only
    home = tmp_path / "home"
    home.mkdir()
    said, n_hits = call(home, "terminal")
    assert said.count("Compiling the features, once on this machine") == 1
    assert f"kept in {home}" in said
    assert "CacheWarning" not in said
    assert n_hits == 0
    # The next process finds the machine code and has nothing to say.
    said, n_hits = call(home, "terminal")
    assert ("Compiling" in said, n_hits) == (False, 1)
    # No terminal, no message.
    shutil.rmtree(home)
    home.mkdir()
    assert "Compiling" not in call(home)[0]


def test_works_where_nothing_can_be_written(tmp_path, read_only):
    package, call = read_only
    blocked = tmp_path / "blocked"
    blocked.touch()
    said, n_hits = call(blocked)
    assert n_hits == 0
    assert said.count("CacheWarning: The machine code of the features cannot be kept") == 1
    assert f"neither {package / 'features' / '_egemaps' / '__pycache__'} nor" in said


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A folder that numba writes to, and a reminder that was not given yet."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "store"))
    monkeypatch.setattr(_machine_code, "_reminder", _machine_code._Reminder())
    (tmp_path / "source.py").write_text(SOURCE)
    return tmp_path / "store"


def executed_anew(name, path):
    """Execute a module again, as another process would."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def decorated_anew(store):
    return executed_anew("source", store.parent / "source.py").times_seven


def hits(store):
    function = decorated_anew(store)
    assert function(6) == 42
    return sum(function.stats.cache_hits.values())


def test_another_process_finds_the_machine_code(store):
    functionals = executed_anew(_functionals.__name__, _functionals.__file__)
    functionals.smooth(np.ones((1, 3), np.float32))
    assert sum(functionals._smooth_kernel.stats.cache_misses.values()) == 1
    code = (
        "import numpy as np\n"
        "from sklearn_ser.features._egemaps._functionals import _smooth_kernel, smooth\n"
        "smooth(np.ones((1, 3), np.float32))\n"
        "print(sum(_smooth_kernel.stats.cache_hits.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_CACHE_DIR": str(store)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"


NUMBER_OF_COMPILATIONS = """
import numpy as np
from numba.core import event
from sklearn_ser.features import egemaps

compilations = event.RecordingListener()
time = np.arange(16000) / 16000
y = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20)) / 4
with event.install_listener("numba:compile", compilations):
    for variant in ("opensmile", "corrected"):
        egemaps(y, 16000, variant=variant)
        egemaps(y, 22050.5, variant=variant)
print(len(compilations.buffer))
"""


def test_a_second_process_compiles_nothing():
    numbers = (
        int(subprocess.check_output([sys.executable, "-c", NUMBER_OF_COMPILATIONS], text=True))
        for _ in range(3)
    )
    # The third is for a machine where tests beside this one keep their code at the same time: of
    # two processes that change an index of numba at once, one is lost.
    assert 0 in numbers


def cut(size):
    return lambda content: content[:size]


def change(position):
    return lambda content: (
        content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
    )


@pytest.mark.parametrize(
    "damage",
    [
        cut(0), cut(1), cut(40), cut(-1), cut(-16), cut(-600), change(0), change(700), change(-1),
        lambda content: bytes(len(content)),
        lambda content: random.Random(0).randbytes(len(content)),
        lambda content: b"garbage",
        lambda content: content + b"\0",
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_machine_code_is_replaced(suffix, damage, store):
    assert hits(store) == 0
    [file] = store.rglob(f"*{suffix}")
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    assert hits(store) == 0
    # Two compilations may differ by a few bytes, in how names are shared while they are pickled.
    assert file.read_bytes() != damaged
    assert hits(store) == 1


def test_machine_code_that_cannot_be_loaded_is_replaced(store, monkeypatch):
    assert hits(store) == 0
    with monkeypatch.context() as patch:
        patch.setattr(_machine_code._Store, "_load_overload", lambda *args: 1 / 0)
        assert hits(store) == 0
    assert hits(store) == 1


def test_numba_reads_what_was_kept(store, monkeypatch):
    assert hits(store) == 0
    monkeypatch.setattr(_compiled, "store_of", None)
    assert hits(store) == 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_code_that_cannot_be_written_is_one_warning(error, store, monkeypatch):
    def fail(*args):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(_machine_code._CheckedFiles, "_open_for_write", fail)
    with pytest.warns(
        CacheWarning, match=rf"{os.strerror(error)} in {store}.*NUMBA_CACHE_DIR"
    ) as w:
        assert hits(store) == hits(store) == 0
    assert len(w) == 1
    assert w[0].filename == __file__


@pytest.fixture
def nowhere(store, monkeypatch):
    def no_place(function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(_machine_code, "_Store", no_place)
    return store


def test_a_function_that_finds_no_place_is_one_warning(nowhere):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function = decorated_anew(nowhere)
    with pytest.warns(CacheWarning, match=rf"neither {nowhere} nor .*__pycache__ nor") as caught:
        assert [function(6), hits(nowhere)] == [42, 0]
    assert len(caught) == 1


def test_workers_do_not_warn_but_who_starts_them(nowhere, monkeypatch):
    decorated_anew(nowhere)
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setattr(multiprocessing, "parent_process", lambda: "somebody")
        assert hits(nowhere) == 0
    with pytest.warns(CacheWarning, match="cannot be kept"):
        EGeMAPSExtractor(n_jobs=2)._function()


@pytest.mark.parametrize("error", [AttributeError, TypeError])
def test_a_numba_that_is_arranged_differently(error, store, monkeypatch):
    def fail(function):
        raise error("no such thing inside of numba")

    monkeypatch.setattr(_compiled, "store_of", fail)
    assert (hits(store), hits(store)) == (0, 1)
