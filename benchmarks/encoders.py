"""Compare representations in a language without labels: eGeMAPS and layers of encoders.

    python benchmarks/encoders.py [--part PART] [--shared DIR] [--scratch DIR] [--seeds N]
        [--json FILE]

Three corpora, four emotions, Whisper tiny.en and base (packages with their weights are in the
extra ``bench``). UAR on the target, mean over corpora and seeds; sd over seeds. Parts:
``layers`` compares the layers of each encoder, ``frames`` all frames with those of speech alone;
``widths`` gives the autoencoders more units; ``beside`` puts functionals beside a layer;
``methods`` what classifiers, autoencoders and adaptation make of each representation, with each
scaling; ``pairs`` trains on a single corpus; ``views`` gives an encoder and functionals to members
of their own; ``inductive`` predicts speakers that were not
adapted to; ``choice`` lets a search choose the layer on the source corpora; ``cost`` times
extraction, one thread, by turns, on a quiet machine, and ``--json`` is for it; ``cache`` measures a
process that finds all rows stored, and the memory of others that compute few or many.
Needs skada.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from _cross_lingual import CORPORA, EMOTIONS, SCALINGS, leave_one_out, pairs, scale
from _encoders import PACKAGES, folder_of
from _record import Record, add_json
from cross_lingual import compare, deep, inductive, logistic, nnpm, supervised, svm, table
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    EmbeddingExtractor,
    KLAnnealedVAE,
    LeaveOneCorpusOut,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
)
from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import circumplex, load_corpora
from sklearn_ser.features import egemaps
from sklearn_ser.metrics import unweighted_average_recall


class Data:
    """Recordings, and any representation of them."""

    def __init__(self, arguments):
        folders = {name: arguments.shared / "corpora" / name for name in CORPORA}
        self.speech = load_corpora(folders, emotions=EMOTIONS)
        self.cache = arguments.scratch / "features.db"
        self.folders = {name: folder_of(name, arguments.scratch) for name in PACKAGES}

    def extractor(self, encoder, **parameters):
        return EmbeddingExtractor(self.folders[encoder], cache=self.cache, **parameters)

    def egemaps(self):
        return EGeMAPSExtractor(cache=self.cache, n_jobs=2).transform(self.speech.path)

    def embedding(self, encoder, **parameters):
        extractor = self.extractor(encoder, n_jobs=2, **parameters)
        return extractor.transform(self.speech.path)

    def rows(self, X):
        """Return what `cross_lingual` takes for data."""
        columns = ("emotion", "corpus", "speaker")
        return X, *(self.speech[name].to_numpy(str) for name in columns)


def behind(make):
    """Return a method: a transformer of target and source, and an SVM on its latents."""

    def method(X, y, X_target, seed):
        model = make(seed)
        Z = model.fit(X, y).transform(X)
        return svm().fit(Z, y).predict(model.transform(X_target))

    return method


class OnActivation(MetricDAE):
    """A MetricDAE that takes emotions, and learns the activation usual for them."""

    def fit(self, X, y):
        return super().fit(X, circumplex(y)["activation"].to_numpy(float))


def autoencoders(**sizes):
    """Return the SVM behind each autoencoder, with the settings of the command line."""
    return {
        "DAETransformer, SVM": behind(lambda seed: DAETransformer(random_state=seed, **sizes)),
        "KLAnnealedVAE, SVM": behind(
            lambda seed: KLAnnealedVAE(beta=0.03, random_state=seed, **sizes)
        ),
        "SemiSupervisedVAE, SVM": behind(
            lambda seed: SemiSupervisedVAE(
                beta=0.03, supervision_weight=0.01, random_state=seed, **sizes
            )
        ),
        "MetricDAE, SVM": behind(lambda seed: OnActivation(random_state=seed, **sizes)),
    }


METHODS = {
    "SVM": supervised(svm),
    "logistic regression": supervised(logistic),
    "64 principal components, SVM": behind(lambda seed: PCA(64, random_state=seed)),
    **autoencoders(),
    "the network, not adapted": nnpm(adaptation=None),
    "NNPMClassifier": nnpm(),
    "MCC": deep("MCC"),
}


# Of those, what the tables of single layers and of single sources show.
FEW = ("SVM", "logistic regression", "the network, not adapted", "NNPMClassifier", "MCC")


def part_layers(data, seeds):
    shown = {"mean": {name: METHODS[name] for name in ("SVM", "NNPMClassifier")}}
    shown["both"] = {"SVM": METHODS["SVM"]}
    for encoder in PACKAGES:
        n_layers = data.extractor(encoder).fit(data.speech.path).n_layers_
        for layer in [*range(n_layers), tuple(range(1, n_layers - 1)), "all"]:
            for pooling in ("mean", "both"):
                print(f"-- Whisper {encoder}, layer {layer}, {pooling}")
                X = data.embedding(encoder, layer=layer, pooling=pooling)
                compare(data.rows(X), shown[pooling], ["corpus"], seeds)


def part_frames(data, seeds):
    """Pool over all frames, and over those of speech."""
    shown = {name: METHODS[name] for name in ("SVM", "NNPMClassifier")}
    for encoder in PACKAGES:
        n_layers = data.extractor(encoder).fit(data.speech.path).n_layers_
        for layer in ((n_layers - 1) // 2, "all"):
            for frames in ("all", "speech"):
                print(f"-- Whisper {encoder}, layer {layer}, frames {frames}")
                X = data.embedding(encoder, layer=layer, frames=frames)
                compare(data.rows(X), shown, ["corpus"], seeds)


WIDE = {"n_components": 128, "hidden_layer_sizes": (512,)}


def part_widths(data, seeds):
    """Give the autoencoders more units than their defaults, which suit 88 features."""
    for title, X in (
        ("eGeMAPS", data.egemaps()),
        ("Whisper tiny.en", data.embedding("tiny.en")),
        ("Whisper base", data.embedding("base")),
    ):
        print(f"-- {title}, default widths")
        compare(data.rows(X), autoencoders(), ["corpus"], seeds)
        print(f"-- {title}, {WIDE}")
        compare(data.rows(X), autoencoders(**WIDE), ["corpus"], seeds)


def part_beside(data, seeds):
    """Put the functionals beside a middle layer: each column, or each block, counts the same."""
    functionals, shown = data.egemaps(), {"SVM": METHODS["SVM"]}
    for encoder in PACKAGES:
        n_layers = data.extractor(encoder).fit(data.speech.path).n_layers_
        rows = data.rows(data.embedding(encoder, layer=(n_layers - 1) // 2))
        blocks = rows, data.rows(functionals)
        uar = {"columns": [], "blocks": []}
        for source, target in leave_one_out():
            scaled = []
            for X, _, corpus, _ in blocks:
                train, test = np.isin(corpus, source), corpus == target
                scaled.append(scale("corpus", X[train], corpus[train], X[test]))
            y = rows[1]
            for weighting, found in uar.items():
                weights = (
                    [1, 1] if weighting == "columns" else [X[0].shape[1] ** -0.5 for X in scaled]
                )
                train_rows, test_rows = (
                    np.hstack([w * X[k] for w, X in zip(weights, scaled, strict=True)])
                    for k in (0, 1)
                )
                predicted = shown["SVM"](train_rows, y[np.isin(corpus, source)], test_rows, 0)
                found.append(unweighted_average_recall(y[corpus == target], predicted))
        for weighting, found in uar.items():
            print(f"Whisper {encoder} and eGeMAPS, equal {weighting}: {np.mean(found):.3f}")
        half = data.embedding(encoder).astype(np.float16).astype(np.float32)
        print(f"-- Whisper {encoder}, all layers in half precision")
        compare(data.rows(half), shown, ["corpus"], [0])


def representations(data):
    """Yield title, rows and whether to try all methods on them."""
    functionals = data.egemaps()
    yield "eGeMAPS", functionals, True
    for encoder in PACKAGES:
        X = data.embedding(encoder)
        yield f"Whisper {encoder}", X, encoder == "tiny.en"
        yield f"Whisper {encoder} and eGeMAPS", np.hstack([X, functionals]), False


def part_methods(data, seeds):
    for title, X, all_methods in representations(data):
        print(f"-- {title}, {X.shape[1]} columns")
        shown = METHODS if all_methods else {name: METHODS[name] for name in FEW}
        compare(data.rows(X), shown, SCALINGS, seeds)


def part_pairs(data, seeds):
    for title, X, _ in representations(data):
        rows = data.rows(X)
        print(f"-- {title}: SVM; the network, source alone → adapted")
        gains, means = [], []
        for transfer in pairs():
            alone, adapted = (
                table(METHODS[name], rows, "corpus", [transfer], seeds).mean()
                for name in ("the network, not adapted", "NNPMClassifier")
            )
            by_svm = table(METHODS["SVM"], rows, "corpus", [transfer], [0]).mean()
            gains.append(adapted - alone)
            means.append((by_svm, alone, adapted))
            (source,), target = transfer
            figures = f"{by_svm:.3f}; {alone:.3f} → {adapted:.3f}"
            print(f"{source:>8} → {target:<8} {figures}", flush=True)
        by_svm, alone, adapted = np.mean(means, axis=0)
        print(f"{'mean':>19} {by_svm:.3f}; {alone:.3f} → {adapted:.3f}")
        print(f"mean gain {np.mean(gains):+.3f}, smallest {min(gains):+.3f}")


def views(n_features):
    """Return the views that the command line takes of 88 functionals and an encoder.

    `n_features` counts both, which are there twice: scaled by corpus, and globally.
    """
    functionals = [*range(88), *range(n_features, n_features + 88)]
    return [slice(88, n_features), slice(n_features + 88, 2 * n_features), functionals]


def on_views(**parameters):
    def method(X, y, X_target, seed):
        return nnpm(views=views(X.shape[1] // 2), **parameters)(X, y, X_target, seed)

    return method


def part_views(data, seeds):
    """Give scalings of an encoder, and functionals beside it, members of their own."""
    for encoder in PACKAGES:
        middle = (data.extractor(encoder).fit(data.speech.path).n_layers_ - 1) // 2
        for layer in (middle, "all"):
            X = data.embedding(encoder, layer=layer)
            print(f"-- Whisper {encoder}, layer {layer}")
            gains_of({"adaptation": None}, {}, nnpm, data.rows(X), "corpus", seeds)
            print(f"-- Whisper {encoder}, layer {layer}, both scalings as views")
            two = {"views": 2}
            gains_of({"adaptation": None} | two, two, nnpm, data.rows(X), "both", seeds)
            print(f"-- eGeMAPS and Whisper {encoder}, layer {layer}, as views")
            beside = data.rows(np.hstack([data.egemaps(), X]))
            gains_of({"adaptation": None}, {}, on_views, beside, "both", seeds)


def gains_of(before, after, method, rows, scaling, seeds):
    """Print UAR before and after adaptation, from two sources and from one."""
    shown = {"not adapted": method(**before), "adapted": method(**after)}
    compare(rows, shown, [scaling], seeds)
    found = np.array(
        [
            [table(one, rows, scaling, [transfer], seeds).mean() for one in shown.values()]
            for transfer in pairs()
        ]
    )
    for ((source,), target), (alone, adapted) in zip(pairs(), found, strict=True):
        print(f"{source:>8} → {target:<8} {alone:.3f} → {adapted:.3f}")
    gains = found[:, 1] - found[:, 0]
    alone, adapted = found.mean(axis=0)
    print(f"{'mean':>19} {alone:.3f} → {adapted:.3f}, smallest gain {gains.min():+.3f}", flush=True)


def part_inductive(data, seeds):
    """Predict speakers that were not adapted to, from a middle layer."""
    for encoder in PACKAGES:
        layer = (data.extractor(encoder).fit(data.speech.path).n_layers_ - 1) // 2
        print(f"-- Whisper {encoder}, layer {layer}")
        inductive(data.rows(data.embedding(encoder, layer=layer)), "corpus", seeds)


def chosen_layer(data, encoder, source, classifier):
    """Return the layer that does best where one source corpus is held out of the others."""
    train = data.speech[data.speech.corpus.isin(source)]
    extractor = data.extractor(encoder)
    layers = [*range(extractor.fit(train.path).n_layers_), "all"]
    search = GridSearchCV(
        make_pipeline(extractor, CorpusScaler(), classifier),
        {"embeddingextractor__layer": layers},
        cv=LeaveOneCorpusOut(),
        scoring="balanced_accuracy",
        refit=False,
    )
    domain = {"corpusscaler__sample_domain": train.corpus}
    search.fit(train.path, train.emotion, groups=train.corpus, **domain)
    return search.best_params_["embeddingextractor__layer"]


def part_choice(data, seeds):
    """Choose the layer by leaving source corpora out, then predict the target."""
    searched = {
        "SVM": svm(),
        "NNPMClassifier": NNPMClassifier(adaptation="predict", random_state=0),
    }
    for encoder in PACKAGES:
        for name, classifier in searched.items():
            scores = []
            for source, target in leave_one_out():
                layer = chosen_layer(data, encoder, source, classifier)
                rows = data.rows(data.embedding(encoder, layer=layer))
                uar = table(METHODS[name], rows, "corpus", [(source, target)], seeds).mean()
                scores.append(uar)
                print(
                    f"Whisper {encoder} → {target:<8} {name}: layer {layer}, {uar:.3f}", flush=True
                )
            print(f"Whisper {encoder}, {name}: mean {np.mean(scores):.3f}")


def part_cost(data, seeds):
    """Time one thread, by turns, on recordings of EMO-DB; return the record."""
    torch.set_num_threads(1)
    files = data.speech[data.speech.corpus == "emodb"].path.iloc[::8]
    signals = [load_audio(path)[0] for path in files]
    seconds = sum(map(len, signals)) / 16000

    def rows(encoder, layer):
        extractor = EmbeddingExtractor(data.folders[encoder], layer=layer)
        return lambda: extractor.transform(signals)

    runs = {"eGeMAPS": lambda: [egemaps(y, 16000) for y in signals]}
    for encoder in PACKAGES:
        for layer in (2, 3, -1):
            runs[f"Whisper {encoder}, up to block {layer}"] = rows(encoder, layer)
    times = {title: [] for title in runs}
    for _ in range(6):
        for title, run in runs.items():
            start = time.process_time()
            run()
            times[title].append(1000 * (time.process_time() - start) / seconds)
    print(f"{len(signals)} recordings, {seconds:.0f} s; ms of CPU a second, median (range)")
    record = Record()
    for title, values in times.items():
        values = np.array(values[1:])
        ratio = np.median(values / np.array(times["eGeMAPS"][1:]))
        span = f"({values.min():.1f}-{values.max():.1f})"
        print(f"{title:<36} {np.median(values):6.1f} {span:<14} {ratio:5.2f} times eGeMAPS")
        record.measure(f"embedding, {title}", "ms of CPU per second of audio", values)
    return record


CHILD = """
import json, sys, time
from pathlib import Path
from sklearn_ser import EmbeddingExtractor
folder, cache, paths, times = json.load(sys.stdin)
extractor = EmbeddingExtractor(folder, cache=cache)
start = time.perf_counter()
n = sum(len(extractor.transform(paths)) for _ in range(times))
seconds = time.perf_counter() - start
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(f"{n:>6} recordings  {seconds:7.2f} s  {peak:6.0f} MB at the peak, ", end="")
print("with torch" if "torch" in sys.modules else "without torch")
"""


def part_cache(data, seeds):
    """Extract all layers of tiny.en in processes of their own."""
    data.embedding("tiny.en", layer="all")
    paths = data.speech.path.tolist()
    some = paths[::5]
    runs = {"all stored": (str(data.cache), paths, 1)}
    runs |= {"no cache": (None, some, 1), "five times": (None, some, 5)}
    for title, run in runs.items():
        given = json.dumps([str(data.folders["tiny.en"]), *run])
        done = subprocess.run(
            [sys.executable, "-c", CHILD], input=given, capture_output=True, text=True, check=True
        )
        print(f"{title:<14} {done.stdout.rstrip()}", flush=True)


PARTS = {
    "layers": part_layers,
    "frames": part_frames,
    "widths": part_widths,
    "beside": part_beside,
    "methods": part_methods,
    "pairs": part_pairs,
    "views": part_views,
    "inductive": part_inductive,
    "choice": part_choice,
    "cost": part_cost,
    "cache": part_cache,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument("--scratch", type=Path, help="folder for joined weights and features")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--part", choices=PARTS, action="append")
    add_json(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        arguments.scratch = arguments.scratch or Path(folder)
        arguments.scratch.mkdir(parents=True, exist_ok=True)
        data = Data(arguments)
        for part in arguments.part or PARTS:
            print(f"== {part}")
            record = PARTS[part](data, range(arguments.seeds))
            if record is not None:
                record.write(arguments.json)
            print()


if __name__ == "__main__":
    main()
