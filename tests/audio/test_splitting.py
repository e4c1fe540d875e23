"""Where split_speech finds speech, in signals whose pauses are known."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from sklearn_ser.audio import Segment, load_audio, split_recording, split_speech
from sklearn_ser.exceptions import AudioError, AudioWarning

RATE = 16000


def voice(seconds, level=-20.0, f0=130.0, sr=RATE):
    """Return a buzz with the RMS level in dB relative to full scale."""
    time = np.arange(round(seconds * sr)) / sr
    y = sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 12))
    return y / np.sqrt(np.mean(y**2)) * 10 ** (level / 20)


def recording(*parts, noise=-70.0, sr=RATE, seed=0):
    """Return voices (seconds, or seconds and level) and pauses (negative) with noise."""
    y = np.concatenate(
        [
            voice(*part, sr=sr)
            if isinstance(part, tuple)
            else (voice(part, sr=sr) if part > 0 else np.zeros(round(-part * sr)))
            for part in parts
        ]
    )
    return y + np.random.default_rng(seed).normal(0, 10 ** (noise / 20), len(y))


def assert_near(segments, expected, tolerance=0.025):
    assert np.shape(segments) == np.shape(expected)
    np.testing.assert_allclose(segments, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("sr", [8000, 11025, 16000, 44100])
@pytest.mark.parametrize("noise", [-120.0, -70.0, -45.0, -35.0])
@pytest.mark.parametrize("gain", [0.03, 1.0])
def test_pauses_at_known_times(sr, noise, gain):
    y = gain * recording(-1, 2, -1.5, (3, -26), -0.7, 1.2, -1, noise=noise, sr=sr)
    found = split_speech(y, sr, padding=0)
    assert_near(found, [[1, 3], [4.5, 7.5], [8.2, 9.4]])


def test_an_offset_and_a_hum_are_no_speech():
    y = recording(-1, 2, -1, 2, -1)
    time = np.arange(len(y)) / RATE
    found = split_speech(y + 0.2 + 0.05 * np.sin(2 * np.pi * 10 * time), RATE, padding=0)
    assert_near(found, [[1, 3], [4, 6]])


def test_who_rarely_speaks_is_found():
    """Two seconds of three minutes, less than any usual percentile."""
    found = split_speech(recording(-90, 2, -88, noise=-60), RATE, padding=0)
    assert_near(found, [[90, 92]])


def test_a_loud_click_does_not_hide_speech():
    y = recording(-2, (2, -40), -1, noise=-80)
    y[8000:8400] = 0.9
    assert_near(split_speech(y, RATE, padding=0), [[2, 4]])


def test_what_divides_segments():
    y = recording(-1, 1, -0.3, 1, -0.6, 1, -1)
    assert_near(split_speech(y, RATE, padding=0), [[1, 3.3], [3.9, 4.9]])
    assert_near(split_speech(y, RATE, padding=0, min_pause=0.2), [[1, 2], [2.3, 3.3], [3.9, 4.9]])
    assert_near(split_speech(y, RATE, padding=0, min_pause=0.8), [[1, 4.9]])


def test_short_sounds_are_left_out():
    y = recording(-1, 0.3, -1, 1, -1)
    assert_near(split_speech(y, RATE, padding=0), [[2.3, 3.3]])
    assert_near(split_speech(y, RATE, padding=0, min_segment=0.2), [[1, 1.3], [2.3, 3.3]])


def test_padding_stays_in_the_recording_and_in_half_of_the_pause():
    y = recording(1, -0.6, 1, -1, 1, -0.1)
    assert_near(split_speech(y, RATE, padding=0.2), [[0, 1.2], [1.4, 2.8], [3.4, 4.7]])
    assert_near(split_speech(y, RATE, padding=0.4), [[0, 1.3], [1.3, 3.0], [3.2, 4.7]])


def test_long_speech_is_cut_at_its_quietest_place():
    # Short breaks in 12 s, which are no pauses: the deepest in the middle half comes first.
    y = recording(-1, 4.9, -0.2, 2.8, (0.2, -40), 3.9, -1)
    found = split_speech(y, RATE, padding=0, max_segment=10)
    assert_near(found, [[1, 6.0], [6.0, 13.0]], 0.12)
    found = split_speech(y, RATE, padding=0, max_segment=5)
    lengths = np.diff(found)[:, 0]
    assert lengths.max() <= 5
    assert lengths.sum() == pytest.approx(12, abs=0.05)
    np.testing.assert_array_equal(found[1:, 0], found[:-1, 1])


def test_parts_that_round_to_the_longest_are_cut():
    # Of these lengths, twice the shortest is more frames than the longest.
    y = np.random.default_rng(0).normal(0, 0.05, int(0.15 * RATE))
    found = split_speech(y, RATE, min_segment=0.075, padding=0.015, max_segment=0.18)
    assert np.diff(found).max() <= 0.18
    assert np.diff(found).sum() == pytest.approx(0.15)


@pytest.mark.parametrize("padding", [0, 0.1, 0.5])
def test_no_segment_is_longer_than_asked_or_overlaps(padding):
    rng = np.random.default_rng(1)
    parts = []
    for _ in range(25):
        parts += [float(rng.uniform(0.3, 9)), -float(rng.uniform(0.05, 1.5))]
    y = recording(*parts)
    found = split_speech(y, RATE, max_segment=4, padding=padding)
    assert len(found) > 25
    assert np.diff(found).max() <= 4 + 1e-9
    assert np.diff(found).min() >= 0.5
    assert (found[1:, 0] >= found[:-1, 1]).all()
    assert found.min() >= 0
    assert found.max() <= len(y) / RATE


def test_without_contrast_all_is_speech():
    y = np.random.default_rng(0).normal(0, 0.05, 5 * RATE)
    np.testing.assert_array_equal(split_speech(y, RATE), [[0, 5]])


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.AudioWarning")
def test_silence_has_no_segments():
    assert split_speech(np.zeros(RATE), RATE).shape == (0, 2)
    assert split_speech(np.full(RATE, 0.25), RATE).shape == (0, 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_pause": -0.1}, r"min_pause is -0\.1, expected a number of seconds"),
        ({"min_pause": "0.5"}, "min_pause is '0.5', expected a number of seconds"),
        ({"padding": np.nan}, "padding is nan, expected"),
        ({"padding": True}, "padding is True, expected"),
        ({"max_segment": np.inf}, "max_segment is inf, expected"),
        ({"min_segment": 0.01}, r"min_segment is 0\.01, expected at least 0\.06 s"),
        ({"max_segment": 1}, r"max_segment is 1, expected at least twice .* together, 1\.2 s"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(ValueError, match=message):
        split_speech(voice(1), RATE, **parameters)


def test_a_file_is_split_like_its_samples(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, recording(-1, 30, -1, 2, -1), RATE)
    y, _ = load_audio(path)
    expected = [Segment(path, *times) for times in split_speech(y, RATE)]
    assert split_recording(path) == expected
    assert len(expected) > 3


def test_channels_are_split_together_or_each_by_itself(tmp_path):
    left, right = recording(-1, 2, -4, 1, -1), recording(-4, 2, -3, noise=-60, seed=1)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.column_stack([left, right]), RATE)
    mixed = split_recording(path, padding=0)
    assert_near([(one.start, one.end) for one in mixed], [[1, 3], [4, 6], [7, 8]])
    assert {one.channel for one in mixed} == {None}
    separate = split_recording(path, channels="separate", padding=0)
    assert_near([(one.start, one.end) for one in separate], [[1, 3], [4, 6], [7, 8]])
    assert [one.channel for one in separate] == [0, 1, 0]
    second = split_recording(f"{path}#channel=1", padding=0)
    assert second == separate[1:2]


def test_a_mono_file_has_no_channels_to_separate(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, recording(-1, 2, -1), RATE)
    assert split_recording(path, channels="separate") == split_recording(path)


def test_what_cannot_be_split(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, voice(2), RATE)
    with pytest.raises(ValueError, match="channels is 'left', expected 'mix' or 'separate'"):
        split_recording(path, channels="left")
    with pytest.raises(ValueError, match=r"a\.wav#t=0,1: this is a segment already"):
        split_recording(f"{path}#t=0,1")
    with pytest.raises(AudioError, match="it lasts longer than 1 s"):
        split_recording(path, max_duration=1)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        split_recording(tmp_path / "absent.wav")
    path.write_bytes(path.read_bytes()[:-16000])
    with pytest.warns(AudioWarning, match="cut off: it declares 2"):
        split_recording(path)


def test_memory_does_not_grow_with_the_recording(tmp_path):
    """Ten minutes of 44.1 kHz stereo are 212 MB of samples as float32."""
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16") as file:
        for i in range(60):
            file.write(np.column_stack([recording(-2, 6, -2, sr=44100, seed=i)] * 2))
    code = (
        "import resource, sys; from sklearn_ser.audio import load_audio, split_recording;"
        "import soundfile, soxr; before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "segments = split_recording(sys.argv[1]);"
        "[load_audio(one) for one in segments[-3:]];"
        "print(len(segments), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    n_segments, grown = map(int, done.stdout.split())
    assert n_segments == 60
    unit = 1 if sys.platform == "darwin" else 1024
    assert grown * unit < 60e6
