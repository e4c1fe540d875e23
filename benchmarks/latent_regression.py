"""How much of activation and valence linear regression finds in two latent components.

    python benchmarks/latent_regression.py [--shared DIR] [--seeds N] [--sweep]

First the unsupervised way: components learnt on RAVDESS, which has no such labels; EMO-DB
and URDU embedded; labels regressed on the embedding of each; adjusted R². Then MetricDAE:
EMO-DB's activation labels in training, RAVDESS unlabelled beside it, URDU embedded; and the
reverse. Every corpus is scaled by its own statistics. Figures are mean ± standard deviation
over seeds.

DIR holds ``corpora/``, ``labels/`` and ``reference/``, with functionals of the recordings
at 16 kHz; by default it is what SKLEARN_SER_SHARED names, else ``../shared``.
"""

import argparse
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from sklearn_ser import CorpusScaler, DAETransformer, KLAnnealedVAE, MetricDAE
from sklearn_ser.datasets import load_annotations, load_corpora
from sklearn_ser.exceptions import CorpusWarning

LABELS = ("activation", "valence")
ANNOTATED = ("emodb", "urdu")
LOUDNESS_AND_F0 = ("loudness_sma3_amean", "F0semitoneFrom27.5Hz_sma3nz_amean")

# The papers' network with larger steps: with theirs, some seeds do not leave the plateau at
# which all rows have one embedding. The sum, not its logarithm: weights of it can be compared with
# 0, the DAE. With the decoder of the script, labels help in one direction and harm in the other.
# --sweep prints how much hangs on the weight.
TRANSFER = {
    "decoder_activation": "relu",
    "objective": "sum",
    "noise_in_transform": False,
    "learning_rate": 1e-3,
    "early_stopping": True,
    "validation_fraction": 0.2,
}
METRIC_WEIGHT = 0.02
DIRECTIONS = (("emodb", "urdu"), ("urdu", "emodb"))


@dataclass(frozen=True)
class Speech:
    """Scaled functionals, and for each row of them its corpus, speaker and labels."""

    X: np.ndarray
    names: list
    corpus: np.ndarray
    speaker: np.ndarray
    labels: pd.DataFrame

    def rows(self, corpus):
        return self.X[self.corpus == corpus]

    def annotation(self, corpus, label):
        return self.labels.loc[self.corpus == corpus, label].to_numpy()


def load(shared):
    """Load all recordings; warnings about missing emotions are expected."""
    folders = {name: shared / "corpora" / name for name in ("emodb", "ravdess", "urdu")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorpusWarning)
        table = load_corpora(folders)
    table = load_annotations("das2022", shared / "labels", table)
    root = (shared / "corpora").resolve()
    files = [Path(path).resolve().relative_to(root).as_posix() for path in table.path]
    functionals = pd.read_parquet(shared / "reference" / "egemaps_functionals_16k.parquet")
    functionals = functionals.set_index("file").loc[files]
    corpus = table.corpus.to_numpy()
    X = CorpusScaler().fit_transform(functionals.to_numpy(np.float32), sample_domain=corpus)
    return Speech(X, [*functionals], corpus, table.speaker.to_numpy(), table[[*LABELS]])


def adjusted_r2(Z, label):
    n, k = Z.shape
    r2 = LinearRegression().fit(Z, label).score(Z, label)
    return 1 - (1 - r2) * (n - 1) / (n - k - 1)


class TwoColumns:
    """Mean loudness and mean F0 as they are."""

    def __init__(self, names):
        self.columns = [names.index(name) for name in LOUDNESS_AND_F0]

    def fit(self, X):
        return self

    def transform(self, X):
        return X[:, self.columns]


METHODS = {
    "DAE": lambda names, seed: DAETransformer.das2022(noise_in_transform=False, random_state=seed),
    "DAE, our net": lambda names, seed: DAETransformer(2, random_state=seed),
    "KL-annealed VAE": lambda names, seed: KLAnnealedVAE(2, random_state=seed),
    "PCA(2)": lambda names, seed: PCA(2, svd_solver="full"),
    "loudness, F0": lambda names, seed: TwoColumns(names),
}


def unsupervised(speech, method, seeds=range(5)):
    """One row for each seed; columns are corpus and label."""
    scores = []
    for seed in seeds:
        model = METHODS[method](speech.names, seed).fit(speech.rows("ravdess"))
        scores.append(
            {
                (corpus, label): adjusted_r2(
                    model.transform(speech.rows(corpus)), speech.annotation(corpus, label)
                )
                for label in LABELS
                for corpus in ANNOTATED
            }
        )
    return pd.DataFrame(scores)


def transfer(
    speech, source, target, *, metric_weight=METRIC_WEIGHT, see_target=False, seeds=range(5)
):
    """R² of the target's activation for each seed, with the source's labels in training.

    Weight 0 is the DAE on the same recordings. `see_target` adds the target's recordings,
    without labels, to those that are reconstructed.
    """
    labelled = speech.corpus == source
    unlabelled = ~labelled if see_target else ~labelled & (speech.corpus != target)
    scores = []
    for seed in seeds:
        model = MetricDAE.das2022(**TRANSFER, metric_weight=metric_weight, random_state=seed)
        model.fit(
            speech.X[labelled],
            activation=speech.annotation(source, "activation"),
            X_target=speech.X[unlabelled],
            speaker=speech.speaker[labelled],
        )
        Z = model.transform(speech.rows(target))
        scores.append(adjusted_r2(Z, speech.annotation(target, "activation")))
    return scores


def mean_and_spread(scores):
    return f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}"


def print_unsupervised(speech, seeds):
    columns = [(corpus, label) for label in LABELS for corpus in ANNOTATED]
    print("Components learnt on RAVDESS, adjusted R²")
    print(f"{'':18}" + "".join(f"{f'{corpus} {label}':>20}" for corpus, label in columns))
    for method in METHODS:
        scores = unsupervised(speech, method, seeds)
        figures = "".join(f"{mean_and_spread(scores[column]):>20}" for column in columns)
        print(f"{method:18}{figures}", flush=True)


def print_transfer(speech, seeds, weights):
    print("\nActivation labels of one corpus, activation of the other, adjusted R²")
    print("(weight 0: the DAE; gain over it with the same seeds, ± standard error)")
    titles = "".join(f"{f'{source} to {target}':>20}{'gain':>18}" for source, target in DIRECTIONS)
    print(f"{'unlabelled':22}{'weight':>8}{titles}")
    for see_target in (False, True):
        unlabelled = "RAVDESS and the other" if see_target else "RAVDESS"
        plain = {}
        for weight in weights:
            figures = ""
            for direction in DIRECTIONS:
                scores = np.array(
                    transfer(
                        speech,
                        *direction,
                        metric_weight=weight,
                        see_target=see_target,
                        seeds=seeds,
                    )
                )
                gain = scores - plain.setdefault(direction, scores)
                error = gain.std(ddof=1) / np.sqrt(len(gain))
                figures += f"{mean_and_spread(scores):>20}{f'{gain.mean():+.3f} ± {error:.3f}':>18}"
            print(f"{unlabelled:22}{weight:8g}{figures}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sweep", action="store_true", help="try more metric weights")
    arguments = parser.parse_args()
    speech = load(arguments.shared)
    seeds = range(arguments.seeds)
    print_unsupervised(speech, seeds)
    weights = (0, 0.01, METRIC_WEIGHT, 0.05, 0.1, 0.3, 1) if arguments.sweep else (0, METRIC_WEIGHT)
    print_transfer(speech, seeds, weights)


if __name__ == "__main__":
    main()
