import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    MCCClassifier,
    NNPMClassifier,
    adapt,
    load,
    save,
)
from sklearn_ser.cli import main
from sklearn_ser.datasets import make_corpora
from sklearn_ser.persistence import model_card

N_TARGET = 12


def run(*argv):
    return main([str(argument) for argument in argv])


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=N_TARGET)


@pytest.fixture(scope="module")
def cache(speech, tmp_path_factory):
    path = tmp_path_factory.mktemp("cache") / "features.sqlite"
    EGeMAPSExtractor(cache=path).transform(speech["path"])
    return path


@pytest.fixture(scope="module")
def target(speech):
    """The recordings of the corpus to adapt to."""
    return speech["path"][speech["corpus"] == "betish"].tolist()


def make_model(speech, cache, **parameters):
    """Train on the other corpus; adapting to `target` is accepted unless parameters forbid it."""
    settings = {"n_estimators": 1, "max_epochs": 2, "min_target": N_TARGET, "guard": False}
    nnpm = NNPMClassifier(random_state=0, **settings | parameters)
    model = make_pipeline(
        EGeMAPSExtractor(on_error="nan"), make_union(CorpusScaler(), StandardScaler()), nnpm
    )
    source = speech[speech["corpus"] == "alphish"]
    features = EGeMAPSExtractor(cache=cache).transform(source["path"])
    model[1:].fit(features, source["emotion"].to_numpy(str))
    return model


@pytest.fixture(scope="module")
def model(speech, cache, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.skops"
    save(make_model(speech, cache), path, card={"method": "nnpm"})
    return path


@pytest.fixture(scope="module")
def adapted(model, target, cache):
    path = model.parent / "new" / "adapted.skops"
    assert run("adapt", model, *target, "--cache", cache, "--out", path) == 0
    return path


def predict(capsys, *arguments):
    """Return the table that `predict` prints, and its messages."""
    capsys.readouterr()
    assert run("predict", *arguments, "--format", "csv") == 0
    printed = capsys.readouterr()
    return pd.read_csv(io.StringIO(printed.out)), printed.err


def test_the_file_has_what_python_adapts(model, adapted, target, cache):
    features = EGeMAPSExtractor(cache=cache).transform(target)
    expected = adapt(load(model)[1:], features)
    found = load(adapted)
    for rows in (features, features[:1]):
        np.testing.assert_array_equal(found[1:].predict_proba(rows), expected.predict_proba(rows))
    assert found[0].get_params() == load(model)[0].get_params()


def test_one_recording_needs_no_others(model, adapted, target, cache, capsys):
    together, _ = predict(capsys, model, *target, "--cache", cache, "--adapt")
    found, messages = predict(capsys, adapted, *target, "--cache", cache, "--quiet")
    pd.testing.assert_frame_equal(found, together)
    assert messages == ""
    for i in (0, 7):
        alone, messages = predict(capsys, adapted, target[i], "--cache", cache)
        assert messages == ""
        assert alone["emotion"].tolist() == [together["emotion"][i]]
        np.testing.assert_allclose(alone.iloc[0, 2:].tolist(), together.iloc[i, 2:].tolist(), 1e-3)
    _, messages = predict(capsys, model, target[0], "--cache", cache)
    assert "The batch has 1 row" in messages


def test_the_card_says_so(model, adapted, target, cache, tmp_path, capsys):
    assert "adaptations" not in model_card(model)["card"]
    card = model_card(adapted)["card"]
    assert card["method"] == "nnpm"
    (entry,) = card["adaptations"]
    assert entry.pop("command").startswith(f"sklearn-ser adapt {model} ")
    assert entry == {"recordings": N_TARGET, "labelled": 0, "result": "adapted"}
    again = tmp_path / "again.skops"
    assert run("adapt", adapted, *target, "--cache", cache, "--out", again) == 0
    assert len(model_card(again)["card"]["adaptations"]) == 2
    assert len(load(again)[-1].history_) == len(load(adapted)[-1].history_) + 2
    capsys.readouterr()
    assert run("info", adapted) == 0
    printed = capsys.readouterr().out
    assert "adaptations:\n  recordings  labelled  result" in printed
    assert f"\n  {N_TARGET}          0         adapted" in printed


def test_a_file_can_take_the_place_of_its_model(model, adapted, target, cache, tmp_path, capsys):
    path = shutil.copy(model, tmp_path / "model.skops")
    assert run("adapt", path, *target, "--cache", cache, "--out", path) == 0
    assert capsys.readouterr().out == f"Written: {path}, adapted to {N_TARGET} recordings\n"
    both = [predict(capsys, one, *target, "--cache", cache)[0] for one in (path, adapted)]
    pd.testing.assert_frame_equal(*both)


def test_what_is_around_a_pipeline_stays(model, adapted, target, cache, tmp_path, capsys):
    save(FrozenEstimator(load(model)), tmp_path / "frozen.skops")
    out = tmp_path / "out.skops"
    assert run("adapt", tmp_path / "frozen.skops", *target, "--cache", cache, "--out", out) == 0
    found = load(out)
    assert isinstance(found, FrozenEstimator)
    assert isinstance(found.estimator, Pipeline)
    both = [predict(capsys, one, *target, "--cache", cache)[0] for one in (out, adapted)]
    pd.testing.assert_frame_equal(*both)


REJECTED = {
    "too few": ({"min_target": 99}, "the target has 12 rows, fewer than 99"),
    "guard": ({"guard": True, "learning_rate": 10.0}, "NNPMClassifier was not adapted, "),
}


@pytest.mark.parametrize(("parameters", "reason"), REJECTED.values(), ids=REJECTED)
def test_recordings_that_were_not_adapted_to(
    parameters, reason, speech, target, cache, tmp_path, capsys
):
    path, out = tmp_path / "model.skops", tmp_path / "out.skops"
    model = make_model(speech, cache, **{**parameters, "learning_rate": 1e-3})
    model[-1].set_params(**parameters)
    save(model, path)
    assert run("adapt", path, *target, "--cache", cache, "--out", out) == 0
    printed = capsys.readouterr()
    assert printed.out == f"Written: {out}, not adapted to {N_TARGET} recordings\n"
    assert printed.err.count("warning") == 1
    message = "warning: The model was written without adapting to the unlabelled recordings. "
    assert f"{message}NNPM" in printed.err
    assert reason in printed.err
    (entry,) = model_card(out)["card"]["adaptations"]
    assert entry["result"].startswith("not adapted. NNPMClassifier was not adapted, ")
    assert reason in entry["result"]

    # Scaled by the recordings, as in a batch of them.
    batch, messages = predict(capsys, path, *target, "--cache", cache)
    assert messages.count("warning: The model was not adapted to these recordings,") == 1
    alone, messages = predict(capsys, out, target[0], "--cache", cache)
    assert "The model was not adapted" in messages
    assert "The batch has 1 row" not in messages
    np.testing.assert_allclose(alone.iloc[0, 2:].tolist(), batch.iloc[0, 2:].tolist(), 1e-3)

    _, messages = predict(capsys, path, *target, "--cache", cache, "--adapt")
    assert messages.count("warning") == 1
    assert "warning: The recordings were predicted without adapting to them. NNPM" in messages
    assert reason in messages


def test_a_model_that_adapts_in_predict_gives_its_reason(speech, target, cache, tmp_path, capsys):
    path, out = tmp_path / "model.skops", tmp_path / "out.skops"
    save(make_model(speech, cache, adaptation="predict"), path)
    _, messages = predict(capsys, path, *target[:10], "--cache", cache)
    assert "NNPMClassifier was not adapted, predictions come from the source alone: " in messages
    assert "--adapt" not in messages
    assert run("adapt", path, *target, "--cache", cache, "--out", out) == 0
    assert load(out)[-1].adaptation == "fit"
    assert predict(capsys, out, target[0], "--cache", cache)[1] == ""


def test_recordings_that_cannot_be_used(model, target, cache, tmp_path, capsys):
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    out = tmp_path / "out.skops"
    arguments = [model, *target, tmp_path / "bad.wav", "--cache", cache, "--out", out]
    assert run("adapt", *arguments, "--on-error", "raise") == 1
    assert "bad.wav" in capsys.readouterr().err
    assert not out.exists()
    assert run("adapt", *arguments) == 0
    assert "1 of 13 recordings cannot be used: " in capsys.readouterr().err
    assert model_card(out)["card"]["adaptations"][0]["recordings"] == N_TARGET


def save_svm(speech, cache, folder):
    """Save a model that cannot adapt; return its file."""
    model = make_pipeline(EGeMAPSExtractor(), CorpusScaler(), SVC())
    features = EGeMAPSExtractor(cache=cache).transform(speech["path"])
    model[1:].fit(features, speech["emotion"].to_numpy(str))
    save(model, folder / "svm.skops")
    return folder / "svm.skops"


def test_a_model_that_cannot_adapt(speech, target, cache, tmp_path, capsys):
    svm, out = save_svm(speech, cache, tmp_path), tmp_path / "out.skops"
    assert run("adapt", svm, *target, "--cache", cache, "--out", out) == 1
    assert "adapt: SVC cannot adapt to unlabelled recordings" in capsys.readouterr().err
    assert not out.exists()


def test_a_card_of_another_maker(model, target, cache, tmp_path):
    save(load(model), tmp_path / "model.skops", card={"adaptations": "by ear"})
    out = tmp_path / "out.skops"
    assert run("adapt", tmp_path / "model.skops", *target, "--cache", cache, "--out", out) == 0
    first, second = model_card(out)["card"]["adaptations"]
    assert first == "by ear"
    assert second["result"] == "adapted"


@pytest.fixture
def labels(speech, target, tmp_path):
    """Emotions of every second recording of the target, and the file with them."""
    table = speech.loc[speech["path"].isin(target), ["path", "emotion"]].copy()
    table.iloc[1::2, 1] = None
    path = tmp_path / "labels.csv"
    table.to_csv(path, index=False)
    return table["emotion"].to_numpy(object), path


def test_labels_reach_the_model(model, adapted, labels, target, cache, tmp_path, capsys):
    y_target, path = labels
    y_target[1::2] = None
    out = tmp_path / "out.skops"
    arguments = [model, *target, "--labels", path, "--cache", cache]
    assert run("adapt", *arguments, "--out", out) == 0
    assert capsys.readouterr().out.endswith("adapted to 12 recordings, 6 of them labelled\n")
    (entry,) = model_card(out)["card"]["adaptations"]
    assert entry["labelled"] == 6
    features = EGeMAPSExtractor(cache=cache).transform(target)
    expected = adapt(load(model)[1:], features, y_target=y_target).predict_proba(features)
    np.testing.assert_array_equal(load(out)[1:].predict_proba(features), expected)
    assert not np.array_equal(load(adapted)[1:].predict_proba(features), expected)


def test_labels_of_recordings_that_cannot_be_used(model, target, cache, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    table = pd.DataFrame({"path": [bad, target[3]], "emotion": ["anger", "sadness"]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    out, options = tmp_path / "out.skops", ["--labels", tmp_path / "labels.csv", "--cache", cache]
    assert run("adapt", model, bad, *target, *options, "--out", out) == 0
    y_target = np.full(N_TARGET, None)
    y_target[3] = "sadness"
    features = EGeMAPSExtractor(cache=cache).transform(target)
    expected = adapt(load(model)[1:], features, y_target=y_target).predict_proba(features)
    np.testing.assert_array_equal(load(out)[1:].predict_proba(features), expected)
    assert "adapted to 12 recordings, 1 of them labelled" in capsys.readouterr().out


def test_unknown_labels_stop_before_the_work(model, target, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sklearn_ser.cli._adapt.extract", lambda *_: pytest.fail("too late"))
    path = tmp_path / "labels.csv"
    path.write_text(f"path,emotion\n{target[0]},Groll\n")
    assert run("adapt", model, *target, "--labels", path, "--out", tmp_path / "out.skops") == 1
    assert "not know: 'Groll' (line 2). It knows: anger, happ" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["adapt", "predict --adapt"])
def test_labels_for_a_method_that_learns_none(
    command, speech, labels, target, cache, tmp_path, capsys
):
    model = make_model(speech, cache)
    model.steps[-1] = "mcc", MCCClassifier(1, n_estimators=1, max_epochs=1, min_target=N_TARGET)
    source = speech[speech["corpus"] == "alphish"]
    features = EGeMAPSExtractor(cache=cache).transform(source["path"])
    model[1:].fit(features, source["emotion"].to_numpy(str))
    save(model, tmp_path / "model.skops")
    name, *options = command.split()
    options += ["--labels", labels[1], "--cache", cache, "--out", tmp_path / "out.skops"]
    assert run(name, tmp_path / "model.skops", *target, *options) == 1
    error = capsys.readouterr().err
    assert "--labels: MCCClassifier adapts without labels and cannot learn any" in error
    assert not (tmp_path / "out.skops").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("m.skops --out n.skops", "required: PATH"),
        ("m.skops a.wav", "required: --out"),
        ("m.skops a.wav --out n.pkl", "expected a name in .skops"),
        ("m.skops a.wav --out n.skops --on-error nan", "invalid choice: 'nan'"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("adapt", *arguments.split())
    assert message in capsys.readouterr().err


def ask(capsys, *arguments):
    """Return the text that `predict --ask` prints, and its rows."""
    capsys.readouterr()
    assert run("predict", *arguments) == 0
    text = capsys.readouterr().out
    return text, pd.read_csv(io.StringIO(text))


def test_predict_learns_labels_too(model, labels, target, cache, capsys):
    y_target, path = labels
    features = EGeMAPSExtractor(cache=cache).transform(target)
    expected = adapt(load(model)[1:], features, y_target=y_target).predict_proba(features)
    options = ["--labels", path, "--cache", cache, "--adapt"]
    found, _ = predict(capsys, model, *target, *options)
    np.testing.assert_allclose(found.iloc[:, 2:], expected, rtol=1e-5)


def test_it_asks_for_labels(model, target, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sklearn_ser.cli._predict.extract", lambda *_: pytest.fail("too slow"))
    text, rows = ask(capsys, model, *target, "--ask", 5)
    assert text.splitlines()[0] == "path,emotion"
    assert rows["emotion"].isna().all()
    asked = rows["path"].tolist()
    assert set(asked) < set(target)
    assert len(set(asked)) == 5
    assert asked != target[:5]
    assert ask(capsys, model, *target, "--ask", 5)[0] == text
    _, everything = ask(capsys, model, *target, "--ask", 99)
    assert sorted(everything["path"]) == sorted(target)
    common = ["predict", model, *target, "--ask", 5]
    assert run(*common, "--format", "table") == 0
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[1:]] == asked
    assert run(*common, "--out", tmp_path / "ask.jsonl") == 0
    first = json.loads((tmp_path / "ask.jsonl").read_text().splitlines()[0])
    assert first == {"path": asked[0], "emotion": None}


def test_the_circle_closes(model, speech, target, cache, tmp_path, capsys):
    """Ask, label, adapt, and ask for others."""
    options = [*target, "--cache", cache]
    _, rows = ask(capsys, model, *options, "--ask", 4)
    truth = speech.set_index("path")["emotion"]
    rows["emotion"] = [*rows["path"].map(truth)[:3], None]
    rows.to_csv(tmp_path / "labels.csv", index=False)
    options += ["--labels", tmp_path / "labels.csv"]
    assert run("adapt", model, *options, "--out", tmp_path / "out.skops") == 0
    assert "3 of them labelled" in capsys.readouterr().out
    _, more = ask(capsys, tmp_path / "out.skops", *options, "--ask", N_TARGET)
    assert len(more) == N_TARGET - 3
    assert set(more["path"]) == set(target) - set(rows["path"][:3])
    # The one that was left out comes first.
    assert more["path"][0] == rows["path"][3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--labels labels.csv", "argument --labels: only --adapt and --ask use labels"),
        ("--ask 5 --adapt", "argument --ask: recordings are drawn at random, without --adapt"),
        ("--ask 5 --reference b.wav", "are drawn at random, without --reference"),
        ("--ask 0", "argument --ask: got '0', expected a positive number"),
    ],
)
def test_wrong_usage_of_predict(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("predict", "m.skops", "a.wav", *arguments.split())
    assert message in capsys.readouterr().err
