"""The encoder of Whisper, without the padding to 30 s of its own front end."""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sklearn_ser.encoders._base import Encoder
from sklearn_ser.utils._optional import require_extra

__all__ = ["WhisperEncoder", "log_mel"]

RATE = 16000
_N_FFT = 400
_HOP = 160
# Two frames of the spectrum make a position, as the second convolution has stride 2.
_SAMPLES_OF_A_POSITION = 2 * _HOP


@functools.lru_cache(maxsize=2)
def _mel_bands(n_mels):
    require_extra("encoders")
    import librosa.filters

    return torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=_N_FFT, n_mels=n_mels))


@functools.lru_cache(maxsize=2)
def _on(device, n_mels):
    return torch.hann_window(_N_FFT, device=device), _mel_bands(n_mels).to(device)


def log_mel(y, n_mels):
    r"""Return the input of Whisper for a signal.

    .. math:: \max(\log_{10} \max(P, 10^{-10}),\; m - 8) / 4 + 1

    with the powers :math:`P` in mel bands and the largest logarithm :math:`m` in the signal.

    Parameters
    ----------
    y : Tensor of shape (n_samples,)
        At 16 kHz, at least 201 samples.
    n_mels : int
        Number of bands.

    Returns
    -------
    Tensor of shape (n_mels, n_samples // 160)
    """
    window, bands = _on(y.device, n_mels)
    spectrum = torch.stft(y, _N_FFT, _HOP, window=window, return_complex=True)
    power = torch.view_as_real(spectrum[:, :-1]).square().sum(dim=2)
    levels = (bands @ power).clamp_min(1e-10).log10_()
    return torch.maximum(levels, levels.max() - 8).add_(4).div_(4)


class _Block(nn.Module):
    def __init__(self, width, n_hidden, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, n_hidden)
        self.down = nn.Linear(n_hidden, width)

    def forward(self, x, mask):
        n, length, width = x.shape
        heads = self.qkv(self.attention_norm(x)).view(n, length, 3, self.n_heads, -1)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(mixed.transpose(1, 2).reshape(n, length, width))
        return x + self.down(functional.gelu(self.up(self.mlp_norm(x))))


class _Network(nn.Module):
    def __init__(self, n_mels, width, n_hidden, n_heads, n_blocks, n_positions):
        super().__init__()
        self.conv1 = nn.Conv1d(n_mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.empty(n_positions, width), requires_grad=False)
        self.blocks = nn.ModuleList(_Block(width, n_hidden, n_heads) for _ in range(n_blocks))
        self.norm = nn.LayerNorm(width)


class WhisperEncoder(Encoder):
    """The encoder of Whisper on as many positions as a signal has.

    Layer 0 is what the first block gets, layer :math:`k` the output of block :math:`k`; the
    output of the last one comes through the final norm, as everywhere else.

    Parameters
    ----------
    weights : dict from str to ndarray
        By the names of `_Network`, with the shapes that `check_weights` asks for.
    n_heads : int
        Attention heads of a block.
    """

    pads = True
    min_samples = _SAMPLES_OF_A_POSITION

    def __init__(self, weights, n_heads):
        width, n_mels, _ = weights["conv1.weight"].shape
        n_positions, n_hidden = len(weights["positions"]), len(weights["blocks.0.up.bias"])
        n_blocks = len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
        with torch.device("meta"):
            network = _Network(n_mels, width, n_hidden, n_heads, n_blocks, n_positions)
        tensors = {name: torch.from_numpy(np.ascontiguousarray(w)) for name, w in weights.items()}
        network.load_state_dict(tensors, assign=True)
        self.network = network.eval().requires_grad_(False)
        self.n_mels = n_mels
        self.widths = (width,) * (n_blocks + 1)
        self.max_samples = n_positions * _SAMPLES_OF_A_POSITION

    def to(self, device):
        self.network.to(device)
        self.device = device
        return self

    def layers(self, signals, last):
        mels = [log_mel(y, self.n_mels) for y in signals]
        n_frames = torch.tensor([mel.shape[1] for mel in mels])
        n_positions = (n_frames + 1) // 2
        x = nn.utils.rnn.pad_sequence([mel.T for mel in mels], batch_first=True).transpose(1, 2)
        network, alone = self.network, len(signals) == 1
        x = functional.gelu(network.conv1(x))
        if not alone:
            # Beyond its end, a signal must look as if the convolution had padded it with zeros.
            x = x * _before(n_frames, x.shape[2], x.device)[:, None, :]
        x = functional.gelu(network.conv2(x)).transpose(1, 2)
        x = x + network.positions[: x.shape[1]]
        inside = None if alone else _before(n_positions, x.shape[1], x.device)[:, None, None, :]
        yield x, n_positions
        for k in range(1, last + 1):
            x = network.blocks[k - 1](x, inside)
            yield (network.norm(x) if k == len(network.blocks) else x), n_positions


def _before(lengths, n, device):
    """Return a mask (len(lengths), n) that is True before the length of each row."""
    return torch.arange(n, device=device) < lengths.to(device)[:, None]
