"""The weights of Whisper's encoder from the files that hold them, by one set of names."""

import re

import numpy as np

from sklearn_ser.encoders._ctranslate2 import Variables
from sklearn_ser.encoders._files import read_config, weight_files
from sklearn_ser.exceptions import EncoderError

__all__ = ["read_ctranslate2", "read_transformers", "shape_of_ctranslate2"]

# Variables of CTranslate2 below encoder/, and of a block below encoder/layer_K/.
_CTRANSLATE2 = {
    "conv1": "conv1",
    "conv2": "conv2",
    "norm": "layer_norm",
}
_CTRANSLATE2_BLOCK = {
    "attention_norm": "self_attention/layer_norm",
    "qkv": "self_attention/linear_0",
    "out": "self_attention/linear_1",
    "mlp_norm": "ffn/layer_norm",
    "up": "ffn/linear_0",
    "down": "ffn/linear_1",
}
_TRANSFORMERS_BLOCK = {
    "attention_norm": "self_attn_layer_norm",
    "out": "self_attn.out_proj",
    "mlp_norm": "final_layer_norm",
    "up": "fc1",
    "down": "fc2",
}
_POSITIONS = "encoder/position_encodings/encodings"


def _blocks_of(variables):
    found = {re.match(r"encoder/layer_(\d+)/", name) for name in variables.names}
    numbers = sorted({int(match[1]) for match in found if match})
    if not numbers or numbers != list(range(len(numbers))):
        raise EncoderError(
            f"{variables.path!r} holds the blocks {numbers} of an encoder, expected all from 0 "
            "on. It is not a Whisper that CTranslate2 has converted."
        )
    return len(numbers)


def shape_of_ctranslate2(path):
    """Return the number of blocks of an encoder and its width, from the header of the file."""
    variables = Variables(path)
    return _blocks_of(variables), variables.shape(_POSITIONS)[1]


def read_ctranslate2(path):
    """Return the weights and the number of heads from a file ``model.bin``."""
    variables, weights = Variables(path), {}

    def take(ours, theirs):
        is_norm = ours.endswith("norm")
        for own, other in (("weight", "gamma" if is_norm else "weight"),
                           ("bias", "beta" if is_norm else "bias")):  # fmt: skip
            weights[f"{ours}.{own}"] = variables.weight(f"{theirs}/{other}")

    for ours, theirs in _CTRANSLATE2.items():
        take(ours, f"encoder/{theirs}")
    for k in range(_blocks_of(variables)):
        for ours, theirs in _CTRANSLATE2_BLOCK.items():
            take(f"blocks.{k}.{ours}", f"encoder/layer_{k}/{theirs}")
    weights["positions"] = variables.weight(_POSITIONS)
    return weights, int(variables.read("encoder/num_heads"))


def _tensors_of(path):
    """Yield name and values, in single precision, of the encoder's weights in a file."""
    import torch

    if path.endswith(".safetensors"):
        try:
            from safetensors import safe_open
        except ImportError as error:
            raise ImportError(
                f"{path!r} needs safetensors: pip install 'sklearn-ser[encoders]'"
            ) from error
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                if "encoder." in name:
                    yield name, file.get_tensor(name).float().numpy()
        return
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    for name, tensor in state.items():
        if "encoder." in name:
            yield name, tensor.float().numpy()


def read_transformers(folder):
    """Return the weights and the number of heads of a Whisper as transformers writes it.

    Its own network is not used: it takes nothing shorter than 30 s.
    """
    config = read_config(folder)
    state = {}
    try:
        for path in weight_files(folder):
            state |= {name.rpartition("encoder.")[2]: one for name, one in _tensors_of(path)}
        weights = _from_transformers(state, config["encoder_layers"])
        n_heads = int(config["encoder_attention_heads"])
    except (ImportError, OSError, EncoderError):
        raise
    except Exception as error:  # the readers of two formats raise what they like
        raise EncoderError(
            f"The folder {folder!r} has no Whisper that can be read: {type(error).__name__}: "
            f"{error}. Copy all files of the encoder."
        ) from error
    return weights, n_heads


def _from_transformers(state, n_blocks):
    weights = {"positions": state["embed_positions.weight"]}

    def take(ours, theirs):
        for part in ("weight", "bias"):
            weights[f"{ours}.{part}"] = state[f"{theirs}.{part}"]

    for ours, theirs in {"conv1": "conv1", "conv2": "conv2", "norm": "layer_norm"}.items():
        take(ours, theirs)
    for k in range(n_blocks):
        for ours, theirs in _TRANSFORMERS_BLOCK.items():
            take(f"blocks.{k}.{ours}", f"layers.{k}.{theirs}")
        q, k_, v = (f"layers.{k}.self_attn.{one}_proj" for one in "qkv")
        # Keys have no bias: one that is common to all positions would not change attention.
        biases = [state[f"{q}.bias"], np.zeros_like(state[f"{q}.bias"]), state[f"{v}.bias"]]
        weights[f"blocks.{k}.qkv.bias"] = np.concatenate(biases)
        weights[f"blocks.{k}.qkv.weight"] = np.concatenate(
            [state[f"{one}.weight"] for one in (q, k_, v)]
        )
    return weights
