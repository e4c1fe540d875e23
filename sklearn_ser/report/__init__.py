"""From the results of an evaluation to one page that tells all about it.

The page is a single HTML file without scripts, with pictures inside. Making it needs
Jinja2 and matplotlib: ``pip install 'sklearn-ser[report]'``.
"""

from sklearn_ser.report._page import write_report
from sklearn_ser.report._record import EvaluationRecord

__all__ = ["EvaluationRecord", "write_report"]
