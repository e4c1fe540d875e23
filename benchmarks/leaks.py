"""How much does each leak raise the score of an evaluation?

    python benchmarks/leaks.py [--shared DIR] [--cache FILE] [--seeds N] [--part PART]

EMO-DB, RAVDESS and URDU, four emotions, 88 functionals, an SVM. For each kind of leak the UAR of
an evaluation that has it and of one that does not. Parts: ``speakers``, ``segments`` and
``corpora`` split recordings at random, or keep apart what is named; ``statistics`` lets scaler and
selection see the recordings or the labels of the test; ``settings`` chooses one of 48 settings by
the test; ``copies`` puts a share of the test corpus into the training corpora under other names.
Random splits have N seeds.
"""

import argparse
import itertools
import os
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import soundfile
from _cross_lingual import CORPORA, EMOTIONS, add_arguments, leave_one_out
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, EGeMAPSExtractor, cross_corpus_validate
from sklearn_ser.datasets import load_corpora
from sklearn_ser.metrics import unweighted_average_recall

SETTINGS = [
    {"C": C, "gamma": gamma, "k": k}
    for C, gamma, k in itertools.product(
        (0.1, 0.3, 1, 3, 10, 30), ("scale", 0.001, 0.003, 0.03), (40, 88)
    )
]


def svm(C=1.0, gamma="scale"):
    return SVC(C=C, gamma=gamma, class_weight="balanced")


def pooled():
    return make_pipeline(StandardScaler(), svm())


def within(rows, groups, seeds):
    """Mean UAR within each corpus, in five folds that keep `groups` together, None for rows."""
    X, y, corpus = rows
    scores = np.zeros((len(CORPORA), seeds))
    for (i, name), seed in itertools.product(enumerate(CORPORA), range(seeds)):
        some = corpus == name
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        folds = kind(5, shuffle=True, random_state=seed)
        given = None if groups is None else groups[some]
        predicted = cross_val_predict(pooled(), X[some], y[some], groups=given, cv=folds)
        scores[i, seed] = unweighted_average_recall(y[some], predicted)
    return scores.mean(axis=1)


def across(rows, fit):
    """UAR on each held-out corpus; `fit` returns predictions for the rows of a mask."""
    _, y, corpus = rows
    scores = []
    for _, target in leave_one_out():
        test = corpus == target
        scores.append(unweighted_average_recall(y[test], fit(test)))
    return np.array(scores)


def scaled_by_corpus(rows):
    return CorpusScaler().fit_transform(rows[0], sample_domain=rows[2])


def compare(name, leaky, clean):
    """Print a row with the leak and one without it."""
    for (title, scores), kind in zip((leaky, clean), ("with", "without"), strict=True):
        cells = "".join(f"{score:>9.3f}" for score in [*scores, np.mean(scores)])
        print(f"{name:<13}{kind:<9}{title:<52}{cells}", flush=True)


def part_speakers(data, seeds):
    clean = within(data.rows, data.speaker, seeds)
    compare(
        "speakers",
        ("recordings split at random", within(data.rows, None, seeds)),
        ("speakers kept apart", clean),
    )


def part_segments(data, seeds):
    rows, recording, speaker = data.halves()
    leaky = "halves of recordings split at random", within(rows, None, seeds)
    for name, title, groups in (
        ("segments", "speakers kept apart", speaker),
        ("halves", "halves of a recording kept together", recording),
    ):
        compare(name, leaky, (title, within(rows, groups, seeds)))


def part_corpora(data, seeds):
    X, y, corpus = data.rows
    mixed = np.zeros((len(CORPORA), seeds))
    for seed in range(seeds):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        predicted = cross_val_predict(pooled(), X, y, groups=data.speaker, cv=folds)
        for i, name in enumerate(CORPORA):
            some = corpus == name
            mixed[i, seed] = unweighted_average_recall(y[some], predicted[some])
    clean = across(data.rows, lambda test: pooled().fit(X[~test], y[~test]).predict(X[test]))
    compare(
        "corpora",
        ("corpora mixed, speakers kept apart", mixed.mean(axis=1)),
        ("corpora kept apart", clean),
    )


def part_statistics(data, seeds):
    X, y, _ = data.rows
    everything = StandardScaler().fit_transform(X)
    clean = across(data.rows, lambda test: pooled().fit(X[~test], y[~test]).predict(X[test]))
    compare(
        "scaler",
        (
            "one scaler, fitted to training and test",
            across(
                data.rows,
                lambda test: svm().fit(everything[~test], y[~test]).predict(everything[test]),
            ),
        ),
        ("one scaler, fitted to the training", clean),
    )
    Z = scaled_by_corpus(data.rows)
    selected = SelectKBest(k=20).fit_transform(Z, y)

    def select(test):
        model = make_pipeline(SelectKBest(k=20), svm())
        return model.fit(Z[~test], y[~test]).predict(Z[test])

    compare(
        "selection",
        (
            "20 features chosen by the labels of all corpora",
            across(
                data.rows, lambda test: svm().fit(selected[~test], y[~test]).predict(selected[test])
            ),
        ),
        ("20 features chosen by the training corpora", across(data.rows, select)),
    )
    neutral = by_neutral(data)
    compare(
        "neutral",
        (
            "speakers scaled by their neutral recordings",
            across(
                data.rows, lambda test: svm().fit(neutral[~test], y[~test]).predict(neutral[test])
            ),
        ),
        (
            "corpora scaled by all their recordings",
            across(data.rows, lambda test: svm().fit(Z[~test], y[~test]).predict(Z[test])),
        ),
    )


def by_neutral(data):
    """Scale speakers by their neutral recordings, which takes labels; others by their corpus."""
    X, y, _ = data.rows
    Z = scaled_by_corpus(data.rows)
    for one in np.unique(data.speaker):
        rows = data.speaker == one
        reference = X[rows & (y == "neutral")]
        if len(reference) > 1:
            spread = reference.std(axis=0)
            Z[rows] = (X[rows] - reference.mean(axis=0)) / np.where(spread > 1e-9, spread, 1)
    return np.clip(Z, -10, 10)


def part_settings(data, seeds):
    Z, y, corpus = scaled_by_corpus(data.rows), *data.rows[1:]

    def score(setting, source, target):
        model = make_pipeline(SelectKBest(k=setting["k"]), svm(setting["C"], setting["gamma"]))
        train, test = np.isin(corpus, source), corpus == target
        predicted = model.fit(Z[train], y[train]).predict(Z[test])
        return unweighted_average_recall(y[test], predicted)

    best, chosen = [], []
    for source, target in leave_one_out():
        scores = [score(setting, source, target) for setting in SETTINGS]
        inner = [
            np.mean([score(setting, [a], b) for a, b in itertools.permutations(source)])
            for setting in SETTINGS
        ]
        best.append(max(scores))
        chosen.append(scores[int(np.argmax(inner))])
    compare(
        "settings",
        ("best of 48 on the test corpus", best),
        ("chosen by leaving out training corpora", chosen),
    )


def part_copies(data, seeds):
    X, y, corpus = data.rows
    model = make_pipeline(CorpusScaler(), svm())
    clean = cross_corpus_validate(model, X, y, corpus, n_draws=10).scores
    clean = clean.set_index("corpus")["uar"][list(CORPORA)].to_numpy()
    for share in (0.1, 0.25, 0.5):
        scores = np.zeros((len(CORPORA), seeds))
        for (i, target), seed in itertools.product(enumerate(CORPORA), range(seeds)):
            test = corpus == target
            some = np.random.default_rng(seed).permutation(np.flatnonzero(test))
            copies = some[: int(share * len(some))]
            domain = np.append(corpus[~test], np.full(len(copies), "collection"))
            train = np.append(np.flatnonzero(~test), copies)
            fitted = make_pipeline(CorpusScaler(), svm())
            fitted.fit(X[train], y[train], corpusscaler__sample_domain=domain)
            scores[i, seed] = unweighted_average_recall(y[test], fitted.predict(X[test]))
        title = f"{share:.0%} of the test corpus also in the training"
        compare("copies", (title, scores.mean(axis=1)), ("no copies", clean))


class Data:
    """Functionals of all recordings, and of their halves."""

    def __init__(self, arguments):
        folders = {name: arguments.shared / "corpora" / name for name in CORPORA}
        self._speech = load_corpora(folders, emotions=EMOTIONS)
        self._extractor = EGeMAPSExtractor(cache=arguments.cache, on_error="nan")
        columns = ("emotion", "corpus", "speaker")
        y, corpus, self.speaker = (self._speech[name].to_numpy(str) for name in columns)
        self.rows = self._extractor.transform(self._speech["path"]), y, corpus

    def halves(self):
        """Return rows, recording and speaker of both halves of each recording."""
        _, y, corpus = self.rows
        seconds = [soundfile.info(path).duration for path in self._speech["path"]]
        pairs = list(zip(self._speech["path"], seconds, strict=True))
        paths = [f"{path}#t=0,{one / 2:.3f}" for path, one in pairs]
        paths += [f"{path}#t={one / 2:.3f},{one:.3f}" for path, one in pairs]
        X = self._extractor.transform(paths)
        usable = np.isfinite(X).all(axis=1)
        recording = np.tile(np.arange(len(y)), 2)
        rows = X[usable], np.tile(y, 2)[usable], np.tile(corpus, 2)[usable]
        return rows, recording[usable], np.tile(self.speaker, 2)[usable]


PARTS = {
    "speakers": part_speakers,
    "segments": part_segments,
    "corpora": part_corpora,
    "statistics": part_statistics,
    "settings": part_settings,
    "copies": part_copies,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--part", choices=PARTS, action="append")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    data = Data(arguments)
    names = "".join(f"{name:>9}" for name in [*CORPORA, "mean"])
    print(f"{'leak':<13}{'':<9}{'':<52}{names}")
    for part in arguments.part or PARTS:
        PARTS[part](data, arguments.seeds)


if __name__ == "__main__":
    main()
