"""
How do I extract features on a cluster?
=======================================

A million recordings take too long on one computer. All parallel work of
this package goes through joblib, so the same code runs on a cluster
inside a context manager.
"""

# %%
# A cluster in this process
# -------------------------
#
# ``LocalCluster`` starts a scheduler and two workers here, as threads,
# so that this page builds anywhere. A real cluster differs in one line:
# ``Client("tcp://scheduler:8786")``. In a script with worker
# *processes*, everything below belongs behind ``if __name__ ==
# "__main__":``, since each worker imports the script.

import joblib
from dask.distributed import Client, LocalCluster
from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
cluster = LocalCluster(
    n_workers=2,
    threads_per_worker=1,
    processes=False,
    dashboard_address=None,
)
client = Client(cluster)
client.get_task_stream()  # from now on, tasks are recorded
print(f"{len(client.scheduler_info()['workers'])} workers")

# %%
# Extract features on the workers
# -------------------------------
#
# Inside the context, the recordings go to the workers in order. There
# is no cache here, so that the workers compute every row; only this
# process would open one.

gammish = speech[speech.corpus == "gammish"]
extractor = EGeMAPSExtractor()
with joblib.parallel_config(backend="dask"):
    X = extractor.transform(gammish.path)
X.shape

# %%
# The rows equal those of this process, bit by bit:

import numpy as np

bool(np.array_equal(X, extractor.transform(gammish.path)))

# %%
# Folds and candidates too
# ------------------------
#
# The settings of a search and the folds of an evaluation are
# distributed in the same way. The features are read from the cache
# first, in this process, and sent as one array.

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn_ser import CorpusScaler, LeaveOneCorpusOut

rows = EGeMAPSExtractor(cache="speech/features.sqlite").transform(
    speech.path
)
search = GridSearchCV(
    make_pipeline(CorpusScaler(), SVC(class_weight="balanced")),
    {"svc__C": [0.1, 1, 10], "svc__gamma": [0.001, 0.01, "scale"]},
    cv=LeaveOneCorpusOut(),
    scoring="balanced_accuracy",
)
with joblib.parallel_config(backend="dask"):
    search.fit(
        rows,
        speech.emotion,
        groups=speech.corpus,
        corpusscaler__sample_domain=speech.corpus,
    )
print(search.best_params_)

# %%
# The tasks of each worker
# ------------------------
#
# The scheduler records each task. Each bar is one of them: batches of
# recordings first, folds of the search later.

import matplotlib.pyplot as plt

workers, start = {}, None
figure, ax = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
for task in sorted(
    client.get_task_stream(),
    key=lambda task: task["startstops"][0]["start"],
):
    row = workers.setdefault(task["worker"], len(workers))
    for part in task["startstops"]:
        start = part["start"] if start is None else start
        if part["action"] == "compute":
            ax.barh(
                row,
                part["stop"] - part["start"],
                left=part["start"] - start,
                height=0.6,
                color="#0072B2",
                edgecolor="white",
            )
ax.set_yticks(
    range(len(workers)),
    [f"worker {number + 1}" for number in range(len(workers))],
)
ax.set_xlabel("seconds since the first task")

client.close()
cluster.close()

# %%
# What to conclude
# ----------------
#
# A pipeline needs no change for a cluster. All machines need the same
# version of this package, and the recordings under the same paths. Fill
# the cache first, and train afterwards. How extraction scales with
# processes, and what a million rows cost, is measured in
# :doc:`/large_collections`.
