"""The extraction loop: look up stored rows, compute the others, and store them."""

import contextlib
import os
import re
import threading
import time
import warnings
from collections import deque
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from itertools import chain, islice

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from sklearn_ser.exceptions import AudioError
from sklearn_ser.features._worker import Outcome, compute, digest, name_of, one_thread
from sklearn_ser.utils._advice import advice, carrying_advice

__all__ = ["Extraction", "in_parts"]

# Recordings are looked up in groups. If reading a group takes longer than this, as on a network
# drive, a few threads read the rest of it. Where there is little to wait for, they would contend
# for the interpreter, which costs several times what reading a file costs.
_LOOKUP = 64
_N_READERS = 4
_SECONDS_ALONE = 0.02

# Number of stored rows that may wait while other rows are computed.
_MAX_WAITING = 4096

# Number of recordings per worker that may be unfinished, or finished and not yet taken by a slow
# caller. joblib sends short recordings in batches, of which a worker has up to a thousand.
_PER_WORKER = 1024

# Size in bytes of the finished rows that may wait for an earlier recording, each with its share
# of what surrounds it.
_WAITING_BYTES = 16 << 20
_AROUND_A_ROW = 256

# If more recordings than this end their worker in succession, they are not the cause.
_MAX_KILLED = 10


def _chunks(items, size):
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


@contextlib.contextmanager
def _close_quietly(results):
    """Close joblib's results without its warning about an early end, which is intended."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.close()


class _Shared:
    """An iterator that several threads may advance."""

    def __init__(self, iterator):
        self._iterator = iterator
        self._lock = threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self._lock:
            return next(self._iterator)


def _ended_worker(error):
    """Whether an error means that a worker process ended; dask has its own class for this."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def _exit_codes(error):
    found = re.search(r"exit codes? of the workers? (?:are|is) \{(.*)\}", str(error))
    return f" with {found[1]}" if found else ""


def _digests(items):
    """Identify recordings by their content, in threads if that takes long."""
    started = time.perf_counter()
    digests = []
    for item in items:
        if time.perf_counter() - started > _SECONDS_ALONE:
            break
        digests.append(digest(item))
    if len(digests) < len(items):
        with ThreadPoolExecutor(_N_READERS) as readers:
            digests += readers.map(digest, items[len(digests) :])
    return digests


class Extraction:
    """Compute rows of recordings, in the order in which they become available.

    At any time, a few recordings per worker and at most some thousand rows are
    in memory. No recording is sent to a worker while the oldest unfinished one
    is too far behind: rows that are written in order wait for it, and joblib
    keeps rows for a caller that is slow. When a worker process ends, the
    recordings that workers had at that moment are computed again, one at a
    time. The recording that ends its worker again is reported as an error; the
    others get their rows.

    Parameters
    ----------
    function : callable
        From ``(y, sr)`` to a row; picklable.
    n_columns : int
        Length of a row.
    columns : ndarray of int or None
        Which of its values the outcomes have; None: all. All are stored.
    sampling_rate, max_duration : int or None, float
        As in `sklearn_ser.audio.load_audio`.
    cache : FeatureCache or None
        Where rows are looked up first and new rows are stored. Only this
        process uses it; workers return rows.
    n_jobs : int or None
        As in `joblib.Parallel`.
    size : int
        How many recordings are put in order at a time.
    stop : bool
        Whether the first error ends the extraction. Recordings that were
        already sent to workers are still computed and stored.
    progress : Progress
        Receives the outcome of every recording.
    augment : callable or None
        As in `read`; rows are stored under the digest of the recording as it is.

    Attributes
    ----------
    remarks : dict from int to tuple of Remark
        What makes the features of some recordings doubtful, by position.
    """

    def __init__(
        self,
        function,
        n_columns,
        *,
        columns=None,
        sampling_rate,
        max_duration,
        cache,
        n_jobs,
        size,
        stop,
        progress,
        augment=None,
    ):
        self.remarks = {}
        self._function = function
        self._n_columns = n_columns
        self._columns = columns
        self._sampling_rate = sampling_rate
        self._max_duration = max_duration
        self._cache = cache
        self._n_jobs = n_jobs
        self._size = size
        self._stop = stop
        self._progress = progress
        # Made here: joblib asks for tasks in threads of its own, which do not know the reader.
        self._delayed_compute = delayed(carrying_advice(compute))
        self._augment = augment

    def run(self, recordings):
        """Run the extraction.

        Parameters
        ----------
        recordings : list of str or ndarray
            Paths and waveforms.

        Yields
        ------
        outcome : Outcome
            One for each recording, in any order.

        Raises
        ------
        AudioError, OSError
            The error of the first recording that failed, if `stop`.
        RuntimeError
            If a worker ends with every recording.
        """
        # Errors that end the extraction, by position.
        self._failed = {}
        # Rows found by the thread that fills the queue of the workers.
        self._found = deque()
        # Recordings that were sent to workers and have not come back.
        self._in_flight = {}
        self._killed = []
        # Shared: when a worker ends, a thread of joblib may still be advancing the iterator.
        lookups = _Shared(self._look_up(recordings))
        for outcome, item in lookups:
            if item is None:
                yield self._count(outcome)
                continue
            self._progress.start()
            yield from self._compute(chain([(outcome, item)], lookups))
            if self._failed:
                raise self._failed[min(self._failed)]
        while self._in_flight:
            yield from self._isolate()

    def _compute(self, lookups):
        """Start workers; return when they should have no more for now, or when one has ended."""
        try:
            yield from self._collect(self._n_jobs, self._tasks(lookups))
        except Exception as error:
            if not _ended_worker(error):
                raise
            yield from self._isolate()

    def _isolate(self):
        """Compute each recording that was lost with a worker in a worker of its own."""
        for position, item in sorted(self._in_flight.items(), key=lambda entry: entry[0]):
            try:
                # Two, because joblib would compute in this process if asked for one worker.
                yield from self._collect(2, [self._task(position, item)])
            except Exception as error:
                if not _ended_worker(error):
                    raise
                yield self._count(self._blame(position, item, error))
                continue
            self._killed.clear()

    def _blame(self, position, item, error):
        """Return the outcome of a recording that ended its worker."""
        del self._in_flight[position]
        self._killed.append(name_of(item, position))
        if len(self._killed) > _MAX_KILLED:
            raise RuntimeError(
                f"Worker processes end{_exit_codes(error)} whatever they compute: "
                f"{', '.join(self._killed)} ended one each. Compute one of them with "
                f"{advice('n_jobs=1', '--jobs 1')} to find the cause."
            ) from error
        reason = AudioError(
            f"{self._killed[-1]}: computing its features ended the worker process"
            f"{_exit_codes(error)}, alone as well as beside others. Either they crash, or they "
            "need more memory than there is."
        )
        reason.__cause__ = error
        if self._stop:
            self._failed[position] = reason
        return Outcome(position, error=reason)

    def _collect(self, n_jobs, tasks):
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        with one_thread(), _close_quietly(parallel(tasks)) as results:
            for outcome in results:
                yield self._settle(outcome)
                yield from self._fetch()
        yield from self._fetch()

    def _settle(self, outcome):
        """Store what was computed, and note what failed."""
        self._in_flight.pop(outcome.position, None)
        if outcome.row is not None and outcome.digest is not None:
            self._cache.put(outcome.digest, outcome.row, outcome.remarks)
        if outcome.error is not None and self._stop:
            self._failed[outcome.position] = outcome.error
        return self._count(self._selected(outcome))

    def _selected(self, outcome):
        """Drop the values that are stored but not returned: they may be most of a row."""
        if self._columns is None or outcome.row is None:
            return outcome
        return outcome._replace(row=outcome.row[self._columns])

    def _tasks(self, lookups):
        """Yield work; end when all that was sent has to come back before more is sent."""
        most_unfinished = _PER_WORKER * effective_n_jobs(self._n_jobs)
        n_columns = self._n_columns if self._columns is None else len(self._columns)
        most_waiting = _WAITING_BYTES // (4 * n_columns + _AROUND_A_ROW)
        most_ahead = max(self._size, most_unfinished, most_waiting)
        limit = 0
        for outcome, item in lookups:
            position = outcome.position
            if item is None:
                self._found.append(outcome)
            else:
                self._in_flight[position] = item
                yield self._task(position, item)
            if position >= limit:
                # A copy, because another thread removes what has come back.
                limit = min(list(self._in_flight), default=position) + most_ahead - 1
            if (
                self._failed
                or position >= limit
                or len(self._in_flight) >= most_unfinished
                or len(self._found) >= _MAX_WAITING
            ):
                return

    def _task(self, position, item):
        return self._delayed_compute(
            self._function,
            position,
            # Not by abspath, which resolves "link/.." to the folder that contains the link.
            os.path.join(os.getcwd(), item) if isinstance(item, str) else item,
            sampling_rate=self._sampling_rate,
            max_duration=self._max_duration,
            n_columns=self._n_columns,
            keyed=self._cache is not None,
            augment=self._augment,
        )

    def _fetch(self):
        while self._found:
            yield self._count(self._found.popleft())

    def _count(self, outcome):
        if outcome.remarks:
            self.remarks[outcome.position] = outcome.remarks
        self._progress.update(outcome)
        return outcome

    def _look_up(self, recordings):
        """Yield an outcome and None, or an unfinished outcome and what it needs."""
        items = enumerate(recordings)
        if self._cache is None or self._cache.empty:
            # Without reading anything: workers read what they are given anyway.
            yield from ((Outcome(position), item) for position, item in items)
            return
        for chunk in _chunks(items, _LOOKUP):
            # Its threads end before this generator waits: one that an error has left unfinished may
            # be collected in the middle of threading's own code, whose lock the end of a pool
            # needs, and the process would stand still.
            digests = _digests([item for _, item in chunk])
            rows = self._cache.get(digests)
            for (position, item), key in zip(chunk, digests, strict=True):
                if key in rows:
                    row, remarks = rows[key]
                    found = Outcome(position, row, cached=True, remarks=remarks)
                    yield self._selected(found), None
                else:
                    yield Outcome(position), item


def in_parts(outcomes, n_recordings, n_columns, size):
    """Put outcomes in the order of the recordings.

    Parameters
    ----------
    outcomes : iterable of Outcome
        In any order.
    n_recordings, n_columns : int
        Shape of the whole.
    size : int
        Number of recordings in a part.

    Yields
    ------
    start : int
        Position of the first recording of the part.
    rows : ndarray of shape (size or less, n_columns), dtype float32
        NaN where there is an error.
    errors : dict from int to Exception
        By position.
    """
    waiting, n_missing, start = {}, {}, 0
    for outcome in outcomes:
        first = outcome.position - outcome.position % size
        if first not in waiting:
            n_missing[first] = min(size, n_recordings - first)
            waiting[first] = np.full((n_missing[first], n_columns), np.nan, np.float32), {}
        rows, errors = waiting[first]
        if outcome.error is None:
            rows[outcome.position - first] = outcome.row
        else:
            errors[outcome.position] = outcome.error
        n_missing[first] -= 1
        while n_missing.get(start) == 0:
            yield start, *waiting.pop(start)
            start += size
