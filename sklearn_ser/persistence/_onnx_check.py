"""Compare a converted step of scikit-learn with the step itself, on random rows."""

import warnings

import numpy as np

__all__ = ["disagreement"]

_N_ROWS = 256
# Both compute alike up to the rounding of single precision, but for rows next to a threshold of a
# tree, of which random ones are rare.
_TOLERANCE, _SHARE = 1e-3, 0.01


def _evaluate(model, rows):
    """Return the outputs of a graph; none if there is no runtime."""
    # The reference implementation of onnx, which is always there, computes support vector
    # machines differently.
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ImportError:
        return []
    options = SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"X": rows})


def _differing(answers, expected):
    """Return which rows have other numbers."""
    answers, expected = (
        np.asarray(values, dtype=np.float64).reshape(len(expected), -1)
        for values in (answers, expected)
    )
    close = np.isclose(answers, expected, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
    return ~close.all(axis=1)


def _expected(step, rows):
    """Return what the step answers, by the kind of answer and in the order of the outputs."""
    if not hasattr(step, "predict"):
        return {"features": step.transform(rows)}
    if not hasattr(step, "classes_"):
        return {"predictions": step.predict(rows)}
    expected = {"labels": step.predict(rows)}
    if hasattr(step, "predict_proba"):
        expected["probabilities"] = step.predict_proba(rows)
    return expected


def _as_text(labels):
    labels = np.asarray(labels.tolist())
    return (labels.astype(int) if labels.dtype.kind in "bf" else labels).astype(str)


def _undecided(step, rows):
    """Return the rows in which rounding may decide between two classes."""
    scores = getattr(step, "decision_function", getattr(step, "predict_proba", None))
    scores = np.empty((len(rows), 0)) if scores is None else scores(rows)
    if scores.ndim == 1:
        return np.abs(scores) < _TOLERANCE
    if scores.shape[1] != len(step.classes_):
        return np.zeros(len(rows), dtype=bool)
    second, first = np.sort(scores, axis=1)[:, -2:].T
    return first - second < _TOLERANCE


def disagreement(step, model):
    """Return in what a graph differs from the step that it was converted from.

    Parameters
    ----------
    step : estimator object
        A fitted classifier, regressor or transformer of scikit-learn.
    model : ModelProto
        Its graph, with the input ``X`` and outputs as skl2onnx orders them.

    Returns
    -------
    kind : str
        Such as "labels"; empty if there is no difference, or nothing to find it by.
    """
    if not hasattr(step, "n_features_in_"):
        return ""
    shape = _N_ROWS, int(step.n_features_in_)
    rows = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    answers = _evaluate(model, rows)
    if not answers:
        return ""
    with warnings.catch_warnings():
        # About columns without names, and deprecations that do not concern these rows.
        warnings.simplefilter("ignore")
        try:
            expected = _expected(step, rows)
        except ValueError:
            # The step takes positive numbers only, for instance.
            return ""
    for (kind, values), given in zip(expected.items(), answers, strict=False):
        if np.size(given) != np.size(values):
            return kind
        if kind == "labels":
            wrong = np.ravel(given).astype(str) != _as_text(values)
            wrong &= ~_undecided(step, rows)
        else:
            wrong = _differing(given, values)
        if wrong.mean() > _SHARE:
            return kind
    return ""
