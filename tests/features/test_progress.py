import io
import re
import sys

import numpy as np
import pytest

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.exceptions import ExtractionWarning
from sklearn_ser.features import _progress
from sklearn_ser.features._progress import Progress
from sklearn_ser.features._worker import Outcome


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_rate_is_audio_computed_per_second_of_computing(monkeypatch):
    clock = iter([100.0, 104.0])
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(clock))
    progress = Progress(9, "x", shown=False)
    assert progress.describe() == ""
    for _ in range(3):
        progress.update(Outcome(0, cached=True))
    assert progress.describe() == "3 cached"
    progress.start()
    progress.start()
    progress.update(Outcome(0, np.zeros(1), duration=30.0))
    progress.update(Outcome(0, error=ValueError(), duration=10.0))
    assert progress.describe() == "10 s of audio/s, 3 cached, 1 failed"


@pytest.fixture
def recordings():
    rng = np.random.default_rng(0)
    return [rng.normal(size=16000) / 10 for _ in range(6)]


def test_on_a_terminal(recordings, monkeypatch, tmp_path):
    EGeMAPSExtractor(cache=tmp_path / "cache").transform(recordings[:2])
    monkeypatch.setattr(sys, "stderr", Terminal())
    extractor = EGeMAPSExtractor(cache=tmp_path / "cache", on_error="nan", verbose=1)
    with pytest.warns(ExtractionWarning, match="1 of 7"):
        extractor.transform([*recordings, tmp_path / "absent.wav"])
    last = sys.stderr.getvalue().strip().split("\r")[-1]
    assert re.fullmatch(
        r"EGeMAPSExtractor: 100%\|.*\| 7/7 files "
        r"\[\d\d:\d\d<\d\d:\d\d, \d+ s of audio/s, 2 cached, 1 failed\]",
        last,
    )


def test_a_line_at_the_end_elsewhere(recordings, monkeypatch, tmp_path):
    EGeMAPSExtractor(cache=tmp_path / "cache").transform(recordings[:2])
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    extractor = EGeMAPSExtractor(cache=tmp_path / "cache", on_error="nan", verbose=1)
    with pytest.warns(ExtractionWarning, match="1 of 7"):
        extractor.transform([*recordings, tmp_path / "absent.wav"])
    assert re.fullmatch(
        r"EGeMAPSExtractor: 7/7 files, \d+ s of audio/s, 2 cached, 1 failed\n",
        sys.stderr.getvalue(),
    )


def test_a_line_for_each_thousand_recordings_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Progress(2001, "x", shown=True) as progress:
        for _ in range(2001):
            progress.update(Outcome(0, cached=True))
    assert sys.stderr.getvalue().splitlines() == [
        "x: 1000/2001 files, 1000 cached",
        "x: 2000/2001 files, 2000 cached",
        "x: 2001/2001 files, 2001 cached",
    ]


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_nothing_unless_asked_for(recordings, monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    EGeMAPSExtractor(verbose=0).transform(recordings)
    assert sys.stderr.getvalue() == ""
