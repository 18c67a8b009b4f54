"""Which machine this is: whoever has its home folder has what waits there.

Not the host's name: a container gets a new one at each start, while a volume keeps its home folder.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from pathlib import Path

from renderkiln.domain.errors import UserError

_FILE = "machine"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def machine_of(home: Path) -> str:
    """The name of the machine with this home folder, which it gets at the first call. Raises UserError."""
    path = home / _FILE
    try:
        if not path.exists():
            _give_name(path)
        name = path.read_text("utf-8", "replace").strip()
    except OSError as error:
        raise UserError(
            f"the home folder {home} cannot be used: {error.strerror}; choose another by RENDERKILN_HOME"
        ) from error
    if _NAME.fullmatch(name) is None:
        raise UserError(f"{path} does not hold the name of a machine: remove it, and a new one is made")
    return name


def _give_name(path: Path) -> None:
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:80]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("x") as file:
            file.write(f"{host or 'machine'}-{secrets.token_hex(4)}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:  # another process was quicker
            return
        except OSError:  # a disk without links
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
