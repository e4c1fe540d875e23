"""A second of the fuzzer of archives."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from _children import Outcome, load_script

archives = load_script(Path(__file__).with_name("archives.py"))


def test_archives_are_honest_before_they_are_damaged():
    for kind, content in archives.seeds().items():
        expected = "refused" if kind == "zip bzip2" else "unpacked"
        assert archives.judge((kind, content)) == (expected, [])


def test_damage_depends_on_seed_and_index_alone():
    inputs = [archives.damaged(5, index) for index in range(40)]
    assert [archives.damaged(5, index) for index in reversed(range(40))] == inputs[::-1]
    assert archives.damaged(6, 0) != inputs[0]


@pytest.mark.parametrize("part", range(4))
def test_damaged_archives_are_unpacked_or_refused(part):
    found = {}
    for index in range(50 * part, 50 * part + 50):
        verdict, faults = archives.judge(archives.damaged(0, index))
        assert verdict in ("unpacked", "refused")
        if faults:
            found[index] = faults
    assert found == {}


def test_the_numbers_of_outcomes_are_printed(tmp_path, monkeypatch, capsys):
    outcomes = [
        Outcome("done", ("refused", [])),
        Outcome("done", ("unpacked", ["../x is outside"])),
        Outcome("crash", None, "ended with -11"),
    ]
    tasks = [(index, ("tar", b"%d" % index), outcome) for index, outcome in enumerate(outcomes)]
    monkeypatch.setattr(archives, "execute", lambda *args, **options: iter(tasks))
    assert archives.main(3, 0, out=tmp_path) == 2
    printed = capsys.readouterr().out
    assert "seed 0, input 1 (tar): unpacked\n../x is outside" in printed
    assert printed.splitlines()[-1].split() == ["all", "0", "1", "1", "0", "1", "0", "0"]
    assert len(list(tmp_path.glob("*.archive"))) == 2
