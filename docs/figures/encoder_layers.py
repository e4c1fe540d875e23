"""UAR by layer of two Whisper encoders: what ``benchmarks/encoders.py --part layers`` prints."""

import matplotlib.pyplot as plt

MEANS = {
    "Whisper tiny.en": ("#0072B2", "o", [0.506, 0.562, 0.606, 0.585, 0.525], 0.627),
    "Whisper base": ("#D55E00", "s", [0.503, 0.491, 0.569, 0.607, 0.597, 0.584, 0.478], 0.626),
}
FUNCTIONALS = 0.538

figure, ax = plt.subplots(figsize=(7, 4))
for name, (colour, marker, by_layer, together) in MEANS.items():
    depth = [layer / (len(by_layer) - 1) for layer in range(len(by_layer))]
    ax.plot(depth, by_layer, color=colour, marker=marker, label=f"{name}, one layer")
    ax.axhline(together, color=colour, linestyle="--", label=f"{name}, all layers")
ax.axhline(FUNCTIONALS, color="#444444", linestyle=":", label="eGeMAPSv02")
ax.set_xlabel("depth: 0 is the input of the first block, 1 the output of the last")
ax.set_ylabel("mean UAR of an SVM on held-out corpora")
ax.set_ylim(0.45, 0.66)
ax.legend(fontsize="small", ncols=2, loc="upper left")
figure.tight_layout()
