"""What does scaling by speaker gain, and what does it cost where speakers have few emotions?

    python benchmarks/speaker_scaling.py [--part PART] [--shared DIR] [--scratch DIR]

Three corpora, four emotions; speakers of all recordings known, emotions of the held-out ones not.
UAR. Parts: ``across`` leaves each corpus out, by corpus and by speaker with several prior
recordings; ``partly`` does the same where the speakers of URDU, most of whom have one emotion, are
passed as unknown; ``rules`` lets the variances decide how much to shrink, and lets the training
corpora choose; ``within`` holds out speakers of each corpus. Needs the weights of the extra
``bench``.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import tempfile
import warnings
from pathlib import Path

import numpy as np
from _cross_lingual import CORPORA
from cross_lingual import logistic, svm
from encoders import Data
from sklearn.pipeline import make_pipeline

from sklearn_ser import CorpusScaler, cross_corpus_validate
from sklearn_ser.evaluation import within_corpus_validate
from sklearn_ser.metrics import unweighted_average_recall

N_PRIOR = (0, 3, 10, 30, 100, 300)
CLASSIFIERS = {"SVM": svm, "logistic regression": logistic}


def show(title, scores):
    columns = "".join(f"{score:>9.3f}" for score in [*scores, np.mean(scores)])
    print(f"{title:<44}{columns}", flush=True)


def head(title):
    names = [*CORPORA, "mean"]
    print(f"-- {title}\n{'':<44}{''.join(f'{name:>9}' for name in names)}")


def uar(result):
    scores = result.scores.set_index("corpus")["uar"]
    return [scores[name] for name in CORPORA if name in scores]


def across(X, y, corpus, speaker, make, shrinkage):
    model = make_pipeline(CorpusScaler(speaker_shrinkage=shrinkage), make())
    return uar(cross_corpus_validate(model, X, y, corpus, speaker=speaker, n_draws=10))


def part_across(rows):
    for title, make in CLASSIFIERS.items():
        head(title)
        show("by corpus", across(*rows, make, None))
        for n_prior in N_PRIOR:
            show(f"by speaker, speaker_shrinkage={n_prior}", across(*rows, make, n_prior))


def part_partly(rows):
    X, y, corpus, speaker = rows
    known = np.where(corpus == "urdu", None, speaker)
    for title, make in CLASSIFIERS.items():
        head(title)
        show("by corpus", across(*rows, make, None))
        for n_prior in N_PRIOR[:5]:
            scores = across(X, y, corpus, known, make, n_prior)
            show(f"URDU by corpus, speaker_shrinkage={n_prior}", scores)


def weighted(Z, speaker, weights):
    """Scale rows of one corpus, which have mean 0 and variance 1, by speaker with given weights."""
    scaled = np.empty_like(Z)
    for one, weight in zip(np.unique(speaker), weights, strict=True):
        rows = speaker == one
        mean, variance = Z[rows].mean(axis=0), Z[rows].var(axis=0)
        mixed = weight * variance + 1 - weight + weight * (1 - weight) * mean**2
        scaled[rows] = (Z[rows] - weight * mean) / np.sqrt(np.where(mixed > 1e-12, mixed, 1))
    return scaled


def share_within(Z, speaker):
    """Return the share of the variance of each column that is within speakers."""
    names, codes = np.unique(speaker, return_inverse=True)
    means = np.array([Z[codes == code].mean(axis=0) for code in range(len(names))])
    squares = np.square(Z - means[codes]).sum(axis=0) / (len(Z) - len(names))
    return np.clip(squares, 1e-9, 1)


def by_prior(n_prior):
    return lambda Z, speaker, n: np.full((len(n), Z.shape[1]), n / (n + n_prior))


def by_share(power, n_prior=10):
    """Shrink more where less of the variance is within speakers, as with few emotions."""
    return lambda Z, speaker, n: share_within(Z, speaker).mean() ** power * n / (n + n_prior)


def empirical_bayes(Z, speaker, n):
    """Shrink less where speakers differ more: the usual estimate of normal means."""
    within = share_within(Z, speaker)
    between = np.maximum(1 - within, 0)
    return between / (between + within / n)


RULES = {"by corpus": None} | {f"shrinkage {n}": by_prior(n) for n in N_PRIOR}
RULES |= {f"shrinkage 10, share within to the {p}": by_share(p) for p in (1, 2, 4)}
RULES["empirical Bayes"] = empirical_bayes


def scaled(rule, rows):
    X, _, corpus, speaker = rows
    Z = CorpusScaler().fit_transform(X, sample_domain=corpus)
    if RULES[rule] is None:
        return Z
    for name in CORPORA:
        of_corpus = corpus == name
        counts = np.unique(speaker[of_corpus], return_counts=True)[1][:, None]
        part = Z[of_corpus]
        weights = RULES[rule](part, speaker[of_corpus], counts)
        Z[of_corpus] = weighted(part, speaker[of_corpus], weights)
    return Z


def part_rules(rows):
    _, y, corpus, speaker = rows
    Z = {rule: scaled(rule, rows) for rule in RULES}
    head("share of the variance that is within speakers")
    parts = [(Z["by corpus"][corpus == name], speaker[corpus == name]) for name in CORPORA]
    show("mean over columns", [share_within(*part).mean() for part in parts])

    def score(make, rule, source, target):
        train, test = np.isin(corpus, source), corpus == target
        model = make().fit(Z[rule][train], y[train])
        return unweighted_average_recall(y[test], model.predict(Z[rule][test]))

    for title, make in CLASSIFIERS.items():
        head(title)
        found, chosen = {}, []
        for rule in RULES:
            others = [[one for one in CORPORA if one != name] for name in CORPORA]
            found[rule] = [score(make, rule, *pair) for pair in zip(others, CORPORA, strict=True)]
            show(rule, found[rule])
        for i, (first, second) in enumerate(others):
            best = max(
                RULES,
                key=lambda rule: (
                    score(make, rule, [first], second) + score(make, rule, [second], first)
                ),
            )
            print(f"chosen without {CORPORA[i]}: {best}")
            chosen.append(found[best][i])
        show("chosen by the training corpora", chosen)


def part_within(rows):
    X, y, corpus, speaker = rows
    for title, make in CLASSIFIERS.items():
        head(title)
        for n_splits in (10, 5, 3):
            for parameters in (
                {},
                {"unseen": "pooled"},
                *({"unseen": "pooled", "speaker_shrinkage": n} for n in (0, 10, 30)),
            ):
                model = make_pipeline(CorpusScaler(**parameters), make())
                result = within_corpus_validate(
                    model, X, y, corpus, speaker=speaker, n_splits=n_splits, n_draws=10
                )
                told = ", ".join(f"{name}={value}" for name, value in parameters.items())
                show(f"{n_splits} splits, {told or 'batch'}", uar(result))


PARTS = {"across": part_across, "partly": part_partly, "rules": part_rules, "within": part_within}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument("--scratch", type=Path, help="folder for joined weights and features")
    parser.add_argument("--part", choices=PARTS, action="append")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        arguments.scratch = arguments.scratch or Path(folder)
        arguments.scratch.mkdir(parents=True, exist_ok=True)
        data = Data(arguments)
        representations = {
            "eGeMAPS": data.egemaps(),
            "Whisper tiny.en, middle layer": data.embedding("tiny.en", layer=2),
        }
        for part in arguments.part or PARTS:
            for name, X in representations.items():
                print(f"== {part}: {name}")
                PARTS[part](data.rows(X))
                print()


if __name__ == "__main__":
    main()
