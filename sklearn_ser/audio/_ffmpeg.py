"""Decode formats that libsndfile cannot read, with the program ffmpeg."""

import contextlib
import os
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import IO, TypeAlias

import numpy as np

from sklearn_ser.audio._formats import find_ffmpeg
from sklearn_ser.audio._types import PathLike, Rate, Samples
from sklearn_ser.audio._waveform import Remark
from sklearn_ser.exceptions import AudioError

__all__ = ["Decoded", "decode_with_ffmpeg"]

# Rate, blocks of samples, and a function from their number and the rate to remarks.
Decoded: TypeAlias = tuple[int, Iterator[Samples], Callable[[int, Rate], list[Remark]]]

# Seconds after which ffmpeg is stopped. It decodes an hour of speech in a few seconds.
_PATIENCE = 600

# Largest size in bytes of the header of its output.
_LONGEST_HEADER = 65536

_BY_SUFFIX = {
    ".aac": "aac",
    ".amr": "amr",
    ".wma": "asf",
    ".wmv": "asf",
    ".avi": "avi",
    ".webm": "matroska",
    ".mka": "matroska",
    ".mkv": "matroska",
    ".ac3": "ac3",
}


def _demuxer(head: bytes, suffix: str) -> str:
    """Return the name of the format, so that ffmpeg does not guess it.

    ffmpeg would also recognise playlists, which refer to other files and addresses.
    """
    if head[4:8] == b"ftyp":
        return "mov"
    if head.startswith(b"RIFF") and head[8:12] in (b"AVI ", b"AVIX"):
        return "avi"
    if head[:1] == b"\xff" and head[1] & 0xF6 == 0xF0:
        return "aac"
    for magic, name in (
        (b"#!AMR", "amr"),
        (b"\x30\x26\xb2\x75", "asf"),
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"\x0b\x77", "ac3"),
    ):
        if head.startswith(magic):
            return name
    return _BY_SUFFIX.get(suffix, "mov")


def _command(
    program: str, path: PathLike, demuxer: str, seconds: float, start: int = 0
) -> list[str | bytes]:
    # With "file:", ffmpeg does not interpret part of the name as a protocol or an option. The list
    # of formats is for those inside: subtitles in an AVI may be a playlist.
    return [
        program, "-nostdin", "-hide_banner", "-loglevel", "error",
        "-protocol_whitelist", "file,pipe", "-format_whitelist", demuxer, "-f", demuxer,
        *(["-ss", str(start)] if start else []),
        "-i", b"file:" + os.fsencode(os.path.join(os.getcwd(), os.fsdecode(path))),
        "-map", "0:a:0", "-vn", "-sn", "-dn", "-t", f"{seconds:.0f}",
        "-c:a", "pcm_f32le", "-map_metadata", "-1", "-fflags", "+bitexact",
        "-f", "wav", "pipe:1",
    ]  # fmt: skip


def _read_header(pipe: IO[bytes]) -> tuple[int, int] | None:
    """Read the header of a WAV stream up to its samples; return rate and number of channels."""
    if pipe.read(12)[:4] != b"RIFF":
        return None
    found, n_read = None, 12
    while n_read < _LONGEST_HEADER:
        header = pipe.read(8)
        if len(header) < 8:
            return None
        name, length = struct.unpack("<4sI", header)
        if name == b"data":
            return found
        body = pipe.read(min(length + length % 2, _LONGEST_HEADER))
        if name == b"fmt " and len(body) >= 8:
            n_channels, sr = struct.unpack("<2xHI", body[:8])
            found = (sr, n_channels) if n_channels else None
        n_read += 8 + len(body)
    return None


def _blocks(pipe: IO[bytes], n_channels: int, n_samples: int) -> Iterator[Samples]:
    width = 4 * n_channels
    frames = max(n_samples // n_channels, 1)
    while content := pipe.read(frames * width):
        content = content[: len(content) - len(content) % width]
        yield np.frombuffer(content, "<f4").reshape(-1, n_channels)


@contextlib.contextmanager
def decode_with_ffmpeg(
    path: PathLike,
    head: bytes,
    *,
    name: str,
    max_duration: float,
    block_size: int,
    start: int = 0,
) -> Iterator[Decoded]:
    """Decode a recording in another process.

    Parameters
    ----------
    path : path-like
        The recording.
    head : bytes
        Its first bytes.
    name : str
        Its name in error messages.
    max_duration : float
        Limit in seconds; one second more is decoded, so that the caller notices
        a longer recording.
    block_size : int
        Number of samples per block, of all channels together.
    start : int, default=0
        Seconds to leave out at the beginning.

    Yields
    ------
    sr : int
        Sampling rate in Hz.
    blocks : iterator of ndarray of shape (n_samples, n_channels), dtype float32
        The samples.
    remarks : callable
        Returns remarks for a number of samples and a rate, once all blocks are
        read: ffmpeg skips damaged parts with a message and still succeeds.

    Raises
    ------
    AudioError
        ffmpeg is not installed, cannot read the file, or takes longer than ten
        minutes.
    """
    suffix = os.path.splitext(path)[1].lower()
    program = find_ffmpeg()
    if program is None:
        raise AudioError(
            f"{name}: reading {suffix} needs the program ffmpeg, which is not installed. Install "
            f"it, or convert the recording: ffmpeg -i NAME{suffix} NAME.wav"
        )
    command = _command(program, path, _demuxer(head, suffix), min(max_duration, 1e8) + 1, start)
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            process.kill()

        timer = threading.Timer(_PATIENCE, stop)
        timer.daemon = True
        timer.start()

        def checked(blocks: Iterator[Samples]) -> Iterator[Samples]:
            yield from blocks
            if process.wait() or stopped.is_set():
                raise AudioError(_reason(name, stopped.is_set(), complaints))

        try:
            assert process.stdout is not None
            found = _read_header(process.stdout)
            if found is None:
                process.wait()
                raise AudioError(_reason(name, stopped.is_set(), complaints))
            sr, n_channels = found
            blocks = checked(_blocks(process.stdout, n_channels, block_size))
            yield sr, blocks, lambda n_samples, sr: _remarks(complaints)
        finally:
            timer.cancel()
            process.kill()


def _last_line(complaints: IO[bytes]) -> str | None:
    complaints.seek(0)
    lines = complaints.read(2000).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else None


def _remarks(complaints: IO[bytes]) -> list[Remark]:
    line = _last_line(complaints)
    return [] if line is None else [Remark("gap", f"{line} (ffmpeg); fetch the file again")]


def _reason(name: str, stopped: bool, complaints: IO[bytes]) -> str:
    if stopped:
        return f"{name}: ffmpeg did not finish within {_PATIENCE} s. Convert it to WAV."
    return (
        f"{name}: not readable as audio (ffmpeg: {_last_line(complaints) or 'no audio'}). Expected "
        "a complete file that libsndfile or ffmpeg reads. Convert it or fetch it again."
    )
