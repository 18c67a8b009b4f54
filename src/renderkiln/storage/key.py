"""Keys: the names of stored files, such as `videos/spring/3f2a.mp4`.

The same keys work in a local folder and in a bucket. Two things are not looked after: file systems that take
`A` for `a`, and names such as `CON` that Windows keeps for itself.
"""

from __future__ import annotations

import unicodedata

from renderkiln.storage.errors import BadKey

MOST_BYTES = 900  # S3 takes 1,024, and a bucket may have a prefix
MOST_SEGMENT_BYTES = 200  # file systems take 255


def check_key(key: str) -> str:
    """The key itself; raises `BadKey` for one that some storage would refuse or take for another."""
    if wrong := _what_is_wrong(key):
        raise BadKey(f"the key {_shown(key)} {wrong}")
    return key


def check_prefix(prefix: str) -> str:
    """A folder of keys, without a slash at its end; the empty one holds them all. Raises `BadKey`."""
    return check_key(prefix) if prefix else prefix


def is_key(text: str) -> bool:
    return _what_is_wrong(text) is None


def _what_is_wrong(key: str) -> str | None:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "is not text: half a character of UTF-16"
    if size > MOST_BYTES:
        return f"has {size} bytes, {MOST_BYTES} is the most"
    if "\\" in key or any(unicodedata.category(each) == "Cc" for each in key):
        return "has a backslash or a control character"
    if not unicodedata.is_normalized("NFC", key):
        return "is not in Unicode's composed form (NFC)"
    for segment in key.split("/"):
        if segment in ("", ".", ".."):
            return "has an empty part, or one that is `.` or `..`"
        if len(segment.encode()) > MOST_SEGMENT_BYTES:
            return f"has a part of more than {MOST_SEGMENT_BYTES} bytes"
    return None


def _shown(key: str) -> str:
    return ascii(key if len(key) <= 80 else f"{key[:80]}…")
