"""
Which block of an encoder knows most about emotion?
===================================================

Pretrained speech encoders have many blocks, and most toolkits return
the last one. `sklearn_ser.EmbeddingExtractor` computes all of them in
one pass and keeps them in its cache, so that you can compare them on
your own corpora.
"""

# %%
# An encoder with random weights
# ------------------------------
#
# ``EmbeddingExtractor("openai/whisper-tiny.en")`` downloads weights.
# This page is built without a network, so the encoder below is a small
# Whisper with **random weights**, which has learnt nothing. It shows
# how layers are compared; its scores mean nothing else.

from pathlib import Path

import torch
import transformers
from transformers import (
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

folder = Path("speech", "random_whisper")
if not (folder / "model.safetensors").exists():
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    size = {
        "d_model": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
    }
    config = WhisperConfig(
        encoder_layers=4,
        decoder_layers=1,
        encoder_ffn_dim=256,
        decoder_ffn_dim=64,
        **size,
    )
    WhisperModel(config).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)

# %%
# The extractor takes a folder in the layout of ``transformers``. Layer
# 0 is the input of the first block, layer 4 the output of the last one.

from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor
from sklearn_ser.datasets import make_corpora

speech = make_corpora(
    "speech", n_utterances=96, n_speakers=8, mismatch=1, n_jobs=2
)
encoder = EmbeddingExtractor(
    folder, cache="speech/features.sqlite"
).fit(speech.path)
n_columns = len(encoder.get_feature_names_out())
print(f"{encoder.n_layers_} layers, {n_columns} columns")

# %%
# One pass, many layers
# ---------------------
#
# The first call computes all layers and stores them; each further
# ``layer`` is read from the cache. ``pooling="both"`` would add the
# standard deviation over time from the same rows.

from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn_ser import CorpusScaler, cross_corpus_validate


def evaluate(extractor):
    """Leave each corpus out, with an SVM behind an extractor."""
    model = make_pipeline(
        extractor, CorpusScaler(), SVC(class_weight="balanced")
    )
    return cross_corpus_validate(
        model,
        speech.path,
        speech.emotion,
        speech.corpus,
        speaker=speech.speaker,
    )


results = {
    f"layer {layer}" if layer != "all" else "all layers": evaluate(
        encoder.set_params(layer=layer)
    )
    for layer in [0, 1, 2, 3, 4, "all"]
}
results["eGeMAPSv02"] = evaluate(
    EGeMAPSExtractor(cache="speech/features.sqlite")
)

# %%
# The mean over the three held-out corpora, with its interval over
# speakers:

import matplotlib.pyplot as plt

means = [
    result.summary.set_index("corpus").loc["mean"]
    for result in results.values()
]
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for place, (name, mean) in enumerate(zip(results, means, strict=True)):
    colour = {"all layers": "#D55E00", "eGeMAPSv02": "#444444"}.get(
        name, "#0072B2"
    )
    ax.plot(
        [place, place],
        [mean.uar_low, mean.uar_high],
        color=colour,
        linewidth=2,
    )
    ax.plot(place, mean.uar, "o", color=colour, markersize=9)
ax.set_xticks(
    range(len(results)), ["0", "1", "2", "3", "4", "all", "eGeMAPS"]
)
ax.set(
    xlabel="layer of an encoder with random weights",
    ylabel="mean UAR (chance: 0.25)",
)
ax.axhline(0.25, color="black", linestyle="--", linewidth=1)

# %%
# Choose without the test corpus
# ------------------------------
#
# The best point of this picture is chosen with the emotions of the test
# corpora. ``layer`` is a parameter like any other, and a search that
# leaves out training corpora chooses it without them:

from sklearn.model_selection import GridSearchCV
from sklearn_ser import LeaveOneCorpusOut

known = speech[speech.corpus != "gammish"]
search = GridSearchCV(
    make_pipeline(
        encoder, CorpusScaler(), SVC(class_weight="balanced")
    ),
    {"embeddingextractor__layer": [0, 1, 2, 3, 4, "all"]},
    cv=LeaveOneCorpusOut(),
    scoring="balanced_accuracy",
)
search.fit(
    known.path,
    known.emotion,
    groups=known.corpus,
    corpusscaler__sample_domain=known.corpus,
)
search.best_params_

# %%
# What to conclude
# ----------------
#
# With random weights and synthesised voices, the functionals are best.
# On EMO-DB, RAVDESS and URDU, with the real weights of Whisper, a block
# in the *middle* is better than the others, the last one is worse than
# the 88 functionals, and all layers side by side are better than any
# single one. That is why ``layer="all"`` is the default. The curves of
# two encoders are in :doc:`/encoders`; :doc:`plot_4_torch_module` uses
# a network of your own.
