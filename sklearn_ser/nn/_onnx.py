"""The networks of this package as nodes of an ONNX graph.

Shapes: E members, n rows, m rows of a memory, c coordinates, K classes.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ser.nn._memory import HEAD_SCALE, MemberLinear, MemberNet, MemoryNet, ViewLinear
from sklearn_ser.nn._multilabel import class_weights
from sklearn_ser.nn._readout import Readout

__all__ = ["Writer", "add_embedding", "add_layers", "add_memory_vote", "add_softmax_vote"]

# The same tiny numbers as where torch computes.
_TINY = 1e-8
_SHORTEST = 1e-12


class Writer(Protocol):
    """What writes the graph; tensors of the graph are known by their names."""

    def constant(self, values: Any) -> str:
        """Add an array."""

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""


def _values(tensor: Tensor) -> Any:
    return np.array(tensor.detach().cpu().numpy(), dtype=np.float32)


def add_layers(graph: Writer, layers: Iterable[nn.Module], x: str) -> str:
    """Pass rows ``(n, features)`` through linear layers and ReLUs."""
    for layer in layers:
        if isinstance(layer, nn.Linear):
            weight, bias = (graph.constant(_values(one)) for one in (layer.weight, layer.bias))
            x = graph.add("Gemm", x, weight, bias, transB=1)
        else:
            x = graph.add("Relu", x)
    return x


def _add_members(graph: Writer, layer: nn.Module, x: str) -> str:
    if isinstance(layer, ViewLinear):
        parts = []
        for i, part in enumerate(layer.parts):
            columns = graph.constant(getattr(layer, f"columns_{i}").cpu().numpy())
            parts.append(_add_members(graph, part, graph.add("Gather", x, columns, axis=1)))
        return graph.add("Concat", *parts, axis=0)
    assert isinstance(layer, MemberLinear)
    weight, bias = (graph.constant(_values(one)) for one in (layer.weight, layer.bias))
    # Rows (n, features) and weights (E, features, outputs) are broadcast to (E, n, outputs).
    return graph.add("Add", graph.add("MatMul", x, weight), bias)


def add_embedding(graph: Writer, module: MemberNet, x: str) -> str:
    """Return the embedding ``(E, n, c)`` of rows ``(n, features)``."""
    *inner, last = module.encoder
    for layer in inner:
        x = graph.add("Relu", _add_members(graph, layer, x))
    z = _add_members(graph, last, x)
    if not isinstance(module, MemoryNet):
        return z
    length = graph.add("ReduceL2", z, axes=[2], keepdims=1)
    return graph.add("Div", z, graph.add("Max", length, graph.constant(np.float32(_SHORTEST))))


def _add_head(graph: Writer, module: MemberNet, z: str) -> str:
    if isinstance(module, MemoryNet):
        z = graph.add("Mul", z, graph.constant(np.float32(HEAD_SCALE)))
    return graph.add("Softmax", _add_members(graph, module.head, z), axis=2)


def _normalised(graph: Writer, values: str) -> str:
    total = graph.add("ReduceSum", values, graph.constant(np.array([2])), keepdims=1)
    return graph.add("Div", values, total)


def _add_votes(graph: Writer, readout: Readout, z: str) -> str:
    to_classes = class_weights(readout.codes, readout.n_classes, readout.weights)
    memory = graph.constant(_values(readout.memory.transpose(1, 2)))
    similarity = graph.add("MatMul", z, memory)
    # The highest similarity is subtracted, so that one exponential is 1.
    highest = graph.add("ReduceMax", similarity, axes=[2], keepdims=1)
    difference = graph.add("Sub", similarity, highest)
    scaled = graph.add("Div", difference, graph.constant(np.float32(readout.temperature)))
    votes = graph.add("MatMul", graph.add("Exp", scaled), graph.constant(_values(to_classes)))
    return _normalised(graph, votes)


def _scaled_by(graph: Writer, probabilities: str, factors: Tensor) -> str:
    more = graph.add("Add", probabilities, graph.constant(np.float32(_TINY)))
    return _normalised(graph, graph.add("Mul", more, graph.constant(_values(factors))))


def _corrected(graph: Writer, readout: Readout, probabilities: str, which: int) -> str:
    """Return the probabilities of head (0) or memory (1) with the shares they should have."""
    prior = readout.prior
    if prior is None:
        return probabilities
    if readout.means is not None:
        return _scaled_by(graph, probabilities, prior / (readout.means[which] + _TINY))
    if readout.is_any_missing():
        return _scaled_by(graph, probabilities, (prior > 0).float())
    return probabilities


def _geometric_mean(graph: Writer, first: str, second: str) -> str:
    tiny = graph.constant(np.float32(_TINY))
    product = graph.add("Mul", graph.add("Max", first, tiny), graph.add("Max", second, tiny))
    return _normalised(graph, graph.add("Sqrt", product))


@torch.no_grad()
def add_memory_vote(graph: Writer, module: MemoryNet, readout: Readout, x: str, vote: str) -> str:
    """Return the probabilities ``(n, K)`` of rows by a network and its memory.

    Parameters
    ----------
    graph : Writer
        The graph to add to.
    module : MemoryNet
        The network.
    readout : Readout
        Its memory, and what brings predictions to the shares of the classes.
    x : str
        Rows ``(n, features)``.
    vote : {"mean", "head", "memory"}
        As of :class:`~sklearn_ser.estimators.NNPMClassifier`.
    """
    z = add_embedding(graph, module, x)
    both = {
        "head": partial(_add_head, graph, module, z),
        "memory": partial(_add_votes, graph, readout, z),
    }
    chosen = [
        _corrected(graph, readout, both[name](), which)
        for which, name in enumerate(both)
        if vote in (name, "mean")
    ]
    probabilities = _geometric_mean(graph, *chosen) if vote == "mean" else chosen[0]
    if readout.prior is not None and readout.is_any_missing():
        probabilities = _scaled_by(graph, probabilities, (readout.prior > 0).float())
    return graph.add("ReduceMean", probabilities, axes=[0], keepdims=0)


def add_softmax_vote(graph: Writer, module: MemberNet, x: str) -> str:
    """Return the mean probabilities ``(n, K)`` of rows by the heads of a network."""
    head = _add_head(graph, module, add_embedding(graph, module, x))
    return graph.add("ReduceMean", head, axes=[0], keepdims=0)
