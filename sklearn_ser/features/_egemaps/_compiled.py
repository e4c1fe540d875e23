"""The decorator for compiled functions."""

import numba

try:
    from sklearn_ser.features._egemaps._machine_code import store_of, warn_if_not_kept
except (AttributeError, ImportError):
    # The store uses internals of numba, which other versions may arrange differently.
    store_of = None

    def warn_if_not_kept():
        """Do nothing, because numba alone decides where machine code is kept."""


__all__ = ["compiled", "inlined", "warn_if_not_kept"]


def _compiled_by_numba_alone(function, **options):
    try:
        return numba.njit(function, cache=True, **options)
    except RuntimeError:
        return numba.njit(function, **options)


def compiled(function=None, **options):
    """Compile a function with numba, and keep the machine code on disk if possible.

    Numba writes to the folder that ``NUMBA_CACHE_DIR`` names, else beside the
    source file, else to the cache folder of the user. If it can write to none of
    them, the function is compiled again in every process, and the first call
    warns once. A file that was cut off or changed is replaced. Division by zero
    gives infinity or NaN, as in numpy.
    """
    if function is None:
        return lambda function: compiled(function, **options)
    # A test of every divisor would delay compilation and prevent vector loops.
    options = {"nogil": True, "error_model": "numpy", **options}
    try:
        dispatcher = numba.njit(function, **options)
        dispatcher._cache = store_of(function)
    except (AttributeError, TypeError):
        return _compiled_by_numba_alone(function, **options)
    return dispatcher


def inlined(function):
    """Compile a function, but as a part of each function that calls it.

    The machine code of a function that is called in one place would be
    optimised twice and translated twice: alone, and within its caller.
    """
    return compiled(function, inline="always")
