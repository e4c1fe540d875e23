"""Leave out of a file what depends on the machine."""

import copy
import functools
import os

import joblib
import numpy as np
import pandas as pd
from sklearn import config_context

from sklearn_ser._sklearn import METADATA_REQUESTS, metadata_requests
from sklearn_ser.features._augmenter import AudioAugmenter, check_noise
from sklearn_ser.features._embedding import EmbeddingExtractor
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.persistence._parts import parts_of

# In a file, stands for the attribute that scikit-learn keeps the requests of ``set_fit_request``
# in, which is an object with a reference to the estimator itself.
_PLAIN_REQUESTS = "_plain_metadata_request"
_UNION_COLUMNS = "_transformers_feature_names_out"
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

# Settings of a machine, numbers of processes and folders. They are attributes, or entries of
# dictionaries of parameters such as ``param_grid``, possibly after the name of a step.
_PROCESSES = ("n_jobs",)
_FOLDERS = ("cache", "memory")
_THREADS = ("_n_threads", "n_threads")


def _is_folder(value):
    return isinstance(value, str | bytes | os.PathLike | joblib.Memory)


def _leave_parameters(values):
    """Remove the settings of a machine from a dictionary of parameters."""
    for name in [name for name in values if isinstance(name, str)]:
        if name.rpartition("__")[2] in _PROCESSES + _FOLDERS:
            # In a grid, an empty list of choices would be an error.
            values[name] = [None] if isinstance(values[name], list | tuple) else None


def _leave_arguments(values):
    """Remove the settings of a machine from the keyword arguments of a function."""
    for name in [*_PROCESSES, *_FOLDERS]:
        if name in _PROCESSES or _is_folder(values.get(name)):
            values.pop(name, None)


def _holds_parameters(name):
    return isinstance(name, str) and "param" in name


def _leave_attributes(part, attributes):
    for name in _PROCESSES:
        if name in attributes:
            attributes[name] = None
    for name in _FOLDERS:
        ours = isinstance(part, RecordingTransformer)
        if name in attributes and (ours or _is_folder(attributes[name])):
            attributes[name] = None
    for name in _THREADS:
        if isinstance(attributes.get(name), int):
            # Compiled code starts as many threads as this number says.
            attributes[name] = max(1, min(attributes[name], joblib.cpu_count()))


def _leave_machine(parts):
    """Remove numbers of processes and folders from the parts of a model, in place."""
    for part in parts:
        attributes = getattr(part, "__dict__", None)
        if isinstance(part, functools.partial):
            _leave_arguments(part.keywords)
        if isinstance(attributes, dict):
            _leave_attributes(part, attributes)
        named = part if isinstance(part, dict) else attributes
        for name, value in named.items() if isinstance(named, dict) else ():
            if _holds_parameters(name):
                for values in parts_of(value):
                    if isinstance(values, dict):
                        _leave_parameters(values)
            elif name == "kw_args" and isinstance(value, dict):
                _leave_arguments(value)


def _fix_place(attributes):
    """Write the folder of an encoder as text that names it from any folder on this machine."""
    encoder = attributes.get("encoder")
    if not isinstance(encoder, str | os.PathLike):
        return
    text = os.fspath(encoder)
    folder = os.path.expanduser(text)
    # A text that is not a folder may be a name on the hub.
    attributes["encoder"] = os.path.abspath(folder) if os.path.isdir(folder) else text


def _fix_device(attributes):
    """Replace the device of an encoder by the CPU if it does not exist here."""
    device = attributes.get("device")
    # "cpu" and "auto" exist everywhere, which is known without the seconds that torch takes.
    if not isinstance(device, str) or device in ("cpu", "auto"):
        return
    from sklearn_ser.nn._devices import resolve_device

    try:
        resolve_device(device)
    except RuntimeError:
        attributes["device"] = "cpu"


def _plain_columns(attributes):
    """Turn the names of columns that a union remembers from indexes of pandas into arrays."""
    names = attributes.get(_UNION_COLUMNS)
    if isinstance(names, list):
        attributes[_UNION_COLUMNS] = [
            np.asarray(one, dtype=object) if isinstance(one, pd.Index) else one for one in names
        ]


def portable(model):
    """Return a copy of a model without settings of this machine, made of plain types."""
    model = copy.deepcopy(model)
    parts = parts_of(model)
    _leave_machine(parts)
    for part in parts:
        attributes = getattr(part, "__dict__", None)
        if isinstance(part, EmbeddingExtractor):
            _fix_place(attributes)
        if isinstance(part, AudioAugmenter):
            # Paths as text, which load trusts; predictions need none of these files.
            attributes["noise"] = tuple(map(check_noise, part.noise))
        if isinstance(attributes, dict):
            _plain_columns(attributes)
        if isinstance(attributes, dict) and METADATA_REQUESTS in attributes:
            requests = attributes.pop(METADATA_REQUESTS)
            plain = {
                name: dict(getattr(requests, name).requests)
                for name in _METHODS
                if hasattr(requests, name)
            }
            setattr(part, _PLAIN_REQUESTS, {name: given for name, given in plain.items() if given})
    return model


def restored(model):
    """Undo :func:`portable` in place, and return the model.

    Settings of a machine are removed once more: a forged file must not choose files and
    processes of this machine.
    """
    parts = parts_of(model)
    _leave_machine(parts)
    for part in parts:
        attributes = getattr(part, "__dict__", None)
        if isinstance(part, EmbeddingExtractor):
            _fix_device(attributes)
        requests = attributes.pop(_PLAIN_REQUESTS, {}) if isinstance(attributes, dict) else {}
        if requests:
            # The scorer that stands for `score` does not make this by itself in scikit-learn 1.6.
            setattr(part, METADATA_REQUESTS, metadata_requests(part))
        with config_context(enable_metadata_routing=True):
            for name in [name for name in _METHODS if name in requests]:
                getattr(part, f"set_{name}_request")(**requests[name])
    return model
