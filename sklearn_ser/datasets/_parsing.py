"""Read labels from the file names of a corpus."""

import logging
from pathlib import PurePosixPath
from typing import NamedTuple

from sklearn_ser.audio import AUDIO_SUFFIXES, Segment
from sklearn_ser.datasets._corpora._corpus import as_list
from sklearn_ser.datasets._formats import (
    SUFFIXES,
    format_notes,
    pointer_notes,
    split_readable,
    suffix_of,
)
from sklearn_ser.datasets._likelier import likelier_corpus
from sklearn_ser.datasets._names import find_names, labels_in
from sklearn_ser.datasets._paths import copies_among
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._advice import advice

__all__ = ["MAX_UNKNOWN", "parse_folder"]

logger = logging.getLogger(__name__)

#: Largest share of recordings that do not follow the naming scheme and are left out with a
#: warning. A few are errors of the archive; more suggest another corpus or edition.
MAX_UNKNOWN = 0.25

_SHOWN = 5  # names of files in a message


class _Recording(NamedTuple):
    file: PurePosixPath
    # One for each utterance.
    labels: list[dict]
    # Equal for the same recording in several formats or folders.
    key: tuple


def _examples(files):
    return ", ".join(map(str, files[:_SHOWN])) + " and others" * (len(files) > _SHOWN)


def _label(corpus, folder, names):
    """Read the labels of all files; return recordings, and files that do not follow the scheme."""
    read = corpus.reader(folder)
    recordings, unknown = [], []
    for file, name in names.items():
        labels = labels_in(corpus, name, read, folder)
        if labels is not None:
            labels = as_list(labels)
            key = (name.name.casefold(), *(tuple(sorted(one.items())) for one in labels))
            recordings.append(_Recording(file, labels, key))
        elif name is file or suffix_of(file) in AUDIO_SUFFIXES:
            unknown.append(file)
    return recordings, unknown


def _one_format_each(recordings, names, corpus):
    """Choose one format per recording: that of the corpus, or else the first in `SUFFIXES`."""
    files, unreadable = split_readable([r.file for r in recordings])
    if not unreadable and all(names[file] is file for file in files):
        return recordings, []
    ranks = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}
    readable = set(files)

    def rank(recording):
        suffix = suffix_of(recording.file)
        native = names[recording.file] is recording.file
        return recording.file not in readable, not native and 1 + ranks[suffix]

    best = {}
    for recording in recordings:
        best[recording.key] = min(rank(recording), best.get(recording.key, (True, len(ranks) + 1)))
    chosen = [r for r in recordings if rank(r) == best[r.key]]
    if len(chosen) < len(recordings):
        logger.info(
            "%d recordings of %s also exist in a second format, which is not used",
            len(recordings) - len(chosen),
            corpus.title,
        )
    return (
        [r for r in chosen if r.file in readable],
        [r for r in chosen if r.file not in readable],
    )


def _without_copies(recordings, folder):
    """Leave out copies with the same name and the same content in another folder."""
    groups = {}
    for recording in recordings:
        groups.setdefault(recording.key, []).append(recording.file)
    copies = []
    for files in groups.values():
        if len(files) > 1:
            files = sorted(files, key=lambda file: (len(file.parts), str(file)))
            places = {folder / file: file for file in files}
            copies += [places[place] for place in copies_among(places)]
    if not copies:
        return recordings, []
    copies.sort(key=str)
    note = (
        f"{len(copies)} recordings in {folder} are copies of others of the same name and content "
        f"and are left out: {_examples(copies)}"
    )
    dropped = set(copies)
    return [r for r in recordings if r.file not in dropped], [note]


def _check_unknown(corpus, folder, known, unknown, strict):
    """Return notes on files that do not follow the naming scheme, or raise."""
    likelier = likelier_corpus(corpus, folder, known, unknown)
    notes = [] if likelier is None else [likelier]
    if not unknown:
        return notes
    n = len(unknown) + len(known)
    problem = (
        f"{len(unknown)} of {n} recordings in {folder} do not follow the naming scheme "
        f"of {corpus.title} (such as {next(iter(corpus.examples))})"
    )
    if corpus.side_files:
        problem += f" or have no label in files such as {min(corpus.side_files)}"
    problem += f": {_examples(unknown)}"
    hint = "".join(f" {note[0].upper()}{note[1:]}." for note in notes)
    if not known:
        raise CorpusError(f"{problem}.{hint} Is {folder} the right folder? {corpus.how_to_get}")
    if strict or (strict is None and len(unknown) > MAX_UNKNOWN * n):
        remedy = advice(", or leave them out with strict=False", " from the folder")
        raise CorpusError(f"{problem}.{hint} Remove them{remedy}.")
    return [f"{problem}; they are left out", *notes]


def _emotions(recordings):
    return dict.fromkeys(one["emotion"] for r in recordings for one in r.labels)


def _rows(recordings, folder):
    """Return the labels of each utterance with its path, which has times if a file has many."""
    for recording in recordings:
        path = str(folder / recording.file)
        for one in recording.labels:
            times = {name: one[name] for name in ("start", "end") if name in one}
            yield {"path": str(Segment(path, **times)) if times else path, **one}


def parse_folder(corpus, folder, strict, emotions=None):
    """Read the labels of all recordings in a folder from their names.

    Parameters
    ----------
    corpus : Corpus
        The corpus.
    folder : pathlib.Path
        Its folder, or that of one of its speakers or emotions.
    strict : bool or None
        Whether files that do not follow the naming scheme are an error. None:
        only if their share exceeds `MAX_UNKNOWN`.
    emotions : sequence of str or None
        Selected emotions; notes do not mention others.

    Returns
    -------
    recordings : list of dict
        Input for `as_table`.
    notes : list of str
        Notes for a warning.

    Raises
    ------
    CorpusError
        If the folder holds no readable recordings of the corpus, or other
        recordings that `strict` does not allow.
    """
    names = find_names(corpus, folder)
    recordings, unknown = _label(corpus, folder, names)
    notes = _check_unknown(corpus, folder, [r.file for r in recordings], unknown, strict)
    recordings, passed_over = _one_format_each(recordings, names, corpus)
    recordings, copies = _without_copies(recordings, folder)
    if emotions is not None:
        passed_over = [r for r in passed_over if not _emotions([r]).keys().isdisjoint(emotions)]
    left, lost = _emotions(recordings), _emotions(passed_over)
    formats = format_notes(
        [r.file for r in recordings],
        [r.file for r in passed_over],
        folder,
        [emotion for emotion in lost if emotion not in left],
        expected={r.file for r in recordings if names[r.file] is r.file},
    )
    if not recordings:
        problem = f"No recordings ({corpus.pattern}) in {folder} or its sub-folders"
        raise CorpusError(f"{'; '.join([problem, *formats])}. {corpus.how_to_get}")
    paths = [str(folder / r.file) for r in recordings]
    notes += copies + pointer_notes(paths, folder) + formats
    return list(_rows(recordings, folder)), notes
