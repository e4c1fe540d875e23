import contextlib
import dataclasses
import hashlib
import io
import logging
import re
import stat
import sys
import threading
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import sklearn_ser.datasets
from sklearn_ser.cli import main
from sklearn_ser.datasets import CORPORA, Corpus, _fetch, _http, fetch_corpus, load_corpus
from sklearn_ser.datasets._corpora import _registry
from sklearn_ser.datasets._corpora._corpus import Download
from sklearn_ser.exceptions import CorpusError, DownloadError

pytest.importorskip("pooch")

RECORDINGS = {name: name.encode() * 5000 for name in CORPORA["urdu"].examples}


def zipped(contents, *, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


ARCHIVE = zipped({f"URDU-Dataset-4b546d4/{name}": data for name, data in RECORDINGS.items()})


class Handler(BaseHTTPRequestHandler):
    """Answers as `server` says, and notes what was asked for."""

    def log_message(self, *args):
        pass

    def drip(self):
        """Send bytes now and then until nobody listens."""
        with contextlib.suppress(OSError):
            while not self.server.stopped.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        start = 0
        if asked and server.ranges and self.headers.get("If-Range") == server.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-")) + server.shift
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/*")
        else:
            self.send_response(200)
        rest = server.body[start:]
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.announced:
            self.send_header("Content-Length", str(len(rest)))
        if server.drips == "headers":
            self.wfile.write(b"".join(self._headers_buffer) + b"X-Slow: ")
            self.drip()
        self.end_headers()
        if server.drips == "content":
            self.drip()
        self.wfile.write(rest[: server.cuts.pop(0)] if server.cuts else rest)
        if server.next_etag:
            server.etag = server.next_etag


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.body, server.etag, server.next_etag = ARCHIVE, '"v1"', None
        server.ranges, server.announced, server.shift = True, True, 0
        server.cuts, server.statuses, server.asked = [], [], []
        server.drips, server.stopped = None, threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.stopped.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def urdu(server):
    """Make the registry's row with an archive on the local server."""

    def row(**facts):
        url = f"http://127.0.0.1:{server.server_port}/urdu.zip"
        download = Download(**{"url": url, "unpacked_bytes": 2_000_000} | facts)
        return dataclasses.replace(CORPORA["urdu"], download=download)

    return row


@pytest.fixture
def fetch(tmp_path):
    def call(corpus, **options):
        options = {
            "data_home": tmp_path / "home",
            "n_retries": 0,
            "delay": 0,
            "verbose": 0,
        } | options
        return fetch_corpus(corpus, **options)

    return call


def files_in(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.wav")}


def assert_nothing_left(tmp_path):
    assert list((tmp_path / "home").iterdir()) == []


@pytest.fixture
def largest_file():
    """Let the kernel refuse to write more to one file, as it does on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(n_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("algorithm", ["md5", "sha256", None])
def test_downloads_once(algorithm, server, urdu, fetch, tmp_path):
    known = algorithm and f"{algorithm}:{hashlib.new(algorithm, ARCHIVE).hexdigest()}"
    corpus = urdu(known_hash=known, n_bytes=len(ARCHIVE))
    folder = fetch(corpus)
    assert folder == tmp_path / "home" / "urdu"
    assert files_in(folder / "URDU-Dataset-4b546d4") == RECORDINGS
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["urdu"]
    assert fetch(corpus) == folder
    assert len(server.asked) == 1


def test_what_was_fetched_loads(urdu, fetch):
    corpus = urdu()
    with pytest.warns(UserWarning, match="recordings of the 400 expected"):
        speech = load_corpus(corpus, fetch(corpus))
    assert sorted(speech["emotion"]) == sorted(
        corpus.emotions[labels["emotion_raw"]] for labels in corpus.examples.values()
    )


def test_wrong_checksum(urdu, fetch, tmp_path):
    known = "sha256:" + hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(DownloadError, match=rf"URDU was not .* SHA256 .* expected {known} but"):
        fetch(urdu(known_hash=known))
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("announced", [True, False])
def test_connection_cut_in_the_middle(announced, server, urdu, fetch, tmp_path):
    server.announced = announced
    server.cuts = [len(ARCHIVE) // 2]
    with pytest.raises(DownloadError, match=r"no part of it was kept: .*"):
        fetch(urdu())
    assert_nothing_left(tmp_path)


def test_goes_on_where_the_connection_was_cut(server, urdu, fetch):
    server.cuts = [100_000, 50_000]
    known = f"md5:{hashlib.md5(ARCHIVE).hexdigest()}"
    folder = fetch(urdu(known_hash=known), n_retries=2)
    assert files_in(folder / "URDU-Dataset-4b546d4") == RECORDINGS
    first, second = (int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) for asked in server.asked[1:])
    assert 50_000 < first <= 100_000
    assert first < second <= first + 50_000


@pytest.mark.parametrize(
    "state",
    [{"ranges": False}, {"etag": None}, {"etag": 'W/"v1"'}, {"next_etag": '"v2"'}],
    ids=["no ranges", "no version", "weak version", "new version"],
)
def test_begins_anew_where_it_cannot_go_on(state, server, urdu, fetch):
    vars(server).update(state)
    server.cuts = [100_000]
    known = f"md5:{hashlib.md5(ARCHIVE).hexdigest()}"
    folder = fetch(urdu(known_hash=known), n_retries=1)
    assert files_in(folder / "URDU-Dataset-4b546d4") == RECORDINGS


def test_a_server_that_goes_on_elsewhere(server, urdu, fetch, tmp_path):
    server.cuts, server.shift = [100_000], 7
    with pytest.raises(DownloadError, match=r"continued at byte (\d+) instead of \d+"):
        fetch(urdu(), n_retries=3)
    assert_nothing_left(tmp_path)


def test_errors_of_the_server_that_may_pass(server, urdu, fetch):
    server.statuses = [503, 429]
    fetch(urdu(), n_retries=2)
    assert len(server.asked) == 3


def test_errors_of_the_server_that_stay(server, urdu, fetch, tmp_path):
    server.statuses = [404, 404]
    with pytest.raises(DownloadError, match=r"404 .*licence: research only"):
        fetch(urdu(), n_retries=5)
    assert len(server.asked) == 1
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("drips", ["headers", "content"])
def test_a_server_that_sends_a_byte_now_and_then(drips, server, urdu, fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(_http, "_WINDOW", 0.3)
    server.drips = drips
    with pytest.raises(DownloadError, match=r"sent \d+ bytes in 0.3 s, expected at least 60000"):
        fetch(urdu(), n_retries=3)
    assert len(server.asked) == 1
    assert_nothing_left(tmp_path)


def test_a_server_that_is_slow_enough_to_end(server, urdu, fetch, monkeypatch):
    monkeypatch.setattr(_http, "_WINDOW", 0)
    monkeypatch.setattr(_http, "_SLOWEST", 0)
    assert len(files_in(fetch(urdu()))) == len(RECORDINGS)


@pytest.mark.parametrize("address", ["http://x/y", "ftp://x/y", "httpsx://y"])
def test_no_way_leads_from_https_to_anything_else(address):
    response = types.SimpleNamespace(url=address)
    with pytest.raises(
        DownloadError, match=f"redirected to {address}, which is not encrypted; expected h"
    ):
        _http._check_address(response, "https://x/y")
    _http._check_address(response, "http://x/y")
    _http._check_address(types.SimpleNamespace(url="https://z"), "https://x/y")


def test_says_what_nothing_vouches_for(server, urdu, fetch, capsys):
    fetch(urdu(), verbose=1)
    assert "not encrypted, and no checksum is on record" in capsys.readouterr().err
    known = f"md5:{hashlib.md5(ARCHIVE).hexdigest()}"
    fetch(urdu(known_hash=known), verbose=1, data_home=fetch(urdu()))
    assert "not encrypted" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "corpus", [c for c in CORPORA.values() if c.download], ids=lambda c: c.name
)
def test_addresses_are_encrypted_or_the_note_says_so(corpus):
    if not corpus.download.url.startswith("https://") and corpus.download.known_hash is None:
        assert "unencrypted" in corpus.note


def test_no_server(urdu, fetch, tmp_path):
    with pytest.raises(DownloadError, match="no part of it was kept"):
        fetch(urdu(url="http://127.0.0.1:9/urdu.zip"))
    assert_nothing_left(tmp_path)


def test_disk_full_while_downloading(urdu, fetch, largest_file, tmp_path):
    largest_file(50_000)
    with pytest.raises(DownloadError, match=r"recordings need up to \d+ MB, [\d,]+ MB are free in"):
        fetch(urdu())
    assert_nothing_left(tmp_path)


def test_disk_full_while_unpacking(server, urdu, fetch, largest_file, tmp_path):
    server.body = zipped({"SM1_F1_A01.wav": bytes(1_000_000)}, compression=zipfile.ZIP_DEFLATED)
    largest_file(50_000)
    with pytest.raises(DownloadError, match=r"recordings need up to \d+ MB, [\d,]+ MB are free in"):
        fetch(urdu())
    assert_nothing_left(tmp_path)


def symlink_archive():
    link = zipfile.ZipInfo("wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({link: "/etc", "wav/SM1_F1_A01.wav": b"x"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (zipped({"SM1_F1_A01.wav": b"x", "../evil": b"x"}), r"'../evil', which lies outside"),
        (symlink_archive(), r"'wav', which is a symbolic link"),
        (
            zipped({"SM1_F1_A01.wav": bytes(3_000_000)}, compression=zipfile.ZIP_DEFLATED),
            r"more than the 2000000 bytes",
        ),
        (zipped({f"{i}.wav": b"" for i in range(5001)}), r"more than the 5000 files"),
        (ARCHIVE[:-100], r"is damaged"),
        (b"<html>Please log in</html>", r"is damaged, or not in zip or tar format"),
        (zipped({"README.txt": b"x"}), r"holds no recordings \(\*\.wav\)"),
    ],
    ids=["outside", "symlink", "bomb", "members", "damaged", "page", "empty"],
)
def test_bad_archives(body, message, server, urdu, fetch, tmp_path):
    server.body = body
    with pytest.raises(DownloadError, match=message):
        fetch(urdu())
    assert_nothing_left(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"home"}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"n_bytes": len(ARCHIVE) - 1}, "more than the"),
        ({"n_bytes": len(ARCHIVE) + 1}, f"has {len(ARCHIVE)} bytes, {len(ARCHIVE) + 1} are on"),
        ({"unpacked_bytes": 100_000}, "the archive has more than the 100000 bytes"),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_archive_of_another_size(facts, message, announced, server, urdu, fetch, tmp_path):
    server.announced = announced
    with pytest.raises(DownloadError, match=message):
        fetch(urdu(**facts))
    assert_nothing_left(tmp_path)


def test_interruption_leaves_nothing(urdu, fetch, tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_fetch, "unpack", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(urdu())
    assert_nothing_left(tmp_path)


def test_several_at_once(urdu, fetch, tmp_path):
    corpus = urdu()
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: fetch(corpus), range(4)))
    assert folders == {tmp_path / "home" / "urdu"}
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["urdu"]
    assert files_in(folders.pop() / "URDU-Dataset-4b546d4") == RECORDINGS


def test_an_empty_folder_is_filled(urdu, fetch, tmp_path):
    (tmp_path / "home" / "urdu").mkdir(parents=True)
    assert len(files_in(fetch(urdu()))) == len(RECORDINGS)


def test_a_corpus_put_there_by_hand_is_found(fetch, tmp_path, make_files):
    closed = dataclasses.replace(CORPORA["urdu"], download=None)
    make_files(tmp_path / "home" / "urdu", RECORDINGS)
    assert fetch(closed) == tmp_path / "home" / "urdu"
    assert fetch("urdu", download_if_missing=False) == tmp_path / "home" / "urdu"


def test_a_file_in_place_of_the_folder(fetch, tmp_path, make_files):
    make_files(tmp_path / "home", ["urdu"])
    with pytest.raises(NotADirectoryError, match=r"urdu is a file; expected the folder"):
        fetch("urdu")


@pytest.mark.parametrize("name", [c.name for c in CORPORA.values() if c.download is None])
def test_closed_corpora_say_where_to_ask(name, fetch, tmp_path):
    corpus = CORPORA[name]
    with pytest.raises(DownloadError, match="cannot be downloaded freely") as caught:
        fetch(name)
    for fact in (corpus.title, corpus.homepage, corpus.licence, str(tmp_path / "home" / name)):
        assert fact in str(caught.value)
    assert not (tmp_path / "home").exists()


def test_some_corpora_are_closed_and_some_are_not():
    assert {corpus.download is None for corpus in CORPORA.values()} == {True, False}


def test_download_if_missing(server, urdu, fetch):
    with pytest.raises(DownloadError, match=r"is not in .*urdu, and download_if_missing=False"):
        fetch(urdu(), download_if_missing=False)
    assert server.asked == []


def test_unknown_corpus():
    with pytest.raises(CorpusError, match="Did you mean 'emodb'"):
        fetch_corpus("emo-db")


def test_pooch_is_named_where_it_is_missing(urdu, fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ser\[datasets\]'"):
        fetch(urdu())


def test_data_home(urdu, fetch, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path / "named"))
    assert fetch(urdu(), data_home=None) == tmp_path / "named" / "urdu"
    monkeypatch.delenv("SKLEARN_SER_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch(urdu(), data_home=None) == tmp_path / "sklearn_ser_data" / "urdu"
    assert fetch(urdu(), data_home="~/other") == tmp_path / "other" / "urdu"


def test_licence_is_printed_before_anything_is_asked_for(server, urdu, fetch, capsys, caplog):
    server.statuses = [404]
    with pytest.raises(DownloadError, match="404"), caplog.at_level(logging.INFO, "sklearn_ser"):
        fetch(urdu(), verbose=1)
    printed = capsys.readouterr()
    assert printed.out == ""
    for fact in ("licence   research only", "latif2018urdu", str(server.server_port)):
        assert fact in printed.err
    assert caplog.messages == ["downloading URDU, licence: research only"]


def test_quiet(urdu, fetch, capfd, caplog):
    with caplog.at_level(logging.INFO, "sklearn_ser"):
        fetch(urdu(), verbose=0)
    assert capfd.readouterr() == ("", "")
    assert caplog.messages[-1].endswith(hashlib.sha256(ARCHIVE).hexdigest())


@pytest.fixture
def registered(urdu, monkeypatch):
    """Register a row with an archive on the local server under the name of the real one."""
    corpora = {**CORPORA, "urdu": urdu()}
    monkeypatch.setattr(_registry, "CORPORA", corpora)
    monkeypatch.setattr(sklearn_ser.datasets, "CORPORA", corpora)


@pytest.mark.usefixtures("registered")
def test_command_prints_the_folder(server, tmp_path, capsys):
    assert main(["fetch", "urdu", "--data-home", str(tmp_path), "--yes"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'urdu'}\n"
    assert printed.err.count("licence   research only") == 1
    # There already: nothing to confirm, nothing to say.
    assert main(["fetch", "urdu", "--data-home", str(tmp_path)]) == 0
    assert capsys.readouterr() == (f"{tmp_path / 'urdu'}\n", "")
    assert len(server.asked) == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", 0), ("YES\n", 0), ("\n", 1), ("n\n", 1), ("", 1)]
)
def test_command_asks(answer, code, server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert main(["fetch", "urdu", "--data-home", str(tmp_path)]) == code
    printed = capsys.readouterr()
    assert printed.err.count("licence   research only") == 1
    assert printed.err.index("licence") < printed.err.index("Download it? [y/N]")
    assert ("not downloaded" in printed.err) == (code == 1)
    assert len(server.asked) == 1 - code


@pytest.mark.usefixtures("registered")
def test_command_needs_a_yes_where_nobody_can_answer(server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(SystemExit, match="2"):
        main(["fetch", "urdu", "--data-home", str(tmp_path)])
    assert re.search("licence   research only(.|\n)*--yes", capsys.readouterr().err)
    assert server.asked == []


def test_command_says_where_to_ask(tmp_path, capsys):
    assert main(["fetch", "iemocap", "--data-home", str(tmp_path)]) == 1
    assert CORPORA["iemocap"].homepage in capsys.readouterr().err


def test_a_corpus_of_ones_own(server, urdu, fetch):
    mine = dataclasses.replace(urdu(), name="mine")
    assert isinstance(mine, Corpus)
    assert fetch(mine).name == "mine"
