import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import EMOTIONS, circumplex, load_annotations, load_corpus

RATED = [word for word in EMOTIONS if word != "other"]


@pytest.mark.parametrize("emotion", RATED)
def test_points_are_half_steps_on_the_scale(emotion):
    point = circumplex(emotion)
    assert all(1 <= value <= 5 and 2 * value == int(2 * value) for value in point)


def test_neutral_is_the_middle():
    assert circumplex("neutral") == (3, 3)


def test_emotions_lie_around_the_middle_in_the_order_of_russell():
    # Counterclockwise from the positive end, as in figure 4 of Russell (1980), with disgust
    # between fear and sadness.
    order = ["happiness", "surprise", "anger", "fear", "disgust", "sadness", "boredom", "calm"]
    points = circumplex(order) - 3
    angles = np.degrees(np.arctan2(points["activation"], points["valence"])) % 360
    assert angles.is_monotonic_increasing
    assert angles.is_unique
    assert set(order) == set(RATED) - {"neutral"}


@pytest.mark.parametrize(
    ("word", "pleasure", "arousal"),
    [
        ("anger", -0.51, 0.59),
        ("boredom", -0.65, -0.62),
        ("calm", 0.68, -0.46),
        ("disgust", -0.60, 0.35),
        ("fear", -0.64, 0.60),
        ("happiness", 0.81, 0.51),
        ("sadness", -0.63, -0.27),
        ("surprise", 0.40, 0.67),
    ],
)
def test_points_are_the_published_means_within_rounding(word, pleasure, arousal):
    np.testing.assert_allclose(circumplex(word), (3 + 2 * pleasure, 3 + 2 * arousal), atol=0.25)


def test_one_word_is_a_named_tuple():
    point = circumplex("sadness")
    assert (point.valence, point.activation) == (1.5, 2.5)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Index])
def test_sequences(kind):
    words = ["anger", "other", "calm"]
    expected = pd.DataFrame(
        {"valence": [2.0, np.nan, 4.5], "activation": [4.0, np.nan, 2.0]}, dtype=float
    )
    pd.testing.assert_frame_equal(circumplex(kind(words)), expected)


def test_a_column_keeps_its_index_and_gaps():
    words = pd.Series(["fear", None, "fear"], index=[7, 3, 5])
    table = circumplex(words)
    assert table.index.tolist() == [7, 3, 5]
    assert table["valence"].isna().tolist() == [False, True, False]


def test_an_empty_sequence():
    table = circumplex([])
    assert table.shape == (0, 2)
    assert set(table.dtypes) == {np.dtype(float)}


@pytest.mark.parametrize(
    ("word", "hint"),
    [("angry", "Did you mean 'anger'"), ("hapiness", "Did you mean 'happiness'"), (3, "Known are")],
)
def test_unknown_words(word, hint):
    for given in (word, [word]):
        with pytest.raises(ValueError, match=rf"Unknown emotion {word!r}.*{hint}"):
            circumplex(given)


def test_a_table_is_no_sequence_of_words():
    with pytest.raises(ValueError, match="emotion has 2 dimensions; expected one word"):
        circumplex(pd.DataFrame({"emotion": ["anger"]}))


@pytest.mark.corpus
@pytest.mark.parametrize("corpus", ["emodb", "urdu"])
@pytest.mark.filterwarnings("ignore:.*recordings of the .* expected")
def test_agrees_with_ratings_of_recordings(corpus, shared):
    speech = load_corpus(corpus, shared / "corpora" / corpus)
    speech = load_annotations("das2022", shared / "labels", speech)
    for column, prior in circumplex(speech["emotion"]).items():
        assert np.corrcoef(prior, speech[column])[0, 1] > 0.45
        assert np.abs(prior - speech[column]).mean() < 0.9
