"""Which kind of file system a path lies on: SQLite's locks do not hold on one that a network shares."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")  # Linux only; elsewhere nothing is known
# Not 9p: sandboxes and virtual machines have it as their own root, and one kernel keeps its locks.
_NETWORK = frozenset(
    [
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
    ]
)


def network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """The name of the network file system that `path` lies on (`nfs4` …); None where it is a local one.

    `mounts` is the text of mountinfo, by default this process's own.
    """
    if mounts is None:
        mounts = _MOUNTS.read_text(errors="surrogateescape") if _MOUNTS.exists() else ""
    kind, longest = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        place = Path(_unescaped(fields[4]))
        # A later mount on the same place hides the earlier one.
        if path.is_relative_to(place) and len(place.parts) >= longest:
            kind, longest = fields[fields.index("-") + 1], len(place.parts)
    return kind if kind in _NETWORK else None


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
