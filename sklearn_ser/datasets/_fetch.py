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
from sklearn_ser.utils._advice import advice

__all__ = ["corpus_folder", "fetch_corpus", "obtain"]

logger = logging.getLogger(__name__)

_HOME_VARIABLE = "SKLEARN_SER_DATA"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Archives contain transcripts, labels and folders in addition to recordings.
_MEMBERS_PER_RECORDING = 10
_MORE_MEMBERS = 1_000
_USUAL_SIZE = 10_000  # recordings of a corpus whose size is not on record


def corpus_folder(corpus, data_home=None):
    """Return the folder for the download of a corpus, which need not exist."""
    if data_home is None:
        data_home = os.environ.get(_HOME_VARIABLE) or "~/sklearn_ser_data"
    return Path(data_home).expanduser() / corpus.name


def _is_fetched(folder):
    """Return whether the folder of a corpus exists and is not empty.

    Raises
    ------
    NotADirectoryError
        If the path is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; expected the folder of a corpus.")
    return folder.is_dir() and any(folder.iterdir())


def _in_megabytes(n_bytes):
    return f"{max(1, round(n_bytes / 1e6)):,} MB"


def _caution(download):
    """Return a line of caution if nothing protects the archive from changes in transit."""
    if download.url.startswith("https:") or download.known_hash is not None:
        return ""
    return "            not encrypted, and no checksum is on record: check what you get\n"


def _terms_of(corpus, folder):
    """Describe the download, its terms, and the publication to cite."""
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
    """Suppress pooch's advice to pin a checksum, which users cannot follow."""
    its_logger = pooch.get_logger()
    level = its_logger.level
    its_logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        its_logger.setLevel(level)


def _publish(unpacked, folder):
    """Rename a complete folder to its final name."""
    try:
        if folder.exists():
            folder.rmdir()
        unpacked.rename(folder)
    except OSError:
        # Another process may have published the same download first.
        if not _is_fetched(folder):
            raise


def _check_recordings(corpus, folder):
    if not find_files(folder, [corpus.pattern], corpus.ignored):
        raise DownloadError(f"the archive holds no recordings ({corpus.pattern})")


def _download(corpus, folder, downloader):
    """Download and unpack in a temporary folder, and rename it at the end."""
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
    """Download a corpus to `folder`, unless it exists; see `fetch_corpus`.

    `confirm`, if not None, is called after the terms were printed and before the
    download; an exception that it raises cancels the download.
    """
    if _is_fetched(folder):
        return folder
    if corpus.download is None:
        remedy = advice(
            f"Unpack it to {folder}, where this function finds it, or pass its folder to "
            f"load_corpus.",
            f"Unpack it, and pass its folder as --corpus {corpus.name}=FOLDER.",
        )
        raise DownloadError(
            f"{corpus.title} cannot be downloaded freely. {corpus.how_to_get} {remedy}"
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
            f"{corpus.title} was not downloaded from {corpus.download.url}, and no part of it was "
            f"kept: {_reason(error, corpus, folder)}. {corpus.how_to_get}"
        ) from error
    return folder


def fetch_corpus(
    name,
    *,
    data_home=None,
    download_if_missing=True,
    confirm=None,
    n_retries=3,
    delay=1.0,
    verbose=1,
):
    """Download a freely accessible corpus, unless it was downloaded before.

    The archive is verified by its checksum, if one is on record, and unpacked to
    a temporary folder, which is renamed at the very end. After an error or an
    interruption, nothing remains. A broken connection is resumed where it ended,
    within the same call; a server that sends less than 60,000 bytes in a minute
    is abandoned. Redirects from https to unencrypted addresses are refused, and
    so are archives with links, with names outside of their folder, or with more
    content than the corpus has.

    Parameters
    ----------
    name : str or Corpus
        Name of the corpus (see :func:`list_corpora`), or a description of your
        own corpus with its `download`.
    data_home : str or path-like, optional
        Folder with one sub-folder per corpus. By default, the folder in the
        environment variable ``SKLEARN_SER_DATA``, or else ``sklearn_ser_data``
        in the home folder.
    download_if_missing : bool, default=True
        If False, a missing corpus is an error.
    confirm : callable, default=None
        Called without arguments after licence and source were printed and before anything is
        downloaded, to ask for consent; an error that it raises ends the call. It is not called
        if the corpus is there already.
    n_retries : int, default=3
        How often to resume the download after a broken connection or a server
        error.
    delay : float, default=1.0
        Seconds to wait before each retry.
    verbose : int, default=1
        1 prints licence, source and citation to standard error before the
        download, and shows a progress bar on a terminal; 0 prints nothing. In
        both cases, the licence is logged by ``sklearn_ser.datasets``.

    Returns
    -------
    folder : pathlib.Path
        ``data_home / name``, for :func:`load_corpus`. A folder of this name
        that is not empty is assumed to hold the corpus.

    Raises
    ------
    DownloadError
        If the corpus must be requested from its authors (the message says
        where), the connection fails, the archive differs from the one on record
        or is not safe to unpack, the disk is full, or the corpus is missing and
        `download_if_missing` is False.
    CorpusError
        If the corpus is not registered.
    ImportError
        If a download is needed and pooch is not installed.
    NotADirectoryError
        If the folder is a file.

    See Also
    --------
    load_corpus : Read the downloaded corpus.

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_corpus, load_corpus
    >>> speech = load_corpus("ravdess", fetch_corpus("ravdess"))  # doctest: +SKIP
    """
    corpus = name if isinstance(name, Corpus) else find_corpus(name)
    return obtain(
        corpus,
        corpus_folder(corpus, data_home),
        confirm=confirm,
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        verbose=verbose,
    )
