import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import KLAnnealedVAE, SemiSupervisedVAE
from sklearn_ser.exceptions import PosteriorCollapseWarning

EMOTIONS = np.array(["anger", "neutral", "sadness"])


def speech(n_samples=150, seed=0):
    """Rows whose largest variance is of no use, and an emotion in three of eight features."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_samples) % 3
    X = rng.standard_normal((n_samples, 8))
    X[:, 3:] += 2 * rng.standard_normal((n_samples, 1))
    X[np.arange(n_samples), codes] += 1.5
    return X.astype(np.float32), EMOTIONS[codes]


def small(**parameters):
    settings = {
        "n_components": 2,
        "hidden_layer_sizes": (16,),
        "learning_rate": 1e-2,
        "beta": 0.1,
        "max_epochs": 15,
        "random_state": 0,
    }
    return SemiSupervisedVAE(**{**settings, **parameters})


def separation(Z, y):
    """Distance between centroids over distance to the own one."""
    centroids = np.array([Z[y == emotion].mean(axis=0) for emotion in EMOTIONS])
    within = np.linalg.norm(Z - centroids[np.searchsorted(EMOTIONS, y)], axis=1).mean()
    return np.linalg.norm(centroids - np.roll(centroids, 1, axis=0), axis=1).mean() / within


# Three classes on a line need one unit.
@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning")
@pytest.mark.parametrize("supervision", ["cluster", "classifier"])
def test_supervision_separates_emotions_in_new_rows(supervision):
    X, y = speech()
    X_new, y_new = speech(seed=1)
    supervised = small(supervision=supervision, supervision_weight=3.0, max_epochs=40).fit(X, y)
    weightless = small(supervision=supervision, supervision_weight=0.0, max_epochs=40).fit(X, y)
    assert separation(supervised.transform(X_new), y_new) > 1.4 * separation(
        weightless.transform(X_new), y_new
    )
    assert supervised.classes_.tolist() == EMOTIONS.tolist()


@pytest.mark.parametrize("supervision", ["cluster", "classifier"])
def test_history_has_the_term_and_its_weight(supervision):
    vae = small(supervision=supervision, supervision_weight=0.7, max_epochs=10).fit(*speech())
    first, last = vae.history_[0], vae.history_[-1]
    assert last["supervision"] < first["supervision"]
    assert last["supervision_weight"] == 0.7
    assert last["loss"] == pytest.approx(
        last["reconstruction"] + 0.1 * last["kl"] + 0.7 * last["supervision"]
    )


def with_gaps(y, gap):
    labels = y.astype(object)
    labels[::2] = gap
    return labels


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA], ids=repr)
@pytest.mark.parametrize(
    "container", [np.asarray, pd.Series, list, lambda y: pd.Series(y, dtype="string")]
)
def test_gaps_in_y_are_rows_of_the_target(gap, container):
    X, y = speech()
    labelled = np.arange(len(y)) % 2 == 1
    # The target's rows come last.
    order = np.argsort(~labelled, kind="stable")
    whole = small(max_epochs=3).fit(X[order], container(with_gaps(y, gap)[order]))
    target = small(max_epochs=3).fit(X[labelled], y[labelled], X_target=X[~labelled])
    np.testing.assert_array_equal(whole.transform(X), target.transform(X))
    assert whole.classes_.tolist() == EMOTIONS.tolist()


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([0, 1, 2, -1, 0, 1]), [0, 1, 2]),
        (np.array([0, 1, np.nan, np.nan, 0, 1]), [0, 1]),
        (pd.array([4, 7, None, None, 4, 7], dtype="Int64"), [4, 7]),
        (pd.Categorical(["b", "a", None, "b", "a", "b"]), ["a", "b"]),
        (np.array([["b"], ["a"], ["b"], ["b"], ["a"], ["b"]]).ravel(), ["a", "b"]),
    ],
    ids=["-1", "float with NaN", "nullable integer", "categorical", "strings"],
)
def test_classes_of_every_kind_of_y(y, classes):
    X = speech(6)[0]
    assert small(max_epochs=1).fit(X, y).classes_.tolist() == classes


@pytest.mark.parametrize("text", ["nan", "None", "-1"])
@pytest.mark.parametrize("dtype", [str, object])
def test_gaps_that_became_strings_are_refused(text, dtype):
    X, y = speech(9)
    y = y.astype(dtype)
    y[4] = text
    with pytest.raises(
        ValueError, match=rf"the string '{text}' \(first at position 4\).*dtype=obj"
    ):
        small().fit(X, y)


def test_an_array_of_strings_made_from_gaps_is_refused():
    with pytest.raises(ValueError, match="dtype=object"):
        small().fit(speech(3)[0], np.array(["anger", np.nan, "neutral"]))


def test_continuous_labels_point_to_the_estimator_for_them():
    with pytest.raises(ValueError, match=r"continuous values such as 0\.5\. MetricDAE takes"):
        small().fit(speech(3)[0], [0.5, 1.0, np.nan])


def test_length_of_y_is_checked():
    with pytest.raises(ValueError, match="y has 4 entries but X has 3 samples"):
        small().fit(speech(3)[0], ["a", "b", "a", "b"])


@pytest.mark.parametrize(
    ("y", "n_classes"),
    [(None, 0), ([None] * 150, 0), (np.full(150, -1), 0), (["anger"] * 150, 1)],
    ids=["no y", "None", "-1", "one class"],
)
@pytest.mark.parametrize("supervision", ["cluster", "classifier", "das2022"])
def test_without_two_classes_it_is_the_unsupervised_one_and_says_so(y, n_classes, supervision):
    X, _ = speech()
    vae = small(supervision=supervision, max_epochs=3)
    with pytest.warns(UserWarning, match=f"labels of {n_classes} classes.*unsupervised"):
        vae.fit(X, y)
    parameters = vae.get_params()
    del parameters["supervision"], parameters["supervision_weight"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PosteriorCollapseWarning)
        plain = KLAnnealedVAE(**parameters).fit(X)
    np.testing.assert_array_equal(vae.transform(X), plain.transform(X))
    assert "supervision" not in vae.history_[0]


@pytest.mark.parametrize("supervision", ["cluster", "classifier", "das2022"])
def test_partial_fit_takes_the_classes_to_come(supervision):
    X, y = speech()
    vae = small(supervision=supervision)
    vae.partial_fit(X[y == "anger"], y[y == "anger"], classes=EMOTIONS)
    vae.partial_fit(X, with_gaps(y, None))
    assert vae.n_iter_ == 2
    with pytest.raises(ValueError, match=r"classes \['fear'\].*classes= of the first partial_fit"):
        vae.partial_fit(X[:2], ["fear", None])


def test_warm_start_keeps_the_classes():
    X, y = speech()
    vae = small(warm_start=True, supervision="classifier", max_epochs=2).fit(X, y)
    # A part of the classes keeps the codes that the classifier was trained with.
    some = y != "anger"
    vae.fit(X[some], y[some])
    assert vae.classes_.tolist() == EMOTIONS.tolist()
    assert vae.n_iter_ == 4
    with pytest.raises(ValueError, match="fit anew without warm_start"):
        vae.fit(X, np.where(some, y, "fear"))


def test_pipeline_hands_over_labels_and_target():
    X, y = speech()
    X_target, y_target = speech(seed=3)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler(),
            small(supervision_weight=1.0),
            LogisticRegression(),
            transform_input=["X_target"],
        )
        model.fit(X, y, X_target=X_target)
    assert model.score(X_target, y_target) > 0.6
    scaler, vae = model[0], model[1]
    by_hand = small(supervision_weight=1.0).fit(
        scaler.transform(X), y, X_target=scaler.transform(X_target)
    )
    np.testing.assert_array_equal(vae.transform(X), by_hand.transform(X))


@pytest.mark.parametrize("n_components", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_defaults_keep_all_units_active(n_components, seed):
    # On 150 rows, a step for each three: as many steps as a few corpora take.
    settings = {"batch_size": 16, "max_epochs": 40, "random_state": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("error", PosteriorCollapseWarning)
        vae = SemiSupervisedVAE(n_components, **settings).fit(*speech())
        KLAnnealedVAE(n_components, **settings).fit(speech()[0])
    assert len(vae.active_units_) == n_components


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_the_divergence_cannot_shrink_the_cluster_term_away(beta):
    # On the posterior's means, a smaller latent cost nothing, and no unit was active with weight 1.
    X, y = speech()
    vae = small(supervision_weight=1.0, beta=beta, max_epochs=60).fit(X, y)
    assert len(vae.active_units_) >= 1
    assert vae.transform(X).std(axis=0).max() > 0.3


def test_a_collapse_by_the_script_s_supervision_names_its_weight():
    vae = small(supervision="das2022", supervision_weight=0.5, beta=100.0, max_epochs=5)
    with pytest.warns(
        PosteriorCollapseWarning,
        match=r"Lower supervision_weight, which is 0\.5, or beta, .* 100\.",
    ):
        vae.fit(*speech())


def test_the_script_s_supervision_shrinks_the_latent():
    weak, strong = (
        small(supervision="das2022", supervision_weight=weight)
        .fit(*speech())
        .transform(speech()[0])
        for weight in (0.01, 10.0)
    )
    assert strong.std() < 0.7 * weak.std()
