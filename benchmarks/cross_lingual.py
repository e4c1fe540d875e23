"""Compare ways to predict emotion in a language without labels.

    python benchmarks/cross_lingual.py [--part PART] [--shared DIR] [--seeds N]

Three corpora, four emotions, 88 functionals at 16 kHz. Every method gets the labelled source
and the unlabelled target, and each scaling: "global" (statistics of the source), "corpus"
(each corpus by its own) and "both" side by side. UAR on the target, mean over corpora and
seeds; sd over seeds. Parts: ``loco`` leaves each corpus out in turn; ``pairs`` trains on a
single corpus; ``ablations`` changes one parameter of NNPMClassifier at a time; ``inductive``
adapts to one half of the target's speakers and predicts each recording of the other half by
itself; ``rivals`` compares MCCClassifier, CORALClassifier and DANNClassifier with skada's methods
of the same names. Needs skada.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import time
import warnings

import numpy as np
import torch
from _cross_lingual import SCALINGS, add_arguments, leave_one_out, load, pairs, scale
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC

from sklearn_ser import (
    CORALClassifier,
    CorpusScaler,
    DANNClassifier,
    MCCClassifier,
    NNPMClassifier,
    adapt,
    fit_cross_corpus,
    rescale,
)
from sklearn_ser.metrics import unweighted_average_recall

RECIPE = "NNPMClassifier"


def svm():
    return SVC(class_weight="balanced")


def logistic():
    return LogisticRegression(class_weight="balanced", max_iter=2000)


def supervised(make):
    return lambda X, y, X_target, seed: make().fit(X, y).predict(X_target)


def self_training(X, y, X_target, seed):
    classes, codes = np.unique(y, return_inverse=True)
    model = SelfTrainingClassifier(logistic(), threshold=0.9)
    model.fit(np.vstack([X, X_target]), np.append(codes, np.full(len(X_target), -1)))
    return classes[model.predict(X_target)]


def aligned(make):
    """Return a method of skada that aligns rows, with an SVM behind it."""

    def method(X, y, X_target, seed):
        classes, codes = np.unique(y, return_inverse=True)
        rows = np.vstack([X, X_target])
        domain = np.append(np.ones(len(X), int), np.full(len(X_target), -2))
        # skada's mark for an unlabelled row of a classification.
        labels = np.append(codes, np.full(len(X_target), -1))
        model = make(seed).fit(rows, labels, sample_domain=domain)
        return classes[model.predict(X_target, sample_domain=domain[len(X) :])]

    return method


class Network(torch.nn.Module):
    """The encoder and head of a member of NNPMClassifier, without the sphere."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.encoder = torch.nn.Sequential(
            torch.nn.Linear(n_features, 256),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(256, 64),
        )
        self.head = torch.nn.Linear(64, n_classes)

    def forward(self, x, sample_weight=None):
        return self.head(self.encoder(x))


def domain_classifier():
    """Return skada's classifier of domains with an output that can vary.

    Its own, in 0.6.0, ends in a softmax over a single value, which is 1 whatever the input:
    no gradient reaches the encoder, and DANN with it is the network without adaptation.
    """
    from skada.deep.modules import DomainClassifier

    module = DomainClassifier(num_features=64)
    module.classifier[-1] = torch.nn.Sigmoid()
    return module


def dann(X, y, X_target, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        method = deep("DANN", domain_classifier=domain_classifier())
    return method(X, y, X_target, seed)


def deep(name, **options):
    """Return a deep method of skada, with its default weights and as many epochs as ours."""

    def method(X, y, X_target, seed):
        import skada.deep

        classes, codes = np.unique(y, return_inverse=True)
        weight = torch.tensor(len(codes) / (len(classes) * np.bincount(codes)))
        rows = np.vstack([X, X_target]).astype(np.float32)
        domain = np.append(np.ones(len(X), int), np.full(len(X_target), -2))
        labels = np.append(codes, np.full(len(X_target), -1))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = getattr(skada.deep, name)(
                Network(rows.shape[1], len(classes)),
                layer_name="encoder",
                base_criterion=torch.nn.CrossEntropyLoss(weight=weight.float()),
                optimizer=torch.optim.Adam,
                optimizer__weight_decay=1e-3,
                lr=1e-3,
                batch_size=64,
                max_epochs=25,
                train_split=None,
                verbose=0,
                **options,
            )
            model.fit(rows, labels, sample_domain=domain)
            scores = model.predict_proba(rows[len(X) :], sample_domain=domain[len(X) :])
        return classes[np.asarray(scores).argmax(axis=1)]

    return method


def own(estimator, **parameters):
    """Return a method that trains a classifier of this package."""

    def method(X, y, X_target, seed):
        model = estimator(random_state=seed, **parameters)
        return model.fit(X, y, X_target=X_target).predict(X_target)

    return method


def nnpm(**parameters):
    return own(NNPMClassifier, **parameters)


def source_free(X, y, X_target, seed):
    model = NNPMClassifier(random_state=seed, keep_source=False).fit(X, y)
    return model.adapt(X_target).predict(X_target)


def methods():
    import skada

    return {
        "SVM": supervised(svm),
        "logistic regression": supervised(logistic),
        "self-training, logistic regression": self_training,
        "CORAL, SVM": aligned(lambda seed: skada.CORAL(svm())),
        "subspace alignment, SVM": aligned(
            lambda seed: skada.SubspaceAlignment(svm(), random_state=seed)
        ),
        "linear optimal transport, SVM": aligned(lambda seed: skada.LinearOTMapping(svm())),
        "DeepCORAL": deep("DeepCoral"),
        "DANN": dann,
        "MCC": deep("MCC"),
        "the network, not adapted": nnpm(adaptation=None),
        RECIPE: nnpm(),
    }


# Whatever the seed, these give the same.
DETERMINISTIC = ("SVM", "logistic", "self-training", "CORAL, SVM", "linear")

ABLATIONS = {
    "head alone": {"vote": "head"},
    "memory alone": {"vote": "memory"},
    "one member": {"n_estimators": 1},
    "five members": {"n_estimators": 5},
    "hard labels": {"soft_labels": False},
    "all rows selected": {"selection": 1.0},
    "10 nearest rows of each emotion": {"n_neighbors": 10},
    "the same, hard labels": {"n_neighbors": 10, "soft_labels": False},
    "mmcl": {"loss": "mmcl", "n_neighbors": 10},
    "threshold": {"label_prediction": "threshold"},
    "cycle": {"label_prediction": "cycle", "n_neighbors": 20},
    "no equal shares": {"target_prior": None},
    "equal shares alone": {"target_weight": 0.0},
    "temperature 0.1": {"temperature": 0.1},
    "target_weight 0.3": {"target_weight": 0.3},
    "30 epochs": {"max_epochs": 30},
}


def uar_of(method, data, scaling, source, target, seed):
    X, y, corpus, _ = data
    train, test = np.isin(corpus, source), corpus == target
    rows, rows_target = scale(scaling, X[train], corpus[train], X[test])
    return unweighted_average_recall(y[test], method(rows, y[train], rows_target, seed))


def table(method, data, scaling, transfers, seeds):
    """Return UAR by transfer and seed."""
    return np.array(
        [
            [uar_of(method, data, scaling, *transfer, seed) for seed in seeds]
            for transfer in transfers
        ]
    )


def show(title, scaling, uar, seconds):
    over_seeds = uar.mean(axis=0)
    sd = over_seeds.std(ddof=1) if len(over_seeds) > 1 else 0.0
    cells = " ".join(f"{value:9.3f}" for value in uar.mean(axis=1))
    print(
        f"{title:<36} {scaling:<7} {over_seeds.mean():.3f} ± {sd:.3f} {cells} {seconds:7.1f} s",
        flush=True,
    )


def compare(data, named, scalings, seeds):
    transfers = leave_one_out()
    print(f"{'':<36} {'scaling':<7} {'mean ± sd':<13} " + " ".join(f"{t:>9}" for _, t in transfers))
    means = {}
    for title, method in named.items():
        own = [0] if title.startswith(DETERMINISTIC) else seeds
        for scaling in scalings:
            start = time.process_time()
            uar = table(method, data, scaling, transfers, own)
            show(title, scaling, uar, (time.process_time() - start) / uar.size)
            means[title, scaling] = uar.mean()
    return means


def part_loco(data, seeds):
    means = compare(data, methods(), SCALINGS, seeds)
    recipe = means[RECIPE, "both"]
    best_of = {}
    for (title, scaling), value in sorted(means.items(), key=lambda item: item[1]):
        best_of[title] = (scaling, value)
    print("\nEach with its best scaling:")
    for title, (scaling, value) in sorted(best_of.items(), key=lambda item: -item[1][1]):
        print(f"{title:<36} {scaling:<7} {value:.3f}")
    rivals = {key: value for key, value in means.items() if key[0] != RECIPE}
    best = max(rivals, key=rivals.get)
    print(
        f"\n{RECIPE}, both: {recipe:.3f}; best other: {', '.join(best)}: {rivals[best]:.3f}; "
        f"difference {recipe - rivals[best]:+.3f}"
    )


def part_ablations(data, seeds):
    changed = {title: nnpm(**parameters) for title, parameters in ABLATIONS.items()}
    compare(data, changed | {"source-free": source_free}, ["both"], seeds)


def part_pairs(data, seeds):
    print("UAR, source alone → adapted (gain), mean over seeds")
    for scaling in SCALINGS:
        gains = []
        for source, target in pairs():
            alone, adapted = (
                table(method, data, scaling, [(source, target)], seeds).mean()
                for method in (nnpm(adaptation=None), nnpm())
            )
            gains.append(adapted - alone)
            change = f"{alone:.3f} → {adapted:.3f} ({gains[-1]:+.3f})"
            print(f"{scaling:<7} {source[0]:>8} → {target:<8} {change}", flush=True)
        print(f"{scaling:<7} mean gain {np.mean(gains):+.3f}, smallest {min(gains):+.3f}")


def halves(speaker, seed):
    """Return masks of the recordings of one half of the speakers, and of the other."""
    names = np.random.default_rng(seed).permutation(np.unique(speaker))
    first = np.isin(speaker, names[: len(names) // 2])
    return [(first, ~first), (~first, first)]


def pipeline(scaling, seed):
    """Return the recommended pipeline with a scaling, without a target in `fit`."""
    scalers = {"corpus": CorpusScaler(), "both": make_union(CorpusScaler(), StandardScaler())}
    return make_pipeline(scalers[scaling], NNPMClassifier(random_state=seed, adaptation=None))


def inductive(data, scaling, seeds):
    """Adapt to some speakers of the target, and predict the others one by one, by turns."""
    X, y, corpus, speaker = data
    print("UAR on speakers that were not adapted to: source alone → adapted")
    means = []
    for source, target in leave_one_out():
        train, test = np.isin(corpus, source), np.flatnonzero(corpus == target)
        scores = []
        for seed in seeds:
            model = fit_cross_corpus(pipeline(scaling, seed), X[train], y[train], corpus[train])
            predicted = {way: np.empty(len(test), object) for way in (rescale, adapt)}
            for adapt_to, unseen in halves(speaker[test], seed):
                for way, emotions in predicted.items():
                    # Both scale by the known speakers, regardless of who is in the batch.
                    emotions[unseen] = way(model, X[test[adapt_to]]).predict(X[test[unseen]])
            scores.append(
                [unweighted_average_recall(y[test], one.astype(str)) for one in predicted.values()]
            )
        alone, adapted = np.mean(scores, axis=0)
        means.append((alone, adapted))
        print(f"{target:<8} {alone:.3f} → {adapted:.3f} ({adapted - alone:+.3f})", flush=True)
    alone, adapted = np.mean(means, axis=0)
    print(f"{'mean':<8} {alone:.3f} → {adapted:.3f} ({adapted - alone:+.3f})", flush=True)


def part_inductive(data, seeds):
    inductive(data, "both", seeds)


def part_rivals(data, seeds):
    """Compare with skada at its settings, which are one network and a weight of 1."""
    named = {}
    for estimator, theirs in (
        (MCCClassifier, deep("MCC")),
        (CORALClassifier, deep("DeepCoral")),
        (DANNClassifier, dann),
    ):
        name = estimator.__name__
        named[f"{name.removesuffix('Classifier')} (skada)"] = theirs
        named[f"{name}, the same settings"] = own(estimator, n_estimators=1, target_weight=1.0)
        named[name] = own(estimator)
    compare(data, named, SCALINGS, seeds)


PARTS = {
    "loco": part_loco,
    "ablations": part_ablations,
    "pairs": part_pairs,
    "inductive": part_inductive,
    "rivals": part_rivals,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--part", choices=PARTS, action="append")
    arguments = parser.parse_args()
    # Warnings of methods about their own convergence, and deprecations inside of skada.
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    data = load(arguments)
    for part in arguments.part or PARTS:
        print(f"== {part}")
        PARTS[part](data, range(arguments.seeds))
        print()


if __name__ == "__main__":
    main()
