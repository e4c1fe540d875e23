"""Print what the papers report beside what this package gets, with all settings.

    python benchmarks/seed_tables.py [--part PART] [--features NAME] [--shared DIR] [--seeds N]
        [--corpus NAME=PATH] [--cache FILE] [--scratch DIR]

Four emotions of EMO-DB, RAVDESS and URDU; ``--corpus iemocap=PATH`` makes IEMOCAP the source of
``regression``, ``cafe`` and ``aesdd`` are further targets of it. RAVDESS has no ratings; its
activation and valence are those typical of the emotion. Features are the 88 functionals
(``egemaps``) and the middle layer of Whisper tiny.en (``encoder``, see ``encoders.py``). Parts:
``regression``: activation and valence against two latent components, both ways (2203.14867);
``position``: the same on unseen corpora, with settings chosen on the others; ``rating``:
concordance of predicted ratings without target labels; ``within`` and ``across``: emotions from
latents, and how consistent latents are (2203.14865); ``adaptation``: NNPM (2108.08663);
``figure``: latents by activation. A seed trains on one of five folds, or on all of the source.
All parts with ten seeds take about 50 minutes of one core; parts can be run beside each other.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import tempfile
import time
import warnings
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from _cross_lingual import CORPORA
from _seed_emotions import part_across, part_adaptation, part_within
from _seed_ratings import choose, part_rating, seeds_of, transfer
from _seed_tables import (
    LABELS,
    N_FOLDS,
    RATED,
    REPRESENTATIONS,
    Linear,
    explained,
    fold_of_seed,
    folds,
    load,
    parser_of,
    print_table,
    scale_fold,
    spread,
)

from sklearn_ser import DAETransformer, MetricDAE

# 2203.14867, activation / valence; Table 2 by corpus.
PAPER = {
    "unsupervised": {
        "z on l": "0.11 / 0.03",
        "iemocap": "0.41 / 0.05",
        "emodb": "0.62 / 0.06",
        "cafe": "0.41 / 0.14",
        "urdu": "0.28 / 0.14",
        "aesdd": "0.30 / 0.00",
    },
    "activation": {
        "z on l": "0.21 / 0.06",
        "iemocap": "0.49 / 0.05",
        "emodb": "0.63 / 0.04",
        "cafe": "0.45 / 0.13",
        "urdu": "0.33 / 0.14",
        "aesdd": "0.31 / -0.00",
    },
    "valence": {
        "z on l": "0.12 / 0.05",
        "iemocap": "0.40 / 0.11",
        "emodb": "0.60 / 0.10",
        "cafe": "0.45 / 0.14",
        "urdu": "0.37 / 0.17",
        "aesdd": "0.29 / 0.01",
    },
}


# regression


def dae(make, criterion, seed):
    """Return an autoencoder of the criterion: unsupervised, or metric of activation or valence."""
    if criterion == "unsupervised":
        return make(DAETransformer, random_state=seed)
    return make(MetricDAE, random_state=seed, y_annotation=criterion)


AS_PUBLISHED = partial(dae, lambda estimator, **given: estimator.das2022(**given))
WITHOUT_NOISE = partial(
    dae, lambda estimator, **given: estimator.das2022(noise_in_transform=False, **given)
)
DEFAULTS = partial(dae, lambda estimator, **given: estimator(2, **given))
# Title, scaling, model of criterion and seed, criteria, whether the seed matters.
LATENTS = (
    ("das2022", "fold", AS_PUBLISHED, PAPER, True),
    ("das2022, rows without noise", "fold", WITHOUT_NOISE, ["unsupervised", "activation"], True),
    ("das2022, rows without noise", "corpus", WITHOUT_NOISE, ["unsupervised", "activation"], True),
    ("defaults, 2 components", "corpus", DEFAULTS, PAPER, True),
    *(
        (title, kind, make, criteria, False)
        for (title, make, criteria), kind in product(
            (
                ("PCA(1)", lambda *_: Linear("PCA", 1), ["unsupervised"]),
                ("PCA(2)", lambda *_: Linear("PCA", 2), ["unsupervised"]),
                ("PLS(2)", lambda *_: Linear("PLS", 2), LABELS),
                ("ridge", lambda *_: Linear("ridge", 1000), LABELS),
            ),
            ("fold", "corpus"),
        )
    ),
)


def sources_of(speech):
    """Return (source corpora, target corpora): IEMOCAP and the rest, or all but the target."""
    present = np.unique(speech.corpus)
    if "iemocap" in present:
        return [(("iemocap",), [name for name in RATED if name in present])]
    return [(tuple(name for name in CORPORA if name != target), [target]) for target in RATED[:2]]


def fit_rated(model, X, label):
    """Fit on the rows with a rating."""
    rated = ~np.isnan(label)
    return model.fit(X[rated], label[rated])


def fold_scores(speech, source, targets, kind, model, criterion, fold):
    """Return, by corpus and label, R² of the label on the latent and of the latent on it."""
    train, test = folds(speech, source)[fold]
    X, rows = scale_fold(kind, speech, train, test, targets)
    if criterion == "unsupervised":
        model.fit(X)
    else:
        fit_rated(model, X, speech.label(criterion, train))
    numbers = {"source": test, **{name: speech.of(name) for name in targets}}
    return {
        (name, label): explained(model.transform(rows[name]), speech.label(label, numbers[name]))
        for name, label in product(rows, LABELS)
    }


def both_labels(scores, name, direction):
    return " / ".join(spread([one[name, label][direction] for one in scores]) for label in LABELS)


def part_regression(speech, seeds):
    for source, targets in sources_of(speech):
        names = ["source", *targets]
        rows = {0: [], 1: []}
        for title, kind, make, criteria, random in LATENTS:
            for criterion in criteria:
                runs = [
                    fold_scores(
                        speech,
                        source,
                        targets,
                        kind,
                        make(criterion, seed),
                        criterion,
                        fold_of_seed(seed),
                    )
                    for seed in (seeds if random else range(N_FOLDS))
                ]
                for direction, lines in rows.items():
                    cells = [both_labels(runs, name, direction) for name in names]
                    lines.append([title, kind, criterion, *cells])
        for direction, what in ((0, "label on latent"), (1, "latent on label")):
            table = rows[direction]
            if direction == 0:
                published = [
                    ["paper", "fold", criterion]
                    + [found.get(name, found["iemocap"]) for name in names]
                    for criterion, found in PAPER.items()
                ]
            else:
                published = [
                    ["paper, one figure for all", "fold", criterion, found["z on l"]]
                    + [""] * len(targets)
                    for criterion, found in PAPER.items()
                ]
            print_table(
                f"Adjusted R², {what}, activation / valence; source {' + '.join(source)}",
                ["latent", "scaling", "criterion", *names],
                published + table,
            )


# position


def das_network(weight, **given):
    """Return the papers' network with our loss, and without noise when rows are embedded."""
    return lambda seed: MetricDAE.das2022(
        metric_weight=weight, objective="sum", noise_in_transform=False, random_state=seed, **given
    )


def small(weight):
    return lambda seed: MetricDAE(2, metric_weight=weight, random_state=seed)


POSITIONS = {
    f"{title}, weight {weight}": make(weight)
    for (title, make), weight in product(
        {"das2022 network": das_network, "defaults": small}.items(), (0.02, 0.1, 1.0)
    )
}
PLAIN = {
    "MetricDAE.das2022": lambda seed: MetricDAE.das2022(
        noise_in_transform=False, random_state=seed
    ),
    "DAE, das2022 network": das_network(0.0),
    "DAE, defaults": small(0.0),
    "PCA(2)": lambda seed: Linear("PCA", 2),
    "PCA(1)": lambda seed: Linear("PCA", 1),
    "PLS(2)": lambda seed: Linear("PLS", 2),
    "PLS(1)": lambda seed: Linear("PLS", 1),
    "ridge": lambda seed: Linear("ridge", 1000),
}
N_CHOICE = 2
MEASURES = (
    "activation on the latent",
    "each dimension on activation, mean",
    "the mean of the dimensions on activation",
)


def position_scores(speech, source, target, make, seed):
    """Return R² of activation on the latent, of each dimension and of their mean on activation."""
    X, X_target, train, test = transfer(speech, source, target)
    Z = make(seed).fit(X, speech.label("activation", train)).transform(X_target)
    activation = speech.label("activation", test)
    return *explained(Z, activation), explained(Z.mean(axis=1, keepdims=True), activation)[1]


def part_position(speech, seeds):
    def score(source, target, name):
        runs = [
            position_scores(speech, source, target, POSITIONS[name], seed)
            for seed in range(N_CHOICE)
        ]
        return np.mean(runs, axis=0)[2]

    chosen = {target: choose(POSITIONS, score, target) for target in RATED[:2]}
    print("Chosen:", *(f"{name} for {target};" for target, name in chosen.items()), flush=True)
    transfers = [
        ((source,), target) for target in RATED[:2] for source in CORPORA if source != target
    ]
    rows = {measure: [] for measure in MEASURES}
    for title in ("MetricDAE, chosen", *PLAIN):
        found = np.array(
            [
                [
                    position_scores(
                        speech, *one, PLAIN.get(title) or POSITIONS[chosen[one[1]]], seed
                    )
                    for seed in seeds_of(title, seeds)
                ]
                for one in transfers
            ]
        )
        for own, lines in zip(np.moveaxis(found, -1, 0), rows.values(), strict=True):
            lines.append([title, spread(own.mean(axis=0)), *map(spread, own)])
    header = ["latent", "mean"] + [f"{one[0]} to {target}" for one, target in transfers]
    for measure, lines in rows.items():
        print_table(f"Adjusted R², {measure}, scaling corpus", header, lines)


# figure


def part_figure(speech, seeds):
    """Print centre and spread of the latents of unseen corpora by activation, for the figure."""
    made = {"DAETransformer": DAETransformer.das2022, "MetricDAE": MetricDAE.das2022}
    transfers = [(source, one) for source, targets in sources_of(speech) for one in targets]
    for (source, target), (title, make) in product(transfers, made.items()):
        X, X_target, train, test = transfer(speech, source, target)
        model = make(random_state=0, noise_in_transform=False)
        model.fit(X) if title == "DAETransformer" else model.fit(
            X, speech.label("activation", train)
        )
        Z, activation = model.transform(X_target), speech.label("activation", test)
        Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
        print(f"{title}, {' + '.join(source)} to {target}: level, rows, mean, covariance")
        for level in np.unique(np.round(activation)):
            some = Z[np.round(activation) == level]
            numbers = [*some.mean(axis=0), *np.cov(some.T)[np.triu_indices(2)]]
            print(f"    ({level:.0f}, {len(some)}, {', '.join(f'{one:.3f}' for one in numbers)}),")


PARTS = {
    "regression": part_regression,
    "position": part_position,
    "rating": part_rating,
    "within": part_within,
    "across": part_across,
    "adaptation": part_adaptation,
    "figure": part_figure,
}
# The rest is shown for the embedding of an encoder as well.
FUNCTIONALS_ALONE = ("position", "within", "figure")


def main():
    arguments = parser_of(__doc__, PARTS).parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        arguments.scratch = arguments.scratch or Path(folder)
        for features in arguments.features or REPRESENTATIONS:
            speech = load(arguments, features)
            for part in arguments.part or PARTS:
                print(f"\n== {part}, {features}", flush=True)
                if features == "encoder" and part in FUNCTIONALS_ALONE:
                    print("for functionals alone")
                    continue
                start = time.process_time()
                PARTS[part](speech, range(arguments.seeds))
                print(f"\n{time.process_time() - start:.0f} s")


if __name__ == "__main__":
    main()
