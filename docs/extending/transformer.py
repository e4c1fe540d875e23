import numpy as np

from sklearn_ser.features._transformer import RecordingTransformer


def level(y, sr):
    return np.array([10 * np.log10(np.mean(y**2) + 1e-12)])


class LevelExtractor(RecordingTransformer):
    """Compute the level of each recording in decibels."""

    def _function(self):
        return level  # must be picklable: it is sent to worker processes

    def _names(self):
        return ["level"]

    def _recipe(self):
        return {"algorithm": "level", "version": 1}  # the key of its rows in the cache
