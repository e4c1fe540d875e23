"""
Can a model learn a language from recordings that nobody has labelled?
======================================================================

`sklearn_ser.NNPMClassifier` predicts labels for the recordings of a new
language, and learns from those with the highest confidence. If many of
them are wrong, it can get worse. This example shows what is gained,
what the guard against failures reports, and what it cannot detect.
"""

# %%
# Alphish and Gammish are labelled, Betish is new
# -----------------------------------------------

from sklearn.pipeline import make_pipeline
from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    NNPMClassifier,
    fit_cross_corpus,
)
from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
X = EGeMAPSExtractor(cache="speech/features.sqlite").transform(
    speech.path
)
new = (speech.corpus == "betish").to_numpy()
X_new, y_new = X[new], speech.emotion[new].to_numpy()

model = fit_cross_corpus(
    make_pipeline(CorpusScaler(), NNPMClassifier(random_state=0)),
    X[~new],
    speech.emotion[~new],
    speech.corpus[~new],
)

# %%
# `sklearn_ser.adapt` returns a copy that has learnt from the features
# of the new language, without its emotions. For a fair comparison,
# `sklearn_ser.rescale` gives the model that has not adapted the same
# recordings to scale by.

import warnings

from sklearn_ser import adapt, rescale
from sklearn_ser.exceptions import NotAdaptedWarning
from sklearn_ser.metrics import unweighted_average_recall

adapted = adapt(model, X_new)
with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", NotAdaptedWarning
    )  # that is the point of the comparison
    before = rescale(model, X_new).predict(X_new)
after = adapted.predict(X_new)
print(
    f"not adapted: UAR {unweighted_average_recall(y_new, before):.2f}"
)
print(f"adapted:     UAR {unweighted_average_recall(y_new, after):.2f}")

# %%
# Curves of the adaptation
# ------------------------
#
# `history_` has an entry for each epoch. After the warm-up on the
# labelled languages, nearly all pseudo labels stay the same from epoch
# to epoch, and the two predictions of the model (by its head, and by
# its memory of labelled recordings) agree. None of these curves needs
# a label.

import matplotlib.pyplot as plt
import pandas as pd

history = pd.DataFrame(adapted[-1].history_)
epochs = history[history.phase == "adaptation"]
figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
curves = {
    "label_agreement": "pseudo labels kept",
    "head_memory_agreement": "head and memory agree",
    "smallest_class": "share of the rarest emotion",
}
for (column, label), style in zip(
    curves.items(), ("-", "--", ":"), strict=True
):
    ax.plot(
        epochs.epoch, epochs[column], style, linewidth=2.5, label=label
    )
ax.set(xlabel="epoch", ylabel="share of the recordings", ylim=(0, 1.05))
ax.legend(loc="center right")

# %%
# The embedding before and after, coloured by the true emotions, which
# the model does not get. Circles are labelled recordings of the memory,
# crosses those of the new language.

import numpy as np
from sklearn.decomposition import PCA

# sphinx_gallery_thumbnail_number = 2
figure, axes = plt.subplots(
    2, 1, figsize=(6, 8.4), layout="constrained"
)
colours = {
    "anger": "#D55E00",
    "happiness": "#E69F00",
    "neutral": "#444444",
    "sadness": "#0072B2",
}
scaled = rescale(model, X_new)[0].transform(X_new)
for ax, one, title in zip(
    axes, (model, adapted), ("not adapted", "adapted"), strict=True
):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotAdaptedWarning)
        Z = one[-1].transform(scaled)[
            :, :64
        ]  # the first of three members
    plane = PCA(2, random_state=0).fit(
        np.concatenate([one[-1].memory_[0], Z])
    )
    for emotion, colour in colours.items():
        memory = plane.transform(
            one[-1].memory_[0][one[-1].memory_labels_ == emotion]
        )
        target = plane.transform(Z[y_new == emotion])
        ax.scatter(
            *memory.T,
            s=16,
            facecolors="none",
            edgecolors=colour,
            alpha=0.5,
        )
        ax.scatter(
            *target.T, s=36, marker="x", color=colour, label=emotion
        )
    ax.set(title=title, xticks=[], yticks=[])
axes[0].legend(loc="best")

# %%
# What the guard reports
# ----------------------
#
# After training, figures that need no label are checked: was an emotion
# lost, did the labels settle, do head and memory agree? This adaptation
# was accepted.

final = adapted[-1].history_[-1]
print("accepted:", final["accepted"])

# %%
# Twelve recordings are fewer than ``min_target``. The model is not
# adapted, and a warning is issued, which is caught here to be printed.

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", NotAdaptedWarning)
    unchanged = adapt(model, X_new[:12])
print("adapted:", unchanged[-1].adapted_)
print(caught[0].message)

# %%
# What the guard cannot detect
# ----------------------------
#
# The method assumes that all emotions are about equally frequent. Of
# angry recordings alone, it predicts all four emotions, in nearly equal
# shares. The pseudo labels settle, head and memory agree, and the guard
# accepts.

angry = X_new[y_new == "anger"]
misled = adapt(model, angry)
print("accepted:", misled[-1].history_[-1]["accepted"])
pd.Series(misled.predict(angry)).value_counts()

# %%
# If you know the shares, pass them as ``target_prior``: an emotion with
# the share 0 is neither learnt nor predicted.

told = fit_cross_corpus(
    make_pipeline(
        CorpusScaler(),
        NNPMClassifier(
            target_prior={
                "anger": 0.5,
                "happiness": 0.0,
                "neutral": 0.5,
                "sadness": 0.0,
            },
            random_state=0,
        ),
    ),
    X[~new],
    speech.emotion[~new],
    speech.corpus[~new],
)
two = np.isin(y_new, ["anger", "neutral"])
for name, one in {
    "equal shares assumed": model,
    "two emotions named": told,
}.items():
    score = unweighted_average_recall(
        y_new[two], adapt(one, X_new[two]).predict(X_new[two])
    )
    print(f"only anger and neutral speech, {name}: UAR {score:.2f}")

# %%
# What to conclude
# ----------------
#
# Adapt if you have many recordings of a language, in all emotions, and
# read the warning if there is one. An accepted adaptation has not
# collapsed, but may be wrong: without labels, two emotions that were
# swapped cannot be told from two that were not. How often it gained
# and lost on 90 transfers between real corpora is in
# :doc:`/adaptation`; :doc:`plot_2_few_labels` asks what a few
# labels add.
