"""Print the tables of the guides on evaluation, annotations and semi-supervised autoencoders.

    python benchmarks/evaluation_tables.py [--part PART] [--shared DIR] [--cache FILE] [--seeds N]
        [--corpora N]

Parts: ``intervals``: UAR of an SVM on corpora left out with intervals over speakers, scaled by
corpus and by one scaler, and their difference; ``speakers``: UAR on held-out speakers of a corpus,
in ten groups or three, each scaled by itself or like the training; ``coverage``: how often
intervals hold the true UAR of N simulated corpora (12,000); ``consistency``: distances between
corpora in several embeddings; ``circumplex``: correlation of typical positions with ratings;
``supervision``: semi-supervised autoencoders of RAVDESS on new speakers, with N seeds (2).
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import warnings
from pathlib import PurePosixPath

import numpy as np
from _cross_lingual import CORPORA, EMOTIONS, add_arguments
from scipy import stats
from scipy.special import expit
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    KLAnnealedVAE,
    SemiSupervisedVAE,
    cross_corpus_validate,
)
from sklearn_ser.datasets import CORPORA as REGISTERED
from sklearn_ser.datasets import circumplex, load_annotations, load_corpora
from sklearn_ser.evaluation import compare_methods, within_corpus_validate
from sklearn_ser.evaluation._intervals import (
    BootstrapSettings,
    draw_speakers,
    interval_of_draws,
)
from sklearn_ser.metrics import latent_consistency
from sklearn_ser.metrics._sums import METRICS

CONFIDENCE = 0.95
# Log odds of the recall of each class for an average speaker.
LEVELS = np.linspace(-1, 1.5, 4)
VOICE, INTERPLAY, N_SPEAKERS = 1, 0.5, (5, 6, 8, 10, 12, 24)


def load(arguments):
    folders = {name: arguments.shared / "corpora" / name for name in CORPORA}
    speech = load_corpora(folders, emotions=EMOTIONS)
    return speech, EGeMAPSExtractor(cache=arguments.cache, n_jobs=2).transform(speech.path)


def show(title, header, rows):
    print(f"\n{title}\n" + "  ".join(f"{cell:>16}" for cell in header))
    for row in rows:
        cells = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row)
        print("  ".join(f"{cell:>16}" for cell in cells))


def part_intervals(arguments):
    speech, X = load(arguments)
    columns = (speech.emotion, speech.corpus)
    results = {
        title: cross_corpus_validate(
            make_pipeline(scaler, SVC(class_weight="balanced")), X, *columns, speaker=speech.speaker
        )
        for title, scaler in (("by corpus", CorpusScaler()), ("one scaler", StandardScaler()))
    }
    for title, result in results.items():
        rows = result.summary[["corpus", "n_test", "n_speakers", "uar", "uar_low", "uar_high"]]
        show(f"SVM, {title}", ("held out", *rows.columns[1:]), rows.itertuples(index=False))
    table = compare_methods(*results.values(), metric="uar")
    names = ["corpus", "first", "second", "difference", "low", "high", "p_value"]
    rows = table[names].assign(p_value=[f"{p:.4f}" for p in table["p_value"]])
    show("by corpus minus one scaler", names, rows.itertuples(index=False))


def part_speakers(arguments):
    speech, X = load(arguments)
    columns = (X, speech.emotion, speech.corpus)
    rows = []
    for unseen in ("batch", "pooled"):
        model = make_pipeline(CorpusScaler(unseen=unseen), SVC(class_weight="balanced"))
        for n_splits in (10, 3):
            result = within_corpus_validate(
                model, *columns, speaker=speech.speaker, n_splits=n_splits
            )
            uar = result.scores.set_index("corpus")["uar"]
            rows.append((unseen, n_splits, *(float(uar[name]) for name in CORPORA)))
    show("SVM on held-out speakers of a corpus", ("unseen", "groups", *CORPORA), rows)


def simulate(rng, n_corpora, n_speakers, *, voice=VOICE, interplay=INTERPLAY, n_heard=4):
    """Return true and correct recordings, (n_corpora, n_speakers, 4), of speakers who differ.

    Each speaker is heard in `n_heard` of the four emotions.
    """
    shape = (n_corpora, n_speakers, len(LEVELS))
    effect = voice * rng.normal(size=(*shape[:2], 1)) + interplay * rng.normal(size=shape)
    n_true = np.full(shape, 8)
    if n_heard < len(LEVELS):
        n_true *= rng.random(shape).argsort(axis=-1) < n_heard
    return n_true, rng.binomial(n_true, expit(LEVELS + effect))


def true_uar(voice=VOICE, interplay=INTERPLAY):
    """Return the expected recall over all speakers that there could be, mean of the classes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    values = expit(LEVELS[:, None] + np.hypot(voice, interplay) * nodes)
    return (values @ weights / weights.sum()).mean()


def holds(sums, truth, settings):
    """Return whether our interval, percentiles and the formula for recordings hold the truth."""
    uar = METRICS["uar"].score
    estimate = uar(sums.sum(axis=0))
    draws = uar(np.tensordot(draw_speakers(len(sums), settings), sums, axes=1))
    ours = interval_of_draws(estimate, draws, len(sums), settings, low=0, high=1)
    low, high = np.percentile(draws, 100 * np.array([1 - CONFIDENCE, 1 + CONFIDENCE]) / 2)
    n, recall = sums[:, 0].sum(axis=0), sums[:, 1].sum(axis=0) / sums[:, 0].sum(axis=0)
    # Drawing recordings amounts to the standard error of independent ones.
    error = np.sqrt((recall * (1 - recall) / n).sum()) / len(LEVELS)
    margin = stats.norm.ppf((1 + CONFIDENCE) / 2) * error
    return ours.low <= truth <= ours.high, low <= truth <= high, abs(estimate - truth) <= margin


def coverage(n_corpora, n_speakers, settings, **options):
    """Return how often each interval holds the true UAR, in percent."""
    rng = np.random.default_rng(n_speakers)
    n_true, correct = simulate(rng, n_corpora, n_speakers, **options)
    options.pop("n_heard", None)
    truth = true_uar(**options)
    corpora = np.stack([n_true, correct, correct], axis=2).astype(float)
    held = [holds(sums, truth, settings) for sums in corpora]
    return [f"{100 * share:.1f} %" for share in np.mean(held, axis=0)]


def part_coverage(arguments):
    settings = BootstrapSettings(n_draws=500, random_state=np.random.RandomState(0))
    rows = [(n, *coverage(arguments.corpora, n, settings)) for n in N_SPEAKERS]
    header = ("speakers", "these intervals", "percentiles", "recordings drawn")
    show(f"Coverage of nominal 95 % intervals, {arguments.corpora} corpora each", header, rows)
    hard = {"voice": 2, "interplay": 0, "n_heard": 2}
    rows = [(n, *coverage(arguments.corpora, n, settings, **hard)) for n in (10, 12, 24)]
    show("Speakers who differ with a standard deviation of 2, in two emotions each", header, rows)


def part_consistency(arguments):
    speech, X = load(arguments)
    scaled = {
        "one scaler": StandardScaler().fit_transform(X),
        "by corpus": CorpusScaler().fit_transform(X, sample_domain=speech.corpus),
    }
    embeddings = {f"functionals, {title}": (Z, speech.corpus) for title, Z in scaled.items()}
    for title, Z in scaled.items():
        latent = DAETransformer(n_components=8, random_state=0).fit_transform(Z)
        embeddings[f"DAE, {title}"] = (latent, speech.corpus)
    exchanged = np.random.default_rng(0).permutation(speech.corpus)
    embeddings["exchanged"] = (latent, exchanged)
    print("\nsliced Wasserstein, MMD squared, Jensen-Shannon, separability")
    for title, (Z, corpus) in embeddings.items():
        found = latent_consistency(Z, corpus, random_state=0)
        numbers = (found.sliced_wasserstein, found.mmd, found.jensen_shannon, found.separability)
        print(f"{title:<24} " + "  ".join(f"{number:.3f}" for number in numbers))


def part_circumplex(arguments):
    rated = load_annotations("das2022", arguments.shared / "labels")
    print("\nTypical positions and ratings, correlation and mean distances to the centre:")
    for name, rows in rated.groupby("corpus"):
        corpus = REGISTERED[name]
        labels = [corpus.parse(PurePosixPath(file)) for file in rows["file"]]
        known = np.array([one is not None for one in labels])
        words = [corpus.emotions[one["emotion_raw"]] for one in labels if one is not None]
        typical = circumplex(words)[["valence", "activation"]].to_numpy()
        ratings = rows.loc[known, ["valence", "activation"]].to_numpy()
        usable = np.isfinite(typical).all(axis=1) & np.isfinite(ratings).all(axis=1)
        typical, ratings = typical[usable], ratings[usable]
        found = [np.corrcoef(typical[:, k], ratings[:, k])[0, 1] for k in (0, 1)]
        far = [np.linalg.norm(points - 3, axis=1).mean() for points in (typical, ratings)]
        print(
            f"{name:<8} {usable.sum():>4} of {len(rows)}  valence {found[0]:.2f}  "
            f"activation {found[1]:.2f}  farther from the centre by {far[0] - far[1]:.2f}"
        )


SUPERVISED = {
    f'"{kind}", weight {weight}, {width} units': {
        "supervision": kind, "supervision_weight": weight, "n_components": width
    }
    for width in (32, 2)
    for kind, weights in (("cluster", (1, 0.1, 0.03)), ("classifier", (0.1,)))
    for weight in weights
}  # fmt: skip
BETAS = (1, 0.1, 0.03)


def part_supervision(arguments):
    speech, X = load(arguments)
    rows = (speech.corpus == "ravdess").to_numpy()
    X, y, speaker = X[rows], speech.emotion[rows], speech.speaker[rows]

    def uar(*steps):
        model = make_pipeline(StandardScaler(), *steps, SVC(class_weight="balanced"))
        found = cross_val_score(
            model, X, y, groups=speaker, cv=GroupKFold(4), scoring="balanced_accuracy"
        )
        return found.mean()

    print(f"\nRAVDESS, three quarters of the speakers train: functionals {uar():.3f}; beta {BETAS}")
    models = {
        f"KLAnnealedVAE, {width} units": (KLAnnealedVAE, {"n_components": width})
        for width in (32, 2)
    } | {title: (SemiSupervisedVAE, options) for title, options in SUPERVISED.items()}
    for title, (kind, options) in models.items():
        cells = []
        for beta in BETAS:
            found = [
                uar(kind(beta=beta, random_state=seed, readout=None, **options))
                for seed in range(arguments.seeds)
            ]
            cells.append(f"{np.mean(found):.3f} ± {np.std(found):.3f}")
        print(f"{title:<36} " + "  ".join(cells), flush=True)


PARTS = {
    "intervals": part_intervals,
    "speakers": part_speakers,
    "coverage": part_coverage,
    "consistency": part_consistency,
    "circumplex": part_circumplex,
    "supervision": part_supervision,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.set_defaults(seeds=2)
    parser.add_argument("--corpora", type=int, default=12_000, help="simulated, of each size")
    parser.add_argument("--part", choices=PARTS, action="append")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for part in arguments.part or PARTS:
        print(f"\n== {part}", flush=True)
        PARTS[part](arguments)


if __name__ == "__main__":
    main()
