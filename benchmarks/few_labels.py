"""Measure what a few labels of the target are worth.

    python benchmarks/few_labels.py [--part PART] [--shared DIR] [--scratch DIR] [--seeds N]
        [--only WORD]

Each of three corpora is left out as the target. Some of its recordings, drawn at random, are
labelled; UAR on the others, mean over corpora and seeds. Functionals (both scalings side by
side), the middle layer of Whisper tiny.en and all its layers (scaled by corpus).
Parts: ``curves`` compares NNPMClassifier with an SVM on source and labels, at the best of
several weights of a label for each number of labels (chosen on the target: an advantage that
nobody has), and an SVM on the labels alone; ``weights`` varies `label_weight` and leaves out
what is learnt from unlabelled rows; ``query`` lets the adapted model choose the recordings to
label and compares them with as many random ones (mean of three draws), all from one half of the
target, tested on the other half.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import tempfile
import warnings
from pathlib import Path

import numpy as np
from _cross_lingual import add_arguments, leave_one_out, scale
from encoders import Data
from sklearn.cluster import KMeans
from sklearn.svm import SVC

from sklearn_ser import NNPMClassifier, adapt
from sklearn_ser.metrics import unweighted_average_recall

NUMBERS = (0, 1, 2, 5, 10, 20)
# Larger ones change nothing: no labelled row is on the wrong side any more.
SVM_WEIGHTS = (1, 3, 10)


def representations(data):
    """Return features and their scaling by name."""
    return {
        "eGeMAPS": (data.egemaps(), "both"),
        "middle layer": (data.embedding("tiny.en", layer=2), "corpus"),
        "all layers": (data.embedding("tiny.en", layer="all"), "corpus"),
    }


def draw(y, n_each, seed):
    """Return positions of `n_each` rows of each emotion."""
    rng = np.random.default_rng([seed, n_each])
    each = [rng.permutation(np.flatnonzero(y == name))[:n_each] for name in np.unique(y)]
    return np.concatenate(each).astype(int)


def with_gaps(y, known):
    labels = np.full(len(y), None, dtype=object)
    labels[known] = y[known]
    return labels


class Transfer:
    """Source and target of one representation, with a model of the source for each seed."""

    def __init__(self, X, y, corpus, source, target, scaling):
        train, test = np.isin(corpus, source), corpus == target
        self.X, self.T = scale(scaling, X[train], corpus[train], X[test])
        self.y, self.t = y[train], y[test]
        self._models = {}

    def model(self, seed):
        if seed not in self._models:
            self._models[seed] = NNPMClassifier(random_state=seed).fit(self.X, self.y)
        return self._models[seed]

    def nnpm(self, known, seed, **parameters):
        model = self.model(seed)
        defaults = {name: getattr(model, name) for name in parameters}
        adapted = adapt(model.set_params(**parameters), self.T, with_gaps(self.t, known))
        model.set_params(**defaults)
        return adapted.predict(self.T)

    def svm(self, known, weight):
        X, y = np.vstack([self.X, self.T[known]]), np.append(self.y, self.t[known])
        weights = np.append(np.ones(len(self.y)), np.full(len(known), weight))
        return SVC(class_weight="balanced").fit(X, y, sample_weight=weights).predict(self.T)

    def svm_alone(self, known):
        model = SVC(class_weight="balanced").fit(self.T[known], self.t[known])
        return model.predict(self.T)

    def uar(self, predicted, left_out):
        others = np.setdiff1d(np.arange(len(self.t)), left_out)
        return unweighted_average_recall(self.t[others], predicted[others])


def report(name, scores):
    """Print the mean over seeds (rows) and corpora (columns), and the mean of each corpus."""
    scores = np.array(scores).reshape(-1, len(leave_one_out()))
    spread = scores.mean(axis=1).std()
    corpora = "  ".join(f"{mean:.3f}" for mean in scores.mean(axis=0))
    print(f"  {name:36s} {scores.mean():.3f} ± {spread:.3f}   {corpora}", flush=True)
    return scores.mean()


def over(transfers, seeds, predict, n_each):
    """Return the UAR of each seed and transfer on the rows without a label."""
    return [
        one.uar(predict(one, known, seed), known)
        for seed in range(seeds)
        for one in transfers
        for known in [draw(one.t, n_each, seed)]
    ]


def curves(transfers, seeds):
    for n_each in NUMBERS:
        print(f" {n_each} labels for each emotion")
        report("NNPMClassifier", over(transfers, seeds, Transfer.nnpm, n_each))
        by_weight = {
            weight: over(transfers, seeds, svm_of(weight), n_each)
            for weight in (SVM_WEIGHTS if n_each else (1,))
        }
        best = max(by_weight, key=lambda weight: np.mean(by_weight[weight]))
        report(f"SVM, source and labels × {best}", by_weight[best])
        if n_each:
            report("SVM, labels alone", over(transfers, seeds, svm_alone, n_each))


def svm_alone(transfer, known, seed):
    return transfer.svm_alone(known)


def svm_of(weight):
    return lambda one, known, seed: one.svm(known, weight)


def nnpm_of(**parameters):
    return lambda one, known, seed: one.nnpm(known, seed, **parameters)


def weights(transfers, seeds):
    variants = {f"label_weight={weight}": {"label_weight": weight} for weight in (0, 0.1, 0.3, 1)}
    # Below min_target, labelled rows are learnt without the others.
    variants["labelled rows alone"] = {"min_target": 10**6}
    for name, parameters in variants.items():
        for n_each in (1, 5, 20):
            scores = over(transfers, seeds, nnpm_of(**parameters), n_each)
            report(f"{name}, {n_each} labels", scores)


def entropy(model, X):
    """Return the entropy of the mean of all members, head and memory, for each row."""
    each = [model.set_params(vote=vote).predict_proba(X) for vote in ("head", "memory")]
    model.set_params(vote="mean")
    mean = np.mean(each, axis=0, dtype=float)
    return -(mean * np.log(mean + 1e-12)).sum(axis=1)


def nearest_to_centres(Z, weights, n):
    """Return the rows nearest to the centres of a weighted k-means."""
    distance = KMeans(n, n_init=3, random_state=0).fit(Z, sample_weight=weights).transform(Z)
    chosen = []
    for column in distance.T:
        chosen.append(next(row for row in column.argsort() if row not in chosen))
    return np.array(chosen)


# The second is that of Prabhu et al. (ICCV 2021).
QUERIES = {
    "random": lambda model, X, n, rng: rng.permutation(len(X))[:n],
    "uncertain regions": lambda model, X, n, rng: nearest_to_centres(
        model.transform(X), entropy(model, X), n
    ),
    "regions": lambda model, X, n, rng: nearest_to_centres(model.transform(X), None, n),
}


def queried(choose, transfer, seed, n, draw):
    """Return the UAR on one half of the target after labelling rows of the other half."""
    pool = np.random.default_rng(1000 + seed).permutation(len(transfer.t))
    pool = pool[: len(pool) // 2]
    model = adapt(transfer.model(seed), transfer.T)
    asked = pool[choose(model, transfer.T[pool], n, np.random.default_rng([seed, draw]))]
    return transfer.uar(transfer.nnpm(asked, seed), pool)


def query(transfers, seeds):
    for n in (8, 20):
        for name, choose in QUERIES.items():
            # Single random draws differ more than the methods do.
            n_draws = 3 if name == "random" else 1
            scores = [
                np.mean([queried(choose, one, seed, n, draw) for draw in range(n_draws)])
                for seed in range(seeds)
                for one in transfers
            ]
            report(f"{name}, {n} labels", scores)


PARTS = {"curves": curves, "weights": weights, "query": query}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--scratch", type=Path, help="folder for encoders and features")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--only", default="", help="features whose names have this word")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        arguments.scratch = arguments.scratch or Path(scratch)
        data = Data(arguments)
        y, corpus = (data.speech[name].to_numpy(str) for name in ("emotion", "corpus"))
        for name, (X, scaling) in representations(data).items():
            if arguments.only not in name:
                continue
            transfers = [Transfer(X, y, corpus, *sides, scaling) for sides in leave_one_out()]
            for part in PARTS if arguments.part == "all" else [arguments.part]:
                print(f"{name}, {part}: mean UAR ± sd over seeds, and by target")
                PARTS[part](transfers, arguments.seeds)


if __name__ == "__main__":
    main()
