import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.cli import main
from sklearn_ser.cli._parser import build_parser
from sklearn_ser.features import FUNCTIONAL_NAMES, _extractor, egemaps, write_features
from sklearn_ser.features._egemaps._feature_set import VARIANTS
from sklearn_ser.utils._progress import quieted


def run(*argv):
    return main([str(argument) for argument in argv])


@pytest.fixture(autouse=True)
def _quiet():
    """Leave progress out of the messages; it has tests of its own."""
    with quieted():
        yield


def make_recordings(folder, n, seed=0):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [str(folder / f"{i:03d}.wav") for i in range(n)]
    for path in paths:
        soundfile.write(path, rng.normal(size=4000) / 10, 16000)
    return paths


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return make_recordings(tmp_path_factory.mktemp("recordings"), 10)


@pytest.fixture(scope="module")
def features(paths):
    return EGeMAPSExtractor().transform(paths)


@pytest.fixture
def computed(monkeypatch):
    """A list that grows by an entry with every row that is computed, not found."""
    computed = []

    def counted(y, sr, *, variant):
        computed.append(len(y))
        return egemaps(y, sr, variant=variant)

    monkeypatch.setattr(_extractor, "functionals", counted)
    return computed


def count(computed):
    n = len(computed)
    computed.clear()
    return n


def read(path):
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def values(table):
    return table[list(FUNCTIONAL_NAMES)].to_numpy(np.float32)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("part", [3, 4096])
def test_to_a_file(suffix, part, paths, features, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(write_features.__kwdefaults__, "part_size", part)
    out = tmp_path / "new" / f"features{suffix}"
    assert run("extract", *paths, "--out", out, "--jobs", 2) == 0
    table = read(out)
    assert table.columns.tolist() == ["path", *FUNCTIONAL_NAMES]
    assert table["path"].tolist() == paths
    np.testing.assert_array_equal(values(table), features)
    assert os.listdir(out.parent) == [out.name]
    assert capsys.readouterr() == ("", "")


def test_to_standard_output_from_files_folders_and_corpora(paths, tmp_path, capsys):
    y = np.sin(np.arange(8000) / 10)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("b.wav", "deep/a.FLAC"):
        soundfile.write(tmp_path / "in" / name, y, 8000)
    (tmp_path / "in" / "notes.txt").touch()
    for emotion in ("anger", "sadness"):
        make_recordings(tmp_path / "corpus" / emotion, 2)
    arguments = ["--corpus", f"mine={tmp_path / 'corpus'}"]
    assert run("extract", tmp_path / "in" / "b.wav", tmp_path / "in", *arguments) == 0
    printed = capsys.readouterr()
    (tmp_path / "out.csv").write_text(printed.out)
    expected = [tmp_path / "in" / "b.wav", tmp_path / "in" / "deep" / "a.FLAC"]
    for emotion in ("anger", "sadness"):
        expected += [tmp_path / "corpus" / emotion / name for name in ("000.wav", "001.wav")]
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["path"].tolist() == [str(path) for path in expected]
    assert table.shape[1] == 89
    assert printed.err == ""


def test_rates_and_variants(tmp_path):
    rng = np.random.default_rng(0)
    file, out = tmp_path / "noise.wav", tmp_path / "x.csv"
    soundfile.write(file, rng.normal(size=22050) / 10, 22050)
    for options, parameters in (
        (["--sampling-rate", "native"], {"sampling_rate": None}),
        (["--sampling-rate", "8000"], {"sampling_rate": 8000}),
        (["--variant", "corrected"], {"variant": "corrected"}),
    ):
        assert run("extract", file, *options, "--out", out) == 0
        expected = EGeMAPSExtractor(**parameters).transform([file])
        np.testing.assert_array_equal(values(read(out)), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_chosen(variant):
    arguments = ["extract", "a.wav", "--variant", variant]
    assert build_parser().parse_args(arguments).variant == variant


@pytest.fixture
def mixed(paths, tmp_path):
    """Four recordings, of which the second and the last cannot be used."""
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    return [paths[0], str(bad), paths[1], str(tmp_path / "absent.wav")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("part", [1, 2, 4096])
def test_failures_are_left_out_and_listed(
    suffix, part, mixed, features, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(write_features.__kwdefaults__, "part_size", part)
    out, report = tmp_path / f"x{suffix}", tmp_path / "x.failed.csv"
    assert run("extract", *mixed, "--out", out) == 0
    assert read(out)["path"].tolist() == mixed[::2]
    np.testing.assert_array_equal(values(read(out)), features[:2])
    failed = pd.read_csv(report)
    assert failed["path"].tolist() == mixed[1::2]
    assert failed["reason"].str.contains(r"bad\.wav: not readable|no file .*absent\.wav").all()
    message = f"sklearn-ser: warning: 2 of 4 recordings have no features: {report} names them"
    assert capsys.readouterr().err.startswith(message)

    assert run("extract", *mixed[::2], "--out", out) == 0
    assert not report.exists()


def test_failures_may_keep_their_rows(mixed, features, tmp_path, capsys):
    out = tmp_path / "x.parquet"
    assert run("extract", *mixed, "--out", out, "--on-error", "nan") == 0
    table = read(out)
    assert table["path"].tolist() == mixed
    assert table.isna().sum(axis=1).tolist() == [0, 88, 0, 88]
    np.testing.assert_array_equal(values(table)[::2], features[:2])
    assert len(pd.read_csv(tmp_path / "x.failed.csv")) == 2


def test_failures_are_named_where_there_is_no_file(mixed, capsys):
    assert run("extract", *mixed) == 0
    printed = capsys.readouterr()
    assert [line.split(",")[0] for line in printed.out.splitlines()] == ["path", *mixed[::2]]
    pattern = r"sklearn-ser: warning: 2 of 4 recordings .*bad\.wav.*absent\.wav.*\n"
    assert re.fullmatch(pattern, printed.err)


def test_the_first_failure_may_stop(mixed, tmp_path, capsys, computed):
    out = tmp_path / "x.csv"
    out.write_text("precious")
    assert run("extract", *mixed, "--out", out, "--on-error", "raise") == 1
    assert re.fullmatch(r"sklearn-ser: error: .*bad\.wav.*\n", capsys.readouterr().err)
    assert out.read_text() == "precious"
    assert count(computed) == 1
    # What was done before is not done again.
    assert run("extract", *mixed, "--out", out) == 0
    assert count(computed) == 1


@pytest.mark.parametrize("policy", ["skip", "nan"])
def test_no_table_of_nothing(mixed, tmp_path, capsys, policy):
    out = tmp_path / "x.csv"
    assert run("extract", *mixed[1::2], "--out", out, "--on-error", policy) == 1
    pattern = r"sklearn-ser: error: None of the 2 recordings .*bad\.wav: not readable.*\n"
    assert re.fullmatch(pattern, capsys.readouterr().err)
    assert os.listdir(tmp_path) == ["bad.wav"]


def test_the_cache(paths, features, tmp_path, computed):
    cache, out = tmp_path / "new" / "cache.sqlite", tmp_path / "x.parquet"
    assert run("extract", *paths[:6], "--cache", cache, "--out", out) == 0
    assert count(computed) == 6
    assert run("extract", *paths, "--cache", cache, "--out", out) == 0
    assert count(computed) == 4
    np.testing.assert_array_equal(values(read(out)), features)
    np.testing.assert_array_equal(EGeMAPSExtractor(cache=cache).transform(paths), features)
    assert count(computed) == 0
    assert sorted(os.listdir(tmp_path)) == ["new", "x.parquet"]


def test_a_file_that_is_no_cache(paths, tmp_path, capsys):
    cache = tmp_path / "cache.sqlite"
    cache.write_text("path,emotion\n")
    assert run("extract", *paths, "--cache", cache, "--out", tmp_path / "x.csv") == 1
    assert re.fullmatch(
        r"sklearn-ser: error: .*cache\.sqlite is not a database, expected a cache.*\n",
        capsys.readouterr().err,
    )
    assert cache.read_text() == "path,emotion\n"
    assert not (tmp_path / "x.csv").exists()


def test_an_interrupted_run_resumes(paths, features, tmp_path, computed, monkeypatch):
    out = tmp_path / "x.parquet"

    def interrupted(y, sr, *, variant):
        if len(computed) == 7:
            raise KeyboardInterrupt
        computed.append(len(y))
        return egemaps(y, sr, variant=variant)

    with monkeypatch.context() as patch:
        patch.setattr(_extractor, "functionals", interrupted)
        assert run("extract", *paths, "--out", out) == 130
    assert count(computed) == 7
    assert os.listdir(tmp_path) == ["x.parquet.unfinished"]
    assert run("extract", *paths, "--out", out) == 0
    assert count(computed) == 3
    np.testing.assert_array_equal(values(read(out)), features)
    assert os.listdir(tmp_path) == ["x.parquet"]


# The command line, whose features take for ever from the recording on that comes after so many.
STUCK = """
import sys, time
from pathlib import Path
from sklearn_ser.cli import main
from sklearn_ser.features import _extractor, egemaps
n, flag = int(sys.argv.pop(1)), Path(sys.argv.pop(1))
computed = []
def functionals(y, sr, *, variant):
    if len(computed) == n:
        flag.touch()
        time.sleep(600)
    computed.append(y)
    return egemaps(y, sr, variant=variant)
_extractor.functionals = functionals
sys.exit(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_run_resumes(paths, features, tmp_path, computed):
    out, flag = tmp_path / "out" / "x.parquet", tmp_path / "stuck"
    command = [sys.executable, "-c", STUCK, "6", flag, "extract", *paths, "--out", out]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not flag.exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    assert (out.parent / "x.parquet.unfinished").exists()
    assert run("extract", *paths, "--out", out) == 0
    assert count(computed) == len(paths) - 6
    assert os.listdir(out.parent) == ["x.parquet"]
    assert read(out)["path"].tolist() == paths
    np.testing.assert_array_equal(values(read(out)), features)


def test_a_full_disk_does_not_cost_the_table(paths, features, tmp_path, monkeypatch, capsys):
    from sklearn_ser.features import _cache

    monkeypatch.setattr(_cache, "_SCHEMA", ("PRAGMA max_page_count = 1", *_cache._SCHEMA))
    assert run("extract", *paths, "--out", tmp_path / "x.csv") == 0
    assert re.fullmatch(
        r"sklearn-ser: warning: The cache .*x\.csv\.unfinished is not used \(.*full\).*\n",
        capsys.readouterr().err,
    )
    np.testing.assert_array_equal(values(read(tmp_path / "x.csv")), features)


def test_evaluate_takes_a_cache_too(tmp_path, computed):
    for n in (72, 0):
        arguments = ["evaluate", "--utterances", 24, "--cache", tmp_path / "cache"]
        assert run(*arguments, "--out", tmp_path / "out") == 0
        assert count(computed) == n


def test_dask_is_asked_for_by_name(paths, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    assert run("extract", *paths, "--dask-scheduler", "tcp://127.0.0.1:1") == 1
    message = "sklearn-ser: error: --dask-scheduler needs dask: pip install 'sklearn-ser[dask]'\n"
    assert capsys.readouterr().err == message


def test_recordings_of_the_same_content_keep_their_names(paths, tmp_path):
    copy = tmp_path / "copy.wav"
    shutil.copy(paths[0], copy)
    assert run("extract", paths[0], copy, "--out", tmp_path / "x.csv") == 0
    table = read(tmp_path / "x.csv")
    assert table["path"].tolist() == [paths[0], str(copy)]
    np.testing.assert_array_equal(values(table)[0], values(table)[1])
