"""What messages show of values: plain ones, nothing of numpy's types."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import sklearn_ser
from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    KLAnnealedVAE,
    LeaveOneCorpusOut,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    cross_corpus_validate,
    transfer_matrix,
)
from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import (
    check_corpora,
    circumplex,
    load_corpora,
    load_corpus,
    load_table,
    make_corpora,
    synthesise_vowel,
)
from sklearn_ser.evaluation import compare_methods, speaker_interval, within_corpus_validate
from sklearn_ser.features import FunctionExtractor, LibrosaExtractor, egemaps
from sklearn_ser.metrics import (
    adjusted_r2,
    corpus_separability,
    latent_consistency,
    maximum_mean_discrepancy,
    sliced_wasserstein_distance,
    unweighted_average_recall,
)
from sklearn_ser.plotting import CorpusConfusionDisplay, LatentLabelDisplay, UARDisplay
from sklearn_ser.utils._messages import plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.str_("anger"), "'anger'"),
        (np.float64(0.5), "0.5"),
        (np.int64(3), "3"),
        (np.bool_(True), "True"),
        ([np.int8(1), (np.float32(0.5), "a")], "[1, (0.5, 'a')]"),
        ({np.str_("a"): np.float64(1)}, "{'a': 1.0}"),
        ({np.int64(1)}, "{1}"),
        (np.array(["a", "b"]), "['a', 'b']"),
        (np.array([np.str_("a"), None], dtype=object), "['a', None]"),
        ("text", "'text'"),
        (None, "None"),
        (LogisticRegression(C=2), "LogisticRegression(C=2)"),
    ],
    ids=repr,
)
def test_plain(value, shown):
    assert repr(plain(value)) == shown


def test_plain_leaves_other_objects_alone():
    table = pd.DataFrame({"a": [1]})
    assert plain(table) is table
    assert plain(range(3)) == range(3)


N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
Y, NUMBERS = np.tile(["anger", "sadness"], N // 2), np.linspace(0.0, 1, N)
CORPUS, SPEAKER = np.repeat(["a", "b"], N // 2), np.repeat(np.arange(10), 4)
S, F, K = np.str_("nothing"), np.float64(0.5), np.int64(-3)
ROWS = pd.DataFrame({"path": ["a.wav"], "emotion": ["anger"], "speaker": ["1"], "corpus": ["a"]})


def validate(**changed):
    arguments = {"estimator": GaussianNB(), "X": X, "y": Y, "corpus": CORPUS, "speaker": SPEAKER}
    return cross_corpus_validate(**{**arguments, **changed})


def interval(**changed):
    return speaker_interval(**{"y_true": Y, "y_pred": Y, "speaker": SPEAKER, **changed})


def nnpm(prior, y=Y):
    return NNPMClassifier(target_prior=prior, max_epochs=1, warmup_epochs=1).fit(X, y)


# Each raises an error, of whatever type, and got numpy scalars or arrays.
ERRORS = {
    "split: targets": lambda: LeaveOneCorpusOut(targets=np.array(["c"])).corpora(CORPUS),
    "split: one corpus": lambda: LeaveOneCorpusOut().corpora(np.array(["a", "a"])),
    "split: gap": lambda: LeaveOneCorpusOut().corpora(np.array(["a", np.nan])),
    "scaler: corpus": lambda: CorpusScaler().fit(X, sample_domain=CORPUS).transform_corpus(X, S),
    "scaler: corpora": lambda: (
        CorpusScaler().fit(X, sample_domain=CORPUS).transform_corpus(X, SPEAKER)
    ),
    "validate: numbers": lambda: validate(y=NUMBERS),
    "validate: unlabelled": lambda: validate(y=np.arange(N) % 3 - 1),
    "validate: one class": lambda: validate(y=np.where(CORPUS == "a", Y, "anger")),
    "validate: seeds": lambda: validate(seeds=np.int64(5)),
    "validate: bad seeds": lambda: validate(seeds=np.array([-1, 2])),
    "validate: same seeds": lambda: validate(seeds=np.array([1, 1])),
    "validate: draws": lambda: validate(n_draws=F),
    "validate: confidence": lambda: validate(confidence=np.float64(95)),
    "validate: targets": lambda: validate(targets=S),
    "validate: params": lambda: validate(params={S: Y}),
    "validate: params of its own": lambda: validate(params={np.str_("speaker"): Y}),
    "within: splits": lambda: within_corpus_validate(
        GaussianNB(), X, Y, CORPUS, speaker=SPEAKER, n_splits=K
    ),
    "within: speaker": lambda: within_corpus_validate(
        GaussianNB(), X, Y, CORPUS, speaker=np.repeat(K, N)
    ),
    "transfer: splits": lambda: transfer_matrix(GaussianNB(), X, Y, CORPUS, n_splits=F),
    "transfer: column": lambda: transfer_matrix(GaussianNB(), X, Y, CORPUS).table(S),
    "interval: metric": lambda: interval(metric=S),
    "interval: numbers": lambda: interval(y_true=NUMBERS),
    "interval: unlabelled": lambda: interval(y_true=np.arange(N) % 3 - 1),
    "compare: permutations": lambda: compare_methods(validate(), validate(), n_permutations=K),
    "compare: metric": lambda: compare_methods(validate(), validate(), metric="ccc"),
    "uar: unlabelled": lambda: unweighted_average_recall(np.array([0, 1, -1]), np.arange(3)),
    "adjusted r2": lambda: adjusted_r2(NUMBERS, NUMBERS, n_predictors=K),
    "separability: cv": lambda: corpus_separability(X, CORPUS, cv=K),
    "separability: corpus": lambda: corpus_separability(X, np.repeat(S, N)),
    "consistency: samples": lambda: latent_consistency(X, CORPUS, max_samples=K),
    "distance: p": lambda: sliced_wasserstein_distance(X, X, p=F),
    "distance: projections": lambda: sliced_wasserstein_distance(X, X, n_projections=K),
    "distance: bandwidth": lambda: maximum_mean_discrepancy(X, X, bandwidth=K),
    "nnpm: prior": lambda: nnpm(np.array([0.4, 0.4])),
    "nnpm: list of shares": lambda: nnpm([F, F, F]),
    "nnpm: names": lambda: nnpm({S: F, np.str_("anger"): F}),
    "nnpm: one class": lambda: nnpm("uniform", np.repeat(S, N)),
    "nnpm: unlabelled": lambda: nnpm("uniform", np.arange(N) % 3 - 1),
    "ssvae: numbers": lambda: SemiSupervisedVAE().fit(X, NUMBERS),
    "ssvae: other classes": lambda: (
        SemiSupervisedVAE(2, max_epochs=1)
        .partial_fit(X, Y, classes=np.unique(Y))
        .partial_fit(X, np.repeat(S, N))
    ),
    "metric dae: text": lambda: MetricDAE().fit(X, activation=Y),
    "dae: layers": lambda: DAETransformer(hidden_layer_sizes=np.array([F, 2])).fit(X),
    "dae: other layers": lambda: (
        DAETransformer(2, hidden_layer_sizes=np.array([4]), max_epochs=1, warm_start=True)
        .fit(X)
        .set_params(n_components=np.int64(3), hidden_layer_sizes=np.array([5]))
        .fit(X)
    ),
    "vae: samples": lambda: KLAnnealedVAE(2, max_epochs=1).fit(X).sample(K),
    "device": lambda: DAETransformer(device=S).fit(X),
    "audio: rate": lambda: egemaps(np.zeros(8000), K),
    "egemaps: variant": lambda: egemaps(np.zeros(8000), 16000, variant=S),
    "extractor: item": lambda: LibrosaExtractor().transform([F]),
    "librosa: features": lambda: LibrosaExtractor(features=np.array(["x"])).transform(["a.wav"]),
    "librosa: twice": lambda: LibrosaExtractor(features=np.array(["rms"] * 2)).transform(["a.wav"]),
    "function: names": lambda: FunctionExtractor(np.mean, names=[F]).transform(["a.wav"]),
    "function: repeated": lambda: FunctionExtractor(np.mean, names=[S, S]).transform(["a.wav"]),
    "latent label": lambda: LatentLabelDisplay.from_embedding(
        X, {"activation": NUMBERS}, CORPUS, components=[K]
    ),
    "load_corpus: name": lambda: load_corpus(S, "."),
    "load_corpora: emotion": lambda: load_corpora({"emodb": "."}, emotions=np.array(["joyous"])),
    "load_corpora: one emotion": lambda: load_corpora({"emodb": "."}, emotions=S),
    "table: emotion": lambda: load_table(ROWS.assign(emotion=[S]), corpus=S),
    "table: number": lambda: load_table(ROWS.assign(emotion=[F]), corpus=S),
    "table: mapping": lambda: load_table(ROWS, mapping={np.str_("anger"): S}),
    "table: sex": lambda: load_table(ROWS.assign(sex=[F]), root="/nowhere"),
    "table: path": lambda: load_table(ROWS.assign(path=[S])),
    "check: split": lambda: check_corpora(ROWS, split=S),
    "check: difference": lambda: check_corpora(ROWS, max_rate_difference=K),
    "check: ratio": lambda: check_corpora(ROWS, max_duration_ratio=F),
    "check: recordings": lambda: check_corpora(ROWS, min_recordings=K),
    "circumplex": lambda: circumplex(np.array(["joyous"])),
    "make_corpora": lambda: make_corpora("x", n_corpora=K),
    "vowel: rate": lambda: synthesise_vowel(sampling_rate=F),
    "vowel: formants": lambda: synthesise_vowel(formants=np.array([K, K])),
    "vowel: f0": lambda: synthesise_vowel(f0=K),
    "confusion": lambda: CorpusConfusionDisplay.from_predictions(
        Y, Y, CORPUS, labels=np.array(["anger"])
    ),
    "uar display": lambda: UARDisplay({S: pd.DataFrame({"corpus": CORPUS})}).plot(),
    "adapt": lambda: sklearn_ser.adapt(LogisticRegression().fit(X, Y), X),
    "audio: target rate": lambda: load_audio("/nowhere.wav", sampling_rate=K),
}


@pytest.mark.parametrize("place", ERRORS)
def test_no_message_shows_types_of_numpy(place):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception, match=r".") as caught:
            ERRORS[place]()
    error = caught.value
    assert isinstance(error, (ValueError, TypeError, OSError, RuntimeError)), error
    assert not re.search(r"\bnp\.|numpy|array\(|dtype\('", str(error)), error


def test_warnings_show_none_either():
    y = np.where(CORPUS == "a", Y, np.where(Y == "anger", "anger", "joy"))
    lacks = r"lack its classes \['{}'\]".format
    with (
        pytest.warns(UserWarning, match=lacks("sadness")),
        pytest.warns(UserWarning, match=lacks("joy")),
    ):
        cross_corpus_validate(GaussianNB(), X, y, CORPUS)


def test_sizes_of_tensors_are_untouched():
    assert plain(torch.Size([2])) == torch.Size([2])
