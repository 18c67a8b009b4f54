"""What a browser is told to save a file as (RFC 6266)."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote


def attachment(filename: str) -> str:
    """The value of a Content-Disposition header: the name in plain letters, and the true one."""
    name = "".join(
        "_" if unicodedata.category(each) in ("Cc", "Cs") or each in '/\\"' else each for each in filename
    )
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("%", "_") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
