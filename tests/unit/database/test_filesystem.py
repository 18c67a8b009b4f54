"""Which file system a path lies on, from what Linux says of its mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderkiln.database.filesystem import network_file_system

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw shared:2 master:1 - nfs4 nas:/export rw
31 30 0:41 / /mnt/nas/local rw - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/my\\040share rw - cifs //host/share rw
33 22 0:43 / /mnt/covered rw - nfs4 nas:/a rw
34 22 8:2 / /mnt/covered rw - ext4 /dev/sdc1 rw
35 22 0:44 / /mnt/far rw - fuse.sshfs me@host: rw
36 22 0:45 / /mnt/sandbox rw - 9p none rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", None),
        ("/home/me", None),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/a/b", "nfs4"),
        ("/mnt/nasty", None),
        ("/mnt/nas/local/a", None),
        ("/mnt/my share/a", "cifs"),
        ("/mnt/covered/a", None),
        ("/mnt/far", "fuse.sshfs"),
        ("/mnt/sandbox", None),
    ],
)
def test_the_innermost_mount_decides(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_where_nothing_is_known_the_file_system_is_local() -> None:
    assert network_file_system(Path("/mnt/nas"), "") is None


def test_this_machines_own_mounts_can_be_read(tmp_path: Path) -> None:
    assert network_file_system(tmp_path) is None
