"""Where an encoder comes from: a folder, the hub, or an object of the user's."""

import functools
import hashlib
import os
import threading
from collections import OrderedDict
from typing import NamedTuple

from sklearn_ser.encoders._files import fingerprint, read_config, stamp_of, weight_files
from sklearn_ser.encoders._hub import SETTINGS, fetch, is_hub_name
from sklearn_ser.exceptions import EncoderError
from sklearn_ser.utils._callables import called_name, digest_of_arguments, qualified_name, unbind
from sklearn_ser.utils._messages import plain

__all__ = ["CustomSource", "FolderSource", "find_source", "is_cpu", "is_on_hub"]

# More than any encoder has: bounds on what a file may claim before anything is built of it.
_MOST_LAYERS, _WIDEST = 1000, 1 << 16

# Weights are loaded by one thread, not by each that needs them.
_loading = threading.RLock()
# The last callables that were prepared, by identity; held, so that no other takes their place.
_prepared = OrderedDict()
_MOST_PREPARED = 2

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
            n_blocks, width = (config[name] for name in names)
            if not (0 < n_blocks < _MOST_LAYERS and 0 < width < _WIDEST):
                raise EncoderError(
                    f"config.json in {self.folder!r} is damaged: {n_blocks} blocks of "
                    f"width {width}."
                )
            return (width,) * (n_blocks + 1)
        return self.load("cpu").widths

    def identity(self):
        """Return what the values depend on: kind, and digests of all files that are read."""
        settings = [os.path.join(self.folder, name) for name in SETTINGS]
        if self.kind == "ctranslate2":
            settings = []
        files = [*self.files, *(path for path in settings if os.path.isfile(path))]
        return {"kind": self.kind, "files": fingerprint(files)}

    def load(self, device):
        """Return the encoder on a device; the same object as long as the files do not change."""
        from sklearn_ser.nn._devices import isolated_generator

        device = _resolved(device)
        with _loading, isolated_generator():
            return _load(self, device)


class CustomSource(NamedTuple):
    """A module of torch or another callable.

    `known` are the widths of its layers where these have been found, so that worker
    processes need not find them again.
    """

    function: object
    version: object
    known: tuple | None = None

    @property
    def name(self):
        return called_name(self.function).strip("<>")

    @property
    def widths(self):
        """Width of each layer, found by a call with a second of noise, once."""
        return self.known or self.load("cpu").widths

    def identity(self):
        """Return what identifies the values, or raise where nothing does."""
        if self.version is None:
            raise ValueError(
                f"encoder is {plain(self.name)}, and the cache cannot see when its values "
                "change. Give a version, version=1 for example, and another whenever they do, "
                "or set cache=None."
            )
        function, bound = unbind(self.function)
        described = {
            "kind": "custom",
            "name": qualified_name(function),
            "arguments": digest_of_arguments(bound, {}),
            "version": str(self.version),
        }
        if hasattr(function, "state_dict"):
            described["sha256"] = _digest_of_state(function)
        return described

    def load(self, device):
        """Return the encoder on a device; the same object for the callables of the last calls."""
        from sklearn_ser.encoders._custom import CustomEncoder

        device = _resolved(device)
        key = id(self.function), device
        with _loading:
            if key not in _prepared:
                encoder = CustomEncoder(self.function, self.known).to(device)
                _prepared[key] = self.function, encoder
                while len(_prepared) > _MOST_PREPARED:
                    _prepared.popitem(last=False)
            return _prepared[key][1]


def _digest_of_state(module):
    """Return a digest of the weights of a module, and of what else its state holds."""
    import torch

    hash_ = hashlib.sha256()
    for name, value in module.state_dict().items():
        if not isinstance(value, torch.Tensor) or value.is_quantized:
            hash_.update(f"{name} {value!r}".encode())
            continue
        hash_.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        flat = value.detach().cpu().contiguous().flatten()
        hash_.update(flat.view(torch.uint8).numpy())
    return hash_.hexdigest()


def _resolved(device):
    from sklearn_ser.nn._devices import resolve_device

    return resolve_device(device)


def is_cpu(device):
    """Tell whether a device, as a user names it, is the CPU, without looking for any other."""
    return device == "cpu" or (device == "auto" and _resolved(device).type == "cpu")


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
    settings = [os.path.join(folder, one) for one in SETTINGS]
    present = [path for path in settings if os.path.isfile(path)]
    return FolderSource(folder, name, kind, files, stamp_of([*files, *present]))


@functools.lru_cache(maxsize=16)
def _shape_of(path, stamp):
    from sklearn_ser.encoders._whisper_weights import shape_of_ctranslate2

    return shape_of_ctranslate2(path)


def _front_end(folder):
    """Return the settings by which signals are prepared, refusing another rate than 16 kHz."""
    settings = read_config(folder, "preprocessor_config.json")
    if not settings:
        inside = read_config(folder, "processor_config.json").get("feature_extractor")
        settings = inside if isinstance(inside, dict) else {}
    rate = settings.get("sampling_rate", 16000)
    if rate != 16000:
        raise EncoderError(
            f"The encoder in {folder!r} wants signals at {plain(rate)} Hz, expected 16000. Pass a "
            "function that resamples and calls it."
        )
    return settings


def _load_whisper(source):
    from sklearn_ser.encoders._whisper import WhisperEncoder
    from sklearn_ser.encoders._whisper_weights import read_ctranslate2, read_transformers

    if source.kind == "ctranslate2":
        return WhisperEncoder(*read_ctranslate2(source.files[0]))
    settings = _front_end(source.folder)
    usual = {"n_fft": 400, "hop_length": 160}
    other = {
        name: settings[name] for name in usual if settings.get(name) not in (None, usual[name])
    }
    if other:
        raise EncoderError(
            f"The Whisper in {source.folder!r} wants a front end with {plain(other)}, expected "
            f"{usual}. Pass a function that computes and calls it."
        )
    return WhisperEncoder(*read_transformers(source.folder))


@functools.lru_cache(maxsize=2)
def _load(source, device):
    if source.kind in ("ctranslate2", "whisper"):
        return _load_whisper(source).to(device)
    from sklearn_ser.encoders._hugging_face import SpectrumEncoder, WaveEncoder, load_model

    if "transformers_weights" in read_config(source.folder):
        raise EncoderError(
            f"config.json in {source.folder!r} names its weights by transformers_weights, which "
            "is not supported: call the file model.safetensors, and leave the setting out."
        )
    settings = _front_end(source.folder)
    model = load_model(source.folder)
    try:
        if source.kind in _WAVE:
            normalise = bool(settings.get("do_normalize", True))
            encoder = WaveEncoder(model, normalise=normalise).to(device)
        else:
            encoder = SpectrumEncoder(model, source.folder).to(device)
        _try_out(encoder)
    except EncoderError:
        raise
    except Exception as error:  # networks of all kinds raise what they like
        raise EncoderError(
            f"The encoder in {source.folder!r} cannot be used: {type(error).__name__}: {error}"
        ) from error
    return encoder


def _try_out(encoder):
    """Compute a second of noise: a network that fails would fail for every recording."""
    import torch

    noise = torch.randn(16000, generator=torch.Generator().manual_seed(0)) / 10
    with torch.inference_mode():
        layers = list(encoder.layers([noise.to(encoder.device)], len(encoder.widths) - 1))
    widths = tuple(frames.shape[2] for frames, _ in layers)
    if widths != encoder.widths:
        raise EncoderError(
            f"The encoder gives layers of widths {widths}, expected {encoder.widths} by "
            "config.json."
        )
    if not all(frames.isfinite().all() for frames, _ in layers):
        raise EncoderError("The encoder gives values that are not finite; its weights are damaged.")
