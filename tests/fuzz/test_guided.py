"""The properties that the guided fuzzer checks: on a few inputs, and on those that broke one."""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from _children import load_script
from _counts import record, record_script
from _mutations import mutate
from _targets import Fault, check, examine, named, read_inputs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

guided = load_script(Path(__file__).with_name("guided.py"))
TARGETS = guided.load_targets()
EVERY_TARGET = pytest.mark.parametrize("name", TARGETS)
# Fewer than hypothesis has by default, for the time of the suite, but all that a profile asks for.
EXAMPLES = 25 if settings().max_examples == 100 else settings().max_examples
FILES = sorted(guided.REPLAY.glob("*.json"))


def inputs_of(target):
    """Return a strategy: bytes, texts, and seeds that are damaged."""
    damaged = st.builds(
        lambda seed, number: mutate(np.random.default_rng(number), seed or b"x"),
        st.sampled_from(target.seeds),
        st.integers(0, 2**32),
    )
    texts = st.text(max_size=80).map(lambda text: text.encode(errors="surrogatepass"))
    first = st.integers(0, 255).map(lambda number: bytes([number]))
    return st.one_of(damaged, damaged, texts, st.builds(bytes.__add__, first, texts), st.binary())


@EVERY_TARGET
def test_seeds_are_no_fault_and_not_all_refused(name):
    verdicts = [examine(name, seed) for seed in TARGETS[name].seeds]
    assert [fault for _, fault in verdicts if fault] == []
    assert {verdict for verdict, _ in verdicts} - {"refused", "no labels"}
    assert all(len(seed) <= TARGETS[name].longest for seed in TARGETS[name].seeds)


@EVERY_TARGET
def test_properties_hold(name):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES == 25,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs_of(TARGETS[name]))
    def hold(data):
        verdict, fault = examine(name, data)
        assert not fault, f"{verdict}: {fault}"

    hold()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_replay(path):
    name = {name.replace(" ", "-"): name for name in TARGETS}[path.stem]
    for about, (data, expected) in read_inputs(path).items():
        verdict, fault = examine(name, data)
        assert (about, fault) == (about, "")
        assert (about, verdict) == (about, expected or verdict)


def test_every_target_has_inputs_to_replay():
    assert [path.stem for path in FILES] == sorted(name.replace(" ", "-") for name in TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 200_000


def test_what_a_fault_is(monkeypatch):
    def judge(data):
        import warnings

        if data == b"warn":
            warnings.warn("of numpy", RuntimeWarning, stacklevel=2)
        check(data != b"fault", "a promise is broken")
        return f"read {int(data)}"

    monkeypatch.setitem(TARGETS, "own", TARGETS["segment"]._replace(judge=judge))
    assert examine("own", b"12") == ("read 12", "")
    assert examine("own", b"fault") == ("fault", "a promise is broken")
    verdict, detail = examine("own", b"x")
    assert (verdict, detail.splitlines()[-1][:11]) == ("foreign", "ValueError:")
    with pytest.raises(Fault, match="it names nothing of"):
        named(ValueError("bad"), "a.wav")
    with pytest.raises(Fault, match="9000 letters"):
        named(ValueError("x" * 9000), "x")


def test_replaying_an_input_that_was_kept(tmp_path, capsys):
    kept = tmp_path / "0123.model-headers"
    kept.write_bytes(b"[]")
    assert guided.replay([kept]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "1", "0", "0"]


def test_counts_are_recorded_and_those_of_other_targets_kept(tmp_path):
    path = tmp_path / "results.json"
    row = Counter({"runs": 10, "read": 7, "refused": 2, "crash": 1, "branches": 5})
    record(path, "targets", "facts", guided.counts_of(row), "one")
    record(path, "targets", "cells", guided.counts_of(Counter(runs=3, same=3)), "two")
    given = argparse.Namespace(record=path, runs=5, seed=1)
    record_script(given, "tests/fuzz/caches.py", 2)
    record_script(argparse.Namespace(record=None), "tests/fuzz/audio.py", 0)
    written = json.loads(path.read_text())
    assert written["total"] == {"executions": 13, "faults": 1}
    [(name, script)] = written["scripts"].items()
    assert (name, script["executions"], script["faults"]) == ("caches.py", 5, 2)
    assert script["command"] == "python tests/fuzz/caches.py --runs 5 --seed 1"
    assert list(written["targets"]) == ["cells", "facts"]
    assert written["targets"]["facts"]["verdicts"] == {"read": 7, "refused": 2}
    assert written["targets"]["cells"]["command"] == "two"


def test_a_run_counts_what_came_of_each_input(tmp_path):
    pytest.importorskip("atheris")
    out, path = tmp_path / "out", tmp_path / "results.json"
    script = [sys.executable, guided.__file__, "--target", "cells", "--runs", "200"]
    script += ["--out", out, "--record", path, "--corpus", tmp_path / "corpus"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = json.loads(path.read_text())["targets"]["cells"]
    assert counts["executions"] == sum(counts["verdicts"].values()) == 200
    assert counts["branches"] > 0
    assert counts["faults"] == 0


def test_a_run_that_ends_with_a_crash_is_not_continued_without_end():
    words = guided._arguments(TARGETS["cells"], -1, 0, 1, "scratch", None, "out")
    assert words[0] == "-runs=0"


def test_without_the_engine(monkeypatch):
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(SystemExit, match=r"needs atheris.*pip install 'sklearn-ser\[fuzz\]'"):
        guided.main(guided._parser().parse_args([]))
