"""Scalers, autoencoders and classifiers for tables of features.

Names are imported on first use: some of the modules need torch, which takes
seconds to import, and the others must not pay for it.
"""

from importlib import import_module

_HOME_OF = {
    "CORALClassifier": "_coral",
    "CorpusScaler": "_scaler",
    "DAETransformer": "_dae",
    "DANNClassifier": "_dann",
    "KLAnnealedVAE": "_vae",
    "MCCClassifier": "_mcc",
    "MetricDAE": "_metric_dae",
    "NNPMClassifier": "_nnpm",
    "SemiSupervisedVAE": "_ssvae",
}

__all__ = [*_HOME_OF]


def __getattr__(name):
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
