"""What a user does in a session, run by test_environments in environments of all kinds.

    python _session.py FOLDER START_METHOD

It prints as JSON what must not depend on the environment. Features and scores are computed in
processes that were started by the given method.
"""

import hashlib
import json
import multiprocessing
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    NNPMClassifier,
    cross_corpus_validate,
    load,
    save,
)
from sklearn_ser.datasets import make_corpora
from sklearn_ser.features import write_features
from sklearn_ser.report import EvaluationRecord, write_report


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def run(folder, pool):
    speech = make_corpora(folder / "speech", n_corpora=2, n_speakers=2, n_utterances=8)
    extractor = EGeMAPSExtractor(cache=folder / "features.sqlite")
    paths = speech["path"].to_list()
    halves = pool.map(extractor.transform, [paths[:8], paths[8:]])
    X = np.vstack([*halves])
    failed = write_features(extractor, speech["path"], folder / "features.csv")
    model = make_pipeline(
        CorpusScaler(),
        NNPMClassifier(n_estimators=1, hidden_layer_sizes=(8,), max_epochs=2, random_state=0),
    )
    data = X, speech["emotion"], speech["corpus"]
    settings = {"speaker": speech["speaker"], "n_draws": 20}
    result = pool.submit(cross_corpus_validate, model, *data, **settings).result()
    EvaluationRecord.from_results({"nnpm": result}, speech).save(folder / "results")
    record = EvaluationRecord.load(folder / "results")
    page = write_report(record, folder / "report.html").read_text(encoding="utf-8")
    save(model.fit(X, speech["emotion"]), folder / "model.skops")
    table = record.predictions
    return {
        "features": digest(X),
        "failed": failed,
        "paths": [
            os.path.relpath(os.fsencode(path), os.fsencode(folder)) for path in table["path"]
        ],
        "predictions": table["y_pred"].tolist(),
        "probabilities": digest(table.filter(like="p_").to_numpy(float)),
        "uar": record.scores["uar"].tolist(),
        "saved model": digest(load(folder / "model.skops").predict_proba(X)),
        "report": [page.count("<table"), page.count("<svg")],
        "zone": record.run["created"][-6:],
    }


def main():
    # What others open without an encoding is not for this package to fix.
    warnings.filterwarnings("error", category=EncodingWarning, module="sklearn_ser")
    context = multiprocessing.get_context(sys.argv[2])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = run(Path(sys.argv[1]), pool)
    found["paths"] = [path.decode() for path in found["paths"]]
    sys.stdout.buffer.write(json.dumps(found).encode())


if __name__ == "__main__":
    main()
