"""Signal processing of eGeMAPSv02: ``(y, sr)`` → 25 descriptors of frames → 88 functionals."""

from sklearn_ser.features._egemaps._feature_set import (
    DESCRIPTORS,
    FUNCTIONAL_NAMES,
    FUNCTIONALS,
    VARIANTS,
    egemaps,
    egemaps_lld,
    functionals,
)

__all__ = [
    "DESCRIPTORS",
    "FUNCTIONALS",
    "FUNCTIONAL_NAMES",
    "VARIANTS",
    "egemaps",
    "egemaps_lld",
    "functionals",
]
