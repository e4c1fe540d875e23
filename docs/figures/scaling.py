"""Two features of three corpora: raw, with one scaler, and scaled by corpus."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CorpusScaler

COLOURS = {"emodb": "#0072B2", "ravdess": "#D55E00", "urdu": "#009E73"}
OFFSETS = {"emodb": (0, 0), "ravdess": (7, -2), "urdu": (3, 7)}
UNITS = {"emodb": (1, 1), "ravdess": (1.6, 0.6), "urdu": (0.7, 1.8)}

rng = np.random.default_rng(0)
corpus = np.repeat(list(COLOURS), 80)
is_anger = np.tile([True, False], 120)
X = rng.normal(0, 0.6, (240, 2)) + np.where(is_anger, 1, -1)[:, None]
X = X * [UNITS[name] for name in corpus] + [OFFSETS[name] for name in corpus]

panels = {
    "raw": X,
    "one scaler": StandardScaler().fit_transform(X),
    "CorpusScaler": CorpusScaler().fit_transform(X, sample_domain=corpus),
}
figure, axes = plt.subplots(1, 3, figsize=(8, 3))
for ax, (title, rows) in zip(axes, panels.items(), strict=True):
    for name, colour in COLOURS.items():
        for emotion, face in ((is_anger, colour), (~is_anger, "none")):
            some = rows[(corpus == name) & emotion]
            ax.scatter(*some.T, s=14, facecolor=face, edgecolor=colour, linewidth=0.8)
    ax.set_title(title)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("feature 1")
axes[0].set_ylabel("feature 2")
handles = [
    plt.Line2D([], [], color=c, marker="o", linestyle="", label=n) for n, c in COLOURS.items()
]
axes[2].legend(handles=handles, fontsize="small", loc="upper left")
figure.tight_layout()
