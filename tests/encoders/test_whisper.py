import sys

import numpy as np
import pytest
import torch

from sklearn_ser import EmbeddingExtractor
from sklearn_ser.encoders._source import find_source
from sklearn_ser.encoders._whisper import WhisperEncoder, log_mel
from sklearn_ser.encoders._whisper_weights import read_ctranslate2
from sklearn_ser.exceptions import EncoderError

RNG = np.random.default_rng(1)


def noise(n_samples):
    return torch.from_numpy(RNG.normal(0, 0.1, n_samples).astype(np.float32))


def frames_of(encoder, *signals, last=None):
    last = len(encoder.widths) - 1 if last is None else last
    with torch.inference_mode():
        return [
            [frames[i, : n_frames[i]].numpy() for i in range(len(signals))]
            for frames, n_frames in encoder.layers(list(signals), last)
        ]


@pytest.fixture(scope="module")
def encoder(whisper_folder):
    return find_source(whisper_folder).load("cpu")


def test_shape(encoder):
    assert encoder.widths == (16,) * 4
    assert encoder.max_samples == 30 * 16000
    # A position for each 320 samples that have begun, of those that make a whole spectrum.
    for n_samples, n_positions in ((960, 3), (16000, 50), (16160, 51), (16159, 50), (480000, 1500)):
        [frames] = frames_of(encoder, noise(n_samples), last=0)
        assert frames[0].shape == (n_positions, 16)


def test_log_mel_of_a_tone():
    y = torch.sin(2 * np.pi * 1000 * torch.arange(16000) / 16000)
    levels = log_mel(y, 80).numpy()
    assert levels.shape == (80, 100)
    # 1 kHz is where the bands of Slaney's scale turn from equal to growing widths.
    import librosa

    centres = librosa.mel_frequencies(82, fmax=8000)[1:-1]
    assert abs(centres[levels[:, 50].argmax()] - 1000) < 40
    # The largest level is its logarithm / 4 + 1, the smallest 2 below it.
    np.testing.assert_allclose(levels.max() - levels.min(), 2, atol=1e-6)


def test_missing_librosa_is_named_with_the_extra_of_encoders(monkeypatch):
    monkeypatch.setitem(sys.modules, "librosa.filters", None)
    with pytest.raises(ImportError, match=r"needs librosa: pip install 'sklearn-ser\[encoders\]'"):
        log_mel(torch.zeros(16000), 77)


def test_silence_is_finite(encoder):
    for frames in frames_of(encoder, torch.zeros(16000)):
        assert np.isfinite(frames[0]).all()


def by_hand(arrays, x, k):
    """Return the output of a block by the formulas of the transformer, in double precision."""

    def take(name):
        return arrays[f"encoder/layer_{k}/{name}"].astype(float)

    def norm(x, name):
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return x * take(f"{name}/gamma") + take(f"{name}/beta")

    def linear(x, name):
        return x @ take(f"{name}/weight").T + take(f"{name}/bias")

    qkv = linear(norm(x, "self_attention/layer_norm"), "self_attention/linear_0")
    q, k_, v = np.split(qkv, 3, axis=1)
    mixed = []
    for head in (slice(0, 8), slice(8, 16)):
        scores = np.exp(q[:, head] @ k_[:, head].T / np.sqrt(8))
        mixed.append(scores / scores.sum(1, keepdims=True) @ v[:, head])
    x = x + linear(np.hstack(mixed), "self_attention/linear_1")
    hidden = linear(norm(x, "ffn/layer_norm"), "ffn/linear_0")
    from scipy.special import ndtr

    return x + linear(hidden * ndtr(hidden), "ffn/linear_1")


def test_blocks_are_those_of_the_formulas(encoder, whisper_arrays):
    layers = [one[0] for one in frames_of(encoder, noise(8000))]
    for k in range(2):
        expected = by_hand(whisper_arrays, layers[k].astype(float), k)
        np.testing.assert_allclose(layers[k + 1], expected, rtol=1e-4, atol=1e-4)
    last = by_hand(whisper_arrays, layers[2].astype(float), 2)
    last = (last - last.mean(1, keepdims=True)) / np.sqrt(last.var(1, keepdims=True) + 1e-5)
    last = last * whisper_arrays["encoder/layer_norm/gamma"]
    last += whisper_arrays["encoder/layer_norm/beta"]
    np.testing.assert_allclose(layers[3], last, rtol=1e-4, atol=1e-4)


def test_layers_do_not_depend_on_how_many_are_asked_for(encoder):
    y = noise(5000)
    for few, all_ in zip(frames_of(encoder, y, last=1), frames_of(encoder, y), strict=False):
        np.testing.assert_array_equal(few[0], all_[0])


def test_signals_of_a_batch_do_not_see_each_other(encoder):
    signals = [noise(n) for n in (16000, 960, 7777, 16000)]
    together = frames_of(encoder, *signals)
    for i, y in enumerate(signals):
        for layer, alone in enumerate(frames_of(encoder, y)):
            assert together[layer][i].shape == alone[0].shape
            np.testing.assert_allclose(together[layer][i], alone[0], rtol=1e-4, atol=1e-5)


def test_incomplete_weights_are_named(tmp_path, write_ctranslate2, whisper_arrays):
    arrays = {name: one for name, one in whisper_arrays.items() if "layer_1/ffn" not in name}
    write_ctranslate2(tmp_path / "model.bin", arrays)
    with pytest.raises(EncoderError, match="it lacks 'encoder/layer_1/ffn/layer_norm/gamma'"):
        read_ctranslate2(tmp_path / "model.bin")
    arrays = {name: one for name, one in whisper_arrays.items() if "layer_1" not in name}
    write_ctranslate2(tmp_path / "model.bin", arrays)
    with pytest.raises(EncoderError, match=r"blocks \[0, 2\] of an encoder"):
        read_ctranslate2(tmp_path / "model.bin")


def test_a_translator_is_not_a_whisper(tmp_path, write_ctranslate2):
    write_ctranslate2(tmp_path / "model.bin", {"encoder/embeddings/weight": np.ones((2, 2), "f4")})
    with pytest.raises(EncoderError, match="it lacks 'encoder/position_encodings/encodings'"):
        find_source(tmp_path).widths  # noqa: B018


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("num_heads", np.int16(3), "3 attention heads for a width of 16"),
        ("num_heads", np.int16(0), "0 attention heads"),
        ("num_heads", np.int16(-2), "-2 attention heads"),
        ("num_heads", np.int16([2, 2]), r"\[2 2\] attention heads"),
        ("num_heads", np.float32(np.nan), "nan attention heads"),
        ("conv1/weight", np.ones((16, 80), "f4"), r"conv1 has weights of shape \(16, 80\)"),
        ("conv1/weight", np.ones((16, 0, 3), "f4"), "conv1 has weights of shape"),
        ("conv2/weight", np.ones((16, 16, 5), "f4"), r"conv2.weight has the shape \(16, 16, 5\)"),
        ("layer_1/ffn/linear_0/weight", np.ones((64, 15), "f4"), r"blocks\.1\.up\.weight has"),
        ("layer_2/ffn/layer_norm/beta", np.ones(15, "f4"), r"blocks\.2\.mlp_norm\.bias has"),
        ("position_encodings/encodings", np.ones((9, 8), "f4"), "positions has the shape"),
        ("position_encodings/encodings", np.ones((0, 16), "f4"), "positions has the shape"),
        ("position_encodings/encodings", np.ones(16, "f4"), "expected two axes"),
        ("layer_0/ffn/linear_1/bias", np.full(16, np.nan, "f4"), "values that are not finite"),
    ],
)
def test_damaged_weights(name, value, reason, tmp_path, write_ctranslate2, whisper_arrays):
    write_ctranslate2(tmp_path / "model.bin", whisper_arrays | {f"encoder/{name}": value})
    with pytest.raises(EncoderError, match=reason):
        EmbeddingExtractor(tmp_path).transform([np.full(4000, 0.1)])


def test_blocks_of_another_width(tmp_path, write_ctranslate2, whisper_arrays):
    rng, arrays = np.random.default_rng(0), dict(whisper_arrays)
    for k in range(3):
        block = f"encoder/layer_{k}/ffn"
        arrays[f"{block}/linear_0/weight"] = rng.normal(size=(24, 16)).astype("f4")
        arrays[f"{block}/linear_0/bias"] = rng.normal(size=24).astype("f4")
        arrays[f"{block}/linear_1/weight"] = rng.normal(size=(16, 24)).astype("f4")
    write_ctranslate2(tmp_path / "model.bin", arrays)
    assert EmbeddingExtractor(tmp_path).transform([np.full(4000, 0.1)]).shape == (1, 64)


# Real weights against other implementations.


def speech_like():
    rng, t = np.random.default_rng(3), np.arange(48000) / 16000
    y = np.sin(2 * np.pi * 150 * t + 3 * np.sin(2 * np.pi * 2 * t)) * (1 + np.sin(9 * t)) / 8
    return (y + rng.normal(0, 0.01, len(y))).astype(np.float32)


def padded(y):
    return np.pad(y, (0, 480000 - len(y)))


def relative(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def test_last_layer_is_that_of_ctranslate2(tiny_en):
    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    y = torch.from_numpy(padded(speech_like()))
    theirs = ctranslate2.models.Whisper(str(tiny_en), compute_type="float32")
    mel = ctranslate2.StorageView.from_array(log_mel(y, 80).numpy()[None])
    encoder = WhisperEncoder(*read_ctranslate2(tiny_en / "model.bin"))
    [ours] = frames_of(encoder, y)[-1]
    assert relative(ours, np.array(theirs.encode(mel))[0]) < 1e-4


def as_transformers(weights, n_heads, n_positions=1500):
    """Return the encoder of `transformers` with these weights."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    width, n_mels, _ = weights["conv1.weight"].shape
    n_blocks = len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
    config = transformers.WhisperConfig(
        num_mel_bins=n_mels, d_model=width, encoder_layers=n_blocks, decoder_layers=1,
        encoder_attention_heads=n_heads, encoder_ffn_dim=4 * width,
        max_source_positions=n_positions,
    )  # fmt: skip
    blocks = {
        "attention_norm": "self_attn_layer_norm", "out": "self_attn.out_proj",
        "mlp_norm": "final_layer_norm", "up": "fc1", "down": "fc2",
    }  # fmt: skip
    state = {"embed_positions.weight": weights["positions"][:n_positions]}
    for name, one in weights.items():
        first, *rest = name.split(".")
        if first == "norm":
            state[f"layer_norm.{rest[0]}"] = one
        elif first.startswith("conv"):
            state[name] = one
        elif first == "blocks" and rest[1] == "qkv":
            for part, values in zip("qkv", np.split(one, 3), strict=True):
                if (part, rest[2]) != ("k", "bias"):
                    state[f"layers.{rest[0]}.self_attn.{part}_proj.{rest[2]}"] = values
        elif first == "blocks":
            state[f"layers.{rest[0]}.{blocks[rest[1]]}.{rest[2]}"] = one
    model = transformers.WhisperModel(config).eval()
    tensors = {name: torch.from_numpy(one) for name, one in state.items()}
    model.encoder.load_state_dict(tensors)
    return model


def test_all_layers_are_those_of_transformers(tiny_en):
    weights, n_heads = read_ctranslate2(tiny_en / "model.bin")
    model = as_transformers(weights, n_heads)
    import transformers

    y = padded(speech_like())
    mel = transformers.WhisperFeatureExtractor()(y, sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        found = model.encoder(mel.input_features, output_hidden_states=True).hidden_states
    ours = frames_of(WhisperEncoder(weights, n_heads), torch.from_numpy(y))
    assert len(ours) == len(found) == 5
    for [mine], theirs in zip(ours, found, strict=True):
        assert relative(mine, theirs[0].numpy()) < 1e-4


def test_short_signals_are_those_of_a_short_window(tiny_en):
    # Their network takes one length only: here, that of the signal.
    weights, n_heads = read_ctranslate2(tiny_en / "model.bin")
    y = torch.from_numpy(speech_like())
    model = as_transformers(weights, n_heads, n_positions=150)
    with torch.inference_mode():
        theirs = model.encoder(log_mel(y, 80)[None], output_hidden_states=True).hidden_states
    for [mine], other in zip(frames_of(WhisperEncoder(weights, n_heads), y), theirs, strict=True):
        assert relative(mine, other[0].numpy()) < 1e-4
