"""Size of the registered corpora: recordings over speakers."""

import matplotlib.pyplot as plt

from sklearn_ser.datasets import CORPORA

STYLE = {
    "open": ("#009E73", "o"),
    "form": ("#E69F00", "s"),
    "research": ("#0072B2", "^"),
    "request": ("#D55E00", "D"),
    None: ("#777777", "v"),
}
NAMED = ("emodb", "ravdess", "urdu", "cremad", "iemocap", "msp_podcast", "tess")

figure, ax = plt.subplots(figsize=(7, 4.2))
shown = set()
for corpus in CORPORA.values():
    if corpus.n_recordings and corpus.n_speakers:
        colour, marker = STYLE[corpus.terms]
        label = None if corpus.terms in shown else corpus.terms or "unclear"
        shown.add(corpus.terms)
        ax.scatter(corpus.n_speakers, corpus.n_recordings, c=colour, marker=marker, label=label)
        if corpus.name in NAMED:
            place = (corpus.n_speakers, corpus.n_recordings)
            ax.annotate(corpus.name, place, (5, 4), textcoords="offset points", fontsize=10)
ax.set_xscale("log")
ax.set_yscale("log")
ax.set_xlabel("speakers")
ax.set_ylabel("recordings")
ax.legend(title="terms", fontsize="small", loc="upper left")
figure.tight_layout()
