"""A replay of seconds of ``models.py``; run that file for more."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("resource")


def fuzzer():
    path = Path(__file__).with_name("models.py")
    spec = importlib.util.spec_from_file_location("fuzz_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_changed_models_are_loaded_or_refused():
    counts = fuzzer().main(60, seed=0)
    assert counts["runs"] == 60
    assert counts["load refused"] > 20
    for bad in ("crashes", "hangs", "foreign", "unnamed", "large"):
        assert counts[bad] == 0, bad
