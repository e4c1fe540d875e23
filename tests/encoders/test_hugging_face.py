import json

import numpy as np
import pytest
import torch

from sklearn_ser import EmbeddingExtractor
from sklearn_ser.encoders._pooling import embed
from sklearn_ser.encoders._source import find_source
from sklearn_ser.exceptions import EncoderError

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

RNG = np.random.default_rng(2)
SIGNALS = [RNG.normal(0.01, 0.1, n).astype(np.float32) for n in (16000, 960, 8000, 16000, 4321)]
N_LAYERS, WIDTH = 4, 32
SMALL = {
    "hidden_size": WIDTH, "num_hidden_layers": N_LAYERS - 1, "num_attention_heads": 4,
    "intermediate_size": 48, "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
KINDS = {
    "wav2vec2": ("Wav2Vec2", {}),
    "hubert": ("Hubert", {}),
    "wavlm": ("WavLM", {}),
    "data2vec": ("Data2VecAudio", {"conv_pos_kernel_size": 9}),
}
STABLE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
CASES = [(name, False) for name in KINDS] + [(name, True) for name in KINDS if name != "data2vec"]


def save(name, stable, folder):
    prefix, more = KINDS[name]
    torch.manual_seed(0)
    config = getattr(transformers, f"{prefix}Config")(**SMALL, **more, **(STABLE if stable else {}))
    model = getattr(transformers, f"{prefix}Model")(config).eval()
    # Norms that do nothing would hide a missing one.
    for parameter_name, parameter in model.named_parameters():
        if "norm" in parameter_name:
            torch.nn.init.normal_(parameter.data, 1, 0.3)
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=stable).save_pretrained(folder)
    return model


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "small"
    with torch.random.fork_rng():
        return folder, save(*request.param, folder), request.param[1]


def reference(model, y, normalise):
    """Mean of each layer by the network of transformers itself."""
    x = torch.from_numpy((y - y.mean()) / np.sqrt(y.var() + 1e-7) if normalise else y)
    with torch.inference_mode():
        found = model(x[None], output_hidden_states=True)
    layers = [*found.hidden_states[:-1], found.last_hidden_state]
    return np.stack([frames[0].mean(dim=0).numpy() for frames in layers])


def test_rows_are_those_of_transformers(saved):
    folder, model, stable = saved
    X = EmbeddingExtractor(folder, layer="all").transform(SIGNALS)
    expected = [reference(model, y, stable).ravel() for y in SIGNALS]
    np.testing.assert_allclose(X, expected, rtol=1e-4, atol=1e-5)


def test_a_layer_alone_is_the_same(saved):
    folder = saved[0]
    rows = EmbeddingExtractor(folder, layer="all").transform(SIGNALS[:2]).reshape(2, N_LAYERS, -1)
    for k in range(N_LAYERS):
        alone = EmbeddingExtractor(folder, layer=k).transform(SIGNALS[:2])
        np.testing.assert_array_equal(alone, rows[:, k])


def test_blocks_behind_the_layer_are_not_computed(saved):
    encoder = find_source(saved[0]).load("cpu")
    ran = []
    hooks = [
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
        for number, block in enumerate(encoder._listener._blocks)
    ]
    try:
        with torch.inference_mode():
            list(encoder.layers([torch.from_numpy(SIGNALS[0])], 1))
    finally:
        for hook in hooks:
            hook.remove()
    assert ran == [0]


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
def test_batches_give_the_same_rows(saved):
    encoder = find_source(saved[0]).load("cpu")
    settings = {"layers": range(N_LAYERS), "statistics": ("mean", "std")}
    together = embed(encoder, SIGNALS, **settings)
    for row, y in zip(together, SIGNALS, strict=True):
        [alone] = embed(encoder, [y], **settings)
        np.testing.assert_allclose(row, alone, rtol=1e-3, atol=1e-4)


def test_widths_are_known_without_the_network(saved, monkeypatch):
    monkeypatch.setattr("sklearn_ser.encoders._source._load", None)
    assert find_source(saved[0]).widths == (WIDTH,) * N_LAYERS


def test_global_random_state_is_left_alone(saved):
    folder = saved[0]
    before = torch.random.get_rng_state()
    find_source(folder)._replace(name="another").load("cpu")
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_of_pytorch_are_read_as_data(saved, tmp_path):
    folder, model, stable = saved
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    X = EmbeddingExtractor(tmp_path, layer=1).transform(SIGNALS[:1])
    np.testing.assert_allclose(X[0], reference(model, SIGNALS[0], stable)[1], atol=1e-5)


class Trap:
    def __reduce__(self):
        return (open, ("trapped", "w"))


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_a_pickle_in_place_of_weights_is_not_run(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"model_type": kind, "encoder_layers": 1, "encoder_attention_heads": 2}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    torch.save({"encoder.layers.0": Trap()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="eights"):
        find_source(tmp_path).load("cpu")
    assert not (tmp_path / "trapped").exists()


def test_incomplete_weights_are_not_random_ones(tmp_path):
    with torch.random.fork_rng():
        model = save("wav2vec2", False, tmp_path)
    state = {name: one for name, one in model.state_dict().items() if "layers.1" not in name}
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"lack \d+ of those that the encoder needs"):
        find_source(tmp_path).load("cpu")


def test_code_beside_the_weights_is_not_run(tmp_path):
    settings = {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.M"},
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    (tmp_path / "mine.py").write_text("raise SystemExit")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(EncoderError, match="cannot load the encoder"):
        find_source(tmp_path).load("cpu")


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("kind", ["WhisperModel", "WhisperForConditionalGeneration"])
def test_a_whisper_of_transformers(kind, half, tmp_path):
    config = transformers.WhisperConfig(
        d_model=16, encoder_layers=3, encoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=16, vocab_size=50,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(transformers, kind)(config).eval()
    (model.half() if half else model).save_pretrained(tmp_path)
    model.float()
    y = np.pad(SIGNALS[0], (0, 480000 - len(SIGNALS[0])))
    mel = transformers.WhisperFeatureExtractor()(y, sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        found = model.get_encoder()(mel.input_features, output_hidden_states=True).hidden_states
    X = EmbeddingExtractor(tmp_path, layer="all").transform([y]).reshape(4, 16)
    expected = [frames[0].mean(dim=0) for frames in found]
    np.testing.assert_allclose(X, np.stack(expected), rtol=1e-4, atol=1e-5)


def test_other_networks_bring_their_front_end(tmp_path):
    config = transformers.ASTConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_length=128,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.ASTModel(config).eval()
    model.save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"needs the settings of its front end"):
        find_source(tmp_path).load("cpu")
    front_end = transformers.ASTFeatureExtractor(max_length=128)
    front_end.save_pretrained(tmp_path)
    inputs = front_end(SIGNALS[0], sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        found = model(**inputs, output_hidden_states=True)
    X = EmbeddingExtractor(tmp_path, layer=(0, 1, 2)).transform(SIGNALS[:1]).reshape(3, WIDTH)
    layers = [*found.hidden_states[:2], found.last_hidden_state]
    expected = [frames[0].mean(dim=0) for frames in layers]
    np.testing.assert_allclose(X, np.stack(expected), rtol=1e-4, atol=1e-5)
