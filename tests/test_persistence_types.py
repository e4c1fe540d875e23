"""Which types a file may hold: what save tells and load trusts."""

import ast
import json
import os
import re
import warnings
import zipfile

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.experimental.enable_halving_search_cv
import sklearn.experimental.enable_iterative_imputer  # noqa: F401
from scipy.interpolate import BSpline
from sklearn import cluster, ensemble, feature_selection, neighbors, svm, tree
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.utils import all_estimators

from sklearn_ser import CorpusScaler, EGeMAPSExtractor, load, save
from sklearn_ser.exceptions import PersistenceError, PersistenceWarning
from sklearn_ser.features import FunctionExtractor, egemaps
from sklearn_ser.metrics import uar_scorer
from sklearn_ser.persistence import TRUSTED_TYPES

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6))
Y = np.where(X[:, 0] > 0, "anger", "sadness")
TREE = "sklearn.tree._tree.Tree"
PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
MAPPER = "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper"
KD_TREE = ["sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.neighbors._kd_tree.KDTree"]
SPLINE = ["scipy.interpolate._bsplines.BSpline"]
if "_asarray" in vars(BSpline([0, 1, 2, 3], [1.0, 2.0], 1)):  # in later versions of scipy
    SPLINE.insert(0, "scipy._lib.array_api_compat.numpy._aliases.asarray")


class OwnClassifier(ClassifierMixin, BaseEstimator):
    """What a user has written."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


def first_columns(X):
    return X[:, :2]


TRUSTED = [
    feature_selection.SelectKBest(k=2),
    feature_selection.SelectPercentile(feature_selection.mutual_info_classif),
    feature_selection.RFE(LogisticRegression(), n_features_to_select=2),
    ensemble.VotingClassifier([("a", svm.SVC()), ("b", LogisticRegression())]),
    ensemble.StackingClassifier([("a", svm.LinearSVC())], LogisticRegression(), cv=2),
    ensemble.BaggingClassifier(LogisticRegression(), n_estimators=2),
    neighbors.KNeighborsClassifier(algorithm="brute"),
    neighbors.NearestCentroid(),
    cluster.KMeans(2, n_init=1),
    cluster.BisectingKMeans(2),
    cluster.FeatureAgglomeration(2),
    svm.NuSVC(),
    svm.OneClassSVM(),
    svm.SVC(),
    CalibratedClassifierCV(svm.LinearSVC(), cv=2),
    ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "passthrough", slice(2, 4))]),
    PCA(2),
    LinearDiscriminantAnalysis(),
    FrozenEstimator(LogisticRegression().fit(X, Y)),
    GaussianProcessClassifier(RBF() + WhiteKernel()),
    SimpleImputer(),
    IterativeImputer(max_iter=1, random_state=np.random.RandomState(0)),
    SGDClassifier(loss="modified_huber"),
    GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2, scoring=uar_scorer),
    GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2, scoring=["f1_macro"], refit="f1_macro"),
    RandomizedSearchCV(svm.SVC(), {"C": [1, 2]}, n_iter=1, cv=2, random_state=0),
    TunedThresholdClassifierCV(LogisticRegression(), cv=2),
    OneVsOneClassifier(svm.LinearSVC()),
    OneVsRestClassifier(svm.SVC()),
    MLPClassifier(3, max_iter=2),
    FunctionTransformer(np.log1p),
    KBinsDiscretizer(2, strategy="uniform"),
    OneHotEncoder(handle_unknown="ignore"),
    QuantileTransformer(n_quantiles=10),
    make_pipeline(CorpusScaler(), PCA(2), LogisticRegression()),
    FunctionExtractor(egemaps, names=["a"]),
]
NEEDED = [
    (tree.DecisionTreeClassifier(), [TREE]),
    (make_pipeline(StandardScaler(), ensemble.RandomForestClassifier(2)), [TREE]),
    (ensemble.GradientBoostingClassifier(n_estimators=2), [TREE]),
    (ensemble.AdaBoostClassifier(n_estimators=2), [TREE]),
    (ensemble.IsolationForest(n_estimators=2), [TREE]),
    (ensemble.HistGradientBoostingClassifier(max_iter=2), [MAPPER, PREDICTOR]),
    (neighbors.KNeighborsClassifier(), KD_TREE),
    (ensemble.VotingClassifier([("a", neighbors.KNeighborsClassifier())]), KD_TREE),
    (neighbors.LocalOutlierFactor(novelty=True, algorithm="brute"), []),
    (FunctionExtractor(np.quantile, names=["q"]), ["numpy.quantile"]),
    (FunctionExtractor(os.system, names=["code"]), [f"{os.name}.system"]),
    (FunctionTransformer(first_columns), [f"{__name__}.first_columns"]),
    (OwnClassifier(), [f"{__name__}.OwnClassifier"]),
    (SplineTransformer(), SPLINE),
]


def fitted(model):
    recordings = not model.__sklearn_tags__().input_tags.two_d_array
    return model if recordings else model.fit(np.abs(X), Y)


def named(model):
    # Without addresses, which differ between the processes that run the tests.
    return re.sub(r"\s+", " ", re.sub(r" at 0x\w+", "", str(model)))[:60]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", TRUSTED, ids=named)
def test_harmless_types_are_loaded_without_a_word(model, tmp_path):
    fitted(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(model, tmp_path / "model.skops")
        found = load(tmp_path / "model.skops")
    assert type(found) is type(model)
    for method in ("predict", "predict_proba", "transform", "decision_function"):
        if hasattr(model, method) and "Extractor" not in type(model).__name__:
            expected, result = (getattr(one, method)(np.abs(X)) for one in (model, found))
            if sp.issparse(expected):
                expected, result = expected.toarray(), result.toarray()
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(("model", "names"), NEEDED, ids=lambda value: named(value)[:40])
def test_save_tells_what_load_refuses(model, names, tmp_path, monkeypatch):
    module = type("module", (), {"OwnClassifier": OwnClassifier, "first_columns": first_columns})
    monkeypatch.setitem(__import__("sys").modules, __name__, module)
    path = tmp_path / "model.skops"
    if not names:
        save(fitted(model), path)
        assert load(path).n_neighbors == 20
        return
    with pytest.warns(PersistenceWarning, match="types that load does not trust") as caught:
        save(fitted(model), path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert f"load({str(path)!r}, trusted=" in message
    told = ast.literal_eval(re.search(r"trusted=(\[.*\])\)", message).group(1))
    assert sorted(told) == sorted(names)
    with pytest.raises(PersistenceError, match=f"not trusted: .*{re.escape(names[-1])}"):
        load(path)
    assert type(load(path, trusted=told)) is type(model)


def test_sparse_models_are_told(tmp_path):
    with pytest.warns(PersistenceWarning, match=r"scipy\.sparse"):
        save(svm.SVC().fit(sp.csr_matrix(X), Y), tmp_path / "model.skops")


def test_the_bins_of_boosting_come_with_its_trees(tmp_path):
    path = tmp_path / "model.skops"
    model = ensemble.HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    with pytest.warns(PersistenceWarning):
        save(model, path)
    np.testing.assert_array_equal(load(path, trusted=[PREDICTOR]).predict(X), model.predict(X))
    with pytest.raises(PersistenceError, match="TreePredictor"):
        load(path, trusted=[MAPPER])


def test_every_estimator_of_scikit_learn_was_judged():
    names = {f"{cls.__module__}.{cls.__qualname__}" for _, cls in all_estimators()}
    # skops cannot save it.
    assert names - TRUSTED_TYPES <= {"sklearn.cluster._birch.Birch"}


@pytest.mark.parametrize(
    "name",
    [
        TREE,
        PREDICTOR,
        MAPPER,
        *KD_TREE,
        "sklearn.neighbors._ball_tree.BallTree",
        "scipy.interpolate._bsplines.BSpline",
        "scipy.sparse._csr.csr_matrix",
        "functools.partial",
        "operator.methodcaller",
        "builtins.eval",
        "builtins.getattr",
        "joblib.memory.Memory",
        "numpy.load",
        "numpy.void",
        "os.system",
        "posix.system",
        "subprocess.Popen",
        "pickle.loads",
        "sklearn.datasets._base.load_files",
        "sklearn_ser.persistence._load.load",
    ],
)
def test_dangerous_names_are_not_trusted(name):
    assert name not in TRUSTED_TYPES


def change_schema(path, change):
    """Change the description of a model as a function says, in place."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(entries["schema.json"])
    change(schema)
    entries["schema.json"] = json.dumps(schema)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


JSON = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"'}
TEXTS = {**JSON, "__class__": "tuple", "__loader__": "TupleNode", "content": [JSON]}


@pytest.mark.parametrize(
    ("part", "name"),
    [
        # Names that are trusted in another place would be called with what the file gives.
        ({"__loader__": "ConstructorFromReduceNode", "content": TEXTS}, "accuracy_score"),
        ({"__loader__": "ListNode", "content": [JSON]}, "accuracy_score"),
        ({"__loader__": "SetNode", "content": [JSON]}, "accuracy_score"),
        ({"__loader__": "ObjectNode"}, "accuracy_score"),
        ({"__loader__": "TypeNode"}, "accuracy_score"),
        ({"__loader__": "LossNode", "__reduce__": {"args": TEXTS}, "content": TEXTS}, "f1_score"),
        ({"__loader__": "TreeNode", "__reduce__": {"args": TEXTS}, "content": TEXTS}, "f1_score"),
        (
            {
                "__loader__": "FunctionNode",
                "content": {"module_path": "os", "function": "system"},
            },
            "accuracy_score",
        ),
        ({"__loader__": "MethodNode", "content": {"func": "fit", "obj": JSON}}, "f1_score"),
        ({"__loader__": "NewNode"}, "accuracy_score"),
        ({"__loader__": "CachedNode", "__id__": 1}, "accuracy_score"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_names_are_trusted_in_their_place_only(part, name, protocol, tmp_path):
    path = tmp_path / "model.skops"
    save(svm.SVC(), path)
    named = {"__module__": "sklearn.metrics._classification", "__class__": name, "__id__": 7}

    def change(schema):
        schema["protocol"] = protocol
        schema["content"]["content"]["C"] = {**named, **part}

    change_schema(path, change)
    with pytest.raises(PersistenceError, match=r"not trusted: |unknown kind"):
        load(path)


@pytest.mark.parametrize("key", ["__class__", "__module__", "__loader__"])
def test_parts_without_a_name(key, tmp_path):
    save(EGeMAPSExtractor(), tmp_path / "model.skops")
    change_schema(tmp_path / "model.skops", lambda schema: schema["content"].pop(key))
    with pytest.raises(PersistenceError, match="cannot be loaded"):
        load(tmp_path / "model.skops")


def test_only_estimators_are_loaded(tmp_path):
    path = tmp_path / "model.skops"
    save(svm.SVC(), path)

    def change(schema):
        protocol = schema["protocol"]
        schema.clear()
        schema.update(JSON, protocol=protocol)

    change_schema(path, change)
    with pytest.raises(PersistenceError, match="holds a str, expected an estimator"):
        load(path)
