"""Errors and warnings that callers may want to catch."""

__all__ = [
    "AudioError",
    "AudioWarning",
    "CacheError",
    "CacheWarning",
    "CorpusError",
    "CorpusWarning",
    "DownloadError",
    "ExtractionWarning",
    "NotAdaptedWarning",
    "PersistenceError",
    "PersistenceWarning",
    "PosteriorCollapseWarning",
    "ResultsError",
    "SmallBatchWarning",
]


class AudioError(ValueError):
    """A recording or a waveform that no features can be computed from."""


class AudioWarning(UserWarning):
    """A recording that was read, although it seems to be damaged: cut off, clipped, cancelled."""


class CacheError(RuntimeError):
    """A file that is no cache of features, or a damaged one; it was not changed."""


class CacheWarning(UserWarning):
    """Rows were computed without being stored, or without looking for stored ones."""


class CorpusError(ValueError):
    """A folder or a table that does not hold the corpus it should hold."""


class CorpusWarning(UserWarning):
    """Recordings or labels that an evaluation could be wrong with."""


class DownloadError(OSError):
    """A corpus that could not be downloaded; nothing of it was kept."""


class ExtractionWarning(UserWarning):
    """A recording was replaced by a row of NaN (``on_error="nan"``)."""


class NotAdaptedWarning(UserWarning):
    """Predictions come from a model that knows its source only, not the rows it predicts."""


class PersistenceError(ValueError):
    """A file that is no model, is damaged or not trusted, or a model that cannot be saved."""


class PersistenceWarning(UserWarning):
    """A model comes from another version, or needs permission to be loaded, see the text."""


class PosteriorCollapseWarning(UserWarning):
    """Columns of an embedding are almost constant: the loss made the encoder ignore them."""


class ResultsError(ValueError):
    """A folder of results with a damaged file, or with files of more than one evaluation."""


class SmallBatchWarning(UserWarning):
    """A batch is too small for statistics of its own; the training ones were used."""
