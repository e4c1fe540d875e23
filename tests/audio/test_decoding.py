import numpy as np
import pytest
import soundfile

from sklearn_ser.audio import check_waveform, inspect_recording, load_audio
from sklearn_ser.exceptions import AudioError


def tone(sr, *, seconds=0.5, hertz=440.0, level=0.5):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sr)) / sr)


@pytest.fixture
def write(tmp_path):
    def write(y, sr, name="tone.wav", **options):
        path = tmp_path / name
        soundfile.write(path, y, sr, **options)
        return path

    return write


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000])
def test_every_rate_becomes_the_asked_one_and_keeps_the_tone(write, sr):
    y, out_sr = load_audio(write(tone(sr), sr), 16000)
    assert out_sr == 16000
    assert y.dtype == np.float32
    assert y.shape == (8000,)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=2)
    assert np.abs(y[1000:-1000]).max() == pytest.approx(0.5, abs=0.005)


def test_none_keeps_the_rate_of_the_file(write):
    y, sr = load_audio(write(tone(44100), 44100), None)
    assert sr == 44100
    np.testing.assert_allclose(y, tone(44100), atol=1 / 32768)


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.wav", {"subtype": "PCM_16"}, 2**-15),
        ("a.wav", {"subtype": "PCM_24"}, 2**-22),
        ("a.wav", {"subtype": "PCM_U8"}, 2**-6),
        ("a.wav", {"subtype": "FLOAT"}, 1e-7),
        ("a.wav", {"subtype": "DOUBLE"}, 1e-7),
        ("a.flac", {}, 2**-15),
        ("a.ogg", {}, 0.05),
        ("a.mp3", {}, 0.05),
    ],
)
def test_every_format_gives_the_same_samples(write, name, options, tolerance):
    y, _ = load_audio(write(tone(16000), 16000, name, **options))
    middle = slice(2000, 6000)
    np.testing.assert_allclose(y[middle], tone(16000)[middle], atol=tolerance)


def test_channels_are_averaged(write):
    left, right = tone(16000, hertz=300), tone(16000, hertz=500)
    y, _ = load_audio(write(np.stack([left, right], axis=1), 16000, subtype="FLOAT"))
    np.testing.assert_allclose(y, (left + right) / 2, atol=1e-6)


def test_overshoot_is_clipped_just_below_one(write):
    y, _ = load_audio(write(tone(16000, level=1.5), 16000, subtype="FLOAT"))
    assert y.min() == -1
    assert y.max() == np.float32(32767 / 32768)


def test_a_string_path_works(write):
    assert load_audio(str(write(tone(16000), 16000)))[1] == 16000


def test_a_rate_nobody_records_at(write):
    with pytest.raises(AudioError, match="sampling rate is 0, expected a number of hertz"):
        load_audio(write(tone(16000), 16000), 0)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*absent\.wav"):
        load_audio(tmp_path / "absent.wav")


def test_folder_instead_of_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder, expected an audio file"):
        load_audio(tmp_path)


def test_empty_file(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(AudioError, match=r"empty\.wav: the file is empty \(0 bytes\)"):
        load_audio(path)


@pytest.mark.parametrize("n_bytes", [4, 20, 40])
def test_truncated_header(write, n_bytes):
    path = write(tone(16000), 16000)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(AudioError, match=r"tone\.wav: (not readable as audio|no samples)"):
        load_audio(path)


def test_text_file(tmp_path):
    path = tmp_path / "notes.wav"
    path.write_text("not a recording")
    with pytest.raises(AudioError, match=r"notes\.wav: not readable as audio"):
        load_audio(path)


def test_samples_without_any_header(tmp_path):
    path = tmp_path / "headless.raw"
    path.write_bytes(bytes(4000))
    with pytest.raises(AudioError, match=r"headless\.raw: not readable as audio \(samplerate"):
        load_audio(path)


def test_header_without_samples(write):
    with pytest.raises(AudioError, match=r"tone\.wav: no samples"):
        load_audio(write(np.empty(0), 16000))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers(write, bad):
    y = tone(16000)
    y[7] = bad
    with pytest.raises(AudioError, match=r"tone\.wav: 1 of 8000 samples are NaN or infinite"):
        load_audio(write(y, 16000, subtype="FLOAT"))


def test_shorter_than_one_frame(write):
    path = write(tone(16000, seconds=0.059), 16000)
    with pytest.raises(
        AudioError, match=r"944 samples at 16000 Hz \(0\.059 s\), expected at least 960 "
    ):
        load_audio(path)
    assert load_audio(write(tone(16000, seconds=0.06), 16000))[0].shape == (960,)


@pytest.mark.parametrize(
    ("y", "sr", "message"),
    [
        (np.zeros(1600, np.int16), 16000, "int16 integers.*Divide 16-bit samples by 32768"),
        (np.zeros((2, 1600)), 16000, r"shape \(2, 1600\), expected one dimension"),
        (np.zeros(1600, complex), 16000, "dtype complex128"),
        (np.array(["a.wav"]), 16000, "dtype <U5.*paths as text"),
        (np.zeros(1600), 16, "sampling rate is 16, expected a number of hertz"),
        (np.zeros(1600), "16k", "sampling rate is '16k'"),
    ],
)
def test_waveforms_that_are_none(y, sr, message):
    with pytest.raises(AudioError, match=message):
        check_waveform(y, sr)


def test_a_good_waveform_is_not_changed():
    y = tone(16000)
    before = y.copy()
    np.testing.assert_array_equal(check_waveform(y, 16000), y.astype(np.float32))
    np.testing.assert_array_equal(y, before)


@pytest.mark.parametrize("limit", [0, -1.0, np.nan, None, "60", True])
def test_a_limit_that_is_none(limit, tmp_path):
    path = tmp_path / "a.wav"
    path.touch()
    for function in (load_audio, inspect_recording):
        with pytest.raises(ValueError, match=f"max_duration is {limit!r}, expected a positive"):
            function(path, max_duration=limit)
