"""Where an encoder comes from: a folder, the hub, or an object of the user's."""

import functools
import hashlib
import os
from typing import NamedTuple

from sklearn_ser.encoders._files import fingerprint, read_config, stamp_of, weight_files
from sklearn_ser.encoders._hub import fetch, is_hub_name
from sklearn_ser.exceptions import EncoderError
from sklearn_ser.utils._messages import plain

__all__ = ["CustomSource", "FolderSource", "find_source", "is_cpu", "is_on_hub"]

_SETTINGS = ("config.json", "preprocessor_config.json")

# Take the waveform itself; their settings say how many layers of which width they have.
_WAVE = (
    "data2vec-audio", "hubert", "sew", "sew-d", "unispeech", "unispeech-sat", "wav2vec2",
    "wav2vec2-conformer", "wavlm",
)  # fmt: skip


class FolderSource(NamedTuple):
    """The files of an encoder in a folder.

    Picklable, and light: worker processes load the weights themselves, once.
    """

    folder: str
    name: str
    kind: str
    files: tuple
    stamp: tuple

    @property
    def widths(self):
        """Width of each layer, from the settings if they tell, else from the network itself."""
        if self.kind == "ctranslate2":
            n_blocks, width = _shape_of(self.files[0], self.stamp)
            return (width,) * (n_blocks + 1)
        config = read_config(self.folder)
        known = {"whisper": ("encoder_layers", "d_model")}
        known |= dict.fromkeys(_WAVE, ("num_hidden_layers", "hidden_size"))
        names = known.get(self.kind, ())
        if names and all(isinstance(config.get(name), int) for name in names):
            return (config[names[1]],) * (config[names[0]] + 1)
        return self.load("cpu").widths

    def identity(self):
        """Return what the values depend on: kind, and digests of all files that are read."""
        settings = [os.path.join(self.folder, name) for name in _SETTINGS]
        if self.kind == "ctranslate2":
            settings = []
        files = [*self.files, *(path for path in settings if os.path.isfile(path))]
        return {"kind": self.kind, "files": fingerprint(files)}

    def load(self, device):
        """Return the encoder on a device; the same object as long as the files do not change."""
        return _load(self, _resolved(device))


class CustomSource(NamedTuple):
    """A module of torch or another callable."""

    function: object
    version: object

    @property
    def name(self):
        function = self.function
        return getattr(function, "__name__", type(function).__name__).strip("<>")

    @property
    def widths(self):
        return self.load("cpu").widths

    def identity(self):
        """Return what identifies the values, or raise where nothing does."""
        function = self.function
        described = {"kind": "custom", "name": f"{type(function).__module__}.{self.name}"}
        if self.version is not None:
            return described | {"version": str(self.version)}
        if not hasattr(function, "state_dict"):
            raise ValueError(
                f"encoder is {plain(self.name)}, and the cache cannot see when its values "
                "change. Give a version, version=1 for example, and another whenever they do, "
                "or set cache=None."
            )
        import torch

        hash_ = hashlib.sha256()
        for name, tensor in function.state_dict().items():
            hash_.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            values = tensor.detach().cpu().contiguous().flatten()
            hash_.update(values.view(torch.uint8).numpy())
        return described | {"sha256": hash_.hexdigest()}

    def load(self, device):
        from sklearn_ser.encoders._custom import CustomEncoder

        return CustomEncoder(self.function).to(_resolved(device))


def _resolved(device):
    from sklearn_ser.nn._devices import resolve_device

    return resolve_device(device)


def is_cpu(device):
    """Tell whether a device, as a user names it, is the CPU."""
    return device == "cpu" or _resolved(device).type == "cpu"


def is_on_hub(encoder):
    """Tell whether an encoder that is no callable is a name on the hub."""
    if not isinstance(encoder, str) or os.path.exists(os.path.expanduser(encoder)):
        return False
    return is_hub_name(encoder)


def find_source(encoder, *, version=None, local_files_only=False):
    """Return where an encoder comes from, without loading it.

    Parameters
    ----------
    encoder : str, path-like or callable
        A folder, a name on the Hugging Face hub, or a function of one's own.
    version : str, int or None
        What identifies a function.
    local_files_only : bool
        Whether a name is looked up on this machine only.

    Raises
    ------
    EncoderError
        If there is no such encoder, or none of a known kind in the folder.
    """
    if callable(encoder):
        return CustomSource(encoder, version)
    folder = os.path.expanduser(os.fspath(encoder))
    if os.path.isdir(folder):
        return _in_folder(os.path.abspath(folder), os.path.basename(os.path.abspath(folder)))
    if not is_on_hub(encoder):
        what = "a file" if os.path.exists(folder) else "not there"
        raise EncoderError(
            f"encoder={plain(os.fspath(encoder))!r} is {what}, expected a folder with the files of "
            "an encoder, or a name on the Hugging Face hub such as 'openai/whisper-base'."
        )
    return _in_folder(fetch(encoder, local_files_only=local_files_only), encoder)


def _in_folder(folder, name):
    binary = os.path.join(folder, "model.bin")
    if os.path.isfile(binary):
        files, kind = (binary,), "ctranslate2"
    else:
        kind = read_config(folder).get("model_type")
        if not isinstance(kind, str):
            raise EncoderError(
                f"The folder {folder!r} holds no encoder of a known kind, expected config.json "
                "with a model_type, as transformers writes it, or model.bin of CTranslate2."
            )
        files = tuple(weight_files(folder))
    settings = [os.path.join(folder, one) for one in _SETTINGS]
    present = [path for path in settings if os.path.isfile(path)]
    return FolderSource(folder, name, kind, files, stamp_of([*files, *present]))


@functools.lru_cache(maxsize=16)
def _shape_of(path, stamp):
    from sklearn_ser.encoders._whisper_weights import shape_of_ctranslate2

    return shape_of_ctranslate2(path)


@functools.lru_cache(maxsize=2)
def _load(source, device):
    if source.kind in ("ctranslate2", "whisper"):
        from sklearn_ser.encoders._whisper import WhisperEncoder
        from sklearn_ser.encoders._whisper_weights import read_ctranslate2, read_transformers

        read = read_ctranslate2 if source.kind == "ctranslate2" else read_transformers
        path = source.files[0] if source.kind == "ctranslate2" else source.folder
        return WhisperEncoder(*read(path)).to(device)
    from sklearn_ser.encoders._hugging_face import SpectrumEncoder, WaveEncoder, load_model

    model = load_model(source.folder)
    if source.kind in _WAVE:
        front_end = read_config(source.folder, "preprocessor_config.json")
        return WaveEncoder(model, normalise=bool(front_end.get("do_normalize", True))).to(device)
    return SpectrumEncoder(model, source.folder).to(device)
