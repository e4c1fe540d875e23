"""Every benchmark can be tried in seconds, and its figures are written and read back."""

import importlib
import json
import re
import shlex
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest

from sklearn_ser.datasets import load_annotations, load_corpora

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("[!_]*.py") if path.stem != "run")


@pytest.fixture(scope="module")
def modules():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        names = ("_record", "_stand_in", "run")
        yield Namespace(**{name: importlib.import_module(name) for name in names})


@pytest.fixture
def record(modules, monkeypatch):
    """A record of one comparison and one figure by itself."""
    monkeypatch.setattr("sys.argv", ["/somewhere/benchmarks/peers.py", "--files", "2"])
    one = modules._record.Record()
    one.compare("fitting", "ms", ("ours", [1, 2, 4]), ("theirs", [3, 4, 16]), package="numpy")
    one.measure("loading", "s", [0.5])
    return one.as_dict()


# The list of benchmarks


def test_every_script_has_a_smoke_form(modules):
    assert sorted(modules.run.BENCHMARKS) == SCRIPTS
    assert all(one.smoke for one in modules.run.BENCHMARKS.values())


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_list_agrees_with_the_script(modules, name):
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    benchmark = modules.run.BENCHMARKS[name]
    assert ("add_json(parser)" in source) == (benchmark.speed is not None)
    assert f"python benchmarks/{name}.py" in source
    options = re.findall(r"--[a-z-]+", f"{benchmark.smoke} {benchmark.speed}")
    options += [f"--{place}" for place in benchmark.places]
    helpers = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("_*.py"))
    assert [one for one in options if f'"{one}"' not in source + helpers] == []


def test_make_and_the_continuous_integration_run_them():
    assert re.search(r"^bench-smoke:.*\n.*\n.*run.py --smoke$", read("Makefile"), re.MULTILINE)
    assert "make bench-smoke" in read(".ci/run")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


# The runner


WRITES = """
import json, sys
name = [word.partition("=")[2] for word in sys.argv if word.startswith("--json=")]
if name:
    open(name[0], "w").write({text!r})
print("arguments", *sys.argv[1:3])
"""


@pytest.fixture
def runner(modules, tmp_path):
    """Return a function that runs scripts, given by name, in smoke form."""

    def run(**scripts):
        benchmarks = {}
        for name, (source, speed) in scripts.items():
            (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
            benchmarks[name] = modules.run.Benchmark("--rows 3", speed=speed)
        run = modules.run.Run(tmp_path, tmp_path, tmp_path, smoke=True)
        return run.all(benchmarks, jobs=2)

    return run


def test_a_failing_benchmark_is_named_with_its_output(runner, record, capsys):
    done, failed = runner(
        good=(WRITES.format(text=json.dumps(record)), ""),
        bad=("print('began'); raise SystemExit('no such thing')", None),
        silent=("", None),
        wordy=("print('nothing is wrong')", None),
        malformed=(WRITES.format(text="{}"), ""),
        forgetful=("print('figures')", ""),
    )
    assert (done, failed) == (["good", "wordy"], ["bad", "forgetful", "malformed", "silent"])
    printed = capsys.readouterr().out
    for text in ("began", "no such thing", "nothing was printed", "expected schema 1"):
        assert text in printed
    assert re.search(r"^bad +FAILED", printed, re.MULTILINE)
    assert re.search(r"^good +ok", printed, re.MULTILINE)
    assert "nothing is wrong" not in printed


def test_a_benchmark_that_hangs_is_stopped(modules, runner, monkeypatch, capsys):
    monkeypatch.setattr(modules.run, "SMOKE_LIMIT", 1)
    assert runner(slow=("import time; time.sleep(60)", None)) == ([], ["slow"])
    assert "not done after 1 s" in capsys.readouterr().out


def test_what_is_missing_is_named(modules, tmp_path, capsys):
    benchmarks = {
        "needy": modules.run.Benchmark("--rows 3", needs=("no_such_package",)),
        "deaf": modules.run.Benchmark("--rows 3", ("shared",)),
    }
    run = modules.run.Run(tmp_path, tmp_path / "nowhere", tmp_path)
    assert run.all(benchmarks, jobs=1) == ([], [])
    printed = capsys.readouterr().out
    assert "needy" in printed
    assert "not installed: no_such_package" in printed
    assert re.search(r"deaf +left out, no recordings in .*nowhere; SKLEARN_SER_SHARED", printed)


def test_arguments_of_each_form(modules, tmp_path):
    benchmark = modules.run.Benchmark("--rows 3", ("shared", "cache"), speed="--rows 99")
    made = {
        form: modules.run.Run(tmp_path, Path("given"), tmp_path, **{form: True} if form else {})
        for form in ("smoke", "speed", "")
    }
    words = {form: shlex.join(run.command("one", benchmark)[2:]) for form, run in made.items()}
    json_file = f"--json={tmp_path / 'one.json'}"
    cache = f"--cache={tmp_path / 'features.db'}"
    assert words["smoke"] == f"--rows 3 --shared=given {cache} {json_file}"
    assert words["speed"] == f"--rows 99 --shared=given {json_file}"
    assert words[""] == f"--shared=given {json_file}"


def test_benchmarks_are_chosen_by_name(modules):
    def names(only="", speed=False):
        return [*modules.run.chosen(Namespace(only=only, speed=speed))]

    assert sorted(names()) == SCRIPTS
    assert names("peers,metric_loss") == ["peers", "metric_loss"]
    assert "cross_lingual" not in names(speed=True)
    with pytest.raises(SystemExit, match="unknown: nothing; expected some of: compilation, "):
        names("peers,nothing")


def test_records_are_kept_as_soon_as_they_are_written(
    modules, record, tmp_path, monkeypatch, capsys
):
    results = tmp_path / "results.json"
    sources = {
        "first": WRITES.format(text=json.dumps(record)),
        "second": f"open({str(results)!r}).close()",
        "third": "raise SystemExit(1)",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    benchmarks = {
        name: modules.run.Benchmark("", speed="" if name == "first" else None) for name in sources
    }
    monkeypatch.setattr(modules.run, "BENCHMARKS", benchmarks)
    monkeypatch.setattr(modules.run, "HERE", tmp_path)
    assert modules.run.main(["--results", str(results)]) == 1
    # The second one found the figures of the first.
    assert "2 ran, 1 failed" in capsys.readouterr().out
    assert [*modules._record.read_results(results)] == ["first"]


# Recordings for the smoke form


def test_stand_ins_load_as_the_corpora_do(modules, tmp_path):
    modules._stand_in.write_stand_in(tmp_path, n_speakers=2, n_takes=2)
    folders = {name: tmp_path / "corpora" / name for name in modules._stand_in.RATES}
    with pytest.warns(match="recordings of the"):
        speech = load_corpora(folders)
    counts = speech.groupby(["corpus", "emotion", "speaker"]).size()
    assert len(counts) == 3 * 4 * 2
    assert (counts == 2).all()
    rated = load_annotations("das2022", tmp_path / "labels", speech)
    means = rated.groupby("emotion").activation.mean()
    assert means["anger"] > means["neutral"] > means["sadness"]
    reference = pd.read_parquet(tmp_path / "reference" / "egemaps_functionals_16k.parquet")
    assert len(reference) == len(speech)
    assert reference.notna().all(axis=None)


# Figures


def test_figures_are_medians_with_range_and_ratios_of_neighbours(record):
    compared, alone = record["figures"]
    # 3/1, 4/2 and 16/4.
    assert compared["ratio"] == {"median": 3, "min": 2, "max": 4, "n": 3}
    assert compared["ours"] == {"name": "ours", "median": 2, "min": 1, "max": 4, "n": 3}
    assert alone == {"task": "loading", "unit": "s", "median": 0.5, "min": 0.5, "max": 0.5, "n": 1}
    assert {"python", "numpy", "sklearn-ser"} <= set(record["versions"])
    assert record["machine"]["cores"] >= 1


def test_sides_with_different_numbers_of_repeats_are_refused(modules):
    with pytest.raises(ValueError, match="shorter"):
        modules._record.Record().compare("x", "s", ("a", [1, 2]), ("b", [1]), package="numpy")


def test_the_command_names_no_places(modules):
    argv = (
        "/home/me/benchmarks/peers.py --shared /data/x --files 2 --json=out --cache f --only 'a b'"
    )
    command = modules._record.command(shlex.split(argv))
    assert command == "python benchmarks/peers.py --files 2 --only 'a b'"


def test_a_record_holds_no_names_of_machine_or_user(modules, record, tmp_path, monkeypatch):
    import getpass
    import platform

    text = json.dumps(record | {"versions": {}})
    assert platform.node() not in text
    assert str(Path.home()) not in text
    assert str(ROOT) not in text
    assert f"/{getpass.getuser()}" not in text


def test_records_of_other_benchmarks_are_kept(modules, record, tmp_path):
    path = tmp_path / "results.json"
    modules._record.update_results(path, {"peers": record, "cache": record})
    modules._record.update_results(path, {"peers": record | {"date": "2030-01-01"}})
    results = modules._record.read_results(path)
    assert {name: one["date"] for name, one in results.items()} == {
        "cache": record["date"],
        "peers": "2030-01-01",
    }


def broken(record, *keys, value=None):
    """Return a copy with the value at some keys replaced, or without it."""
    copy = json.loads(json.dumps(record))
    one = copy
    for key in keys[:-1]:
        one = one[key]
    if value is None:
        del one[keys[-1]]
    else:
        one[keys[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("schema",), 7, "'peers': expected schema 1, got 7"),
        (("command",), None, "'peers': expected 'command' of type str"),
        (("machine", "processor"), None, "'machine': expected 'processor'"),
        (("figures",), [], "'peers': expected a list of figures"),
        (("figures", 0, "unit"), None, "figure 0: expected 'unit' of type str"),
        (("figures", 0, "ratio"), None, "figure 0, 'ratio': expected min <= median <= max"),
        (("figures", 0, "peer", "min"), 99, "figure 0, 'peer': expected min <= median <= max"),
        (("figures", 0, "peer", "version"), None, "figure 0, 'peer': expected 'version'"),
        (("figures", 1, "max"), "fast", "figure 1: expected min <= median <= max"),
    ],
)
def test_a_malformed_record_is_refused(modules, record, tmp_path, keys, value, message):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"peers": broken(record, *keys, value=value)}), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message) + r".*Run the benchmark again"):
        modules._record.read_results(path)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON .*Run benchmarks/run.py"), ("{}", "expected records")]
)
def test_a_damaged_file_is_refused(modules, tmp_path, text, message):
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        modules._record.read_results(path)
