import io
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    MetricDAE,
    NNPMClassifier,
    adapt,
    load,
    save,
)
from sklearn_ser.cli import METHODS, _speech, main
from sklearn_ser.datasets import circumplex, make_corpora
from sklearn_ser.exceptions import CorpusError, NotAdaptedWarning, PersistenceWarning
from sklearn_ser.features import FunctionExtractor
from sklearn_ser.persistence import model_card

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]


def run(*argv):
    return main([str(argument) for argument in argv])


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=12)


@pytest.fixture(scope="module")
def cache(speech, tmp_path_factory):
    path = tmp_path_factory.mktemp("cache") / "features.sqlite"
    EGeMAPSExtractor(cache=path).transform(speech["path"])
    return path


@pytest.fixture(scope="module")
def features(speech, cache):
    return EGeMAPSExtractor(cache=cache).transform(speech["path"])


def write_tables(speech, folder, **renamed):
    """Write a table for each corpus; return the arguments that name them."""
    arguments = []
    for name, rows in speech.groupby("corpus"):
        rows.to_csv(folder / f"{name}.csv", index=False)
        arguments += ["--corpus", f"{renamed.get(name, name)}={folder / name}.csv"]
    return arguments


@pytest.fixture(scope="module")
def tables(speech, tmp_path_factory):
    return write_tables(speech, tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def unrated(speech, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unrated")
    return write_tables(speech.drop(columns=["activation", "valence"]), folder)


@pytest.fixture(scope="module")
def model(tables, cache, tmp_path_factory):
    """A model with probabilities in a file."""
    path = tmp_path_factory.mktemp("models") / "new" / "logistic.skops"
    options = ["--method", "logistic", "--cache", cache, "--no-scores", "--out", path]
    assert run("train", *tables, *options) == 0
    return path


def predict(capsys, *arguments):
    """Return the table that `predict` prints."""
    assert run("predict", *arguments, "--format", "csv") == 0
    return pd.read_csv(io.StringIO(capsys.readouterr().out))


def test_train_and_tell(tables, speech, features, cache, tmp_path, capsys):
    path = tmp_path / "svm.skops"
    assert run("train", *tables, "--cache", cache, "--out", path) == 0
    assert capsys.readouterr().out == f"Written: {path}, svm trained on 24 recordings\n"
    card = model_card(path)["card"]
    assert card["method"] == f"svm: {METHODS['svm'].description}"
    assert card["emotions"] == dict.fromkeys(EMOTIONS, 6)
    assert [corpus["name"] for corpus in card["corpora"]] == ["alphish", "betish"]
    assert [corpus["recordings"] for corpus in card["corpora"]] == [12, 12]
    assert [corpus["speakers"] for corpus in card["corpora"]] == [3, 3]
    assert [score["held out"] for score in card["scores"]] == ["alphish", "betish"]
    assert all(0 <= score["UAR"] <= 1 for score in card["scores"])
    assert card["features"]["sampling rate"] == 16000
    assert card["command"].startswith("sklearn-ser train --corpus alphish=")
    assert card["command"].endswith(f"--out {path}")

    assert run("info", path) == 0
    printed = capsys.readouterr().out
    for fact in (
        "svm: each corpus",
        "alphish  x-alphish",
        "held out  UAR",
        "scikit-learn",
        "saved",
    ):
        assert fact in printed
    assert run("info", path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == model_card(path)

    expected = METHODS["svm"].make()
    y = speech["emotion"].to_numpy(dtype=str)
    expected.fit(features, y, corpusscaler__sample_domain=speech["corpus"])
    found = load(path)
    assert isinstance(found[0], EGeMAPSExtractor)
    assert found[0].cache is None
    np.testing.assert_array_equal(
        found[1:].decision_function(features), expected.decision_function(features)
    )


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.PosteriorCollapseWarning")
@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_be_trained_and_used(method, tables, speech, cache, tmp_path, capsys):
    path = tmp_path / "model.skops"
    options = ["--method", method, "--cache", cache, "--no-scores", "--out", path]
    assert run("train", *tables, *options) == 0
    capsys.readouterr()
    table = predict(capsys, path, *speech["path"], "--cache", cache)
    assert table["path"].tolist() == speech["path"].tolist()
    assert set(table["emotion"]) <= set(EMOTIONS)
    assert (table["emotion"] == speech["emotion"]).mean() > 0.5


def test_train_without_corpora(tmp_path, capsys):
    path = tmp_path / "model.skops"
    options = ["--utterances", 12, "--emotions", "anger,sadness", "--no-scores"]
    assert run("train", *options, "--out", path) == 0
    card = model_card(path)["card"]
    assert {corpus["licence"] for corpus in card["corpora"]} == {"none needed, synthesised"}
    assert card["emotions"] == {"anger": 18, "sadness": 18}
    assert card["scores"] == "none: --no-scores"


def test_train_without_skops_stops_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    monkeypatch.setattr("sklearn_ser.cli._train.load_speech", lambda *_: pytest.fail("too late"))
    assert run("train", "--out", tmp_path / "model.skops") == 1
    assert "pip install 'sklearn-ser[persist]'" in capsys.readouterr().err


def test_train_on_one_corpus(tables, cache, tmp_path):
    path = tmp_path / "model.skops"
    assert run("train", *tables[:2], "--cache", cache, "--out", path) == 0
    assert model_card(path)["card"]["scores"].startswith("none: there is only one corpus")


def test_train_on_one_emotion(speech, tmp_path, capsys):
    arguments = write_tables(speech[speech["emotion"] == "anger"], tmp_path)
    assert run("train", *arguments, "--out", tmp_path / "model.skops") == 1
    assert (
        "recordings are anger; a classifier needs at least two emotions" in capsys.readouterr().err
    )


@pytest.mark.parametrize("command", ["train --out {0}/model.skops", "evaluate"])
def test_metric_refuses_corpora_without_ratings(command, unrated, tmp_path, capsys):
    command, *options = command.format(tmp_path).split()
    assert run(command, *unrated, "--method", "metric", *options) == 1
    printed = capsys.readouterr().err
    assert "metric learns from ratings of activation and valence" in printed
    assert "alphish has no activation and valence; betish has no activation" in printed
    assert "--annotations das2022=DIR" in printed
    assert "--circumplex" in printed
    assert not (tmp_path / "model.skops").exists()


def fit_metric(features, speech, ratings):
    model = METHODS["metric"].make()
    assert isinstance(model[1], MetricDAE)
    return model.fit(
        features,
        speech["emotion"].to_numpy(dtype=str),
        corpusscaler__sample_domain=speech["corpus"],
        metricdae__activation=ratings["activation"],
        metricdae__valence=ratings["valence"],
    )


def test_metric_with_the_prior(unrated, speech, features, cache, tmp_path):
    path = tmp_path / "model.skops"
    options = ["--method", "metric", "--circumplex", "--no-scores", "--cache", cache]
    assert run("train", *unrated, *options, "--out", path) == 0
    expected = fit_metric(features, speech, circumplex(speech["emotion"]))
    np.testing.assert_array_equal(
        load(path)[1:-1].transform(features), expected[:-1].transform(features)
    )
    assert model_card(path)["card"]["ratings"] == {
        "needed": ["activation", "valence"],
        "annotations": [],
        "circumplex": True,
    }


def test_metric_with_annotations(speech, features, cache, tmp_path):
    """One corpus goes by the name of a rated one, the other stays unrated."""
    ratings = speech[["activation", "valence"]].where(speech["corpus"] == "alphish")
    rated = speech["corpus"] == "alphish"
    table = pd.DataFrame({"filename": speech["path"].map(lambda path: path.split("/")[-1])})
    table[["activation", "valence"]] = ratings
    (tmp_path / "ratings").mkdir()
    table[rated].to_csv(tmp_path / "ratings" / "URDU.csv", index=False)
    bare = speech.drop(columns=["activation", "valence"])
    arguments = write_tables(bare, tmp_path, alphish="urdu")
    path = tmp_path / "model.skops"
    options = ["--method", "metric", "--annotations", f"das2022={tmp_path / 'ratings'}"]
    assert run("train", *arguments, *options, "--cache", cache, "--out", path) == 0
    renamed = speech.assign(corpus=np.where(rated, "urdu", "betish"))
    expected = fit_metric(features, renamed, ratings)
    np.testing.assert_array_equal(
        load(path)[1:-1].transform(features), expected[:-1].transform(features)
    )
    card = model_card(path)["card"]
    assert card["ratings"]["annotations"] == ["das2022"]
    assert card["scores"].startswith("none: metric learns from ratings")


def test_the_prior_fills_only_what_a_corpus_lacks_altogether():
    speech = pd.DataFrame(
        {
            "corpus": ["a", "a", "b", "b"],
            "emotion": ["anger", "neutral"] * 2,
            "activation": [5.0, np.nan, np.nan, np.nan],
        }
    )
    filled = _speech._with_prior(speech)
    np.testing.assert_array_equal(filled["activation"], [5, np.nan, 4, 3])
    np.testing.assert_array_equal(filled["valence"], [2, 3, 2, 3])
    assert "valence" not in speech


def test_needs_are_counted_by_corpus():
    metric = METHODS["metric"]
    rated = {"activation": [4.0, np.nan, np.nan], "valence": [2.0, 3.0, np.nan]}
    speech = pd.DataFrame({"corpus": ["a", "b", "c"], **rated})
    _speech.check_needs(metric, speech)
    _speech.check_needs(METHODS["svm"], speech.drop(columns="valence"), at_least=2)
    message = "at least 2 of the corpora, but b has no activation; c has no activation and valence"
    with pytest.raises(CorpusError, match=message):
        _speech.check_needs(metric, speech, at_least=2)


def test_formats_agree(model, speech, features, capsys, tmp_path):
    paths = speech["path"].tolist()[:12]
    expected = load(model)[1:].predict_proba(features[:12])
    table = predict(capsys, model, *paths)
    assert table.columns.tolist() == ["path", "emotion", *(f"p_{word}" for word in EMOTIONS)]
    np.testing.assert_allclose(table.iloc[:, 2:], expected, rtol=1e-6)
    assert table["emotion"].tolist() == [EMOTIONS[i] for i in expected.argmax(axis=1)]

    assert run("predict", model, *paths, "--format", "jsonl") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    pd.testing.assert_frame_equal(pd.DataFrame(lines), table)

    assert run("predict", model, *paths) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == table.columns.tolist()
    assert [row.split()[:2] for row in rows] == table[["path", "emotion"]].to_numpy().tolist()
    assert [row.split()[2] for row in rows] == [f"{p:.3f}" for p in table["p_anger"]]

    for name in ("new/out.csv", "out.jsonl", "out.txt"):
        assert run("predict", model, *paths, "--out", tmp_path / name) == 0
    assert capsys.readouterr().out == ""
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "new" / "out.csv"), table)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 12
    assert (tmp_path / "out.txt").read_text().splitlines() == [head, *rows]


def test_a_reference_scales_each_recording_by_itself(
    model, speech, features, cache, tmp_path, capsys
):
    paths, options = (
        speech["path"].tolist(),
        ["--cache", cache, "--reference", *speech["path"][12:]],
    )
    both = predict(capsys, model, *paths[:2], *options)
    scaler = CorpusScaler().fit(features[12:])
    rows = scaler.transform_corpus(features[:2], 0)
    expected = load(model)[-1].predict_proba(rows)
    np.testing.assert_allclose(both.iloc[:, 2:], expected, rtol=1e-5)
    alone = [predict(capsys, model, path, *options) for path in paths[:2]]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), both)


@pytest.fixture(scope="module")
def adapting_model(tables, cache, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "nnpm.skops"
    options = ["--method", "nnpm", "--cache", cache, "--no-scores", "--out", path]
    assert run("train", *tables, *options) == 0
    return path


def test_predictions_of_a_model_that_adapts(adapting_model, speech, features, cache, capsys):
    files = [*speech["path"], "--cache", cache]
    assert run("predict", adapting_model, *files, "--format", "csv") == 0
    alone = capsys.readouterr()
    assert alone.err.count("The model was not adapted to these recordings, and pred") == 1
    assert "knows its source only" not in alone.err
    assert run("predict", adapting_model, *files, "--adapt", "--format", "csv", "--quiet") == 0
    adapted = capsys.readouterr()
    assert adapted.err == ""
    assert adapted.out != alone.out
    found = pd.read_csv(io.StringIO(adapted.out))
    expected = adapt(load(adapting_model)[1:], features).predict_proba(features)
    np.testing.assert_allclose(found.iloc[:, 2:], expected, rtol=1e-5)


def test_a_reference_scales_behind_a_union_of_scalers(
    adapting_model, speech, features, cache, capsys
):
    options = ["--cache", cache, "--reference", *speech["path"][12:]]
    both = predict(capsys, adapting_model, *speech["path"][:2], *options)
    alone = predict(capsys, adapting_model, speech["path"][0], *options)
    pd.testing.assert_frame_equal(alone, both[:1])
    union, classifier = load(adapting_model)[1:].steps
    (_, by_corpus), (_, globally) = union[1].transformer_list
    rows = CorpusScaler().fit(features[12:]).transform_corpus(features[:2], 0)
    assert not np.allclose(rows, by_corpus.transform(features[:12])[:2])
    rows = np.hstack([rows, globally.transform(features[:2])])
    with pytest.warns(NotAdaptedWarning, match="knows its source only"):
        expected = classifier[1].predict_proba(rows)
    np.testing.assert_allclose(both.iloc[:, 2:], expected, rtol=1e-4)


def test_a_small_reference_is_told(model, speech, capsys):
    assert run("predict", model, speech["path"][0], "--reference", *speech["path"][1:3]) == 0
    assert "The reference has 2 recordings; statistics of fewer than 10" in capsys.readouterr().err


def test_one_recording_alone_is_told_once(model, speech, capsys):
    assert run("predict", model, speech["path"][0]) == 0
    assert capsys.readouterr().err.count("The batch has 1 row") == 1


@pytest.fixture
def mixed(speech, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    return [*speech["path"][:11], str(tmp_path / "bad.wav"), str(tmp_path / "absent.wav")]


def test_recordings_that_cannot_be_used(model, mixed, capsys):
    assert run("predict", model, *mixed, "--format", "csv") == 0
    printed = capsys.readouterr()
    skipped = pd.read_csv(io.StringIO(printed.out))
    assert skipped["path"].tolist() == mixed[:11]
    assert re.search(r"2 of 13 recordings cannot be used: .*bad\.wav.*; .*absent\.wav", printed.err)

    kept = predict(capsys, model, *mixed, "--on-error", "nan")
    assert kept["path"].tolist() == mixed
    assert kept.iloc[11:, 1:].isna().all(axis=None)
    pd.testing.assert_frame_equal(kept[:11], skipped)
    assert run("predict", model, *mixed, "--on-error", "nan", "--format", "jsonl") == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {"path": mixed[-1], "emotion": None, **{f"p_{word}": None for word in EMOTIONS}}

    assert run("predict", model, *mixed, "--on-error", "raise") == 1
    assert "bad.wav" in capsys.readouterr().err
    assert run("predict", model, *mixed[11:]) == 1
    assert "None of the 2 recordings can be used. The first: " in capsys.readouterr().err


def test_names_of_files_cannot_steer_the_terminal(model, speech, tmp_path, capsys):
    first, second = (str(tmp_path / f"\x1b[2J{name}\n.wav") for name in "ab")
    shutil.copy(speech["path"][0], first)
    Path(second).write_bytes(b"RIFF")
    assert run("predict", model, *speech["path"][1:11], first, second) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 12
    assert "\x1b" not in printed.out + printed.err
    assert "\N{REPLACEMENT CHARACTER}[2Ja\N{REPLACEMENT CHARACTER}.wav" in printed.out
    assert run("predict", model, second) == 1
    assert "\x1b" not in capsys.readouterr().err
    # Programs get the name as it is.
    kept = predict(capsys, model, *speech["path"][1:11], first)
    assert kept["path"].tolist()[-1] == first


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
def test_a_search_at_the_end_of_a_pipeline_adapts(speech, features, cache, tmp_path, capsys):
    y = speech["emotion"].to_numpy(dtype=str)
    nnpm = NNPMClassifier(max_epochs=1, min_target=2, guard=False, random_state=0)
    search = GridSearchCV(nnpm, {"n_estimators": [1]}, cv=2)
    model = make_pipeline(EGeMAPSExtractor(), CorpusScaler(), search)
    model[1:].fit(features, y)
    save(model, tmp_path / "search.skops")
    options = ["--adapt", "--cache", cache]
    found = predict(capsys, tmp_path / "search.skops", *speech["path"], *options)
    expected = adapt(model[1:], features).predict_proba(features)
    np.testing.assert_allclose(found.iloc[:, 2:], expected, rtol=1e-5)


def test_methods_that_cannot_adapt(model, speech, capsys):
    assert run("predict", model, *speech["path"], "--adapt") == 1
    assert "LogisticRegression cannot adapt" in capsys.readouterr().err


def test_models_of_other_makers(speech, features, cache, tmp_path, capsys):
    """A search over a pipeline with an extractor works; one from features does not."""
    inner = make_pipeline(EGeMAPSExtractor(cache=cache), CorpusScaler(min_batch=1), SVC())
    y = speech["emotion"].to_numpy(dtype=str)
    search = GridSearchCV(inner, {"svc__C": [1, 10]}, cv=2).fit(speech["path"], y)
    save(search, tmp_path / "search.skops")
    table = predict(capsys, tmp_path / "search.skops", *speech["path"][:3], "--cache", cache)
    assert table.columns.tolist() == ["path", "emotion"]
    assert table["emotion"].tolist() == search.predict(speech["path"][:3]).tolist()

    codes = np.unique(y, return_inverse=True)[1]
    save(clone(inner).fit(speech["path"], codes), tmp_path / "codes.skops")
    path = speech["path"][0]
    for form in ("table", "csv", "jsonl"):
        options = ["--format", form, "--cache", cache]
        assert run("predict", tmp_path / "codes.skops", path, *options) == 0
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) == (1 if form == "jsonl" else 2)
        assert printed[-1].rstrip("}")[-1] in "0123"

    save(clone(inner[1:]).fit(features, y), tmp_path / "rows.skops")
    assert run("predict", tmp_path / "rows.skops", speech["path"][0]) == 1
    assert "holds Pipeline that begins with CorpusScaler; expected" in capsys.readouterr().err
    save(LogisticRegression(), tmp_path / "bare.skops")
    assert run("predict", tmp_path / "bare.skops", speech["path"][0]) == 1
    assert "begins with LogisticRegression" in capsys.readouterr().err

    bare = make_pipeline(EGeMAPSExtractor(), SVC())
    bare[-1].fit(features, y)
    save(bare, tmp_path / "bare.skops")
    options = ["--cache", cache, "--reference", speech["path"][1]]
    assert run("predict", tmp_path / "bare.skops", speech["path"][0], *options) == 1
    assert "--reference: this model has no scaler that takes stat" in capsys.readouterr().err


def test_types_to_trust(speech, tmp_path, capsys):
    extractor = FunctionExtractor(np.quantile, names=("q",), kw_args={"method": "nearest"})
    with pytest.warns(PersistenceWarning, match=r"numpy\.quantile"):
        save(make_pipeline(extractor, CorpusScaler(), SVC()), tmp_path / "model.skops")
    arguments = ["predict", tmp_path / "model.skops", speech["path"][0]]
    assert run(*arguments) == 1
    assert "types that are not trusted: numpy.quantile" in capsys.readouterr().err
    assert run(*arguments, "--trust", "numpy.quantile") == 1
    assert "not trusted" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["info", "predict"])
def test_a_file_that_is_no_model(command, speech, capsys):
    path = speech["path"][0]
    assert run(command, path, *[path] * (command == "predict")) == 1
    assert re.fullmatch(
        r"sklearn-ser: error: .* is not a model: it begins with b'RIFF.*\n", capsys.readouterr().err
    )


def test_info_has_words_for_what_is_unknown(tmp_path, capsys):
    card = {
        "speakers": None,
        "circumplex": True,
        "adapted": False,
        "annotations": [],
        "layers": [2, 3],
        "note": "",
        "corpora": [{"name": "a", "speakers": None}, {"name": "b", "speakers": 3}],
    }
    save(SVC(), tmp_path / "model.skops", card=card)
    assert run("info", tmp_path / "model.skops") == 0
    printed = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert printed[:6] == [
        ["speakers", "not known"],
        ["circumplex", "yes"],
        ["adapted", "no"],
        ["annotations", "none"],
        ["layers", "2, 3"],
        ["note", "none"],
    ]
    assert printed[7:10] == [["name", "speakers"], ["a", "not known"], ["b", "3"]]


def test_a_card_cannot_steer_the_terminal(tmp_path, capsys):
    card = {"note\x1b[2J": "red \x1b[31m", "table": [{"a\n": "b\r"}], "empty": {}, "list": [1, "x"]}
    save(SVC(), tmp_path / "model.skops", card=card)
    assert run("info", tmp_path / "model.skops") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "note\N{REPLACEMENT CHARACTER}[2J  red \N{REPLACEMENT CHARACTER}[31m"
    assert lines[1:4] == [
        "table:",
        "  a\N{REPLACEMENT CHARACTER}",
        "  b\N{REPLACEMENT CHARACTER}",
    ]
    assert lines[4].split() == ["empty", "none"]
    assert lines[5].split(maxsplit=1) == ["list", "1, x"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train", "required: --out"),
        ("train --out model.pkl", "got 'model.pkl', expected a name in .skops"),
        ("train --out {folder}", "is a folder, expected a file"),
        ("train --out m.skops --method nnmp", "invalid choice: 'nnmp'"),
        ("train --out m.skops --annotations das2022", "expected NAME=DIR with one of"),
        ("train --out m.skops --annotations me=x", "expected NAME=DIR with one of the names das"),
        ("train --out m.skops --corpus a=b --utterances 3", "only synthesised corpora have a size"),
        ("predict", "required: MODEL, PATH"),
        ("predict m.skops", "required: PATH"),
        ("predict m.skops a.wav --format xml", "invalid choice: 'xml'"),
        ("predict m.skops a.wav --reference", "expected at least one argument"),
        ("info", "required: MODEL"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path, capsys):
    (tmp_path / "x.skops").mkdir()
    with pytest.raises(SystemExit, match="2"):
        run(*arguments.format(folder=tmp_path / "x.skops").split())
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "predict", "adapt", "info"])
def test_help_gives_examples(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        run(command, "--help")
    assert f"examples:\n  sklearn-ser {command}" in capsys.readouterr().out
