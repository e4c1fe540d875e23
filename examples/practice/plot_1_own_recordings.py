"""
I have a folder of recordings: how do I get from it to a report?
================================================================

This example loads recordings from a folder, describes and checks them,
evaluates two methods, and writes a report in a single file.
"""

# %%
# A folder like yours
# -------------------
#
# Your recordings are in one sub-folder for each emotion, with names in
# your language. Here, synthesised recordings are copied into such a
# folder, with German names.

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
# others go into ``mapping``. Confidence intervals need speakers, which
# here are in the names of the files.

from sklearn_ser.datasets import load_folder

own = load_folder(mine, corpus="mine", language="x-gammish")
own["speaker"] = own.path.map(
    lambda path: Path(path).name.partition("_")[0]
)
own[["corpus", "emotion", "emotion_raw", "speaker"]].sample(
    4, random_state=0
)

# %%
# Describe
# --------
#
# Two labelled corpora in other languages complete the table. They have
# the same columns, so that pandas concatenates them.
# `sklearn_ser.datasets.describe` counts recordings, and reports what is
# out of balance.

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
# `sklearn_ser.datasets.check_corpora` looks for copies of recordings,
# truncated files, and sampling rates or durations that reveal the
# emotion.

from sklearn_ser.datasets import check_corpora

report = check_corpora(table)
print(f"{len(report)} findings")

# %%
# Evaluate
# --------
#
# Two methods, with each corpus left out in turn. The first one is the
# baseline.

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
        LogisticRegression(max_iter=1000, class_weight="balanced"),
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
# `sklearn_ser.evaluation.compare_with_baseline` exchanges the
# predictions of the two methods for whole speakers. All p-values are
# above 0.05: it may be chance.

from sklearn_ser.evaluation import compare_with_baseline

compare_with_baseline(results).round(3)

# %%
# Report
# ------
#
# `sklearn_ser.report.EvaluationRecord` keeps results, versions and
# settings in a folder. The report is one HTML file, which needs neither
# a server nor a network.

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
# Four steps make the result credible: speakers in the table, the check
# for copies, whole corpora held out, and a comparison over speakers.
# From the shell, ``sklearn-ser evaluate`` evaluates, compares and
# writes the report (:doc:`/report`). :doc:`/corpora` shows how to load
# tables, audformat databases and registered corpora;
# :doc:`plot_3_save_and_predict` predicts new recordings.
