"""One trace from the request through the queue to the stages, where OpenTelemetry is installed and asked for.

Its standard variables configure it: OTEL_EXPORTER_OTLP_ENDPOINT is enough. Who sets none of them, or has not
installed `renderkiln[otel]`, loads nothing of it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from renderkiln.domain.event import Event, EventName

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

_log = logging.getLogger(__name__)
_ASKS = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_ENDS: frozenset[EventName] = frozenset(
    {
        "job.completed",
        "job.failed",
        "job.cancelled",
        "job.retrying",
        "job.handed_back",
        "job.handed_over",
        "job.taken_over",
    }
)
_FAILURES: frozenset[EventName] = frozenset({"job.failed", "job.retrying", "stage.failed"})
_STAGE_ENDS: frozenset[EventName] = frozenset({"stage.completed", "stage.failed", "stage.stopped"})
_NOTES: frozenset[EventName] = frozenset({"stage.reused", "stage.left_out", "warning"})
_FACTS = ("attempt", "pipeline", "queue", "code", "seconds", "cpu_seconds", "peak_bytes", "paid", "bytes")


@contextmanager
def spans(service: str) -> Iterator[TracerProvider | None]:
    """Where spans go, by the variables of OpenTelemetry; None: nobody wants any. All are sent at the end.

    `service` is the name of this process unless OTEL_SERVICE_NAME has one.
    """
    found = provider(service, os.environ)
    try:
        yield found
    finally:
        if found is not None:
            found.shutdown()


def provider(service: str, environ: Mapping[str, str]) -> TracerProvider | None:
    """As `spans`; it is for the caller to shut down."""
    wanted = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip()
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or wanted == "none" or not any(environ.get(name) for name in _ASKS):
        return None
    try:
        exporter = _exporter(wanted)
    except ImportError as error:
        _log.warning("no traces: %s is not installed (`pip install 'renderkiln[otel]'`)", error.name)
        return None
    if exporter is None:
        _log.warning("no traces: OTEL_TRACES_EXPORTER is %s; otlp and console are known", wanted)
        return None
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    found = new_provider(service, environ)
    found.add_span_processor(BatchSpanProcessor(exporter))
    return found


def new_provider(service: str, environ: Mapping[str, str]) -> TracerProvider:
    """One that sends its spans nowhere yet."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider

    named = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
    return TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)


def traceparent() -> str | None:
    """The span in which this is called, as W3C Trace Context writes it; None outside of one."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:  # nobody here traces
        return None
    span = trace.get_current_span().get_span_context()
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}" if span.is_valid else None


class JobTraces:
    """A listener that makes spans of attempts and their stages, from any thread.

    They belong to the trace of the request that asked for the job, if there was one.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("renderkiln")
        self._attempts: dict[str | None, Span] = {}
        self._stages: dict[str | None, Span] = {}
        self._lock = threading.Lock()

    def hear(self, event: Event) -> None:
        """Begin or end a span."""
        with self._lock:
            if event.name == "job.started":
                self._attempts[event.job_id] = self._begin(event)
            elif event.name == "stage.started":
                self._stages[event.job_id] = self._begin_stage(event)
            elif event.name in _STAGE_ENDS:
                _end(self._stages.pop(event.job_id, None), event)
            elif event.name in _NOTES:
                self._note(event)
            elif event.name in _ENDS:
                _end(self._stages.pop(event.job_id, None), event)
                _end(self._attempts.pop(event.job_id, None), event)

    def _begin(self, event: Event) -> Span:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        asked = TraceContextTextMapPropagator().extract({"traceparent": event.facts.get("traceparent", "")})
        about = {"renderkiln.job.id": str(event.job_id), **_attributes(event)}
        if (since := event.facts.get("waited_since")) is not None:
            begun = _nanoseconds(datetime.fromisoformat(since))
            waited = self._tracer.start_span("wait in queue", asked, attributes=about, start_time=begun)
            waited.end(_nanoseconds(event.at))
        return self._tracer.start_span(
            f"attempt {event.facts.get('pipeline', '')}".strip(),
            asked,
            kind=SpanKind.CONSUMER,
            attributes=about,
            start_time=_nanoseconds(event.at),
        )

    def _begin_stage(self, event: Event) -> Span:
        from opentelemetry.trace import set_span_in_context

        attempt = self._attempts.get(event.job_id)
        within = None if attempt is None else set_span_in_context(attempt)
        return self._tracer.start_span(f"stage {event.stage}", within, start_time=_nanoseconds(event.at))

    def _note(self, event: Event) -> None:
        span = self._stages.get(event.job_id) or self._attempts.get(event.job_id)
        if span is not None:
            told = {"stage": event.stage or "", "message": event.message, **_attributes(event)}
            span.add_event(event.name, told, _nanoseconds(event.at))


def _end(span: Span | None, event: Event) -> None:
    if span is None:
        return
    from opentelemetry.trace import Status, StatusCode

    span.set_attributes({"renderkiln.outcome": event.name.partition(".")[2], **_attributes(event)})
    if event.name in _FAILURES:
        span.set_status(Status(StatusCode.ERROR, event.message))
    span.end(_nanoseconds(event.at))


def _attributes(event: Event) -> dict[str, Any]:
    known = {key: event.facts[key] for key in _FACTS if event.facts.get(key) is not None}
    return {f"renderkiln.{key}": value for key, value in known.items()}


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


def _exporter(name: str) -> SpanExporter | None:
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    return None
