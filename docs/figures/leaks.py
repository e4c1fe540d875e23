"""The UAR without and with each leak: what ``benchmarks/leaks.py`` has printed."""

import json
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt

RECORD = Path(sys.argv[0]).parents[2] / "benchmarks" / "printed" / "leaks.json"
# Without "neutral", whose mean is over two corpora that it helps and one that it harms.
TITLES = {
    "copies": "{share} of the test corpus\nis also in the training",
    "corpora": "corpora are mixed",
    "speakers": "recordings are\nsplit at random",
    "segments": "halves of recordings\nare split at random",
    "selection": "features are chosen\nby labels of the test",
    "settings": "the best of 48\nsettings is reported",
    "scaler": "the scaler is fitted\nto everything",
}

lines = json.loads(RECORD.read_text(encoding="utf-8"))["printed"][1:]
rows = []
for pair in zip(lines[::2], lines[1::2], strict=True):
    (leak, _, title, *_, leaky), (*_, clean) = (re.split(r"  +", line) for line in pair)
    if leak in TITLES:
        share = title.partition("%")[0] + " %"
        rows.append((TITLES[leak].format(share=share), float(clean), float(leaky)))
rows.sort(key=lambda row: row[2] - row[1])

figure, ax = plt.subplots(figsize=(7, 5.6))
for place, (_, clean, leaky) in enumerate(rows):
    ax.plot([clean, leaky], [place, place], color="#999999", linewidth=2, zorder=1)
    ax.text(leaky + 0.012, place, f"+{leaky - clean:.2f}", va="center")
titles, clean, leaky = zip(*rows, strict=True)
places = range(len(rows))
ax.scatter(clean, places, color="#0072B2", s=60, label="without the leak", zorder=2)
ax.scatter(leaky, places, color="#D55E00", marker="D", s=60, label="with it", zorder=2)
ax.set_yticks(places, titles)
ax.set_xlim(0.25, 0.9)
ax.set_xlabel("mean UAR (chance: 0.25)")
ax.legend(loc="lower right", frameon=False)
ax.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
