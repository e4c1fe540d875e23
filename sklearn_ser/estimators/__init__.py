"""Scalers, autoencoders and a classifier for tables of features.

Names are imported on first use: some of the modules need torch, which takes
seconds to import, and the others must not pay for it.
"""

from importlib import import_module

_HOME_OF = {
    "CorpusScaler": "_scaler",
    "DAETransformer": "_dae",
    "KLAnnealedVAE": "_vae",
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
