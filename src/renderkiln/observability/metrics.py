"""What this process counts of its own work, in the form that Prometheus reads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Counter, Histogram, Info
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from renderkiln import __version__
from renderkiln.domain.event import Event

OWN_WORK = "/metrics/work"  # where a worker tells a server only what it has counted itself
_PATIENCE = 2.0  # seconds that a worker has to tell it; Prometheus waits for ten
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


def new_registry(*more: Collector) -> CollectorRegistry:
    """With nothing in it but which version this is, and what these collect."""
    registry = CollectorRegistry(auto_describe=False)
    for each in more:
        registry.register(each)
    Info("renderkiln_build", "Version of Renderkiln", registry=registry).info({"version": __version__})
    return registry


def exposed(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """All of it as a scraper that sends this Accept header reads it, and the content type."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class WorkMetrics:
    """A listener for the events of jobs that run in this process, from any thread; counts into `registry`."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=False)
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


class WorkElsewhere(Collector):
    """What a worker that answers at `url` counts of its own; nothing while it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url + OWN_WORK

    def describe(self) -> Iterable[Metric]:
        return []  # so that registering it asks nothing

    def collect(self) -> Iterable[Metric]:
        try:
            with urlopen(self._url, timeout=_PATIENCE) as answer:  # noqa: S310  our own worker's
                families = list(text_string_to_metric_families(answer.read().decode()))
        except OSError:  # it starts, or is just being started again
            return
        # When a counter began comes as a gauge of its own, which nobody has asked for.
        yield from (each for each in families if not each.name.endswith("_created"))


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
