"""A few seconds of the changes to folders of results."""

import importlib.util
from pathlib import Path

# By its path: "results" alone could be another module.
_PATH = Path(__file__).with_name("results.py")
_SPEC = importlib.util.spec_from_file_location("fuzz_results", _PATH)
fuzz_results = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz_results)


def test_damaged_results_are_read_or_refused():
    endings, unforeseen = fuzz_results.main(80, 0, pages=0)
    assert not unforeseen, unforeseen[0]
    assert endings["ResultsError"] > 30
    assert endings["read"] > 10
