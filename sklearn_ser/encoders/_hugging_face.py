"""Encoders that transformers computes: wav2vec 2.0 and its relatives, and others."""

import contextlib
import threading

import numpy as np
import torch

from sklearn_ser.encoders._base import Encoder
from sklearn_ser.exceptions import EncoderError

__all__ = ["SpectrumEncoder", "WaveEncoder", "load_model"]

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


def load_model(folder):
    """Return the encoder in a folder as transformers makes it, in single precision.

    Raises
    ------
    EncoderError
        If the weights do not fit or are incomplete; if the encoder brings code of its
        own, which is not run.
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
        # Weights that the file lacks are drawn at random before that is known.
        with _quietly(transformers), torch.random.fork_rng(devices=[]):
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
    # Not part of what is computed here: what pretraining alone needs.
    missing = [
        name
        for name in sorted(about["missing_keys"])
        if not any(part in name for part in ("masked_spec_embed", "pooler", "quantizer", "decoder"))
    ]
    if missing:
        raise EncoderError(
            f"The weights in {folder!r} lack {len(missing)} of those that the encoder needs, "
            f"{', '.join(missing[:3])} among them: their values would be random. Copy all files "
            "of the encoder, and check that config.json is its own."
        )
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

    def to(self, device):
        self.model.to(device)
        self.device = device
        return self

    def _hidden_states(self, inputs, last):
        if self._listener is None:
            found = self.model(**inputs, output_hidden_states=True)
            return [*found.hidden_states[:-1], found.last_hidden_state]
        return self._listener.run(lambda: self.model(**inputs), last)


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
        # Group norm averages over the whole length, padding included.
        self.pads = config.model_type in _MASKED and config.feat_extract_norm == "layer"
        self.widths = (config.hidden_size,) * (config.num_hidden_layers + 1)
        self.min_samples = 1
        for kernel, stride in reversed(self._convolutions):
            self.min_samples = (self.min_samples - 1) * stride + kernel

    def _n_frames(self, n_samples):
        for kernel, stride in self._convolutions:
            n_samples = (n_samples - kernel) // stride + 1
        return n_samples

    def layers(self, signals, last):
        lengths = [len(y) for y in signals]
        if self.normalise:
            signals = [(y - y.mean()) / (y.var(unbiased=False) + _EPSILON).sqrt() for y in signals]
        inputs = {"input_values": torch.nn.utils.rnn.pad_sequence(signals, batch_first=True)}
        if len(set(lengths)) > 1:
            places = torch.arange(max(lengths), device=signals[0].device)
            ends = torch.tensor(lengths, device=signals[0].device)
            inputs["attention_mask"] = (places < ends[:, None]).long()
        n_frames = torch.tensor([self._n_frames(n) for n in lengths])
        for frames in self._hidden_states(inputs, last)[: last + 1]:
            yield frames, n_frames


class SpectrumEncoder(_NetworkOfTransformers):
    """Any other network of transformers, behind the front end that its folder names.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The network.
    folder : str
        With ``preprocessor_config.json``.
    """

    def __init__(self, model, folder):
        super().__init__(model)
        import transformers

        try:
            self.front_end = transformers.AutoFeatureExtractor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # as above
            raise EncoderError(
                f"The encoder in {folder!r}, a {model.config.model_type}, needs the settings of "
                f"its front end, preprocessor_config.json: {error}"
            ) from error
        self.min_samples = 1600

    def to(self, device):
        super().to(device)
        y = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32))
        n_blocks = getattr(self.model.config, "num_hidden_layers", 1000)
        with torch.inference_mode():
            frames = list(self.layers([y.to(device)], n_blocks))
        self.widths = tuple(one.shape[2] for one, _ in frames)
        return self

    def layers(self, signals, last):
        [y] = signals
        inputs = self.front_end(y.cpu().numpy(), sampling_rate=16000, return_tensors="pt")
        inputs = {name: one.to(y.device) for name, one in inputs.items()}
        for frames in self._hidden_states(inputs, last)[: last + 1]:
            yield frames, torch.tensor([frames.shape[1]])
