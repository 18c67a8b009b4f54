"""The URLs under which our own service hands out the files of a local storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, unquote, urlsplit

from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.storage.signed import sign


@dataclass(frozen=True)
class Links:
    """`base` is where the service has the storage's files: `https://render.example/files/private`."""

    base: str
    secrets: Sequence[bytes] = field(repr=False)
    clock: Clock = field(default_factory=SystemClock)

    def plain(self, key: str) -> str:
        return f"{self.base.rstrip('/')}/{quote(key)}"

    def signed(self, key: str, seconds: int, filename: str | None) -> str:
        """A URL whose query `signed.verify` accepts for `seconds`, with the decoded path."""
        url = self.plain(key)
        expires = self.clock.now() + timedelta(seconds=seconds)
        path = unquote(urlsplit(url).path)
        return f"{url}?{sign(path, expires=expires, secrets=self.secrets, filename=filename)}"
