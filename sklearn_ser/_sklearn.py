"""The private scikit-learn names this package depends on, gathered in one place.

scikit-learn offers no public way to declare parameter constraints, to index
whatever its splitters accept, or to honour ``set_output`` in a method other than
``transform``. When a release moves one of these names, this file is the only one
to change.
"""

from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import _num_samples

__all__ = [
    "Interval",
    "StrOptions",
    "_fit_context",
    "_num_samples",
    "_safe_indexing",
    "_wrap_data_with_container",
]
