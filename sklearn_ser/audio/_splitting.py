"""Find the parts of long recordings in which someone speaks, by their level."""

import math
import os
from collections.abc import Iterator
from numbers import Real
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sklearn_ser.audio._decoding import decoded
from sklearn_ser.audio._opening import open_recording
from sklearn_ser.audio._segment import Segment
from sklearn_ser.audio._types import PathLike, Rate, Samples
from sklearn_ser.audio._waveform import (
    MINIMUM_DURATION,
    Levels,
    Remark,
    check_max_duration,
    check_rate,
    examine_waveform,
    warn_of,
)
from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._messages import plain

__all__ = ["CHANNELS", "SplitRecording", "split", "split_recording", "split_speech"]

#: What `split_recording` does with several channels.
CHANNELS = ("mix", "separate")

# Seconds per frame. A level is averaged over three of them, two periods of a deep voice.
_HOP = 0.01
_SMOOTHING = 3

# The lowest level in dB: beyond the noise of 16 bits.
_LOWEST = -100.0

# The level of speech is that of the loudest second, or of the loudest twentieth of a short
# recording: of a percentile, nothing would be left where someone rarely speaks.
_LOUD_SECONDS, _LOUD_SHARE = 1.0, 0.05
# The level of pauses is this percentile.
_QUIET = 10

# With less contrast in dB between the two, as in music or in a noise, no pause is heard.
_CONTRAST = 6.0
# Speech is what lies above this share of the contrast in dB, but at most so many dB below the
# loudest: even the ends of words are louder.
_SHARE, _RANGE = 0.2, 40.0


class _Rules(NamedTuple):
    """The parameters of `split_speech`, in frames."""

    pause: int
    shortest: int
    longest: int
    padding: int


class SplitRecording(NamedTuple):
    """The segments of a recording, and remarks on the whole of it."""

    segments: list[Segment]
    remarks: list[Remark]


def _check_seconds(value: object, name: str) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not number or not 0 <= float(value) < math.inf:  # type: ignore[arg-type]
        raise ValueError(f"{name} is {plain(value)!r}, expected a number of seconds.")


def _check(min_pause: float, min_segment: float, max_segment: float, padding: float) -> _Rules:
    _check_seconds(min_pause, "min_pause")
    _check_seconds(min_segment, "min_segment")
    _check_seconds(max_segment, "max_segment")
    _check_seconds(padding, "padding")
    if min_segment < MINIMUM_DURATION:
        raise ValueError(
            f"{advice('min_segment', '--min-segment')} is {min_segment:g}, expected at least "
            f"{MINIMUM_DURATION:g} s, one analysis frame."
        )
    if max_segment < 2 * (min_segment + padding):
        raise ValueError(
            f"{advice('max_segment', '--max-segment')} is {max_segment:g}, expected at least twice "
            f"{advice('min_segment', '--min-segment')} and the padding together, "
            f"{2 * (min_segment + padding):g} s: a longer part is cut in two."
        )
    frames = [round(value / _HOP) for value in (min_pause, min_segment, max_segment, padding)]
    return _Rules(*frames)


class _Power:
    """The power of frames of each channel, collected block by block.

    Parameters
    ----------
    sr : int
        Sampling rate in Hz.
    """

    def __init__(self, sr: Rate) -> None:
        self._hop = round(sr * _HOP)
        self._parts: list[npt.NDArray[np.float32]] = []
        self._rest: Samples | None = None

    def take(self, block: Samples) -> None:
        if self._rest is not None:
            block = np.concatenate([self._rest, block])
        n = len(block) // self._hop
        # A copy, because the block is large.
        self._rest = block[n * self._hop :].copy()
        if n:
            self._add(block[: n * self._hop].reshape(n, self._hop, -1))

    def _add(self, frames: Samples) -> None:
        # Without the mean, which is an offset of the recorder or a rumble.
        self._parts.append(frames.var(axis=1))

    def finish(self) -> npt.NDArray[np.float32]:
        """Return an array of shape (n_frames, n_channels)."""
        if self._rest is not None and len(self._rest):
            self._add(self._rest[None])
        return np.concatenate(self._parts)


def _levels(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the levels of frames in dB relative to full scale."""
    padded = np.pad(power.astype(np.float64), _SMOOTHING // 2, mode="edge")
    smooth = np.convolve(padded, np.full(_SMOOTHING, 1 / _SMOOTHING), mode="valid")
    # Rounding may leave a small negative number.
    return 10 * np.log10(np.maximum(smooth, 10 ** (_LOWEST / 10)))


def _is_speech(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    n_loud = max(int(min(_LOUD_SECONDS / _HOP, _LOUD_SHARE * len(levels))), 1)
    loud = float(np.partition(levels, -n_loud)[-n_loud])
    quiet = float(np.percentile(levels, _QUIET))
    if loud <= _LOWEST + _CONTRAST:
        return np.zeros(len(levels), bool)
    if loud - quiet < _CONTRAST:
        return np.ones(len(levels), bool)
    return levels > max(quiet + _SHARE * (loud - quiet), loud - _RANGE)


def _runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return begin and end of the runs of True, in an array of shape (n_runs, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2)


def _cut_at_quietest(
    start: int, end: int, levels: npt.NDArray[np.float64], rules: _Rules
) -> Iterator[tuple[int, int]]:
    """Cut a run that is too long at the quietest place in its middle half, again and again."""
    waiting = [(start, end)]
    while waiting:
        start, end = waiting.pop()
        if end - start <= rules.longest:
            yield start, end
            continue
        # Rounding to frames may leave a frame less than two of the shortest parts.
        margin = min(max((end - start) // 4, rules.shortest), (end - start) // 2)
        place = start + margin + int(np.argmin(levels[start + margin : end - margin + 1]))
        waiting += [(place, end), (start, place)]


def _merge(levels: npt.NDArray[np.float64], rules: _Rules) -> npt.NDArray[np.intp]:
    """Return begin and end of segments in frames, with padding."""
    runs = _runs(_is_speech(levels))
    if len(runs):
        # Runs belong together unless a pause divides them.
        pauses = np.flatnonzero(runs[1:, 0] - runs[:-1, 1] >= max(rules.pause, 1))
        starts, ends = runs[np.r_[0, pauses + 1], 0], runs[np.r_[pauses, len(runs) - 1], 1]
        runs = np.column_stack([starts, ends])
        runs = runs[ends - starts >= rules.shortest]
    limits = rules._replace(longest=rules.longest - 2 * rules.padding)
    cut = [part for start, end in runs for part in _cut_at_quietest(start, end, levels, limits)]
    runs = np.array(cut, np.intp).reshape(-1, 2)
    # In a short pause, padding takes half of it from either side.
    room = np.r_[rules.padding * 2, runs[1:, 0] - runs[:-1, 1], rules.padding * 2]
    before = np.minimum(room[:-1] - room[:-1] // 2, rules.padding)
    after = np.minimum(room[1:] // 2, rules.padding)
    return np.column_stack([runs[:, 0] - before[: len(runs)], runs[:, 1] + after[: len(runs)]])


def _seconds(
    power: npt.NDArray[np.float32], n_samples: int, sr: Rate, rules: _Rules
) -> npt.NDArray[np.float64]:
    frames = _merge(_levels(power), rules)
    # In milliseconds, which is finer than a frame.
    duration = math.floor(1000 * n_samples / sr) / 1000
    return np.clip(np.round(frames * round(sr * _HOP) / sr, 3), 0, duration)


def split_speech(
    y: npt.ArrayLike,
    sr: Rate,
    *,
    min_pause: float = 0.5,
    min_segment: float = 0.5,
    max_segment: float = 10.0,
    padding: float = 0.1,
) -> npt.NDArray[np.float64]:
    """Find the parts of a waveform in which someone speaks, by their level.

    The level of speech is that of the loudest second, the level of pauses the 10th percentile
    of frames of 10 ms. Speech is what lies above 20 % of the way in dB from the second to the
    first, and at most 40 dB below the first. If they differ by less than 6 dB, no pause is heard
    and all of it is speech. This tells voices from pauses, not from other sounds: loud music is
    taken for speech.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    sr : int
        Sampling rate in Hz.
    min_pause : float, default=0.5
        Shortest pause in seconds that divides two segments. Pauses within a sentence rarely
        exceed half a second; with 0.2, phrases become segments.
    min_segment : float, default=0.5
        Seconds of a shorter sound, such as a click or a cough, which is left out.
    max_segment : float, default=10
        Longest segment in seconds. A longer one is cut at its quietest place, because an
        emotion hardly lasts longer, and models learn from utterances of a few seconds.
    padding : float, default=0.1
        Seconds that a segment gets on both sides for soft beginnings and ends; in a pause that
        is shorter than twice as long, half of the pause.

    Returns
    -------
    segments : ndarray of shape (n_segments, 2)
        Start and end of each segment in seconds, in order and without overlap.

    Raises
    ------
    ValueError
        A parameter is not a number of seconds, or `max_segment` is too short to cut.
    AudioError
        As for `check_waveform`.

    See Also
    --------
    split_recording : The same for a file, without all of its samples in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import split_speech
    >>> tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
    >>> y = np.concatenate([np.zeros(8000), tone, np.zeros(16000), tone, np.zeros(8000)])
    >>> split_speech(y, 16000, padding=0).round(1)
    array([[0.5, 1.5],
           [2.5, 3.5]])
    """
    rules = _check(min_pause, min_segment, max_segment, padding)
    y, sr, _ = examine_waveform(y, sr, "the waveform")
    power = _Power(sr)
    power.take(y[:, None])
    return _seconds(power.finish()[:, 0], len(y), sr, rules)


def split(
    path: PathLike, *, channels: str, max_duration: float = 86400, **parameters: float
) -> SplitRecording:
    """Split a recording like `split_recording`, but return remarks instead of warning."""
    rules = _check(**parameters)
    check_max_duration(max_duration)
    if channels not in CHANNELS:
        raise ValueError(f"channels is {plain(channels)!r}, expected 'mix' or 'separate'.")
    whole = Segment.parse(path)
    name = str(whole)
    if whole.start or whole.end is not None:
        raise ValueError(f"{name}: this is a segment already, expected a whole recording.")
    with (
        open_recording(whole.path) as file,
        decoded(file, whole, name, max_duration) as (recorded, blocks, missing),
    ):
        sr = check_rate(recorded, name)
        power, levels, n = _Power(sr), Levels(name), 0
        for block in blocks:
            n += len(block)
            if n > max_duration * sr:
                raise AudioError(
                    f"{name}: it lasts longer than {max_duration:g} s, the limit for one "
                    "recording. Raise max_duration if this duration is correct."
                )
            mono = levels.take(block)
            power.take(block if channels == "separate" else mono[:, None])
        if not n:
            raise AudioError(f"{name}: no samples, expected a recording.")
        remarks = missing(n, sr) + levels.remarks()
    found = power.finish()
    numbers = [whole.channel] if found.shape[1] == 1 else range(found.shape[1])
    segments = [
        Segment(whole.path, start, end, number)
        for number, column in zip(numbers, found.T, strict=True)
        for start, end in _seconds(column, n, sr, rules).tolist()
    ]
    return SplitRecording(sorted(segments, key=lambda one: one.start), remarks)


def split_recording(
    path: PathLike,
    *,
    channels: str = "mix",
    min_pause: float = 0.5,
    min_segment: float = 0.5,
    max_segment: float = 10.0,
    padding: float = 0.1,
    max_duration: float = 86400,
) -> list[Segment]:
    """Find the parts of a recording in which someone speaks.

    The file is decoded once, block by block; memory is needed for a level every 10 ms. Pass the
    segments to an extractor in place of paths: it reads each without what comes before it.

    Parameters
    ----------
    path : str or path-like
        As in `load_audio`; a segment only if it is all of a channel.
    channels : {"mix", "separate"}, default="mix"
        "mix" averages the channels. "separate" splits each by itself, for calls with one
        speaker per channel.
    min_pause, min_segment, max_segment, padding : float
        As in `split_speech`.
    max_duration : float, default=86400
        Longest allowed duration in seconds. A day needs 0.3 GB.

    Returns
    -------
    segments : list of Segment
        In the order of their beginnings; empty if nobody speaks.

    Raises
    ------
    ValueError
        As for `split_speech`, or the path is that of a segment with times.
    FileNotFoundError, IsADirectoryError, AudioError
        As for `load_audio`.

    Warns
    -----
    AudioWarning
        As for `load_audio`.

    See Also
    --------
    sklearn_ser.datasets.list_segments : A table of the segments of many recordings.

    Examples
    --------
    >>> import numpy as np, soundfile, tempfile, os
    >>> from sklearn_ser import EGeMAPSExtractor
    >>> from sklearn_ser.audio import split_recording
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    >>> pause = np.zeros(16000)
    >>> call = np.column_stack([np.r_[noise, pause, pause], np.r_[pause, pause, noise]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "call.wav")
    ...     soundfile.write(path, call, 16000)
    ...     segments = split_recording(path, channels="separate")
    ...     rows = EGeMAPSExtractor().transform(segments)
    >>> [(one.start, one.end, one.channel) for one in segments]
    [(0.0, 1.11, 0), (1.89, 3.0, 1)]
    >>> rows.shape
    (2, 88)
    """
    found = split(
        path,
        channels=channels,
        max_duration=max_duration,
        min_pause=min_pause,
        min_segment=min_segment,
        max_segment=max_segment,
        padding=padding,
    )
    warn_of(found.remarks, os.fsdecode(os.fspath(path)))
    return found.segments
