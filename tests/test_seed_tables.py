"""The tables of the papers: measures, splits, and what labels of a target can reach."""

import dataclasses
import importlib
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MODULES = ("_seed_tables", "_seed_ratings", "_seed_emotions", "seed_tables")


@pytest.fixture(scope="module")
def modules():
    """The modules, imported as the command does; the threads they set are put back."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")
        patch.syspath_prepend(str(BENCHMARKS))
        yield Namespace(**{name: importlib.import_module(name) for name in MODULES})


@pytest.fixture
def speech(modules):
    """Three corpora of 48 rows and five speakers, with features that follow the activation."""
    rng = np.random.default_rng(0)
    n = 3 * 48
    emotion = np.tile(["anger", "happiness", "neutral", "sadness"], n // 4)
    activation = np.tile([4.5, 4.0, 3.0, 2.0], n // 4) + rng.normal(0, 0.2, n)
    valence = np.tile([2.0, 4.5, 3.0, 2.0], n // 4) + rng.normal(0, 0.2, n)
    corpus = np.repeat(["emodb", "ravdess", "urdu"], 48)
    mixing = rng.normal(size=(2, 8))
    X = np.stack([activation, valence], axis=1) @ mixing + rng.normal(0, 0.2, (n, 8))
    X += np.repeat(rng.normal(0, 5, (3, 8)), 48, axis=0)
    speaker = np.char.add(corpus, (np.arange(n) // 4 % 5).astype(str))
    return modules._seed_tables.Speech(
        X.astype(np.float32), emotion, corpus, speaker, activation, valence
    )


def permuted(speech, corpus):
    """Return a copy in which the labels of a corpus are in another order."""
    rows = np.flatnonzero(speech.corpus == corpus)
    order = np.arange(len(speech.corpus))
    order[rows] = np.random.default_rng(1).permutation(rows)
    labels = (getattr(speech, name)[order] for name in ("activation", "valence"))
    return type(speech)(speech.X, speech.emotion[order], speech.corpus, speech.speaker, *labels)


def test_explained_variance_in_both_directions(modules):
    label = np.array([1.0, 2, 3, 4])
    Z = np.stack([label, [1, -1, -1, 1]], axis=1)
    on_latent, on_label = modules._seed_tables.explained(Z, label)
    assert on_latent == pytest.approx(1)
    # The unrelated dimension has 1 - (1 - 0) * 3 / 2.
    assert on_label == pytest.approx((1 - 0.5) / 2)
    constant = np.stack([label, np.ones(4)], axis=1)
    assert modules._seed_tables.explained(constant, label)[1] == pytest.approx(0.5)


def test_folds_are_of_rows_of_the_source_alone(modules, speech):
    found = modules._seed_tables.folds(speech, ("emodb", "urdu"))
    held_out = np.concatenate([test for _, test in found])
    np.testing.assert_array_equal(np.sort(held_out), speech.of(("emodb", "urdu")))
    assert all(not set(train) & set(test) for train, test in found)
    assert [modules._seed_tables.fold_of_seed(seed) for seed in range(10)] == [*range(5)] * 2


@pytest.mark.parametrize(("kind", "centred"), [("fold", False), ("corpus", True)])
def test_scaling_of_a_target(modules, speech, kind, centred):
    train, test = modules._seed_tables.folds(speech, ("emodb",))[0]
    X, rows = modules._seed_tables.scale_fold(kind, speech, train, test, ["urdu"])
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-4)
    assert rows["source"].shape == (len(test), 8)
    assert (np.abs(rows["urdu"].mean(axis=0)).max() < 1e-4) == centred


def test_a_linear_latent_explains_features_that_follow_a_label(modules, speech):
    model = modules._seed_tables.Linear("ridge", 1.0)
    found = modules.seed_tables.fold_scores(
        speech, ("emodb", "ravdess"), ["urdu"], "corpus", model, "activation", 0
    )
    assert set(found) == {
        (name, label) for name in ("source", "urdu") for label in ("activation", "valence")
    }
    assert found["urdu", "activation"] == pytest.approx(found["urdu", "activation"][::-1])
    assert found["urdu", "activation"][0] > 0.9


def test_settings_are_chosen_without_the_target(modules):
    asked = []

    def score(source, target, name):
        asked.append({*source, target})
        return {"bad": 0.1, "good": 0.2}[name]

    assert modules._seed_ratings.choose(["bad", "good"], score, "urdu") == "good"
    assert asked == [{"emodb", "ravdess"}] * 4


@pytest.mark.parametrize("readout", ["position", "ridge"])
def test_predicted_ratings_do_not_depend_on_ratings_of_the_target(
    modules, speech, readout, monkeypatch
):
    ratings = modules._seed_ratings
    quick = ({"n_components": 4, "max_epochs": 3, "metric_weight": 0.1}, True, True)
    monkeypatch.setitem(ratings.SETTINGS, "quick", quick)
    for way in (
        lambda data: ratings.by_latent(
            "quick", readout, data, ("emodb",), "urdu", "valence", seed=0
        ),
        lambda data: ratings.by_regression(
            Ridge(1), 2, data, ("emodb",), "urdu", "valence", seed=0
        ),
    ):
        np.testing.assert_array_equal(way(speech), way(permuted(speech, "urdu")))
        assert not np.array_equal(way(speech), way(permuted(speech, "emodb")))


@pytest.mark.parametrize("apart", [True, False])
def test_emotions_within_a_corpus(modules, speech, apart):
    def pca(seed):
        return modules._seed_tables.Linear("PCA", 2)

    assert modules._seed_emotions.within_score(speech, "emodb", apart, pca, seed=3) > 0.8


def test_emotions_across_corpora_and_consistency(modules, speech):
    def features(seed):
        return modules._seed_tables.Linear("PCA", 8)

    scores = {
        kind: modules._seed_emotions.across_scores(
            speech, kind, ("emodb", "ravdess"), "urdu", features, seed=0
        )
        for kind in ("global", "corpus")
    }
    assert scores["corpus"][0] > 0.9
    assert scores["corpus"][1] < scores["global"][1]
    assert scores["corpus"][2] < scores["global"][2]


def test_every_published_row_is_printed(modules, speech, monkeypatch, capsys):
    tables = modules.seed_tables
    monkeypatch.setattr(tables, "LATENTS", [one for one in tables.LATENTS if one[0] == "PCA(2)"])
    tables.part_regression(speech, range(2))
    printed = capsys.readouterr().out
    assert tables.sources_of(speech) == [
        (("ravdess", "urdu"), ["emodb"]),
        (("emodb", "ravdess"), ["urdu"]),
    ]
    for found in tables.PAPER.values():
        for name in ("z on l", "iemocap", "emodb", "urdu"):
            assert found[name] in printed


def test_iemocap_is_the_source_where_it_is_given(modules, speech):
    corpus = np.where(speech.corpus == "ravdess", "iemocap", speech.corpus)
    given = dataclasses.replace(speech, corpus=corpus)
    assert modules.seed_tables.sources_of(given) == [(("iemocap",), ["emodb", "urdu"])]


@pytest.mark.corpus
def test_ratings_are_measured_or_typical_of_the_emotion(modules, shared):
    table = modules._seed_tables.recordings(Namespace(shared=shared, corpus=[]))
    n_ratings = table.groupby(["corpus", "emotion"]).activation.nunique()
    assert table[["activation", "valence"]].notna().all(axis=None)
    assert (n_ratings["ravdess"] == 1).all()
    assert (n_ratings[["emodb", "urdu"]] > 1).all()


def test_a_printed_table_is_restructured_text(modules, capsys):
    docutils = pytest.importorskip("docutils.core")
    modules._seed_tables.print_table("Title", ["a", "b"], [["x", "1.00"], ["longer", ""]])
    tree = docutils.publish_doctree(capsys.readouterr().out)
    rows = [[cell.astext() for cell in row] for row in tree.findall() if row.tagname == "row"]
    assert rows == [["a", "b"], ["x", "1.00"], ["longer", ""]]
    assert modules._seed_tables.spread([-0.001]) == "0.00"
    assert modules._seed_tables.spread([0.1, 0.3]) == "0.20 ± 0.14"


def test_every_option_has_a_value_without_being_given(modules):
    arguments = modules._seed_tables.parser_of("What.", ["across"]).parse_args([])
    expected = {"seeds": 10, "cache": None, "scratch": None, "corpus": [], "part": None}
    assert expected.items() <= vars(arguments).items()
