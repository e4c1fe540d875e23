"""Compare settings of DAETransformer by the emotions that an SVM tells apart behind it.

    python benchmarks/dae_settings.py [--shared DIR] [--seeds N] [--jobs N] [--only WORD]

EMO-DB, RAVDESS and URDU, four emotions, 88 functionals scaled by corpus; each corpus is
held out once. "seen": its recordings, without labels, join the training of the
autoencoder. DIR holds ``corpora/``; by default it is what SKLEARN_SER_SHARED names, else
``../shared``.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    LeaveOneCorpusOut,
    cross_corpus_validate,
)
from sklearn_ser.datasets import load_corpora
from sklearn_ser.metrics import unweighted_average_recall

EMOTIONS = ("anger", "happiness", "neutral", "sadness")

# Their noise in the embedding is for their plots and tables, not for a classifier behind it.
CLEAN = {"noise_in_transform": False}

SETTINGS = {
    "88 functionals": lambda seed: None,
    "PCA, 2 components": lambda seed: PCA(2, random_state=seed),
    "PCA, 32 components": lambda seed: PCA(32, random_state=seed),
    "das2022, 2 components": lambda seed: DAETransformer.das2022(random_state=seed, **CLEAN),
    "das2022, 10 components": lambda seed: DAETransformer.das2022(
        n_components=10,
        hidden_layer_sizes=(40, 20),
        decoder_activation=("relu", "identity"),
        random_state=seed,
        **CLEAN,
    ),
    "defaults": lambda seed: DAETransformer(random_state=seed),
    "defaults, noise 0.1": lambda seed: DAETransformer(noise=0.1, random_state=seed),
    "defaults, noise 1.0": lambda seed: DAETransformer(noise=1.0, random_state=seed),
    "defaults, 10 components": lambda seed: DAETransformer(10, random_state=seed),
    "defaults, 2 components": lambda seed: DAETransformer(2, random_state=seed),
    "defaults, 300 epochs": lambda seed: DAETransformer(max_epochs=300, random_state=seed),
    "defaults, early stopping": lambda seed: DAETransformer(early_stopping=True, random_state=seed),
}


def steps(embedding):
    return [CorpusScaler(), *([embedding] if embedding else []), SVC(class_weight="balanced")]


def unseen(embedding, X, y, corpus):
    """Mean UAR over the corpora; the embedding never sees the held-out one."""
    scores = []
    for train, test in LeaveOneCorpusOut().split(X, y, corpus):
        model = make_pipeline(*steps(embedding))
        model.fit(X[train], y[train], corpusscaler__sample_domain=corpus[train])
        scores.append(unweighted_average_recall(y[test], model.predict(X[test])))
    return np.mean(scores)


def seen(embedding, X, y, corpus):
    """Mean UAR over the corpora; the held-out one joins as X_target."""
    model = make_pipeline(*steps(embedding))
    return cross_corpus_validate(model, X, y, corpus).scores.uar.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="settings whose names have this word")
    arguments = parser.parse_args()
    folders = {name: arguments.shared / "corpora" / name for name in ("emodb", "ravdess", "urdu")}
    speech = load_corpora(folders, emotions=EMOTIONS)
    X = EGeMAPSExtractor(n_jobs=arguments.jobs).transform(speech.path)
    y, corpus = speech.emotion.to_numpy(), speech.corpus.to_numpy()
    print(f"{len(y)} recordings, {arguments.seeds} seeds: mean UAR over corpora")
    print(f"{'':<28} {'unseen':>16} {'seen':>16}")
    for name, make in SETTINGS.items():
        if arguments.only not in name:
            continue
        seeds = range(arguments.seeds if isinstance(make(0), DAETransformer) else 1)
        cells = []
        for score in (unseen, seen):
            uar = [score(make(seed), X, y, corpus) for seed in seeds]
            cells.append(f"{np.mean(uar):.3f} +- {np.std(uar):.3f}")
        print(f"{name:<28} {cells[0]:>16} {cells[1]:>16}", flush=True)


if __name__ == "__main__":
    main()
