"""Differences between emotions of a corpus that a model could learn in their place."""

import pandas as pd
from joblib import Parallel, delayed

from sklearn_ser.utils._progress import follow

__all__ = [
    "check_durations",
    "check_emotions_present",
    "check_files",
    "check_rates",
    "frequent",
    "read_each",
    "some_of",
]

_SHOWN = 5  # names in a detail


def read_each(function, paths, title, n_jobs, verbose):
    """Apply a function to each path, in threads: the time goes into reading files."""
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    results = parallel(delayed(function)(path) for path in paths)
    return list(follow(results, len(paths), title, shown=bool(verbose), unit="file"))


def some_of(names):
    """Return the first few names, and the number of the others."""
    names = list(map(str, names))
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))


def check_files(rows):
    """Report files with unusable or doubtful features, by problem and corpus."""
    named = {}
    for corpus, path, problems in rows[["corpus", "path", "problems"]].itertuples(index=False):
        for kind, text in problems:
            named.setdefault((kind, corpus), []).append(f"{path} ({text})" if text else path)
    for (kind, corpus), names in sorted(named.items()):
        yield kind, corpus, some_of(names), len(names)


def frequent(rows, min_recordings):
    """Keep the emotions of a corpus with enough recordings to compare."""
    return rows[rows.groupby("emotion")["emotion"].transform("size") >= min_recordings]


def check_rates(rows, max_difference, min_recordings):
    """Report corpora in which a sampling rate distinguishes emotions."""
    for corpus, part in rows.dropna(subset="sr").groupby("corpus"):
        part = frequent(part, min_recordings)
        shares = pd.crosstab(part["emotion"], part["sr"], normalize="index")
        ranges = shares.max() - shares.min()
        for rate in ranges.index[ranges > max_difference]:
            share = shares[rate]
            yield (
                "sampling rate",
                corpus,
                f"{rate:g} Hz: {share.max():.0%} of {share.idxmax()}, "
                f"{share.min():.0%} of {share.idxmin()}",
                int((part["sr"] == rate).sum()),
            )


def check_durations(rows, max_ratio, min_recordings):
    """Report corpora in which recordings of one emotion are much longer than of another."""
    for corpus, part in rows.dropna(subset="duration").groupby("corpus"):
        part = frequent(part, min_recordings)
        medians = part.groupby("emotion")["duration"].median()
        if len(medians) > 1 and medians.max() > max_ratio * medians.min():
            longest, shortest = medians.idxmax(), medians.idxmin()
            detail = (
                f"median of {longest} {medians.max():.2f} s, of {shortest} {medians.min():.2f} s"
            )
            yield "duration", corpus, detail, int(part["emotion"].isin([longest, shortest]).sum())


def check_emotions_present(rows, emotions):
    """Report expected emotions that a corpus does not have."""
    expected = set(rows["emotion"].dropna()) if emotions is None else emotions
    for corpus, part in rows.groupby("corpus"):
        missing = sorted(set(expected) - set(part["emotion"]))
        if missing:
            yield "missing emotion", corpus, ", ".join(missing), len(missing)
