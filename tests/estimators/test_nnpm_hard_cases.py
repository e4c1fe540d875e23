"""What NNPMClassifier does with data that are not as one would wish."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import recall_score

from sklearn_ser import NNPMClassifier
from sklearn_ser.exceptions import NotAdaptedWarning

EMOTIONS = np.array(["anger", "neutral", "sadness"])


def make(**parameters):
    """Make a classifier that trains fast."""
    settings = {
        "n_estimators": 1,
        "n_components": 8,
        "hidden_layer_sizes": (16,),
        "warmup_epochs": 5,
        "max_epochs": 4,
        "learning_rate": 1e-2,
        "random_state": 0,
    }
    return NNPMClassifier(**{**settings, **parameters})


def rows(codes, seed=0, offset=0.0):
    """Draw a row for each class, around centres that are the same for all seeds."""
    centres = 1.5 * np.random.default_rng(100).normal(size=(3, 6))
    noise = np.random.default_rng(seed).normal(size=(len(codes), 6))
    return (centres[codes] + noise + offset).astype(np.float32)


@pytest.fixture
def data():
    codes = np.arange(120) % 3
    target = np.random.default_rng(1).permutation(np.arange(90) % 3)
    return rows(codes), EMOTIONS[codes], rows(target, 1, 0.5), EMOTIONS[target]


def assert_sound(model, T):
    """All numbers are finite, and probabilities are some."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAdaptedWarning)
        probabilities = model.predict_proba(T)
        assert np.isfinite(model.transform(T)).all()
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert np.isfinite(model.memory_).all()
    losses = [row["loss"] for row in model.history_]
    assert np.isfinite(losses).all()
    return probabilities


VARIANTS = [
    {},
    {"loss": "mmcl"},
    {"label_prediction": "cycle", "n_neighbors": 10},
    {"label_prediction": "threshold"},
    {"keep_source": False},
    {"target_prior": None},
]


@pytest.fixture(params=VARIANTS, ids=str)
def variant(request):
    return request.param


class TestTarget:
    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    def test_that_lacks_a_class(self, data, variant):
        X, y, _, _ = data
        codes = np.arange(90) % 2
        T = rows(codes, 1, 0.5)
        model = make(**variant).fit(X, y, X_target=T)
        assert_sound(model, T)
        assert set(model.predict(T)) <= set(EMOTIONS)

    def test_that_lacks_a_class_and_says_so(self, data):
        X, y, _, _ = data
        codes = np.arange(90) % 2
        T = rows(codes, 1, 0.5)
        uniform = make(guard=False).fit(X, y, X_target=T).score(T, EMOTIONS[codes])
        shares = {"anger": 0.495, "neutral": 0.495, "sadness": 0.01}
        model = make(target_prior=shares).fit(X, y, X_target=T)
        assert model.adapted_
        assert model.score(T, EMOTIONS[codes]) > max(0.85, uniform)

    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    def test_of_a_single_class(self, data, variant):
        X, y, _, _ = data
        T = rows(np.full(60, 1), 1, 0.5)
        model = make(**variant).fit(X, y, X_target=T)
        assert_sound(model, T)

    @pytest.mark.parametrize("adaptation", ["fit", "predict"])
    def test_of_ten_rows(self, data, adaptation):
        X, y, T, _ = data
        with pytest.warns(NotAdaptedWarning, match=r"10 rows and min_target=20.*Predict all rec"):
            model = make(adaptation=adaptation).fit(X, y, X_target=T[:10])
        expected = make(adaptation=None).fit(X, y).predict_proba(T[:10])
        np.testing.assert_array_equal(assert_sound(model, T[:10]), expected)

    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    @pytest.mark.parametrize("n_rows", [1, 2, 3, 10])
    def test_of_few_rows_if_that_is_allowed(self, data, variant, n_rows):
        X, y, T, _ = data
        model = make(min_target=1, **variant).fit(X, y, X_target=T[:n_rows])
        assert_sound(model, T[:n_rows])
        assert len(model.history_) == 9

    def test_that_is_the_source(self, data, variant):
        X, y, _, _ = data
        alone = make(adaptation=None, **variant).fit(X, y)
        model = make(guard=False, **variant).fit(X, y, X_target=X)
        assert_sound(model, X)
        assert model.score(X, y) >= alone.score(X, y) - 0.05

    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    def test_whose_rows_are_all_the_same(self, data, variant):
        X, y, T, _ = data
        same = np.repeat(T[:1], 40, axis=0)
        model = make(**variant).fit(X, y, X_target=same)
        probabilities = assert_sound(model, same)
        np.testing.assert_allclose(probabilities, probabilities[:1].repeat(40, 0), atol=1e-5)

    def test_with_gaps(self, data):
        X, y, T, _ = data
        T[3, 2] = np.nan
        with pytest.raises(ValueError, match="Input X_target contains NaN"):
            make().fit(X, y, X_target=T)
        with pytest.raises(ValueError, match="Input X_target contains NaN"):
            make().fit(X, y).adapt(T)

    def test_with_other_columns(self, data):
        X, y, T, _ = data
        message = r"X_target has 5 features, but X has 6.*transform_input=\[\"X_target\"\]"
        with pytest.raises(ValueError, match=message):
            make().fit(X, y, X_target=T[:, :5])
        with pytest.raises(ValueError, match=message):
            make().fit(X, y).adapt(T[:, :5])

    @pytest.mark.parametrize("shape", [(6,), (0, 6), (2, 3, 6)])
    def test_of_another_shape(self, data, shape):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=r"Expected 2D|0 sample|dim 3"):
            make().fit(X, y, X_target=np.zeros(shape))

    def test_bad_ones_are_found_before_the_training(self, data, monkeypatch):
        X, y, T, _ = data
        monkeypatch.setattr(NNPMClassifier, "_run", None)
        with pytest.raises(ValueError, match="X_target has 5 features"):
            make(adaptation=None).fit(X, y, X_target=T[:, :5])


class TestSource:
    @pytest.mark.parametrize("n_rows", [6, 30, 99])
    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    def test_of_fewer_than_a_hundred_rows(self, data, variant, n_rows):
        X, y, T, _ = data
        model = make(**variant).fit(X[:n_rows], y[:n_rows], X_target=T)
        assert_sound(model, T)
        assert len(model.history_) == 9

    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    def test_of_two_rows(self, data, variant):
        X, y, T, _ = data
        model = make(**variant).fit(X[:2], y[:2], X_target=T)
        assert model.classes_.tolist() == ["anger", "neutral"]
        assert_sound(model, T)

    @pytest.mark.parametrize("vote", ["head", "memory", "mean"])
    @pytest.mark.parametrize("seed", range(3))
    def test_of_classes_one_to_a_hundred(self, vote, seed):
        codes = np.r_[np.zeros(400, int), np.ones(400, int), np.full(4, 2)]
        X, y = rows(codes, seed), EMOTIONS[codes]
        target = np.arange(150) % 3
        T = rows(target, 50 + seed, 0.5)
        model = make(vote=vote, warmup_epochs=10).fit(X, y, X_target=T)
        assert model.adapted_
        assert_sound(model, T)
        recalls = recall_score(EMOTIONS[target], model.predict(T), average=None)
        assert recalls.min() > 0.5

    def test_with_gaps(self, data):
        X, y, T, _ = data
        model = make(adaptation=None).fit(X, y)
        X[3, 2] = np.nan
        with pytest.raises(ValueError, match="Input X contains NaN"):
            make().fit(X, y, X_target=T)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            model.predict(X)

    def test_that_is_sparse(self, data):
        X, y, _, _ = data
        with pytest.raises(TypeError, match="Sparse data was passed"):
            make().fit(sparse.csr_array(X), y)

    @pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
    def test_that_does_not_fit_in_float32(self, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=r"too large for dtype\('float32'\)"):
            make().fit(X.astype(np.float64) * 1e200, y)

    def test_with_constant_features(self, data, variant):
        X, y, T, _ = data
        for part in (X, T):
            part[:, 1], part[:, 2] = 0, 3
        model = make(guard=False, **variant).fit(X, y, X_target=T)
        assert_sound(model, T)

    @pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
    def test_with_nothing_but_constant_features(self, data):
        _, y, _, _ = data
        X = np.ones((120, 6), dtype=np.float32)
        assert_sound(make().fit(X, y, X_target=X), X)

    def test_of_one_feature(self, data):
        X, y, T, _ = data
        assert_sound(make(guard=False).fit(X[:, :1], y, X_target=T[:, :1]), T[:, :1])

    def test_float64_gives_what_float32_gives(self, data):
        X, y, T, _ = data
        single, double = (
            make().fit(X.astype(dtype), y, X_target=T.astype(dtype)).predict_proba(T)
            for dtype in (np.float32, np.float64)
        )
        np.testing.assert_array_equal(single, double)

    @pytest.mark.parametrize("adaptation", ["fit", "predict"])
    def test_read_only_arrays(self, data, adaptation, tmp_path):
        X, y, T, _ = data
        expected = make().fit(X, y, X_target=T).predict_proba(T)
        for name, array in (("X", X), ("T", T)):
            np.save(tmp_path / name, array)
        mapped_X, mapped_T = (np.load(tmp_path / f"{one}.npy", mmap_mode="r") for one in "XT")
        y.flags.writeable = False
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*not writable")
            model = make(adaptation=adaptation).fit(mapped_X, y, X_target=mapped_T)
            np.testing.assert_array_equal(model.predict_proba(mapped_T), expected)
            make().fit(mapped_X, y).adapt(mapped_T)

    def test_arrays_in_the_order_of_fortran(self, data):
        X, y, T, _ = data
        expected = make(adaptation="predict").fit(X, y).predict_proba(T)
        model = make(adaptation="predict").fit(np.asfortranarray(X), y)
        np.testing.assert_array_equal(model.predict_proba(np.asfortranarray(T)), expected)
        np.testing.assert_array_equal(model.predict_proba(T[::-1].copy()[::-1]), expected)


class TestLabels:
    @pytest.mark.parametrize(
        "names",
        [
            np.array([7, 4, 3]),
            np.array([2.0, 1.0, 0.0]),
            np.array(["ärger", "neutral", "traurig"]),
            np.array(["c", "b", "a"], dtype=object),
        ],
        ids=["integers", "floats", "strings", "objects"],
    )
    def test_kinds(self, data, names):
        X, y, T, _ = data
        codes = np.searchsorted(EMOTIONS, y)
        model = make().fit(X, names[codes], X_target=T)
        np.testing.assert_array_equal(model.classes_, np.sort(names))
        np.testing.assert_array_equal(model.memory_labels_, names[codes])
        # The same problem under other names, as far as the order of the classes allows.
        assert set(model.predict(T)) == set(names)
        assert model.pseudo_labels_.dtype == model.classes_.dtype

    def test_names_do_not_matter(self, data):
        X, y, T, _ = data
        expected = make().fit(X, y, X_target=T)
        for other in (np.array([0, 1, 2]), np.array(["A", "B", "C"], dtype=object)):
            labels = other[np.searchsorted(EMOTIONS, y)]
            model = make().fit(X, labels, X_target=T)
            np.testing.assert_array_equal(model.predict_proba(T), expected.predict_proba(T))
            codes = np.searchsorted(EMOTIONS, expected.predict(T))
            np.testing.assert_array_equal(model.predict(T), other[codes])

    @pytest.mark.parametrize("kind", [list, pd.Series, pd.Categorical])
    def test_containers(self, data, kind):
        X, y, T, _ = data
        expected = make().fit(X, y, X_target=T).predict_proba(T)
        model = make().fit(X.tolist(), kind(y), X_target=T.tolist())
        np.testing.assert_array_equal(model.predict_proba(T.tolist()), expected)
        assert model.classes_.tolist() == EMOTIONS.tolist()

    def test_two_classes_that_are_booleans(self, data):
        X, y, T, y_target = data
        model = make(target_prior={True: 1 / 3, False: 2 / 3})
        model.fit(X, y == "anger", X_target=T)
        assert model.classes_.tolist() == [False, True]
        assert model.predict(T).dtype == bool
        assert model.score(T, y_target == "anger") > 0.8

    def test_a_single_class(self, data):
        X, _, T, _ = data
        with pytest.raises(ValueError, match=r"y has 1 class only, 'anger'; .* needs at least two"):
            make().fit(X, ["anger"] * 120, X_target=T)

    @pytest.mark.parametrize("gap", [None, np.nan, pd.NA], ids=str)
    @pytest.mark.parametrize("kind", [list, np.array, pd.Series])
    def test_gaps(self, data, gap, kind):
        X, y, _, _ = data
        labels = y.astype(object)
        labels[4] = gap
        # np.array(["anger", np.nan]) would have a string in place of the gap.
        labels = labels if kind is np.array else kind(labels)
        with pytest.raises(ValueError, match=r"y has 1 missing of 120 entries, .* at position 4"):
            make().fit(X, labels)

    def test_gaps_that_became_strings(self, data):
        X, y, _, _ = data
        labels = y.tolist()
        labels[4] = np.nan
        with pytest.raises(ValueError, match=r"y holds the string 'nan' in 1 of 120 .* position 4"):
            make().fit(X, np.array(labels))

    def test_gaps_among_numbers(self, data):
        X, y, _, _ = data
        labels = np.searchsorted(EMOTIONS, y).astype(float)
        labels[4] = np.nan
        with pytest.raises(ValueError, match=r"y has 1 missing of 120 entries, .* at position 4"):
            make().fit(X, labels)

    def test_numbers_and_strings(self, data):
        with pytest.raises(ValueError, match="y mixes entries of types int, str"):
            make().fit(data[0], [1, "a", "b"] * 40)

    def test_measurements(self, data):
        X, _, _, _ = data
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            make().fit(X, np.linspace(0.1, 4.3, 120))

    def test_none(self, data):
        with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
            make().fit(data[0], None)

    def test_too_few(self, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            make().fit(X, y[:-1])


class TestFeatureNames:
    NAMES = tuple(f"f{i}" for i in range(6))

    def frame(self, rows):
        return pd.DataFrame(rows, columns=self.NAMES)

    def test_frames(self, data):
        X, y, T, _ = data
        model = make().fit(self.frame(X), y, X_target=self.frame(T))
        assert model.feature_names_in_.tolist() == list(self.NAMES)
        expected = make().fit(X, y, X_target=T).predict_proba(T)
        np.testing.assert_array_equal(model.predict_proba(self.frame(T)), expected)

    def test_a_target_in_another_order(self, data):
        X, y, T, _ = data
        swapped = self.frame(T)[list(self.NAMES[::-1])]
        with pytest.raises(ValueError, match="feature names should match"):
            make().fit(self.frame(X), y, X_target=swapped)
        model = make().fit(self.frame(X), y)
        with pytest.raises(ValueError, match="feature names should match"):
            model.adapt(swapped)
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(swapped)

    def test_a_target_without_names(self, data):
        X, y, T, _ = data
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            make().fit(self.frame(X), y, X_target=T)


class TestParametersSetAfterFit:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"n_components": 5}, "n_components was 8 and is 5"),
            ({"hidden_layer_sizes": (8, 8)}, r"hidden_layer_sizes was \(16,\) and is \(8, 8\)"),
            ({"n_estimators": 2}, "n_members was 1 and is 2"),
            ({"dropout": 0.1}, "dropout was 0.5 and is 0.1"),
        ],
        ids=str,
    )
    def test_another_network(self, data, parameters, message):
        X, y, T, _ = data
        model = make().fit(X, y).set_params(**parameters)
        expected = make(adaptation=None).fit(X, y).predict_proba(T)
        with pytest.raises(
            ValueError, match=f"Adaptation continues the training.*{message}.*or call fit again"
        ):
            model.adapt(T)
        # What there is still predicts.
        np.testing.assert_array_equal(model.set_params(adaptation=None).predict_proba(T), expected)

    def test_another_network_in_predict(self, data):
        X, y, T, _ = data
        model = make(adaptation="predict").fit(X, y).set_params(n_components=3)
        with pytest.raises(
            ValueError, match=r"Adaptation continues .* n_components was 8 and is 3"
        ):
            model.predict(T)

    @pytest.mark.parametrize(
        "parameters",
        [{"loss": "huber"}, {"selection": 0}, {"label_prediction": None}, {"max_epochs": 0}],
        ids=str,
    )
    def test_a_wrong_value(self, data, parameters):
        X, y, T, _ = data
        (name,) = parameters
        for adaptation in ("fit", "predict"):
            model = make(adaptation=adaptation).fit(X, y).set_params(**parameters)
            with pytest.raises(ValueError, match=f"The '{name}' parameter of NNPMClassifier must"):
                model.adapt(T) if adaptation == "fit" else model.predict(T)

    @pytest.mark.parametrize("sizes", [0, (8, 0), (8.5,), "8"])
    def test_wrong_hidden_layers(self, data, sizes):
        X, y, _, _ = data
        with pytest.raises(ValueError, match="hidden_layer_sizes"):
            make(hidden_layer_sizes=sizes).fit(X, y)

    @pytest.mark.parametrize("sizes", [16, [16], np.array([16])])
    def test_ways_to_write_one_hidden_layer(self, data, sizes):
        X, y, T, _ = data
        expected = make().fit(X, y, X_target=T).predict_proba(T)
        model = make(hidden_layer_sizes=sizes).fit(X, y, X_target=T)
        np.testing.assert_array_equal(model.predict_proba(T), expected)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["_memory_codes"].__setitem__(1, np.iinfo(np.int64).max),
        lambda state: state["_memory_codes"].__setitem__(1, -1),
        lambda state: state["_memory_codes"].__setitem__(1, 3),
        lambda state: state.update(_memory_codes=state["_memory_codes"][:-1]),
        lambda state: state.update(_memory_codes=state["_memory_codes"].astype(float)),
        lambda state: state.update(_memory_codes=state["_memory_codes"].tolist()),
        lambda state: state.update(classes_=state["classes_"][:1]),
        lambda state: state.update(memory_=state["memory_"][..., :5, :]),
        lambda state: state.update(_source_rows=np.zeros((3, 2), np.float32)),
    ],
)
def test_a_state_that_does_not_fit_is_refused(data, change):
    X, y, _, _ = data
    model = make().fit(X, y)
    state = model.__getstate__()
    state["_memory_codes"] = state["_memory_codes"].copy()
    change(state)
    with pytest.raises(ValueError, match="in the memory do not fit the classes"):
        type(model)().__setstate__(state)
    copy = type(model)()
    copy.__setstate__(model.__getstate__())
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
