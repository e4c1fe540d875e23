import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score

from sklearn_ser.metrics import adjusted_r2, ccc_scorer, concordance_correlation, latent_r2


class TestConcordanceCorrelation:
    def test_by_hand(self):
        # Means 2.5 and 3, variances 1.25 and 0.5, covariance (1.5 + 0 + 0 + 1.5) / 4.
        assert concordance_correlation([1, 2, 3, 4], [2, 3, 3, 4]) == pytest.approx(
            2 * 0.75 / (1.25 + 0.5 + 0.25)
        )

    @pytest.mark.parametrize(
        ("y_pred", "expected"),
        [
            ([1, 2, 3, 4], 1.0),
            ([4, 3, 2, 1], -1.0),
            ([2.5] * 4, 0.0),
            # A shift by one: 2 v / (2 v + 1), v = 1.25.
            ([2, 3, 4, 5], 2.5 / 3.5),
            # Half the range around the same mean: 2 (v / 2) / (v + v / 4).
            ([1.75, 2.25, 2.75, 3.25], 0.8),
        ],
    )
    def test_known_cases(self, y_pred, expected):
        assert concordance_correlation([1, 2, 3, 4], y_pred) == pytest.approx(expected)

    @pytest.mark.parametrize("seed", range(5))
    def test_invariants(self, seed):
        rng = np.random.default_rng(seed)
        y_true = rng.normal(size=50)
        y_pred = 0.5 * y_true + rng.normal(size=50)
        ccc = concordance_correlation(y_true, y_pred)
        assert concordance_correlation(y_pred, y_true) == pytest.approx(ccc)
        assert concordance_correlation(7 - 3 * y_true, 7 - 3 * y_pred) == pytest.approx(ccc)
        assert abs(ccc) <= abs(np.corrcoef(y_true, y_pred)[0, 1])

    def test_constants(self):
        assert np.isnan(concordance_correlation([0.1] * 3, [0.1] * 3))
        assert concordance_correlation([0.1] * 3, [0.2] * 3) == pytest.approx(0)

    def test_containers(self):
        for container in (list, np.array, pd.Series, lambda values: np.array(values)[:, None]):
            assert concordance_correlation(container([1, 2, 3]), [2, 3, 4]) == pytest.approx(4 / 7)

    def test_scorer(self):
        X, y = np.arange(20.0)[:, None], 3 * np.arange(20.0)
        scores = cross_val_score(LinearRegression(), X, y, cv=2, scoring=ccc_scorer)
        np.testing.assert_allclose(scores, 1)
        assert pickle.loads(pickle.dumps(ccc_scorer))(DummyRegressor().fit(X, y), X, y) == 0


class TestAdjustedR2:
    def test_by_hand(self):
        # Errors 0, 0, 1, 1 of a total of 5: R² = 0.6; then 1 - 0.4 * 3 / 2 and 1 - 0.4 * 3.
        y_true, y_pred = [1, 2, 3, 4], [1, 2, 2, 3]
        assert adjusted_r2(y_true, y_pred, n_predictors=0) == pytest.approx(0.6)
        assert adjusted_r2(y_true, y_pred) == pytest.approx(0.4)
        assert adjusted_r2(y_true, y_pred, n_predictors=2) == pytest.approx(-0.2)

    @pytest.mark.parametrize("seed", range(5))
    def test_without_predictors_it_is_that_of_scikit_learn(self, seed):
        y_true, y_pred = np.random.default_rng(seed).normal(size=(2, 30))
        expected = r2_score(y_true, y_pred)
        assert adjusted_r2(y_true, y_pred, n_predictors=0) == pytest.approx(expected)

    def test_is_zero_on_average_for_noise(self):
        rng = np.random.default_rng(0)
        scores = []
        for _ in range(300):
            X, y = rng.normal(size=(30, 10)), rng.normal(size=30)
            scores.append(adjusted_r2(y, LinearRegression().fit(X, y).predict(X), 10))
        assert np.mean(scores) == pytest.approx(0, abs=4 * np.std(scores) / np.sqrt(300))

    def test_constant_truth(self):
        assert np.isnan(adjusted_r2([0.1] * 4, [0.1, 0.2, 0.3, 0.4]))


class TestLatentR2:
    def test_by_hand(self):
        # z0 is the label; z1 is uncorrelated with it: R² 0, adjusted 1 - 3 / 2.
        table = latent_r2([[1.0, 1], [2, -1], [3, -1], [4, 1]], [1.0, 2, 3, 4])
        assert table.columns.tolist() == [
            "direction",
            "target",
            "n_predictors",
            "n_samples",
            "r2",
            "adjusted_r2",
        ]
        assert table["direction"].tolist() == ["label_on_latent", *["latent_on_label"] * 2]
        assert table["target"].tolist() == ["label0", "Z0", "Z1"]
        assert table["n_predictors"].tolist() == [2, 1, 1]
        assert table["n_samples"].tolist() == [4] * 3
        np.testing.assert_allclose(table["r2"], [1, 1, 0], atol=1e-12)
        np.testing.assert_allclose(table["adjusted_r2"], [1, 1, -0.5], atol=1e-12)

    @pytest.mark.parametrize("seed", range(3))
    def test_one_component_and_one_label_give_the_squared_correlation(self, seed):
        z, label = np.random.default_rng(seed).normal(size=(2, 40))
        squared = np.corrcoef(z, label)[0, 1] ** 2
        np.testing.assert_allclose(latent_r2(z[:, None], label)["r2"], squared)

    @pytest.mark.parametrize("seed", range(3))
    def test_labels_do_not_care_for_the_axes_of_the_embedding(self, seed):
        rng = np.random.default_rng(seed)
        Z, labels = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
        first, second = (
            latent_r2(rows, labels).query("direction == 'label_on_latent'")["adjusted_r2"]
            for rows in (Z, Z @ rng.normal(size=(3, 3)) + 5)
        )
        np.testing.assert_allclose(first, second)

    def test_gaps_are_left_out_and_columns_keep_their_names(self):
        rng = np.random.default_rng(0)
        Z = pd.DataFrame(rng.normal(size=(30, 2)), columns=["dae0", "dae1"])
        labels = pd.DataFrame(rng.normal(size=(30, 2)), columns=["activation", "valence"])
        labels.iloc[3, 0] = labels.iloc[5, 1] = np.nan
        table = latent_r2(Z, labels)
        assert table["target"].tolist() == ["activation", "valence", "dae0", "dae1"]
        assert table["n_samples"].tolist() == [28] * 4
        kept = labels.notna().all(axis=1)
        pd.testing.assert_frame_equal(table, latent_r2(Z[kept], labels[kept]))


class TestErrors:
    @pytest.mark.parametrize("metric", [concordance_correlation, adjusted_r2])
    @pytest.mark.parametrize(
        ("y_true", "y_pred", "message"),
        [
            ([1, 2, 3], [1, 2], "inconsistent numbers of samples"),
            ([1, np.nan, 3], [1, 2, 3], "y_true contains NaN"),
            ([1, 2, 3], [1, np.inf, 3], "y_pred contains infinity"),
            (np.eye(3), np.eye(3), r"y_true must hold one number .* got shape \(3, 3\)"),
        ],
    )
    def test_values(self, metric, y_true, y_pred, message):
        with pytest.raises(ValueError, match=message):
            metric(y_true, y_pred)

    @pytest.mark.parametrize("n_predictors", [-1, 1.5, "two"])
    def test_predictors(self, n_predictors):
        with pytest.raises(ValueError, match="n_predictors must be an integer of at least 0"):
            adjusted_r2([1, 2, 3], [1, 2, 3], n_predictors)

    def test_too_few_samples(self):
        with pytest.raises(ValueError, match="with 3 predictors needs at least 5 samples, got 4"):
            adjusted_r2([1, 2, 3, 4], [1, 2, 3, 4], 3)

    @pytest.mark.parametrize(
        ("Z", "labels", "message"),
        [
            (np.ones((4, 2)), np.ones(3), "inconsistent numbers of samples"),
            (np.full((4, 2), np.nan), np.ones(4), "Z contains NaN"),
            (np.eye(4), [1, 2, 3, np.nan], "labels has 3 samples without gaps; .* at least 6"),
            (np.ones((4, 2, 1)), np.ones(4), r"Z must have one row .* got shape \(4, 2, 1\)"),
        ],
    )
    def test_latent_r2(self, Z, labels, message):
        with pytest.raises(ValueError, match=message):
            latent_r2(Z, labels)
