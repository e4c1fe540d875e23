"""Type aliases for values that several modules of this folder exchange."""

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

# Returns a new hash object of hashlib.
Hasher: TypeAlias = Callable[[], "_Hash"]

# Returns the bytes for an offset and a number of bytes; fewer at the end of the file.
Read: TypeAlias = Callable[[int, int], bytes]
