import io
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    with pytest.raises(DownloadError, match="unpacks to more than"):
        unpack(tmp_path / "a.tgz", folder, max_bytes=1000, max_members=10)


def test_says_that_an_archive_is_cut(make, folder):
    archive = make({"a.wav": bytes(range(256)) * 100, "b.wav": b"x" * 2000})
    whole = archive.read_bytes()
    for part in (0, 0.01, 0.3, 0.5, 0.9):
        archive.write_bytes(whole[: int(part * len(whole))])
        target = folder / str(part)
        with pytest.raises(DownloadError, match=r"archive is damaged, or none in zip"):
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
    with pytest.raises(DownloadError, match=r"is damaged, or none"):
        unpack(tmp_path / "a.zip", folder, max_bytes=100, max_members=10)


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
