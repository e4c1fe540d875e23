"""The tables in a folder of results, and their columns."""

from sklearn_ser.evaluation._baseline import BASELINE_COLUMNS
from sklearn_ser.evaluation._calibration import CALIBRATION_COLUMNS
from sklearn_ser.evaluation._groups import group_columns

__all__ = ["COLUMNS", "GROUP_COLUMNS", "NUMBERS", "OPTIONAL", "SHARES", "TEXT"]

_SCORES = ["method", "corpus", "uar", "uar_low", "uar_high", "interval_note"]

GROUP_COLUMNS = ["method", "by", *group_columns("uar")]

# The columns that each table must have.
COLUMNS = {
    "scores": [*_SCORES, "chance", "accuracy", "macro_f1", "n_train", "n_test", "fit_time"],
    "means": _SCORES,
    "recalls": ["method", "corpus", "repeat", "label", "recall", "recall_low", "recall_high"],
    "predictions": ["path", "corpus", "method", "repeat", "y_true", "y_pred"],
    # Earlier versions wrote no notes on p-values.
    "comparisons": [name for name in BASELINE_COLUMNS if name not in ("p_smallest", "p_note")],
    "transfer": ["method", "trained_on", "tested_on", "uar"],
    "groups": GROUP_COLUMNS,
    "calibration": ["method", *CALIBRATION_COLUMNS],
}
# Their files may be absent.
OPTIONAL = ("comparisons", "transfer", "groups", "calibration")

# Columns of words, even if they look like numbers: a corpus may be called "NA" or "1".
TEXT = (
    "method",
    "against",
    "corpus",
    "language",
    "speaker",
    "sex",
    "path",
    "by",
    "group",
    "label",
    "y_true",
    "y_pred",
    "trained_on",
    "tested_on",
    "interval_note",
    "p_note",
)

# Columns of numbers, if they exist; a column added by hand may hold anything.
NUMBERS = ("n_repeats", "n_speakers", "n_test", "predict_time", "uar_sd", "p_smallest")

# Columns of numbers from 0 to 1; True if no cell may be empty.
SHARES = {
    "scores": {"uar": True, "chance": True, "accuracy": True, "macro_f1": True},
    "means": {"uar": True},
    "recalls": {"recall": False},
    "comparisons": {"p_value": False, "p_adjusted": False},
    "transfer": {"uar": False},
    "groups": {"uar": True},
    "calibration": {"ece": True},
}
