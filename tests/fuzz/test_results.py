"""A few seconds of the changes to folders of results."""

from pathlib import Path

from _children import load_script

fuzz_results = load_script(Path(__file__).with_name("results.py"))


def test_damaged_results_are_read_or_refused():
    endings, unforeseen = fuzz_results.main(40, 0, pages=0)
    assert not unforeseen, unforeseen[0]
    assert endings["ResultsError"] > 12
    assert endings["read"] > 4
