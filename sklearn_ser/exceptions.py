"""The errors and warnings that callers may want to catch."""

__all__ = ["AudioError", "CorpusError", "ExtractionWarning", "SmallBatchWarning"]


class AudioError(ValueError):
    """A recording or a waveform that no features can be computed from."""


class CorpusError(ValueError):
    """A folder or a table that does not hold the corpus it should hold."""


class ExtractionWarning(UserWarning):
    """A recording was replaced by a row of NaN (``on_error="nan"``)."""


class SmallBatchWarning(UserWarning):
    """A batch is too small for statistics of its own; the training ones were used."""
