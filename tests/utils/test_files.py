import errno
import os
import stat
import subprocess
import sys
import threading

import pytest

from sklearn_ser.utils import _files
from sklearn_ser.utils._files import NewFile, remove_stale, replacing

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and pipes of POSIX")


@pytest.fixture
def umask():
    earlier = os.umask(0o027)
    yield
    os.umask(earlier)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("mode", "content"), [("w", "é\r\n\n"), ("wb", "é\r\n\n".encode())])
def test_the_name_is_taken_at_the_end(mode, content, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("before")
    with replacing(path, mode) as file:
        file.write(content)
        assert path.read_text() == "before"
    assert path.read_bytes() == "é\r\n\n".encode()
    assert os.listdir(tmp_path) == ["x.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("earlier", ["before", None])
def test_what_ends_early_changes_nothing(error, earlier, tmp_path):
    path = tmp_path / "x.csv"
    if earlier is not None:
        path.write_text(earlier)

    def write():
        with replacing(path) as file:
            file.write("half")
            raise error("enough")

    with pytest.raises(error, match="enough"):
        write()
    assert [file.read_text() for file in tmp_path.iterdir()] == [earlier] * (earlier is not None)


def test_several_files_are_complete_before_the_first_takes_its_name(tmp_path):
    with NewFile(tmp_path / "a") as first, NewFile(tmp_path / "b") as second:
        first.file.write("1")
        first.finish()
        second.file.write("2")
        first.commit()
        assert (tmp_path / "a").read_text() == "1"
    # The second was not committed.
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("failing", ["write", "sync"])
def test_a_full_disk_is_told_with_the_name_of_the_file(failing, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def write():
        with replacing(tmp_path / "x.csv") as file:
            if failing == "write":
                fail()
            file.write("a")

    monkeypatch.setattr(_files.os, "fsync", fail)
    with pytest.raises(OSError, match=r"No space left on device: '.*x\.csv'"):
        write()
    assert os.listdir(tmp_path) == []


def test_a_drive_that_cannot_synchronise_is_none_the_worse(tmp_path, monkeypatch):
    def unable(_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(_files.os, "fsync", unable)
    with replacing(tmp_path / "x") as file:
        file.write("a")
    assert (tmp_path / "x").read_text() == "a"


@posix
@pytest.mark.parametrize(("earlier", "expected"), [(None, 0o640), (0o604, 0o604), (0o666, 0o666)])
def test_permissions_are_those_of_opening_it(earlier, expected, tmp_path, umask):
    path = tmp_path / "x"
    if earlier is not None:
        path.touch()
        path.chmod(earlier)
    with replacing(path):
        pass
    assert mode_of(path) == expected


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_may_not_be_written_stays(tmp_path):
    path = tmp_path / "x"
    path.touch(0o400)
    with pytest.raises(PermissionError, match=r"/x'"):
        NewFile(path)


def test_no_folder_is_told_with_the_name_that_was_given(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"/nowhere/x\.csv'"):
        NewFile(tmp_path / "nowhere" / "x.csv")


@posix
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(exists, tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "x", tmp_path / "link"
    link.symlink_to("there/x")
    if exists:
        target.write_text("before")
    with replacing(link) as file:
        file.write("after")
    assert link.is_symlink()
    assert target.read_text() == "after"
    assert os.listdir(tmp_path / "there") == ["x"]


@posix
def test_pipes_and_devices_are_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    with replacing(pipe) as file:
        file.write("through")
    reader.join()
    assert got == ["through"]
    assert os.listdir(tmp_path) == ["pipe"]
    with replacing("/dev/null", "wb") as file:
        file.write(b"away")
    assert not os.path.isfile("/dev/null")


@posix
@pytest.mark.parametrize("link", [False, True])
def test_the_standard_output_is_no_file_to_replace(link, tmp_path):
    name, out = "/dev/stdout", tmp_path / "out"
    if link:
        name = tmp_path / "link"
        name.symlink_to("/dev/stdout")
    code = (
        "from sklearn_ser.utils._files import replacing\n"
        f"with replacing({str(name)!r}) as file:\n    file.write('second ')\n"
        "print('third', flush=True)"
    )
    with out.open("a") as file:
        file.write("first ")
        file.flush()
        inode = out.stat().st_ino
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert out.stat().st_ino == inode
    assert out.read_text().endswith("third\n")


def test_names_of_any_length(tmp_path):
    for name in ("n" * 255, "é" * 127, "x" * 181 + ".csv"):
        with replacing(tmp_path / name) as file:
            file.write("a")
        assert (tmp_path / name).read_text() == "a"
    assert len(os.listdir(tmp_path)) == 3


_HOLD = """
import sys
from sklearn_ser.utils._files import NewFile
new = NewFile(sys.argv[1])
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Starts processes that write a file and do not come to an end."""
    started = []

    def start(path):
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout.readline().strip() == b"begun"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def temporary_files(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith(".tmp"))


@pytest.mark.parametrize("name", ["x.csv", "n" * 250])
def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(name, hold, tmp_path):
    path = tmp_path / name
    killed, living = hold(path), hold(path)
    other = hold(tmp_path / "y.csv")
    assert len(temporary_files(tmp_path)) == 3
    for process in (killed, other):
        process.kill()
        process.wait()
    with replacing(path) as file:
        file.write("a")
    # That of y.csv is left to whoever writes it.
    assert len(temporary_files(tmp_path)) == 2
    remove_stale(tmp_path)
    [left] = temporary_files(tmp_path)
    assert f"-{living.pid}-" in left


@posix
def test_numbers_of_processes_are_used_again(tmp_path):
    # Not locked, hence left by an earlier process that had this one's number.
    left = tmp_path / f".x.{_files._HOST}-{os.getpid()}-01234567.tmp"
    left.touch()
    remove_stale(tmp_path, "x")
    assert not left.exists()


@posix
@pytest.mark.parametrize(("age", "stays"), [(60, True), (3600 * 30, False)])
def test_another_machine_has_a_day(age, stays, tmp_path):
    left = tmp_path / ".x.01234567-1-89abcdef.tmp"
    left.touch()
    written = left.stat().st_mtime - age
    os.utime(left, (written, written))
    remove_stale(tmp_path, "x")
    assert left.exists() == stays


@posix
def test_drives_without_locks(tmp_path, monkeypatch):
    def unable(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(_files.fcntl, "flock", unable)
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    names = [f".x.{_files._HOST}-{process}-89abcdef.tmp" for process in (done.pid, os.getpid())]
    for name in names:
        (tmp_path / name).touch()
    with replacing(tmp_path / "x"):
        pass
    assert sorted(os.listdir(tmp_path)) == [names[1], "x"]


@posix
@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES])
def test_drives_on_which_every_file_is_locked(code, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_files.fcntl, "flock", refuse)
    with (
        pytest.raises(OSError, match=r"other processes lock or remove every .*'.*x'"),
        replacing(tmp_path / "x"),
    ):
        pass
    assert os.listdir(tmp_path) == []


@posix
def test_what_only_looks_like_a_temporary_file_stays(tmp_path):
    (tmp_path / "victim").write_text("precious")
    names = [".x.tmp", ".x.1234.tmp", "x.01234567-1-89abcdef.tmp", f".y.{_files._HOST}-1-0.tmp"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / f".x.{_files._HOST}-1-89abcdef.tmp").symlink_to("victim")
    (tmp_path / f".x.{_files._HOST}-2-89abcdef.tmp").mkdir()
    before = sorted(os.listdir(tmp_path))
    remove_stale(tmp_path)
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "victim").read_text() == "precious"
