"""Load and extract damaged recordings, and count what comes of it.

    python tests/fuzz/audio.py --runs 20000 --seed 0 --jobs 1

Right is: samples or an `AudioError` (or `OSError`) that names the file, with no warning but those
of the package, in bounded time and memory, and the same with a cache and under another name.
Anything else is counted, kept in the folder of --out together with what happened, and makes the
exit status 1. ``--replay FILE …`` runs kept inputs again.
"""

import collections
import contextlib
import os
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from _audio_inputs import damaged, recordings, voice
from _children import execute, keep, options_of, table
from _counts import record_script

SECONDS = 10.0  # a hang
LIMIT = 1 << 30  # address space on top of the libraries
# Memory that one execution may take: work space, and what the content decodes to.
_FIXED, _PER_BYTE = 64 << 20, 256
_EVERY = 16  # how many executions come on one of the transformer as a whole

_FAULTS = ("foreign", "differs", "memory", "crash", "hang")
_COLUMNS = ("runs", "loaded", "warned", "refused", *_FAULTS, "peak MB", "slowest ms")

_folder = None
_n_runs = 0


def _scratch():
    """Return the folder of this process: in memory where the system has such a place."""
    global _folder
    if _folder is None:
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        _folder = tempfile.TemporaryDirectory(prefix="fuzz-audio-", dir=place)
    return Path(_folder.name)


def _good():
    """Return the path of a recording that is all right."""
    path = _scratch() / "good.wav"
    if not path.exists():
        import soundfile

        soundfile.write(path, voice(16000, 1, 0.2), 16000)
    return path


def _sum(y, sr):
    """Return a cheap row that identifies samples, exact in single precision."""
    sum_ = zlib.crc32(np.ascontiguousarray(y))
    return np.array([len(y), sum_ & 0xFFFF, sum_ >> 16], np.float32)


def _through_cache(path):
    """Return the samples' identity as a transformer with a cache sees it, or the refusal."""
    from sklearn_ser.exceptions import AudioError
    from sklearn_ser.features import FunctionExtractor

    # One for all suffixes: what was stored under another must not decide.
    cache = _scratch() / "sums.sqlite"
    extractor = FunctionExtractor(_sum, ["length", "low", "high"], version=1, cache=cache)
    try:
        return extractor.transform([str(path)])[0]
    except (AudioError, OSError) as error:
        return error


def _load(path):
    """Return what `load_audio` gives, or the refusal."""
    from sklearn_ser.audio import load_audio
    from sklearn_ser.exceptions import AudioError

    try:
        return load_audio(path)
    except (AudioError, OSError) as error:
        return error


def _check_samples(y, sr):
    """Yield what is wrong with samples that were accepted."""
    if sr != 16000 or y.dtype != np.float32 or y.ndim != 1 or len(y) < 960:
        yield f"samples of dtype {y.dtype} and shape {y.shape} at {sr} Hz"
    elif not (np.isfinite(y).all() and np.abs(y).max() <= 1):
        yield "samples beyond -1 and 1"


def _check_row(y, sr):
    """Yield what is wrong with the features of samples that were accepted."""
    from sklearn_ser.features import egemaps

    row = egemaps(y, sr)
    if np.shape(row) != (88,) or not np.isfinite(row).all():
        yield f"features of shape {np.shape(row)}, {np.isfinite(row).sum()} of them finite"


def _check_twin(path, loaded):
    """Yield how the file differs when it has another name and place and a cache is in use."""
    twin = path.parent / "other place" / ("tön #1" + path.suffix)
    twin.parent.mkdir(exist_ok=True)
    os.link(path, twin)
    try:
        other = _through_cache(twin)
    finally:
        twin.unlink()
    one, two = str(loaded).replace(str(path), "PATH"), str(other).replace(str(twin), "PATH")
    if isinstance(loaded, Exception):
        if not isinstance(other, Exception):
            yield f"refused with {one!r}, but with a cache {other[0]:.0f} samples"
        elif one != two:
            yield f"refused with {one!r}, but with a cache with {two!r}"
    elif isinstance(other, Exception):
        yield f"{len(loaded[0])} samples, but with a cache refused with {two!r}"
    elif not np.array_equal(other, _sum(*loaded)):
        yield f"{len(loaded[0])} samples, with a cache {other[0]:.0f} that differ"


def _check_batch(path, refused):
    """Yield what is wrong when the transformer gets the recording behind one that is all right."""
    from sklearn_ser import EGeMAPSExtractor

    cache = _scratch() / "cache.sqlite"
    cache.unlink(missing_ok=True)
    batch = [_good(), path]
    plain = EGeMAPSExtractor(on_error="nan").transform(batch)
    extractor = EGeMAPSExtractor(on_error="nan", cache=cache)
    for what in ("filling", "reading"):
        if not np.array_equal(plain, extractor.transform(batch), equal_nan=True):
            yield f"another table when {what} the cache"
    if np.isnan(plain[0]).any():
        yield "no features of the good recording beside it"
    if np.isnan(plain[1]).all() != refused:
        yield f"load_audio {'refuses' if refused else 'takes'} it, the transformer does not"


@contextlib.contextmanager
def _overheard():
    """Collect what Python can only mention: warnings, and exceptions that nothing can catch.

    Those that a callback of libsndfile raises are of the latter kind.
    """
    lost = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda event: lost.append(event.exc_value)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught, lost
    finally:
        sys.unraisablehook = hook


def _is_ours(category):
    return category.__module__.startswith("sklearn_ser.")


def judge(task):
    """Load and extract one input; return ``(what came of it, faults)``.

    Parameters
    ----------
    task : (str, str, bytes) or (str, str, bytes, bool)
        Label, suffix and content; last, whether to run the transformer, too, which every
        sixteenth execution does otherwise.

    Returns
    -------
    verdict : set of str
        Of "loaded", "refused" and "warned".
    faults : list of (str, str)
        Kind, "foreign" or "differs", and what was found.
    """
    global _n_runs
    _n_runs += 1
    _, suffix, content, *whole = task
    path = _scratch() / ("recording" + suffix)
    path.write_bytes(content)
    faults = []
    with _overheard() as (caught, lost):
        loaded = _load(path)
        refused = isinstance(loaded, Exception)
        verdict = {"refused" if refused else "loaded"}
        if any(_is_ours(warning.category) for warning in caught):
            verdict.add("warned")
        if refused and str(path) not in str(loaded):
            faults.append(("foreign", f"the refusal does not name the file: {loaded}"))
        if not refused:
            faults += [("foreign", found) for found in _check_samples(*loaded)]
            faults += [("foreign", found) for found in _check_row(*loaded)]
        faults += [("differs", found) for found in _check_twin(path, loaded)]
        if whole[0] if whole else _n_runs % _EVERY == 0:
            faults += [("differs", found) for found in _check_batch(path, refused)]
    strange = {f"{w.category.__name__}: {w.message}" for w in caught if not _is_ours(w.category)}
    strange |= {f"ignored {type(error).__name__}: {error}" for error in lost}
    return verdict, faults + [("foreign", found) for found in sorted(strange)]


def prepare():
    """Compile, and load what is loaded on first use."""
    for recording in recordings()[::9]:
        judge((*recording[:3], True))


class Tally:
    """Numbers by format, and where the inputs of faults are kept."""

    def __init__(self, folder, most=20):
        self.counts = collections.defaultdict(collections.Counter)
        self.kinds = collections.Counter()
        self._folder, self._most = folder, most

    def add(self, task, outcome, name):
        label, suffix, content = task[:3]
        row = self.counts[label]
        row["runs"] += 1
        verdict, faults = outcome.value or ((), [(outcome.kind, outcome.detail)])
        row.update(verdict)
        if outcome.grown > _FIXED + _PER_BYTE * len(content):
            grown = outcome.grown >> 20
            faults = [*faults, ("memory", f"{len(content)} bytes took {grown} MB")]
        row["peak MB"] = max(row["peak MB"], outcome.grown >> 20)
        row["slowest ms"] = max(row["slowest ms"], round(1000 * outcome.seconds))
        row.update({kind for kind, _ in faults})
        for kind, detail in faults:
            # The last line of a traceback says what was raised; numbers and paths are left out.
            line = detail.strip().splitlines()[-1 if kind == "foreign" else 0]
            gist = "".join("#" if letter.isdigit() else letter for letter in line)[:110]
            self.kinds[kind, gist] += 1
            if self.kinds[kind, gist] <= self._most:
                keep(self._folder, suffix, content, f"{name} ({label}): {kind}\n{detail}\n")

    def __str__(self):
        text = table(self.counts, _COLUMNS, "format")
        for (kind, gist), n in self.kinds.most_common():
            text += f"\n{n:6d} {kind}: {gist}"
        return text

    @property
    def n_faults(self):
        return sum(row[kind] for row in self.counts.values() for kind in _FAULTS)


def main(n=20_000, seed=0, *, jobs=1, out="fuzz-audio", limit=LIMIT):
    """Run `n` damaged recordings; print the tables, return the number of faults."""
    made = recordings()
    tally, start = Tally(out), time.perf_counter()

    def make(index):
        return damaged(made, seed, index)

    options = {"script": __file__, "function": "judge", "memory": limit, "seconds": SECONDS}
    for index, task, outcome in execute(make, n, jobs=jobs, **options):
        tally.add(task, outcome, f"seed {seed}, input {index}")
    seconds = time.perf_counter() - start
    print(tally)
    print(f"{n} executions in {seconds:.0f} s, {n / seconds:.0f} a second, seed {seed}")
    return tally.n_faults


def replay(paths):
    """Run kept inputs again; return the number of faults."""
    tasks = [("replay", Path(path).suffix, Path(path).read_bytes(), True) for path in paths]
    tally = Tally(os.devnull, most=0)
    options = {"script": __file__, "function": "judge", "memory": LIMIT, "seconds": SECONDS}
    for index, task, outcome in execute(tasks.__getitem__, len(tasks), **options):
        tally.add(task, outcome, paths[index])
        print(f"{paths[index]}: {outcome.kind} {outcome.value}\n{outcome.detail}".rstrip())
    print(tally)
    return tally.n_faults


if __name__ == "__main__":
    parser = options_of(__doc__, 20_000, out="fuzz-audio")
    parser.add_argument("--replay", nargs="+", metavar="FILE", help="run kept inputs again")
    given = parser.parse_args()
    if given.replay:
        sys.exit(replay(given.replay) > 0)
    n_faults = main(given.runs, given.seed, jobs=given.jobs, out=given.out)
    record_script(given, __file__, n_faults)
    sys.exit(n_faults > 0)
