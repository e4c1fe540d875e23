import os
import shutil
import subprocess
import sys
from pathlib import Path

import sklearn_ser
from sklearn_ser.features._compiled import compiled


@compiled
def add_one(x):
    return x + 1


def test_a_compiled_function_computes():
    assert add_one(1) == 2


def test_works_where_nothing_can_be_written(tmp_path):
    # A file where the cache folder should be stops every user, root included.
    package = tmp_path / "sklearn_ser"
    shutil.copytree(
        Path(sklearn_ser.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in (package, package / "features"):
        (folder / "__pycache__").touch()
    blocked = tmp_path / "blocked"
    blocked.touch()
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "HOME": str(blocked),
        "XDG_CACHE_HOME": str(blocked),
        "LOCALAPPDATA": str(blocked),
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    code = (
        "import numpy as np, sklearn_ser\n"
        "from sklearn_ser.features._functionals import smooth\n"
        "print(sklearn_ser.__file__, smooth(np.ones((1, 3), np.float32))[0, 0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(package / "__init__.py"), "1.0"]


def test_machine_code_is_kept_on_disk(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    code = (
        "import numpy as np\n"
        "from sklearn_ser.features._functionals import smooth\n"
        "smooth(np.ones((1, 3), np.float32))\n"
        "print(sum(smooth.stats.cache_hits.values()))"
    )
    hits = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert hits == ["0", "1"]
