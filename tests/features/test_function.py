import functools
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_ser.audio import load_audio
from sklearn_ser.exceptions import AudioError, ExtractionWarning
from sklearn_ser.features import FunctionExtractor, egemaps

NAMES = ("rms", "peak")


def rms_and_peak(y, sr, *, gain=1):
    return np.array([np.sqrt(np.mean(y**2)), np.abs(y).max()]) * gain


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Four recordings with sines of amplitude 0.1 to 0.4, whose rms is that over sqrt(2)."""
    folder = tmp_path_factory.mktemp("recordings")
    paths = []
    for i, sr in enumerate((16000, 16000, 44100, 48000), start=1):
        y = i / 10 * np.sin(2 * np.pi * 100 * np.arange(sr // 2) / sr)
        paths.append(str(folder / f"{i}.wav"))
        soundfile.write(paths[-1], y, sr, subtype="FLOAT")
    return paths


EXPECTED = np.outer([0.1, 0.2, 0.3, 0.4], [np.sqrt(0.5), 1])


def test_one_row_for_each_recording(paths):
    rows = FunctionExtractor(rms_and_peak, NAMES).transform(paths)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[:2], EXPECTED[:2], rtol=1e-4)
    # Resampling rings where the sine starts and ends.
    np.testing.assert_allclose(rows, EXPECTED, rtol=0.05)


@pytest.mark.parametrize(
    "convert",
    [
        tuple,
        list,
        np.float64,
        lambda row: dict(zip(NAMES, row, strict=True)),
        lambda row: dict(zip(NAMES[::-1], row[::-1], strict=True)),
        lambda row: pd.Series(row, index=list(NAMES)),
        lambda row: pd.Series(row[::-1], index=list(NAMES[::-1])),
    ],
    ids=["tuple", "list", "float64", "dict", "other order", "Series", "Series in other order"],
)
def test_kinds_of_results(paths, convert):
    extractor = FunctionExtractor(lambda y, sr: convert(rms_and_peak(y, sr)), NAMES)
    np.testing.assert_array_equal(
        extractor.transform(paths), FunctionExtractor(rms_and_peak, NAMES).transform(paths)
    )


def test_one_name_may_have_a_bare_number(paths):
    for function in (lambda y, sr: sr, lambda y, sr: [sr], lambda y, sr: {"rate": sr}):
        extractor = FunctionExtractor(function, ["rate"], sampling_rate=None)
        np.testing.assert_array_equal(
            extractor.transform(paths), [[16000], [16000], [44100], [48000]]
        )


def test_the_waveform_is_the_functions_own(paths):
    def destructive(y, sr):
        assert y.dtype == np.float32
        y[:] = 0
        return 0

    waveform = np.full(1600, 0.5, np.float32)
    FunctionExtractor(destructive, ["zero"]).transform([waveform])
    np.testing.assert_array_equal(waveform, 0.5)


def test_names_keywords_and_pandas_output(paths):
    extractor = FunctionExtractor(rms_and_peak, list(NAMES), kw_args={"gain": 2})
    frame = extractor.set_output(transform="pandas").transform(paths[:2])
    assert list(frame.columns) == list(extractor.get_feature_names_out()) == list(NAMES)
    np.testing.assert_allclose(frame, 2 * EXPECTED[:2], rtol=1e-4)


def test_clone_pickle_parameters_and_tags(paths):
    extractor = FunctionExtractor(rms_and_peak, NAMES, kw_args={"gain": 3}, on_error="nan")
    assert get_tags(extractor).requires_fit is False
    assert extractor.get_params()["kw_args"] == {"gain": 3}
    rows = extractor.transform(paths)
    for copy in (clone(extractor), pickle.loads(pickle.dumps(extractor)), extractor.fit(paths)):
        assert repr(copy) == repr(extractor)
        np.testing.assert_array_equal(copy.transform(paths), rows)


def test_processes_and_threads(paths):
    gain = 2
    # Neither pickle nor an import finds this function.
    extractor = FunctionExtractor(lambda y, sr: gain * abs(y).max(), ["peak"])
    rows = extractor.transform(paths)
    np.testing.assert_array_equal(clone(extractor).set_params(n_jobs=2).transform(paths), rows)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        np.testing.assert_array_equal(extractor.transform(paths), rows)


def test_search_over_its_keywords(paths):
    model = make_pipeline(FunctionExtractor(rms_and_peak, NAMES), LogisticRegression(C=1e6))
    grid = {"functionextractor__kw_args": [{"gain": 0}, {"gain": 1}]}
    y = np.array(["soft", "soft", "loud", "loud"])
    search = GridSearchCV(model, grid, cv=[([0, 1, 2, 3], [0, 1, 2, 3])], error_score="raise")
    assert search.fit(paths, y).best_params_ == {"functionextractor__kw_args": {"gain": 1}}
    assert search.best_score_ == 1


def fails_when_loud(error):
    def function(y, sr):
        if np.abs(y).max() > 0.15:
            raise error
        return rms_and_peak(y, sr)

    return function


@pytest.mark.parametrize(
    "error",
    [
        ValueError("too loud"),
        ZeroDivisionError("too loud"),
        np.linalg.LinAlgError("too loud"),
        KeyError("too loud"),
        RuntimeError("too loud"),
        FileNotFoundError("too loud"),
        AudioError("too loud"),
        type("LibraryError", (Exception,), {})("too loud"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_of_the_function_is_an_error_of_the_recording(paths, error):
    extractor = FunctionExtractor(fails_when_loud(error), NAMES)
    with pytest.raises(AudioError, match=r"2\.wav: .*too loud") as caught:
        extractor.transform(paths[:2])
    assert type(error).__name__ in str(caught.value) or isinstance(error, AudioError)
    with pytest.warns(ExtractionWarning, match=r"2 of 4 .*3\.wav: .*too loud"):
        rows = extractor.set_params(on_error="nan").transform([*paths[:1], *paths[2:], paths[0]])
    np.testing.assert_allclose(rows[[0, 3]], EXPECTED[[0, 0]], rtol=1e-4)
    assert np.isnan(rows[1:3]).all()


@pytest.mark.parametrize("on_error", ["raise", "nan"])
@pytest.mark.parametrize("error", [TypeError, NameError, AttributeError, ImportError, MemoryError])
def test_a_mistake_in_the_function_stops(paths, error, on_error):
    extractor = FunctionExtractor(fails_when_loud(error("my mistake")), NAMES, on_error=on_error)
    with pytest.raises(error, match="my mistake"):
        extractor.transform(paths)


@pytest.mark.parametrize("method", ["__init__", "read"])
def test_lack_of_memory_is_not_a_fault_of_a_recording(paths, monkeypatch, method):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(soundfile.SoundFile, method, full)
    with pytest.raises(MemoryError):
        FunctionExtractor(rms_and_peak, NAMES, on_error="nan").transform(paths)


@pytest.mark.parametrize("on_error", ["raise", "nan"])
@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([1, 2, 3], r"an array of shape \(3,\), expected \(2,\), one number for each"),
        ([[1, 2]], r"an array of shape \(1, 2\), expected \(2,\)"),
        (1.0, r"an array of shape \(\), expected \(2,\)"),
        (None, "NoneType that is not an array of real numbers, expected 2 numbers"),
        (["1", "2"], "list that is not an array of real numbers"),
        ([1j, 2], "list that is not an array of real numbers"),
        ([[1, 2], [3]], "list that is not an array of real numbers"),
        ({"rms": 1}, r"the names \['rms'\], expected .*\['peak'\] are missing"),
        ({"rms": 1, "peak": 1, "f0": 1}, r"the names .*\[\] are missing, \['f0'\] are unknown"),
    ],
)
def test_a_result_of_wrong_shape_stops(paths, result, message, on_error):
    def function(y, sr):
        return result

    extractor = FunctionExtractor(function, NAMES, on_error=on_error)
    with pytest.raises(ValueError, match=rf"function returned {message}") as caught:
        extractor.transform(paths)
    assert not isinstance(caught.value, AudioError)


def nan_peak(y, sr):
    return [1.5, np.nan]


def test_nan_is_an_error_unless_allowed(paths):
    extractor = FunctionExtractor(nan_peak, NAMES)
    message = r"1\.wav: nan_peak returned 1 of 2 values that are NaN .*peak=nan.*set allow_nan"
    with pytest.raises(AudioError, match=message):
        extractor.transform(paths[:1])
    with pytest.warns(ExtractionWarning, match=r"1 of 1 .*peak=nan"):
        rows = clone(extractor).set_params(on_error="nan").transform(paths[:1])
    np.testing.assert_array_equal(rows, [[np.nan, np.nan]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = extractor.set_params(allow_nan=True).transform(paths[:1])
    np.testing.assert_array_equal(rows, [[1.5, np.nan]])


def test_allowed_nan_is_cached(paths, tmp_path):
    extractor = FunctionExtractor(
        nan_peak,
        NAMES,
        version=1,
        allow_nan=True,
        cache=tmp_path / "cache.sqlite",
        on_error="nan",
    )
    for _ in range(2):
        np.testing.assert_array_equal(extractor.transform(paths[:1]), [[1.5, np.nan]])
    with pytest.warns(ExtractionWarning, match="peak=nan"):
        extractor.set_params(allow_nan=False).transform(paths[:1])


@pytest.mark.parametrize("allow_nan", [False, True])
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_infinite_values_are_errors(paths, value, allow_nan):
    extractor = FunctionExtractor(lambda y, sr: value, ["size"], allow_nan=allow_nan)
    with pytest.raises(AudioError, match=r"infinite as float32 \(size=-?inf\)"):
        extractor.transform(paths[:1])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "names is .*, expected at least one column name"),
        ([1, 2], r"names is \[1, 2\], expected .* all of them text"),
        (["a", "b", "a"], r"names holds \['a'\] more than once"),
    ],
)
def test_names_are_checked(paths, names, message):
    extractor = FunctionExtractor(rms_and_peak, names)
    with pytest.raises(ValueError, match=message):
        extractor.transform(paths)
    with pytest.raises(ValueError, match=message):
        extractor.get_feature_names_out()


@pytest.mark.parametrize(
    "parameters",
    [{"func": "rms"}, {"names": "rms"}, {"kw_args": [1]}, {"version": 1.5}, {"allow_nan": "yes"}],
    ids=repr,
)
def test_parameters_are_checked(paths, parameters):
    extractor = FunctionExtractor(rms_and_peak, NAMES).set_params(**parameters)
    for method in (extractor.fit, extractor.transform):
        with pytest.raises(InvalidParameterError, match=next(iter(parameters))):
            method(paths)


def recipe(*arguments, version=1, **keywords):
    return FunctionExtractor(*arguments, version=version, **keywords)._recipe()


def test_what_the_cache_distinguishes():
    recipes = [
        recipe(rms_and_peak, NAMES),
        recipe(rms_and_peak, NAMES[::-1]),
        recipe(rms_and_peak, NAMES, kw_args={"gain": 2}),
        recipe(functools.partial(rms_and_peak, gain=3), NAMES),
        recipe(functools.partial(functools.partial(rms_and_peak, gain=3), gain=4), NAMES),
        recipe(rms_and_peak, NAMES, allow_nan=True),
        recipe(rms_and_peak, NAMES, version=2),
        recipe(rms_and_peak, NAMES, version="one"),
        recipe(nan_peak, NAMES),
        recipe(MODEL, NAMES),
        recipe(functools.partial(MODEL), NAMES, kw_args={"gain": 2}),
    ]
    for i, one in enumerate(recipes):
        assert one not in recipes[:i]
    same = recipe(rms_and_peak, np.array(NAMES), kw_args={}, n_jobs=2, on_error="nan", verbose=1)
    assert same == recipes[0]


def test_arguments_that_look_alike_differ():
    alike = [
        1, 1.0, True, "1", [1], {"1": 1}, np.float32(1), np.int64(1), np.array(1.0),
        np.array([1.0]), np.array([1.0], np.float32), Path("1"), None, float("nan"),
    ]  # fmt: skip
    recipes = [recipe(rms_and_peak, NAMES, kw_args={"gain": value}) for value in alike]
    assert len({one["arguments"] for one in recipes}) == len(alike)


def test_equal_arguments_are_equal_in_any_order():
    one = recipe(rms_and_peak, NAMES, kw_args={"gain": np.arange(3.0), "other": {"a": 1, "b": 2}})
    other = recipe(rms_and_peak, NAMES, kw_args={"other": {"b": 2, "a": 1}, "gain": np.arange(3.0)})
    assert one == other


class Model:
    def __call__(self, y, sr):
        return float(len(y))


MODEL = Model()


@pytest.mark.parametrize(
    "value",
    [MODEL, Model, np.mean, {1, 2}, b"1", 1j, np.array([MODEL], dtype=object), {(1, 2): 3}],
    ids=lambda value: type(value).__name__,
)
def test_arguments_that_cannot_be_compared_are_refused(value):
    with pytest.raises(ValueError, match=r"^kw_args or .* hold .*, expected numbers.* cache=None"):
        recipe(rms_and_peak, NAMES, kw_args={"gain": value})
    with pytest.raises(ValueError, match=r"^kw_args or the arguments of a partial hold"):
        recipe(functools.partial(rms_and_peak, gain=value), NAMES)


def test_the_cache_needs_a_version(paths, tmp_path):
    cache = tmp_path / "cache.sqlite"
    extractor = FunctionExtractor(MODEL, ["length"], cache=cache)
    message = r"version is None, and cache=.*cache\.sqlite.* when Model changes\. Set version=1"
    with pytest.raises(ValueError, match=message):
        extractor.transform(paths)
    assert not cache.exists()
    np.testing.assert_array_equal(extractor.set_params(version=1).transform(paths), 8000)
    assert cache.exists()
    np.testing.assert_array_equal(extractor.set_params(cache=None).transform(paths), 8000)


def test_numbers_and_text_name_the_same_version():
    assert recipe(rms_and_peak, NAMES, version="2") == recipe(rms_and_peak, NAMES, version=2)


def test_rows_come_from_the_cache(paths, tmp_path):
    calls = []

    def count(y, sr):
        calls.append(len(y))
        return len(calls)

    extractor = FunctionExtractor(count, ["n"], version=1, cache=tmp_path / "cache.sqlite")
    np.testing.assert_array_equal(extractor.transform(paths)[:, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(extractor.transform(paths[::-1])[:, 0], [4, 3, 2, 1])
    assert len(calls) == 4
    extractor.set_params(version=2).transform(paths[:1])
    assert len(calls) == 5


def test_functions_share_a_cache(paths, tmp_path):
    shared = {"version": 1, "cache": tmp_path / "cache.sqlite"}
    for _ in range(2):
        for gain in (1, 2):
            rows = FunctionExtractor(rms_and_peak, NAMES, kw_args={"gain": gain}, **shared)
            np.testing.assert_allclose(rows.transform(paths[:2]), gain * EXPECTED[:2], rtol=1e-4)


def test_the_functions_of_the_package_fit(paths):
    extractor = FunctionExtractor(egemaps, [f"x{i}" for i in range(88)])
    y, sr = load_audio(paths[0])
    np.testing.assert_array_equal(extractor.transform(paths[:1])[0], egemaps(y, sr))
