import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor, load, save
from sklearn_ser.exceptions import AudioError, AudioWarning, EncoderError, ExtractionWarning
from sklearn_ser.features import (
    ExtractorUnion,
    FunctionExtractor,
    make_extractor_union,
    write_features,
)


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
    return ExtractorUnion(
        [
            ("level", FunctionExtractor(level, ["rms", "seconds"])),
            ("encoder", EmbeddingExtractor(whisper_folder)),
        ]
    )


def test_columns_stand_side_by_side(union, paths):
    expected = np.hstack([one.transform(paths) for _, one in union.extractors])
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
    X = union.set_params(level__version=1).transform(paths)
    assert all(one.cache is None and one.n_jobs is None for _, one in union.extractors)
    # From the cache: nothing is left that could compute.
    monkeypatch.setattr("sklearn_ser.features._extraction.compute", None)
    np.testing.assert_array_equal(union.transform(paths), X)


def test_members_keep_their_settings_where_the_union_has_none(union, paths, tmp_path):
    seen = []

    class Recorder(FunctionExtractor):
        def _transform_parts(self, *args, **options):
            seen.append((self.cache, self.n_jobs, self.max_duration, self.on_error, self.verbose))
            return super()._transform_parts(*args, **options)

    own = {"cache": tmp_path / "own.db", "n_jobs": 2, "max_duration": 9.0, "verbose": 1}
    member = Recorder(level, ["rms", "seconds"], version=1, on_error="nan", **own)
    union.set_params(level=member).transform(paths)
    assert seen.pop() == (tmp_path / "own.db", 2, 9.0, "raise", 1)
    common = {"cache": tmp_path / "all.db", "n_jobs": 1, "max_duration": 8.0, "verbose": 2}
    union.set_params(**common).transform(paths)
    assert seen.pop() == (tmp_path / "all.db", 1, 8.0, "raise", 2)
    assert member.cache == tmp_path / "own.db"
    with pytest.raises(AudioError, match="longer than 1 s"):
        union.set_params(max_duration=None, cache=None, encoder__max_duration=1).transform(paths)


def test_a_recording_that_one_cannot_use_has_no_row(paths, whisper_folder):
    def picky(y, sr):
        if len(y) == 9000:
            raise AudioError("not this one")
        return [len(y)]

    members = EmbeddingExtractor(whisper_folder), FunctionExtractor(picky, ["n"])
    union = make_extractor_union(*members, on_error="nan")
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
    copy = clone(union)
    np.testing.assert_array_equal(copy.transform(paths), X)
    assert not hasattr(dict(copy.extractors)["encoder"], "encoder_")
    assert repr(copy) == repr(union)


def test_parameters_of_members(union, paths):
    params = union.get_params()
    assert params["encoder"] is union.extractors[1][1]
    assert params["encoder__layer"] == "all"
    assert "encoder__layer" not in union.get_params(deep=False)
    union.set_params(encoder__layer=2, encoder__pooling="both", on_error="nan")
    assert union.transform(paths).shape == (5, 34)
    assert union.set_params(level=EGeMAPSExtractor()).transform(paths).shape == (5, 120)
    with pytest.raises(ValueError, match="Invalid parameter 'size' for estimator ExtractorUnion"):
        union.set_params(size=3)
    assert clone(union).get_params()["encoder__layer"] == 2


def test_search_over_parameters_of_members(union, paths):
    model = make_pipeline(union, StandardScaler(), LogisticRegression())
    grid = {
        "extractorunion__encoder__layer": [0, (1, 3)],
        "extractorunion__level": [union.extractors[0][1]],
    }
    split = [([0, 1, 2, 3], [3, 4])]
    search = GridSearchCV(model, grid, cv=split, error_score="raise")
    search.fit(paths, ["a", "b", "a", "b", "a"])
    assert search.best_estimator_[0].get_params()["encoder__layer"] in (0, (1, 3))
    assert search.predict(paths).shape == (5,)


def test_a_saved_union(paths, whisper_folder, tmp_path):
    union = make_extractor_union(EGeMAPSExtractor(), EmbeddingExtractor(whisper_folder), n_jobs=2)
    X = union.set_params(embeddingextractor__layer=1).fit_transform(paths)
    save(union, tmp_path / "union.skops")
    loaded = load(tmp_path / "union.skops")
    np.testing.assert_array_equal(loaded.transform(paths), X)
    assert loaded.n_jobs is None
    assert loaded.set_params(embeddingextractor__layer=(1, 2)).transform(paths).shape == (5, 120)


def test_members_are_fitted_as_steps_are(union, paths, tmp_path):
    union.fit(paths)
    assert union.extractors[1][1].encoder_["name"] == "small"
    union.set_params(encoder__encoder=str(tmp_path / "gone"))
    with pytest.raises(EncoderError, match="was fitted with 'small'"):
        union.transform(paths)


def test_pickles_are_light(whisper_folder, paths):
    union = make_extractor_union(EGeMAPSExtractor(), EmbeddingExtractor(str(whisper_folder)))
    X = union.fit_transform(paths[:2])
    data = pickle.dumps(union)
    assert len(data) < 4000
    np.testing.assert_array_equal(pickle.loads(data).transform(paths[:2]), X)


def test_names_by_class():
    names = ["a", "b"]
    members = [FunctionExtractor(level, names), EGeMAPSExtractor(), FunctionExtractor(level, names)]
    union = make_extractor_union(*members, verbose=1)
    expected = ["functionextractor-1", "egemapsextractor", "functionextractor-2"]
    assert [name for name, _ in union.extractors] == expected
    assert [one for _, one in union.extractors] == members
    assert union.verbose == 1
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        make_extractor_union(*members, size=1)


def test_rates(whisper_folder, paths):
    member = FunctionExtractor(level, ["rms", "s"], sampling_rate=8000)
    assert make_extractor_union(member).sampling_rate == 8000
    union = make_extractor_union(member, EmbeddingExtractor(whisper_folder))
    assert union.sampling_rate is None
    assert union.transform(paths).shape == (5, 66)
    with pytest.raises(ValueError, match="X holds waveforms"):
        union.transform([np.ones(8000)])


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ([], "extractors is empty, expected at least one pair of a name and an extractor"),
        ([EGeMAPSExtractor()], "holds EGeMAPSExtractor, .*make_extractor_union chooses the names"),
        ([(1, EGeMAPSExtractor())], "holds tuple, expected at least one pair of a name"),
        ([("a", StandardScaler())], "'a' in extractors is StandardScaler, .*use FeatureUnion"),
        ([("a", EGeMAPSExtractor()), ("a", EGeMAPSExtractor())], "are not unique"),
        ([("a__b", EGeMAPSExtractor())], "must not contain __"),
        ([("cache", EGeMAPSExtractor())], "conflict with constructor arguments"),
    ],
)
def test_wrong_members(members, found, paths):
    with pytest.raises(ValueError, match=found):
        ExtractorUnion(members).fit(paths)


def test_columns_of_one_name(paths):
    member = FunctionExtractor(level, ["rms", "seconds"])
    with pytest.raises(ValueError, match="Two of the extractors have a column 'rms'"):
        make_extractor_union(member, clone(member)).get_feature_names_out()
