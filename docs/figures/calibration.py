"""The reliability diagram of a report, for one calibrated classifier and one that is not."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sklearn_ser import cross_corpus_validate
from sklearn_ser.plotting import ReliabilityDisplay

rng = np.random.default_rng(0)
speech = pd.DataFrame(
    [
        (corpus, f"{corpus}_{speaker}", emotion)
        for corpus in ("emodb", "ravdess", "urdu")
        for speaker in range(8)
        for emotion in ("anger", "neutral", "sadness")
        for _ in range(10)
    ],
    columns=["corpus", "speaker", "emotion"],
)
# Correlated columns, which naive Bayes counts as so many independent witnesses.
centres = {"anger": 1.0, "neutral": 0.0, "sadness": -1.0}
latent = speech["emotion"].map(centres) + rng.normal(0, 0.8, len(speech))
X = latent.to_numpy()[:, None] + rng.normal(0, 0.6, (len(speech), 8))

models = {"logistic regression": LogisticRegression(), "naive Bayes": GaussianNB()}
results = {
    name: cross_corpus_validate(
        model, X, speech.emotion, speech.corpus, speaker=speech.speaker, n_draws=10
    )
    for name, model in (
        ("logistic regression", LogisticRegression()),
        ("naive Bayes", GaussianNB()),
    )
}
ReliabilityDisplay.from_results(results)
