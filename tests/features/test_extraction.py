import os
import signal
import threading
import time

import joblib
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


@posix
@pytest.mark.slow
def test_a_worker_that_is_killed_by_others_costs_nothing(tmp_path):
    flag, parent = tmp_path / "killed", os.getpid()

    def peak(y, sr):
        if y[0] == KILL and not flag.exists():
            assert os.getpid() != parent, "the recording would end this process"
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return [y.max()]

    recordings = waveforms(40, _20=KILL)
    cached = {"cache": tmp_path / "cache", "version": "1"}
    rows = FunctionExtractor(peak, ["peak"], n_jobs=2, **cached).transform(recordings)
    assert flag.exists()
    np.testing.assert_array_equal(rows[:, 0], [y.max() for y in recordings])
    # Nothing is computed again.
    flag.unlink()
    np.testing.assert_array_equal(
        FunctionExtractor(peak, ["peak"], **cached).transform(recordings), rows
    )


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


class Counting:
    """A function whose first recording waits for all others, which must not all be sent."""

    def __init__(self, n_others):
        self.n_others, self.n_done, self.all_done = n_others, 0, threading.Event()
        self.seen_by_the_first = None

    def __call__(self, y, sr):
        if y[0] == np.float32(1 / 1000):
            self.all_done.wait(0.5)
            self.seen_by_the_first = self.n_done
        else:
            self.n_done += 1
            if self.n_done >= self.n_others:
                self.all_done.set()
        return [y.max()]


@pytest.fixture
def few_ahead(monkeypatch):
    """Let rows of 30 recordings wait for an earlier one, of which 10 per worker be untaken."""
    monkeypatch.setattr(_extraction, "_PER_WORKER", 10)
    monkeypatch.setattr(_extraction, "_WAITING_BYTES", 30 * (4 + _extraction._AROUND_A_ROW))


@pytest.mark.parametrize(("size", "most"), [(1, 30), (7, 30), (40, 40)])
def test_rows_behind_a_slow_recording_are_bounded(few_ahead, size, most):
    recordings, counting = waveforms(200), Counting(199)
    extractor = FunctionExtractor(counting, names=["peak"], n_jobs=2)
    with joblib.parallel_config(backend="threading"):
        parts = list(extractor.transform_parts(recordings, size))
    # The slow one is among those that the bound counts.
    assert 1 <= counting.seen_by_the_first <= most - 1
    assert [start for start, _, _ in parts] == list(range(0, 200, size))
    np.testing.assert_array_equal(
        np.concatenate([rows[:, 0] for _, rows, _ in parts]), [y[0] for y in recordings]
    )


def test_rows_for_a_slow_caller_are_bounded(few_ahead):
    # The number 1/1000 is left out: no recording is slow.
    recordings, counting = waveforms(201)[1:], Counting(200)
    extractor = FunctionExtractor(counting, names=["peak"], n_jobs=2)
    with joblib.parallel_config(backend="threading"):
        parts = extractor.transform_parts(recordings, 5)
        next(parts)
        assert not counting.all_done.wait(0.5)
        # Those taken, and 10 for each worker.
        assert counting.n_done <= 5 + 20 + 5
        assert sum(len(rows) for _, rows, _ in parts) == 195
    assert counting.n_done == 200


def readers():
    """Return the threads of pools. Other tests may have left some, and clusters start others."""
    return {one for one in threading.enumerate() if one.name.startswith("ThreadPoolExecutor")}


@pytest.fixture
def slow_files(monkeypatch):
    """Let threads read, as if each recording were slow to open."""
    monkeypatch.setattr(_extraction, "_SECONDS_ALONE", -1.0)


def readers_of_recordings(monkeypatch, slow):
    """Identify twenty recordings, of which some are slow to open; return who read each."""
    by = [None] * 20

    def digest(item):
        by[item] = threading.current_thread()
        time.sleep(0.03 if item in slow else 0)
        return item

    monkeypatch.setattr(_extraction, "digest", digest)
    assert _extraction._digests(list(range(20))) == list(range(20))
    return [one is not threading.main_thread() for one in by]


@pytest.mark.parametrize("first", [0, 5])
def test_threads_read_from_a_slow_recording_on(monkeypatch, first):
    slow = range(first, 20)
    threaded = readers_of_recordings(monkeypatch, slow)
    assert threaded[first + 1 :] == [True] * (19 - first)
    assert not threaded[0]


def test_no_thread_reads_what_is_at_hand(monkeypatch):
    # Far longer than this takes, even where the machine is busy.
    monkeypatch.setattr(_extraction, "_SECONDS_ALONE", 60)
    assert readers_of_recordings(monkeypatch, ()) == [False] * 20


@pytest.mark.parametrize("n", range(6))
def test_a_few_recordings_are_identified(n):
    recordings = waveforms(n)
    expected = [_extraction.digest(one) for one in recordings]
    assert _extraction._digests(recordings) == expected


@pytest.mark.usefixtures("slow_files")
def test_no_reader_waits_while_an_extraction_is_suspended(tmp_path):
    """The end of a pool in a generator that is collected anywhere could stop the process."""
    recordings = waveforms(6)
    cached = extractor(cache=tmp_path / "cache", version="1")
    cached.transform(recordings)
    before = readers()
    parts = cached.transform_parts(recordings, 2)
    next(parts)
    assert readers() - before == set()
    parts.close()


@pytest.mark.usefixtures("slow_files")
def test_an_error_leaves_no_thread_of_readers(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, (80, 2000))
    extractor = FunctionExtractor(_mean, ["mean"], version=1, cache=tmp_path / "rows")
    extractor.transform([*noise[:1]])
    before = readers()
    with pytest.raises(FileNotFoundError, match="nowhere") as caught:
        extractor.transform([*noise[:1], str(tmp_path / "nowhere.wav"), *noise[1:]])
    # As long as somebody holds the error, nothing else would end them.
    assert caught.value.__traceback__ is not None
    assert readers() - before == set()


def _mean(y, sr):
    return [y.mean()]
