"""Training on some recordings, testing on others, and the uncertainty of the scores."""

from sklearn_ser.evaluation._baseline import compare_with_baseline
from sklearn_ser.evaluation._comparison import compare_methods
from sklearn_ser.evaluation._fit import fit_cross_corpus
from sklearn_ser.evaluation._intervals import SpeakerInterval, speaker_interval
from sklearn_ser.evaluation._methods import MethodResults, validate_methods
from sklearn_ser.evaluation._result import CrossCorpusResult
from sklearn_ser.evaluation._transfer import TransferResult, transfer_matrix
from sklearn_ser.evaluation._validate import cross_corpus_validate
from sklearn_ser.evaluation._within import within_corpus_validate

__all__ = [
    "CrossCorpusResult",
    "MethodResults",
    "SpeakerInterval",
    "TransferResult",
    "compare_methods",
    "compare_with_baseline",
    "cross_corpus_validate",
    "fit_cross_corpus",
    "speaker_interval",
    "transfer_matrix",
    "validate_methods",
    "within_corpus_validate",
]
