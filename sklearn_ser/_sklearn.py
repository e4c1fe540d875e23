"""The private scikit-learn names this package depends on, gathered in one place.

scikit-learn offers no public way to declare and check parameter constraints, to index
all kinds of data that its splitters accept, to honour ``set_output`` in a method other than
``transform``, to reach the parameters of estimators in a list, or to read the metadata
requests of an estimator. When a release moves one of these names, this file is the only one
to change.
"""

from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _num_samples

__all__ = [
    "METADATA_REQUESTS",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_BaseComposition",
    "_fit_context",
    "_num_samples",
    "_safe_indexing",
    "_wrap_data_with_container",
    "metadata_requests",
    "validate_parameters",
]

# The attribute that keeps the requests made by ``set_fit_request`` and its relatives.
METADATA_REQUESTS = "_metadata_request"


def metadata_requests(estimator):
    """Return what the methods of an estimator request by metadata routing."""
    return estimator._get_metadata_request()


def validate_parameters(estimator):
    """Compare the parameters of an estimator with its constraints."""
    estimator._validate_params()
