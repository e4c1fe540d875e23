"""From a recording to some of its functionals."""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import make_corpora
from sklearn_ser.features import FUNCTIONAL_NAMES, egemaps, egemaps_lld

PANELS = {
    "F0semitoneFrom27.5Hz_sma3nz": "F0 in semitones",
    "Loudness_sma3": "loudness",
}
SHOWN = {"percentile20.0": ":", "amean": "-", "percentile80.0": "--"}

with tempfile.TemporaryDirectory() as folder:
    speech = make_corpora(folder, n_corpora=1, n_speakers=2, n_utterances=8)
    y, sr = load_audio(speech["path"][0])
contours = egemaps_lld(y, sr)
values = dict(zip(FUNCTIONAL_NAMES, egemaps(y, sr), strict=True))

figure, axes = plt.subplots(3, 1, figsize=(7, 5), sharex=True)
axes[0].plot(np.arange(len(y)) / sr, y, color="#444444", linewidth=0.5)
axes[0].set_ylabel("signal")
for ax, (descriptor, title) in zip(axes[1:], PANELS.items(), strict=True):
    contour = contours[descriptor].to_numpy(copy=True)
    if descriptor.startswith("F0"):
        contour[contour == 0] = np.nan  # unvoiced
    ax.plot(np.arange(len(contour)) / 100, contour, color="#0072B2")
    # The names of openSMILE: the contour has a capital letter, its functionals have none.
    stem = descriptor.replace("Loudness", "loudness")
    for name, style in SHOWN.items():
        value = values[f"{stem}_{name}"]
        ax.axhline(value, color="#D55E00", linestyle=style, label=f"{name}: {value:.1f}")
    ax.set_ylabel(title)
    ax.legend(fontsize="small", ncols=3, loc="lower right", bbox_to_anchor=(1, 0.95), frameon=False)
axes[-1].set_xlabel("seconds")
figure.tight_layout()
