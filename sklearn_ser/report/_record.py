"""The record of an evaluation: its tables, and what is needed to repeat it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from sklearn_ser.evaluation._baseline import BASELINE_COLUMNS, adjust
from sklearn_ser.evaluation._result import storing
from sklearn_ser.report._columns import COLUMNS
from sklearn_ser.report._combine import make_tables, stack, with_canonical_ids
from sklearn_ser.report._exports import scores_latex
from sklearn_ser.report._facts import describe_corpora, describe_methods, versions
from sklearn_ser.report._files import read_folder, write_folder
from sklearn_ser.report._findings import find_in_data, find_in_scores
from sklearn_ser.utils._versions import platform_facts
from sklearn_ser.utils._words import count_of

__all__ = ["EvaluationRecord"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class EvaluationRecord:
    """Results of one or more methods, and the facts needed to repeat them.

    Create it with :meth:`from_results`, save it in a folder with :meth:`save` and read it with
    :meth:`load`. :func:`write_report` writes a page about it.

    Parameters
    ----------
    scores : DataFrame
        One row for each method and held-out corpus: ``method``, ``corpus``, ``language``
        (if known), ``n_train``, ``n_test``, ``n_speakers``, ``n_repeats``, ``chance`` (1 /
        number of emotions in the corpus), and ``m``, ``m_sd``, ``m_low`` and
        ``m_high`` for the metrics m, as in the summary of a
        `~sklearn_ser.evaluation.CrossCorpusResult`; ``interval_note``, ``fit_time`` and
        ``predict_time``.
    means : DataFrame
        One row for each method, with the means over the corpora and their intervals.
    recalls : DataFrame
        One row for each method, corpus, repeat and emotion.
    predictions : DataFrame
        One row for each method, repeat and recording: ``path``, ``corpus``, ``language``,
        ``speaker``, ``sex``, ``age``, ``method``, ``repeat``, ``y_true``, ``y_pred``, and
        probabilities such as ``p_anger``, empty for methods without.
    comparisons : DataFrame or None
        Each method compared with the first, for each corpus and the ``"mean"``: ``method``,
        ``against``, ``corpus``, ``difference``, ``low``, ``high``, ``p_value``,
        ``p_adjusted`` (by Holm's procedure, for the number of methods compared),
        ``p_smallest``, ``p_note``, ``n_speakers``, ``interval_note``, as
        :func:`~sklearn_ser.evaluation.compare_with_baseline` has them. Without speakers, or
        with one method, no rows.
    transfer : DataFrame or None
        The cells of a `~sklearn_ser.evaluation.TransferResult`, with a column ``method``.
    groups : DataFrame or None
        Scores of groups of speakers, as in
        :meth:`~sklearn_ser.evaluation.CrossCorpusResult.group_scores`, with the columns
        ``method`` and ``by`` (``sex`` or ``age``); only groups with a score. None where there
        are none.
    calibration : DataFrame or None
        One row for each method with probabilities and corpus, and for the "mean": ``method``,
        ``corpus``, ``n_test``, ``brier``, ``ece``, as in
        :meth:`~sklearn_ser.evaluation.CrossCorpusResult.calibration`.
    run : dict
        Plain values: ``created``, ``command``, ``notice``, ``versions``, ``platform``,
        ``settings``, ``corpora``, ``methods``, ``warnings``, ``seconds``.

    See Also
    --------
    write_report : Writes a page about it.
    sklearn_ser.evaluation.cross_corpus_validate : Computes the results.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_ser import cross_corpus_validate
    >>> from sklearn_ser.report import EvaluationRecord
    >>> rng = np.random.default_rng(0)
    >>> speech = pd.DataFrame({
    ...     "path": [f"{i}.wav" for i in range(120)], "corpus": np.repeat(["de", "ur"], 60),
    ...     "speaker": np.repeat(np.arange(12), 10), "emotion": ["anger", "sadness"] * 60,
    ... })
    >>> X = rng.normal(size=(120, 3)) + (speech.emotion == "anger").to_numpy()[:, None]
    >>> models = {"logistic": LogisticRegression(), "bayes": GaussianNB()}
    >>> results = {
    ...     name: cross_corpus_validate(
    ...         model, X, speech.emotion, speech.corpus, speaker=speech.speaker
    ...     )
    ...     for name, model in models.items()
    ... }
    >>> record = EvaluationRecord.from_results(results, speech, estimators=models)
    >>> record.scores[["method", "corpus", "uar", "chance"]].round(2)
         method corpus   uar  chance
    0  logistic     de  0.88     0.5
    1  logistic     ur  0.80     0.5
    2     bayes     de  0.87     0.5
    3     bayes     ur  0.78     0.5
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record.save(folder)
    ...     print(EvaluationRecord.load(folder))
    EvaluationRecord of 2 methods (logistic, bayes) on 2 corpora (de, ur)
    """

    scores: pd.DataFrame
    means: pd.DataFrame
    recalls: pd.DataFrame
    predictions: pd.DataFrame
    comparisons: pd.DataFrame | None
    transfer: pd.DataFrame | None
    run: dict
    groups: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None

    @classmethod
    def from_results(
        cls,
        results,
        speech,
        *,
        transfer=None,
        estimators=None,
        descriptions=None,
        sources=None,
        settings=None,
        findings=(),
        seconds=None,
        command="",
        notice="",
    ):
        """Combine results with facts about them.

        Parameters
        ----------
        results : dict of str to CrossCorpusResult
            The result of :func:`~sklearn_ser.evaluation.cross_corpus_validate` for each
            method, by name, on the same recordings. The others are compared with the first.
        speech : DataFrame
            The table of recordings that was evaluated, in the same order: ``corpus``,
            ``emotion``, and, if known, ``path``, ``language``, ``speaker``, ``sex`` and ``age``.
        transfer : dict of str to TransferResult, default=None
            Results of :func:`~sklearn_ser.evaluation.transfer_matrix`, by method.
        estimators : dict of str to estimator, default=None
            The unfitted models, from which parameters and seeds are read.
        descriptions : dict of str to str, default=None
            Descriptions of the methods in a few words.
        sources : dict of str to dict, default=None
            The ``title``, ``licence`` and ``homepage`` of each corpus.
        settings : dict, default=None
            Settings to list in the report, by name.
        findings : iterable of dict, default=()
            Further warnings, each with the texts ``about``, ``kind`` and ``detail``.
        seconds : dict of str to float, default=None
            Duration of each step, by name.
        command : str, default=""
            Command line that reproduces the results.
        notice : str, default=""
            Notice shown at the top of the report.

        Returns
        -------
        record : EvaluationRecord

        Raises
        ------
        ValueError
            If there are no results, a result is that of a regressor, they do not fit the
            table or have different recordings, or a corpus is called "mean".
        TypeError
            If the name of a method is not text.
        """
        speech = with_canonical_ids(speech)
        with storing(*(speech[name] for name in ("corpus", "speaker") if name in speech)):
            tables = make_tables(results, speech, transfer or {})
            known = speech if "speaker" in speech else speech.assign(speaker=None)
            corpora = describe_corpora(known, sources or {})
            warned = find_in_scores(tables["scores"], stack(results, "warned"))
            unusual = find_in_data(known)
        run = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "notice": notice,
            "versions": versions(),
            "platform": platform_facts(),
            "settings": {
                "confidence": next(iter(results.values())).confidence,
                **(settings or {}),
            },
            "corpora": corpora,
            "methods": describe_methods(results, estimators or {}, descriptions or {}),
            "warnings": [*unusual, *findings, *warned],
            "seconds": {name: round(float(value), 2) for name, value in (seconds or {}).items()},
        }
        return cls(run=run, **tables)

    def save(self, folder):
        r"""Write the tables as CSV, and everything else as ``run.json``.

        Parameters
        ----------
        folder : str or path-like
            Created if missing. Files of an earlier record in it are replaced once all new
            ones are complete; if that fails, they stay.

        Raises
        ------
        NotADirectoryError
            If `folder` is a file.

        Notes
        -----
        ``run.json`` is replaced last and holds a digest of each table: :meth:`load` refuses a
        mixture of two evaluations.

        A text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``,
        ``@``, a tab or a line break) is written with an apostrophe before it; if it already
        has apostrophes there, with one more. A byte of a file name that is not
        UTF-8 is spelled like ``\udce9``, a carriage return ``\u000d``, a NUL ``\u0000``;
        backslashes before letters that look like this are doubled. :meth:`load` undoes both.
        """
        write_folder(folder, self.run, {name: getattr(self, name) for name in COLUMNS})

    @classmethod
    def load(cls, folder):
        """Read a folder written by :meth:`save`.

        Parameters
        ----------
        folder : str or path-like
            The folder.

        Returns
        -------
        record : EvaluationRecord

        Raises
        ------
        FileNotFoundError
            If the folder or a file in it does not exist.
        NotADirectoryError
            If `folder` is a file.
        ResultsError
            If a file lacks a column, is damaged, or has a newer format, or the files belong
            to several evaluations. It is a ValueError.
        """
        run, tables = read_folder(folder)
        if tables["comparisons"] is None:
            tables["comparisons"] = pd.DataFrame(columns=BASELINE_COLUMNS)
        elif "p_note" not in tables["comparisons"]:
            # Written by an earlier version, whose p-values and intervals may contradict.
            confidence = run["settings"]["confidence"]
            tables["comparisons"] = adjust(tables["comparisons"], confidence=confidence)
        for key in ("format", "tables"):
            run.pop(key, None)
        return cls(run=run, **tables)

    def to_latex(self):
        r"""Return the table of scores for LaTeX.

        Returns
        -------
        text : str
            A ``table`` with the UAR of each method on each held-out corpus, and its interval. It
            needs ``\usepackage{booktabs}``.
        """
        return scores_latex(self)

    @property
    def methods(self):
        """The names of the methods; the others are compared with the first."""
        return self.scores["method"].unique().tolist()

    @property
    def corpora(self):
        """The names of the held-out corpora."""
        return [str(name) for name in self.scores["corpus"].unique()]

    def __repr__(self):
        methods, corpora = self.methods, self.corpora
        return (
            f"EvaluationRecord of {count_of(len(methods), 'method')} ({', '.join(methods)}) on "
            f"{count_of(len(corpora), 'corpus')} ({', '.join(corpora)})"
        )
