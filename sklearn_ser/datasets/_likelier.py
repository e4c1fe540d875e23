"""Tell which registered corpus the names in a folder look like."""

from pathlib import Path, PurePosixPath

from sklearn_ser.datasets._corpora._registry import CORPORA
from sklearn_ser.datasets._names import labels_in, native_name
from sklearn_ser.exceptions import CorpusError

__all__ = ["likelier_corpus"]

# Fewer names may all be read by another corpus by chance.
_ENOUGH = 10
_TRIED = 500  # names, about


def _n_read(corpus, folder, files):
    """Count the files whose names the corpus reads."""
    try:
        read = corpus.reader(folder)
    except (CorpusError, ImportError):
        return 0
    names = (native_name(corpus, file) for file in files)
    return sum(
        name is not None and labels_in(corpus, name, read, folder) is not None for name in names
    )


def _typical(corpus, rivals):
    """Return the share of examples of a corpus that rivals read as well."""
    readers = [rival.reader(Path()) for rival in rivals if rival.prepare is None]
    paths = [PurePosixPath(path) for path in corpus.examples]
    return sum(any(read(path) for read in readers) for path in paths) / len(paths)


def _candidates(corpus, folder, files, *, complete):
    """Yield the other corpora that are worth a try."""
    for other in CORPORA.values():
        if other.name == corpus.name:
            continue
        # Where nothing is amiss, the tables of other corpora are not looked for.
        if not complete or (other.prepare is None and _n_read(other, folder, files[:1])):
            yield other


def likelier_corpus(corpus, folder, known, unknown):
    """Say which other corpus the names in a folder look like.

    It reads more of the names than the given corpus, or as many. The latter
    happens where schemes overlap, as those of RAVDESS and BanglaSER, whose
    codes mean different emotions. If all names are in the overlap, the corpus
    is likelier that has more of its own names there. Corpora that are not
    registered are not suspected for such an overlap.

    Parameters
    ----------
    corpus : Corpus
        The corpus that the folder is said to hold.
    folder : pathlib.Path
        The folder.
    known, unknown : list of pathlib.PurePosixPath
        Files below it whose names `corpus` reads and does not read.

    Returns
    -------
    clause : str or None
        None if no other corpus is likelier.
    """
    files = known + unknown
    if len(files) < _ENOUGH and not unknown:
        return None
    tried = files[:: max(1, len(files) // _TRIED)]
    others = {
        other.name: _n_read(other, folder, tried)
        for other in _candidates(corpus, folder, files, complete=not unknown)
    }
    most = max(others.values(), default=0)
    tied = [CORPORA[name] for name, n in others.items() if n == most]
    if 2 * most <= len(tried):
        return None
    best = max(tied, key=lambda other: _typical(other, [c for c in tied if c is not other]))
    n_own = len(set(known).intersection(tried))
    if most < n_own:
        return None
    # A description of one's own reads what its author wants; a copy of a scheme is no mistake.
    registered = corpus.name in CORPORA
    if most == n_own and not (registered and _typical(best, [corpus]) > _typical(corpus, [best])):
        return None
    return (
        f"the names look like those of {best.title}, whose scheme {_n_read(best, folder, files)} "
        f"of {len(files)} follow: if the folder holds that corpus, load it as {best.name!r}"
    )
