"""A second of the fuzzer of caches."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from _children import Outcome, load_script

caches = load_script(Path(__file__).with_name("caches.py"))


def test_an_honest_cache_is_used():
    assert caches.judge(("honest", caches.forged(), {})) == ("used", [])


def test_damage_depends_on_seed_and_index_alone():
    inputs = [caches.damaged(5, index) for index in range(24)]
    assert [caches.damaged(5, index) for index in reversed(range(24))] == inputs[::-1]
    assert caches.damaged(6, 0) != inputs[0]


@pytest.mark.parametrize("statements", caches._STATEMENTS)
def test_forged_caches_are_used_or_refused(statements):
    verdict, faults = caches.judge(("forged", caches.forged(statements), {}))
    assert (verdict in ("used", "refused"), faults) == (True, [])


@pytest.mark.parametrize("part", range(4))
def test_damaged_caches_are_used_or_refused(part):
    found = {}
    for index in range(25 * part, 25 * part + 25):
        verdict, faults = caches.judge(caches.damaged(0, index))
        assert verdict in ("used", "refused", "warned")
        if faults:
            found[index] = faults
    assert found == {}


def test_the_numbers_of_outcomes_are_printed(tmp_path, monkeypatch, capsys):
    outcomes = [
        Outcome("done", ("refused", [])),
        Outcome("done", ("used", ["another row came"])),
        Outcome("hang", None, "more than 20 s"),
    ]
    tasks = [(i, ("changed", b"%d" % i, {}), outcome) for i, outcome in enumerate(outcomes)]
    monkeypatch.setattr(caches, "execute", lambda *args, **options: iter(tasks))
    assert caches.main(3, 0, out=tmp_path) == 2
    printed = capsys.readouterr().out
    assert "seed 0, input 1 (changed): used\nanother row came" in printed
    assert printed.splitlines()[-1].split() == ["all", "0", "1", "0", "1", "0", "0", "1", "0"]
