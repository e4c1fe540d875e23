import builtins
import hashlib
import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch

from sklearn_ser.encoders import _hub, _source
from sklearn_ser.encoders._source import find_source
from sklearn_ser.exceptions import EncoderError


def test_a_folder(whisper_folder):
    for encoder in (whisper_folder, str(whisper_folder), f"{whisper_folder}/"):
        source = find_source(encoder)
        assert (source.name, source.kind) == ("small", "ctranslate2")
        assert source.widths == (16,) * 4
    assert pickle.loads(pickle.dumps(source)) == source


def test_identity_is_that_of_the_content(whisper_folder, tmp_path):
    data = (whisper_folder / "model.bin").read_bytes()
    identity = find_source(whisper_folder).identity()
    about = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert identity == {"kind": "ctranslate2", "files": {"model.bin": about}}
    copy = tmp_path / "elsewhere"
    shutil.copytree(whisper_folder, copy)
    assert find_source(copy).identity() == identity
    with (copy / "model.bin").open("r+b") as file:
        file.seek(-50, os.SEEK_END)
        file.write(b"\x01")
    assert find_source(copy).identity() != identity


def test_weights_are_loaded_once_and_anew_after_a_change(whisper_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whisper_folder, copy)
    first = find_source(copy).load("cpu")
    assert find_source(copy).load("cpu") is first
    os.utime(copy / "model.bin", (1, 1))
    assert find_source(copy).load("cpu") is not first


@pytest.mark.parametrize("encoder", ["no/such", "./nothing", "/no/such/folder", "~/no such"])
def test_a_path_never_leads_to_the_network(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no").mkdir()
    monkeypatch.setattr(_source, "fetch", None)
    with pytest.raises(EncoderError, match="not there, expected a folder"):
        find_source(encoder)


def test_a_file_is_not_a_folder(whisper_folder):
    with pytest.raises(EncoderError, match="is a file, expected a folder"):
        find_source(whisper_folder / "model.bin")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "holds no encoder of a known kind"),
        ({"config.json": "[]"}, "holds a list, expected settings by name"),
        ({"config.json": "{"}, "is not JSON"),
        ({"config.json": '{"model_type": 3}'}, "holds no encoder of a known kind"),
        ({"config.json": '{"model_type": "hubert"}'}, "has no weights, expected one of"),
        (
            {
                "config.json": '{"model_type": "hubert"}',
                "model.safetensors.index.json": '{"weight_map": {"a": "../../one.safetensors"}}',
            },
            "lacks the file .*one.safetensors",
        ),
    ],
)
def test_folders_without_an_encoder(files, reason, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "one.safetensors").touch()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(EncoderError, match=reason):
        find_source(folder)


def test_names_are_looked_up_on_the_hub(whisper_folder, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    asked = []

    def snapshot_download(name, *, allow_patterns, local_files_only):
        asked.append((name, local_files_only, tuple(allow_patterns)))
        return str(whisper_folder)

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    _hub.fetch.cache_clear()
    source = find_source("openai/small", local_files_only=True)
    assert source.name == "openai/small"
    assert [one[:2] for one in asked] == [("openai/small", True)] * 2
    # Pickled weights are asked for only where there are no others.
    assert not any("bin" in pattern for pattern in asked[0][2])
    assert any("pytorch_model" in pattern for pattern in asked[1][2])
    find_source("openai/small", local_files_only=True)
    assert len(asked) == 2
    _hub.fetch.cache_clear()


def test_a_name_that_is_not_on_this_machine(monkeypatch, tmp_path):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(EncoderError, match="was not found on this machine"):
        find_source("nobody/has-this", local_files_only=True)


def without(monkeypatch, *names):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.partition(".")[0] in names:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)


def test_what_to_install(monkeypatch, tmp_path):
    without(monkeypatch, "transformers", "huggingface_hub")
    _hub.fetch.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ser\[encoders\]'"):
        find_source("owner/model")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "hubert"}))
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ImportError, match=r"needs transformers: pip install"):
        find_source(tmp_path).load("cpu")


class Halves(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = torch.nn.Dropout(0.5)
        self.scale = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, y):
        frames = y[: len(y) // 100 * 100].view(-1, 100)
        return self.dropout(frames), self.scale * frames[:, :50]


def test_a_module(whisper_folder):
    module = Halves().train()
    source = find_source(module)
    assert source.widths == (100, 50)
    encoder = source.load("cpu")
    y = torch.ones(1000)
    with torch.inference_mode():
        layers = [frames.numpy() for frames, _ in encoder.layers([y, y[:500]], 1)]
    np.testing.assert_array_equal(layers[0][0], np.ones((10, 100)))
    np.testing.assert_array_equal(layers[1][1, :5], np.full((5, 50), 2))
    assert module.training
    before = source.identity()
    assert before["sha256"] == find_source(Halves()).identity()["sha256"]
    module.scale.data += 1
    assert source.identity()["sha256"] != before["sha256"]
    assert find_source(module, version=3).identity()["version"] == "3"


def test_a_function_needs_a_version_in_the_cache():
    def frames(y):
        return y[:100, None]

    assert find_source(frames).widths == (1,)
    with pytest.raises(ValueError, match="encoder is frames, and the cache cannot see"):
        find_source(frames).identity()
    assert find_source(frames, version="a").identity()["version"] == "a"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda y: y, r"shape \(16000,\), expected floating-point numbers of shape"),
        (lambda y: np.ones((3, 2), int), "int64 values"),
        (lambda y: np.ones((0, 2), np.float32), "shape \\(0, 2\\)"),
        (lambda y: [], "returned an empty list"),
    ],
)
def test_functions_that_return_something_else(function, reason):
    with pytest.raises(EncoderError, match=reason):
        find_source(function).load("cpu")


def test_layers_that_differ_between_signals():
    encoder = find_source(lambda y: np.ones((3, 1 + (len(y) < 100)), np.float32)).load("cpu")
    with pytest.raises(EncoderError, match=r"widths \(2,\) for a signal"):
        list(encoder.layers([torch.ones(10)], 0))
