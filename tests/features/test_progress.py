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


@pytest.mark.parametrize(("verbose", "stream"), [(0, Terminal), (1, io.StringIO)])
def test_nowhere_else(recordings, monkeypatch, verbose, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    EGeMAPSExtractor(verbose=verbose).transform(recordings)
    assert sys.stderr.getvalue() == ""
