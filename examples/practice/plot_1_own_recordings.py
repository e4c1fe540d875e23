"""
I have a folder of recordings: how do I get from it to a report?
================================================================

Most studies begin with a folder, and end with a table in a paper. This
example walks the whole way: load, look, check, evaluate, and write a
page that can be sent by mail.
"""

# %%
# A folder like yours
# -------------------
#
# Your recordings stand in one sub-folder for each emotion, with names
# in your language. To have such a folder, some synthesised recordings
# are copied into one with German names.

import shutil
from pathlib import Path

from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
mine = Path("my_recordings")
german = {
    "anger": "Wut",
    "happiness": "Freude",
    "neutral": "neutral",
    "sadness": "Traurigkeit",
}
for row in speech[speech.corpus == "gammish"].itertuples():
    target = mine / german[row.emotion] / Path(row.path).name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(row.path, target)
sorted(path.name for path in mine.iterdir())

# %%
# Load
# ----
#
# `sklearn_ser.datasets.load_folder` translates words of five languages;
# others go into ``mapping``. Speakers are not in the folders, but here
# they are in the names of the files, and intervals need them.

from sklearn_ser.datasets import load_folder

own = load_folder(mine, corpus="mine", language="x-gammish")
own["speaker"] = own.path.map(
    lambda path: Path(path).name.partition("_")[0]
)
own[["corpus", "emotion", "emotion_raw", "speaker"]].sample(
    4, random_state=0
)

# %%
# Look before you train
# ---------------------
#
# Two other corpora, labelled and of other languages, complete the
# table. Both are in the same columns, so that pandas puts them
# together. `sklearn_ser.datasets.describe` says what will hurt.

import pandas as pd
from sklearn_ser.datasets import describe

table = pd.concat(
    [speech[speech.corpus != "gammish"], own], ignore_index=True
)
print(describe(table))

# %%
# Their recordings differ in number and in length:

describe(table).plot()

# %%
# Check
# -----
#
# A copy of a training recording in the test set, a truncated file, or a
# sampling rate that gives the emotion away would make everything below
# worthless.

from sklearn_ser.datasets import check_corpora

report = check_corpora(table)
print(f"{len(report)} findings")

# %%
# Evaluate
# --------
#
# Two methods, each corpus left out in turn. The first one is the
# baseline that the second is compared with, speaker by speaker.

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    cross_corpus_validate,
)

extractor = EGeMAPSExtractor(cache="speech/features.sqlite")
models = {
    "svm": make_pipeline(
        extractor, CorpusScaler(), SVC(class_weight="balanced")
    ),
    "logistic": make_pipeline(
        extractor,
        CorpusScaler(),
        LogisticRegression(C=0.01, class_weight="balanced"),
    ),
}
results = {
    name: cross_corpus_validate(
        model,
        table.path,
        table.emotion,
        table.corpus,
        speaker=table.speaker,
    )
    for name, model in models.items()
}

from sklearn_ser.plotting import UARDisplay

# sphinx_gallery_thumbnail_number = 2
UARDisplay.from_results(results)

# %%
# Is the difference more than chance?
# `sklearn_ser.evaluation.compare_with_baseline` permutes the methods
# within speakers.

from sklearn_ser.evaluation import compare_with_baseline

compare_with_baseline(results).round(3)

# %%
# Report
# ------
#
# `sklearn_ser.report.EvaluationRecord` keeps results, versions and
# settings in a folder, and the page is one file: no server, no network,
# readable on a phone.

from sklearn_ser.report import EvaluationRecord, write_report

record = EvaluationRecord.from_results(
    results, table, estimators=models
)
record.save("results")
page = write_report(record, "report.html")
print(f"{page}: {page.stat().st_size / 1e6:.1f} MB")
print(
    *sorted(path.name for path in Path("results").iterdir()), sep="\n"
)

# %%
# What to conclude
# ----------------
#
# A folder, twenty lines, a report. The parts that are easy to skip are
# the ones that decide whether anyone should believe it: speakers in the
# table, the check for copies, whole corpora held out, and a comparison
# that counts voices. From the shell, ``sklearn-ser evaluate`` does all
# of it (:doc:`/report`). :doc:`/corpora` loads tables, audformat
# databases and registered corpora; :doc:`plot_3_save_and_predict` takes
# the model to new recordings.
