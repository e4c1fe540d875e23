"""Download corpora that are freely available."""

import contextlib
import errno
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from sklearn_ser.datasets._archive import unpack
from sklearn_ser.datasets._base import find_files
from sklearn_ser.datasets._corpora._corpus import Corpus
from sklearn_ser.datasets._corpora._registry import find_corpus
from sklearn_ser.datasets._http import Downloader
from sklearn_ser.exceptions import DownloadError

__all__ = ["corpus_folder", "fetch_corpus", "obtain"]

logger = logging.getLogger(__name__)

_HOME_VARIABLE = "SKLEARN_SER_DATA"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Archives hold transcripts, labels and folders beside the recordings.
_MEMBERS_PER_RECORDING = 10
_MORE_MEMBERS = 1_000
_USUAL_SIZE = 10_000  # recordings of a corpus whose size is not on record


def corpus_folder(corpus, data_home=None):
    """Return the folder that a corpus is downloaded to; whether it exists or not."""
    if data_home is None:
        data_home = os.environ.get(_HOME_VARIABLE) or "~/sklearn_ser_data"
    return Path(data_home).expanduser() / corpus.name


def _is_fetched(folder):
    """Tell whether there is anything in the folder of a corpus.

    Raises
    ------
    NotADirectoryError
        If it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; expected the folder of a corpus.")
    return folder.is_dir() and any(folder.iterdir())


def _in_megabytes(n_bytes):
    return f"{max(1, round(n_bytes / 1e6)):,} MB"


def _caution(download):
    """Return a line of caution if nothing protects the archive from changes on its way."""
    if download.url.startswith("https:") or download.known_hash is not None:
        return ""
    return "            not encrypted, and no checksum is on record: check what you get\n"


def _terms_of(corpus, folder):
    """Say what will be downloaded, under which terms, and what to cite."""
    download = corpus.download
    known = download.n_bytes is not None
    size = _in_megabytes(download.n_bytes) if known else "size unknown"
    return (
        f"{corpus.title}\n"
        f"  licence   {corpus.licence}\n"
        f"  home page {corpus.homepage}\n"
        f"  archive   {download.url} ({size})\n{_caution(download)}"
        f"  unpacks   to {folder}, at most {_in_megabytes(download.unpacked_bytes)}\n"
        f"Publications that use it cite:\n{corpus.citation}"
    )


def _import_pooch():
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            "fetch_corpus downloads with pooch, which is not installed: "
            "pip install 'sklearn-ser[datasets]'"
        ) from error
    return pooch


@contextlib.contextmanager
def _without_notes(pooch):
    """Keep pooch from advising to pin a checksum, which is no business of the user's."""
    its_logger = pooch.get_logger()
    level = its_logger.level
    its_logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        its_logger.setLevel(level)


def _publish(unpacked, folder):
    """Give what is complete its final name."""
    try:
        if folder.exists():
            folder.rmdir()
        unpacked.rename(folder)
    except OSError:
        # Another process may have been faster; it downloaded the same.
        if not _is_fetched(folder):
            raise


def _check_recordings(corpus, folder):
    if not find_files(folder, [corpus.pattern], corpus.ignored):
        raise DownloadError(f"the archive holds no recordings ({corpus.pattern})")


def _download(corpus, folder, downloader):
    """Download and unpack in a folder beside the final one, which appears when all is well."""
    pooch = _import_pooch()
    download = corpus.download
    n_recordings = corpus.n_recordings or _USUAL_SIZE
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        with _without_notes(pooch):
            archive = pooch.retrieve(
                download.url,
                download.known_hash,
                fname="archive",
                path=scratch,
                downloader=downloader,
            )
        if download.known_hash is None:
            digest = pooch.file_hash(archive)
            logger.info("sha256 of %s, for which none is on record: %s", download.url, digest)
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        unpack(
            Path(archive),
            unpacked,
            max_bytes=download.unpacked_bytes,
            max_members=_MORE_MEMBERS + _MEMBERS_PER_RECORDING * n_recordings,
        )
        _check_recordings(corpus, unpacked)
        _publish(unpacked, folder)


def _reason(error, corpus, folder):
    if getattr(error, "errno", None) not in _NO_SPACE:
        return str(error).rstrip(".")
    needed = (corpus.download.n_bytes or 0) + corpus.download.unpacked_bytes
    free = shutil.disk_usage(folder.parent).free
    return (
        f"{error.strerror}: archive and recordings need up to {_in_megabytes(needed)}, "
        f"{_in_megabytes(free)} are free in {folder.parent}"
    )


def obtain(
    corpus, folder, *, confirm=None, download_if_missing=True, n_retries=3, delay=1.0, verbose=1
):
    """Download a corpus to `folder`, unless it is there; see `fetch_corpus`.

    `confirm`, if not None, is called when the terms were printed and before
    anything is downloaded; an error that it raises is the end.
    """
    if _is_fetched(folder):
        return folder
    if corpus.download is None:
        raise DownloadError(
            f"{corpus.title} cannot be downloaded without asking. {corpus.how_to_get} Unpack it "
            f"to {folder}, where this function finds it, or give its folder to load_corpus."
        )
    if not download_if_missing:
        raise DownloadError(
            f"{corpus.title} is not in {folder}, and download_if_missing=False. {corpus.how_to_get}"
        )
    if verbose:
        print(_terms_of(corpus, folder), file=sys.stderr)
    if confirm is not None:
        confirm()
    logger.info("downloading %s, licence: %s", corpus.title, corpus.licence)
    folder.parent.mkdir(parents=True, exist_ok=True)
    downloader = Downloader(
        corpus.download, n_retries=n_retries, delay=delay, progress=bool(verbose)
    )
    try:
        _download(corpus, folder, downloader)
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{corpus.title} was not downloaded from {corpus.download.url}, and nothing of it was "
            f"kept: {_reason(error, corpus, folder)}. {corpus.how_to_get}"
        ) from error
    return folder


def fetch_corpus(
    name, *, data_home=None, download_if_missing=True, n_retries=3, delay=1.0, verbose=1
):
    """Download a corpus that is open to anybody, unless it is there already.

    The archive is checked against its checksum, where one is on record, and
    unpacked beside the folder that this function returns; that folder appears
    at the very end. After any error, and after an interruption, nothing is
    left. A connection that breaks is taken up where it ended, within the same
    call; a server that sends less than 60,000 bytes in a minute is given up. No
    address that begins with https leads to one that does not. Archives with links,
    with names that lead out of their folder, or with more in them than the corpus
    has are refused.

    Parameters
    ----------
    name : str or Corpus
        Name of the corpus, see :func:`list_corpora`; or what is known of a
        corpus of your own, with its `download`.
    data_home : str or path-like, optional
        Folder that holds a folder for each corpus. By default the environment
        variable ``SKLEARN_SER_DATA`` names it; without it, it is
        ``sklearn_ser_data`` in the home folder.
    download_if_missing : bool, default=True
        If False, a corpus that is not there is an error.
    n_retries : int, default=3
        How often to take the download up again after a broken connection or an
        error of the server.
    delay : float, default=1.0
        Seconds to wait before.
    verbose : int, default=1
        1 prints licence, source and citation to standard error before anything
        is downloaded, and shows the progress on a terminal; 0 prints nothing.
        The licence goes to the logger ``sklearn_ser.datasets`` in any case.

    Returns
    -------
    folder : pathlib.Path
        ``data_home / name``, for :func:`load_corpus`. A folder of this name
        that is not empty is taken for the corpus, wherever it is from.

    Raises
    ------
    DownloadError
        If the corpus has to be asked for (the message says where), the
        connection fails, the archive is not the one on record or not safe to
        unpack, the disk is full, or the corpus is missing and
        `download_if_missing` is False.
    CorpusError
        If the corpus is not registered.
    ImportError
        If something is to be downloaded and pooch is not installed.
    NotADirectoryError
        If a file has the name of the folder.

    See Also
    --------
    load_corpus : Read what was downloaded.

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_corpus, load_corpus
    >>> speech = load_corpus("ravdess", fetch_corpus("ravdess"))  # doctest: +SKIP
    """
    corpus = name if isinstance(name, Corpus) else find_corpus(name)
    return obtain(
        corpus,
        corpus_folder(corpus, data_home),
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        verbose=verbose,
    )
