"""The parts of NNPMClassifier and what flows between them."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#444444"


def box(ax, x, y, text, colour, width=2.3, height=0.9):
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0.05",
            facecolor="white",
            edgecolor=colour,
            linewidth=1.8,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=9)


def arrow(ax, start, end, colour, text="", at=0.5, offset=(0, 0.14), style="-"):
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.5, "linestyle": style},
    )
    if text:
        x = start[0] + at * (end[0] - start[0]) + offset[0]
        y = start[1] + at * (end[1] - start[1]) + offset[1]
        ax.text(x, y, text, ha="center", va="center", fontsize=8, color=colour)


figure, ax = plt.subplots(figsize=(9, 4.4))
box(ax, 1.2, 3.6, "source rows\nwith emotions", BLUE)
box(ax, 1.2, 0.9, "target rows\nwithout labels", ORANGE)
box(ax, 4.2, 2.25, "encoder\nto unit sphere", GREY, width=2.0)
box(ax, 7.2, 3.6, "memory: all source\nembeddings, emotions", BLUE)
box(ax, 7.2, 2.25, "linear head", GREY)
box(ax, 7.2, 0.9, "target embeddings", ORANGE)
box(ax, 10.6, 2.25, "votes of memory and head,\nbrought to equal shares", ORANGE, width=2.9)
box(ax, 10.6, 0.9, "pseudo multilabel:\nmemory rows to be close to", ORANGE, width=2.9)
arrow(ax, (2.4, 3.4), (3.3, 2.7), BLUE)
arrow(ax, (2.4, 1.1), (3.3, 1.8), ORANGE)
arrow(ax, (5.2, 2.65), (6.0, 3.35), BLUE, "once an epoch", offset=(-0.55, 0.18))
arrow(ax, (5.25, 2.25), (6.0, 2.25), GREY)
arrow(ax, (5.2, 1.85), (6.0, 1.15), ORANGE)
arrow(ax, (8.4, 3.4), (9.6, 2.75), BLUE)
arrow(ax, (8.4, 2.25), (9.1, 2.25), GREY)
arrow(ax, (10.6, 1.75), (10.6, 1.4), ORANGE)
arrow(ax, (9.1, 0.75), (8.4, 0.75), ORANGE, style="--")
arrow(ax, (6.0, 0.75), (4.2, 1.75), ORANGE, style="--")
ax.text(4.6, 0.75, "losses teach\nthe encoder", fontsize=8, color=ORANGE, ha="center")
ax.text(3.4, 3.65, "cross-entropy\nof the head", fontsize=8, color=BLUE, ha="center")
ax.set(xlim=(-0.1, 12.2), ylim=(-0.1, 4.4))
ax.axis("off")
figure.tight_layout()
