"""A graph of ONNX operations, written node by node."""

import itertools

import numpy as np

__all__ = ["OPSET", "Graph"]

# Operators of 2022, which runtimes of the years since then all have, and the file format of then.
OPSET = {"": 17, "ai.onnx.ml": 3}
_IR_VERSION = 8


class Graph:
    """Collects nodes and constants; all its methods return names of tensors.

    Parameters
    ----------
    n_features : int
        Number of columns of the input, a float32 tensor of the name ``X``.
    """

    def __init__(self, n_features):
        self.input = "X"
        self.n_features = n_features
        self._nodes = []
        self._constants = []
        self._numbers = itertools.count()

    def constant(self, values):
        """Add an array: float32, float64, int64 or strings."""
        from onnx import numpy_helper

        values = np.asarray(values)
        if values.dtype.kind in "UO":
            values = values.astype(object)
        name = f"constant_{next(self._numbers)}"
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, operator, *inputs, **attributes):
        """Add a node with one output."""
        from onnx import helper

        name = f"{operator.lower()}_{next(self._numbers)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def include(self, model, x):
        """Add the nodes of a model with one input; return its outputs by their names there."""
        from onnx import compose

        prefix = f"part_{next(self._numbers)}_"
        outputs = [output.name for output in model.graph.output]
        [name] = [one.name for one in model.graph.input]
        graph = compose.add_prefix(model, prefix).graph
        self._nodes.append(_identity(x, prefix + name))
        self._nodes += graph.node
        self._constants += graph.initializer
        return {output: prefix + output for output in outputs}

    def model(self, outputs, properties):
        """Return the finished ModelProto.

        Parameters
        ----------
        outputs : dict of str to (str, dtype, tuple)
            For each output its name here, its dtype and its shape behind the rows.
        properties : dict of str to str
            Written into the file.
        """
        from onnx import TensorProto, checker, helper

        kinds = {"f": TensorProto.FLOAT, "i": TensorProto.INT64, "U": TensorProto.STRING}
        infos = []
        for output, (name, dtype, shape) in outputs.items():
            self._nodes.append(_identity(name, output))
            kind = kinds[np.dtype(dtype).kind]
            infos.append(helper.make_tensor_value_info(output, kind, ["rows", *shape]))
        given = helper.make_tensor_value_info(
            self.input, TensorProto.FLOAT, ["rows", self.n_features]
        )
        graph = helper.make_graph(self._nodes, "model", [given], infos, self._constants)
        model = helper.make_model(
            graph,
            producer_name="sklearn-ser",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid(*one) for one in OPSET.items()],
        )
        helper.set_model_props(model, properties)
        checker.check_model(model)
        return model


def _identity(source, target):
    from onnx import helper

    return helper.make_node("Identity", [source], [target], name=f"to_{target}")
