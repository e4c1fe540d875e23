import pickle
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

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import load_audio
from sklearn_ser.exceptions import AudioError, ExtractionWarning
from sklearn_ser.features import FUNCTIONAL_NAMES, RecordingTransformer, egemaps


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


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a.wav", r"single path 'a.wav'.*Write \[path\]"),
        (Path("a.wav"), "single path 'a.wav'"),
        ([], "X holds 0 recordings"),
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
    "parameters", [{"sampling_rate": 100}, {"on_error": "ignore"}, {"n_jobs": 1.5}]
)
def test_parameters_are_checked_with_and_without_fit(paths, parameters):
    for method in ("fit", "transform"):
        with pytest.raises(InvalidParameterError, match=next(iter(parameters))):
            getattr(EGeMAPSExtractor(**parameters), method)(paths)


def mean_and_peak(y, sr):
    return np.array([y.mean(), np.abs(y).max()])


class MeanAndPeak(RecordingTransformer):
    def _function(self):
        return mean_and_peak

    def _names(self):
        return ("mean", "peak")


def test_any_function_of_a_recording_can_use_the_base(paths):
    out = MeanAndPeak().set_output(transform="pandas").transform(paths)
    assert list(out.columns) == ["mean", "peak"]
    y, sr = load_audio(paths[2])
    np.testing.assert_allclose(out.iloc[2], mean_and_peak(y, sr))
