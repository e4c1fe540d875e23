"""Where the words for emotions lie in the plane of valence and activation."""

import matplotlib.pyplot as plt

from sklearn_ser.datasets import EMOTIONS, circumplex

words = [word for word in EMOTIONS if word != "other"]
places = circumplex(words)
figure, ax = plt.subplots(figsize=(6, 4.2))
ax.axhline(3, color="#BBBBBB", linewidth=1, zorder=0)
ax.axvline(3, color="#BBBBBB", linewidth=1, zorder=0)
ax.scatter(places["valence"], places["activation"], color="#0072B2", s=40)
for word, (x, y) in zip(words, places[["valence", "activation"]].to_numpy(), strict=True):
    ax.annotate(word, (x, y), (7, 4), textcoords="offset points", fontsize=11)
ax.set_xlim(1, 5.3)
ax.set_ylim(1, 5)
ax.set_xlabel("valence")
ax.set_ylabel("activation")
figure.tight_layout()
