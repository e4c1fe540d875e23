"""Inspect the description of a stored model before any part of it is built."""

import io
import json
import math
import zipfile

import numpy as np

from sklearn_ser.persistence._trusted import required_names

__all__ = ["Contents", "audit", "repack"]

_MODEL = "schema.json"
# Depth to which lists and dictionaries may be nested; an object takes four levels.
_MAX_DEPTH = 300
# Least memory of a part in skops and of a value in JSON, in bytes.
_PART_BYTES = 1024
_VALUE_BYTES = 64
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class TooLargeError(ValueError):
    """A description that would take more memory than allowed."""


class Contents:
    """The result of :func:`audit`.

    Attributes
    ----------
    needed, unknown : set of str
        Names of the types and functions that the model needs, and of those among them that are
        not trusted.
    files : set of str
        The entries that it needs.
    """

    def __init__(self, entries, trusted, limit):
        self.needed, self.unknown, self.files = set(), set(), set()
        self._entries, self._trusted, self._limit = entries, trusted, limit
        self._parts_by_id, self._copies = {}, set()
        self._n_parts = self._n_bytes = 0

    def look(self, value, depth=0):
        """Check a value of the description; return the number of parts in it."""
        if depth > _MAX_DEPTH:
            raise ValueError(f"its parts are nested more than {_MAX_DEPTH} deep")
        if isinstance(value, dict):
            inside = sum(self.look(one, depth + 1) for one in value.values())
            if isinstance(value.get("__loader__"), str):
                inside += 1
                self._look_at_part(value, inside)
            return inside
        if isinstance(value, list):
            return sum(self.look(one, depth + 1) for one in value)
        return 0

    def _look_at_part(self, part, n_parts):
        if not all(isinstance(part.get(key), str) for key in ("__module__", "__class__")):
            raise ValueError("it has a part without the name of its type")
        self._n_parts += 1
        if self._n_parts * _PART_BYTES > self._limit:
            raise TooLargeError(f"more than {self._n_parts - 1} parts")
        needed, unknown = required_names(part, self._trusted)
        self.needed |= needed
        self.unknown |= unknown
        self._check_identity(part, n_parts)
        if "file" in part:
            self._check_file(part)

    def _check_identity(self, part, n_parts):
        """Refuse different parts under one identity, which could grow without bound.

        skops builds the first part with an identity and uses it wherever the identity occurs
        again. In files that skops has written, these parts are equal. In a forged file a part
        could contain itself, or ten copies of a part that contains ten copies of another.
        """
        identity = part.get("__id__")
        if identity is None:
            return
        if not isinstance(identity, int):
            raise ValueError(f"it has a part with the identity {str(identity)[:60]!r}")
        kind = (part["__loader__"], part["__module__"], part["__class__"], n_parts)
        if self._parts_by_id.setdefault(identity, kind) != kind:
            raise ValueError("it has different parts with one identity")

    def _check_file(self, part):
        name = part["file"]
        if not isinstance(name, str) or name not in self._entries or name == _MODEL:
            raise ValueError(f"its entry {str(name)[:60]!r} is missing")
        copy = (part.get("__id__"), name)
        if copy[0] is None or copy not in self._copies:
            self._copies.add(copy)
            self._n_bytes += len(self._entries[name])
        if self._n_bytes > self._limit:
            raise TooLargeError("arrays that are repeated")
        self.files.add(name)
        if part["__loader__"] == "NdArrayNode":
            _check_array(self._entries[name], part["__class__"])


def _check_array(content, called):
    """Raise an error unless an entry is exactly one array of plain values.

    numpy reserves the memory that a header asks for before it reads the content, and it also
    opens other formats that it knows, such as archives.
    """
    buffer = io.BytesIO(content)
    version = np.lib.format.read_magic(buffer)
    if version == (3, 0):  # as 2, in UTF-8
        length = int.from_bytes(buffer.read(4), "little")
        text = buffer.read(length).decode("utf-8").encode("latin-1", "replace")
        shorter = io.BytesIO(len(text).to_bytes(4, "little") + text)
        shape, _, dtype = np.lib.format.read_array_header_2_0(shorter)
    else:
        shape, _, dtype = _READ_HEADER[version](buffer)
    if dtype.hasobject:
        raise ValueError("an array in it holds objects")
    size = math.prod(shape)
    left = len(content) - buffer.tell()
    if min(shape, default=0) < 0 or size * dtype.itemsize != left:
        raise ValueError(
            f"an array in it has {left} bytes, expected those of {dtype} with the shape "
            f"{str(shape)[:60]}"
        )
    if max(shape, default=0) > max(left, 1 << 20) and left == 0:
        raise ValueError(f"an array in it is empty and has the shape {str(shape)[:60]}")
    if called != "ndarray" and (
        shape != () or dtype.type.__name__.rstrip("_") != called.rstrip("_")
    ):
        raise ValueError(f"a number in it is called {called[:60]} and is {dtype} of shape {shape}")


def audit(entries, trusted, limit):
    """Check an unpacked model.

    Parameters
    ----------
    entries : dict of str to bytes
        Content by name.
    trusted : set of str
        Further names that the caller trusts.
    limit : int
        Number of bytes the model may take.

    Returns
    -------
    contents : Contents

    Raises
    ------
    TooLargeError
        If the model would take more.
    Exception
        Of almost any type, if the model is damaged.
    """
    text = entries[_MODEL]
    if sum(map(text.count, b"[{,")) * _VALUE_BYTES > limit:
        raise TooLargeError("its description")
    contents = Contents(entries, trusted, limit)
    contents.look(json.loads(text))
    return contents


def repack(entries, names):
    """Return an archive of some entries for skops to read.

    skops then reads exactly the entries that were checked, whatever the directory of the file said.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in (_MODEL, *sorted(names)):
            archive.writestr(name, entries[name])
    return buffer.getvalue()
