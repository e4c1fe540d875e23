import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sklearn_ser import CorpusScaler, cross_corpus_validate, transfer_matrix
from sklearn_ser.report import EvaluationRecord

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
MODELS = {
    "svm": make_pipeline(CorpusScaler(), LogisticRegression()),
    "bayes": make_pipeline(CorpusScaler(), GaussianNB()),
    "guess": DummyClassifier(strategy="uniform", random_state=7),
}


@pytest.fixture(scope="session")
def make_speech():
    """Makes a table of recordings that do not exist, and features of them."""

    def make(corpora=("emodb", "ravdess", "urdu"), *, n_speakers=6, each=4):
        rng = np.random.default_rng(0)
        speech = pd.DataFrame(
            [
                {
                    "path": f"{corpus}/{speaker}_{emotion}_{take}.wav",
                    "corpus": corpus,
                    "language": f"x-{number}",
                    "speaker": f"{corpus}_{speaker}",
                    "sex": "fm"[speaker % 2],
                    "emotion": emotion,
                }
                for number, corpus in enumerate(corpora)
                for speaker in range(n_speakers)
                for emotion in EMOTIONS
                for take in range(each)
            ]
        )
        codes = pd.Categorical(speech["emotion"], EMOTIONS).codes
        X = rng.normal(size=(len(speech), 8)) + 1.2 * np.eye(4, 8)[codes]
        return speech, X

    return make


@pytest.fixture(scope="session")
def evaluate():
    """Makes a record of a few methods on recordings."""

    def evaluate(speech, X, *, methods=("svm", "bayes", "guess"), transfer=False, **told):
        models = {name: MODELS[name] for name in methods}
        common = {"speaker": speech["speaker"]} if "speaker" in speech else {}
        data = X, speech["emotion"], speech["corpus"]
        results = {
            name: cross_corpus_validate(model, *data, n_draws=200, **common)
            for name, model in models.items()
        }
        transfers = (
            {methods[0]: transfer_matrix(models[methods[0]], *data, n_draws=200, **common)}
            if transfer
            else None
        )
        told = {"estimators": models, "transfer": transfers, **told}
        return EvaluationRecord.from_results(results, speech, **told)

    return evaluate


@pytest.fixture(scope="session")
def record(make_speech, evaluate):
    """A record with everything in it that may be in one."""
    return evaluate(
        *make_speech(),
        transfer=True,
        descriptions={"svm": "a line between emotions", "guess": "whatever comes to mind"},
        sources={
            "emodb": {
                "title": "EMO-DB",
                "licence": "free with citation",
                "homepage": "http://emodb.bilderbar.info/",
            }
        },
        settings={"variant": "opensmile", "processes": 2, "circumplex": False, "ratings": []},
        findings=[{"about": "emodb", "kind": "note", "detail": "someone sneezes in 03a01Fa.wav"}],
        seconds={"features": 1.234},
        command="sklearn-ser evaluate --corpus 'a b=c'",
        notice="Nobody said any of this.",
    )
