import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from sklearn_ser import cross_corpus_validate
from sklearn_ser.plotting import UARDisplay

SVM = pd.DataFrame(
    {
        "corpus": ["emodb", "urdu", "mean"],
        "uar": [0.6, 0.5, 0.55],
        "uar_low": [0.5, np.nan, 0.45],
        "uar_high": [0.75, np.nan, 0.65],
    }
)
# Another order, one corpus less, no intervals.
DAE = pd.DataFrame({"corpus": ["mean", "urdu"], "uar": [0.4, 0.4]})


def points(display, method):
    return display.points_[method].lines[0].get_xydata()


def intervals(display, method):
    """The ends of the intervals by the place of their point, rounded."""
    segments = display.points_[method].lines[2][0].get_segments()
    return {
        round(segment[0, 0], 2): segment[:, 1].round(3).tolist()
        for segment in segments
        if segment.size and np.isfinite(segment).all()
    }


class TestPlot:
    @pytest.fixture
    def display(self):
        chance = {"emodb": 0.25, "urdu": 0.2}
        return UARDisplay({"svm": SVM, "dae": DAE}, chance=chance).plot()

    def test_points(self, display):
        np.testing.assert_allclose(points(display, "svm")[:, 1], [0.6, 0.5, 0.55])
        np.testing.assert_allclose(points(display, "dae")[:, 1], [np.nan, 0.4, 0.4])

    def test_methods_stand_side_by_side_over_their_corpus(self, display):
        svm, dae = points(display, "svm")[:, 0], points(display, "dae")[:, 0]
        assert (svm < dae).all()
        np.testing.assert_allclose((svm + dae) / 2, [0, 1, 2], atol=1e-12)
        assert [text.get_text() for text in display.ax_.get_xticklabels()] == list(SVM.corpus)
        assert (abs(svm - [0, 1, 2]) < 0.5).all()

    def test_intervals_where_there_are_any(self, display):
        svm = points(display, "svm")[:, 0].round(2)
        assert intervals(display, "svm") == {svm[0]: [0.5, 0.75], svm[2]: [0.45, 0.65]}
        assert intervals(display, "dae") == {}

    def test_chance(self, display):
        (lines,) = (one for one in display.ax_.collections if one.get_linestyle()[0][1] is not None)
        # Where a corpus ends, its line does; that of the mean is their mean.
        np.testing.assert_allclose(
            lines.get_segments(),
            [
                [[-0.5, 0.25], [0.5, 0.25]],
                [[0.5, 0.2], [1.5, 0.2]],
                [[1.5, 0.225], [2.5, 0.225]],
            ],
        )

    def test_words(self, display):
        assert display.ax_.get_ylabel() == "UAR, 95% interval"
        legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert legend == ["svm", "dae", "chance"]

    def test_methods_differ_in_colour_and_shape(self, display):
        svm, dae = (display.points_[method].lines[0] for method in ("svm", "dae"))
        assert svm.get_marker() != dae.get_marker()
        assert svm.get_color() != dae.get_color()

    def test_described(self, display):
        assert display.describe() == (
            "UAR of svm and dae on 2 corpora: svm mean 0.55 (0.45 to 0.65); dae mean 0.40; chance "
            "is 0.23."
        )


def test_without_chance_and_intervals():
    display = UARDisplay({"dae": DAE}).plot()
    assert display.ax_.get_ylabel() == "UAR"
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["dae"]
    assert display.describe() == "UAR of dae on 1 corpus: urdu 0.40 and mean 0.40."


def test_different_chances_are_all_told():
    display = UARDisplay({"svm": SVM[:2]}, chance={"emodb": 0.25, "urdu": 1 / 6})
    assert display.describe().endswith("chance is 0.17 to 0.25.")


class TestFromResults:
    X = np.zeros((90, 1))
    corpus = np.repeat(["a", "b", "c"], 30)
    speaker = np.repeat(np.arange(18), 5)

    def validate(self, **arguments):
        y = np.tile(["anger", "neutral", "sadness"], 30)
        # The first corpus has two emotions only.
        y[:30] = np.tile(["anger", "neutral"], 15)
        model = DummyClassifier(strategy="uniform", random_state=0)
        return cross_corpus_validate(model, self.X, y, self.corpus, **arguments)

    def test_several_methods(self):
        known, unknown = self.validate(speaker=self.speaker, confidence=0.9), self.validate()
        display = UARDisplay.from_results({"known": known, "unknown": unknown})
        summary = known.summary
        np.testing.assert_allclose(points(display, "known")[:, 1], summary.uar)
        ends = [*intervals(display, "known").values()]
        np.testing.assert_allclose(ends, summary[["uar_low", "uar_high"]], atol=6e-4)
        assert intervals(display, "unknown") == {}
        assert display.chance == {"a": 1 / 2, "b": 1 / 3, "c": 1 / 3}
        assert display.ax_.get_ylabel() == "UAR, 90% interval"
        assert [text.get_text() for text in display.ax_.get_xticklabels()] == [*"abc", "mean"]

    def test_a_single_one(self):
        display = UARDisplay.from_results(self.validate())
        assert display.describe().startswith("UAR on 3 corpora: a 0.")
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert texts == ["UAR", "chance"]

    def test_another_metric(self):
        result = self.validate()
        display = UARDisplay.from_results({"svm": result}, metric="accuracy")
        np.testing.assert_allclose(points(display, "svm")[:, 1], result.summary.accuracy)
        assert display.chance is None
        assert display.ax_.get_ylabel() == "accuracy"

    def test_a_regressor(self):
        y = np.random.default_rng(0).normal(size=90)
        result = cross_corpus_validate(DummyRegressor(), self.X, y, self.corpus)
        display = UARDisplay.from_results({"mean": result})
        assert display.ax_.get_ylabel() == "CCC"
        assert display.chance is None


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "scores is empty; pass the table of at least one method"),
        ({"svm": SVM[["uar"]]}, r"the scores of 'svm' have no column 'corpus', only \['uar'\]"),
        ({"svm": SVM[["corpus"]]}, "the scores of 'svm' have no column 'uar'"),
        ({"svm": pd.concat([SVM, SVM[:1]])}, r"several rows for \['emodb'\]; average them first"),
    ],
)
def test_tables_that_cannot_be_drawn(scores, message):
    with pytest.raises(ValueError, match=message):
        UARDisplay(scores).plot()


def test_no_results():
    with pytest.raises(ValueError, match="results is empty; pass at least one"):
        UARDisplay.from_results({})
