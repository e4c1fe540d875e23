"""Compute acoustic features from waveforms and recordings.

`egemaps` and `egemaps_lld` compute eGeMAPSv02 of one signal, `EGeMAPSExtractor`
of many recordings, as a scikit-learn transformer. `LibrosaExtractor` computes
statistics of librosa's features, `FunctionExtractor` those of your own function.
"""

from sklearn_ser.features._augmenter import AudioAugmenter
from sklearn_ser.features._egemaps import (
    DESCRIPTORS,
    FUNCTIONAL_NAMES,
    FUNCTIONALS,
    egemaps,
    egemaps_lld,
)
from sklearn_ser.features._embedding import EmbeddingExtractor
from sklearn_ser.features._extractor import EGeMAPSExtractor
from sklearn_ser.features._function import FunctionExtractor
from sklearn_ser.features._librosa import LibrosaExtractor
from sklearn_ser.features._table import write_features
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.features._union import ExtractorUnion, make_extractor_union

__all__ = [
    "DESCRIPTORS",
    "FUNCTIONALS",
    "FUNCTIONAL_NAMES",
    "AudioAugmenter",
    "EGeMAPSExtractor",
    "EmbeddingExtractor",
    "ExtractorUnion",
    "FunctionExtractor",
    "LibrosaExtractor",
    "RecordingTransformer",
    "egemaps",
    "egemaps_lld",
    "make_extractor_union",
    "write_features",
]
