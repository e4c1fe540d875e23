"""Shares of raters as y of NNPMClassifier and of the readouts of autoencoders."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from _nnpm_cases import EMOTIONS, assert_same, corpora, make, silently
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    CORALClassifier,
    DAETransformer,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    load,
    save,
)
from sklearn_ser.metrics import soft_label_divergence

ONE_HOT = pd.get_dummies


@pytest.fixture
def data():
    return corpora()


def softened(y, *, doubt=0.3, seed=0):
    """Move a random part of each label to other emotions."""
    rng = np.random.default_rng(seed)
    shares = ONE_HOT(y).to_numpy(dtype=float)
    part = rng.uniform(0, doubt, size=(len(y), 1))
    return pd.DataFrame(
        (1 - part) * shares + part * rng.dirichlet(np.ones(3), size=len(y)), columns=EMOTIONS
    )


def gapped(shares, kept):
    """Leave out the shares of some rows."""
    return shares.mask(~np.column_stack([kept] * shares.shape[1])).astype(float)


def ambiguous(n=600, seed=0):
    """Rows between two emotions, and shares of ten raters that say how far each is."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    p = 1 / (1 + np.exp(-2 * X[:, 0]))
    heard = rng.binomial(10, p)
    return X, pd.DataFrame({"joy": heard, "anger": 10 - heard}), np.column_stack([1 - p, p])


class TestNNPM:
    @pytest.mark.parametrize("columns", [[0, 1, 2], [2, 0, 1]])
    def test_one_hot_is_one_label_a_row(self, data, columns):
        X, y, T, t = data
        table = ONE_HOT(y).iloc[:, columns].astype(float)
        assert_same(make().fit(X, table, X_target=T), make().fit(X, y, X_target=T), T)
        model = make().fit(X, table)
        assert model.classes_.tolist() == EMOTIONS.tolist()
        np.testing.assert_array_equal(model.memory_labels_, y)
        assert silently(model.score, T, ONE_HOT(t)) == silently(model.score, T, t)

    def test_the_memory_keeps_the_shares(self, data):
        X, y, T, _ = data
        shares = softened(y)
        model = make().fit(X, shares, X_target=T)
        assert model.adapted_
        np.testing.assert_allclose(model.memory_shares_, shares, rtol=1e-6)
        np.testing.assert_array_equal(model.memory_labels_, shares.idxmax(axis=1))
        hard = make().fit(X, y)
        np.testing.assert_array_equal(hard.memory_shares_, ONE_HOT(y))

    def test_counts_are_shares(self):
        X, counts, _ = ambiguous(100)
        shares = counts / 10
        assert_same(make().fit(X, counts), make().fit(X, shares.to_numpy()[:, ::-1]), X)

    def test_nearly_hard_is_near_to_hard(self, data):
        X, y, T, _ = data
        table = ONE_HOT(y).to_numpy(dtype=float)
        nearly = 0.999999 * table + 0.000001 / 3
        settings = {"warmup_epochs": 2, "max_epochs": 2, "dropout": 0.0}
        for more in ({}, {"label_prediction": "threshold"}, {"n_neighbors": 5, "loss": "mmcl"}):
            soft, hard = (
                make(**settings, **more).fit(X, labels, X_target=T) for labels in (nearly, table)
            )
            np.testing.assert_allclose(soft.predict_proba(T), hard.predict_proba(T), atol=0.02)

    def test_shares_teach_more_than_the_majority(self):
        X, counts, _ = ambiguous()
        settings = {"adaptation": None, "warmup_epochs": 15, "vote": "head"}
        soft = make(**settings).fit(X, counts)
        hard = make(**settings).fit(X, counts.idxmax(axis=1))
        rows, _, truth = ambiguous(seed=1)
        assert soft_label_divergence(truth, soft.predict_proba(rows)) < 0.5 * soft_label_divergence(
            truth, hard.predict_proba(rows)
        )

    @pytest.mark.parametrize(
        "parameters",
        [
            {"label_prediction": "cycle", "n_neighbors": 10},
            {"label_prediction": "vote", "n_neighbors": 3},
            {"loss": "mmcl"},
            {"keep_source": False},
            {"adaptation": "predict"},
            {"target_prior": "source"},
        ],
    )
    def test_variants(self, data, parameters):
        X, y, T, t = data
        model = make(**parameters).fit(X, softened(y), X_target=T)
        assert model.score(T, t) > 0.5
        np.testing.assert_allclose(model.predict_proba(T).sum(axis=1), 1, rtol=1e-5)

    def test_prior_of_the_source_is_the_mass(self, data):
        X, y, T, _ = data
        shares = softened(y)
        model = make(target_prior="source").fit(X, shares, X_target=T)
        np.testing.assert_allclose(model.target_prior_, shares.mean(), rtol=1e-5)

    def test_refits_and_files_are_the_same_to_the_bit(self, data, tmp_path):
        X, y, T, _ = data
        model = make().fit(X, softened(y))
        save(model, tmp_path / "model.skops")
        loaded = load(tmp_path / "model.skops")
        assert_same(loaded.adapt(T), make().fit(X, softened(y), X_target=T), T)

    def test_a_refit_on_hard_labels_forgets_the_shares(self, data):
        X, y, T, _ = data
        assert_same(make().fit(X, softened(y)).fit(X, y), make().fit(X, y), T)

    def test_labels_of_the_target(self, data):
        X, y, T, t = data
        few = gapped(softened(t), np.arange(len(t)) < 12)
        model = make().fit(X, y).adapt(T, few)
        assert len(model.memory_shares_) == len(X) + 12
        np.testing.assert_allclose(model.memory_shares_[-12:], few[:12], rtol=1e-6)
        np.testing.assert_array_equal(model.memory_shares_[: len(X)], ONE_HOT(y))
        # Hard labels of the target behind shares of the source, and in their place.
        labels = np.where(np.arange(len(t)) < 12, t.astype(object), None)
        again = make().fit(X, softened(y), X_target=T, y_target=few).adapt(T, labels)
        np.testing.assert_array_equal(again.memory_labels_[-12:], t[:12])
        assert again.score(T, t) > 0.5
        one_hot = gapped(ONE_HOT(t), np.arange(len(t)) < 12)
        assert_same(make().fit(X, y).adapt(T, one_hot), make().fit(X, y).adapt(T, labels), T)

    def test_errors(self, data):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=r"1 of 150 rows that are NaN.*as X_target"):
            make().fit(X, gapped(softened(y), np.arange(len(y)) > 0))
        with pytest.raises(ValueError, match="does not hold shares of raters"):
            make().fit(X, softened(y) * 2)
        with pytest.raises(ValueError, match="y has 1 class only"):
            make().fit(X, np.column_stack([np.ones(len(X)), np.zeros(len(X))]))
        with pytest.raises(ValueError, match="CORALClassifier learns one emotion a row"):
            CORALClassifier().fit(X, softened(y))

    def test_changed_shares_are_refused(self, data):
        X, y, _, _ = data
        state = make().fit(X, softened(y)).__getstate__()
        state["_memory_mass"] = state["_memory_mass"] * 2
        with pytest.raises(ValueError, match="shares of raters do not fit"):
            NNPMClassifier().__setstate__(state)


AUTOENCODERS = {
    "dae": lambda **more: DAETransformer(max_epochs=5, random_state=0, **more),
    "metric": lambda **more: MetricDAE(max_epochs=5, random_state=0, y_annotation=None, **more),
    "ssvae": lambda **more: SemiSupervisedVAE(max_epochs=5, random_state=0, **more),
    "softmax": lambda **more: SemiSupervisedVAE(
        supervision="classifier", max_epochs=5, random_state=0, **more
    ),
}


@pytest.mark.filterwarnings(
    "ignore:MetricDAE got", "ignore::sklearn_ser.exceptions.PosteriorCollapseWarning"
)
@pytest.mark.parametrize("make_one", AUTOENCODERS.values(), ids=AUTOENCODERS)
class TestReadouts:
    def test_one_hot_is_one_label_a_row(self, data, make_one):
        X, y, T, t = data
        hard, soft = make_one().fit(X, y), make_one().fit(X, ONE_HOT(y))
        np.testing.assert_array_equal(soft.predict_proba(T), hard.predict_proba(T))
        assert soft.score(T, ONE_HOT(t)) == hard.score(T, t)

    def test_shares(self, data, make_one):
        X, y, T, _ = data
        shares = gapped(softened(y), np.arange(len(y)) > 4)
        model = make_one().fit(X, shares)
        assert model.classes_.tolist() == EMOTIONS.tolist()
        hard = make_one().fit(X, np.where(np.arange(len(y)) > 4, y.astype(object), None))
        assert not np.array_equal(model.predict_proba(T), hard.predict_proba(T))
        assert set(model.predict(T)) <= set(EMOTIONS)


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning")
class TestWeights:
    def test_they_are_shares(self):
        X, counts, _ = ambiguous(200)
        shares = counts / 10
        dae = DAETransformer(max_epochs=3, random_state=0, readout=LogisticRegression())
        model = dae.fit(X, shares)
        Z = model.transform(X).astype(float)
        expected = LogisticRegression().fit(
            np.concatenate([Z, Z]),
            np.repeat(["anger", "joy"], len(Z)),
            sample_weight=np.concatenate([shares["anger"], shares["joy"]]),
        )
        np.testing.assert_allclose(model.readout_.coef_, expected.coef_, rtol=1e-2, atol=1e-3)

    def test_each_step_of_a_pipeline_that_can_takes_them(self):
        X, counts, _ = ambiguous(200)
        readout = make_pipeline(StandardScaler(), MinMaxScaler(), SVC())
        dae = DAETransformer(max_epochs=3, random_state=0, readout=readout)
        Z = dae.fit(X).transform(X).astype(float)
        for routing in (False, True):
            with sklearn.config_context(enable_metadata_routing=routing):
                dae.fit(X, counts / 10)
            # Each row counts once, whatever number of emotions have a share in it.
            np.testing.assert_allclose(dae.readout_[0].mean_, Z.mean(axis=0), atol=1e-9)

    def test_a_readout_without_weights_is_refused(self):
        X, counts, _ = ambiguous(50)
        for readout in (KNeighborsClassifier(), make_pipeline(SVC(), KNeighborsClassifier())[1:]):
            dae = DAETransformer(max_epochs=1, readout=readout)
            with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
                dae.fit(X, counts / 10)

    def test_other_tables_have_no_readout(self):
        X, counts, _ = ambiguous(50)
        dae = DAETransformer(max_epochs=1).fit(X, counts)
        with pytest.raises(AttributeError, match="predict") as caught:
            dae.predict(X)
        assert "or shares of raters, whose rows sum to 1" in str(caught.value.__cause__)

    def test_a_class_that_is_nowhere_the_largest(self):
        X, _, _ = ambiguous(60)
        shares = np.tile([0.5, 0.3, 0.2], (60, 1))
        shares[::2] = [0.3, 0.5, 0.2]
        for supervision in ("cluster", "classifier"):
            model = SemiSupervisedVAE(max_epochs=2, supervision=supervision).fit(X, shares)
            assert model.classes_.tolist() == [0, 1, 2]
            assert model.predict_proba(X).shape == (60, 3)
