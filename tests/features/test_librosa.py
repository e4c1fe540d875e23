import json
import pickle
import subprocess
import sys
import warnings
from importlib.metadata import PackageNotFoundError

import joblib
import numpy as np
import pytest
import scipy.stats
import soundfile
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_ser.exceptions import AudioError, AudioWarning, ExtractionWarning
from sklearn_ser.features import LibrosaExtractor

ALL = (
    "mfcc", "delta_mfcc", "delta2_mfcc", "mel", "delta_mel", "chroma", "tonnetz",
    "spectral_contrast", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff",
    "spectral_flatness", "zero_crossing_rate", "delta_zero_crossing_rate", "rms",
)  # fmt: skip
STATISTICS = (
    "mean", "std", "min", "max", "range", "median", "skew", "kurtosis", "p20", "p97.5",
)  # fmt: skip
SR = 16000


def speechlike(seconds=0.9, sr=SR, seed=0):
    """Harmonics of a falling F0 in noise, with a pause."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * sr)) / sr
    phase = 2 * np.pi * np.cumsum(220 - 80 * time) / sr
    y = sum(np.sin(k * phase) / k for k in range(1, 20)) / 6
    y *= np.where(np.abs(time - 0.5) < 0.1, 0.01, 1)
    return (y + rng.normal(size=len(y)) / 300).astype(np.float32)


def direct(y, sr, n_fft=2048, hop_length=512, n_mfcc=20, n_mels=128, fmin=0.0, fmax=None, **other):
    """The contours as librosa's functions give them, each asked for by itself."""
    from librosa import feature, power_to_db

    win_length = other.get("win_length")
    n_bands, roll_percent = other.get("n_bands", 6), other.get("roll_percent", 0.85)
    frames = {"n_fft": n_fft, "hop_length": hop_length, "win_length": win_length}
    samples = {"frame_length": n_fft, "hop_length": hop_length}
    bands = {"n_mels": n_mels, "fmin": fmin, "fmax": fmax}
    mfcc = feature.mfcc(y=y, sr=sr, n_mfcc=n_mfcc, **bands, **frames)
    mel = power_to_db(feature.melspectrogram(y=y, sr=sr, **bands, **frames))
    chroma = feature.chroma_stft(y=y, sr=sr, tuning=other.get("tuning", 0.0), **frames)
    crossings = feature.zero_crossing_rate(y, **samples)
    return {
        "mfcc": mfcc,
        "delta_mfcc": feature.delta(mfcc),
        "delta2_mfcc": feature.delta(mfcc, order=2),
        "mel": mel,
        "delta_mel": feature.delta(mel),
        "chroma": chroma,
        "tonnetz": feature.tonnetz(chroma=chroma, sr=sr),
        "spectral_contrast": feature.spectral_contrast(y=y, sr=sr, n_bands=n_bands, **frames),
        "spectral_centroid": feature.spectral_centroid(y=y, sr=sr, **frames),
        "spectral_bandwidth": feature.spectral_bandwidth(y=y, sr=sr, **frames),
        "spectral_rolloff": feature.spectral_rolloff(
            y=y, sr=sr, roll_percent=roll_percent, **frames
        ),
        "spectral_flatness": feature.spectral_flatness(y=y, **frames),
        "zero_crossing_rate": crossings,
        "delta_zero_crossing_rate": feature.delta(crossings),
        "rms": feature.rms(y=y, **samples),
    }


def expected_row(contours, features, statistics):
    functions = {
        "mean": np.mean,
        "std": np.std,
        "min": np.min,
        "max": np.max,
        "range": np.ptp,
        "median": np.median,
        "skew": scipy.stats.skew,
        "kurtosis": scipy.stats.kurtosis,
        "p20": lambda row: np.percentile(row, 20),
        "p97.5": lambda row: np.percentile(row, 97.5),
    }
    rows = [row.astype(float) for feature in features for row in contours[feature]]
    return np.array([functions[name](row) for row in rows for name in statistics])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_fft": 512, "hop_length": 160, "win_length": 400, "n_mels": 40, "n_mfcc": 13},
        {"n_fft": 1023, "hop_length": 300, "fmin": 50.0, "fmax": 4000.0, "n_bands": 4},
        {"roll_percent": 0.5, "tuning": None},
        {"tuning": 0.3},
    ],
    ids=repr,
)
def test_values_are_librosas_own(parameters):
    y = speechlike()
    extractor = LibrosaExtractor(features=ALL, statistics=STATISTICS, **parameters)
    row = extractor.transform([y])[0]
    expected = expected_row(direct(y, SR, **parameters), ALL, STATISTICS)
    assert len(row) == len(expected)
    # Higher moments of nearly constant contours magnify float32 rounding.
    moments = np.array([name.endswith(("skew", "kurtosis")) for name in extractor._names()])
    np.testing.assert_allclose(row[~moments], expected[~moments], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(row[moments], expected[moments], rtol=2e-3, atol=2e-3)


def test_values_are_librosas_own_at_the_rate_of_the_file(tmp_path):
    for sr in (8000, 22050):
        y = speechlike(sr=sr)
        soundfile.write(tmp_path / f"{sr}.wav", y, sr, subtype="FLOAT")
        extractor = LibrosaExtractor(sampling_rate=None, features=ALL, n_bands=5)
        expected = expected_row(direct(y, sr, n_bands=5), ALL, ("mean", "std"))
        row = extractor.transform([tmp_path / f"{sr}.wav"])[0]
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-5)


def values(y, sr=SR, **parameters):
    extractor = LibrosaExtractor(sampling_rate=sr, **parameters)
    row = extractor.transform([np.asarray(y, dtype=np.float32)])[0]
    return dict(zip(extractor.get_feature_names_out(), row.tolist(), strict=True))


@pytest.mark.parametrize("frequency", [500, 1500, 3000])
def test_a_sine(frequency):
    time = np.arange(SR) / SR
    y = 0.3 * np.sin(2 * np.pi * frequency * time)
    got = values(y, statistics=("median",))
    bin_width = SR / 2048
    assert got["spectral_centroid_median"] == pytest.approx(frequency, abs=2)
    assert got["spectral_bandwidth_median"] < 50
    assert got["spectral_rolloff_median"] == pytest.approx(frequency, abs=1.01 * bin_width)
    assert got["spectral_flatness_median"] < 1e-3
    assert got["zero_crossing_rate_median"] == pytest.approx(2 * frequency / SR, rel=0.01)
    assert got["rms_median"] == pytest.approx(0.3 / np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize(("midi", "pitch_class"), [(69, 9), (60, 0), (64, 4)])
def test_the_pitch_class_of_a_note(midi, pitch_class):
    frequency = 440 * 2 ** ((midi - 69) / 12)
    got = values(np.sin(2 * np.pi * frequency * np.arange(SR) / SR), features=("chroma",))
    chroma = [got[f"chroma{i}_mean"] for i in range(12)]
    assert np.argmax(chroma) == pitch_class


def test_gain_moves_levels_only():
    y = speechlike()
    loud, soft = values(y, features=ALL), values(y / 2, features=ALL)
    decibels = 20 * np.log10(2)
    for name, value in loud.items():
        change = value - soft[name]
        if name.startswith("mel") and name.endswith("mean"):
            assert change == pytest.approx(decibels, abs=1e-3)
        elif name == "mfcc0_mean":
            # The zeroth coefficient of an orthonormal transform of 128 bands.
            assert change == pytest.approx(decibels * np.sqrt(128), abs=1e-2)
        elif name.startswith("rms"):
            assert value == pytest.approx(2 * soft[name], rel=1e-5)
        else:
            assert change == pytest.approx(0, abs=1e-3 * max(1, abs(value)))


def test_statistics_of_known_levels():
    y = np.repeat([0.0, 0.1, 0.2, 0.3, 1.0], 100)
    got = values(y, 4000, features=("rms",), statistics=STATISTICS, n_fft=2, hop_length=100)
    # Frames of two samples around 0, 100, ... 500: each has one of either level, at the ends 0.
    levels = np.sqrt(np.array([0, 0.01, 0.05, 0.13, 1.09, 1.0]) / 2)
    expected = expected_row({"rms": levels[None]}, ("rms",), STATISTICS)
    np.testing.assert_allclose(list(got.values()), expected, rtol=1e-4)


@pytest.mark.parametrize(
    "y",
    [
        np.zeros(SR),
        np.full(SR, 0.5),
        np.eye(1, SR, SR // 2)[0],
        np.where(np.arange(SR) // 50 % 2, 1.0, -1.0),
        np.random.default_rng(0).normal(size=SR) / 5,
        1e-20 * np.random.default_rng(0).normal(size=SR),
    ],
    ids=["silence", "constant", "impulse", "clipped square wave", "noise", "faint noise"],
)
def test_everything_is_finite(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Silence and clipping are remarked on; libraries must have nothing to add.
        warnings.simplefilter("ignore", AudioWarning)
        got = values(y, features=ALL, statistics=STATISTICS)
    assert np.isfinite(list(got.values())).all()


def test_constant_contours_have_no_shape():
    got = values(np.zeros(SR), features=("mel", "rms"), statistics=("std", "skew", "kurtosis"))
    assert set(got.values()) == {0}


@pytest.mark.parametrize("n_samples", [960, 961, 2047, 2048, 4096])
def test_recordings_shorter_than_a_frame(n_samples):
    y = speechlike()[:n_samples]
    features = ("spectral_centroid", "spectral_rolloff", "rms")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(list(values(y, features=ALL).values())).all()
        got = values(y, features=features)
    # librosa sees the same zeros after the recording whether it or we put them there.
    contours = direct(np.pad(y, (0, 4096)), SR)
    contours = {name: contours[name][:, : 1 + n_samples // 512] for name in features}
    expected = expected_row(contours, features, ("mean", "std"))
    np.testing.assert_allclose(list(got.values()), expected, rtol=1e-4)


def test_a_single_frame():
    got = values(speechlike()[:960], features=ALL, statistics=STATISTICS, hop_length=2048)
    assert np.isfinite(list(got.values())).all()
    assert {got[f"{name}_range"] for name in ("rms", "mfcc0", "delta_mfcc3")} == {0}


def test_names():
    extractor = LibrosaExtractor(
        features=("delta_mfcc", "rms", "spectral_contrast"), statistics=("p5", "mean"), n_mfcc=2
    )
    assert extractor.get_feature_names_out().tolist() == [
        *("delta_mfcc0_p5", "delta_mfcc0_mean", "delta_mfcc1_p5", "delta_mfcc1_mean"),
        *("rms_p5", "rms_mean"),
        *(f"spectral_contrast{i}_{statistic}" for i in range(7) for statistic in ("p5", "mean")),
    ]
    names = LibrosaExtractor(features=ALL, statistics=STATISTICS).get_feature_names_out()
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Six recordings, every second one of them noise."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    paths = []
    for i in range(6):
        y = rng.normal(size=SR // 2) / 10 if i % 2 else speechlike(0.5, seed=i)
        paths.append(str(folder / f"{i}.wav"))
        soundfile.write(paths[-1], y, SR)
    return paths


def test_processes_threads_order_and_batch_do_not_matter(paths):
    extractor = LibrosaExtractor()
    rows = extractor.transform(paths)
    assert rows.shape == (6, 386)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(extractor.transform(paths[::-1]), rows[::-1])
    np.testing.assert_array_equal(extractor.transform(paths[3:4]), rows[3:4])
    np.testing.assert_array_equal(clone(extractor).set_params(n_jobs=2).transform(paths), rows)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        np.testing.assert_array_equal(extractor.transform(paths), rows)


def test_clone_pickle_parameters_tags_and_pandas(paths):
    extractor = LibrosaExtractor(features=["mfcc"], n_mfcc=5).set_output(transform="pandas")
    assert get_tags(extractor).requires_fit is False
    frame = extractor.transform(paths)
    assert list(frame.columns) == list(extractor.get_feature_names_out())
    for copy in (clone(extractor), pickle.loads(pickle.dumps(extractor)), extractor.fit(paths)):
        assert repr(copy) == "LibrosaExtractor(features=['mfcc'], n_mfcc=5)"
        assert copy.get_params() == extractor.get_params()
        np.testing.assert_array_equal(copy.transform(paths), frame)


def test_first_step_of_a_pipeline(paths):
    model = make_pipeline(LibrosaExtractor(), StandardScaler(), LogisticRegression())
    y = ["noise" if i % 2 else "speech" for i in range(6)]
    np.testing.assert_array_equal(cross_val_score(model, paths, y, cv=3, error_score="raise"), 1)


def test_a_bad_recording_becomes_a_row_of_nan(paths, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    extractor = LibrosaExtractor(features=("rms",), on_error="nan")
    with pytest.warns(ExtractionWarning, match=r"1 of 2 .*bad\.wav"):
        rows = extractor.transform([bad, paths[0]])
    assert np.isnan(rows).tolist() == [[True, True], [False, False]]


def test_a_rate_too_low_for_the_settings_is_an_error_of_the_recording(tmp_path):
    path = tmp_path / "low.wav"
    soundfile.write(path, speechlike(sr=8000), 8000)
    extractor = LibrosaExtractor(sampling_rate=None, features=("spectral_contrast",))
    with pytest.raises(AudioError, match=r"low\.wav: .*at 8000 Hz the last of n_bands=6 octaves"):
        extractor.transform([path])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"features": ("mfcc", "f0")}, r"features is \('mfcc', 'f0'\), expected .* mfcc, mel"),
        ({"features": ("delta3_mfcc",)}, "features is .*, expected a sequence of"),
        ({"features": ("delta_delta_mfcc",)}, "features is .*, expected a sequence of"),
        ({"features": ()}, r"features is \(\), expected a sequence of"),
        ({"features": ("rms", "rms")}, r"features is .*, expected each entry once"),
        ({"features": (1,)}, r"features is \(1,\), expected a sequence of"),
        ({"statistics": ("mean", "variance")}, "statistics is .*, expected .* mean, std"),
        ({"statistics": ("p101",)}, "statistics is .* percentiles such as p20"),
        ({"statistics": ()}, r"statistics is \(\), expected a sequence"),
        ({"n_mfcc": 41, "n_mels": 40}, "n_mfcc=41 coefficients of n_mels=40 bands"),
        ({"win_length": 4096}, "win_length=4096 is longer than n_fft=2048"),
        ({"fmin": 500, "fmax": 400}, r"fmin=500\.0 is not below fmax=400\.0"),
        ({"fmax": 8001}, r"mel bands .* fmax=8001\.0 Hz, expected at most 8000 Hz"),
        ({"fmin": 9000}, r"mel bands lie between fmin=9000\.0"),
        ({"sampling_rate": 8000}, "last of n_bands=6 octaves .* 6400 Hz, expected less than 4000"),
        ({"n_fft": 64}, "n_fft=64 resolves 250 Hz, expected 200 Hz or finer.* Set n_fft to 80"),
    ],
)
def test_parameters_that_make_no_sense(parameters, message):
    extractor = LibrosaExtractor(**parameters)
    with pytest.raises(ValueError, match=message):
        extractor.transform([np.zeros(SR)])
    with pytest.raises(ValueError, match=message):
        extractor.get_feature_names_out()


def test_only_what_is_asked_for_must_make_sense():
    got = values(np.zeros(SR), 8000, features=("rms",), n_fft=64, n_mfcc=500, fmax=1e5)
    assert got == {"rms_mean": 0, "rms_std": 0}


@pytest.mark.parametrize(
    "parameters",
    [
        {"features": "mfcc"}, {"statistics": "mean"}, {"n_fft": 1}, {"hop_length": 0},
        {"win_length": 0}, {"n_mfcc": 0}, {"n_mels": 2.5}, {"fmin": -1}, {"fmax": 0},
        {"n_bands": 0}, {"roll_percent": 1}, {"tuning": "auto"},
    ],
    ids=repr,
)  # fmt: skip
def test_parameters_are_checked(parameters):
    extractor = LibrosaExtractor(**parameters)
    for method in (extractor.fit, extractor.transform):
        with pytest.raises(InvalidParameterError, match=next(iter(parameters))):
            method([np.zeros(SR)])


def test_every_parameter_of_the_values_tells_rows_apart_in_the_cache():
    changes = {
        "features": ("rms",), "statistics": ("max",), "n_fft": 1024, "hop_length": 256,
        "win_length": 1024, "n_mfcc": 13, "n_mels": 64, "fmin": 20.0, "fmax": 7000.0, "n_bands": 5,
        "roll_percent": 0.9, "tuning": 0.1,
    }  # fmt: skip
    irrelevant = {
        "cache": "file", "n_jobs": 2, "on_error": "nan", "verbose": 1, "max_duration": 9.0,
    }  # fmt: skip
    recipes = [LibrosaExtractor(**{name: value})._recipe() for name, value in changes.items()]
    recipes.append(LibrosaExtractor(**irrelevant)._recipe())
    assert len({json.dumps(recipe, sort_keys=True) for recipe in recipes}) == len(recipes)
    assert recipes[-1] == LibrosaExtractor()._recipe()
    parameters = LibrosaExtractor().get_params().keys()
    # The base class adds the rate itself.
    assert changes.keys() | irrelevant.keys() | {"sampling_rate"} == parameters


def test_rows_come_from_the_cache(paths, tmp_path, monkeypatch):
    extractor = LibrosaExtractor(features=("mfcc", "rms"), cache=tmp_path / "cache.sqlite")
    rows = extractor.transform(paths)
    monkeypatch.setitem(sys.modules, "librosa", None)
    np.testing.assert_array_equal(extractor.transform(paths[::-1]), rows[::-1])


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_missing_librosa_is_named_with_its_extra(on_error, tmp_path, monkeypatch):
    def no_version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setitem(sys.modules, "librosa", None)
    monkeypatch.setattr("sklearn_ser.features._librosa.version", no_version)
    for cache in (None, tmp_path / "cache.sqlite"):
        extractor = LibrosaExtractor(cache=cache, on_error=on_error)
        with pytest.raises(
            ImportError, match=r"^LibrosaExtractor needs librosa: pip install '.*\[lib"
        ):
            extractor.transform([np.zeros(16000)])


def test_librosa_is_imported_for_the_first_row_only():
    code = """
import sys
import numpy as np
from sklearn_ser.features import LibrosaExtractor
extractor = LibrosaExtractor(features=("rms",)).fit([np.zeros(1600)])
extractor.get_feature_names_out(), extractor._recipe()
assert "librosa" not in sys.modules
extractor.transform([np.zeros(1600)])
assert "librosa" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
