"""Time functions by turns."""

import time

import numpy as np


def by_turns(functions, repeats):
    """Return seconds of shape (functions, repeats), each run once beforehand."""
    for function in functions:
        function()
    seconds = np.empty((len(functions), repeats))
    for repeat in range(repeats):
        for row, function in zip(seconds, functions, strict=True):
            start = time.perf_counter()
            function()
            row[repeat] = time.perf_counter() - start
    return seconds
