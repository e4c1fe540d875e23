"""Durations: what a file's header declares, and what the file contains.

Decoders trust either the header or the content: to them, a declared length of 0, which
recorders leave when they write to a pipe, is an empty recording, and half a file is complete.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from sklearn_ser.audio._types import Read

__all__ = ["Survey", "survey"]

# A larger size, if it exceeds the file, means "until the end": programs that write to a pipe
# declare 0x7FFFF000, 0x80000000 or 0xFFFFFFFF.
_UNTIL_THE_END = 0x7FFF0000

# Chunks that may follow an empty chunk of samples.
_AFTER_SAMPLES = {
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"smpl", b"inst", b"JUNK", b"junk",
    b"PAD ", b"FLLR", b"iXML", b"_PMX", b"afsp", b"PEAK", b"acid", b"aXML", b"levl", b"cart",
    b"NAME", b"AUTH", b"ANNO", b"(c) ", b"MARK", b"COMT", b"APPL", b"info", b"COMM", b"FVER",
}  # fmt: skip

_MAX_CHUNKS = 10_000


class Survey(NamedTuple):
    """The declared and the actual length of a file.

    Attributes
    ----------
    declared, present : int or None
        Bytes of samples that the header declares and that the file has; None
        unless the file has fewer.
    frames : int or None
        Samples per channel that the header declares.
    patches : tuple of (int, bytes)
        Changes to the header that make a decoder read all samples and nothing
        else, as offsets and bytes.
    cut, gap : str or None
        What is missing according to the structure of the file, at the end or
        before it.
    """

    declared: int | None = None
    present: int | None = None
    frames: int | None = None
    patches: tuple[tuple[int, bytes], ...] = ()
    cut: str | None = None
    gap: str | None = None


def _sized(
    read: Read, size: int, body: int, declared: int, field: int, encode: Callable[[int], bytes]
) -> Survey:
    """Compare the declared size of the samples with what follows `body`."""
    present = size - body
    if present <= 0 or 0 < declared <= present:
        return Survey()
    if declared <= 0 and read(body, 4) in _AFTER_SAMPLES:
        return Survey()
    patches = ((field, encode(present)),)
    if declared <= 0 or declared >= _UNTIL_THE_END:
        return Survey(patches=patches)
    return Survey(declared, present, patches=patches)


def _pack(format_: str, extra: int = 0) -> Callable[[int], bytes]:
    largest = 256 ** struct.calcsize(format_) - 1
    return lambda n: struct.pack(format_, min(n + extra, largest))


def _chunks(read: Read, at: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, offset of the content and its length for the chunks of a RIFF or AIFF file."""
    for _ in range(_MAX_CHUNKS):
        header = read(at, 8)
        if len(header) < 8:
            return
        name, length = struct.unpack(f"{order}4sI", header)
        yield name, at + 8, length
        at += 8 + length + length % 2


def _riff(read: Read, size: int, head: bytes) -> Survey:
    order, wide = ">" if head[:4] == b"RIFX" else "<", None
    for name, body, length in _chunks(read, 12, order):
        if name == b"ds64" and len(content := read(body, 16)) == 16:
            wide = body + 8, struct.unpack(f"{order}8xQ", content)[0]
        elif name == b"data":
            if head[:4] == b"RF64" and length == 0xFFFFFFFF and wide is not None:
                return _sized(read, size, body, wide[1], wide[0], _pack(f"{order}Q"))
            return _sized(read, size, body, length, body - 4, _pack(f"{order}I"))
    return Survey()


def _w64(read: Read, size: int, head: bytes) -> Survey:
    at = 40
    for _ in range(_MAX_CHUNKS):
        header = read(at, 24)
        if len(header) < 24:
            break
        name, length = struct.unpack("<4s12xQ", header)
        if name == b"data":
            return _sized(read, size, at + 24, length - 24, at + 16, _pack("<Q", 24))
        if length < 24:
            break
        at += length + -length % 8
    return Survey()


def _aiff(read: Read, size: int, head: bytes) -> Survey:
    common = None
    for name, body, length in _chunks(read, 12, ">"):
        if name == b"COMM" and len(content := read(body, 8)) == 8:
            common = body + 2, struct.unpack(">hIh", content)
        elif name == b"SSND":
            found = _sized(read, size, body + 8, length - 8, body - 4, _pack(">I", 8))
            if found.patches and common is not None:
                where, (n_channels, _, bits) = common
                width = n_channels * -(-bits // 8)
                if width > 0:
                    frames = struct.pack(">I", min((size - body - 8) // width, 2**32 - 1))
                    found = found._replace(patches=(*found.patches, (where, frames)))
            return found
    return Survey()


def _au(read: Read, size: int, head: bytes) -> Survey:
    order = ">" if head[:4] == b".snd" else "<"
    body, declared = struct.unpack(f"{order}4xII", head[:12])
    return _sized(read, size, body, declared, 8, _pack(f"{order}I"))


def _caf(read: Read, size: int, head: bytes) -> Survey:
    at = 8
    for _ in range(_MAX_CHUNKS):
        header = read(at, 12)
        if len(header) < 12:
            break
        name, length = struct.unpack(">4sq", header)
        if name == b"data":
            return _sized(read, size, at + 16, max(length - 4, 0), at + 4, _pack(">q", 4))
        if length < 0:
            break
        at += 12 + length
    return Survey()


def _nist(read: Read, size: int, head: bytes) -> Survey:
    text = read(0, 1024)
    # Fields are integers, which some programs write as text of a declared length.
    fields = dict(re.findall(rb"(\w+) -(?:i|s\d+) (\d{1,15})\s", text))
    try:
        body = int(text[8:16])
        count, width = int(fields[b"sample_count"]), int(fields[b"sample_n_bytes"])
    except (KeyError, ValueError):
        return Survey()
    declared = count * width * int(fields.get(b"channel_count", 1))
    present = size - body
    # Compressed samples take less space, so the size of the file says nothing about their number.
    if b"shorten" in text or present <= 0 or declared <= present:
        return Survey()
    return Survey(declared, present)


def _voc(read: Read, size: int, head: bytes) -> Survey:
    at = int.from_bytes(head[20:22], "little")
    for _ in range(_MAX_CHUNKS):
        header = read(at, 4)
        if len(header) < 4:
            break
        kind, length = header[0], int.from_bytes(header[1:], "little")
        if kind in (1, 9):
            present = size - at - 4
            return Survey(length, present) if 0 < present < length else Survey()
        at += 4 + length
    return Survey()


def _flac(read: Read, size: int, head: bytes) -> Survey:
    if head[4] & 0x7F:
        return Survey()
    total = int.from_bytes(head[21:26], "big") & (2**36 - 1)
    # With a total of 0 the decoder reads to the end; the result is compared with the header.
    patches = ((21, bytes([head[21] & 0xF0, 0, 0, 0, 0])),)
    return Survey(frames=total or None, patches=patches)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_checksum(page: bytes) -> int:
    """Return the CRC-32 of an Ogg page: zlib's polynomial, with the highest bit of a byte first."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _ogg(read: Read, size: int, head: bytes) -> Survey:
    """Follow the pages, because decoders skip missing or damaged pages without an error."""
    expected: dict[int, int] = {}
    gap: str | None = None
    at, ended = 0, False
    while at < size:
        header = read(at, 27)
        if header[:4] != b"OggS" or len(header) < 27:
            # Bytes after the last page are not part of the stream.
            gap = gap or (None if ended else f"there is no page where one should begin, byte {at}")
            break
        ended = bool(header[5] & 4)
        serial, number, checksum = struct.unpack("<III", header[14:26])
        lengths = read(at + 27, header[26])
        body = 27 + len(lengths)
        page = read(at, body + sum(lengths))
        if len(page) < body + sum(lengths):
            return Survey(cut="the last page ends early", gap=gap)
        if number != expected.get(serial, number):
            gap = gap or f"page {number} follows where page {expected[serial]} should"
        elif checksum != _ogg_checksum(page[:22] + bytes(4) + page[26:]):
            gap = gap or f"page {number} is damaged"
        expected[serial] = number + 1
        at += len(page)
    cut = None if ended or gap else "the last page does not end the stream"
    return Survey(cut=cut, gap=gap)


_Surveyor: TypeAlias = Callable[[Read, int, bytes], Survey]

_BY_MAGIC: dict[bytes, _Surveyor] = {
    b"RIFF": _riff,
    b"RIFX": _riff,
    b"RF64": _riff,
    b"riff": _w64,
    b"FORM": _aiff,
    b".snd": _au,
    b"dns.": _au,
    b"caff": _caf,
    b"NIST": _nist,
    b"Crea": _voc,
    b"fLaC": _flac,
    b"OggS": _ogg,
}


def survey(read: Read, size: int) -> Survey:
    """Compare the length that a file declares with its contents.

    Parameters
    ----------
    read : callable
        Returns the bytes for an offset and a number of bytes; fewer at the end
        of the file.
    size : int
        Size of the file in bytes.

    Returns
    -------
    Survey
        All None, and no patches, if the format is unknown.
    """

    def read_inside(at: int, n: int) -> bytes:
        # Wrong sizes in a header may lead to offsets that no file can have.
        return read(at, n) if at < size else b""

    head = read(0, 32)
    function = _BY_MAGIC.get(head[:4])
    return Survey() if function is None or len(head) < 32 else function(read_inside, size, head)
