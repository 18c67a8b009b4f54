"""Who has logged in with a browser, by a link that `serve` prints or by a key; after it, by a cookie."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from renderkiln.database.keys import StoredKey
from renderkiln.domain.access import LOCAL
from renderkiln.storage.errors import Expired, Forged
from renderkiln.storage.signed import sign, verify

COOKIE = "renderkiln_session"
LASTS = timedelta(days=7)
LINK = "link"  # no key is called so
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Opened(NamedTuple):
    """What a cookie of ours says: a session, and what it was given for: LINK, or the id of a key."""

    session: str
    opener: str


@dataclass
class Sessions:
    """Sessions of one service. They outlive it, for a cookie is signed. The database has who logged out."""

    secrets: Sequence[bytes] = field(repr=False)
    _token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def token(self) -> str | None:
        """What logs in once; None when it has."""
        return self._token

    def log_in(self, token: str, now: datetime) -> str | None:
        """The value of the cookie; None for a token that is not, or no longer, good."""
        if self._token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        self._token = None
        return self._cookie(LINK, now)

    def enter(self, key: StoredKey, now: datetime) -> str:
        """The value of the cookie of somebody who has this key."""
        return self._cookie(key.id, now)

    def opened(self, cookie: str, now: datetime) -> Opened | None:
        """What this cookie says; None for one that is forged or too old. It may have been logged out."""
        id, _, query = cookie.partition("?")
        try:
            verify(id, query, now=now, secrets=self.secrets, method="SESSION")
        except (Forged, Expired):
            return None
        return Opened(id, id.partition(".")[0])

    def _cookie(self, opener: str, now: datetime) -> str:
        id = f"{opener}.{secrets.token_hex(16)}"
        return f"{id}?{sign(id, expires=now + LASTS, secrets=self.secrets, method='SESSION')}"


def by_link(now: datetime) -> StoredKey:
    """Whoever has used the link may do all, as on the machine itself."""
    return StoredKey("session", "browser", "admin", "", "", now, LOCAL, None, None)


def is_own(method: str, headers: Mapping[str, str], public_url: str | None) -> bool:
    """Whether a request with a cookie comes from a page of ours: browsers say where one is from."""
    if method in _SAFE:
        return True
    origin = urlsplit(headers.get("origin", ""))
    ours = {headers.get("host", ""), urlsplit(public_url or "").netloc}
    return origin.scheme in {"http", "https"} and origin.netloc in ours - {""}
