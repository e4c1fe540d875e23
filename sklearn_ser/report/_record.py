"""The record of an evaluation: its tables, and what is needed to repeat it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from sklearn_ser.evaluation import compare_with_baseline
from sklearn_ser.evaluation._baseline import BASELINE_COLUMNS, adjust
from sklearn_ser.evaluation._result import storing
from sklearn_ser.report._facts import describe_corpora, describe_methods, versions
from sklearn_ser.report._files import read_folder, write_folder
from sklearn_ser.report._findings import find_in_data, find_in_scores
from sklearn_ser.utils._identities import canonical_ids, without_spelling_warnings
from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._versions import platform_facts
from sklearn_ser.utils._words import count_of

__all__ = ["EvaluationRecord"]

_SPEECH = ("path", "corpus", "language", "speaker", "sex")


def _check_results(results, speech):
    """Refuse results that cannot form a record."""
    if not results:
        raise ValueError("results is empty; pass at least one, by the name of its method.")
    for name, result in results.items():
        if "uar" not in result.metrics:
            raise ValueError(
                f"The result of {plain(name)!r} has the metrics {', '.join(result.metrics)}; a "
                f"record is about emotions as labels and needs the result of a classifier."
            )
        if result.predictions["sample"].max() >= len(speech):
            raise ValueError(
                f"The result of {plain(name)!r} has predictions for recording "
                f"{result.predictions['sample'].max()}, but speech has {len(speech)} rows. Pass "
                f"the table of recordings that was evaluated."
            )
        differing = [
            column
            for column, known in (("corpus", "corpus"), ("emotion", "y_true"))
            if (
                speech[column].to_numpy(dtype=str)[result.predictions["sample"]]
                != result.predictions[known].to_numpy(dtype=str)
            ).any()
        ]
        if differing:
            raise ValueError(
                f"The result of {plain(name)!r} and speech differ in {' and '.join(differing)}. "
                f"Pass the table of recordings that was evaluated, with its rows in the same order."
            )
    if (speech["corpus"] == "mean").any():
        raise ValueError("A corpus is called 'mean', the name of the mean over corpora; rename it.")


def _with_canonical_ids(speech):
    """Return the table with corpora and speakers spelled as in the results."""
    with without_spelling_warnings():
        ids = {
            # Objects, because pandas cannot infer a type for names that are not UTF-8.
            column: pd.Series(
                canonical_ids(speech[column], name=column), index=speech.index, dtype=object
            )
            for column in ("corpus", "speaker")
            if column in speech
        }
    return speech.assign(**ids)


def _stack(results, table):
    """Concatenate one of the tables of all results, with a column `method`."""
    tables = {name: getattr(result, table) for name, result in results.items()}
    filled = {name: rows for name, rows in tables.items() if len(rows)}
    if not filled:
        return next(iter(tables.values())).assign(method=[])
    stacked = pd.concat(filled, names=["method"]).reset_index("method")
    return stacked.reset_index(drop=True)


def _split_summary(results, speech):
    """Return the scores of corpora, with language and chance, and the means over corpora."""
    summary = _stack(results, "summary")
    is_mean = summary["corpus"] == "mean"
    scores = summary[~is_mean].reset_index(drop=True)
    by_corpus = speech.groupby("corpus")
    if "language" in speech:
        language = by_corpus["language"].agg(lambda words: "+".join(words.dropna().unique()))
        scores.insert(2, "language", scores["corpus"].map(language))
    # UAR of guessing, over the emotions that occur in the corpus: the others have no recall.
    chance = 1 / by_corpus["emotion"].nunique()
    scores.insert(scores.columns.get_loc("uar"), "chance", scores["corpus"].map(chance))
    return scores, summary[is_mean].reset_index(drop=True)


def _name_predictions(results, speech):
    """Return all predictions, with the known facts about each recording."""
    predictions = _stack(results, "predictions")
    known = speech[[column for column in _SPEECH if column in speech]]
    named = known.iloc[predictions["sample"]].reset_index(drop=True)
    if "path" not in named:
        named.insert(0, "path", predictions["sample"].map("recording {}".format))
    return named.join(predictions[["method", "repeat", "y_true", "y_pred"]])


def _compare(results):
    """Compare each method with the first; no rows if there is no other, or no known speaker."""
    first = next(iter(results.values()))
    if len(results) < 2 or first.predictions["speaker"].isna().all():
        return pd.DataFrame(columns=BASELINE_COLUMNS)
    return compare_with_baseline(results, confidence=first.confidence)


def _make_tables(results, speech, transfer):
    """Return the tables of a record, by name."""
    _check_results(results, speech)
    scores, means = _split_summary(results, speech)
    cells = {name: result.cells.assign(method=name) for name, result in transfer.items()}
    return {
        "scores": scores,
        "means": means,
        "recalls": _stack(results, "recalls"),
        "predictions": _name_predictions(results, speech),
        "comparisons": _compare(results),
        "transfer": pd.concat(cells, ignore_index=True) if cells else None,
    }


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
        ``speaker``, ``sex``, ``method``, ``repeat``, ``y_true``, ``y_pred``.
    comparisons : DataFrame or None
        Each method compared with the first, for each corpus and the ``"mean"``: ``method``,
        ``against``, ``corpus``, ``difference``, ``low``, ``high``, ``p_value``,
        ``p_adjusted`` (by Holm's procedure, for the number of methods compared),
        ``p_smallest``, ``p_note``, ``n_speakers``, ``interval_note``, as
        :func:`~sklearn_ser.evaluation.compare_with_baseline` has them. Without speakers, or
        with one method, no rows.
    transfer : DataFrame or None
        The cells of a `~sklearn_ser.evaluation.TransferResult`, with a column ``method``.
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
            ``emotion``, and, if known, ``path``, ``language``, ``speaker`` and ``sex``.
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
        """
        speech = _with_canonical_ids(speech)
        with storing(*(speech[name] for name in ("corpus", "speaker") if name in speech)):
            tables = _make_tables(results, speech, transfer or {})
            known = speech if "speaker" in speech else speech.assign(speaker=None)
            corpora = describe_corpora(known, sources or {})
            warned = find_in_scores(tables["scores"], _stack(results, "warned"))
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
        tables = ("scores", "means", "recalls", "predictions", "comparisons", "transfer")
        write_folder(folder, self.run, {name: getattr(self, name) for name in tables})

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
