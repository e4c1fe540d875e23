"""Print and draw what the README shows first: UAR by representation and method.

    python benchmarks/representations.py [--shared DIR] [--scratch DIR] [--seeds N] [--out FILE]

Three corpora, four emotions, each corpus held out in turn: mean UAR over corpora and seeds, with a
95 % interval over speakers. Representations are eGeMAPS, Whisper tiny.en and base (all layers;
packages with their weights are in the extra ``bench``), and the middle layer of tiny.en beside
eGeMAPS. Each method takes the scaling that the command line gives it. ``docs/figures`` draws the
picture from FILE.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from encoders import Data, views
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, MCCClassifier, NNPMClassifier, cross_corpus_validate


def both_scalings():
    return make_union(CorpusScaler(), StandardScaler())


def methods(kind, n_features):
    """Yield names, pipelines and whether they draw at random, for a kind of representation."""
    svm = SVC(class_weight="balanced")
    if kind == "views":
        nnpm = NNPMClassifier(views=views(n_features))
        yield "NNPMClassifier", make_pipeline(both_scalings(), nnpm), True
        return
    scaling = both_scalings() if kind == "functionals" else CorpusScaler()
    yield "SVM, one scaler for all", make_pipeline(StandardScaler(), svm), False
    yield "SVM", make_pipeline(CorpusScaler(), svm), False
    yield "minimum class confusion", make_pipeline(CorpusScaler(), MCCClassifier()), True
    yield "NNPMClassifier", make_pipeline(scaling, NNPMClassifier()), True


def representations(data):
    """Yield names, kinds and rows."""
    functionals = data.egemaps()
    yield "eGeMAPSv02", "functionals", functionals
    yield "Whisper tiny.en", "encoder", data.embedding("tiny.en")
    yield "Whisper base", "encoder", data.embedding("base")
    middle = data.embedding("tiny.en", layer=2)
    yield "tiny.en and eGeMAPSv02", "views", np.hstack([functionals, middle])


def evaluate(data, seeds):
    speech = data.speech
    for title, kind, X in representations(data):
        for method, model, random in methods(kind, X.shape[1]):
            result = cross_corpus_validate(
                model,
                X,
                speech.emotion,
                speech.corpus,
                speaker=speech.speaker,
                seeds=seeds if random else None,
            )
            mean = result.summary.iloc[-1]
            yield {
                "representation": title,
                "method": method,
                **{name: round(float(mean[name]), 4) for name in ("uar", "uar_low", "uar_high")},
            }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument("--scratch", type=Path, help="folder for joined weights and features")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file for the figures, as JSON")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        arguments.scratch = arguments.scratch or Path(folder)
        arguments.scratch.mkdir(parents=True, exist_ok=True)
        for row in evaluate(Data(arguments), range(arguments.seeds)):
            rows.append(row)
            low, high = row["uar_low"], row["uar_high"]
            names = f"{row['representation']:24}{row['method']:26}"
            print(f"{names}{row['uar']:.3f}  {low:.2f} to {high:.2f}", flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
