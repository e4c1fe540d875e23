"""The names that a stored model may contain, and where each of them may occur."""

import numpy as np
import scipy.special

from sklearn_ser.persistence._sklearn_types import FUNCTIONS, LOSSES, OBJECTS, full_names

__all__ = ["TRUSTED_TYPES", "required_names"]

_OWN_OBJECTS = {
    "sklearn_ser.estimators._coral": "CORALClassifier",
    "sklearn_ser.estimators._dae": "DAETransformer",
    "sklearn_ser.estimators._dann": "DANNClassifier",
    "sklearn_ser.estimators._mcc": "MCCClassifier",
    "sklearn_ser.estimators._metric_dae": "MetricDAE",
    "sklearn_ser.estimators._nnpm": "NNPMClassifier",
    "sklearn_ser.estimators._scaler": "CorpusScaler",
    "sklearn_ser.estimators._ssvae": "SemiSupervisedVAE",
    "sklearn_ser.estimators._vae": "KLAnnealedVAE",
    "sklearn_ser.features._augmenter": "AudioAugmenter",
    "sklearn_ser.features._embedding": "EmbeddingExtractor",
    "sklearn_ser.features._extractor": "EGeMAPSExtractor",
    "sklearn_ser.features._function": "FunctionExtractor",
    "sklearn_ser.features._librosa": "LibrosaExtractor",
    "sklearn_ser.features._union": "ExtractorUnion",
    "sklearn_ser.model_selection": "LeaveOneCorpusOut",
}
_OWN_FUNCTIONS = {
    # Files name the package, whichever of its modules defines the function.
    "sklearn_ser.features._egemaps": "egemaps",
    "sklearn_ser.features._egemaps._feature_set": "egemaps",
    "sklearn_ser.metrics._label_free": (
        "entropy_score memory_agreement_score neighborhood_density_score"
    ),
    "sklearn_ser.metrics._classification": "unweighted_average_recall",
    "sklearn_ser.metrics._regression": "adjusted_r2 concordance_correlation",
}

_OBJECTS = full_names(OBJECTS) | full_names(_OWN_OBJECTS)
_FUNCTIONS = full_names(FUNCTIONS) | full_names(_OWN_FUNCTIONS)
_LOSSES = full_names(LOSSES)
_DICTS = {"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}
_TUPLES = {"builtins.tuple", "sklearn.impute._iterative._ImputerTriplet"}
_PLAIN_TYPES = {
    f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "set", "str", "tuple")
}

# Scalars of numpy, except numpy.void, which allocates as many bytes as a file says.
_SCALARS = {
    f"numpy.{scalar.__name__}"
    for scalar in np.sctypeDict.values()
    if issubclass(scalar, np.number | np.bool_ | np.str_ | np.datetime64)
} | {"numpy.bool_"}  # as numpy 1 calls it

# The names allowed in each kind of part that skops writes. A name in another kind is refused: a
# function in the place of a type, for example, would be called with arguments from the file.
_ALLOWED = {
    "BytearrayNode": {"builtins.bytearray"},
    "BytesNode": {"builtins.bytes"},
    "DTypeNode": {"numpy.dtype"},
    "DefaultDictNode": {"collections.defaultdict"},
    "DictNode": _DICTS,
    "FunctionNode": _FUNCTIONS,
    "ListNode": {"builtins.list"},
    "LossNode": _LOSSES,
    "MaskedArrayNode": {"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"},
    "NdArrayNode": {"numpy.ndarray"} | _SCALARS,
    "ObjectNode": _OBJECTS,
    "RandomGeneratorNode": {"numpy.random._generator.Generator"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState"},
    "SetNode": {"builtins.set"},
    "SliceNode": {"builtins.slice"},
    "TupleNode": _TUPLES,
    "TypeNode": _PLAIN_TYPES | _SCALARS,
}
# Kinds of parts of which none is harmless without knowledge of its author.
_ON_DEMAND = {
    "ConstructorFromReduceNode",
    "MethodNode",
    "OperatorFuncNode",
    "PartialNode",
    "QuantileForestNode",
    "SparseMatrixNode",
    "TreeNode",
}

_TREE = "sklearn.tree._tree.Tree"
# Parts that are of use only with another one, and are trusted with it.
_IMPLIED = {
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper": (
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
    ),
}

# Types that are built although the caller has not named them, besides plain values and arrays.
TRUSTED_TYPES = frozenset(
    _OBJECTS
    | _FUNCTIONS
    | _LOSSES
    | {"sklearn.utils._bunch.Bunch"}
    | (_TUPLES - {"builtins.tuple"})
)


# Universal functions compute on arrays and do nothing else, whatever they are called with.
def _is_ufunc(name):
    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] == "numpy":
        return isinstance(getattr(np, attribute, None), np.ufunc)
    return module.startswith("scipy.special") and isinstance(
        getattr(scipy.special, attribute, None), np.ufunc
    )


def _names_of(part, loader):
    """Return the names that skops would import or call for a part."""
    name = f"{part['__module__']}.{part['__class__']}"
    content = part.get("content")
    content = content if isinstance(content, dict) else {}
    if loader == "TreeNode":
        return {name, _TREE}
    if loader == "MethodNode":
        return {name, f"{name}.{content.get('func')}"}
    if loader == "FunctionNode" and content:
        return {name, f"{content.get('module_path')}.{content.get('function')}"}
    return {name}


def required_names(part, trusted):
    """Return the names that a part needs, and those among them that are not trusted.

    Parameters
    ----------
    part : dict
        A part of the description that skops writes, with ``"__loader__"``, ``"__module__"``
        and ``"__class__"``, all text.
    trusted : set of str
        Further names that the caller trusts, in any kind of part.

    Returns
    -------
    needed, unknown : set of str

    Raises
    ------
    ValueError
        If the part is of an unknown kind.
    """
    loader = part["__loader__"]
    if loader == "JsonNode":
        return set(), set()
    if loader not in _ALLOWED and loader not in _ON_DEMAND:
        raise ValueError(f"it has a part of the unknown kind {loader[:60]!r}")
    needed = _names_of(part, loader)
    unknown = {
        name
        for name in needed - trusted - _ALLOWED.get(loader, set())
        if not (loader == "FunctionNode" and _is_ufunc(name))
        and not (loader != "FunctionNode" and _IMPLIED.get(name) in trusted)
    }
    return needed, unknown
