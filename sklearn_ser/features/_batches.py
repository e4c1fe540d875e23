"""The loop over recordings for functions that compute several at once, as on a GPU."""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from joblib import effective_n_jobs

from sklearn_ser.exceptions import AudioError
from sklearn_ser.features._extraction import Extraction
from sklearn_ser.features._worker import Outcome, checked_row, one_thread, read
from sklearn_ser.utils._advice import carrying_advice

__all__ = ["BatchExtraction"]

# What is read before it is sorted by length and computed: so many recordings, or so many
# samples (ten minutes at 16 kHz, 38 MB).
_MOST_RECORDINGS = 256
_MOST_SAMPLES = 600 * 16000
# Recordings that are read between two looks at how much that is.
_GROUP = 4


class BatchExtraction(Extraction):
    """Rows of recordings, computed together in this process.

    Threads read; the calling thread computes. `function` has a method ``rows`` that
    takes a list of signals and returns a row or an `AudioError` for each, in that order;
    the other parameters are those of `Extraction`, and `n_jobs` counts the threads.
    """

    def _task(self, position, item):
        return position, item

    def _read(self, task):
        return read(
            *task,
            sampling_rate=self._sampling_rate,
            max_duration=self._max_duration,
            keyed=self._cache is not None,
            augment=self._augment,
        )

    def _collect(self, n_jobs, tasks):
        tasks, waiting, n_samples = iter(tasks), [], 0
        # Made here: the threads do not know who reads their messages.
        read_one = carrying_advice(self._read)
        with one_thread(), ThreadPoolExecutor(max(2, effective_n_jobs(n_jobs))) as readers:
            while group := list(islice(tasks, _GROUP)):
                for found in readers.map(read_one, group):
                    if isinstance(found, Outcome):
                        yield self._settle(found)
                        continue
                    waiting.append(found)
                    n_samples += len(found.y)
                if len(waiting) >= _MOST_RECORDINGS or n_samples >= _MOST_SAMPLES:
                    yield from self._compute_all(waiting)
                    waiting, n_samples = [], 0
                yield from self._fetch()
            yield from self._compute_all(waiting)
        yield from self._fetch()

    def _compute_all(self, waiting):
        if not waiting:
            return
        rows = self._function.rows([found.y for found in waiting])
        for found, row in zip(waiting, rows, strict=True):
            if isinstance(row, AudioError):
                yield self._settle(found.outcome(error=row))
            else:
                row = checked_row(row, self._n_columns, found.name)
                yield self._settle(found.outcome(row))
