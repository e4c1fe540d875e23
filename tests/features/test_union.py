import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn import clone
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor
from sklearn_ser.exceptions import AudioError, AudioWarning, EncoderError, ExtractionWarning
from sklearn_ser.features import ExtractorUnion, FunctionExtractor, write_features


def level(y, sr):
    return [np.sqrt(np.mean(y**2)), len(y) / sr]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    names = []
    for i, n_samples in enumerate((16000, 9000, 24000, 8000, 1600)):
        names.append(str(folder / f"{i}.wav"))
        soundfile.write(names[-1], rng.normal(0, 0.1, n_samples), 16000, subtype="FLOAT")
    return names


@pytest.fixture
def union(whisper_folder):
    members = [FunctionExtractor(level, ["rms", "seconds"]), EmbeddingExtractor(whisper_folder)]
    return ExtractorUnion(members)


def test_columns_stand_side_by_side(union, paths):
    expected = np.hstack([one.transform(paths) for one in union.extractors])
    np.testing.assert_array_equal(union.fit_transform(paths), expected)
    names = union.get_feature_names_out().tolist()
    assert names[:3] == ["rms", "seconds", "small_layer0_mean_0"]
    assert len(names) == expected.shape[1] == 66


def test_settings_reach_all_members(union, paths, tmp_path, monkeypatch):
    with pytest.raises(AudioError, match=r"0\.05 s"):
        union.set_params(max_duration=0.05).transform(paths)
    union.set_params(max_duration=60, cache=tmp_path / "rows.db", n_jobs=2)
    with pytest.raises(ValueError, match="version"):
        union.transform(paths)
    union.extractors[0].version = 1
    X = union.transform(paths)
    assert all(one.cache is None and one.n_jobs is None for one in union.extractors)
    # From the cache: nothing is left that could compute.
    monkeypatch.setattr("sklearn_ser.features._extraction.compute", None)
    np.testing.assert_array_equal(union.transform(paths), X)


def test_a_recording_that_one_cannot_use_has_no_row(paths, whisper_folder):
    def picky(y, sr):
        if len(y) == 9000:
            raise AudioError("not this one")
        return [len(y)]

    members = [EmbeddingExtractor(whisper_folder), FunctionExtractor(picky, ["n"])]
    union = ExtractorUnion(members, on_error="nan")
    with pytest.warns(ExtractionWarning, match=r"1 of 5 .*1\.wav.*not this one"):
        X = union.transform(paths)
    assert np.isnan(X).all(axis=1).tolist() == [False, True, False, False, False]
    assert not np.isnan(np.delete(X, 1, axis=0)).any()
    rows, usable, errors = union.transform_usable(paths)
    assert usable.tolist() == [True, False, True, True, True]
    assert [*errors] == [1]
    np.testing.assert_array_equal(rows, X[usable])
    with pytest.raises(AudioError, match=r"1\.wav: not this one"):
        union.set_params(on_error="raise").transform(paths)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_parts(union, paths, size):
    X = union.transform(paths)
    parts = list(union.transform_parts(paths, size))
    assert [start for start, _, _ in parts] == list(range(0, 5, size))
    np.testing.assert_array_equal(np.vstack([rows for _, rows, _ in parts]), X)


def test_a_table_is_written(union, paths, tmp_path):
    write_features(union, paths, tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    np.testing.assert_allclose(table.iloc[:, 1:], union.transform(paths), rtol=1e-5)


def test_a_doubtful_recording_is_named_once(union):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        union.transform([np.zeros(8000)])
    assert [one.category for one in caught] == [AudioWarning]


def test_copies(union, paths):
    X = union.fit(paths).transform(paths)
    np.testing.assert_array_equal(clone(union).transform(paths), X)
    assert not hasattr(clone(union).extractors[1], "encoder_")


def test_members_are_fitted_as_steps_are(union, paths, tmp_path):
    union.fit(paths)
    assert union.extractors[1].encoder_["name"] == "small"
    union.extractors[1].set_params(encoder=str(tmp_path / "gone"))
    with pytest.raises(EncoderError, match="was fitted with 'small'"):
        union.transform(paths)


def test_pickles_are_light(whisper_folder, paths):
    union = ExtractorUnion([EGeMAPSExtractor(), EmbeddingExtractor(str(whisper_folder))])
    X = union.fit_transform(paths[:2])
    data = pickle.dumps(union)
    assert len(data) < 4000
    np.testing.assert_array_equal(pickle.loads(data).transform(paths[:2]), X)


def test_rates(whisper_folder, paths):
    members = [FunctionExtractor(level, ["rms", "s"], sampling_rate=8000)]
    assert ExtractorUnion(members).sampling_rate == 8000
    union = ExtractorUnion([*members, EmbeddingExtractor(whisper_folder)])
    assert union.sampling_rate is None
    assert union.transform(paths).shape == (5, 66)
    with pytest.raises(ValueError, match="X holds waveforms"):
        union.transform([np.ones(8000)])


@pytest.mark.parametrize(
    ("members", "found"), [([], "nothing"), ([StandardScaler()], "StandardScaler")]
)
def test_members_of_another_kind(members, found, paths):
    with pytest.raises(ValueError, match=f"extractors holds {found}, expected at least one"):
        ExtractorUnion(members).fit(paths)


def test_columns_of_one_name(paths):
    member = FunctionExtractor(level, ["rms", "seconds"])
    with pytest.raises(ValueError, match="Two of the extractors have a column 'rms'"):
        ExtractorUnion([member, clone(member)]).get_feature_names_out()
