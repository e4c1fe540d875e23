import os
import signal

import numpy as np
import pytest

from sklearn_ser.exceptions import AudioError, ExtractionWarning
from sklearn_ser.features import FunctionExtractor, _extraction

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

# First samples of the recordings that end the process.
EXIT, KILL = -0.5, -0.75


def waveforms(n, **bad):
    """Return recordings whose peak is their number."""
    made = [np.full(8000, (i + 1) / 1000, np.float32) for i in range(n)]
    for i, first in bad.items():
        made[int(i[1:])][0] = first
    return made


def extractor(**options):
    parent = os.getpid()

    def peak(y, sr):
        if y[0] in (EXIT, KILL):
            assert os.getpid() != parent, "the recording would end this process"
            os._exit(3) if y[0] == EXIT else os.kill(os.getpid(), signal.SIGKILL)
        return [y.max()]

    return FunctionExtractor(peak, names=["peak"], **options)


@posix
@pytest.mark.parametrize(
    ("bad", "first", "code"),
    [(3, KILL, "KILL"), pytest.param(0, EXIT, "3", marks=pytest.mark.slow)],
)
def test_a_recording_that_ends_its_worker_is_a_failed_row(bad, first, code, tmp_path):
    recordings = waveforms(8, **{f"_{bad}": first})
    options = {"n_jobs": 2, "on_error": "nan", "cache": tmp_path / "cache", "version": "1"}
    named = rf"1 of 8 .*waveform {bad} .*ended the worker process with .*{code}"
    with pytest.warns(ExtractionWarning, match=named) as caught:
        rows = extractor(**options).transform(recordings)
    assert len(caught) == 1
    expected = [np.nan if i == bad else y.max() for i, y in enumerate(recordings)]
    np.testing.assert_array_equal(rows[:, 0], np.array(expected, np.float32))
    # All others are in the cache.
    good = [y for i, y in enumerate(recordings) if i != bad]
    options |= {"n_jobs": 1, "on_error": "raise"}
    np.testing.assert_array_equal(extractor(**options).transform(good)[:, 0], rows[~np.isnan(rows)])


class KilledWorker(Exception):
    """As dask calls it."""


@pytest.fixture
def killing(monkeypatch):
    """Let workers end with the recordings of some numbers, without any processes."""
    collect, bad = _extraction.Extraction._collect, {2}

    def killed(self, n_jobs, tasks):
        tasks = list(tasks)
        if bad & {arguments[1] for _, arguments, _ in tasks}:
            raise KilledWorker("The exit codes of the workers are {SIGSEGV(-11)}")
        yield from collect(self, 1, tasks)

    monkeypatch.setattr(_extraction.Extraction, "_collect", killed)
    return bad


def test_the_first_that_ends_its_worker_is_the_error(killing):
    killing.add(4)
    with pytest.raises(AudioError, match=r"waveform 2: .* worker process with SIGSEGV") as caught:
        extractor().transform(waveforms(6))
    assert isinstance(caught.value.__cause__, KilledWorker)


def test_those_beside_it_are_computed(killing):
    with pytest.warns(ExtractionWarning, match="1 of 6"):
        rows = extractor(on_error="nan").transform(waveforms(6))
    assert np.isnan(rows[:, 0]).tolist() == [False, False, True, False, False, False]


def test_workers_that_end_whatever_they_compute(killing, monkeypatch):
    killing.update(range(9))
    monkeypatch.setattr(_extraction, "_MAX_KILLED", 2)
    with pytest.raises(RuntimeError, match=r"SIGSEGV.* waveform 0, waveform 1, waveform 2 ended"):
        extractor(on_error="nan").transform(waveforms(6))


def test_what_a_thread_took_after_the_end_is_computed_too(killing, monkeypatch):
    isolate, late = _extraction.Extraction._isolate, []

    def isolate_before_the_last_came(self):
        if not late:
            late.append(self._in_flight.pop(5))
        yield from isolate(self)
        if len(late) == 1:
            self._in_flight[5] = late[0]
            late.append(None)

    monkeypatch.setattr(_extraction.Extraction, "_isolate", isolate_before_the_last_came)
    with pytest.warns(ExtractionWarning, match="1 of 6"):
        rows = extractor(on_error="nan").transform(waveforms(6))
    assert np.isnan(rows[:, 0]).tolist() == [False, False, True, False, False, False]
