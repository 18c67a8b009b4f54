"""Ids as people type them."""

from __future__ import annotations

import re
from typing import Any

import click


class Id(click.ParamType[str]):
    """A prefix that says of what, and letters: `whk_…` for a webhook, `key_…` for a key."""

    name = "id"

    def __init__(self, prefix: str, what: str, letters: str = "[0-9a-f]{1,40}") -> None:
        self._prefix, self._what, self._letters = prefix, what, letters

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if re.fullmatch(f"{self._prefix}_{self._letters}", value) is None:
            self.fail(
                f"{value[:80]!r} is no id of {self._what}, such as {self._prefix}_0123456789", param, ctx
            )
        return str(value)
