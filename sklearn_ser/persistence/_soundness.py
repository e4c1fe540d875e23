"""Check that loaded values are consistent where compiled code relies on it.

scikit-learn computes these attributes itself and uses them as indices without checks. A file may
contain anything, and an index beyond the end of an array crashes the process. What an extractor
keeps of its encoder is checked as well, as messages about a missing encoder show it.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import BisectingKMeans, KMeans, MiniBatchKMeans
from sklearn.feature_extraction import DictVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from sklearn_ser.features._embedding import EmbeddingExtractor
from sklearn_ser.persistence._parts import parts_of

__all__ = ["check_sound"]

_NEIGHBOURS = (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
_PHILOX_BUFFER = 4
_TWISTER_KEY = 624


def _require(fits, what):
    if not fits:
        raise ValueError(f"{what} do not fit together")


def _array(model, name, ndim):
    """Check that an attribute is an array of `ndim` dimensions, and return it."""
    value = vars(model).get(name)
    fits = type(value) is np.ndarray and value.ndim == ndim and value.dtype.kind in "biuf"
    _require(fits, f"{type(model).__name__}.{name} and its shape")
    return value


def _check_kernel(model):
    """Check the arrays that libsvm indexes."""
    if "_dual_coef_" not in vars(model):
        return
    called = type(model).__name__
    # The name of the algorithm decides how many arrays libsvm reads.
    _require(vars(model).get("_impl", type(model)._impl) == type(model)._impl, f"{called}._impl")
    vectors, coefficients = vars(model).get("support_vectors_"), vars(model)["_dual_coef_"]
    if vars(model).get("_sparse"):
        # The caller has trusted sparse matrices by name; without that they are refused earlier.
        _require(sp.issparse(vectors) and sp.issparse(coefficients), f"{called}._sparse")
    else:
        vectors, coefficients = (
            _array(model, "support_vectors_", 2),
            _array(model, "_dual_coef_", 2),
        )
    support, counts = _array(model, "support_", 1), _array(model, "_n_support", 1)
    intercept = _array(model, "_intercept_", 1)
    n_rows, n_columns = (*model.shape_fit_, 0)[:2]
    of_rows = model.kernel == "precomputed" or callable(model.kernel)
    classifies = model._impl in ("c_svc", "nu_svc")
    n_classes = len(model.classes_) if classifies else 2
    # libsvm trains one classifier for each pair of classes. Each has an intercept, and a support
    # vector takes part in n_classes - 1 of them, with a coefficient in each.
    n_pairs = n_classes * (n_classes - 1) // 2
    _require(
        counts.shape == (n_classes,)
        and (counts >= 0).all()
        and len(support) == (counts.sum() if classifies else counts[0])
        and (of_rows or vectors.shape == (len(support), n_columns))
        and (of_rows or n_columns == model.n_features_in_)
        and support.min(initial=0) >= 0
        and support.max(initial=0) < max(1, n_rows),
        f"support vectors of {called}",
    )
    _require(
        coefficients.shape == (n_classes - 1, len(support))
        and intercept.shape == (n_pairs,)
        and all(_array(model, name, 1).size in (0, n_pairs) for name in ("_probA", "_probB")),
        f"coefficients of {called}",
    )


def _n_rows(rows):
    return rows.shape[0]


def _check_neighbours(model):
    """Check the rows that distances are computed to, and their classes."""
    if "_fit_X" not in vars(model):
        return
    rows, called = vars(model)["_fit_X"], type(model).__name__
    if not sp.issparse(rows):
        rows = _array(model, "_fit_X", 2)
    _require(
        min(rows.shape) > 0
        and rows.shape[1] == getattr(model, "n_features_in_", rows.shape[1])
        and vars(model).get("n_samples_fit_", _n_rows(rows)) == _n_rows(rows),
        f"rows of {called}",
    )
    if "classes_" not in vars(model) or "_y" not in vars(model):
        return
    codes = np.asarray(vars(model)["_y"])
    classes = model.classes_ if isinstance(model.classes_, list) else [model.classes_]
    codes = codes.reshape(len(codes), -1)
    _require(
        codes.dtype.kind in "iu"
        and codes.shape == (_n_rows(rows), len(classes))
        and all(
            column.min() >= 0 and column.max() < len(of_column)
            for column, of_column in zip(codes.T, classes, strict=True)
        ),
        f"classes of {called}",
    )


def _check_centres(model):
    if "cluster_centers_" in vars(model):
        centres = _array(model, "cluster_centers_", 2)
        _require(
            len(centres) > 0 and centres.shape[1] == model.n_features_in_,
            f"centres of {type(model).__name__}",
        )


def _check_vocabulary(model):
    if "vocabulary_" in vars(model):
        places = sorted(model.vocabulary_.values())
        _require(places == list(range(len(places))), "names and columns of DictVectorizer")


def _check_one_against_rest(model):
    """Check that each classifier returns exactly one number for a row."""
    for estimator in vars(model).get("estimators_", ()):
        if not hasattr(estimator, "n_features_in_"):
            continue
        # A classifier of more classes returns more numbers, and would be written past the end.
        for n_rows in (1, 3):
            X = np.zeros((n_rows, int(estimator.n_features_in_)))
            if hasattr(estimator, "decision_function"):
                found = np.ravel(estimator.decision_function(X))
            else:
                found = np.ravel(estimator.predict_proba(X)[:, 1])
            _require(len(found) == n_rows, "the classifiers of OneVsRestClassifier")


def _check_generator(state):
    """Check the position in the buffer of a random number generator."""
    place = state["state"].get("pos", 0) if isinstance(state.get("state"), dict) else 0
    _require(0 <= place <= _TWISTER_KEY, "the state of a random generator")
    _require(0 <= state.get("buffer_pos", 0) <= _PHILOX_BUFFER, "the state of a random generator")


def _check_encoder(extractor):
    """Check the place of an encoder, and what identifies it."""
    encoder, called = vars(extractor).get("encoder"), type(extractor).__name__
    if not (isinstance(encoder, str) or callable(encoder)):
        raise TypeError(f"{called}.encoder is a {type(encoder).__name__}, expected text")
    if "encoder_" not in vars(extractor):
        return
    fitted = vars(extractor)["encoder_"]
    files = fitted.get("files", {}) if isinstance(fitted, dict) else None
    fits = (
        isinstance(files, dict)
        and all(isinstance(fitted.get(key), str) for key in ("name", "kind"))
        and all(
            isinstance(name, str)
            and isinstance(about, dict)
            and type(about.get("size")) is int
            and isinstance(about.get("sha256"), str)
            for name, about in files.items()
        )
    )
    _require(fits, f"name, kind and files in {called}.encoder_")


_CHECKS = (
    ((SVC, SVR, NuSVC, NuSVR, OneClassSVM), _check_kernel),
    (_NEIGHBOURS, _check_neighbours),
    ((KMeans, MiniBatchKMeans, BisectingKMeans), _check_centres),
    (DictVectorizer, _check_vocabulary),
    (np.random.RandomState, lambda part: _check_generator(part.get_state(legacy=False))),
    (np.random.Generator, lambda part: _check_generator(part.bit_generator.state)),
    (EmbeddingExtractor, _check_encoder),
    (OneVsRestClassifier, _check_one_against_rest),
)


def check_sound(model):
    """Raise an error if parts of a model do not fit together.

    Parameters
    ----------
    model : object
        As built from a file, before any part of it is used.

    Raises
    ------
    Exception
        Of almost any type, as attributes may be missing or of any kind.
    """
    parts = parts_of(model)
    for types, check in _CHECKS:
        # Inner parts first: the check of OneVsRestClassifier calls its classifiers.
        for part in reversed(parts):
            if isinstance(part, types):
                check(part)
