"""A denoising autoencoder of one component moves points towards the curve they stem from."""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ser import DAETransformer

rng = np.random.default_rng(0)
position = rng.uniform(-1, 1, 300)
curve = np.c_[1.6 * position, np.sin(2.5 * position)]
X = curve + rng.normal(0, 0.08, curve.shape)
dae = DAETransformer(
    1,
    hidden_layer_sizes=(32, 16),
    noise=0.3,
    max_epochs=100,
    batch_size=32,
    readout=None,
    random_state=0,
).fit(X)

noisy = X[:60] + rng.normal(0, 0.35, (60, 2))
moved = dae.inverse_transform(dae.transform(noisy))
figure, ax = plt.subplots(figsize=(6, 3.8))
ax.scatter(*X.T, s=5, color="#BBBBBB", label="training rows")
ax.quiver(*noisy.T, *(moved - noisy).T, angles="xy", scale_units="xy", scale=1, width=0.003)
ax.scatter(*noisy.T, s=14, color="#D55E00", label="noisy rows")
ax.scatter(*moved.T, s=14, color="#0072B2", label="reconstructions")
ax.set_xlabel("feature 1")
ax.set_ylabel("feature 2")
ax.legend(fontsize="small", loc="upper left")
figure.tight_layout()
