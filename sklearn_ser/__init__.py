"""Cross-lingual speech emotion recognition that composes with scikit-learn.

Audio paths go in, an emotion label comes out, and the language of the
recordings may be one the model has no labels for. Names are imported on first
use, so that ``import sklearn_ser`` costs next to nothing.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME_OF = {
    "CORALClassifier": "estimators",
    "CorpusScaler": "estimators",
    "DAETransformer": "estimators",
    "DANNClassifier": "estimators",
    "EGeMAPSExtractor": "features",
    "EmbeddingExtractor": "features",
    "KLAnnealedVAE": "estimators",
    "LeaveOneCorpusOut": "model_selection",
    "MCCClassifier": "estimators",
    "MetricDAE": "estimators",
    "NNPMClassifier": "estimators",
    "SemiSupervisedVAE": "estimators",
    "adapt": "adaptation",
    "cross_corpus_validate": "evaluation",
    "fit_cross_corpus": "evaluation",
    "rescale": "adaptation",
    "transfer_matrix": "evaluation",
    "load": "persistence",
    "save": "persistence",
}
_SUBPACKAGES = (
    "audio",
    "datasets",
    "estimators",
    "evaluation",
    "exceptions",
    "features",
    "metrics",
    "model_selection",
    "persistence",
    "plotting",
    "report",
)

__all__ = ["__version__", *_HOME_OF, *_SUBPACKAGES]


def __getattr__(name):
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
