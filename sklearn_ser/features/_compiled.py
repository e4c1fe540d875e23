"""The decorator of every compiled function."""

import numba

__all__ = ["compiled"]


def compiled(function=None, **options):
    """Compile a function with numba and keep the machine code on disk where that is possible.

    Numba writes beside the source file, else to the cache folder of the user,
    else it refuses to decorate: then the function is compiled anew in every
    process.
    """
    if function is None:
        return lambda function: compiled(function, **options)
    try:
        return numba.njit(function, cache=True, nogil=True, **options)
    except RuntimeError:
        return numba.njit(function, nogil=True, **options)
