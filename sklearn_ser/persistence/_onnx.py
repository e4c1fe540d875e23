"""Write the part of a fitted model behind its extractor as an ONNX graph."""

import json
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_ser import __version__
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.persistence._onnx_graph import Graph
from sklearn_ser.persistence._onnx_steps import (
    add_prediction,
    add_transform,
    graph_labels,
    predicts,
)
from sklearn_ser.utils._files import replacing
from sklearn_ser.utils._models import unwrapped
from sklearn_ser.utils._optional import require_extra

__all__ = ["to_onnx"]


def _extracts(step):
    """Return whether a step takes recordings."""
    step = unwrapped(step)
    if isinstance(step, FeatureUnion):
        return all(_extracts(part) for _, part in step.transformer_list)
    if isinstance(step, Pipeline):
        return _extracts(step.steps[0][1])
    return isinstance(step, RecordingTransformer)


def _behind_extractor(model):
    """Return the steps that take rows of numbers, and the extractor before them or None."""
    model = unwrapped(model)
    steps = list(model.steps) if isinstance(model, Pipeline) else [("model", model)]
    extractor = None
    if _extracts(steps[0][1]):
        extractor = unwrapped(steps.pop(0)[1])
    if not steps or isinstance(extractor, Pipeline):
        raise TypeError(
            f"{type(extractor).__name__} computes features of recordings, which is not written "
            f"as a graph. Pass a pipeline with steps behind the extractor, all at one level."
        )
    return Pipeline(steps), extractor


def _number_of_columns(steps):
    for _, step in steps:
        if step is not None and step != "passthrough":
            return int(unwrapped(step).n_features_in_)
    raise TypeError("The model has no step behind the extractor.")


def _last(model):
    model = unwrapped(model)
    while isinstance(model, Pipeline):
        model = unwrapped(model.steps[-1][1])
    return model


def _described(outputs, last):
    """Return name, dtype and shape of each output."""
    if "features" in outputs:
        return {"features": (outputs["features"], "f", (None,))}
    if "prediction" in outputs:
        return {"prediction": (outputs["prediction"], "f", (None,))}
    described = {"label": (outputs["label"], graph_labels(last.classes_).dtype, ())}
    if "probabilities" in outputs:
        described["probabilities"] = (outputs["probabilities"], "f", (len(last.classes_),))
    return described


def to_onnx(model, path):
    """Write the part of a fitted model behind its extractor as an ONNX graph.

    Runtimes of ONNX predict with it without Python, in an app or a browser for instance. The
    graph has scalers, networks and classifier; the features of the recordings are its input.

    Parameters
    ----------
    model : estimator object
        A fitted classifier, regressor or transformer, or a pipeline or search of these. An
        extractor at the beginning is left out.
    path : str or path-like
        The file to write, usually with the suffix ``.onnx``. An existing file is replaced when
        the new one is complete.

    Raises
    ------
    PersistenceError
        If a step cannot be written; the message names it.
    TypeError
        If `model` is not an estimator, or has no step behind the extractor.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.
    ImportError
        If onnx or skl2onnx is not installed.

    See Also
    --------
    save : Keep the whole model, for Python.

    Notes
    -----
    *Input.* ``X``, float32 of shape (rows, features): what the extractor returns. The property
    ``features`` of the file names the columns where the model knows them.

    *Output.* ``label``, strings or int64 (also for booleans and other whole numbers), and
    ``probabilities``, float32 in the order of ``classes_``, if the model has ``predict_proba``.
    ``prediction`` of a regressor, with a column for each target, and ``features`` of a
    transformer. They equal those of `model` for float32
    rows up to the rounding of single precision, 1e-5 for probabilities.

    *Each row is predicted by itself.* A :class:`~sklearn_ser.estimators.CorpusScaler` scales by
    the statistics that it takes for single recordings: those that `adapt` or `rescale` have
    fixed, or else the pooled ones of the training corpora. Scaling by the statistics of a batch
    is not in the graph, nor is scaling by speaker, nor adaptation to a batch
    (``adaptation="predict"``): export the model that :func:`~sklearn_ser.adapt` returns.

    *Steps of scikit-learn* are converted by `skl2onnx <https://onnx.ai/sklearn-onnx>`_. If
    onnxruntime is installed, each is compared with its graph on random rows, and refused if they
    differ, as those of ``TunedThresholdClassifierCV`` and of isotonic calibration do. A graph of an
    :class:`~sklearn_ser.estimators.NNPMClassifier` contains the embeddings of its source.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import CorpusScaler
    >>> from sklearn_ser.persistence import to_onnx
    >>> X = np.random.default_rng(0).standard_normal((40, 3))
    >>> y = np.where(X[:, 0] > 0, "anger", "sadness")
    >>> model = make_pipeline(CorpusScaler(), LogisticRegression()).fit(X, y)
    >>> to_onnx(model, "model.onnx")  # doctest: +SKIP
    """
    if not isinstance(model, BaseEstimator):
        raise TypeError(
            f"model is a {type(model).__name__}, expected an estimator, pipeline or search."
        )
    if not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(Path(path).absolute().parent)!r}.")
    require_extra("onnx")
    check_is_fitted(model)
    pipeline, extractor = _behind_extractor(model)
    check_is_fitted(pipeline)
    graph, last = Graph(_number_of_columns(pipeline.steps)), _last(pipeline)
    if predicts(pipeline):
        outputs = add_prediction(graph, pipeline, graph.input)
    else:
        outputs = {"features": add_transform(graph, pipeline, graph.input)}
    written = graph.model(_described(outputs, last), _properties(pipeline, extractor, last))
    with replacing(path, "wb") as file:
        file.write(written.SerializeToString())


def _properties(pipeline, extractor, last):
    """Return what the file says about the model, as text."""
    properties = {"sklearn_ser": __version__}
    names = getattr(unwrapped(pipeline.steps[0][1]), "feature_names_in_", None)
    if extractor is not None:
        names = extractor.get_feature_names_out()
        if hasattr(extractor, "feature_set_name"):
            properties["feature_set"] = extractor.feature_set_name
    if names is not None:
        properties["features"] = json.dumps([str(name) for name in names])
    if hasattr(last, "classes_"):
        properties["classes"] = json.dumps(graph_labels(last.classes_).tolist())
    return properties
