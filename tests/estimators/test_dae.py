import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn import clone, config_context
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    LeaveOneCorpusOut,
    MetricDAE,
    cross_corpus_validate,
)
from sklearn_ser.exceptions import PosteriorCollapseWarning
from sklearn_ser.nn._training import EpochState


def mixtures(n=400, n_features=12, seed=0):
    """Rows near a plane: two components of variance about 9 and 4, noise of 0.01."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((n_features, 2)))[0]
    X = rng.standard_normal((n, 2)) * [3, 2] @ directions.T
    return X + 0.1 * rng.standard_normal(X.shape)


def labelled_corpora(seed=0, n_per_class=15):
    """Two emotions apart by three deviations, in three corpora apart by much more."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.repeat(["anger", "sadness"], n_per_class), 3)
    corpus = np.repeat(["emodb", "ravdess", "urdu"], 2 * n_per_class)
    X = rng.normal(size=(len(y), 10)) + 3 * (y == "anger")[:, None]
    X += np.repeat([[0], [40], [-300]], 2 * n_per_class, axis=0)
    return X, y, corpus


class TestOptimum:
    def test_without_noise_and_hidden_layers_it_is_a_pca(self):
        X = mixtures()
        X -= X.mean(axis=0)
        dae = DAETransformer(
            2, hidden_layer_sizes=(), noise=0, learning_rate=1e-2, max_epochs=150, random_state=0
        ).fit(X)
        pca = PCA(2).fit(X)
        lowest = np.mean((pca.inverse_transform(pca.transform(X)) - X) ** 2)
        # No affine map to two numbers and back does better, and this one comes close.
        assert lowest * (1 - 1e-4) < -dae.score(X) < 1.1 * lowest
        difference = pca.inverse_transform(pca.transform(X)) - dae.reconstruct(X)
        assert np.mean(difference**2) < 1e-3 * X.var()

    @pytest.mark.parametrize("noise", [0.0, 0.5, 1.0, 2.0])
    def test_noise_shrinks_what_is_reconstructed(self, noise):
        # From x + noise, the best linear estimate of x has the slope var / (var + noise^2).
        x = np.random.default_rng(0).standard_normal((2000, 1))
        dae = DAETransformer(
            1,
            hidden_layer_sizes=(),
            noise=noise,
            learning_rate=1e-2,
            max_epochs=40,
            batch_size=256,
            random_state=0,
        ).fit(x)
        slope = np.polyfit(x.ravel(), dae.reconstruct(x).ravel(), 1)[0]
        assert slope == pytest.approx(x.var() / (x.var() + noise**2), abs=0.06)

    def test_bends_that_no_plane_can_follow(self):
        angle = np.random.default_rng(0).uniform(0, np.pi, size=(500, 1))
        X = np.hstack([np.cos(angle), np.sin(angle)])
        pca = PCA(1).fit(X)
        affine = np.mean((pca.inverse_transform(pca.transform(X)) - X) ** 2)
        dae = DAETransformer(
            1, hidden_layer_sizes=(32,), noise=0.02, max_epochs=150, batch_size=32, random_state=0
        ).fit(X)
        assert -dae.score(X) < 0.2 * affine


class TestLoss:
    def test_it_is_the_mean_squared_error_to_the_rows_without_noise(self):
        X = mixtures()
        dae = DAETransformer(2, learning_rate=1e-12, max_epochs=1, noise=0, random_state=0).fit(X)
        assert dae.history_[0]["reconstruction"] == pytest.approx(-dae.score(X), rel=1e-5)
        assert dae.history_[0]["loss"] == dae.history_[0]["reconstruction"]

    def test_the_noise_has_the_size_asked_for(self):
        X = np.zeros((500, 20), dtype=np.float32)
        dae = DAETransformer(2, noise=1.5, max_epochs=1, batch_size=500, random_state=0)
        seen = []

        def module(x):
            seen.append(x)
            return x

        state = EpochState(0, {}, torch.Generator().manual_seed(0))
        dae._loss_terms(module, {"X": torch.from_numpy(X)}, state)
        assert seen[0].std().item() == pytest.approx(1.5, rel=0.03)

    def test_labels_are_not_looked_at(self):
        X, y, _ = labelled_corpora()
        embeddings = [
            DAETransformer(2, max_epochs=2, random_state=0).fit(X, labels).transform(X)
            for labels in (None, y, y[::-1])
        ]
        np.testing.assert_array_equal(embeddings[0], embeddings[1])
        np.testing.assert_array_equal(embeddings[0], embeddings[2])


class TestConstantEmbedding:
    @pytest.mark.parametrize("cls", [DAETransformer, MetricDAE])
    @pytest.mark.filterwarnings("ignore:MetricDAE got")
    def test_it_is_told_and_the_remedy_helps(self, cls):
        X = mixtures()
        dae = cls(
            2, hidden_layer_sizes=(16, 16, 16), learning_rate=0.3, max_epochs=30, random_state=0
        )
        with pytest.warns(
            PosteriorCollapseWarning, match=r"almost the same embedding.* which is 0.3, .*lower it"
        ) as seen:
            dae.fit(X)
        assert [one.filename for one in seen][-1] == __file__
        assert np.ptp(dae.transform(X), axis=0).max() < 1e-3
        with warnings.catch_warnings():
            warnings.simplefilter("error", PosteriorCollapseWarning)
            dae.set_params(learning_rate=1e-3).fit(X)
        assert dae.transform(X).std(axis=0).min() > 0.1


class TestPublished:
    def test_architecture_and_settings(self):
        dae = DAETransformer.das2022(max_epochs=1, random_state=0)
        dae.fit(np.random.default_rng(0).standard_normal((70, 88)))
        shapes = [tuple(w.shape) for w in dae.net_.module_.parameters() if w.ndim == 2]
        encoder = [(40, 88), (20, 40), (10, 20), (2, 10)]
        assert shapes == [*encoder, *[shape[::-1] for shape in reversed(encoder)]]
        settings = dae.get_params()
        assert (settings["noise"], settings["learning_rate"]) == (1.0, 1e-4)
        assert settings["batch_size"] == 64
        assert DAETransformer.das2022().max_epochs == 100

    def test_anything_may_be_set_differently(self):
        dae = DAETransformer.das2022(n_components=10, device="auto")
        assert (dae.n_components, dae.device, dae.noise) == (10, "auto", 1.0)


def search(n_jobs=None):
    """Search over components and noise, with a support vector machine behind."""
    model = make_pipeline(
        CorpusScaler(),
        DAETransformer(hidden_layer_sizes=(8,), max_epochs=5, random_state=0),
        SVC(class_weight="balanced"),
    )
    grid = {"daetransformer__n_components": [2, 4], "daetransformer__noise": [0.1, 0.5]}
    X, y, corpus = labelled_corpora()
    return GridSearchCV(
        model, grid, cv=LeaveOneCorpusOut(), error_score="raise", n_jobs=n_jobs
    ).fit(X, y, groups=corpus, corpusscaler__sample_domain=corpus)


@pytest.fixture(scope="module")
def expected():
    return search()


class TestSearch:
    def check(self, found, expected):
        assert found.best_params_ == expected.best_params_
        np.testing.assert_array_equal(
            found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
        )
        X, _, _ = labelled_corpora(seed=1)
        np.testing.assert_array_equal(
            found.best_estimator_[:-1].transform(X[:30]),
            expected.best_estimator_[:-1].transform(X[:30]),
        )

    def test_grid_search(self, expected):
        assert expected.best_score_ > 0.9
        assert len(expected.cv_results_["params"]) == 4

    def test_in_two_processes(self, expected):
        self.check(search(n_jobs=2), expected)

    def test_in_two_threads(self, expected):
        with joblib.parallel_backend("threading"):
            self.check(search(n_jobs=2), expected)

    def test_under_dask(self, expected):
        distributed = pytest.importorskip("distributed", reason="dask is not installed")
        # Its workers are threads here; they share torch's generators and settings.
        cluster = distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        )
        with cluster, distributed.Client(cluster), joblib.parallel_backend("dask"):
            self.check(search(), expected)


class TestAcrossCorpora:
    def test_the_held_out_corpus_joins_without_its_labels(self):
        X, y, corpus = labelled_corpora()
        model = make_pipeline(
            CorpusScaler(),
            DAETransformer(4, hidden_layer_sizes=(8,), max_epochs=20, random_state=0),
            SVC(class_weight="balanced"),
        )
        result = cross_corpus_validate(model, X, y, corpus, targets=["urdu"])
        assert result.scores.uar.item() > 0.9
        rng = np.random.default_rng(0)
        permuted = y.copy()
        permuted[corpus == "urdu"] = rng.permutation(y[corpus == "urdu"])
        again = cross_corpus_validate(model, X, permuted, corpus, targets=["urdu"])
        assert (again.predictions.y_pred == result.predictions.y_pred).all()
        scaler, dae, svm = (clone(step) for step in model)
        train = corpus != "urdu"
        Z = scaler.fit_transform(X[train], sample_domain=corpus[train])
        target = scaler.transform(X[~train])
        dae.fit(Z, X_target=target)
        expected = svm.fit(dae.transform(Z), y[train]).predict(dae.transform(target))
        np.testing.assert_array_equal(result.predictions.y_pred, expected)

    def test_routing_in_cross_validate(self, monkeypatch):
        X, y, corpus = labelled_corpora()
        speaker = np.resize(["a", "b", "c", "d", "e"], len(y))
        seen = []

        def fit_rows(self, X, *, X_target=None, speaker=None):
            seen.append(speaker)
            return original(self, X, X_target=X_target, speaker=speaker)

        original = DAETransformer._fit_rows
        monkeypatch.setattr(DAETransformer, "_fit_rows", fit_rows)
        dae = DAETransformer(4, hidden_layer_sizes=(8,), max_epochs=3, early_stopping=True)
        model = make_pipeline(CorpusScaler(), dae, SVC())
        with config_context(enable_metadata_routing=True):
            cross_validate(
                model,
                X,
                y,
                cv=LeaveOneCorpusOut(),
                params={"groups": corpus, "sample_domain": corpus, "speaker": speaker},
            )
        for name, got in zip(np.unique(corpus), seen, strict=True):
            np.testing.assert_array_equal(got, speaker[corpus != name])
