import os
import pickle
import shutil
import sqlite3
import threading
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError
from threadpoolctl import threadpool_info

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import load_audio
from sklearn_ser.exceptions import AudioError, CacheError, ExtractionWarning
from sklearn_ser.features import FUNCTIONAL_NAMES, RecordingTransformer, _extraction, egemaps


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def paths(folder):
    """Eight recordings of several rates, depths and channel numbers."""
    rng = np.random.default_rng(0)
    formats = [
        (8000, 1, "PCM_16"), (16000, 1, "PCM_16"), (22050, 1, "PCM_24"), (44100, 2, "PCM_16"),
        (48000, 1, "FLOAT"), (16000, 2, "PCM_24"), (48000, 2, "PCM_16"), (16000, 1, "FLOAT"),
    ]  # fmt: skip
    paths = []
    for i, (sr, channels, subtype) in enumerate(formats):
        time = np.arange(sr // 2) / sr
        f0 = 110 if i % 2 else 210
        y = sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 12)) / 5
        y = y[:, None] + rng.normal(size=(len(time), channels)) / 100
        path = folder / f"{i}.wav"
        soundfile.write(path, y, sr, subtype=subtype)
        paths.append(str(path))
    return paths


@pytest.fixture(scope="module")
def features(paths):
    return EGeMAPSExtractor().transform(paths)


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        np.array,
        lambda p: np.array(p, dtype=object),
        lambda p: np.array(p)[:, None],
        pd.Series,
        lambda p: pd.Series(p, index=range(10, 18)),
        lambda p: pd.DataFrame({"path": p}),
        lambda p: [Path(x) for x in p],
        lambda p: pd.Series([Path(x) for x in p]),
        lambda p: [load_audio(x)[0] for x in p],
        lambda p: [load_audio(x)[0].astype(float) for x in p],
    ],
    ids=[
        "list", "tuple", "array", "object array", "column", "Series", "index", "DataFrame",
        "Path", "Series of Path", "waveforms", "float64 waveforms",
    ],
)  # fmt: skip
def test_every_container_gives_the_same_rows(paths, features, container):
    np.testing.assert_array_equal(EGeMAPSExtractor().fit_transform(container(paths)), features)


def test_a_table_of_polars(paths, features):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"path": paths})
    np.testing.assert_array_equal(EGeMAPSExtractor().fit_transform(table), features)
    with pytest.raises(ValueError, match=r"X has 2 columns \(path, age\)"):
        EGeMAPSExtractor().fit(table.with_columns(age=1))


def test_rows_are_those_of_egemaps(paths, features):
    assert features.shape == (8, 88)
    assert features.dtype == np.float32
    for path, row in zip(paths, features, strict=True):
        np.testing.assert_array_equal(row, egemaps(*load_audio(path)))


def test_rows_depend_on_neither_order_nor_batch_nor_processes(paths, features):
    extractor = EGeMAPSExtractor()
    np.testing.assert_array_equal(extractor.transform(paths[::-1]), features[::-1])
    np.testing.assert_array_equal(extractor.transform(paths[3:4]), features[3:4])
    parallel = EGeMAPSExtractor(n_jobs=2).transform(paths)
    np.testing.assert_array_equal(parallel, features)


def test_relative_paths_start_where_transform_was_called(paths, features, folder, monkeypatch):
    # Worker processes outlive a change of directory.
    extractor = EGeMAPSExtractor(n_jobs=2)
    extractor.transform(paths)
    monkeypatch.chdir(folder)
    names = [Path(path).name for path in paths]
    np.testing.assert_array_equal(extractor.transform(names), features)


def test_dots_behind_a_link_lead_where_the_system_says(paths, features, tmp_path):
    (tmp_path / "far" / "inside").mkdir(parents=True)
    (tmp_path / "near").mkdir()
    try:
        (tmp_path / "near" / "link").symlink_to(tmp_path / "far" / "inside")
    except OSError:
        pytest.skip("links need a permission on this system")
    shutil.copy(paths[1], tmp_path / "far" / "x.wav")
    shutil.copy(paths[2], tmp_path / "near" / "x.wav")
    path = os.path.join(tmp_path, "near", "link", "..", "x.wav")
    if not os.path.samefile(path, tmp_path / "far" / "x.wav"):
        pytest.skip("this system takes the folder that the link is in")
    for extractor in (
        EGeMAPSExtractor(),
        EGeMAPSExtractor(n_jobs=2),
        EGeMAPSExtractor(cache=tmp_path / "cache.sqlite"),
    ):
        np.testing.assert_array_equal(extractor.transform([path]), features[1:2])


def test_the_backend_is_joblibs_choice(paths, features):
    with joblib.parallel_config(backend="threading", n_jobs=2):
        np.testing.assert_array_equal(EGeMAPSExtractor().transform(paths), features)


def test_native_rate(paths):
    values = EGeMAPSExtractor(sampling_rate=None).transform(paths[4:5])[0]
    np.testing.assert_array_equal(values, egemaps(*load_audio(paths[4], None)))


def test_names_and_pandas_output(paths, features):
    extractor = EGeMAPSExtractor().set_output(transform="pandas")
    frame = extractor.transform(pd.Series(paths, index=list("abcdefgh")))
    assert list(frame.columns) == list(extractor.get_feature_names_out()) == list(FUNCTIONAL_NAMES)
    np.testing.assert_array_equal(frame.to_numpy(), features)


def test_pickle_clone_and_repr(paths, features):
    extractor = EGeMAPSExtractor(on_error="nan")
    for copy in (
        pickle.loads(pickle.dumps(extractor)),
        clone(extractor),
        clone(extractor).fit(paths),
    ):
        assert repr(copy) == "EGeMAPSExtractor(on_error='nan')"
        np.testing.assert_array_equal(copy.transform(paths[:1]), features[:1])


def test_first_step_of_a_pipeline_in_a_column_transformer(paths, features):
    table = pd.DataFrame({"path": paths, "age": np.arange(8.0)})
    for column in ("path", ["path"]):
        transformer = make_column_transformer(
            (EGeMAPSExtractor(), column), (StandardScaler(), ["age"])
        )
        out = transformer.fit_transform(table)
        assert out.shape == (8, 89)
        np.testing.assert_array_equal(out[:, :88].astype(np.float32), features)
    named = ColumnTransformer([("audio", EGeMAPSExtractor(), ["path"])]).fit(table)
    assert named.get_feature_names_out()[0] == f"audio__{FUNCTIONAL_NAMES[0]}"


def test_cross_validation_and_search(paths):
    y = ["low" if i % 2 else "high" for i in range(8)]
    model = make_pipeline(EGeMAPSExtractor(), StandardScaler(), LogisticRegression())
    scores = cross_validate(model, paths, y, cv=2, error_score="raise")
    np.testing.assert_array_equal(scores["test_score"], 1)
    search = GridSearchCV(
        model, {"egemapsextractor__sampling_rate": [8000, 16000]}, cv=2, error_score="raise"
    )
    assert search.fit(pd.Series(paths), y).best_score_ == 1


def test_a_bad_recording_stops_and_is_named(paths, folder):
    bad = folder / "bad.wav"
    bad.write_text("no audio")
    extractor = EGeMAPSExtractor()
    with pytest.raises(AudioError, match=r"bad\.wav: not readable as audio"):
        extractor.transform([*paths[:2], bad])
    with pytest.raises(FileNotFoundError, match=r"There is no file .*absent\.wav"):
        extractor.transform([folder / "absent.wav"])
    with pytest.raises(AudioError, match="waveform 1: 10 samples at 16000 Hz"):
        extractor.transform([np.zeros(1600), np.zeros(10)])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_bad_recording_becomes_a_row_of_nan(paths, features, folder, n_jobs):
    bad = folder / "bad.wav"
    bad.write_text("no audio")
    extractor = EGeMAPSExtractor(on_error="nan", n_jobs=n_jobs)
    recordings = [paths[0], bad, paths[1], folder / "absent.wav"]
    with pytest.warns(ExtractionWarning, match=r"2 of 4 .*bad\.wav.*absent\.wav") as caught:
        rows = extractor.transform(recordings)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(rows[[0, 2]], features[:2])
    assert np.isnan(rows[[1, 3]]).all()


def test_no_warning_without_need(paths):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EGeMAPSExtractor(on_error="nan", verbose=1).transform(paths)


def test_extractors_saved_before_the_limit_existed_have_the_default(paths, features):
    extractor = EGeMAPSExtractor()
    del extractor.__dict__["max_duration"]
    old = pickle.loads(pickle.dumps(extractor))
    np.testing.assert_array_equal(old.transform(paths[:1]), features[:1])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a.wav", r"single path 'a.wav'.*Write \[path\]"),
        (Path("a.wav"), "single path 'a.wav'"),
        ([], "X holds 0 recordings"),
        ({"a.wav", "b.wav"}, r"X is a set, expected a list.*Write list\(X\)"),
        ({"a.wav": 1}, "X is a dict, expected a list"),
        (None, "X is NoneType, expected a list, array"),
        (np.zeros((3, 1600)), "X has 1600 columns, expected.*list"),
        (pd.DataFrame({"path": ["a"], "age": [1]}), r"X has 2 columns \(path, age\)"),
        (np.zeros((2, 2, 2)), "X is ndarray, expected a list"),
        (["a.wav", np.nan], "Recording 1 of X is nan, expected"),
        ([b"a.wav"], "Recording 0 of X is b'a.wav'"),
        (np.zeros(1600), r"Recording 0 of X is .*0\.0.*list of one-dimensional"),
    ],
)
def test_input_that_holds_no_recordings(X, message):
    with pytest.raises(ValueError, match=message):
        EGeMAPSExtractor().transform(X)
    with pytest.raises(ValueError, match=message):
        EGeMAPSExtractor().fit(X)


def test_waveforms_need_a_rate():
    with pytest.raises(ValueError, match="holds waveforms and sampling_rate=None"):
        EGeMAPSExtractor(sampling_rate=None).transform([np.zeros(1600)])


@pytest.mark.parametrize(
    "parameters",
    [
        {"sampling_rate": 100}, {"on_error": "ignore"}, {"n_jobs": 1.5}, {"variant": "praat"},
        {"cache": 1}, {"max_duration": 0}, {"sampling_rate": 2_000_000},
    ],
)  # fmt: skip
def test_parameters_are_checked_with_and_without_fit(paths, parameters):
    for method in ("fit", "transform"):
        with pytest.raises(InvalidParameterError, match=next(iter(parameters))):
            getattr(EGeMAPSExtractor(**parameters), method)(paths)


def test_the_variant(paths):
    rows = EGeMAPSExtractor(variant="corrected").transform(paths[:2])
    expected = [egemaps(*load_audio(path), variant="corrected") for path in paths[:2]]
    np.testing.assert_array_equal(rows, expected)


def mean_and_peak(y, sr):
    return np.array([y.mean(), np.abs(y).max()])


class MeanAndPeak(RecordingTransformer):
    def _function(self):
        return mean_and_peak

    def _names(self):
        return ("mean", "peak")


class Counted(MeanAndPeak):
    """Computes in this process, and keeps count."""

    computed: list

    def __init__(self, *, factor=1, cache=None, sampling_rate=16000, on_error="raise", n_jobs=None):
        super().__init__(cache=cache, sampling_rate=sampling_rate, on_error=on_error, n_jobs=n_jobs)
        self.factor = factor

    def _function(self):
        def function(y, sr):
            self.computed.append(len(y))
            if len(y) == 1234:
                raise KeyboardInterrupt
            return self.factor * mean_and_peak(y, sr)

        return function

    def _recipe(self):
        return {"algorithm": "mean and peak", "factor": self.factor}


@pytest.fixture
def computed(monkeypatch):
    """A list that grows by an entry with every row that is computed, not found."""
    monkeypatch.setattr(Counted, "computed", [], raising=False)
    return Counted.computed


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "features.sqlite"


def count(computed):
    n = len(computed)
    computed.clear()
    return n


def test_any_function_of_a_recording_can_use_the_base(paths):
    out = MeanAndPeak().set_output(transform="pandas").transform(paths)
    assert list(out.columns) == ["mean", "peak"]
    y, sr = load_audio(paths[2])
    np.testing.assert_allclose(out.iloc[2], mean_and_peak(y, sr))


def test_a_function_that_does_not_keep_to_its_names(paths):
    class Wrong(MeanAndPeak):
        def _names(self):
            return ("mean", "peak", "range")

    with pytest.raises(
        ValueError, match=r"0\.wav: the features have shape \(2,\), expected \(3,\)"
    ):
        Wrong().transform(paths)


def test_a_cache_needs_to_know_what_the_values_depend_on(paths, cache):
    with pytest.raises(NotImplementedError, match=r"MeanAndPeak does not define.*method _recipe"):
        MeanAndPeak(cache=cache).transform(paths)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", [str, Path])
def test_cached_rows_are_the_computed_ones(paths, features, cache, n_jobs, kind, monkeypatch):
    extractor = EGeMAPSExtractor(cache=kind(cache), n_jobs=n_jobs)
    np.testing.assert_array_equal(extractor.transform(paths[:5]), features[:5])
    np.testing.assert_array_equal(extractor.transform(paths), features)
    # Nothing but the cache can answer now, and nobody starts a worker to ask it.
    monkeypatch.setattr(_extraction, "Parallel", None)
    np.testing.assert_array_equal(extractor.transform(paths[::-1]), features[::-1])
    assert [file.name for file in cache.parent.iterdir()] == [cache.name]


def test_content_counts_not_the_name(paths, cache, computed, tmp_path):
    extractor = Counted(cache=cache)
    rows = extractor.transform(paths)
    assert count(computed) == 8
    copy = tmp_path / "copy.flac"
    shutil.copy(paths[3], copy)
    np.testing.assert_array_equal(extractor.transform([copy]), rows[3:4])
    assert count(computed) == 0
    # The same name, another content.
    shutil.copy(paths[4], copy)
    np.testing.assert_array_equal(extractor.transform([copy]), rows[4:5])
    assert count(computed) == 0
    soundfile.write(tmp_path / "copy.wav", np.ones(1600) / 2, 16000, subtype="FLOAT")
    np.testing.assert_array_equal(extractor.transform([tmp_path / "copy.wav"]), [[0.5, 0.5]])
    assert count(computed) == 1


def test_parameters_that_change_values_count_and_no_others(paths, cache, computed):
    for changed in ({}, {"factor": 2}, {"sampling_rate": 8000}, {"sampling_rate": None}):
        rows = Counted(**changed).transform(paths)
        assert count(computed) == 8
        for other in ({}, {"on_error": "nan"}, {"n_jobs": 1}):
            extractor = Counted(cache=cache, **changed, **other)
            np.testing.assert_array_equal(extractor.transform(paths), rows)
        assert count(computed) == 8
    Counted(cache=cache, factor=np.int64(2), sampling_rate=np.int32(16000)).transform(paths)
    assert count(computed) == 0


def test_variants_do_not_share_rows(paths, features, cache):
    corrected = EGeMAPSExtractor(variant="corrected", cache=cache).transform(paths[:2])
    np.testing.assert_array_equal(EGeMAPSExtractor(cache=cache).transform(paths[:2]), features[:2])
    again = EGeMAPSExtractor(variant="corrected", cache=cache).transform(paths[:2])
    np.testing.assert_array_equal(again, corrected)
    assert not np.array_equal(corrected, features[:2])


def test_waveforms_are_cached_by_their_samples(cache, computed):
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=1600) / 10 for _ in range(4)]
    extractor = Counted(cache=cache)
    rows = extractor.transform(waveforms)
    assert count(computed) == 4
    strided = np.repeat(waveforms[1], 2)[::2]
    np.testing.assert_array_equal(extractor.transform([strided]), rows[1:2])
    assert count(computed) == 0
    extractor.transform([waveforms[0].astype(np.float32), -waveforms[0], waveforms[0][:-1]])
    assert count(computed) == 3


def test_failures_are_not_cached(paths, folder, cache, computed, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    extractor = Counted(cache=cache, on_error="nan")
    for expected in (2, 0):
        with pytest.warns(ExtractionWarning, match=r"2 of 4 .*bad\.wav.*absent\.wav"):
            rows = extractor.transform([paths[0], bad, paths[1], tmp_path / "absent.wav"])
        assert count(computed) == expected
        assert np.isnan(rows[[1, 3]]).all()
    shutil.copy(paths[2], bad)
    np.testing.assert_array_equal(extractor.transform([bad]), Counted().transform([paths[2]]))


def test_work_done_before_an_error_is_kept(paths, cache, computed, tmp_path):
    extractor = Counted(cache=cache)
    with pytest.raises(FileNotFoundError, match=r"absent\.wav"):
        extractor.transform([*paths[:5], tmp_path / "absent.wav", *paths[5:]])
    assert count(computed) == 5
    extractor.transform(paths)
    assert count(computed) == 3


def test_work_done_before_an_interruption_is_kept(paths, cache, computed):
    extractor = Counted(cache=cache)
    waveforms = [np.full(2000 + i, 0.1) for i in range(20)]
    with pytest.raises(KeyboardInterrupt):
        extractor.transform([*waveforms, np.zeros(1234)])
    assert count(computed) == 21
    extractor.transform(waveforms)
    assert count(computed) == 0


def test_of_several_errors_the_first_is_raised_and_no_worker_warns(paths, tmp_path):
    bad = [tmp_path / f"bad{i}.wav" for i in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n_jobs in (1, 2):
            with pytest.raises(FileNotFoundError, match=r"bad0\.wav"):
                EGeMAPSExtractor(n_jobs=n_jobs).transform([paths[0], *bad, *paths])


@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_stored_and_new_rows_in_any_mixture(backend, cache, computed, monkeypatch):
    monkeypatch.setattr(_extraction, "_MAX_WAITING", 3)
    monkeypatch.setattr(_extraction, "_LOOKUP", 5)
    rng = np.random.default_rng(0)
    waveforms = [np.full(1600 + i, i / 200) for i in range(200)]
    # Long runs of either kind, and short ones.
    stored = np.concatenate([rng.random(80) < 0.5, np.ones(60, bool), np.zeros(60, bool)])
    Counted(cache=cache).transform([waveforms[i] for i in np.flatnonzero(stored)])
    count(computed)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        rows = Counted(cache=cache).transform(waveforms)
    assert sorted(computed) == [1600 + i for i in np.flatnonzero(~stored)]
    np.testing.assert_allclose(rows[:, 1], np.arange(200) / 200, rtol=1e-6)


def test_a_damaged_cache_stops_even_when_workers_are_busy(cache, computed):
    waveforms = [np.full(1600 + i, 0.1) for i in range(200)]
    Counted(cache=cache).transform(waveforms[150:])
    with sqlite3.connect(cache) as connection:
        connection.execute("UPDATE rows SET checksum = 0")
    connection.close()
    with (
        joblib.parallel_config(backend="threading", n_jobs=2),
        pytest.raises(CacheError, match="is damaged"),
    ):
        Counted(cache=cache).transform(waveforms)


def test_what_is_no_cache_is_refused_before_anything_is_computed(paths, cache, computed):
    cache.write_text("path,emotion\n" * 100)
    with pytest.raises(CacheError, match="is not a database, expected a cache"):
        Counted(cache=cache).transform(paths)
    assert count(computed) == 0
    assert cache.read_text() == "path,emotion\n" * 100


def test_a_copy_holds_the_path_only(paths, features, cache):
    extractor = EGeMAPSExtractor(cache=str(cache)).fit(paths)
    extractor.transform(paths[:1])
    assert vars(extractor).keys() == extractor.get_params().keys()
    for copy in (pickle.loads(pickle.dumps(extractor)), clone(extractor)):
        assert copy.cache == str(cache)
        np.testing.assert_array_equal(copy.transform(paths[:1]), features[:1])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_folds_share_a_cache(paths, features, cache, n_jobs, monkeypatch):
    y = ["low" if i % 2 else "high" for i in range(8)]
    model = make_pipeline(EGeMAPSExtractor(cache=cache), StandardScaler(), LogisticRegression())
    scores = cross_validate(model, paths, y, cv=2, n_jobs=n_jobs, error_score="raise")
    np.testing.assert_array_equal(scores["test_score"], 1)
    monkeypatch.setattr(_extraction, "Parallel", None)
    np.testing.assert_array_equal(EGeMAPSExtractor(cache=cache).transform(paths), features)


def test_parts_come_in_order_and_one_at_a_time(cache, computed):
    waveforms = [np.full(1600 + i, i / 1000) for i in range(95)]
    for cached in (None, cache, cache):
        seen = []
        for start, rows, errors in Counted(cache=cached).transform_parts(waveforms, 10):
            seen.append((start, len(rows)))
            assert errors == {}
            np.testing.assert_allclose(rows[:, 1], np.arange(start, start + len(rows)) / 1000)
            if computed:
                assert len(computed) <= start + len(rows)
        assert seen == [*((start, 10) for start in range(0, 90, 10)), (90, 5)]
        count(computed)


def threads_here():
    return [library["num_threads"] for library in threadpool_info()]


def test_every_recording_is_computed_by_one_thread():
    class Threads(MeanAndPeak):
        def _function(self):
            # Not a name of this module, which workers cannot import.
            return lambda y, sr: [max(x["num_threads"] for x in threadpool_info()), 0]

    before = threads_here()
    waveforms = [np.zeros(1600)] * 20
    for backend in ("sequential", "threading", "loky"):
        with joblib.parallel_config(backend=backend, n_jobs=2):
            assert (Threads().transform(waveforms)[:, 0] == 1).all()
        assert threads_here() == before


def test_a_million_paths_are_not_a_million_tasks(monkeypatch):
    handed_out = finished = most_ahead = 0
    lock = threading.Lock()
    tasks = _extraction.Extraction._tasks

    def watched(self, lookups):
        nonlocal handed_out, most_ahead
        for task in tasks(self, lookups):
            with lock:
                handed_out += 1
                most_ahead = max(most_ahead, handed_out - finished)
            yield task

    def slow(y, sr):
        nonlocal finished
        time.sleep(0.001)
        with lock:
            finished += 1
        return mean_and_peak(y, sr)

    monkeypatch.setattr(_extraction.Extraction, "_tasks", watched)
    monkeypatch.setattr(MeanAndPeak, "_function", lambda self: slow)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        MeanAndPeak().transform([np.zeros(1600)] * 3000)
    assert handed_out == finished == 3000
    assert most_ahead < 1500
