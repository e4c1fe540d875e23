"""Recordings with ratings, linear latents, measures and printed tables for `seed_tables`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _cross_lingual import CORPORA, EMOTIONS, add_arguments
from _encoders import folder_of
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CorpusScaler, EGeMAPSExtractor, EmbeddingExtractor
from sklearn_ser.datasets import circumplex, load_annotations, load_corpora
from sklearn_ser.metrics import latent_r2

LABELS = ("activation", "valence")
RATED = ("emodb", "urdu", "cafe", "aesdd")
N_FOLDS = 5
REPRESENTATIONS = ("egemaps", "encoder")


# Compared by identity, so that results can be kept by speech.
@dataclass(frozen=True, eq=False)
class Speech:
    """Features, and for each row of them its emotion, corpus, speaker and ratings."""

    X: np.ndarray
    emotion: np.ndarray
    corpus: np.ndarray
    speaker: np.ndarray
    activation: np.ndarray
    valence: np.ndarray

    def of(self, names):
        """Return the numbers of the rows of one corpus, or of several."""
        return np.flatnonzero(np.isin(self.corpus, names))

    def label(self, name, rows):
        return getattr(self, name)[rows]


def parser_of(docstring, parts):
    parser = argparse.ArgumentParser(description=docstring.splitlines()[0])
    add_arguments(parser)
    parser.set_defaults(seeds=10, scratch=None, corpus=[], part=None, features=None)
    parser.add_argument("--scratch", type=Path, help="folder for joined weights of the encoder")
    parser.add_argument("--corpus", action="append", metavar="NAME=PATH", help="one more corpus")
    parser.add_argument("--part", choices=parts, action="append")
    parser.add_argument("--features", choices=REPRESENTATIONS, action="append")
    return parser


def recordings(arguments):
    """Return the table of all recordings with ratings: measured ones, or typical of the emotion."""
    folders = {name: arguments.shared / "corpora" / name for name in CORPORA}
    folders |= dict(one.split("=", 1) for one in arguments.corpus)
    table = load_corpora(folders, emotions=EMOTIONS)
    table = load_annotations("das2022", arguments.shared / "labels", table)
    typical = circumplex(table.emotion)
    for name in LABELS:
        unrated = ~table.groupby("corpus")[name].transform("any")
        table[name] = table[name].where(~unrated, typical[name])
    return table


def load(arguments, features):
    """Return the recordings as 88 functionals, or as the middle layer of Whisper tiny.en."""
    table = recordings(arguments)
    if features == "egemaps":
        extractor = EGeMAPSExtractor(cache=arguments.cache, n_jobs=2)
    else:
        folder = folder_of("tiny.en", arguments.scratch)
        extractor = EmbeddingExtractor(folder, layer=2, cache=arguments.cache, n_jobs=2)
    X = np.asarray(extractor.transform(table.path), dtype=np.float32)
    names = (table[name].to_numpy(str) for name in ("emotion", "corpus", "speaker"))
    return Speech(X, *names, *(table[name].to_numpy(float) for name in LABELS))


def folds(speech, source):
    """Return (training rows, held-out rows) of the paper's split, speakers not kept apart."""
    rows = speech.of(source)
    split = StratifiedKFold(N_FOLDS, shuffle=True, random_state=4)
    return [(rows[train], rows[test]) for train, test in split.split(rows, speech.emotion[rows])]


def scale_fold(kind, speech, train, test, targets):
    """Return training rows, and by name the held-out rows of the source and the targets.

    "fold": all by the statistics of the training rows; "corpus": each corpus by its own, which
    for the source are those of its training rows.
    """
    X, corpus = speech.X, speech.corpus
    if kind == "fold":
        scaler = StandardScaler().fit(X[train])
        rows = {name: scaler.transform(X[speech.of(name)]) for name in targets}
        return scaler.transform(X[train]), {"source": scaler.transform(X[test]), **rows}
    scaler = CorpusScaler()
    rows_train = scaler.fit_transform(X[train], sample_domain=corpus[train])
    rows = {name: StandardScaler().fit_transform(X[speech.of(name)]) for name in targets}
    return rows_train, {"source": scaler.transform_corpus(X[test], corpus[test]), **rows}


class Linear:
    """A linear latent: principal components, those of PLS, or the prediction of ridge."""

    def __init__(self, kind, size):
        self.model = {
            "PCA": lambda: PCA(size, svd_solver="full"),
            "PLS": lambda: PLSRegression(size, scale=False),
            "ridge": lambda: Ridge(size),
        }[kind]()

    def fit(self, X, y=None):
        self.model.fit(X, y)
        return self

    def transform(self, X):
        return (
            self.model.predict(X)[:, None]
            if isinstance(self.model, Ridge)
            else (self.model.transform(X))
        )


def explained(Z, label):
    """Return adjusted R²: of the label on the latent, and of the latent on the label.

    The second is the mean over dimensions; a constant one explains nothing.
    """
    rows = latent_r2(Z, label).groupby("direction", sort=False).adjusted_r2
    means = rows.apply(lambda values: np.nan_to_num(values).mean())
    return means["label_on_latent"], means["latent_on_label"]


def fold_of_seed(seed):
    """Return the fold that a seed trains on: ten seeds train on each of five twice."""
    return seed % N_FOLDS


def spread(values, digits=2):
    """Return mean ± sd, or the value alone."""
    values = np.asarray(values, dtype=float)
    mean = f"{values.mean():.{digits}f}".replace("-0.00", "0.00")
    return mean if len(values) == 1 else f"{mean} ± {values.std(ddof=1):.{digits}f}"


def print_table(title, header, rows):
    """Print a table as reStructuredText."""
    cells = [[str(one) for one in row] for row in (header, *rows)]
    widths = [max(2, *(len(row[column]) for row in cells)) for column in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    print(f"\n{title}\n\n{rule}\n{lines[0]}\n{rule}")
    print("\n".join([*lines[1:], rule]), flush=True)
