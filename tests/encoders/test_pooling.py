import numpy as np
import pytest
import torch

from sklearn_ser.encoders._base import Encoder
from sklearn_ser.encoders._pooling import (
    _batches,
    _exactly,
    _most_samples,
    _windows,
    embed,
)
from sklearn_ser.exceptions import AudioError

GPU = torch.device("cuda")


class Frames(Encoder):
    """Layer k: frames of 10 samples, plus k."""

    widths = (10, 10)
    min_samples = 20
    max_samples = 100
    device = torch.device("cpu")

    def __init__(self, *, pads=False):
        self.pads = pads
        self.batches = []

    def to(self, device):
        return self

    def layers(self, signals, last):
        self.batches.append([len(y) for y in signals])
        n_frames = torch.tensor([len(y) // 10 for y in signals])
        x = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True, padding_value=1e6)
        x = x[:, : n_frames.max() * 10].view(len(x), -1, 10)
        for k in range(last + 1):
            yield x + k, n_frames


def signal(n_samples, seed=0):
    return np.random.default_rng(seed).normal(3, 1, n_samples).astype(np.float32)


def test_statistics_are_those_of_the_formulas():
    y = signal(50)
    frames = y.reshape(5, 10).astype(float)
    [row] = embed(Frames(), [y], layers=(1, 0), statistics=("mean", "std"))
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    np.testing.assert_allclose(row, np.hstack([mean + 1, std, mean, std]), rtol=1e-5)
    assert row.dtype == np.float32


def test_windows_are_pooled_together():
    y = signal(1000)
    frames = y.reshape(100, 10).astype(float)
    encoder = Frames()
    [row] = embed(encoder, [y], layers=(0,), statistics=("mean", "std"))
    # One by one: the memory that they take together is that of all of them.
    assert encoder.batches == [[100]] * 10
    np.testing.assert_allclose(row, np.hstack([frames.mean(axis=0), frames.std(axis=0)]), rtol=1e-5)


def test_windows_that_differ_in_level():
    # The level of one and of the other half: its spread is between windows, not within.
    y = np.repeat(np.float32([1, 5]), 100)
    [row] = embed(Frames(), [y], layers=(0,), statistics=("mean", "std"))
    np.testing.assert_allclose(row, np.repeat(np.float32([3, 2]), 10))


@pytest.mark.parametrize("n_samples", [1, 99, 100, 101, 199, 200, 201, 1234])
def test_windows_cover_all_and_none_is_tiny(n_samples):
    y = np.arange(n_samples)
    windows = _windows(y, 100)
    np.testing.assert_array_equal(np.concatenate(windows), y)
    lengths = [len(one) for one in windows]
    assert max(lengths) <= 100
    assert max(lengths) - min(lengths) <= 1


def test_short_signals_are_followed_by_zeros():
    y = np.float32([1, 2])
    [row] = embed(Frames(), [y], layers=(0,), statistics=("mean",))
    np.testing.assert_array_equal(row, np.pad(y / 2, (0, 8)))


@pytest.fixture
def together(monkeypatch):
    """Compute in batches, as on a GPU."""
    monkeypatch.setattr("sklearn_ser.encoders._pooling._most_samples", lambda device: 10**6)


@pytest.mark.usefixtures("together")
def test_padding_is_not_pooled():
    signals = [signal(n, n) for n in (100, 25, 60, 250)]
    encoder = Frames(pads=True)
    rows = embed(encoder, signals, layers=(0, 1), statistics=("mean", "std"))
    assert max(map(len, encoder.batches)) > 1
    for y, row in zip(signals, rows, strict=True):
        [alone] = embed(Frames(), [y], layers=(0, 1), statistics=("mean", "std"))
        np.testing.assert_allclose(row, alone, rtol=1e-5)


@pytest.mark.parametrize("pads", [False, True])
def test_batches_hold_each_signal_once(pads):
    lengths = np.random.default_rng(0).integers(1, 5, 300).tolist()
    batches = list(_batches(lengths, pads=pads, most_samples=10**6))
    assert sorted(i for batch in batches for i in batch) == list(range(300))
    assert all(len(batch) <= 64 for batch in batches)
    if not pads:
        assert all(len({lengths[i] for i in batch}) == 1 for batch in batches)


def test_batches_are_bounded_in_samples():
    minute = 60 * 16000
    batches = list(_batches([minute] * 10, pads=True, most_samples=_most_samples(GPU)))
    assert [len(batch) for batch in batches] == [4, 4, 2]


def test_values_that_are_not_finite():
    y = signal(100)
    y[3] = np.nan
    good, bad = embed(Frames(), [signal(100), y], layers=(0,), statistics=("mean",))
    assert np.isfinite(good).all()
    assert isinstance(bad, AudioError)
    with pytest.raises(AudioError, match="1 of 10 values that are infinite or NaN"):
        raise bad


def test_only_speech_is_pooled():
    # Frames of 320 samples, whose spans are the blocks that levels are measured in.
    class Spans(Frames):
        widths = (320,)
        min_samples = max_samples = 3200

        def layers(self, signals, last):
            x = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True)
            yield x.view(len(x), -1, 320), torch.tensor([len(y) // 320 for y in signals])

    levels = np.float32([1, 0.02, 0.009, 0, 0.5, 0.011, 0.001, 1, 0, 0.3])
    y = np.repeat(levels, 320)
    [row] = embed(Spans(), [y], layers=(0,), statistics=("mean", "std"), speech=True)
    kept = levels[[0, 1, 4, 5, 7, 9]]
    np.testing.assert_allclose(row, np.repeat([kept.mean(), kept.std()], 320), rtol=1e-5)


def test_a_window_without_speech_counts_for_nothing():
    loud = signal(100, 1)
    y = np.concatenate([loud, np.full(100, 1e-4, np.float32)])
    [row] = embed(Frames(), [y], layers=(0,), statistics=("mean", "std"), speech=True)
    [alone] = embed(Frames(), [loud], layers=(0,), statistics=("mean", "std"))
    np.testing.assert_allclose(row, alone, rtol=1e-5)


def test_all_of_silence_is_speech():
    silence = np.zeros(100, np.float32)
    [row] = embed(Frames(), [silence], layers=(1,), statistics=("mean", "std"), speech=True)
    np.testing.assert_array_equal(row, np.repeat(np.float32([1, 0]), 10))


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("pads", [False, True])
def test_speech_in_batches(pads):
    signals = [np.repeat(signal(n // 10, n), 10) * (np.arange(n) > 30) for n in (60, 90, 250)]
    settings = {"layers": (0, 1), "statistics": ("mean", "std"), "speech": True}
    for y, row in zip(signals, embed(Frames(pads=pads), signals, **settings), strict=True):
        [alone] = embed(Frames(), [y], **settings)
        np.testing.assert_allclose(row, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("together")
def test_one_that_fails_does_not_stop_the_others_of_its_batch():
    class Picky(Frames):
        def layers(self, signals, last):
            if any(y[0] > 100 for y in signals):
                raise AudioError("too loud")
            yield from super().layers(signals, last)

    signals = [signal(100, n) for n in range(3)]
    signals[1][0] = 1000
    good, bad, other = embed(Picky(), signals, layers=(0,), statistics=("mean",))
    assert isinstance(bad, AudioError)
    for row, y in ((good, signals[0]), (other, signals[2])):
        np.testing.assert_allclose(row, y.reshape(10, 10).mean(axis=0), rtol=1e-5)


def flags():
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return cudnn.enabled, cudnn.allow_tf32, matmul.allow_tf32


def test_short_mantissas_are_switched_off_on_a_gpu_only():
    before = flags()
    with _exactly(torch.device("cpu")):
        assert flags() == before
    first, second = _exactly(GPU), _exactly(GPU)
    first.__enter__()
    assert flags() == (before[0], False, False)
    second.__enter__()
    first.__exit__(None, None, None)
    assert flags() == (before[0], False, False)
    second.__exit__(None, None, None)
    assert flags() == before
