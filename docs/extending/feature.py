import numpy as np

from sklearn_ser.features import FunctionExtractor


def crossings(y, sr):
    """Return the rate of zero crossings per second, and the share of samples above 0."""
    signs = np.signbit(y)
    return {
        "rate": np.count_nonzero(signs[1:] != signs[:-1]) * sr / len(y),
        "above": (y > 0).mean(),
    }


extractor = FunctionExtractor(crossings, names=["rate", "above"], version=1)
