"""What of a model belongs into a file, and what to the machine it was made on."""

import copy

from sklearn import config_context
from sklearn.base import BaseEstimator

from sklearn_ser.features._extractor import RecordingTransformer

# The attribute that scikit-learn keeps the requests of ``set_fit_request`` in, an object with a
# reference to the estimator itself, and the plain one that stands for it in a file.
_REQUESTS, _PLAIN_REQUESTS = "_metadata_request", "_plain_metadata_request"
_METHODS = (
    "fit",
    "partial_fit",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
    "split",
    "transform",
    "inverse_transform",
)


def _held(value, seen):
    """Yield the objects of scikit-learn and of this package in a value, however deep in it."""
    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, list | tuple | set):
        inside = value
    elif type(value).__module__.startswith(("sklearn.", "sklearn_ser.")) or isinstance(
        value, BaseEstimator
    ):
        yield value
        inside = getattr(value, "__dict__", {}).values()
    else:
        return
    for one in list(inside):
        yield from _held(one, seen)


def _leave_machine(part):
    """Forget where an extractor keeps its rows, and on how many cores it works."""
    if isinstance(part, RecordingTransformer):
        part.cache = None
        part.n_jobs = None


def portable(model):
    """Return a copy of a model without what belongs to this machine, in plain types."""
    model = copy.deepcopy(model)
    for part in _held(model, {}):
        _leave_machine(part)
        if _REQUESTS in getattr(part, "__dict__", {}):
            requests = vars(part).pop(_REQUESTS)
            plain = {name: dict(getattr(requests, name).requests) for name in _METHODS}
            setattr(part, _PLAIN_REQUESTS, {name: given for name, given in plain.items() if given})
    return model


def restored(model):
    """Make of a model from a file, in place, what :func:`portable` was given."""
    for part in _held(model, {}):
        # Whatever the file says: it must not decide on files of this machine.
        _leave_machine(part)
        requests = getattr(part, "__dict__", {}).pop(_PLAIN_REQUESTS, {})
        with config_context(enable_metadata_routing=True):
            for name, given in requests.items():
                getattr(part, f"set_{name}_request")(**given)
    return model
