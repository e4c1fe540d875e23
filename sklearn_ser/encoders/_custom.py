"""Encoders that a user brings: a module of torch, or any function."""

import numpy as np
import torch

from sklearn_ser.encoders._base import Encoder
from sklearn_ser.exceptions import EncoderError

__all__ = ["CustomEncoder"]


def _as_frames(values, called):
    frames = values if isinstance(values, torch.Tensor) else torch.from_numpy(np.array(values))
    if frames.ndim != 2 or not frames.is_floating_point() or not frames.numel():
        raise EncoderError(
            f"{called} returned {frames.dtype} values of shape {tuple(frames.shape)}, expected "
            "floating-point numbers of shape (n_frames, width), or a list of such for several "
            "layers."
        )
    return frames.float()


class CustomEncoder(Encoder):
    """A function of one signal at 16 kHz, the frames of which are its layers.

    Parameters
    ----------
    function : torch.nn.Module or callable
        A module is given a tensor of shape (n_samples,) on its device, another callable
        an array. Both return frames of shape (n_frames, width), or a list of such, one
        for each layer.

    Attributes
    ----------
    widths : tuple of int
        Found by a second of noise.
    """

    def __init__(self, function):
        self.function = function
        self.device = torch.device("cpu")
        self._is_module = isinstance(function, torch.nn.Module)

    def to(self, device):
        self.device = device
        if self._is_module:
            self.function.to(device)
        y = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32))
        with torch.inference_mode():
            self.widths = tuple(frames.shape[1] for frames in self._call(y.to(device)))
        return self

    def _call(self, y):
        called = type(self.function).__name__ if self._is_module else "encoder"
        if not self._is_module:
            values = self.function(y.cpu().numpy())
        else:
            # Dropout would make rows random; the module is given back as it was.
            training = self.function.training
            self.function.eval()
            try:
                values = self.function(y)
            finally:
                self.function.train(training)
        layers = list(values) if isinstance(values, list | tuple) else [values]
        if not layers:
            raise EncoderError(f"{called} returned an empty list, expected the frames of a layer.")
        return [_as_frames(one, called).to(self.device) for one in layers]

    def layers(self, signals, last):
        found = [self._call(y) for y in signals]
        for layer in range(last + 1):
            for frames in found:
                if layer >= len(frames) or frames[layer].shape[1] != self.widths[layer]:
                    widths = tuple(one.shape[1] for one in frames)
                    raise EncoderError(
                        f"encoder returned layers of widths {widths} for a signal of "
                        f"{len(signals[0])} samples and {self.widths} for another; expected the "
                        "same for every signal."
                    )
            n_frames = torch.tensor([len(frames[layer]) for frames in found])
            padded = [frames[layer] for frames in found]
            yield torch.nn.utils.rnn.pad_sequence(padded, batch_first=True), n_frames
