"""Time the metric loss by sums against the same loss over explicit pairs.

    python benchmarks/metric_loss.py [--repeats N] [--json FILE]

Value and gradient, float32, one thread. "pairs" forms the differences of all pairs as
tensors; "loop" visits the pairs one by one in Python. Each figure is the median of N
runs of all three in turn.
"""

import argparse
import math
import time

import numpy as np
import torch
from _record import Record, add_json

from sklearn_ser.nn._losses import metric_loss


def by_sums(position, labels):
    return sum(metric_loss(position, labels))


def by_pairs(position, labels):
    first, second = torch.triu_indices(len(labels), len(labels), offset=1)
    n_d, l_d = position[first] - position[second], labels[first] - labels[second]
    slope = (l_d @ n_d) / (l_d @ l_d)
    return (n_d - slope * l_d).square().mean() + (slope - 1).abs()


def loop(position, labels):
    """Value and gradient, pair by pair."""
    n, label = position.tolist(), labels.tolist()
    size = len(n)
    products = squares = 0.0
    for i in range(size):
        for j in range(i + 1, size):
            products += (label[i] - label[j]) * (n[i] - n[j])
            squares += (label[i] - label[j]) ** 2
    slope = products / squares
    sign = math.copysign(1, slope - 1) / squares
    share = 2 / (size * (size - 1))
    loss, gradient = abs(slope - 1), [0.0] * size
    for i in range(size):
        for j in range(i + 1, size):
            l_d = label[i] - label[j]
            error = n[i] - n[j] - slope * l_d
            loss += share * error**2
            # The slope minimises the squares, so its own change adds nothing to theirs.
            change = 2 * share * error + sign * l_d
            gradient[i] += change
            gradient[j] -= change
    return loss, torch.tensor(gradient)


def with_gradient(function, position, labels):
    position = position.clone().requires_grad_()
    loss = function(position, labels)
    loss.backward()
    return float(loss.detach()), position.grad


WAYS = {
    "sums": lambda n, label: with_gradient(by_sums, n, label),
    "pairs": lambda n, label: with_gradient(by_pairs, n, label),
    "loop": loop,
}


def measure(size, repeats):
    generator = torch.Generator().manual_seed(size)
    labels = 1 + 0.5 * torch.randint(0, 9, (size,), generator=generator)
    position = torch.randn(size, generator=generator) + 0.5 * labels
    results = {name: way(position, labels) for name, way in WAYS.items()}
    for loss, gradient in results.values():
        np.testing.assert_allclose(loss, results["sums"][0], rtol=1e-4)
        np.testing.assert_allclose(gradient, results["sums"][1], rtol=1e-3, atol=1e-6)
    times = {name: [] for name in WAYS}
    for _ in range(repeats):
        for name, way in WAYS.items():
            # A single run of the fast ones is too short for the clock.
            inner = 1 if name == "loop" else 20
            start = time.perf_counter()
            for _ in range(inner):
                way(position, labels)
            times[name].append((time.perf_counter() - start) / inner)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    add_json(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'batch':>6}{'sums (ms)':>12}{'pairs (ms)':>12}{'loop (ms)':>12}  pairs/sums  loop/sums"
    )
    record = Record()
    for size in (64, 1024):
        times = measure(size, arguments.repeats)
        for name, values in times.items():
            task = f"metric loss and gradient by {name}, batch of {size}"
            record.measure(task, "ms", 1e3 * np.array(values))
        spent = {name: float(np.median(values)) for name, values in times.items()}
        figures = "".join(f"{1e3 * spent[name]:12.3f}" for name in WAYS)
        ratios = spent["pairs"] / spent["sums"], spent["loop"] / spent["sums"]
        print(f"{size:>6}{figures}{ratios[0]:>11.1f}x{ratios[1]:>10.0f}x")
    record.write(arguments.json)


if __name__ == "__main__":
    main()
