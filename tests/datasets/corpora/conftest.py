import pytest

from sklearn_ser.datasets import _formats


@pytest.fixture(autouse=True)
def ffmpeg(monkeypatch):
    """Corpora of videos are listed on machines without the program that decodes them, too."""
    monkeypatch.setattr(_formats, "find_ffmpeg", lambda: "/bin/ffmpeg")
