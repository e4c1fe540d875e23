"""Names for the types that several modules of this folder pass to each other."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["Hasher", "PathLike", "Rate", "Read", "Samples"]

PathLike: TypeAlias = str | os.PathLike[str]

# Hz; a float where the rate is not integral.
Rate: TypeAlias = int | float

Samples: TypeAlias = npt.NDArray[np.float32]

# Makes a new hash object of hashlib.
Hasher: TypeAlias = Callable[[], "_Hash"]

# From an offset and a number of bytes to these bytes, fewer at the end of the file.
Read: TypeAlias = Callable[[int, int], bytes]
