"""The files of an encoder: which it has, and what identifies them."""

import hashlib
import json
import os
import threading

from sklearn_ser.exceptions import EncoderError

__all__ = ["fingerprint", "read_config", "stamp_of", "weight_files"]

# What transformers itself writes, best first.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_BLOCK = 1 << 20
_LONGEST_CONFIG = 1 << 24

# Digests of files that have been read in this process, by path and what tells a change.
_digests = {}
_lock = threading.Lock()


def read_config(folder, name="config.json"):
    """Return the settings of an encoder as a dict, empty if the folder has no such file."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        return {}
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read(_LONGEST_CONFIG))
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{path!r} is not JSON that can be read: {error}.") from error
    if not isinstance(content, dict):
        raise EncoderError(f"{path!r} holds a {type(content).__name__}, expected settings by name.")
    return content


def weight_files(folder):
    """Return the paths of the files with the weights, of the one format that is read.

    Raises
    ------
    EncoderError
        If there are none.
    """
    for name in _WEIGHTS:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return [path]
        index = read_config(folder, f"{name}.index.json").get("weight_map")
        if isinstance(index, dict):
            # A name in an index is a file beside it, wherever the index says that it is.
            names = sorted({os.path.basename(str(one)) for one in index.values()})
            for one in names:
                if one in ("", os.curdir, os.pardir) or not one.isprintable():
                    raise EncoderError(
                        f"{path + '.index.json'!r} names the file {one!r}, expected names of files "
                        "beside it. Copy all files of the encoder."
                    )
            return [os.path.join(folder, one) for one in names]
    raise EncoderError(
        f"The folder {folder!r} has no weights, expected one of the files {', '.join(_WEIGHTS)}, "
        "or model.bin of CTranslate2. Copy all files of the encoder."
    )


def _state(path):
    status = os.stat(path)
    # The time of the change of the file's entry, since copies may keep the time of its content.
    return (
        os.path.realpath(path),
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
    )


def stamp_of(paths):
    """Return what changes when files do, without reading them."""
    try:
        return tuple(_state(path) for path in paths)
    except FileNotFoundError as error:
        raise EncoderError(
            f"The encoder lacks the file {error.filename!r}. Copy all files of the encoder."
        ) from error


def _sha256(path):
    key = _state(path)
    with _lock:
        if key not in _digests:
            hash_ = hashlib.sha256()
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    hash_.update(block)
            _digests[key] = hash_.hexdigest()
        return _digests[key]


def fingerprint(paths):
    """Return size and SHA-256 of files, by the names without their folder.

    A file of some hundred megabytes takes some tenths of a second, once in a process.
    """
    return {
        os.path.basename(path): {"size": os.path.getsize(path), "sha256": _sha256(path)}
        for path in sorted(paths)
    }
