"""Standard streams that are closed or broken, signals, and names of any kind."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, EGeMAPSExtractor, save
from sklearn_ser.cli import _terminal, main
from sklearn_ser.features import FUNCTIONAL_NAMES, _extractor
from sklearn_ser.utils._progress import say

posix = pytest.mark.skipif(os.name != "posix", reason="streams and signals of POSIX")
COMMAND = f'"{sys.executable}" -m sklearn_ser'
# The command line in a process, with other features than the true ones, which take time to load.
REPLACED = """
import sys, time
from sklearn_ser.cli import main
from sklearn_ser.features import _extractor
_extractor.functionals = lambda y, sr, *, variant: {features}
sys.exit(main())
"""
QUICK, ENDLESS = (REPLACED.format(features=code) for code in ("[sr] * 88", "time.sleep(600)"))
ALL_CLOSED = ("stdin", "stdout", "stderr")


def run(*argv):
    """Return the exit code, also that of argparse."""
    try:
        return main([str(argument) for argument in argv])
    except SystemExit as end:
        return end.code


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Features that take no time and depend on the recording."""

    def features(y, sr, *, variant):
        return np.resize(np.abs(y[:40]).astype(np.float32), len(FUNCTIONAL_NAMES))

    monkeypatch.setattr(_extractor, "functionals", features)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for i in range(8):
        noise = np.random.default_rng(i).normal(size=4000) / 10
        soundfile.write(folder / f"{i}.wav", noise, 16000)
    return folder


@pytest.fixture(scope="module")
def model(recordings, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.skops"
    paths = sorted(map(str, recordings.iterdir()))
    pipeline = make_pipeline(EGeMAPSExtractor(), CorpusScaler(), SVC())
    save(pipeline.fit(paths, ["anger", "sadness"] * 4), path)
    return path


@pytest.mark.parametrize("closed", [("stdout",), ("stderr",), ("stdin",), ALL_CLOSED])
def test_commands_work_without_standard_streams(closed, recordings, model, tmp_path, monkeypatch):
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    table, answers = tmp_path / "x.csv", tmp_path / "y.csv"
    codes = {
        "extract": run("extract", recordings, "--out", table),
        "predict": run("predict", model, recordings, "--out", answers),
        "printed": run("predict", model, recordings),
        "info": run("info", model),
        "corpora": run("corpora"),
        "failed": run("report", tmp_path / "nowhere"),
        "help": run("--help"),
        "usage": run("learn"),
    }
    if "stdin" in closed:
        codes["consent"] = run("fetch", "ravdess", "--data-home", tmp_path / "data")
    expected = {"failed": 1, "usage": 2, "consent": 2}
    assert codes == {name: expected.get(name, 0) for name in codes}
    assert [len(pd.read_csv(path)) for path in (table, answers)] == [8, 8]
    assert all(getattr(sys, name) is None for name in closed)


@posix
def test_a_process_without_standard_streams(recordings, tmp_path):
    out = tmp_path / "x.csv"
    done = subprocess.run(
        f'"{sys.executable}" -c "{QUICK}" -v extract "{recordings}" --out "{out}" <&- >&- 2>&-',
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # What is written to descriptors by number has not got into the files.
    assert len(pd.read_csv(out)) == 8


@posix
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_no_file_gets_the_number_of_a_closed_stream(closed):
    kept = {number: os.dup(number) for number in closed}
    try:
        for number in closed:
            os.close(number)
        _terminal._fill_descriptors()
        with open(os.devnull) as file:
            filled = [os.path.sameopenfile(number, file.fileno()) for number in closed]
            next_number = file.fileno()
        inherited = [os.get_inheritable(number) for number in closed]
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
    assert next_number > 2
    assert all(filled)
    assert all(inherited)


class Broken:
    """A stream whose reader is gone."""

    encoding = "utf-8"

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")

    def isatty(self):
        return False

    def fileno(self):
        raise OSError("no descriptor")


def test_nobody_to_hear_messages_is_no_reason_to_stop(recordings, tmp_path, monkeypatch):
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    monkeypatch.setattr(sys, "stderr", Broken())
    out = tmp_path / "x.csv"
    assert run("-v", "extract", recordings, tmp_path / "bad.wav", "--out", out) == 0
    assert len(pd.read_csv(out)) == 8
    assert run("report", tmp_path / "nowhere") == 1


def test_a_reader_that_has_seen_enough_costs_no_results(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Broken())
    arguments = ["--utterances", 24, "--emotions", "anger,sadness", "--out", tmp_path]
    assert run("evaluate", *arguments) == 1
    assert (tmp_path / "run.json").exists()


@posix
def test_the_reader_of_messages_has_gone(tmp_path):
    # The shortest way to an error message: this corpus has to be asked for.
    failing = f"{COMMAND} fetch iemocap --data-home '{tmp_path}'"
    command = f"{failing} 2>&1 >/dev/null | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_a_full_disk_behind_the_standard_output():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "sklearn_ser", "corpora"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"sklearn-ser: error: .*No space left on device\n", done.stderr)


@posix
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_request_to_end(name, code, recordings, tmp_path, monkeypatch, capsys):
    number, out = getattr(signal, name), tmp_path / "o" / "x.csv"
    before = signal.getsignal(number)
    finished = []

    def end(y, sr, *, variant):
        finished.append(list(out.parent.glob(".x.csv.*.tmp")))
        if len(finished) == 5:
            os.kill(os.getpid(), number)
        return np.zeros(len(FUNCTIONAL_NAMES), np.float32)

    monkeypatch.setattr(_extractor, "functionals", end)
    assert run("extract", recordings, "--out", out) == code
    assert finished[0], "there is a temporary file while the command works"
    assert os.listdir(out.parent) == ["x.csv.unfinished"]
    assert capsys.readouterr().err == "sklearn-ser: terminated\n"
    assert signal.getsignal(number) is before
    assert run("extract", recordings, "--out", out) == 0
    assert len(finished) in (8, 9)
    assert os.listdir(out.parent) == ["x.csv"]


@posix
def test_signals_that_the_caller_ignores_stay_ignored(monkeypatch):
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _terminal.orderly_end():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, earlier)


@posix
def test_processes_that_end_leave_nothing_for_ever(recordings, tmp_path):
    numbers, processes = (signal.SIGTERM, signal.SIGKILL), {}
    try:
        for number in numbers:
            out = tmp_path / number.name / "x.parquet"
            command = [sys.executable, "-c", ENDLESS, "extract", recordings, "--out", out]
            processes[number] = out, subprocess.Popen(command, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        for out, _ in processes.values():
            while not list(out.parent.glob(".x.parquet.*.tmp")):
                assert time.monotonic() < end
                time.sleep(0.005)
        for number, (_, process) in processes.items():
            process.send_signal(number)
        codes = [process.wait(60) for _, process in processes.values()]
    finally:
        for _, process in processes.values():
            process.kill()
    assert codes == [143, -signal.SIGKILL]
    for number, (out, _) in processes.items():
        left = [name for name in os.listdir(out.parent) if name.endswith(".tmp")]
        assert len(left) == (number == signal.SIGKILL)
        assert run("extract", recordings, "--out", out) == 0
        assert os.listdir(out.parent) == ["x.parquet"]


@pytest.fixture
def odd(recordings, tmp_path):
    """A folder of recordings whose names are bytes, formulas and letters of their own."""
    names = [b"=HYPERLINK(1).wav", b"caf\xe9.wav", rb"caf\udce9.wav", b"@a.wav", b"'-b.wav"]
    folder = tmp_path / "odd"
    folder.mkdir()
    content = (recordings / "0.wav").read_bytes()
    for name in names:
        try:
            (folder / os.fsdecode(name)).write_bytes(content)
        except (OSError, UnicodeError):
            pytest.skip("a file system with rules of its own for names")
    return folder


# As they stand in tables; paths are absolute, so that none of them is a formula.
SPELLED = ["'-b.wav", "=HYPERLINK(1).wav", "@a.wav", r"caf\\udce9.wav", r"caf\udce9.wav"]


@posix
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_name_costs_the_table(suffix, odd, tmp_path):
    out = tmp_path / f"x{suffix}"
    assert run("extract", odd, "--out", out) == 0
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert sorted(table["path"]) == [f"{odd}/{name}" for name in SPELLED]


@posix
@pytest.mark.parametrize("kind", ["csv", "jsonl", "table"])
def test_no_name_costs_predictions(kind, odd, model, tmp_path, capsysbinary):
    arguments = ["predict", model, odd, "--format", kind]
    assert run(*arguments, "--out", tmp_path / "out") == 0
    text = (tmp_path / "out").read_text(encoding="utf-8")
    assert run(*arguments) == 0
    assert capsysbinary.readouterr().out == text.encode()
    paths = [f"{odd}/{name}" for name in SPELLED]
    if kind == "csv":
        assert sorted(row["path"] for row in csv.DictReader(text.splitlines())) == paths
    elif kind == "jsonl":
        assert sorted(json.loads(line)["path"] for line in text.splitlines()) == paths
    else:
        assert rf"{odd}/caf\udce9.wav" in text


def test_emotions_that_are_formulas(recordings, tmp_path):
    path = tmp_path / "m.skops"
    paths = sorted(map(str, recordings.iterdir()))
    pipeline = make_pipeline(EGeMAPSExtractor(), CorpusScaler(), SVC())
    save(pipeline.fit(paths, ["=1+1", "-1"] * 4), path)
    assert run("predict", path, recordings, "--out", tmp_path / "x.csv") == 0
    assert set(pd.read_csv(tmp_path / "x.csv", dtype=str)["emotion"]) <= {"'=1+1", "'-1"}


@posix
def test_no_name_costs_the_list_of_failures(recordings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"caf\xe9\x1b.wav")
    Path(name).write_bytes(b"RIFF")
    (tmp_path / "x.failed.csv").write_text("earlier")
    assert run("extract", recordings, name, "--out", "x.csv") == 0
    failed = pd.read_csv("x.failed.csv")
    assert failed["path"].tolist() == [f"{tmp_path}/caf\\udce9\x1b.wav"]
    assert len(failed["reason"]) == 1
    assert run("extract", recordings, name) == 0
    assert "caf\\udce9\N{REPLACEMENT CHARACTER}.wav" in capsys.readouterr().err


def test_letters_that_the_standard_output_lacks(model, tmp_path, monkeypatch):
    with (tmp_path / "out").open("w", encoding="ascii") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        with _terminal.standard_streams():
            print("é caf\udce9")
        assert file.errors == "strict"
    assert (tmp_path / "out").read_bytes() == b"\\xe9 caf\xe9" + os.linesep.encode()


def test_warnings_of_any_text_are_shown(capsys):
    with _terminal.standard_streams(), warnings.catch_warnings():
        say("caf\udce9 \x1b[2J\n\tnext")
    assert capsys.readouterr().err == "caf\\udce9 \N{REPLACEMENT CHARACTER}[2J\n\tnext\n"
