"""Try variants of adaptation that NNPMClassifier lacks, since none of them is reliably better.

    python benchmarks/adaptation_variants.py [--shared DIR] [--scratch DIR] [--seeds N]
        [--representation NAME] [--variant NAME] [--draws N]

The transfers are those of ``benchmarks/development.py``: each corpus left out, single sources,
small corpora; mean UAR of each kind. The method is that of NNPMClassifier, written once more
without guard and caution (``benchmarks/_adaptation_variants.py``). The first line is the network
before adaptation, the second one the method as it is; the others change one thing.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from _adaptation_variants import Options, Variant
from _cross_lingual import EMOTIONS, add_arguments
from _development import KINDS, Development

from sklearn_ser.metrics import unweighted_average_recall

SCALINGS = {"eGeMAPS": "both", "encoder": "corpus"}
BASE = Options()
VARIANTS = {
    "as it is": BASE,
    "labels of each member by itself": replace(BASE, shared_labels=False),
    "slow teacher, 0.98": replace(BASE, teacher=0.98),
    "noise of 0.5 on target rows": replace(BASE, noise=0.5),
    "30 % of their columns dropped": replace(BASE, dropped=0.3),
    "votes smoothed over 10 rows": replace(BASE, n_smoothing=10),
    "half the correction of shares": replace(BASE, correction=0.5),
    "Sinkhorn": replace(BASE, sinkhorn=True),
    "equal weight of corpus and class": replace(BASE, by_corpus=True),
    "minimum class confusion, 0.3": replace(BASE, confusion=0.3),
    "10 nearest rows, hard labels": replace(
        BASE, n_nearest=10, soft=False, temperature=0.1, target_weight=0.3
    ),
    "columns weighted by separation": replace(BASE, separation=True),
    "equal weight of predicted classes": replace(BASE, equal_classes=True),
    "nine members": replace(BASE, n_members=9),
    "nine members, half the columns": replace(BASE, n_members=9, columns=0.5),
}


def scores(data, transfer, representation, options, seed):
    """Return the UAR before and after adaptation."""
    X, T = data.arrays(transfer, representation, SCALINGS[representation])
    y, t = (np.searchsorted(EMOTIONS, one) for one in data.labels(transfer))
    corpus = np.unique(data.names(transfer), return_inverse=True)[1]
    variant = Variant(X, y, corpus, T, options, seed)
    variant.warm_up()
    before = unweighted_average_recall(t, variant.predict(correct=False))
    variant.adapt()
    return before, unweighted_average_recall(t, variant.predict(correct=True))


def line(title, uar, kinds):
    cells = "".join(f"{uar[kinds == kind].mean():>15.3f}" for kind in KINDS)
    print(f"{title:<36}{cells}{uar.mean():>15.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--scratch", type=Path, help="folder for encoders, audio and features")
    parser.add_argument("--representation", choices=SCALINGS, action="append")
    parser.add_argument("--variant", choices=VARIANTS, action="append")
    parser.add_argument("--draws", type=int, default=3, help="of small corpora")
    parser.set_defaults(seeds=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        arguments.scratch = arguments.scratch or Path(scratch)
        data = Development(arguments)
        transfers = data.transfers(arguments.draws)
        kinds = np.array([transfer.kind for transfer in transfers])
        for representation in arguments.representation or SCALINGS:
            print(f"{representation:<36}" + "".join(f"{kind:>15}" for kind in (*KINDS, "all")))
            for number, title in enumerate(arguments.variant or VARIANTS):
                uar = np.mean(
                    [
                        [
                            scores(data, one, representation, VARIANTS[title], 100 * seed + i)
                            for i, one in enumerate(transfers)
                        ]
                        for seed in range(arguments.seeds)
                    ],
                    axis=0,
                )
                if not number:
                    line("not adapted", uar[:, 0], kinds)
                line(title, uar[:, 1], kinds)


if __name__ == "__main__":
    main()
