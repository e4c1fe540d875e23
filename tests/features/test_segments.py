"""Segments of recordings in extractors: rows, cache, processes and errors."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor
from sklearn_ser.audio import Segment, load_audio
from sklearn_ser.exceptions import AudioWarning, ExtractionWarning
from sklearn_ser.features import FunctionExtractor, write_features

RATE = 16000


def level(y, sr):
    return np.sqrt(np.mean(y**2)), len(y) / sr


def extractor(function=level, **options):
    return FunctionExtractor(function, names=["level", "seconds"], version="segments", **options)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "call.wav"
    y = np.random.default_rng(0).normal(0, 0.1, (10 * RATE, 2)) * [1, 0.2]
    soundfile.write(path, y, RATE)
    return path


@pytest.fixture
def segments(path):
    return [Segment(path, i, i + 1 + i / 10, channel) for i in range(8) for channel in (0, 1, None)]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_rows_are_those_of_the_samples(segments, n_jobs):
    expected = extractor().transform([load_audio(one)[0] for one in segments])
    found = extractor(n_jobs=n_jobs).transform(segments)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(found[:, 1], [one.end - one.start for one in segments], atol=1e-4)


def test_texts_do_as_well(segments):
    expected = extractor().transform(segments)
    texts = [str(one) for one in segments]
    for X in (texts, np.array(texts), pd.Series(texts), pd.DataFrame({"path": texts})):
        np.testing.assert_array_equal(extractor().transform(X), expected)


def test_batches_of_an_encoder(segments):
    def encoder(y):
        return y[: len(y) // 160 * 160].reshape(-1, 160)

    found = EmbeddingExtractor(encoder).fit_transform(segments[:4])
    expected = EmbeddingExtractor(encoder).fit_transform([load_audio(s)[0] for s in segments[:4]])
    np.testing.assert_array_equal(found, expected)


def test_the_cache_knows_segments_by_their_samples(path, segments, tmp_path):
    n_computed = []

    def counted(y, sr):
        n_computed.append(1)
        return level(y, sr)

    def rows_of(X):
        n_computed.clear()
        return extractor(counted, cache=tmp_path / "rows.sqlite").transform(X)

    expected = rows_of(segments)
    assert len(n_computed) == len(segments)
    np.testing.assert_array_equal(rows_of(segments), expected)
    assert not n_computed
    # The same samples in another file, after other samples.
    y, sr = soundfile.read(path, dtype="int16")
    moved = path.with_name("moved.wav")
    soundfile.write(moved, np.vstack([y[:RATE][::-1], y]), sr)
    others = [Segment(moved, one.start + 1, one.end + 1, one.channel) for one in segments]
    np.testing.assert_array_equal(rows_of(others), expected)
    assert not n_computed
    # Other samples in the same file.
    soundfile.write(path, y[::-1], sr)
    assert (rows_of(segments)[:, 0] != expected[:, 0]).all()
    assert len(n_computed) == len(segments)


def test_errors_and_tables_name_the_segment(path, tmp_path):
    X = [Segment(path, 1, 2), Segment(path, 9, 12), f"{path}#t=3,2", Segment(path, 1, 2, 4)]
    with pytest.warns(ExtractionWarning, match=r"3 of 4 .*call\.wav#t=9,12 .*ends at 10\.00 s"):
        rows = extractor(on_error="nan").transform(X)
    assert np.isnan(rows).any(axis=1).tolist() == [False, True, True, True]
    errors = write_features(extractor(), X, tmp_path / "rows.csv")
    assert [*errors] == [1, 2, 3]
    assert pd.read_csv(tmp_path / "rows.csv")["path"].tolist() == [f"{path}#t=1,2"]


def test_remarks_are_those_of_the_segment(path):
    y, sr = soundfile.read(path)
    y[:RATE] = 0
    soundfile.write(path, y, sr)
    with pytest.warns(AudioWarning, match=r"1 of 2 .* digital silence, 1: .*#t=0,1 "):
        EGeMAPSExtractor().transform([Segment(path, 0, 1), Segment(path, 1, 2)])
