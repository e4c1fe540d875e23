"""Open files with libsndfile, and read them from the beginning or from a place within."""

import functools
import io
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sklearn_ser.audio._formats import LFS_POINTER
from sklearn_ser.audio._opening import PatchedFile
from sklearn_ser.audio._segment import Segment
from sklearn_ser.audio._types import PathLike, Rate, Samples
from sklearn_ser.exceptions import AudioError
from sklearn_ser.utils._words import count_of

if TYPE_CHECKING:
    import soundfile

__all__ = ["BLOCK", "TOLERANCE", "cut", "is_text", "open_sound", "read_blocks", "seek"]

#: Samples, of all channels together, per block of decoding.
BLOCK = 2**18

#: Seconds that headers and times may be off, since they are counted in different ways.
TOLERANCE = 0.02

_UNRECOGNISED_FORMAT = 1


@functools.cache
def _sound_file_class() -> "type[soundfile.SoundFile]":
    import soundfile

    class Forward(soundfile.SoundFile):
        """A file that is read once, from the beginning to the end.

        In a seekable file, soundfile would seek after each block, which fails if
        lengths are damaged, and which makes MP3 decoders return other samples.
        """

        def seekable(self) -> bool:
            return False

    return Forward


def _not_readable(name: str, error: Exception, head: bytes) -> AudioError:
    if head.startswith(LFS_POINTER):
        return AudioError(
            f"{name}: this is a git-lfs pointer, not the recording. Run `git lfs pull` in the "
            "folder that was cloned."
        )
    reason = getattr(error, "error_string", str(error)).strip()
    reason = reason or f"error {getattr(error, 'code', type(error).__name__)} of libsndfile"
    what = "text, such as a web page" if is_text(head) else "a damaged file or another format"
    return AudioError(
        f"{name}: not readable as audio ({reason}); this may be {what}. Expected a complete file "
        "that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF … Convert it or fetch it again."
    )


def is_text(head: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n\f" for byte in head)


def open_sound(
    file: io.FileIO,
    path: PathLike,
    patches: Sequence[tuple[int, bytes]],
    name: str,
    head: bytes,
) -> "soundfile.SoundFile":
    """Open a file with libsndfile by its content, or by its name if the content is unknown."""
    sound_file = _sound_file_class()
    file.seek(0)
    try:
        if patches or os.name == "nt":
            # A descriptor may be passed on only if all libraries share one C runtime.
            return sound_file(PatchedFile(file, patches))
        return sound_file(file.fileno(), closefd=False)
    except MemoryError:
        raise
    except Exception as error:
        # For damaged files, libraries raise exceptions of any type.
        if getattr(error, "code", None) != _UNRECOGNISED_FORMAT or is_text(head):
            raise _not_readable(name, error, head) from error
    try:
        sound = sound_file(os.fspath(path) if os.name == "nt" else os.fsencode(path))
    except MemoryError:
        raise
    except Exception as error:
        raise _not_readable(name, error, head) from error
    if not os.path.samestat(os.stat(path), os.fstat(file.fileno())):
        sound.close()
        raise AudioError(f"{name}: the file was replaced while it was read. Read it again.")
    return sound


def read_blocks(sound: "soundfile.SoundFile", name: str, head: bytes) -> Iterator[Samples]:
    """Yield blocks of samples until the end."""
    n = max(BLOCK // sound.channels, 1024)
    while True:
        try:
            block = sound.read(n, dtype="float32", always_2d=True)
        except MemoryError:
            # Not a fault of this recording, which would otherwise be left out.
            raise
        except Exception as error:
            raise _not_readable(name, error, head) from error
        if len(block):
            yield block
        if len(block) < n:
            return


def seek(sound: "soundfile.SoundFile", n: int) -> int:
    """Go to sample `n`, and return where that is: 0 in a format that is read in order only.

    After that, libsndfile gives the samples that it gives in one pass; of MP3, up to rounding.
    """
    try:
        return int(sound.seek(n))
    except Exception:
        # Also if the file is shorter, which reading it will show.
        return 0


def cut(
    blocks: Iterator[Samples], sr: Rate, segment: Segment, first: int, name: str
) -> Iterator[Samples]:
    """Yield the samples of a segment.

    Parameters
    ----------
    blocks : iterator of ndarray of shape (n_samples, n_channels)
        The recording from `first` on.
    sr : int
        Its rate.
    segment : Segment
        Its times and channel.
    first : int
        Number of the first sample in `blocks`, counted from the beginning of the recording.
    name : str
        Name of the segment in error messages.

    Raises
    ------
    AudioError
        The recording has no such channel, or ends before the segment does.
    """
    start = round(segment.start * sr)
    end = None if segment.end is None else round(segment.end * sr)
    n = first
    for block in blocks:
        if segment.channel is not None:
            if segment.channel >= block.shape[1]:
                n_channels = count_of(block.shape[1], "channel")
                raise AudioError(
                    f"{name}: the recording has {n_channels}; they are counted from 0."
                )
            block = block[:, [segment.channel]]
        part = block[max(start - n, 0) : None if end is None else max(end - n, 0)]
        n += len(block)
        if len(part):
            yield part
        if end is not None and n >= end:
            return
    if n <= start or (end is not None and n < end - TOLERANCE * sr):
        raise AudioError(f"{name}: the recording ends at {n / sr:.2f} s, before the segment does.")
