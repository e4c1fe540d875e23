"""What a stranger may write into a file whose types are all known."""

import copy
import functools
import json
import os
import zipfile
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
import skops.io
import soundfile
from sklearn.cluster import FeatureAgglomeration, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import SVC, SVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from sklearn_ser import CorpusScaler, DAETransformer, EGeMAPSExtractor, NNPMClassifier, load, save
from sklearn_ser.cli import main
from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.features import FUNCTIONAL_NAMES, FunctionExtractor, LibrosaExtractor, egemaps
from sklearn_ser.persistence._file import write
from sklearn_ser.persistence._parts import parts_of
from sklearn_ser.persistence._trusted import required_names

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6))
Y = np.where(X[:, 0] > 0, "anger", "sadness")
TREE = "sklearn.tree._tree.Tree"


def write_as_it_is(model, path):
    """Write a file as a stranger would: whatever `save` would leave out stays in."""
    write(path, skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED), {})


def entries_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def change_schema(path, change):
    entries = entries_of(path)
    schema = json.loads(entries["schema.json"])
    change(schema)
    entries["schema.json"] = json.dumps(schema)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def test_a_file_of_an_earlier_version_is_loaded(tmp_path):
    """One as they were written when extractors alone lost what belongs to a machine."""
    path = tmp_path / "model.skops"
    model = make_pipeline(CorpusScaler(), SVC(), memory="folder").fit(X, Y)
    write_as_it_is(model, path)
    found = load(path)
    np.testing.assert_array_equal(found.predict(X), model.predict(X))
    assert found.memory is None


def test_a_function_is_found_where_earlier_files_name_it(tmp_path):
    model, path = FunctionExtractor(egemaps, FUNCTIONAL_NAMES), tmp_path / "m.skops"
    save(model, path)

    def rename(schema):
        text = json.dumps(schema)
        assert text.count(egemaps.__module__) > 0
        schema.clear()
        schema.update(json.loads(text.replace(egemaps.__module__, "sklearn_ser.features._egemaps")))

    change_schema(path, rename)
    assert load(path).func is egemaps


def test_a_forged_tree_is_refused_whatever_skops_trusts(tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    write_as_it_is(DecisionTreeClassifier().fit(X, Y), path)
    # As skops 0.11 had it.
    monkeypatch.setattr(skops.io, "get_untrusted_types", lambda **_: [])
    with pytest.raises(PersistenceError, match=f"not trusted: {TREE}"):
        load(path)
    named = {"__module__": "builtins", "__class__": "dict", "__loader__": "TreeNode"}
    assert required_names(named, set())[1] == {"builtins.dict", TREE}


def set_in(name, change):
    def forge(model):
        vars(model)[name] = change(vars(model)[name])

    return forge


def first_half(array):
    return array[: len(array) // 2]


def with_huge(array):
    array = array.copy()
    array.flat[0] = 10**6
    return array


def with_balance(counts):
    return counts + np.array([10**6, -(10**6)], counts.dtype)


def unsound_generator(model):
    model.random_state = np.random.RandomState(0)
    state = model.random_state.get_state(legacy=False)
    state["state"]["pos"] = 10**8
    model.random_state.set_state(state)


def unsound_mersenne(model):
    model.random_state = np.random.Generator(np.random.MT19937(0))
    state = model.random_state.bit_generator.state
    state["state"]["pos"] = -(10**8)
    model.random_state.bit_generator.state = state


def unsound_philox(model):
    model.hidden = [{"deep": (np.random.Generator(np.random.Philox(0)),)}]
    generator = model.hidden[0]["deep"][0].bit_generator
    generator.state = {**generator.state, "buffer_pos": 10**6}


FORGED = [
    (SVC(), set_in("_dual_coef_", first_half)),
    (SVC(), set_in("_dual_coef_", lambda a: a[:, :1])),
    (SVC(), set_in("_n_support", with_balance)),
    (SVC(), set_in("_n_support", lambda a: a * 1000)),
    (SVC(), set_in("support_vectors_", lambda a: a[:, :2])),
    (SVC(), set_in("support_vectors_", first_half)),
    (SVC(), set_in("_intercept_", lambda a: a[:0])),
    (SVC(), set_in("classes_", lambda a: np.array(list("abcdefgh")))),
    (SVC(), lambda model: setattr(model, "_impl", "nu_svr")),
    (SVC(), lambda model: setattr(model, "_sparse", True)),
    (SVC(kernel="precomputed"), set_in("support_", with_huge)),
    (SVC(), lambda model: setattr(model, "_probA", np.zeros(50))),
    (SVR(), set_in("_dual_coef_", first_half)),
    (OneClassSVM(), set_in("support_vectors_", first_half)),
    (KNeighborsClassifier(algorithm="brute"), set_in("_y", with_huge)),
    (KNeighborsClassifier(algorithm="brute"), set_in("_fit_X", lambda a: a[:0])),
    (NearestNeighbors(algorithm="brute"), set_in("_fit_X", lambda a: a[:, :2])),
    (KMeans(2, n_init=1), set_in("cluster_centers_", lambda a: a[:, :1])),
    (
        OneVsRestClassifier(LogisticRegression()),
        lambda model: setattr(model.estimators_[0], "intercept_", np.ones(50)),
    ),
    (LogisticRegression(), unsound_generator),
    (LogisticRegression(), unsound_mersenne),
    (LogisticRegression(), unsound_philox),
]


@pytest.mark.parametrize(("model", "forge"), FORGED)
def test_parts_that_do_not_fit_together(model, forge, tmp_path):
    precomputed = model.get_params().get("kernel") == "precomputed"
    y = X[:, 1] if isinstance(model, SVR) else Y
    model = copy.deepcopy(model).fit(X @ X.T if precomputed else X, y)
    path, whole = tmp_path / "model.skops", make_pipeline(CorpusScaler(), model)
    write_as_it_is(whole, path)
    load(path)
    forge(model)
    write_as_it_is(whole, path)
    with pytest.raises(PersistenceError, match=r"cannot be loaded: ValueError: .* fit together"):
        load(path)


def test_a_vocabulary_that_points_beyond_the_columns(tmp_path):
    model = DictVectorizer().fit([{"a": 1, "b": 2}])
    model.vocabulary_["a"] = 10**9
    write_as_it_is(model, tmp_path / "model.skops")
    with pytest.raises(PersistenceError, match="names and columns of DictVectorizer"):
        load(tmp_path / "model.skops")


@pytest.mark.parametrize("model", [DAETransformer(2, max_epochs=1), NNPMClassifier(max_epochs=1)])
def test_a_network_is_not_larger_than_its_weights(model, tmp_path):
    model.fit(X.astype(np.float32), Y)
    module, arguments = model._recipe
    model._recipe = (module, {**arguments, "hidden_layer_sizes": (10**7, 10**6)})
    write_as_it_is(model, tmp_path / "model.skops")
    with pytest.raises(PersistenceError, match="weights that do not belong to its network"):
        load(tmp_path / "model.skops")


def part(loader, name, content, identity):
    module, _, called = name.rpartition(".")
    named = {"__loader__": loader, "__module__": module, "__class__": called}
    return {**named, "content": content, "__id__": identity}


def test_parts_that_hold_one_another_without_end(tmp_path):
    """Ten lists of ten lists of ten lists, named once each."""
    path = tmp_path / "model.skops"
    save(SVC(), path)

    def bomb(schema):
        inner = part("ListNode", "builtins.list", [], 10**6)
        for level in range(20):
            empty = part("ListNode", "builtins.list", [], 10**6 + level)
            inner = part("ListNode", "builtins.list", [inner, *[empty] * 9], 10**6 + level + 1)
        schema["content"]["content"]["C"] = inner

    change_schema(path, bomb)
    with pytest.raises(PersistenceError, match="different parts with one identity"):
        load(path)

    def loop(schema):
        inner = part("ListNode", "builtins.list", [], 5)
        schema["content"]["content"]["C"] = part("ListNode", "builtins.list", [inner], 5)

    change_schema(path, loop)
    with pytest.raises(PersistenceError, match="different parts with one identity"):
        load(path)


def test_an_array_that_is_named_very_often(tmp_path):
    path = tmp_path / "model.skops"
    model = SVC()
    model.note_ = np.zeros(1 << 17)
    write_as_it_is(model, path)

    def repeat(schema):
        array = schema["content"]["content"]["note_"]
        copies = [{**array, "__id__": 10**6 + i} for i in range(20)]
        schema["content"]["content"]["C"] = part("ListNode", "builtins.list", copies, 5)

    change_schema(path, repeat)
    with pytest.raises(PersistenceError, match="arrays that are repeated"):
        load(path, max_size=4 << 20)


def nested(folder):
    """Return a model with what belongs to a machine in many places of it."""
    cache, memory = str(folder / "rows.sqlite"), str(folder / "joblib")
    there = {"cache": cache, "n_jobs": 7}
    extractors = make_union(
        EGeMAPSExtractor(**there), make_pipeline(LibrosaExtractor(**there), memory=memory), n_jobs=7
    )
    holder = FunctionExtractor(
        egemaps, ["a"], kw_args={**there, "deep": [(EGeMAPSExtractor(**there),)]}, **there
    )
    columns = ColumnTransformer(
        [("a", make_pipeline(extractors, memory=memory), [0]), ("b", holder, [1])], n_jobs=7
    )
    vote = VotingClassifier([("a", make_pipeline(columns, SVC(), memory=memory))], n_jobs=7)
    vote.estimators_ = [FrozenEstimator(copy.deepcopy(vote))]
    vote.note_ = {"a": [({"b": EGeMAPSExtractor(**there)},)], "c": np.array([holder, 1], object)}
    grid = {
        "a__cache": [cache],
        "n_jobs": [7],
        "a__b__n_jobs": [7, 8],
        "a__memory": [memory],
        "est": [EGeMAPSExtractor(**there)],
    }
    search = GridSearchCV(vote, [grid, grid], n_jobs=7)
    search.best_params_ = {"a__n_jobs": 7, "a__cache": cache}
    search.cv_results_ = {"params": [{"a__n_jobs": 7, "a__cache": cache}]}
    return make_pipeline(FeatureAgglomeration(memory=memory), search, memory=memory)


def all_of_a_machine(model):
    """Yield whatever of a model names processes or folders."""
    for one in parts_of(model):
        named = one if isinstance(one, dict) else getattr(one, "__dict__", {})
        for name, value in named.items():
            if str(name).rpartition("__")[2] in ("n_jobs", "cache", "memory"):
                yield name, value


@pytest.mark.parametrize("write_file", [write_as_it_is, save])
def test_files_decide_on_no_processes_and_folders(write_file, tmp_path):
    path, model = tmp_path / "model.skops", nested(tmp_path)
    before = dict(all_of_a_machine(model))
    write_file(model, path)
    assert dict(all_of_a_machine(model)) == before
    found = load(path)
    values = [value for _, value in all_of_a_machine(found)]
    assert len(values) > 30
    assert all(value in (None, [None]) for value in values)
    assert os.listdir(tmp_path) == ["model.skops"]
    schema = entries_of(path)["schema.json"].decode()
    assert (str(tmp_path) in schema) == (write_file is write_as_it_is)
    arguments = found[1].estimator.estimators[0][1][0].transformers[1][1].kw_args
    assert arguments.keys() == {"deep"}


def test_threads_of_a_file_are_bounded(tmp_path):
    model = KMeans(2, n_init=1).fit(X)
    model._n_threads = 10**9
    write_as_it_is(model, tmp_path / "model.skops")
    found = load(tmp_path / "model.skops")
    assert 1 <= found._n_threads <= joblib.cpu_count()
    np.testing.assert_array_equal(found.predict(X), model.labels_)


def test_words_and_numbers_of_the_same_name_stay(tmp_path):
    model = DictVectorizer().fit([{"cache": 1, "memory": 2, "n_jobs": 3}])
    model.note_ = {"memory": 5, "metric_param": {"p": 3}}
    save(model, tmp_path / "model.skops")
    found = load(tmp_path / "model.skops")
    assert found.vocabulary_ == {"cache": 0, "memory": 1, "n_jobs": 2}
    assert found.note_ == model.note_


def test_partial_functions_lose_their_folders(tmp_path):
    model = FunctionExtractor(functools.partial(egemaps, n_jobs=7, cache="rows"), ["a"])
    write_as_it_is(model, tmp_path / "model.skops")
    found = load(tmp_path / "model.skops", trusted=["functools.partial"])
    assert found.func.keywords == {}


def test_parts_are_found_once_and_in_loops():
    loop = SimpleNamespace(one=[1, "x"])
    loop.again = {"deep": (loop,), "function": functools.partial(print, loop, key=loop.one)}
    parts = parts_of(loop)
    assert parts[0] is loop
    assert sum(part is loop for part in parts) == 1
    assert sum(part is loop.one for part in parts) == 1
    deep = []
    for _ in range(10_000):
        deep = [deep]
    assert len(parts_of(deep)) == 10_001


def test_a_forged_model_is_one_line_of_predict(tmp_path, capsys):
    path, recording = tmp_path / "model.skops", tmp_path / "a.wav"
    model = make_pipeline(EGeMAPSExtractor(), LogisticRegression())
    model[1].fit(RNG.normal(size=(40, 88)), Y)
    model[1].coef_ = {"not": "an array"}
    write_as_it_is(model, path)
    soundfile.write(recording, RNG.normal(size=16000) / 10, 16000)
    assert main(["predict", str(path), str(recording)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("sklearn-ser: error: ")
    assert str(path) in line
