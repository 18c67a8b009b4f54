"""URLs that are good for a while: signed with HMAC-SHA256 over everything they say.

A query has `expires` (seconds since 1970), perhaps `filename`, and `signature`. To change secrets without
breaking the URLs that are out: put the new one first, and drop the old one when its last URL has expired.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from renderkiln.storage.errors import Expired, Forged

SHORTEST_SECRET = 16  # bytes
LASTS = timedelta(days=7)  # a link to how a job stands


def sign(
    path: str,
    *,
    expires: datetime,
    secrets: Sequence[bytes],
    method: str = "GET",
    filename: str | None = None,
) -> str:
    """The query, without its question mark, that lets anybody use `method` on `path` until `expires`.

    `path` is the decoded one. The first secret signs.
    """
    until = str(int(expires.timestamp()))
    if filename is not None:  # what is no text would not come back from a URL
        filename = filename.encode("utf-8", "replace").decode()
    named = {} if filename is None else {"filename": filename}
    signature = _signature(_checked(secrets)[0], method, path, until, filename)
    return urlencode({"expires": until, **named, "signature": signature})


def verify(
    path: str, query: str, *, now: datetime, secrets: Sequence[bytes], method: str = "GET"
) -> str | None:
    """The file name that was signed, if one was; raises `Forged` or `Expired`.

    A query that says anything twice, or anything else, is forged. Who may GET may HEAD.
    """
    said = parse_qsl(query, keep_blank_values=True)
    told = dict(said)
    if len(said) != len(told) or not {"expires", "signature"} <= set(told) <= {
        "expires",
        "filename",
        "signature",
    }:
        raise Forged("this address is not one that was signed here: ask for a new one")
    filename = told.get("filename")
    asked = "GET" if method == "HEAD" else method
    given = told["signature"].encode("utf-8", "replace")
    good = [  # all are tried: how long it takes says nothing of which one it was
        hmac.compare_digest(_signature(each, asked, path, told["expires"], filename).encode(), given)
        for each in _checked(secrets)
    ]
    if not any(good):
        raise Forged("this address was not signed here, or has been changed: ask for a new one")
    if now.timestamp() >= int(told["expires"]):
        raise Expired("this address is no longer good: ask for a new one")
    return filename


def _signature(secret: bytes, method: str, path: str, expires: str, filename: str | None) -> str:
    # JSON, so that no two requests are the same text; the first word keeps other uses of a secret apart.
    said = json.dumps(["renderkiln-url-1", method, path, expires, filename])
    return hmac.new(secret, said.encode(), "sha256").hexdigest()


def _checked(secrets: Sequence[bytes]) -> Sequence[bytes]:
    if not secrets or min(map(len, secrets)) < SHORTEST_SECRET:
        raise ValueError(f"signing takes at least one secret, of {SHORTEST_SECRET} bytes or more")
    return secrets
