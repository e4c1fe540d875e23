"""UAR by representation and method: what ``benchmarks/representations.py`` prints.

``python docs/figures/representations.py --save`` draws the picture of the README,
``representations.svg``.
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

HERE = Path(sys.argv[0]).parent
COLOURS = {
    "SVM, one scaler for all": "#999999",
    "SVM": "#0072B2",
    "minimum class confusion": "#E69F00",
    "NNPMClassifier": "#D55E00",
}
WIDTH = 0.2


def draw(rows):
    """Draw a group of bars for each representation, with intervals over speakers."""
    figure, ax = plt.subplots(figsize=(8, 3.8))
    titles = list(dict.fromkeys(row["representation"] for row in rows))
    shown = set()
    for group, title in enumerate(titles):
        some = [row for row in rows if row["representation"] == title]
        for number, row in enumerate(some):
            place = group + (number - (len(some) - 1) / 2) * WIDTH
            uar, method = row["uar"], row["method"]
            errors = [[uar - row["uar_low"]], [row["uar_high"] - uar]]
            label = None if method in shown else method
            shown.add(method)
            ax.bar(place, uar, 0.9 * WIDTH, color=COLOURS[method], label=label)
            ax.errorbar(place, uar, errors, color="#222222", linewidth=1, capsize=2)
            ax.text(place, 0.262, f"{uar:.2f}", ha="center", va="bottom", color="white", fontsize=8)
    ax.axhline(0.25, color="#222222", linewidth=0.8)
    ax.set_xticks(range(len(titles)), [title.replace(" and ", "\nand ") for title in titles])
    ax.set_ylabel("UAR (chance: 0.25)")
    ax.set_ylim(0.25, 0.85)
    ax.legend(fontsize="small", ncols=4, loc="upper center", frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


figure = draw(json.loads((HERE / "representations.json").read_text(encoding="utf-8")))
if "--save" in sys.argv:
    # The same bytes each time, so that only new figures change the file.
    plt.rcParams["svg.hashsalt"] = "representations"
    figure.savefig(HERE / "representations.svg", metadata={"Date": None})
