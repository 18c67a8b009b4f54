"""One measured figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`target` says what the value should be."""

    name: str
    value: float
    unit: str
    target: str = ""
