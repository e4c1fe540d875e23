"""Encoders that a user brings: a module of torch, or any function."""

import threading

import numpy as np
import torch

from sklearn_ser.encoders._base import Encoder
from sklearn_ser.exceptions import AudioError, EncoderError
from sklearn_ser.utils._callables import MISTAKES, called_name

__all__ = ["CustomEncoder"]

# Modules are switched to evaluation for a call, and back: no other thread may call meanwhile.
_switching = threading.RLock()


def _unusable(called, values):
    found = type(values).__name__
    if hasattr(values, "shape"):
        found += f" of shape {tuple(values.shape)} and type {getattr(values, 'dtype', None)}"
    return EncoderError(
        f"{called} returned {found}, expected real floating-point numbers of shape "
        "(n_frames, width), or a list of such for several layers."
    )


def _as_frames(values, called):
    try:
        if not isinstance(values, torch.Tensor):
            array = np.asarray(values)
            if array.dtype.kind != "f":
                raise _unusable(called, array)
            values = torch.from_numpy(array.astype(np.float32))
        if values.ndim != 2 or not values.is_floating_point() or not values.numel():
            raise _unusable(called, values)
        return values.detach().to(torch.float32)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        if isinstance(error, EncoderError):
            raise
        raise _unusable(called, values) from error


def _in_evaluation(module, y):
    with _switching:
        flags = {part: part.training for part in module.modules()}
        # Dropout would make rows random. Each part is given back as it was.
        module.eval()
        try:
            return module(y)
        finally:
            for part, flag in flags.items():
                part.training = flag


class CustomEncoder(Encoder):
    """A function of one signal at 16 kHz, the frames of which are its layers.

    Parameters
    ----------
    function : torch.nn.Module or callable
        A module is moved to the device, and given a tensor of shape (n_samples,) there;
        another callable is given an array. Both return frames of shape (n_frames, width),
        or a list of such, one for each layer, or an object of `transformers` with these as
        ``hidden_states``.
    widths : tuple of int or None
        Width of each layer; None: found with a second of noise.
    """

    def __init__(self, function, widths=None):
        self.function = function
        self.widths = widths

    def to(self, device):
        self.device = device
        if isinstance(self.function, torch.nn.Module):
            self.function.to(device)
        if self.widths is None:
            noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
            with torch.inference_mode():
                found = self._call(torch.from_numpy(noise).to(device))
            self.widths = tuple(frames.shape[1] for frames in found)
        return self

    def _call(self, y):
        if isinstance(self.function, torch.nn.Module):
            called, values = type(self.function).__name__, _in_evaluation(self.function, y)
        else:
            called, values = called_name(self.function), self.function(y.cpu().numpy())
        if getattr(values, "hidden_states", None) is not None:
            values = [frames.squeeze(0) for frames in values.hidden_states]
        layers = values if isinstance(values, list | tuple) else [values]
        if not layers:
            raise EncoderError(f"{called} returned no layers, expected the frames of at least one.")
        return [_as_frames(one, called).to(self.device) for one in layers]

    def _frames_of(self, y):
        try:
            found = self._call(y)
        except (AudioError, EncoderError, *MISTAKES):
            raise
        except Exception as error:  # functions of users may call any library
            raise AudioError(
                f"{called_name(self.function)} raised {type(error).__name__}: {error}"
            ) from error
        widths = tuple(frames.shape[1] for frames in found)
        if widths != self.widths:
            raise EncoderError(
                f"{called_name(self.function)} returned layers of widths {widths} for a signal of "
                f"{len(y)} samples and {self.widths} for another, expected the same for all."
            )
        return found

    def layers(self, signals, last):
        found = [self._frames_of(y) for y in signals]
        for layer in range(last + 1):
            frames = [one[layer] for one in found]
            n_frames = torch.tensor([len(one) for one in frames])
            yield torch.nn.utils.rnn.pad_sequence(frames, batch_first=True), n_frames
