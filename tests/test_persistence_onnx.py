"""ONNX graphs predict what the models predict that they were written from."""

import copy
import json
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_ser import (
    CORALClassifier,
    CorpusScaler,
    DAETransformer,
    DANNClassifier,
    EGeMAPSExtractor,
    KLAnnealedVAE,
    MCCClassifier,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    adapt,
)
from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.persistence import to_onnx

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.SmallBatchWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning"),
    pytest.mark.filterwarnings("ignore:MetricDAE got:UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
EMOTIONS = np.array(["anger", "joy", "sadness"])
SMALL = {"hidden_layer_sizes": (16,), "n_components": 4, "max_epochs": 3, "random_state": 0}
NNPM = {**SMALL, "warmup_epochs": 4, "n_estimators": 2, "guard": False}


@pytest.fixture(scope="module")
def data():
    """Rows with an offset that single precision has to bear, labels, and rows to predict."""
    rng = np.random.default_rng(0)
    y = EMOTIONS[rng.integers(3, size=150)]
    centres = rng.normal(size=(3, 6))

    def rows(labels, shift):
        noise = rng.normal(size=(len(labels), 6))
        spread = [1, 1, 1, 30, 0.01, 1]
        return (100 + shift + (centres[EMOTIONS.searchsorted(labels)] + noise) * spread).astype("f")

    return rows(y, 0), y, rows(EMOTIONS[rng.integers(3, size=60)], 0.5)


def run(path, X):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


def assert_equal(model, path, X):
    """Compare the answers of a model and of its graph; return the latter."""
    to_onnx(model, path)
    outputs = run(path, X)
    one = run(path, X[:1])
    if "label" not in outputs:
        [(name, answers)] = outputs.items()
        expected = model.predict(X) if name == "prediction" else model.transform(X)
        np.testing.assert_allclose(answers, np.reshape(expected, answers.shape), atol=2e-5)
        return outputs
    np.testing.assert_array_equal(outputs["label"], model.predict(X))
    assert one["label"].tolist() == outputs["label"][:1].tolist()
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(outputs["probabilities"], model.predict_proba(X), atol=1e-5)
    return outputs


def pooled(**parameters):
    """Make a scaler that scales a batch as it scales single recordings."""
    return CorpusScaler(unseen="pooled", **parameters)


@pytest.mark.parametrize(
    "head",
    [
        LogisticRegression(),
        SVC(),
        LinearSVC(),
        SVC(probability=True, random_state=0),
        CalibratedClassifierCV(SVC(), ensemble=False, cv=3),
        make_pipeline(PCA(3), LogisticRegression()),
    ],
    ids=["logistic", "svc", "linear_svc", "svc_probability", "calibrated", "pca"],
)
def test_heads_of_scikit_learn(data, head, tmp_path):
    X, y, T = data
    outputs = assert_equal(make_pipeline(pooled(), head).fit(X, y), tmp_path / "m.onnx", T)
    assert ("probabilities" in outputs) == hasattr(head.fit(X, y), "predict_proba")


@pytest.mark.parametrize(
    ("head", "change", "kind"),
    [
        (LogisticRegression(), lambda step: {"coef_": -step.coef_}, "labels"),
        (
            LogisticRegression(fit_intercept=False),
            lambda step: {"coef_": 3 * step.coef_},
            "probabilities",
        ),
        (LinearSVC(), lambda step: {"classes_": step.classes_[::-1]}, "labels"),
        (Ridge(), lambda step: {"intercept_": step.intercept_ + 1}, "predictions"),
        (PCA(2), lambda step: {"components_": step.components_[::-1]}, "features"),
    ],
    ids=["labels", "probabilities", "without probabilities", "regressor", "transformer"],
)
def test_what_is_converted_wrongly_is_refused(data, head, change, kind, tmp_path, monkeypatch):
    """As skl2onnx 1.20 converts TunedThresholdClassifierCV without the threshold."""
    X, y, _ = data
    model = make_pipeline(pooled(), clone(head)).fit(X, y == "joy" if kind == "predictions" else y)
    to_onnx(model, tmp_path / "right.onnx")
    convert = skl2onnx.convert_sklearn

    def convert_another(step, options, **arguments):
        other = copy.deepcopy(step)
        vars(other).update(change(step))
        options = {id(other): next(iter(options.values()))} if options else None
        return convert(other, options=options, **arguments)

    monkeypatch.setattr(skl2onnx, "convert_sklearn", convert_another)
    message = f"The step {type(head).__name__} .* gives other {kind} than the step"
    with pytest.raises(PersistenceError, match=message):
        to_onnx(model, tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()
    # Without a runtime there is nothing to compare with.
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    to_onnx(model, tmp_path / "wrong.onnx")


def test_labels_have_one_dimension(data, tmp_path):
    """The converter of this step gives a row of labels; older ones know numbers only."""
    X, y, T = data
    codes = np.unique(y, return_inverse=True)[1]
    model = make_pipeline(pooled(), QuadraticDiscriminantAnalysis()).fit(X, codes)
    outputs = assert_equal(model, tmp_path / "m.onnx", T)
    assert outputs["label"].shape == (len(T),)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"vote": "head"},
        {"vote": "memory", "temperature": 0.01},
        {"views": [[0, 1, 2], [3, 4, 5]], "n_estimators": 1},
        {"target_prior": {"anger": 0.5, "joy": 0.5, "sadness": 0.0}},
        {"target_prior": "source"},
        {"target_prior": None},
        {"caution": 0},
        {"hidden_layer_sizes": (16, 8)},
    ],
    ids=str,
)
def test_nnpm(data, parameters, tmp_path):
    X, y, T = data
    model = make_pipeline(pooled(), NNPMClassifier(**{**NNPM, **parameters})).fit(X, y)
    assert_equal(model, tmp_path / "source.onnx", T)
    adapted = adapt(model, T)
    assert adapted[-1].adapted_
    assert_equal(adapted, tmp_path / "adapted.onnx", T)


def test_nnpm_with_labels_of_the_target_and_shares(data, tmp_path):
    X, y, T = data
    labels = np.array([*EMOTIONS, *[None] * (len(T) - 3)], dtype=object)
    scaler = pooled().fit(X)
    X, T = scaler.transform(X), scaler.transform(T)
    shares = 0.9 * (y[:, None] == EMOTIONS) + 0.1 / 3
    for given in (y, shares):
        model = NNPMClassifier(**NNPM).fit(X, given)
        if given is y:
            model.adapt(T, labels)
        assert_equal(model, tmp_path / "m.onnx", T)


@pytest.mark.parametrize("kind", [MCCClassifier, CORALClassifier, DANNClassifier])
def test_other_classifiers_that_adapt(data, kind, tmp_path):
    X, y, T = data
    model = kind(hidden_layer_sizes=(16,), n_components=4, max_epochs=3, random_state=0)
    assert_equal(make_pipeline(pooled(), model).fit(X, y), tmp_path / "m.onnx", T)


@pytest.mark.parametrize(
    "autoencoder",
    [
        DAETransformer(**SMALL),
        DAETransformer(**SMALL, readout=SVC(probability=True, random_state=0)),
        KLAnnealedVAE(**SMALL),
        SemiSupervisedVAE(**SMALL),
        SemiSupervisedVAE(**SMALL, supervision="classifier"),
        MetricDAE(**SMALL, y_annotation=None),
    ],
    ids=["dae", "dae_svc", "vae", "ssvae", "softmax", "metric"],
)
def test_autoencoders(data, autoencoder, tmp_path):
    X, y, T = data
    assert_equal(make_pipeline(pooled(), autoencoder).fit(X, y), tmp_path / "m.onnx", T)
    behind = make_pipeline(pooled(), autoencoder, StandardScaler(), LogisticRegression())
    assert_equal(behind.fit(X, y), tmp_path / "behind.onnx", T)


def test_ratings(data, tmp_path):
    X, _, T = data
    scaler = pooled().fit(X)
    X, T = scaler.transform(X), scaler.transform(T)
    ratings = {"activation": X[:, 0], "valence": X[:, 1]}
    both = MetricDAE(**SMALL).fit(X, **ratings)
    assert assert_equal(both, tmp_path / "m.onnx", T)["prediction"].shape == (len(T), 2)
    assert_equal(MetricDAE(**SMALL, metric_dimension=1).fit(X, X[:, 0]), tmp_path / "one.onnx", T)
    readout = DAETransformer(**SMALL, readout=Ridge()).fit(X, X[:, 0])
    assert_equal(readout, tmp_path / "ridge.onnx", T)


def test_transformers(data, tmp_path):
    X, y, T = data
    scaler = pooled().fit(X)
    for autoencoder in (DAETransformer(**SMALL), KLAnnealedVAE(**SMALL)):
        autoencoder.fit(scaler.transform(X))
        assert_equal(make_pipeline(scaler, autoencoder), tmp_path / "latent.onnx", T)
    behind = make_pipeline(scaler, NNPMClassifier(**NNPM), LogisticRegression())
    assert_equal(behind.fit(X, y), tmp_path / "nnpm.onnx", T)


def test_scalings_side_by_side(data, tmp_path):
    X, y, T = data
    scalings = make_union(pooled(), StandardScaler(), "drop", "passthrough")
    scalings.set_params(transformer_weights={"corpusscaler": 0.5})
    model = make_pipeline(scalings, "passthrough", LogisticRegression(max_iter=5000))
    assert_equal(model.fit(X, y), tmp_path / "m.onnx", T)


def test_a_corpus_scaler_has_the_statistics_for_single_recordings(data, tmp_path):
    X, y, T = data
    model = make_pipeline(CorpusScaler(), LogisticRegression()).fit(X, y)
    to_onnx(model, tmp_path / "m.onnx")
    one_by_one = np.concatenate([model.predict_proba(row[None]) for row in T])
    np.testing.assert_allclose(run(tmp_path / "m.onnx", T)["probabilities"], one_by_one, atol=1e-5)
    assert np.abs(one_by_one - model.predict_proba(T)).max() > 0.01
    model[0].adapt(T)
    assert_equal(model, tmp_path / "adapted.onnx", T)


def test_searches_and_numbers_as_classes(data, tmp_path):
    X, y, T = data
    codes = EMOTIONS.searchsorted(y)
    model = make_pipeline(pooled(), NNPMClassifier(**NNPM))
    search = GridSearchCV(model, {"nnpmclassifier__vote": ["head"]}, cv=2).fit(X, codes)
    assert assert_equal(search, tmp_path / "m.onnx", T)["label"].dtype == np.int64


@pytest.mark.parametrize("dtype", [object, "int32", "uint8", bool, float])
@pytest.mark.parametrize(
    "head", [LogisticRegression(), NNPMClassifier(**NNPM), DAETransformer(**SMALL)], ids=repr
)
def test_classes_of_every_type(data, head, dtype, tmp_path):
    X, y, T = data
    X, T = pooled().fit(X).transform(X), pooled().fit(X).transform(T)
    labels = y if dtype is object else y == "anger"
    outputs = assert_equal(head.fit(X, labels.astype(dtype)), tmp_path / "m.onnx", T)
    assert outputs["label"].dtype == (object if dtype is object else np.int64)


def test_what_the_file_says(tmp_path):
    rng = np.random.default_rng(0)
    recordings = [rng.normal(size=4000) / 10 for _ in range(12)]
    labels = np.resize(EMOTIONS[:2], 12)
    model = make_pipeline(EGeMAPSExtractor(), CorpusScaler(), LogisticRegression())
    to_onnx(model.fit(recordings, labels), tmp_path / "m.onnx")
    written = onnx.load(tmp_path / "m.onnx")
    properties = {one.key: one.value for one in written.metadata_props}
    assert json.loads(properties["classes"]) == ["anger", "joy"]
    assert len(json.loads(properties["features"])) == 88
    assert properties["feature_set"] == "eGeMAPSv02, sklearn-ser 1"
    assert written.graph.input[0].name == "X"
    assert written.graph.input[0].type.tensor_type.shape.dim[1].dim_value == 88


class Doubled(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return 2 * X


class TestErrors:
    def test_unknown_steps_are_named(self, data, tmp_path):
        X, y, _ = data
        model = make_pipeline(pooled(), Doubled(), LogisticRegression()).fit(X, y)
        with pytest.raises(PersistenceError, match="The step Doubled cannot be written as an ONNX"):
            to_onnx(model, tmp_path / "m.onnx")
        assert not (tmp_path / "m.onnx").exists()

    def test_steps_that_do_not_transform_there(self, data, tmp_path):
        X = data[0]
        with pytest.raises(PersistenceError, match=r"KMeans .* has 2 outputs there"):
            to_onnx(KMeans(2, n_init=1, random_state=0).fit(X), tmp_path / "m.onnx")

    def test_numbers_with_digits_as_classes(self, data, tmp_path):
        X, y, _ = data
        model = LogisticRegression().fit(X, y)
        model.classes_ = np.array([0.5, 1.0, 1.5])
        with pytest.raises(PersistenceError, match=r"classes are \[0.5, 1.0, 1.5\], but labels"):
            to_onnx(model, tmp_path / "m.onnx")

    def test_noise(self, data, tmp_path):
        X, y, _ = data
        model = DAETransformer(**SMALL, noise_in_transform=True).fit(X, y)
        with pytest.raises(PersistenceError, match="DAETransformer adds noise"):
            to_onnx(model, tmp_path / "m.onnx")

    def test_extractors_alone(self, tmp_path):
        extractor = EGeMAPSExtractor()
        with pytest.raises(TypeError, match="EGeMAPSExtractor computes features of recordings"):
            to_onnx(extractor, tmp_path / "m.onnx")

    def test_other_arguments(self, data, tmp_path):
        with pytest.raises(TypeError, match="expected an estimator"):
            to_onnx("model.skops", tmp_path / "m.onnx")
        with pytest.raises(FileNotFoundError, match="There is no folder"):
            to_onnx(LogisticRegression(), tmp_path / "none" / "m.onnx")

    def test_without_the_extra(self, data, tmp_path, monkeypatch):
        X, y, _ = data
        monkeypatch.setitem(sys.modules, "skl2onnx", None)
        with pytest.raises(ImportError, match=r"sklearn-ser\[onnx\]"):
            to_onnx(LogisticRegression().fit(X, y), tmp_path / "m.onnx")
