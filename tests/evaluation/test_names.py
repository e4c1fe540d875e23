"""Corpora and speakers whose names are bytes that are not UTF-8, as in old archives."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from sklearn_ser.evaluation import (
    compare_methods,
    cross_corpus_validate,
    transfer_matrix,
    within_corpus_validate,
)


@pytest.fixture
def speech():
    corpus = np.repeat(["caf\udce9", "b"], 40)
    speaker = np.char.add(np.tile(np.repeat(["\udcff1", "2", "3", "4", "5"], 8), 2), corpus)
    y = np.tile(["anger", "sadness"], 40)
    X = np.random.default_rng(0).normal(size=(80, 2)) + (y == "anger")[:, None]
    return {"X": X, "y": y, "corpus": corpus, "speaker": speaker}


@pytest.mark.parametrize("validate", [cross_corpus_validate, within_corpus_validate])
def test_validation(validate, speech):
    result = validate(GaussianNB(), **speech)
    assert result.summary["corpus"].tolist() == ["b", "caf\udce9", "mean"]
    assert set(result.predictions["speaker"]) == set(speech["speaker"])
    assert "caf\udce9" in str(result)
    assert "caf\udce9" in result._repr_html_()


def test_transfer(speech):
    result = transfer_matrix(GaussianNB(), **speech, n_splits=2)
    assert [*result.scores] == ["b", "caf\udce9"]
    assert "caf\udce9" in str(result)


def test_comparison(speech):
    results = [
        cross_corpus_validate(model, **speech) for model in (GaussianNB(), DummyClassifier())
    ]
    assert compare_methods(*results)["corpus"].tolist() == ["b", "caf\udce9", "mean"]
