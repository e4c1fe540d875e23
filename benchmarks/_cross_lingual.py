"""Recordings, scalings and transfers for the benchmarks of adaptation."""

import os
from itertools import permutations
from pathlib import Path

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CorpusScaler, EGeMAPSExtractor
from sklearn_ser.datasets import load_corpora

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
CORPORA = ("emodb", "ravdess", "urdu")
SCALINGS = ("global", "corpus", "both")


def add_arguments(parser):
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--cache", type=Path, help="file that keeps the features")
    parser.add_argument("--seeds", type=int, default=5)


def load(arguments):
    """Return features, emotions, corpora and speakers of all recordings."""
    folders = {name: arguments.shared / "corpora" / name for name in CORPORA}
    speech = load_corpora(folders, emotions=EMOTIONS)
    X = EGeMAPSExtractor(cache=arguments.cache, n_jobs=2).transform(speech.path)
    columns = ("emotion", "corpus", "speaker")
    return X, *(speech[name].to_numpy(str) for name in columns)


def leave_one_out():
    """Return (source corpora, target corpus) with each corpus as target once."""
    return [(tuple(name for name in CORPORA if name != out), out) for out in CORPORA]


def pairs():
    """Return (source corpora, target corpus) with a single source."""
    return [((source,), target) for source, target in permutations(CORPORA, 2)]


def scale(kind, X, corpus, X_target):
    """Return source and target rows, scaled by labels-free statistics."""
    everything = StandardScaler().fit(X)
    rows = {"global": (everything.transform(X), everything.transform(X_target))}
    own = StandardScaler().fit(X_target)
    rows["corpus"] = (
        CorpusScaler().fit_transform(X, sample_domain=corpus),
        own.transform(X_target),
    )
    rows["both"] = tuple(map(np.hstack, zip(rows["corpus"], rows["global"], strict=True)))
    return rows[kind]
