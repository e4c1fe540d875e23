import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import DAETransformer, KLAnnealedVAE, MetricDAE, NNPMClassifier
from sklearn_ser.plotting import TrainingCurvesDisplay

X = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def vae():
    return KLAnnealedVAE(
        2, hidden_layer_sizes=8, beta=0.2, max_epochs=8, early_stopping=True, random_state=0
    ).fit(X)


def values(vae, name):
    return [row[name] for row in vae.history_]


class TestVAE:
    def test_a_panel_for_each_term_and_the_weight(self, vae):
        display = TrainingCurvesDisplay.from_estimator(vae)
        panels = ["loss", "reconstruction", "kl", "active_units", "weights"]
        assert list(display.axes_) == panels
        assert [ax.get_title() for ax in display.axes_.values()] == list(display.axes_)
        for term in ("loss", "reconstruction", "kl"):
            for name in (term, f"validation_{term}"):
                curve = display.lines_[name]
                assert curve.axes is display.axes_[term]
                np.testing.assert_array_equal(curve.get_xdata(), np.arange(1, 9))
                np.testing.assert_array_equal(curve.get_ydata(), values(vae, name))

    def test_the_weight_of_the_divergence(self, vae):
        display = TrainingCurvesDisplay.from_estimator(vae)
        curve = display.lines_["kl_weight"]
        np.testing.assert_array_equal(curve.get_ydata(), vae.kl_weight_)
        assert curve.axes is display.axes_["weights"]
        (text,) = display.axes_["weights"].get_legend().get_texts()
        assert text.get_text() == "kl"

    def test_training_and_held_out_differ_without_colour(self, vae):
        display = TrainingCurvesDisplay.from_estimator(vae)
        assert display.lines_["loss"].get_linestyle() == "-"
        assert display.lines_["validation_loss"].get_linestyle() == "--"
        legend = display.axes_["loss"].get_legend()
        assert [text.get_text() for text in legend.get_texts()] == ["training", "held out"]
        assert display.axes_["kl"].get_legend() is None

    def test_described(self, vae):
        kl = values(vae, "kl")
        sentence = TrainingCurvesDisplay(vae.history_, best_epoch=vae.best_epoch_).describe()
        assert sentence.startswith("Training over 8 epochs: loss goes from ")
        assert f"kl goes from {kl[0]:.3g} to {kl[-1]:.3g}" in sentence
        assert "the weight of kl goes from 0 to 0.2" in sentence
        assert sentence.endswith(f", the weights of epoch {vae.best_epoch_} were kept.")


def test_without_weights():
    display = TrainingCurvesDisplay.from_estimator(DAETransformer(2, max_epochs=3).fit(X))
    assert list(display.axes_) == ["loss", "reconstruction"]
    assert [ax.get_legend() for ax in display.axes_.values()] == [None, None]


def test_equal_weights_are_one_line():
    dae = MetricDAE(2, max_epochs=3, metric_weight=0.3).fit(X, activation=X[:, 0])
    display = TrainingCurvesDisplay.from_estimator(dae)
    (line,) = display.axes_["weights"].lines
    assert line.get_ydata().tolist() == [0.3] * 3
    (text,) = display.axes_["weights"].get_legend().get_texts()
    assert text.get_text() == "activation_residual,\nactivation_slope"
    assert "the weight of activation_slope is 0.3" in display.describe()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda dae: make_pipeline(StandardScaler(), dae),
        lambda dae: make_pipeline(StandardScaler(), dae, PCA(1)),
        lambda dae: GridSearchCV(make_pipeline(dae), {"daetransformer__noise": [0.1]}, cv=2),
    ],
)
def test_inside_of_others(wrap):
    model = wrap(DAETransformer(2, max_epochs=3)).fit(X)
    curve = TrainingCurvesDisplay.from_estimator(model).lines_["loss"]
    assert len(curve.get_xdata()) == 3


HISTORY = [{"epoch": epoch, "loss": 1 / epoch, "duration": 1.0} for epoch in range(1, 6)]


class TestHistory:
    def test_the_epoch_that_was_kept(self):
        display = TrainingCurvesDisplay(HISTORY, best_epoch=3).plot()
        _, mark = display.axes_["loss"].lines
        assert mark.get_xdata() == [3, 3]
        assert len(TrainingCurvesDisplay(HISTORY, best_epoch=5).plot().axes_["loss"].lines) == 1

    def test_only_losses_have_panels(self):
        history = [row | {"loss_of": "words", "other_weight": 2.0} for row in HISTORY]
        # A weight without its term is a number like any other.
        assert list(TrainingCurvesDisplay(history).plot().axes_) == ["loss", "other_weight"]

    def test_terms_that_appear_later(self):
        history = [*HISTORY, {"epoch": 6, "loss": 0.1, "memory": 3.0}]
        display = TrainingCurvesDisplay(history).plot()
        assert np.isnan(display.lines_["memory"].get_ydata()).sum() == 5
        assert display.describe().endswith(" and memory is 3.")

    def test_a_term_without_values(self):
        history = [row | {"memory": float("nan")} for row in HISTORY]
        assert TrainingCurvesDisplay(history).describe().endswith(" and memory is undefined.")

    def test_a_single_epoch_is_seen(self):
        display = TrainingCurvesDisplay(HISTORY[:1]).plot()
        assert display.lines_["loss"].get_marker() == "o"
        assert display.describe().startswith("Training over 1 epoch: ")

    def test_logarithmic(self):
        history = [{"loss": 1.0}, {"loss": 0.0}, {"loss": 0.1}]
        display = TrainingCurvesDisplay(history).plot(log=True)
        assert display.axes_["loss"].get_yscale() == "log"
        assert display.lines_["loss"].get_xdata().tolist() == [1, 2, 3]

    def test_empty(self):
        with pytest.raises(ValueError, match="history is empty; it needs an entry"):
            TrainingCurvesDisplay([]).plot()


@pytest.mark.parametrize("estimator", [PCA(), DAETransformer()])
def test_nothing_was_trained(estimator):
    with pytest.raises(TypeError, match=r"has no history_\. Pass a fitted autoencoder"):
        TrainingCurvesDisplay.from_estimator(estimator)


def test_figures_after_the_last_epoch_are_no_curves():
    history = [{"epoch": epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)]
    history[-1] |= {"final_drift": 0.5, "accepted": True, "reason": ""}
    display = TrainingCurvesDisplay(history).plot()
    assert [*display.axes_] == ["loss"]
    assert "final_drift" not in display.describe()


def test_an_adaptation_shows_both_phases():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = np.where(X[:, 0] > 0, "anger", "sadness")
    model = NNPMClassifier(n_estimators=1, warmup_epochs=4, max_epochs=3, random_state=0)
    display = TrainingCurvesDisplay.from_estimator(model.fit(X, y, X_target=X + 0.1))
    source, multilabel = (display.lines_[name].get_ydata() for name in ("source", "multilabel"))
    assert np.isfinite(source).sum() == 7
    assert np.isfinite(multilabel).sum() == 3
    assert not [name for name in display.axes_ if name.startswith("final_")]
