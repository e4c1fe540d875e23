"""The memory and a shifted target on the circle, before and after adaptation."""

import copy

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ser import NNPMClassifier

EMOTIONS = ["anger", "neutral", "sadness"]
STYLE = {"anger": ("#D55E00", "^"), "neutral": ("#444444", "s"), "sadness": ("#0072B2", "o")}

rng = np.random.default_rng(0)
y = np.repeat(EMOTIONS, 60)
centres = rng.normal(size=(3, 10)) * 1.1
X = np.repeat(centres, 60, axis=0) + rng.normal(size=(180, 10))
X_target = np.repeat(centres, 60, axis=0) + rng.normal(size=(180, 10)) + rng.normal(size=10) * 0.9

model = NNPMClassifier(2, n_estimators=1, adaptation=None, random_state=0).fit(X, y)
adapted = copy.copy(model).adapt(X_target)

figure, axes = plt.subplots(1, 2, figsize=(8, 4.2))
for ax, one, title in zip(axes, (model, adapted), ("warm-up only", "adapted"), strict=True):
    uar = one.score(X_target, y)
    for emotion, (colour, marker) in STYLE.items():
        memory = one.memory_[0][y == emotion]
        target = 0.72 * one.transform(X_target)[y == emotion]
        ax.scatter(*memory.T, c="white", edgecolors=colour, marker=marker, s=26)
        ax.scatter(*target.T, c=colour, marker=marker, s=14, label=emotion, alpha=0.7)
    ax.set_title(f"{title}: UAR {uar:.2f}")
    ax.set_aspect("equal")
    ax.axis("off")
axes[0].legend(loc="center", fontsize=8, frameon=False)
figure.tight_layout()
