"""What is in a table of recordings: counts, durations, rates, and what is out of balance."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_ser.utils._messages import plain
from sklearn_ser.utils._spelling import harmless
from sklearn_ser.utils._words import count_of

__all__ = ["SpeechDescription"]


def _as_texts(table):
    """Return the cells of the table as texts."""
    shown = {}
    for name, column in table.items():
        if name in ("hours", "seconds"):
            digits = 2 if name == "hours" else 1
            shown[name] = [f"{x:.{digits}f}" if np.isfinite(x) else "?" for x in column]
        elif column.dtype.kind in "iu":
            shown[name] = [f"{n:,}" if n else "-" for n in column]
        else:
            shown[name] = [harmless(str(plain(cell))) for cell in column]
    shown = pd.DataFrame(shown, index=[harmless(str(plain(name))) for name in table.index])
    # What is unknown of all recordings would only take room.
    return shown.loc[:, ~shown.isin(["?", "-"]).all()]


@dataclass(frozen=True, eq=False, repr=False)
class SpeechDescription:
    """Counts of a table of recordings, and what in them will hurt.

    Printing it, or displaying it in a notebook, shows `table` and the findings;
    :meth:`plot` draws counts and durations. Made by :func:`describe`.

    Parameters
    ----------
    by_emotion : DataFrame of shape (n_corpora, n_emotions)
        Number of recordings. The columns follow the order of ``EMOTIONS``.
    by_sex : DataFrame
        The same for each corpus and sex, with ``"?"`` where it is unknown.
    by_speaker : DataFrame
        Of each corpus and speaker: sex and age, if they are known and the same
        in all of the speaker's recordings, the number of recordings, and their
        number by emotion.
    by_rate : DataFrame of shape (n_corpora, n_rates)
        Number of recordings at each sampling rate in Hz.
    durations : DataFrame
        Of each corpus and emotion: the number of recordings of known duration,
        their hours, and the median, the 5th and the 95th percentile in seconds.
    table : DataFrame
        Of each corpus, and of all: the number of recordings and of those with
        each emotion, the numbers of speakers and of recordings of women and men,
        hours, median duration in seconds, and rates in kHz. An emotion that is
        named like one of these columns is followed by ``(emotion)``, here and in
        `by_speaker`.
    findings : DataFrame
        One row for each imbalance: its name, the corpus, the details, and what
        follows from it.

    See Also
    --------
    describe : Describes a table.
    """

    by_emotion: pd.DataFrame
    by_sex: pd.DataFrame
    by_speaker: pd.DataFrame
    by_rate: pd.DataFrame
    durations: pd.DataFrame
    table: pd.DataFrame
    findings: pd.DataFrame

    def _head(self):
        total = self.table.iloc[-1]
        hours = f", {total['hours']:.2f} hours" if np.isfinite(total["hours"]) else ""
        corpora = count_of(len(self.by_emotion), "corpus")
        n_speakers = int(total["speakers"])
        speakers = f", {count_of(n_speakers, 'speaker')}" if n_speakers else ""
        return f"{count_of(int(total['recordings']), 'recording')} of {corpora}{speakers}{hours}"

    def _findings(self):
        """Return name and text of the findings, each consequence once."""
        shown = []
        for finding, part in self.findings.groupby("finding", sort=False):
            places = zip(part["corpus"], part["detail"], strict=True)
            where = "; ".join(f"{corpus}: {detail}" for corpus, detail in places)
            shown.append((finding, harmless(where), part["consequence"].iloc[0]))
        return shown

    def __repr__(self):
        lines = [self._head(), "", _as_texts(self.table).to_string()]
        found = self._findings()
        lines += ["", "What will hurt:"] if found else ["", "Nothing is badly out of balance."]
        lines += [f"* {name}: {where}.\n  {what}" for name, where, what in found]
        return "\n".join(lines)

    def _repr_html_(self):
        # Otherwise pandas cuts cells to its own limit.
        with pd.option_context("display.max_colwidth", None):
            table = _as_texts(self.table).to_html(border=0)
        found = "".join(
            f"<li><b>{html.escape(name)}</b>: {html.escape(where)}.<br>{html.escape(what)}</li>"
            for name, where, what in self._findings()
        )
        title = "What will hurt" if found else "Nothing is badly out of balance."
        return f"<p>{self._head()}</p>{table}<p>{title}</p><ul>{found}</ul>"

    def plot(self, ax=None):
        """Draw the numbers of recordings and, if they are known, durations.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; None makes a new figure.

        Returns
        -------
        display : sklearn_ser.plotting.SpeechDisplay
            The display.
        """
        from sklearn_ser.plotting import SpeechDisplay

        known = self.durations["recordings"].sum() > 0
        return SpeechDisplay(self.by_emotion, self.durations if known else None).plot(ax=ax)
