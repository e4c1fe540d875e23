import os

import pytest

from sklearn_ser.exceptions import CacheError
from sklearn_ser.features._cache import FeatureCache
from sklearn_ser.features._cache_file import lies_on_network

posix = pytest.mark.skipif(os.name != "posix", reason="devices and links of POSIX")

MOUNTS = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb /home/local\\040disk xfs rw 0 0
//server/share /mnt/a cifs rw 0 0
user@server: /mnt/ab fuse.sshfs rw 0 0
/dev/sdc /mnt/usb fuseblk rw 0 0
/dev/sdd /mnt/twice ext4 rw 0 0
server:/x /mnt/twice nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "on_network"),
    [
        ("/x", False),
        ("/homes/x", False),
        ("/home/x", True),
        ("/home/a/b/x", True),
        ("/home/local disk/x", False),
        ("/mnt/a/x", True),
        ("/mnt/abc", False),
        ("/mnt/ab/x", True),
        ("/mnt/usb/x", False),
        ("/mnt/twice/x", True),
    ],
)
def test_network_drives_are_recognised(tmp_path, path, on_network):
    (tmp_path / "mounts").write_text(MOUNTS)
    assert lies_on_network(path, tmp_path / "mounts") is on_network
    assert not lies_on_network(path, tmp_path / "absent")


@posix
@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/tty"])
def test_devices_are_refused(device, tmp_path):
    if not os.path.exists(device):
        pytest.skip(f"no {device}")
    (tmp_path / "link").symlink_to(device)
    for name in (device, tmp_path / "link"):
        with pytest.raises(CacheError, match="is a device, expected a regular file"):
            FeatureCache(name, "a", 4)


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(
        CacheError, match=r"cache='.*a\\x00b' cannot be the name of a file: embedded null"
    ):
        FeatureCache(tmp_path / "a\0b", "a", 4)
