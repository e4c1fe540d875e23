import builtins
import functools
import hashlib
import json
import os
import pickle
import shutil

import joblib
import numpy as np
import pytest
import torch

from sklearn_ser import EmbeddingExtractor
from sklearn_ser.encoders import _hub, _source
from sklearn_ser.encoders._source import find_source
from sklearn_ser.exceptions import EncoderError, ExtractionWarning


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


@pytest.mark.parametrize(
    "encoder",
    ["no/such", "./nothing", "/no/such/folder", "~/no such", "tiny", "model.bin", "a/b/c"],
)
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
        *(
            (
                {
                    "config.json": '{"model_type": "hubert"}',
                    "model.safetensors.index.json": f'{{"weight_map": {{"a": "{name}"}}}}',
                },
                r"index\.json' names the file '.*', expected names of files beside it",
            )
            for name in ("..", "x/", "../.", r"a\u0000", r"\ud800")
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


def test_names_are_looked_up_on_the_hub(whisper_folder, tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    asked = []

    def snapshot_download(name, *, allow_patterns, local_files_only):
        asked.append((name, local_files_only, tuple(allow_patterns)))
        return str(tmp_path if "model.safetensors" in allow_patterns else whisper_folder)

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
        self.frozen = torch.nn.BatchNorm1d(3)

    def forward(self, y):
        frames = y[: len(y) // 100 * 100].view(-1, 100)
        return self.dropout(frames), self.scale * frames[:, :50]


def test_a_module(whisper_folder):
    module = Halves().train()
    module.frozen.eval()
    source = find_source(module)
    assert source.widths == (100, 50)
    encoder = source.load("cpu")
    y = torch.ones(1000)
    with torch.inference_mode():
        layers = [frames.numpy() for frames, _ in encoder.layers([y, y[:500]], 1)]
    np.testing.assert_array_equal(layers[0][0], np.ones((10, 100)))
    np.testing.assert_array_equal(layers[1][1, :5], np.full((5, 50), 2))
    assert module.training
    assert not module.frozen.training
    with pytest.raises(ValueError, match="encoder is Halves, and the cache cannot see"):
        source.identity()
    before = find_source(module, version=3).identity()
    assert before["version"] == "3"
    assert before == find_source(Halves(), version=3).identity()
    module.scale.data += 1
    assert find_source(module, version=3).identity()["sha256"] != before["sha256"]


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
        (lambda y: y, r"shape \(16000,\) and type .*float32, expected real floating-point"),
        (lambda y: np.ones((3, 2), int), "type int64, expected real"),
        (lambda y: np.ones((0, 2), np.float32), r"shape \(0, 2\)"),
        (lambda y: [], "returned no layers"),
    ],
)
def test_functions_that_return_something_else(function, reason):
    with pytest.raises(EncoderError, match=reason):
        find_source(function).load("cpu")


def test_layers_that_differ_between_signals():
    def frames(y):
        return np.ones((3, 1 + (len(y) < 100)), np.float32)

    encoder = find_source(frames).load("cpu")
    with pytest.raises(EncoderError, match=r"widths \(2,\) for a signal"):
        list(encoder.layers([torch.ones(10)], 0))


def test_shards_are_fetched_by_their_names(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "config.json").write_text('{"model_type": "hubert"}')
    asked = []

    def snapshot_download(name, *, allow_patterns, local_files_only):
        if local_files_only:
            raise FileNotFoundError("not here")
        asked.append(allow_patterns)
        if "model-2.safetensors" in allow_patterns:
            for one in allow_patterns:
                (tmp_path / one).touch()
        return str(tmp_path)

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    _hub.fetch.cache_clear()
    assert len(find_source("owner/large").files) == 2
    assert asked[1] == ["model-1.safetensors", "model-2.safetensors"]
    assert not any("*" in pattern for patterns in asked for pattern in patterns)
    _hub.fetch.cache_clear()


def test_a_change_that_keeps_size_and_time_is_seen(whisper_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whisper_folder, copy)
    source, times = find_source(copy), os.stat(copy / "model.bin")
    before = source.identity()
    with (copy / "model.bin").open("r+b") as file:
        file.seek(20000)
        file.write(b"\x3f")
    os.utime(copy / "model.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert find_source(copy).identity() != before
    assert find_source(copy).stamp != source.stamp


def test_functions_with_other_names_or_arguments_differ():
    def first(y, scale=1):
        return scale * y[:100, None]

    def second(y):
        return y[:100, None]

    partials = [functools.partial(first, scale=scale) for scale in (1, 2)]
    identities = [find_source(one, version=1).identity() for one in (first, second, *partials)]
    assert len({json.dumps(one) for one in identities}) == 4
    assert "test_source" in identities[0]["name"]


def test_a_function_is_tried_out_once():
    calls = []

    def frames(y):
        calls.append(len(y))
        return [np.zeros((3, width), np.float32) for width in range(1, 14)]

    extractor = EmbeddingExtractor(frames, pooling="both")
    extractor.set_output(transform="pandas").transform([np.full(n, 0.1) for n in (4000, 5000)])
    assert calls == [16000, 4000, 5000]


def test_a_quantised_module_has_a_digest():
    module = Halves()
    module.register_buffer("table", torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8))
    assert find_source(module, version=1).identity()["sha256"]


def test_modules_are_given_back_by_threads():
    module = Halves().train()
    with joblib.parallel_config("threading", n_jobs=4):
        EmbeddingExtractor(module, layer=1, n_jobs=4).transform([np.full(4000, 0.1)] * 40)
    assert all(part.training for part in module.modules())


class Output:
    def __init__(self, y):
        self.hidden_states = [torch.as_tensor(y[:100]).view(1, -1, 1)] * 2


@pytest.mark.parametrize(
    "function",
    [
        Output,
        lambda y: torch.as_tensor(y[:100]).double()[:, None].requires_grad_(),
        lambda y: torch.as_tensor(y[:100]).half()[:, None],
        lambda y: y[:100, None].astype(">f8"),
        lambda y: (y[:100, None], y[:100, None]),
    ],
)
def test_what_functions_may_return(function):
    rows = EmbeddingExtractor(function, layer=0).transform([np.full(4000, 0.5)])
    np.testing.assert_array_equal(rows, [[0.5]])


@pytest.mark.parametrize(
    "value", [None, {"a": 1}, "text", (one for one in [1]), [[1.0, 2.0]], 1j * np.ones((2, 2))]
)
def test_what_functions_may_not_return(value):
    with pytest.raises(EncoderError, match="expected real floating-point numbers of shape"):
        EmbeddingExtractor(lambda y: value).transform([np.full(4000, 0.5)])


def test_a_function_that_fails_for_a_recording():
    def frames(y):
        if len(y) == 5000:
            raise ValueError("odd")
        return y[:100, None]

    extractor = EmbeddingExtractor(frames, on_error="nan")
    with pytest.warns(ExtractionWarning, match="frames raised ValueError: odd"):
        X = extractor.transform([np.full(n, 0.5) for n in (4000, 5000)])
    assert np.isnan(X).ravel().tolist() == [False, True]
    with pytest.raises(NameError, match="nothing"):
        EmbeddingExtractor(lambda y: nothing).transform([np.full(4000, 0.5)])  # noqa: F821
