"""The data flow of the package, box by box."""

from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

BOXES = [
    ("recordings", "files, segments", "#E69F00"),
    ("table", "path, emotion,\ncorpus, speaker", "#E69F00"),
    ("features", "functionals,\nencoder layers", "#56B4E9"),
    ("scaled features", "by corpus\nor speaker", "#56B4E9"),
    ("latent, classifier", "adapted without\nlabels", "#009E73"),
    ("predictions", "emotions,\nprobabilities", "#009E73"),
    ("scores", "on corpora not\nheard, intervals", "#CC79A7"),
    ("report", "page, figures,\ntables", "#CC79A7"),
]
WIDTH, HEIGHT = 2.6, 1.05
# A snake: two boxes side by side, then down, then back.
PLACES = [(3.3 * (i % 2 if i // 2 % 2 == 0 else 1 - i % 2), -1.55 * (i // 2)) for i in range(8)]

figure, ax = plt.subplots(figsize=(6.2, 6.2))
for (title, text, colour), (x, y) in zip(BOXES, PLACES, strict=True):
    box = FancyBboxPatch((x, y), WIDTH, HEIGHT, "round,pad=0.08", fc=colour + "33", ec=colour, lw=2)
    ax.add_patch(box)
    ax.text(x + WIDTH / 2, y + 0.86, title, ha="center", va="center", fontsize=15, weight="bold")
    ax.text(x + WIDTH / 2, y + 0.34, text, ha="center", va="center", fontsize=13, color="#333333")
for (x, y), (x_next, y_next) in pairwise(PLACES):
    if y == y_next:
        step = 1 if x_next > x else -1
        edge = WIDTH if step > 0 else 0
        start = (x + edge + 0.1 * step, y + HEIGHT / 2)
        end = (x_next + WIDTH - edge - 0.1 * step, y + HEIGHT / 2)
    else:
        start, end = (x + WIDTH / 2, y - 0.1), (x + WIDTH / 2, y_next + HEIGHT + 0.1)
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "lw": 2.5, "color": "#333333"})
ax.set_xlim(-0.2, 6.1)
ax.set_ylim(-4.85, 1.25)
ax.axis("off")
figure.tight_layout(pad=0.1)
