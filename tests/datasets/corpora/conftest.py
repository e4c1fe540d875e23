import warnings

import pytest

from sklearn_ser.datasets import _formats, load_corpus


@pytest.fixture(autouse=True)
def ffmpeg(monkeypatch):
    """Corpora of videos are listed on machines without the program that decodes them, too."""
    monkeypatch.setattr(_formats, "find_ffmpeg", lambda: "/bin/ffmpeg")


@pytest.fixture
def load(tmp_path):
    """Write files of the given names and texts and load them as a corpus, warnings aside."""

    def load(name, files, **options):
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return load_corpus(name, tmp_path, **options)

    return load
