"""The worked examples of the page on extending the package run as they are printed."""

import importlib
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ser import adapt, cross_corpus_validate
from sklearn_ser.datasets import load_corpus

DOCS = Path(__file__).parents[1] / "docs"


def load_examples():
    """Return the modules of the examples, by name, as a package of their own."""
    names = sorted(path.stem for path in (DOCS / "extending").glob("*.py"))
    package = sys.modules["_extending"] = types.ModuleType("_extending")
    package.__path__ = [str(DOCS / "extending")]
    return {name: importlib.import_module(f"_extending.{name}") for name in names}


EXAMPLES = load_examples()
CLASSIFIER = EXAMPLES["classifier"].ShiftedCentroids
AUTOENCODER = EXAMPLES["autoencoder"].SparseAutoencoder


def test_every_example_is_on_the_page():
    page = (DOCS / "extending.rst").read_text(encoding="utf-8")
    shown = re.findall(r"literalinclude:: extending/(\w+)\.py", page)
    assert sorted(shown) == sorted(EXAMPLES)


def test_a_corpus_is_loaded_by_its_description(tmp_path):
    corpus = EXAMPLES["corpus"].KITCHEN
    for path, labels in corpus.examples.items():
        assert corpus.parse(Path(path)) == labels
        soundfile.write(tmp_path / path.upper().replace(".WAV", ".wav"), np.zeros(1600), 16000)
    table = load_corpus(corpus, tmp_path)
    assert table.emotion.tolist() == ["anger", "happiness", "neutral"]
    assert table.speaker.nunique() == 2


def test_a_function_becomes_columns():
    square = np.where(np.arange(16000) % 100 < 50, 0.1, -0.1).astype(np.float32)
    extractor = EXAMPLES["feature"].extractor
    assert extractor.fit_transform([square]) == pytest.approx(np.array([[319, 0.5]]))
    assert extractor.get_feature_names_out().tolist() == ["rate", "above"]


def test_a_transformer_of_ones_own():
    page = (DOCS / "extending" / "transformer.py").read_text(encoding="utf-8")
    # A module of the package that imports the package is a cycle.
    assert "from sklearn_ser.features import" not in page
    square = np.where(np.arange(16000) % 100 < 50, 0.1, -0.1).astype(np.float32)
    extractor = EXAMPLES["transformer"].LevelExtractor()
    assert extractor.fit_transform([square]) == pytest.approx(-20, abs=1e-3)


def test_a_loss():
    loss = EXAMPLES["loss"].sparsity_loss
    Z = torch.tensor([[1.0, -2.0], [0.0, 3.0]], requires_grad=True)
    assert loss(Z).item() == pytest.approx(6 / 4)
    empty = torch.zeros(0, 2, requires_grad=True)
    loss(empty).backward()
    assert loss(empty) == 0
    assert empty.grad.shape == (0, 2)


# The two expected failures of all autoencoders, as in tests/test_common.py.
def expected_failures(estimator):
    if not isinstance(estimator, AUTOENCODER):
        return {}
    return {
        "check_supervised_y_no_nan": "A missing label is a row to train on without it.",
        "check_classifiers_regression_target": "Numbers with fractions are ratings.",
    }


@parametrize_with_checks(
    [CLASSIFIER(), AUTOENCODER(max_epochs=2)], expected_failed_checks=expected_failures
)
def test_estimators_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def shifted_corpora():
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 60)
    corpus = np.repeat(["a", "b"], 60)
    X = rng.normal(size=(120, 3)) + 3 * (y == "anger")[:, None] + 10 * (corpus == "b")[:, None]
    return X, y, corpus


def test_an_estimator_gets_the_held_out_recordings_and_adapts():
    X, y, corpus = shifted_corpora()
    model = make_pipeline(StandardScaler(), CLASSIFIER())
    scores = cross_corpus_validate(model, X, y, corpus).scores
    assert (scores["uar"] > 0.9).all()
    alone = model.fit(X[:60], y[:60])
    assert alone.score(X[60:], y[60:]) < 0.6
    assert adapt(alone, X[60:]).score(X[60:], y[60:]) > 0.9


def test_the_term_of_an_autoencoder_acts_and_is_recorded():
    X, _, _ = shifted_corpora()
    X = StandardScaler().fit_transform(X)
    weak, strong = (
        AUTOENCODER(2, sparsity_weight=weight, max_epochs=20, random_state=0).fit(X)
        for weight in (0.0, 1.0)
    )
    assert strong.history_[-1]["sparsity"] < weak.history_[-1]["sparsity"]
    assert strong.history_[-1]["sparsity_weight"] == 1.0
    assert np.abs(strong.transform(X)).mean() < np.abs(weak.transform(X)).mean()
