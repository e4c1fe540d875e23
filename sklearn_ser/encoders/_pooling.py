"""From the frames of layers to one vector for each layer of a recording."""

import contextlib
import itertools

import numpy as np
import torch

from sklearn_ser.exceptions import AudioError
from sklearn_ser.nn._devices import one_thread
from sklearn_ser.utils._threads import SharedLimit

__all__ = ["STATISTICS", "embed"]

STATISTICS = ("mean", "std")

# Samples of 20 ms, and the part of the loudest 20 ms that a frame of speech has: -40 dB.
_BLOCK = 320
_RANGE = 1e-4

# Signals of a batch on a GPU, and samples of it with its padding: four minutes, for which the
# first convolution of a wav2vec 2.0 takes 1.6 GB.
_MOST_SIGNALS = 64
_MOST_SAMPLES = 240 * 16000

_mantissas = SharedLimit()


def _windows(y, longest):
    """Split a signal that is longer than an encoder takes into parts of nearly equal length.

    A last part of some milliseconds would be one without a frame.
    """
    n_parts = -(-len(y) // longest)
    bounds = [len(y) * i // n_parts for i in range(n_parts + 1)]
    return [y[start:stop] for start, stop in itertools.pairwise(bounds)]


def _batches(lengths, *, pads, most_samples):
    """Yield positions of signals to compute together: of one length, or of similar ones.

    With `most_samples` 0, each is computed alone.
    """
    batch = []
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        # The first of a batch is the longest.
        longest = lengths[batch[0]] if batch else lengths[position]
        full = len(batch) == _MOST_SIGNALS or longest * (len(batch) + 1) > most_samples
        if batch and (full or (not pads and lengths[position] != longest)):
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _most_samples(device):
    # On a CPU, together is no faster than one by one, and takes the memory of all.
    return 0 if device.type == "cpu" else _MOST_SAMPLES


def _loudest(y):
    """Return the largest mean square of 20 ms of a signal."""
    whole = y[: max(len(y) // _BLOCK, 1) * _BLOCK].astype(np.float64)
    return np.square(whole).reshape(-1, min(_BLOCK, len(whole))).mean(axis=1).max()


def _is_speech(y, n_frames, loudest):
    """Tell for each frame of a signal whether its span is within `_RANGE` of the loudest 20 ms.

    In digital silence, all frames are.
    """
    starts = np.arange(n_frames) * len(y) // n_frames
    energies = np.add.reduceat(np.square(y, dtype=np.float64), starts)
    return energies / np.diff(starts, append=len(y)) >= _RANGE * loudest


def _inside(signals, n_frames, loudest):
    """Return a mask of the frames that are pooled, (n_signals, most frames); None: all."""
    if loudest is None and len(set(n_frames)) == 1:
        return None
    mask = torch.zeros(len(signals), max(n_frames), dtype=torch.bool)
    for i, (y, n) in enumerate(zip(signals, n_frames, strict=True)):
        mask[i, :n] = True if loudest is None else torch.from_numpy(_is_speech(y, n, loudest[i]))
    return mask


def _moments(frames, inside):
    """Return mean and sum of squared deviations of frames, each of shape (n_signals, width).

    `inside` tells which frames count, (n_signals, n_frames); None: all. The squares are
    of deviations from the mean: some units of an encoder have a mean hundreds of times
    their spread.
    """
    if inside is None:
        mean = frames.mean(dim=1)
        return mean, (frames - mean[:, None]).square_().sum(dim=1)
    inside = inside[:, :, None]
    # A window without speech counts for nothing, whatever its mean is.
    mean = (frames * inside).sum(dim=1) / inside.sum(dim=1).clamp_min(1)
    return mean, ((frames - mean[:, None]) * inside).square_().sum(dim=1)


class _Merged:
    """Mean and standard deviation over the windows of one recording, for each layer."""

    def __init__(self):
        self._parts = {}

    def add(self, layer, n, mean, squares):
        self._parts.setdefault(layer, []).append((n, mean, squares))

    def statistic(self, layer, name):
        r"""Return a statistic over all frames of all windows, ndarray (width,).

        With :math:`n_w` frames, mean :math:`\mu_w` and squared deviations :math:`q_w` of
        window :math:`w`, the deviations from the common mean :math:`\mu` have the squares
        :math:`\sum_w q_w + n_w (\mu_w - \mu)^2`.
        """
        parts = [part for part in self._parts[layer] if part[0]]
        if len(parts) == 1:
            n, mean, squares = parts[0]
            return mean if name == "mean" else np.sqrt(squares / np.float32(n))
        counts = np.array([n for n, _, _ in parts], np.float64)[:, None]
        means = np.array([mean for _, mean, _ in parts], np.float64)
        mean = (counts * means).sum(axis=0) / counts.sum()
        if name == "mean":
            return mean.astype(np.float32)
        squares = np.array([q for _, _, q in parts], np.float64)
        squares = (squares + counts * (means - mean) ** 2).sum(axis=0)
        return np.sqrt(squares / counts.sum()).astype(np.float32)


def _use_full_mantissas():
    """Switch the shorter mantissas of GPUs off; return what was set."""
    before = [(one, one.allow_tf32) for one in (torch.backends.cudnn, torch.backends.cuda.matmul)]
    for place, _ in before:
        place.allow_tf32 = False
    return before


def _restore_mantissas(before):
    for place, value in before:
        place.allow_tf32 = value


@contextlib.contextmanager
def _exactly(device):
    """Round as every other machine does: one thread on a CPU, full mantissas on a GPU.

    Convolutions on a GPU use 10 bits of the mantissa unless told otherwise.
    """
    if device.type != "cuda":
        with one_thread(device):
            yield
        return
    before = _mantissas.enter(_use_full_mantissas)
    try:
        yield
    finally:
        _mantissas.leave(lambda n_left: None if n_left else _restore_mantissas(before))


class _Pooling:
    """What becomes of the windows of several signals."""

    def __init__(self, encoder, layers, parts, owners, loudest):
        self.merged = [_Merged() for _ in loudest]
        self.errors = {}
        self._encoder = encoder
        self._layers = layers
        self._parts = parts
        self._owners = owners
        self._loudest = loudest

    def add(self, batch):
        """Compute some windows, by their positions; alone if they fail together."""
        try:
            self._compute(batch)
        except AudioError as error:
            if len(batch) == 1:
                self.errors[self._owners[batch[0]]] = error
                return
            for position in batch:
                self.add([position])

    def _compute(self, batch):
        device, parts = self._encoder.device, [self._parts[i] for i in batch]
        tensors = [torch.from_numpy(one).to(device) for one in parts]
        levels = [self._loudest[self._owners[i]] for i in batch]
        speech = levels[0] is not None
        found = {}
        for layer, (frames, n_frames) in enumerate(
            self._encoder.layers(tensors, max(self._layers))
        ):
            if layer not in self._layers:
                continue
            inside = _inside(parts, n_frames.tolist(), levels if speech else None)
            counts = n_frames if inside is None else inside.sum(dim=1)
            inside = None if inside is None else inside.to(device)
            found[layer] = counts.tolist(), *(one.cpu().numpy() for one in _moments(frames, inside))
        for layer, (counts, mean, squares) in found.items():
            for k, i in enumerate(batch):
                self.merged[self._owners[i]].add(layer, counts[k], mean[k], squares[k])


@torch.inference_mode()
def embed(encoder, signals, *, layers, statistics, speech=False):
    """Return one row for each signal: of each layer, each statistic over time.

    Parameters
    ----------
    encoder : Encoder
        On some device.
    signals : list of ndarray of shape (n_samples,), dtype float32
        At 16 kHz, of any length. Shorter ones than the encoder's shortest are followed by
        zeros.
    layers : sequence of int
        Which layers.
    statistics : sequence of {"mean", "std"}
        Over the frames of the recording, all windows together.
    speech : bool, default=False
        Whether only those frames count that are within 40 dB of the loudest 20 ms.

    Returns
    -------
    rows : list of ndarray or AudioError
        The vectors of the first layer, one statistic after the other, then those of the
        second layer; an error where a value is not finite.
    """
    parts, owners, loudest = [], [], []
    for owner, y in enumerate(signals):
        y = np.pad(y, (0, max(0, encoder.min_samples - len(y))))
        windows = _windows(y, encoder.max_samples)
        parts += windows
        owners += [owner] * len(windows)
        loudest.append(_loudest(y) if speech else None)
    pooling = _Pooling(encoder, layers, parts, owners, loudest)
    with _exactly(encoder.device):
        most = _most_samples(encoder.device)
        for batch in _batches([len(one) for one in parts], pads=encoder.pads, most_samples=most):
            pooling.add(batch)
    return [
        pooling.errors.get(owner) or _as_row(merged, layers, statistics)
        for owner, merged in enumerate(pooling.merged)
    ]


def _as_row(merged, layers, statistics):
    row = np.concatenate([merged.statistic(k, name) for k in layers for name in statistics])
    if np.isfinite(row).all():
        return row
    return AudioError(
        f"the encoder gives {np.count_nonzero(~np.isfinite(row))} of {len(row)} values that are "
        "infinite or NaN."
    )
