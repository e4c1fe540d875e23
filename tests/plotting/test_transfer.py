import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from sklearn_ser import transfer_matrix
from sklearn_ser.plotting import TransferMatrixDisplay

NAMES = ["emodb", "urdu"]
MATRIX = pd.DataFrame([[0.8, 0.42], [0.5, np.nan]], index=NAMES, columns=NAMES)


def test_cells():
    display = TransferMatrixDisplay(MATRIX).plot()
    assert [text.get_text() for text in display.ax_.texts] == ["0.80", "0.42", "0.50", "–"]
    assert [text.get_color() for text in display.ax_.texts] == ["white", *["black"] * 3]
    shown = display.image_.get_array()
    assert shown.mask.tolist() == [[False, False], [False, True]]
    np.testing.assert_array_equal(shown.compressed(), [0.8, 0.42, 0.5])
    assert display.image_.get_clim() == (0, 1)


def test_rows_are_trained_on():
    display = TransferMatrixDisplay(MATRIX.rename(index={"urdu": "cafe"})).plot()
    assert display.ax_.get_ylabel() == "trained on"
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["emodb", "cafe"]
    assert display.ax_.get_xlabel() == "tested on"
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == NAMES
    # Only where both are the same there is a frame.
    (frame,) = display.ax_.patches
    np.testing.assert_allclose(frame.get_xy()[:-1].mean(axis=0), [0, 0], atol=1e-12)


def test_other_colours():
    display = TransferMatrixDisplay(MATRIX).plot(cmap="Greys", low=0.25, high=0.9)
    assert display.image_.get_clim() == (0.25, 0.9)
    assert display.image_.get_cmap().name == "Greys"


def test_of_a_result():
    rng = np.random.default_rng(0)
    y, corpus = np.tile(["anger", "sadness"], 45), np.repeat(["a", "b", "c"], 30)
    result = transfer_matrix(
        DummyClassifier(strategy="stratified", random_state=0),
        rng.normal(size=(90, 2)),
        y,
        corpus,
        speaker=np.repeat(np.arange(18), 5),
    )
    display = TransferMatrixDisplay.from_result(result)
    assert display.colorbar_.ax.get_ylabel() == "UAR"
    np.testing.assert_array_equal(display.image_.get_array(), result.scores)
    other = TransferMatrixDisplay.from_result(result, metric="macro_f1")
    assert other.colorbar_.ax.get_ylabel() == "macro F1"
    np.testing.assert_array_equal(other.image_.get_array(), result.table("macro_f1"))


def test_described():
    assert TransferMatrixDisplay(MATRIX, metric="ccc").describe() == (
        "CCC of training on each of 2 corpora and testing on each of 2: from 0.42 (emodb to urdu) "
        "to 0.50 (urdu to emodb) and 0.46 on average between different corpora; 0.80 on average "
        "within a corpus."
    )
    nothing = pd.DataFrame([[np.nan]], index=["a"], columns=["a"])
    assert TransferMatrixDisplay(nothing).describe().endswith("testing on each of 1: no scores.")


def test_an_empty_matrix():
    with pytest.raises(
        ValueError, match="matrix is empty; it needs a row for each training corpus"
    ):
        TransferMatrixDisplay(pd.DataFrame()).plot()
