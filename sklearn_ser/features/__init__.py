"""From waveforms to acoustic features.

`egemaps` and `egemaps_lld` compute eGeMAPSv02 of one signal, `EGeMAPSExtractor`
of many recordings, as a scikit-learn transformer.
"""

from sklearn_ser.features._egemaps import (
    DESCRIPTORS,
    FUNCTIONAL_NAMES,
    FUNCTIONALS,
    egemaps,
    egemaps_lld,
)
from sklearn_ser.features._extractor import EGeMAPSExtractor, RecordingTransformer

__all__ = [
    "DESCRIPTORS",
    "FUNCTIONALS",
    "FUNCTIONAL_NAMES",
    "EGeMAPSExtractor",
    "RecordingTransformer",
    "egemaps",
    "egemaps_lld",
]
