"""Signatures of webhooks, as the specification Standard Webhooks has them (standardwebhooks.com, v1).

HMAC-SHA256 over `id.timestamp.body` with a secret that is `whsec_` and its bytes in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from renderkiln.domain.errors import UsageError

PREFIX = "whsec_"
_BYTES = 32
_FEWEST, _MOST = 24, 64  # bytes that the specification allows


def new_secret() -> str:
    """A secret that nobody has had before."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def check_secret(secret: str) -> str:
    """A secret that somebody has brought. Raises UsageError for one that is none."""
    if secret.startswith(PREFIX) and _FEWEST <= len(_key(secret)) <= _MOST:
        return secret
    raise UsageError(f"a webhook's secret is {PREFIX} and {_FEWEST} to {_MOST} bytes in base64")


def headers(id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """What is sent with `body`, signed with each of `keys`; `timestamp` is in seconds since 1970."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(id, timestamp, body, key) for key in keys),
    }


def _signature(id: str, timestamp: int, body: bytes, secret: str) -> str:
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
