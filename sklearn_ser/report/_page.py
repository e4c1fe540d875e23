"""Fill the template of the report."""

import base64
import hashlib
from importlib import resources
from pathlib import Path

from sklearn_ser.evaluation._result import storing
from sklearn_ser.report._exports import exports
from sklearn_ser.report._marks import mark_of
from sklearn_ser.report._pictures import reliability_picture, score_picture, transfer_pictures
from sklearn_ser.report._tables import (
    calibration_table,
    comparison_table,
    confusion_tables,
    corpus_table,
    detail_table,
    group_tables,
    missed_recordings,
    notes_on_intervals,
    recall_table,
    score_table,
)
from sklearn_ser.report._text import summarise
from sklearn_ser.utils._files import replacing
from sklearn_ser.utils._optional import require_extra
from sklearn_ser.utils._spelling import harmless
from sklearn_ser.utils._words import count_of

__all__ = ["render_report", "write_report"]

_OWN = {"style": "css", "script": "js"}

# Letters that are not printable but belong in texts: spaces, breaks, hints for the layout.
_KEPT = "\n\t\u00a0\u00ad\u200b\u200c\u200d\u2060\u202f\u3000"


def _read(name):
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _title(record):
    methods, corpora = record.methods, record.corpora
    what = methods[0] if len(methods) == 1 else count_of(len(methods), "method")
    return f"Speech emotion recognition: {what} on {count_of(len(corpora), 'corpus')}"


def _printable(value):
    """Return text with control characters marked, and bytes that are not UTF-8 spelled out."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return harmless(value, keep=_KEPT)
    return value


def _as_text(value):
    """Return a setting as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def _method(facts):
    """Return the facts about a method as texts."""
    description = str(facts.get("description") or "")
    seeds = {name: value for name, value in facts["seeds"].items() if value is not None}
    return {
        "name": facts["name"],
        "description": f"{description[:1].upper()}{description[1:]}." if description else "",
        "pipeline": str(facts.get("pipeline") or ""),
        "seeds": ", ".join(f"{name} = {value}" for name, value in seeds.items()),
    }


def _context(record, title):
    run = record.run
    confidence = f"{run['settings']['confidence']:.0%}"
    tables = {
        "scores": score_table(record),
        "comparisons": comparison_table(record),
        "details": detail_table(record),
        "recalls": recall_table(record),
        "confusions": confusion_tables(record),
        "groups": group_tables(record),
        "calibration": calibration_table(record),
        "missed": missed_recordings(record),
        "corpora": corpus_table(record),
    }
    return {
        **tables,
        "exports": exports(record, tables, confidence),
        "marks": {name: mark_of(number) for number, name in enumerate(record.methods)},
        "title": title or _title(record),
        "created": str(run.get("created", "")),
        "notice": str(run.get("notice", "")),
        "command": str(run.get("command", "")),
        "summary": summarise(record),
        "confidence": confidence,
        "level": f"{1 - run['settings']['confidence']:.2g}",
        "score_notes": notes_on_intervals(record),
        "score_picture": score_picture(record),
        "reliability": reliability_picture(record),
        "transfers": transfer_pictures(record),
        "findings": run["warnings"],
        "methods": [_method(method) for method in run["methods"]],
        "settings": {name: _as_text(value) for name, value in run["settings"].items()},
        "seconds": {name: f"{float(value):.1f} s" for name, value in run["seconds"].items()},
        "versions": {name: str(value) for name, value in run["versions"].items()},
        "platform": {name: str(value) for name, value in run["platform"].items()},
    }


def _digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def render_report(record, *, title=None):
    """Return the page as text; parameters as in `write_report`."""
    require_extra("report")
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    with storing(record.scores["corpus"]):
        context = _context(record, title)
    # Both are part of the package: no text of a user gets into them, so they need no escaping.
    own = {name: Markup(_read(f"report.{suffix}")) for name, suffix in _OWN.items()}
    digests = {f"{name}_hash": _digest(text) for name, text in own.items()}
    template = environment.from_string(_read("report.html.jinja"))
    return template.render(**own, **digests, **context)


def write_report(record, path, *, title=None):
    """Write an HTML report of an evaluation.

    The page is one file and forbids the browser to load anything else: pictures and style are
    inside. Its only script, whose digest the page names, copies tables as CSV or LaTeX; without
    it they can be saved. It opens from a disk, can be sent by mail and printed, and
    follows the reader's choice of a light or dark theme. Names of files, speakers and corpora
    are escaped.

    Parameters
    ----------
    record : EvaluationRecord
        The results.
    path : str or path-like
        The file to write; its folder is created if missing. An existing page stays until the
        new one is complete.
    title : str, default=None
        The headline; None states the numbers of methods and corpora.

    Returns
    -------
    path : pathlib.Path
        The path of the page.

    Raises
    ------
    ImportError
        If Jinja2 or matplotlib is not installed.

    See Also
    --------
    EvaluationRecord : Creates the record, and saves it in a folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser import cross_corpus_validate
    >>> from sklearn_ser.report import EvaluationRecord, write_report
    >>> speech = pd.DataFrame({
    ...     "corpus": np.repeat(["de", "ur"], 60), "speaker": np.repeat(np.arange(12), 10),
    ...     "emotion": ["anger", "sadness"] * 60,
    ... })
    >>> X = np.random.default_rng(0).normal(size=(120, 3))
    >>> X[speech.emotion == "anger"] += 1
    >>> result = cross_corpus_validate(
    ...     LogisticRegression(), X, speech.emotion, speech.corpus, speaker=speech.speaker
    ... )
    >>> record = EvaluationRecord.from_results({"logistic": result}, speech)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(record, Path(folder) / "report.html")
    ...     path.read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    page = render_report(record, title=title)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(page)
    return path
