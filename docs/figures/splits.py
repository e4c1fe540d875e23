"""Which recordings are training and test, with corpora and with speakers held out."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.model_selection import GroupKFold

from sklearn_ser import LeaveOneCorpusOut

CORPORA, N_SPEAKERS, N_RECORDINGS = ["emodb", "ravdess", "urdu"], 5, 4
corpus = np.repeat(CORPORA, N_SPEAKERS * N_RECORDINGS)
speaker = np.repeat(np.arange(len(CORPORA) * N_SPEAKERS), N_RECORDINGS)
X = np.zeros((len(corpus), 1))

splits = {
    "LeaveOneCorpusOut: other corpora": LeaveOneCorpusOut().split(X, groups=corpus),
    "GroupKFold by speaker: other speakers of known corpora": GroupKFold(
        5, shuffle=True, random_state=0
    ).split(X, groups=speaker),
}
figure, axes = plt.subplots(2, 1, figsize=(7, 4), height_ratios=[3, 5])
for ax, (title, folds) in zip(axes, splits.items(), strict=True):
    sides = np.array([np.isin(np.arange(len(X)), test) for _, test in folds], dtype=float)
    ax.imshow(sides, cmap=ListedColormap(["#CFE3F1", "#D55E00"]), aspect="auto")
    ax.vlines(np.arange(1, len(CORPORA)) * N_SPEAKERS * N_RECORDINGS - 0.5, -0.5, len(sides) - 0.5)
    ax.hlines(np.arange(1, len(sides)) - 0.5, -0.5, len(X) - 0.5, color="white", lw=3)
    ax.set_xticks(np.arange(len(CORPORA)) * 20 + 9.5, CORPORA)
    ax.set_yticks([])
    ax.set_ylabel("folds")
    ax.set_title(title, loc="left", fontsize=11)
    ax.tick_params(length=0)
axes[0].legend(
    handles=[plt.Rectangle((0, 0), 1, 1, color=c) for c in ("#CFE3F1", "#D55E00")],
    labels=["training", "test"], ncols=2, loc="lower right", bbox_to_anchor=(1, 1), frameon=False,
)  # fmt: skip
figure.tight_layout()
