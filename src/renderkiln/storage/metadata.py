"""What a stored file carries besides its bytes: small text values under lower-case names.

S3 sends them as HTTP headers, so names are plain, values travel percent-encoded, and all together stay small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from renderkiln.storage.errors import Refused

MOST_BYTES = 1800  # S3 takes 2 KB of all names and values; ours are among them
SHA256 = "sha256"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_RESERVED = {
    SHA256,
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "storage-class",
}
_PLAIN = "".join(map(chr, range(33, 127))).replace("%", "") + " "


def check_metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """The metadata itself; raises `Refused` for what a bucket could not keep."""
    for name in metadata:
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise Refused(
                f"metadata cannot be named {name!a}: lower-case letters, digits and '-', and not a header"
            )
    if sum(len(name) + len(value) for name, value in encoded(metadata).items()) > MOST_BYTES:
        raise Refused(f"metadata of more than {MOST_BYTES} bytes cannot be stored with a file")
    return metadata


def encoded(metadata: Mapping[str, str]) -> dict[str, str]:
    """As header values. Blanks at either end would be lost on the way, so they are encoded too."""
    return {name: _encoded(value) for name, value in metadata.items()}


def decoded(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: unquote(value) for name, value in metadata.items()}


def _encoded(value: str) -> str:
    quoted = quote(value, safe=_PLAIN)
    inner = quoted.strip(" ")
    if inner == quoted:
        return quoted
    before = len(quoted) - len(quoted.lstrip(" "))
    return "%20" * before + inner + "%20" * (len(quoted) - before - len(inner))
