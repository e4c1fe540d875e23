import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import DAETransformer, MetricDAE


def speech(n_samples=300, seed=0):
    """Rows that are mixtures of activation, valence and something else."""
    rng = np.random.default_rng(seed)
    activation, valence = rng.uniform(1, 5, (2, n_samples))
    factors = np.c_[activation - 3, valence - 3, 2 * rng.standard_normal(n_samples)]
    mixing = np.random.default_rng(99).standard_normal((3, 10))
    X = factors @ mixing + 0.3 * rng.standard_normal((n_samples, 10))
    return X.astype(np.float32), activation, valence


def small(n_components=4, **parameters):
    settings = {
        "hidden_layer_sizes": (16,),
        "metric_weight": 1.0,
        "noise": 0.1,
        "learning_rate": 1e-2,
        "max_epochs": 40,
        "random_state": 0,
    }
    return MetricDAE(n_components, **{**settings, **parameters})


def line(label, position):
    """Slope of the position on the label, and their correlation."""
    return np.polyfit(label, position, 1)[0], np.corrcoef(label, position)[0, 1]


@pytest.mark.parametrize("objective", ["sum", "log"])
@pytest.mark.parametrize("dimension", [None, 3])
def test_position_follows_the_label_with_slope_one(objective, dimension):
    X, activation, _ = speech()
    dae = small(objective=objective, metric_dimension=dimension).fit(X, activation=activation)
    X_new, new, _ = speech(seed=1)
    Z = dae.transform(X_new)
    slope, correlation = line(new, Z.mean(axis=1) if dimension is None else Z[:, dimension])
    assert slope == pytest.approx(1, abs=0.1)
    assert correlation > 0.98


@pytest.mark.parametrize(("n_components", "split"), [(4, 2), (5, 3), (2, 1)])
def test_both_labels_share_the_latent(n_components, split):
    X, activation, valence = speech()
    dae = small(n_components).fit(X, activation=activation, valence=valence)
    Z = dae.transform(X)
    for label, position in ((activation, Z[:, :split]), (valence, Z[:, split:])):
        slope, correlation = line(label, position.mean(axis=1))
        assert slope == pytest.approx(1, abs=0.15)
        assert correlation > 0.95
    assert dae.label_names_ == ("activation", "valence")


def test_history_has_every_term():
    X, activation, valence = speech()
    dae = small(max_epochs=3, metric_weight=0.3).fit(X, activation=activation, valence=valence)
    last = dae.history_[-1]
    metric = sum(
        last[f"{name}_{term}"]
        for name in ("activation", "valence")
        for term in ("residual", "slope")
    )
    assert last["loss"] == pytest.approx(last["reconstruction"] + 0.3 * metric)
    assert last["valence_slope_weight"] == 0.3


def test_log_minimises_the_logarithm_of_the_sum():
    X, activation, _ = speech()
    # One batch and a step size that changes nothing, so that both see the same terms.
    settings = {"max_epochs": 1, "learning_rate": 1e-12, "batch_size": 300}
    total = small(**settings).fit(X, activation=activation).history_[0]["loss"]
    log = small(objective="log", **settings).fit(X, activation=activation).history_[0]["loss"]
    assert log == pytest.approx(np.log(total), rel=1e-5)


def test_log_of_a_perfect_reconstruction_stays_finite():
    X = np.zeros((20, 3), dtype=np.float32)
    with pytest.warns(UserWarning, match="plain DAE"):
        dae = small(objective="log", noise=0.0, max_epochs=200).fit(X)
    assert np.isfinite([row["loss"] for row in dae.history_]).all()
    assert np.isfinite(dae.transform(X)).all()


def test_floating_y_is_the_activation():
    X, activation, _ = speech()
    by_y = small(max_epochs=3).fit(X, activation)
    by_keyword = small(max_epochs=3).fit(X, activation=activation)
    np.testing.assert_array_equal(by_y.transform(X), by_keyword.transform(X))
    pandas = small(max_epochs=3).fit(X, pd.Series(activation, dtype="Float64"))
    np.testing.assert_array_equal(pandas.transform(X), by_y.transform(X))


@pytest.mark.parametrize("keyword", ["activation", "valence"])
def test_y_beside_keywords_is_the_emotion_and_ignored(keyword):
    X, activation, _ = speech()
    alone = small(max_epochs=3).fit(X, **{keyword: activation})
    for y in (np.arange(300) % 3, np.random.default_rng(0).standard_normal(300)):
        beside = small(max_epochs=3).fit(X, y, **{keyword: activation})
        np.testing.assert_array_equal(beside.transform(X), alone.transform(X))
    assert alone.label_names_ == (keyword,)


def plain_twin(dae):
    """Return a DAETransformer with the parameters that it shares with a MetricDAE."""
    names = DAETransformer().get_params()
    return DAETransformer(**{name: getattr(dae, name) for name in names})


@pytest.mark.parametrize(
    ("y", "what"),
    [
        (np.array(["anger", "neutral"] * 150), "no ratings in a y of dtype <U7"),
        (np.array(["1", "4"] * 150), "no ratings in a y of dtype <U1"),
        (np.array([True, False] * 150), "no ratings in a y of dtype bool"),
        (np.array(["anger", None] * 150), "no ratings in a y of dtype object"),
        (np.array([None] * 300), "no ratings in a y of dtype object"),
        (None, "no labels"),
    ],
    ids=["strings", "digits", "booleans", "strings and gaps", "gaps", "none"],
)
def test_class_labels_train_a_plain_dae_and_say_so(y, what):
    X, _, _ = speech()
    dae = small(max_epochs=3)
    with pytest.warns(UserWarning, match=f"got {what} and trains a plain DAE"):
        dae.fit(X, y)
    np.testing.assert_array_equal(dae.transform(X), plain_twin(dae).fit(X).transform(X))
    assert dae.label_names_ == ()


RATINGS = np.resize([1, 2, 3, 4, 5], 300)
INTEGERS = {
    "int64": RATINGS,
    "uint8": RATINGS.astype(np.uint8),
    "list": RATINGS.tolist(),
    "objects": np.array([*RATINGS[:-1], None], dtype=object),
    "Int64": pd.Series([*RATINGS[:-1], pd.NA], dtype="Int64"),
}


@pytest.mark.filterwarnings("ignore:MetricDAE got")
@pytest.mark.parametrize("y", INTEGERS.values(), ids=INTEGERS)
def test_integers_will_be_the_activation_and_are_ignored_for_now(y):
    X, _, _ = speech()
    dae = small(max_epochs=3)
    with pytest.warns(FutureWarning, match="from version 0.2 on, numbers of any") as seen:
        dae.fit(X, y)
    assert [one.filename for one in seen if one.category is FutureWarning] == [__file__]
    np.testing.assert_array_equal(dae.transform(X), plain_twin(dae).fit(X).transform(X))
    with pytest.warns(FutureWarning, match="y holds integers"):
        small().partial_fit(X, y)


@pytest.mark.parametrize("name", ["activation", "valence"])
@pytest.mark.parametrize("y", INTEGERS.values(), ids=INTEGERS)
def test_y_of_any_numeric_dtype_is_the_annotation_named(name, y):
    X, _, _ = speech()
    by_y = small(max_epochs=3, y_annotation=name).fit(X, y)
    by_keyword = small(max_epochs=3).fit(X, **{name: y})
    assert by_y.label_names_ == (name,)
    np.testing.assert_array_equal(by_y.transform(X), by_keyword.transform(X))
    in_parts = small(y_annotation=name).partial_fit(X, y)
    assert in_parts.label_names_ == (name,)


def test_floating_and_integer_ratings_give_the_same_model():
    X, _, _ = speech()
    integers = small(max_epochs=3, y_annotation="activation").fit(X, RATINGS)
    floats = small(max_epochs=3).fit(X, RATINGS.astype(float))
    np.testing.assert_array_equal(integers.transform(X), floats.transform(X))


@pytest.mark.parametrize("y", [RATINGS, RATINGS.astype(float)], ids=["integers", "floats"])
def test_codes_of_emotions_can_be_left_to_the_classifier(y):
    X, _, _ = speech()
    dae = small(max_epochs=3, y_annotation=None)
    with pytest.warns(
        UserWarning, match="no ratings in a y of dtype .* and trains a plain DAE"
    ) as seen:
        dae.fit(X, y)
    assert {one.category for one in seen} == {UserWarning}
    np.testing.assert_array_equal(dae.transform(X), plain_twin(dae).fit(X).transform(X))


def test_y_may_be_one_annotation_and_a_keyword_the_other():
    X, activation, valence = speech()
    mixed = small(max_epochs=3, y_annotation="valence").fit(X, valence, activation=activation)
    by_name = small(max_epochs=3).fit(X, activation=activation, valence=valence)
    assert mixed.label_names_ == ("activation", "valence")
    np.testing.assert_array_equal(mixed.transform(X), by_name.transform(X))


def test_an_annotation_must_not_come_twice():
    X, activation, _ = speech(60)
    with pytest.raises(ValueError, match=r"activation came twice, as y and as activation="):
        small(y_annotation="activation").fit(X, activation, activation=activation)


def test_class_labels_are_not_the_annotation_named():
    X, _, _ = speech(60)
    with pytest.raises(ValueError, match=r"valence must hold numbers.*got 'anger'"):
        small(y_annotation="valence").fit(X, ["anger"] * 60)


def test_weight_zero_is_a_plain_dae():
    X, activation, _ = speech()
    weightless = small(max_epochs=3, metric_weight=0.0).fit(X, activation=activation)
    with pytest.warns(UserWarning, match="plain DAE"):
        plain = small(max_epochs=3).fit(X)
    np.testing.assert_array_equal(weightless.transform(X), plain.transform(X))


def test_nan_rows_are_rows_of_the_target():
    X, activation, _ = speech()
    labels = np.r_[activation[:100], np.full(200, np.nan)]
    gaps = small(max_epochs=3).fit(X, activation=labels)
    target = small(max_epochs=3).fit(X[:100], activation=activation[:100], X_target=X[100:])
    np.testing.assert_array_equal(gaps.transform(X), target.transform(X))


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA], ids=repr)
def test_every_kind_of_gap(gap):
    X, activation, _ = speech(60)
    labels = [*activation[:30], *[gap] * 30]
    dae = small(max_epochs=2).fit(X, activation=labels)
    same = small(max_epochs=2).fit(X, activation=np.r_[activation[:30], np.full(30, np.nan)])
    np.testing.assert_array_equal(dae.transform(X), same.transform(X))


@pytest.mark.parametrize(
    "labels",
    [[np.nan] * 60, [3.0, *[np.nan] * 59], [2.5] * 60],
    ids=["none", "one", "equal"],
)
def test_labels_without_distances_are_named_and_harmless(labels):
    X, _, _ = speech(60)
    dae = small(max_epochs=2)
    with pytest.warns(UserWarning, match="activation has fewer than two different values"):
        dae.fit(X, activation=labels)
    assert np.isfinite(dae.transform(X)).all()
    assert dae.history_[-1]["activation_residual"] == 0


def test_batches_with_too_few_labels_do_not_spoil_the_rest():
    X, activation, _ = speech()
    labels = np.where(np.arange(300) < 4, activation, np.nan)
    dae = small(batch_size=4, max_epochs=3).fit(X, activation=labels)
    assert np.isfinite(dae.transform(X)).all()


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (["high"] * 60, r"activation must hold numbers.*got 'high' of type str"),
        ([True, False] * 30, r"activation must hold numbers.*of type bool"),
        ([1.0] * 59, "activation has 59 entries but X has 60 samples"),
        ([np.inf, *[1.0] * 59], "activation is infinite at position 0"),
    ],
    ids=["text", "boolean", "length", "infinite"],
)
def test_bad_annotations(labels, match):
    with pytest.raises(ValueError, match=match):
        small().fit(speech(60)[0], activation=labels)


def test_halves_need_two_dimensions():
    X, activation, valence = speech(60)
    with pytest.raises(ValueError, match="n_components=1 cannot be split"):
        small(1).fit(X, activation=activation, valence=valence)


@pytest.mark.parametrize(("both", "has"), [(False, 3), (True, 1)])
def test_chosen_dimension_must_exist(both, has):
    X, activation, valence = speech(60)
    labels = {"activation": activation, **({"valence": valence} if both else {})}
    with pytest.raises(ValueError, match=rf"metric_dimension=\d does not exist.*has {has},"):
        small(3, metric_dimension=has).fit(X, **labels)


def test_partial_fit_learns_from_parts():
    X, activation, _ = speech()
    dae = small()
    for _ in range(30):
        for part in (slice(0, 150), slice(150, 300)):
            dae.partial_fit(X[part], activation=activation[part])
    assert line(activation, dae.transform(X).mean(axis=1))[0] == pytest.approx(1, abs=0.15)


def test_routing_needs_no_request():
    X, activation, valence = speech(120)
    X_target = speech(40, seed=5)[0]
    y = np.where(activation > 3, "anger", "sadness")
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler(),
            small(max_epochs=3),
            LogisticRegression(),
            transform_input=["X_target"],
        )
        model.fit(X, y, activation=activation, valence=valence, X_target=X_target)
    scaler = model[0]
    by_hand = small(max_epochs=3).fit(
        scaler.transform(X),
        activation=activation,
        valence=valence,
        X_target=scaler.transform(X_target),
    )
    np.testing.assert_array_equal(model[:-1].transform(X), by_hand.transform(scaler.transform(X)))


def test_keyword_of_the_step_without_routing():
    X, activation, _ = speech(120)
    y = np.where(activation > 3, "anger", "sadness")
    model = make_pipeline(StandardScaler(), small(max_epochs=3), LogisticRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y, metricdae__activation=activation)
    assert model[1].label_names_ == ("activation",)


def test_a_model_from_before_a_parameter_has_its_default():
    X, activation, _ = speech(60)
    dae = small(max_epochs=2, warm_start=True).fit(X, activation)
    state = dae.__getstate__()
    del state["y_annotation"]
    old = MetricDAE.__new__(MetricDAE)
    old.__setstate__(state)
    assert repr(old) == repr(dae)
    np.testing.assert_array_equal(
        old.fit(X, activation).transform(X), dae.fit(X, activation).transform(X)
    )


# Real corpora


@pytest.fixture(scope="module")
def latent_regression():
    path = Path(__file__).parents[2] / "benchmarks" / "latent_regression.py"
    spec = importlib.util.spec_from_file_location("latent_regression", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.corpus
def test_dae_keeps_as_much_of_activation_as_principal_components(latent_regression, shared):
    speech = latent_regression.load(shared)
    dae = latent_regression.unsupervised(speech, "DAE").mean()
    pca = latent_regression.unsupervised(speech, "PCA(2)").mean()
    for corpus in ("emodb", "urdu"):
        assert dae[corpus, "activation"] > pca[corpus, "activation"] - 0.02


@pytest.mark.corpus
def test_labels_of_one_corpus_help_in_another(latent_regression, shared):
    speech = latent_regression.load(shared)
    for source, target in (("emodb", "urdu"), ("urdu", "emodb")):
        dae = latent_regression.transfer(speech, source, target, metric_weight=0.0, seeds=range(2))
        metric = latent_regression.transfer(speech, source, target, seeds=range(2))
        assert np.mean(metric) > np.mean(dae)
