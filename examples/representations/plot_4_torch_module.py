"""
Can I use any torch module as features?
=======================================

Yes, if it maps a signal to frames: it can then be the first step of a
pipeline, and `sklearn_ser.EmbeddingExtractor` does the reading, the
resampling, the caching and the pooling. This example writes a small
module and compares it with the functionals.
"""

# %%
# A module is a function from a signal to frames
# ----------------------------------------------
#
# The module below is called with one signal at 16 kHz, a tensor of
# shape (n_samples,), and returns a list of two layers of shape
# (n_frames, width). It has no trained weights: the first layer is a
# log-mel spectrogram, the second the changes of its smoothed bands over
# time. Load your own weights in their place.

import torch
from torch import nn


class Bands(nn.Module):
    """Log-mel bands, and how they change."""

    def __init__(self, n_bands=40, n_fft=512):
        super().__init__()
        mel = torch.linspace(
            0,
            2595 * torch.log10(torch.tensor(1 + 8000 / 700)),
            n_bands + 2,
        )
        hertz = 700 * (10 ** (mel / 2595) - 1)
        frequency = torch.linspace(0, 8000, n_fft // 2 + 1)[:, None]
        up = (frequency - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
        down = (hertz[2:] - frequency) / (hertz[2:] - hertz[1:-1])
        self.register_buffer(
            "filters", torch.minimum(up, down).clamp(min=0)
        )
        self.register_buffer("window", torch.hann_window(n_fft))

    def forward(self, signal):
        """Return two layers of frames."""
        spectrum = torch.stft(
            signal,
            len(self.window),
            hop_length=160,
            window=self.window,
            return_complex=True,
        )
        bands = torch.log(
            spectrum.abs().square().T @ self.filters + 1e-8
        )
        smooth = nn.functional.avg_pool1d(
            bands.T[None], 9, stride=1, padding=4
        )[0].T
        return [bands, torch.diff(smooth, dim=0).abs()]


# %%
# The first layer of an angry sentence, and of a sad one by the same
# speaker:

import matplotlib.pyplot as plt
from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
betish = speech[speech.corpus == "betish"]
speaker = betish[betish.speaker == betish.speaker.iloc[0]]
figure, axes = plt.subplots(
    2, 1, figsize=(6.4, 5), sharex=True, layout="constrained"
)
for ax, emotion in zip(axes, ["anger", "sadness"], strict=True):
    y, _ = load_audio(
        speaker[speaker.emotion == emotion].path.iloc[0],
        sampling_rate=16000,
    )
    bands, _ = Bands()(torch.from_numpy(y).float())
    extent = [0, len(y) / 16000, 0, bands.shape[1]]
    ax.imshow(
        bands.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        extent=extent,
    )
    ax.set(title=emotion, ylabel="mel band")
axes[-1].set_xlabel("seconds")

# %%
# As the first step of a pipeline
# -------------------------------
#
# The extractor pools the frames over time. The cache recognises the
# module by its weights and by ``version``: change ``version`` whenever
# the code changes.

from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    EmbeddingExtractor,
    cross_corpus_validate,
)
from sklearn_ser.features import make_extractor_union

bands = EmbeddingExtractor(
    Bands(),
    pooling="both",
    version="mel bands, 1",
    cache="speech/features.sqlite",
)
functionals = EGeMAPSExtractor(cache="speech/features.sqlite")
bands.fit(speech.path).get_feature_names_out()[[0, 40, 80, 120]]

# %%
# `sklearn_ser.features.make_extractor_union` puts its columns beside
# the functionals.

results = {
    name: cross_corpus_validate(
        make_pipeline(
            extractor, CorpusScaler(), SVC(class_weight="balanced")
        ),
        speech.path,
        speech.emotion,
        speech.corpus,
        speaker=speech.speaker,
    )
    for name, extractor in {
        "eGeMAPSv02": functionals,
        "my module": bands,
        "both": make_extractor_union(functionals, bands),
    }.items()
}

from sklearn_ser.plotting import UARDisplay

# sphinx_gallery_thumbnail_number = 1
UARDisplay.from_results(results)

# %%
# What to conclude
# ----------------
#
# Searches over ``layer`` and ``pooling``, adaptation and reports work
# with a module of your own as with the functionals. A saved model names
# its class, which ``load`` builds only if you pass it as ``trusted``.
# Overlapping intervals, as here, do not decide which features are
# better: `sklearn_ser.evaluation.compare_with_baseline` compares them
# speaker by speaker. *Pretrained* encoders are compared in
# :doc:`/encoders`. For functions that return one row per recording, use
# `sklearn_ser.features.FunctionExtractor` (:doc:`/features`).
