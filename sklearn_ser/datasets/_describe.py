"""Describe a table of recordings before anything is learned from it."""

import os

import pandas as pd

from sklearn_ser.audio import Inspection, inspect_recording
from sklearn_ser.datasets._balance import (
    check_durations,
    check_emotions_present,
    check_files,
    check_rates,
    read_each,
    some_of,
)
from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.datasets._description import SpeechDescription
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._identities import canonical_ids
from sklearn_ser.utils._words import count_of

__all__ = ["describe"]

# Below these numbers of recordings and speakers a score says little.
_FEW_RECORDINGS = 10
_FEW_SPEAKERS = 7
# Ratios and differences of shares above which a finding is reported.
_UNEQUAL_EMOTIONS = 3
_UNEQUAL_CORPORA = 10
_SHARE_OF_ONE = 0.5
_DIFFERENCE = 0.25
_UNEQUAL_DURATIONS = 2
_RATES_SHOWN = 3  # beside the most frequent one

_CONSEQUENCES = {
    "missing emotion": "A model cannot be tested for it there; common_emotions and emotions= of "
    "load_corpora select what all have.",
    "unknown emotion": "Nothing is learned from them, nor can they be scored.",
    "few recordings": "Their recalls are a matter of luck, and count as much in the UAR as others.",
    "unequal emotions": "Accuracy rewards guessing the frequent ones: report UAR, and weight "
    "classes in training.",
    "unequal corpora": "The largest decides what is learned: weight corpora, or draw as many "
    "recordings from each.",
    "emotion of one speaker": "The voice cannot be told from the emotion, nor the two be "
    "separated by speaker.",
    "few speakers": "Tests and intervals over speakers need more of them.",
    "dominant speaker": "Scores are mostly of this voice.",
    "unknown speaker": "Their recordings cannot be kept on one side of a split.",
    "sex and emotion": "The pitch of voices gives emotions away: look at scores by sex.",
    "sampling rate": "A model can learn the bandwidth in place of emotions: resample to one rate, "
    "and limit the bandwidth.",
    "duration": "A model can learn the length in place of emotions.",
}
# The columns of facts, which an emotion of a table may be named like.
_FACTS = frozenset(
    ("sex", "age", "recordings", "speakers", "women", "men", "hours", "seconds", "kHz")
)
_UNUSABLE = "Extraction will refuse it or warn; check_corpora has the details."


def _columns(speech, headers):
    """Return the columns that count, with gaps for those that the table lacks."""
    if not isinstance(speech, pd.DataFrame):
        raise TypeError(
            f"speech is a {type(speech).__name__}; expected a DataFrame as load_corpora returns it."
        )
    needed = ("corpus", "emotion", *(["path"] if headers else []))
    for column in needed:
        if column not in speech:
            hint = " Pass headers=False to open no recording." if column == "path" else ""
            raise CorpusError(
                f"The table has no column {column!r}; expected {', '.join(needed)} as load_corpora "
                f"returns them.{hint}"
            )
    if speech.empty:
        raise CorpusError("The table has no recordings; there is nothing to describe.")
    names = ["path", "corpus", "speaker", "sex", "age", "emotion"]
    rows = speech.reset_index(drop=True).reindex(columns=names).astype(object)
    for column in needed:
        if column != "emotion" and rows[column].isna().any():
            hint = " Pass headers=False to open no recording." if column == "path" else ""
            raise CorpusError(
                f"The column {column!r} has gaps; every recording needs an entry.{hint}"
            )
    rows["corpus"] = canonical_ids(rows["corpus"], name="corpus")
    rows["speaker"] = canonical_ids(rows["speaker"], name="speaker", within=rows["corpus"])
    rows["emotion"] = rows["emotion"].map(str, na_action="ignore")
    rows["age"] = pd.to_numeric(rows["age"], errors="coerce").astype(float)
    return rows


def _read_headers(rows, headers, n_jobs, verbose):
    """Add rate, duration and problems of each recording."""
    if not headers:
        empty = {name: [value] * len(rows) for name, value in Inspection._field_defaults.items()}
        return rows.join(pd.DataFrame(empty))
    paths = rows["path"].map(os.fspath).tolist()
    found = read_each(inspect_recording, paths, "Reading headers", n_jobs, verbose)
    return rows.join(pd.DataFrame(found, columns=Inspection._fields))


def _count(rows, keys, emotions):
    """Count recordings by emotion for each value of some columns."""
    counts = rows.groupby([*keys, "emotion"], sort=False).size().unstack("emotion", fill_value=0)
    everywhere = rows[keys].drop_duplicates()
    index = pd.MultiIndex.from_frame(everywhere) if len(keys) > 1 else everywhere[keys[0]]
    counts = counts.reindex(index=index, columns=emotions, fill_value=0).astype(int)
    return counts.rename_axis(index=keys, columns=None)


def _name_apart(emotion):
    """Return the name of the column of an emotion beside those of other facts."""
    return f"{emotion} (emotion)" if emotion in _FACTS else emotion


def _by_speaker(rows, emotions):
    known = rows.dropna(subset="speaker")
    groups = known.groupby(["corpus", "speaker"], sort=False)
    # What differs between recordings of a speaker is not known.
    facts = groups[["sex", "age"]].first().where(groups[["sex", "age"]].nunique() == 1)
    facts = facts.astype({"sex": object, "age": float})
    facts["recordings"] = groups.size().astype(int)
    if not len(known):
        return facts
    return facts.join(_count(known, ["corpus", "speaker"], emotions).rename(columns=_name_apart))


def _durations(rows, keys):
    """Return number, hours and quantiles of durations."""
    groups = rows.groupby(keys, sort=False)["duration"]
    table = pd.DataFrame({"recordings": groups.count(), "hours": groups.sum(min_count=1) / 3600})
    for name, share in (("median", 0.5), ("low", 0.05), ("high", 0.95)):
        table[name] = groups.quantile(share)
    return table


def _table(rows, by_emotion):
    """Return one row for each corpus, and one for all."""
    names = [*by_emotion.index, "all"]
    parts = [rows[rows["corpus"] == corpus] for corpus in by_emotion.index]
    lines = []
    for part in (*parts, rows):
        counts = part["emotion"].value_counts().reindex(by_emotion.columns, fill_value=0)
        speakers = part[["corpus", "speaker"]].dropna().drop_duplicates()
        lines.append(
            {
                "recordings": len(part),
                **counts.rename(_name_apart).to_dict(),
                "speakers": len(speakers),
                "women": int((part["sex"] == "f").sum()),
                "men": int((part["sex"] == "m").sum()),
                "hours": part["duration"].sum(min_count=1) / 3600,
                "seconds": part["duration"].median(),
                "kHz": _range(part["sr"]) if part is rows else _rates(part["sr"].value_counts()),
            }
        )
    return pd.DataFrame(lines, index=names)


def _rates(counts):
    """Return rates in kHz, the most frequent first, with the shares of some others."""
    shown = counts.iloc[1 : _RATES_SHOWN + 1]
    others = [f"{rate / 1000:g} ({n / counts.sum():.1%})" for rate, n in shown.items()]
    texts = [f"{rate / 1000:g}" for rate in counts.index[:1]] + others
    n_more = len(counts) - 1 - len(shown)
    return ", ".join(texts + [f"{n_more} more"] * (n_more > 0)) or "?"


def _range(rates):
    """Return the lowest and the highest rate in kHz."""
    ends = dict.fromkeys([rates.min(), rates.max()])
    return " to ".join(f"{rate / 1000:g}" for rate in ends) if rates.notna().any() else "?"


def _unknown_emotions(rows):
    for corpus, part in rows[rows["emotion"].isna()].groupby("corpus", sort=False):
        yield "unknown emotion", corpus, count_of(len(part), "recording")


def _unequal_emotions(by_emotion):
    for corpus, counts in by_emotion.iterrows():
        present = counts[counts > 0]
        few = present[present < _FEW_RECORDINGS]
        if len(few):
            yield "few recordings", corpus, ", ".join(f"{word} {n}" for word, n in few.items())
        if len(present) > 1 and present.max() > _UNEQUAL_EMOTIONS * present.min():
            most, least = present.idxmax(), present.idxmin()
            detail = f"{most} {present[most]:,}, {least} {present[least]:,}"
            yield "unequal emotions", corpus, detail
    sizes = by_emotion.sum(axis=1)
    if sizes.min() and sizes.max() > _UNEQUAL_CORPORA * sizes.min():
        small, large = sizes.idxmin(), sizes.idxmax()
        detail = f"{sizes[large]:,} and {sizes[small]:,} recordings"
        yield "unequal corpora", f"{large}, {small}", detail


def _unequal_speakers(rows):
    for corpus, part in rows.groupby("corpus", sort=False):
        known = part.dropna(subset="speaker")
        if len(known) < len(part):
            yield "unknown speaker", corpus, count_of(len(part) - len(known), "recording")
        n_speakers = known["speaker"].nunique()
        if 0 < n_speakers < _FEW_SPEAKERS:
            yield "few speakers", corpus, count_of(n_speakers, "speaker")
        if n_speakers < 2:
            continue
        shares = known["speaker"].value_counts(normalize=True)
        if shares.iloc[0] > _SHARE_OF_ONE:
            yield "dominant speaker", corpus, f"{shares.index[0]} with {shares.iloc[0]:.0%}"
        alone = known.groupby("emotion")["speaker"].nunique()
        alone = alone.index[alone == 1].tolist()
        if alone:
            yield "emotion of one speaker", corpus, some_of(alone)


def _sexes(rows):
    """Report corpora in which the share of women differs between emotions."""
    known = rows[rows["sex"].isin(["f", "m"])]
    for corpus, part in known.groupby("corpus", sort=False):
        sizes = part["emotion"].value_counts()
        part = part[part["emotion"].isin(sizes.index[sizes >= _FEW_RECORDINGS])]
        shares = (part["sex"] == "f").groupby(part["emotion"]).mean()
        if len(shares) > 1 and shares.max() - shares.min() > _DIFFERENCE:
            yield (
                "sex and emotion",
                corpus,
                f"women speak {shares.max():.0%} of {shares.idxmax()}, "
                f"{shares.min():.0%} of {shares.idxmin()}",
            )


def _findings(rows, by_emotion):
    found = [
        # The word "other" stands for something else in each corpus.
        *(one[:3] for one in check_emotions_present(rows, set(by_emotion) - {"other"})),
        *_unknown_emotions(rows),
        *_unequal_emotions(by_emotion),
        *_unequal_speakers(rows),
        *_sexes(rows),
        *(one[:3] for one in check_rates(rows, _DIFFERENCE, _FEW_RECORDINGS)),
        *(one[:3] for one in check_durations(rows, _UNEQUAL_DURATIONS, _FEW_RECORDINGS)),
    ]
    # Names of files would fill the page; how many there are is enough here.
    found += [(kind, corpus, count_of(n, "file")) for kind, corpus, _, n in check_files(rows)]
    table = pd.DataFrame(found, columns=["finding", "corpus", "detail"])
    return table.assign(
        consequence=[_CONSEQUENCES.get(name, _UNUSABLE) for name in table["finding"]]
    )


def describe(speech, *, headers=True, n_jobs=None, verbose=0):
    """Count the recordings of a table, and report what is out of balance.

    This is the first thing to look at: a corpus without one of the emotions, a
    single speaker for an emotion, or an emotion at a sampling rate of its own
    decide a score before any model does.

    ========================  ==================================================
    finding                   what is reported
    ========================  ==================================================
    missing emotion           emotions of other corpora that a corpus lacks
    unknown emotion           recordings without an emotion
    few recordings            emotions with fewer than 10 recordings in a corpus
    unequal emotions          the most frequent emotion of a corpus has more than
                              3 times the recordings of the rarest
    unequal corpora           the largest corpus has more than 10 times the
                              recordings of the smallest
    unknown speaker           recordings without a speaker
    few speakers              corpora with fewer than 7 speakers
    dominant speaker          more than half of a corpus are by one speaker
    emotion of one speaker    emotions that only one speaker of a corpus has
    sex and emotion           the shares of women differ by more than 25 points
                              between two emotions of a corpus
    sampling rate, duration,  as :func:`check_corpora` reports them, from the
    missing file, etc.        headers; emotions with fewer than 10 recordings
                              are left out of comparisons
    ========================  ==================================================

    Parameters
    ----------
    speech : DataFrame
        Recordings as :func:`load_corpora` returns them. The columns ``corpus``
        and ``emotion`` are needed, ``speaker``, ``sex`` and ``age`` are used if
        they are there.
    headers : bool, default=True
        Whether to read the header of each recording in ``path``, for durations
        and sampling rates. Without, no file is opened, and the recordings need
        not exist. Formats that only ffmpeg reads are decoded as a whole.
    n_jobs : int, optional
        Number of threads that read headers; None means 1, -1 one per core.
    verbose : int, default=0
        Above 0, progress is shown, as by :func:`check_corpora`.

    Returns
    -------
    description : SpeechDescription
        Tables of counts, durations and findings, with a printed form, a display
        in notebooks and :meth:`SpeechDescription.plot`.

    Raises
    ------
    CorpusError
        If the table lacks a column or has no rows, or the corpus or the path of a
        recording is missing.
    TypeError
        If `speech` is not a DataFrame.

    See Also
    --------
    check_corpora : Finds copies, damaged files and leaks between the sides of a split.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import describe
    >>> speech = pd.DataFrame({
    ...     "corpus": ["one"] * 40 + ["two"] * 20,
    ...     "speaker": [f"s{i % 8}" for i in range(60)],
    ...     "emotion": ["anger"] * 32 + ["sadness"] * 8 + ["anger"] * 20,
    ... })
    >>> description = describe(speech, headers=False)
    >>> description.by_emotion
             anger  sadness
    corpus
    one         32        8
    two         20        0
    >>> description.findings[["finding", "corpus", "detail"]]
                finding corpus               detail
    0   missing emotion    two              sadness
    1    few recordings    one            sadness 8
    2  unequal emotions    one  anger 32, sadness 8
    """
    rows = _read_headers(_columns(speech, headers), headers, n_jobs, verbose)
    words = rows["emotion"].dropna().unique()
    emotions = [word for word in EMOTIONS if word in words]
    emotions += sorted(set(words) - set(emotions), key=str)
    by_emotion = _count(rows, ["corpus"], emotions)
    known = rows.dropna(subset="sr")
    return SpeechDescription(
        by_emotion=by_emotion,
        by_sex=_count(rows.assign(sex=rows["sex"].fillna("?")), ["corpus", "sex"], emotions),
        by_speaker=_by_speaker(rows, emotions),
        by_rate=pd.crosstab(known["corpus"], known["sr"])
        .reindex(by_emotion.index, fill_value=0)
        .rename_axis(columns=None),
        durations=_durations(rows, ["corpus", "emotion"]),
        table=_table(rows, by_emotion),
        findings=_findings(rows, by_emotion),
    )
