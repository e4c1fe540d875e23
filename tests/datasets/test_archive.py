import errno
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser.datasets import _archive, _archive_streams
from sklearn_ser.datasets._archive import unpack
from sklearn_ser.exceptions import DownloadError

CONTENTS = {"corpus/wav/a.wav": b"RIFF" * 1000, "corpus/b c é.wav": b"", "top.txt": b"x"}


def make_zip(file, contents):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("corpus")
        for name, content in contents.items():
            archive.writestr(name, content)


def tar_of(mode):
    def make(file, contents):
        with tarfile.open(file, mode) as archive:
            folder = tarfile.TarInfo("corpus")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
            for name, content in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    return make


MAKERS = {"zip": make_zip} | {
    f"tar:{kind}": tar_of(f"w:{kind}") for kind in ("", "gz", "bz2", "xz")
}


@pytest.fixture(params=MAKERS)
def make(request, tmp_path):
    def archive(contents):
        MAKERS[request.param](tmp_path / "archive", contents)
        return tmp_path / "archive"

    return archive


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "around" / "inside"
    inside.mkdir(parents=True)
    return inside


def files_in(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_unpacks_files_and_folders(make, folder):
    size = sum(map(len, CONTENTS.values()))
    unpack(make(CONTENTS), folder, max_bytes=size, max_members=len(CONTENTS) + 1)
    assert files_in(folder) == CONTENTS


@pytest.mark.parametrize(
    "name",
    [
        "../evil.wav",
        "corpus/../../evil.wav",
        "..",
        "/evil.wav",
        "..\\evil.wav",
        "C:\\evil.wav",
        "c:evil.wav",
        "\\\\server\\share\\evil.wav",
    ],
)
def test_refuses_names_that_lead_outside(name, make, folder):
    archive = make({"good.wav": b"x", name: b"evil"})
    with pytest.raises(DownloadError, match=r"lies outside of the folder"):
        unpack(archive, folder, max_bytes=100, max_members=10)
    names = {file.name for file in folder.parent.parent.rglob("*")} - {"corpus"}
    assert names == {"archive", "around", "inside", "good.wav"}


def test_backslashes_separate_folders_on_every_system(make, folder):
    unpack(make({"wav\\deep\\a.wav": b"x"}), folder, max_bytes=1, max_members=2)
    assert files_in(folder) == {"wav/deep/a.wav": b"x"}


def test_stops_at_the_promised_size(make, folder):
    archive = make({"silence.wav": bytes(50_000_000)})
    with pytest.raises(DownloadError, match=r"unpacks to more than the 3000000 bytes"):
        unpack(archive, folder, max_bytes=3_000_000, max_members=10)
    assert sum(file.stat().st_size for file in folder.rglob("*.wav")) <= 3_000_000


def test_adds_the_sizes_of_all_files(make, folder):
    archive = make({f"{i}.wav": bytes(10) for i in range(10)})
    with pytest.raises(DownloadError, match=r"unpacks to more than the 99 bytes"):
        unpack(archive, folder, max_bytes=99, max_members=11)


def test_stops_at_the_promised_number_of_members(make, folder):
    archive = make({f"{i}.wav": b"" for i in range(10)})
    with pytest.raises(DownloadError, match=r"more than the 10 files and folders"):
        unpack(archive, folder, max_bytes=1, max_members=10)


def test_refuses_two_members_of_one_name(make, folder):
    with pytest.raises(DownloadError, match=r"two members of the same name, .*corpus"):
        unpack(make({"corpus": b"x"}), folder, max_bytes=9, max_members=9)


def test_refuses_a_file_that_is_the_folder_of_another(make, folder):
    with pytest.raises(DownloadError, match=r"two members of the same name"):
        unpack(make({"a": b"x", "a/b": b"x"}), folder, max_bytes=9, max_members=9)


def test_refuses_a_zipped_symbolic_link(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link.wav")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DownloadError, match=r"'link.wav', which is a symbolic link"):
        unpack(tmp_path / "a.zip", folder, max_bytes=100, max_members=10)
    assert list(folder.iterdir()) == []


def test_refuses_a_zipped_device(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        device = zipfile.ZipInfo("null.wav")
        device.external_attr = (stat.S_IFCHR | 0o666) << 16
        archive.writestr(device, "")
    with pytest.raises(DownloadError, match=r"'null.wav', which is a special file"):
        unpack(tmp_path / "a.zip", folder, max_bytes=100, max_members=10)


def test_refuses_encrypted_files(tmp_path, folder):
    make_zip(tmp_path / "a.zip", {"a.wav": b"x"})
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DownloadError, match=r"'a.wav', which is an encrypted file"):
        unpack(tmp_path / "a.zip", folder, max_bytes=100, max_members=10)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a special file"),
        (tarfile.FIFOTYPE, "a special file"),
    ],
)
def test_refuses_tarred_links_and_devices(kind, words, tmp_path, folder):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("a.wav")
        member.type, member.linkname = kind, "../../evil"
        archive.addfile(member)
    with pytest.raises(DownloadError, match=rf"'a.wav', which is {words}"):
        unpack(tmp_path / "a.tar", folder, max_bytes=100, max_members=10)
    assert list(folder.iterdir()) == []


def test_counts_the_headers_of_tar_archives(tmp_path, folder):
    with tarfile.open(tmp_path / "a.tgz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a.wav")
        member.pax_headers = {"comment": "x" * 5_000_000}
        archive.addfile(member)
    with pytest.raises(DownloadError, match="headers of more than 65536 bytes for one member"):
        unpack(tmp_path / "a.tgz", folder, max_bytes=10**9, max_members=10)


def test_says_that_an_archive_is_cut(make, folder):
    archive = make({"a.wav": bytes(range(256)) * 100, "b.wav": b"x" * 2000})
    whole = archive.read_bytes()
    for part in (0, 0.01, 0.3, 0.5, 0.9):
        archive.write_bytes(whole[: int(part * len(whole))])
        target = folder / str(part)
        with pytest.raises(DownloadError, match=r"archive is damaged, or not in zip"):
            unpack(archive, target, max_bytes=100_000, max_members=10)


def test_says_that_a_header_in_the_middle_of_a_tar_archive_is_damaged(tmp_path, folder):
    tar_of("w")(tmp_path / "a.tar", {"a.wav": b"a" * 600, "b.wav": b"b" * 600})
    content = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(content.replace(b"b.wav", b"c.wav"))
    with pytest.raises(DownloadError, match=r"is damaged, .* header that cannot be read"):
        unpack(tmp_path / "a.tar", folder, max_bytes=10_000, max_members=10)


def test_says_that_a_zipped_file_is_damaged(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.wav", b"RIFFRIFF")
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"RIFFRIFF", b"RIFFROFF"))
    with pytest.raises(DownloadError, match=r"is damaged, .*Bad CRC-32"):
        unpack(tmp_path / "a.zip", folder, max_bytes=100, max_members=10)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04", b"\x1f\x8bxx"])
def test_says_what_is_no_archive(content, tmp_path, folder):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DownloadError, match=r"is damaged, or not"):
        unpack(tmp_path / "a.zip", folder, max_bytes=100, max_members=10)


def pax(records, kind=tarfile.XHDTYPE):
    """Return a block of extended headers as it stands in a tar archive."""
    body = b""
    for key, value in records:
        text = b" %s=%s\n" % (key, value)
        size = len(text) + 1
        while len(b"%d" % size) + len(text) != size:
            size += 1
        body += b"%d" % size + text
    return header("pax", len(body), kind) + body + bytes(-len(body) % 512)


def header(name, size, kind=tarfile.REGTYPE):
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def write_tar(path, *blocks):
    path.write_bytes(gzip.compress(b"".join(blocks) + bytes(1024), 1))
    return path


FILE = header("a.wav", 3) + b"abc" + bytes(509)
SPARSE = bytes(482) + b"\1" + bytes(29)  # an old sparse header: no pieces, more to come


@pytest.mark.parametrize(
    "blocks",
    [
        [header("x", 2**33, tarfile.GNUTYPE_LONGNAME), bytes(200_000)],
        [header("x", 2**33, tarfile.GNUTYPE_LONGLINK), bytes(200_000)],
        [header("x", 2**33, tarfile.XHDTYPE), bytes(200_000)],
        [header("x", 2**33, tarfile.XGLTYPE), bytes(200_000)],
        [header("x", 2**33, tarfile.SOLARIS_XHDTYPE), bytes(200_000)],
        [pax([(b"comment", b"x")]) * 100],
        [header("x", 0, tarfile.GNUTYPE_SPARSE)[:482] + b"\1" + bytes(29), SPARSE * 200],
    ],
    ids=["name", "link", "pax", "global", "solaris", "chain", "sparse"],
)
def test_headers_have_a_limit_of_their_own(blocks, tmp_path, folder):
    archive = write_tar(tmp_path / "a.tgz", *blocks, FILE)
    with pytest.raises(DownloadError, match=r"headers of more than|is damaged"):
        unpack(archive, folder, max_bytes=10**10, max_members=10)
    assert files_in(folder) == {}


def test_headers_that_hold_for_all_members_are_few(tmp_path, folder):
    records = [(b"key%d" % i, b"x") for i in range(101)]
    archive = write_tar(tmp_path / "a.tgz", pax(records, tarfile.XGLTYPE), FILE)
    with pytest.raises(DownloadError, match=r"more than 100 headers for all members"):
        unpack(archive, folder, max_bytes=100, max_members=10)
    write_tar(archive, pax(records[:100], tarfile.XGLTYPE), FILE)
    unpack(archive, folder, max_bytes=100, max_members=10)
    assert files_in(folder) == {"a.wav": b"abc"}


@pytest.mark.parametrize(
    "records",
    [
        [(b"size", b"-1")],
        [(b"size", b"-512")],
        [(b"size", b"99999999999999999999999999")],
        [(b"size", b"9" * 600)],
        [(b"GNU.sparse.size", b"-5"), (b"GNU.sparse.map", b"0,1")],
        [(b"GNU.sparse.map", b"1")],
        [(b"GNU.sparse.map", b"-9,9,1,99999999999999999999")],
        [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")],
        [(b"GNU.sparse.size", b"x")],
        [(b"path", b"x" * 300)],
        [(b"path", b"/".join([b"x"] * 40))],
        [(b"path", b"a\0b")],
        [(b"path", b"")],
    ],
)
def test_extended_headers_that_lie(records, tmp_path, folder):
    archive = write_tar(tmp_path / "a.tgz", pax(records), FILE)
    with pytest.raises(DownloadError, match="the archive "):
        unpack(archive, folder, max_bytes=1000, max_members=10)


@pytest.mark.parametrize(
    "error", [IndexError, OverflowError, KeyError, RecursionError, MemoryError]
)
def test_whatever_reading_raises_means_damage(error, make, folder, monkeypatch):
    def fail(*args):
        raise error

    archive = make({"a.wav": b"x"})
    monkeypatch.setattr(_archive, "_write", fail)
    with pytest.raises(DownloadError, match=rf"is damaged, .*: {error.__name__}"):
        unpack(archive, folder, max_bytes=1000, max_members=10)


def test_a_disk_that_fails_is_no_damage(make, folder, monkeypatch):
    def fail(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    archive = make({"a.wav": b"x"})
    monkeypatch.setattr(_archive, "_write", fail)
    with pytest.raises(OSError, match="No space left"):
        unpack(archive, folder, max_bytes=1000, max_members=10)


def test_the_last_header_of_a_tar_archive_is_damaged(tmp_path, folder):
    damaged = bytearray(header("b.wav", 0))
    damaged[3] ^= 1
    archive = write_tar(tmp_path / "a.tgz", FILE, damaged)
    with pytest.raises(DownloadError, match=r"behind a header that cannot be read"):
        unpack(archive, folder, max_bytes=1000, max_members=10)


def test_xz_takes_a_bounded_amount_of_memory(tmp_path, folder, monkeypatch):
    tar_of("w:xz")(tmp_path / "a", {"a.wav": b"x"})
    monkeypatch.setattr(_archive_streams, "_XZ_MEMORY", 1 << 20)
    with pytest.raises(DownloadError, match=r"is damaged.*[Mm]emory"):
        unpack(tmp_path / "a", folder, max_bytes=1000, max_members=10)


@pytest.mark.parametrize("padding", [b"", bytes(4), bytes(200_000)])
def test_xz_in_several_streams(padding, tmp_path, folder):
    tar_of("w")(tmp_path / "a", CONTENTS)
    content = (tmp_path / "a").read_bytes()
    parts = [lzma.compress(content[start : start + 3000]) for start in range(0, len(content), 3000)]
    (tmp_path / "a").write_bytes(padding.join(parts) + padding)
    unpack(tmp_path / "a", folder, max_bytes=10_000, max_members=10)
    assert files_in(folder) == CONTENTS


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_refuses_zipped_files_that_choose_their_memory(method, tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.wav", b"x" * 1000)
    with pytest.raises(DownloadError, match=rf"'a.wav', which is compressed by method {method}"):
        unpack(tmp_path / "a.zip", folder, max_bytes=10_000, max_members=10)


def test_counts_the_entries_of_a_zip_archive_before_they_are_read(tmp_path, folder, monkeypatch):
    make_zip(tmp_path / "a.zip", {f"{i}.wav": b"" for i in range(30)})
    monkeypatch.setattr(zipfile, "ZipInfo", None)
    with pytest.raises(DownloadError, match="more than the 20 files and folders"):
        unpack(tmp_path / "a.zip", folder, max_bytes=1, max_members=20)


def test_refuses_a_zip_archive_with_a_long_directory(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(5):
            member = zipfile.ZipInfo(f"{i}.wav")
            member.comment = b"x" * 60_000
            archive.writestr(member, b"")
    with pytest.raises(DownloadError, match=r"directory of 300\d{3} bytes, expected 1024 or less"):
        unpack(tmp_path / "a.zip", folder, max_bytes=1, max_members=5)


@pytest.mark.parametrize("declared", [7, 9, 10**6])
def test_a_zipped_file_of_another_size_than_declared(declared, tmp_path, folder):
    make_zip(tmp_path / "a.zip", {"a.wav": b"RIFFRIFF"})
    content = bytearray((tmp_path / "a.zip").read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, declared)
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DownloadError, match=r"is damaged, .*(Bad CRC|has 8 bytes, .* declares)"):
        unpack(tmp_path / "a.zip", folder, max_bytes=10_000, max_members=10)


@pytest.mark.parametrize("name", ["/".join(["x"] * 33), "x/" * 5000 + "a.wav"])
def test_refuses_members_in_many_folders(name, make, folder):
    with pytest.raises(DownloadError, match="in more than 32 folders within each other"):
        unpack(make({name: b""}), folder, max_bytes=1, max_members=10)


def test_refuses_names_that_are_too_long_for_the_system(make, folder):
    with pytest.raises(DownloadError, match=r"the archive is damaged.*name too long"):
        unpack(make({"x" * 300: b""}), folder, max_bytes=1, max_members=10)


@given(
    name=st.text(st.sampled_from("./\\:ab~é\n "), min_size=1, max_size=12),
    kind=st.sampled_from(["zip", "tar:"]),
)
def test_no_name_leads_outside(name, kind, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    folder = root / "around" / "inside"
    folder.mkdir(parents=True)
    MAKERS[kind](root / "archive", {name: b"x"})
    try:
        unpack(root / "archive", folder, max_bytes=1, max_members=2)
    except DownloadError:
        pass
    else:
        assert sum(file.is_file() for file in folder.rglob("*")) <= 1
    outside = [file for file in root.rglob("*") if file.is_file() and folder not in file.parents]
    assert outside == [root / "archive"]
