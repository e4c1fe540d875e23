import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from sklearn_ser import cross_corpus_validate
from sklearn_ser.metrics import reliability_curve
from sklearn_ser.plotting import ReliabilityDisplay
from sklearn_ser.plotting._style import COLOURS

Y = ["anger", "sadness", "anger", "sadness"]
P = [[0.95, 0.05], [0.1, 0.9], [0.3, 0.7], [0.32, 0.68]]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_points_are_those_of_the_curve():
    curve = reliability_curve(Y, P, n_bins=5)
    display = ReliabilityDisplay({"svm": curve}).plot()
    line = display.lines_["svm"]
    np.testing.assert_array_equal(line.get_xdata(), curve["confidence"])
    np.testing.assert_array_equal(line.get_ydata(), curve["accuracy"])
    assert display.ax_.get_xlim() == display.ax_.get_ylim() == (0, 1)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["svm"]


def test_a_method_keeps_the_colour_that_it_has_among_all():
    curve = reliability_curve(Y, P)
    display = ReliabilityDisplay({"c": curve}, methods=["a", "b", "c"]).plot()
    assert to_hex(display.lines_["c"].get_color()) == COLOURS[2].lower()
    alone = ReliabilityDisplay({"c": curve}).plot()
    assert to_hex(alone.lines_["c"].get_color()) == COLOURS[0].lower()


def test_of_results():
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 30)
    X = rng.normal(size=(60, 2)) + (y == "anger")[:, None]
    corpus = np.repeat(["a", "b"], 30)
    results = {
        name: cross_corpus_validate(model, X, y, corpus)
        for name, model in (("svm", SVC()), ("bayes", GaussianNB()))
    }
    display = ReliabilityDisplay.from_results(results, n_bins=4)
    # The support vector machine has no probabilities.
    assert list(display.lines_) == ["bayes"]
    table = results["bayes"].predictions
    expected = reliability_curve(table["y_true"], table[["p_anger", "p_sadness"]], n_bins=4)
    pd.testing.assert_frame_equal(display.curves["bayes"], expected)
    assert to_hex(display.lines_["bayes"].get_color()) == COLOURS[1].lower()
    with pytest.raises(ValueError, match="No method has probabilities"):
        ReliabilityDisplay.from_results({"svm": results["svm"]})


def test_a_table_that_is_no_curve():
    with pytest.raises(ValueError, match="curve of 'svm' has no column 'n'; pass a table of reli"):
        ReliabilityDisplay({"svm": pd.DataFrame({"confidence": [1]})}).plot()
