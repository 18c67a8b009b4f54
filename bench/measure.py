"""What a piece of work costs: CPU of this process and of the children it waited for, and wall time."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Cost:
    """Seconds. `cpu` counts this process and its finished children."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    cost = Cost()
    cpu, wall = _cpu_seconds(), time.monotonic()
    yield cost
    cost.cpu, cost.wall = _cpu_seconds() - cpu, time.monotonic() - wall


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
