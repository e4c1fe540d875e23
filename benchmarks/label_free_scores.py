"""Do scores that need no label rank settings of NNPMClassifier as the labels would?

    python benchmarks/label_free_scores.py [--shared DIR] [--seeds N] [--settings N]

Each of three corpora is left out in turn, both scalings side by side. For each score: its
rank correlation with the true UAR over the settings, and the UAR of the setting that it
would choose.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import warnings

import numpy as np
from _cross_lingual import add_arguments, leave_one_out, load, scale
from scipy.stats import spearmanr

from sklearn_ser import NNPMClassifier
from sklearn_ser.metrics import (
    entropy_score,
    memory_agreement_score,
    neighborhood_density_score,
    unweighted_average_recall,
)

SETTINGS = [
    {},
    {"adaptation": None},
    *({"temperature": value} for value in (0.02, 0.1, 0.3)),
    *({"target_weight": value} for value in (0.0, 0.1, 0.3, 3.0)),
    *({"selection": value} for value in (0.2, 0.4, 1.0)),
    *({"n_neighbors": value} for value in (3, 10, 50)),
    {"soft_labels": False},
    {"soft_labels": False, "n_neighbors": 10},
    {"target_prior": None},
    {"warmup_epochs": 3},
    {"max_epochs": 5},
    {"max_epochs": 40},
    {"loss": "mmcl", "n_neighbors": 10},
]

SCORES = {
    "entropy_score": entropy_score,
    "neighborhood_density_score": neighborhood_density_score,
    "memory_agreement_score": memory_agreement_score,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--settings", type=int, help="the first so many of them alone")
    arguments = parser.parse_args()
    settings = SETTINGS[: arguments.settings]
    warnings.simplefilter("ignore")
    X, y, corpus, _ = load(arguments)
    print(f"{len(settings)} settings, {arguments.seeds} seeds")
    print(f"{'held out':<10}{'score':<28}{'rank correlation':>17}{'UAR of its choice':>19}")
    for source, target in leave_one_out():
        train, test = np.isin(corpus, source), corpus == target
        rows, rows_target = scale("both", X[train], corpus[train], X[test])
        uar, scores = [], {name: [] for name in SCORES}
        for setting in settings:
            models = [
                NNPMClassifier(random_state=seed, **setting).fit(
                    rows, y[train], X_target=rows_target
                )
                for seed in range(arguments.seeds)
            ]
            uar.append(
                np.mean(
                    [unweighted_average_recall(y[test], m.predict(rows_target)) for m in models]
                )
            )
            for name, score in SCORES.items():
                scores[name].append(np.mean([score(model, rows_target) for model in models]))
        for name, values in scores.items():
            rho = spearmanr(values, uar).statistic
            print(f"{target:<10}{name:<28}{rho:>17.2f}{uar[int(np.argmax(values))]:>19.3f}")
        print(f"{target:<10}{'(default, best, worst)':<28}{'':>17}", end="")
        print(f"{uar[0]:>7.3f}{max(uar):>6.3f}{min(uar):>6.3f}", flush=True)


if __name__ == "__main__":
    main()
