"""Devices, threads and seeds: what makes a training repeatable on the same machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._threads import SharedLimit

__all__ = [
    "as_tensor",
    "build_module",
    "is_available",
    "isolated_generator",
    "one_thread",
    "resolve_device",
    "seeds_of_run",
]

# torch initialises layers from its one global generator: two threads must not seed it at once.
_GLOBAL_GENERATOR = threading.RLock()


def resolve_device(device: str) -> torch.device:
    """Turn the parameter `device` of an estimator into an available device.

    Parameters
    ----------
    device : str
        ``"auto"`` (the first CUDA device if there is one, else the CPU), or a name that torch
        understands: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        If torch knows no such device.
    RuntimeError
        If torch knows it, but it is not available.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise ValueError(
            f"device must be 'cpu', 'auto', 'cuda', or another name of a device that torch "
            f"knows, got {plain(device)!r}."
        ) from None
    if not is_available(resolved):
        given = advice(f"device={plain(device)!r}", f"The device {plain(device)!r}")
        remedy = advice("Use device='cpu', or device='auto'", "Use --device cpu, or --device auto")
        raise RuntimeError(
            f"{given} is not available here: torch {torch.__version__} sees "
            f"{torch.cuda.device_count()} CUDA devices. {remedy} to take a GPU only where there "
            f"is one."
        )
    return resolved


def is_available(device: torch.device) -> bool:
    """Return whether a device can be used in this process."""
    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"


_torch_limit = SharedLimit()
_thread = threading.local()


def _restore(own: int, before: int, n_left: int) -> None:
    """Give the calling thread, and threads to come, the numbers they should have.

    Torch keeps a number for every thread, and one for new threads and for MKL, which
    the last call in any thread sets.
    """
    torch.set_num_threads(own)
    common = 1 if n_left else before
    if common != own:
        helper = threading.Thread(target=torch.set_num_threads, args=(common,))
        helper.start()
        helper.join()


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """Limit torch to a single thread on the CPU; restore the previous number afterwards.

    Sums over several threads are rounded in another order: without this, the number of
    cores and `n_jobs` would change results. Trainings may overlap in several threads,
    and end in any order.
    """
    if device.type != "cpu" or getattr(_thread, "is_limited", False):
        yield
        return
    before = _torch_limit.enter(torch.get_num_threads)
    own = torch.get_num_threads()
    if own == 1:
        # A thread that was started while others train, which begins with their number.
        own = before
    torch.set_num_threads(1)
    _thread.is_limited = True
    try:
        yield
    finally:
        _thread.is_limited = False
        _torch_limit.leave(lambda n_left: _restore(own, before, n_left))


def seeds_of_run(seed: int, n_epochs_done: int) -> list[int]:
    """Return the seeds for splitting, initialising, training and validating.

    Parameters
    ----------
    seed : int
        Drawn from the estimator's `random_state`.
    n_epochs_done : int
        Epochs trained before. A continued training draws new random numbers instead of
        repeating the first ones.

    Returns
    -------
    seeds : list of int, of length 4
    """
    return np.random.SeedSequence([seed, n_epochs_done]).generate_state(4).tolist()


@contextmanager
def isolated_generator() -> Iterator[None]:
    """Keep what draws from torch's generator on the CPU from changing it for others.

    Trainings and loadings may overlap in several threads, which share this generator.
    """
    with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
        yield


def build_module(make: Callable[[], torch.nn.Module], seed: int) -> torch.nn.Module:
    """Call `make`, whose layers draw their initial weights, with torch's generator seeded.

    The generator that the caller may be using is put back as it was. Weights are drawn
    on the CPU for every device: training starts from the same point on all devices.
    """
    with isolated_generator(), torch.device("cpu"):
        # Not torch.manual_seed, which seeds the generators of all GPUs as well.
        torch.default_generator.manual_seed(seed)
        return make().float()


def as_tensor(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return a C-contiguous array as a tensor on a device, on the CPU without a copy.

    A read-only array, such as a memory map, is copied: torch has no read-only tensors.
    """
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).to(device)
