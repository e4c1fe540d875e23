"""Decode audio files to mono waveforms, block by block, and resample them."""

import contextlib
import functools
import io
import math
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sklearn_ser.audio._containers import Survey, survey
from sklearn_ser.audio._ffmpeg import Decoded, decode_with_ffmpeg
from sklearn_ser.audio._formats import FFMPEG_SUFFIXES
from sklearn_ser.audio._opening import PatchedFile, file_digest, open_recording, reader
from sklearn_ser.audio._segment import Segment
from sklearn_ser.audio._sound import BLOCK, TOLERANCE, cut, is_text, open_sound, read_blocks, seek
from sklearn_ser.audio._types import Hasher, PathLike, Rate, Samples
from sklearn_ser.audio._waveform import (
    Levels,
    Remark,
    check_length,
    check_max_duration,
    check_rate,
    clip,
    warn_of,
)
from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._advice import advice

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = [
    "MAXIMUM_DURATION",
    "Recording",
    "decoded",
    "ends_early",
    "load_audio",
    "missing_samples",
    "read_recording",
    "recording_digest",
]

#: Default limit for the duration of a recording in seconds: four hours.
MAXIMUM_DURATION = 14400

# MP3 declares frames of 1152 samples, and some writers count their padding.
_TOLERANCE_MP3 = 0.05  # of the duration


class Recording(NamedTuple):
    """A decoded recording; `digest` identifies the bytes of the file if it was requested."""

    y: Samples
    sr: Rate
    remarks: list[Remark]
    digest: bytes | None


class _Growing:
    """An array to which blocks are appended, without a final copy of the whole."""

    def __init__(self) -> None:
        self._array = np.empty(0, np.float32)
        self.size = 0

    def append(self, block: Samples) -> None:
        end = self.size + block.size
        if end > self._array.size:
            # No other reference to the array exists, so its memory may move.
            self._array.resize(max(end, self._array.size + self._array.size // 4), refcheck=False)
        self._array[self.size : end] = block
        self.size = end

    def finish(self) -> Samples:
        self._array.resize(self.size, refcheck=False)
        return self._array


@contextlib.contextmanager
def decoded(file: io.FileIO, segment: Segment, name: str, max_duration: float) -> Iterator[Decoded]:
    """Decode an open file, or a segment of it.

    Yields
    ------
    sr : int
        Sampling rate in Hz.
    blocks : iterator of ndarray of shape (n_samples, n_channels)
        The samples.
    remarks : callable
        From the number of samples and the rate to remarks on what is missing; on a segment, none.
    """
    read = reader(file)
    head = read(0, 512)
    if segment.whole or not head.startswith((b"OggS", b"fLaC")):
        found = survey(read, os.fstat(file.fileno()).st_size)
    else:
        # It would read all pages for every segment, and hide the length that seeking needs.
        found = Survey()
    try:
        sound = open_sound(file, segment.path, found.patches, name, head)
    except AudioError:
        if os.path.splitext(segment.path)[1].lower() not in FFMPEG_SUFFIXES or is_text(head):
            raise
        # A second earlier: the first frame after a seek lacks what the one before adds to it.
        start = max(math.floor(segment.start) - 1, 0)
        with decode_with_ffmpeg(
            segment.path,
            head,
            name=name,
            start=start,
            max_duration=(segment.end or segment.start + max_duration) - start,
            block_size=BLOCK,
        ) as (sr, blocks, remarks):
            if not segment.whole:
                blocks = cut(blocks, sr, segment, start * sr, name)
            yield sr, blocks, remarks
        return
    with sound:
        if segment.whole:
            if sound.format == "MP3":
                found = found._replace(frames=sound.frames)
            remarks = functools.partial(missing_samples, found)
            yield sound.samplerate, read_blocks(sound, name, head), remarks
            return
        first = seek(sound, round(segment.start * sound.samplerate))
        blocks = cut(read_blocks(sound, name, head), sound.samplerate, segment, first, name)
        yield sound.samplerate, blocks, lambda n_samples, sr: []


def missing_samples(found: Survey, n_samples: int, sr: Rate) -> list[Remark]:
    """Return remarks on samples that a file declares but does not have."""
    duration = n_samples / sr
    declared, tolerance = duration, TOLERANCE
    if found.declared is not None and found.present is not None:
        declared = duration * found.declared / found.present
    elif found.frames is not None:
        declared = found.frames / sr
        # MP3 or FLAC; the latter counts exactly.
        tolerance = _tolerance(found.frames, sr, mp3=not found.patches)
    what = None
    if declared - duration > tolerance:
        what = f"it declares {declared:.2f} s and has {duration:.2f} s"
    remarks = []
    if what or found.cut:
        remarks.append(Remark("cut off", f"{what or found.cut}; fetch the file again"))
    if found.gap:
        remarks.append(Remark("gap", f"{found.gap}; fetch the file again"))
    return remarks


def _tolerance(n_samples: int, sr: Rate, mp3: bool) -> float:
    """Return how many seconds of the declared samples may be missing without a remark."""
    return _TOLERANCE_MP3 * n_samples / sr + 2304 / sr if mp3 else TOLERANCE


def ends_early(file: io.FileIO, n_samples: int, sr: Rate, *, mp3: bool) -> bool:
    """Return whether a FLAC or MP3 file lacks its end, without decoding the rest.

    Parameters
    ----------
    file : io.FileIO
        An open recording.
    n_samples, sr : int
        Length and rate that its header declares.
    mp3 : bool
        Whether the format is MP3.

    Returns
    -------
    early : bool
        Also False for a file that cannot be opened without its name.
    """
    import soundfile

    file.seek(0)
    try:
        sound = soundfile.SoundFile(PatchedFile(file, ()))
    except Exception:
        return False
    with sound:
        last = n_samples - 1 - int(_tolerance(n_samples, sr, mp3) * sr)
        try:
            sound.seek(max(last, 0))
            return len(sound.read(1)) == 0
        except Exception:
            # Libraries raise exceptions of any type if the samples are missing.
            return True


def _resampled(blocks: Iterable[Samples], sr: Rate, sampling_rate: Rate) -> Iterator[Samples]:
    """Resample block by block; the samples equal those of resampling the whole at once."""
    import soxr

    stream = soxr.ResampleStream(sr, sampling_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block))
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


class _Mono:
    """Average the channels of blocks and count samples, up to the longest duration allowed."""

    def __init__(self, blocks: Iterator[Samples], sr: Rate, max_duration: float, name: str) -> None:
        self._blocks = blocks
        self._limit = max_duration * sr
        remedy = advice("raise max_duration", "pass a longer --max-duration in training")
        self._too_long = (
            f"{name}: it lasts longer than {max_duration:g} s, the limit for one recording. Cut "
            f"it into parts, or {remedy} if this duration is correct."
        )
        self.levels = Levels(name)
        self.n = 0

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.n += len(block)
            if self.n > self._limit:
                raise AudioError(self._too_long)
            yield self.levels.take(block)


def _hashed(blocks: Iterator[Samples], sr: Rate, hashed: "_Hash") -> Iterator[Samples]:
    """Pass samples on, and into a digest that depends on nothing else of the file."""
    for i, block in enumerate(blocks):
        if i == 0:
            hashed.update(f"segment {sr} {block.shape[1]}\0".encode())
        hashed.update(np.ascontiguousarray(block).data)
        yield block


def _decode(
    file: io.FileIO,
    segment: Segment,
    sampling_rate: Rate | None,
    name: str,
    max_duration: float,
    hashed: "_Hash | None",
) -> tuple[Samples, Rate, list[Remark]]:
    samples = _Growing()
    with decoded(file, segment, name, max_duration) as (sr, blocks, missing):
        recorded = check_rate(sr, name)
        if hashed is not None:
            blocks = _hashed(blocks, recorded, hashed)
        wanted = recorded if sampling_rate is None else sampling_rate
        mono = _Mono(blocks, recorded, max_duration, name)
        for block in mono if wanted == recorded else _resampled(mono, recorded, wanted):
            samples.append(block)
        check_length(mono.n, recorded, name)
        remarks = missing(mono.n, recorded) + mono.levels.remarks()
    # Resampling rounds, so a recording of exactly one analysis frame may have lost a sample.
    check_length(samples.size, wanted, name)
    return clip(samples.finish(), name), wanted, remarks


def read_recording(
    path: PathLike,
    sampling_rate: Rate | None,
    *,
    max_duration: float = MAXIMUM_DURATION,
    hash_: Hasher | None = None,
) -> Recording:
    """Decode a recording, and compute a digest of its content if requested.

    Parameters
    ----------
    path : str or path-like
        An audio file.
    sampling_rate, max_duration : int, float
        As in `load_audio`.
    hash_ : callable, optional
        Returns a new hash object of `hashlib`; None computes no digest.

    Returns
    -------
    Recording
        Waveform, rate, remarks and digest.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, AudioError
        As for `load_audio`.
    """
    check_max_duration(max_duration)
    segment = Segment.parse(path)
    name = str(segment)
    if sampling_rate is not None:
        sampling_rate = check_rate(sampling_rate, name)
    with open_recording(segment.path) as file:
        before = os.fstat(file.fileno())
        digest, hashed = None, None
        if hash_ is not None and segment.whole:
            digest = file_digest(file, name, hash_)
        elif hash_ is not None:
            hashed = hash_()
        y, sr, remarks = _decode(file, segment, sampling_rate, name, max_duration, hashed)
        if hashed is not None:
            digest = hashed.digest()
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise AudioError(f"{name}: the file changed while it was read. Read it again.")
    return Recording(y, sr, remarks, digest)


def recording_digest(path: PathLike, hash_: Hasher) -> bytes:
    """Return a digest of all that determines the samples of a recording.

    That of a file is `file_digest`. That of a segment is made of its samples, so the rest of a long
    recording need not be read; it is the one that `read_recording` returns.

    Parameters
    ----------
    path : str or path-like
        An audio file or a segment.
    hash_ : callable
        Returns a new hash object of `hashlib`.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, AudioError
        As for `load_audio`.
    """
    segment = Segment.parse(path)
    name = str(segment)
    with open_recording(segment.path) as file:
        if segment.whole:
            return file_digest(file, name, hash_)
        hashed = hash_()
        with decoded(file, segment, name, MAXIMUM_DURATION) as (sr, blocks, _):
            for _ in _hashed(blocks, check_rate(sr, name), hashed):
                pass
    return hashed.digest()


def load_audio(
    path: PathLike,
    sampling_rate: Rate | None = 16000,
    *,
    max_duration: float = MAXIMUM_DURATION,
) -> tuple[Samples, Rate]:
    """Read a recording as a mono waveform at one sampling rate.

    The file is decoded in blocks up to its end, whatever length it declares.
    Channels are averaged, the result is resampled with soxr at its "HQ" setting,
    and clipped to [-1, 32767/32768], because resampling overshoots. Memory is
    needed for the result and a few blocks.

    Parameters
    ----------
    path : str or path-like
        A file that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF and others, with
        any sampling rate, bit depth and number of channels. The formats in
        ``sklearn_ser.audio.FFMPEG_SUFFIXES``, such as ``.m4a``, are decoded by
        the program ffmpeg if it is installed. A `Segment`, or its text such as
        ``call.wav#t=12.5,17``, is read alone, without what comes before it.
    sampling_rate : int or None, default=16000
        Rate of the result in Hz. Jitter, shimmer, formants and spectra depend
        on the rate, so corpora recorded at different rates are comparable only
        at a common one. None keeps the rate of the file.
    max_duration : float, default=14400
        Longest allowed duration in seconds. This bounds memory, since a small
        compressed file can hold days of silence. Four hours at 16 kHz take
        0.9 GB.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        Samples between -1 and 1.
    sr : int
        Sampling rate of `y` in Hz.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    IsADirectoryError
        The path is a folder.
    AudioError
        The file is empty, not a regular file or not audio, has no complete
        header, holds samples that are NaN, infinite or in another unit (see
        `check_waveform`), or lasts less than 60 ms or longer than
        `max_duration`. Or it ends before the segment does.

    Warns
    -----
    AudioWarning
        The file has fewer samples than it declares, its channels cancel each
        other when averaged, or `check_waveform` would warn.

    Examples
    --------
    >>> import numpy as np, soundfile, tempfile, os
    >>> from sklearn_ser.audio import load_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tone.wav")
    ...     stereo = np.sin(2 * np.pi * 200 * np.arange(44100) / 44100)[:, None] * [0.5, 0.1]
    ...     soundfile.write(path, stereo, 44100)
    ...     y, sr = load_audio(path)
    >>> y.shape, sr, round(float(abs(y).max()), 2)
    ((16000,), 16000, 0.3)
    """
    recording = read_recording(path, sampling_rate, max_duration=max_duration)
    warn_of(recording.remarks, os.fsdecode(os.fspath(path)))
    return recording.y, recording.sr
