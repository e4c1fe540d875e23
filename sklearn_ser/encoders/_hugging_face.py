"""Encoders that transformers computes: wav2vec 2.0 and its relatives, and others."""

import contextlib
import threading

import numpy as np
import torch

from sklearn_ser.encoders._base import Encoder
from sklearn_ser.exceptions import EncoderError
from sklearn_ser.nn._devices import isolated_generator

__all__ = ["SpectrumEncoder", "WaveEncoder", "load_model"]

RATE = 16000
# Variance that is added where a signal is brought to variance 1.
_EPSILON = 1e-7
# The positional convolution of these puts zeros behind the end of a signal before it is used,
# so that padding changes nothing.
_MASKED = ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat")


class _Enough(Exception):
    """Raised within a network behind the last layer that is needed."""


@contextlib.contextmanager
def _quietly(transformers):
    """Hide the bars of loading, and put back what the caller has set."""
    logging = transformers.utils.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


def _check_complete(folder, about):
    # Not part of what is computed here: what pretraining alone needs.
    unused = ("masked_spec_embed", "pooler", "quantizer", "decoder", "adapter")
    missing = [
        name for name in sorted(about["missing_keys"]) if not any(one in name for one in unused)
    ]
    if missing:
        raise EncoderError(
            f"The weights in {folder!r} lack {len(missing)} of those that the encoder needs, "
            f"{', '.join(missing[:3])} among them: their values would be random. Copy all files "
            "of the encoder, and check that config.json is its own."
        )
    further = [name for name in sorted(about["unexpected_keys"]) if "layers." in name]
    further = [name for name in further if "decoder" not in name and "adapter" not in name]
    if further:
        raise EncoderError(
            f"The weights in {folder!r} have {len(further)} more than config.json asks for, "
            f"{further[0]} among them. Check that config.json is that of these weights."
        )


def load_model(folder):
    """Return the encoder in a folder as transformers makes it, in single precision.

    Raises
    ------
    EncoderError
        If the weights do not fit config.json or are incomplete; if the encoder brings code
        of its own, which is not run.
    ImportError
        If transformers is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            f"the encoder in {folder!r} needs transformers: pip install 'sklearn-ser[encoders]'"
        ) from error
    try:
        # The caller isolates torch's generator: weights that the file lacks are drawn at random
        # before that is known.
        with _quietly(transformers):
            model, about = transformers.AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:  # transformers and the readers of three formats raise what they like
        raise EncoderError(
            f"transformers cannot load the encoder in {folder!r}: {type(error).__name__}: {error}"
        ) from error
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    _check_complete(folder, about)
    if getattr(model, "adapter", None) is not None:
        # It shortens the output of the last block for a task; the layers are below it.
        model.adapter = None
    return model.eval().requires_grad_(False)


def _find_blocks(model, n_blocks):
    for path in ("encoder.layers", "encoder.layer", "layers"):
        try:
            blocks = model.get_submodule(path)
        except AttributeError:
            continue
        if isinstance(blocks, torch.nn.ModuleList) and len(blocks) == n_blocks:
            return blocks
    return None


class _Listener:
    """Keeps what the blocks of a network get, and stops it in front of a block."""

    def __init__(self, blocks):
        self._blocks = blocks
        # Networks are shared between threads.
        self._mine = threading.local()
        for number, block in enumerate(blocks):
            block.register_forward_pre_hook(self._hook(number), with_kwargs=True)

    def _hook(self, number):
        def keep(_, args, kwargs):
            if getattr(self._mine, "heard", None) is None:
                return
            self._mine.heard.append(args[0] if args else kwargs["hidden_states"])
            if number == self._mine.last:
                raise _Enough

        return keep

    def run(self, call, last):
        """Return the input of block 0 to `last`; of the last block, also the output."""
        self._mine.heard, self._mine.last = [], last
        try:
            final = call().last_hidden_state
            return [*self._mine.heard, final]
        except _Enough:
            return self._mine.heard
        finally:
            self._mine.heard = None


class _NetworkOfTransformers(Encoder):
    def __init__(self, model):
        self.model = model
        n_blocks = getattr(model.config, "num_hidden_layers", None)
        blocks = None if n_blocks is None else _find_blocks(model, n_blocks)
        self._listener = None if blocks is None else _Listener(blocks)
        self._draws = None

    def to(self, device):
        self.model.to(device)
        self.device = device
        return self

    def _hidden_states(self, inputs, last):
        if self._draws is False:
            return self._run(inputs, last)
        # Some versions of transformers draw a number for each block, to drop it in training, also
        # where nothing is trained. The first pass shows whether the others need the same care.
        with isolated_generator():
            before = torch.random.get_rng_state()
            found = self._run(inputs, last)
            self._draws = not torch.equal(before, torch.random.get_rng_state())
        return found

    def _run(self, inputs, last):
        if self._listener is None:
            found = self.model(**inputs, output_hidden_states=True)
            return [*found.hidden_states[:-1], found.last_hidden_state][: last + 1]
        return self._listener.run(lambda: self.model(**inputs), last)[: last + 1]


class WaveEncoder(_NetworkOfTransformers):
    """wav2vec 2.0, HuBERT, WavLM, data2vec and others that take the waveform itself.

    Layer 0 is what the first block gets, layer :math:`k` the output of block :math:`k`;
    that of the last block comes through the final norm if the network has one.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The network.
    normalise : bool
        Whether signals are brought to mean 0 and variance 1, window by window.
    """

    def __init__(self, model, *, normalise):
        super().__init__(model)
        config = model.config
        self.normalise = normalise
        self._convolutions = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        # Norms over a batch or over the whole length see the padding.
        self.pads = (
            config.model_type in _MASKED
            and config.feat_extract_norm == "layer"
            and not getattr(config, "conv_pos_batch_norm", False)
        )
        self.widths = (config.hidden_size,) * (config.num_hidden_layers + 1)
        self.min_samples = 1
        for kernel, stride in reversed(self._convolutions):
            self.min_samples = (self.min_samples - 1) * stride + kernel
        # Some networks join frames two by two between the convolutions and the blocks.
        factor = getattr(config, "squeeze_factor", 1)
        self.min_samples *= factor

    def _n_frames(self, n_samples):
        for kernel, stride in self._convolutions:
            n_samples = (n_samples - kernel) // stride + 1
        return n_samples

    def layers(self, signals, last):
        lengths = [len(y) for y in signals]
        if self.normalise:
            signals = [(y - y.mean()) / (y.var(unbiased=False) + _EPSILON).sqrt() for y in signals]
        inputs = {"input_values": torch.nn.utils.rnn.pad_sequence(signals, batch_first=True)}
        padded = len(set(lengths)) > 1
        if padded:
            places = torch.arange(max(lengths), device=signals[0].device)
            ends = torch.tensor(lengths, device=signals[0].device)
            inputs["attention_mask"] = (places < ends[:, None]).long()
        for frames in self._hidden_states(inputs, last):
            # Not by the convolutions, whose frames a network may join later, unless padded.
            counts = map(self._n_frames, lengths) if padded else [frames.shape[1]] * len(lengths)
            yield frames, torch.tensor(list(counts))


class SpectrumEncoder(_NetworkOfTransformers):
    """Any other network of transformers, behind the front end that its folder names.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The network.
    folder : str
        With ``preprocessor_config.json``.

    Raises
    ------
    EncoderError
        If there is no front end, or it makes all signals equally long: the padding would be
        pooled, and the rest of long signals lost.
    """

    min_samples = 1600

    def __init__(self, model, folder):
        super().__init__(model)
        import transformers

        kind = model.config.model_type
        try:
            self.front_end = transformers.AutoFeatureExtractor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            lengths = [self._length(seconds) for seconds in (1, 2, 29, 30)]
        except Exception as error:  # as above
            raise EncoderError(
                f"The encoder in {folder!r}, a {kind}, needs the settings of its front end, "
                f"preprocessor_config.json, for signals at 16 kHz: {type(error).__name__}: {error}"
            ) from error
        if sorted(set(lengths)) != lengths:
            raise EncoderError(
                f"The front end of the encoder in {folder!r}, a {kind}, pads or cuts signals to a "
                "fixed length, so that frames of padding would count. Pass a function that returns "
                "the frames of the signal alone."
            )

    def _length(self, seconds):
        noise = np.random.default_rng(0).normal(0, 0.1, seconds * RATE).astype(np.float32)
        inputs = self.front_end(noise, sampling_rate=RATE, return_tensors="np")
        return next(iter(inputs.values())).shape[1]

    def to(self, device):
        super().to(device)
        noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
        with torch.inference_mode():
            found = self._frames_of(torch.from_numpy(noise).to(device), 1000)
        self.widths = tuple(frames.shape[1] for frames in found)
        return self

    def _frames_of(self, y, last):
        """Return the frames of each layer, without those of padding."""
        inputs = self.front_end(y.cpu().numpy(), sampling_rate=RATE, return_tensors="pt")
        inputs = {name: one.to(y.device) for name, one in inputs.items()}
        mask = inputs.get("attention_mask")
        return [
            frames[0, mask[0].bool()]
            if mask is not None and mask.shape[1] == frames.shape[1]
            else frames[0]
            for frames in self._hidden_states(inputs, last)
        ]

    def layers(self, signals, last):
        found = [self._frames_of(y, last) for y in signals]
        for frames in zip(*found, strict=True):
            n_frames = torch.tensor([len(one) for one in frames])
            yield torch.nn.utils.rnn.pad_sequence(list(frames), batch_first=True), n_frames
