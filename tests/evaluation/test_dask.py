"""The evaluations on a cluster: joblib's backend decides, nothing else changes."""

import joblib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, cross_corpus_validate
from sklearn_ser.exceptions import SmallBatchWarning

distributed = pytest.importorskip(
    "distributed", reason="dask is not installed: pip install 'sklearn-ser[dask]'"
)


def test_results_and_warnings_are_those_of_one_process():
    rng = np.random.default_rng(0)
    y, corpus = np.tile(["anger", "sadness"], 30), np.repeat(["a", "b", "c"], [28, 28, 4])
    X = rng.normal(size=(60, 3)) + (y == "anger")[:, None]
    model = make_pipeline(CorpusScaler(), SVC())
    speaker = np.repeat(np.arange(15), 4)
    with pytest.warns(SmallBatchWarning, match="has 4 rows"):
        alone = cross_corpus_validate(model, X, y, corpus, speaker=speaker)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
        pytest.warns(SmallBatchWarning, match="has 4 rows"),
    ):
        together = cross_corpus_validate(model, X, y, corpus, speaker=speaker)
    assert together.predictions.equals(alone.predictions)
    assert together.warned.equals(alone.warned)
