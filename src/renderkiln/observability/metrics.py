"""What this process counts of its own work, in the form that Prometheus reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, Info
from prometheus_client.exposition import choose_encoder

from renderkiln import __version__
from renderkiln.domain.event import Event

_OUTCOMES: Mapping[str, str] = {
    "job.completed": "completed",
    "job.failed": "failed",
    "job.retrying": "retrying",
    "job.cancelled": "cancelled",
    "job.handed_back": "handed_back",
    "job.handed_over": "handed_over",
    "job.taken_over": "taken_over",
}
_STAGE_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


def new_registry() -> CollectorRegistry:
    """With nothing in it but which version this is."""
    registry = CollectorRegistry(auto_describe=False)
    Info("renderkiln_build", "Version of Renderkiln", registry=registry).info({"version": __version__})
    return registry


def exposed(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """All of it as a scraper that sends this Accept header reads it, and the content type."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class WorkMetrics:
    """A listener for the events of jobs that run in this process, from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "renderkiln_attempts",
            "Attempts that ended in this process",
            ["pipeline", "outcome"],
            registry=registry,
        )
        self._stages = Histogram(
            "renderkiln_stage_seconds",
            "How long completed stages took in this process",
            ["pipeline", "stage"],
            buckets=_STAGE_SECONDS,
            registry=registry,
        )
        self._cpu = Counter(
            "renderkiln_cpu_seconds",
            "CPU time of the stages that ended in this process",
            ["pipeline"],
            registry=registry,
        )
        self._pipelines: dict[str | None, str] = {}
        self._lock = threading.Lock()

    def hear(self, event: Event) -> None:
        """Count `event`."""
        with self._lock:
            if event.name == "job.started":
                self._pipelines[event.job_id] = event.facts.get("pipeline", "unknown")
            pipeline = self._pipelines.get(event.job_id, "unknown")
            if event.name in _OUTCOMES:
                self._pipelines.pop(event.job_id, None)
        if event.name in _OUTCOMES:
            self._attempts.labels(pipeline, _OUTCOMES[event.name]).inc()
        elif event.name in {"stage.completed", "stage.failed", "stage.stopped"}:
            self._cpu.labels(pipeline).inc(event.facts["cpu_seconds"])
            if event.name == "stage.completed":
                self._stages.labels(pipeline, event.stage).observe(event.facts["seconds"])


class HttpMetrics:
    """Requests that this process has answered, by the operation's name in the OpenAPI document."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "renderkiln_http_requests",
            "Requests that were answered",
            ["operation", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "renderkiln_http_request_seconds",
            "Time until an answer began",
            ["operation"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Count one. `operation` must be a word of ours: each that is new is kept for ever."""
        self._requests.labels(operation, str(status)).inc()
        self._seconds.labels(operation).observe(seconds)
