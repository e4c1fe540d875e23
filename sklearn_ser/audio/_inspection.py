"""Find problems in a recording without computing features."""

import math
import os
from typing import NamedTuple

from sklearn_ser.audio._containers import survey
from sklearn_ser.audio._decoding import (
    MAXIMUM_DURATION,
    ends_early,
    missing_samples,
    read_recording,
)
from sklearn_ser.audio._formats import FFMPEG_SUFFIXES
from sklearn_ser.audio._opening import open_recording, reader
from sklearn_ser.audio._segment import Segment
from sklearn_ser.audio._sound import TOLERANCE, open_sound
from sklearn_ser.audio._types import PathLike
from sklearn_ser.audio._waveform import (
    MINIMUM_DURATION,
    Remark,
    check_max_duration,
    check_rate,
)
from sklearn_ser.exceptions import AudioError

__all__ = ["Inspection", "inspect_recording"]


class Inspection(NamedTuple):
    """Size in bytes, rate, duration (NaN if unknown) and problems of a recording."""

    n_bytes: int = -1
    sr: float = math.nan
    duration: float = math.nan
    problems: tuple[Remark, ...] = ()


def _remark(kind: str, error: Exception, name: str) -> Remark:
    return Remark(kind, str(error).removeprefix(f"{name}: "))


def _inspect_header(path: PathLike, name: str, n_bytes: int) -> Inspection:
    with open_recording(path) as file:
        read = reader(file)
        found = survey(read, n_bytes)
        with open_sound(file, path, found.patches, name, read(0, 512)) as sound:
            sr, frames, kind = sound.samplerate, sound.frames, sound.format
        if kind == "FLAC" and found.frames:
            early = ends_early(file, found.frames, sr, mp3=False)
        else:
            early = kind == "MP3" and frames and ends_early(file, frames, sr, mp3=True)
    if found.patches and found.declared is None and frames > 2**48:
        # A FLAC file that was opened with an unknown length.
        frames = found.frames
    if frames is None:
        return Inspection(n_bytes, float(sr))
    problems = missing_samples(found, frames, sr) if frames and sr else []
    if early:
        text = f"it declares {frames / sr:.2f} s and has less; fetch the file again"
        problems.append(Remark("cut off", text))
    return Inspection(n_bytes, float(sr), frames / sr if sr else math.nan, tuple(problems))


def _range_problem(found: Inspection, name: str, max_duration: float) -> Remark | None:
    """Return the reason why a recording would be refused, or None."""
    try:
        check_rate(found.sr, name)
    except AudioError as error:
        return _remark("sampling rate out of range", error, name)
    if found.duration == 0:
        return Remark("empty recording", "")
    if found.duration < MINIMUM_DURATION - 0.5 / found.sr:
        return Remark("too short", f"{found.duration:.3f} s, at least {MINIMUM_DURATION:g} s")
    if found.duration > max_duration:
        return Remark("too long", f"{found.duration:.0f} s, at most {max_duration:g} s")
    return None


def _of_segment(found: Inspection, segment: Segment) -> Inspection:
    """Return what is known of a recording for a segment of it."""
    if segment.whole or math.isnan(found.duration):
        return found
    end = found.duration if segment.end is None else segment.end
    duration = max(min(end, found.duration) - segment.start, 0.0)
    if end <= found.duration + TOLERANCE and duration:
        return found._replace(duration=duration, problems=())
    text = f"the recording ends at {found.duration:.2f} s, before the segment does"
    return found._replace(duration=duration, problems=(Remark("too short", text),))


def inspect_recording(
    path: PathLike, *, max_duration: float = MAXIMUM_DURATION, samples: bool = False
) -> Inspection:
    """Find problems that would make the extraction of features fail or warn.

    Parameters
    ----------
    path : str or path-like
        A file that should be a recording, or a segment of one.
    max_duration : float
        As in `load_audio`.
    samples : bool
        Whether to decode the recording as well. If False, the header is only
        compared with the size of the file.

    Returns
    -------
    Inspection
        Its problems are of the kinds "missing file", "unreadable file", "empty
        recording", "too short", "too long", "sampling rate out of range",
        "unusable samples", and of the kinds of remarks: "cut off", "gap",
        "clipped", "cancelling channels", "digital silence", "too quiet".
    """
    check_max_duration(max_duration)
    try:
        segment = Segment.parse(path)
    except AudioError as error:
        return Inspection(problems=(_remark("unusable samples", error, ""),))
    path, name = segment.path, str(segment)
    try:
        n_bytes = os.stat(path).st_size
    except (FileNotFoundError, NotADirectoryError):
        return Inspection(problems=(Remark("missing file", ""),))
    except (OSError, ValueError):
        return Inspection(problems=(Remark("unreadable file", ""),))
    if n_bytes == 0:
        return Inspection(0, problems=(Remark("unreadable file", ""),))
    try:
        found = _inspect_header(path, name, n_bytes)
    except (AudioError, OSError):
        if os.path.splitext(path)[1].lower() not in FFMPEG_SUFFIXES:
            return Inspection(n_bytes, problems=(Remark("unreadable file", ""),))
        # The header of such a file cannot be read here, so ffmpeg has to decode it.
        found, samples = Inspection(n_bytes), True
    else:
        found = _of_segment(found, segment)
        problem = _range_problem(found, name, max_duration)
        if problem is not None and not math.isnan(found.duration):
            return found._replace(problems=(problem,))
    if not samples:
        return found
    return _inspect_samples(segment, name, found, max_duration)


def _inspect_samples(
    path: PathLike, name: str, found: Inspection, max_duration: float
) -> Inspection:
    try:
        recording = read_recording(path, None, max_duration=max_duration)
    except (AudioError, OSError) as error:
        kind = "unreadable file" if math.isnan(found.sr) else "unusable samples"
        return found._replace(problems=(_remark(kind, error, name),))
    duration = len(recording.y) / recording.sr
    return Inspection(found.n_bytes, float(recording.sr), duration, tuple(recording.remarks))
