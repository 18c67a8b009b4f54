"""What another process has used up, as Linux counts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    pid: int

    @property
    def cpu_seconds(self) -> float:
        """Its own, and those of the children it has waited for."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS

    @property
    def megabytes(self) -> float:
        """Its RSS, as `ps` and `top` show it: memory that it shares with others counts in full."""
        pages = int((self._folder / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def children(self) -> Iterator[Process]:
        for thread in (self._folder / "task").iterdir():
            for pid in (thread / "children").read_text().split():
                yield Process(int(pid))

    @property
    def _folder(self) -> Path:
        return Path(f"/proc/{self.pid}")
