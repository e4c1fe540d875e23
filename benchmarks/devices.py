"""Time training, adaptation and embedding on the CPU and on a GPU.

    python benchmarks/devices.py [--repeats N] [--rows N] [--only WORD]
        [--json FILE]

Random features, 88 a row; random weights for the encoder, which has the size of Whisper tiny
and reads noise. CPU and GPU run by turns in this process, after a run on the GPU that does not
count; medians over the repeats. On the CPU, training uses one thread, as always. Needs a GPU;
without one, the column of the CPU alone. The encoder needs ``transformers``.
"""

import argparse
import importlib.util
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import soundfile
import torch
from _record import Record, add_json

from sklearn_ser import (
    DAETransformer,
    EmbeddingExtractor,
    KLAnnealedVAE,
    MCCClassifier,
    MetricDAE,
    NNPMClassifier,
)

N_FEATURES, RATE = 88, 16_000


def features(n_rows, seed=0):
    """Return rows of four classes that overlap, and the classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(4, size=n_rows)
    X = rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    return X + y[:, None].astype(np.float32) / 4, y


def an_epoch(cls, n_rows, batch_size, **arguments):
    """Return a task: one epoch over some rows."""
    X, _ = features(n_rows)

    def run(device):
        model = cls(max_epochs=1, batch_size=batch_size, device=device, random_state=0)
        model.fit(X, **arguments)

    return run


def a_classifier(cls, n_rows, n_target, **parameters):
    """Return a task: training and adaptation."""
    X, y = features(n_rows)
    X_target, _ = features(n_target, seed=1)

    def run(device):
        cls(device=device, random_state=0, **parameters).fit(X, y, X_target=X_target)

    return run


def an_encoder(folder, n_recordings, seconds):
    """Return a task: the embedding of recordings of noise by an encoder with random weights."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    torch.manual_seed(0)
    WhisperModel(WhisperConfig()).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    rng = np.random.default_rng(0)
    paths = []
    for number in range(n_recordings):
        # Of different lengths, as recordings are.
        n_samples = int(RATE * rng.uniform(0.5, 1.5) * seconds)
        paths.append(str(Path(folder) / f"{number}.wav"))
        soundfile.write(paths[-1], 0.1 * rng.standard_normal(n_samples), RATE)

    def run(device):
        EmbeddingExtractor(str(folder), layer="all", device=device).transform(paths)

    return run


def tasks(n_rows, folder):
    """Yield a name and a function that makes the task."""
    thousands = f"{n_rows // 1000:,} thousand rows"
    for batch_size in (64, 4096):
        yield (
            f"DAETransformer, an epoch of {thousands}, batches of {batch_size:,}",
            lambda size=batch_size: an_epoch(DAETransformer, n_rows, size),
        )
    yield (
        f"KLAnnealedVAE, an epoch of {thousands}, batches of 4,096",
        lambda: an_epoch(KLAnnealedVAE, n_rows, 4096),
    )
    yield (
        f"MetricDAE, an epoch of {thousands}, batches of 4,096",
        lambda: an_epoch(MetricDAE, n_rows, 4096, activation=np.linspace(1, 5, n_rows)),
    )
    yield (
        "NNPMClassifier, 700 rows adapted to 350",
        lambda: a_classifier(NNPMClassifier, 700, 350),
    )
    yield (
        "NNPMClassifier, 100,000 rows adapted to 500, warm-up of 1 epoch",
        lambda: a_classifier(NNPMClassifier, 100_000, 500, warmup_epochs=1),
    )
    yield "MCCClassifier, 700 rows adapted to 350", lambda: a_classifier(MCCClassifier, 700, 350)
    if importlib.util.find_spec("transformers") is None:
        print("encoder left out: transformers is not installed (extra encoders)")
        return
    yield (
        "encoder of the size of Whisper tiny, 64 recordings of 3 s",
        lambda: an_encoder(folder, 64, 3),
    )


def seconds_of(run, device):
    """Return how long a task takes on a device, until the device has done it."""
    start = time.perf_counter()
    run(device)
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--only", default="", help="tasks whose names have this word")
    add_json(parser)
    arguments = parser.parse_args()
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if len(devices) > 1:
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"{'seconds':<66}" + "".join(f"{device:>9}" for device in devices))
    warnings.simplefilter("ignore")
    record = Record()
    with tempfile.TemporaryDirectory() as folder:
        for name, make in tasks(arguments.rows, folder):
            if arguments.only not in name:
                continue
            run = make()
            times = {device: [] for device in devices}
            # The first use of a kernel loads it.
            for device in devices[1:]:
                run(device)
            for _ in range(arguments.repeats):
                for device in devices:
                    times[device].append(seconds_of(run, device))
            medians = [statistics.median(times[device]) for device in devices]
            print(f"{name:<66}" + "".join(f"{one:>9.2f}" for one in medians), flush=True)
            for device in devices:
                record.measure(f"{name}, {device}", "s", times[device])
    record.write(arguments.json)


if __name__ == "__main__":
    main()
