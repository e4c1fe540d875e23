"""Check corpora for problems that make an evaluation misleading."""

import functools
import os
import warnings

import numpy as np
import pandas as pd

from sklearn_ser.audio import MAXIMUM_DURATION, Inspection, inspect_recording
from sklearn_ser.datasets._balance import (
    check_durations,
    check_emotions_present,
    check_files,
    check_rates,
    read_each,
    some_of,
)
from sklearn_ser.datasets._base import check_emotions
from sklearn_ser.datasets._paths import content_digest
from sklearn_ser.exceptions import CorpusError, CorpusWarning
from sklearn_ser.utils._identities import canonical_ids
from sklearn_ser.utils._messages import plain

__all__ = ["check_corpora"]

_REPORT = ["check", "corpus", "detail", "n"]


def _check_contents(rows, n_jobs, verbose):
    """Report groups of files with the same content, and rows that repeat a file."""
    readable = rows[rows["n_bytes"] > 0]
    for path, part in readable[readable.duplicated("path", keep=False)].groupby("path"):
        yield "repeated file", some_of(part["corpus"].unique()), _remarks(path, part), len(part)
    once = readable.drop_duplicates("path")
    # Files of different sizes differ, so most files need not be read.
    suspects = once[once.duplicated("n_bytes", keep=False)]
    digests = read_each(
        content_digest, suspects["path"].tolist(), "Comparing contents", n_jobs, verbose
    )
    suspects = suspects.assign(digest=digests)
    suspects = suspects[suspects.duplicated("digest", keep=False)]
    for _, part in suspects.groupby("digest", sort=False):
        detail = _remarks(" = ".join(part["path"]), part)
        yield "same content", some_of(part["corpus"].unique()), detail, len(part)


def _remarks(detail, part):
    """Add the differences between copies of a recording, which make copies harmful."""
    for column, words in (
        ("emotion", "labelled"),
        ("speaker", "said to be spoken by"),
        ("part", "on several sides of the split:"),
    ):
        values = part[column].dropna().unique()
        if len(values) > 1:
            detail += f"; {words} {some_of(values)}"
    return detail


def _check_speakers(rows):
    """Report speakers on several sides of the split, and recordings without a speaker."""
    used = rows.dropna(subset="part")
    for corpus, part in used[used["speaker"].isna()].groupby("corpus"):
        yield "unknown speaker", corpus, some_of(part["path"]), len(part)
    n_parts = used.groupby(["corpus", "speaker"])["part"].nunique()
    for corpus, shared in n_parts[n_parts > 1].groupby("corpus"):
        speakers = shared.index.get_level_values("speaker")
        yield "speaker in several parts", corpus, some_of(speakers), len(speakers)


def _check_table(table):
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"table is a {type(table).__name__}; expected a DataFrame as load_corpora returns it."
        )
    missing = [c for c in ("path", "corpus", "speaker", "emotion") if c not in table]
    if missing:
        raise CorpusError(
            f"The table has no column {missing[0]!r}; expected path, corpus, speaker and emotion "
            "as load_corpora returns them."
        )
    if table.empty:
        raise CorpusError("The table has no recordings; there is nothing to check.")
    gaps = table[["path", "corpus"]].isna().any()
    if gaps.any():
        raise CorpusError(f"The column {gaps.idxmax()!r} has gaps; every recording needs an entry.")


def _as_parts(split, table):
    """Return the side of the split of each row, or NaN for rows that are not used."""
    if split is None:
        return np.full(len(table), np.nan, dtype=object)
    if isinstance(split, str):
        if split not in table:
            raise ValueError(
                f"split={plain(split)!r} is not a column of the table; its columns are: "
                f"{', '.join(map(str, table.columns))}."
            )
        split = table[split]
    parts = np.asarray(split, dtype=object)
    if parts.ndim == 1:
        parts = canonical_ids(parts, name="split")
    if parts.shape != (len(table),):
        raise ValueError(
            f"split has shape {parts.shape}; expected one entry for each of the {len(table)} "
            "recordings, such as 'train' and 'test', or the number of a fold."
        )
    if pd.unique(parts[~pd.isna(parts)]).size < 2:
        raise ValueError(
            "split names fewer than two sides; expected for example 'train' and 'test'."
        )
    return parts


def _check_bounds(max_rate_difference, max_duration_ratio, min_recordings):
    if not 0 <= max_rate_difference <= 1:
        raise ValueError(
            f"max_rate_difference={plain(max_rate_difference)!r}; expected a share from 0 to 1."
        )
    if not max_duration_ratio >= 1:
        raise ValueError(f"max_duration_ratio={plain(max_duration_ratio)!r}; expected at least 1.")
    if not min_recordings >= 1:
        raise ValueError(f"min_recordings={plain(min_recordings)!r}; expected at least 1.")


def check_corpora(
    table,
    *,
    split=None,
    emotions=None,
    samples=False,
    max_duration=MAXIMUM_DURATION,
    max_rate_difference=0.25,
    max_duration_ratio=2.0,
    min_recordings=5,
    n_jobs=None,
    verbose=0,
):
    """Find problems of recordings and labels that make scores too good, or wrong.

    The size and the header of each file are read, or with `samples` the whole
    file. Contents are compared, by SHA-256, only if sizes are equal. Everything
    that the extraction of features would refuse or warn about is reported.

    ==========================  ================================================
    check                       what is reported
    ==========================  ================================================
    missing file                files that do not exist
    unreadable file             files that are not audio, pipes, devices
    empty recording             files without a sample
    too short, too long         recordings that last less than 60 ms or more than
                                `max_duration`
    sampling rate out of range  rates below 4 kHz or above 1 MHz
    cut off                     files with fewer samples than declared
    gap                         Ogg files in which pages are missing or damaged
    unusable samples            with `samples`: samples that are NaN, infinite or
                                in another unit than full scale = 1, and files
                                that the decoder refuses
    clipped, digital silence,   with `samples`: see the warnings of
    too quiet, cancelling       `sklearn_ser.audio.load_audio`
    channels
    repeated file               a file in several rows
    same content                files that are equal byte for byte, within a
                                corpus or across corpora, and whether emotion,
                                speaker or side of the split differ
    speaker in several parts    speakers on more than one side of `split`
    unknown speaker             recordings in `split` without a speaker
    sampling rate               a rate whose share of the recordings differs
                                between two emotions of a corpus by more than
                                `max_rate_difference`
    duration                    the longest median duration of an emotion of a
                                corpus is more than `max_duration_ratio` times
                                the shortest
    missing emotion             emotions of the other corpora, or of `emotions`,
                                that a corpus does not have
    ==========================  ================================================

    A model can learn rate and duration instead of emotions. Some difference is
    natural: in EMO-DB, the median duration of sadness is 1.7 times that of
    neutral.

    Parameters
    ----------
    table : DataFrame
        Recordings as :func:`load_corpora` returns them; the columns ``path``,
        ``corpus``, ``speaker`` and ``emotion`` are read.
    split : str or array-like of shape (n_recordings,), optional
        The side of a split for each recording, such as ``"train"`` and
        ``"test"`` or the number of a fold; a string names a column of the
        table. Recordings without a side (NaN, None) are not used.
    emotions : sequence of str, optional
        Emotions that every corpus should have; by default all emotions of the
        table.
    samples : bool, default=False
        Whether to decode every recording, which finds problems that headers do
        not show, such as silence and damaged blocks. An hour of speech takes a
        few seconds instead of a fraction of a second.
    max_duration : float, default=14400
        Duration in seconds above which extraction would refuse a recording.
    max_rate_difference : float, default=0.25
        See above.
    max_duration_ratio : float, default=2.0
        See above.
    min_recordings : int, default=5
        Emotions with fewer recordings in a corpus are left out of the
        comparison of rates and durations.
    n_jobs : int, optional
        Number of threads that read files; None means 1, -1 one per core.
    verbose : int, default=0
        Above 0, a progress bar is shown on a terminal; elsewhere a line is printed for each
        thousand recordings and at the end.

    Returns
    -------
    report : DataFrame
        One row per finding, with the columns ``check``, ``corpus`` (several,
        separated by commas, for files they share), ``detail`` and ``n``: the
        number of recordings, speakers or emotions concerned.

    Raises
    ------
    CorpusError
        If the table lacks a column or has no rows.
    TypeError
        If `table` is not a DataFrame.
    ValueError
        If `split` is neither a column nor of the length of the table, or has
        fewer than two sides, or if another parameter is out of range.

    Warns
    -----
    CorpusWarning
        If there are findings; one warning that counts them.

    Examples
    --------
    >>> import tempfile, warnings
    >>> from sklearn_ser.datasets import check_corpora, make_corpora
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     speech = make_corpora(folder, n_corpora=1, n_speakers=2, n_utterances=8)
    ...     check_corpora(speech, split=["train", "test"] * 4)
                          check   corpus                  detail  n
    0  speaker in several parts  alphish  alphish_01, alphish_02  2
    """
    _check_table(table)
    emotions = check_emotions(emotions)
    _check_bounds(max_rate_difference, max_duration_ratio, min_recordings)
    rows = table[["path", "corpus", "speaker", "emotion"]].astype(object).reset_index(drop=True)
    rows["path"] = rows["path"].map(os.fspath)
    rows["part"] = _as_parts(split, table)
    # Normalised, because one person in two spellings could be on both sides unnoticed.
    rows["corpus"] = canonical_ids(rows["corpus"], name="corpus")
    rows["speaker"] = canonical_ids(rows["speaker"], name="speaker", within=rows["corpus"])
    inspect = functools.partial(inspect_recording, max_duration=max_duration, samples=samples)
    title = "Reading recordings" if samples else "Reading headers"
    found = read_each(inspect, rows["path"].tolist(), title, n_jobs, verbose)
    rows = rows.join(pd.DataFrame(found, columns=Inspection._fields))
    findings = [
        *check_files(rows),
        *_check_contents(rows, n_jobs, verbose),
        *_check_speakers(rows),
        *check_rates(rows, max_rate_difference, min_recordings),
        *check_durations(rows, max_duration_ratio, min_recordings),
        *check_emotions_present(rows, emotions),
    ]
    report = pd.DataFrame(findings, columns=_REPORT)
    if findings:
        counts = report["check"].value_counts(sort=False)
        summary = ", ".join(f"{check} ({n})" for check, n in counts.items())
        warnings.warn(
            f"{len(report)} finding{'s' * (len(report) > 1)} in {len(table)} recordings: "
            f"{summary}. The table that check_corpora returns has the details.",
            CorpusWarning,
            stacklevel=2,
        )
    return report
