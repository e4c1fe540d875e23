"""Encoders by their names on the Hugging Face hub."""

import functools
import os
import re

from sklearn_ser.exceptions import EncoderError

__all__ = ["fetch", "is_hub_name"]

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_SETTINGS = ("config.json", "preprocessor_config.json")
_SAFE = ("*.safetensors", "*.safetensors.index.json")
_PICKLED = ("pytorch_model*.bin", "pytorch_model.bin.index.json")


def is_hub_name(text):
    """Tell a name on the hub, ``owner/model``, from a path.

    Where the first part is a folder, a path is meant that is misspelt: nothing is
    fetched that the user did not ask for.
    """
    return bool(_HUB_NAME.fullmatch(text)) and not os.path.exists(text.partition("/")[0])


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
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ImportError(
            f"encoder={name!r} is a name on the Hugging Face hub, which needs transformers: "
            "pip install 'sklearn-ser[encoders]'"
        ) from error
    try:
        folder = snapshot_download(
            name, allow_patterns=[*_SETTINGS, *_SAFE], local_files_only=local_files_only
        )
        if not any(entry.endswith(".safetensors") for entry in os.listdir(folder)):
            folder = snapshot_download(
                name, allow_patterns=[*_SETTINGS, *_PICKLED], local_files_only=local_files_only
            )
    except Exception as error:  # the hub raises errors of its own and of three HTTP libraries
        where = "on this machine" if local_files_only else "on the Hugging Face hub"
        raise EncoderError(
            f"encoder={name!r} is not a folder, and was not found {where}: "
            f"{type(error).__name__}: {error}. Check the name, or pass a folder with its files."
        ) from error
    return folder
