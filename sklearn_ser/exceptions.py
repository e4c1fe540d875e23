"""Errors and warnings that callers may want to catch."""

__all__ = [
    "AudioError",
    "AudioWarning",
    "CacheError",
    "CacheWarning",
    "CorpusError",
    "CorpusWarning",
    "DownloadError",
    "EncoderError",
    "ExtractionWarning",
    "NotAdaptedWarning",
    "PersistenceError",
    "PersistenceWarning",
    "PosteriorCollapseWarning",
    "ResultsError",
    "ScalingWarning",
    "SmallBatchWarning",
]


class AudioError(ValueError):
    """A recording or waveform is unusable: no features can be computed from it."""


class AudioWarning(UserWarning):
    """A recording was read but seems to be damaged: cut off, clipped, silent or cancelled."""


class CacheError(RuntimeError):
    """The file is not a feature cache, or is damaged; it was left unchanged."""


class CacheWarning(UserWarning):
    """Results are computed but not kept, or stored results could not be used."""


class CorpusError(ValueError):
    """A folder or table does not hold the expected corpus."""


class CorpusWarning(UserWarning):
    """Recordings, labels or names could make an evaluation misleading."""


class DownloadError(OSError):
    """A corpus could not be downloaded; no part of it was kept."""


class EncoderError(ValueError):
    """A pretrained encoder that cannot be found, read or used."""


class ExtractionWarning(UserWarning):
    """A recording was replaced by a row of NaN (``on_error="nan"``)."""


class NotAdaptedWarning(UserWarning):
    """Predictions come from a model that was not adapted to the rows it predicts."""


class PersistenceError(ValueError):
    """A file is not a model, is damaged or not trusted, or a model cannot be saved."""


class PersistenceWarning(UserWarning):
    """A model comes from another version, or needs permission to be loaded; see the message."""


class PosteriorCollapseWarning(UserWarning):
    """Units of an embedding are almost constant: the encoder ignores them (posterior collapse)."""


class ResultsError(ValueError):
    """A folder of results has a damaged file, or files of more than one evaluation."""


class ScalingWarning(UserWarning):
    """Rows are scaled by statistics that do not suit them: by their own emotion, for example."""


class SmallBatchWarning(UserWarning):
    """A batch is too small for its own statistics; those of the training data were used."""
