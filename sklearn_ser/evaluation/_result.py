"""The tables of an evaluation, and their printed form."""

import contextlib
import html
from dataclasses import dataclass

import pandas as pd

from sklearn_ser.evaluation._calibration import calibration_table
from sklearn_ser.evaluation._groups import group_table
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.utils._words import format_interval, format_score

__all__ = ["TITLES", "CrossCorpusResult", "storing"]

# Names of metrics in print.
TITLES = {
    "uar": "UAR",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ccc": "CCC",
    "adjusted_r2": "adj. R²",
    "mae": "MAE",
}


@contextlib.contextmanager
def storing(*columns):
    """Let pandas hold names that are not UTF-8, such as those of old folders.

    Where pyarrow is installed, pandas keeps text as UTF-8 and fails on anything else. Other
    tables keep that storage, which is the faster one.

    Parameters
    ----------
    *columns : array-like or None
        The columns that the tables will hold.
    """
    entries = (one for column in columns if column is not None for one in pd.unique(column))
    try:
        "".join(one for one in entries if isinstance(one, str)).encode()
        options = contextlib.nullcontext()
    except UnicodeEncodeError:
        options = pd.option_context("mode.string_storage", "python")
    with options:
        yield


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CrossCorpusResult:
    """Result of :func:`cross_corpus_validate` or :func:`within_corpus_validate`.

    Printing it shows the summary. All tables are plain DataFrames, whose index has no meaning.

    Parameters
    ----------
    summary : DataFrame
        One row for each corpus that was tested on, means over the repeats, and a last
        row "mean" with the means over the corpora: ``corpus``, ``n_train``,
        ``n_test``, ``n_speakers`` (0 if unknown), ``n_repeats``; for each metric, here
        called m, the columns ``m``, ``m_sd`` (standard deviation over the repeats, NaN
        for a single one), ``m_low`` and ``m_high`` (ends of the confidence interval,
        NaN without one); ``interval_note`` (why there is no interval, or why it has no
        width; otherwise empty), ``fit_time`` and ``predict_time`` in seconds.
    scores : DataFrame
        One row for each corpus and repeat: ``corpus``, ``repeat``, ``seed``,
        ``n_train``, ``n_test``, ``n_speakers``; ``m``, ``m_low`` and ``m_high`` for
        each metric; ``interval_note``, ``fit_time`` and ``predict_time``.
    recalls : DataFrame
        One row for each corpus, repeat and class of its truth: ``corpus``, ``repeat``,
        ``label``, ``n_test``, ``n_speakers`` (with recordings of the class),
        ``recall``, ``recall_low``, ``recall_high``, ``interval_note``. No rows for a
        regressor.
    predictions : DataFrame
        One row for each repeat and recording that was tested on, in the order of `X`:
        ``sample`` (its position in `X`), ``corpus``, ``speaker`` (None if unknown),
        ``repeat``, ``y_true`` and ``y_pred``; if the model has ``predict_proba``, a column
        for the probability of each class, such as ``p_anger``.
    warned : DataFrame
        The warnings: ``fold`` (its name, or "all"), ``category`` (the
        name of the class) and ``message``.
    metrics : tuple of str
        The metrics, the main one first: ``("uar", "accuracy", "macro_f1")`` for a
        classifier, ``("ccc", "adjusted_r2", "mae")`` for a regressor.
    confidence : float
        Nominal coverage of the intervals.

    See Also
    --------
    cross_corpus_validate : Holds out corpora.
    within_corpus_validate : Holds out speakers.
    compare_methods : Compares two results.
    """

    summary: pd.DataFrame
    scores: pd.DataFrame
    recalls: pd.DataFrame
    predictions: pd.DataFrame
    warned: pd.DataFrame
    metrics: tuple[str, ...]
    confidence: float

    def group_scores(self, group, *, metric=None, n_draws=2000, min_speakers=5, random_state=0):
        """Score groups of speakers, such as women and men, and the gaps between them.

        Parameters
        ----------
        group : array-like of shape (n_samples,)
            The group of each recording in `X`, such as its sex; None or NaN where unknown.
        metric : str, default=None
            One of `metrics`; None is the first.
        n_draws, min_speakers, random_state
            Settings of the intervals, as in :func:`speaker_interval`. The confidence is that of
            the result.

        Returns
        -------
        table : DataFrame
            One row for each corpus and group, and for the "mean" over the corpora that have a
            gap, if there are several: ``corpus``, ``group``, ``n_test``, ``n_speakers``; for the
            metric m ``m``, ``m_low`` and ``m_high``; ``gap`` (the score minus that of all other
            groups of the corpus together), ``gap_low`` and ``gap_high``; ``interval_note``. A
            group with fewer than `min_speakers` speakers, or without a class that the corpus has,
            has no score. Corpora with a single group are left out.

        Raises
        ------
        ValueError
            If `group` is shorter than the evaluated `X`, or `metric` does not fit.

        Notes
        -----
        The interval of a gap treats the groups as samples of different speakers. A corpus in which
        a speaker belongs to several groups, such as two ages, has no gaps, and ``interval_note``
        says so. A gap whose interval includes 0 may be due to the choice of speakers; with many
        groups, some intervals exclude 0 by chance.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn_ser import cross_corpus_validate
        >>> rng = np.random.default_rng(0)
        >>> y = np.tile(["anger", "sadness"], 120)
        >>> corpus, speaker = np.repeat(["a", "b"], 120), np.repeat(np.arange(24), 10)
        >>> sex = np.where(speaker % 2, "m", "f")
        >>> shift = np.where(sex == "f", 2, 0.5) * (y == "anger")
        >>> X = rng.normal(size=(240, 3)) + shift[:, None]
        >>> result = cross_corpus_validate(LogisticRegression(), X, y, corpus, speaker=speaker)
        >>> table = result.group_scores(sex)
        >>> table[["corpus", "group", "n_speakers", "uar", "gap", "gap_low", "gap_high"]].round(2)
          corpus group  n_speakers   uar   gap  gap_low  gap_high
        0      a     f           6  0.95  0.33     0.21      0.46
        1      a     m           6  0.62 -0.33    -0.46     -0.21
        2      b     f           6  0.82  0.13    -0.06      0.33
        3      b     m           6  0.68 -0.13    -0.33      0.06
        4   mean     f          12  0.88  0.23     0.13      0.34
        5   mean     m          12  0.65 -0.23    -0.34     -0.13
        """
        metric = self.metrics[0] if metric is None else metric
        settings = BootstrapSettings(n_draws, self.confidence, min_speakers, random_state)
        with storing(self.predictions["corpus"], self.predictions["speaker"]):
            return group_table(self.predictions, group, metric, settings)

    def calibration(self, *, n_bins=10):
        """Score the predicted probabilities.

        Parameters
        ----------
        n_bins : int, default=10
            Number of bins, as in :func:`~sklearn_ser.metrics.reliability_curve`.

        Returns
        -------
        table : DataFrame
            One row for each corpus, and a last row "mean" for the mean over them: ``corpus``,
            ``n_test``, ``brier`` (:func:`~sklearn_ser.metrics.brier_score`) and ``ece``
            (:func:`~sklearn_ser.metrics.expected_calibration_error`), means over the repeats.

        Raises
        ------
        ValueError
            If the model has no ``predict_proba``.
        """
        table = calibration_table(self.predictions, n_bins)
        if table.empty:
            raise ValueError(
                "The predictions have no probabilities: the model has no predict_proba, or one "
                "that returns other numbers than a probability for each class. Evaluate one that "
                "has, such as LogisticRegression."
            )
        return table

    def _table(self):
        rows = self.summary
        with storing(rows["corpus"]):
            return self._format(rows)

    def _format(self, rows):
        columns = {
            "corpus": rows["corpus"].astype(str),
            "train": rows["n_train"].astype(str),
            "test": rows["n_test"].astype(str),
            "speakers": rows["n_speakers"].map(lambda n: str(n) if n else "?"),
        }
        for metric in self.metrics:
            columns[TITLES[metric]] = rows[metric].map(format_score)
            if rows["n_repeats"].max() > 1:
                columns[f"± {TITLES[metric]}"] = rows[f"{metric}_sd"].map(format_score)
        intervals = zip(*(rows[f"{self.metrics[0]}_{end}"] for end in ("low", "high")), strict=True)
        columns[f"{self.confidence:.0%} interval"] = [format_interval(*ends) for ends in intervals]
        columns["fit (s)"] = rows["fit_time"].map("{:.2f}".format)
        columns["predict (s)"] = rows["predict_time"].map("{:.2f}".format)
        table = pd.DataFrame(columns)
        # Nothing is trained or tested on the mean.
        table.loc[table.index[-1], ["train", "test", "speakers"]] = ""
        return table

    def _notes(self):
        """Return the notes below the table, one text for each line."""
        main = TITLES[self.metrics[0]]
        notes = [f"The interval is for {main}, over other speakers of the same corpora."]
        if self.summary["n_repeats"].max() > 1:
            notes.append(f"± is the standard deviation over {self.summary['n_repeats'][0]} seeds.")
        noted = self.summary[:-1].query("interval_note != ''").groupby("interval_note", sort=False)
        notes += [f"{', '.join(map(str, rows['corpus']))}: {note}." for note, rows in noted]
        return notes

    def __repr__(self):
        return "\n".join([self._table().to_string(index=False), *self._notes()])

    def _repr_html_(self):
        notes = "<br>".join(html.escape(note) for note in self._notes())
        return f"{self._table().to_html(index=False, border=0)}<p>{notes}</p>"
