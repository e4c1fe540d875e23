"""
How do I extract features on a cluster?
=======================================

Ten thousand recordings are a coffee break on a laptop, a million are
not. All parallel work of this package goes through joblib, and so the
cluster is a context manager around the same code.
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
# The same call, elsewhere
# ------------------------
#
# Inside the context, the recordings go to the workers in order. Only
# this process would open a cache; it is left out here, so that there is
# something to do.

gammish = speech[speech.corpus == "gammish"]
extractor = EGeMAPSExtractor()
with joblib.parallel_config(backend="dask"):
    X = extractor.transform(gammish.path)
X.shape

# %%
# Are the numbers of a cluster those of a laptop? They have to be equal
# to the last bit, or results would depend on where they were computed.

import numpy as np

bool(np.array_equal(X, extractor.transform(gammish.path)))

# %%
# Folds and candidates too
# ------------------------
#
# Whatever runs through joblib is distributed in the same way: the
# settings of a search, the folds of an evaluation. The features are
# looked up first, in this process, and travel as one array.

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
# Which worker did what
# ---------------------
#
# The scheduler remembers each task. Each bar is one of them: batches of
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
# Nothing in a pipeline changes for a cluster. What it needs is this
# package in the same version on all machines, and the recordings under
# the same paths. Fill the cache first, with one process that owns it,
# and train afterwards. Two threads in one process are no faster than
# one: how extraction scales with real processes, and what a million
# rows cost, is measured in :doc:`/large_collections`.
