"""
I can label a few recordings: how many, and which ones?
=======================================================

A person who understands the new language can label some of its
recordings. How much do these labels gain, and is it better to draw the
recordings at random, or to take those that the model is least sure of?
This example simulates the labels, so that several ways can be compared.
"""

# %%
# Alphish and Betish are labelled. Gammish is the new language, and
# nobody has labelled it so far. One network instead of the default of
# three keeps this page quick.

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    NNPMClassifier,
    adapt,
    fit_cross_corpus,
)
from sklearn_ser.datasets import make_corpora
from sklearn_ser.metrics import unweighted_average_recall

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
X = EGeMAPSExtractor(cache="speech/features.sqlite").transform(
    speech.path
)
new = (speech.corpus == "gammish").to_numpy()
X_new, y_new = X[new], speech.emotion[new].to_numpy()
model = fit_cross_corpus(
    make_pipeline(
        CorpusScaler(), NNPMClassifier(n_estimators=1, random_state=0)
    ),
    X[~new],
    speech.emotion[~new],
    speech.corpus[~new],
)
adapted = adapt(model, X_new)

# %%
# Three ways to choose
# --------------------
#
# Recordings to label come from one half of the speakers, and all scores
# are those of the other half: neither labelled recordings nor their
# speakers count. The first way draws at random. The second takes the
# recordings of which the model is least sure (uncertainty sampling).
# The third draws the same number from each emotion *that the model
# predicts*.

speaker = speech.speaker[new].to_numpy()
first_half = np.isin(speaker, np.unique(speaker)[::2])
pool, rest = np.flatnonzero(first_half), np.flatnonzero(~first_half)
probabilities = adapted.predict_proba(X_new)


def at_random(n, seed):
    """Draw recordings."""
    return np.random.default_rng(seed).permutation(pool)[:n]


def least_sure(n, seed):
    """Take the recordings with the smallest margins."""
    best = np.sort(probabilities[pool], axis=1)
    return pool[np.argsort(best[:, -1] - best[:, -2])[:n]]


def spread_out(n, seed):
    """Draw from each predicted emotion in turn."""
    drawn = np.random.default_rng(seed).permutation(pool)
    predicted = probabilities[drawn].argmax(axis=1)
    turn = np.empty(len(drawn))
    for emotion in np.unique(predicted):
        turn[predicted == emotion] = np.arange(
            (predicted == emotion).sum()
        )
    return drawn[np.argsort(turn, kind="stable")[:n]]


# %%
# `sklearn_ser.adapt` takes the labels with gaps: None stands for a
# recording without a label.


def score_with(labelled):
    """Return the UAR of the other half after adapting."""
    y_known = np.full(len(y_new), None, dtype=object)
    y_known[labelled] = y_new[labelled]
    predicted = adapt(model, X_new, y_known).predict(X_new)
    return unweighted_average_recall(y_new[rest], predicted[rest])


numbers = [4, 8, 16, 32]
ways = {
    "at random": at_random,
    "least sure": least_sure,
    "spread out": spread_out,
}
n_draws = {"at random": 4, "least sure": 1, "spread out": 4}
scores = {
    name: [
        [score_with(choose(n, seed)) for seed in range(n_draws[name])]
        for n in numbers
    ]
    for name, choose in ways.items()
}

# %%
# Thin marks are single draws, lines their means. The dotted line is the
# model without any label.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for (name, values), marker, colour in zip(
    scores.items(),
    "os^",
    ("#0072B2", "#D55E00", "#009E73"),
    strict=True,
):
    ax.plot(
        numbers,
        [np.mean(some) for some in values],
        marker=marker,
        color=colour,
        label=name,
    )
    for n, some in zip(numbers, values, strict=True):
        ax.plot(
            [n] * len(some),
            some,
            marker=marker,
            color=colour,
            alpha=0.3,
            linestyle="none",
        )
nothing = unweighted_average_recall(
    y_new[rest], adapted.predict(X_new)[rest]
)
ax.axhline(nothing, color="black", linestyle=":", label="no labels")
ax.set_xscale("log", base=2)
ax.set_xticks(numbers, numbers)
ax.set(xlabel="labelled recordings", ylabel="UAR of the other speakers")
ax.legend()

# %%
# How wide is the scatter? The spread of the random draws at each number
# of labels:

for n, some in zip(numbers, scores["at random"], strict=True):
    print(f"{n:2} labels at random: {min(some):.2f} to {max(some):.2f}")

# %%
# What to conclude
# ----------------
#
# Four labels can lower the score: the model trusts them, and they are
# too few to represent the language. With sixteen, it gains in most
# draws, with thirty-two in all. The ways of choosing differ less than
# the draws of one way, so that this picture does not rank them, and on
# real corpora none was reliably better than drawing at random. So
# ``sklearn-ser predict --ask 20`` draws the recordings to label next at
# random. Label about five of each emotion, of several speakers.
#
# :doc:`/adaptation` has the curves for EMO-DB, RAVDESS and URDU under
# "A few labels", and :doc:`/command_line` shows how recordings are
# drawn and labels learnt in the shell.
