import hashlib

import numpy as np
import pytest
import soundfile

from sklearn_ser.audio import load_audio
from sklearn_ser.exceptions import AudioError
from sklearn_ser.features._worker import compute, digest


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "a.flac"
    soundfile.write(path, rng.normal(size=(22050, 2)) / 10, 22050)
    return str(path)


def first_samples(y, sr):
    return y[:5]


def run(item, function=first_samples, *, n_columns=5, keyed=True):
    return compute(
        function,
        7,
        item,
        sampling_rate=16000,
        max_duration=60,
        n_columns=n_columns,
        keyed=keyed,
    )


@pytest.mark.parametrize("keyed", [False, True])
def test_a_file_read_as_bytes_is_the_file(path, keyed):
    outcome = run(path, keyed=keyed)
    assert outcome.position == 7
    assert outcome.error is None
    np.testing.assert_array_equal(outcome.row, load_audio(path)[0][:5])
    assert outcome.duration == 1
    assert outcome.digest == (digest(path) if keyed else None)


def test_the_digest_is_blake2b_of_the_content(path):
    with open(path, "rb") as file:
        content = file.read()
    assert digest(path) == hashlib.blake2b(content, digest_size=32, person=b"file").digest()


@pytest.mark.parametrize(
    ("content", "same"),
    [(b"RIFF....WAVE", True), (b"fLaC1234", True), (b"ID3 1234", True), (bytes(12), False)],
)
def test_the_suffix_counts_where_the_content_does_not_say_how_to_decode(tmp_path, content, same):
    digests = set()
    for name in ("a.mp3", "b.MP3", "c.wav", "d\udce9.m4a"):
        try:
            (tmp_path / name).write_bytes(content)
        except (OSError, UnicodeEncodeError):
            continue
        digests.add(digest(str(tmp_path / name)))
    assert (len(digests) == 1) == same
    assert digest(str(tmp_path / "a.mp3")) == digest(str(tmp_path / "b.MP3"))


def test_an_unknown_suffix_finds_no_row_of_a_known_one(path, tmp_path):
    y, sr = load_audio(path)
    soundfile.write(tmp_path / "whole.mp3", y, sr)
    padded = bytes(3000) + (tmp_path / "whole.mp3").read_bytes()
    for name in ("padded.mp3", "padded.wav"):
        (tmp_path / name).write_bytes(padded)
    good, bad = (run(str(tmp_path / name)) for name in ("padded.mp3", "padded.wav"))
    assert good.error is None
    assert isinstance(bad.error, AudioError)
    assert digest(str(tmp_path / "padded.wav")) != good.digest


def test_digests_of_waveforms_tell_samples_shape_and_type_apart():
    y = np.arange(8.0)
    different = [y, y[::-1], y.astype(np.float32), y.reshape(2, 4), -y, np.zeros(8), np.zeros(9)]
    assert len({digest(item) for item in different}) == len(different)
    assert digest(np.asfortranarray(y.reshape(2, 4))) == digest(y.reshape(2, 4))
    assert digest(np.repeat(y, 2)[::2]) == digest(y)


def test_a_file_of_samples_is_not_the_waveform(tmp_path):
    y = np.arange(8.0)
    (tmp_path / "y").write_bytes(y.tobytes())
    assert digest(str(tmp_path / "y")) != digest(y)


@pytest.mark.parametrize("item", ["absent.wav", ".", np.arange(8), np.array(["a.wav"])])
def test_what_has_no_digest(item):
    assert digest(item) is None


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, FileNotFoundError, r"There is no file .*bad\.wav"),
        (b"", AudioError, r"bad\.wav: the file is empty"),
        (b"RIFF", AudioError, r"bad\.wav: not readable as audio"),
    ],
)
def test_the_same_errors_with_and_without_a_digest(tmp_path, keyed, content, error, message):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    outcome = run(str(path), keyed=keyed)
    assert outcome.row is None
    with pytest.raises(error, match=message):
        raise outcome.error


def test_an_error_of_the_function_names_the_recording(path):
    def refuse(y, sr):
        raise AudioError("too quiet")

    outcome = run(path, refuse)
    assert outcome.duration == 1
    with pytest.raises(AudioError, match=r"/a\.flac: too quiet$"):
        raise outcome.error


def test_an_error_of_a_waveform_names_its_position():
    with pytest.raises(AudioError, match="waveform 7: 10 samples"):
        raise run(np.zeros(10)).error


def test_a_mistake_in_the_function_is_no_fault_of_the_recording(path):
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        run(path, lambda y, sr: 1 / 0)
    with pytest.raises(ValueError, match=r"a\.flac: the features have shape \(5,\), expected \(4,"):
        run(path, n_columns=4)
