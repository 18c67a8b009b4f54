"""Sizes of files as people write them: `8MB`, `500 kB`, `2.5MiB`, `8000000`."""

from __future__ import annotations

import re
from typing import Any

import click

_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([kKmMgG]?)(i?)[bB]?")


class ByteSize(click.ParamType[int]):
    """A number of bytes. k, M and G are thousands, millions and billions; Ki, Mi and Gi powers of 1024."""

    name = "size"

    def __init__(self, least: int = 0) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _SIZE.fullmatch(str(value).strip())
        if match is None or (match[3] and not match[2]):
            self.fail(f"{value!r} is no size: write 8MB, 500kB, 2.5MiB or a number of bytes", param, ctx)
        power = " kmg".index(match[2].lower() or " ")
        unit: int = (1024 if match[3] else 1000) ** power
        size = round(float(match[1]) * unit)
        if size < self._least:
            self.fail(f"{value!r} is too small: {self._least:,} bytes are the least", param, ctx)
        return size
