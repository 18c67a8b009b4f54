"""Where the server is, and what is sent to it and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from renderkiln.domain.errors import UsageError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """`url` has no slash at its end. The key is never shown."""

    url: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, url: str, key: str) -> Address:
        """Raises UsageError for what is no address, or no key."""
        try:
            parts = urlsplit(url.strip())
            known = parts.scheme in _PORTS and parts.hostname and (parts.port or True)
        except ValueError:
            known = False
        if not known:
            raise UsageError(f"{url!r} is no address of a server: give one like https://render.example.com")
        if parts.username is not None or parts.query or parts.fragment:
            raise UsageError("the server's address has a name, a query or a fragment in it: leave it out")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError("the API key has characters in it that no key has: copy it once more")
        return cls(url.strip().rstrip("/"), key)

    def resolve(self, path: str) -> str:
        """The URL of a path that counts from the server's address; a whole URL stays as it is."""
        return self.url + path if path.startswith("/") else path

    def headers(self, url: str) -> Mapping[str, str]:
        """With the key, if it is the server's own."""
        own = bool(self.key) and _origin(url) == _origin(self.url)
        return {"Authorization": f"Bearer {self.key}"} if own else {}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
