import json

import joblib
import numpy as np
import pytest
import torch

from sklearn_ser import EmbeddingExtractor
from sklearn_ser.encoders._hugging_face import SpectrumEncoder, WaveEncoder, load_model
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
def test_batches_give_the_same_rows(saved, monkeypatch):
    monkeypatch.setattr("sklearn_ser.encoders._pooling._most_samples", lambda device: 10**7)
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


def test_blocks_that_draw_leave_the_global_random_state_alone(saved):
    # Not by its source, which keeps the encoder for other tests.
    encoder = WaveEncoder(load_model(str(saved[0])), normalise=True).to("cpu")
    for block in encoder._listener._blocks:
        # As versions of transformers do that decide for each block whether to drop it.
        block.register_forward_pre_hook(lambda *_: (torch.rand([]), None)[1])
    signals = [torch.from_numpy(y) for y in SIGNALS[:1]]
    before = torch.random.get_rng_state()
    for _ in range(2):
        assert len(list(encoder.layers(signals, 1))) == 2
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


def save_bert(folder):
    """A network of spectra, whose front end joins frames two by two and masks a half pair."""
    config = transformers.Wav2Vec2BertConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        feature_projection_input_dim=160, conv_depthwise_kernel_size=5,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.Wav2Vec2BertModel(config).eval()
    model.save_pretrained(folder)
    return model, transformers.SeamlessM4TFeatureExtractor()


@pytest.mark.parametrize("n_windows", [1, 3])
@pytest.mark.parametrize("n_samples", [16000, 16160])
def test_other_networks_bring_their_front_end(n_samples, n_windows, tmp_path, monkeypatch):
    model, front_end = save_bert(tmp_path)
    with pytest.raises(EncoderError, match=r"needs the settings of its front end"):
        find_source(tmp_path).load("cpu")
    front_end.save_pretrained(tmp_path)
    parts = [RNG.normal(0, 0.1, n_samples).astype(np.float32) for _ in range(n_windows)]
    layers = []
    for part in parts:
        inputs = front_end(part, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            found = model(**inputs, output_hidden_states=True)
        kept = inputs["attention_mask"][0].bool()
        states = [*found.hidden_states[:2], found.last_hidden_state]
        layers.append(torch.stack([frames[0, kept] for frames in states]))
    frames = torch.cat(layers, dim=1).numpy()
    monkeypatch.setattr(SpectrumEncoder, "max_samples", n_samples)
    extractor = EmbeddingExtractor(tmp_path, pooling="both")
    X = extractor.transform([np.concatenate(parts)]).reshape(3, 2, WIDTH)
    np.testing.assert_allclose(X[:, 0], frames.mean(axis=1), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(X[:, 1], frames.std(axis=1), rtol=1e-3, atol=1e-4)


def test_spectra_in_batches(tmp_path):
    _, front_end = save_bert(tmp_path)
    front_end.save_pretrained(tmp_path)
    encoder = find_source(tmp_path).load("cpu")
    signals = [torch.from_numpy(SIGNALS[0]), torch.from_numpy(SIGNALS[3])]
    with torch.inference_mode():
        together = list(encoder.layers(signals, 2))
        for i, y in enumerate(signals):
            for layer, (frames, n_frames) in enumerate(encoder.layers([y], 2)):
                assert together[layer][1][i] == n_frames[0]
                torch.testing.assert_close(together[layer][0][i], frames[0])


def test_a_front_end_of_fixed_length_is_refused(tmp_path):
    config = transformers.ASTConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_length=128,
    )  # fmt: skip
    with torch.random.fork_rng():
        transformers.ASTModel(config).save_pretrained(tmp_path)
    transformers.ASTFeatureExtractor(max_length=128).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="pads or cuts signals to a fixed length"):
        find_source(tmp_path).load("cpu")


MORE_KINDS = {
    "sew": ("SEW", {"squeeze_factor": 2, "conv_kernel": (10, 3, 2), "conv_stride": (5, 4, 4)}),
    "unispeech": ("UniSpeech", {}),
    "conformer": ("Wav2Vec2Conformer", {"conv_depthwise_kernel_size": 5}),
    "adapter": ("Wav2Vec2", {"add_adapter": True, "output_hidden_size": 24}),
}


@pytest.mark.parametrize("name", MORE_KINDS)
def test_both_statistics_of_the_whole_family(name, tmp_path, monkeypatch):
    prefix, more = MORE_KINDS[name]
    settings = SMALL | more
    settings["conv_dim"] = (16,) * len(settings.get("conv_kernel", range(7)))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = getattr(transformers, f"{prefix}Config")(**settings)
        model = getattr(transformers, f"{prefix}Model")(config).eval()
    model.save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(tmp_path)
    if name == "adapter":
        model.adapter = None
    signals = [SIGNALS[0], SIGNALS[3]]
    X = EmbeddingExtractor(tmp_path, pooling="both").transform(signals)
    monkeypatch.setattr("sklearn_ser.encoders._pooling._most_samples", lambda device: 10**7)
    encoder = find_source(tmp_path).load("cpu")
    rows = embed(encoder, signals, layers=range(4), statistics=("mean", "std"))
    for row, together, y in zip(X, rows, signals, strict=True):
        with torch.inference_mode():
            found = model(torch.from_numpy(y)[None], output_hidden_states=True)
        states = [*found.hidden_states[:3], found.last_hidden_state]
        expected = [
            statistic.numpy()
            for frames in states
            for statistic in (frames[0].mean(dim=0), frames[0].std(dim=0, correction=0))
        ]
        np.testing.assert_allclose(row, np.hstack(expected), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(together, row, rtol=1e-3, atol=1e-4)


def test_norms_over_a_batch_are_not_padded(tmp_path):
    config = transformers.HubertConfig(**SMALL, **STABLE, conv_pos_batch_norm=True)
    with torch.random.fork_rng():
        transformers.HubertModel(config).save_pretrained(tmp_path)
    assert not find_source(tmp_path).load("cpu").pads


def test_settings_of_a_processor(tmp_path):
    with torch.random.fork_rng():
        model = save("wav2vec2", False, tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    inside = {"feature_extractor": {"do_normalize": False, "sampling_rate": 16000}}
    (tmp_path / "processor_config.json").write_text(json.dumps(inside))
    source = find_source(tmp_path)
    assert not source.load("cpu").normalise
    assert "processor_config.json" in source.identity()["files"]
    X = EmbeddingExtractor(tmp_path, layer=1).transform(SIGNALS[:1])
    np.testing.assert_allclose(X[0], reference(model, SIGNALS[0], False)[1], atol=1e-5)


def test_another_rate_is_refused(tmp_path):
    with torch.random.fork_rng():
        save("wav2vec2", False, tmp_path)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="wants signals at 8000 Hz, expected 16000"):
        find_source(tmp_path).load("cpu")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"num_hidden_layers": 1}, r"more than config\.json asks for"),
        ({"num_hidden_layers": 10**9}, "is damaged: 1000000000 blocks"),
        ({"num_hidden_layers": -1}, "is damaged: -1 blocks"),
        ({"conv_stride": [0, 2, 2, 2, 2, 2, 2]}, "cannot be used|cannot load"),
        ({"transformers_weights": "x.safetensors"}, "names its weights by transformers_weights"),
    ],
)
def test_settings_of_other_weights(change, reason, tmp_path):
    with torch.random.fork_rng():
        save("wav2vec2", False, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(EncoderError, match=reason):
        EmbeddingExtractor(tmp_path).transform(SIGNALS[:1])


def test_weights_that_are_not_finite(tmp_path):
    with torch.random.fork_rng():
        model = save("wav2vec2", False, tmp_path)
    model.encoder.layers[0].feed_forward.output_dense.bias.data[0] = np.nan
    model.save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="not finite"):
        find_source(tmp_path).load("cpu")


def test_threads_load_an_encoder_once(tmp_path, monkeypatch):
    with torch.random.fork_rng():
        save("wav2vec2", False, tmp_path)
    loaded, real = [], transformers.AutoModel.from_pretrained

    def counting(*args, **kwargs):
        loaded.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", counting)
    before = torch.random.get_rng_state()
    with joblib.parallel_config("threading", n_jobs=4):
        EmbeddingExtractor(tmp_path, n_jobs=4).transform(SIGNALS * 3)
    assert len(loaded) == 1
    assert torch.equal(torch.random.get_rng_state(), before)
