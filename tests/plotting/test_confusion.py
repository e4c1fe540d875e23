from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from sklearn_ser import cross_corpus_validate
from sklearn_ser.metrics import unweighted_average_recall
from sklearn_ser.plotting import CorpusConfusionDisplay

# emodb: anger 3 of 4, sadness 1 of 2. urdu has no sadness; neutral is only predicted.
TRUTH = ["anger"] * 4 + ["sadness"] * 2 + ["anger"] * 2
GUESS = ["anger", "anger", "anger", "sadness", "sadness", "neutral", "anger", "neutral"]
CORPUS = ["emodb"] * 6 + ["urdu"] * 2


def cell_texts(ax):
    texts = [text.get_text() for text in ax.texts if not text.get_text().startswith("n=")]
    return np.reshape(texts, (3, 3)).tolist()


def row_totals(ax):
    return [text.get_text() for text in ax.texts if text.get_text().startswith("n=")]


class TestFromPredictions:
    @pytest.fixture
    def display(self):
        return CorpusConfusionDisplay.from_predictions(TRUTH, GUESS, CORPUS)

    def test_cells_are_recalls_in_percent(self, display):
        emodb, urdu = display.axes_
        assert cell_texts(emodb) == [["75", "0", "25"], ["", "", ""], ["0", "50", "50"]]
        assert cell_texts(urdu) == [["50", "50", "0"], ["", "", ""], ["", "", ""]]
        shown = emodb.images[0].get_array()
        np.testing.assert_allclose(shown[[0, 2]], [[75, 0, 25], [0, 50, 50]])
        # What a corpus lacks has no colour.
        assert shown.mask[1].all()

    def test_titles_are_the_recalls(self, display):
        for ax, corpus in zip(display.axes_, ["emodb", "urdu"], strict=True):
            own = [position for position, name in enumerate(CORPUS) if name == corpus]
            uar = unweighted_average_recall(
                [TRUTH[position] for position in own], [GUESS[position] for position in own]
            )
            assert ax.get_title() == f"{corpus}: UAR {uar:.2f}"

    def test_labels(self, display):
        names = ["anger", "neutral", "sadness"]
        emodb, urdu = display.axes_
        assert [text.get_text() for text in emodb.get_yticklabels()] == names
        assert [text.get_text() for text in urdu.get_yticklabels()] == [""] * 3
        for ax in display.axes_:
            assert [text.get_text() for text in ax.get_xticklabels()] == names
        assert row_totals(emodb) == ["n=4", "n=0", "n=2"]
        assert row_totals(urdu) == ["n=2", "n=0", "n=0"]
        assert display.colorbar_.ax.get_ylabel() == "% of the true emotion"

    def test_numbers_stand_out(self, display):
        dark = {text.get_text(): text.get_color() for text in display.axes_[0].texts}
        assert dark["75"] == "white"
        assert dark["0"] == "black"

    def test_described(self, display):
        assert display.describe() == (
            "Confusion matrices of 2 corpora, emodb and urdu: emodb has a UAR of 0.62, with "
            "recalls from 50% (sadness) to 75% (anger), and sadness is mostly mistaken for "
            "neutral; urdu has a UAR of 0.50, and anger is mostly mistaken for neutral."
        )


@pytest.mark.parametrize("length", [3, 12, 16, 24, 60])
@pytest.mark.parametrize("letter", ["i", "m", "W", "$"])
def test_titles_of_neighbours_do_not_overlap(letter, length):
    y = ["anger", "happiness", "neutral", "sadness"] * 3
    corpus = np.repeat([letter * length + end for end in "abc"], 4)
    display = CorpusConfusionDisplay.from_predictions(y, y, corpus)
    display.figure_.draw_without_rendering()
    boxes = [ax.title.get_window_extent() for ax in display.axes_]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
    whole = display.figure_.bbox
    for box in (ax.get_tightbbox() for ax in display.axes_):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= whole.x1
        assert box.y1 <= whole.y1
    assert all("UAR 1.00" in ax.get_title() for ax in display.axes_)


def test_labels_in_the_order_that_is_asked_for():
    labels = ["sadness", "neutral", "anger", "fear"]
    display = CorpusConfusionDisplay.from_predictions(TRUTH, GUESS, CORPUS, labels=labels)
    assert [text.get_text() for text in display.axes_[0].get_yticklabels()] == labels
    np.testing.assert_array_equal(display.counts["emodb"].loc["anger"], [1, 0, 3, 0])


def test_repeats_are_averaged():
    y = np.tile(["anger", "sadness"], 30)
    corpus = np.repeat(["a", "b", "c"], 20)
    result = cross_corpus_validate(
        DummyClassifier(strategy="uniform"), np.zeros((60, 1)), y, corpus, seeds=[0, 1, 2]
    )
    display = CorpusConfusionDisplay.from_result(result)
    assert list(display.counts) == ["a", "b", "c"]
    for corpus, matrix in display.counts.items():
        np.testing.assert_allclose(matrix.sum(axis=1), [10, 10])
        uar = result.summary.set_index("corpus").loc[corpus, "uar"]
        assert np.diag(matrix).sum() / 20 == pytest.approx(uar)
    assert row_totals(display.axes_[0]) == ["n=10", "n=10"]


@pytest.mark.parametrize(("n_corpora", "bottom"), [(1, [0]), (4, [2, 3]), (5, [2, 3, 4])])
def test_small_multiples(n_corpora, bottom):
    counts = pd.DataFrame(np.eye(4), index=list("abcd"), columns=list("abcd"))
    display = CorpusConfusionDisplay(dict.fromkeys(map(str, range(n_corpora)), counts)).plot()
    assert len(display.axes_) == n_corpora
    assert [ax.get_title() for ax in display.axes_] == [f"{n}: UAR 1.00" for n in range(n_corpora)]
    labelled = [number for number, ax in enumerate(display.axes_) if ax.get_xlabel()]
    assert labelled == bottom


def test_in_axes_of_ones_own():
    _, given = plt.subplots(2, 1)
    display = CorpusConfusionDisplay.from_predictions(TRUTH, GUESS, CORPUS, ax=given, cmap="Greys")
    assert display.axes_.tolist() == given.tolist()
    assert given[0].images[0].get_cmap().name == "Greys"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TRUTH, GUESS[1:], CORPUS), "inconsistent numbers of samples"),
        ((TRUTH, GUESS, [None] * 8), "corpus has 8 missing of 8 entries"),
        (([None, *TRUTH[1:]], GUESS, CORPUS), "y_true has 1 missing of 8 entries"),
    ],
)
def test_what_cannot_be_counted(arguments, message):
    with pytest.raises(ValueError, match=message):
        CorpusConfusionDisplay.from_predictions(*arguments)


def test_labels_that_are_left_out():
    with pytest.raises(ValueError, match=r"labels lacks \['neutral'\], which occur"):
        CorpusConfusionDisplay.from_predictions(TRUTH, GUESS, CORPUS, labels=["anger", "sadness"])
