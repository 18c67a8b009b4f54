"""URLs of S3 that are good for a while (AWS Signature Version 4, in the query).

obstore signs too, but no URL that says under which name a browser saves the file.
Source: docs.aws.amazon.com, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from renderkiln.storage.bucket import Bucket
from renderkiln.storage.disposition import attachment
from renderkiln.storage.errors import Refused

LONGEST = 7 * 24 * 3600  # seconds, of S3


def presigned(bucket: Bucket, key: str, *, seconds: int, now: datetime, filename: str | None = None) -> str:
    """A URL with which anybody may GET the file until `seconds` after `now`; at most a week."""
    if not 1 <= seconds <= LONGEST:
        raise Refused(f"a signed address is good for 1 to {LONGEST} seconds, not {seconds}")
    url = bucket.url(key)
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    scope = f"{stamp[:8]}/{bucket.region}/s3/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{bucket.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if bucket.session_token is not None:
        query["X-Amz-Security-Token"] = bucket.session_token
    if filename is not None:
        query["response-content-disposition"] = attachment(filename)
    said = "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))
    return f"{url}?{said}&X-Amz-Signature={_signature(bucket, url, said, stamp, scope)}"


def _signature(bucket: Bucket, url: str, query: str, stamp: str, scope: str) -> str:
    parts = urlsplit(url)
    request = "\n".join(["GET", parts.path, query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{bucket.secret_key}".encode()
    for each in scope.split("/"):
        key = hmac.digest(key, each.encode(), "sha256")
    return hmac.new(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
