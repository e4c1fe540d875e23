import os
import stat

import pytest

from sklearn_ser.utils._file_kinds import special_kind


def test_a_regular_file_has_no_special_kind(tmp_path):
    path = tmp_path / "file"
    path.touch()
    assert special_kind(os.stat(path).st_mode) is None


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (stat.S_IFIFO, "a named pipe"),
        (stat.S_IFSOCK, "a socket"),
        (stat.S_IFCHR, "a device"),
        (stat.S_IFBLK, "a device"),
        (stat.S_IFDIR, "a folder"),
        (stat.S_IFLNK, "a special file"),
    ],
)
@pytest.mark.parametrize("permissions", [0, 0o644])
def test_other_kinds_are_named(mode, kind, permissions):
    assert special_kind(mode | permissions) == kind
