"""Looks whether a storage works: writes a small file, reads it and removes it."""

from __future__ import annotations

import secrets

from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Unavailable


def try_out(storage: Storage) -> None:
    """Raises `StorageError` with what is wrong, in words that say what to do."""
    key, content = f"renderkiln-doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    storage.put(key, iter([content]), content_type="application/octet-stream")
    try:
        with storage.open(key) as reading:
            if reading.read() != content:
                raise Unavailable("the storage gave other bytes than it was given")
    finally:
        storage.delete(key)
