"""Count how often adaptation hurts, over many transfers between languages.

    python benchmarks/development.py [--shared DIR] [--scratch DIR] [--seeds N] [--draws N]
        [--recipe NAME]

Thirty transfers: each of three corpora left out, each single source, and small corpora: three
times, each corpus is split by speakers into two or three, which lose a part of some emotions, or
all of it, and may sound like a telephone, be noisy, or be cut to one word. No source shares a
language with its target. Representations: functionals (both scalings side by side), the middle
layer of Whisper tiny.en (scaled by corpus), and views of both. UAR of NNPMClassifier before and
after adaptation, with several values of `caution`. A transfer loses if the mean over seeds is
more than 0.02 or 0.05 below that of the same network, not adapted.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _cross_lingual import add_arguments
from _development import KINDS, Development

from sklearn_ser import NNPMClassifier, adapt
from sklearn_ser.metrics import unweighted_average_recall

CAUTIONS = (0, 25, 50, 80, 100)
SIZES = (0, 60, 100, 150, 250, np.inf)
RECIPES = {
    "eGeMAPS": [("eGeMAPS", "both")],
    "encoder": [("encoder", "corpus")],
    "views": [("encoder", "corpus"), ("encoder", "global"), ("eGeMAPS", "both")],
}


def rows_of(data, transfer, blocks):
    """Return source rows, target rows and the columns of each block, or None for a single one."""
    sides = [data.arrays(transfer, *block) for block in blocks]
    edges = np.cumsum([0, *(X.shape[1] for X, _ in sides)])
    views = [slice(start, stop) for start, stop in pairwise(edges)]
    X, T = (np.hstack(side) for side in zip(*sides, strict=True))
    return X, T, views if len(blocks) > 1 else None


def scores(data, transfer, blocks, random_state):
    """Return the UAR before adaptation and after it with each caution."""
    X, T, views = rows_of(data, transfer, blocks)
    y, t = data.labels(transfer)
    model = NNPMClassifier(views=views, random_state=random_state).fit(X, y)
    found = {"not adapted": unweighted_average_recall(t, model.predict(T))}
    adapted = adapt(model, T)
    for caution in CAUTIONS:
        predicted = adapted.set_params(caution=caution).predict(T)
        found[caution] = unweighted_average_recall(t, predicted)
    return {**found, "rejected": not adapted.adapted_}


def run(data, seeds, draws, recipes):
    """Return the scores of each recipe and transfer, mean over seeds."""
    transfers, found = data.transfers(draws), []
    for recipe in recipes:
        blocks = RECIPES[recipe]
        for number, transfer in enumerate(transfers):
            each = [
                scores(data, transfer, blocks, len(transfers) * seed + number)
                for seed in range(seeds)
            ]
            about = {"recipe": recipe, "kind": transfer.kind, "n": len(transfer.target.rows)}
            found.append({**about, **pd.DataFrame(each).astype(float).mean()})
    return pd.DataFrame(found)


def line(title, group):
    """Print mean UAR before and after, with each caution."""
    means = "".join(f"{group[caution].mean():>13.3f}" for caution in CAUTIONS)
    print(f"{title:<16}{len(group):>4}{group['not adapted'].mean():>13.3f}{means}")


def losses(title, group):
    """Print mean gain, shares of transfers that lose, and the worst, with each caution."""
    cells = []
    for caution in CAUTIONS:
        gain = group[caution] - group["not adapted"]
        shares = f"{(gain < -0.02).mean():.0%} {(gain < -0.05).mean():.0%}"
        cells.append(f"{gain.mean():+.3f} {shares} {gain.min():+.2f}")
    print(f"{title:<16}{len(group):>4}  " + "".join(f"{cell:>23}" for cell in cells))


def report(found):
    heading = "".join(f"{f'caution {caution}':>13}" for caution in CAUTIONS)
    for recipe, group in found.groupby("recipe", sort=False):
        print(f"\n{recipe:<16}{'n':>4}{'not adapted':>13}{heading}")
        for kind in KINDS:
            line(kind, group[group.kind == kind])
        line("all transfers", group)
        print(f"rejected by the guard: {group.rejected.sum():.0f}")
    heading = "".join(f"{f'caution {caution}':>23}" for caution in CAUTIONS)
    print(f"\nmean gain, lose more than 0.02, more than 0.05, worst\n{'':<22}{heading}")
    for recipe, group in found.groupby("recipe", sort=False):
        losses(recipe, group)
    losses("all", found)
    print("by kind, all recipes")
    for kind in KINDS:
        losses(kind, found[found.kind == kind])
    print("by rows of the target, all recipes")
    for size, group in found.groupby(pd.cut(found.n, SIZES), observed=True):
        low, high = int(size.left) + 1, size.right
        losses(f"from {low}" if high == np.inf else f"{low} to {int(high)}", group)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--scratch", type=Path, help="folder for encoders, audio and features")
    parser.add_argument("--draws", type=int, default=3, help="of small corpora")
    parser.add_argument("--recipe", choices=RECIPES, action="append")
    parser.set_defaults(seeds=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        arguments.scratch = arguments.scratch or Path(scratch)
        data = Development(arguments)
        recipes = arguments.recipe or RECIPES
        report(run(data, arguments.seeds, arguments.draws, recipes))


if __name__ == "__main__":
    main()
