"""A replay of seconds of ``models.py``; run that file for more."""

from pathlib import Path

import pytest
from _children import load_script

pytest.importorskip("resource")


def test_changed_models_are_loaded_or_refused():
    counts = load_script(Path(__file__).with_name("models.py")).main(40, seed=0)
    assert counts["runs"] == 40
    assert counts["load refused"] > 12
    for bad in ("crashes", "hangs", "foreign", "unnamed", "large"):
        assert counts[bad] == 0, bad
