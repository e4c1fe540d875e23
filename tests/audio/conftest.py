import numpy as np
import pytest
import soundfile


@pytest.fixture
def speech():
    """Two seconds of a buzz with some noise at 16 kHz."""
    time = np.arange(32000) / 16000
    buzz = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12))
    return 0.1 * buzz + 0.01 * np.random.default_rng(0).normal(size=32000)


@pytest.fixture
def encode(tmp_path):
    """Return a function from samples and a format to the bytes of a file."""

    def encode(y, container, subtype=None, sr=16000):
        path = tmp_path / "encoded"
        soundfile.write(path, y, sr, format=container, subtype=subtype)
        return bytearray(path.read_bytes())

    return encode


@pytest.fixture
def store(tmp_path):
    """Return a function that writes bytes into a file."""

    def store(content, name):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return store
