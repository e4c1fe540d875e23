"""Small valid recordings in every format that soundfile writes, and damaged ones made from them."""

import functools
import io
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from _mutations import ANYWHERE, INTEGERS, mutate, set_digits

__all__ = ["Recording", "damaged", "ogg_pages", "recordings", "seal", "set_flac_total", "voice"]


class Recording(NamedTuple):
    """A file that is valid: the name of its format for the tables, its suffix, its bytes."""

    label: str
    suffix: str
    content: bytes
    rate: int
    channels: int


# Label, suffix, and what soundfile calls format, subtype and order of bytes.
_FORMATS = (
    ("wav", ".wav", "WAV", "PCM_16", "FILE"),
    ("wav", ".wav", "WAV", "PCM_24", "FILE"),
    ("wav", ".wav", "WAV", "PCM_U8", "FILE"),
    ("wav", ".wav", "WAV", "FLOAT", "FILE"),
    ("wav", ".wav", "WAV", "DOUBLE", "FILE"),
    ("wav", ".wav", "WAVEX", "PCM_16", "FILE"),
    ("rifx", ".wav", "WAV", "PCM_16", "BIG"),
    ("wav coded", ".wav", "WAV", "ULAW", "FILE"),
    ("wav coded", ".wav", "WAV", "ALAW", "FILE"),
    ("wav coded", ".wav", "WAV", "IMA_ADPCM", "FILE"),
    ("wav coded", ".wav", "WAV", "MS_ADPCM", "FILE"),
    ("wav coded", ".wav", "WAV", "GSM610", "FILE"),
    ("rf64", ".rf64", "RF64", "PCM_16", "FILE"),
    ("rf64", ".wav", "RF64", "FLOAT", "FILE"),
    ("w64", ".w64", "W64", "PCM_16", "FILE"),
    ("w64", ".w64", "W64", "FLOAT", "FILE"),
    ("flac", ".flac", "FLAC", "PCM_16", "FILE"),
    ("flac", ".flac", "FLAC", "PCM_24", "FILE"),
    ("vorbis", ".ogg", "OGG", "VORBIS", "FILE"),
    ("opus", ".opus", "OGG", "OPUS", "FILE"),
    ("mp3", ".mp3", "MP3", "MPEG_LAYER_III", "FILE"),
    ("aiff", ".aiff", "AIFF", "PCM_16", "FILE"),
    ("aiff", ".aif", "AIFF", "PCM_24", "FILE"),
    ("aifc", ".aifc", "AIFF", "ULAW", "FILE"),
    ("aifc", ".aifc", "AIFF", "PCM_16", "LITTLE"),
    ("aifc", ".aifc", "AIFF", "FLOAT", "FILE"),
    ("au", ".au", "AU", "PCM_16", "FILE"),
    ("au", ".snd", "AU", "ULAW", "FILE"),
    ("au", ".au", "AU", "FLOAT", "LITTLE"),
    ("au", ".au", "AU", "G721_32", "FILE"),
    ("caf", ".caf", "CAF", "PCM_16", "FILE"),
    ("caf", ".caf", "CAF", "FLOAT", "LITTLE"),
    ("caf", ".caf", "CAF", "ALAC_16", "FILE"),
    ("voc", ".voc", "VOC", "PCM_16", "FILE"),
    ("sph", ".sph", "NIST", "PCM_16", "FILE"),
    ("sph", ".sph", "NIST", "ULAW", "FILE"),
)
_SUFFIXES = (*dict.fromkeys(suffix for _, suffix, *_ in _FORMATS), ".mp2", ".raw", "", ".WAV")
# Rate, channels, seconds; Opus has no 44.1 kHz, GSM, G.721 and VOC not more than one channel.
_SHAPES = ((16000, 1, 0.25), (8000, 2, 0.4), (44100, 1, 0.12), (48000, 2, 0.1))


def voice(rate, channels, seconds):
    """Return samples of shape (n, channels) with a pitch, formants of a kind, and noise."""
    t = np.arange(round(rate * seconds)) / rate
    y = sum(np.sin(2 * np.pi * 140 * k * t + k) / k for k in range(1, 11)) / 8
    y = y + 0.01 * np.random.default_rng(0).normal(size=len(t))
    return y[:, None] * (1 - 0.3 * np.arange(channels))


def _table(width, polynomial):
    top, mask = 1 << (width - 1), (1 << width) - 1
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        yield value


# Width and polynomial: OGG's pages, FLAC's frames, the headers of FLAC's frames.
_TABLES = {w: tuple(_table(w, p)) for w, p in ((32, 0x04C11DB7), (16, 0x8005), (8, 0x07))}


def _checksum(content, width):
    value, mask, table = 0, (1 << width) - 1, _TABLES[width]
    for byte in content:
        value = (value << 8 & mask) ^ table[value >> (width - 8) ^ byte]
    return value


def ogg_pages(content):
    """Yield start and end of every page."""
    start = 0
    while (start := content.find(b"OggS", start)) >= 0 and start + 27 <= len(content):
        n_segments = content[start + 26]
        segments = content[start + 27 : start + 27 + n_segments]
        end = start + 27 + n_segments + sum(segments)
        yield start, min(end, len(content))
        start = max(start + 4, end)


def seal(content, serial=None):
    """Give the pages of an OGG their checksums, and a serial number, which libsndfile draws."""
    content = bytearray(content)
    for start, end in list(ogg_pages(content)):
        if serial is not None:
            content[start + 14 : start + 18] = serial.to_bytes(4, "little")
        content[start + 22 : start + 26] = bytes(4)
        content[start + 22 : start + 26] = _checksum(content[start:end], 32).to_bytes(4, "little")
    return bytes(content)


def flac_frames(content):
    """Return start, end of the header, and end of every frame of a valid stream."""
    starts = []
    for start in range(42, len(content) - 16):
        if content[start] == 0xFF and content[start + 1] & 0xFE == 0xF8:
            for end in range(start + 5, start + 16):
                if _checksum(content[start:end], 8) == content[end]:
                    starts.append((start, end))
                    break
    ends = [start for start, _ in starts[1:]] + [len(content)]
    return [(*ends_, end) for ends_, end in zip(starts, ends, strict=True)]


def seal_flac(content, frames):
    """Give the frames of a stream, which stand where they stood, their checksums."""
    content = bytearray(content)
    for start, header, end in frames:
        content[header] = _checksum(content[start:header], 8)
        content[end - 2 : end] = _checksum(content[start : end - 2], 16).to_bytes(2, "big")
    return bytes(content)


def _without_time(content):
    """Take the time of writing out of the chunks that hold the peak."""
    at = content[:200].find(b"PEAK")
    return content if at < 0 else content[: at + 12] + bytes(4) + content[at + 16 :]


def recordings():
    """Return valid `Recording` objects, the same bytes every time."""
    import soundfile

    made = []
    for label, suffix, format, subtype, endian in _FORMATS:
        for rate, channels, seconds in _SHAPES:
            if subtype in ("GSM610", "G721_32") and channels > 1:
                continue
            if subtype == "OPUS" and rate == 44100:
                continue
            file = io.BytesIO()
            samples = voice(rate, channels, seconds)
            soundfile.write(file, samples, rate, subtype, endian, format)
            content = _without_time(file.getvalue())
            if format == "OGG":
                content = seal(content, serial=7)
            made.append(Recording(label, suffix, content, rate, channels))
            if label == "mp3":  # Tagged, and padded as by some downloads.
                for before in (b"ID3\x04\0\0\0\0\x02\0" + bytes(256), bytes(700), bytes(5000)):
                    padded = made[-1]._replace(label="mp3 padded", content=before + content)
                    made.append(padded)
    return made


def set_flac_total(content, total):
    """Return a FLAC stream that declares another number of samples, 36 bits."""
    content = bytearray(content)
    content[21] = content[21] & 0xF0 | total >> 32
    content[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(content)


def _declared(recording):
    """Return what to look for in a header: rate, channels, and lengths, with their sizes."""
    n = len(recording.content)
    lengths = range(max(1, n - 600), n + 64)
    return (
        [(recording.rate, 4), (recording.rate, 2), (recording.channels, 2), (recording.channels, 4)]
        + [(length, 4) for length in lengths]
        + [(length, 8) for length in lengths]
    )


def fields(recording):
    """Find the places of a header that declare something: (start, size, order of bytes)."""
    head = recording.content[:600]
    found = set()
    for value, size in _declared(recording):
        for order in ("little", "big"):
            if value < 1 << 8 * size:
                start = head.find(value.to_bytes(size, order))
                # A number of channels is found everywhere; the first two places are enough.
                for _ in range(2):
                    if start >= 0:
                        found.add((start, size, order))
                        start = head.find(value.to_bytes(size, order), start + 1)
    return sorted(found)


class _Declaring:
    """The change that lets one field of a recording's header lie."""

    def __init__(self, recording):
        self._label = recording.label
        self._fields = fields(recording)

    def __call__(self, rng, content):
        """Change one field."""
        value = INTEGERS[int(rng.integers(len(INTEGERS)))]
        if self._label == "flac" and len(content) > 26:
            return self._flac(rng, content, value)
        if self._label == "sph":
            return set_digits(rng, content)
        if self._fields:
            start, size, order = self._fields[int(rng.integers(len(self._fields)))]
            content[start : start + size] = (value % (1 << 8 * size)).to_bytes(size, order)
        return content

    @staticmethod
    def _flac(rng, content, value):
        """Rate (20 bits), channels (3), depth (5) and samples (36) share eight bytes."""
        packed = int.from_bytes(content[18:26], "big")
        width, shift = ((20, 44), (3, 41), (5, 36), (36, 0), (36, 0))[int(rng.integers(5))]
        mask = (1 << width) - 1
        packed = packed & ~(mask << shift) | (value & mask) << shift
        content[18:26] = packed.to_bytes(8, "big")
        return content


_flac_frames = functools.lru_cache(maxsize=None)(flac_frames)
_declaring = functools.lru_cache(maxsize=None)(_Declaring)


class _Splicing:
    """The change that puts the end of another recording behind the beginning of this one."""

    def __init__(self, made):
        self._made = made

    def __call__(self, rng, content):
        """Cut both anywhere."""
        other = self._made[int(rng.integers(len(self._made)))].content
        cut, start = int(rng.integers(len(content))), int(rng.integers(len(other)))
        return content[:cut] + bytearray(other[start:])


def damaged(made, seed, index):
    """Return ``(label, suffix, content)`` of one damaged recording; depends on nothing else."""
    rng = np.random.default_rng([seed, index])
    labels = sorted({recording.label for recording in made})
    label = labels[int(rng.integers(len(labels)))]  # Not more of those with many variants.
    fitting = [recording for recording in made if recording.label == label]
    recording = fitting[int(rng.integers(len(fitting)))]
    declaring = _declaring(recording)
    changes = (*ANYWHERE, _Splicing(made), declaring, declaring, declaring)
    content = mutate(rng, recording.content, changes)
    suffix = recording.suffix
    if rng.random() < 0.1:
        suffix = _SUFFIXES[int(rng.integers(len(_SUFFIXES)))]
    # What has a wrong checksum is skipped: most of the damage must get past it.
    if rng.random() < 0.75:
        if label in ("vorbis", "opus"):
            content = seal(content)
        elif label == "flac" and len(content) == len(recording.content):
            content = seal_flac(content, _flac_frames(recording.content))
    return label, suffix, content
