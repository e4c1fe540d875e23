"""Measure what training with changed recordings is worth on noisy and telephone speech.

    python benchmarks/augmentation.py [--shared DIR] [--jobs N] [--cache FILE] [--seeds N]

Holds out EMO-DB, RAVDESS and URDU in turn, and tests on their recordings as they are, with noise
and over a telephone line. Trains on recordings as they are, and on those that
`AudioAugmenter` changes at its defaults, with N seeds (3). DIR holds ``corpora/``; by default
it is what SKLEARN_SER_SHARED names, else ``../shared``.
"""

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, EGeMAPSExtractor
from sklearn_ser.datasets import load_corpora
from sklearn_ser.exceptions import AudioWarning
from sklearn_ser.features import AudioAugmenter
from sklearn_ser.metrics import unweighted_average_recall

CORPORA = ("emodb", "ravdess", "urdu")
EMOTIONS = ("anger", "happiness", "neutral", "sadness")
CONDITIONS = {
    "pink noise, 10 dB": {"noise": ("pink",), "snr": (10, 10), "bands": ()},
    "babble, 10 dB": {"noise": ("babble",), "snr": (10, 10), "bands": ()},
    "telephone, μ-law": {"snr": None, "bands": ("mu-law",)},
}


def scores(X, test, speech, repeats, scaler):
    """UAR on each held-out corpus, of a support vector machine trained on `repeats` times X."""
    found = []
    corpus, emotion = (np.tile(speech[name], repeats) for name in ("corpus", "emotion"))
    for name in CORPORA:
        known, held_out = corpus != name, (speech["corpus"] == name).to_numpy()
        if scaler == "corpus":
            scaling = CorpusScaler()
            train = scaling.fit_transform(X[known], sample_domain=corpus[known])
        else:
            scaling = StandardScaler()
            train = scaling.fit_transform(X[known])
        model = SVC(class_weight="balanced").fit(train, emotion[known])
        predicted = model.predict(scaling.transform(test[held_out]))
        found.append(unweighted_average_recall(speech["emotion"][held_out], predicted))
    return np.mean(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[1] / ".." / "shared")
    parser.add_argument("--shared", type=Path, default=shared)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    # Of noise and telephone lines, some recordings are quiet.
    warnings.simplefilter("ignore", AudioWarning)
    folders = {name: Path(args.shared) / "corpora" / name for name in CORPORA}
    speech = load_corpora(folders, emotions=EMOTIONS)
    extractor = EGeMAPSExtractor(n_jobs=args.jobs, cache=args.cache)
    clean = extractor.transform(speech["path"])
    tests = {"as they are": clean}
    for name, options in CONDITIONS.items():
        augmenter = AudioAugmenter(extractor, gain=None, probability=1, random_state=99, **options)
        tests[name] = augmenter.fit_transform(speech["path"])
    changed = [
        AudioAugmenter(extractor, random_state=seed).fit_transform(speech["path"])
        for seed in range(args.seeds)
    ]
    stacked = np.vstack([clean, *changed])
    print(f"{'scaler':8} {'test recordings':20} trained on: as they are  changed       all")
    for scaler in ("corpus", "global"):
        for name, test in tests.items():
            plain = scores(clean, test, speech, 1, scaler)
            ours = [scores(X, test, speech, 1, scaler) for X in changed]
            more = scores(stacked, test, speech, 1 + args.seeds, scaler)
            print(
                f"{scaler:8} {name:20} {plain:.3f}        "
                f"{np.mean(ours):.3f} ± {np.std(ours):.3f}   {more:.3f}"
            )


if __name__ == "__main__":
    main()
