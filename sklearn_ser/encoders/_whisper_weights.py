"""The weights of Whisper's encoder from the files that hold them, by one set of names."""

import re

import numpy as np

from sklearn_ser.encoders._ctranslate2 import Variables
from sklearn_ser.encoders._files import read_config, weight_files
from sklearn_ser.exceptions import EncoderError

__all__ = ["check_weights", "read_ctranslate2", "read_transformers", "shape_of_ctranslate2"]

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
    shape = variables.shape(_POSITIONS)
    if len(shape) != 2:
        raise EncoderError(f"{variables.path!r} has positions of shape {shape}, expected two axes.")
    return _blocks_of(variables), shape[1]


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
    n_heads = variables.read("encoder/num_heads")
    check_weights(weights, n_heads, path)
    return weights, int(n_heads)


def _expected_shapes(weights):
    width, n_mels, _ = weights["conv1.weight"].shape
    n_hidden = len(weights["blocks.0.up.bias"])
    yield from {
        "conv1.weight": (width, n_mels, 3),
        "conv2.weight": (width, width, 3),
        "positions": (len(weights["positions"]), width),
    }.items()
    matrices = {
        "qkv": (3 * width, width),
        "out": (width, width),
        "up": (n_hidden, width),
        "down": (width, n_hidden),
    }
    for name in weights:
        layer, _, part = name.rpartition(".")
        matrix = matrices.get(layer.rpartition(".")[2])
        if matrix:
            yield name, matrix if part == "weight" else matrix[:1]
        elif layer.endswith("norm") or part == "bias":
            yield name, (width,)


def check_weights(weights, n_heads, place):
    """Refuse weights that do not fit one another, or are not finite.

    Parameters
    ----------
    weights : dict from str to ndarray
        Of all layers, by the names of this package.
    n_heads : ndarray
        As it was read.
    place : str
        What the message calls the file.
    """
    first = weights["conv1.weight"]
    if first.ndim != 3 or not all(first.shape) or np.ndim(weights["blocks.0.up.bias"]) != 1:
        raise EncoderError(f"{place!r} is not a Whisper: conv1 has weights of shape {first.shape}.")
    for name, expected in _expected_shapes(weights):
        found = weights[name]
        if found.shape != expected or not found.size:
            raise EncoderError(
                f"{place!r} is damaged: {name} has the shape {found.shape}, expected {expected}."
            )
        if not np.isfinite(found).all():
            raise EncoderError(f"{place!r} is damaged: {name} holds values that are not finite.")
    width = first.shape[0]
    if np.ndim(n_heads) or not 0 < n_heads <= width or n_heads % 1 or width % n_heads:
        raise EncoderError(
            f"{place!r} is damaged: {n_heads} attention heads for a width of {width}, expected a "
            "whole number that divides it."
        )


def _load(path):
    """Return the tensors of a file of torch, read as data and no more of them than needed."""
    import torch

    settings = {"map_location": "cpu", "weights_only": True}
    try:
        return torch.load(path, mmap=True, **settings)
    except RuntimeError as error:
        # Files of early versions cannot be mapped.
        if "mmap" not in str(error):
            raise
        return torch.load(path, **settings)


def _tensors_of(path):
    """Yield name and values, in single precision, of the encoder's weights in a file."""
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
    state = _load(path)
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
        n_heads = np.asarray(config["encoder_attention_heads"])
        further = f"layers.{config['encoder_layers']}.fc1.weight"
        if further in state or len(weights["positions"][0]) != config["d_model"]:
            raise EncoderError(
                f"The weights in {folder!r} have other blocks or another width than config.json "
                "says. Check that config.json is that of these weights."
            )
        check_weights(weights, n_heads, folder)
    except (ImportError, OSError, EncoderError):
        raise
    except Exception as error:  # the readers of two formats raise what they like
        raise EncoderError(
            f"The folder {folder!r} has no Whisper that can be read: {type(error).__name__}: "
            f"{error}. Copy all files of the encoder."
        ) from error
    return weights, int(n_heads)


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
