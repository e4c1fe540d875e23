"""Write an HTML report about an evaluation.

The page is a single file, with its pictures and tables inside. It needs Jinja2 and
matplotlib: ``pip install 'sklearn-ser[report]'``.
"""

from sklearn_ser.report._page import write_report
from sklearn_ser.report._record import EvaluationRecord

__all__ = ["EvaluationRecord", "write_report"]
