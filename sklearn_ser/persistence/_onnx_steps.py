"""The steps of a fitted pipeline as nodes of an ONNX graph."""

from contextlib import contextmanager

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_ser.estimators import CorpusScaler
from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.persistence._onnx_check import disagreement
from sklearn_ser.persistence._onnx_graph import OPSET
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._models import unwrapped

__all__ = ["add_prediction", "add_transform", "graph_labels", "predicts"]


@contextmanager
def _naming(step):
    """Report what cannot be converted with the name of the step."""
    try:
        yield
    except PersistenceError:
        raise
    except Exception as error:  # skl2onnx raises what it likes
        # Its messages go on for pages with advice on how to write a converter.
        reason = str(error).strip().partition("\n")[0]
        raise PersistenceError(
            f"The step {type(step).__name__} cannot be written as an ONNX graph: {reason} Replace "
            f"the step, or save the model by sklearn_ser.save."
        ) from error


def predicts(step):
    """Return whether a fitted step predicts; if not, it transforms."""
    step = unwrapped(step)
    while isinstance(step, Pipeline):
        step = unwrapped(step.steps[-1][1])
    # An autoencoder is a classifier by its tags even if it was fitted without labels.
    return hasattr(step, "predict") and (is_classifier(step) or is_regressor(step))


def graph_labels(classes):
    """Return classes as a graph answers them: strings or int64."""
    # A column of a table holds text as objects, or in an extension type.
    labels = np.asarray(np.asarray(classes).tolist())
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind in "biuf" and (labels == labels.astype(np.int64)).all():
        return labels.astype(np.int64)
    raise PersistenceError(
        f"The classes are {plain(labels.tolist())}, but labels of an ONNX graph are strings or "
        f"integers. Rename them before the training."
    )


def _scale(graph, x, mean, scale):
    """Standardise in double precision: the mean may be thousands of times the deviation."""
    from onnx import TensorProto

    z = graph.add("Cast", x, to=TensorProto.DOUBLE)
    if mean is not None:
        z = graph.add("Sub", z, graph.constant(np.asarray(mean, np.float64)))
    if scale is not None:
        z = graph.add("Div", z, graph.constant(np.asarray(scale, np.float64)))
    return graph.add("Cast", z, to=TensorProto.FLOAT)


def _scale_as_unseen(graph, x, scaler):
    """Scale as a single recording is, whose batch has no statistics of its own."""
    if scaler.unseen == "batch" and hasattr(scaler, "target_mean_"):
        return _scale(graph, x, scaler.target_mean_, scaler.target_scale_)
    return _scale(graph, x, scaler.pooled_mean_, scaler.pooled_scale_)


def _include(graph, step, x):
    """Add a step of scikit-learn, converted by skl2onnx; return its outputs."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    # Without the option, probabilities are dictionaries; LinearSVC has none, and refuses it.
    has_option = is_classifier(step) and not isinstance(step, LinearSVC)
    with _naming(step):
        model = convert_sklearn(
            step,
            initial_types=[("X", FloatTensorType([None, getattr(step, "n_features_in_", None)]))],
            options={id(step): {"zipmap": False}} if has_option else None,
            target_opset=OPSET,
        )
        if kind := disagreement(step, model):
            raise PersistenceError(
                f"The step {type(step).__name__} cannot be written as an ONNX graph: what skl2onnx "
                f"makes of it gives other {kind} than the step. Replace the step, or save the "
                f"model by sklearn_ser.save."
            )
    return graph.include(model, x)


def _add_union(graph, union, x):
    parts = []
    for name, step in union.transformer_list:
        if step == "drop":
            continue
        part = add_transform(graph, step, x)
        weight = (union.transformer_weights or {}).get(name)
        if weight is not None:
            part = graph.add("Mul", part, graph.constant(np.float32(weight)))
        parts.append(part)
    return graph.add("Concat", *parts, axis=1)


def _add_latent(graph, step, x):
    """Return the embedding of an autoencoder."""
    from sklearn_ser.nn._onnx import add_layers

    if step.noise_in_transform and step.noise:
        raise PersistenceError(
            f"{type(step).__name__} adds noise that it draws from the bytes of each row, which an "
            f"ONNX graph cannot do. Set noise_in_transform=False to write it without noise."
        )
    z = add_layers(graph, step.net_.module_.encoder, x)
    # Behind the mean of the posterior comes its variance.
    bounds = (graph.constant(np.array([one])) for one in (0, step._n_features_out, 1))
    return graph.add("Slice", z, *bounds)


def _add_member_latent(graph, step, x):
    """Return the embeddings of the members of a classifier, side by side, of length 1."""
    from sklearn_ser.nn._onnx import add_embedding

    module = step.net_.module_
    z = graph.add("Transpose", add_embedding(graph, module, x), perm=[1, 0, 2])
    flat = graph.add("Reshape", z, graph.constant(np.array([0, step._n_features_out])))
    return graph.add("Mul", flat, graph.constant(np.float32(module.n_members**-0.5)))


def _is_autoencoder(step):
    return hasattr(step, "net_") and hasattr(step, "reconstruct")


def _is_adaptive(step):
    return hasattr(step, "net_") and hasattr(step, "adapted_")


def add_transform(graph, step, x):
    """Return the output of ``transform`` for a tensor of rows."""
    step = unwrapped(step)
    if step is None or step == "passthrough":
        return x
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            x = add_transform(graph, part, x)
        return x
    if isinstance(step, FeatureUnion):
        return _add_union(graph, step, x)
    if isinstance(step, CorpusScaler):
        return _scale_as_unseen(graph, x, step)
    if type(step) is StandardScaler:
        return _scale(
            graph,
            x,
            step.mean_ if step.with_mean else None,
            step.scale_ if step.with_std else None,
        )
    if _is_autoencoder(step):
        return _add_latent(graph, step, x)
    if _is_adaptive(step) and hasattr(step, "transform"):
        return _add_member_latent(graph, step, x)
    outputs = [*_include(graph, step, x).values()]
    if len(outputs) > 1:
        raise PersistenceError(
            f"The step {type(step).__name__} cannot be written as an ONNX graph: it has "
            f"{len(outputs)} outputs there, where a transformer has one. Replace the step, or save "
            f"the model by sklearn_ser.save."
        )
    return outputs[0]


def _labels(graph, classes, probabilities):
    """Return the class of the highest probability of each row."""
    best = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    return graph.add("Gather", graph.constant(graph_labels(classes)), best, axis=0)


def _classified(graph, step, probabilities):
    label = _labels(graph, step.classes_, probabilities)
    return {"label": label, "probabilities": probabilities}


def _add_adaptive(graph, step, x):
    from sklearn_ser.nn._onnx import add_memory_vote, add_softmax_vote

    if not hasattr(step, "memory_"):
        return _classified(graph, step, add_softmax_vote(graph, step.net_.module_, x))
    parts = []
    for weight, *model in step._models_that_predict(step.caution):
        vote = add_memory_vote(graph, *model, x, step.vote)
        parts.append(graph.add("Mul", vote, graph.constant(np.float32(weight))))
    return _classified(graph, step, graph.add("Sum", *parts))


def _add_readout(graph, step, x):
    from sklearn_ser.nn._onnx import add_layers

    z = _add_latent(graph, step, x)
    if "predict" in step._own_methods():
        if is_classifier(step):
            logits = add_layers(graph, [step.net_.module_.classifier], z)
            return _classified(graph, step, graph.add("Softmax", logits, axis=1))
        # The position of a row is linear in its embedding.
        weights, bias = step._rating_map()
        weights, bias = (graph.constant(one.astype(np.float32)) for one in (weights, bias))
        return {"prediction": graph.add("Gemm", z, weights, bias)}
    outputs = add_prediction(graph, step.readout_, z)
    if "probabilities" in outputs and len(step.readout_.classes_) < len(step.classes_):
        known = step.readout_.classes_[:, None] == step.classes_
        columns = graph.constant(known.astype(np.float32))
        outputs["probabilities"] = graph.add("MatMul", outputs["probabilities"], columns)
    return outputs


def add_prediction(graph, step, x):
    """Return the outputs of ``predict`` and ``predict_proba`` for a tensor of rows.

    Parameters
    ----------
    graph : Graph
        The graph to add to.
    step : estimator object
        A fitted classifier or regressor, or a pipeline that ends in one.
    x : str
        Name of the rows.

    Returns
    -------
    outputs : dict of str to str
        ``"label"`` and, if the step has them, ``"probabilities"``; or ``"prediction"``.
    """
    step = unwrapped(step)
    if isinstance(step, Pipeline):
        for _, part in step.steps[:-1]:
            x = add_transform(graph, part, x)
        return add_prediction(graph, step.steps[-1][1], x)
    if _is_autoencoder(step):
        return _add_readout(graph, step, x)
    if _is_adaptive(step):
        return _add_adaptive(graph, step, x)
    outputs = list(_include(graph, step, x).values())
    if is_regressor(step):
        return {"prediction": outputs[0]}
    # Some converters give one row of labels.
    outputs[0] = graph.add("Reshape", outputs[0], graph.constant(np.array([-1])))
    if graph_labels(step.classes_).dtype.kind == "i":
        from onnx import TensorProto

        outputs[0] = graph.add("Cast", outputs[0], to=TensorProto.INT64)
    # Without probabilities the second output has decision values, in an order of its own.
    names = ("label", "probabilities") if hasattr(step, "predict_proba") else ("label",)
    return dict(zip(names, outputs, strict=False))
