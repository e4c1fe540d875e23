import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from sklearn_ser import CorpusScaler
from sklearn_ser.plotting import LatentScatterDisplay
from sklearn_ser.plotting._style import EMOTION_STYLES

EMOTION = np.tile(["anger", "neutral", "sadness"], 20)
CORPUS = np.repeat(["emodb", "urdu"], 30)


def embedding(n_components, seed=0):
    return np.random.default_rng(seed).normal(size=(60, n_components))


def test_the_same_points_twice():
    Z = embedding(2)
    display = LatentScatterDisplay.from_embedding(Z, EMOTION, CORPUS)
    for panel, names in (("emotion", EMOTION), ("corpus", CORPUS)):
        assert list(display.points_[panel]) == sorted(set(names))
        for name, points in display.points_[panel].items():
            np.testing.assert_array_equal(points.get_offsets(), Z[names == name])
    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim()
    assert display.axes_[0].get_ylim() == display.axes_[1].get_ylim()


def test_legends():
    display = LatentScatterDisplay.from_embedding(embedding(2), EMOTION, CORPUS)
    legends = [axes.get_legend() for axes in display.axes_]
    assert [legend.get_title().get_text() for legend in legends] == ["by emotion", "by corpus"]
    texts = [[text.get_text() for text in legend.get_texts()] for legend in legends]
    assert texts == [["anger", "neutral", "sadness"], ["emodb", "urdu"]]


def test_emotions_have_their_own_colours_and_shapes():
    display = LatentScatterDisplay.from_embedding(embedding(2), EMOTION, CORPUS, alpha=1)
    shapes = set()
    for name, points in display.points_["emotion"].items():
        colour = plt.matplotlib.colors.to_hex(points.get_facecolor()[0]).upper()
        assert colour == EMOTION_STYLES[name].colour
        shapes.add(points.get_paths()[0].vertices.tobytes())
    assert len(shapes) == 3


class TestMoreThanTwoComponents:
    def test_the_plane_of_most_variance(self):
        # All variance is in two directions, 4:1, across the components.
        plane = np.linalg.qr(embedding(6, seed=1)[:6])[0][:, :2]
        inner = embedding(2)
        inner = np.linalg.qr(inner - inner.mean(axis=0))[0] * [2, 1]
        display = LatentScatterDisplay.from_embedding(inner @ plane.T, EMOTION, CORPUS)
        np.testing.assert_allclose(abs(display.points), abs(inner), atol=1e-12)
        x, y = display.axes_[0].get_xlabel(), display.axes_[0].get_ylabel()
        assert x == "principal component 1 of 6 (80% of the variance)"
        assert y == "principal component 2 of 6 (20% of the variance)"

    def test_two_are_drawn_as_they_are(self):
        Z = pd.DataFrame(embedding(2), columns=["activation", "valence"])
        display = LatentScatterDisplay.from_embedding(Z, EMOTION, CORPUS)
        assert display.axes_[1].get_xlabel() == "activation"
        assert display.axes_[0].get_ylabel() == "valence"

    def test_one_is_too_few(self):
        with pytest.raises(ValueError, match="Z has 1 column, but a point in the plane needs 2"):
            LatentScatterDisplay.from_embedding(embedding(1), EMOTION, CORPUS)


class TestFromEstimator:
    def test_each_corpus_is_a_batch(self):
        X = embedding(2) + 50 * (CORPUS == "urdu")[:, None]
        shuffled = np.random.default_rng(0).permutation(60)
        X, emotion, corpus = X[shuffled], EMOTION[shuffled], CORPUS[shuffled]
        scaler = CorpusScaler().fit(X, sample_domain=corpus)
        display = LatentScatterDisplay.from_estimator(make_pipeline(scaler), X, emotion, corpus)
        np.testing.assert_allclose(
            display.points, scaler.transform_corpus(X, corpus), atol=1e-6, rtol=0
        )

    def test_a_list(self):
        scaler = CorpusScaler().fit(embedding(2), sample_domain=CORPUS)
        rows = embedding(2).tolist()
        display = LatentScatterDisplay.from_estimator(scaler, rows, EMOTION, CORPUS)
        assert len(display.points) == 60

    def test_a_classifier(self):
        with pytest.raises(TypeError, match=r"has no transform.*the steps before it, model\[:-1\]"):
            LatentScatterDisplay.from_estimator(DummyClassifier(), embedding(2), EMOTION, CORPUS)


def test_described():
    # Emotions 10 apart on one axis; on the other the corpora overlap half.
    Z = np.zeros((60, 2))
    Z[:, 0] = 10 * np.unique(EMOTION, return_inverse=True)[1]
    display = LatentScatterDisplay.from_embedding(Z, EMOTION, CORPUS)
    assert display.describe() == (
        "Points of 60 recordings in the plane of component 1 and component 2, by emotion and by "
        "corpus: 100% of the points are nearest to the mean of their own emotion among 3 (anger, "
        "neutral and sadness), 33% by chance; 50% of the points are nearest to the mean of their "
        "own corpus among 2 (emodb and urdu), 50% by chance."
    )


@pytest.mark.parametrize(
    ("emotion", "corpus", "message"),
    [
        (EMOTION[1:], CORPUS, "emotion has 59 entries but X has 60 samples"),
        (EMOTION, [None] * 60, "corpus has 60 missing of 60 entries"),
    ],
)
def test_labels_that_do_not_fit(emotion, corpus, message):
    with pytest.raises(ValueError, match=message):
        LatentScatterDisplay.from_embedding(embedding(2), emotion, corpus)
