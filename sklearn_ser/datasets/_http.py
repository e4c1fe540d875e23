"""Download a file over HTTP, and resume after broken connections."""

import contextlib
import logging
import queue
import threading
import time

from sklearn_ser.exceptions import DownloadError
from sklearn_ser.utils._progress import progress_bar

__all__ = ["Downloader"]

logger = logging.getLogger(__name__)

_TIMEOUT = 30  # seconds without an answer or a byte
_CHUNK = 1 << 14  # bytes that are lost at most when a connection breaks
# A server that sends less than _SLOWEST bytes in _WINDOW seconds is abandoned. The time for its
# response and headers counts as well, since these may also arrive byte by byte.
_WINDOW = 60
_SLOWEST = 60_000
_MAX_WAITING = 256  # chunks that were received but not yet written


def _may_pass(error):
    """Return whether another attempt may succeed, unlike after 404 and similar errors."""
    response = getattr(error, "response", None)
    return response is None or response.status_code >= 500 or response.status_code == 429


def _continues(response, position):
    """Return whether a response continues at `position` instead of repeating the whole file."""
    if response.status_code != 206:
        return False
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if start != str(position):
        raise DownloadError(f"the server continued at byte {start} instead of {position}")
    return True


class _Speed:
    """Check the speed of a server, minute by minute."""

    def __init__(self):
        self._begin()

    def _begin(self):
        self._end, self._n = time.monotonic() + _WINDOW, 0

    def wait(self):
        """Return the seconds left until the next check."""
        return max(0, self._end - time.monotonic())

    def add(self, n):
        self._n += n
        if self.wait():
            return
        if self._n < _SLOWEST:
            raise DownloadError(
                f"the server sent {self._n} bytes in {_WINDOW} s, expected at least {_SLOWEST}: at "
                "this speed the download would hardly end. Try again later, or on another network"
            )
        self._begin()


def _request(url, headers, received, left):
    """Put the response, its content in chunks, and finally None or an error into a queue."""
    import requests

    def put(item):
        while not left.is_set():
            with contextlib.suppress(queue.Full):
                received.put(item, timeout=1)
                return

    try:
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            put(response)
            for chunk in response.iter_content(_CHUNK):
                put(chunk)
                if left.is_set():
                    return
        put(None)
    except Exception as error:
        put(error)


def _receive(url, headers):
    """Yield a response and then its content, and raise if the server is too slow.

    The request runs in its own thread, because no time limit of requests
    interrupts a read that receives a byte now and then, or such headers.
    """
    received, left = queue.Queue(_MAX_WAITING), threading.Event()
    threading.Thread(target=_request, args=(url, headers, received, left), daemon=True).start()
    speed = _Speed()
    try:
        while True:
            try:
                item = received.get(timeout=speed.wait())
            except queue.Empty:
                speed.add(0)
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            speed.add(len(item) if isinstance(item, bytes) else 0)
            yield item
    finally:
        # The thread ends with the next byte, or with its time limit.
        left.set()


def _check_address(response, url):
    if url.startswith("https:") and not response.url.startswith("https:"):
        raise DownloadError(
            f"the server redirected to {response.url}, which is not encrypted; expected https"
        )


class Downloader:
    """Download a file for pooch, and resume after broken connections.

    A server that sends nothing for 30 s counts as a broken connection; a server
    that sends less than 60,000 bytes in a minute is abandoned.

    Parameters
    ----------
    download : Download
        Limits the size to its `n_bytes`, or else to `unpacked_bytes`.
    n_retries : int
        How often to resume.
    delay : float
        Seconds to wait before each retry.
    progress : bool
        Whether to show a progress bar, on a terminal only.
    """

    def __init__(self, download, *, n_retries, delay, progress):
        self._download = download
        self._n_retries, self._delay, self._progress = n_retries, delay, progress
        # The server's identifier for this version of the file; another version must not be resumed.
        self._version = None

    def __call__(self, url, output_file, pooch):
        from requests import RequestException

        bar = progress_bar(
            self._download.n_bytes, None, shown=self._progress, unit="B", unit_scale=True
        )
        with open(output_file, "wb") as file, bar:
            for attempt in range(self._n_retries + 1):
                try:
                    self._receive(url, file, bar)
                    break
                except RequestException as error:
                    if attempt == self._n_retries or not _may_pass(error):
                        raise
                    logger.info("%s; trying again in %g s", error, self._delay)
                    time.sleep(self._delay)
            self._check_size(file.tell(), complete=True)

    def _receive(self, url, file, bar):
        import requests

        # With compression in transit, sizes in the headers would not be those of the file.
        headers = {"Accept-Encoding": "identity"}
        if file.tell() and self._version is not None:
            headers |= {"Range": f"bytes={file.tell()}-", "If-Range": self._version}
        with contextlib.closing(_receive(url, headers)) as received:
            response = next(received)
            response.raise_for_status()
            _check_address(response, url)
            if not _continues(response, file.tell()):
                file.seek(0)
                file.truncate()
            etag = response.headers.get("ETag", "")
            # A weak ETag promises the same meaning, not the same bytes.
            self._version = etag if etag.startswith('"') else response.headers.get("Last-Modified")
            announced = response.headers.get("Content-Length")
            end = file.tell() + int(announced) if announced is not None else None
            self._check_size(end or 0)
            bar.reset(total=end)
            bar.update(file.tell())
            for chunk in received:
                self._check_size(file.tell() + len(chunk))
                file.write(chunk)
                bar.update(len(chunk))
        if end is not None and file.tell() < end:
            raise requests.ConnectionError(
                f"the connection ended after {file.tell()} of {end} bytes"
            )

    def _check_size(self, n, *, complete=False):
        expected = self._download.n_bytes
        most = self._download.unpacked_bytes if expected is None else expected
        if n > most:
            raise DownloadError(f"the archive has more than the {most} bytes on record")
        if complete and expected is not None and n < expected:
            raise DownloadError(f"the archive has {n} bytes, {expected} are on record")
