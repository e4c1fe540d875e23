"""Adapt to targets in which the emotions are not equally frequent.

    python benchmarks/imbalance.py [--shared DIR] [--cache FILE] [--seeds N]
                                   [--features egemaps tiny.en] [--shares KIND ...]

Each of three corpora is the target in turn, sub-sampled so that all emotions are equally
frequent, or vary (Dirichlet distribution with parameter 5), or one is missing, or 70 or 85 %
of the recordings are neutral. Printed for each way to treat the shares: UAR, accuracy, log loss
and expected calibration error, mean over corpora and seeds; and how far shares that were
estimated in several ways are from the true ones, as the sum of absolute differences. Last,
estimates for speakers who are not in the source, of corpora that are. The encoder is the middle
layer of Whisper tiny.en (a package in the extra ``bench``).
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import copy
import tempfile
import warnings

import numpy as np
import pandas as pd
from _cross_lingual import CORPORA, EMOTIONS, add_arguments, load, scale
from _encoders import folder_of
from scipy.optimize import nnls
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EmbeddingExtractor, NNPMClassifier
from sklearn_ser.datasets import load_corpora
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.metrics import unweighted_average_recall

SHARES = ("equal", "varied", "one missing", "70 % neutral", "85 % neutral")
SCALINGS = {"egemaps": "both", "tiny.en": "corpus"}
SCORES = ("UAR", "accuracy", "log loss", "calibration error")
TRUE = "true shares"
WAYS = {
    "not adapted": {"adaptation": None},
    "None": {"target_prior": None},
    "uniform (default)": {},
    "source": {"target_prior": "source"},
    "estimate": {"target_prior": "estimate"},
    "true shares": {"target_prior": TRUE},
    "true shares, predicted uniform": {"target_prior": TRUE, "prediction_prior": "uniform"},
}


def subsample(emotion, shares, rng):
    """Return rows of a corpus in which the emotions have other shares."""
    rows = [rng.permutation(np.flatnonzero(emotion == one)) for one in EMOTIONS]
    counts = np.array([len(one) for one in rows])
    neutral = EMOTIONS.index("neutral")
    if shares == "varied":
        wanted = rng.dirichlet(np.full(len(EMOTIONS), 5))
    elif shares.endswith("neutral"):
        part = int(shares.split()[0]) / 100
        wanted = np.full(len(EMOTIONS), (1 - part) / (len(EMOTIONS) - 1))
        wanted[neutral] = part
    else:
        wanted = np.ones(len(EMOTIONS))
        wanted[rng.integers(len(EMOTIONS))] = shares == "equal"
    size = (counts / np.maximum(wanted, 1e-9)).min()
    taken = np.where(wanted > 0, np.maximum(3, np.round(size * wanted)), 0).astype(int)
    return np.sort(np.concatenate([one[:n] for one, n in zip(rows, taken, strict=True)]))


def calibration_error(emotion, probabilities, n_bins=10):
    """Return the expected calibration error of the most probable emotion."""
    confidence = probabilities.max(axis=1)
    right = np.array(EMOTIONS)[probabilities.argmax(axis=1)] == emotion
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return sum(
        abs((right[bins == one] - confidence[bins == one]).sum()) for one in np.unique(bins)
    ) / len(emotion)


def scores(emotion, probabilities):
    predicted = np.array(EMOTIONS)[probabilities.argmax(axis=1)]
    return (
        unweighted_average_recall(emotion, predicted),
        accuracy_score(emotion, predicted),
        log_loss(emotion, np.clip(probabilities, 1e-6, 1), labels=EMOTIONS),
        calibration_error(emotion, probabilities),
    )


def shares_of(emotion):
    return np.array([(emotion == one).mean() for one in EMOTIONS])


def em(probabilities, weight=0.0):
    """Return the shares that EM finds; equal ones count as `weight` times the rows."""
    shares = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
    for _ in range(300):
        joint = probabilities * shares
        found = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
        shares = (found + weight / len(EMOTIONS)) / (1 + weight)
    return shares


def at_temperature(probabilities, temperature):
    powers = np.maximum(probabilities, 1e-8) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def by_confusion(held_out, emotion, probabilities, penalty):
    """Return the shares that explain the mean prediction, given confusions (BBSE, RLLS)."""
    confusion = np.array([held_out[emotion == one].mean(axis=0) for one in EMOTIONS]).T
    equal = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
    system = np.vstack([confusion, np.sqrt(penalty) * np.eye(len(EMOTIONS))])
    shares = nnls(system, np.append(probabilities.mean(axis=0), np.sqrt(penalty) * equal))[0]
    return shares / shares.sum()


def held_out_predictions(X, emotion, corpus, seed):
    """Return probabilities of the source rows, each corpus predicted by the others."""
    probabilities = np.empty((len(X), len(EMOTIONS)))
    for name in np.unique(corpus):
        own = corpus == name
        model = NNPMClassifier(adaptation=None, random_state=seed)
        probabilities[own] = model.fit(X[~own], emotion[~own]).predict_proba(X[own])
    return probabilities


def estimates(before, after, held_out, emotion):
    """Return shares, estimated from predictions for the target and for held-out sources."""
    weights = {one: len(emotion) / (emotion == one).sum() for one in EMOTIONS}
    loss = {
        temperature: log_loss(
            emotion,
            at_temperature(held_out, temperature),
            sample_weight=[weights[one] for one in emotion],
        )
        for temperature in (1, 2, 3, 5, 8, 12)
    }
    calibrated = at_temperature(before, min(loss, key=loss.get))
    return {
        "equal shares": np.full(len(EMOTIONS), 1 / len(EMOTIONS)),
        "mean prediction": before.mean(axis=0),
        "EM": em(before),
        "EM, weight 0.1": em(before, 0.1),
        "EM, weight 0.3": em(before, 0.3),
        "EM, calibrated": em(calibrated),
        "EM after adaptation": em(after),
        "EM after adaptation, weight 0.3": em(after, 0.3),
        "confusions (BBSE)": by_confusion(held_out, emotion, before, 0),
        "confusions, penalty 0.1 (RLLS)": by_confusion(held_out, emotion, before, 0.1),
    }


def in_all_ways(model, X_target, true):
    """Return the probabilities of target rows for each way to treat the shares."""
    found, adapted = {}, {}
    for way, parameters in WAYS.items():
        parameters = {"adaptation": "fit", "target_prior": "uniform", **parameters}
        if parameters["target_prior"] == TRUE:
            parameters["target_prior"] = true
        key = str([parameters[name] for name in ("adaptation", "target_prior")])
        if key not in adapted:
            adapted[key] = copy.copy(model).set_params(**parameters)
            if parameters["adaptation"]:
                adapted[key].adapt(X_target)
        found[way] = adapted[key].set_params(**parameters).predict_proba(X_target)
    return found


def results(X, emotion, corpus, scaling, seed, kinds=SHARES):
    """Yield what happens with each target and each kind of shares."""
    for number, target in enumerate(CORPORA):
        inside, source = np.flatnonzero(corpus == target), corpus != target
        model = None
        for kind in kinds:
            rng = np.random.default_rng([seed, number, SHARES.index(kind)])
            rows = inside[subsample(emotion[inside], kind, rng)]
            X_source, X_target = scale(scaling, X[source], corpus[source], X[rows])
            if model is None:
                # Source and scaling are the same for all sub-samples of a target.
                model = NNPMClassifier(random_state=seed).fit(X_source, emotion[source])
                held_out = held_out_predictions(X_source, emotion[source], corpus[source], seed)
            true = shares_of(emotion[rows])
            found = in_all_ways(model, X_target, true)
            for way, probabilities in found.items():
                for name, value in zip(SCORES, scores(emotion[rows], probabilities), strict=True):
                    yield name, way, kind, value
            shares = estimates(
                found["not adapted"], found["uniform (default)"], held_out, emotion[source]
            )
            for name, one in shares.items():
                yield "error of the shares", name, kind, np.abs(one - true).sum()


def with_known_speech(X, emotion, corpus, speaker, seed):
    """Yield how well shares are estimated for other speakers of corpora that the source has."""
    names = np.char.add(corpus, speaker)
    for target in CORPORA:
        rng = np.random.default_rng(seed)
        people = rng.permutation(np.unique(names[corpus == target]))
        held_out = np.isin(names, people[: len(people) // 2])
        scaler = StandardScaler().fit(X[~held_out])
        model = NNPMClassifier(target_prior="estimate", random_state=seed)
        model.fit(scaler.transform(X[~held_out]), emotion[~held_out])
        for kind in ("equal", "70 % neutral"):
            rows = np.flatnonzero(held_out)
            rows = rows[subsample(emotion[rows], kind, rng)]
            X_target, true = scaler.transform(X[rows]), shares_of(emotion[rows])
            one = copy.copy(model).adapt(X_target)
            yield "error of the shares", "estimate", kind, np.abs(one.target_prior_ - true).sum()
            yield "error of the shares", "equal", kind, np.abs(1 / len(true) - true).sum()
            yield "accuracy", "estimate", kind, one.score(X_target, emotion[rows])
            one.set_params(prediction_prior="uniform")
            yield "accuracy", "equal", kind, one.score(X_target, emotion[rows])


def show(title, values):
    frame = pd.DataFrame(values, columns=["score", "way", "shares", "value"])
    for name, part in frame.groupby("score", sort=False):
        table = part.pivot_table(index="way", columns="shares", values="value", sort=False)
        print(f"\n{title}: {name}")
        print(table.assign(mean=table.mean(axis=1)).round(3).to_string())


def embed(arguments):
    """Return the middle layer of Whisper tiny.en for the recordings that `load` returns."""
    speech = load_corpora(
        {name: arguments.shared / "corpora" / name for name in CORPORA}, emotions=EMOTIONS
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder_of("tiny.en", scratch)
        return EmbeddingExtractor(folder, cache=arguments.cache, n_jobs=2).transform(speech.path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--features", nargs="+", choices=SCALINGS, default=list(SCALINGS))
    parser.add_argument("--shares", nargs="+", choices=SHARES, default=SHARES)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", NotAdaptedWarning)
    X, emotion, corpus, speaker = load(arguments)
    for features in arguments.features:
        rows, scaling = X if features == "egemaps" else embed(arguments), SCALINGS[features]
        seeds = range(arguments.seeds)
        values = [
            one
            for seed in seeds
            for one in results(rows, emotion, corpus, scaling, seed, arguments.shares)
        ]
        show(f"{features} ({scaling})", values)
        values = [
            one for seed in seeds for one in with_known_speech(rows, emotion, corpus, speaker, seed)
        ]
        show(f"{features} (global), other speakers of the source corpora", values)


if __name__ == "__main__":
    main()
