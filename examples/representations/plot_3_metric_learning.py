"""
Can a latent be ordered by how activated a voice is?
====================================================

Emotions are categories for some and a plane of activation and valence
for others. If recordings are rated, the distance between two latents
can be made proportional to the distance between their ratings. This
example trains such a latent on one language, and looks at the others.
"""

# %%
# Ratings of one language
# -----------------------
#
# The synthesised corpora contain the activation and the valence with
# which each sentence was synthesised, from 1 to 5, in place of ratings.
# Only the ratings of Betish are used for training. The other two
# languages take part without ratings.

import numpy as np
import pandas as pd
from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    EGeMAPSExtractor,
    MetricDAE,
)
from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
raw = EGeMAPSExtractor(cache="speech/features.sqlite").transform(
    speech.path
)
X = CorpusScaler().fit_transform(raw, sample_domain=speech.corpus)
rated = (speech.corpus == "betish").to_numpy()
activation = speech.activation.where(rated)  # NaN: not rated

# %%
# Three weights of the ratings
# ----------------------------
#
# All three networks reconstruct all recordings. `sklearn_ser.MetricDAE`
# adds the loss over pairs of rated recordings, once with its default
# weight and once with fifteen times as much.

shared = {"n_components": 2, "max_epochs": 80, "random_state": 0}
plain = DAETransformer(**shared).fit(X)
metric = MetricDAE(metric_weight=0.02, **shared).fit(
    X, activation=activation
)
strict = MetricDAE(metric_weight=0.3, **shared).fit(
    X, activation=activation
)
latents = {
    "no ratings": plain.transform(X),
    "weight 0.02": metric.transform(X),
    "weight 0.3": strict.transform(X),
}

# %%
# Each point is a recording, coloured by its activation. Betish, on the
# left, is rated; the ratings of Gammish, on the right, were not used by
# any of the three. Where colours change along one direction, distances
# in the latent follow activation.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(
    3, 2, figsize=(6, 8.4), layout="constrained"
)
for row, (title, Z) in enumerate(latents.items()):
    for column, corpus in enumerate(["betish", "gammish"]):
        chosen = (speech.corpus == corpus).to_numpy()
        ax = axes[row, column]
        points = ax.scatter(
            *Z[chosen].T,
            c=speech.activation[chosen],
            s=28,
            cmap="viridis",
        )
        points.set_clim(1, 5)
        ax.set(title=f"{corpus}: {title}", xticks=[], yticks=[])
figure.colorbar(
    points,
    ax=axes,
    location="bottom",
    shrink=0.6,
    label="activation, from 1 to 5",
)

# %%
# The direction of activation
# ---------------------------
#
# The same in one dimension: the component that correlates most with
# the ratings of the training, over the activation, and a line for each
# language. Where lines coincide, a latent means the same in all
# languages.

from sklearn_ser.plotting import LatentLabelDisplay

strengths = [
    abs(np.corrcoef(Z_column, activation[rated])[0, 1])
    for Z_column in metric.transform(X[rated]).T
]
# sphinx_gallery_thumbnail_number = 2
LatentLabelDisplay.from_estimator(
    metric,
    X,
    speech.activation,
    speech.corpus,
    components=[int(np.argmax(strengths))],
)

# %%
# How much of activation and valence do two numbers contain? The ratings
# are regressed on the latent, in each corpus by itself (adjusted R²).

from sklearn.linear_model import LinearRegression
from sklearn_ser.metrics import adjusted_r2

rows = []
for label in ("activation", "valence"):
    for title, Z in latents.items():
        row = {"rating": label, "latent": title}
        for corpus in speech.corpus.unique():
            chosen = (speech.corpus == corpus).to_numpy()
            rating = speech[label][chosen]
            line = LinearRegression().fit(Z[chosen], rating)
            row[corpus] = adjusted_r2(
                rating, line.predict(Z[chosen]), n_predictors=2
            )
        rows.append(row)
table = pd.DataFrame(rows).set_index(["rating", "latent"])
table.round(2)

# %%
# The rows for the activation as a picture. The rated language rises
# with the weight.

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for (corpus, values), marker in zip(
    table.loc["activation"].items(), "osD", strict=True
):
    ax.plot(
        values, marker=marker, markersize=9, linewidth=2, label=corpus
    )
ax.set(ylabel="adjusted R² of activation", ylim=(0, 1.05))
ax.legend()

# %%
# Predict a rating
# ----------------
#
# An estimator that was trained with ratings is a regressor as well:
# `predict` returns the activation. The concordance correlation is 1 for
# perfect predictions.

from sklearn_ser.metrics import concordance_correlation

for corpus in ("alphish", "gammish"):
    chosen = (speech.corpus == corpus).to_numpy()
    agreement = concordance_correlation(
        speech.activation[chosen], metric.predict(X[chosen])
    )
    print(f"{corpus}: concordance {agreement:.2f}")

# %%
# What to conclude
# ----------------
#
# Activation changes loudness, pitch and speaking rate together, so that
# even a network without ratings orders recordings by it. The ratings of
# one language improve this order there, and with the default weight the
# other two lose nothing. With a large weight the network overfits:
# Betish is nearly perfect, Alphish gains a little, and Gammish loses
# most of what it had. Of valence, two numbers contain hardly anything.
#
# Use ratings for distances with a meaning, not to recognise categories
# better: for that, they gain little on real corpora, as the figures in
# :doc:`/autoencoders` show. Typical ratings for corpora that have none
# are in :doc:`/annotations_and_checks`.
