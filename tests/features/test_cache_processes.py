"""One cache, used by several processes, some of which are killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The traceback of each scenario by its name, empty where it went well."""
    script = Path(__file__).with_name("_cache_scenarios.py")
    command = [sys.executable, script, tmp_path_factory.mktemp("scenarios")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["killed_while_storing", "killed_while_making", "together"])
def test_several_processes_and_killed_ones(name, outcomes):
    assert outcomes[name] == ""
