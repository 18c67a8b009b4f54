"""Spans of attempts and stages, made from events; and nothing at all for who wants none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from databases import NOON
from renderkiln.domain.event import Event, EventName
from renderkiln.observability import traces

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COST: Any = {"cpu_seconds": 2.0, "peak_bytes": 1000, "paid": 0.5}


class Story:
    """Events of one job, a second apart, and the spans that come of them."""

    def __init__(self) -> None:
        self.memory = InMemorySpanExporter()
        provider = traces.new_provider("test", {})
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self._traces, self._second = traces.JobTraces(provider), 0

    def say(self, name: EventName, stage: str | None = None, message: str = "", **facts: Any) -> None:
        at = NOON + timedelta(seconds=self._second)
        self._second += 1
        self._traces.hear(Event(name, "b-1", at, 0.0, stage, message, facts))

    def spans(self) -> Mapping[str, ReadableSpan]:
        return {span.name: span for span in self.memory.get_finished_spans()}


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def test_stages_lie_in_their_attempt_and_that_in_the_trace_it_was_asked_for_in() -> None:
    story = Story()
    waited = (NOON - timedelta(seconds=30)).isoformat()
    started: Any = {"attempt": 1, "pipeline": "narration", "queue": "audio-rendering"}
    story.say("job.started", **started, traceparent=ASKED, waited_since=waited)
    story.say("stage.started", "voice")
    story.say("warning", "voice", "it mumbles", code="mumbles")
    story.say("stage.completed", "voice", seconds=2.0, **COST)
    story.say("stage.reused", "tones")
    story.say("job.completed", seconds=5.0, bytes=10)
    spans = story.spans()
    assert list(spans) == ["wait in queue", "stage voice", "attempt narration"]
    attempt, stage, wait = spans["attempt narration"], spans["stage voice"], spans["wait in queue"]
    assert attempt.context is not None
    assert f"{attempt.context.trace_id:032x}" == ASKED.split("-")[1]
    assert parent_of(attempt) == parent_of(wait) == int(ASKED.split("-")[2], 16)
    assert parent_of(stage) == span_id(attempt)
    assert (attempt.end_time or 0) - (attempt.start_time or 0) == 5_000_000_000
    assert (wait.end_time or 0) - (wait.start_time or 0) == 30_000_000_000
    assert stage.attributes is not None
    assert stage.attributes["renderkiln.cpu_seconds"] == 2.0
    assert stage.attributes["renderkiln.paid"] == 0.5
    assert [event.name for event in stage.events] == ["warning"]
    assert [event.name for event in attempt.events] == ["stage.reused"]
    assert attempt.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(("name", "failed"), [("job.retrying", True), ("job.cancelled", False)])
def test_what_failed_is_marked_and_what_was_stopped_is_not(name: EventName, failed: bool) -> None:
    story = Story()
    story.say("job.started", pipeline="scenes")
    story.say("stage.started", "render")
    story.say("stage.failed" if failed else "stage.stopped", "render", "no space", seconds=1.0, **COST)
    story.say(name, message="no space")
    for span in story.spans().values():
        assert (span.status.status_code is StatusCode.ERROR) is failed
        assert span.parent is None or span.name == "stage render"


def test_who_asks_for_no_traces_loads_nothing() -> None:
    code = (
        "import sys; from renderkiln.observability import traces; "
        "assert traces.provider('x', {}) is None; assert traces.traceparent() is None; "
        "assert traces.provider('x', {'OTEL_SDK_DISABLED': 'true', 'OTEL_TRACES_EXPORTER': 'otlp'}) is None; "
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, "pip install 'renderkiln[otel]'"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "otlp and console are known"),
    ],
)
def test_who_asks_in_vain_is_told(
    environ: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert traces.provider("x", environ) is None
    assert words in caplog.text
