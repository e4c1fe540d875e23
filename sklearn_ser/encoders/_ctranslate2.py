"""Weights in the binary format of CTranslate2, read as data."""

import math
import os
import struct

import numpy as np

from sklearn_ser.exceptions import EncoderError

__all__ = ["Variables"]

_VERSION = 6
_TYPES = {0: np.dtype("<f4"), 1: np.dtype("i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"),
          4: np.dtype("<f2"), 5: np.dtype("<u2")}  # fmt: skip

# What no model of speech exceeds: bounds on the loop over a header that anybody may have written.
_MOST_VARIABLES = 100_000
_MOST_DIMENSIONS = 8


class Variables:
    """The variables of a file, found by name and read one at a time.

    Parameters
    ----------
    path : str
        The file ``model.bin``. Its header is read at once; no array is, until it is
        asked for.

    Attributes
    ----------
    names : set of str
        What the file holds, aliases included.

    Raises
    ------
    EncoderError
        If the file is damaged, or of another format or version.
    OSError
        If it cannot be read.
    """

    def __init__(self, path):
        self.path = os.fspath(path)
        self._places = {}
        with open(self.path, "rb") as file:
            self._size = os.fstat(file.fileno()).st_size
            self._read_header(file)
        self.names = set(self._places)

    def _damage(self, reason):
        return EncoderError(
            f"{self.path!r} is not a model of CTranslate2 that can be read: {reason}. Expected "
            f"the file model.bin of a converted Whisper, binary version {_VERSION}. Copy or "
            "convert it again."
        )

    def _number(self, file, form):
        data = file.read(struct.calcsize(form))
        if len(data) < struct.calcsize(form):
            raise self._damage("it ends within its header")
        return struct.unpack(form, data)[0]

    def _name(self, file):
        length = self._number(file, "<H")
        return file.read(length).rstrip(b"\0").decode("utf-8", "replace")

    def _read_header(self, file):
        version = self._number(file, "<I")
        if version != _VERSION:
            raise self._damage(f"its version is {version}")
        self.specification = self._name(file)
        self._number(file, "<I")
        n_variables = self._number(file, "<I")
        if n_variables > _MOST_VARIABLES:
            raise self._damage(f"it declares {n_variables} variables")
        for _ in range(n_variables):
            self._read_entry(file)
        if file.tell() == self._size:
            return
        n_aliases = self._number(file, "<I")
        if n_aliases > _MOST_VARIABLES:
            raise self._damage(f"it declares {n_aliases} aliases")
        for _ in range(n_aliases):
            alias, name = self._name(file), self._name(file)
            if name not in self._places:
                raise self._damage(f"{alias!r} stands for {name!r}, which it does not have")
            self._places[alias] = self._places[name]

    def _read_entry(self, file):
        name, rank = self._name(file), self._number(file, "<B")
        if rank > _MOST_DIMENSIONS:
            raise self._damage(f"{name!r} has {rank} dimensions")
        shape = tuple(self._number(file, "<I") for _ in range(rank))
        code, n_bytes = self._number(file, "<B"), self._number(file, "<I")
        if code not in _TYPES:
            raise self._damage(f"the type {code} of {name!r} is unknown")
        start, dtype = file.tell(), _TYPES[code]
        if math.prod(shape) * dtype.itemsize != n_bytes or start + n_bytes > self._size:
            raise self._damage(
                f"{name!r} of shape {shape} and type {dtype} takes {n_bytes} bytes, and the file "
                f"has {self._size - start} left"
            )
        self._places[name] = start, shape, dtype
        file.seek(n_bytes, os.SEEK_CUR)

    def __contains__(self, name):
        return name in self._places

    def shape(self, name):
        """Return the shape of a variable without reading it."""
        return self._place(name)[1]

    def _place(self, name):
        if name not in self._places:
            raise self._damage(f"it lacks {name!r}")
        return self._places[name]

    def read(self, name):
        """Return a variable as it is stored, ndarray."""
        start, shape, dtype = self._place(name)
        with open(self.path, "rb") as file:
            file.seek(start)
            values = np.fromfile(file, dtype, math.prod(shape))
        if values.size != math.prod(shape):
            raise self._damage("it has become shorter")
        return values.reshape(shape)

    def weight(self, name):
        """Return a variable in single precision, ndarray of dtype float32.

        Integers of 8 and 16 bits are weights times a scale, one of each row or one of all,
        in a variable of the same name and the suffix ``_scale``.
        """
        values = self.read(name)
        if values.dtype.kind == "f":
            return values.astype(np.float32)
        if values.dtype.kind == "u":
            # bfloat16, which numpy does not know: the upper half of a float32.
            return (values.astype(np.uint32) << 16).view(np.float32)
        scale = self.read(f"{name}_scale").astype(np.float32)
        if scale.ndim and scale.shape != values.shape[:1]:
            raise self._damage(f"the scale of {name!r} has shape {scale.shape}")
        rows = (
            scale.reshape(scale.shape + (1,) * (values.ndim - scale.ndim)) if scale.ndim else scale
        )
        return values.astype(np.float32) / rows
