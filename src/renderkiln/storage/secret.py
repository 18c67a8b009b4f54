"""A secret that an install makes for itself, once."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from renderkiln.storage.errors import Refused
from renderkiln.storage.trouble import trouble

_BYTES = 32


def secret_in(path: Path) -> bytes:
    """What the file holds; made at random, for our user alone, where there is none.

    Of several processes that come first, one makes it and all get the same.
    """
    with trouble(f"the file {path}"):
        try:
            held = path.read_bytes().strip()
        except FileNotFoundError:
            held = _make(path)
    if len(held) < _BYTES:
        raise Refused(f"the secret in {path} is cut short: remove it, and what was signed with it expires")
    return held


def _make(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # whole or not at all, and never over another one
    finally:
        Path(draft).unlink()
    return path.read_bytes().strip()
