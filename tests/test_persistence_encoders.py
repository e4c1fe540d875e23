"""Models that begin with a pretrained encoder."""

import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EmbeddingExtractor, load, save
from sklearn_ser.exceptions import EncoderError, PersistenceError, PersistenceWarning
from sklearn_ser.features import make_extractor_union
from sklearn_ser.persistence._file import write
from sklearn_ser.persistence._portable import restored


@pytest.fixture
def with_encoder(whisper_folder, tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.normal(0, 0.1 + 0.1 * (i % 2), 4000) for i in range(12)]
    encoder = tmp_path / "encoder"
    shutil.copytree(whisper_folder, encoder)
    model = make_pipeline(EmbeddingExtractor(encoder), StandardScaler(), SVC())
    model.fit(X, ["a", "b"] * 6)
    save(model, tmp_path / "model.skops")
    return model, X, encoder


def test_an_encoder_is_kept_by_reference_and_hash(with_encoder, tmp_path):
    model, X, encoder = with_encoder
    assert (tmp_path / "model.skops").stat().st_size < 20_000
    loaded = load(tmp_path / "model.skops")
    assert loaded[0].encoder == str(encoder)
    assert loaded[0].encoder_ == model[0].encoder_
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_what_to_fetch_is_said_where_the_encoder_is_missing(with_encoder, tmp_path):
    model, X, encoder = with_encoder
    digest = model[0].encoder_["files"]["model.bin"]["sha256"]
    expected = model.predict(X)
    moved = encoder.rename(tmp_path / "elsewhere")
    with pytest.warns(PersistenceWarning, match=f"cannot extract features here.*{digest}"):
        loaded = load(tmp_path / "model.skops")
    with pytest.raises(EncoderError, match=f"not there.*SHA-256 {digest}"):
        loaded.predict(X)
    loaded.set_params(embeddingextractor__encoder=str(moved))
    np.testing.assert_array_equal(loaded.predict(X), expected)


def test_loading_never_asks_the_hub(with_encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_ser.encoders._source.fetch", None)
    model = with_encoder[0].set_params(embeddingextractor__encoder="owner/model")
    save(model, tmp_path / "model.skops")
    load(tmp_path / "model.skops")


@pytest.mark.parametrize("kind", [str, Path])
def test_a_relative_folder_is_found_from_elsewhere(kind, with_encoder, tmp_path, monkeypatch):
    _, X, encoder = with_encoder
    monkeypatch.chdir(encoder.parent)
    union = make_extractor_union(EmbeddingExtractor(kind("encoder"), layer=1))
    expected = union.fit_transform(X)
    save(union, tmp_path / "union.skops")
    assert union.get_params()["embeddingextractor__encoder"] == kind("encoder")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    loaded = load(tmp_path / "union.skops")
    assert loaded.get_params()["embeddingextractor__encoder"] == str(encoder)
    np.testing.assert_array_equal(loaded.transform(X), expected)


@pytest.mark.parametrize("name", ["owner/model", "absent/folder"])
def test_names_are_kept(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "absent").mkdir()
    save(EmbeddingExtractor(name), tmp_path / "model.skops")
    schema = zipfile.ZipFile(tmp_path / "model.skops").read("schema.json").decode()
    assert f'\\"{name}\\"' in schema


def test_a_folder_in_a_file_is_not_resolved_on_loading(with_encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(with_encoder[2].parent)
    write_as_it_is(EmbeddingExtractor("encoder"), tmp_path / "model.skops")
    assert load(tmp_path / "model.skops").encoder == "encoder"


def write_as_it_is(model, path):
    """Write a file as a stranger would: whatever `save` would change stays."""
    write(path, skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED), {})


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"encoder": None}, "EmbeddingExtractor.encoder is a NoneType, expected text"),
        ({"encoder": 3}, "EmbeddingExtractor.encoder is a int, expected text"),
        ({"encoder_": "x"}, "name, kind and files in EmbeddingExtractor.encoder_ do not fit"),
        ({"encoder_": {"name": "a", "kind": 3}}, "do not fit"),
        ({"encoder_": {"name": "a", "kind": "whisper", "files": [1]}}, "do not fit"),
        ({"encoder_": {"name": "a", "kind": "whisper", "files": {"a": 3}}}, "do not fit"),
        (
            {"encoder_": {"name": "a", "kind": "b", "files": {"a": {"size": "1", "sha256": "c"}}}},
            "do not fit",
        ),
        ({"device": "no such device"}, "device must be 'cpu', 'auto', 'cuda'"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_forged_encoder(attributes, message, is_there, whisper_folder, tmp_path):
    extractor = EmbeddingExtractor(str(whisper_folder)).fit(["x"])
    if not is_there:
        extractor.encoder = str(tmp_path / "absent")
    vars(extractor).update(attributes)
    write_as_it_is(make_extractor_union(extractor), tmp_path / "model.skops")
    with pytest.raises(PersistenceError, match=f"cannot be loaded.*{message}"):
        load(tmp_path / "model.skops")


def test_a_forged_encoder_without_its_place(whisper_folder, tmp_path):
    extractor = EmbeddingExtractor(str(whisper_folder)).fit(["x"])
    del extractor.encoder
    write_as_it_is(extractor, tmp_path / "model.skops")
    with pytest.raises(PersistenceError, match=r"cannot be loaded.*encoder is a NoneType"):
        load(tmp_path / "model.skops")


def test_a_folder_that_may_not_be_read_is_a_warning(with_encoder, tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", "config.json")

    monkeypatch.setattr(EmbeddingExtractor, "missing_encoder", refuse)
    with pytest.warns(PersistenceWarning, match=r"cannot extract features here: .*config\.json"):
        load(tmp_path / "model.skops")


@pytest.mark.parametrize(("device", "expected"), [("cuda:99", "cpu"), ("auto", "auto")])
def test_a_device_that_is_not_here_becomes_the_cpu(device, expected, with_encoder, tmp_path):
    model, X, _ = with_encoder
    predicted = model.predict(X)
    save(model.set_params(embeddingextractor__device=device), tmp_path / "model.skops")
    assert model[0].device == device
    loaded = load(tmp_path / "model.skops")
    assert loaded[0].device == expected
    np.testing.assert_array_equal(loaded.predict(X), predicted)


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_devices_that_exist_everywhere_are_not_looked_up(device, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn_ser.nn._devices", None)
    assert restored(EmbeddingExtractor("owner/model", device=device)).device == device
    with pytest.raises(ImportError, match="_devices"):
        restored(EmbeddingExtractor("owner/model", device="cuda"))
