"""Parts of recordings: their spelling, and that exactly they are read."""

import hashlib
import os
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from sklearn_ser.audio import Segment, inspect_recording, load_audio, recording_digest
from sklearn_ser.exceptions import AudioError, AudioWarning

RATE = 16000
SECONDS = 8


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        (Segment("a.wav"), "a.wav"),
        (Segment("a.wav", 1.25, 3), "a.wav#t=1.25,3"),
        (Segment("a.wav", 0, 10), "a.wav#t=0,10"),
        (Segment("a.wav", 100), "a.wav#t=100"),
        (Segment("a.wav", channel=0), "a.wav#channel=0"),
        (Segment("a.wav", 0.000001, 2e5, 12), "a.wav#t=0.000001,200000&channel=12"),
        (Segment("a.wav", 0.3 - 0.1 * 3, 1), "a.wav#t=0,1"),
        (Segment("#t=1,2.wav", 1, 2), "#t=1,2.wav#t=1,2"),
        (Segment("caf\udce9.wav", 1, 2), "caf\udce9.wav#t=1,2"),
        (Segment("a#t=01"), "a#t=01#t=0"),
        (Segment("a#channel=1"), "a#channel=1#t=0"),
    ],
)
def test_text_and_segment_are_the_same(segment, text):
    assert str(segment) == os.fspath(segment) == text
    assert Segment.parse(text) == segment == Segment.parse(segment)


@pytest.mark.parametrize(
    "name", ["a.wav", "a#1.wav", "a.wav#", "a.wav#t=", "a.wav#t=-1,2", "a.wav#t=1,2 ", "#t=1,2"]
)
def test_other_names_are_those_of_files(name):
    assert Segment.parse(name) == Segment(name)
    assert Segment.parse(name).whole


def test_times_are_kept_to_the_microsecond():
    segment = Segment("a.wav", 1 / 3, 2 / 3)
    assert (segment.start, segment.end) == (0.333333, 0.666667)
    assert Segment.parse(str(segment)) == segment


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((2, 1), r"a\.wav: a segment from 2 s to 1 s, expected finite times, from 0 on"),
        ((1, 1), "from 1 s to 1 s"),
        ((-1, 1), "from -1 s to 1 s"),
        ((np.nan, 1), "from nan s to 1 s"),
        ((0, np.inf), "from 0 s to inf s"),
        ((np.inf,), "from inf s to the end"),
        ((0, 1, -1), r"a\.wav: channel -1, expected 0 for the first"),
        ((0, 1, 10_000), r"a\.wav: channel 10000, expected 0 for the first.* to 9999"),
    ],
)
def test_impossible_segments_are_refused(values, message):
    with pytest.raises(AudioError, match=message):
        Segment("a.wav", *values)


def noise(n_channels=2, sr=RATE):
    y = np.random.default_rng(0).normal(0, 0.05, (SECONDS * sr, n_channels))
    # Not the same at any two places, nor in the channels.
    return y * np.linspace(0.2, 1, len(y))[:, None] * np.arange(1, n_channels + 1)


# GSM is the format in which libsndfile cannot seek.
FORMATS = {
    "pcm.wav": ("WAV", "PCM_16"),
    "gsm.wav": ("WAV", "GSM610"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "a.flac": ("FLAC", "PCM_24"),
    "a.mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.ogg": ("OGG", "OPUS"),
    "a.aiff": ("AIFF", "PCM_16"),
}


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    container, subtype = FORMATS[request.param]
    path = tmp_path / request.param
    y = noise(1 if subtype == "GSM610" else 2)
    with soundfile.SoundFile(path, "w", RATE, y.shape[1], subtype, format=container) as file:
        # In blocks, because libsndfile overflows its stack with a long one in Ogg.
        for i in range(0, len(y), RATE):
            file.write(y[i : i + RATE])
    return path


@pytest.mark.parametrize(("start", "end"), [(0, 1.5), (2.34567, 5.5), (6.7, None)])
def test_a_segment_has_the_samples_of_the_whole(path, start, end):
    whole, _ = load_audio(path)
    part, sr = load_audio(Segment(path, start, end))
    until = None if end is None else round(end * sr)
    # MP3 differs in the last bit after a seek.
    tolerance = 1e-7 if path.suffix == ".mp3" else 0
    np.testing.assert_allclose(part, whole[round(start * sr) : until], rtol=0, atol=tolerance)
    np.testing.assert_array_equal(part, load_audio(Segment(path, start, end))[0])


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_segment_of_a_phone_recording(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(), RATE)
    path = tmp_path / "a.m4a"
    command = ["ffmpeg", "-loglevel", "error", "-i", tmp_path / "a.wav", path]
    subprocess.run(command, check=True)
    whole, _ = load_audio(path)
    for start, end in ((0, 1.5), (0.5, 1), (4.56789, 6.25), (7, None)):
        part, sr = load_audio(Segment(path, start, end))
        expected = whole[round(start * sr) : None if end is None else round(end * sr)]
        # AAC fills bands with noise of its own.
        np.testing.assert_allclose(part, expected, atol=2e-3)
    with pytest.raises(AudioError, match=r"a\.m4a#t=7,9: the recording ends at 8"):
        load_audio(f"{path}#t=7,9")


def test_channels_are_chosen_or_averaged(tmp_path):
    y = noise(3)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="DOUBLE")
    for channel in range(3):
        part, _ = load_audio(Segment(tmp_path / "a.wav", 1, 2, channel))
        np.testing.assert_allclose(part, y[RATE : 2 * RATE, channel], atol=1e-7)
    part, _ = load_audio(Segment(tmp_path / "a.wav", channel=2))
    np.testing.assert_allclose(part, y[:, 2], atol=1e-7)
    part, _ = load_audio(Segment(tmp_path / "a.wav", 1, 2))
    np.testing.assert_allclose(part, y[RATE : 2 * RATE].mean(axis=1), atol=1e-7)


def test_channels_that_cancel_can_be_read_one_by_one(tmp_path):
    y = noise(1)
    soundfile.write(tmp_path / "a.wav", np.hstack([y, -y]), RATE)
    with pytest.warns(AudioWarning, match="cancelling channels"):
        load_audio(f"{tmp_path / 'a.wav'}#t=1,2")
    load_audio(f"{tmp_path / 'a.wav'}#t=1,2&channel=1")


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("t=7,9", r"wav#t=7,9: the recording ends at 8\.00 s, before the segment does"),
        ("t=8", "the recording ends at 8"),
        ("t=20,21", "the recording ends at 8"),
        ("t=1,2&channel=2", "the recording has 2 channels; they are counted from 0"),
        ("t=1,1.05", r"wav#t=1,1\.05: 800 samples at 16000 Hz \(0\.050 s\)"),
        ("t=2,1", "a segment from 2 s to 1 s"),
    ],
)
def test_a_segment_that_is_not_there(tmp_path, fragment, message):
    soundfile.write(tmp_path / "a.wav", noise(), RATE)
    with pytest.raises(AudioError, match=message):
        load_audio(f"{tmp_path / 'a.wav'}#{fragment}")


def test_the_limit_is_that_of_the_segment(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(), RATE)
    assert len(load_audio(f"{tmp_path / 'a.wav'}#t=6,8", max_duration=2)[0]) == 2 * RATE
    with pytest.raises(AudioError, match="it lasts longer than 2 s"):
        load_audio(f"{tmp_path / 'a.wav'}#t=5", max_duration=2)


def test_what_comes_before_is_not_read(tmp_path, monkeypatch):
    """Of an hour, one second: otherwise each segment would cost as much as the whole."""
    y = np.random.default_rng(0).integers(-99, 99, 3600 * 4000, dtype=np.int16)
    soundfile.write(tmp_path / "hour.wav", y, 4000)
    soundfile.write(tmp_path / "hour.flac", y, 4000)
    n_read, read = [], soundfile.SoundFile.read

    def counted(self, *args, **options):
        block = read(self, *args, **options)
        n_read.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    for name in ("hour.wav", "hour.flac"):
        n_read.clear()
        part, _ = load_audio(f"{tmp_path / name}#t=3000,3001", None)
        np.testing.assert_array_equal(part, y[12_000_000:12_004_000].astype(np.float32) / 32768)
        assert sum(n_read) <= 2**18


def digest(path):
    return recording_digest(path, hashlib.sha256)


def test_the_digest_is_that_of_the_samples(tmp_path):
    y = np.round(noise() * 32768).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", y, RATE)
    soundfile.write(tmp_path / "longer.flac", np.vstack([y, y]), RATE)
    one = digest(f"{tmp_path / 'a.wav'}#t=1,2")
    assert one == digest(f"{tmp_path / 'longer.flac'}#t=1,2")
    assert one == digest(f"{tmp_path / 'longer.flac'}#t=9,10")
    others = ["#t=1,2.1", "#t=1.1,2", "#t=1,2&channel=0", "#t=1,2&channel=1", ""]
    assert len({one, *(digest(f"{tmp_path / 'a.wav'}{other}") for other in others)}) == 6


def test_inspection_of_segments(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(), RATE)
    assert inspect_recording(f"{path}#t=1,3.5").duration == 2.5
    assert inspect_recording(f"{path}#t=6").duration == 2
    assert not inspect_recording(f"{path}#t=1,3.5", samples=True).problems
    kinds = {
        "t=1,1.01": "too short",
        "t=7,9": "too short",
        "t=9,10": "empty recording",
        "t=2,1": "unusable samples",
    }
    for fragment, kind in kinds.items():
        assert [one.kind for one in inspect_recording(f"{path}#{fragment}").problems] == [kind]
