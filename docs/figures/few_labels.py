"""UAR by number of labels: what ``benchmarks/few_labels.py --part curves`` prints."""

import matplotlib.pyplot as plt

METHODS = {
    "NNPMClassifier": ("#0072B2", "o"),
    "SVM, source and labels": ("#D55E00", "s"),
    "SVM, labels alone": ("#444444", "^"),
}
NUMBERS = [0, 1, 2, 5, 10, 20]
MEANS = {
    "eGeMAPS": [
        [0.597, 0.603, 0.622, 0.675, 0.702, 0.732],
        [0.492, 0.548, 0.582, 0.633, 0.677, 0.714],
        [0.450, 0.524, 0.625, 0.676, 0.702],
    ],
    "middle layer of Whisper tiny.en": [
        [0.644, 0.653, 0.672, 0.737, 0.772, 0.837],
        [0.606, 0.627, 0.640, 0.685, 0.724, 0.781],
        [0.465, 0.545, 0.680, 0.715, 0.787],
    ],
}

figure, axes = plt.subplots(1, len(MEANS), figsize=(8, 4), sharey=True)
for ax, (representation, curves) in zip(axes, MEANS.items(), strict=True):
    for (name, (colour, marker)), means in zip(METHODS.items(), curves, strict=True):
        shown = range(len(NUMBERS) - len(means), len(NUMBERS))
        ax.plot(shown, means, color=colour, marker=marker, label=name)
    ax.set_xticks(range(len(NUMBERS)), NUMBERS)
    ax.set_xlabel("labelled recordings of each emotion")
    ax.set_title(representation)
axes[0].set_ylabel("mean UAR on the other recordings")
axes[0].legend(fontsize="small", loc="lower right")
figure.tight_layout()
