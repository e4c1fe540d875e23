import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor, load, save
from sklearn_ser.cli import METHODS, main
from sklearn_ser.cli._arguments import features_argument
from sklearn_ser.cli._recipes import method_for
from sklearn_ser.features import make_extractor_union
from sklearn_ser.persistence import model_card

EMOTIONS = ("anger", "happiness", "neutral", "sadness")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Two corpora of noise and tones, whose emotions differ in level."""
    folder, rng = tmp_path_factory.mktemp("corpora"), np.random.default_rng(0)
    for corpus in ("first", "second"):
        for i, emotion in enumerate(EMOTIONS):
            (folder / corpus / emotion).mkdir(parents=True)
            for k in range(6):
                n_samples = int(rng.integers(4000, 9000))
                tone = np.sin(2 * np.pi * (120 + 60 * i) * np.arange(n_samples) / 16000)
                y = (i + 1) / 10 * tone + rng.normal(0, 0.02, n_samples)
                soundfile.write(folder / corpus / emotion / f"{k}.wav", y, 16000)
    return folder


@pytest.fixture(scope="module")
def named(corpora):
    return [f"--corpus={name}={corpora / name}" for name in ("first", "second")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("egemaps", (True, None, None)),
        ("encoder=owner/model", (False, "owner/model", "all")),
        ("encoder=owner/model:all", (False, "owner/model", "all")),
        ("encoder=owner/model:2", (False, "owner/model", (2,))),
        ("encoder=C:\\encoders\\tiny:-1,2", (False, "C:\\encoders\\tiny", (-1, 2))),
        ("encoder=C:tiny", (False, "C:tiny", "all")),
        ("encoder=~nobody/tiny", (False, "~nobody/tiny", "all")),
        ("encoder=C:\\encoders\\tiny", (False, "C:\\encoders\\tiny", "all")),
        ("both=owner/a=b:3", (True, "owner/a=b", (3,))),
    ],
)
def test_what_features_stands_for(text, expected):
    assert features_argument(text) == expected


@pytest.mark.parametrize(
    "text", ["both", "encoder", "encoder=", "encoder=:3", "mfcc", "egemaps=x", ""]
)
def test_what_it_does_not_stand_for(text, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "--features", text])
    assert "is not egemaps, encoder=WHAT[:LAYER] or both=WHAT[:LAYER]" in capsys.readouterr().err


@pytest.mark.parametrize("layer", ["1,all", "", "last", "1,", "1.5"])
def test_wrong_layers(layer, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "--features", f"encoder=owner/model:{layer}"])
    message = "expected all, the number of a layer such as 2 or -1, or several numbers such as 1,2"
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_folder_with_a_colon_in_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("enc", "enc:3"):
        (tmp_path / name).mkdir()
    assert features_argument("encoder=enc") == (False, str(tmp_path / "enc"), "all")
    assert features_argument("encoder=enc:3") == (False, str(tmp_path / "enc:3"), "all")
    assert features_argument("both=enc:3:3") == (True, str(tmp_path / "enc:3"), (3,))
    assert features_argument("both=enc:2") == (True, str(tmp_path / "enc"), (2,))


def test_extract(corpora, whisper_folder, tmp_path):
    command = ["extract", str(corpora / "first"), "--out", str(tmp_path / "table.csv")]
    assert main([*command, "--features", f"encoder={whisper_folder}:1,3"]) == 0
    table = pd.read_csv(tmp_path / "table.csv")
    expected = EmbeddingExtractor(whisper_folder, layer=(1, 3)).transform(table["path"])
    np.testing.assert_allclose(table.iloc[:, 1:], expected, rtol=1e-5)
    assert table.columns[-1] == "small_layer3_mean_15"


def test_evaluate_records_the_encoder(corpora, named, whisper_folder, tmp_path, capsys):
    command = ["evaluate", *named, "--features", f"both={whisper_folder}", "--out"]
    assert main([*command, str(tmp_path / "results")]) == 0
    settings = json.loads((tmp_path / "results" / "run.json").read_text())["settings"]
    assert settings["features"] == "eGeMAPSv02, 88 functionals, variant opensmile"
    assert settings["encoder"] == "small, mean of layers 0, 1, 2, 3"
    functionals, encoder = settings["feature set"].split(" + ")
    assert functionals == "eGeMAPSv02, sklearn-ser 1"
    assert encoder.startswith("small (SHA-256 ")
    [file] = settings["files of the encoder"]
    digest = EmbeddingExtractor(whisper_folder).fit(["x"]).encoder_["files"]["model.bin"]["sha256"]
    assert file.startswith("model.bin, ")
    assert file.endswith(digest)
    assert "mean" in capsys.readouterr().out


def test_the_report_names_the_encoder(named, whisper_folder, tmp_path):
    command = ["evaluate", *named, "--features", f"encoder={whisper_folder}:2", "--report"]
    assert main([*command, str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "small, mean of layers 2" in page
    assert "feature set" in page
    assert "small (SHA-256 " in page


@pytest.mark.parametrize("kind", ["encoder", "both"])
def test_train_and_predict(kind, corpora, named, whisper_folder, tmp_path, capsys):
    model, features = tmp_path / "model.skops", f"{kind}={whisper_folder}:1"
    assert main(["train", *named, "--features", features, "--out", str(model)]) == 0
    card = model_card(model)["card"]["features"]
    assert card["encoder"] == "small"
    assert card["name"].endswith(
        f"small (SHA-256 {card['files'][0]['SHA-256'][:12]}), sklearn-ser 1"
    )
    assert "transformers" in model_card(model)["versions"]
    assert card["layers"] == [1]
    assert card["files"][0]["name"] == "model.bin"
    assert ("set" in card) == (kind == "both")
    capsys.readouterr()
    command = ["predict", str(model), str(corpora / "second"), "--format", "csv"]
    assert main([*command, "--cache", str(tmp_path / "rows.db")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 25
    loaded = load(model)
    extractor = loaded[0] if kind == "encoder" else dict(loaded[0].extractors)["embeddingextractor"]
    assert extractor.encoder == str(whisper_folder.resolve())


@pytest.mark.parametrize(
    ("features", "option", "message"),
    [
        ("encoder=owner/model", "--sampling-rate=8000", "encoders take signals at 16000 Hz"),
        ("encoder=owner/model", "--variant=corrected", "only functionals have variants"),
        ("egemaps", "--device=cuda", "only encoders run on a device"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "train", "extract"])
def test_options_that_the_features_do_not_have(features, option, message, command, named, capsys):
    out = ["--out", "never_written.skops"] if command == "train" else []
    with pytest.raises(SystemExit, match="2"):
        main([command, *named, "--features", features, option, *out])
    assert f"argument {option.partition('=')[0]}: {message}" in capsys.readouterr().err


def test_both_take_the_options_of_either(corpora, whisper_folder, tmp_path):
    out = tmp_path / "table.csv"
    command = ["extract", str(corpora / "first"), "--features", f"both={whisper_folder}:1"]
    options = ["--sampling-rate", "8000", "--variant", "corrected", "--device", "auto"]
    assert main([*command, *options, "--out", str(out)]) == 0
    assert pd.read_csv(out).shape == (24, 1 + 88 + 16)


@pytest.fixture
def moved(named, whisper_folder, tmp_path):
    """A model in a file, and the folder that its encoder was moved to."""
    before, after = tmp_path / "before", tmp_path / "after"
    shutil.copytree(whisper_folder, before)
    features = ["--features", f"both={before}:1", "--no-scores"]
    assert main(["train", *named, *features, "--out", str(tmp_path / "model.skops")]) == 0
    return tmp_path / "model.skops", before.rename(after)


def test_predict_with_an_encoder_that_was_moved(moved, corpora, capsys):
    model, folder = moved
    capsys.readouterr()
    command = ["predict", str(model), str(corpora / "second"), "--format", "csv"]
    assert main(command) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "bring these files here" in line
    assert line.endswith("pass --encoder FOLDER.")
    assert main([*command, "--encoder", str(folder), "--device", "auto"]) == 0
    found = capsys.readouterr()
    assert len(found.out.splitlines()) == 25
    assert "cannot extract features" not in found.err


def test_predict_refuses_another_encoder(moved, corpora, capsys):
    model, folder = moved
    content = bytearray((folder / "model.bin").read_bytes())
    content[-9] ^= 1
    (folder / "model.bin").write_bytes(content)
    assert main(["predict", str(model), str(corpora / "second"), "--encoder", str(folder)]) == 1
    assert "but the model was fitted with 'before'" in capsys.readouterr().err


def test_predict_takes_folders_only(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "model.skops", "a.wav", "--encoder", str(tmp_path / "none")])
    assert "argument --encoder: there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--encoder=.", "--device=cpu"])
def test_a_model_without_an_encoder(option, tmp_path, capsys):
    model = make_pipeline(EGeMAPSExtractor(), SVC())
    model[1].fit(np.random.default_rng(0).normal(size=(20, 88)), ["anger", "sadness"] * 10)
    save(model, tmp_path / "model.skops")
    assert main(["predict", str(tmp_path / "model.skops"), "a.wav", option]) == 1
    assert f"{option.partition('=')[0]}: the model in" in capsys.readouterr().err


def test_a_model_with_two_encoders(whisper_folder, tmp_path, capsys):
    extractors = [EmbeddingExtractor(whisper_folder, layer=layer) for layer in (0, 1)]
    model = make_pipeline(make_extractor_union(*extractors), SVC())
    model[1].fit(np.random.default_rng(0).normal(size=(20, 32)), ["anger", "sadness"] * 10)
    save(model, tmp_path / "model.skops")
    command = ["predict", str(tmp_path / "model.skops"), "a.wav", "--encoder", str(whisper_folder)]
    assert main(command) == 1
    assert "has 2 encoders" in capsys.readouterr().err


def test_no_such_encoder(named, tmp_path, capsys):
    assert main(["evaluate", *named, "--features", f"encoder={tmp_path / 'none'}"]) == 1
    assert "expected a folder with the files of an encoder" in capsys.readouterr().err


def test_nnpm_scales_each_corpus_by_itself_behind_an_encoder(named, whisper_folder, tmp_path):
    model = tmp_path / "model.skops"
    features = ["--features", f"encoder={whisper_folder}:1", "--method", "nnpm"]
    assert main(["train", *named, *features, "--no-scores", "--out", str(model)]) == 0
    steps = [type(step).__name__ for _, step in load(model).steps]
    assert steps == ["EmbeddingExtractor", "CorpusScaler", "NNPMClassifier"]
    card = model_card(model)["card"]
    assert card["method"].startswith("nnpm: each corpus standardised by itself, then a memory")


@pytest.mark.parametrize("name", ["dae", "vae", "ssvae", "metric"])
def test_autoencoders_are_wider_behind_an_encoder(name):
    narrow, wide = (
        method_for(name, (True, encoder, "all")).make()[-2] for encoder in (None, "owner/model")
    )
    assert narrow.n_components < wide.n_components == 128
    assert wide.hidden_layer_sizes == (512,)
    assert type(narrow) is type(wide)


@pytest.mark.parametrize("name", ["coral", "nnpm"])
def test_scalings_side_by_side_are_for_functionals(name):
    both, corpus = (
        type(method_for(name, (encoder is None, encoder, "all")).make()[0]).__name__
        for encoder in (None, "owner/model")
    )
    assert (both, corpus) == ("FeatureUnion", "CorpusScaler")
    description = method_for(name, (False, "owner/model", "all")).description
    assert description.startswith("each corpus standardised by itself, then")


def test_nnpm_takes_encoder_and_functionals_as_views(named, whisper_folder, tmp_path):
    model = tmp_path / "model.skops"
    features = ["--features", f"both={whisper_folder}:1", "--method", "nnpm"]
    assert main(["train", *named, *features, "--no-scores", "--out", str(model)]) == 0
    *_, scaler, classifier = (step for _, step in load(model).steps)
    assert [type(part).__name__ for _, part in scaler.transformer_list] == [
        "CorpusScaler",
        "StandardScaler",
    ]
    n_features = classifier.n_features_in_ // 2
    encoder_by_corpus, encoder_by_all, functionals = (
        np.arange(2 * n_features)[view] for view in classifier.views
    )
    assert encoder_by_corpus.tolist() == [*range(88, n_features)]
    np.testing.assert_array_equal(encoder_by_all, encoder_by_corpus + n_features)
    assert functionals.tolist() == [*range(88), *range(n_features, n_features + 88)]
    assert "as views of a memory" in model_card(model)["card"]["method"]


def test_other_methods_are_the_same_behind_an_encoder():
    for name in set(METHODS) - {"coral", "dae", "metric", "nnpm", "ssvae", "vae"}:
        assert method_for(name, (False, "owner/model", "all")) is METHODS[name]
