"""Data and comparisons that the tests of NNPMClassifier share."""

import os
import warnings

import numpy as np
import pytest
import torch

from sklearn_ser import NNPMClassifier
from sklearn_ser.exceptions import NotAdaptedWarning

DEVICE = os.environ.get("SKLEARN_SER_DEVICE", "cpu")
EMOTIONS = np.array(["anger", "neutral", "sadness"])

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
needs_no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def make(**parameters):
    """Make a classifier that trains fast."""
    settings = {
        "n_estimators": 1,
        "n_components": 8,
        "hidden_layer_sizes": (16,),
        "warmup_epochs": 5,
        "max_epochs": 5,
        "learning_rate": 1e-2,
        "random_state": 0,
        "device": DEVICE,
    }
    return NNPMClassifier(**{**settings, **parameters})


def corpora(seed=0, n_source=150, n_target=90, shift=1.0):
    """Draw three emotions in a source and in a target, which has an offset of its own."""
    rng = np.random.default_rng(seed)
    centres = 1.2 * rng.normal(size=(3, 6))
    rows = []
    for n_rows, offset in ((n_source, 0), (n_target, shift * rng.normal(size=6))):
        codes = rng.permutation(np.resize(np.arange(3), n_rows))
        features = centres[codes] + rng.normal(size=(n_rows, 6)) + offset
        rows += [features.astype(np.float32), EMOTIONS[codes]]
    return rows


def silently(function, *args, **kwargs):
    """Call a function that may warn of a model without adaptation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAdaptedWarning)
        return function(*args, **kwargs)


def assert_same(first, second, X):
    """Two models are the same, bit by bit."""
    np.testing.assert_array_equal(
        silently(first.predict_proba, X), silently(second.predict_proba, X)
    )
    np.testing.assert_array_equal(silently(first.transform, X), silently(second.transform, X))
    np.testing.assert_array_equal(first.memory_, second.memory_)
    for one, other in zip(first.history_, second.history_, strict=True):
        assert {**one, "duration": 0} == {**other, "duration": 0}
