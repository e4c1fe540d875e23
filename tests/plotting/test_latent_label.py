import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress

from sklearn_ser import CorpusScaler
from sklearn_ser.plotting import LatentLabelDisplay

CORPUS = np.repeat(["emodb", "ravdess", "urdu"], 20)


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(1, 5, (60, 2)), columns=["activation", "valence"])
    # Nobody rated ravdess, and of urdu only a part.
    table.loc[20:39] = np.nan
    table.loc[50:, "activation"] = np.nan
    return table


@pytest.fixture
def Z(labels):
    noise = np.random.default_rng(1).normal(size=(60, 3))
    noise[:, 1] += 2 * labels["activation"].fillna(0)
    noise[:, 2] -= labels["valence"].fillna(0)
    return noise


def lines_and_points(axes):
    lines = [line for line in axes.lines if line.get_color() != "white"]
    return lines, [points.get_offsets() for points in axes.collections]


class TestPanels:
    def test_a_row_for_each_label_a_column_for_each_component(self, Z, labels):
        display = LatentLabelDisplay.from_embedding(Z, labels, CORPUS, components=[2, 0, 1])
        assert display.axes_.shape == (2, 3)
        for row, label in enumerate(["activation", "valence"]):
            for column, component in enumerate(["component 3", "component 1", "component 2"]):
                assert display.axes_[row, column].get_xlabel() == label
                assert display.axes_[row, column].get_ylabel() == component

    def test_points(self, Z, labels):
        display = LatentLabelDisplay.from_embedding(Z, labels, CORPUS, components=[1])
        _, (emodb, ravdess, urdu) = lines_and_points(display.axes_[0, 0])
        np.testing.assert_array_equal(emodb, np.column_stack([labels.activation[:20], Z[:20, 1]]))
        assert len(ravdess) == 0
        assert len(urdu) == 10

    def test_lines(self, Z, labels):
        display = LatentLabelDisplay.from_embedding(Z, labels, CORPUS, components=[1])
        (emodb, ravdess, urdu), _ = lines_and_points(display.axes_[0, 0])
        for line, rows in ((emodb, slice(0, 20)), (urdu, slice(40, 50))):
            x, y = labels.activation[rows], Z[rows, 1]
            expected = linregress(x, y)
            np.testing.assert_allclose(line.get_xdata(), [x.min(), x.max()])
            np.testing.assert_allclose(
                line.get_ydata(), expected.intercept + expected.slope * line.get_xdata()
            )
            fit = display.fits_["activation", "component 2", CORPUS[rows][0]]
            assert fit.r == pytest.approx(expected.rvalue)
            assert fit.slope == pytest.approx(expected.slope)
            assert fit.n_samples == len(x)
        assert np.isnan(ravdess.get_ydata()).all()
        assert len({line.get_linestyle() for line in (emodb, ravdess, urdu)}) == 3

    def test_legend(self, Z, labels):
        display = LatentLabelDisplay.from_embedding(Z, labels, CORPUS, components=[1])
        fit = display.fits_["activation", "component 2", "emodb"]
        texts = [text.get_text() for text in display.axes_[0, 0].get_legend().get_texts()]
        assert texts[:2] == [f"emodb: r {fit.r:.2f}, R² {fit.r**2:.2f}", "ravdess: no labels"]


class TestComponents:
    def test_two_are_all_drawn(self, Z, labels):
        display = LatentLabelDisplay.from_embedding(Z[:, :2], labels, CORPUS)
        assert list(display.components) == ["component 1", "component 2"]

    def test_of_more_the_closest(self, Z, labels):
        display = LatentLabelDisplay.from_embedding(Z, labels, CORPUS)
        assert list(display.components) == ["component 2", "component 3"]
        display = LatentLabelDisplay.from_embedding(Z, labels.valence, CORPUS)
        assert list(display.components) == ["component 3"]

    @pytest.mark.parametrize("components", [[3], [-1], [0, 7]])
    def test_one_that_is_not_there(self, Z, labels, components):
        with pytest.raises(ValueError, match="components must be columns of Z, from 0 to 2, got"):
            LatentLabelDisplay.from_embedding(Z, labels, CORPUS, components=components)


class TestLabels:
    @pytest.mark.parametrize(
        ("convert", "names"),
        [
            (lambda table: table, ["activation", "valence"]),
            (lambda table: table.set_index(table.index[::-1]), ["activation", "valence"]),
            (dict, ["activation", "valence"]),
            (lambda table: table.to_numpy(), ["label 1", "label 2"]),
            (lambda table: table["valence"], ["valence"]),
            (lambda table: table["valence"].rename(None), ["label"]),
            (lambda table: table["valence"].tolist(), ["label"]),
        ],
    )
    def test_containers(self, Z, labels, convert, names):
        display = LatentLabelDisplay.from_embedding(Z, convert(labels), CORPUS, components=[2])
        assert list(display.labels) == names
        expected = linregress(labels.valence[:20], Z[:20, 2]).rvalue
        assert display.fits_[names[-1], "component 3", "emodb"].r == pytest.approx(expected)

    @pytest.mark.parametrize("n_rated", [0, 2])
    def test_too_few_for_a_line(self, Z, n_rated):
        label = np.full(60, np.nan)
        label[:n_rated] = [1.0, 2.0][:n_rated]
        display = LatentLabelDisplay.from_embedding(Z[:, :1], label, CORPUS)
        assert np.isnan(display.fits_["label", "component 1", "emodb"].r)
        texts = [text.get_text() for text in display.axes_[0, 0].get_legend().get_texts()]
        assert texts[0] == ("emodb: no line" if n_rated else "emodb: no labels")

    def test_constants(self, Z):
        display = LatentLabelDisplay.from_embedding(np.ones((60, 1)), Z[:, 0], CORPUS)
        assert all(np.isnan(fit.slope) for fit in display.fits_.values())

    def test_a_wrong_number(self, Z, labels):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            LatentLabelDisplay.from_embedding(Z, labels[1:], CORPUS)


def test_from_estimator_takes_each_corpus_as_a_batch(labels):
    X = np.random.default_rng(0).normal(size=(60, 2)) + 50 * (CORPUS == "urdu")[:, None]
    scaler = CorpusScaler().fit(X, sample_domain=CORPUS)
    display = LatentLabelDisplay.from_estimator(scaler, X, labels, CORPUS, components=[1])
    expected = scaler.transform_corpus(X, CORPUS)[:, [1]]
    np.testing.assert_allclose(display.components, expected, atol=1e-6, rtol=0)


def test_described(Z, labels):
    display = LatentLabelDisplay.from_embedding(Z, labels.valence, CORPUS, components=[2])
    r = [display.fits_["valence", "component 3", name].r for name in ("emodb", "urdu")]
    assert display.describe() == (
        f"Scatter of component 3 over valence, lines of 3 corpora: r is {r[0]:.2f} in emodb, "
        f"unknown in ravdess, {r[1]:.2f} in urdu."
    )
