"""The same numbers in other containers, orders and types give the same results, silently."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CORALClassifier,
    CorpusScaler,
    DAETransformer,
    DANNClassifier,
    KLAnnealedVAE,
    MCCClassifier,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    adapt,
    cross_corpus_validate,
    estimators,
    exceptions,
    metrics,
)

RNG = np.random.default_rng(0)
N = 80
CODES = np.arange(N) % 4
X = (3 * np.eye(4, 6)[CODES] + RNG.normal(size=(N, 6))).astype(np.float32)
TARGET = X[::2] + np.float32(0.3)
EMOTION = np.array(["anger", "happiness", "neutral", "sadness"])[CODES]
CORPUS = np.repeat(["a", "b"], N // 2)
SPEAKER = np.array([f"{corpus}{i % 5}" for i, corpus in enumerate(CORPUS)])
RATING = X[:, 0].astype(float)
SHARES = RNG.dirichlet(np.ones(4), size=N)
NAMES = [f"f{i}" for i in range(6)]

TINY = {"max_epochs": 2, "random_state": 0}
ENSEMBLE = {**TINY, "n_estimators": 1}
# An instance of each estimator for arrays, and what it is fitted with.
FITTED = {
    "CorpusScaler": (CorpusScaler(), {"sample_domain": CORPUS}),
    "DAETransformer": (DAETransformer(**TINY), {}),
    "KLAnnealedVAE": (KLAnnealedVAE(**TINY), {}),
    "SemiSupervisedVAE": (SemiSupervisedVAE(**TINY), {"y": EMOTION}),
    "MetricDAE": (MetricDAE(y_annotation="activation", **TINY), {"y": RATING}),
    "NNPMClassifier": (NNPMClassifier(guard=False, **ENSEMBLE), {"y": EMOTION, "X_target": TARGET}),
    "CORALClassifier": (CORALClassifier(**ENSEMBLE), {"y": EMOTION, "X_target": TARGET}),
    "DANNClassifier": (DANNClassifier(**ENSEMBLE), {"y": EMOTION, "X_target": TARGET}),
    "MCCClassifier": (MCCClassifier(**ENSEMBLE), {"y": EMOTION, "X_target": TARGET}),
}


def table(array):
    return pd.DataFrame(array, columns=NAMES[: array.shape[1]])


def polars_frame(array):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(array, schema=NAMES[: array.shape[1]])


def arrow_frame(array):
    pytest.importorskip("pyarrow")
    return table(array).astype("float[pyarrow]" if array.dtype == np.float32 else "double[pyarrow]")


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


# Ways to hold the rows. Other sums of the same numbers differ in the last bits of their type.
ROWS = {
    "float64": lambda array: array.astype(np.float64),
    "bytes in the other order": lambda array: array.astype(array.dtype.newbyteorder()),
    "Fortran": np.asfortranarray,
    "every other row and column": lambda array: np.kron(array, np.ones((2, 2), "f4"))[::2, ::2],
    "from the end": lambda array: np.ascontiguousarray(array[::-1])[::-1],
    "read-only": read_only,
    "list": lambda array: array.tolist(),
    "torch": lambda array: torch.from_numpy(array.copy()),
    "pandas": table,
    "nullable": lambda array: table(array).astype(array.dtype.name.capitalize()),
    "pyarrow": arrow_frame,
    "polars": polars_frame,
}


def polars_series(values):
    polars = pytest.importorskip("polars")
    return polars.Series("y", values.tolist())


def pyarrow_series(values):
    pytest.importorskip("pyarrow")
    kind = "double[pyarrow]" if values.dtype.kind == "f" else "string[pyarrow]"
    return pd.Series(values.tolist(), dtype=kind)


# Ways to hold labels and names, with gaps or without.
COLUMNS = {
    "list": lambda values: values.tolist(),
    "every other": lambda values: np.repeat(values, 2)[::2],
    "read-only": read_only,
    "index": pd.Index,
    "nullable": lambda values: pd.Series(
        values.tolist(), dtype="Float64" if values.dtype.kind == "f" else "string"
    ),
    "categorical": lambda values: pd.Series(values).astype("category"),
    "pyarrow": pyarrow_series,
    "polars": polars_series,
}
WORDS_ONLY = {"categorical"}


@pytest.fixture(autouse=True)
def _silent():
    """Nothing is announced by any package, and by this one nothing about the form of data."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The last is about what earlier tests have left open, whenever that is collected.
        for category in (
            exceptions.NotAdaptedWarning,
            exceptions.PosteriorCollapseWarning,
            ResourceWarning,
        ):
            warnings.simplefilter("ignore", category)
        yield


def outcomes(name, hold=lambda array: array, output="default"):
    """Return what all methods of a fitted estimator make of the rows."""
    model, arguments = FITTED[name]
    arguments = {key: hold(part) if key == "X_target" else part for key, part in arguments.items()}
    y = arguments.pop("y", None)
    model = clone(model)
    if output != "default":
        model.set_output(transform=output)
    model.fit(hold(X), y, **arguments)
    methods = [one for one in ("predict", "predict_proba", "transform") if hasattr(model, one)]
    return {method: getattr(model, method)(hold(X)) for method in methods}


@pytest.fixture(scope="module")
def expected():
    """What the estimators make of plain arrays of float32; computed once."""
    return {}


def test_every_estimator_is_here():
    assert sorted(FITTED) == sorted(estimators.__all__)


@pytest.mark.parametrize("form", ROWS)
@pytest.mark.parametrize("name", FITTED)
def test_rows_in_other_forms(name, form, expected):
    plain = expected.setdefault(name, outcomes(name))
    for method, found in outcomes(name, ROWS[form]).items():
        if plain[method].dtype.kind == "f":
            np.testing.assert_allclose(found, plain[method], rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, plain[method])


def test_a_memory_map_that_is_read_only(tmp_path):
    np.save(tmp_path / "X.npy", X)

    def hold(array):
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        return mapped if array is X else read_only(array)

    for name in FITTED:
        plain, found = outcomes(name), outcomes(name, hold)
        for method, values in plain.items():
            np.testing.assert_array_equal(found[method], values)


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize(
    "name", [name for name, (one, _) in FITTED.items() if hasattr(one, "set_output")]
)
def test_set_output(name, container, expected):
    package = pytest.importorskip(container)
    plain = expected.setdefault(name, outcomes(name))
    frame = outcomes(name, output=container)["transform"]
    assert isinstance(frame, package.DataFrame)
    np.testing.assert_array_equal(frame.to_numpy(), plain["transform"])
    own = outcomes(name, ROWS["polars" if container == "polars" else "pandas"], container)
    assert list(own["transform"].columns) == (NAMES if name == "CorpusScaler" else [*frame.columns])


def with_gaps(values):
    values = values.astype(object)
    values[::4] = None
    return values


MODEL = make_pipeline(CorpusScaler(), LogisticRegression())
# What takes labels, names or ratings: a function of the way to hold them.
TAKERS = {
    "uar": lambda hold: metrics.unweighted_average_recall(hold(EMOTION), hold(EMOTION[::-1])),
    "brier": lambda hold: metrics.brier_score(hold(EMOTION), SHARES),
    "ece": lambda hold: metrics.expected_calibration_error(hold(EMOTION), SHARES),
    "ccc": lambda hold: metrics.concordance_correlation(hold(RATING), hold(RATING**2)),
    "r2": lambda hold: metrics.adjusted_r2(hold(RATING), hold(RATING**2)),
    "latent r2": lambda hold: metrics.latent_r2(X, hold(RATING)).select_dtypes("number"),
    "separability": lambda hold: metrics.corpus_separability(
        X, hold(CORPUS), speaker=hold(SPEAKER), cv=2, random_state=0
    ),
    "scaler": lambda hold: CorpusScaler(speaker_shrinkage=5).fit_transform(
        X, sample_domain=hold(CORPUS), speaker=hold(SPEAKER)
    ),
    "validation": lambda hold: cross_corpus_validate(
        MODEL, X, hold(EMOTION), hold(CORPUS), speaker=hold(SPEAKER), n_draws=20
    ).scores["uar"],
    "labels with gaps": lambda hold: (
        SemiSupervisedVAE(**TINY).fit(X, hold(with_gaps(EMOTION))).predict_proba(X)
    ),
    "speakers with gaps": lambda hold: cross_corpus_validate(
        MODEL, X, EMOTION, CORPUS, speaker=hold(with_gaps(SPEAKER)), n_draws=20
    ).scores["uar"],
    "ratings with gaps": lambda hold: (
        MetricDAE(y_annotation="activation", **TINY)
        .fit(X, hold(np.where(CODES == 0, np.nan, RATING)))
        .predict(X)
    ),
    "labels of the target": lambda hold: adapt(
        NNPMClassifier(guard=False, **ENSEMBLE).fit(X, EMOTION), X, hold(with_gaps(EMOTION))
    ).predict_proba(X),
}


@pytest.mark.filterwarnings("ignore:No interval:UserWarning")
@pytest.mark.parametrize("taker", TAKERS)
def test_labels_in_other_forms(taker):
    take = TAKERS[taker]
    plain = np.asarray(take(lambda values: values), dtype=float)
    assert np.isfinite(plain).all()
    for form, hold in COLUMNS.items():
        if form in WORDS_ONLY and taker in ("ccc", "r2", "latent r2", "ratings with gaps"):
            continue
        np.testing.assert_array_equal(np.asarray(take(hold), dtype=float), plain, err_msg=form)


DISTRIBUTIONS = {
    "jsd": metrics.jensen_shannon_divergence,
    "mmd": lambda A, B: metrics.maximum_mean_discrepancy(A, B, random_state=0),
    "swd": lambda A, B: metrics.sliced_wasserstein_distance(A, B, random_state=0),
}


@pytest.mark.parametrize("metric", DISTRIBUTIONS)
def test_metrics_of_rows_in_other_forms(metric):
    measure = DISTRIBUTIONS[metric]
    plain = measure(X[: N // 2], X[N // 2 :])
    for form, hold in ROWS.items():
        found = measure(hold(X[: N // 2]), hold(X[N // 2 :]))
        np.testing.assert_allclose(found, plain, rtol=1e-6, err_msg=form)


def test_shares_in_other_forms():
    frame = pd.DataFrame(SHARES, columns=np.unique(EMOTION))
    model, _ = FITTED["NNPMClassifier"]
    plain = clone(model).fit(X, frame, X_target=TARGET).predict_proba(X)
    polars = pytest.importorskip("polars")
    for shares in (polars.DataFrame(SHARES, schema=[*frame]), frame.astype("Float64")):
        found = clone(model).fit(X, shares, X_target=TARGET).predict_proba(X)
        np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize("name", FITTED)
def test_metadata_routing_changes_no_result(name, expected):
    plain = expected.setdefault(name, outcomes(name))
    with config_context(enable_metadata_routing=True):
        routed = outcomes(name)
    for method, values in plain.items():
        np.testing.assert_array_equal(routed[method], values)
