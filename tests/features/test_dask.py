"""The extractor on a cluster: joblib's backend decides, nothing else changes."""

import sqlite3
from contextlib import closing

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.cli import main
from sklearn_ser.exceptions import AudioError, ExtractionWarning
from sklearn_ser.features import FunctionExtractor, _extraction

distributed = pytest.importorskip(
    "distributed", reason="dask is not installed: pip install 'sklearn-ser[dask]'"
)


@pytest.fixture(scope="module")
def client():
    """A cluster of two worker processes."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    paths = [str(folder / f"{i}.wav") for i in range(24)]
    for i, path in enumerate(paths):
        time = np.arange(8000) / 16000
        y = sum(np.sin(2 * np.pi * k * (110 if i % 2 else 210) * time) / k for k in range(1, 12))
        soundfile.write(path, y / 5 + rng.normal(size=8000) / 100, 16000)
    return paths


@pytest.fixture(scope="module")
def features(paths):
    return EGeMAPSExtractor().transform(paths)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "features.sqlite"


def count_rows(cache):
    with closing(sqlite3.connect(cache)) as connection:
        return connection.execute("SELECT count(*) FROM rows").fetchone()[0]


def test_rows_are_those_of_one_process(client, paths, features):
    with joblib.parallel_config(backend="dask"):
        np.testing.assert_array_equal(EGeMAPSExtractor().transform(paths), features)
        waveforms = [soundfile.read(path, dtype="float32")[0] for path in paths]
        np.testing.assert_array_equal(EGeMAPSExtractor().transform(waveforms), features)


def test_workers_compute_with_one_thread_each(client, paths):
    def process_and_threads(y, sr):
        import os

        from threadpoolctl import threadpool_info

        return [os.getpid(), max(library["num_threads"] for library in threadpool_info())]

    with joblib.parallel_config(backend="dask"):
        rows = FunctionExtractor(process_and_threads, ["process", "threads"]).transform(paths * 4)
    processes = set(client.run(lambda: __import__("os").getpid()).values())
    assert set(rows[:, 0]) <= processes
    assert (rows[:, 1] == 1).all()


def test_the_cache_is_opened_here_alone(client, paths, features, cache, monkeypatch):
    extractor = EGeMAPSExtractor(cache=cache)
    with joblib.parallel_config(backend="dask"):
        np.testing.assert_array_equal(extractor.transform(paths[:10]), features[:10])
        np.testing.assert_array_equal(extractor.transform(paths), features)
        # No task is sent where all is known.
        monkeypatch.setattr(_extraction, "Parallel", None)
        np.testing.assert_array_equal(extractor.transform(paths), features)
    assert count_rows(cache) == len(paths)


def test_errors_come_back(client, paths, features, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    recordings = [paths[0], bad, paths[1], tmp_path / "absent.wav"]
    with joblib.parallel_config(backend="dask"):
        with pytest.raises(AudioError, match=r"bad\.wav: not readable as audio"):
            EGeMAPSExtractor().transform(recordings[:3])
        with pytest.warns(ExtractionWarning, match=r"2 of 4 .*bad\.wav.*no file .*absent\.wav"):
            rows = EGeMAPSExtractor(on_error="nan").transform(recordings)
    np.testing.assert_array_equal(rows[[0, 2]], features[:2])


def make_model(cache):
    return make_pipeline(EGeMAPSExtractor(cache=cache), StandardScaler(), LogisticRegression())


def test_cross_validation(client, paths, cache):
    y = ["low" if i % 2 else "high" for i in range(len(paths))]
    with joblib.parallel_config(backend="dask"):
        scores = cross_validate(make_model(cache), paths, y, cv=3, error_score="raise")
    np.testing.assert_array_equal(scores["test_score"], 1)
    assert count_rows(cache) == len(paths)


def test_search(client, paths, cache):
    y = ["low" if i % 2 else "high" for i in range(len(paths))]
    grid = {"egemapsextractor__sampling_rate": [8000, 16000], "logisticregression__C": [0.1, 1]}
    search = GridSearchCV(make_model(cache), grid, cv=2, error_score="raise")
    with joblib.parallel_config(backend="dask"):
        search.fit(pd.Series(paths), y)
    assert search.best_score_ == 1
    assert count_rows(cache) == 2 * len(paths)


def test_command_line(client, paths, features, tmp_path, capsys):
    out = tmp_path / "x.parquet"
    address = client.scheduler.address
    assert main(["extract", *paths, "--out", str(out), "--dask-scheduler", address, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    table = pd.read_parquet(out)
    assert table["path"].tolist() == paths
    np.testing.assert_array_equal(table.drop(columns="path").to_numpy(), features)
