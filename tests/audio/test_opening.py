import io
import os
import socket

import numpy as np
import pytest
import soundfile

from sklearn_ser.audio import load_audio, open_recording
from sklearn_ser.audio._opening import PatchedFile, reader
from sklearn_ser.exceptions import AudioError


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.random.default_rng(0).normal(size=8000) / 10, 16000)
    return path


def test_a_regular_file_is_opened_at_its_beginning(recording):
    with open_recording(recording) as file:
        assert file.read(4) == b"RIFF"
    assert file.closed


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(
        AudioError, match=r"pipe\.wav: this is a named pipe, expected a regular file"
    ):
        load_audio(tmp_path / "pipe.wav")


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(name):
    if not os.path.exists(name):
        pytest.skip(f"this system has no {name}")
    with pytest.raises(AudioError, match=f"{name}: this is a device, expected a regular file"):
        load_audio(name)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no such sockets")
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.wav")
        with pytest.raises(AudioError, match=r"s\.wav: this is a socket, expected a regular"):
            load_audio("s.wav")


@pytest.mark.parametrize("name", ["a\0b.wav", "\ud800.wav"])
def test_what_cannot_be_a_name(name):
    with pytest.raises(AudioError, match=r"cannot be the name of a file \(.*expected the path"):
        load_audio(name)


@pytest.mark.parametrize(
    "name", [b"caf\xe9.wav", b"\xff\xfe.wav", "名前.wav".encode(), b"new\nline.wav", b"-f.wav"]
)
def test_names_in_any_encoding(recording, tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    try:
        os.rename(recording, path)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    y, _ = load_audio(os.fsdecode(path))
    assert len(y) == 8000
    np.testing.assert_array_equal(y, load_audio(path)[0])


def test_links_are_followed(recording, tmp_path):
    try:
        (tmp_path / "link.wav").symlink_to(recording)
    except OSError:
        pytest.skip("this system does not allow links")
    np.testing.assert_array_equal(load_audio(tmp_path / "link.wav")[0], load_audio(recording)[0])


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_patches_are_what_is_read(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    expected = bytearray(range(100))
    expected[5:8] = b"abc"
    expected[99:] = b"z"
    with open(path, "rb", buffering=0) as file:
        patched = PatchedFile(file, ((5, b"abc"), (99, b"z")))
        found = b"".join(iter(lambda: patched.read(size), b""))
        assert found == expected
        patched.seek(6)
        assert patched.read(1) == b"b"
        assert patched.seek(0, io.SEEK_END) == 100


def test_a_reader_reads_across_short_reads():
    class Slow(io.BytesIO):
        def read(self, n):
            return super().read(min(n, 3))

    read = reader(Slow(b"0123456789"))
    assert read(2, 7) == b"2345678"
    assert read(8, 7) == b"89"
    assert read(20, 7) == b""
