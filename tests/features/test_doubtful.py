"""Recordings that are read although something is wrong with them, and those that are not."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import load_audio
from sklearn_ser.exceptions import AudioError, AudioWarning, ExtractionWarning
from sklearn_ser.features import _extraction


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Two recordings of half a second."""
    folder, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    paths = [str(folder / name) for name in ("0.wav", "1.wav")]
    for path in paths:
        y = np.sin(2 * np.pi * 210 * np.arange(8000) / 16000) / 3 + rng.normal(size=8000) / 100
        soundfile.write(path, y, 16000)
    return paths


@pytest.fixture(scope="module")
def features(paths):
    return EGeMAPSExtractor().transform(paths)


@pytest.fixture
def damaged(tmp_path):
    """A recording that is whole, one cut off, one silent and one without samples."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("whole.wav", "half.wav", "silent.wav", "empty.wav")]
    for path, y in zip(
        paths,
        [rng.normal(size=8000) / 10, rng.normal(size=8000) / 10, np.zeros(8000), []],
        strict=True,
    ):
        soundfile.write(path, y, 16000)
    paths[1].write_bytes(paths[1].read_bytes()[:8044])
    return paths


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_doubtful_recordings_are_named_in_one_warning(damaged, n_jobs):
    extractor = EGeMAPSExtractor(on_error="nan", n_jobs=n_jobs)
    with (
        pytest.warns(ExtractionWarning, match=r"1 of 4 .*empty\.wav"),
        pytest.warns(
            AudioWarning,
            match=r"2 of 4 recordings have features but seem to be damaged\. cut off, 1: "
            r".*half\.wav \(it declares 0\.50 s and has 0\.25 s.*digital silence, 1: .*silent\.wav",
        ) as caught,
    ):
        rows = extractor.transform(damaged)
    audio = [warning for warning in caught if warning.category is AudioWarning]
    assert len(audio) == 1
    assert audio[0].filename == __file__
    assert np.isfinite(rows[:3]).all()


def test_doubts_are_remembered_with_the_rows(damaged, tmp_path, monkeypatch):
    extractor = EGeMAPSExtractor(cache=tmp_path / "cache.sqlite")
    with pytest.warns(AudioWarning, match=r"2 of 3 .* cut off, 1: .*digital silence, 1: ") as first:
        rows = extractor.transform(damaged[:3])
    monkeypatch.setattr(_extraction, "compute", None)
    with pytest.warns(AudioWarning, match="2 of 3 ") as second:
        np.testing.assert_array_equal(extractor.transform(damaged[:3]), rows)
    assert str(first[0].message) == str(second[0].message)


def test_many_doubtful_recordings_are_counted():
    silence = [np.zeros(1600)] * 8
    with pytest.warns(AudioWarning, match=r"8 of 8 .*waveform 4 \(every sample is 0\); 3 more$"):
        EGeMAPSExtractor().transform(silence)


@pytest.mark.parametrize("name", ["padded.mp3", "stream.wav", "b\udce9.wav", "unknown.flac"])
def test_name_and_cache_change_no_row(paths, tmp_path, name):
    """What a decoder needs to know of a file does not depend on how the file is opened."""
    y, sr = load_audio(paths[1])
    plain = tmp_path / f"plain{Path(name).suffix}"
    soundfile.write(plain, y, sr)
    content = bytearray(plain.read_bytes())
    if name == "padded.mp3":
        content = bytes(3000) + content
    elif name == "stream.wav":
        content[40:44] = bytes(4)
    elif name == "unknown.flac":
        content[21] &= 0xF0
        content[22:26] = bytes(4)
    path = tmp_path / name
    try:
        path.write_bytes(content)
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has only names in UTF-8")
    expected = EGeMAPSExtractor().transform([path])
    assert np.isfinite(expected).all()
    cached = EGeMAPSExtractor(cache=tmp_path / "cache.sqlite")
    for extractor in (cached, cached, EGeMAPSExtractor(n_jobs=2)):
        np.testing.assert_array_equal(extractor.transform([path]), expected)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_pipe_is_never_waited_for(paths, features, tmp_path, n_jobs):
    os.mkfifo(tmp_path / "pipe.wav")
    extractor = EGeMAPSExtractor(cache=tmp_path / "cache.sqlite", on_error="nan", n_jobs=n_jobs)
    extractor.transform(paths[:1])
    with pytest.warns(
        ExtractionWarning, match=r"pipe\.wav: this is a named pipe, expected a regular"
    ):
        rows = extractor.transform([paths[0], tmp_path / "pipe.wav", paths[1]])
    np.testing.assert_array_equal(rows[[0, 2]], features[:2])


def test_recordings_longer_than_the_limit_are_refused(paths, features):
    with pytest.raises(AudioError, match=r"0\.wav: it lasts longer than 0\.4 s.*max_duration"):
        EGeMAPSExtractor(max_duration=0.4).transform(paths)
    with pytest.warns(ExtractionWarning, match="2 of 2"):
        EGeMAPSExtractor(max_duration=0.4, on_error="nan").transform(paths)
    rows = EGeMAPSExtractor(max_duration=0.5).transform(paths)
    np.testing.assert_array_equal(rows, features)
