"""What one worker has done since it started, counted from the events of its jobs."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from renderkiln.domain.clock import Clock
from renderkiln.domain.event import Event

_SUCCESS = "job.completed"
_FAILURE = "job.failed"
_LEFT: frozenset[str] = frozenset(
    {"job.retrying", "job.handed_over", "job.handed_back", "job.taken_over", "job.cancelled"}
)


@dataclass
class _Times:
    """Seconds of one kind of work."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    @property
    def average(self) -> float:
        return self.total / self.count if self.count else 0.0


@dataclass
class _StageTimes(_Times):
    cpu: float = 0.0

    def to_json(self) -> dict[str, int]:
        return {
            "count": self.count,
            "averageTime": _ms(self.average),
            "maxTime": _ms(self.longest),
            "cpuTime": _ms(self.cpu),
        }


@dataclass(frozen=True)
class _Begun:
    at: float  # on the clock that never goes back
    pipeline: str


@dataclass
class Statistics:
    """A listener for one worker's events, from any thread.

    A job is processed when it ended here, completed or failed, and its processing time is that of the attempt
    which ended it, rendering and uploading. An attempt that is to be tried again is a retry and no failure;
    what was cancelled, handed on or taken over by another worker is not processed.
    """

    clock: Clock
    _begun: dict[str | None, _Begun] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _jobs: _Times = field(default_factory=_Times)
    _stages: dict[str, dict[str, _StageTimes]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(_StageTimes))
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._started = self.clock.monotonic()

    @property
    def uptime(self) -> int:
        """Milliseconds since the worker started."""
        return _ms(self.clock.monotonic() - self._started)

    def hear(self, event: Event) -> None:
        """Count `event`."""
        with self._lock:
            self._counts[event.name] += 1
            if event.name == "job.started":
                pipeline = event.facts.get("pipeline", "unknown")
                self._begun[event.job_id] = _Begun(self.clock.monotonic(), pipeline)
            elif event.name == "stage.completed":
                self._add_stage(event)
            elif event.name in {_SUCCESS, _FAILURE} or event.name in _LEFT:
                self._end(event)

    def to_json(self) -> dict[str, Any]:
        """Times are in milliseconds; stages are grouped by pipeline."""
        with self._lock:
            success, failure = self._counts[_SUCCESS], self._counts[_FAILURE]
            return {
                "totalProcessed": success + failure,
                "successCount": success,
                "failureCount": failure,
                "averageProcessingTime": _ms(self._jobs.average),
                "uptime": self.uptime,
                "retries": self._counts["job.retrying"],
                "cancelled": self._counts["job.cancelled"],
                "handedBack": self._counts["job.handed_back"],
                "stages": {
                    pipeline: {name: times.to_json() for name, times in stages.items()}
                    for pipeline, stages in self._stages.items()
                },
            }

    def _add_stage(self, event: Event) -> None:
        begun = self._begun.get(event.job_id)
        times = self._stages[begun.pipeline if begun else "unknown"][str(event.stage)]
        times.add(event.facts["seconds"])
        times.cpu += event.facts["cpu_seconds"]

    def _end(self, event: Event) -> None:
        begun = self._begun.pop(event.job_id, None)
        if begun is not None and event.name not in _LEFT:
            self._jobs.add(event.facts.get("seconds", self.clock.monotonic() - begun.at))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
