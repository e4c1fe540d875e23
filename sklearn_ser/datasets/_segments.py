"""The segments of long recordings as a table."""

import os
import warnings

import pandas as pd
from joblib import Parallel, delayed

from sklearn_ser.audio import Remark, split
from sklearn_ser.exceptions import AudioError, AudioWarning
from sklearn_ser.utils._advice import carrying_advice
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["list_segments"]

_SHOWN = 5  # remarks in a message


def _split(path, **options):
    """Return a split recording, or why it cannot be split."""
    try:
        return split(path, **options)
    except (AudioError, OSError) as error:
        return error


def _warn_of(remarks):
    texts = [f"{path}: {remark.kind}: {remark.text}" for path, remark in remarks]
    more = [f"{len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    warnings.warn("; ".join(texts[:_SHOWN] + more), AudioWarning, stacklevel=caller_stacklevel())


def list_segments(
    paths,
    *,
    channels="mix",
    min_pause=0.5,
    min_segment=0.5,
    max_segment=10.0,
    padding=0.1,
    max_duration=86400,
    n_jobs=None,
    on_error="raise",
):
    """List the parts of recordings in which someone speaks.

    For recordings that are longer than an utterance, such as calls and meetings.

    Parameters
    ----------
    paths : sequence of str or path-like
        The recordings; `list_recordings` lists those of folders.
    channels, min_pause, min_segment, max_segment, padding, max_duration
        As in `sklearn_ser.audio.split_recording`.
    n_jobs : int or None, default=None
        Number of threads, through `joblib`.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read: raise the error, or keep it as a row
        without times, for which an extractor will raise it.

    Returns
    -------
    table : DataFrame
        A row for each segment, recording by recording, with the columns ``path`` (what
        extractors take, such as ``call.wav#t=12.5,17``), ``file``, ``channel`` (counted from 0;
        missing if channels were averaged), ``start`` and ``end`` in seconds.

    Raises
    ------
    ValueError, FileNotFoundError, IsADirectoryError, AudioError
        As for `split_recording`.

    Warns
    -----
    AudioWarning
        As for `split_recording`, or nobody speaks in a recording; one warning for all.

    Examples
    --------
    >>> import numpy as np, soundfile, tempfile, os
    >>> from sklearn_ser.datasets import list_segments
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "call.wav")
    ...     soundfile.write(path, np.r_[noise, np.zeros(16000), noise], 16000)
    ...     segments = list_segments([path])
    >>> segments[["start", "end"]]
       start   end
    0   0.00  1.11
    1   1.89  3.00
    """
    if isinstance(paths, str | bytes | os.PathLike):
        raise ValueError(
            f"paths is the single path {plain(paths)!r}, expected several. Write [path]."
        )
    paths = [os.fsdecode(os.fspath(path)) for path in paths]
    if on_error not in ("raise", "nan"):
        raise ValueError(f"on_error={plain(on_error)!r}: expected 'raise' or 'nan'.")
    options = {
        "channels": channels,
        "min_pause": min_pause,
        "min_segment": min_segment,
        "max_segment": max_segment,
        "padding": padding,
        "max_duration": max_duration,
    }
    rows, remarks = [], []
    parallel = Parallel(n_jobs=n_jobs, prefer="threads")
    # Made here: threads do not know who reads their messages.
    split_one = delayed(carrying_advice(_split))
    results = parallel(split_one(path, **options) for path in paths)
    for path, found in zip(paths, results, strict=True):
        if isinstance(found, Exception):
            if on_error == "raise":
                raise found
            rows.append((path, path, None, None, None))
            continue
        remarks += [(path, remark) for remark in found.remarks]
        if not found.segments:
            remarks.append((path, Remark("no speech", "no part is loud enough; it has no row")))
        rows += [(str(one), one.path, one.channel, one.start, one.end) for one in found.segments]
    if remarks:
        _warn_of(remarks)
    table = pd.DataFrame(rows, columns=["path", "file", "channel", "start", "end"], dtype=object)
    return table.astype({"channel": "Int64", "start": float, "end": float})
