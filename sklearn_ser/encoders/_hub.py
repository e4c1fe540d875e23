"""Encoders by their names on the Hugging Face hub."""

import functools
import json
import os
import re

from sklearn_ser.exceptions import EncoderError

__all__ = ["SETTINGS", "fetch", "is_hub_name"]

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

# The files that say what an encoder is and how its signals are prepared.
SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json")
# Weights, by exact names: repositories hold copies in other precisions, adapters by the hundred.
# Pickled ones are asked for only where there are no others.
_STAGES = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.bin"),
)


def is_hub_name(text):
    """Tell a name on the hub, ``owner/model``, from a path.

    Where the first part is a folder, a path is meant that is misspelt: nothing is
    fetched that the user did not ask for.
    """
    return bool(_HUB_NAME.fullmatch(text)) and not os.path.exists(text.partition("/")[0])


def _shards(folder, index):
    """Return the names of the files that an index lists, which lie beside it."""
    with open(os.path.join(folder, index), encoding="utf-8") as file:
        return sorted({os.path.basename(name) for name in json.load(file)["weight_map"].values()})


def _snapshot(name, *, local_files_only):
    from huggingface_hub import snapshot_download

    for stage in _STAGES:
        folder = snapshot_download(
            name, allow_patterns=[*SETTINGS, *stage], local_files_only=local_files_only
        )
        there = [one for one in stage if os.path.isfile(os.path.join(folder, one))]
        indices = [one for one in there if one.endswith(".json")]
        if there and there != indices:
            return folder
        if indices:
            names = _shards(folder, indices[0])
            folder = snapshot_download(
                name, allow_patterns=names, local_files_only=local_files_only
            )
            if all(os.path.isfile(os.path.join(folder, one)) for one in names):
                return folder
    raise FileNotFoundError("it has no weights that are known here")


@functools.lru_cache(maxsize=8)
def fetch(name, *, local_files_only):
    """Return the folder with the files of an encoder, fetched unless they are on this machine.

    Parameters
    ----------
    name : str
        As ``"openai/whisper-base"``.
    local_files_only : bool
        Never to use the network.

    Raises
    ------
    EncoderError
        If there is no such encoder, or it cannot be reached.
    ImportError
        If `huggingface_hub` is not installed, which comes with transformers.
    """
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"encoder={name!r} is a name on the Hugging Face hub, which needs transformers: "
            "pip install 'sklearn-ser[encoders]'"
        ) from error
    # What is on this machine stays what it is: rows in a cache belong to these weights.
    for local in (True,) if local_files_only else (True, False):
        try:
            return _snapshot(name, local_files_only=local)
        except Exception as error:  # the hub raises errors of its own and of HTTP libraries
            reason = error
    where = "on this machine" if local_files_only else "on the Hugging Face hub"
    raise EncoderError(
        f"encoder={name!r} is not a folder, and was not found {where}: "
        f"{type(reason).__name__}: {reason}. Check the name, or pass a folder with its files."
    ) from reason
