"""Changes of bytes that damaged disks, bad transfers and ill will make, whatever the format.

Every function takes a `numpy.random.Generator` and a non-empty ``bytearray`` that it may change,
and returns the changed content.
"""

import re
import struct

__all__ = ["ANYWHERE", "INTEGERS", "mutate", "place"]

#: Numbers at which lengths, signs and products of lengths go wrong.
INTEGERS = (
    *(0, 1, 2, 3, 7, 8, 16, 64, 127, 128, 255, 256, 4096, 32767, 32768, 65535, 65536),
    *(10**6, 2**24 - 1, 2**28, 0x7FFFF000, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1),
    *(2**36 - 1, 2**48, 2**62, 2**63 - 1, 2**63, 2**64 - 1),
)
_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_HEADER = 128


def place(rng, content):
    """Return a position, half of the time among the first 128 bytes."""
    limit = len(content)
    if rng.random() < 0.5:
        limit = min(limit, _HEADER)
    return int(rng.integers(limit))


def _piece(rng, content, most=4096):
    """Return the ends of a piece, more often a short one."""
    start = place(rng, content)
    return start, start + 1 + int(rng.integers(1 << int(rng.integers(1, most.bit_length()))))


def flip_bits(rng, content):
    """Flip one to eight bits."""
    for _ in range(int(rng.integers(1, 9))):
        content[place(rng, content)] ^= 1 << int(rng.integers(8))
    return content


def set_bytes(rng, content):
    """Set a run of bytes to one value at which something may go wrong."""
    start = place(rng, content)
    stop = min(len(content), start + int(rng.choice([1, 1, 2, 4, 8, 64])))
    content[start:stop] = bytes([int(rng.choice(_BYTES))]) * (stop - start)
    return content


def random_bytes(rng, content):
    """Overwrite a piece with noise."""
    start, stop = _piece(rng, content, 256)
    stop = min(stop, len(content))
    content[start:stop] = rng.bytes(stop - start)
    return content


def set_integer(rng, content):
    """Put one of `INTEGERS` at an even place of the header, in either order of bytes."""
    size = int(rng.choice([2, 4, 4, 4, 8]))
    start = 2 * int(rng.integers(max(1, min(len(content), _HEADER) // 2)))
    value = INTEGERS[int(rng.integers(len(INTEGERS)))] % (1 << 8 * size)
    order = "little" if rng.random() < 0.5 else "big"
    content[start : start + size] = value.to_bytes(size, order)
    return content


def set_float(rng, content):
    """Put a float that is no usual number at a place aligned to its size."""
    code, size = ("f", 4) if rng.random() < 0.7 else ("d", 8)
    value = float(rng.choice([float("nan"), float("inf"), -float("inf"), 1e30, 32768.0, 1e-40]))
    start = place(rng, content) // size * size
    content[start : start + size] = struct.pack(("<" if rng.random() < 0.5 else ">") + code, value)
    return content


def set_digits(rng, content):
    """Replace a number that is written in digits, as in text headers."""
    runs = [found.span() for found in re.finditer(rb"-?[0-9]+", content[:1024])]
    if runs:
        start, stop = runs[int(rng.integers(len(runs)))]
        value = INTEGERS[int(rng.integers(len(INTEGERS)))]
        content[start:stop] = b"-1" if rng.random() < 0.1 else str(value).encode()
    return content


def truncate(rng, content):
    """Keep the beginning."""
    return content[: place(rng, content)]


def behead(rng, content):
    """Keep the end."""
    return content[place(rng, content) :]


def insert(rng, content):
    """Insert noise or one byte many times."""
    start, stop = _piece(rng, content)
    size = stop - start
    filling = rng.bytes(size) if rng.random() < 0.5 else bytes([int(rng.choice(_BYTES))]) * size
    content[start:start] = filling
    return content


def delete(rng, content):
    """Leave a piece out."""
    start, stop = _piece(rng, content)
    del content[start:stop]
    return content


def repeat(rng, content):
    """Repeat a piece where it is or elsewhere."""
    start, stop = _piece(rng, content)
    piece = content[start:stop] * int(rng.choice([1, 1, 2, 8]))
    where = stop if rng.random() < 0.5 else place(rng, content)
    content[where:where] = piece
    return content


def swap(rng, content):
    """Let two pieces change places."""
    size = int(rng.choice([1, 2, 4, 8, 64, 512]))
    one, other = place(rng, content), place(rng, content)
    if abs(one - other) >= size and max(one, other) + size <= len(content):
        first, second = content[one : one + size], content[other : other + size]
        content[one : one + size], content[other : other + size] = second, first
    return content


#: What fits every format.
ANYWHERE = (
    *(flip_bits, set_bytes, random_bytes, set_integer, set_float, truncate, behead),
    *(insert, delete, repeat, swap),
)


def mutate(rng, content, changes=ANYWHERE, most=3):
    """Return `content` after one to `most` changes drawn from `changes`, as bytes."""
    content = bytearray(content)
    # One change more often than several, after which hardly anything is left to read.
    for _ in range(1 + int(rng.integers(most) * rng.random())):
        if not content:
            break
        content = changes[int(rng.integers(len(changes)))](rng, content)
    return bytes(content)
