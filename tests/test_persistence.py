import importlib
import importlib.util
import inspect
import json
import os
import pickle
import pkgutil
import subprocess
import sys
import warnings
import zipfile

import joblib
import numpy as np
import pytest
import sklearn
import skops.io
from packaging.version import Version
from sklearn import clone, config_context
from sklearn.base import BaseEstimator, is_classifier
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metadata_routing import get_routing_for_object

import sklearn_ser
from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    EmbeddingExtractor,
    LeaveOneCorpusOut,
    load,
    save,
)
from sklearn_ser.datasets import make_corpora
from sklearn_ser.exceptions import PersistenceError, PersistenceWarning
from sklearn_ser.features import FUNCTIONAL_NAMES, FunctionExtractor, egemaps
from sklearn_ser.persistence import TRUSTED_TYPES, model_card

HEADER = "sklearn_ser.json"


def discover():
    """Return the public estimator classes of all modules, by name."""
    found = {}
    for module in pkgutil.walk_packages(sklearn_ser.__path__, "sklearn_ser."):
        if module.name.endswith("__main__") or module.name.startswith("sklearn_ser.nn"):
            continue
        for name, cls in vars(importlib.import_module(module.name)).items():
            if (
                inspect.isclass(cls)
                and issubclass(cls, BaseEstimator)
                and cls.__module__.startswith("sklearn_ser.")
                and not cls.__module__.startswith("sklearn_ser.nn.")
                and not name.startswith("_")
                and not inspect.isabstract(cls)
            ):
                found[name] = cls
    return found


ESTIMATORS = discover()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = np.where(X[:, 0] > 0, "anger", "sadness")
CORPUS = np.repeat(["emodb", "urdu"], 20)


def outputs(model, X):
    """Return all that a model says about rows, by method."""
    methods = ("predict", "predict_proba", "decision_function", "transform")
    return {name: np.asarray(getattr(model, name)(X)) for name in methods if hasattr(model, name)}


def make(name, encoder):
    """Return an estimator of this package, fitted quickly."""
    cls = ESTIMATORS[name]
    if name == "FunctionExtractor":
        return cls(egemaps, names=FUNCTIONAL_NAMES)
    if name == "EmbeddingExtractor":
        return cls(encoder)
    if name == "ExtractorUnion":
        return cls([("functionals", EGeMAPSExtractor()), ("encoder", EmbeddingExtractor(encoder))])
    if name == "AudioAugmenter":
        return cls(EGeMAPSExtractor(), random_state=0)
    parameters = inspect.signature(cls).parameters
    quick = {"max_epochs": 2, "random_state": 0}
    estimator = cls(**{key: value for key, value in quick.items() if key in parameters})
    if is_recording(estimator):
        return estimator
    estimator.fit(X, Y)
    return estimator.adapt(X + 1) if hasattr(estimator, "adapt") else estimator


def is_recording(estimator):
    return not estimator.__sklearn_tags__().input_tags.two_d_array


def make_searches():
    inner = make_pipeline(CorpusScaler(), SVC())
    return {
        "corpora": GridSearchCV(inner, {"svc__C": [0.1, 1]}, cv=LeaveOneCorpusOut()).fit(
            X, Y, groups=CORPUS
        ),
        "folds": GridSearchCV(
            LogisticRegression(), {"C": [0.1, 1]}, cv=StratifiedKFold(2), scoring="f1_macro"
        ).fit(X, Y),
    }


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    return make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=12)


def make_whole(recordings, folder):
    """Return pipelines from recordings to emotions, fitted on them."""
    extractor = EGeMAPSExtractor(cache=folder / "training.sqlite", n_jobs=1)
    dae = DAETransformer(4, max_epochs=2, random_state=0)
    pipelines = {
        "svm": make_pipeline(clone(extractor), CorpusScaler(), SVC()),
        "dae": make_pipeline(clone(extractor), CorpusScaler(), dae, LogisticRegression()),
    }
    return {
        name: pipeline.fit(
            recordings["path"],
            recordings["emotion"].to_numpy(dtype=str),
            corpusscaler__sample_domain=recordings["corpus"],
        )
        for name, pipeline in pipelines.items()
    }


LOAD_ALL = """
import json, pathlib, sys, warnings
import numpy as np
from sklearn_ser import load
folder = pathlib.Path(sys.argv[1])
warnings.simplefilter("error")
warnings.filterwarnings("ignore", message="The batch has")
def outputs(model, X):
    methods = ("predict", "predict_proba", "decision_function", "transform")
    return {name: np.asarray(getattr(model, name)(X)) for name in methods if hasattr(model, name)}
for name, (inputs, trusted) in json.loads((folder / "inputs.json").read_text()).items():
    X = np.load(folder / inputs) if inputs.endswith("npy") else json.loads(inputs)
    if inputs == "waveforms.npy":
        X = list(X)
    np.savez(folder / f"{name}.npz", **outputs(load(folder / f"{name}.skops", trusted=trusted), X))
"""


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning")
@pytest.mark.filterwarnings("ignore:MetricDAE got")
@pytest.mark.filterwarnings("error::sklearn_ser.exceptions.PersistenceWarning")
def test_a_new_process_predicts_the_same_to_the_last_bit(recordings, whisper_folder, tmp_path):
    waveforms = RNG.normal(size=(3, 16000)) / 10
    np.save(tmp_path / "rows.npy", X)
    np.save(tmp_path / "waveforms.npy", waveforms)
    paths = recordings["path"].tolist()
    models, inputs, expected = {}, {}, {}
    for name in ESTIMATORS:
        models[name] = make(name, encoder=whisper_folder)
        recording = is_recording(models[name])
        inputs[name] = ("waveforms.npy" if recording else "rows.npy", [])
        expected[name] = outputs(models[name], list(waveforms) if recording else X)
    for name, model in make_searches().items():
        models[name], inputs[name], expected[name] = model, ("rows.npy", []), outputs(model, X)
    (tmp_path / "training").mkdir()
    for name, model in make_whole(recordings, tmp_path / "training").items():
        expected[name] = outputs(model, paths)
        models[name], inputs[name] = model, (json.dumps(paths), [])
    for name, model in models.items():
        save(model, tmp_path / f"{name}.skops")
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    # The folder of the training's cache is not there where the models are used.
    for left in (tmp_path / "training").iterdir():
        left.unlink()
    (tmp_path / "training").rmdir()

    command = [sys.executable, "-c", LOAD_ALL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(models) == len(ESTIMATORS) + 4
    for name in models:
        with np.load(tmp_path / f"{name}.npz") as found:
            assert sorted(found) == sorted(expected[name]) != []
            for method, values in expected[name].items():
                np.testing.assert_array_equal(found[method], values, err_msg=f"{name}.{method}")
                assert found[method].dtype == values.dtype


def test_every_estimator_is_trusted():
    types = {f"{cls.__module__}.{cls.__qualname__}" for cls in ESTIMATORS.values()}
    assert types <= TRUSTED_TYPES


OLD_SKLEARN = Version(sklearn.__version__) < Version("1.9")


def test_trusted_types_exist():
    for name in TRUSTED_TYPES:
        module, _, attribute = name.rpartition(".")
        if importlib.util.find_spec(module) is not None:
            # An older scikit-learn lacks some of its own.
            absent = module.startswith("sklearn.") and OLD_SKLEARN
            assert absent or hasattr(importlib.import_module(module), attribute), name


@pytest.fixture
def model():
    return make_pipeline(CorpusScaler(), SVC()).fit(X, Y)


@pytest.fixture
def path(model, tmp_path):
    save(model, tmp_path / "model.skops", card={"trained on": "noise"})
    return tmp_path / "model.skops"


def rewrite(path, **changes):
    """Replace entries of a zip archive by functions of their text; None drops one."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            change = changes.get(name.partition(".")[0], lambda text: text)
            if change is not None:
                is_text = name.endswith(".json")
                archive.writestr(name, change(content.decode()) if is_text else content)


def rewrite_header(path, change):
    def changed(text):
        header = json.loads(text)
        change(header)
        return json.dumps(header)

    rewrite(path, sklearn_ser=changed)


def test_the_card_is_read_without_the_model(path):
    rewrite(path, schema=lambda text: "{}")
    header = model_card(path)
    assert header["card"] == {"trained on": "noise"}
    assert header["versions"]["sklearn-ser"] == sklearn_ser.__version__
    assert {"scikit-learn", "numpy", "torch", "skops", "python"} < header["versions"].keys()
    assert header["format"] == 1
    assert header["saved"].endswith("+00:00")


def test_without_a_card(model, tmp_path):
    save(model, str(tmp_path / "model.skops"))
    assert model_card(str(tmp_path / "model.skops"))["card"] == {}


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("trained on noise", "card is a str, expected a dict"),
        ({"uar": np.float32(0.5)}, "values that JSON can represent.*float32"),
        ({"uar": float("nan")}, "values that JSON can represent"),
        ({1: "a"}, "strings as keys"),
        ({"corpora": ("emodb",)}, "lists instead of tuples"),
    ],
)
def test_cards_are_plain(card, message, model, tmp_path):
    with pytest.raises(TypeError, match=message):
        save(model, tmp_path / "model.skops", card=card)
    assert os.listdir(tmp_path) == []


def test_only_estimators_are_saved(tmp_path):
    with pytest.raises(TypeError, match="model is a dict, expected an estimator"):
        save({}, tmp_path / "model.skops")


def test_a_folder_that_is_missing(model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing"):
        save(model, tmp_path / "missing" / "model.skops")


def test_what_needs_pickle_is_refused_and_the_old_file_stays(path):
    before = path.read_bytes()
    with pytest.raises(PersistenceError, match="FunctionExtractor cannot be saved without pickle"):
        save(FunctionExtractor(lambda y, sr: y.mean(), names=("mean",)), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_pickle_by_another_name(dump, compressed, model, tmp_path):
    path = tmp_path / "model.skops"
    if compressed and dump is joblib.dump:
        joblib.dump(model, path, compress=3)
    else:
        with path.open("wb") as file:
            dump(model, file)
    with pytest.raises(PersistenceError, match="looks like a pickle"):
        load(path)


class Marker:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_is_not_run(tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(Marker(tmp_path / "run")))
    with pytest.raises(PersistenceError, match="looks like a pickle"):
        load(path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.999])
def test_a_truncated_file(share, path):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    for read in (load, model_card):
        with pytest.raises(PersistenceError, match="is damaged: it begins like a model"):
            read(path)


def test_every_changed_byte_of_the_content_is_noticed_or_harmless(path, model):
    data = path.read_bytes()
    expected = model.predict(X)
    refused = 0
    for position in range(0, len(data), 41):
        changed = bytearray(data)
        changed[position] ^= 0xFF
        path.write_bytes(bytes(changed))
        try:
            np.testing.assert_array_equal(load(path).predict(X), expected)
        except PersistenceError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a model: it begins with b''"),
        (b"RIFF....WAVE", "is not a model: it begins with b'RIFF"),
    ],
)
def test_another_kind_of_file(content, message, tmp_path):
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(PersistenceError, match=message):
        load(tmp_path / "model.skops")


def test_a_zip_archive_that_is_no_model(path, model):
    skops.io.dump(model, path)
    with pytest.raises(PersistenceError, match=r"without the entries .*skops\.io\.load"):
        load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*model\.skops"):
        load(tmp_path / "model.skops")


@pytest.mark.parametrize("function", [load, model_card])
def test_a_folder_instead_of_a_file(function, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder, expected a file"):
        function(tmp_path)


def test_an_encrypted_archive(path):
    data = bytearray(path.read_bytes())
    # The flag of encryption, in the records of the entries and in those of the directory.
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(signature, start + 4)
    path.write_bytes(data)
    with pytest.raises(PersistenceError, match=r"is damaged: .* encrypted"):
        load(path)


def test_foreign_types_are_named_and_not_built(tmp_path):
    path = tmp_path / "model.skops"
    with pytest.warns(PersistenceWarning, match="types that load does not trust by itself"):
        save(DecisionTreeClassifier().fit(X, Y), path)
    with pytest.raises(PersistenceError, match=r"not trusted: sklearn\.tree\._tree\.Tree\. "):
        load(path)
    name = "sklearn.tree._tree.Tree"
    assert load(path, trusted=[name]).score(X, Y) == 1
    from sklearn.tree._tree import Tree

    assert load(path, trusted=(Tree,)).score(X, Y) == 1


def test_a_function_is_a_foreign_type(tmp_path):
    path = tmp_path / "model.skops"
    with pytest.warns(PersistenceWarning, match="types that load does not trust by itself"):
        save(FunctionExtractor(os.system, names=("code",)), path)
    with pytest.raises(PersistenceError, match=r"not trusted: (posix|nt)\.system"):
        load(path)


@pytest.mark.parametrize(
    ("trusted", "message"),
    [("numpy.mean", r"expected a list of names: \['numpy.mean'\]"), ([1], "trusted holds 1")],
)
def test_wrong_names_to_trust(trusted, message, path):
    with pytest.raises(TypeError, match=message):
        load(path, trusted=trusted)


def test_a_later_format(path):
    def later(header):
        header["format"] = 2
        header["versions"]["sklearn-ser"] = "9.0"

    rewrite_header(path, later)
    for read in (load, model_card):
        with pytest.raises(PersistenceError, match=r"format 2, .*sklearn-ser 9\.0.*Update"):
            read(path)


@pytest.mark.parametrize("key", ["format", "versions", "card"])
def test_a_header_with_gaps(key, path):
    rewrite_header(path, lambda header: header.pop(key))
    with pytest.raises(PersistenceError, match=f"is damaged: .* has no .*{key}"):
        model_card(path)


def test_another_version_of_scikit_learn_is_one_warning(path, model):
    rewrite_header(path, lambda header: header["versions"].update({"scikit-learn": "1.5.2"}))
    # What scikit-learn itself would warn about, once for each estimator.
    from sklearn import __version__

    rewrite(path, schema=lambda text: text.replace(f'\\"{__version__}\\"', '\\"1.5.2\\"'))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load(path)
    assert [warning.category for warning in caught] == [PersistenceWarning]
    assert "saved with scikit-learn 1.5.2 and loaded with" in str(caught[0].message)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_the_same_versions_are_no_warning(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(path)


def test_an_earlier_version_whose_types_are_gone(path):
    rewrite_header(path, lambda header: header["versions"].update({"sklearn-ser": "0.0.1"}))
    rewrite(path, schema=lambda text: text.replace("estimators._scaler", "estimators._gone"))
    name = "sklearn_ser.estimators._gone.CorpusScaler"
    with pytest.raises(PersistenceError, match=f"not trusted: {name}"):
        load(path)
    with pytest.raises(PersistenceError, match=r"cannot be loaded.*sklearn-ser 0\.0\.1"):
        load(path, trusted=[name])


def test_a_forged_network(tmp_path):
    path = tmp_path / "model.skops"
    save(DAETransformer(2, max_epochs=1).fit(X), path)
    rewrite(path, schema=lambda text: text.replace('\\"Autoencoder\\"', '\\"Sequential\\"'))
    with pytest.raises(PersistenceError, match="names the network 'Sequential'"):
        load(path)


def test_the_machine_stays_out_of_the_file(tmp_path):
    extractor = EGeMAPSExtractor(cache=tmp_path / "rows.sqlite", n_jobs=2, verbose=1)
    model = make_pipeline(make_pipeline(extractor), CorpusScaler())
    save(model, tmp_path / "model.skops")
    assert extractor.cache == tmp_path / "rows.sqlite"
    assert extractor.n_jobs == 2
    found = load(tmp_path / "model.skops")[0][0]
    assert (found.cache, found.n_jobs, found.verbose) == (None, None, 1)
    with zipfile.ZipFile(tmp_path / "model.skops") as archive:
        assert b"rows.sqlite" not in archive.read("schema.json")


def test_a_forged_cache_is_not_opened(tmp_path):
    path = tmp_path / "model.skops"
    save(EGeMAPSExtractor(), path)
    rewrite(
        path,
        schema=lambda text: json.dumps(
            {
                **(schema := json.loads(text)),
                "content": forged(schema["content"], str(tmp_path / "forged.sqlite")),
            }
        ),
    )
    assert load(path).cache is None


def forged(content, cache):
    content["content"]["cache"]["content"] = json.dumps(cache)
    return content


def test_metadata_requests_are_kept(tmp_path):
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        scaler.set_partial_fit_request(sample_weight="w")
        model = make_pipeline(scaler, CorpusScaler().set_fit_request(sample_domain=False))
        save(model, tmp_path / "model.skops")
        loaded = load(tmp_path / "model.skops")
        for before, after in zip(model, loaded, strict=True):
            assert str(get_routing_for_object(before)) == str(get_routing_for_object(after))
    assert vars(loaded[0]).keys() == vars(scaler).keys()


def test_a_training_goes_on_from_a_file(tmp_path):
    dae = DAETransformer(2, max_epochs=2, warm_start=True, random_state=0).fit(X)
    save(dae, tmp_path / "dae.skops")
    again = load(tmp_path / "dae.skops").fit(X)
    np.testing.assert_array_equal(again.transform(X), dae.fit(X).transform(X))
    assert len(again.history_) == 4


def test_a_generator_as_random_state(tmp_path):
    scaler = DAETransformer(2, max_epochs=1, random_state=np.random.RandomState(0))
    save(scaler, tmp_path / "dae.skops")
    first, second = load(tmp_path / "dae.skops").fit(X), scaler.fit(X)
    np.testing.assert_array_equal(first.transform(X), second.transform(X))


def test_classifiers_keep_their_labels(path):
    loaded = load(path)
    assert is_classifier(loaded)
    assert loaded.classes_.tolist() == ["anger", "sadness"]


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_unions_that_put_out_tables(container, tmp_path):
    """They remember the columns of their parts, which are indexes in pandas."""
    pytest.importorskip(container)
    y = np.where(X[:, 0] > 0, "anger", "sadness")
    # Other names of columns: older versions of scikit-learn do not tell equal ones of polars apart.
    union = make_union(PCA(2), TruncatedSVD(2))
    model = make_pipeline(union, SVC()).set_output(transform=container).fit(X, y)
    save(model, tmp_path / "union.skops")
    loaded = load(tmp_path / "union.skops")
    before, after = model[0].transform(X), loaded[0].transform(X)
    assert type(before) is type(after)
    assert list(before.columns) == list(after.columns)
    assert loaded.predict(X).tolist() == model.predict(X).tolist()
