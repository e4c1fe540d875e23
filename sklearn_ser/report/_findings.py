"""Caveats for reading the scores, derived from the tables."""

__all__ = ["find_in_data", "find_in_scores"]

# Reported are speakers with this many times an even share of the recordings, and classes whose
# sizes differ by this factor.
_UNEVEN = 3.0


def _finding(about, kind, detail):
    return {"about": str(about), "kind": kind, "detail": detail}


def _list(words):
    return ", ".join(map(str, words))


def _speakers_of(name, rows):
    """Yield caveats about the speakers of a corpus."""
    unknown = int(rows["speaker"].isna().sum())
    if unknown:
        yield _finding(
            name,
            "unknown speakers",
            f"The speaker of {unknown} of {len(rows)} recordings is unknown, so the effect of the "
            f"choice of speakers on the score cannot be estimated: no interval, no p-value.",
        )
        return
    counts = rows["speaker"].value_counts()
    if len(counts) > 1 and counts.iloc[0] > _UNEVEN * len(rows) / len(counts):
        yield _finding(
            name,
            "unbalanced speakers",
            f"{counts.index[0]} speaks {counts.iloc[0]} of {len(rows)} recordings; an even share "
            f"for {len(counts)} speakers would be {len(rows) / len(counts):.0f}. The score "
            f"depends largely on a few voices.",
        )
    # If each emotion has voices of its own, a model can recognise the voice instead: emotion and
    # speaker are confounded, and no score can separate them.
    n_emotions = rows["emotion"].nunique()
    complete = int((rows.groupby("speaker")["emotion"].nunique() == n_emotions).sum())
    if complete < len(counts) / 2:
        few = f"Only {complete}" if complete else "None"
        yield _finding(
            name,
            "unbalanced speakers",
            f"{few} of {len(counts)} speakers can be heard in all {n_emotions} emotions, so "
            f"differences between emotions are partly differences between speakers.",
        )


def _emotions_of(name, rows, emotions):
    """Yield caveats about the emotions of a corpus."""
    counts = rows["emotion"].value_counts()
    missing = [word for word in emotions if word not in counts]
    if missing:
        yield _finding(
            name,
            "missing classes",
            f"It has no recordings of {_list(missing)}. Its UAR is the mean over the other "
            f"{len(counts)} and not quite comparable with that of other corpora.",
        )
    if counts.iloc[0] > _UNEVEN * counts.iloc[-1]:
        yield _finding(
            name,
            "unbalanced classes",
            f"{counts.iloc[0]} recordings of {counts.index[0]}, but {counts.iloc[-1]} of "
            f"{counts.index[-1]}. Accuracy mostly reflects the former; UAR weighs all equally.",
        )


def find_in_data(speech):
    """Find caveats in the recordings.

    Parameters
    ----------
    speech : DataFrame
        With the columns ``corpus``, ``speaker`` and ``emotion``.

    Returns
    -------
    findings : list of dict
        ``about`` (a corpus), ``kind`` and ``detail``, a text.
    """
    emotions = sorted(speech["emotion"].unique())
    findings = []
    for name, rows in speech.groupby("corpus", sort=False):
        findings += _speakers_of(name, rows)
        findings += _emotions_of(name, rows, emotions)
    return findings


def find_in_scores(scores, warned):
    """Find scores without an interval, and collect the warnings of trainings.

    Parameters
    ----------
    scores : DataFrame
        As in `EvaluationRecord`.
    warned : DataFrame
        With the columns ``method``, ``fold``, ``category`` and ``message``.

    Returns
    -------
    findings : list of dict
    """
    findings = []
    noted = scores[scores["interval_note"] != ""]
    for (corpus, note), rows in noted.groupby(["corpus", "interval_note"], sort=False):
        every = rows["method"].nunique() == scores["method"].nunique()
        of = "" if every else f" of {_list(rows['method'].unique())}"
        kind = "interval without width" if note.startswith("no width") else "no interval"
        findings.append(_finding(corpus, kind, f"About the UAR{of}: {note}."))
    for (category, message), rows in warned.groupby(["category", "message"], sort=False):
        folds = _list(fold for fold in rows["fold"].unique() if fold != "all")
        where = f" with {folds} held out" if folds else ""
        detail = f"{category}{where}: {message}"
        findings.append(_finding(_list(rows["method"].unique()), "warning", detail))
    return findings
