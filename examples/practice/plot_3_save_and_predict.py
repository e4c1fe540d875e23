"""
How do I pass a model on, and what will it say about one new recording?
=======================================================================

Loading a pickle runs the code in it, and may fail with other versions.
The files of `sklearn_ser.save` contain arrays and names of types, and a
card that describes the model. This example saves a model, reads its
card, loads it, and predicts single recordings, with and without a
reference.
"""

# %%
# Train
# -----
#
# The scores on the card should be for languages that the model was not
# trained on. They are computed first; then the model is trained on
# Alphish and Betish. Gammish is the language of the user.

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    cross_corpus_validate,
    fit_cross_corpus,
)
from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
ours, theirs = (
    speech[speech.corpus != "gammish"],
    speech[speech.corpus == "gammish"],
)
pipeline = make_pipeline(
    EGeMAPSExtractor(cache="speech/features.sqlite"),
    CorpusScaler(),
    LogisticRegression(max_iter=1000, class_weight="balanced"),
)
result = cross_corpus_validate(
    pipeline, ours.path, ours.emotion, ours.corpus
)
held_out = result.summary.set_index("corpus").uar.drop("mean")
model = fit_cross_corpus(pipeline, ours.path, ours.emotion, ours.corpus)

# %%
# Save
# ----

from sklearn_ser import load, save

card = {
    "trained_on": "Alphish and Betish, synthesised",
    "uar_of_each_left_out": {
        name: round(float(uar), 2) for name, uar in held_out.items()
    },
    "not_for": "decisions about people",
}
save(model, "model.skops", card=card)

# %%
# Read the card
# -------------
#
# `sklearn_ser.persistence.model_card` reads it without building the
# model, as ``sklearn-ser info`` does.

from sklearn_ser.persistence import model_card

header = model_card("model.skops")
print(header["card"])
print(
    {
        name: header["versions"][name]
        for name in ("sklearn-ser", "scikit-learn")
    }
)

# %%
# Load and predict
# ----------------
#
# Only types that were reviewed are built. The loaded model is the same
# to the last bit; the path of the cache is a setting of a machine and
# was not saved, so it is set again.

import numpy as np

loaded = load("model.skops")
loaded.set_params(egemapsextractor__cache="speech/features.sqlite")
together = loaded.predict_proba(theirs.path)
print(
    "same as before:",
    bool(np.array_equal(together, model.predict_proba(theirs.path))),
)

# %%
# One recording is not a corpus
# -----------------------------
#
# The scaler treats all recordings of a call as one corpus and scales
# them by their own statistics. A single recording has none, so it is
# scaled by the statistics of the training corpora, and a warning is
# issued.

import warnings

from sklearn_ser.exceptions import SmallBatchWarning

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", SmallBatchWarning)
    alone = np.concatenate(
        [loaded.predict_proba([path]) for path in theirs.path]
    )
print(caught[0].message)

# %%
# A *reference* replaces them: earlier recordings of the same room, in
# all emotions, without labels. `sklearn_ser.rescale` computes their
# statistics once; each later recording is predicted by itself. Here the
# first four speakers are the reference for the other four.

from sklearn_ser import rescale

earlier = theirs.speaker.isin(
    sorted(theirs.speaker.unique())[:4]
).to_numpy()
calibrated = rescale(loaded, theirs.path[earlier])
by_reference = np.concatenate(
    [calibrated.predict_proba([path]) for path in theirs.path]
)

# %%
# The three ways compared on the recordings of the other four speakers:
# the probability of the true emotion, sorted. Higher is better; the
# line is chance.

import matplotlib.pyplot as plt
from sklearn_ser.metrics import unweighted_average_recall

later = ~earlier
truth = np.searchsorted(model.classes_, theirs.emotion[later])
figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
ways = {
    "one by one": alone,
    "one by one, with a reference": by_reference,
    "all at once": together,
}
for (name, probabilities), style in zip(
    ways.items(), (":", "-", "--"), strict=True
):
    chosen = probabilities[later]
    uar = unweighted_average_recall(
        theirs.emotion[later], model.classes_[chosen.argmax(axis=1)]
    )
    right = np.sort(chosen[np.arange(len(truth)), truth])[::-1]
    ax.plot(right, style, linewidth=2.5, label=f"{name}: UAR {uar:.2f}")
ax.axhline(0.25, color="black", linewidth=0.8)
ax.set(
    xlabel="recordings, sorted",
    ylabel="probability of the true emotion",
    ylim=(0, 1),
)
ax.legend()

# %%
# What to conclude
# ----------------
#
# Pass on the file with a card that says where the scores come from, and
# ask users for a reference: single recordings without one are predicted
# much worse than a corpus. With a reference, nothing is lost here. The
# same in the shell: ``sklearn-ser train``, ``info`` and ``predict
# --reference``. :doc:`/models` says what a file may contain and what
# ``load`` refuses; :doc:`/adaptation` shows models that learn from
# earlier recordings instead of only being scaled by them.
