"""Names of recordings as a corpus gives them, and the labels in them."""

import fnmatch
from pathlib import PurePosixPath

from sklearn_ser.datasets._base import find_files, is_ignored
from sklearn_ser.datasets._corpora._registry import CORPORA
from sklearn_ser.datasets._formats import SUFFIXES, suffix_of

__all__ = ["find_names", "labels_in", "native_name"]


def native_name(corpus, file):
    """Return a path as in the corpus's original format, or None if it cannot be a recording.

    Corpora are converted and republished, and names keep all but their suffix.
    """
    if fnmatch.fnmatchcase(file.name.lower(), corpus.pattern):
        name = file
    else:
        own = suffix_of(corpus.pattern)
        if own not in SUFFIXES or suffix_of(file.name.lower()) not in SUFFIXES:
            return None
        name = file.with_suffix(own)
    return None if is_ignored(name, corpus.ignored) else name


def find_names(corpus, folder):
    """List possible recordings of the corpus, with their names in its original format."""
    other = SUFFIXES if suffix_of(corpus.pattern) in SUFFIXES else ()

    def wanted(name):
        return fnmatch.fnmatchcase(name, corpus.pattern) or suffix_of(name) in other

    files = find_files(folder, wanted)
    return {file: name for file in files if (name := native_name(corpus, file)) is not None}


def labels_in(corpus, name, read, folder):
    """Read the labels of a recording below a folder; None if it does not follow the scheme."""
    # The folder may be that of a single speaker or emotion, whose name is part of the scheme. It
    # comes first where registered corpora correct names of files by it, but not for descriptions
    # of one's own, which may count folders from the root of the corpus.
    paths = PurePosixPath(folder.name) / name, name
    first, second = paths if corpus.name in CORPORA else paths[::-1]
    return read(first) or read(second)
