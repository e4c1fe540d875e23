"""Time the training of the autoencoders against a loop by hand, skorch and MLPRegressor.

    python benchmarks/training_speed.py [--epochs N] [--repeats N] [--largest N] [--skip-scaling]
        [--no-limits] [--json FILE]

All run in this process on one thread, by turns: the network of das2022,
noise 1, Adam, batches of 64, 5,000 x 88 rows, none held out. The same turns time the
other autoencoders against DAETransformer: the same network and training, with their own
terms. Ratios are medians over the repeats, each of runs of the same turn. Then the cost
of an epoch against rows and features, with the growth of peak memory, each in a process
of its own; where there is a GPU, on both devices. The exit
status is 1 if a ratio is beyond its limit, unless ``--no-limits`` is given.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from itertools import pairwise

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import skorch
import torch
from _record import Record, add_json
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch import nn

from sklearn_ser import DAETransformer, KLAnnealedVAE, MetricDAE, SemiSupervisedVAE
from sklearn_ser.exceptions import PosteriorCollapseWarning

LIMITS = {"loop by hand, fused Adam": 1.0, "skorch.NeuralNetRegressor": 2.2}
PACKAGES = {
    "loop by hand, fused Adam": "torch",
    "skorch.NeuralNetRegressor": "skorch",
    "MLPRegressor, without noise": "scikit-learn",
}
SIZES = (88, 40, 20, 10, 2, 10, 20, 40, 88)


def network():
    layers = []
    for position, (n_in, n_out) in enumerate(pairwise(SIZES)):
        # Behind 40, 20 and 10 of the encoder and 20 of the decoder, as in the authors' script.
        layers += [nn.ReLU()] * (position in (1, 2, 3, 6)) + [nn.Linear(n_in, n_out)]
    return nn.Sequential(*layers)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = network()

    def forward(self, X):
        return self.network(X + torch.randn_like(X) if self.training else X)


def estimator(cls, epochs, **parameters):
    # Without what the recipe does once, after the training: noise row by row, and a readout.
    parameters = {"noise_in_transform": False, "readout": None, **parameters}
    return cls.das2022(max_epochs=epochs, random_state=0, **parameters)


def ours(X, epochs):
    estimator(DAETransformer, epochs).fit(X)


def metric(X, epochs, **annotations):
    rating = np.linspace(1, 5, len(X))
    annotations = {name: rating[::step] for name, step in annotations.items()}
    estimator(MetricDAE, epochs, objective="sum").fit(X, **annotations)


def supervised(X, epochs):
    estimator(SemiSupervisedVAE, epochs).fit(X, np.arange(len(X)) % 4)


OTHERS = {
    "MetricDAE, activation": lambda X, epochs: metric(X, epochs, activation=1),
    "MetricDAE, both labels": lambda X, epochs: metric(X, epochs, activation=1, valence=-1),
    "KLAnnealedVAE": lambda X, epochs: estimator(KLAnnealedVAE, epochs).fit(X),
    "SemiSupervisedVAE": supervised,
}


def by_hand(X, epochs):
    torch.manual_seed(0)
    X = torch.from_numpy(X)
    net = network()
    adam = torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            x = X[rows]
            loss = nn.functional.mse_loss(net(x + torch.randn_like(x)), x)
            adam.zero_grad()
            loss.backward()
            adam.step()


def by_skorch(X, epochs):
    torch.manual_seed(0)
    skorch.NeuralNetRegressor(
        Denoiser,
        optimizer=torch.optim.Adam,
        lr=1e-4,
        batch_size=64,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, X)


def by_scikit_learn(X, epochs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPRegressor(
            hidden_layer_sizes=SIZES[1:-1],
            learning_rate_init=1e-4,
            batch_size=64,
            max_iter=epochs,
            tol=0,
            n_iter_no_change=epochs,
            alpha=0,
            random_state=0,
        ).fit(X, X)


def keep(record, rivals, times, epochs, steps):
    """Record the times of all that ran by turns, of shape (repeats, rivals)."""
    task = f"{epochs} epochs of 5,000 x 88 rows"
    columns = dict(zip(rivals, 1000 / steps * times.T, strict=True))
    ours = ("DAETransformer", columns["DAETransformer"])
    for name, package in PACKAGES.items():
        theirs = (name, columns[name])
        record.compare(
            f"training an autoencoder, {task}", "ms a step", ours, theirs, package=package
        )
    for name in OTHERS:
        ratios = columns[name] / columns["DAETransformer"]
        record.measure(f"training {name}, {task}", "times DAETransformer", ratios)


def compare(epochs, repeats, record):
    X = np.random.default_rng(0).standard_normal((5000, 88), dtype=np.float32)
    rivals = {
        "DAETransformer": ours,
        "loop by hand, fused Adam": by_hand,
        "skorch.NeuralNetRegressor": by_skorch,
        "MLPRegressor, without noise": by_scikit_learn,
        **OTHERS,
    }
    # Short trainings leave units unused.
    warnings.simplefilter("ignore", PosteriorCollapseWarning)
    for fit in rivals.values():
        fit(X[:640], 1)
    times = np.empty((repeats, len(rivals)))
    for repeat in range(repeats):
        for column, fit in enumerate(rivals.values()):
            start = time.perf_counter()
            fit(X, epochs)
            times[repeat, column] = time.perf_counter() - start
    print(f"{epochs} epochs of 5,000 x 88 rows, {repeats} repeats by turns")
    print(f"{'':<30} {'s':>7} {'ms/step':>8} {'ours takes':>11}   (range)")
    steps = epochs * -(-len(X) // 64)
    for column, name in enumerate(rivals):
        if name in OTHERS:
            continue
        ratio = times[:, 0] / times[:, column]
        median = np.median(times[:, column])
        print(
            f"{name:<30} {median:7.3f} {1000 * median / steps:8.3f} {np.median(ratio):10.2f}x"
            f"   ({ratio.min():.2f}-{ratio.max():.2f})"
        )
    print(f"\n{'against DAETransformer':<30} {'takes':>7}   (range)")
    for column, name in enumerate(rivals):
        if name in OTHERS:
            ratio = times[:, column] / times[:, 0]
            print(f"{name:<30} {np.median(ratio):6.2f}x   ({ratio.min():.2f}-{ratio.max():.2f})")
    keep(record, rivals, times, epochs, steps)
    by_turns = {name: times[:, column] / times[:, 0] for column, name in enumerate(rivals)}
    slower = 1 / np.median(by_turns["loop by hand, fused Adam"])
    faster = np.median(by_turns["skorch.NeuralNetRegressor"])
    print(f"{slower:.2f} times a loop by hand (at most {LIMITS['loop by hand, fused Adam']})")
    print(f"{faster:.2f} times as fast as skorch (at least {LIMITS['skorch.NeuralNetRegressor']})")
    return slower <= LIMITS["loop by hand, fused Adam"] and (
        faster >= LIMITS["skorch.NeuralNetRegressor"]
    )


_ONE_EPOCH = """
import resource, sys, time
import numpy as np
from sklearn_ser import DAETransformer
n_rows, n_features, batch_size, device = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
dae = DAETransformer.das2022(max_epochs=1, batch_size=int(batch_size), device=device)
dae.fit(np.zeros((64, n_features), dtype=np.float32))
X = np.random.default_rng(0).standard_normal((n_rows, n_features), dtype=np.float32)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = peak(), time.perf_counter()
dae.fit(X)
fitted, after_fit = time.perf_counter() - start, peak()
start = time.perf_counter()
dae.transform(X)
print(X.nbytes / 2**20, fitted, after_fit - before, time.perf_counter() - start, peak() - after_fit)
"""


def one_epoch(n_rows, n_features, batch_size=64, device="cpu"):
    arguments = [str(value) for value in (n_rows, n_features, batch_size, device)]
    done = subprocess.run(
        [sys.executable, "-c", _ONE_EPOCH, *arguments], capture_output=True, text=True, check=True
    )
    size, fit, memory, transform, more = map(float, done.stdout.split())
    print(
        f"{n_rows:9,} {n_features:8,} {batch_size:6,} {device:>6} {size:9.1f} {fit:9.3f} "
        f"{1e6 * fit / n_rows:8.2f} {memory:10.1f} {transform:12.3f} {more:12.1f}",
        flush=True,
    )


def scaling(largest):
    print("\none epoch: X in MB, fit in s and microseconds a row, transform in s; growth of memory")
    print(
        f"{'rows':>9} {'features':>8} {'batch':>6} {'device':>6} {'X':>9} {'fit':>9} "
        f"{'us/row':>8} {'fit +MB':>10} {'transform':>12} {'transf. +MB':>12}"
    )
    for exponent in range(3, 7):
        if 10**exponent <= largest:
            one_epoch(10**exponent, 88)
    for n_features in (1, 10, 100, 1000, 10_000):
        one_epoch(2000, n_features)
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        for batch_size in (64, 4096):
            one_epoch(largest, 88, batch_size, device)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--largest", type=int, default=10**6, help="rows, at most")
    parser.add_argument("--skip-scaling", action="store_true")
    parser.add_argument("--no-limits", action="store_true", help="do not fail for a ratio")
    add_json(parser)
    arguments = parser.parse_args()
    record = Record()
    kept = compare(arguments.epochs, arguments.repeats, record)
    record.write(arguments.json)
    if not arguments.skip_scaling:
        scaling(arguments.largest)
    return 0 if kept or arguments.no_limits else 1


if __name__ == "__main__":
    sys.exit(main())
