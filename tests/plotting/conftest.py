import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklearn_ser import plotting
from sklearn_ser.metrics import reliability_curve

CORPORA = ("emodb", "ravdess", "urdu", "cafe", "aesdd_long_name", "emovo")
EMOTIONS = ("anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness")


@pytest.fixture(autouse=True)
def _closed_figures():
    """Close what a test has drawn."""
    yield
    plt.close("all")


def make_confusion(n_corpora, n_labels):
    rng = np.random.default_rng(0)
    counts = {
        corpus: pd.DataFrame(
            rng.integers(0, 30, (n_labels, n_labels)) + 100 * np.eye(n_labels, dtype=int),
            index=EMOTIONS[:n_labels],
            columns=EMOTIONS[:n_labels],
        )
        for corpus in CORPORA[:n_corpora]
    }
    counts["emodb"].iloc[1] = 0
    return plotting.CorpusConfusionDisplay(counts)


def make_uar(n_corpora, n_methods):
    rng = np.random.default_rng(0)
    scores = {}
    for method in ("svm", "dae", "vae", "ssvae", "metric", "nnpm")[:n_methods]:
        uar = rng.uniform(0.3, 0.7, n_corpora + 1)
        table = pd.DataFrame({"corpus": [*CORPORA[:n_corpora], "mean"], "uar": uar})
        scores[method] = table.assign(uar_low=uar - 0.1, uar_high=uar + 0.1)
    return plotting.UARDisplay(scores, chance=0.25)


def make_transfer(n_corpora):
    values = np.random.default_rng(0).uniform(0.2, 0.9, (n_corpora, n_corpora))
    names = CORPORA[:n_corpora]
    return plotting.TransferMatrixDisplay(pd.DataFrame(values, index=names, columns=names))


def make_scatter(n_corpora, n_labels):
    rng = np.random.default_rng(0)
    n_samples = 20 * n_corpora * n_labels
    return plotting.LatentScatterDisplay(
        pd.DataFrame(rng.normal(size=(n_samples, 2)), columns=["component 1", "component 2"]),
        np.tile(EMOTIONS[:n_labels], 20 * n_corpora),
        np.repeat(CORPORA[:n_corpora], 20 * n_labels),
    )


def make_label(n_corpora, n_labels):
    rng = np.random.default_rng(0)
    n_samples = 20 * n_corpora
    return plotting.LatentLabelDisplay(
        pd.DataFrame(rng.normal(size=(n_samples, 2)), columns=["component 1", "component 2"]),
        pd.DataFrame(rng.uniform(1, 5, (n_samples, 2)), columns=["activation", "valence"]).iloc[
            :, :n_labels
        ],
        np.repeat(CORPORA[:n_corpora], 20),
    )


def make_curves(n_terms):
    rows = []
    for epoch in range(1, 21):
        row = {"epoch": epoch, "loss": 1 / epoch, "duration": 0.1}
        for number in range(n_terms):
            row[f"term_{number}"] = number + 1 / epoch
            row[f"term_{number}_weight"] = number * epoch / 20
        rows.append(row | {"validation_loss": 1.5 / epoch})
    return plotting.TrainingCurvesDisplay(rows, best_epoch=15)


def make_contours(name):
    times = np.arange(0, 2, 0.01)
    return plotting.ContoursDisplay(
        times,
        np.linspace(0, 8000, 200),
        -60 * np.random.default_rng(0).random((200, len(times))),
        pd.Series(np.where(times < 1, np.nan, 200.0), times),
        pd.Series(np.sin(times) ** 2, times),
        name=name,
    )


def make_reliability(n_methods):
    rng = np.random.default_rng(0)
    curves = {}
    for number in range(n_methods):
        proba = rng.dirichlet(np.ones(4), size=300)
        y_true = np.array(list("abcd"))[
            (proba.cumsum(axis=1) > rng.random((300, 1))).argmax(axis=1)
        ]
        curves[f"method {number}"] = reliability_curve(y_true, proba)
    return plotting.ReliabilityDisplay(curves)


def make_speech(n_corpora, n_emotions, durations):
    rng = np.random.default_rng(0)
    counts = pd.DataFrame(
        rng.integers(0, 1000, (n_corpora, n_emotions)),
        index=CORPORA[:n_corpora],
        columns=EMOTIONS[:n_emotions],
    )
    counts.iloc[0, 0] = 0
    keys = pd.MultiIndex.from_product([counts.index, counts.columns])
    median = rng.uniform(1, 4, len(keys))
    table = pd.DataFrame({"median": median, "low": median - 0.5, "high": median + 2}, index=keys)
    return plotting.SpeechDisplay(counts, table[1:] if durations else None)


SIMPLE = {
    "CorpusConfusionDisplay": [make_confusion, 2, 4],
    "UARDisplay": [make_uar, 2, 1],
    "TransferMatrixDisplay": [make_transfer, 2],
    "LatentScatterDisplay": [make_scatter, 2, 4],
    "LatentLabelDisplay": [make_label, 2, 1],
    "TrainingCurvesDisplay": [make_curves, 1],
    "ContoursDisplay": [make_contours, "one.wav"],
    "ReliabilityDisplay": [make_reliability, 1],
    "SpeechDisplay": [make_speech, 2, 4, False],
}
FULL = {
    "CorpusConfusionDisplay": [make_confusion, 6, 8],
    "UARDisplay": [make_uar, 6, 6],
    "TransferMatrixDisplay": [make_transfer, 6],
    "LatentScatterDisplay": [make_scatter, 6, 8],
    "LatentLabelDisplay": [make_label, 6, 2],
    "TrainingCurvesDisplay": [make_curves, 6],
    "ReliabilityDisplay": [make_reliability, 8],
    "SpeechDisplay": [make_speech, 6, 8, True],
    "ContoursDisplay": [make_contours, "a_recording_with_a_name_beyond_all_reason.wav"],
}


@pytest.fixture(params=[*SIMPLE])
def display(request):
    """One of each, not drawn yet, of little content."""
    make, *arguments = SIMPLE[request.param]
    return make(*arguments)


@pytest.fixture(params=[*FULL])
def full_display(request):
    """One of each, not drawn yet, with as much in it as people have."""
    make, *arguments = FULL[request.param]
    return make(*arguments)


@pytest.fixture
def tested_displays():
    """The names of those that `display` and `full_display` stand for."""
    return set(SIMPLE), set(FULL)
