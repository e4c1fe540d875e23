"""Results are the same in another locale, time zone, hash seed and start method of processes."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "_session.py"

# No locale but C is on all machines. It stands for others too: numbers are never written by the
# locale, and of the encodings, ASCII is the one that holds the fewest letters.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
ENVIRONMENTS = {
    "spawn": {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", **ASCII},
    "forkserver": {"PYTHONHASHSEED": "2", "TZ": "Pacific/Niue", "PYTHONUTF8": "1"},
    "fork": {"PYTHONHASHSEED": "3", "TZ": "UTC"},
}


def session(folder, start_method):
    """Return what a session finds in a folder whose name is not ASCII."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", SCRIPT, folder, start_method],
        env=os.environ | {"MPLBACKEND": "agg"} | ENVIRONMENTS[start_method],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return session(tmp_path_factory.mktemp("session") / "Stück ☃", "spawn")


def test_a_session_comes_to_its_end(expected):
    assert expected["failed"] == {}
    assert all(path.startswith("speech/") for path in expected["paths"])
    assert len(expected["predictions"]) == len(expected["paths"]) == 16
    assert min(expected["report"]) > 0
    assert expected["zone"] == "+00:00"


@pytest.mark.parametrize(
    "start_method", ["fork", pytest.param("forkserver", marks=pytest.mark.slow)]
)
def test_results_do_not_depend_on_the_environment(start_method, expected, tmp_path):
    if start_method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {start_method}")
    assert session(tmp_path / "Stück ☃", start_method) == expected
