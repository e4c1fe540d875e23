"""Format numbers for readers, and describe them in sentences."""

import numpy as np

from sklearn_ser.evaluation._agreement import TOO_FEW
from sklearn_ser.utils._words import (
    count_of,
    enumerate_words,
    format_difference,
    format_interval,
    format_p,
)

__all__ = ["interval", "p_value", "share", "signed", "summarise"]

_MINUS = "\N{MINUS SIGN}"
_DASH = "\N{EN DASH}"


def interval(low, high, *, form="{:z.2f}"):
    """Return "0.58 to 0.71"; empty without an interval."""
    return format_interval(low, high, form=form, missing="").replace("-", _MINUS)


def share(value):
    """Return a share in percent; a dash for NaN."""
    return f"{value:.0%}" if np.isfinite(value) else _DASH


def signed(value):
    """Return a difference with its sign."""
    return format_difference(value).replace("-", _MINUS)


def p_value(value, note=""):
    """Return "p = 0.034", "p < 0.001", why there is no p, or nothing."""
    text = format_p(value)
    if note or not text:
        return note
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def _material(record):
    recordings = record.predictions.drop_duplicates(["corpus", "path"])
    emotions = sorted(record.predictions["y_true"].unique())
    speakers = sum(corpus.get("speakers", 0) for corpus in record.run["corpora"])
    voices = f" by {count_of(speakers, 'speaker')}" if speakers else ""
    return (
        f"{count_of(len(recordings), 'recording')}{voices} in "
        f"{count_of(len(record.corpora), 'corpus')}. The emotions are {enumerate_words(emotions)}."
    )


def _best(record):
    means = record.means.set_index("method")
    best = means["uar"].idxmax()
    uar, low, high = means.loc[best, ["uar", "uar_low", "uar_high"]]
    chance = record.scores.drop_duplicates("corpus")["chance"].mean()
    several = len(means) > 1
    found = (
        f"recognises {share(uar)} of the recordings of an emotion, on average over emotions and "
        f"held-out corpora; guessing achieves {share(chance)}"
    )
    lead = f"The best of {len(means)} methods is {best}: it" if several else best
    text = f"{lead} {found}."
    if np.isfinite(low):
        text += f" With other speakers it could be {interval(low, high, form='{:.0%}')}."
        if low <= chance:
            text += " This range includes guessing."
    if several:
        # The maximum of several noisy means is biased upwards, more so with more methods.
        text += " The best of several methods tends to look a little better than it is."
    return text


def _are(rows):
    return "is" if len(rows) == 1 else "are"


def _comparison(record):
    # A verdict on the mean alone: one family of tests, which Holm's adjustment controls. Further
    # verdicts for each corpus would multiply the chances of a false one.
    means = record.comparisons[record.comparisons["corpus"].astype(str) == "mean"]
    if means.empty or not np.isfinite(means["p_value"]).any():
        return ""
    first = means["against"].iloc[0]
    if (means["p_note"] == TOO_FEW).all():
        speakers = count_of(int(means["n_speakers"].iloc[0]), "speaker")
        in_many = f" in {count_of(len(means), 'comparison')}" if len(means) > 1 else ""
        return (
            f"With {speakers}, it cannot be told whether a method differs from {first}: no "
            f"difference, however large, could be significant{in_many}."
        )
    level = 1 - record.run["settings"]["confidence"]
    clear = (means["p_adjusted"] <= level) & (means["p_note"] == "")
    if not clear.any():
        return f"No method differs from {first} by more than chance could explain."
    verdicts = []
    for verdict, rows in (
        ("clearly better", means[clear & (means["difference"] > 0)]),
        ("clearly worse", means[clear & (means["difference"] < 0)]),
    ):
        if len(rows):
            verdicts.append(f"{enumerate_words(rows['method'])} {_are(rows)} {verdict}")
    if not clear.all():
        rest = means["method"][~clear]
        noun = "difference" if len(rest) == 1 else "differences"
        verdicts.append(f"the {noun} of {enumerate_words(rest)} could be due to chance")
    return f"Compared with {first}: {'; '.join(verdicts)}."


def _extremes(series, noun):
    # Averaged over methods, and without a test: a description of the material, not of a method.
    best, worst = series.idxmax(), series.idxmin()
    if best == worst:
        return ""
    return (
        f"Over all methods, {best} is the {noun} recognised best ({share(series[best])}) and "
        f"{worst} the one recognised worst ({share(series[worst])})."
    )


def summarise(record):
    """Summarise the findings in a few sentences.

    Parameters
    ----------
    record : EvaluationRecord
        The results.

    Returns
    -------
    sentences : list of str
    """
    corpora = record.scores.astype({"corpus": str}).groupby("corpus")["uar"].mean()
    emotions = record.recalls.groupby("label")["recall"].mean()
    sentences = [
        _material(record),
        _best(record),
        _comparison(record),
        _extremes(corpora, "corpus"),
        _extremes(emotions, "emotion"),
    ]
    return [sentence for sentence in sentences if sentence]
