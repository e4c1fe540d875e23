"""scikit-learn's own checks, for every estimator that the package has."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_param_validation, parametrize_with_checks

import sklearn_ser
from sklearn_ser import EGeMAPSExtractor, SemiSupervisedVAE
from sklearn_ser.estimators._base import BaseAutoencoder

# One entry for each estimator: the keyword arguments of every instance to check.
ARGUMENTS = {
    "AudioAugmenter": [{"extractor": EGeMAPSExtractor()}],
    "CORALClassifier": [{"max_epochs": 10, "n_estimators": 1}],
    "CorpusScaler": [{}, {"min_batch": 1}, {"unseen": "pooled"}, {"speaker_shrinkage": 10}],
    "DAETransformer": [
        {"max_epochs": 2},
        {"max_epochs": 2, "noise_in_transform": True},
        {
            "n_components": 2,
            "hidden_layer_sizes": 8,
            "noise": 0.0,
            "learning_rate": 0.01,
            "max_epochs": 30,
            "early_stopping": True,
        },
    ],
    "DANNClassifier": [{"max_epochs": 10, "adaptation": "predict", "n_estimators": 1}],
    "EGeMAPSExtractor": [{}],
    "EmbeddingExtractor": [{"encoder": np.atleast_2d}],
    "ExtractorUnion": [{"extractors": []}],
    "FunctionExtractor": [{"func": np.mean, "names": ("mean",)}],
    "KLAnnealedVAE": [
        {"max_epochs": 2},
        {
            "n_components": 2,
            "kl_annealing": "cyclical",
            "kl_reduction": "mean",
            "free_bits": 0.1,
            "hidden_layer_sizes": 8,
            "learning_rate": 0.01,
            "max_epochs": 30,
            "early_stopping": True,
        },
    ],
    "LibrosaExtractor": [{}],
    "MCCClassifier": [
        {"max_epochs": 10},
        {
            "adaptation": None,
            "n_components": 2,
            "temperature": 2.0,
            "hidden_layer_sizes": (16, 16),
            "dropout": 0.0,
            "learning_rate": 1e-2,
        },
    ],
    "MetricDAE": [
        {"max_epochs": 2, "y_annotation": None},
        {
            "y_annotation": "activation",
            "objective": "log",
            "metric_dimension": 0,
            "learning_rate": 0.01,
            "max_epochs": 30,
            "early_stopping": True,
        },
    ],
    "NNPMClassifier": [
        {"max_epochs": 2},
        {"adaptation": "predict", "n_estimators": 1, "max_epochs": 2},
        {
            "adaptation": None,
            "n_components": 2,
            "hidden_layer_sizes": (16, 16),
            "dropout": 0.0,
            "learning_rate": 1e-2,
            "keep_source": False,
        },
    ],
    "SemiSupervisedVAE": [
        {"max_epochs": 2},
        {
            "supervision": "classifier",
            "learning_rate": 0.01,
            "max_epochs": 30,
            "early_stopping": True,
        },
    ],
}

# scikit-learn's checks feed arrays of numbers. Each of these takes something else, and the
# module named tests by hand what the checks would.
NOT_FOR_ARRAYS = {
    "AudioAugmenter": "features/test_augmenter.py",
    "EGeMAPSExtractor": "features/test_extractor.py",
    "EmbeddingExtractor": "features/test_embedding.py",
    "ExtractorUnion": "features/test_union.py",
    "FunctionExtractor": "features/test_function.py",
    "LibrosaExtractor": "features/test_librosa.py",
}


# What scikit-learn expects a classifier to refuse.
TAKES_GAPS = {"check_supervised_y_no_nan": "A missing label is a row to train on without it."}
TAKES_RATINGS = {
    "check_classifiers_regression_target": "Numbers with fractions are ratings, for a regressor."
}


def discover():
    """Return the public estimator classes of all modules, by name."""
    found = {}
    for module in pkgutil.walk_packages(sklearn_ser.__path__, "sklearn_ser."):
        if module.name.endswith("__main__"):
            continue
        for name, cls in vars(importlib.import_module(module.name)).items():
            if (
                inspect.isclass(cls)
                and issubclass(cls, BaseEstimator)
                and cls.__module__.startswith("sklearn_ser.")
                # Nets are held by estimators, which are checked; skorch's own are none.
                and not cls.__module__.startswith("sklearn_ser.nn.")
                and not name.startswith("_")
                and not inspect.isabstract(cls)
            ):
                found[name] = cls
    return found


ESTIMATORS = discover()
INSTANCES = [
    ESTIMATORS[name](**arguments)
    for name in sorted(ESTIMATORS.keys() & ARGUMENTS.keys())
    for arguments in ARGUMENTS[name]
]
OVER_ARRAYS = [one for one in INSTANCES if get_tags(one).input_tags.two_d_array]


def expected_failed_checks(estimator):
    # With the default min_batch the check's single rows are scaled like its training rows.
    if repr(estimator) == "CorpusScaler(min_batch=1)":
        return {
            "check_methods_subset_invariance": (
                "A batch is scaled by its own statistics, so a single row of it becomes zeros."
            )
        }
    if getattr(estimator, "adaptation", None) == "predict":
        return {
            "check_methods_subset_invariance": (
                "Each batch is a target that a copy is adapted to; the check's single rows are "
                "too few for that."
            )
        }
    if isinstance(estimator, BaseAutoencoder):
        regresses = is_regressor(estimator)
        takes_ratings = not regresses and not isinstance(estimator, SemiSupervisedVAE)
        return TAKES_GAPS | (TAKES_RATINGS if takes_ratings else {})
    return {}


def test_every_estimator_has_arguments():
    assert sorted(ESTIMATORS) == sorted(ARGUMENTS)


def test_only_the_named_estimators_escape_the_checks(request):
    escaped = {type(one).__name__ for one in INSTANCES} - {
        type(one).__name__ for one in OVER_ARRAYS
    }
    assert escaped == NOT_FOR_ARRAYS.keys()
    for module in NOT_FOR_ARRAYS.values():
        assert (request.path.parent / module).is_file()


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning")
@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.ScalingWarning")
@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.SmallBatchWarning")
@pytest.mark.filterwarnings("ignore:MetricDAE got no ratings:UserWarning")
@pytest.mark.filterwarnings("ignore:activation has fewer than two different values:UserWarning")
@pytest.mark.filterwarnings("ignore:SemiSupervisedVAE got labels of [01] classes:UserWarning")
@parametrize_with_checks(OVER_ARRAYS, expected_failed_checks=expected_failed_checks)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# Without the address of a function, which differs from process to process.
@pytest.mark.parametrize("estimator", INSTANCES, ids=lambda one: repr(one).partition(" at 0x")[0])
def test_parameters_are_validated(estimator):
    check_param_validation(type(estimator).__name__, estimator)
