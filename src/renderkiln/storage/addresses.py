"""Addresses of our own service, for whoever has no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from renderkiln.storage.signed import sign

_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  who listens on all is reached on this one


def origin(host: str, port: int) -> str:
    """Where a service is reached that listens there."""
    name = _ALL.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


@dataclass(frozen=True)
class Addresses:
    """`base` is where it answers, "" for addresses without that; `secrets` sign, None: a key is needed."""

    base: str
    secrets: Sequence[bytes] | None = field(repr=False)

    def of(self, path: str, until: datetime) -> str:
        """Of this path, good until then."""
        query = "" if self.secrets is None else f"?{sign(unquote(path), expires=until, secrets=self.secrets)}"
        return f"{self.base.rstrip('/')}{path}{query}"

    def in_job(self, told: Mapping[str, Any], until: datetime) -> dict[str, Any]:
        """A job in JSON with such addresses of its files, and of how it stands."""
        files = [{**each, "url": self.of(each["url"], until)} for each in told["artifacts"]]
        return {**told, "artifacts": files, "statusUrl": self.of(f"/api/v1/jobs/{told['id']}/status", until)}
