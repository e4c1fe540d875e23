"""Latents by rated activation: what ``benchmarks/seed_tables.py --part figure`` prints."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Ellipse

# Level of activation, recordings, mean of both components, their covariance (xx, xy, yy).
LATENTS = {
    "DAETransformer, EMO-DB": [
        (1, 20, -1.014, 1.158, 0.118, -0.177, 0.273),
        (2, 65, -1.027, 1.173, 0.174, -0.278, 0.454),
        (3, 69, -0.492, 0.350, 0.193, -0.230, 0.301),
        (4, 162, 0.558, -0.594, 0.610, -0.472, 0.382),
        (5, 23, 1.332, -1.192, 0.787, -0.539, 0.376),
    ],
    "MetricDAE, EMO-DB": [
        (1, 20, -1.042, 0.399, 0.065, 0.019, 0.039),
        (2, 65, -1.081, 0.310, 0.078, 0.037, 0.078),
        (3, 69, -0.606, 0.501, 0.242, -0.006, 0.158),
        (4, 162, 0.646, -0.215, 0.500, -0.626, 1.324),
        (5, 23, 1.233, -1.213, 0.464, -0.740, 1.880),
    ],
    "DAETransformer, URDU": [
        (1, 10, -0.873, 0.983, 0.099, -0.207, 0.442),
        (2, 76, -0.602, 0.652, 0.353, -0.378, 0.479),
        (3, 139, -0.370, 0.328, 0.423, -0.489, 0.623),
        (4, 121, 0.256, -0.304, 0.735, -0.721, 0.760),
        (5, 54, 1.389, -1.264, 1.127, -0.776, 0.539),
    ],
    "MetricDAE, URDU": [
        (1, 10, -0.713, 0.209, 0.261, 0.452, 1.118),
        (2, 76, -0.710, -0.160, 0.452, 0.242, 0.972),
        (3, 139, -0.336, 0.201, 0.572, 0.232, 0.789),
        (4, 121, 0.305, 0.164, 0.730, -0.210, 0.704),
        (5, 54, 1.311, -0.699, 0.643, -0.967, 1.625),
    ],
}
COLOURS = plt.get_cmap("viridis")(np.linspace(0, 0.95, 5))


def one_sd(mean, covariance):
    """Return width, height and angle of the ellipse of one standard deviation."""
    values, vectors = np.linalg.eigh(covariance)
    width, height = 2 * np.sqrt(np.maximum(values, 0))
    return mean, width, height, np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))


figure, axes = plt.subplots(2, 2, figsize=(7.5, 7), sharex=True, sharey=True)
for ax, (title, levels) in zip(axes.T.flat, LATENTS.items(), strict=True):
    for level, n_rows, x, y, xx, xy, yy in levels:
        colour = COLOURS[level - 1]
        mean, width, height, angle = one_sd((x, y), [[xx, xy], [xy, yy]])
        ax.add_patch(Ellipse(mean, width, height, angle=angle, color=colour, alpha=0.25, lw=0))
        ax.scatter(x, y, s=60 + n_rows, color=colour, edgecolor="white", label=f"{level}")
        ax.annotate(
            f"{level}",
            (x, y),
            ha="center",
            va="center",
            fontsize=7,
            color="black" if level > 3 else "white",
        )
    ax.set_title(title, fontsize="medium")
    ax.set_aspect("equal")
for ax in axes[-1]:
    ax.set_xlabel("first component")
for ax in axes[:, 0]:
    ax.set_ylabel("second component")
figure.tight_layout()
